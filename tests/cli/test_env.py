"""`env`: each shell by the name that its users know."""

from __future__ import annotations

import json

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
    assert "sh, fish, pwsh, docker, vscode" in done.err


def test_vscode_gets_the_block_of_its_settings(tool: Tool) -> None:
    assert tool("init", "--provider", "ollama", "--yes").code == 0
    block = json.loads(tool("env", "--shell", "vscode").out)
    assert block["claudeCode.disableLoginPrompt"] is True
    pairs = {one["name"]: one["value"] for one in block["claudeCode.environmentVariables"]}
    assert pairs["ANTHROPIC_BASE_URL"] == "http://localhost:11434"
    assert pairs["ANTHROPIC_AUTH_TOKEN"] == "ollama"


def test_no_quote_of_powershells_ends_a_value(tool: Tool) -> None:
    words = ("init", "--provider", "ollama", "--model", "a\u2019; b \u201b'", "--yes")
    assert tool(*words).code == 0
    out = tool("env", "--shell", "pwsh").out
    assert "$env:ANTHROPIC_MODEL = 'a\u2019\u2019; b \u201b\u201b'''\n" in out


def test_docker_gets_values_without_quotes(tool: Tool) -> None:
    tool.environ["DEEPSEEK_API_KEY"] = "sk-test-0123456789abcdef"
    assert tool("init", "--provider", "deepseek", "--yes").code == 0
    lines = dict(line.split("=", 1) for line in tool("env", "--shell", "docker").out.splitlines())
    # In `.env` this one has to be quoted; docker would hand the quotes on.
    assert lines["ANTHROPIC_MODEL"] == "deepseek-flash[1m]"
    assert lines["ANTHROPIC_API_KEY"] == ""
