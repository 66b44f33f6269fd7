"""Rows in columns: fitted to a terminal, whole names with spaces between them in a pipe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from shutil import get_terminal_size
from typing import Final, TextIO

from msgspec import Struct
from msgspec.structs import replace

from haha_config.core.messages import Message
from haha_config.io import report
from haha_config.io.i18n import columns, render, shortened, visible, whole_words

#: A name is not shortened below this, nor is a text broken into lines that are shorter.
_NAME: Final = 40
_WORDS: Final = 30
#: Beside less than this no text stands.
_LEAST: Final = 16
_GAP: Final = 2
#: The room in a pipe.
_ENDLESS: Final = 1 << 16
#: How far in a text stands that is below its row.
_BELOW: Final = 4


class Column(Struct, frozen=True, kw_only=True):
    """`drop`: left out where room lacks, the highest first. `cut`: shortened in the middle.

    `prose`, for the last column: broken between words, below its row where that has no room.
    """

    head: Message | None = None
    right: bool = False
    drop: int = 0
    cut: bool = False
    prose: bool = False
    style: str = ""


class Row(Struct, frozen=True):
    """The cells of one line; `style` is one of the report's.

    `above`: a heading; it is drawn where it is another than the last row's.
    """

    cells: tuple[str, ...]
    style: str = ""
    above: str = ""


def lines(heads: Sequence[Column], rows: Sequence[Row], stream: TextIO) -> list[str]:
    """The table as lines for `stream`, below its header where the columns have names."""
    rows = [replace(row, cells=tuple(visible(cell) for cell in row.cells)) for row in rows]
    used = [i for i in range(len(heads)) if i == 0 or any(row.cells[i] for row in rows)]
    names = tuple(render(head.head) if head.head else "" for head in heads)
    texts = [*([names] if any(names) else []), *(row.cells for row in rows)]
    widths = {i: max((columns(text[i]) for text in texts), default=0) for i in used}
    room = get_terminal_size().columns if stream.isatty() else _ENDLESS
    widths = _fitted(heads, widths, room)
    shown: list[str] = []
    if any(names):
        shown += _line(heads, dict(enumerate(names)), widths, "dim", stream)
    last = ""
    for row in rows:
        if row.above != last:
            last = row.above
            shown.append(report.paint(report.fitted(last, stream), "path", stream))
        shown += _drawn(heads, row, widths, room, stream)
    return shown


def _fitted(heads: Sequence[Column], widths: dict[int, int], room: int) -> dict[int, int]:
    """The columns that stand beside each other, and how wide each may be."""

    def least(i: int) -> int:
        return min(widths[i], _NAME if heads[i].cut else _LEAST if heads[i].prose else widths[i])

    def lacking(shown: Mapping[int, int]) -> bool:
        return sum(least(i) + _GAP for i in shown) - _GAP > room

    fitted = dict(widths)
    for level in sorted({heads[i].drop for i in widths} - {0}, reverse=True):
        if lacking(fitted):
            fitted = {i: width for i, width in fitted.items() if heads[i].drop != level}
    if lacking(fitted):
        fitted = {i: width for i, width in fitted.items() if not heads[i].prose or not i}
    for i in [*(i for i in fitted if heads[i].prose), *(i for i in fitted if heads[i].cut), 0]:
        others = sum(width + _GAP for j, width in fitted.items() if j != i)
        fitted[i] = min(fitted[i], max(room - others, least(i) if heads[i].prose else 1))
    return fitted


def _drawn(
    heads: Sequence[Column], row: Row, widths: Mapping[int, int], room: int, stream: TextIO
) -> list[str]:
    """The lines of a row; a text without room beside the others is below them."""
    last = len(heads) - 1
    text = row.cells[last] if heads[last].prose else ""
    apart = last > 0 and not _has_room(text, widths.get(last, 0))
    cells = {
        i: "\n".join(whole_words(row.cells[i], width))
        if heads[i].prose
        else shortened(row.cells[i], width)
        for i, width in widths.items()
    }
    if apart:
        cells[last] = ""
    below = whole_words(text, room - _BELOW) if apart else []
    shown = _line(heads, cells, widths, row.style, stream)
    return [*shown, *(f"{' ' * _BELOW}{line}" for line in below)]


def _has_room(text: str, width: int) -> bool:
    """Whether a text can stand in so many columns, in one line where they are few."""
    if columns(text) <= width:
        return True
    longest = max((columns(word) for word in text.split() if word.isascii()), default=0)
    return width >= _WORDS and longest <= width


def _line(
    heads: Sequence[Column],
    cells: Mapping[int, str],
    widths: Mapping[int, int],
    style: str,
    stream: TextIO,
) -> Iterator[str]:
    """Cells beside each other; one may have several lines."""
    for parts in zip_longest(*(cells[i].split("\n") for i in widths), fillvalue=""):
        line = ""
        for (i, width), part in zip(widths.items(), parts, strict=True):
            painted = report.paint(part, style or heads[i].style, stream)
            space = " " * (width - columns(part))
            line += (space + painted if heads[i].right else painted + space) + " " * _GAP
        yield line.rstrip()
