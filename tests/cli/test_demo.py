"""The tour, as somebody takes it who has never seen the program."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.cli.tool import Tool


def test_the_tour_says_nothing_that_a_newcomer_would_have_to_mend(tool: Tool) -> None:
    """It was: a note and a hint about files of the throwaway home, below "nothing is wrong"."""
    done = tool("demo")
    assert done.code == 0, done.err
    steps = re.split(r"^(\d)\. .*$", done.out, flags=re.MULTILINE)
    told = dict(zip(steps[1::2], steps[2::2], strict=True))
    assert list(told) == list("1234567")
    assert "0 errors" in told["2"]
    assert "hint" not in told["2"]


def test_it_leaves_nothing_and_says_how_to_begin(tool: Tool) -> None:
    done = tool("demo", ANTHROPIC_BASE_URL="https://mine.example", CLAUDE_CODE_USE_BEDROCK="1")
    assert done.code == 0, done.err
    found = re.search(r"a throwaway home: (\S+)", done.out)
    assert found is not None
    assert not Path(found[1]).exists()
    assert "mine.example" not in done.out + done.err
    assert done.out.rstrip().splitlines()[-1].endswith("haha-config init")
    assert not [path for path in tool.home.rglob("*") if path.is_file()]


def test_with_keep_the_folder_is_named_and_stays(tool: Tool) -> None:
    done = tool("demo", "--keep")
    found = re.search(r"a throwaway home: (\S+)", done.out)
    assert found is not None
    folder = Path(found[1])
    try:
        assert (folder / "project" / ".env").is_file()
        assert str(folder) in done.err
    finally:
        shutil.rmtree(folder)
