"""A name that no model can have is refused wherever one is given."""

from __future__ import annotations

import pytest

from tests.cli.tool import Tool

KEY = "sk-0123456789abcdef0123456789abcdef"
INIT = ("init", "--provider", "deepseek", "--yes")


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x1b[31m"])
@pytest.mark.parametrize(
    "words",
    [
        (*INIT, "--model={}"),
        (*INIT, "--slot", "haiku={}"),
        ("init", "--provider", "litellm", "--yes", "--upstream", "openai:{}"),
        ("switch-model", "--unlisted", "{}"),
        ("switch-model", "--unlisted", "--slot", "haiku={}"),
    ],
    ids=lambda words: " ".join(words),
)
def test_it_is_refused(tool: Tool, words: tuple[str, ...], name: str) -> None:
    assert tool(*INIT, DEEPSEEK_API_KEY=KEY).code == 0
    before = tool.settings.read_bytes()
    done = tool(*(word.format(name) for word in words), DEEPSEEK_API_KEY=KEY, OPENAI_API_KEY=KEY)
    assert done.code == 2, done.err
    assert tool.settings.read_bytes() == before


def test_blanks_round_a_name_are_taken_off(tool: Tool) -> None:
    assert tool(*INIT, "--model", " deepseek-v4-pro ", DEEPSEEK_API_KEY=KEY).code == 0
    assert tool.env["ANTHROPIC_MODEL"] == "deepseek-v4-pro"
