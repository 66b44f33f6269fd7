"""Endpoints that misbehave, each in one way or two, and the model behind them.

`make()` gives a fresh behaviour for every caller, since some faults count their requests. The
model reads each `.txt` file that it is told to read, then says what was in it. What the real
clients make of each fault is measured: `python -m tests.e2e.truth`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tests.e2e import behaviours as act
from tests.e2e.wire import Behaviour, Reply, Request

Block = dict[str, Any]
Events = list[tuple[str, dict[str, Any]]]
Edit = Callable[[Events], Events]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way to misbehave. `seconds`: how long a client may take, where it never gives up.

    `count`: how a request to count tokens is answered. `files`: how many the client has to read.
    `hello`: how a greeting is answered, 0 not at all. `tail`: what stands behind the base URL.
    """

    name: str
    make: Callable[[], Behaviour]
    seconds: float = 60
    count: int = 200
    files: int = 1
    hello: int = 200
    tail: str = ""


# --- the model ------------------------------------------------------------------------------


def blocks(request: Request) -> list[Block]:
    """What a good model says: calls of `Read`, or a text."""
    if request.forced_tool is not None:
        named = [t for t in request.tool_schemas if request.forced_tool in ("", t[0])]
        return [_call(request, i, n, act._sample(s)) for i, (n, s) in enumerate(named[:1])]
    if results := _results(request):
        return [_text("It says: " + " and ".join(results))]
    if "Read" in request.tools and (paths := _paths(request)):
        return [_call(request, i, "Read", {"file_path": p}) for i, p in enumerate(paths)]
    if word := re.search(r"secret word is (\S+)\.", request.prompt):
        return [_text(word[1])]
    return [_text("ready")]


def _results(request: Request) -> list[str]:
    found = []
    for message in request._list("messages"):
        content = message.get("content")
        for part in content if isinstance(content, list) else ():
            if isinstance(part, dict) and part.get("type") == "tool_result":
                inner = part.get("content")
                texts = [inner] if isinstance(inner, str) else [p.get("text") for p in inner or ()]
                found.append(" ".join(str(text) for text in texts))
        if message.get("role") == "tool":
            found.append(str(content))
    return found


def _paths(request: Request) -> list[str]:
    """The files that the person names; a gateway may put a note of its own behind the question."""
    said = [m.get("content") for m in request._list("messages") if m.get("role") == "user"]
    text = json.dumps(said)
    if re.search(r"\bRead\b", text) is None:
        return []
    return list(dict.fromkeys(re.findall(r"[\w./-]+\.txt", text)))


def _call(request: Request, index: int, name: str, value: object) -> Block:
    call_id = f"toolu_{request.number:04}{index}"
    return {"type": "tool_use", "id": call_id, "name": name, "input": value}


def _text(text: str) -> Block:
    return {"type": "text", "text": text}


def thought(signature: str = "c2lnbmVk") -> Block:
    return {"type": "thinking", "thinking": "I think about it.", "signature": signature}


# --- how it comes ---------------------------------------------------------------------------


def whole(request: Request, content: Sequence[Block]) -> dict[str, Any]:
    calls = any(block["type"] == "tool_use" for block in content)
    return {
        "id": f"msg_{request.number}",
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": list(content),
        "stop_reason": "tool_use" if calls else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": max(1, len(request.raw) // 4), "output_tokens": 5},
    }


def events(request: Request, content: Sequence[Block]) -> Events:
    """The answer as the Messages API streams it."""
    message = whole(request, content)
    found: Events = [
        ("message_start", {"message": {**message, "content": [], "stop_reason": None}}),
        ("ping", {}),
    ]
    for index, block in enumerate(content):
        start, deltas = _pieces(block)
        found.append(("content_block_start", {"index": index, "content_block": start}))
        found += [("content_block_delta", {"index": index, "delta": delta}) for delta in deltas]
        found.append(("content_block_stop", {"index": index}))
    ending = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    found.append(("message_delta", {"delta": ending, "usage": {"output_tokens": 5}}))
    found.append(("message_stop", {}))
    return found


def _pieces(block: Block) -> tuple[Block, list[Block]]:
    """How a block begins, and what is added to it."""
    match block["type"]:
        case "text":
            return {**block, "text": ""}, [
                {"type": "text_delta", "text": piece} for piece in _thirds(block["text"])
            ]
        case "tool_use":
            arguments = block["input"]
            text = arguments if isinstance(arguments, str) else json.dumps(arguments)
            return {**block, "input": {}}, [
                {"type": "input_json_delta", "partial_json": piece} for piece in _thirds(text)
            ]
        case "thinking":
            deltas = [{"type": "thinking_delta", "thinking": block["thinking"]}]
            if block["signature"]:
                deltas.append({"type": "signature_delta", "signature": block["signature"]})
            return {**block, "thinking": "", "signature": ""}, deltas
        case _:
            return block, []


def _thirds(text: str) -> list[str]:
    size = max(1, -(-len(text) // 3))
    return [text[i : i + size] for i in range(0, len(text), size)]


def send(request: Request, reply: Reply, found: Events) -> None:
    reply.open_stream()
    for name, data in found:
        reply.event({"type": name, **data}, name)


def good(request: Request, reply: Reply) -> None:
    says(lambda asked: blocks(asked))(request, reply)


def says(content: Callable[[Request], list[Block]], edit: Edit = list) -> Behaviour:
    """A model that says `content`, its stream edited; an OpenAI reader gets the same plainly."""

    def behave(request: Request, reply: Reply) -> None:
        said = content(request)
        if request.dialect in ("chat", "responses"):
            calls = [(b["name"], b["input"]) for b in said if b["type"] == "tool_use"]
            text = "".join(b["text"] for b in said if b["type"] == "text")
            act.answer(text, calls=calls)(request, reply)
        elif request.stream:
            send(request, reply, edit(events(request, said)))
        else:
            reply.json(200, whole(request, said))

    return behave


def streams(edit: Edit) -> Callable[[], Behaviour]:
    """Well said, and streamed in this way."""
    return lambda: says(blocks, edit)


def without(*names: str) -> Edit:
    return lambda found: [event for event in found if event[0] not in names]


def each(kind: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Edit:
    """Every event of this kind, changed."""
    return lambda found: [(n, change(d) if n == kind else d) for n, d in found]


def always(behaviour: Behaviour) -> Callable[[], Behaviour]:
    return lambda: behaviour


def in_turn(*first: Behaviour, then: Behaviour = good) -> Callable[[], Behaviour]:
    """These for the first requests that want an answer, and then another."""

    def make() -> Behaviour:
        left = list(first)
        return lambda request, reply: (left.pop(0) if left else then)(request, reply)

    return make


def every(number: int, bad: Behaviour) -> Callable[[], Behaviour]:
    """Every so many requests fail."""

    def make() -> Behaviour:
        seen = [0]

        def behave(request: Request, reply: Reply) -> None:
            seen[0] += 1
            (bad if seen[0] % number == 0 else good)(request, reply)

        return behave

    return make


def unless(
    wrong: Callable[[Request], str | None], code: int = 400, then: Behaviour = good
) -> Callable[[], Behaviour]:
    """Refuses a request in these words; `wrong` gives None for one that is fine."""

    def behave(request: Request, reply: Reply) -> None:
        words = wrong(request)
        (then if words is None else act.status(code, words))(request, reply)

    return lambda: behave


def second(behaviour: Behaviour) -> Callable[[], Behaviour]:
    """Well until the result of a tool comes back."""

    def behave(request: Request, reply: Reply) -> None:
        (behaviour if request.has_tool_result else good)(request, reply)

    return lambda: behave


# --- what it refuses ------------------------------------------------------------------------


def field(name: str) -> Callable[[], Behaviour]:
    return unless(lambda r: f"{name}: Extra inputs are not permitted" if name in r.body else None)


def beta(name: str) -> Callable[[], Behaviour]:
    said = f"Unexpected value(s) `{name}` for the `anthropic-beta` header"
    return unless(lambda r: said if name in r.headers.get("anthropic-beta", "") else None)


def schema_word(word: str) -> Callable[[], Behaviour]:
    said = f"Invalid schema for function: unsupported keyword '{word}'"
    return unless(lambda r: said if f'"{word}"' in json.dumps(r.tool_schemas) else None)


def larger(limit: int, said: str, code: int = 400) -> Callable[[], Behaviour]:
    """Refuses bodies of more than `limit` bytes."""
    return unless(lambda r: said if len(r.raw) > limit else None, code)


def _parts(request: Request) -> Iterator[Block]:
    for message in request._list("messages"):
        content = message.get("content")
        for part in content if isinstance(content, list) else ():
            if isinstance(part, dict):
                yield {**part, "role": message.get("role")}


def _no_thinking_back(request: Request) -> str | None:
    """DeepSeek's rule: what was thought has to come back with the call."""
    kinds = [part["type"] for part in _parts(request)]
    if "thinking" in request.body and "tool_use" in kinds and "thinking" not in kinds:
        return "The content[].thinking in the thinking mode must be passed back to the API."
    return None


def _too_many_tools(limit: int) -> Callable[[Request], str | None]:
    return lambda r: f"at most {limit} tools are allowed" if len(r.tools) > limit else None


def _long_description(request: Request) -> str | None:
    tools = request._list("tools")
    long = any(len(str(t.get("function", t).get("description"))) > 1024 for t in tools)
    return "tools.0.description: string too long, maximum length is 1024" if long else None


def _part(kind: str) -> Callable[[Request], str | None]:
    said = f"messages: unknown content type '{kind}'"
    return lambda r: said if any(p["type"] == kind for p in _parts(r)) else None


def _system_role(request: Request) -> str | None:
    roles = [m.get("role") for m in request._list("messages")]
    said = (
        'messages: Unexpected role "system". The Messages API accepts a top-level `system`'
        ' parameter, not "system" as an input message role.'
    )
    return said if request.dialect == "anthropic" and "system" in roles else None


def _displayed(request: Request) -> str | None:
    thinking = request.body.get("thinking") or {}
    return "thinking.adaptive.display: not permitted" if "display" in thinking else None


def _error_result(request: Request) -> str | None:
    wrong = any(part.get("is_error") for part in _parts(request))
    return "tool_result.is_error: Extra inputs are not permitted" if wrong else None


def _cached(request: Request) -> str | None:
    said = "messages.0.content.1.cache_control: Extra inputs are not permitted"
    return said if '"cache_control"' in request.raw.decode() else None


def _two_results(request: Request) -> str | None:
    results = [p for p in _parts(request) if p["type"] == "tool_result"]
    return "only one tool result is allowed in a message" if len(results) > 1 else None


def _no_adaptive(request: Request) -> str | None:
    thinking = request.body.get("thinking") or {}
    said = "thinking: Input tag 'adaptive' found using 'type' does not match any of the expected"
    return f"{said} tags: 'disabled', 'enabled'" if thinking.get("type") == "adaptive" else None


def _output(limit: int) -> Callable[[Request], str | None]:
    said = f"max_tokens: 32000 > {limit}, which is the maximum allowed number of output tokens"
    return lambda r: said if (r.body.get("max_tokens") or 0) > limit else None


# --- what it says ---------------------------------------------------------------------------


def calls(change: Callable[[Block], list[Block]]) -> Callable[[], Behaviour]:
    """Calls that are not as they should be."""

    def content(request: Request) -> list[Block]:
        said = blocks(request)
        return [b for one in said for b in (change(one) if one["type"] == "tool_use" else [one])]

    return lambda: says(content)


def opens_with(block: Block) -> Callable[[], Behaviour]:
    return lambda: says(lambda request: [block, *blocks(request)])


def as_text(form: str) -> Callable[[], Behaviour]:
    return calls(lambda call: [_text(form.replace("INPUT", json.dumps(call["input"])))])


def _thinks(request: Request) -> list[Block]:
    return [thought(), *blocks(request)]


def _one_at_a_time(request: Request) -> list[Block]:
    return blocks(request)[:1]


def _in_start(found: Events) -> Events:
    """Each call's input stands in the event that opens it, and nowhere else."""
    texts: dict[int, str] = {}
    for name, data in found:
        if name == "content_block_delta" and data["delta"]["type"] == "input_json_delta":
            index = data["index"]
            texts[index] = texts.get(index, "") + data["delta"]["partial_json"]
    kept: Events = []
    for name, data in found:
        if name == "content_block_delta" and data["index"] in texts:
            continue
        if name == "content_block_start" and data["index"] in texts:
            block = {**data["content_block"], "input": json.loads(texts[data["index"]])}
            kept.append((name, {**data, "content_block": block}))
        else:
            kept.append((name, data))
    return kept


def _in_one_delta(found: Events) -> Events:
    kept: Events = []
    for name, data in found:
        last = kept[-1] if kept else ("", {})
        same = name == last[0] == "content_block_delta" and data["index"] == last[1]["index"]
        if same:
            delta = last[1]["delta"]
            key = next(k for k in delta if k != "type")
            joined = {**delta, key: delta[key] + data["delta"].get(key, "")}
            kept[-1] = (name, {**data, "delta": joined})
        else:
            kept.append((name, data))
    return kept


def _numbered_from_one(found: Events) -> Events:
    return [(n, {**d, "index": d["index"] + 1} if "index" in d else d) for n, d in found]


def _stopped_by(reason: str | None) -> Edit:
    return each("message_delta", lambda d: {**d, "delta": {**d["delta"], "stop_reason": reason}})


def _no_usage(found: Events) -> Events:
    kept: Events = []
    for name, data in found:
        data = {k: v for k, v in data.items() if k != "usage"}
        if "message" in data:
            data["message"] = {k: v for k, v in data["message"].items() if k != "usage"}
        kept.append((name, data))
    return kept


def _error(kind: str, said: str) -> Edit:
    error = {"error": {"type": kind, "message": said}}
    return lambda found: [*found[:4], ("error", error)]


def raw(prefix: str, line: Callable[[str, dict[str, Any]], str], kind: str = "") -> Behaviour:
    """A stream in other clothes."""

    def behave(request: Request, reply: Reply) -> None:
        text = "".join(line(n, {"type": n, **d}) for n, d in events(request, blocks(request)))
        reply.send(200, (prefix + text).encode(), kind or "text/event-stream")

    return behave


def _plain(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def cut(after: int) -> Behaviour:
    def behave(request: Request, reply: Reply) -> None:
        send(request, reply, events(request, blocks(request))[:after])

    return behave


def stalls(after: int, seconds: float | None = None) -> Behaviour:
    def behave(request: Request, reply: Reply) -> None:
        found = events(request, blocks(request))
        send(request, reply, found[:after])
        reply.hang(seconds)
        if seconds is not None:
            for name, data in found[after:]:
                reply.event({"type": name, **data}, name)

    return behave


def late(seconds: float) -> Behaviour:
    def behave(request: Request, reply: Reply) -> None:
        reply.hang(seconds)
        good(request, reply)

    return behave


def whole_json(request: Request, reply: Reply) -> None:
    reply.json(200, whole(request, blocks(request)))


def pings_first(request: Request, reply: Reply) -> None:
    found = events(request, blocks(request))
    send(request, reply, [found[0], *[("ping", {})] * 30, *found[1:]])


def loses_the_start(characters: int) -> Behaviour:
    """A server that cuts long prompts in silence: it sees their end only, and no tools."""

    def behave(request: Request, reply: Reply) -> None:
        if len(request.raw) <= characters:
            good(request, reply)
        else:
            says(lambda _r: [_text("How can I help you?")])(request, reply)

    return behave


def done_at_the_end(request: Request, reply: Reply) -> None:
    good(request, reply)
    reply.event("[DONE]")


def _typed(key: str, value: object) -> Callable[[], Behaviour]:
    return calls(lambda call: [{**call, "input": {**call["input"], key: value}}])


def _both(*faults: Callable[[], Behaviour]) -> Callable[[], Behaviour]:
    """One fault for the first request, the next for the second, and the last for the rest."""

    def make() -> Behaviour:
        made = [fault() for fault in faults]
        return in_turn(*made[:-1], then=made[-1])()

    return make


OVERLOADED = act.status(529, "Overloaded")
BUSY = act.status(429, "Too many requests", {"retry-after": "1"})

FAULTS: tuple[Fault, ...] = (
    Fault(name="good", make=always(good)),
    # Refusals that last.
    *(
        Fault(name=f"always-{code}", make=always(act.status(code, said)))
        for code, said in (
            (400, "bad request"),
            (401, "invalid x-api-key"),
            (402, "Insufficient Balance"),
            (403, "forbidden"),
            (404, "model: test-model"),
            (405, "Method Not Allowed"),
            (408, "timeout"),
            (409, "conflict"),
            (413, "Request too large"),
            (422, "unprocessable"),
            (429, "Too many requests"),
            (500, "boom"),
            (503, "loading model"),
            (529, "Overloaded"),
        )
    ),
    Fault(name="bad-gateway-page", make=always(act.html(502, "Bad Gateway"))),
    Fault(name="firewall", make=always(act.html(403, "Attention Required"))),
    Fault(name="sign-in-page", make=always(act.html())),
    Fault(name="nothing", make=always(act.empty_body())),
    Fault(name="not-a-message", make=always(act.json_error(200, {"ok": True}))),
    Fault(name="error-with-200", make=always(act.json_error(200, {"error": "no credit"}))),
    Fault(name="hangs-up", make=always(act.drops_connection())),
    Fault(name="hangs", make=always(act.hang_before_headers()), seconds=60),
    # Refusals that pass.
    Fault(name="once-429", make=in_turn(BUSY)),
    Fault(name="once-429-wait-8", make=in_turn(act.status(429, "slow", {"retry-after": "8"}))),
    Fault(name="once-500", make=in_turn(act.status(500, "boom"))),
    Fault(name="once-502-page", make=in_turn(act.html(502, "Bad Gateway"))),
    Fault(name="once-503", make=in_turn(act.status(503, "loading model"))),
    Fault(name="once-529", make=in_turn(OVERLOADED)),
    Fault(name="twice-529", make=in_turn(OVERLOADED, OVERLOADED)),
    Fault(name="once-408", make=in_turn(act.status(408))),
    Fault(name="once-409", make=in_turn(act.status(409))),
    Fault(name="once-401", make=in_turn(act.status(401))),
    Fault(name="once-400", make=in_turn(act.status(400))),
    Fault(name="once-403", make=in_turn(act.status(403))),
    Fault(name="once-404", make=in_turn(act.status(404, "Not Found"))),
    Fault(name="once-hangs-up", make=in_turn(act.drops_connection())),
    Fault(name="once-cut", make=in_turn(cut(4))),
    Fault(name="once-error-event", make=in_turn(says(blocks, _error("overloaded_error", "busy")))),
    Fault(name="once-empty", make=in_turn(act.empty_body())),
    Fault(name="every-second-500", make=every(2, act.status(500, "boom"))),
    Fault(name="every-third-529", make=every(3, OVERLOADED)),
    # How the stream comes.
    Fault(name="no-message-stop", make=streams(without("message_stop"))),
    Fault(name="no-message-delta", make=streams(without("message_delta"))),
    Fault(name="no-ends", make=streams(without("message_delta", "message_stop"))),
    Fault(name="no-block-stop", make=streams(without("content_block_stop"))),
    Fault(name="no-block-start", make=streams(without("content_block_start"))),
    Fault(name="no-message-start", make=streams(without("message_start"))),
    Fault(name="no-ping", make=streams(without("ping"))),
    Fault(name="no-usage", make=streams(_no_usage)),
    Fault(name="numbered-from-one", make=streams(_numbered_from_one)),
    Fault(name="one-delta", make=streams(_in_one_delta)),
    Fault(name="input-in-start", make=streams(_in_start)),
    Fault(name="stopped-by-nothing", make=streams(_stopped_by(None))),
    Fault(name="stopped-by-end-turn", make=streams(_stopped_by("end_turn"))),
    Fault(name="stopped-by-stop", make=streams(_stopped_by("stop"))),
    Fault(name="stopped-by-max-tokens", make=streams(_stopped_by("max_tokens"))),
    Fault(name="start-after-text", make=streams(lambda f: [*f[1:-1], f[0], f[-1]])),
    Fault(name="error-event", make=streams(_error("overloaded_error", "Overloaded"))),
    Fault(name="api-error-event", make=streams(_error("api_error", "boom"))),
    Fault(name="cut-in-text", make=always(cut(4))),
    Fault(name="cut-after-start", make=always(cut(1))),
    Fault(name="stalls", make=always(stalls(4)), seconds=60),
    Fault(name="stalls-6s", make=always(stalls(4, 6))),
    Fault(name="late-6s", make=always(late(6))),
    Fault(name="pings-first", make=always(pings_first)),
    Fault(name="one-piece", make=always(whole_json)),
    Fault(name="no-event-names", make=always(raw("", lambda _n, d: f"data: {json.dumps(d)}\n\n"))),
    Fault(name="crlf", make=always(raw("", lambda n, d: _plain(n, d).replace("\n", "\r\n")))),
    Fault(name="comments", make=always(raw(": hello\n\n", lambda n, d: ": x\n\n" + _plain(n, d)))),
    Fault(name="done-at-end", make=always(done_at_the_end)),
    Fault(name="text-plain", make=always(raw("", _plain, "text/plain"))),
    Fault(name="broken-event", make=always(raw("event: ping\ndata: {oops\n\n", _plain))),
    Fault(name="unknown-event", make=streams(lambda f: [f[0], ("heartbeat", {}), *f[1:]])),
    Fault(
        name="openai-protocol",
        make=always(lambda q, r: act.answer()(replace(q, path="/v1/chat/completions"), r)),
    ),
    # How large a request may be.
    Fault(name="window-8k", make=larger(32_000, "prompt is too long: 20000 tokens > 8192 maximum")),
    Fault(
        name="window-16k",
        make=larger(64_000, "This model's maximum context length is 16384 tokens"),
    ),
    Fault(name="window-64k", make=larger(250_000, "prompt is too long: 70000 > 65536 maximum")),
    Fault(name="body-64k", make=larger(65_536, "Request Entity Too Large", 413)),
    Fault(name="ten-tools", make=unless(_too_many_tools(10))),
    Fault(name="hundred-tools", make=unless(_too_many_tools(100))),
    Fault(name="short-descriptions", make=unless(_long_description)),
    Fault(name="cuts-in-silence", make=always(loses_the_start(30_000))),
    Fault(name="output-8k", make=unless(_output(8192))),
    *(
        Fault(name=f"schema-{word}", make=schema_word(word))
        for word in ("$schema", "additionalProperties", "anyOf", "propertyNames", "minLength")
    ),
    # What it does not know.
    *(
        Fault(name=f"field-{name}", make=field(name))
        for name in (
            "thinking",
            "context_management",
            "output_config",
            "metadata",
            "system",
            "tools",
            "safeguards",
        )
    ),
    Fault(name="no-adaptive", make=unless(_no_adaptive)),
    Fault(name="no-display", make=unless(_displayed)),
    Fault(name="no-caching", make=unless(_cached)),
    Fault(name="no-system-role", make=unless(_system_role)),
    *(
        Fault(name=f"beta-{name}", make=beta(name))
        for name in (
            "claude-code-20250219",
            "interleaved-thinking-2025-05-14",
            "context-management-2025-06-27",
            "effort-2025-11-24",
            "thinking-token-count-2026-05-13",
            "prompt-caching-scope-2026-01-05",
            "mid-conversation-system-2026-04-07",
            "mid-conversation-tool-changes-2026-07-01",
        )
    ),
    # What it says.
    Fault(name="empty", make=lambda: says(lambda _r: [_text("")])),
    Fault(name="no-blocks", make=lambda: says(lambda _r: [])),
    Fault(name="blank", make=lambda: says(lambda _r: [_text(" \n")])),
    Fault(name="thinks-first", make=lambda: says(_thinks)),
    Fault(name="thinks-only", make=lambda: says(lambda _r: [thought()])),
    Fault(name="thinks-unsigned", make=opens_with(thought(""))),
    Fault(name="thinks-redacted", make=opens_with({"type": "redacted_thinking", "data": "x"})),
    Fault(name="unknown-block", make=opens_with({"type": "reasoning", "text": "hm"})),
    Fault(name="talks-and-calls", make=opens_with(_text("Let me look."))),
    Fault(name="empty-text-and-calls", make=opens_with(_text(""))),
    Fault(
        name="other-model",
        make=streams(each("message_start", lambda d: {"message": {**d["message"], "model": "x"}})),
    ),
    Fault(name="never-calls", make=calls(lambda _c: [_text("I can't read files.")])),
    Fault(name="json-as-text", make=as_text('```json\n{"name": "Read", "arguments": INPUT}\n```')),
    Fault(name="xml-as-text", make=as_text("<tool_call>\n<function=Read>INPUT</function>")),
    Fault(name="mistral-as-text", make=as_text('[TOOL_CALLS][{"name": "Read"}] INPUT')),
    Fault(name="broken-input", make=calls(lambda c: [{**c, "input": '{"file_path": "no'}])),
    Fault(name="text-input", make=calls(lambda c: [{**c, "input": json.dumps("notes.txt")}])),
    Fault(
        name="input-twice-encoded",
        make=calls(lambda c: [{**c, "input": json.dumps(json.dumps(c["input"]))}]),
    ),
    Fault(name="empty-input", make=calls(lambda c: [{**c, "input": {}}])),
    Fault(name="no-input", make=calls(lambda c: [{**c, "input": ""}])),
    Fault(name="forbidden-argument", make=_typed("encoding", "utf-8")),
    Fault(name="null-argument", make=_typed("offset", None)),
    Fault(name="number-as-text", make=_typed("offset", "1")),
    Fault(name="wrong-type", make=_typed("file_path", 5)),
    Fault(name="wrong-case", make=calls(lambda c: [{**c, "name": "read"}])),
    Fault(name="unknown-tool", make=calls(lambda c: [{**c, "name": "read_file"}])),
    Fault(name="no-id", make=calls(lambda c: [{k: v for k, v in c.items() if k != "id"}])),
    Fault(name="empty-id", make=calls(lambda c: [{**c, "id": ""}])),
    Fault(name="odd-id", make=calls(lambda c: [{**c, "id": "call:1/ä"}])),
    Fault(name="one-at-a-time", make=lambda: says(_one_at_a_time)),
    # The second turn.
    Fault(name="result-400", make=second(act.status(400, "unexpected tool_result"))),
    Fault(name="result-500", make=second(act.status(500, "boom"))),
    Fault(name="result-empty", make=second(says(lambda _r: [_text("")]))),
    Fault(name="result-thinks-only", make=second(says(lambda _r: [thought()]))),
    Fault(
        name="result-no-ends", make=second(says(blocks, without("message_delta", "message_stop")))
    ),
    Fault(name="result-cut", make=second(cut(4))),
    Fault(name="result-once-529", make=lambda: second(in_turn(OVERLOADED)())()),
    Fault(
        name="wants-thinking-back",
        make=unless(_no_thinking_back, then=says(_thinks)),
    ),
    Fault(name="wants-thinking-never-thinks", make=unless(_no_thinking_back)),
    Fault(name="refuses-thinking-back", make=unless(_part("thinking"), then=says(_thinks))),
    Fault(name="refuses-two-results", make=unless(_two_results), files=2),
    # Beside the answers.
    Fault(name="counting-fails", make=always(good), count=500),
    # Two at once.
    Fault(name="once-429-no-ends", make=_both(in_turn(BUSY), streams(without("message_stop")))),
    Fault(
        name="once-500-thinks-only",
        make=in_turn(act.status(500), then=says(lambda _r: [thought()])),
    ),
    Fault(
        name="thinks-and-no-stop",
        make=lambda: says(_thinks, without("message_stop")),
    ),
    Fault(name="thinks-no-block-stop", make=lambda: says(_thinks, without("content_block_stop"))),
    Fault(
        name="ten-tools-once-529",
        make=in_turn(OVERLOADED, then=unless(_too_many_tools(10))()),
    ),
    Fault(
        name="no-adaptive-in-start",
        make=unless(_no_adaptive, then=says(blocks, _in_start)),
    ),
    Fault(
        name="no-context-management-once-500",
        make=in_turn(act.status(500), then=field("context_management")()),
    ),
    Fault(
        name="one-piece-once-529",
        make=in_turn(OVERLOADED, then=whole_json),
    ),
    Fault(
        name="unsigned-no-usage", make=lambda: says(lambda r: [thought(""), *blocks(r)], _no_usage)
    ),
    Fault(
        name="no-caching-no-output-config",
        make=unless(
            lambda r: (
                _cached(r)
                or (
                    "output_config: Extra inputs are not permitted"
                    if "output_config" in r.body
                    else None
                )
            )
        ),
    ),
)
