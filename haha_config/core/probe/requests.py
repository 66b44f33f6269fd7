"""The requests of a probe: the client's own, made small where size is not what is asked about."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from haha_config.core import urls
from haha_config.core.exchange import Request
from haha_config.core.model import Data, plain_name
from haha_config.core.probe import wire as wires
from haha_config.core.probe.client_profile import ClientProfile
from haha_config.core.probe.wire import CACHING, DEFERRED, DISPLAY, SYSTEM_ROLE, sentence

#: A word that no model says by itself.
HIDDEN_WORD: Final = "marmalade-7391"
#: The client's real system prompt and tools are about this large.
CONTEXT_TOKENS: Final = 25_000

_SESSION: Final = "00000000-0000-4000-8000-000000000000"
_USER: Final = json.dumps(
    {"device_id": "0" * 64, "account_uuid": "", "session_id": _SESSION}, separators=(",", ":")
)
#: In a small request each of the client's sentences is cut off here.
_SHORT: Final = 120
_SMALL_TOOLS: Final = ("AskUserQuestion", "Edit", "Read", "ToolSearch")
#: What a model must know to call them; the rest of each description is as long as the client's.
_DESCRIPTIONS: Final[Mapping[str, str]] = {
    "AskUserQuestion": "Asks the person. Not now. ",
    "Edit": "Changes a file. ",
    "Read": "Reads a file. Call it once for each file that is asked about. ",
}
_WORK: Final = "You help with software engineering tasks. Use the tools. Be brief. "

_HELLO = "Answer with the one word: ready"
_READ_ONE = "Read the file /probe/alpha.txt with the tool Read. Call the tool now."
_READ_TWO = (
    "Read the files /probe/alpha.txt and /probe/beta.txt with the tool Read: "
    "call it twice in one answer, now."
)


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
        "model": plain_name(model),
        "max_tokens": 64,
        "messages": [{"role": "user", "content": _HELLO}],
        "stream": True,
        **(extra or {}),
    }
    return _post("model", caller, body, timeout)


def first(caller: ClientProfile, model: str, timeout: float, *, small: bool) -> Request:
    """The first message of a session, which needs a tool; as long as the client's, or small."""
    body = _session(caller, model, _READ_ONE, small=small)
    return _post("small" if small else "first", caller, body, timeout)


def parallel(caller: ClientProfile, model: str, timeout: float) -> Request:
    """Two calls in one answer, with the tools of an interactive session among them."""
    session = replace(caller, wire=replace(caller.wire, tools=caller.session.tools))
    return _post("parallel", caller, _session(session, model, _READ_TWO), timeout)


def second(
    caller: ClientProfile,
    model: str,
    content: Sequence[Data],
    timeout: float,
    *,
    failed: bool = False,
) -> Request:
    """The model's own calls, its thinking beside them, and the results that the client sends back.

    `failed`: the last result is an error.
    """
    calls = [b for b in content if isinstance(b, Mapping) and b.get("type") == "tool_use"]
    results: list[dict[str, Data]] = [
        {"tool_use_id": call.get("id"), "type": "tool_result", "content": "1\tThe file says: ready"}
        for call in calls
    ]
    if failed and results:
        wrong = "<tool_use_error>File does not exist.</tool_use_error>"
        results[-1] |= {"content": wrong, "is_error": True}
    later = [{"role": "assistant", "content": list(content)}, {"role": "user", "content": results}]
    question = _READ_TWO if len(calls) > 1 else _READ_ONE
    body = _session(caller, model, question, later=later)
    return _post("error result" if failed else "second", caller, body, timeout)


def count(caller: ClientProfile, model: str, timeout: float) -> Request:
    """How many tokens: the client does without where it isn't offered."""
    body = {"model": plain_name(model), "messages": [{"role": "user", "content": _HELLO}]}
    url = f"{caller.base_url.rstrip('/')}/v1/messages/count_tokens?beta=true"
    return Request(
        key="count_tokens",
        method="POST",
        url=url,
        headers=caller.sent_headers,
        body=body,
        timeout=timeout,
    )


def context(caller: ClientProfile, model: str, timeout: float) -> Request:
    """A word at the start of a prompt as long as the client's own: a server that cuts loses it."""
    line = "{n}. Nothing of interest happened on day {n}, and the log says so.\n"
    # About 17 tokens a line with the tokenizers of today.
    filler = "".join(line.format(n=n) for n in range(CONTEXT_TOKENS // 17))
    body = {
        "model": plain_name(model),
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
    bare = replace(caller, wire=replace(caller.wire, betas=()))
    whole = _session(bare, model, _HELLO)
    extras: dict[str, Mapping[str, Data]] = {
        name: {name: value}
        for name, value in whole.items()
        if name not in ("model", "messages", "stream")
    }
    tools = whole["tools"]
    extras["tools"] = {"tools": [tool for tool in tools if DEFERRED not in tool]}
    if extras["tools"]["tools"] != tools:
        extras[DEFERRED] = {"tools": tools}
    if "thinking" in extras:
        thinking = whole["thinking"]
        if "display" in thinking:
            extras[DISPLAY] = {"thinking": thinking, "max_tokens": 4096}
        bare_thinking = {k: v for k, v in thinking.items() if k != "display"}
        extras["thinking"] = {"thinking": bare_thinking, "max_tokens": 4096}
    _said, *roles = whole["messages"]
    if roles:
        hello = {"role": "user", "content": _HELLO}
        extras[SYSTEM_ROLE] = {"messages": [hello, *wires.uncached(roles)]}
    if caller.wire.caching:
        cached = {"type": "text", "text": _HELLO, CACHING: {"type": "ephemeral"}}
        extras[CACHING] = {"messages": [{"role": "user", "content": [cached]}]}
        for name in extras.keys() & {"system", "tools", DEFERRED}:
            extras[name] = wires.uncached(extras[name])
    found = {name: message(bare, model, timeout, extra) for name, extra in extras.items()}
    for beta in caller.wire.betas:
        with_beta = replace(caller, wire=replace(caller.wire, betas=(beta,)))
        found[beta] = message(with_beta, model, timeout)
    return found


def bare(caller: ClientProfile, model: str, timeout: float) -> Request:
    """The least that can be asked, without any beta."""
    return message(replace(caller, wire=replace(caller.wire, betas=())), model, timeout)


def tokens(asks: Sequence[Request]) -> int:
    """Roughly what these cost: four characters a token, and an answer of 100."""
    return sum(len(json.dumps(a.body)) // 4 + 100 for a in asks if a.body is not None)


def _post(key: str, caller: ClientProfile, body: dict[str, Data], timeout: float) -> Request:
    return Request(
        key=key,
        method="POST",
        url=urls.called(caller.base_url),
        headers={**caller.sent_headers, "x-claude-code-session-id": _SESSION},
        body=body,
        timeout=timeout,
        silence=caller.silence,
        stream=body.get("stream") is True,
    )


# --- the client's shape -----------------------------------------------------------------------


def _session(
    caller: ClientProfile, model: str, text: str, *, small: bool = True, later: Sequence[Data] = ()
) -> dict[str, Any]:
    """The client's body, its members in the client's order; `later`: what came after `text`."""
    wire = caller.wire
    recorded = {**wire.body, "messages": _messages(caller, text, later)}
    body: dict[str, Any] = {}
    for name, value in recorded.items():
        body[name] = wires.filled(value, _SHORT if small else None)
        if name == "system":
            body["system"] = _system(caller, body["system"])
            body["tools"] = _tools(caller, small=small)
    body["model"] = plain_name(model)
    if "metadata" in body:
        body["metadata"] = {"user_id": _USER}
    if not wire.caching:
        body = wires.uncached(body)
    if not caller.streams:
        del body["stream"]
    return body


def _messages(caller: ClientProfile, text: str, later: Sequence[Data]) -> list[Data]:
    said, *roles = caller.wire.body["messages"]
    reminder = [*said["content"][:-1], {**said["content"][-1], "text": text}]
    messages = [{**said, "content": reminder}, *(roles if caller.wire.system_role else ())]
    if not later:
        return messages
    *before, last = later
    content = [*last["content"]]
    # The mark of what is cached moves on to the last thing said.
    content[-1] = {**content[-1], CACHING: {"type": "ephemeral"}}
    return [*wires.uncached(messages), *before, {**last, "content": content}]


def _system(caller: ClientProfile, blocks: list[dict[str, Data]]) -> list[dict[str, Data]]:
    """The same lengths, with words that tell a model what it is for."""
    starts = (
        f"x-anthropic-billing-header: cc_version={caller.wire.version}; cc_entrypoint=cli;",
        "You are a coding agent in a terminal. ",
        _WORK,
    )
    return [
        {**block, "text": sentence(len(block["text"]), start)}
        for block, start in zip(blocks, starts, strict=False)
    ]


def _tools(caller: ClientProfile, *, small: bool) -> list[Data]:
    limit = _SHORT if small else None
    chosen = [
        t for t in caller.wire.tools if not small or t["name"] in _SMALL_TOOLS or DEFERRED in t
    ]
    filled = [wires.filled(tool, limit) for tool in chosen]
    return [
        tool
        | {"description": sentence(len(tool["description"]), _DESCRIPTIONS.get(tool["name"], ""))}
        for tool in filled
    ]
