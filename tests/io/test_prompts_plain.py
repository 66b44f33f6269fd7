"""The same questions as plain lines, in a real terminal that gets no escape codes."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.terminal.screen import Terminal, ctrl

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal of POSIX")

ASKER = Path(__file__).parent / "asker.py"
KINDS = ["select", "models", "text", "secret", "confirm", "keys"]
KEY = "sk-test-0123456789abcdef"


@contextmanager
def asked(
    *kinds: str, home: Path, flag: str = "--plain", term: str = "xterm-256color", columns: int = 80
) -> Iterator[Terminal]:
    env = {"PATH": os.defpath, "HOME": str(home), "TERM": term, "LANG": "C.UTF-8"}
    argv = [sys.executable, str(ASKER), *kinds, *([flag] if flag else [])]
    with Terminal(argv, env=env, cwd=home, columns=columns) as terminal:
        terminal.wait_match(r"\): *$")
        yield terminal
        assert b"\x1b" not in terminal.raw


def again(terminal: Terminal, complaint: str) -> None:
    """The complaint, and the prompt that comes after it."""
    terminal.wait_match(rf"{re.escape(complaint)}(.*\n)+.*\): *$")


def finished(terminal: Terminal) -> str:
    assert terminal.finish() == 0
    return terminal.text().splitlines()[-1]


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("select", "'deepseek'"),
        ("models", "'beta/model-007'"),
        ("text", "'main'"),
        ("found", "''"),
        ("confirm", "False"),
        ("keys", "'w'"),
    ],
)
@pytest.mark.parametrize(("flag", "term"), [("--plain", "xterm"), ("", "dumb")])
def test_enter_takes_the_default(
    tmp_path: Path, kind: str, answer: str, flag: str, term: str
) -> None:
    with asked(kind, home=tmp_path, flag=flag, term=term) as terminal:
        terminal.press("enter")
        assert finished(terminal) == f"got: {answer}"


@pytest.mark.parametrize("kind", KINDS)
def test_less_than_goes_back_and_a_question_mark_says_more(tmp_path: Path, kind: str) -> None:
    with asked(kind, home=tmp_path) as terminal:
        terminal.send("?\r")
        terminal.wait_match(r"A longer account of it\.\n(.*\n)*.*\): *$")
        terminal.send("<\r")
        assert finished(terminal) == ("got: False" if kind == "confirm" else "went back")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", ["C", "D"])
def test_ctrl_c_and_ctrl_d_cancel(tmp_path: Path, kind: str, key: str) -> None:
    with asked(kind, home=tmp_path) as terminal:
        terminal.send(ctrl(key))
        assert terminal.finish() == 130
        assert terminal.text().splitlines()[-1] == "error: cancelled"


def test_the_list_is_read_out_with_numbers_and_what_is_current(tmp_path: Path) -> None:
    with asked("select", home=tmp_path) as terminal:
        assert terminal.text().splitlines() == [
            "Which provider?",
            "  It decides where requests go.",
            "  1. OpenRouter: one key, many models",
            "  2. DeepSeek: current · its own models",
            "  3. Closed: not running",
            "  4. Ollama: on this machine",
            "number [DeepSeek] (< goes back, ? says more):",
        ]
        terminal.send("9\r")
        again(terminal, "type a number from 1 to 4")
        terminal.send("3\r")
        terminal.wait("Closed: not running\nnumber")
        terminal.send("soon\r")
        terminal.wait_match(r"type a number from 1 to 4\n(.*\n)+type a number from 1 to 4")
        terminal.send("4\r")
        assert finished(terminal) == "got: 'ollama'"


def test_a_row_can_be_given_by_its_value(tmp_path: Path) -> None:
    with asked("select", home=tmp_path) as terminal:
        terminal.send("openrouter\r")
        assert finished(terminal) == "got: 'openrouter'"


def test_a_long_list_is_searched_not_read_out(tmp_path: Path) -> None:
    with asked("models", home=tmp_path) as terminal:
        assert "alpha/model-001" not in terminal.text()
        assert "(390 entries: type part of a name)" in terminal.text()
        terminal.send("beta\r")
        again(terminal, "130 match: type more")
        terminal.send("beta 12\r")
        again(terminal, "  2. beta/model-112: 112k · tools")
        terminal.send("2\r")
        assert finished(terminal) == "got: 'beta/model-112'"


@pytest.mark.parametrize("name", ["my/own-model", "beta", "2"])
def test_a_name_outside_the_list_is_offered_as_it_is(tmp_path: Path, name: str) -> None:
    with asked("models", home=tmp_path) as terminal:
        terminal.send(f"{name}\r")
        again(terminal, f"  1. {name}: use this name as it is")
        terminal.send("1\r")
        assert finished(terminal) == f"got: {name!r}"


def test_where_only_the_list_counts_one_match_is_the_answer(tmp_path: Path) -> None:
    with asked("closed", home=tmp_path) as terminal:
        terminal.send("nosuch\r")
        again(terminal, "nothing matches `nosuch`")
        terminal.send("gamma 077\r")
        assert finished(terminal) == "got: 'gamma/model-077'"


def test_a_line_is_checked(tmp_path: Path) -> None:
    with asked("text", home=tmp_path) as terminal:
        terminal.send("two words\r")
        again(terminal, "a name has no spaces")
        terminal.send(" one \r")
        assert finished(terminal) == "got: 'one'"


def test_a_key_is_not_echoed_and_what_became_of_it_is_said(tmp_path: Path) -> None:
    with asked("secret", home=tmp_path) as terminal:
        terminal.send("\r")
        again(terminal, "nothing was typed")
        terminal.send("AIza-not-this-one\r")
        again(terminal, "a key here begins with `sk-`")
        terminal.send(f"'{KEY}' \r")
        terminal.wait("****cdef (24 characters)")
        terminal.wait("took off what stood around it")
        terminal.wait(f"got: {KEY!r}")
        assert terminal.finish() == 0
        assert KEY.encode() not in terminal.raw.replace(f"got: {KEY!r}".encode(), b"")


def test_the_second_line_of_a_pasted_key_answers_nothing(tmp_path: Path) -> None:
    with asked("secret", "text", home=tmp_path) as terminal:
        terminal.send(f"{KEY}\rsk-test-second-line\r")
        terminal.wait("Which name?")
        terminal.wait("answer [main] (")
        terminal.send("mine\r")
        assert finished(terminal) == "got: 'mine'"


@pytest.mark.parametrize(("typed", "answer"), [("y", "True"), ("NO", "False")])
def test_yes_or_no(tmp_path: Path, typed: str, answer: str) -> None:
    with asked("confirm", home=tmp_path) as terminal:
        terminal.send("maybe\r")
        again(terminal, "type y or n")
        terminal.send(f"{typed}\r")
        assert finished(terminal) == f"got: {answer}"


def test_the_last_question_lists_its_letters(tmp_path: Path) -> None:
    with asked("keys", home=tmp_path) as terminal:
        assert "  c. change something\n  t. try the key first\nletter [w] (" in terminal.text()
        terminal.send("x\r")
        again(terminal, "type one of w, c, t")
        terminal.send("C\r")
        assert finished(terminal) == "got: 'c'"


def test_rows_are_broken_between_words(tmp_path: Path) -> None:
    with asked("long", home=tmp_path, columns=40) as terminal:
        lines = terminal.text().splitlines()
        at = lines.index("  1. First: A note that is far too")
        assert lines[at + 1].startswith("    long for one line of a narrow")
        assert max(map(len, lines)) <= 40
