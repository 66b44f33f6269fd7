"""`--api-key-stdin`: one line, or nothing is written."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.tool import Tool

KEY = "sk-0123456789abcdef0123456789abcdef"
INIT = ("init", "--provider", "deepseek", "--api-key-stdin", "--yes")


@pytest.mark.parametrize("text", [KEY, f"{KEY}\n", f"\n {KEY}\r\n\n"])
def test_one_line_whatever_stands_round_it(tool: Tool, text: str) -> None:
    done = tool(*INIT, stdin=text)
    assert done.code == 0, done.err
    assert tool.env["ANTHROPIC_AUTH_TOKEN"] == KEY


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "standard input holds no key"),
        (" \n", "standard input holds no key"),
        (f"{KEY[:9]}\n{KEY[9:]}\n", "standard input holds more than one line"),
    ],
)
def test_anything_else_is_refused(tool: Tool, text: str, said: str) -> None:
    done = tool(*INIT, stdin=text, DEEPSEEK_API_KEY=KEY)
    assert (done.code, done.err.splitlines()[0]) == (2, f"error: {said}")
    assert KEY[:9] not in done.err
    assert not tool.settings.exists()


@pytest.mark.parametrize("handler", ["strict", "surrogateescape"])
def test_bytes_that_are_no_text(tool: Tool, handler: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "haha_config", *INIT],
        cwd=tool.cwd,
        env=tool.variables({"PYTHONIOENCODING": f"utf-8:{handler}"}),
        input=b"sk-\xff\xfe\n",
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: ")
    assert not tool.settings.exists()


def test_a_profile_takes_it_the_same_way(tool: Tool) -> None:
    assert tool(*INIT, stdin=KEY).code == 0
    done = tool("profile", "key", "deepseek", "--api-key-stdin", stdin="a\nb\n")
    assert done.code == 2
    assert "more than one line" in done.err
