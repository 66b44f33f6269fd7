"""The plan as a person sees it before it is written, and as JSON."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from haha_config.core.change.preview import Line, lines, rows
from haha_config.core.messages import msg
from haha_config.core.model import Plan, Snapshot, Write
from haha_config.core.state.file import parse
from haha_config.io import disk, report
from haha_config.io.i18n import columns, render


def preview_lines(write: Write) -> list[Line]:
    """One file's masked difference."""
    if write.format == "lines":
        return lines(write, {}, {})
    before = parse(Snapshot(path=write.path, real=write.path, data=write.before), write.format)
    after = parse(Snapshot(path=write.path, real=write.path, data=write.after), write.format)
    return lines(write, before.data, after.data)


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


_ACTIONS = {
    "create": msg("new file"),
    "update": msg("changed"),
    "delete": msg("removed"),
}


def preview(plan: Plan, *, dry_run: bool) -> None:
    """The plan, file by file; on stdout where it is the result (`--dry-run`)."""
    if report.is_quiet() and not dry_run:
        return
    stream = sys.stdout if dry_run else sys.stderr
    if not plan.effective and dry_run:
        print(render(msg("nothing would change")), file=stream)
    shown: dict[str, frozenset[str]] = {}
    for write in plan.effective:
        real = str(Path(write.path).resolve())
        link = f" -> {report.short(real)}" if Path(write.path).is_symlink() else ""
        head = f"{report.short(write.path)}{link}"
        does = render(_ACTIONS[action(write)])
        print(f"{report.paint(head, 'path', stream)}  ({does})", file=stream)
        if _tightens(write):
            print(f"  {render(msg('will hold a key: mode 600'))}", file=stream)
        lines_ = preview_lines(write)
        short = rows(lines_)
        most = None if dry_run else _MOST_ROWS
        bare = _bare(lines_)
        # settings.json may hold more beside its variables.
        same = next((path for path, above in shown.items() if bare <= above), None)
        shown[write.path] = bare
        if lines_ and same is not None:
            text = msg("the same variables as in {path}", path=report.short(same))
            print(report.paint(f"  {render(text)}", "dim", stream), file=stream)
        else:
            for row in short[:most]:
                broken = report.fitted(render(row.text), stream, indent=4)
                print(report.paint(f"  {row.sign} {broken}", row.sign, stream), file=stream)
            if most is not None and len(short) > most:
                more = msg("and {n} more: --dry-run shows them", n=len(short) - most)
                print(report.paint(f"  {render(more)}", "dim", stream), file=stream)
        if lines_ or write is plan.effective[-1]:
            print(file=stream)
    for note in plan.notes:
        head = render(msg("note:"))
        broken = report.fitted(render(note), stream, indent=columns(head) + 1)
        print(f"{head} {broken}", file=stream)


def _tightens(write: Write) -> bool:
    """Whether others can read the file now and will not when it holds a key."""
    mode = disk.snapshot(write.path).mode
    return write.secret and mode is not None and bool(mode & 0o077) and sys.platform != "win32"


def _bare(shown: Sequence[Line]) -> frozenset[str]:
    """Lines without the dress of their format, to tell when two files get the same."""
    return frozenset(
        line.sign + line.text.removeprefix("env.").replace(": ", "=", 1).replace('"', "")
        for line in shown
    )
