"""The pages made from the provider table are fresh, and their links lead somewhere."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parent.parent / "docs"
GENERATOR = runpy.run_path(str(DOCS / "_generate" / "providers.py"))
pages: Callable[[], dict[str, str]] = GENERATOR["pages"]
stale: Callable[[], list[str]] = GENERATOR["stale"]


def test_the_provider_pages_are_fresh() -> None:
    assert stale() == [], "run: python docs/_generate/providers.py"


def test_links_between_the_pages_lead_to_pages() -> None:
    made = pages()
    links = re.findall(r"\]\((providers/[^)]+)\)", made["providers.md"])
    assert set(links) == made.keys() - {"providers.md"}


@pytest.mark.parametrize("name", pages())
def test_every_table_has_as_many_cells_as_heads(name: str) -> None:
    def cells(line: str) -> int:
        return len(re.findall(r"(?<!\\)\|", line))

    lines = pages()[name].splitlines()
    blocks: list[Any] = []
    for before, line in zip(["", *lines], lines, strict=False):
        if line.startswith("|"):
            if not before.startswith("|"):
                blocks.append([])
            blocks[-1].append(cells(line))
    assert [block for block in blocks if len(set(block)) != 1] == []


@pytest.mark.parametrize(
    "name", ["docs/_generate/cli.py", "docs/_generate/rules.py", "tools/json_shapes.py"]
)
def test_the_page_is_fresh(name: str) -> None:
    done = subprocess.run(
        [sys.executable, str(DOCS.parent / name), "--check"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
