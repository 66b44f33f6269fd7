"""What was written and what stood there before, kept for recovery and for undo.

    state/open/<n>/          a write that has not ended: after a crash it is finished or taken back
    state/writes/<n>/        a write that has ended, numbered in order; the last 20 are kept
    state/originals/<name>/  each file as it was before our first write, kept for good
    state/arrivals/<name>/   the same, since nothing of ours was last in it: what `use off` leaves

Each folder holds record.json and the bytes, one file after the other, 0600: they can hold keys.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar
from urllib.parse import quote

from msgspec import Meta, Struct, ValidationError, convert, to_builtins
from msgspec.structs import replace

from haha_config.core.model import Baseline, Change, Format, Remove, Set, Write
from haha_config.core.model import Path as KeyPath
from haha_config.io.disk.exchange import Fault
from haha_config.io.disk.files import sync_folder
from haha_config.io.disk.lock import make_private
from haha_config.io.files import create_private

T = TypeVar("T")

KEPT: Final = 20
_RECORD: Final = "record.json"
_BYTES: Final = "bytes"
_STAGED: Final = "staged"
#: Encrypted folders take no names longer than 143.
_LONGEST_NAME: Final = 140


class _File(Struct, frozen=True, kw_only=True):
    """One file of a write. `temporary` stands beside `real` while it is being written.

    `folders` are made for it, the outermost first; `emptied` go with it once they are empty.
    `mode` is what the file had before.
    """

    path: str
    real: str
    temporary: str
    format: Format
    secret: bool
    folders: tuple[str, ...]
    emptied: tuple[str, ...] = ()
    leaves: bool = False
    mode: int | None = None


class JournalEntry(_File, frozen=True, kw_only=True):
    """The file with its bytes. The `changes` of an entry read back say where, not what."""

    before: bytes | None
    after: bytes | None
    changes: tuple[Change, ...]

    def write(self) -> Write:
        """The entry as the plan had it."""
        return Write(
            path=self.path,
            format=self.format,
            before=self.before,
            after=self.after,
            secret=self.secret,
            changes=self.changes,
            leaves=self.leaves,
        )


class WriteRecord(Struct, frozen=True, kw_only=True):
    """A write. `time` is the wall clock's, in seconds since 1970; `number` is the order."""

    number: int
    time: float
    command: str
    paths: tuple[str, ...]
    folder: Path

    @property
    def id(self) -> str:
        """What a person calls it."""
        return str(self.number)

    def entries(self) -> tuple[JournalEntry, ...]:
        """Its files with their bytes. Raises OSError or ValueError where the record is damaged."""
        data = _decoded(self.folder, _Described)
        held = (self.folder / _BYTES).read_bytes()
        if len(held) != data.size:
            raise ValueError(_BYTES)
        return tuple(_entry(held, entry) for entry in data.entries)


# --- records as they are on disk -------------------------------------------------------------

_Span = tuple[int, int]


class _DescribedChange(Struct, frozen=True):
    """Where, and whether it was set. The value is in the bytes, and JSON lacks some of YAML's."""

    path: KeyPath
    set: bool


class _DescribedEntry(_File, frozen=True, kw_only=True):
    """The file with where its bytes stand among those of all files."""

    before: _Span | None
    after: _Span | None
    changes: tuple[_DescribedChange, ...]


class _Described(Struct, frozen=True, kw_only=True):
    version: Literal[1]
    number: int
    time: Annotated[float, Meta(ge=0, lt=1e11)]
    command: str
    size: int
    entries: tuple[_DescribedEntry, ...]


class _Original(Struct, frozen=True, kw_only=True):
    path: str
    existed: bool
    version: Literal[1] = 1


class _Arrival(Struct, frozen=True, kw_only=True):
    """`left`: the write that took ours out again."""

    real: str
    number: int
    existed: bool
    left: int | None = None
    version: Literal[1] = 1


def _decoded(folder: Path, kind: type[T]) -> T:
    """A folder's record.

    Raises OSError, or ValueError where the record is damaged or another program's.
    """
    try:
        return convert(json.loads((folder / _RECORD).read_bytes()), kind)
    except (ValidationError, RecursionError) as error:
        raise ValueError(str(error)) from None


def _encoded(record: Struct) -> bytes:
    # msgspec's own encoder takes no path with bytes that are not UTF-8.
    return json.dumps(to_builtins(record)).encode()


# --- reading ---------------------------------------------------------------------------------


def pending(state: Path) -> list[Path]:
    """Writes that have not ended. Reads only; no folder is made."""
    return [folder for folder in begun(state) if (folder / _RECORD).exists()]


def begun(state: Path) -> list[Path]:
    """Writes that have not ended, and what is left of those that never began."""
    return _folders(state / "open")


def records(state: Path) -> list[WriteRecord]:
    """Every write that is kept, the oldest first. A damaged one is left out."""
    found = []
    for folder in _folders(state / "writes"):
        with contextlib.suppress(OSError, ValueError):
            found.append(load(folder))
    return sorted(found, key=lambda r: r.number)


def damaged(state: Path) -> list[tuple[int, Path]]:
    """The numbers and folders of the writes whose record can't be read, the oldest first."""
    good = {record.folder for record in records(state)}
    names = [folder for folder in _folders(state / "writes") if folder.name.isdecimal()]
    return sorted((int(folder.name), folder) for folder in names if folder not in good)


def entries(state: Path) -> Iterator[tuple[int, JournalEntry]]:
    """Every file of every write that is kept, with its number; a damaged record has none."""
    for record in records(state):
        with contextlib.suppress(OSError, ValueError):
            yield from ((record.number, entry) for entry in record.entries())


def originals(state: Path) -> list[tuple[str, Path]]:
    """Every file that we ever wrote, and where its bytes from before our first write are kept."""
    found = []
    for folder in _folders(state / "originals"):
        with contextlib.suppress(OSError, ValueError):
            data = _decoded(folder, _Original)
            if data.existed:
                found.append((data.path, folder / "original"))
    return sorted(found)


def arrivals(state: Path) -> dict[str, Baseline]:
    """By real path: each file that ours is in, as it was before us."""
    found = {}
    for folder in _folders(state / "arrivals"):
        kept = _arrival(folder)
        if kept is not None and kept.left is None:
            found[kept.real] = Baseline(before=_original(folder, kept), number=kept.number)
    return found


def _arrival(folder: Path) -> _Arrival | None:
    """None where there is none, or a damaged one."""
    with contextlib.suppress(OSError, ValueError):
        kept = _decoded(folder, _Arrival)
        if not kept.existed or (folder / "original").exists():
            return kept
    return None


def _original(folder: Path, kept: _Arrival) -> bytes | None:
    return (folder / "original").read_bytes() if kept.existed else None


def is_ours(state: Path, real: str) -> bool:
    """Whether something of ours is in the file of this real path."""
    kept = _arrival(_named(state / "arrivals", real))
    return kept is not None and kept.left is None


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(p for p in folder.iterdir() if p.is_dir())
    except OSError:
        return []


def load(folder: Path) -> WriteRecord:
    """Raises OSError or ValueError where the record can't be read, or is another folder's."""
    data = _decoded(folder, _Described)
    if not folder.name.isdecimal() or int(folder.name) != data.number:
        raise ValueError(folder.name)
    return WriteRecord(
        number=data.number,
        time=data.time,
        command=data.command,
        paths=tuple(entry.path for entry in data.entries),
        folder=folder,
    )


def _entry(held: bytes, data: _DescribedEntry) -> JournalEntry:
    return JournalEntry(
        **_as_file(data),
        before=_part(held, data.before),
        after=_part(held, data.after),
        changes=tuple(Set(c.path, True) if c.set else Remove(c.path) for c in data.changes),
    )


def _as_file(entry: _File) -> dict[str, Any]:
    """What an entry has in common with its description."""
    return {name: getattr(entry, name) for name in _File.__struct_fields__}


def _part(held: bytes, where: _Span | None) -> bytes | None:
    if where is None:
        return None
    start, end = where
    if not 0 <= start <= end <= len(held):
        raise ValueError(_BYTES)
    return held[start:end]


def folders_made(state: Path, real: Path) -> tuple[str, ...]:
    """The folders that were made for this file by the last write that made any."""
    for record in reversed(records(state)):
        with contextlib.suppress(OSError, ValueError):
            for entry in _decoded(record.folder, _Described).entries:
                if entry.real == str(real) and entry.folders:
                    return entry.folders
    return ()


# --- writing ---------------------------------------------------------------------------------


def next_number(state: Path) -> int:
    """One more than any write has, whatever the clock says."""
    names = [folder.name for folder in _folders(state / "writes")]
    return max((int(name) for name in names if name.isdecimal()), default=0) + 1


def begin(
    state: Path,
    number: int,
    time: float,
    command: str,
    entries: Sequence[JournalEntry],
    fault: Fault,
) -> Path:
    """Write the record of what is about to happen. It counts from its last rename on."""
    parent = state / "open"
    make_private(parent)
    folder = parent / str(number)
    fault("begin the journal")
    folder.mkdir(mode=0o700)
    held = bytearray()
    described = tuple(_described(entry, held) for entry in entries)
    fault("keep the bytes")
    _put(folder / _BYTES, bytes(held))
    data = _Described(
        version=1,
        number=number,
        time=time,
        command=command,
        size=len(held),
        entries=described,
    )
    fault("write the journal")
    _put(folder / "record.tmp", _encoded(data))
    fault("open the journal")
    (folder / "record.tmp").rename(folder / _RECORD)
    fault("sync the journal")
    sync_folder(folder)
    sync_folder(parent)
    return folder


def _described(entry: JournalEntry, held: bytearray) -> _DescribedEntry:
    return _DescribedEntry(
        **_as_file(entry),
        before=_kept(entry.before, held),
        after=_kept(entry.after, held),
        changes=tuple(_DescribedChange(c.path, isinstance(c, Set)) for c in entry.changes),
    )


def _kept(content: bytes | None, held: bytearray) -> _Span | None:
    if content is None:
        return None
    held += content
    return len(held) - len(content), len(held)


def mark_staged(folder: Path, fault: Fault) -> None:
    """From here on a name may have been given its new bytes.

    Not synced: after a loss of power, a target that has its new bytes says the same.
    """
    fault("mark the journal as staged")
    (folder / _STAGED).touch(mode=0o600)


def is_staged(folder: Path) -> bool:
    """Whether any name may have been given its new bytes."""
    return (folder / _STAGED).exists()


def end(state: Path, folder: Path, entries: Sequence[JournalEntry], fault: Fault) -> None:
    """The write is whole: keep it for undo, and drop the oldest ones."""
    for entry in entries:
        _keep_original(state, entry, fault)
        _keep_arrival(state, entry, int(folder.name), fault)
    kept = state / "writes"
    make_private(kept)
    fault("close the journal")
    folder.rename(kept / f"{int(folder.name):08d}")
    fault("sync the journal's folders")
    sync_folder(kept)
    sync_folder(folder.parent)
    for old in records(state)[:-KEPT]:
        fault(f"forget write {old.number}")
        drop(old.folder)
    for left in _folders(kept):
        if not (left / _RECORD).exists():
            drop(left)


def drop(folder: Path) -> None:
    """Forget a record: its proof of completeness first, so that half a record is none."""
    (folder / _RECORD).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def purge(state: Path) -> None:
    """Forget every write, every original and every arrival."""
    for name in ("writes", "originals", "arrivals"):
        for folder in _folders(state / name):
            drop(folder)


def _keep_original(state: Path, entry: JournalEntry, fault: Fault) -> None:
    folder = _named(state / "originals", entry.real)
    if not (folder / _RECORD).exists():
        fault(f"keep the original of {entry.path}")
        existed = entry.before is not None
        _keep(folder, entry.before, _Original(path=entry.path, existed=existed))


def _keep_arrival(state: Path, entry: JournalEntry, number: int, fault: Fault) -> None:
    """Where ours begins and ends in a file. Done again after a crash, it does nothing more."""
    folder = _named(state / "arrivals", entry.real)
    kept = _arrival(folder)
    if kept is None or kept.left not in (None, number):
        if not entry.leaves:
            fault(f"note how {entry.path} was")
            existed = entry.before is not None
            _keep(folder, entry.before, _Arrival(real=entry.real, number=number, existed=existed))
    elif kept.left is None and (entry.leaves or entry.after == _original(folder, kept)):
        fault(f"note that ours is out of {entry.path}")
        _note(folder, replace(kept, left=number))


def _named(parent: Path, real: str) -> Path:
    """The folder that is kept for one file: its path, or a stamp of one too long for a name."""
    path = real.encode("utf-8", "surrogateescape")
    name = quote(path, safe="")
    if len(name) > _LONGEST_NAME:
        from hashlib import sha256  # it loads OpenSSL, which few switches need

        name = sha256(path).hexdigest()[:16]
    return parent / name


def _keep(folder: Path, before: bytes | None, record: _Original | _Arrival) -> None:
    """The bytes from before the write."""
    make_private(folder.parent)
    # What a killed process left there is not kept yet.
    drop(folder)
    folder.mkdir(mode=0o700)
    if before is not None:
        _put(folder / "original", before)
    _note(folder, record)
    sync_folder(folder.parent)


def _note(folder: Path, record: _Original | _Arrival) -> None:
    (folder / "record.tmp").unlink(missing_ok=True)
    _put(folder / "record.tmp", _encoded(record))
    (folder / "record.tmp").replace(folder / _RECORD)
    sync_folder(folder)


def _put(path: Path, data: bytes) -> None:
    with create_private(path) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
