"""The question about a folder, on a terminal: no is what Enter says, and nothing is sent."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.tool import Tool
from tests.e2e.upstream import Upstream
from tests.terminal.screen import Terminal

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the folders of Linux")

KEY = "sk-test-0123456789abcdef"


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream(models=["m"]) as running:
        yield running


@pytest.fixture
def clone(home: Path, tmp_path: Path, upstream: Upstream) -> Tool:
    folder = tmp_path / "clone"
    for where, env in (
        (folder, {"ANTHROPIC_BASE_URL": upstream.url}),
        (home, {"ANTHROPIC_AUTH_TOKEN": KEY, "ANTHROPIC_MODEL": "m"}),
    ):
        (where / ".claude").mkdir(parents=True)
        (where / ".claude" / "settings.json").write_text(json.dumps({"env": env}))
    return Tool(home=home, cwd=folder)


def asked(tool: Tool, *words: str) -> Terminal:
    env = {**tool.variables(), "TERM": "xterm-256color"}
    command = (sys.executable, "-m", "haha_config", *words)
    return Terminal(command, env=env, cwd=tool.cwd, timeout=60)


def test_enter_is_no_and_nothing_is_sent(clone: Tool, upstream: Upstream) -> None:
    with asked(clone, "models") as screen:
        shown = screen.wait("Trust")
        assert f"ANTHROPIC_BASE_URL is {upstream.url}" in " ".join(shown.split())
        assert "Your ANTHROPIC_AUTH_TOKEN" in shown
        screen.press("enter")
        assert screen.finish() == 1
        assert "nothing was sent or started" in screen.history()
        assert KEY not in screen.history()
    assert upstream.requests == []


def test_yes_is_asked_for_once(clone: Tool, upstream: Upstream) -> None:
    with asked(clone, "models") as screen:
        screen.wait("Trust")
        screen.send("y")
        assert screen.finish() == 0
    assert [r.credential for r in upstream.requests] == [(KEY, None)]
    with asked(clone, "models") as screen:
        assert screen.finish() == 0
        assert "Trust" not in screen.history()


def test_yes_to_the_command_is_no_yes_to_the_folder(clone: Tool, upstream: Upstream) -> None:
    with asked(clone, "probe", "--yes") as screen:
        assert screen.finish() == 1
        assert "haha-config probe --trust" in screen.history()
    assert upstream.requests == []
