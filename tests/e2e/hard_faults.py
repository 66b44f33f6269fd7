"""More endpoints that misbehave, as a probe and a client are least likely to agree on them.

They are in a file of their own since they were written after the probe, to find out what it gets
wrong. What the real clients make of each is measured like that of the others.
"""

from __future__ import annotations

import gzip
import itertools
import json
import re
import zlib
from collections.abc import Callable
from typing import Any

from tests.e2e import behaviours as act
from tests.e2e import faults as f
from tests.e2e.faults import (
    Block,
    Edit,
    Events,
    Fault,
    always,
    blocks,
    events,
    good,
    in_turn,
    says,
    second,
    send,
    streams,
    unless,
    whole,
)
from tests.e2e.wire import Behaviour, Reply, Request

# --- how bytes come -------------------------------------------------------------------------


def text(request: Request, edit: Edit = list) -> str:
    """The good answer as it is streamed."""
    found = edit(events(request, blocks(request)))
    return "".join(f._plain(name, {"type": name, **data}) for name, data in found)


def bytes_of(
    change: Callable[[str], str] = str,
    head: str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n",
    size: int = 0,
    pause: float = 0,
) -> Callable[[], Behaviour]:
    """The stream, changed, after this head, in pieces of this size."""

    def behave(request: Request, reply: Reply) -> None:
        if not request.stream:
            reply.json(200, whole(request, blocks(request)))
            return
        body = change(text(request)).encode()
        reply.write(head.encode())
        step = size or len(body)
        for start in range(0, len(body), step):
            reply.write(body[start : start + step])
            if pause:
                reply.hang(pause)

    return always(behave)


def chunked(request: Request, reply: Reply) -> None:
    """Pieces of three bytes, each with its length."""
    body = text(request).encode()
    reply.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    for start in range(0, len(body), 300):
        piece = body[start : start + 300]
        reply.write(b"%x\r\n%s\r\n" % (len(piece), piece))
    reply.write(b"0\r\n\r\n")


def unended_chunks(request: Request, reply: Reply) -> None:
    """All events, but not the last chunk."""
    body = text(request).encode()
    reply.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    reply.write(b"%x\r\n%s\r\n" % (len(body), body))


def packed(how: Callable[[bytes], bytes], name: str) -> Behaviour:
    def behave(request: Request, reply: Reply) -> None:
        body = text(request).encode()
        reply.send(200, how(body), "text/event-stream", {"Content-Encoding": name})

    return behave


def sent(kind: str, code: int = 200) -> Behaviour:
    """The stream under another content type or status."""
    return lambda q, r: r.send(code, text(q).encode(), kind)


def head(*lines: str, version: str = "1.1", code: str = "200 OK") -> str:
    return "\r\n".join((f"HTTP/{version} {code}", *lines, "Connection: close", "", ""))


SSE = "Content-Type: text/event-stream"


def resets(after: int) -> Behaviour:
    def behave(request: Request, reply: Reply) -> None:
        send(request, reply, events(request, blocks(request))[:after])
        reply.reset()

    return behave


def drips(seconds: float) -> Behaviour:
    """Each event a while after the one before."""

    def behave(request: Request, reply: Reply) -> None:
        reply.open_stream()
        for name, data in events(request, blocks(request)):
            reply.event({"type": name, **data}, name)
            reply.hang(seconds)

    return behave


def pings_for(seconds: int) -> Behaviour:
    def behave(request: Request, reply: Reply) -> None:
        reply.open_stream()
        for _ in range(seconds):
            reply.event({"type": "ping"}, "ping")
            reply.hang(1)
        for name, data in events(request, blocks(request)):
            reply.event({"type": name, **data}, name)

    return behave


def silent_head(seconds: float) -> Behaviour:
    """The status at once, the first event later."""

    def behave(request: Request, reply: Reply) -> None:
        reply.open_stream()
        reply.write(b": wait\n\n")
        reply.hang(seconds)
        for name, data in events(request, blocks(request)):
            reply.event({"type": name, **data}, name)

    return behave


# --- what is in the events ------------------------------------------------------------------


def _message(**change: Any) -> Edit:
    return f.each("message_start", lambda d: {"message": {**d["message"], **change}})


def _message_without(*names: str) -> Edit:
    def change(data: dict[str, Any]) -> dict[str, Any]:
        return {"message": {k: v for k, v in data["message"].items() if k not in names}}

    return f.each("message_start", change)


def _index(value: Callable[[int], object]) -> Edit:
    return lambda found: [
        (n, {**d, "index": value(d["index"])} if "index" in d else d) for n, d in found
    ]


def _ending(**change: Any) -> Edit:
    return f.each("message_delta", lambda d: {**d, **change})


def _twice(name: str) -> Edit:
    return lambda found: [e for event in found for e in ([event] * (2 if event[0] == name else 1))]


def _extra(position: int, *more: tuple[str, dict[str, Any]]) -> Edit:
    def change(found: Events) -> Events:
        at = position if position >= 0 else len(found) + 1 + position
        return [*found[:at], *more, *found[at:]]

    return change


def _error_event(said: str = "Overloaded", kind: str = "overloaded_error") -> Events:
    return [("error", {"error": {"type": kind, "message": said}})]


def _stop_too_early(found: Events) -> Events:
    """`content_block_stop` stands before the deltas."""
    stops = [e for e in found if e[0] == "content_block_stop"]
    rest = [e for e in found if e[0] != "content_block_stop"]
    at = max(i for i, e in enumerate(rest) if e[0] == "content_block_start") + 1
    return [*rest[:at], *stops, *rest[at:]]


def _end_before_stop(found: Events) -> Events:
    names = [n for n, _ in found]
    at = names.index("content_block_stop")
    return [*found[:at], *found[-2:-1], *found[at:-2], found[-1]]


def _interleaved(found: Events) -> Events:
    """The deltas of all blocks in turn, and their ends after them."""
    kinds = ("content_block_start", "content_block_delta", "content_block_stop")
    middle = [[e for e in found if e[0] == kind] for kind in kinds]
    starts, deltas, stops = middle
    deltas = sorted(deltas, key=lambda e: deltas.index(e) % 3)
    first = [e for e in found if e[0] in ("message_start", "ping")]
    last = [e for e in found if e[0] in ("message_delta", "message_stop")]
    return [*first, *starts, *deltas, *stops, *last]


def _arguments(change: Callable[[str], str]) -> Callable[[], Behaviour]:
    return f.calls(lambda c: [{**c, "input": change(json.dumps(c["input"]))}])


def _named(name: Callable[[str], str]) -> Callable[[], Behaviour]:
    return f.calls(lambda c: [{**c, "name": name(c["name"])}])


def _path(change: Callable[[str], object]) -> Callable[[], Behaviour]:
    def changed(call: Block) -> list[Block]:
        path = call["input"]["file_path"]
        return [{**call, "input": {**call["input"], "file_path": change(path)}}]

    return f.calls(changed)


def _same_id(request: Request) -> list[Block]:
    return [{**b, "id": "toolu_1"} if b["type"] == "tool_use" else b for b in blocks(request)]


def _typed_block(kind: str) -> Callable[[], Behaviour]:
    """The call is a block of another kind, streamed the same way."""

    def change(found: Events) -> Events:
        return [
            (n, {**d, "content_block": {**d["content_block"], "type": kind}})
            if n == "content_block_start" and d["content_block"]["type"] == "tool_use"
            else (n, d)
            for n, d in found
        ]

    return streams(change)


def _delta_kind(old: str, new: str) -> Edit:
    def change(data: dict[str, Any]) -> dict[str, Any]:
        delta = data["delta"]
        return {**data, "delta": {**delta, "type": new if delta["type"] == old else delta["type"]}}

    return f.each("content_block_delta", change)


# --- what it refuses ------------------------------------------------------------------------


def _list(request: Request, name: str) -> list[dict[str, Any]]:
    return request._list(name)


def _roles_take_turns(request: Request) -> str | None:
    roles = [m.get("role") for m in _list(request, "messages")]
    said = "messages: roles must alternate between user and assistant"
    return said if any(a == b for a, b in itertools.pairwise(roles)) else None


def _role(words: str) -> Callable[[Request], str | None]:
    def wrong(request: Request) -> str | None:
        roles = [m.get("role") for m in _list(request, "messages")]
        return words if "system" in roles else None

    return wrong


def _has(name: str, words: str) -> Callable[[Request], str | None]:
    return lambda r: words if name in r.body else None


def _raw(pattern: str, words: str) -> Callable[[Request], str | None]:
    return lambda r: words if re.search(pattern.encode(), r.raw) else None


def _header(name: str, words: str, pattern: str = "") -> Callable[[Request], str | None]:
    def wrong(request: Request) -> str | None:
        value = request.headers.get(name)
        return words if value is not None and re.search(pattern, value) else None

    return wrong


def _needs_header(name: str, words: str) -> Callable[[Request], str | None]:
    return lambda r: None if name in r.headers else words


def _long_text(name: str, limit: int) -> Callable[[Request], str | None]:
    def wrong(request: Request) -> str | None:
        size = len(json.dumps(request.body.get(name)))
        return f"{name}: too long, at most {limit} characters" if size > limit else None

    return wrong


def _described(limit: int) -> Callable[[Request], str | None]:
    def wrong(request: Request) -> str | None:
        long = [t for t in _list(request, "tools") if len(str(t.get("description"))) > limit]
        return f"tools.0.description: at most {limit} characters" if long else None

    return wrong


def _tools(limit: int) -> Callable[[Request], str | None]:
    return lambda r: f"Too many tools: max {limit}" if len(r.tools) > limit else None


def _max_tokens(limit: int, words: str) -> Callable[[Request], str | None]:
    return lambda r: words if (r.body.get("max_tokens") or 0) > limit else None


def _result_as_text(request: Request) -> str | None:
    results = [p for p in f._parts(request) if p.get("type") == "tool_result"]
    text_ = any(isinstance(part.get("content"), str) for part in results)
    return "tool_result.content: Input should be a valid list" if text_ else None


def _call_ids(request: Request) -> str | None:
    ids = [p["id"] for p in f._parts(request) if p.get("type") == "tool_use"]
    wrong = any(not re.fullmatch(r"[a-zA-Z0-9]{9}", one) for one in ids)
    return "Tool call id must be a-z, A-Z, 0-9, with a length of 9." if wrong else None


def body_words(code: int, value: object, wrong: Callable[[Request], str | None]) -> Behaviour:
    """Refuses in exactly this JSON."""
    refused = act.json_error(code, value)
    return lambda q, r: (good if wrong(q) is None else refused)(q, r)


def moved(code: int, to: str) -> Behaviour:
    """Elsewhere on the same host, and there it answers."""

    def behave(request: Request, reply: Reply) -> None:
        if "moved" in request.query or request.method == "GET":
            (good if request.method == "POST" else act.status(405))(request, reply)
            return
        reply.send(code, b"", "text/plain", {"Location": to})

    return behave


def status(code: int, said: str = "no", **headers: str) -> Behaviour:
    return act.status(code, said, {k.replace("_", "-"): v for k, v in headers.items()})


def first_tools_only(bad: Behaviour) -> Callable[[], Behaviour]:
    """A request with tools fails, one without is answered."""
    return always(lambda q, r: (bad if q.tools else good)(q, r))


def lasting(times: int, bad: Behaviour, then: Behaviour = good) -> Callable[[], Behaviour]:
    return in_turn(*[bad] * times, then=then)


def lines(change: Callable[[str], str]) -> Callable[[], Behaviour]:
    return bytes_of(change)


JSON_BODY: Callable[[Request], dict[str, Any]] = lambda q: whole(q, blocks(q))  # noqa: E731


def one_piece(change: Callable[[dict[str, Any]], object]) -> Behaviour:
    return lambda q, r: r.json(200, change(JSON_BODY(q)))


def _without(*names: str) -> Callable[[dict[str, Any]], object]:
    return lambda d: {k: v for k, v in d.items() if k not in names}


SCHEMA_WORDS = (
    "oneOf",
    "enum",
    "format",
    "const",
    "pattern",
    "default",
    "minItems",
    "maxItems",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "maxLength",
    "description",
    "items",
)

HARD: tuple[Fault, ...] = (
    # Bytes.
    Fault(name="pieces-of-7", make=bytes_of(size=7)),
    Fault(name="chunks", make=always(chunked)),
    Fault(name="chunks-unended", make=always(unended_chunks)),
    Fault(name="crlf-in-pieces", make=bytes_of(lambda t: t.replace("\n", "\r\n"), size=5)),
    Fault(name="cr-only", make=lines(lambda t: t.replace("\n", "\r"))),
    Fault(name="mixed-ends", make=lines(lambda t: t.replace("}\n\n", "}\r\n\n"))),
    Fault(name="bom-first", make=lines(lambda t: "\ufeff" + t)),
    Fault(name="bom-before-each", make=lines(lambda t: t.replace("event:", "\ufeffevent:"))),
    Fault(
        name="no-space",
        make=lines(
            lambda t: (
                t.replace(": ", ":", 1).replace("data: ", "data:").replace("event: ", "event:")
            )
        ),
    ),
    Fault(
        name="two-data-lines",
        make=lines(lambda t: t.replace('data: {"type": ', 'data: {"type":\ndata:  ')),
    ),
    Fault(
        name="ids-and-retries",
        make=lines(lambda t: t.replace("event:", "id: 7\nretry: 100\nevent:")),
    ),
    Fault(
        name="data-before-event",
        make=lines(lambda t: re.sub(r"(event: .*)\n(data: .*)\n", r"\2\n\1\n", t)),
    ),
    Fault(name="blank-lines-first", make=lines(lambda t: "\n\n\n" + t)),
    Fault(name="one-newline", make=lines(lambda t: t.replace("\n\n", "\n"))),
    Fault(name="no-last-blank", make=lines(lambda t: t.rstrip("\n"))),
    Fault(
        name="event-name-spaces", make=lines(lambda t: re.sub(r"event: (\w+)", r"event: \1 ", t))
    ),
    Fault(
        name="all-named-message", make=lines(lambda t: re.sub(r"event: \w+", "event: message", t))
    ),
    Fault(
        name="names-of-types-only",
        make=lines(lambda t: re.sub(r'"type": "(message|content)_\w+", ', "", t)),
    ),
    Fault(name="comments-between", make=lines(lambda t: t.replace("event: ", ": keep\nevent: "))),
    Fault(name="openrouter-comments", make=lines(lambda t: ": OPENROUTER PROCESSING\n\n" * 3 + t)),
    Fault(name="http-1.0", make=bytes_of(head=head(SSE, version="1.0"))),
    Fault(name="no-content-type", make=bytes_of(head=head())),
    Fault(name="json-content-type", make=always(sent("application/json"))),
    Fault(name="octet-stream", make=always(sent("application/octet-stream"))),
    Fault(name="ndjson-type", make=always(sent("application/x-ndjson"))),
    Fault(name="upper-case-type", make=always(sent("TEXT/EVENT-STREAM; CHARSET=UTF-8"))),
    Fault(name="html-content-type", make=always(sent("text/html"))),
    Fault(name="status-201", make=always(sent("text/event-stream", 201))),
    Fault(name="status-202", make=always(sent("text/event-stream", 202))),
    Fault(name="status-206", make=always(sent("text/event-stream", 206))),
    Fault(name="status-204", make=bytes_of(head=head(code="204 No Content"))),
    Fault(name="status-299", make=bytes_of(head=head(SSE, code="299 Fine"))),
    Fault(
        name="early-hints",
        make=bytes_of(head="HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + head(SSE)),
    ),
    Fault(name="continue-first", make=bytes_of(head="HTTP/1.1 100 Continue\r\n\r\n" + head(SSE))),
    Fault(name="length-too-long", make=bytes_of(head=head(SSE, "Content-Length: 99999"))),
    Fault(name="length-too-short", make=bytes_of(head=head(SSE, "Content-Length: 400"))),
    Fault(name="not-http", make=always(lambda _q, r: r.write(b"220 mail.example ESMTP\r\n"))),
    Fault(name="gzip", make=always(packed(gzip.compress, "gzip"))),
    Fault(name="deflate", make=always(packed(zlib.compress, "deflate"))),
    Fault(name="gzip-cut", make=always(packed(lambda b: gzip.compress(b)[:-40], "gzip"))),
    Fault(name="gzip-in-name-only", make=always(packed(bytes, "gzip"))),
    Fault(name="identity", make=always(packed(bytes, "identity"))),
    Fault(name="encoding-utf-8", make=always(packed(bytes, "utf-8"))),
    Fault(name="resets-mid-stream", make=always(resets(4))),
    Fault(name="once-reset", make=in_turn(lambda _q, r: r.reset())),
    Fault(name="twice-reset", make=lasting(2, lambda _q, r: r.reset())),
    Fault(name="once-reset-mid-stream", make=in_turn(resets(4))),
    Fault(name="every-second-resets", make=f.every(2, lambda _q, r: r.reset())),
    # Time. The client waits 20 s for an answer here.
    Fault(name="late-14s", make=always(f.late(14)), seconds=90),
    Fault(name="late-30s", make=always(f.late(30)), seconds=120),
    Fault(name="once-late-30s", make=in_turn(f.late(30)), seconds=120),
    Fault(name="head-then-silence-12s", make=always(silent_head(12)), seconds=90),
    Fault(name="drips", make=always(drips(1.5)), seconds=90),
    Fault(name="pings-for-24s", make=always(pings_for(24)), seconds=120),
    Fault(name="stalls-25s", make=always(f.stalls(4, 25)), seconds=120),
    # Events.
    Fault(name="all-index-0", make=streams(_index(lambda _i: 0))),
    Fault(name="thinks-all-index-0", make=lambda: says(f._thinks, _index(lambda _i: 0))),
    Fault(name="index-7", make=streams(_index(lambda i: i + 7))),
    Fault(name="index-as-text", make=streams(_index(str))),
    Fault(name="no-index", make=streams(_index(lambda _i: None))),
    Fault(name="start-twice", make=streams(_twice("message_start"))),
    Fault(name="block-start-twice", make=streams(_twice("content_block_start"))),
    Fault(name="block-stop-twice", make=streams(_twice("content_block_stop"))),
    Fault(name="delta-twice", make=streams(_twice("message_delta"))),
    Fault(name="stop-twice", make=streams(_twice("message_stop"))),
    Fault(name="more-after-stop", make=streams(_extra(-1, ("ping", {}), ("heartbeat", {})))),
    Fault(name="stop-before-deltas", make=streams(_stop_too_early)),
    Fault(name="end-before-block-stop", make=streams(_end_before_stop)),
    Fault(name="two-interleaved", make=streams(_interleaved), files=2),
    Fault(name="stop-reason-tool-calls", make=streams(f._stopped_by("tool_calls"))),
    Fault(name="stop-reason-length", make=streams(f._stopped_by("length"))),
    Fault(name="stop-reason-refusal", make=streams(f._stopped_by("refusal"))),
    Fault(name="stop-reason-pause-turn", make=streams(f._stopped_by("pause_turn"))),
    Fault(name="stop-reason-window", make=streams(f._stopped_by("model_context_window_exceeded"))),
    Fault(name="stop-reason-sequence", make=streams(f._stopped_by("stop_sequence"))),
    Fault(name="delta-null", make=streams(_ending(delta=None))),
    Fault(name="delta-empty", make=streams(_ending(delta={}))),
    Fault(name="delta-usage-null", make=streams(_ending(usage=None))),
    Fault(name="delta-usage-text", make=streams(_ending(usage={"output_tokens": "5"}))),
    Fault(
        name="delta-no-usage",
        make=streams(f.each("message_delta", lambda d: {"delta": d["delta"]})),
    ),
    Fault(name="start-usage-null", make=streams(_message(usage=None))),
    Fault(
        name="start-usage-nulls",
        make=streams(_message(usage={"input_tokens": None, "output_tokens": None})),
    ),
    Fault(name="start-no-usage", make=streams(_message_without("usage"))),
    Fault(name="start-content-null", make=streams(_message(content=None))),
    Fault(name="start-no-content", make=streams(_message_without("content"))),
    Fault(name="start-no-role", make=streams(_message_without("role", "type"))),
    Fault(name="start-no-id", make=streams(_message_without("id", "model"))),
    Fault(name="start-stop-reason", make=streams(_message(stop_reason="end_turn"))),
    Fault(name="start-empty", make=streams(f.each("message_start", lambda _d: {"message": {}}))),
    Fault(name="start-null", make=streams(f.each("message_start", lambda _d: {"message": None}))),
    Fault(
        name="delta-unknown-kind",
        make=streams(
            _extra(3, ("content_block_delta", {"index": 0, "delta": {"type": "odd_delta", "x": 1}}))
        ),
    ),
    Fault(
        name="delta-text-null",
        make=streams(
            _extra(
                3,
                (
                    "content_block_delta",
                    {"index": 0, "delta": {"type": "text_delta", "text": None}},
                ),
            )
        ),
    ),
    Fault(name="json-delta-renamed", make=streams(_delta_kind("input_json_delta", "json_delta"))),
    Fault(name="text-delta-renamed", make=streams(_delta_kind("text_delta", "text"))),
    Fault(name="error-event-first", make=streams(lambda _e: _error_event())),
    Fault(name="error-event-at-end", make=streams(_extra(-1, *_error_event()))),
    Fault(name="error-event-before-end", make=streams(_extra(-3, *_error_event()))),
    Fault(
        name="error-event-no-name",
        make=lines(
            lambda t: (
                t[:400].rpartition("\n\n")[0]
                + '\n\ndata: {"type": "error", "error": {"type": "api_error", "message": "boom"}}\n\n'
            )
        ),
    ),
    Fault(name="once-error-event-first", make=in_turn(says(blocks, lambda _e: _error_event()))),
    Fault(
        name="error-json-as-stream",
        make=always(
            lambda _q, r: r.send(
                200,
                b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
                "text/event-stream",
            )
        ),
    ),
    Fault(
        name="error-data-as-stream",
        make=always(
            lambda _q, r: r.send(
                200,
                b'data: {"error": {"message": "no credit", "code": 402}}\n\n',
                "text/event-stream",
            )
        ),
    ),
    Fault(
        name="error-json-200",
        make=always(
            act.json_error(
                200,
                {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
            )
        ),
    ),
    Fault(
        name="once-error-json-200",
        make=in_turn(
            act.json_error(
                200, {"type": "error", "error": {"type": "api_error", "message": "boom"}}
            )
        ),
    ),
    Fault(name="once-page-200", make=in_turn(act.html())),
    Fault(
        name="pings-and-done",
        make=always(
            lambda _q, r: r.send(
                200, b'event: ping\ndata: {"type": "ping"}\n\ndata: [DONE]\n\n', "text/event-stream"
            )
        ),
    ),
    Fault(name="piece-no-usage", make=always(one_piece(_without("usage")))),
    Fault(name="piece-no-stop-reason", make=always(one_piece(_without("stop_reason")))),
    Fault(name="piece-no-type", make=always(one_piece(_without("type")))),
    Fault(name="piece-no-role-no-id", make=always(one_piece(_without("role", "id")))),
    Fault(name="piece-null-content", make=always(one_piece(lambda d: {**d, "content": None}))),
    Fault(name="piece-in-data", make=always(one_piece(lambda d: {"code": 0, "data": d}))),
    Fault(
        name="piece-as-stream",
        make=always(
            lambda q, r: r.send(200, json.dumps(JSON_BODY(q)).encode(), "text/event-stream")
        ),
    ),
    # Refusals that pass, or say when.
    *(
        Fault(name=f"once-429-after-{name}", make=in_turn(status(429, "slow", retry_after=value)))
        for name, value in (
            ("0", "0"),
            ("1.5", "1.5"),
            ("date", "Wed, 25 Nov 2026 00:00:00 GMT"),
            ("word", "soon"),
            ("minus", "-5"),
            ("20", "20"),
        )
    ),
    Fault(name="once-429-ms", make=in_turn(status(429, "slow", retry_after_ms="700"))),
    Fault(name="once-429-bare", make=in_turn(status(429, "slow"))),
    Fault(name="always-429-after-600", make=always(status(429, "slow", retry_after="600"))),
    Fault(name="once-500-do-not", make=in_turn(status(500, "boom", x_should_retry="false"))),
    Fault(name="once-400-do", make=in_turn(status(400, "bad", x_should_retry="true"))),
    Fault(name="once-403-do", make=in_turn(status(403, "bad", x_should_retry="true"))),
    Fault(name="once-529-do-not", make=in_turn(status(529, "busy", x_should_retry="false"))),
    Fault(name="once-429-do-not", make=in_turn(status(429, "busy", x_should_retry="false"))),
    *(
        Fault(name=f"once-{code}", make=in_turn(status(code, "no")))
        for code in (402, 405, 410, 413, 418, 422, 425, 451, 501, 504, 505, 520, 522, 524, 530)
    ),
    *(
        Fault(name=f"twice-{code}", make=lasting(2, status(code, "no")))
        for code in (400, 401, 404, 408, 500, 503)
    ),
    Fault(name="tools-only-500", make=first_tools_only(status(500, "boom"))),
    Fault(
        name="tools-only-once-500",
        make=lambda: (lambda bad: lambda q, r: (bad if q.tools else good)(q, r))(
            in_turn(status(500, "boom"))()
        ),
    ),
    Fault(name="tools-only-empty", make=first_tools_only(says(lambda _q: []))),
    Fault(
        name="tools-only-404",
        make=first_tools_only(status(404, "No endpoints found that support tool use")),
    ),
    # Elsewhere.
    *(
        Fault(name=f"moved-{code}", make=always(moved(code, "?moved=1")))
        for code in (301, 302, 303, 307, 308)
    ),
    Fault(name="moved-for-ever", make=always(act.redirect("?again=1"))),
    Fault(name="moved-nowhere", make=always(status(307, "x"))),
    Fault(name="moved-300", make=always(status(300, "x"))),
    Fault(name="not-modified", make=always(bytes_of(head=head(code="304 Not Modified"))())),
    # Beside the answers.
    *(
        Fault(name=f"hello-{code}", make=always(good), hello=code)
        for code in (0, 401, 403, 404, 405, 500)
    ),
    *(
        Fault(name=f"count-{code}", make=always(good), count=code)
        for code in (400, 401, 404, 429, 529)
    ),
    Fault(name="base-slash", make=always(good), tail="/"),
    Fault(name="base-two-slashes", make=always(good), tail="//"),
    Fault(name="base-v1", make=always(good), tail="/v1"),
    Fault(name="base-v1-slash", make=always(good), tail="/v1/"),
    Fault(name="base-messages", make=always(good), tail="/v1/messages"),
    Fault(name="base-anthropic", make=always(good), tail="/anthropic"),
    Fault(name="base-query", make=always(good), tail="?x=1"),
    Fault(name="base-hash", make=always(good), tail="#x"),
    # How large.
    *(
        Fault(name=f"body-{limit}k", make=f.larger(limit * 1024, "Request Entity Too Large", 413))
        for limit in (16, 32, 70, 77, 80, 100)
    ),
    Fault(name="body-64k-400", make=f.larger(65_536, "request too large")),
    Fault(
        name="body-64k-cut",
        make=always(lambda q, r: r.cut() if len(q.raw) > 65_536 else good(q, r)),
    ),
    Fault(
        name="body-64k-reset",
        make=always(lambda q, r: r.reset() if len(q.raw) > 65_536 else good(q, r)),
    ),
    Fault(name="body-64k-500", make=f.larger(65_536, "boom", 500)),
    Fault(
        name="body-64k-page",
        make=always(
            lambda q, r: (act.html(413, "Too Large") if len(q.raw) > 65_536 else good)(q, r)
        ),
    ),
    *(
        Fault(name=f"tools-{limit}", make=unless(_tools(limit)))
        for limit in (1, 5, 16, 20, 22, 23, 24)
    ),
    Fault(name="tools-16-422", make=unless(_tools(16), 422)),
    *(
        Fault(name=f"described-{limit}", make=unless(_described(limit)))
        for limit in (512, 2048, 4096, 10_000)
    ),
    Fault(name="system-4k", make=unless(_long_text("system", 4096))),
    Fault(
        name="window-32k",
        make=f.larger(125_000, "prompt is too long: 40000 tokens > 32768 maximum"),
    ),
    Fault(
        name="window-8k-cut",
        make=always(lambda q, r: r.cut() if len(q.raw) > 32_000 else good(q, r)),
    ),
    Fault(
        name="window-8k-empty",
        make=always(lambda q, r: (says(lambda _q: []) if len(q.raw) > 32_000 else good)(q, r)),
    ),
    Fault(
        name="window-8k-event",
        make=always(
            lambda q, r: (
                says(
                    blocks,
                    lambda _e: _error_event(
                        "prompt is too long: 20000 tokens > 8192 maximum", "invalid_request_error"
                    ),
                )
                if len(q.raw) > 32_000
                else good
            )(q, r)
        ),
    ),
    *(
        Fault(name=f"output-{limit}", make=unless(_max_tokens(limit, words)))
        for limit, words in (
            (
                4096,
                "max_tokens is too large: 32000. This model supports at most 4096 completion tokens",
            ),
            (16384, "max_tokens must be less than or equal to 16384"),
            (31_999, "Range of max_tokens should be [1, 31999]"),
            (64_000, "max_tokens must be at most 64000"),
        )
    ),
    Fault(
        name="output-8192-422",
        make=unless(
            _max_tokens(8192, "max_tokens: Input should be less than or equal to 8192"), 422
        ),
    ),
    Fault(
        name="output-window",
        make=unless(
            _max_tokens(
                12_000,
                "'max_tokens' or 'max_completion_tokens' is too large: 32000. This model's maximum context length is 32768 tokens and your request has 20000 input tokens",
            )
        ),
    ),
    # Words of schemas.
    *(Fault(name=f"word-{word}", make=f.schema_word(word)) for word in SCHEMA_WORDS),
    Fault(name="word-format-422", make=unless(_raw('"format"', "unknown keyword format"), 422)),
    Fault(name="word-schema-500", make=unless(_raw(r'"\$schema"', "KeyError: $schema"), 500)),
    # Parts of the shape, in other words.
    Fault(
        name="betas-refused",
        make=unless(_header("anthropic-beta", "anthropic-beta: header not supported")),
    ),
    Fault(
        name="betas-refused-403",
        make=unless(_header("anthropic-beta", "beta features are not enabled"), 403),
    ),
    Fault(name="app-header-refused", make=unless(_header("x-app", "unknown header x-app"))),
    Fault(
        name="needs-x-api-key",
        make=unless(_needs_header("x-api-key", "x-api-key header is required"), 401),
    ),
    Fault(
        name="needs-version",
        make=unless(_needs_header("anthropic-version", "anthropic-version is required")),
    ),
    Fault(
        name="needs-session",
        make=unless(_needs_header("x-claude-code-session-id", "only for the client"), 403),
    ),
    Fault(
        name="needs-claude-cli",
        make=unless(
            lambda r: (
                None if "claude-cli" in r.headers.get("user-agent", "") else "Only coding clients"
            ),
            403,
        ),
    ),
    Fault(
        name="beta-query-404",
        make=unless(lambda r: "Not Found" if "beta" in r.query else None, 404),
    ),
    Fault(name="roles-take-turns", make=unless(_roles_take_turns)),
    Fault(
        name="role-422",
        make=unless(_role("messages.1.role: Input should be 'user' or 'assistant'"), 422),
    ),
    Fault(name="role-500", make=unless(_role("KeyError: system"), 500)),
    Fault(name="role-invalid", make=unless(_role("Invalid role: system"))),
    Fault(name="role-template", make=unless(_role("System message must be at the beginning."))),
    *(
        Fault(name=f"no-{name}-{code}", make=unless(_has(name, f"unknown parameter: {name}"), code))
        for name in ("thinking", "output_config", "context_management", "metadata")
        for code in (400, 422, 500)
    ),
    Fault(
        name="pydantic-context",
        make=always(
            body_words(
                422,
                {
                    "detail": [
                        {
                            "type": "extra_forbidden",
                            "loc": ["body", "context_management"],
                            "msg": "Extra inputs are not permitted",
                        }
                    ]
                },
                _has("context_management", "x"),
            )
        ),
    ),
    Fault(
        name="pydantic-output",
        make=always(
            body_words(
                400,
                {
                    "detail": [
                        {
                            "type": "extra_forbidden",
                            "loc": ["body", "output_config"],
                            "msg": "Extra inputs are not permitted",
                        }
                    ]
                },
                _has("output_config", "x"),
            )
        ),
    ),
    Fault(
        name="stream-refused",
        make=unless(lambda r: "streaming is not supported" if r.stream else None),
    ),
    Fault(
        name="stream-refused-500",
        make=unless(lambda r: "streaming is not supported" if r.stream else None, 500),
    ),
    Fault(
        name="effort-high-refused",
        make=unless(
            _raw('"effort": ?"high"', "output_config.effort: Input should be 'low' or 'medium'")
        ),
    ),
    Fault(
        name="caching-of-tools",
        make=unless(
            lambda r: (
                "tools.0.cache_control: Extra inputs are not permitted"
                if "cache_control" in json.dumps(r.body.get("tools", []))
                else None
            )
        ),
    ),
    Fault(
        name="caching-of-system",
        make=unless(
            lambda r: (
                "system.0.cache_control: Extra inputs are not permitted"
                if "cache_control" in json.dumps(r.body.get("system", []))
                else None
            )
        ),
    ),
    Fault(
        name="caching-422",
        make=unless(_raw('"cache_control"', "cache_control: unknown field"), 422),
    ),
    Fault(
        name="system-as-list",
        make=unless(
            lambda r: (
                "system: Input should be a valid string"
                if isinstance(r.body.get("system"), list)
                else None
            )
        ),
    ),
    Fault(
        name="content-as-list",
        make=unless(
            lambda r: (
                "messages.0.content: Input should be a valid string"
                if any(isinstance(m.get("content"), list) for m in _list(r, "messages"))
                else None
            )
        ),
    ),
    Fault(
        name="long-user-id",
        make=unless(
            lambda r: (
                "metadata.user_id: at most 64 characters"
                if len(r.body.get("metadata", {}).get("user_id", "")) > 64
                else None
            )
        ),
    ),
    Fault(
        name="long-user-id-256",
        make=unless(
            lambda r: (
                "metadata.user_id: at most 256 characters"
                if len(r.body.get("metadata", {}).get("user_id", "")) > 256
                else None
            )
        ),
    ),
    # Calls.
    Fault(name="arguments-fenced", make=_arguments(lambda t: f"```json\n{t}\n```")),
    Fault(name="arguments-trailing-comma", make=_arguments(lambda t: t[:-1] + ",}")),
    Fault(name="arguments-one-brace-more", make=_arguments(lambda t: t + "}")),
    Fault(name="arguments-one-brace-less", make=_arguments(lambda t: t[:-1])),
    Fault(name="arguments-single-quotes", make=_arguments(lambda t: t.replace('"', "'"))),
    Fault(name="arguments-spaces", make=_arguments(lambda t: f"\n  {t}\n ")),
    Fault(name="arguments-array", make=_arguments(lambda t: f"[{t}]")),
    Fault(name="arguments-null", make=_arguments(lambda _t: "null")),
    Fault(name="name-prefixed", make=_named(lambda n: f"functions.{n}")),
    Fault(name="name-spaced", make=_named(lambda n: f" {n} ")),
    Fault(name="name-empty", make=_named(lambda _n: "")),
    Fault(name="name-upper", make=_named(str.upper)),
    Fault(name="path-relative", make=_path(lambda p: str(p).rpartition("/")[2])),
    Fault(name="path-list", make=_path(lambda p: [p])),
    Fault(name="path-null", make=_path(lambda _p: None)),
    Fault(
        name="path-other-key",
        make=f.calls(lambda c: [{**c, "input": {"path": c["input"]["file_path"]}}]),
    ),
    Fault(name="path-and-forbidden", make=f._typed("file", "x")),
    Fault(name="limit-as-text", make=f._typed("limit", "20")),
    Fault(name="limit-float", make=f._typed("limit", 20.5)),
    Fault(name="limit-zero", make=f._typed("limit", 0)),
    Fault(name="pages-empty", make=f._typed("pages", "")),
    Fault(name="same-id-twice", make=lambda: says(_same_id), files=2),
    Fault(name="two-calls", make=always(good), files=2),
    Fault(name="two-calls-one-index", make=streams(_index(lambda _i: 0)), files=2),
    Fault(name="block-function", make=_typed_block("function")),
    Fault(name="block-server-tool", make=_typed_block("server_tool_use")),
    Fault(
        name="text-after-call", make=f.calls(lambda c: [c, {"type": "text", "text": "Reading."}])
    ),
    Fault(name="thinks-after", make=f.calls(lambda c: [c, f.thought()])),
    Fault(
        name="thinks-between",
        make=lambda: says(lambda q: [{"type": "text", "text": "Hm."}, f.thought(), *blocks(q)]),
    ),
    Fault(
        name="thinks-empty",
        make=f.opens_with({"type": "thinking", "thinking": "", "signature": "eA=="}),
    ),
    Fault(
        name="thinks-as-tags",
        make=f.opens_with({"type": "text", "text": "<think>I must read it.</think>"}),
    ),
    Fault(name="says-blank-and-calls", make=f.opens_with({"type": "text", "text": "\n\n"})),
    # The second turn.
    Fault(name="result-must-be-list", make=unless(_result_as_text)),
    Fault(name="mistral-ids", make=unless(_call_ids)),
    Fault(name="result-422", make=second(status(422, "tool_result: no"))),
    Fault(name="result-404", make=second(status(404, "Not Found"))),
    Fault(name="result-401", make=second(status(401, "expired"))),
    Fault(name="result-once-401", make=lambda: second(in_turn(status(401, "expired"))())()),
    Fault(name="result-once-400", make=lambda: second(in_turn(status(400, "bad"))())()),
    Fault(name="result-once-reset", make=lambda: second(in_turn(lambda _q, r: r.reset())())()),
    Fault(name="result-once-cut", make=lambda: second(in_turn(f.cut(4))())()),
    Fault(name="result-no-message-stop", make=second(says(blocks, f.without("message_stop")))),
    Fault(name="result-no-block-stop", make=second(says(blocks, f.without("content_block_stop")))),
    Fault(name="result-error-event", make=second(says(blocks, f._error("api_error", "boom")))),
    Fault(name="result-one-piece", make=second(f.whole_json)),
    Fault(name="result-page", make=second(act.html())),
    Fault(name="result-max-tokens", make=second(says(blocks, f._stopped_by("max_tokens")))),
    Fault(name="result-blank", make=second(says(lambda _q: [{"type": "text", "text": " "}]))),
    Fault(
        name="bad-signature",
        make=unless(
            lambda q: (
                "messages.1.content.0: Invalid `signature` in `thinking` block"
                if any(p["type"] == "thinking" for p in f._parts(q))
                else None
            ),
            then=says(f._thinks),
        ),
    ),
    # Two at once, and three.
    Fault(
        name="gzip-crlf",
        make=always(packed(lambda b: gzip.compress(b.replace(b"\n", b"\r\n")), "gzip")),
    ),
    Fault(name="late-and-once-529", make=in_turn(f.OVERLOADED, then=f.late(8)), seconds=90),
    Fault(name="429-then-cut-then-good", make=in_turn(f.BUSY, f.cut(4))),
    Fault(
        name="no-block-stop-no-ends",
        make=streams(f.without("content_block_stop", "message_delta", "message_stop")),
    ),
    Fault(
        name="bom-and-no-stop",
        make=lines(lambda t: "\ufeff" + t.rpartition("event: message_stop")[0]),
    ),
    Fault(name="thinks-and-in-start", make=lambda: says(f._thinks, f._in_start)),
    Fault(name="ten-tools-wrong-words", make=unless(_tools(10), 500)),
    Fault(
        name="no-role-no-context-management",
        make=unless(
            lambda q: (
                f._system_role(q)
                or (
                    _has(
                        "context_management", "context_management: Extra inputs are not permitted"
                    )(q)
                )
            )
        ),
    ),
    Fault(
        name="no-betas-no-thinking",
        make=unless(
            lambda q: (
                _header("anthropic-beta", "unknown beta")(q)
                or _has("thinking", "thinking: Extra inputs are not permitted")(q)
            )
        ),
    ),
    Fault(
        name="once-404-window-8k",
        make=in_turn(
            status(404, "Not Found"),
            then=f.larger(32_000, "prompt is too long: 20000 tokens > 8192 maximum")(),
        ),
    ),
    Fault(
        name="fenced-and-thinks",
        make=lambda: says(
            lambda q: [
                f.thought(""),
                *({**b, "input": "```"} if b["type"] == "tool_use" else b for b in blocks(q)),
            ]
        ),
    ),
    Fault(name="one-piece-thinks", make=always(lambda q, r: r.json(200, whole(q, f._thinks(q))))),
    Fault(
        name="one-piece-empty-text",
        make=always(lambda q, r: r.json(200, whole(q, [{"type": "text", "text": ""}]))),
    ),
    Fault(
        name="one-piece-bad-input",
        make=always(
            lambda q, r: r.json(
                200,
                whole(
                    q,
                    [
                        {**b, "input": json.dumps(b["input"])} if b["type"] == "tool_use" else b
                        for b in blocks(q)
                    ],
                ),
            )
        ),
    ),
)
