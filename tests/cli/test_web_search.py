"""`--deny-web-search`: one rule among the person's own, written, kept, and taken out again."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from tests.cli.tool import Done, Tool

KEYS = {
    "DEEPSEEK_API_KEY": "sk-test-0123456789abcdef",
    "MINIMAX_API_KEY": "test-minimax-0123456789",
}
MINE = '{\n  "permissions": {\n    "deny": ["Bash(rm:*)"]\n  }\n}\n'


@pytest.fixture
def keyed(tool: Tool) -> Tool:
    return Tool(tool.home, tool.cwd, KEYS)


def init(tool: Tool, provider: str, *words: str) -> Done:
    done = tool("init", "--provider", provider, "--yes", "--write", "settings", *words)
    assert done.code == 0, done.err
    return done


def denied(tool: Tool) -> Any:
    return json.loads(tool.settings.read_text()).get("permissions", {}).get("deny")


def test_init_says_where_it_is_refused_until_it_is_denied(keyed: Tool) -> None:
    said = "MiniMax refuses web search: --deny-web-search turns the tool off"
    assert said in init(keyed, "minimax").err
    assert denied(keyed) is None
    assert said not in init(keyed, "minimax", "--deny-web-search").err
    assert denied(keyed) == ["WebSearch"]
    assert "refuses web search" not in init(keyed, "deepseek").err


@pytest.mark.parametrize("before", [None, MINE, '{"permissions": {"deny": []}}\n'])
def test_off_and_undo_leave_the_file_as_it_was(keyed: Tool, before: str | None) -> None:
    if before is not None:
        keyed.settings.parent.mkdir()
        keyed.settings.write_text(before)
    for back in (["use", "off"], ["undo", "--yes"]):
        init(keyed, "minimax", "--deny-web-search")
        assert "WebSearch" in denied(keyed)
        done = keyed(*back)
        assert done.code == 0, done.err
        assert (keyed.settings.read_text() if keyed.settings.exists() else None) == before


def test_only_the_rule_that_was_written_goes(keyed: Tool) -> None:
    keyed.settings.parent.mkdir()
    keyed.settings.write_text(MINE)
    init(keyed, "minimax", "--deny-web-search")
    data = json.loads(keyed.settings.read_text())
    assert data["permissions"]["deny"] == ["Bash(rm:*)", "WebSearch"]
    data["permissions"]["deny"].append("Read(.env)")
    keyed.settings.write_text(json.dumps(data))
    assert keyed("use", "off").code == 0
    assert denied(keyed) == ["Bash(rm:*)", "Read(.env)"]


def test_a_rule_of_the_persons_own_stays(keyed: Tool) -> None:
    keyed.settings.parent.mkdir()
    keyed.settings.write_text('{"permissions": {"deny": ["WebSearch"]}}\n')
    init(keyed, "minimax", "--deny-web-search")
    init(keyed, "deepseek", "--no-deny-web-search")
    assert denied(keyed) == ["WebSearch"]
    assert keyed("use", "off").code == 0
    assert denied(keyed) == ["WebSearch"]


def test_it_goes_with_the_set_up(keyed: Tool) -> None:
    init(keyed, "minimax", "--deny-web-search")
    # The same set-up again keeps it, without the flag too; another one does not.
    assert "Nothing to change" in (again := init(keyed, "minimax")).out + again.err
    init(keyed, "deepseek")
    assert denied(keyed) is None
    assert keyed("use", "minimax").code == 0
    assert denied(keyed) == ["WebSearch"]
    assert keyed("use", "deepseek").code == 0
    assert denied(keyed) is None
    init(keyed, "minimax", "--no-deny-web-search")
    assert denied(keyed) is None


def test_answers_files_have_it(keyed: Tool) -> None:
    saved = keyed.cwd / "answers.toml"
    done = init(keyed, "minimax", "--deny-web-search", "--save-answers", str(saved))
    assert "deny-web-search = true" in saved.read_text()
    assert "--deny-web-search --write settings --yes" in done.out + done.err
    assert keyed("use", "off").code == 0
    again = keyed("init", "--answers", str(saved), "--yes")
    assert again.code == 0, again.err
    assert denied(keyed) == ["WebSearch"]


def test_a_list_of_another_shape_is_left_alone(keyed: Tool) -> None:
    keyed.settings.parent.mkdir()
    keyed.settings.write_text('{"permissions": {"deny": "WebFetch"}}\n')
    done = keyed("init", "--provider", "minimax", "--yes", "--deny-web-search")
    assert denied(keyed) == "WebFetch", done.err


def test_models_says_who_searches(keyed: Tool) -> None:
    init(keyed, "deepseek")
    done = keyed("models", "--offline")
    assert "web search works: DeepSeek does it" in done.err
    done = keyed("models", "--offline", "--format", "json")
    assert done.json["web_search"]["result"] == "works"
    done = keyed("models", "--provider", "minimax", "--offline", "--format", "json")
    assert done.json["web_search"]["by"] == "MiniMax"


@pytest.mark.skipif(sys.platform == "win32", reason="a script in the client's place")
def test_a_session_on_the_profile_has_it_too(keyed: Tool) -> None:
    init(keyed, "minimax", "--deny-web-search")
    init(keyed, "deepseek")
    client = keyed.home / "bin" / "claude"
    client.parent.mkdir()
    told = 'while [ $# -gt 0 ]; do [ "$1" = --settings ] && cat "$2"; shift; done'
    client.write_text(f"#!/bin/sh\n{told}\n")
    client.chmod(0o755)
    path = f"{client.parent}:/usr/bin:/bin"
    settings = {name: keyed("run", name, PATH=path).json for name in ("minimax", "deepseek")}
    assert settings["minimax"]["permissions"]["deny"] == ["WebSearch"]
    assert "deny" not in settings["deepseek"]["permissions"]
