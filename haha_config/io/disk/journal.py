"""What was written and what stood there before, kept for recovery and for undo.

    state/open/<id>/         a write that has not ended: after a crash it is finished or taken back
    state/writes/<n>-<id>/   a write that has ended, numbered in order; the last 20 are kept
    state/originals/<name>/  each file as it was before our first write, kept for good

Each folder holds record.json and the bytes, 0600: they can hold keys.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from haha_config.core.model import Change, Format, Item, Key, Remove, Set, Write
from haha_config.io.disk.files import sync_folder
from haha_config.io.disk.lock import make_private

KEPT: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file of a write. `temporary` stands beside `real` while it is being written."""

    path: str
    real: str
    temporary: str
    format: Format
    secret: bool
    mode: int | None
    before: bytes | None
    after: bytes | None
    changes: tuple[Change, ...]
    folders: tuple[str, ...]

    def write(self) -> Write:
        """The entry as the plan had it."""
        return Write(
            path=self.path,
            format=self.format,
            before=self.before,
            after=self.after,
            secret=self.secret,
            changes=self.changes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A write. `time` is the wall clock's, in seconds since 1970; `number` is the order."""

    id: str
    number: int
    time: float
    command: str
    entries: tuple[Entry, ...]
    folder: Path

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(entry.path for entry in self.entries)


# --- reading ---------------------------------------------------------------------------------


def pending(state: Path) -> list[Path]:
    """Writes that have not ended. Reads only; no folder is made."""
    return _folders(state / "open")


def records(state: Path) -> list[Record]:
    """Every write that is kept, the oldest first."""
    found = (load(folder) for folder in _folders(state / "writes"))
    return sorted((r for r in found if r is not None), key=lambda r: r.number)


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(p for p in folder.iterdir() if p.is_dir())
    except OSError:
        return []


def load(folder: Path) -> Record | None:
    """A record; None where it was never complete, so that nothing was written for it."""
    try:
        data = json.loads((folder / "record.json").read_text(encoding="utf-8"))
        entries = tuple(_entry(folder, i, e) for i, e in enumerate(data["entries"]))
    except (OSError, ValueError):
        return None
    return Record(
        id=data["id"],
        number=data["number"],
        time=data["time"],
        command=data["command"],
        entries=entries,
        folder=folder,
    )


def _entry(folder: Path, index: int, data: dict[str, Any]) -> Entry:
    return Entry(
        path=data["path"],
        real=data["real"],
        temporary=data["temporary"],
        format=data["format"],
        secret=data["secret"],
        mode=data["mode"],
        before=_bytes(folder / f"{index}.before") if data["before"] else None,
        after=_bytes(folder / f"{index}.after") if data["after"] else None,
        changes=tuple(_change(c) for c in data["changes"]),
        folders=tuple(data["folders"]),
    )


def _bytes(path: Path) -> bytes:
    return path.read_bytes()


# --- writing ---------------------------------------------------------------------------------


def begin(state: Path, record_id: str, time: float, command: str, entries: Sequence[Entry]) -> Path:
    """Write the record of what is about to happen. It counts from its last rename on."""
    parent = state / "open"
    make_private(parent)
    folder = parent / record_id
    folder.mkdir(mode=0o700)
    number = max((r.number for r in records(state)), default=0) + 1
    for index, entry in enumerate(entries):
        for name, content in (("before", entry.before), ("after", entry.after)):
            if content is not None:
                _put(folder / f"{index}.{name}", content)
    data = {
        "version": 1,
        "id": record_id,
        "number": number,
        "time": time,
        "command": command,
        "entries": [_entry_json(e) for e in entries],
    }
    _put(folder / "record.tmp", json.dumps(data).encode())
    (folder / "record.tmp").rename(folder / "record.json")
    sync_folder(folder)
    sync_folder(parent)
    return folder


def end(state: Path, folder: Path) -> Record | None:
    """The write is whole: keep it for undo, and drop the oldest ones."""
    record = load(folder)
    if record is None:
        drop(folder)
        return None
    _keep_originals(state, record)
    kept = state / "writes"
    make_private(kept)
    folder.rename(kept / f"{record.number:08d}-{record.id}")
    sync_folder(kept)
    for old in records(state)[:-KEPT]:
        drop(old.folder)
    return record


def drop(folder: Path) -> None:
    """Forget a record: its proof of completeness first, so that half a record is none."""
    (folder / "record.json").unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def purge(state: Path) -> int:
    """Forget every write and every original; how many files of them there were."""
    count = 0
    for name in ("writes", "originals"):
        for folder in _folders(state / name):
            count += sum(1 for p in folder.iterdir() if p.name != "record.json")
            drop(folder)
    return count


def _keep_originals(state: Path, record: Record) -> None:
    parent = state / "originals"
    for entry in record.entries:
        name = hashlib.sha256(entry.real.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        folder = parent / name
        if folder.exists() or entry.before is None:
            continue
        make_private(parent)
        folder.mkdir(mode=0o700)
        _put(folder / "original", entry.before)
        _put(folder / "record.json", json.dumps({"version": 1, "path": entry.path}).encode())


def _put(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


# --- changes as JSON -------------------------------------------------------------------------


def _entry_json(entry: Entry) -> dict[str, Any]:
    return {
        "path": entry.path,
        "real": entry.real,
        "temporary": entry.temporary,
        "format": entry.format,
        "secret": entry.secret,
        "mode": entry.mode,
        "before": entry.before is not None,
        "after": entry.after is not None,
        "changes": [_change_json(c) for c in entry.changes],
        "folders": list(entry.folders),
    }


def _change_json(change: Change) -> dict[str, Any]:
    path = [{"key": k.key, "value": k.value} if isinstance(k, Item) else k for k in change.path]
    if isinstance(change, Set):
        return {"path": path, "set": change.value}
    return {"path": path}


def _change(data: dict[str, Any]) -> Change:
    path = tuple(_keys(data["path"]))
    return Set(path, data["set"]) if "set" in data else Remove(path)


def _keys(path: list[Any]) -> Iterator[Key]:
    for key in path:
        yield Item(key["key"], key["value"]) if isinstance(key, dict) else key
