from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.tool import Tool


@pytest.fixture
def tool(home: Path, tmp_path: Path) -> Tool:
    """The program, in an empty project folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    return Tool(home=home, cwd=folder)
