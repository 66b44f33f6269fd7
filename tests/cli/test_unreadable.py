"""A settings.json that is there and can't be read: no command goes on as if it were not there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

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
    assert "this is a folder" in done.out + done.err
    assert unreadable.dotenv.read_text(encoding="utf-8") == LINES
    assert list(unreadable.settings.iterdir()) == []


# --- what a clone can put in a file's place ------------------------------------------------------


def pipe(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no such files")
@pytest.mark.parametrize("made", [pipe, endless, huge])
@pytest.mark.parametrize("name", [".env", "litellm_config.yaml", ".git"])
def test_nothing_waits_for_it_or_reads_all_of_it(
    tool: Tool, name: str, made: Callable[[Path], None]
) -> None:
    made(tool.cwd / name)
    for words in (("show",), ("validate",), ("init", "--provider", "deepseek", "--dry-run")):
        assert tool(*words, DEEPSEEK_API_KEY="sk-0123456789abcdef").code in (0, 1)


def test_a_git_file_that_names_nothing_possible(tool: Tool) -> None:
    (tool.cwd / ".git").write_bytes(b"gitdir: a\0b\n")
    assert tool("validate").code == 1
