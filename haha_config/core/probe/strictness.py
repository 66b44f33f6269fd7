"""What the client forgives and what it does not: measured with each version on record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from haha_config.core.exchange import HttpExchange
from haha_config.core.messages import Message, msg
from haha_config.core.model import Data
from haha_config.core.probe.client_profile import ClientProfile
from haha_config.core.probe.diagnosis import shortened
from haha_config.core.probe.response import Response, read
from haha_config.core.probe.wire import DEFERRED, DISPLAY, SYSTEM_ROLE, Wire

#: Refused in whatever words, the newest client leaves first the beta out and then the other.
_ANY_WORDS: Final = "thinking-token-count-2026-05-13"
#: What stands in a refusal of the system role after which the client goes on without it.
_ROLES: Final = (("Unexpected role", SYSTEM_ROLE), ("role: Input should be", "role"))


def tries_again(exchange: HttpExchange, number: int, caller: ClientProfile) -> bool:
    """Whether the client sends this request again, as its try of this number."""
    wire = caller.wire
    if exchange.status is None:
        gave_up = exchange.failure == "slow" and exchange.ask.timeout >= caller.patience
        return exchange.failure == "cut" or gave_up
    if exchange.succeeded:
        # It asks once more for what it could not read at all.
        return number == 2 and exchange.failure is None and read(exchange) is None
    said = exchange.headers.get("x-should-retry", "")
    if exchange.status in _BY_SHAPE and said != "true":
        return number <= _changes(exchange.status, wire)
    if said == "false" and exchange.status == _OVERLOADED:
        return "once-529-do-not" in wire.forgives
    return said == "true" or (said != "false" and exchange.status in wire.asks_again)


_OVERLOADED: Final = 529
#: After these the client asks again in another way, and not in the same one.
_BY_SHAPE: Final = (400, 404, 422)


def _changes(status: int, wire: Wire) -> int:
    """In how many ways the client asks at most after this refusal of its shape."""
    if status not in wire.asks_again:
        return 1
    return 3 if status != 404 and "display" in wire.body.get("thinking", {}) else 2


def goes_on_without(wire: Wire, refusals: Mapping[str, HttpExchange]) -> bool:
    """Whether the client sends its request again without these parts after their refusals."""
    return all(_leaves_out(wire, part, refused) for part, refused in refusals.items())


def _leaves_out(wire: Wire, part: str, refused: HttpExchange) -> bool:
    said = refused.body
    if refused.status != 400 and not (refused.status == 422 and 422 in wire.asks_again):
        return False
    if part == SYSTEM_ROLE:
        return any(words in said and name in wire.survives for words, name in _ROLES)
    if part in (_ANY_WORDS, DISPLAY):
        return _ANY_WORDS in wire.survives
    if part not in wire.survives:
        return False
    if part in wire.betas:
        return "anthropic-beta" in said and part in said
    return f"{part}: Extra inputs are not permitted" in said


def gives_up_search(wire: Wire, refused: HttpExchange) -> bool:
    """Whether the client sends all of its tools after this refusal, in whatever words it comes."""
    searches = wire.unsearched is not None and DEFERRED in wire.survives
    return searches and refused.status in (400, 422)


# --- answers ----------------------------------------------------------------------------------


#: Reasons for an answer's end that the client shows as an error.
_REFUSALS: Final = ("refusal", "model_context_window_exceeded")


def trouble(answer: Response, wire: Wire) -> Message | None:
    """What breaks a client's tools, in an answer that should hold a call or follow one."""
    if answer.error:
        said = shortened(answer.error, 100)
        return msg("the stream breaks off with: {said}", said=said)
    if not answer.usable:
        return answer.flaw
    if (ends := unforgiven(answer, wire)) is not None:
        return ends
    if answer.bad_inputs:
        return msg("a tool call's input is not JSON (`{name}`)", name=answer.bad_inputs[0])
    if not answer.calls and _looks_like_a_call(answer.text, wire):
        return msg("tools are answered as text")
    if (alike := alike_ids(answer)) is not None:
        return alike
    return next((wrong for call in answer.calls if (wrong := _misfit(call, wire))), None)


def alike_ids(answer: Response) -> Message | None:
    """Two calls that the client can't tell apart."""
    ids = [call["id"] for call in answer.calls if call.get("id")]
    return msg("two tool calls have the same `id`") if len({*ids}) < len(ids) else None


def unforgiven(answer: Response, wire: Wire) -> Message | None:
    """What this version does not take, and another may."""
    if answer.unended and "no-ends" not in wire.forgives:
        return msg(
            "no `message_delta` and no `message_stop`: client {version} needs one",
            version=wire.version,
        )
    for name, what in answer.lapses.items():
        if name not in wire.forgives:
            return what
    if answer.stop_reason in _REFUSALS:
        return msg("the answer ends with `{reason}`", reason=answer.stop_reason)
    if answer.stop_reason == "max_tokens" and answer.output_tokens < 1000:
        return msg("the answer was cut off (`max_tokens`)")
    return None


def _looks_like_a_call(text: str, wire: Wire) -> bool:
    names = "|".join(re.escape(str(tool["name"])) for tool in wire.tools) or "Read"
    pattern = (
        rf"[\"'](name|function|tool|tool_name)[\"']\s*:\s*[\"']({names})|"
        r"<(tool_call|function_call|function=|invoke)|\[TOOL_CALLS\]|"
        rf"\b({names})\s*\(\s*[{{\"'f]|[\"']file_path[\"']\s*:"
    )
    return re.search(pattern, text, re.IGNORECASE) is not None


def _misfit(call: Mapping[str, Data], wire: Wire) -> Message | None:
    """Why the client refuses this call."""
    name = str(call.get("name", ""))
    tool = next((tool for tool in wire.tools if tool["name"] == name), None)
    if tool is None:
        return msg("the model calls an unknown tool (`{name}`)", name=name)
    if not call.get("id") and "no-id" not in wire.forgives:
        return msg("a tool call has no `id` (`{name}`)", name=name)
    value, schema = call.get("input"), tool["input_schema"]
    if not isinstance(value, Mapping):
        return msg("a tool call's input is not JSON (`{name}`)", name=name)
    known = schema.get("properties", {})
    missing = [field for field in schema.get("required", ()) if field not in value]
    extra = [field for field in value if field not in known]
    wrong = [field for field in value if field in known and not _is_a(value[field], known[field])]
    closed = schema.get("additionalProperties") is False
    for field in (*missing, *(extra if closed else ()), *wrong):
        return msg("a tool call breaks its schema (`{field}` of `{name}`)", field=field, name=name)
    return None


def _is_a(value: Data, schema: Mapping[str, Data]) -> bool:
    """Whether the client takes the value: it reads numbers and switches out of text."""
    if "enum" in schema and value not in schema["enum"]:
        return False
    text = value if isinstance(value, str) else ""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits: Mapping[str, bool] = {
        "string": isinstance(value, str),
        "integer": number or re.fullmatch(r"-?\d+", text) is not None,
        "number": number or re.fullmatch(r"-?\d+(\.\d+)?", text) is not None,
        "boolean": isinstance(value, bool) or text in ("true", "false"),
        "array": isinstance(value, list),
        "object": isinstance(value, Mapping),
    }
    whole = schema.get("type") != "integer" or not isinstance(value, float) or value.is_integer()
    return whole and fits.get(str(schema.get("type")), True)
