"""Each kind of question in a real terminal, by its keys."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.terminal.screen import Terminal, ctrl, paste

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal of POSIX")

ASKER = Path(__file__).parent / "asker.py"
KINDS = ["select", "models", "text", "secret", "confirm", "keys"]
QUESTIONS = {
    "select": "Which provider?",
    "models": "Which model?",
    "text": "Which name?",
    "secret": "Which key?",
    "confirm": "Go on?",
    "keys": "Write these files?",
}
KEY = "sk-test-0123456789abcdef"
READY = "esc back"


def went_back(kind: str) -> str:
    """What the asker prints then: of a yes or no, going back is a no."""
    return "got: False" if kind == "confirm" else "went back"


@contextmanager
def asked(
    *kinds: str, home: Path, columns: int = 80, rows: int = 24, **env: str
) -> Iterator[Terminal]:
    environ = {"PATH": os.defpath, "HOME": str(home), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    argv = [sys.executable, str(ASKER), *kinds]
    with Terminal(argv, env={**environ, **env}, cwd=home, columns=columns, rows=rows) as terminal:
        terminal.wait(READY)
        yield terminal


@pytest.mark.parametrize(
    ("kind", "answer", "left"),
    [
        ("select", "'deepseek'", "? Which provider?  DeepSeek"),
        ("models", "'beta/model-007'", "? Which model?  beta/model-007"),
        ("text", "'main'", "? Which name?  main"),
        ("found", "''", "? Which key?  the key in SOME_API_KEY"),
        ("confirm", "False", "? Go on?  No"),
        ("keys", "'w'", "? Write these files?  write"),
    ],
)
def test_enter_takes_the_default_and_leaves_one_line(
    tmp_path: Path, kind: str, answer: str, left: str
) -> None:
    with asked(kind, home=tmp_path) as terminal:
        terminal.press("enter")
        assert terminal.finish() == 0
        assert terminal.text() == f"{left}\ngot: {answer}"


@pytest.mark.parametrize("kind", KINDS)
def test_esc_goes_back_and_says_so(tmp_path: Path, kind: str) -> None:
    with asked(kind, home=tmp_path) as terminal:
        terminal.press("esc")
        assert terminal.finish() == 0
        assert terminal.text() == f"? {QUESTIONS[kind]}  back\n{went_back(kind)}"


@pytest.mark.parametrize("kind", KINDS)
def test_less_than_as_the_whole_answer_goes_back(tmp_path: Path, kind: str) -> None:
    with asked(kind, home=tmp_path) as terminal:
        terminal.send("<")
        if kind in ("text", "secret"):
            terminal.press("enter")
        assert terminal.finish() == 0
        assert terminal.text().endswith(f"back\n{went_back(kind)}")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", ["C", "D"])
def test_ctrl_c_and_ctrl_d_cancel(tmp_path: Path, kind: str, key: str) -> None:
    with asked(kind, home=tmp_path) as terminal:
        terminal.send(ctrl(key))
        assert terminal.finish() == 130
        assert terminal.text() == f"? {QUESTIONS[kind]}\nerror: cancelled"


def test_ctrl_d_cancels_with_half_an_answer_typed(tmp_path: Path) -> None:
    with asked("secret", home=tmp_path) as terminal:
        terminal.send("sk-half")
        terminal.wait("7 characters")
        terminal.send(ctrl("D"))
        assert terminal.finish() == 130


@pytest.mark.parametrize("kind", KINDS)
def test_f1_says_more_and_less(tmp_path: Path, kind: str) -> None:
    with asked(kind, home=tmp_path) as terminal:
        terminal.press("f1")
        assert "A longer account of it." in terminal.wait("F1 less")
        terminal.press("f1")
        terminal.wait("A longer account of it.", gone=True)
        terminal.wait("F1 more")
        terminal.send("?")
        if kind in ("text", "secret"):
            terminal.press("enter")
        terminal.wait("A longer account of it.")
        terminal.press("esc")
        assert terminal.finish() == 0


def test_arrows_pass_a_closed_row_and_go_round(tmp_path: Path) -> None:
    with asked("select", home=tmp_path) as terminal:
        assert "Closed      not running" in terminal.text()
        terminal.press("down")
        terminal.wait("> Ollama")
        terminal.press("down")
        terminal.wait("> OpenRouter")
        terminal.press("up", "up")
        terminal.wait("> DeepSeek")
        terminal.press("end")
        terminal.wait("> Ollama")
        terminal.press("enter")
        assert terminal.finish() == 0
        assert "got: 'ollama'" in terminal.text()


def test_a_letter_answers_the_last_question(tmp_path: Path) -> None:
    with asked("keys", home=tmp_path) as terminal:
        terminal.send("t")
        assert terminal.finish() == 0
        assert terminal.text() == "? Write these files?  try the key first\ngot: 't'"


@pytest.mark.parametrize(("key", "answer"), [("y", "True"), ("n", "False")])
def test_y_and_n_answer_at_once(tmp_path: Path, key: str, answer: str) -> None:
    with asked("confirm", home=tmp_path) as terminal:
        terminal.send(key)
        assert terminal.finish() == 0
        assert f"got: {answer}" in terminal.text()


def test_hundreds_of_rows_fit_a_small_terminal_and_scroll(tmp_path: Path) -> None:
    with asked("models", home=tmp_path, rows=12) as terminal:
        lines = terminal.text().splitlines()
        assert len(lines) <= 12
        assert "? Which model?" in lines[0]
        terminal.press("end")
        terminal.wait("> gamma/model-130")
        terminal.press("down")
        terminal.wait("> alpha/model-001")
        terminal.press("pagedown")
        assert "? Which model?" in terminal.wait("> alpha/model-011")


def test_typing_searches_and_esc_clears_before_it_goes_back(tmp_path: Path) -> None:
    with asked("models", home=tmp_path) as terminal:
        terminal.send("gam 12")
        terminal.wait("13 of 390")
        terminal.wait("> gamma/model-012")
        terminal.press("backspace")
        terminal.wait("gam 1 ")
        terminal.press("esc")
        terminal.wait("390 of 390")
        terminal.send("l-130 beta")
        terminal.wait("> beta/model-130")
        terminal.press("enter")
        assert terminal.finish() == 0
        assert terminal.text() == "? Which model?  beta/model-130\ngot: 'beta/model-130'"


def test_a_name_outside_the_list_can_be_typed_or_pasted(tmp_path: Path) -> None:
    with asked("models", home=tmp_path) as terminal:
        terminal.send(paste("my/own-model\n"))
        terminal.wait_match(r"> my/own-model +use this name as it is")
        terminal.press("enter")
        assert terminal.finish() == 0
        assert "got: 'my/own-model'" in terminal.text()


def test_where_only_the_list_counts_nothing_else_can_be_taken(tmp_path: Path) -> None:
    with asked("closed", home=tmp_path) as terminal:
        terminal.send("nosuch")
        terminal.wait("nothing matches `nosuch`")
        terminal.press("enter", "esc")
        terminal.wait("390 of 390")
        terminal.press("enter")
        assert terminal.finish() == 0
        assert "got: 'alpha/model-001'" in terminal.text()


def test_a_line_is_typed_checked_and_mended(tmp_path: Path) -> None:
    with asked("text", home=tmp_path) as terminal:
        terminal.send("two words")
        terminal.press("enter")
        terminal.wait("a name has no spaces")
        terminal.send("\x1bb")  # Alt-B, a word back: begins with Esc and must not go back
        terminal.wait("a name has no spaces")
        terminal.press("backspace")
        terminal.wait("a name has no spaces", gone=True)
        terminal.press("enter")
        assert terminal.finish() == 0
        assert terminal.text() == "? Which name?  twowords\ngot: 'twowords'"


def test_tab_takes_the_default_to_edit(tmp_path: Path) -> None:
    with asked("text", home=tmp_path) as terminal:
        terminal.press("tab")
        terminal.send("-2")
        terminal.wait("> main-2")
        terminal.press("enter")
        assert terminal.finish() == 0
        assert "got: 'main-2'" in terminal.text()


def test_a_pasted_key_is_never_on_the_screen_and_loses_its_line_end(tmp_path: Path) -> None:
    with asked("secret", home=tmp_path) as terminal:
        terminal.send(paste(f"{KEY}\r\n"))
        terminal.wait("24 characters")
        terminal.press("enter")
        terminal.wait(f"got: {KEY!r}")
        assert terminal.finish() == 0
        assert terminal.text().splitlines()[0] == "? Which key?  ****cdef (24 characters)"
        assert KEY.encode() not in terminal.raw.replace(f"got: {KEY!r}".encode(), b"")


def test_quotes_pasted_with_a_key_come_off_and_it_is_said(tmp_path: Path) -> None:
    with asked("secret", home=tmp_path) as terminal:
        terminal.send(paste(f' "{KEY}" \n'))
        terminal.wait("28 characters")
        terminal.press("enter")
        terminal.wait(f"got: {KEY!r}")
        assert "took off what stood around it" in terminal.text()


@pytest.mark.parametrize(
    "sent", [paste(f"{KEY}\nsk-test-second-line"), f"{KEY}\rsk-test-second-line"]
)
def test_two_pasted_lines_never_go_off_as_half_a_key(tmp_path: Path, sent: str) -> None:
    with asked("secret", home=tmp_path) as terminal:
        terminal.send(sent)
        terminal.wait("44 characters")
        terminal.press("enter")
        assert "got:" not in terminal.wait("this is more than one line")


def test_an_empty_or_wrong_key_is_asked_for_again(tmp_path: Path) -> None:
    with asked("secret", home=tmp_path) as terminal:
        terminal.press("enter")
        terminal.wait("nothing was typed")
        terminal.send("AIza-not-this-one")
        terminal.wait("nothing was typed", gone=True)
        terminal.press("enter")
        terminal.wait("a key here begins with `sk-`")
        terminal.send(ctrl("U"))
        terminal.send(KEY)
        terminal.wait("24 characters")
        terminal.press("enter")
        assert terminal.finish() == 0
        assert f"got: {KEY!r}" in terminal.text()


def test_chinese_titles_align(tmp_path: Path) -> None:
    with asked("chinese", home=tmp_path) as terminal:
        rows = [line for line in terminal.screen.display if "阿" in line or "智" in line]
        # Each wide character takes two cells; pyte's line has one character for both.
        starts = [
            sum(
                2 if ord(c) > 0x2E80 else 1
                for c in line[: min(line.index(c) for c in "阿智" if c in line)]
            )
            for line in rows
        ]
        assert len(starts) == 2
        assert len(set(starts)) == 1


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("kind", KINDS)
def test_every_width_draws_whole_lines(tmp_path: Path, kind: str, columns: int) -> None:
    with asked(kind, home=tmp_path, columns=columns) as terminal:
        terminal.press("f1")
        lines = terminal.wait("F1 less").splitlines()
        assert lines[0] == f"? {QUESTIONS[kind]}"
        assert lines[1:3] == ["  It decides where requests go.", "  A longer account of it."]
        assert all(not line or line[:2] in ("  ", " >", " /") for line in lines[1:])
        assert "F1 less" in lines[-1]


def test_a_narrow_list_says_below_it_what_the_row_pointed_at_is(tmp_path: Path) -> None:
    with asked("select", home=tmp_path, columns=40) as terminal:
        shown = terminal.text()
        assert "many models" not in shown
        lines = shown.splitlines()
        assert " > DeepSeek  current" in lines
        assert lines[lines.index("   Ollama") + 1 :][:2] == ["", "   current · its own models"]
        terminal.press("up")
        terminal.wait("   one key, many models")
        assert len(terminal.text().splitlines()) == len(lines)


@pytest.mark.parametrize("columns", [40, 80])
def test_a_note_that_does_not_fit_is_whole_below_the_list(tmp_path: Path, columns: int) -> None:
    with asked("long", home=tmp_path, columns=columns) as terminal:
        shown = terminal.text()
        below = shown.partition("   Second")[2].partition("\n")[2]
        assert " ".join(below.split()).startswith("A note that is far too long ")
        assert "which is what matters in it." in " ".join(below.split())
        height = len(shown.splitlines())
        terminal.press("down")
        terminal.wait_match(r"^   short$")
        assert len(terminal.text().splitlines()) == height


def test_a_resize_redraws(tmp_path: Path) -> None:
    with asked("models", home=tmp_path) as terminal:
        terminal.wait("7k · tools")
        terminal.resize(30, 12)
        terminal.wait_for(
            lambda shown: shown.count("Which model?") == 1 and shown.count("tools") == 1,
            "one narrow question",
        )
        terminal.resize(100, 30)
        terminal.wait_match(r"beta/model-008 +8k · tools")
        terminal.press("enter")
        assert terminal.finish() == 0
        assert "got: 'beta/model-007'" in terminal.text()


@pytest.mark.parametrize("extra", ["env", "flag"])
def test_no_color_sends_none(tmp_path: Path, extra: str) -> None:
    flag, env = ([], {"NO_COLOR": "1"}) if extra == "env" else (["--no-color"], {})
    with asked("select", *flag, home=tmp_path, **env) as terminal:
        terminal.press("enter")
        assert terminal.finish() == 0
        cells = [cell for line in terminal.screen.buffer.values() for cell in line.values()]
        assert {cell.bg for cell in cells} == {"default"}
        # Faint is not a colour; the test's screen keeps it as bright black.
        assert {cell.fg for cell in cells} <= {"default", "brightblack"}
        assert b"[36m" not in terminal.raw


def test_color_is_the_terminals_own(tmp_path: Path) -> None:
    with asked("select", home=tmp_path) as terminal:
        pointed = next(line for y, line in terminal.screen.buffer.items() if line[1].data == ">")
        assert (pointed[3].fg, pointed[3].bg) == ("cyan", "default")
        assert b"38;2" not in terminal.raw
        assert b"38;5" not in terminal.raw


def test_nothing_asks_the_terminal_where_the_cursor_is(tmp_path: Path) -> None:
    with asked("select", home=tmp_path) as terminal:
        terminal.press("enter")
        assert terminal.finish() == 0
        assert b"\x1b[6n" not in terminal.raw


@pytest.mark.skipif(shutil.which("bash") is None, reason="job control needs a shell")
@pytest.mark.parametrize("kind", ["select", "secret"])
def test_ctrl_z_suspends_and_fg_asks_again(tmp_path: Path, kind: str) -> None:
    env = {"PATH": os.defpath, "HOME": str(tmp_path), "TERM": "xterm", "PS1": "shell> "}
    argv = [str(shutil.which("bash")), "--norc", "--noprofile", "-i"]
    with Terminal(argv, env=env, cwd=tmp_path) as terminal:
        terminal.wait("shell>")
        terminal.send(f"{sys.executable} {ASKER} {kind}; echo code $?\r")
        terminal.wait(READY)
        terminal.send(ctrl("Z"))
        terminal.wait("Stopped")
        terminal.send("clear; fg\r")
        terminal.wait("Stopped", gone=True)
        terminal.wait(READY)
        terminal.press("esc")
        terminal.wait(went_back(kind))


def test_questions_are_drawn_on_stderr(tmp_path: Path) -> None:
    result = tmp_path / "result"
    env = {"PATH": os.defpath, "HOME": str(tmp_path), "TERM": "xterm"}
    command = f'"{sys.executable}" "{ASKER}" select > result'
    with Terminal(["/bin/sh", "-c", command], env=env, cwd=tmp_path) as terminal:
        terminal.wait(READY)
        terminal.press("enter")
        assert terminal.finish() == 0
        assert terminal.text() == "? Which provider?  DeepSeek"
    assert result.read_text() == "got: 'deepseek'\n"


def test_questions_are_drawn_on_stdout_where_stderr_is_a_file(tmp_path: Path) -> None:
    env = {"PATH": os.defpath, "HOME": str(tmp_path), "TERM": "xterm"}
    command = f'"{sys.executable}" "{ASKER}" select 2> log'
    with Terminal(["/bin/sh", "-c", command], env=env, cwd=tmp_path) as terminal:
        terminal.wait(READY)
        terminal.press("enter")
        assert terminal.finish() == 0
    assert (tmp_path / "log").read_text() == ""
