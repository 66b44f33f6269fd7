"""The first session of a person: a fresh home, a terminal, the real client, and what it asks.

`-p` shows none of this: an interactive client has other defaults, asks other questions and sends
other requests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.tool import Tool
from tests.e2e import behaviours as act
from tests.e2e import parts
from tests.e2e.conftest import StartGateway
from tests.e2e.processes import ask_client, free_port
from tests.e2e.session import Session
from tests.e2e.test_chain import succeeded
from tests.e2e.test_facts import KEY, OTHER_KEY, client_variables, only_question, write_settings
from tests.e2e.upstream import Upstream
from tests.e2e.wire import Behaviour, Request

ASKS = {"permissions": {"disableAutoMode": "disable"}}
DEFAULT_MODE = "Auto mode is now Claude Code's default permission mode"


def works_in(folder: Path, upstream: Upstream) -> Callable[[Request], Behaviour | None]:
    """A model that fetches a page when asked to, and then edits a file when asked to."""
    command = {"command": f"curl -s {upstream.url}/page", "description": "fetch the page"}
    notes = str(folder / "notes.txt")
    edit = {"file_path": notes, "old_string": "one", "new_string": "two"}
    turns = {
        ("fetch it", 0): act.answer(calls=[("Bash", command)]),
        ("fetch it", 1): act.answer("it is fetched"),
        ("edit it", 1): act.answer(calls=[("Read", {"file_path": notes})]),
        ("edit it", 2): act.answer(calls=[("Edit", edit)]),
        ("edit it", 3): act.answer("it is edited"),
    }

    def behave(request: Request) -> Behaviour | None:
        wanted = next((w for w in ("edit it", "fetch it") if f"please {w}" in request.prompt), "")
        return turns.get((wanted, request.tool_results)) if request.tools else None

    (folder / "notes.txt").write_text("one\n", encoding="utf-8")
    page: Behaviour = lambda _request, reply: reply.send(200, b"the page", "text/plain")  # noqa: E731
    upstream.routes[("GET", "/page")] = page
    return behave


@dataclass(frozen=True)
class Chain:
    """A set-up that a gateway runs from, for every test of this file."""

    tool: Tool
    upstream: Upstream


@pytest.fixture(scope="module")
def through_litellm(
    gateways: StartGateway, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Chain]:
    base = tmp_path_factory.mktemp("interactive")
    for name in ("home", "work"):
        (base / name).mkdir()
    tool = Tool(home=base / "home", cwd=base / "work", environ={"CUSTOM_OPENAI_API_KEY": KEY})
    with Upstream() as upstream:
        named = f"test-model=custom-openai:test-model@{upstream.url}/v1"
        words = ["--provider", "litellm", "--port", str(free_port()), "--upstream", named]
        succeeded(tool("init", *words, "--yes"))
        gateways(tool.cwd)
        yield Chain(tool, upstream)


@pytest.fixture(params=["direct", "litellm"])
def chain(request: pytest.FixtureRequest, home: Path, work: Path) -> Iterator[Chain]:
    """What `init` writes in a fresh home, for an endpoint that is called directly or not."""
    if request.param == "direct":
        tool = Tool(home=home, cwd=work)
        with Upstream() as upstream:
            words = ["--provider", "custom-anthropic", "--base-url", upstream.url]
            words += ["--model", "test-model", "--yes"]
            succeeded(tool("init", *words, CUSTOM_ANTHROPIC_API_KEY=KEY))
            yield Chain(tool, upstream)
        return
    shared: Chain = request.getfixturevalue("through_litellm")
    shared.upstream.clear()
    written = json.loads(shared.tool.settings.read_text(encoding="utf-8"))
    write_settings(home, written.pop("env"), **written)
    yield Chain(Tool(home=home, cwd=work), shared.upstream)


def test_the_first_session(chain: Chain, version: str) -> None:
    tool, upstream = chain.tool, chain.upstream
    upstream.behave = works_in(tool.cwd, upstream)
    with Session(version, home=tool.home, cwd=tool.cwd) as session:
        screens = session.get_ready()
        assert_first_start(screens, version)
        session.say("please fetch it")
        asking = session.wait_for("Do you want to proceed")
        assert f"curl -s {upstream.url}/page" in asking
        assert fetched(upstream) == 0
        session.choose("Yes")
        session.wait_for("it is fetched")
        assert fetched(upstream) == 1
        session.say("please edit it")
        session.wait_for("Do you want to make this edit to notes.txt")
        session.choose("Yes")
        session.wait_for("it is edited")
        assert session.leave() == 0
    assert (tool.cwd / "notes.txt").read_text(encoding="utf-8") == "two\n"
    asked = [r for r in upstream.asked() if r.tools]
    assert [r.tool_results for r in asked] == [0, 1, 1, 2, 3]
    assert {(r.model, r.credential) for r in upstream.asked()} == {("test-model", (KEY, None))}
    assert not any("safeguards" in r.body for r in asked)
    assert "it is fetched" in asked[-1].prompt
    assert "the page" in asked[-1].prompt


def test_a_login_key_stays_at_home(
    through_litellm: Chain, upstream: Upstream, home: Path, work: Path, version: str
) -> None:
    """What `init` writes beside a Console login; the gateway takes both headers, too."""
    been_here(home, work, primaryApiKey=OTHER_KEY)
    tool = Tool(home=home, cwd=work)
    words = ["--provider", "custom-anthropic", "--base-url", upstream.url]
    words += ["--model", "test-model", "--yes"]
    succeeded(tool("init", *words, CUSTOM_ANTHROPIC_API_KEY=KEY))
    said = ask_client(version, home=home, cwd=work)
    assert said.stdout.strip() == "answer from test-model", said.stderr
    with Session(version, home=home, cwd=work) as session:
        session.get_ready()
        session.say("hello")
        session.wait_for("answer from test-model")
    assert {r.credential for r in upstream.asked()} == {(KEY, KEY)}
    gateway = json.loads(through_litellm.tool.settings.read_text(encoding="utf-8"))["env"]
    master = gateway["ANTHROPIC_AUTH_TOKEN"]
    write_settings(home, {**gateway, "ANTHROPIC_CUSTOM_HEADERS": f"x-api-key: {master}"}, **ASKS)
    said = ask_client(version, home=home, cwd=work)
    assert said.stdout.strip() == "answer from test-model", said.stderr


def test_the_model_menu_is_what_init_wrote(upstream: Upstream, home: Path, work: Path) -> None:
    been_here(home, work)
    tool = Tool(home=home, cwd=work)
    words = ["--provider", "custom-anthropic", "--base-url", upstream.url, "--model", "test-model"]
    words += ["--slot", "haiku=other-model", "--context", "100000", "--yes"]
    succeeded(tool("init", *words, CUSTOM_ANTHROPIC_API_KEY=KEY))
    with Session(parts.NEWEST, home=home, cwd=work) as session:
        assert "Test Model" in session.get_ready()[-1]
        session.say("/model")
        menu = session.wait_for("Select model.*to cancel")
        rows = re.findall(r"^ +(?:❯ )?\d\. (\S+ \S+)", menu, re.MULTILINE)
        assert rows == ["Default (recommended)", "Test Model", "Other Model"]
        session.choose("Other Model")
        session.settle()
        session.say("hello")
        session.wait_for("answer from other-model")
    # What was picked is for the session: the next one begins with what init wrote.
    with Session(parts.NEWEST, home=home, cwd=work) as session:
        session.get_ready()
        session.say("hello again")
        session.wait_for("answer from test-model")


def assert_first_start(screens: list[str], version: str) -> None:
    titles = ("style that looks best", "Security notes", "trust this folder")
    met = [next((t for t in titles if t in screen), "") for screen in screens]
    assert list(dict.fromkeys(met)) == [*titles, ""]
    trusting = next(s for s in screens if "trust this folder" in s)
    assert ("❯ No, exit" in trusting) == (version == parts.NEWEST)
    assert DEFAULT_MODE not in screens[-1]
    assert "context assumed" not in screens[-1]
    assert re.search("test-model|Test Model", screens[-1])


def been_here(home: Path, work: Path, **more: str) -> None:
    """What an earlier session leaves, so that nothing is asked at the start."""
    state = {
        "hasCompletedOnboarding": True,
        "projects": {str(work): {"hasTrustDialogAccepted": True}},
    }
    (home / ".claude.json").write_text(json.dumps({**state, **more}), encoding="utf-8")


def fetched(upstream: Upstream) -> int:
    return sum(r.path == "/page" for r in upstream.requests)


class TestFacts:
    """Facts 00.1 and 00.3, of the newest client."""

    def test_auto_mode_stops_at_the_first_command(
        self, upstream: Upstream, home: Path, work: Path
    ) -> None:
        write_settings(home, client_variables(upstream))
        upstream.behave = works_in(work, upstream)
        been_here(home, work)
        with Session(parts.NEWEST, home=home, cwd=work) as session:
            assert DEFAULT_MODE in session.get_ready()[-1]
            session.say("please fetch it")
            session.wait_for("Auto mode can't check actions in this session")
        assert "safeguards" in only_question(upstream).body
        assert fetched(upstream) == 0

    def test_the_sonnet_slot_approves_without_the_servers_check(
        self, upstream: Upstream, home: Path, work: Path
    ) -> None:
        judged = {"CLAUDE_CODE_AUTO_MODE_SERVER": "0", "ANTHROPIC_DEFAULT_SONNET_MODEL": "judge"}
        write_settings(home, client_variables(upstream, **judged))
        work_on = works_in(work, upstream)
        upstream.behave = lambda request: (
            act.answer("<block>no") if request.model == "judge" else work_on(request)
        )
        been_here(home, work)
        with Session(parts.NEWEST, home=home, cwd=work) as session:
            session.get_ready()
            session.say("please fetch it")
            session.wait_for("it is fetched")
        (judging,) = [r for r in upstream.asked() if r.model == "judge"]
        assert judging.body["stop_sequences"] == ["</block>"]
        assert (judging.stream, judging.tools) == (False, [])
        assert fetched(upstream) == 1

    @pytest.mark.parametrize("covered", [True, False])
    def test_a_login_key_goes_along_unless_a_header_takes_its_place(
        self, upstream: Upstream, home: Path, work: Path, version: str, covered: bool
    ) -> None:
        header = {"ANTHROPIC_CUSTOM_HEADERS": f"x-api-key: {KEY}"} if covered else {}
        cancelled = {"ANTHROPIC_API_KEY": "", **header}
        write_settings(home, client_variables(upstream, **cancelled), **ASKS)
        been_here(home, work, primaryApiKey=OTHER_KEY)
        with Session(version, home=home, cwd=work) as session:
            session.get_ready()
            session.say("hello")
            session.wait_for("answer from test-model")
        second = KEY if covered else OTHER_KEY
        assert {r.credential for r in upstream.asked()} == {(KEY, second)}
