"""Which prompter is chosen, and the one that refuses."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from haha_config.core.errors import Usage
from haha_config.core.messages import msg
from haha_config.io.i18n import render
from haha_config.io.prompts import Choice, NeverAsk, Prompter, choose_prompter
from haha_config.io.prompts.plain import Plain
from haha_config.io.prompts.screen import Screen


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def chosen(
    *, stdin: io.StringIO, stderr: io.StringIO, stdout: io.StringIO, term: str, plain: bool = False
) -> Prompter:
    return choose_prompter(
        plain=plain, environ={"TERM": term}, stdin=stdin, stderr=stderr, stdout=stdout
    )


@pytest.mark.skipif(sys.platform == "win32", reason="TERM means nothing there")
@pytest.mark.parametrize(("term", "kind"), [("xterm", Screen), ("dumb", Plain), ("", Plain)])
def test_the_terminal_decides_how_to_ask(term: str, kind: type) -> None:
    assert isinstance(chosen(stdin=Tty(), stderr=Tty(), stdout=Tty(), term=term), kind)


def test_plain_is_plain_on_any_terminal() -> None:
    asked = chosen(stdin=Tty(), stderr=Tty(), stdout=Tty(), term="xterm", plain=True)
    assert isinstance(asked, Plain)


def test_with_no_terminal_to_read_or_none_to_write_nothing_is_asked() -> None:
    pipe = io.StringIO
    assert isinstance(chosen(stdin=pipe(), stderr=Tty(), stdout=Tty(), term="xterm"), NeverAsk)
    assert isinstance(chosen(stdin=Tty(), stderr=pipe(), stdout=pipe(), term="xterm"), NeverAsk)
    assert isinstance(
        chosen(stdin=Tty(), stderr=pipe(), stdout=pipe(), term="xterm", plain=True), NeverAsk
    )
    assert isinstance(chosen(stdin=Tty(), stderr=pipe(), stdout=Tty(), term="xterm"), Screen)


@pytest.mark.parametrize("kind", ["select", "text", "secret", "confirm", "keys"])
def test_a_refusal_names_the_flag(kind: str) -> None:
    never: Prompter = NeverAsk()
    question, why, flag = msg("Which?"), msg("because"), "--provider"
    ask = {
        "select": lambda: never.select(
            question, [Choice(value="a", title="A")], why=why, flag=flag
        ),
        "text": lambda: never.text(question, why=why, flag=flag),
        "secret": lambda: never.secret(question, why=why, flag=flag),
        "confirm": lambda: never.confirm(question, why=why, flag=flag, default=True),
        "keys": lambda: never.keys(question, {"w": msg("write")}, why=why, flag=flag, default="w"),
    }[kind]
    with pytest.raises(Usage) as caught:
        ask()
    assert render(caught.value.what) == "there is no terminal: give `--provider`"


def test_a_refusal_can_give_its_own_reason() -> None:
    with pytest.raises(Usage) as caught:
        NeverAsk(msg("`--yes` asks nothing")).text(msg("Which?"), why=msg("x"), flag="--model")
    assert render(caught.value.what) == "`--yes` asks nothing: give `--model`"


def test_choosing_how_to_ask_loads_no_terminal_library() -> None:
    code = """
import sys, io
class Tty(io.StringIO):
    def isatty(self): return True
from haha_config.io.prompts import choose_prompter
for plain in (True, False):
    choose_prompter(plain=plain, environ={"TERM": "xterm"},
                    stdin=Tty(), stderr=Tty(), stdout=Tty())
heavy = {"questionary", "prompt_toolkit", "rich", "wcwidth", "getpass"} & set(sys.modules)
sys.exit(f"loaded: {sorted(heavy)}" if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0
