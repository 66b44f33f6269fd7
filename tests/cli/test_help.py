"""What a newcomer sees first."""

from __future__ import annotations

import pytest

from tests.cli.tool import Tool


@pytest.mark.parametrize("words", [(), ("proxy",), ("profile",)])
def test_no_words_are_answered_with_the_help_and_not_called_an_error(
    tool: Tool, words: tuple[str, ...]
) -> None:
    done = tool(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err == tool(*words, "--help").out
    assert "error" not in done.err.splitlines()[0]


def test_it_is_in_the_language_that_is_spoken(tool: Tool) -> None:
    assert tool(LANG="zh_CN.UTF-8").err == tool("--lang", "zh", "--help").out
