"""A part of docs/speed.md that a benchmark of its own measures, between two comments."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.measure import machine

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "speed.md"


def write(name: str, lines: Sequence[str]) -> None:
    """Put `lines` in place of the section's, below when and where they were measured."""
    when = time.strftime("%Y-%m-%d %H:%M %Z", time.gmtime())
    text = "\n".join((f"{when}; {machine()}.", "", *lines))
    print(text)
    PAGE.write_text(_with(PAGE.read_text(encoding="utf-8"), name, text), encoding="utf-8")


def keep(text: str) -> str:
    """`text` with each section as the page has it now."""
    page = PAGE.read_text(encoding="utf-8")
    for name, measured in re.findall(
        r"<!-- (\S+) from here -->\n(.*?)\n<!-- to here -->", page, re.S
    ):
        text = _with(text, name, measured)
    return text


def _with(page: str, name: str, text: str) -> str:
    begin, end = f"<!-- {name} from here -->\n", "\n<!-- to here -->"
    before, _, rest = page.partition(begin)
    return f"{before}{begin}{text}{end}{rest.partition(end)[2]}"
