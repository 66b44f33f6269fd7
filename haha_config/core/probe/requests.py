"""The requests of a probe: the client's own, made small where size is not what is asked about."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from haha_config.core import urls
from haha_config.core.exchange import Request
from haha_config.core.model import Data
from haha_config.core.probe.client_profile import ClientProfile

#: A word that no model says by itself.
HIDDEN_WORD: Final = "marmalade-7391"
#: The client's real system prompt and tools are about this large.
CONTEXT_TOKENS: Final = 25_000

_IDENTITY = "You are a Claude agent, built on Anthropic's Claude Agent SDK."
_WORK = (
    "You are an interactive agent that helps users with software engineering tasks. "
    "Use the tools available to you. Be brief."
)
_SESSION = "00000000-0000-4000-8000-000000000000"

READ: Final[Mapping[str, Data]] = {
    "name": "Read",
    "description": "Reads a file. Call it once for each file that is asked about.",
    "input_schema": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "file_path": {"type": "string", "description": "The absolute path of the file"}
        },
        "required": ["file_path"],
        "additionalProperties": False,
    },
}
#: Nested: an object in a list in an object, with a choice of words, as the client's own have it.
TODO: Final[Mapping[str, Data]] = {
    "name": "TodoWrite",
    "description": "Writes down the list of things to do.",
    "input_schema": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "todos": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "content": {"type": "string"},
                        "status": {
                            "type": "string",
                            "enum": ["pending", "in_progress", "completed"],
                        },
                    },
                    "required": ["content", "status"],
                },
            }
        },
        "required": ["todos"],
        "additionalProperties": False,
    },
}
TOOLS: Final = (READ, TODO)

_HELLO = "Answer with the one word: ready"
_READ_ONE = "Read the file /probe/alpha.txt with the tool Read. Call the tool now."
_READ_TWO = (
    "Read the files /probe/alpha.txt and /probe/beta.txt with the tool Read: "
    "call it twice in one answer, now."
)
_WRITE = "Write down two things to do with the tool TodoWrite: tests (pending), docs (completed)."


def plain(model: str) -> str:
    """The name that goes out: the client takes its own mark off (measured)."""
    return model.removesuffix("[1m]")


def reach(caller: ClientProfile, timeout: float) -> Request:
    """As the client's first request: no body and no credential."""
    return Request(
        key="reach",
        method="HEAD",
        url=caller.base_url.rstrip("/") + "/",
        headers={"user-agent": caller.headers["user-agent"], "accept": "*/*"},
        timeout=timeout,
    )


def message(
    caller: ClientProfile, model: str, timeout: float, extra: Mapping[str, Data] | None = None
) -> Request:
    """The least that can be asked: proves the key and the model's name. Streamed, as always."""
    body = {
        "model": plain(model),
        "max_tokens": 64,
        "messages": [{"role": "user", "content": _HELLO}],
        "stream": True,
        **(extra or {}),
    }
    return _post("model", caller, body, timeout)


def stream(caller: ClientProfile, model: str, timeout: float) -> Request:
    """What the client sends for the first message of a session."""
    return _post("stream", caller, _whole(caller, model, [_user(caller, _HELLO)]), timeout)


def forced(caller: ClientProfile, model: str, timeout: float) -> Request:
    """A call that the model must make. Without thinking, which the protocol does not allow here."""
    body = _whole(caller, model, [_user(caller, _WRITE)])
    body["tool_choice"] = {"type": "tool", "name": TODO["name"]}
    for name in ("thinking", "context_management", "output_config"):
        body.pop(name, None)
    return _post("forced", caller, body, timeout)


def free(caller: ClientProfile, model: str, timeout: float) -> Request:
    """A call that the model should make, as in the client: nothing forces it."""
    return _post("free", caller, _whole(caller, model, [_user(caller, _READ_ONE)]), timeout)


def parallel(caller: ClientProfile, model: str, timeout: float) -> Request:
    """Two calls in one answer."""
    return _post("parallel", caller, _whole(caller, model, [_user(caller, _READ_TWO)]), timeout)


def round_trip(
    caller: ClientProfile, model: str, content: Sequence[Data], timeout: float
) -> Request:
    """The model's own call, its thinking beside it, and the result that the client sends back."""
    calls = [b for b in content if isinstance(b, Mapping) and b.get("type") == "tool_use"]
    results = [
        {"type": "tool_result", "tool_use_id": call["id"], "content": "1\tThe file says: ready"}
        for call in calls
    ]
    messages = [
        _user(caller, _READ_ONE),
        {"role": "assistant", "content": list(content)},
        {"role": "user", "content": results},
    ]
    return _post("round trip", caller, _whole(caller, model, messages), timeout)


def count(caller: ClientProfile, model: str, timeout: float) -> Request:
    """How many tokens: the client does without where it isn't offered."""
    body = {"model": plain(model), "messages": [{"role": "user", "content": _HELLO}]}
    url = f"{caller.base_url.rstrip('/')}/v1/messages/count_tokens?beta=true"
    return Request(
        key="count_tokens",
        method="POST",
        url=url,
        headers=caller.headers,
        body=body,
        timeout=timeout,
    )


def context(caller: ClientProfile, model: str, timeout: float) -> Request:
    """A word at the start of a prompt as long as the client's own: a server that cuts loses it."""
    line = "{n}. Nothing of interest happened on day {n}, and the log says so.\n"
    # About 17 tokens a line with the tokenizers of today.
    filler = "".join(line.format(n=n) for n in range(CONTEXT_TOKENS // 17))
    body = {
        "model": plain(model),
        "max_tokens": 256,
        "stream": True,
        "system": [{"type": "text", "text": f"The secret word is {HIDDEN_WORD}.\n\n{filler}"}],
        "messages": [
            {"role": "user", "content": "What is the secret word? Answer with the word only."}
        ],
    }
    return _post("context", caller, body, timeout)


#: What the client adds to a request, one by one: which of them is it that is refused?
def separately(caller: ClientProfile, model: str, timeout: float) -> dict[str, Request]:
    """One request for each part of the client's shape, by the part's name."""
    whole = _whole(caller, model, [_user(caller, _HELLO)])
    extras: dict[str, Mapping[str, Data]] = {
        name: {name: whole[name]}
        for name in ("thinking", "output_config", "context_management", "metadata", "tools")
        if name in whole
    }
    if "thinking" in extras:
        extras["thinking"] = {**extras["thinking"], "max_tokens": 4096}
    extras["max_tokens"] = {"max_tokens": whole["max_tokens"]}
    extras["system message"] = {
        "messages": [{"role": "user", "content": _HELLO}, whole["messages"][-1]]
    }
    if caller.caching:
        extras["cache_control"] = {"messages": [_user(caller, _HELLO)]}
    extras.update({name: {name: value} for name, value in caller.extra_body.items()})
    return {name: message(caller, model, timeout, extra) for name, extra in extras.items()}


def tokens(asks: Sequence[Request]) -> int:
    """Roughly what these cost: four characters a token, and an answer of 100."""
    return sum(len(json.dumps(a.body)) // 4 + 100 for a in asks if a.body is not None)


def _post(key: str, caller: ClientProfile, body: dict[str, Data], timeout: float) -> Request:
    return Request(
        key=key,
        method="POST",
        url=urls.called(caller.base_url),
        headers=caller.headers,
        body=body,
        timeout=timeout,
        stream=body.get("stream") is True,
    )


def _whole(caller: ClientProfile, model: str, messages: Sequence[Data]) -> dict[str, Data]:
    """The client's body, its members in the client's order."""
    cached = _cached(caller)
    body: dict[str, Data] = {
        "model": plain(model),
        "messages": [*messages, {"role": "system", "content": "Today's date is 2026-11-22."}],
        "system": [
            {"type": "text", "text": "x-anthropic-billing-header: cc_entrypoint=sdk-cli;"},
            {"type": "text", "text": _IDENTITY, **cached},
            {"type": "text", "text": _WORK, **cached},
        ],
        "tools": list(TOOLS),
        "metadata": {"user_id": json.dumps({"account_uuid": "", "session_id": _SESSION})},
        "max_tokens": caller.max_tokens,
    }
    if caller.thinking:
        body["thinking"] = {"type": "adaptive"}
    if caller.thinking and caller.experimental:
        edits = [{"type": "clear_thinking_20251015", "keep": "all"}]
        body["context_management"] = {"edits": edits}
    body["output_config"] = {"effort": caller.effort}
    body.update(caller.extra_body)
    return {**body, "stream": True} if caller.streams else body


def _user(caller: ClientProfile, text: str) -> dict[str, Data]:
    reminder = "<system-reminder>\nThis is a test of the connection.\n</system-reminder>\n\n"
    said = {"type": "text", "text": text, **_cached(caller)}
    return {"role": "user", "content": [{"type": "text", "text": reminder}, said]}


def _cached(caller: ClientProfile) -> dict[str, Data]:
    return {"cache_control": {"type": "ephemeral"}} if caller.caching else {}
