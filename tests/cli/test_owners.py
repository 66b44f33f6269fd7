"""Another tool that writes settings.json too is named by whoever shows it or writes it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from tests.cli.tool import Tool

KEY = "sk-0123456789abcdef0123456789abcdef"


@pytest.fixture
def shared(tool: Tool) -> Tool:
    done = tool("init", "--provider", "deepseek", "--yes", DEEPSEEK_API_KEY=KEY)
    assert done.code == 0, done.err
    folder = tool.home / ".cc-switch"
    folder.mkdir()
    with closing(sqlite3.connect(folder / "cc-switch.db")) as database:
        database.execute(
            "create table providers (id text, app_type text, name text, settings_config text,"
            " is_current boolean)"
        )
        database.execute(
            "insert into providers values ('1', 'claude', 'Theirs', ?, 1)",
            (json.dumps({"env": {}}),),
        )
        database.commit()
    return tool


@pytest.mark.parametrize(
    "words",
    [
        ("show",),
        ("validate",),
        ("switch-model", "deepseek-v4-pro", "--yes"),
        ("use", "deepseek", "--yes"),
        ("use", "off", "--yes"),
        ("undo", "--yes"),
    ],
    ids=" ".join,
)
def test_it_is_named(shared: Tool, words: tuple[str, ...]) -> None:
    if words[0] == "use" and words[1] != "off":
        shared("switch-model", "deepseek-v4-pro", "--yes")
    done = shared(*words)
    assert done.code == 0, done.err
    assert "cc-switch has `Theirs` active" in done.out + done.err


def test_nobody_is_named_where_nobody_was(tool: Tool) -> None:
    tool("init", "--provider", "deepseek", "--yes", DEEPSEEK_API_KEY=KEY)
    assert "cc-switch" not in tool("show").out
