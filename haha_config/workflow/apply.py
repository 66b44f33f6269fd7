"""The tail that every writing command shares: preview, guard, confirm, write, validate, say."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from haha_config.core import variables as v
from haha_config.core.errors import Cancelled, HahaError
from haha_config.core.messages import Message, msg
from haha_config.core.model import Finding, Plan, Snapshot, Write
from haha_config.core.state import owned
from haha_config.core.state.file import parse
from haha_config.io import report
from haha_config.io.i18n import english
from haha_config.workflow import trust
from haha_config.workflow.preview import changes_json, preview
from haha_config.workflow.session import Session

if TYPE_CHECKING:
    from haha_config.io.clients import RunningClient


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

    @property
    def written(self) -> tuple[str | None, ...]:
        """The files that changed, as a person knows them."""
        return tuple(report.short(write.path) for write in self.plan.effective)

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
    *,
    confirm: Callable[[], bool] = lambda: True,
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
        preview(plan, dry_run=manner.dry_run)
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


def _open_clients(session: Session, plan: Plan) -> dict[int, RunningClient]:
    """The clients that read a settings.json which the plan changes, by their number."""
    from haha_config.io.clients import running_clients

    home = str(session.home)
    return {c.pid: c for w in _settings(plan) for c in running_clients(w.path, home)}


def guard(session: Session, plan: Plan, manner: WriteOptions) -> None:
    """Name the clients that a new endpoint would half-switch, and ask.

    Measured: an open session goes to the new URL with the new key at its next message, still
    asks for the old model, and sends its whole conversation along.
    Raises HahaError with --yes and without --while-running, Cancelled on a no.
    """
    found = _open_clients(session, plan) if moves_endpoint(plan) else {}
    if not found:
        return
    named = tuple(
        msg("pid {pid} in {folder}", pid=c.pid, folder=report.short(c.folder) or c.folder or "?")
        for c in found.values()
    )
    what = msg(
        "a client is open ({clients}). Its next message would send its whole conversation to the"
        " new endpoint and still ask for the old model",
        clients=named,
    )
    if manner.while_running:
        report.talk(what)
        return
    if manner.yes:
        raise HahaError(what, hints=(msg("close it first, or add --while-running"),))
    report.talk(what)
    anyway = session.prompter(plain=manner.plain).confirm(
        msg("Write anyway?"),
        default=False,
        why=msg("Safer: close the client first."),
        flag="--while-running",
    )
    if not anyway:
        raise Cancelled(msg("nothing was written"))


def live_lines(session: Session, plan: Plan, model: str) -> list[Message]:
    """What open sessions will do after a change of models only: nothing, until told."""
    found = {} if moves_endpoint(plan) else _open_clients(session, plan)
    said = msg(
        "open clients keep their model; type in each (pid {pids}): /model {model}",
        pids=tuple(sorted(found)),
        model=model,
    )
    return [said] if found else []


def report_result(
    outcome: WriteResult, manner: WriteOptions, headline: Message | None = None
) -> int:
    """Report what came of it, under `headline` where something was written.

    1 where the closing validate found an error.
    """
    wrong = any(f.severity == "error" for f in outcome.findings)
    if manner.as_json:
        report.document(outcome.document())
    else:
        if headline is not None and outcome.applied:
            report.ended(headline)
        if outcome.findings:
            report.findings(outcome.findings, None, sys.stderr)
            report.ended(report.summary(outcome.findings), good=not wrong, stream=sys.stderr)
        for line in outcome.next:
            report.talk(line)
    return 1 if wrong else 0
