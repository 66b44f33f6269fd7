"""Sentences are broken between words on a terminal, and nowhere else."""

from __future__ import annotations

import sys
from io import StringIO

import pytest
from msgspec.structs import replace

from haha_config.core.messages import msg
from haha_config.core.model import Finding, Place
from haha_config.io import report

SENTENCE = "the context window of qwen3-coder is not known, so no window is written"


class Screen(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(params=[40, 80])
def room(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("COLUMNS", str(request.param))
    return int(request.param)


def finding() -> Finding:
    what = msg("`{name}` is 922000, and `gpt-4o` holds 128000 tokens", name="CLAUDE_CODE_MAX")
    return Finding(
        code="MOD006", severity="warning", what=what, place=Place(path="x", line=16, column=39)
    )


def test_no_word_is_cut(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    report.talk(SENTENCE)
    lines = screen.getvalue().splitlines()
    assert all(len(line) <= room for line in lines)
    assert " ".join(lines) == SENTENCE


def test_a_line_to_paste_stays_whole(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    command = "  haha-config init --provider litellm " + "--upstream openai:gpt-6-luna " * 3
    report.talk(command)
    assert len(command) > room
    assert screen.getvalue() == f"{command}\n"


def test_a_finding_fits(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    screen = Screen()
    report.findings([finding()], None, screen)
    lines = screen.getvalue().splitlines()
    assert all(len(line) <= room for line in lines)
    assert " ".join(" ".join(lines).split()).endswith(
        "warning `CLAUDE_CODE_MAX` is 922000, and `gpt-4o` holds 128000 tokens [MOD006]"
    )


def test_a_pipe_gets_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    pipe = StringIO()
    report.findings([finding()], None, pipe)
    assert len(pipe.getvalue().splitlines()) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="shells there know no ~")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/me/work/.env", "~/work/.env"),
        ("chmod 600 /home/me/work/.env", "chmod 600 ~/work/.env"),
        ("chmod 600 '/home/me/my work/.env'", "chmod 600 '/home/me/my work/.env'"),
        ("/home/meadow/x", "/home/meadow/x"),
        ("/mnt/home/me/x", "/mnt/home/me/x"),
        ("/home/me", "/home/me"),
    ],
)
def test_hints_say_the_home_folder_as_a_shell_does(
    text: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("NO_COLOR", "1")
    screen = Screen()
    report.hint(text, screen)
    report.hint(msg("look into {path}", path=text), screen)
    assert screen.getvalue() == f"  hint: {shown}\n  hint: look into {shown}\n"


def test_json_has_whole_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    hint = msg("chmod 600 {path}", path="/home/me/x")
    (found,) = report.findings_json([replace(finding(), hint=hint)])
    assert found["hint"] == "chmod 600 /home/me/x"


@pytest.mark.parametrize(
    ("room", "shown"),
    [
        (80, "  hint: haha-config init --dir 'a b' --yes"),
        (28, "  hint: haha-config init    --dir 'a b' --yes"),
        (20, "  hint: haha-config init --dir 'a b'    --yes"),
    ],
)
def test_a_hint_is_one_line_that_a_terminal_breaks_between_words(
    room: int, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Screen()
    monkeypatch.setenv("COLUMNS", str(room))
    monkeypatch.setenv("NO_COLOR", "1")
    report.hint("haha-config init --dir 'a b' --yes", screen)
    assert screen.getvalue() == f"{shown}\n"


@pytest.mark.parametrize(
    ("room", "shown"),
    [
        (80, '      {"env": {"ANTHROPIC_MODEL": "deepseek-chat"}}\n              ^'),
        (30, '      {"env": {"ANTHROPIC_MOD…\n              ^'),
        (20, '      …: {"ANTHROPI…\n         ^'),
    ],
)
def test_the_line_of_a_finding_is_as_wide_as_the_terminal(
    room: int, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Screen()
    monkeypatch.setenv("COLUMNS", str(room))
    monkeypatch.setenv("NO_COLOR", "1")
    finding = Finding(code="X", severity="error", what=msg("w"), place=Place(), hint=None)
    line = '      {"env": {"ANTHROPIC_MODEL": "deepseek-chat"}}\n              ^'
    report.findings([finding], lambda _: line, screen)
    assert shown in screen.getvalue()
