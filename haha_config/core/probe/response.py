"""An answer put together again, streamed or whole, and what is wrong with how it came."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Final

from msgspec import Struct, field

from haha_config.core.exchange import HttpExchange
from haha_config.core.messages import Message, msg
from haha_config.core.model import Data, elements, from_json, mapping


class Response(Struct, frozen=True, kw_only=True):
    """What the model said. `flaw`: the first thing that is wrong with how it came.

    `usable`: the client takes the answer in spite of its flaw. `final`: it does not ask once more
    without a stream. `unended`: neither of the events that end an answer came. `lapses`: by the
    names of `forgives` in the record of a version. `error`: an error event inside a stream.
    `first_ms`: until the first piece of content. `bad_inputs`: tools whose arguments are no JSON
    object.
    """

    model: str = ""
    content: tuple[Data, ...] = ()
    stop_reason: str | None = None
    usage: Mapping[str, Data] = field(default_factory=dict)
    flaw: Message | None = None
    usable: bool = True
    final: bool = False
    unended: bool = False
    lapses: Mapping[str, Message] = field(default_factory=dict)
    error: str = ""
    first_ms: int | None = None
    bad_inputs: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return "".join(str(b.get("text", "")) for b in self.content if b.get("type") == "text")

    @property
    def calls(self) -> tuple[Mapping[str, Data], ...]:
        return tuple(b for b in self.content if b.get("type") == "tool_use")

    @property
    def thought(self) -> bool:
        return any(b.get("type") in ("thinking", "redacted_thinking") for b in self.content)

    @property
    def empty(self) -> bool:
        return not self.calls and not self.text.strip()

    @property
    def output_tokens(self) -> int:
        value = self.usage.get("output_tokens")
        return value if isinstance(value, int) else 0

    @property
    def input_tokens(self) -> int:
        """All that was read, from a cache or not."""
        names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
        return sum(n for name in names if isinstance(n := self.usage.get(name), int))


def read(exchange: HttpExchange) -> Response | None:
    """The answer in an exchange that got one; None where this is no Messages API answer."""
    named = _named_stream(exchange) or exchange.body.startswith(("event:", "data:"))
    if named and not exchange.body.startswith("{"):
        return _streamed(exchange)
    data = mapping(from_json(exchange.body))
    content = data.get("content")
    if data.get("type") != "message" and content is None:
        return None
    blocks = tuple(_with_input(b) for b in elements(content) if isinstance(b, dict))
    usage = data.get("usage")
    flaw = None
    if exchange.ask.stream:
        flaw = msg("the answer comes in one piece, not as a stream")
    counted = isinstance(usage, Mapping)
    if not counted:
        flaw = msg("the answer has no `usage`")
    return Response(
        model=str(data.get("model") or ""),
        content=blocks,
        stop_reason=data.get("stop_reason"),
        usage=mapping(usage),
        flaw=flaw,
        usable=counted,
        final=not counted,
        lapses={"piece-as-stream": _NO_STREAM} if _named_stream(exchange) else {},
        bad_inputs=tuple(
            str(b.get("name"))
            for b in blocks
            if b.get("type") == "tool_use" and not isinstance(b.get("input"), Mapping)
        ),
    )


def _with_input(block: dict[str, Data]) -> dict[str, Data]:
    """A block of a whole answer. Input that is JSON in text is read, too (measured)."""
    try:
        return {**block, "input": json.loads(block["input"])}
    except (KeyError, TypeError, ValueError, RecursionError):
        return block


_NO_STREAM: Final = msg("JSON comes with a stream's content type")


def _named_stream(exchange: HttpExchange) -> bool:
    return "event-stream" in exchange.headers.get("content-type", "").lower()


# --- streams ---------------------------------------------------------------------------------


def events(exchange: HttpExchange) -> Iterator[tuple[int, str, str]]:
    """(ms, name, data) of every event that came whole."""
    pieces = exchange.pieces or ((exchange.ms, exchange.body),)
    # A mark of the byte order may stand before everything.
    pieces = ((pieces[0][0], pieces[0][1].removeprefix("\ufeff")), *pieces[1:])
    text = "".join(piece for _, piece in pieces)
    ends = list(accumulate(len(piece) for _, piece in pieces))
    start, at = 0, 0
    for blank in re.finditer(r"\r?\n\r?\n", text):
        while ends[at] < blank.end():
            at += 1
        yield from _event(pieces[at][0], text[start : blank.start()])
        start = blank.end()
    if text[start:].strip() and not exchange.failure:
        yield from _event(pieces[-1][0], text[start:])


def _event(at: int, block: str) -> Iterator[tuple[int, str, str]]:
    name, data = "", []
    for line in block.split("\n"):
        line = line.removesuffix("\r")
        field_, _, value = line.partition(":")
        if field_ == "event":
            name = value.strip()
        elif field_ == "data":
            data.append(value.removeprefix(" "))
    if data or name:
        yield at, name, "\n".join(data)


class _Reader:
    """Follows a stream as a client does, and notes the first thing that is out of order."""

    def __init__(self) -> None:
        self.message: dict[str, Data] = {}
        self.usage: dict[str, Data] = {}
        self.blocks: dict[int, dict[str, Data]] = {}
        # Parts are joined at the end: a text that grows by each of them is copied each time.
        self.partial: dict[int, list[str]] = {}
        self.texts: dict[int, dict[str, list[str]]] = {}
        self.open: set[int] = set()
        self.closed = False
        self.lapses: dict[str, Message] = {}
        self.stop_reason: str | None = None
        self.ended = False
        self.delivered = False
        self.error = ""
        self.flaw: Message | None = None
        self.first_ms: int | None = None
        self.bad: list[str] = []

    def take(self, at: int, name: str, text: str) -> None:
        """One event. The client goes by its name: one without, or of another name, is nothing."""
        if self.ended:
            if name == "error":
                self.lapses["error-event-at-end"] = msg("an error follows the stream's end")
            return
        if name not in _EVENTS:
            if not name and '"choices"' in text:
                self._note(msg("the stream is in OpenAI's protocol"))
            return
        if name == "ping":
            return
        data = from_json(text) if text else {}
        if not isinstance(data, dict):
            self._note(msg("an event is not JSON"))
            return
        if name not in ("message_start", "error") and not self.message:
            self._note(msg("the stream does not begin with `message_start`"))
        getattr(self, f"_{name}")(at, data)

    def block(self, index: int) -> dict[str, Data]:
        """A block with what was sent after its beginning."""
        begun = self.blocks[index]
        texts = self.texts.get(index, {})
        return {**begun, **{n: str(begun.get(n, "")) + "".join(p) for n, p in texts.items()}}

    def _note(self, flaw: Message) -> None:
        self.flaw = self.flaw or flaw

    def _error(self, _at: int, data: Data) -> None:
        error = data.get("error")
        said = error.get("message") if isinstance(error, dict) else error
        self.error = str(said or "")

    def _message_start(self, _at: int, data: Data) -> None:
        message = data.get("message")
        self.message = message if isinstance(message, dict) else {"model": ""}
        self._use(self.message.get("usage"))

    def _content_block_start(self, _at: int, data: Data) -> None:
        index, block = data.get("index"), data.get("content_block")
        if not isinstance(index, int) or not isinstance(block, dict):
            self._note(msg("a block begins without its number"))
            return
        self.blocks[index] = dict(block)
        self.open.add(index)

    def _content_block_delta(self, at: int, data: Data) -> None:
        index, delta = data.get("index"), data.get("delta")
        if index not in self.open or not isinstance(delta, dict):
            self._note(msg("the stream has text outside a block"))
            return
        self.first_ms = at if self.first_ms is None else self.first_ms
        kind = str(delta.get("type"))
        block = self.blocks[index].get("type")
        if block not in _BLOCKS.get(kind, (block,)):
            self._note(msg("a piece is of another kind than its block"))
        if kind == "input_json_delta":
            self.partial.setdefault(index, []).append(str(delta.get("partial_json", "")))
        for name in ("text", "thinking", "signature"):
            if kind == f"{name}_delta":
                parts = self.texts.setdefault(index, {}).setdefault(name, [])
                parts.append(str(delta.get(name, "")))

    def _content_block_stop(self, _at: int, data: Data) -> None:
        index = data.get("index")
        if index in self.blocks and index not in self.open:
            self.lapses["block-stop-twice"] = msg("a block ends twice")
        elif index not in self.open:
            self._note(msg("a block ends without a beginning"))
        if index not in self.open:
            return
        self.open.discard(index)
        self.closed = self.closed or self.flaw is None
        if self.blocks[index].get("type") == "tool_use":
            self._close_call(index)

    def _close_call(self, index: int) -> None:
        block = self.blocks[index]
        text = "".join(self.partial.get(index, ()))
        # What stands in the event that opens the block is not read (measured).
        value = from_json(text) if text.strip() else {}
        if not isinstance(value, dict):
            self.bad.append(str(block.get("name", "")))
            value = {}
        block["input"] = value

    def _message_delta(self, _at: int, data: Data) -> None:
        delta = data.get("delta")
        self.delivered = True
        if isinstance(delta, dict):
            self.stop_reason = delta.get("stop_reason")
        else:
            self._note(msg("`message_delta` says nothing"))
        self._use(data.get("usage"))

    def _message_stop(self, _at: int, _data: Data) -> None:
        if self.open:
            self._note(msg("the stream ends inside a block"))
        self.ended = True

    def _use(self, usage: Data) -> None:
        if isinstance(usage, dict):
            if any(isinstance(count, str) for count in usage.values()):
                self.lapses["delta-usage-text"] = msg("a count in `usage` is no number")
            self.usage.update({k: v for k, v in usage.items() if v is not None})


#: Which blocks a piece can belong to.
_BLOCKS: Final[Mapping[str, tuple[str, ...]]] = {
    "text_delta": ("text",),
    "input_json_delta": ("tool_use", "server_tool_use"),
    "thinking_delta": ("thinking",),
    "signature_delta": ("thinking",),
}
_PHASES: Final = ("start", "delta", "stop")
_EVENTS: Final = frozenset(
    ("ping", "error", *(f"{of}_{at}" for of in ("message", "content_block") for at in _PHASES))
)


def _streamed(exchange: HttpExchange) -> Response:
    reader = _Reader()
    for at, name, text in events(exchange):
        reader.take(at, name, text)
    flaw, usable = reader.flaw, reader.flaw is None
    ended = reader.ended or reader.delivered
    # Such an answer has an end of its own, which the client waits for.
    chunked = "chunked" in exchange.headers.get("transfer-encoding", "")
    if flaw is None and not reader.message and not reader.error:
        flaw, usable = msg("the stream holds no answer"), False
    elif flaw is None and exchange.failure == "cut" and chunked:
        flaw, usable = _unended(exchange), False
    elif flaw is None and not reader.ended and not reader.error:
        flaw = _unended(exchange)
        # The client goes by the blocks: it takes those that were closed.
        usable = bool(reader.blocks) and not reader.open and exchange.failure is None
    elif exchange.failure == "cut":
        reader.lapses["length-too-long"] = _unended(exchange)
    return Response(
        model=str(reader.message.get("model") or ""),
        content=tuple(reader.block(i) for i in sorted(reader.blocks)),
        stop_reason=reader.stop_reason,
        usage=reader.usage,
        flaw=flaw,
        usable=usable and not reader.error,
        # What was said before is on the screen: it does not ask again.
        final=reader.closed or (bool(reader.open) and reader.ended),
        unended=not ended and not reader.error and exchange.failure is None,
        lapses=reader.lapses,
        error=reader.error,
        first_ms=reader.first_ms,
        bad_inputs=tuple(reader.bad),
    )


def _unended(exchange: HttpExchange) -> Message:
    if exchange.failure == "stalled":
        return msg("the stream stopped for {n} s", n=round(exchange.waited))
    if exchange.failure:
        return msg("the connection was closed inside the stream")
    return msg("the stream ends without `message_stop`")
