"""Lists on terminals from 40 to 200 columns: no word and no date is broken, no line is too long."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.tool import Tool
from tests.terminal.screen import Terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal")

WIDTHS = (40, 60, 80, 120, 200)
LISTS = {
    "show": "show",
    "models": "models --provider openai --offline",
    "many models": "models --provider openrouter --offline",
    "providers": "providers",
    "profiles": "profile list",
    "undo": "undo --list",
    "validate": "validate",
    "rules": "validate --list",
}
KEY = "sk-test-0123456789abcdef"


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Tool:
    """Two set-ups, one after the other, and a folder whose own settings beat them."""
    folder = tmp_path_factory.mktemp("lists")
    tool = Tool(home=folder, cwd=folder / "a folder with words")
    (tool.cwd / ".claude").mkdir(parents=True)
    for words in (
        "init --provider deepseek --yes",
        "init --provider litellm --upstream openai:gpt-6.1-sol --port 4917 --yes",
        "switch-model gpt-6.1-sol --slot haiku=gpt-6.1-sol",
        "use deepseek",
    ):
        done = tool(*words.split(), DEEPSEEK_API_KEY=KEY, OPENAI_API_KEY=KEY)
        assert done.code == 0, done.err
    local = tool.cwd / ".claude" / "settings.local.json"
    local.write_text('{"env": {"ANTHROPIC_MODEL": "deepseek-chat", "ANTHROPIC_LOG": "debug"}}')
    return tool


def shown(tool: Tool, words: str, columns: int, rows: int = 24, **more: str) -> Terminal:
    argv = [sys.executable, "-m", "haha_config", *words.split()]
    env = {**tool.variables(), "TERM": "xterm", "PAGER": "cat", **more}
    return Terminal(argv, env=env, cwd=tool.cwd, columns=columns, rows=rows)


@pytest.mark.parametrize("name", LISTS)
def test_no_word_is_broken_at_any_width(tool: Tool, name: str) -> None:
    with shown(tool, LISTS[name], 1000) as terminal:
        terminal.finish()
        whole = set(terminal.history().split())
    assert whole
    for columns in WIDTHS:
        with shown(tool, LISTS[name], columns) as terminal:
            terminal.finish()
            lines = terminal.history().splitlines()
        broken = [(columns, line) for line in lines if {*_words(line)} - whole]
        assert not broken


def _words(line: str) -> list[str]:
    """The words of a line, but for those that say themselves that they were shortened."""
    return [word for word in line.split() if "…" not in word]


@pytest.mark.parametrize(
    "provider", ["deepseek", "litellm --port 4917 --upstream openai:gpt-6.1-sol"]
)
@pytest.mark.parametrize("checkout", [False, True])
def test_a_usual_set_up_fits_a_screen(
    home: Path, tmp_path: Path, provider: str, checkout: bool
) -> None:
    tool = Tool(home=home, cwd=tmp_path / "work")
    (tool.cwd / "bin").mkdir(parents=True)
    if checkout:
        (tool.cwd / "bin" / "claude-haha").write_text("#!/bin/sh\n")
    words = f"init --provider {provider} --yes".split()
    assert tool(*words, DEEPSEEK_API_KEY=KEY, OPENAI_API_KEY=KEY).code == 0
    with shown(tool, "show", 80) as terminal:
        assert terminal.finish() == 0
        lines = terminal.history().splitlines()
    # And a line for the prompt that comes next.
    assert len(lines) <= 23
    assert lines[1].split()[0] == "model"
    assert lines[2].split()[0] == "credential"
    assert ("(same in .env)" in lines[4]) is checkout


def test_a_long_list_is_paged_as_git_does_it(tool: Tool, tmp_path: Path) -> None:
    pager = tmp_path / "pager"
    pager.write_text('#!/bin/sh\necho "paged $1 $LESS"\nexec cat\n')
    pager.chmod(0o755)
    with shown(tool, LISTS["models"], 80, PAGER=f"{pager} word") as terminal:
        assert terminal.finish() == 0
        assert "paged word FRX" in terminal.history()
    with shown(tool, LISTS["models"], 80, rows=200, PAGER=f"{pager} word") as terminal:
        assert terminal.finish() == 0
        assert "paged" not in terminal.history()
    for none in ("/no/such/pager", "", "an open ' quote"):
        with shown(tool, LISTS["models"], 80, PAGER=none) as terminal:
            assert terminal.finish() == 0
            assert "gpt-6.1-sol" in terminal.history()
    piped = tool(*LISTS["models"].split(), PAGER=f"{pager} word")
    assert "paged" not in piped.out


def test_the_model_in_use_comes_first_and_ended_ones_last(tool: Tool) -> None:
    lines = tool("models", "--offline").out.splitlines()
    assert lines[1].split()[0] == "deepseek-flash"
    assert lines[1].endswith("current")
    ended = ["ENDED" in line for line in lines[1:]]
    assert ended == sorted(ended)
    assert any(ended)
