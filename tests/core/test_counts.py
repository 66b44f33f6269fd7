"""The counts that README and CHANGELOG give are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from haha_config import __version__
from haha_config.core.providers.table import load
from haha_config.core.rules import codes
from haha_config.io import templates

ROOT = Path(__file__).parent.parent.parent


def newest(page: str) -> str:
    """The part of a page that speaks about this version."""
    return re.split(r"^## ", page, flags=re.MULTILINE)[1] if "## 0." in page else page


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md"])
def test_counts_of_rules_and_providers(name: str) -> None:
    counts = {
        "rules": len(codes()),
        "rows": len(load(templates.provider_texts())),
        "providers": len(load(templates.provider_texts())),
    }
    said = re.findall(r"\b(\d+) (rules|rows|providers)\b", newest((ROOT / name).read_text("utf-8")))
    assert said
    assert [(number, what) for number, what in said if int(number) != counts[what]] == []


def test_the_changelog_begins_with_this_version() -> None:
    assert newest((ROOT / "CHANGELOG.md").read_text("utf-8")).startswith(f"{__version__}\n")
