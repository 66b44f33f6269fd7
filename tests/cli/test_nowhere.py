"""A command that is called in a folder which somebody has removed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.tool import Tool


@pytest.mark.skipif(sys.platform == "win32", reason="a current folder can't be removed there")
@pytest.mark.parametrize(
    "words", ["validate", "show", "init --provider ollama --yes", "undo --list", "proxy status"]
)
def test_it_says_so(tool: Tool, words: str) -> None:
    gone = tool.cwd / "gone"
    gone.mkdir()
    done = subprocess.run(
        ["sh", "-c", f'rmdir "$PWD"; exec "$0" -m haha_config {words}', sys.executable],
        cwd=gone, env=tool.variables(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "the current folder is gone\n  hint: cd ~" in done.stderr
