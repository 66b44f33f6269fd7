"""The plan as a person sees it before it is written, and as JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from msgspec.structs import replace

from haha_config.core.change.preview import Line, lines, rows
from haha_config.core.messages import Message, msg
from haha_config.core.model import Change, Place, Plan, Snapshot, Write
from haha_config.core.state.file import parse
from haha_config.io import disk, report
from haha_config.io.i18n import columns, render


def preview_lines(write: Write) -> list[Line]:
    """One file's masked difference, in the order of the file."""
    if write.format == "lines":
        return lines(write, {}, {})
    before = parse(Snapshot(path=write.path, real=write.path, data=write.before), write.format)
    after = parse(Snapshot(path=write.path, real=write.path, data=write.after), write.format)

    def where(change: Change) -> tuple[int, int]:
        places = (file.document.place(change.path) for file in (after, before) if file.document)
        place = next((found for found in places if found is not None), Place())
        return place.line or 0, place.column or 0

    ordered = replace(write, changes=tuple(sorted(write.changes, key=where)))
    return lines(ordered, before.data, after.data)


def action(write: Write) -> str:
    """`create`, `update`, `delete` or `none`."""
    if write.before == write.after:
        return "none"
    if write.before is None:
        return "create"
    return "update" if write.after is not None else "delete"


def changes_json(plan: Plan) -> list[dict[str, Any]]:
    """Every write, masked, as design section 3 has it."""
    return [
        {
            "path": write.path,
            "action": action(write),
            "diff": "\n".join(f"{line.sign} {line.text}" for line in preview_lines(write)),
        }
        for write in plan.writes
    ]


#: More of one file than a person reads before answering.
_MOST_ROWS = 15


_ACTIONS = {"create": msg("new file"), "update": msg("changed"), "delete": msg("removed")}


def preview(plan: Plan, *, dry_run: bool, asks: bool = False, whole: bool = False) -> None:
    """The plan, file by file; on stdout where it is the result (`--dry-run`).

    It is cut after some rows, unless it is the result; `asks`: the question that comes can show it
    `whole`, where nothing is said shortly.
    """
    if report.is_quiet() and not dry_run:
        return
    stream = sys.stdout if dry_run else sys.stderr
    if not plan.effective and dry_run:
        print(render(msg("nothing would change")), file=stream)
    hidden = 0
    for write in plan.effective if whole else ():
        _head(write, stream)
        for line in preview_lines(write):
            _print(line.sign, line.text, stream)
    if not whole:
        hidden = _files(plan, None if dry_run else _MOST_ROWS, stream)
    if hidden:
        key = "d" if asks else "--dry-run"
        _dim(msg("and {n} more: {key} shows them", n=hidden, key=key), stream)
    if plan.effective:
        print(file=stream)
    for note in plan.notes:
        head = render(msg("note:"))
        broken = report.fitted(render(note), stream, indent=columns(head) + 1)
        print(f"{head} {broken}", file=stream)


def _files(plan: Plan, most: int | None, stream: TextIO) -> int:
    """Each file and at most so many rows; how many were left out."""
    shown = [preview_lines(write) for write in plan.effective]
    bare = [_bare(lines_) for lines_ in shown]
    hidden = 0
    for at, write in enumerate(plan.effective):
        _head(write, stream)
        same = _same(at, bare)
        if same is not None:
            path = report.short(plan.effective[same].path)
            _dim(msg("the same variables as in {path}", path=path), stream)
            continue
        short = rows(shown[at])
        for row in short[:most]:
            _print(row.sign, render(row.text), stream)
        hidden += len(short[most:]) if most is not None else 0
        most = None if most is None else max(0, most - len(short))
    return hidden


def _dim(text: Message, stream: TextIO) -> None:
    print(report.paint(f"  {render(text)}", "dim", stream), file=stream)


def _print(sign: str, text: str, stream: TextIO) -> None:
    broken = report.fitted(text, stream, indent=4)
    print(report.paint(f"  {sign} {broken}", sign, stream), file=stream)


def _head(write: Write, stream: TextIO) -> None:
    """The name of a file, where a link leads, and what becomes of it."""
    real = os.path.realpath(write.path)
    link = f" -> {report.short(real)}" if Path(write.path).is_symlink() else ""
    name = report.paint(f"{report.short(write.path)}{link}", "path", stream)
    print(f"{name}  ({render(_ACTIONS[action(write)])})", file=stream)
    mode = disk.snapshot(write.path).mode
    if write.secret and mode is not None and mode & 0o077 and sys.platform != "win32":
        # Others can read the file now, and will not when it holds a key.
        print(f"  {render(msg('will hold a key: mode 600'))}", file=stream)


def _same(at: int, bare: Sequence[frozenset[str]]) -> int | None:
    """Another file whose lines hold all of this one's: settings.json may have more."""
    if not bare[at]:
        return None
    above = (i for i, held in enumerate(bare) if bare[at] < held or (i < at and bare[at] == held))
    return next(above, None)


def _bare(shown: Sequence[Line]) -> frozenset[str]:
    """Lines without the dress of their format, to tell when two files get the same."""
    return frozenset(
        line.sign + line.text.removeprefix("env.").replace(": ", "=", 1).replace('"', "")
        for line in shown
    )
