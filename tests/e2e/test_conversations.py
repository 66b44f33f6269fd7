"""A conversation that is begun on one model and goes on on another, and one that searches the web.

What the tables say is what `use`, `switch-model` and the provider table say, and docs/profiles.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from haha_config.core.providers.model import Provider
from tests.cli.tool import Tool
from tests.e2e import behaviours as act
from tests.e2e import parts
from tests.e2e.conftest import StartGateway
from tests.e2e.faults import blocks, says, thought
from tests.e2e.processes import QUIET, Said, ask_client, fetch, free_port
from tests.e2e.test_chain import PROVIDERS, succeeded
from tests.e2e.test_facts import KEY
from tests.e2e.upstream import Upstream
from tests.e2e.wire import Behaviour, Request

#: How a service thinks, and what it asks of thinking that comes back. `signed` and `unsigned` take
#: everything; `checks` takes its own signatures only, as Anthropic does; `wants` refuses a call
#: without thinking, as DeepSeek and Kimi do; `silent` does not think.
Kind = Literal["signed", "unsigned", "checks", "wants", "silent"]
RUN = {**QUIET, "CLAUDE_CODE_MAX_RETRIES": "1"}
ASK = "Read the file notes.txt and answer with what it says."


def messages(request: Request) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """What the assistant said, and the parts of it."""
    for message in request._list("messages"):
        if message.get("role") == "assistant":
            content = message.get("content")
            yield message, content if isinstance(content, list) else []


def thinking(request: Request) -> list[str]:
    """The signatures that came back; `-` for thinking without one."""
    return [
        part.get("signature") or "-"
        for _, content in messages(request)
        for part in content
        if part["type"] == "thinking"
    ]


def refusal(kind: Kind, request: Request) -> str | None:
    if kind == "checks" and any(signature != kind for signature in thinking(request)):
        return "messages.1.content.0: Invalid `signature` in `thinking` block"
    if kind != "wants":
        return None
    for message, content in messages(request):
        kinds = [part["type"] for part in content]
        thought_of = "thinking" in kinds or message.get("reasoning_content")
        if ("tool_use" in kinds or message.get("tool_calls")) and not thought_of:
            return "The `content[].thinking` in the thinking mode must be passed back to the API."
    return None


def service(kind: Kind, request: Request) -> Behaviour | None:
    if request.dialect not in ("anthropic", "chat"):
        return None
    refused = refusal(kind, request)
    if refused is not None:
        return act.status(400, refused)
    said = blocks(request)
    if request.dialect == "anthropic":
        signature = "" if kind == "unsigned" else kind
        before = [] if kind == "silent" else [thought(signature)]
        return says(lambda _: [*before, *said])
    calls = [(block["name"], block["input"]) for block in said if block["type"] == "tool_use"]
    text = "".join(block["text"] for block in said if block["type"] == "text")
    return act.answer(text, calls=calls, thinking="" if kind == "silent" else "I think.")


def reads_each_turn(kind: Kind, request: Request) -> Behaviour | None:
    """The same service with a model that reads the file again whatever it is told."""
    said = [m for m in request._list("messages") if m.get("role") == "user"]
    if request.dialect != "anthropic" or refusal(kind, request) or not request.tools:
        return service(kind, request)
    if "tool_result" in str(said[-1]["content"]):
        return says(lambda _: [thought(kind), {"type": "text", "text": "marmot"}])
    call = {"id": f"toolu_{request.number}", "name": "Read", "input": {"file_path": "notes.txt"}}
    return says(lambda _: [thought(kind), {"type": "tool_use", **call}])


def asked_client(version: str, tool: Tool, *args: str, prompt: str = "say hi") -> Said:
    home, cwd = tool.home, tool.cwd
    return ask_client(version, home=home, cwd=cwd, env=RUN, args=args, prompt=prompt)


@dataclass
class Conversation:
    """One conversation of a client in one folder, and what each service made of it."""

    tool: Tool
    version: str
    heard: list[Request] = field(default_factory=list)

    def on(self, upstream: Upstream, prompt: str = "go on") -> bool:
        """Whether the next turn comes to its end."""
        again = ["--continue"] if self.heard else []
        upstream.clear()
        prompt = prompt if again else ASK
        said = asked_client(
            self.version, self.tool, *again, "--allowedTools", "Read", prompt=prompt
        )
        self.heard = [r for r in upstream.asked() if r.tools]
        return said.code == 0 and ("marmot" in said.stdout or prompt == "/compact")


@pytest.fixture
def tool(home: Path, work: Path) -> Tool:
    (work / "notes.txt").write_text("marmot\n", encoding="utf-8")
    return Tool(home=home, cwd=work, environ={"CUSTOM_ANTHROPIC_API_KEY": KEY})


def saved(tool: Tool, name: str, upstream: Upstream, model: str) -> None:
    words = ["--provider", "custom-anthropic", "--base-url", upstream.url, "--model", model]
    succeeded(tool("init", *words, "--write", "settings", "--save-as", name, "--yes"))


class TestDirect:
    @pytest.mark.parametrize(
        ("first", "then", "renamed", "goes_on", "sent"),
        [
            # Another name: signed thinking is left out, unsigned thinking is not.
            ("signed", "checks", True, True, []),
            ("unsigned", "wants", True, True, ["-", "-"]),
            # Refused signatures: the client asks again without them.
            ("unsigned", "checks", True, True, []),
            ("signed", "checks", False, True, []),
            # Nothing is left for a service that wants it back.
            ("signed", "wants", True, False, []),
            ("silent", "wants", True, False, []),
        ],
    )
    def test_there_and_back(
        self,
        tool: Tool,
        version: str,
        first: Kind,
        then: Kind,
        renamed: bool,
        goes_on: bool,
        sent: list[str],
    ) -> None:
        with Upstream() as one, Upstream() as other:
            one.behave = lambda request: service(first, request)
            other.behave = lambda request: service(then, request)
            saved(tool, "other", other, "other-model" if renamed else "model")
            saved(tool, "one", one, "model")
            conversation = Conversation(tool, version)
            assert conversation.on(one)
            succeeded(tool("use", "other"))
            assert conversation.on(other) == goes_on
            assert thinking(conversation.heard[-1]) == sent
            succeeded(tool("use", "-"))
            assert conversation.on(one)

    def test_a_tool_in_between_is_missed_on_the_way_back(self, tool: Tool) -> None:
        with Upstream() as one, Upstream() as other:
            one.behave = lambda request: reads_each_turn("wants", request)
            other.behave = lambda request: reads_each_turn("signed", request)
            saved(tool, "other", other, "other-model")
            saved(tool, "one", one, "model")
            conversation = Conversation(tool, parts.NEWEST)
            assert conversation.on(one)
            succeeded(tool("use", "other"))
            assert conversation.on(other)
            succeeded(tool("use", "-"))
            assert not conversation.on(one)

    def test_compact_before_the_switch_helps(self, tool: Tool, version: str) -> None:
        with Upstream() as one, Upstream() as other:
            one.behave = lambda request: service("signed", request)
            other.behave = lambda request: service("wants", request)
            saved(tool, "other", other, "other-model")
            saved(tool, "one", one, "model")
            conversation = Conversation(tool, version)
            assert conversation.on(one)
            assert conversation.on(one, "/compact")
            succeeded(tool("use", "other"))
            assert conversation.on(other, ASK)


def row_key(row: Provider) -> str:
    """A key that the row takes for one of its own."""
    fitting = [kind.prefix for kind in row.credential.kinds if kind.fits]
    return f"{fitting[-1] if fitting else 'sk-'}0123456789abcdef0123456789abcdef"


def search_url(row: Provider, upstream: Upstream) -> str:
    native = row.upstream is not None and row.upstream.native
    return f"{upstream.url}/{'anthropic' if native else 'v1'}"


@dataclass(frozen=True)
class Chain:
    tool: Tool
    upstream: Upstream


@pytest.fixture(scope="module")
def chain(gateways: StartGateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """A gateway before services that are told apart by the model that they are asked for."""
    base = tmp_path_factory.mktemp("conversations")
    for name in ("home", "work"):
        (base / name).mkdir()
    (base / "work" / "notes.txt").write_text("marmot\n", encoding="utf-8")
    keys = {row.credential.variable: row_key(row) for row in UPSTREAMS if row.credential.variable}
    tool = Tool(base / "home", base / "work", keys)
    with Upstream() as upstream:
        upstream.behave = lambda request: service(request.model, request)  # type: ignore[arg-type]
        words = [f"chat-{kind}=custom-openai:{kind}@{upstream.url}/v1" for kind in KINDS]
        words += [f"kimi=kimi:wants@{upstream.url}/v1"]
        words += [f"messages-signed=custom-anthropic:signed@{upstream.url}"]
        words += [
            f"search-{row.key}={row.key}:silent@{search_url(row, upstream)}" for row in UPSTREAMS
        ]
        named = [word for one in words for word in ("--upstream", one)]
        port = ["--port", str(free_port())]
        succeeded(tool("init", "--provider", "litellm", *port, *named, "--yes"))
        gateways(tool.cwd)
        yield Chain(tool, upstream)


UPSTREAMS = [row for row in PROVIDERS.values() if row.upstream is not None]
KINDS: tuple[Kind, ...] = ("signed", "wants", "silent")


@pytest.mark.parametrize(
    ("first", "then", "goes_on"),
    [
        # LiteLLM makes unsigned thinking of `reasoning_content`, and gives it back.
        ("chat-signed", "chat-wants", True),
        ("chat-silent", "chat-wants", False),
        ("messages-signed", "chat-wants", False),
        ("chat-silent", "kimi", False),
    ],
)
def test_through_litellm(chain: Chain, first: str, then: str, goes_on: bool) -> None:
    succeeded(chain.tool("switch-model", first))
    conversation = Conversation(chain.tool, parts.NEWEST)
    assert conversation.on(chain.upstream)
    succeeded(chain.tool("switch-model", then))
    assert conversation.on(chain.upstream) == goes_on
    succeeded(chain.tool("switch-model", first))
    assert conversation.on(chain.upstream)


# --- web search -------------------------------------------------------------------------------

SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}


def searches(request: Request) -> bool:
    return any(tool.get("type") == SEARCH["type"] for tool in request._list("tools"))


def test_the_client_asks_the_service_to_search(tool: Tool, version: str) -> None:
    with Upstream() as upstream:
        saved(tool, "one", upstream, "model")
        words = [
            {
                "type": "tool_use",
                "id": "toolu_1",
                "name": "WebSearch",
                "input": {"query": "weather"},
            }
        ]

        def behave(request: Request) -> Behaviour | None:
            if searches(request):
                return act.status(
                    400, "invalid params, function name or parameters is empty (2013)"
                )
            asks = "WebSearch" in request.tools and not request.has_tool_result
            return says(lambda _: words) if asks else None

        upstream.behave = behave
        args = ["--allowedTools", "WebSearch"]
        assert asked_client(version, tool, *args).code == 0
        asked = next(r for r in upstream.asked() if searches(r))
        assert asked.body["tools"] == [SEARCH]
        assert asked.body["tool_choice"] == {"type": "auto"}
        # What is refused is told to the model, and the turn goes on.
        assert "function name or parameters is empty" in str(upstream.asked()[-1].body["messages"])
        upstream.clear()
        words_of = [
            "--provider",
            "custom-anthropic",
            "--base-url",
            upstream.url,
            "--model",
            "model",
        ]
        succeeded(tool("init", *words_of, "--deny-web-search", "--yes"))
        assert asked_client(version, tool, *args).code == 0
        assert upstream.asked()
        assert not any("WebSearch" in r.tools for r in upstream.asked())


@pytest.mark.parametrize("row", UPSTREAMS, ids=lambda row: row.key)
def test_litellm_hands_the_search_on_or_leaves_it_out(chain: Chain, row: Provider) -> None:
    chain.upstream.clear()
    env = chain.tool.env
    fetch(
        f"{env['ANTHROPIC_BASE_URL']}/v1/messages",
        headers={
            "authorization": f"Bearer {env['ANTHROPIC_AUTH_TOKEN']}",
            "user-agent": f"claude-cli/{parts.NEWEST} (external, cli)",
        },
        body={
            "model": f"search-{row.key}",
            "max_tokens": 1000,
            "tools": [SEARCH],
            "tool_choice": {"type": "auto"},
            "output_config": {"effort": "high"},
            "messages": [{"role": "user", "content": "Perform a web search for the query: x"}],
        },
    )
    asked = [request for request in chain.upstream.requests if request.method == "POST"]
    assert asked
    assert row.upstream is not None
    assert {searches(request) for request in asked} == {row.upstream.native}
