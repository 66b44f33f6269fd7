"""The first upstream ends in mid-conversation, or refuses a key: the client's turn goes on.

What is measured here is what docs/gateway.md says.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from typing import Literal

import pytest

from tests.cli.tool import Tool
from tests.e2e import behaviours as act
from tests.e2e.conftest import StartGateway
from tests.e2e.processes import QUIET, Said, ask_client, free_port
from tests.e2e.test_chain import succeeded
from tests.e2e.upstream import Upstream
from tests.e2e.wire import Reply, Request

KEYS = {
    "CUSTOM_OPENAI_API_KEY": "sk-test-0123456789abcdef",
    "CUSTOM_ANTHROPIC_API_KEY": "sk-test-0123456789abcdef",
    "SECOND_KEY": "sk-test-abcdef0123456789",
}
#: What the first upstream does with a request that has tools: it answers, ends once it has called
#: one, or says half an answer and waits for its end.
Life = Literal["answers", "ends-after-a-call", "stops-in-mid-answer"]
SPAWN = multiprocessing.get_context("spawn")


def live(port: int, life: Life, reached: Event, ready: Event) -> None:
    """An upstream in a process of its own, which can be killed with its connections."""

    def behave(request: Request, reply: Reply) -> None:
        if life == "ends-after-a-call":
            calls = [("Read", {"file_path": "notes.txt"})]
            act.answer(calls=calls)(request, reply)
            os.kill(os.getpid(), signal.SIGKILL)
        said = act._compose(request, "half of an answer", None, None)
        reply.open_stream(chunked=True)
        for name, data in list(act._events(request, said))[:4]:
            reply.event(data, name)
        reached.set()
        reply.hang()

    with Upstream(port=port) as upstream:
        upstream.behave = lambda request: behave if request.tools and life != "answers" else None
        ready.set()
        upstream._closing.wait()


@dataclass
class First:
    """The upstream that is asked first, alive or not."""

    port: int
    process: multiprocessing.process.BaseProcess | None = None
    reached: Event = field(default_factory=SPAWN.Event)

    def begin(self, life: Life = "answers") -> None:
        ready = SPAWN.Event()
        self.reached = SPAWN.Event()
        arguments = (self.port, life, self.reached, ready)
        self.process = SPAWN.Process(target=live, args=arguments, daemon=True)
        self.process.start()
        assert ready.wait(60)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.join()


@contextlib.contextmanager
def _once(happened: Event, act_then: Callable[[], None]) -> Iterator[None]:
    """Does a thing as soon as another has happened, while the caller goes on."""

    def wait() -> None:
        if happened.wait(120):
            act_then()

    waiting = threading.Thread(target=wait)
    waiting.start()
    yield
    waiting.join()


@dataclass(frozen=True)
class Chain:
    tool: Tool
    first: First
    second: Upstream

    def ask(self, version: str, *args: str, prompt: str = "say hi") -> Said:
        more = [*args, "--allowedTools", "Read"]
        home, cwd = self.tool.home, self.tool.cwd
        return ask_client(version, home=home, cwd=cwd, env=QUIET, args=more, prompt=prompt)


@pytest.fixture(scope="module")
def whole(gateways: StartGateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """One gateway: `chat` and `native` at the first upstream, the rest at the second."""
    base = tmp_path_factory.mktemp("fallbacks")
    for name in ("home", "work"):
        (base / name).mkdir()
    (base / "work" / "notes.txt").write_text("marmot\n", encoding="utf-8")
    tool = Tool(base / "home", base / "work", KEYS)
    first = First(free_port())
    root = f"http://127.0.0.1:{first.port}"
    with Upstream() as second:
        ups = {
            "chat": f"custom-openai:up-chat@{root}/v1",
            "native": f"custom-anthropic:up-native@{root}",
            "spare": f"custom-openai:up-spare@{second.url}/v1",
            "keyed": f"custom-openai:up-keyed@{second.url}/v1",
        }
        named = [word for name, one in ups.items() for word in ("--upstream", f"{name}={one}")]
        keys = ["--upstream-key-env", "keyed=CUSTOM_OPENAI_API_KEY,SECOND_KEY"]
        others = ["--fallback", "chat=spare", "--fallback", "native=spare"]
        port = ["--port", str(free_port())]
        succeeded(tool("init", "--provider", "litellm", *port, *named, *keys, *others, "--yes"))
        gateways(tool.cwd)
        yield Chain(tool, first, second)


@pytest.fixture
def chain(whole: Chain) -> Iterator[Chain]:
    whole.second.clear()
    whole.second.behave = lambda _request: None
    yield whole
    whole.first.kill()


def test_killed_between_two_turns(chain: Chain, version: str) -> None:
    succeeded(chain.tool("switch-model", "chat"))
    chain.first.begin()
    said = chain.ask(version, prompt="remember the word marmot")
    assert said.stdout.strip() == "answer from up-chat", said.stderr
    chain.first.kill()
    said = chain.ask(version, "--continue")
    assert (said.code, said.stdout.strip()) == (0, "answer from up-spare"), said.stderr
    asked = [request for request in chain.second.asked() if request.tools]
    assert "remember the word marmot" in asked[-1].prompt


def test_killed_after_it_called_a_tool(chain: Chain, version: str) -> None:
    succeeded(chain.tool("switch-model", "native"))
    chain.first.begin("ends-after-a-call")
    said = chain.ask(version)
    assert (said.code, said.stdout.strip()) == (0, "answer from up-spare"), said.stderr
    asked = [request for request in chain.second.asked() if request.tools]
    assert asked[-1].has_tool_result
    assert "marmot" in asked[-1].prompt


@pytest.mark.parametrize("model", ["chat", "native"])
def test_killed_in_mid_answer(chain: Chain, version: str, model: str) -> None:
    """LiteLLM hands the error on, and the client asks once more: then the other model answers."""
    succeeded(chain.tool("switch-model", model))
    chain.first.begin("stops-in-mid-answer")
    with _once(chain.first.reached, chain.first.kill):
        said = chain.ask(version)
    assert (said.code, said.stdout.strip()) == (0, "answer from up-spare"), (
        said.stdout + said.stderr
    )


def test_a_key_at_its_limit(chain: Chain, version: str) -> None:
    """Whichever key is asked first is refused: the same turn goes on with the other."""
    succeeded(chain.tool("switch-model", "keyed"))
    limited: list[str | None] = []

    def behave(request: Request) -> Callable[[Request, Reply], None] | None:
        if request.dialect != "chat":
            return None
        limited[:] = limited or [request.credential[0]]
        return act.status(429) if request.credential[0] in limited else None

    chain.second.behave = behave
    said = chain.ask(version)
    assert (said.code, said.stdout.strip()) == (0, "answer from up-keyed"), said.stderr
    used = [request.credential[0] for request in chain.second.asked("chat")]
    assert set(used) == {KEYS["CUSTOM_OPENAI_API_KEY"], KEYS["SECOND_KEY"]}
    assert used.count(limited[0]) == 1
