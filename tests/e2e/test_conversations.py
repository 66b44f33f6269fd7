"""A conversation that is begun on one model and goes on on another: what the client sends.

What the tables say is what `use` and `switch-model` say to a person, and docs/profiles.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.cli.tool import Tool
from tests.e2e import behaviours as act
from tests.e2e import parts
from tests.e2e.conftest import StartGateway
from tests.e2e.faults import blocks, says, thought
from tests.e2e.processes import QUIET, ask_client, free_port
from tests.e2e.test_chain import succeeded
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
        said = ask_client(
            self.version,
            home=self.tool.home,
            cwd=self.tool.cwd,
            env=RUN,
            args=[*again, "--allowedTools", "Read"],
            prompt=prompt if again else ASK,
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
    keys = ("CUSTOM_OPENAI_API_KEY", "CUSTOM_ANTHROPIC_API_KEY", "MOONSHOT_API_KEY")
    tool = Tool(base / "home", base / "work", dict.fromkeys(keys, KEY))
    with Upstream() as upstream:
        upstream.behave = lambda request: service(request.model, request)  # type: ignore[arg-type]
        words = [f"chat-{kind}=custom-openai:{kind}@{upstream.url}/v1" for kind in KINDS]
        words += [f"kimi=kimi:wants@{upstream.url}/v1"]
        words += [f"messages-signed=custom-anthropic:signed@{upstream.url}"]
        named = [word for one in words for word in ("--upstream", one)]
        port = ["--port", str(free_port())]
        succeeded(tool("init", "--provider", "litellm", *port, *named, "--yes"))
        gateways(tool.cwd)
        yield Chain(tool, upstream)


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
