"""All files of a plan, or none: stage, exchange, close; and what to do about a write cut off.

    begin the journal -> stage every file beside its target -> exchange each -> sync -> end

A process killed anywhere leaves an open journal; the next one that writes finishes it where every
file is new, and otherwise puts the old bytes back.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from haha_config.core.errors import Changed, HahaError, Refusal
from haha_config.core.messages import Message, msg
from haha_config.core.model import Place, Plan, Write
from haha_config.io.disk import journal
from haha_config.io.disk.exchange import swap
from haha_config.io.disk.files import (
    check_replaceable,
    missing_folders,
    snapshot,
    sync_folder,
)
from haha_config.io.disk.journal import Entry
from haha_config.io.disk.lock import exclusive

#: How often a plan is made again because somebody else wrote in between.
ATTEMPTS: Final = 5

#: Called with a step's name before each file operation; the tests kill the process in it.
Fault = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What a write was called in the journal (None: nothing had to be written)."""

    id: str | None
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What became of writes that were cut off."""

    message: Message
    paths: tuple[str, ...]
    finished: bool


def _no_fault(_step: str) -> None:
    pass


def _silent() -> None:
    pass


def _unheard(_recovered: Recovered) -> None:
    pass


def transact(
    build: Callable[[], Plan],
    *,
    state: Path,
    command: str,
    fault: Fault = _no_fault,
    waiting: Callable[[], None] = _silent,
    recovered: Callable[[Recovered], None] = _unheard,
) -> tuple[Plan, Applied]:
    """Plan from fresh bytes and write, alone; plan again where somebody else wrote meanwhile.

    Raises Changed where that happened each time, Refusal where a target can't be replaced, and
    HahaError where the system refuses; every file is then as it was.
    """
    with exclusive(state, waiting):
        for one in recover(state):
            recovered(one)
        for _ in range(ATTEMPTS):
            plan = build()
            try:
                return plan, _apply(plan, state, command, fault)
            except Changed as changed:
                last = changed
        raise last


def apply(plan: Plan, *, state: Path, command: str, fault: Fault = _no_fault) -> Applied:
    """Write one plan, once. Raises as `transact` does, Changed at the first difference."""
    _, applied = transact_once(plan, state=state, command=command, fault=fault)
    return applied


def transact_once(
    plan: Plan, *, state: Path, command: str, fault: Fault = _no_fault
) -> tuple[Plan, Applied]:
    """Write one plan under the lock, without planning again."""
    with exclusive(state):
        recover(state)
        return plan, _apply(plan, state, command, fault)


# --- one write -------------------------------------------------------------------------------


def _apply(plan: Plan, state: Path, command: str, fault: Fault) -> Applied:
    if not plan.effective:
        return Applied(id=None)
    record_id = f"{os.getpid():x}{time.time_ns():x}"
    entries = [_entry(write, record_id) for write in plan.effective]
    fault("begin")
    try:
        folder = journal.begin(state, record_id, time.time(), command, entries)
    except OSError as error:
        _drop_begun(state, record_id)
        raise _failed(error, str(state)) from None
    done: list[Entry] = []
    try:
        for entry in entries:
            _stage(entry, fault)
        for entry in entries:
            fault(f"exchange {entry.path}")
            _exchange(entry)
            done.append(entry)
    except BaseException as error:
        _take_back(done, entries)
        journal.drop(folder)
        if isinstance(error, OSError):
            raise _failed(error, error.filename or entries[len(done)].path) from None
        raise
    fault("sync")
    for parent in {Path(entry.real).parent for entry in entries}:
        sync_folder(parent)
    fault("end")
    journal.end(state, folder)
    fault("ended")
    return Applied(id=record_id, paths=tuple(entry.path for entry in entries))


def _drop_begun(state: Path, record_id: str) -> None:
    journal.drop(state / "open" / record_id)


def _entry(write: Write, record_id: str) -> Entry:
    """A file of the plan, checked. Raises Changed, or Refusal where it can't be replaced."""
    path = Path(write.path)
    real = Path(os.path.realpath(path))
    check_replaceable(path, real)
    found = snapshot(real)
    if found.unreadable is not None:
        raise Refusal(found.unreadable, place=Place(path=write.path))
    if found.data != write.before:
        raise _changed(write.path)
    if found.data is not None and not os.access(real, os.W_OK):
        raise Refusal(
            msg("this file is read-only"),
            place=Place(path=write.path),
            hints=(msg("chmod u+w {path}", path=write.path),),
        )
    return Entry(
        path=write.path,
        real=str(real),
        temporary=str(real.with_name(f".{real.name}.{record_id}.haha-config")),
        format=write.format,
        secret=write.secret,
        mode=found.mode,
        before=write.before,
        after=write.after,
        changes=write.changes,
        folders=tuple(map(str, missing_folders(real.parent))),
    )


def _changed(path: str) -> Changed:
    return Changed(
        msg("another program changed this file while it was being written; nothing was lost"),
        place=Place(path=path),
        hints=(msg("run the same command again"),),
    )


def _stage(entry: Entry, fault: Fault) -> None:
    """The new bytes beside the target, with its mode and owner, before its name is touched."""
    for folder in map(Path, entry.folders):
        fault(f"mkdir {folder}")
        folder.mkdir(mode=0o700 if entry.secret else 0o777, exist_ok=True)
    if entry.after is None:
        return
    fault(f"create {entry.path}")
    temporary = Path(entry.temporary)
    # 0600 before its first byte: nobody else reads a key while it is being written.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        fault(f"write {entry.path}")
        file.write(entry.after)
        file.flush()
        _own(descriptor, temporary, entry)
        fault(f"fsync {entry.path}")
        os.fsync(descriptor)


def _own(descriptor: int, temporary: Path, entry: Entry) -> None:
    """Mode and owner of the file that is replaced; a new one without a secret follows umask."""
    if sys.platform == "win32":
        return
    if entry.mode is not None:
        held = Path(entry.real).stat()
        mine = os.fstat(descriptor)
        if (held.st_uid, held.st_gid) != (mine.st_uid, mine.st_gid):
            # Only root can give a file away; another's file in our folder becomes ours otherwise.
            with contextlib.suppress(PermissionError):
                os.fchown(descriptor, held.st_uid, held.st_gid)
        os.fchmod(descriptor, entry.mode)
    elif not entry.secret:
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)


def _exchange(entry: Entry) -> None:
    """Give the target its new bytes, if it still has the old ones. Raises Changed if not."""
    real, temporary = Path(entry.real), Path(entry.temporary)
    if entry.before is None:
        _create(entry, real, temporary)
    elif entry.after is None:
        real.rename(temporary)
        if temporary.read_bytes() != entry.before:
            temporary.rename(real)
            raise _changed(entry.path)
        temporary.unlink()
    elif swap(temporary, real):
        if temporary.read_bytes() != entry.before:
            _give_back(entry)
            raise _changed(entry.path)
        temporary.unlink()
    else:
        if real.read_bytes() != entry.before:
            raise _changed(entry.path)
        temporary.replace(real)


def _create(entry: Entry, real: Path, temporary: Path) -> None:
    """A new file, unless somebody made one meanwhile."""
    try:
        os.link(temporary, real)
    except FileExistsError:
        raise _changed(entry.path) from None
    except OSError:
        # A file system without hard links.
        if real.exists():
            raise _changed(entry.path) from None
        temporary.rename(real)
        return
    temporary.unlink()


def _give_back(entry: Entry) -> None:
    """Undo an exchange that displaced somebody else's bytes; what they wrote last stays."""
    real, temporary = Path(entry.real), Path(entry.temporary)
    while swap(temporary, real):
        # What came back must be ours; if not, somebody wrote again and that is the newest.
        if temporary.read_bytes() == entry.after:
            break
    temporary.unlink(missing_ok=True)


def _take_back(done: Sequence[Entry], entries: Sequence[Entry]) -> None:
    """Put the old bytes back where ours stand, and leave nothing lying about."""
    for entry in reversed(done):
        _restore(entry)
    for entry in entries:
        Path(entry.temporary).unlink(missing_ok=True)
        _remove_folders(entry)


def _restore(entry: Entry) -> bool:
    """The old bytes, if the target still has ours. True where it is as before."""
    real, temporary = Path(entry.real), Path(entry.temporary)
    data = snapshot(real).data
    if data == entry.before:
        return True
    if data != entry.after:
        return False
    if entry.before is None:
        real.unlink(missing_ok=True)
        return True
    back = replace(entry, before=entry.after, after=entry.before)
    temporary.unlink(missing_ok=True)
    try:
        _stage(back, _no_fault)
        _exchange(back)
    except Changed:
        return False
    return True


def _remove_folders(entry: Entry) -> None:
    for folder in reversed(entry.folders):
        with contextlib.suppress(OSError):
            Path(folder).rmdir()


def _failed(error: OSError, path: str) -> HahaError:
    """The system's own refusal, in words."""
    return HahaError(
        msg("can't write this: {why}; every file is as it was", why=error.strerror or str(error)),
        place=Place(path=path),
    )


# --- recovery --------------------------------------------------------------------------------


def recover(state: Path) -> list[Recovered]:
    """Finish or roll back every write that was cut off. The caller holds the lock."""
    return [found for folder in journal.pending(state) if (found := _recover(state, folder))]


def recover_alone(state: Path) -> list[Recovered]:
    """`recover`, taking the lock: what `undo --recover` does."""
    if not journal.pending(state):
        return []
    with exclusive(state):
        return recover(state)


def _recover(state: Path, folder: Path) -> Recovered | None:
    record = journal.load(folder)
    if record is None:
        # It was killed before its record was complete: no target had been touched.
        journal.drop(folder)
        return None
    for entry in record.entries:
        _save_displaced(entry)
    now = [snapshot(Path(e.real)).data for e in record.entries]
    paths = record.paths
    if all(data == e.after for data, e in zip(now, record.entries, strict=True)):
        for entry in record.entries:
            Path(entry.temporary).unlink(missing_ok=True)
        journal.end(state, folder)
        text = msg("`{command}` had been cut off; it is finished now", command=record.command)
        return Recovered(message=text, paths=paths, finished=True)
    lost = [e.path for e in record.entries if not _restore(e)]
    for entry in record.entries:
        Path(entry.temporary).unlink(missing_ok=True)
        _remove_folders(entry)
    if lost:
        # Somebody else has written there since: theirs stays, and undo can still take ours out.
        journal.end(state, folder)
        text = msg(
            "`{command}` had been cut off; it is taken back, but {paths} had been changed since"
            " and stay as they are",
            command=record.command,
            paths=tuple(lost),
        )
    else:
        journal.drop(folder)
        text = msg(
            "`{command}` had been cut off; every file is as it was before it",
            command=record.command,
        )
    return Recovered(message=text, paths=paths, finished=False)


def _save_displaced(entry: Entry) -> None:
    """Killed between an exchange and its look: a foreign write may stand in the temporary."""
    temporary, real = Path(entry.temporary), Path(entry.real)
    displaced = snapshot(temporary).data
    if displaced is None or displaced == entry.before or entry.after is None:
        if displaced is not None and entry.after is None and not real.exists():
            temporary.rename(real)
        return
    # The exchange is done where the target is new, so what stands here is what it displaced.
    if displaced != entry.after and snapshot(real).data == entry.after:
        temporary.replace(real)
