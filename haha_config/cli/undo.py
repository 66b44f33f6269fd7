"""`undo`: take back what a write changed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import typer
from msgspec.structs import replace

from haha_config.cli import options as o
from haha_config.core.errors import FINE, PROBLEM, HahaError, Refusal, Usage
from haha_config.core.messages import Message, msg, nmsg
from haha_config.core.model import SLOTS, Finding, Place, Plan, Slot, Snapshot, Write
from haha_config.core.state.file import File, parse
from haha_config.core.state.state import State
from haha_config.io import disk, report, store, table
from haha_config.io.i18n import _, render
from haha_config.io.table import Column, Row
from haha_config.workflow.apply import WriteOptions, WriteResult, report_result, write
from haha_config.workflow.session import Session
from haha_config.workflow.switch import moved

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
@o.takes(*o.WRITING)
def undo(
    which: str | None = typer.Argument(
        None, metavar="[ID]", help=_("A write of --list. An undo can be undone.")
    ),
    listed: bool = typer.Option(False, "--list", help=_("List the writes that can be undone.")),
    recover: bool = typer.Option(
        False, "--recover", help=_("Repair a write that was interrupted.")
    ),
    purge: bool = typer.Option(
        False, "--purge", help=_("Delete the undo history and the keys in it.")
    ),
    *,
    shared: o.SharedOptions,
) -> int:
    session = shared.session()
    if sum((which is not None, listed, recover, purge)) > 1:
        known = ("ID", "--list", "--recover", "--purge")
        raise Usage(msg("Give only one of {options}.", options=known))
    if listed:
        return _list(session, as_json=shared.as_json)
    if recover:
        return _recover(session, shared)
    if purge:
        return _purge(session, shared)
    # A write that was cut off may end as the last one.
    session.settle(dry_run=shared.dry_run)
    record = _record(session, which)
    return _undo(session, record, shared.writing(f"undo {record.id}", yes=shared.yes))


# --- one write -------------------------------------------------------------------------------


def _record(session: Session, which: str | None) -> disk.WriteRecord:
    kept = disk.records(session.state_folder)
    broken = {str(number): folder for number, folder in disk.damaged(session.state_folder)}
    last = kept[-1].number if kept else 0
    wanted = which or next((n for n in reversed(broken) if int(n) > last), "")
    if wanted in broken:
        # No other is taken in its place: that one may be a write which this one was built on.
        raise _damaged(wanted, broken[wanted])
    if not kept:
        raise HahaError(msg("nothing was written yet"))
    if which is None:
        return kept[-1]
    for record in kept:
        if record.id == which:
            return record
    raise Usage(msg("there is no write `{id}`", id=which), hints=("haha-config undo --list",))


def _damaged(number: str, folder: Path) -> HahaError:
    return HahaError(
        msg("write {id} is damaged and can't be undone", id=number),
        hints=(f"ls -l {folder}", "haha-config undo --list"),
    )


def _undo(session: Session, record: disk.WriteRecord, manner: WriteOptions) -> int:
    from haha_config.core.change.undo import take_back

    try:
        writes = [entry.write() for entry in record.entries()]
    except (OSError, ValueError):
        raise _damaged(record.id, record.folder) from None

    def build() -> Plan:
        return take_back(writes, {write.path: _now(write.path) for write in writes})

    def confirm() -> bool:
        return _asked(session, msg("Take this back?"), plain=manner.plain)

    outcome = write(session, build, manner, confirm=confirm)
    if not outcome.applied:
        return report_result(outcome, manner)
    outcome.findings = _found(session, outcome.plan)
    outcome.next.append(msg("Redo: haha-config undo"))
    headline = msg(
        "Undid #{id} ({command}): {paths}",
        id=record.id,
        command=record.command,
        paths=outcome.written,
    )
    report_result(outcome, manner, headline)
    # It did what was asked for; what was wrong before is wrong again.
    return 0


def _found(session: Session, plan: Plan) -> list[Finding]:
    """The closing validate, where a file that the client or its gateway reads was taken back."""
    from haha_config.core.rules.fix import files
    from haha_config.workflow.read_state import findings

    read = {file.path for file in files(session.state())}
    if not any(write.path in read for write in plan.effective):
        return []
    return findings(session)


def _now(path: str) -> bytes | None:
    found = disk.snapshot(path)
    if found.unreadable is not None:
        raise Refusal(found.unreadable, place=Place(path=path))
    return found.data


def _asked(session: Session, question: Message, *, plain: bool) -> bool:
    return session.prompter(plain=plain).confirm(
        question, default=True, why=msg("What other programs wrote since stays."), flag="--yes"
    )


# --- all of them -----------------------------------------------------------------------------


def _shown(session: Session, record: disk.WriteRecord) -> list[str]:
    """The files of a write that are the person's."""
    return [path for path in record.paths if path != str(session.record)]


def _list(session: Session, *, as_json: bool) -> int:
    with session.reading():
        kept = disk.records(session.state_folder)[::-1]
    if as_json:
        writes = [
            {
                "id": r.id,
                "time": _time(r.time).isoformat(timespec="seconds"),
                "command": r.command,
                "paths": _shown(session, r),
            }
            for r in kept
        ]
        report.document({"writes": writes})
        return 0
    heads = (Column(right=True), Column(), Column(style="bold"), Column(prose=True))
    try:
        state: State | None = session.state()
    except HahaError:  # a broken provider row: a list of writes needs none
        state = None
    rows = []
    for r in kept:
        when = _time(r.time).astimezone().strftime("%Y-%m-%d %H:%M")
        rows.append(Row((r.id, when, r.command, render(_what(session, state, r)))))
    for line in table.lines(heads, rows, sys.stdout):
        report.drawn(line, sys.stdout)
    damaged = disk.damaged(session.state_folder)
    if not (kept or damaged):
        report.talk(msg("nothing was written yet"))
        return 0
    for number, _folder in damaged:
        report.talk(msg("write {id} is damaged and can't be undone", id=number))
    for path, original in disk.originals(session.state_folder):
        report.talk(
            msg(
                "{path} before haha-config's first write: {original}",
                path=report.short(path),
                original=str(original),
            )
        )
    report.talk(msg("The undo history holds old keys (only you can read it). Delete it:"))
    report.talk("  haha-config undo --purge")
    return 0


def _what(session: Session, state: State | None, record: disk.WriteRecord) -> Message:
    """From which models to which; of another write its files."""
    try:
        writes = [entry.write() for entry in record.entries()]
    except (OSError, ValueError):
        writes = []
    after = {one.path: _file(one, one.after) for one in writes}
    for one in writes:
        held = _variables(after[one.path])
        then = None if state is None else _then(state, held, after)
        move = moved(_models(_variables(_file(one, one.before))), _models(held), then)
        if move is not None:
            return move
    return msg("{paths}", paths=tuple(report.short(path) for path in _shown(session, record)))


def _then(state: State, held: Mapping[str, str], after: Mapping[str, File]) -> State:
    """What a write left behind: these variables alone, and the gateway's files of its own."""
    return replace(
        state,
        settings={},
        beside={},
        environ=held,
        litellm=after.get(state.litellm.path, state.litellm),
        litellm_env=after.get(state.litellm_env.path, state.litellm_env),
    )


def _file(one: Write, data: bytes | None) -> File:
    return parse(Snapshot(path=one.path, real=one.path, data=data), one.format)


def _variables(file: File) -> dict[str, str]:
    """The client's variables in a file that may hold them."""
    held = {"json": file.data.get("env"), "dotenv": file.data}.get(file.format)
    return {n: str(value) for n, value in held.items()} if isinstance(held, Mapping) else {}


def _models(held: Mapping[str, str]) -> dict[Slot, str]:
    return {slot: held[name] for slot, name in SLOTS.items() if held.get(name)}


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _recover(session: Session, shared: o.SharedOptions) -> int:
    state = session.state_folder
    if shared.dry_run:
        cut_off = len(disk.pending(state))
        report.talk(nmsg("{n} write was cut off", "{n} writes were cut off", n=cut_off))
        return 0
    done = disk.recover_alone(state)
    # Another program has built on our bytes: those files do not say the same as the others.
    mixed = any(one.kept for one in done)
    if shared.as_json:
        outcome = WriteResult(applied=bool(done), next=[one.message for one in done])
        report.document(outcome.document())
        return PROBLEM if mixed else FINE
    for one in done:
        report.talk(one.message)
    if not done:
        report.talk(msg("no write was cut off"))
    if mixed:
        report.hint("haha-config undo", sys.stderr)
    return PROBLEM if mixed else FINE


def _purge(session: Session, shared: o.SharedOptions) -> int:
    state = session.state_folder
    writes = len(disk.records(state)) + len(disk.damaged(state))
    what = nmsg("{n} write can be taken back", "{n} writes can be taken back", n=writes)
    left = _left_in_keyring(session)
    if left and not shared.as_json:
        report.talk(msg("keys in the keyring that no profile uses: {names}", names=left))
    if shared.dry_run or not shared.yes:
        report.talk(what)
    if shared.dry_run:
        return 0
    question = msg("Delete the history and the keys in it?")
    if not (shared.yes or _asked(session, question, plain=shared.plain)):
        report.talk(msg("nothing was changed"))
        return 0
    with disk.alone(state):
        try:
            for one in disk.recover(state):
                report.talk(one.message)
        finally:
            # One that was cut off and can't be read stays, and is said; it is no reason to keep
            # the others.
            disk.purge(state)
    for name in left:
        store.drop_from_keyring(name)
    if shared.as_json:
        report.document(WriteResult(applied=True).document())
    else:
        report.result(nmsg("forgot {n} write", "forgot {n} writes", n=writes))
    return 0


def _left_in_keyring(session: Session) -> tuple[str, ...]:
    """Keys in the keyring that only the kept writes still know of."""
    from haha_config.workflow import profiles

    writes = (entry.write() for _path, entry in disk.entries(session.state_folder))
    return profiles.left_in_keyring(session, writes)
