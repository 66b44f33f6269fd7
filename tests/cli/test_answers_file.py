"""`--save-answers` where nothing can be saved."""

from __future__ import annotations

from pathlib import Path

from tests.cli.tool import Tool


def test_a_place_that_can_not_be_written_is_said(tool: Tool, tmp_path: Path) -> None:
    wanted = tmp_path / "nowhere" / "answers.toml"
    done = tool("init", "--provider", "ollama", "--yes", "--save-answers", str(wanted))
    assert done.code == 1, done.err
    assert f"can't write {wanted}" in done.err
