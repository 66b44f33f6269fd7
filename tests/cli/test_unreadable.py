"""A settings.json that is there and can't be read: no command goes on as if it were not there."""

from __future__ import annotations

import pytest

from tests.cli.tool import Tool

LINES = """\
ANTHROPIC_BASE_URL=https://api.deepseek.com/anthropic
ANTHROPIC_AUTH_TOKEN=sk-test-0123456789abcdef01234567
ANTHROPIC_MODEL=deepseek-flash
"""


@pytest.fixture
def unreadable(tool: Tool) -> Tool:
    """A folder in its place: what stops root too."""
    tool.settings.mkdir(parents=True)
    tool.dotenv.write_text(LINES, encoding="utf-8")
    tool.dotenv.chmod(0o600)
    return tool


@pytest.mark.parametrize(
    "words",
    [
        ("show", "--client", "claude"),
        ("show", "--format", "json"),
        ("env", "--client", "haha"),
        ("switch-model", "deepseek-v4-pro", "--client", "haha", "--yes"),
        ("use", "off", "--yes"),
        ("profile", "save", "mine"),
        ("validate",),
    ],
    ids=" ".join,
)
def test_it_is_said_and_nothing_changes(unreadable: Tool, words: tuple[str, ...]) -> None:
    done = unreadable(*words)
    assert done.code == 1, done
    assert "this is a folder, not a file" in done.out + done.err
    assert unreadable.dotenv.read_text(encoding="utf-8") == LINES
    assert list(unreadable.settings.iterdir()) == []
