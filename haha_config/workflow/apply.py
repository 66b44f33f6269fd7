"""The tail that every writing command shares: preview, guard, confirm, write, validate, say."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from haha_config.core import variables as v
from haha_config.core.change.preview import Line, lines, rows
from haha_config.core.errors import Cancelled, HahaError
from haha_config.core.messages import Message, msg
from haha_config.core.model import Finding, Plan, Set, Snapshot, Write
from haha_config.core.state import owned
from haha_config.core.state.file import parse
from haha_config.io import disk, report
from haha_config.io.i18n import columns, english, render
from haha_config.workflow import trust
from haha_config.workflow.session import Session


class WriteOptions(Struct, frozen=True, kw_only=True):
    """How a command writes.

    `follow`: through links that lead out of the folder. `agrees`: the values come from the person,
    so that writing them says yes to where they send keys.
    """

    command: str
    yes: bool = False
    dry_run: bool = False
    as_json: bool = False
    while_running: bool = False
    plain: bool = False
    follow: bool = False
    agrees: bool = True


class WriteResult(Struct, kw_only=True):
    """What came of it, for people and programs."""

    applied: bool = False
    plan: Plan = field(default_factory=Plan)
    changes: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    next: list[Message | str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """As design section 3 has it."""
        return {
            "applied": self.applied,
            "changes": self.changes,
            "next": [english(line) for line in self.next],
            "findings": report.findings_json(self.findings),
        }


def write(
    session: Session,
    build: Callable[[], Plan],
    manner: WriteOptions,
    confirm: Callable[[], bool],
    *,
    previewed: bool = False,
) -> WriteResult:
    """Show what would change, ask, and write it in one transaction.

    `build` plans from the files as they are when it is called: it is called again under the lock.
    `confirm` asks; it is not called with --yes. Raises HahaError for refusals.
    """
    session.settle(dry_run=manner.dry_run)
    plan = owned.without_record(build(), str(session.record))
    outcome = WriteResult(plan=plan, changes=changes_json(plan))
    if not manner.as_json and not previewed:
        preview(plan, manner)
    if manner.dry_run:
        return outcome
    if not plan.effective:
        if manner.agrees:
            trust.record(session, plan)
        if not manner.as_json:
            report.talk(msg("Nothing to change."))
        return outcome
    trust.ensure_inside(session, plan, follow=manner.follow, asks=not manner.yes)
    guard(session, plan, manner)
    if not manner.yes and not confirm():
        raise Cancelled(msg("nothing was written"))
    written, applied = session.commit(build, manner.command)
    if manner.agrees:
        trust.record(session, written)
    # Another run may have written the same meanwhile.
    outcome.plan, outcome.applied = written, applied.id is not None
    outcome.changes = changes_json(written)
    return outcome


# --- preview ---------------------------------------------------------------------------------


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


def preview(plan: Plan, manner: WriteOptions) -> None:
    """The plan, file by file; on stdout where it is the result (`--dry-run`)."""
    if report.is_quiet() and not manner.dry_run:
        return
    stream = sys.stdout if manner.dry_run else sys.stderr
    if not plan.effective and manner.dry_run:
        print(render(msg("nothing would change")), file=stream)
    shown: dict[str, frozenset[str]] = {}
    for write in plan.effective:
        real = str(Path(write.path).resolve())
        link = f" -> {report.short(real)}" if Path(write.path).is_symlink() else ""
        head = f"{report.short(write.path)}{link}"
        print(
            f"{report.paint(head, 'path', stream)}  ({render(_ACTIONS[action(write)])})",
            file=stream,
        )
        if _tightens(write):
            text = msg("will hold a key: mode 600")
            print(f"  {render(text)}", file=stream)
        lines_ = preview_lines(write)
        short = rows(lines_)
        most = None if manner.dry_run else _MOST_ROWS
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
        print(
            f"{head} {report.fitted(render(note), stream, indent=columns(head) + 1)}", file=stream
        )


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


# --- clients that are running ----------------------------------------------------------------


def moves_endpoint(plan: Plan) -> bool:
    """Whether the plan changes an endpoint or a credential of a settings.json."""
    watched = {v.BASE_URL, v.AUTH_TOKEN, v.API_KEY}
    return any(_touched(write) & watched for write in _settings(plan))


def _settings(plan: Plan) -> list[Write]:
    return [w for w in plan.effective if w.format == "json"]


def _touched(write: Write) -> set[str]:
    """The names of `env` whose value really changes."""
    before = parse(Snapshot(path=write.path, real=write.path, data=write.before), "json").data
    after = parse(Snapshot(path=write.path, real=write.path, data=write.after), "json").data
    old, new = before.get("env") or {}, after.get("env") or {}
    return {
        str(change.path[-1])
        for change in write.changes
        if old.get(change.path[-1]) != new.get(change.path[-1])
    }


def guard(session: Session, plan: Plan, manner: WriteOptions) -> None:
    """Name the clients that a new endpoint would half-switch, and ask.

    Measured: an open session goes to the new URL with the new key at its next message, still
    asks for the old model, and sends its whole conversation along.
    Raises HahaError with --yes and without --while-running, Cancelled on a no.
    """
    if not moves_endpoint(plan):
        return
    from haha_config.io.clients import running_clients

    found = {
        client.pid: client
        for write in _settings(plan)
        for client in running_clients(write.path, str(session.home))
    }
    if not found:
        return
    named = tuple(
        msg("pid {pid} in {folder}", pid=c.pid, folder=report.short(c.folder) or c.folder or "?")
        for c in found.values()
    )
    what = msg(
        "a client is open ({clients}): at its next message it would go to the new endpoint with"
        " the new key, still ask for its old model, and send its whole conversation along",
        clients=named,
    )
    if manner.while_running:
        report.talk(what)
        return
    if manner.yes:
        raise HahaError(what, hints=(msg("close it first, or add --while-running"),))
    report.talk(what)
    if not _anyway(session, plain=manner.plain):
        raise Cancelled(msg("nothing was written"))


def _anyway(session: Session, *, plain: bool) -> bool:
    prompter = session.prompter(plain=plain)
    answer = prompter.confirm(
        msg("Write although a client is open?"),
        default=False,
        why=msg("Closing it first is safe; it takes the new set-up at its next start."),
        flag="--while-running",
    )
    return answer is True


def live_lines(session: Session, plan: Plan, model: str) -> list[Message]:
    """What open sessions will do after a change of models only: nothing, until told."""
    from haha_config.io.clients import running_clients

    if moves_endpoint(plan):
        return []
    found = {c.pid for w in _settings(plan) for c in running_clients(w.path, str(session.home))}
    if not found:
        return []
    return [
        msg(
            "clients that are open keep their model until they start again; in each of them"
            " (pid {pids}) type: /model {model}",
            pids=tuple(sorted(found)),
            model=model,
        )
    ]


def report_result(
    outcome: WriteResult, manner: WriteOptions, headline: Message | None = None
) -> int:
    """Report what came of it; 1 where the closing validate found an error."""
    if manner.as_json:
        report.document(outcome.document())
    else:
        if headline is not None:
            report.result(headline, prose=True)
        if outcome.findings:
            report.findings(outcome.findings, None, sys.stderr)
            report.talk(report.summary(outcome.findings))
        for line in outcome.next:
            report.talk(line)
    return 1 if any(f.severity == "error" for f in outcome.findings) else 0


def sets_to(plan: Plan) -> Sequence[Set]:
    """Every value that the plan sets."""
    return [c for w in plan.writes for c in w.changes if isinstance(c, Set)]
