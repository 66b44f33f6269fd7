"""All files of a plan, or none: stage, exchange, close; and what to do about a write cut off.

    begin the journal -> stage every file beside its target -> exchange each
                      -> drop what they displaced -> sync -> end the journal

A process killed anywhere leaves an open journal. The next one that writes takes the write back
where no name had its new bytes yet, finishes it where one had, and takes it back where another
program has changed one of the other files since.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from shlex import join, quote
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from haha_config.core.errors import Changed, HahaError, Refusal
from haha_config.core.messages import Message, msg
from haha_config.core.model import Place, Plan, Write
from haha_config.io.disk import journal
from haha_config.io.disk.exchange import Exchange, Fault
from haha_config.io.disk.files import (
    check_replaceable,
    contents,
    dress,
    missing_folders,
    snapshot,
    sync_folder,
)
from haha_config.io.disk.journal import JournalEntry
from haha_config.io.disk.lock import exclusive
from haha_config.io.files import FORBIDDEN, FULL, broken_link, create_private, reason

#: How often a plan is made again because somebody else wrote in between.
ATTEMPTS: Final = 5
_RECOVER: Final = "haha-config undo --recover"
#: The first pause before that, in seconds; the next ones grow by as much.
_PAUSE: Final = 0.01


class Applied(Struct, frozen=True, kw_only=True):
    """What a write was called in the journal (None: nothing had to be written)."""

    id: str | None
    paths: tuple[str, ...] = ()


class Recovered(Struct, frozen=True, kw_only=True):
    """What became of a write that was cut off. `kept`: files left as another program made them."""

    message: Message
    paths: tuple[str, ...]
    kept: tuple[str, ...] = ()


_wrote = False


def wrote() -> bool:
    """Whether this process has written anything."""
    return _wrote


def _no_fault(_step: str) -> None:
    pass


def transact(
    build: Callable[[], Plan],
    *,
    state: Path,
    command: str,
    fault: Fault = _no_fault,
    waiting: Callable[[], None] = lambda: None,
    recovered: Callable[[Recovered], None] = lambda _one: None,
    clock: Callable[[], float] = time.time,
    emptied: Sequence[str] = (),
) -> tuple[Plan, Applied]:
    """Plan from fresh bytes and write, alone; plan again where somebody else wrote meanwhile.

    A file that is taken away takes the folders along that were made for it, and `emptied`, where
    nothing is left in them.
    Raises Changed where somebody else wrote each time, and Refusal where a target can't be
    replaced or the system refuses; every file is then as it was.
    """
    with alone(state, waiting):
        for one in recover(state):
            recovered(one)
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(_PAUSE * attempt)
            plan = build()
            try:
                return plan, _apply(plan, state, command, fault, clock, emptied)
            except Changed as changed:
                last = changed
        raise last


@contextlib.contextmanager
def alone(state: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock for writing. Raises Refusal where there can be none."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(exclusive(state, waiting))
        except OSError as error:
            what = broken_link(state) or msg(
                "can't write the journal here: {why}", why=reason(error)
            )
            raise Refusal(what, place=Place(path=str(state))) from None
        yield


# --- one write -------------------------------------------------------------------------------


def _apply(
    plan: Plan,
    state: Path,
    command: str,
    fault: Fault,
    clock: Callable[[], float],
    emptied: Sequence[str],
) -> Applied:
    if not plan.effective:
        return Applied(id=None)
    entries = _entries(plan.effective, state, emptied)
    number = journal.next_number(state)
    try:
        folder = journal.begin(state, number, clock(), command, entries, fault)
    except BaseException as error:
        journal.drop(state / "open" / str(number))
        raise _in_words(error, str(state)) from None
    done: list[JournalEntry] = []
    try:
        _write(folder, entries, done, fault)
    except BaseException as error:
        _abandon(state, folder, entries, done)
        raise _in_words(error, entries[0].path) from None
    try:
        journal.end(state, folder, entries, fault)
    except OSError as error:
        raise Refusal(
            msg("wrote every file, but can't close the journal: {why}", why=reason(error)),
            place=Place(path=str(folder)),
            hints=(_RECOVER,),
        ) from None
    global _wrote
    _wrote = True
    return Applied(id=str(number), paths=tuple(entry.path for entry in entries))


def _write(
    folder: Path, entries: Sequence[JournalEntry], done: list[JournalEntry], fault: Fault
) -> None:
    """Give every target its new bytes; `done` grows with them.

    Raises Changed at the first that another program has written to.
    """
    for entry in entries:
        _stage(entry, fault)
    journal.mark_staged(folder, fault)
    with Exchange(fault) as exchange:
        for entry in entries:
            # Before the exchange: Ctrl-C may come between it and the look at what came out.
            done.append(entry)
            with _naming(entry.path):
                if not _put(exchange, entry):
                    done.remove(entry)
                    raise _changed(entry.path)
        for entry in entries:
            temporary, real = Path(entry.temporary), Path(entry.real)
            if not exchange.still(temporary, real, entry.before or b""):
                done.remove(entry)
                raise _changed(entry.path)
    _clean(entries, fault)


def _put(exchange: Exchange, entry: JournalEntry) -> bool:
    return exchange.put(
        Path(entry.temporary), Path(entry.real), expect=entry.before, want=entry.after
    )


def _entries(writes: Iterable[Write], state: Path, emptied: Sequence[str]) -> list[JournalEntry]:
    token = os.urandom(6).hex()
    found: dict[str, JournalEntry] = {}
    for index, write in enumerate(writes):
        entry = _entry(write, f".haha-config.{token}.{index}", state, emptied)
        if entry.real in found:
            raise Refusal(
                msg("this is the same file as {other}", other=found[entry.real].path),
                place=Place(path=entry.path),
                hints=(msg("make them two files"),),
            )
        found[entry.real] = entry
    return list(found.values())


def _entry(write: Write, temporary: str, state: Path, emptied: Sequence[str]) -> JournalEntry:
    """A file of the plan, checked. Raises Changed, or Refusal where it can't be replaced."""
    if write.after is None and Path(write.path).is_symlink():
        # Somebody put the file elsewhere on purpose; it may be more than ours.
        raise Refusal(
            msg("this is a link: not removed"),
            place=Place(path=write.path),
            hints=(f"rm {quote(write.path)}",),
        )
    found = snapshot(write.path)
    real = Path(found.real)
    check_replaceable(found)
    if found.data != write.before:
        raise _changed(write.path)
    return JournalEntry(
        path=write.path,
        real=str(real),
        temporary=str(real.with_name(temporary)),
        format=write.format,
        secret=write.secret,
        before=write.before,
        after=write.after,
        changes=write.changes,
        leaves=write.leaves,
        mode=found.mode,
        folders=tuple(map(str, missing_folders(real.parent))) if write.after is not None else (),
        emptied=(*emptied, *journal.folders_made(state, real)) if write.after is None else (),
    )


def _changed(path: str) -> Changed:
    return Changed(
        msg("another program changed this file at the same moment; nothing was written"),
        place=Place(path=path),
        hints=(msg("run the same command again"),),
    )


def _stage(entry: JournalEntry, fault: Fault) -> None:
    """The new bytes beside the target, with its mode and owner, before its name is touched."""
    with _naming(entry.path):
        for folder in map(Path, entry.folders):
            fault(f"make the folder {folder}")
            folder.mkdir(mode=0o700 if entry.secret else 0o777, exist_ok=True)
        if entry.after is None:
            return
        fault(f"stage {entry.path}")
        # Nobody else reads a key while it is being written.
        with create_private(entry.temporary) as file:
            fault(f"fill {entry.temporary}")
            file.write(entry.after)
            file.flush()
            like = Path(entry.real) if entry.before is not None else None
            fault(f"dress {entry.temporary}")
            dress(file.fileno(), like, secret=entry.secret)
            fault(f"sync {entry.temporary}")
            os.fsync(file.fileno())


def _clean(entries: Sequence[JournalEntry], fault: Fault) -> None:
    """Nothing of ours beside the targets; what was renamed lasts."""
    # What was displaced stays until then: it has the old mode, owner and labels.
    for parent in {Path(entry.real).parent for entry in entries}:
        if parent.is_dir():
            fault(f"sync {parent}")
            sync_folder(parent)
    for entry in entries:
        fault(f"drop {entry.temporary}")
        Path(entry.temporary).unlink(missing_ok=True)
    for entry in entries:
        _remove_empty(entry.emptied)


def _remove_empty(folders: Sequence[str]) -> None:
    for folder in reversed(folders):
        with contextlib.suppress(OSError):
            Path(folder).rmdir()


# --- taking back -----------------------------------------------------------------------------


def _abandon(
    state: Path, folder: Path, entries: Sequence[JournalEntry], done: Sequence[JournalEntry]
) -> tuple[str, ...]:
    """Every file as it was, and the journal closed; `done` are those that may have new bytes.

    Gives the paths that another program has changed on top of our bytes: those stay, and the
    write is kept, so that undo can take our entries out. Raises Refusal where the old bytes can't
    be put back; the journal stays open then.
    """
    try:
        kept = tuple(entry.path for entry in reversed(done) if not _restore(entry))
        _clean(entries, _no_fault)
        for entry in entries:
            _remove_empty(entry.folders)
        if kept:
            journal.end(state, folder, entries, _no_fault)
        else:
            journal.drop(folder)
    except OSError as error:
        raise Refusal(
            msg("can't put the old files back: {why}", why=reason(error)),
            place=Place(path=str(error.filename or entries[0].path)),
            hints=(_RECOVER,),
        ) from None
    return kept


def _restore(entry: JournalEntry) -> bool:
    """The old bytes, if the target has ours. False where another program has built on ours."""
    real, temporary = Path(entry.real), Path(entry.temporary)
    standing = _standing(entry)
    if standing in ("old", "foreign"):
        return True
    if standing == "built on":
        return False
    beside = contents(temporary)
    if entry.before is None:
        temporary.unlink(missing_ok=True)
    elif beside in (None, entry.after):
        # Renamed where names can't be exchanged: the old bytes are in the journal only.
        temporary.unlink(missing_ok=True)
        _stage(replace(entry, before=entry.after, after=entry.before, folders=()), _no_fault)
        if entry.mode is not None and sys.platform != "win32":
            temporary.chmod(entry.mode)
    # Else it is the displaced file itself, with what a foreign program has written to it.
    with Exchange(_no_fault) as exchange:
        return exchange.put(temporary, real, expect=entry.after, want=entry.before)


def _standing(entry: JournalEntry) -> str:
    """`old`: not written yet. `new`: ours. `displaced`: ours, over somebody's newer bytes.

    `foreign`: not written, and changed by another program; `built on`: written, and changed since.
    """
    now, beside = contents(Path(entry.real)), contents(Path(entry.temporary))
    if now == entry.after:
        known = (None, entry.before, entry.after)
        return "new" if entry.before is None or beside in known else "displaced"
    if now == entry.before:
        return "old"
    return "foreign" if beside in (entry.after, now) else "built on"


# --- recovery --------------------------------------------------------------------------------


def recover(state: Path) -> list[Recovered]:
    """Finish or take back every write that was cut off. The caller holds the lock.

    Raises Refusal where a journal can't be read or the old bytes can't be put back.
    """
    cut_off = journal.pending(state)
    for folder in journal.begun(state):
        if folder not in cut_off:
            # Killed before its record was complete: no target had been touched.
            journal.drop(folder)
    return [_recover(state, folder) for folder in cut_off]


def recover_alone(state: Path) -> list[Recovered]:
    """`recover`, taking the lock: what `undo --recover` does."""
    if not journal.begun(state):
        return []
    with alone(state):
        return recover(state)


def _recover(state: Path, folder: Path) -> Recovered:
    try:
        record = journal.load(folder)
        entries = record.entries()
    except (OSError, ValueError) as error:
        raise Refusal(
            msg("can't read the journal of an interrupted write: {why}", why=str(error)),
            place=Place(path=str(folder)),
            hints=(msg("check the files named in record.json, then delete the folder"),),
        ) from None
    # Whether any name may have been given its new bytes.
    staged = journal.is_staged(folder) or any(_standing(entry) == "new" for entry in entries)
    if staged and _finish(entries):
        journal.end(state, folder, entries, _no_fault)
        text = msg("`{command}` was interrupted: finished now", command=record.command)
        return Recovered(message=text, paths=record.paths)
    kept = _abandon(state, folder, entries, entries if staged else ())
    if kept:
        text = msg(
            "`{command}` was interrupted: every file is as before, except {paths}, changed since",
            command=record.command,
            paths=kept,
        )
    else:
        text = msg("`{command}` was interrupted: every file is as before", command=record.command)
    return Recovered(message=text, paths=record.paths, kept=kept)


def _finish(entries: Sequence[JournalEntry]) -> bool:
    """Write the files that were not written yet; False where that would not be right, or fails."""
    standings = [_standing(entry) for entry in entries]
    if not {"new", "built on"} & set(standings) or {"foreign", "displaced"} & set(standings):
        return False
    try:
        for entry, standing in zip(entries, standings, strict=True):
            if standing != "old":
                continue
            if contents(Path(entry.temporary)) != entry.after:
                Path(entry.temporary).unlink(missing_ok=True)
                _stage(entry, _no_fault)
            with Exchange(_no_fault) as exchange:
                if not _put(exchange, entry):
                    return False
        _clean(entries, _no_fault)
    except (OSError, HahaError):
        return False
    return True


# --- words -----------------------------------------------------------------------------------


@contextlib.contextmanager
def _naming(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _in_words(error, path) from None


def _in_words(error: BaseException, path: str) -> BaseException:
    """The system's own refusal, in words; anything else as it is."""
    if not isinstance(error, OSError):
        return error
    place, folder = Place(path=path), str(Path(path).parent)
    if error.errno == errno.EBUSY:
        what = msg("this file is a mount point and can't be replaced")
        return Refusal(what, place=place)
    hints: tuple[str, ...] = ()
    if error.errno in FULL:
        hints = (join(["df", "-h", folder]),)
    elif error.errno in (*FORBIDDEN, errno.EROFS):
        hints = (join(["ls", "-ld", folder]),)
    what = msg("can't write this: {why}; every file is as it was", why=reason(error))
    return Refusal(what, place=place, hints=hints)
