"""What an upstream may do with a request, good and bad, in each protocol.

A behaviour is a function `(request, reply) -> None`; the functions here make one:
`upstream.behave = lambda request: hang_mid_stream() if request.stream else None`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tests.e2e.wire import Behaviour, Reply, Request

#: (event name or None, data): one server-sent event.
Event = tuple[str | None, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call that the model makes; `arguments` is JSON text, so that it can be broken."""

    id: str
    name: str
    arguments: str

    @property
    def input(self) -> Any:
        try:
            return json.loads(self.arguments)
        except ValueError:
            return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the model says, before a protocol gives it a shape."""

    model: str
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    thinking: str = ""
    input_tokens: int = 10


# --- good behaviour ---------------------------------------------------------------------------


def answer(
    text: str | None = None,
    *,
    model: str | None = None,
    calls: Sequence[tuple[str, Mapping[str, Any]]] | None = None,
    first_token_after: float = 0,
    thinking: str = "",
) -> Behaviour:
    """A good answer: the text, or `answer from MODEL`; a forced tool is called as its schema says.

    `model` is the name that the answer gives as its own; `first_token_after` is in seconds;
    `thinking` goes to a reader of chat completions only, as `reasoning_content`.
    """

    def behave(request: Request, reply: Reply) -> None:
        reply.hang(first_token_after)
        said = _compose(request, text, model, calls)
        _send(request, reply, replace(said, thinking=thinking))

    return behave


def uses_tools(count: int = 1) -> Behaviour:
    """A model that calls the first `count` tools it is offered, and talks once it has results."""

    def behave(request: Request, reply: Reply) -> None:
        offered = request.tool_schemas[:count] if not request.has_tool_result else []
        calls = [(name, _sample(schema)) for name, schema in offered]
        _send(request, reply, _compose(request, None, None, calls))

    return behave


def recites(pattern: str, *, window: int | None = None) -> Behaviour:
    """A model that answers with what `pattern` finds in the last `window` characters it was sent.

    With a window it is a server that silently cuts long prompts, as Ollama's 4k default does.
    """

    def behave(request: Request, reply: Reply) -> None:
        visible = request.prompt[-window:] if window else request.prompt
        found = re.search(pattern, visible)
        said = found.group(found.lastindex or 0) if found else "I do not know."
        _send(request, reply, _compose(request, said, None, ()))

    return behave


def lists(models: Sequence[str]) -> Behaviour:
    """A model list that an OpenAI reader and an Anthropic reader both understand."""
    data = [
        {
            "id": name,
            "object": "model",
            "type": "model",
            "display_name": name,
            "created": 1_700_000_000,
            "created_at": "2023-11-14T22:13:20Z",
            "owned_by": "tests",
        }
        for name in models
    ]
    value = {
        "object": "list",
        "data": data,
        "has_more": False,
        "first_id": models[0] if models else None,
        "last_id": models[-1] if models else None,
    }
    return lambda _request, reply: reply.json(200, value)


# --- refusals ---------------------------------------------------------------------------------

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def status(
    code: int, message: str = "refused by the test", headers: Mapping[str, str] | None = None
) -> Behaviour:
    """An error in the shape of the protocol that was spoken. 429 comes with `retry-after: 1`."""
    extra = {"retry-after": "1"} if code == 429 and headers is None else dict(headers or {})
    kind = _KINDS.get(code, "api_error")

    def behave(request: Request, reply: Reply) -> None:
        error: dict[str, Any] = {"type": kind, "message": message}
        if request.dialect in ("chat", "responses"):
            reply.json(code, {"error": {**error, "param": None, "code": kind}}, extra)
        else:
            reply.json(code, {"type": "error", "error": error}, extra)

    return behave


def refuses_field(*names: str) -> Behaviour:
    """A strict server: 400 `NAME: Extra inputs are not permitted` where the body has the field."""

    def behave(request: Request, reply: Reply) -> None:
        body = request.body if isinstance(request.body, dict) else {}
        for name in names:
            if name in body:
                status(400, f"{name}: Extra inputs are not permitted")(request, reply)
                return
        answer()(request, reply)

    return behave


def json_error(code: int, body: object) -> Behaviour:
    """Exactly this JSON: a known gateway's own words."""
    return lambda _request, reply: reply.json(code, body)


def redirect(to: str, code: int = 307) -> Behaviour:
    """Sends the caller, and the credential of one that follows, somewhere else."""
    return lambda _request, reply: reply.send(code, b"", "text/plain", {"Location": to})


def html(code: int = 200, title: str = "Sign in") -> Behaviour:
    """A web page where an API should be: a captive portal (200) or a firewall (403)."""
    page = f"<!doctype html><html><head><title>{title}</title></head><body>{title}</body></html>"
    return lambda _request, reply: reply.send(code, page.encode(), "text/html; charset=utf-8")


# --- silence and cut streams ------------------------------------------------------------------


def hang_before_headers(seconds: float | None = None) -> Behaviour:
    """Takes the request and says nothing."""

    def behave(_request: Request, reply: Reply) -> None:
        reply.hang(seconds)
        reply.cut()

    return behave


def drops_connection() -> Behaviour:
    """Takes the request and hangs up."""
    return lambda _request, reply: reply.cut()


def empty_body() -> Behaviour:
    """200 and not one byte."""
    return lambda _request, reply: reply.send(200, b"")


def empty_answer() -> Behaviour:
    """A well-formed answer that says nothing."""
    return answer("")


def hang_mid_stream(after: int = 3, seconds: float | None = None) -> Behaviour:
    """`after` events, then silence on an open connection. Without a stream, a good answer."""

    def behave(request: Request, reply: Reply) -> None:
        if not request.stream:
            answer()(request, reply)
            return
        reply.open_stream()
        for name, data in list(_events(request, _compose(request, None, None, None)))[:after]:
            reply.event(data, name)
        reply.hang(seconds)

    return behave


def cut_mid_stream(after: int = 3) -> Behaviour:
    """`after` events, then the connection closes."""
    return hang_mid_stream(after, 0)


def no_message_stop() -> Behaviour:
    """All of the text, and then none of the events that end an answer."""
    return _edited_stream(lambda events: [e for e in events if not _ends(e)])


def events_out_of_order() -> Behaviour:
    """The text comes before the event that opens it (in chat: the end before the text)."""
    return _edited_stream(lambda events: [*events[1:-1], events[0], events[-1]])


def error_mid_stream(after: int = 3) -> Behaviour:
    """A 200 whose stream turns into an error, as an overloaded upstream does."""
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    return _edited_stream(lambda events: [*events[:after], ("error", error)])


def ignores_stream() -> Behaviour:
    """One JSON answer although a stream was asked for."""

    def behave(request: Request, reply: Reply) -> None:
        reply.json(200, _whole(request, _compose(request, None, None, None)))

    return behave


# --- wrong answers ----------------------------------------------------------------------------


def other_model(name: str = "quite-another-model") -> Behaviour:
    """Answers well, as somebody else."""
    return answer(model=name)


def tools_as_text() -> Behaviour:
    """Writes its tool call into the text, as small models without a tool template do."""

    def behave(request: Request, reply: Reply) -> None:
        for name, schema in request.tool_schemas[:1]:
            call = {"name": name, "arguments": _sample(schema)}
            _send(request, reply, _compose(request, f"```json\n{json.dumps(call)}\n```", None, ()))
            return
        answer()(request, reply)

    return behave


def broken_tool_json() -> Behaviour:
    """Calls the tool, with arguments that end in the middle."""

    def behave(request: Request, reply: Reply) -> None:
        calls = [(name, _sample(schema)) for name, schema in request.tool_schemas[:1]]
        said = _compose(request, None, None, calls)
        cut = tuple(replace(c, arguments=c.arguments.rstrip("}") + ', "x": "') for c in said.calls)
        _send(request, reply, replace(said, calls=cut))

    return behave


# --- shapes -----------------------------------------------------------------------------------


def _compose(
    request: Request,
    text: str | None,
    model: str | None,
    calls: Sequence[tuple[str, Mapping[str, Any]]] | None,
) -> Answer:
    if calls is None:
        calls = _forced(request) if text is None else ()
    said = text if text is not None else f"answer from {request.model}"
    return Answer(
        model=model or request.model,
        text="" if calls and text is None else said,
        calls=tuple(
            ToolCall(id=f"toolu_test{request.number}{i}", name=name, arguments=json.dumps(value))
            for i, (name, value) in enumerate(calls)
        ),
        input_tokens=max(1, len(request.prompt) // 4),
    )


def _forced(request: Request) -> list[tuple[str, Mapping[str, Any]]]:
    if request.forced_tool is None:
        return []
    wanted = [t for t in request.tool_schemas if request.forced_tool in ("", t[0])]
    return [(name, _sample(schema)) for name, schema in wanted[:1]]


def _sample(schema: Mapping[str, Any]) -> Any:
    """The smallest value that a JSON schema allows, near enough for tests."""
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "object")
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "object":
        known = schema.get("properties", {})
        wanted = schema.get("required", list(known))
        return {name: _sample(known.get(name, {"type": "string"})) for name in wanted}
    if kind == "array":
        return [_sample(schema.get("items", {"type": "string"}))]
    return {"integer": 1, "number": 1.5, "boolean": True, "null": None}.get(str(kind), "test")


def _send(request: Request, reply: Reply, said: Answer) -> None:
    if not request.stream:
        reply.json(200, _whole(request, said))
        return
    reply.open_stream()
    for name, data in _events(request, said):
        reply.event(data, name)


def _edited_stream(edit: Callable[[list[Event]], list[Event]]) -> Behaviour:
    def behave(request: Request, reply: Reply) -> None:
        if not request.stream:
            answer()(request, reply)
            return
        reply.open_stream()
        for name, data in edit(list(_events(request, _compose(request, None, None, None)))):
            reply.event(data, name)

    return behave


def _ends(event: Event) -> bool:
    name, data = event
    if name in ("message_delta", "message_stop", "response.completed") or data == "[DONE]":
        return True
    choices = data.get("choices") if isinstance(data, dict) else None
    return any(choice.get("finish_reason") is not None for choice in choices or ())


def _whole(request: Request, said: Answer) -> dict[str, Any]:
    match request.dialect:
        case "chat":
            return _chat_whole(said)
        case "responses":
            return _responses_whole(said)
        case _:
            return _anthropic_whole(said)


def _events(request: Request, said: Answer) -> Iterator[Event]:
    match request.dialect:
        case "chat":
            return _chat_events(said)
        case "responses":
            return _responses_events(said)
        case _:
            return _anthropic_events(said)


def _pieces(text: str) -> list[str]:
    """Text in three deltas, so that a reader has to join them; a long one a line each."""
    if text.count("\n") > 3:
        return text.splitlines(keepends=True)
    third = max(1, -(-len(text) // 3))
    return [text[i : i + third] for i in range(0, len(text), third)]


def _anthropic_whole(said: Answer) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    if said.text or not said.calls:
        content.append({"type": "text", "text": said.text})
    content += [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": call.input}
        for call in said.calls
    ]
    return {
        "id": "msg_test",
        "type": "message",
        "role": "assistant",
        "model": said.model,
        "content": content,
        "stop_reason": "tool_use" if said.calls else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": said.input_tokens, "output_tokens": 5},
    }


def _anthropic_events(said: Answer) -> Iterator[Event]:
    whole = _anthropic_whole(said)
    for name, data in _anthropic_body(said, whole):
        yield name, {"type": name, **data}


def _anthropic_body(said: Answer, whole: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    opening = {**whole, "content": [], "stop_reason": None}
    yield "message_start", {"message": opening}
    yield "ping", {}
    for index, block in enumerate(whole["content"]):
        if block["type"] == "text":
            start: dict[str, Any] = {"type": "text", "text": ""}
            deltas = [{"type": "text_delta", "text": piece} for piece in _pieces(said.text)]
        else:
            start = {**block, "input": {}}
            arguments = next(c.arguments for c in said.calls if c.id == block["id"])
            deltas = [
                {"type": "input_json_delta", "partial_json": piece} for piece in _pieces(arguments)
            ]
        yield "content_block_start", {"index": index, "content_block": start}
        for delta in deltas:
            yield "content_block_delta", {"index": index, "delta": delta}
        yield "content_block_stop", {"index": index}
    ending = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield "message_delta", {"delta": ending, "usage": {"output_tokens": 5}}
    yield "message_stop", {}


def _usage(said: Answer) -> dict[str, int]:
    total = said.input_tokens + 5
    return {"prompt_tokens": said.input_tokens, "completion_tokens": 5, "total_tokens": total}


def _chat_calls(said: Answer) -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for index, call in enumerate(said.calls)
    ]


def _chat_whole(said: Answer) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": said.text or None}
    if said.thinking:
        message["reasoning_content"] = said.thinking
    if said.calls:
        message["tool_calls"] = _chat_calls(said)
    reason = "tool_calls" if said.calls else "stop"
    return {
        "id": "chatcmpl-test",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": said.model,
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": _usage(said),
    }


def _chat_events(said: Answer) -> Iterator[Event]:
    def chunk(delta: dict[str, Any], reason: str | None = None) -> Event:
        return None, {
            "id": "chatcmpl-test",
            "object": "chat.completion.chunk",
            "created": 1_700_000_000,
            "model": said.model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
        }

    yield chunk({"role": "assistant", "content": ""})
    if said.thinking:
        yield chunk({"reasoning_content": said.thinking})
    for piece in _pieces(said.text):
        yield chunk({"content": piece})
    for call in _chat_calls(said):
        arguments = call["function"]["arguments"]
        yield chunk({"tool_calls": [{**call, "function": {**call["function"], "arguments": ""}}]})
        for piece in _pieces(arguments):
            part = {"index": call["index"], "function": {"arguments": piece}}
            yield chunk({"tool_calls": [part]})
    yield chunk({}, "tool_calls" if said.calls else "stop")
    _, last = chunk({})
    yield None, {**_as_dict(last), "choices": [], "usage": _usage(said)}
    yield None, "[DONE]"


def _as_dict(value: object) -> dict[str, Any]:
    assert isinstance(value, dict)
    return value


def _responses_items(said: Answer) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if said.text or not said.calls:
        part = {"type": "output_text", "text": said.text, "annotations": []}
        items.append(
            {
                "id": "msg_test",
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [part],
            }
        )
    for call in said.calls:
        items.append(
            {
                "id": f"fc_{call.id}",
                "type": "function_call",
                "status": "completed",
                "call_id": call.id,
                "name": call.name,
                "arguments": call.arguments,
            }
        )
    return items


def _responses_whole(said: Answer) -> dict[str, Any]:
    return {
        "id": "resp_test",
        "object": "response",
        "created_at": 1_700_000_000,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": said.model,
        "output": _responses_items(said),
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": {
            "input_tokens": said.input_tokens,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 5,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": said.input_tokens + 5,
        },
    }


def _responses_events(said: Answer) -> Iterator[Event]:
    whole = _responses_whole(said)
    events = list(_responses_body(said, whole))
    for number, (name, data) in enumerate(events):
        yield name, {"type": name, "sequence_number": number, **data}


def _responses_body(said: Answer, whole: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "response.created", {"response": {**whole, "status": "in_progress", "output": []}}
    for index, item in enumerate(whole["output"]):
        place = {"output_index": index, "item_id": item["id"]}
        yield "response.output_item.added", {"output_index": index, "item": item}
        if item["type"] == "message":
            place = {**place, "content_index": 0}
            empty = {"type": "output_text", "text": "", "annotations": []}
            yield "response.content_part.added", {**place, "part": empty}
            for piece in _pieces(said.text):
                yield "response.output_text.delta", {**place, "delta": piece}
            yield "response.output_text.done", {**place, "text": said.text}
            yield "response.content_part.done", {**place, "part": item["content"][0]}
        else:
            for piece in _pieces(item["arguments"]):
                yield "response.function_call_arguments.delta", {**place, "delta": piece}
            done = {**place, "arguments": item["arguments"]}
            yield "response.function_call_arguments.done", done
        yield "response.output_item.done", {"output_index": index, "item": item}
    yield "response.completed", {"response": whole}
