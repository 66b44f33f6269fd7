"""What a client sends: `python -m tools.facts.wire` writes `templates/facts/wire-VERSION.json`.

The shape of each request is kept and none of the vendor's sentences: a prompt or a description
becomes `{"filler": LENGTH}`. A schema keeps its structure, names, words and bounds.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.e2e import behaviours as act
from tests.e2e import faults, parts, truth
from tests.e2e.processes import QUIET, ask_client
from tests.e2e.session import Session
from tests.e2e.upstream import Upstream
from tests.e2e.wire import Behaviour, Reply, Request

FOLDER: Final = parts.ROOT / "templates" / "facts"
VERSIONS: Final = (parts.OLDEST, parts.NEWEST)
_MODEL: Final = "test-model"
_QUESTION: Final = "Answer with one word"
_SLOTS: Final = (
    "ANTHROPIC_MODEL",
    *(f"ANTHROPIC_DEFAULT_{slot}_MODEL" for slot in ("OPUS", "SONNET", "HAIKU", "FABLE")),
    "CLAUDE_CODE_SUBAGENT_MODEL",
)
#: Of the person, the connection or the moment, not of the version.
_PASSING: Final = (
    "authorization",
    "host",
    "connection",
    "content-length",
    "accept-encoding",
    "x-claude-code-session-id",
    "x-stainless-timeout",
)
#: Variables of ours, or in hints of ours, that change what is sent.
_SWITCHES: Final = (
    "CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS=1",
    "CLAUDE_CODE_DISABLE_THINKING=1",
    "CLAUDE_CODE_DISABLE_ADAPTIVE_THINKING=1",
    "MAX_THINKING_TOKENS=0",
    "DISABLE_INTERLEAVED_THINKING=1",
    "CLAUDE_CODE_EFFORT_LEVEL=auto",
    "CLAUDE_CODE_EFFORT_LEVEL=low",
    "DISABLE_PROMPT_CACHING=1",
    "CLAUDE_CODE_MAX_OUTPUT_TOKENS=8192",
    "CLAUDE_CODE_SIMPLE=1",
)
#: Values of ENABLE_TOOL_SEARCH: with some of them most tools are kept back.
_SEARCHES: Final = ("", "true", "1", "false", "0", "no", "off", "auto", "auto:0")
#: A refusal that comes once, and then no more: does the client ask again?
_STATUSES: Final = (
    *(400, 401, 402, 403, 404, 405, 408, 409, 410, 413, 418, 422, 425, 429, 451),
    *(500, 501, 502, 503, 504, 505, 520, 522, 524, 529, 530),
)
#: Of `tests.e2e.faults`: what one version forgives and another does not.
_FORGIVEN: Final = (
    *("no-ends", "no-id", "no-message-delta", "no-message-stop"),
    *("length-too-long", "block-stop-twice", "piece-as-stream", "once-529-do-not"),
    *("delta-usage-text", "error-event-at-end"),
)
_FIELDS: Final = ("thinking", "context_management", "output_config", "metadata", "safeguards")


# --- one request ------------------------------------------------------------------------------


class Client:
    """A client of one version in a home of its own, with a set-up as `init` writes it."""

    def __init__(self, version: str, base: Path) -> None:
        self.version, self.home, self.work = version, base / "home", base / "work"
        (self.home / ".claude").mkdir(parents=True)
        self.work.mkdir()

    def settings(self, url: str, switch: str = "", *, ours: bool = True) -> None:
        name, _, value = switch.partition("=")
        env = {
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_AUTH_TOKEN": "sk-test-0123456789abcdef",
            "ANTHROPIC_API_KEY": "",
            **dict.fromkeys(_SLOTS, _MODEL),
            "API_TIMEOUT_MS": "3000000",
            "CLAUDE_CODE_MAX_CONTEXT_TOKENS": "200000",
            "ENABLE_TOOL_SEARCH": "false",
            **({name: value} if name else {}),
        }
        permissions = {"permissions": {"disableAutoMode": "disable"}} if ours else {}
        text = json.dumps({"env": env, **permissions})
        (self.home / ".claude" / "settings.json").write_text(text, encoding="utf-8")

    def prints(self) -> bool:
        """Whether `-p` is answered."""
        quick = {**QUIET, "CLAUDE_CODE_MAX_RETRIES": "1"}
        return ask_client(self.version, home=self.home, cwd=self.work, env=quick).code == 0

    def talks(self, upstream: Upstream) -> Request:
        """The first message of an interactive session."""
        with Session(self.version, home=self.home, cwd=self.work) as session:
            session.get_ready()
            session.say(_QUESTION)
            return upstream.wait_for(_is_first)


def _is_first(request: Request) -> bool:
    """A session's title is asked for beside its first message, without tools."""
    return request.dialect == "anthropic" and bool(request.tools)


def in_print(version: str, switch: str = "") -> Request:
    with Upstream() as upstream, _client(version) as client:
        client.settings(upstream.url, switch)
        client.prints()
        return next(filter(_is_first, upstream.requests))


def interactive(version: str, switch: str = "", *, ours: bool = True) -> Request:
    """`ours`: with the settings that `init` writes beside `env`."""
    with Upstream() as upstream, _client(version) as client:
        client.settings(upstream.url, switch, ours=ours)
        return client.talks(upstream)


def survives(version: str, wrong: Callable[[Request], str | None], switch: str = "") -> bool:
    """Whether the client is answered in the end although `wrong` requests are a 400."""

    def behave(request: Request, reply: Reply) -> None:
        words = wrong(request)
        (act.answer() if words is None else act.status(400, words))(request, reply)

    def choose(request: Request) -> Behaviour | None:
        return behave if request.dialect == "anthropic" else None

    with Upstream() as upstream, _client(version) as client:
        upstream.behave = choose
        client.settings(upstream.url, switch)
        return client.prints()


class _client:  # noqa: N801 - used as a function
    def __init__(self, version: str) -> None:
        self._version = version
        self._folder = tempfile.TemporaryDirectory(prefix="wire-", ignore_cleanup_errors=True)

    def __enter__(self) -> Client:
        return Client(self._version, Path(self._folder.name))

    def __exit__(self, *_exc: object) -> None:
        self._folder.cleanup()


# --- without the vendor's words ---------------------------------------------------------------


def shape(request: Request) -> dict[str, Any]:
    """Headers, betas and body, tools apart."""
    headers = {k: v for k, v in request.headers.items() if k not in _PASSING}
    betas = headers.pop("anthropic-beta", "").split(",")
    body = {key: value for key, value in request.body.items() if key != "tools"}
    return {
        "path": request.path + "?" + "&".join(f"{k}={v}" for k, v in request.query.items()),
        "headers": headers,
        "betas": betas,
        "body": {key: _bare(value, key) for key, value in body.items()},
        "size": len(request.raw),
    }


def tool(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _bare(part, key) for key, part in value.items()}


#: Members whose text is a word of the protocol.
_WORDS: Final = ("type", "role", "model", "effort", "display", "keep", "name", "$schema", "enum")
_WORDS_OF_SCHEMAS: Final = ("required", "format", "pattern", "const", "default", "$ref")


def _bare(value: Any, key: str = "") -> Any:
    """The same structure, every sentence replaced by its length."""
    if isinstance(value, str):
        protocol = key in _WORDS or key in _WORDS_OF_SCHEMAS
        return value if protocol else {"filler": len(value)}
    if isinstance(value, list):
        return [_bare(part, key) for part in value]
    if isinstance(value, Mapping):
        return {name: _bare(part, name) for name, part in value.items()}
    return value


# --- a version --------------------------------------------------------------------------------


def record(version: str) -> dict[str, Any]:
    """All that we keep of a version."""
    requests = {
        "print": in_print(version),
        "interactive": interactive(version),
        "automatic": interactive(version, ours=False),
        "print search": in_print(version, "ENABLE_TOOL_SEARCH=true"),
        "interactive search": interactive(version, "ENABLE_TOOL_SEARCH=true"),
    }
    tools: list[dict[str, Any]] = []
    modes: dict[str, Any] = {}
    for mode, request in requests.items():
        own = [tool(value) for value in request.body["tools"]]
        tools += [value for value in own if value not in tools]
        modes[mode] = {**shape(request), "tools": [tools.index(value) for value in own]}
    base = requests["print"]
    with ThreadPoolExecutor(3) as pool:
        switched = pool.map(lambda switch: in_print(version, switch), _SWITCHES)
        switches = {
            switch: _difference(base, request)
            for switch, request in zip(_SWITCHES, switched, strict=True)
        }
        searches = pool.map(lambda value: _searches(version, value), _SEARCHES)
        refused = dict(_refusals(base))
        survived = pool.map(lambda wrong: survives(version, wrong), refused.values())
        survives_ = [name for name, did in zip(refused, survived, strict=True) if did]
        if survives(version, _refused_search, "ENABLE_TOOL_SEARCH=true"):
            survives_.append("defer_loading")
        if _works(version, [one for one in truth.FAULTS if one.name == "bad-signature"]):
            survives_.append("signature")
    return {
        "client": version,
        "measured": datetime.now(UTC).date().isoformat(),
        "modes": modes,
        "switches": switches,
        "searches": dict(zip(_SEARCHES, searches, strict=True)),
        "refused": list(refused),
        "survives": survives_,
        "asks_again": asks_again(version),
        "forgives": forgives(version),
        "tools": tools,
    }


def _searches(version: str, value: str) -> bool:
    return "ToolSearch" in in_print(version, f"ENABLE_TOOL_SEARCH={value}").tools


def asks_again(version: str) -> list[int]:
    """The statuses after which the client asks once more."""
    once = {code: faults.in_turn(act.status(code, headers={})) for code in _STATUSES}
    tried = [faults.Fault(name=str(code), make=make) for code, make in once.items()]
    return [int(name) for name in _works(version, tried)]


def forgives(version: str) -> list[str]:
    """The faults in a stream that the client lives with."""
    return _works(version, [one for one in truth.FAULTS if one.name in _FORGIVEN])


def _works(version: str, tried: Sequence[faults.Fault]) -> list[str]:
    with truth.Faulty().running() as faulty, ThreadPoolExecutor(3) as pool:
        works = list(pool.map(lambda one: truth.tried(faulty, one, version), tried))
    return [one.name for one, did in zip(tried, works, strict=True) if did]


def _difference(base: Request, other: Request) -> dict[str, Any]:
    """What a switch changes: betas that go and come, members of the body (None: gone)."""
    before, after = shape(base), shape(other)
    names = [n for n in {**before["body"], **after["body"]} if n not in _VARYING]
    changed = {
        name: after["body"].get(name)
        for name in names
        if before["body"].get(name) != after["body"].get(name)
    }
    found = {
        "gone": [beta for beta in before["betas"] if beta not in after["betas"]],
        "new": [beta for beta in after["betas"] if beta not in before["betas"]],
        "body": changed,
        "tools": len(other.tools) if other.tools != base.tools else 0,
        "uncached": b'"cache_control"' not in other.raw,
    }
    return {key: value for key, value in found.items() if value}


_VARYING: Final = ("messages", "system")


def _refusals(base: Request) -> Iterator[tuple[str, Callable[[Request], str | None]]]:
    """A refusal of each part of the shape, in the words of Anthropic's own API."""
    for name in _FIELDS:
        if name in base.body:
            yield name, _refused_field(name)
    for name in base.headers["anthropic-beta"].split(","):
        yield name, _refused_beta(name)
    yield "system role", _refused_role
    yield "role", _refused_role_otherwise
    yield "adaptive thinking", _refused_adaptive
    yield "cache_control", _refused_caching


def _refused_field(name: str) -> Callable[[Request], str | None]:
    return lambda r: f"{name}: Extra inputs are not permitted" if name in r.body else None


def _refused_beta(name: str) -> Callable[[Request], str | None]:
    said = f"Unexpected value(s) `{name}` for the `anthropic-beta` header"
    return lambda r: said if name in r.headers.get("anthropic-beta", "") else None


def _refused_role(request: Request) -> str | None:
    roles = [message.get("role") for message in request.body["messages"]]
    said = 'messages: Unexpected role "system". The Messages API accepts a top-level `system`'
    return f"{said} parameter, not an input message role." if "system" in roles else None


def _refused_role_otherwise(request: Request) -> str | None:
    roles = [message.get("role") for message in request.body["messages"]]
    said = "messages.1.role: Input should be 'user' or 'assistant'"
    return said if "system" in roles else None


def _refused_adaptive(request: Request) -> str | None:
    adaptive = request.body.get("thinking", {}).get("type") == "adaptive"
    said = "thinking: Input tag 'adaptive' found using 'type' does not match any expected tags"
    return said if adaptive else None


def _refused_search(request: Request) -> str | None:
    """In words that say nothing."""
    return "bad request" if "ToolSearch" in request.tools else None


def _refused_caching(request: Request) -> str | None:
    said = "messages.0.content.1.cache_control: Extra inputs are not permitted"
    return said if b'"cache_control"' in request.raw else None


def written(facts: Mapping[str, Any]) -> str:
    """A tool a line; the rest indented."""
    head = json.dumps({k: v for k, v in facts.items() if k != "tools"}, indent=1)
    head = re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda m: f"[{' '.join(m[1].split())}]", head)
    tools = ",\n".join(f"  {json.dumps(one, separators=(',', ':'))}" for one in facts["tools"])
    return f'{head.removesuffix("}").rstrip()},\n "tools": [\n{tools}\n ]\n}}\n'


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for version in VERSIONS:
        path = FOLDER / f"wire-{version}.json"
        path.write_text(written(record(version)), encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
