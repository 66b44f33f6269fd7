"""`use` by keyboard: the picker, and the shell's own completion in a real bash."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pexpect
import pytest

from tests.cli.test_profiles import two
from tests.cli.tool import Tool
from tests.terminal.screen import Terminal

__all__ = ["two"]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the folders of Linux")


@pytest.fixture
def tool(home: Path, tmp_path: Path) -> Tool:
    folder = tmp_path / "project"
    folder.mkdir()
    return Tool(home=home, cwd=folder)


def terminal(tool: Tool, *words: str, **more: str) -> Terminal:
    env = {**tool.variables(), "TERM": "xterm-256color", **more}
    return Terminal(words, env=env, cwd=tool.cwd, timeout=60)


def test_the_picker_stands_on_the_current_one_and_takes_another(two: Tool) -> None:
    command = (sys.executable, "-m", "haha_config", "use")
    with terminal(two, *command) as screen:
        shown = screen.wait("Which profile?")
        pointed = next(line for line in shown.splitlines() if line.startswith(" > "))
        assert "mine" in pointed
        assert "current" in pointed
        screen.press("up", "enter")
        screen.wait("is in use")
    assert two.env["ANTHROPIC_BASE_URL"] == "https://api.deepseek.com/anthropic"


def test_ctrl_c_at_the_picker_changes_nothing(two: Tool) -> None:
    before = two.settings.read_bytes()
    with terminal(two, sys.executable, "-m", "haha_config", "use") as screen:
        screen.wait("Which profile?")
        screen.send("\x03")
        screen.child.expect(pexpect.EOF)
        screen.child.close()
        assert screen.child.exitstatus == 130
    assert two.settings.read_bytes() == before


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_ten_keys_are_enough_with_completion(two: Tool) -> None:
    """What is typed after the program's name: `use d`, Tab, Enter."""
    folder = two.home / "bin"
    folder.mkdir()
    program = folder / "haha-config"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m haha_config "$@"\n')
    program.chmod(0o755)
    path = f"{folder}:{two.variables()['PATH']}"
    with terminal(two, "bash", "--norc", "--noprofile", PATH=path, PS1="ready> ") as screen:
        screen.wait("ready>")
        screen.send(
            '_c() { COMPREPLY=($(COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD'
            " _HAHA_CONFIG_COMPLETE=complete_bash haha-config)); };"
            " complete -F _c haha-config; clear\r"
        )
        screen.wait_match(r"\Aready> *\Z")
        screen.send("haha-config ")
        keys = "use d"
        screen.send(keys)
        screen.wait(keys)
        screen.press("tab")
        screen.wait("use deepseek")
        screen.press("enter")
        screen.wait("is in use")
        assert len(keys) + 2 < 10
    assert two.env["ANTHROPIC_BASE_URL"] == "https://api.deepseek.com/anthropic"
