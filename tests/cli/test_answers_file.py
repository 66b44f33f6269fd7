"""Answers that are saved, and the line that does it again."""

from __future__ import annotations

import os
import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.tool import Done, Tool


def test_a_place_that_can_not_be_written_is_said(tool: Tool, tmp_path: Path) -> None:
    wanted = tmp_path / "nowhere" / "answers.toml"
    done = tool("init", "--provider", "ollama", "--yes", "--save-answers", str(wanted))
    assert done.code == 1, done.err
    assert f"can't write {wanted}" in done.err
    assert not tool.settings.exists()


@pytest.mark.parametrize("make", [lambda path: path.symlink_to("../mine"), os.mkfifo])
def test_a_clone_s_link_or_pipe_gets_no_answers(tool: Tool, make: Callable[[Path], None]) -> None:
    make(tool.cwd / "answers.toml")
    done = tool("init", "--provider", "ollama", "--yes", "--save-answers", "answers.toml")
    assert done.code == 1, done.err
    assert "can't write answers.toml" in done.err
    assert not tool.settings.exists()
    assert not (tool.cwd.parent / "mine").exists()


KEY = "sk-test-0123456789abcdef"
MINE = ("--api-key-env", "MINE")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("", []),
        (
            'base-url = "http://127.0.0.1:9/x"\n',
            [
                "calls http://127.0.0.1:9/x with the key of env:DEEPSEEK_API_KEY",
                "warning: this sends your key of DeepSeek to 127.0.0.1",
            ],
        ),
        (
            'base-url = "http://127.0.0.1:9/x"\napi-key-env = "MINE"\n',
            ["calls http://127.0.0.1:9/x with the key of env:MINE"],
        ),
    ],
)
def test_answers_of_a_clone_say_whom_they_would_show_which_key(
    tool: Tool, more: str, said: list[str]
) -> None:
    (tool.cwd / "answers.toml").write_text(f'provider = "deepseek"\nmodel = "x"\n{more}')
    keys = {"DEEPSEEK_API_KEY": KEY, "MINE": KEY}
    done = tool("init", "--answers", "answers.toml", "--dry-run", "--yes", **keys)
    assert done.code == 0, done.err
    told = [line for line in done.err.splitlines() if line.startswith(("calls", "warning: this"))]
    assert told == said


def _again(done: Done) -> list[str]:
    (line,) = [one for one in done.err.splitlines() if "the same set-up again" in one]
    return shlex.split(line.partition("(")[0])[1:]


@pytest.mark.parametrize(
    "words",
    [
        ("--provider", "deepseek", *MINE, "--scope", "local", "--write", "settings"),
        ("--provider", "deepseek", *MINE, "--dir", "sub", "--save-as", "work"),
        (
            *("--provider", "custom-anthropic", "--base-url", "http://llm.example.com"),
            *("--model", "m", "--context", "65536", *MINE, "--insecure"),
        ),
        (
            *("--provider", "litellm", "--upstream", "x=openai:gpt-6-luna", "--port", "4790"),
            *("--upstream-key-env", "x=MINE", "--traffic", "minimal"),
        ),
    ],
    ids=["scope", "folder", "insecure", "variable"],
)  # fmt: skip
def test_the_line_that_does_it_again_does(tool: Tool, words: tuple[str, ...]) -> None:
    """In another folder and home, it makes the same files."""
    other = Tool(tool.home.with_name("home2"), tool.cwd.with_name("project2"))
    made = []
    line = ["init", *words, "--yes"]
    for place in (tool, other):
        for folder in (place.home, place.cwd / "sub"):
            folder.mkdir(parents=True, exist_ok=True)
        done = place(*line, MINE=KEY)
        assert done.code == 0, done.err
        line = _again(done)
        made.append({p.name: _settled(p) for p in _files(place)})
    assert made[0]
    assert made[0] == made[1]
    assert "profiles" not in made[0]


def _files(tool: Tool) -> list[Path]:
    """What the set-up is made of; not what we keep about it."""
    kept = tool.home / ".local"
    places = (*tool.home.rglob("*"), *tool.cwd.rglob("*"))
    return [p for p in places if p.is_file() and not p.is_relative_to(kept)]


def _settled(path: Path) -> list[str]:
    """Its lines but for the master key, which is made at random."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [re.sub(r"sk-(?!test)[\w-]{20,}", "MASTER", line) for line in lines]


def test_answers_saved_and_read_again(tool: Tool, tmp_path: Path) -> None:
    saved = tmp_path / "answers.toml"
    words = ("--provider", "litellm", "--upstream", "x=openai:gpt-6-luna", "--port", "4790")
    more = ("--upstream-key-env", "x=MINE", "--write", "env", "--save-answers", str(saved))
    assert tool("init", *words, *more, "--yes", MINE=KEY).code == 0
    data = tomllib.loads(saved.read_text(encoding="utf-8"))
    assert data["upstream-key-env"] == ["x=MINE"]
    assert data["write"] == "env"
    assert KEY not in saved.read_text(encoding="utf-8")
    other = Tool(tool.home.with_name("home2"), tool.cwd.with_name("project2"))
    for folder in (other.home, other.cwd):
        folder.mkdir()
    assert other("init", "--answers", str(saved), "--yes", MINE=KEY).code == 0
    assert (other.cwd / ".env").exists()
    assert not other.settings.exists()


@pytest.mark.parametrize(("flag", "copied"), [((), False), (("--keys", "copy"), True)])
def test_a_flag_wins_over_the_file(tool: Tool, flag: tuple[str, ...], copied: bool) -> None:
    saved = tool.cwd / "answers.toml"
    saved.write_text('provider = "litellm"\nupstream = ["openai:gpt-6-luna"]\nkeys = "env"\n')
    words = ("--answers", str(saved), "--port", "4791", *flag, "--yes")
    done = tool("init", *words, OPENAI_API_KEY=KEY)
    assert done.code == 0, done.err
    assert (KEY in (tool.cwd / "litellm.env").read_text()) is copied
