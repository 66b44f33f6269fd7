"""Sessions that are open while files are written: isolated by `run`, half-switched without it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.tool import Tool
from tests.e2e import parts
from tests.e2e.processes import QUIET
from tests.e2e.session import Session
from tests.e2e.test_chain import succeeded
from tests.e2e.upstream import Upstream

KEY = "sk-test-0123456789abcdef"
OTHER_KEY = "sk-test-fedcba9876543210"


@pytest.fixture
def tool(home: Path, work: Path) -> Tool:
    return Tool(home=home, cwd=work)


def set_up(tool: Tool, upstream: Upstream, model: str, key: str, *more: str) -> None:
    words = ["--provider", "custom-anthropic", "--base-url", upstream.url, "--model", model]
    succeeded(tool("init", *words, *more, "--yes", CUSTOM_ANTHROPIC_API_KEY=key))


def path_with(version: str, folder: Path) -> str:
    """A folder in which the client is called `claude`, before the system's."""
    folder.mkdir()
    (folder / "claude").symlink_to(parts.client(version))
    return f"{folder}:/usr/local/bin:/usr/bin:/bin"


def test_a_run_session_keeps_its_endpoint_while_init_rewrites_settings(
    tool: Tool, upstream: Upstream, version: str, tmp_path: Path
) -> None:
    set_up(tool, upstream, "first", KEY)
    path = path_with(version, tmp_path / "bin")
    command = [sys.executable, "-m", "haha_config", "run"]
    with (
        Upstream() as second,
        Session(
            version,
            home=tool.home,
            cwd=tool.cwd,
            env={**QUIET, "PATH": path, "VIRTUAL_ENV": sys.prefix},
            command=command,
        ) as session,
    ):
        session.get_ready()
        session.say("one")
        upstream.wait_for(lambda r: r.dialect == "anthropic" and b"one" in r.raw)
        set_up(tool, second, "second", OTHER_KEY)
        session.settle()
        session.say("two")
        asked = upstream.wait_for(lambda r: r.dialect == "anthropic" and b"two" in r.raw)
        assert (asked.model, asked.credential) == ("first", (KEY, None))
        assert second.asked() == []


def test_a_plain_session_is_named_before_and_half_switched_after(
    tool: Tool, upstream: Upstream, version: str
) -> None:
    set_up(tool, upstream, "first", KEY)
    with (
        Upstream() as second,
        Session(version, home=tool.home, cwd=tool.cwd, env=QUIET) as session,
    ):
        session.get_ready()
        session.say("one")
        upstream.wait_for(lambda r: r.dialect == "anthropic" and b"one" in r.raw)
        words = ["--provider", "custom-anthropic", "--base-url", second.url, "--model", "second"]
        refused = tool("init", *words, "--yes", CUSTOM_ANTHROPIC_API_KEY=OTHER_KEY)
        assert refused.code == 1
        assert str(session.child.pid) in refused.err
        assert "--while-running" in refused.err
        # Nothing on the screen says when the client looks at the file, and 2.1.197 misses a write
        # of its first seconds: every eighth message comes after another write.
        for number in range(64):
            if number % 8 == 0:
                keys = (KEY, OTHER_KEY) if number else (OTHER_KEY,)
                for key in keys:
                    set_up(tool, second, "second", key, "--while-running")
            message = f"message {number}"
            session.say(message)
            session.wait_for(rf"{message}\s.*answer from first")
            # With tools it is the conversation; a title is asked of the small slot, new at once.
            told = [r for r in second.asked("anthropic") if message in r.prompt]
            if asked := [r for r in told if r.tools]:
                break
        # The new URL and key, the old model, and the whole conversation: what the warning says.
        assert {(r.model, r.credential) for r in asked} == {("first", (OTHER_KEY, None))}
        assert "one" in asked[0].prompt


def test_run_gives_back_the_clients_code_and_leaves_no_file(
    tool: Tool, upstream: Upstream, version: str, tmp_path: Path
) -> None:
    set_up(tool, upstream, "first", KEY)
    path = path_with(version, tmp_path / "bin")
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    words = ["run", "--model", "elsewhere", "--unlisted", "--", "-p", "say hi"]
    done = tool(*words, **QUIET, PATH=path, XDG_RUNTIME_DIR=str(runtime))
    refused = tool("run", "--model", "elsewhere", **QUIET, PATH=path)
    assert (refused.code, refused.out) == (2, "")
    assert done.out.strip() == "answer from elsewhere", done.err
    assert done.code == 0
    assert [p for p in runtime.rglob("*") if p.is_file()] == []
    failed = tool("run", "--", "--no-such-flag", **QUIET, PATH=path, XDG_RUNTIME_DIR=str(runtime))
    assert failed.code == 1
