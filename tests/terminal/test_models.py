"""The list of models on a terminal."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.terminal.screen import Terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal")


@pytest.mark.parametrize("columns", [72, 80, 200])
@pytest.mark.parametrize("provider", ["openai", "openrouter"])
def test_no_line_is_longer_than_the_terminal(home: Path, provider: str, columns: int) -> None:
    words = ("models", "--provider", provider, "--offline")
    argv = [sys.executable, "-m", "haha_config", *words]
    env = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TERM": "xterm",
        "PAGER": "cat",
    }
    with Terminal(argv, env=env, cwd=home, columns=columns) as terminal:
        assert terminal.finish() == 0
        text = re.sub(r"\x1b\[[0-9;]*m", "", terminal.raw.decode())
    lines = text.splitlines()
    assert len(lines) > 20
    assert max(map(len, lines)) <= columns
    (head,) = [line for line in lines if line.startswith("model ")]
    assert ("output" in head) is (columns == 200)
    assert columns < 200 or "…" not in text
