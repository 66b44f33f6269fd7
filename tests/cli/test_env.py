"""`env`: each shell by the name that its users know."""

from __future__ import annotations

import pytest

from tests.cli.tool import Tool


@pytest.mark.parametrize(("shell", "like"), [("bash", "sh"), ("zsh", "sh"), ("powershell", "pwsh")])
def test_a_shell_that_takes_the_same_lines(tool: Tool, shell: str, like: str) -> None:
    assert tool("init", "--provider", "ollama", "--yes").code == 0
    done = tool("env", "--shell", shell)
    assert done.code == 0, done.err
    assert done.out == tool("env", "--shell", like).out
    assert "ANTHROPIC_BASE_URL" in done.out


def test_an_unknown_shell(tool: Tool) -> None:
    done = tool("env", "--shell", "cmd")
    assert done.code == 2
    assert "sh, fish, pwsh" in done.err
