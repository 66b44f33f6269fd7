"""What the client forgives and what it does not: measured with each version on record."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from haha_config.core.exchange import HttpExchange
from haha_config.core.messages import Message, msg
from haha_config.core.model import Data
from haha_config.core.probe.diagnosis import shortened
from haha_config.core.probe.response import Response
from haha_config.core.probe.wire import DISPLAY, SYSTEM_ROLE, Wire

#: After these the client asks again once, and in another way; after the others many times.
_ONCE: Final = (400, 401, 404)
#: Refused in whatever words, the newest client leaves first the beta out and then the other.
_ANY_WORDS: Final = "thinking-token-count-2026-05-13"


def tries_again(exchange: HttpExchange, number: int, wire: Wire) -> bool:
    """Whether the client sends this request again, as its try of this number."""
    if exchange.status is None:
        return exchange.failure == "cut"
    if exchange.status == 200:
        return number == 2 and not exchange.body.strip() and exchange.failure is None
    if exchange.status in _ONCE and number > 2:
        return False
    return exchange.status in wire.asks_again


def goes_on_without(wire: Wire, parts: Sequence[str], refused: HttpExchange) -> bool:
    """Whether the client sends its request again without these parts after this refusal."""
    if refused.status != 400:
        return False
    return all(_leaves_out(wire, part, refused.body) for part in parts)


def _leaves_out(wire: Wire, part: str, said: str) -> bool:
    if part == SYSTEM_ROLE:
        words = SYSTEM_ROLE if "Unexpected role" in said else "role"
        return "role" in said and words in wire.survives
    if part in (_ANY_WORDS, DISPLAY):
        return _ANY_WORDS in wire.survives
    if part not in wire.survives:
        return False
    if part in wire.betas:
        return "anthropic-beta" in said and part in said
    return f"{part}: Extra inputs are not permitted" in said


# --- answers ----------------------------------------------------------------------------------


def trouble(answer: Response, wire: Wire) -> Message | None:
    """What breaks a client's tools, in an answer that should hold a call or follow one."""
    if answer.error:
        said = shortened(answer.error, 100)
        return msg("the stream of a tool call breaks off with: {said}", said=said)
    if not answer.usable:
        return answer.flaw
    if (ends := unforgiven(answer, wire)) is not None:
        return ends
    if answer.bad_inputs:
        return msg("the input of a tool call is not JSON (`{name}`)", name=answer.bad_inputs[0])
    if not answer.calls and _looks_like_a_call(answer.text, wire):
        return msg("tools are answered as text")
    return next((wrong for call in answer.calls if (wrong := _misfit(call, wire))), None)


def unforgiven(answer: Response, wire: Wire) -> Message | None:
    """What this version does not take, and another may."""
    if answer.unended and "no-ends" not in wire.forgives:
        return msg(
            "the stream has neither `message_delta` nor `message_stop`, without which client"
            " {version} does not go on",
            version=wire.version,
        )
    if answer.stop_reason == "max_tokens" and answer.output_tokens < 1000:
        return msg("the answer says that it was cut off (`max_tokens`)")
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
        return msg("the model calls a tool that was not offered (`{name}`)", name=name)
    if not call.get("id") and "no-id" not in wire.forgives:
        return msg("a tool call has no `id` (`{name}`)", name=name)
    value, schema = call.get("input"), tool["input_schema"]
    if not isinstance(value, Mapping):
        return msg("the input of a tool call is not JSON (`{name}`)", name=name)
    known = schema.get("properties", {})
    missing = [field for field in schema.get("required", ()) if field not in value]
    extra = [field for field in value if field not in known]
    wrong = [field for field in value if field in known and not _is_a(value[field], known[field])]
    closed = schema.get("additionalProperties") is False
    for field in (*missing, *(extra if closed else ()), *wrong):
        return msg(
            "a tool call does not follow its schema (`{field}` of `{name}`)",
            field=field,
            name=name,
        )
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
    return fits.get(str(schema.get("type")), True)
