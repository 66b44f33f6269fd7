"""Rows in columns: a rich table on a terminal, whole names with spaces between them in a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from shutil import get_terminal_size
from typing import Final, Literal, TextIO

from msgspec import Struct
from msgspec.structs import replace

from haha_config.core.messages import Message
from haha_config.io import report
from haha_config.io.i18n import columns, pad, render, shortened, visible, whole_words

#: A name is not shortened below this, nor is a text broken into lines that are shorter.
_NAME: Final = 40
_WORDS: Final = 30
#: Beside less than this no text stands.
_LEAST: Final = 16
_GAP: Final = 2
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
    """The cells of one line; `style` is rich's word for how it looks.

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
    if stream.isatty():
        fitted = _fitted(heads, widths, get_terminal_size().columns)
        drawn = _drawn(heads, rows, fitted, stream)
    else:
        drawn = ([line] for line in _aligned(heads, texts, widths))
    headings = [*([""] if any(names) else []), *(row.above for row in rows)]
    return list(_headed(drawn, headings, stream))


def _headed(
    drawn: Iterable[Sequence[str]], headings: Sequence[str], stream: TextIO
) -> Iterator[str]:
    last = ""
    for block, heading in zip(drawn, headings, strict=True):
        if heading != last:
            yield report.paint(report.fitted(heading, stream, indent=0), "path", stream)
        last = heading
        yield from block


def _aligned(
    heads: Sequence[Column], texts: Sequence[Sequence[str]], widths: Mapping[int, int]
) -> Iterator[str]:
    for row in texts:
        cells = (_filled(row[i], width, right=heads[i].right) for i, width in widths.items())
        yield (" " * _GAP).join(cells).rstrip()


def _filled(text: str, width: int, *, right: bool) -> str:
    return " " * (width - columns(text)) + text if right else pad(text, width)


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
    heads: Sequence[Column], rows: Sequence[Row], widths: Mapping[int, int], stream: TextIO
) -> Iterator[list[str]]:
    """The lines of each row: rich sets the columns; a text without room beside them is below."""
    room = get_terminal_size().columns
    last = len(heads) - 1
    cells: list[list[str]] = []
    below: list[list[str]] = []
    for row in rows:
        text = row.cells[last] if heads[last].prose else ""
        apart = last > 0 and not _has_room(text, widths.get(last, 0))
        shown = [_cell(heads[i], row.cells[i], width) for i, width in widths.items()]
        cells.append([*shown[:-1], ""] if apart and last in widths else shown)
        below.append(whole_words(text, room - _BELOW) if apart else [])
    drawn = _table(heads, rows, cells, widths, stream)
    if any(head.head for head in heads):
        yield [next(drawn)]
    for shown, more in zip(cells, below, strict=True):
        own = [next(drawn) for _ in range(1 + max(cell.count("\n") for cell in shown))]
        yield [*own, *(f"{' ' * _BELOW}{line}" for line in more)]


def _has_room(text: str, width: int) -> bool:
    """Whether a text can stand in so many columns, in one line where they are few."""
    if columns(text) <= width:
        return True
    longest = max((columns(word) for word in text.split() if word.isascii()), default=0)
    return width >= _WORDS and longest <= width


def _table(
    heads: Sequence[Column],
    rows: Sequence[Row],
    cells: Sequence[Sequence[str]],
    widths: Mapping[int, int],
    stream: TextIO,
) -> Iterator[str]:
    from io import StringIO

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    named = any(head.head for head in heads)
    table = Table(
        box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=named, header_style="dim"
    )
    for i, width in widths.items():
        head = heads[i].head
        side: Literal["left", "right"] = "right" if heads[i].right else "left"
        name = Text(render(head) if head else "")
        table.add_column(name, justify=side, no_wrap=True, width=width)
    for row, shown in zip(rows, cells, strict=True):
        styled = (Text(cell, heads[i].style) for i, cell in zip(widths, shown, strict=True))
        table.add_row(*styled, style=row.style or None)
    colored = report.colored(stream)
    out = StringIO()
    Console(
        file=out,
        width=sum(widths.values()) + _GAP * len(widths),
        force_terminal=colored,
        color_system="standard" if colored else None,
        legacy_windows=False,
    ).print(table)
    return (line.rstrip() for line in out.getvalue().splitlines())


def _cell(head: Column, text: str, width: int) -> str:
    return "\n".join(whole_words(text, width)) if head.prose else shortened(text, width)
