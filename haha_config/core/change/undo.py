"""Taking a write back: the old bytes where a file is as we left it, else only our own entries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from haha_config.core.edit import decode
from haha_config.core.edit.formats import edit, read
from haha_config.core.edit.text import MISSING, at, same
from haha_config.core.errors import Refusal
from haha_config.core.messages import msg
from haha_config.core.model import (
    Change,
    Data,
    Item,
    Path,
    Place,
    Plan,
    Remove,
    Set,
    Write,
    mapping,
)


def take_back(writes: Sequence[Write], now: Mapping[str, bytes | None]) -> Plan:
    """The plan that takes a whole write back, the last file first. Raises as `reverse` does."""
    return Plan(writes=tuple(reverse(write, now[write.path]) for write in reversed(writes)))


def reverse(write: Write, now: bytes | None) -> Write:
    """The write that takes `write` back from a file that holds `now`.

    Raises Refusal where our own entries have been changed since: their names and the place of the
    first are said, never a value. Where the file is gone, nothing of ours is left to take back.
    """
    # What takes back our leaving brings us back.
    write = replace(write, leaves=False)
    if now == write.after:
        back = replace(write, before=now, after=write.before, changes=())
        try:
            return replace(back, changes=tuple(_reversed(write)))
        except Refusal:
            # It does not parse, and the old bytes are right all the same.
            return back
    if now is None or now == write.before:
        return replace(write, before=now, after=now, changes=())
    if write.format == "lines":
        return _lines_back(write, now)
    try:
        return _entries_back(write, now)
    except Refusal as refusal:
        raise refusal.of(write.path) from None


# --- entries ---------------------------------------------------------------------------------


def _entries_back(write: Write, now: bytes) -> Write:
    text = decode(now)
    document = read(write.format, text)
    after = _data(write, write.after)
    changes, changed = [], []
    for change in _reversed(write):
        found = at(document.data, change.path, MISSING)
        if equal(found, at(after, change.path, MISSING)):
            changes.append(change)
        elif not equal(found, change.value if isinstance(change, Set) else MISSING):
            # Somebody else did not take it back either.
            changed.append(change.path)
    if changed:
        raise Refusal(
            msg("changed since, not taken back: {names}", names=tuple(map(named, changed))),
            place=document.place(changed[0]) or Place(),
            hints=(msg("nothing was undone; change this by hand"),),
        )
    result = edit(write.format, text, changes)
    emptied = tuple(_emptied(write, changes, read(write.format, result).data))
    result = edit(write.format, result, emptied)
    return replace(write, before=now, after=result.encode("utf-8"), changes=(*changes, *emptied))


def _reversed(write: Write) -> Iterator[Change]:
    """What gives each entry that was touched its old value, the last first."""
    if write.format == "lines":
        for change in reversed(write.changes):
            added = isinstance(change, Set)
            yield Remove(change.path) if added else Set(change.path, True)
        return
    before, after = _data(write, write.before), _data(write, write.after)
    paths = [change.path for change in write.changes] or list(_differences(before, after))
    for path in reversed(dict.fromkeys(paths)):
        old = at(before, path, MISSING)
        if not equal(old, at(after, path, MISSING)):
            yield Remove(path) if old is MISSING else Set(path, old)


def _differences(before: Data, after: Data, path: Path = ()) -> Iterator[Path]:
    """The entries that differ, where a write does not say what it touched."""
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key, MISSING), after.get(key, MISSING)
        # A table that is made goes entry by entry.
        if all(one is MISSING or isinstance(one, Mapping) for one in (old, new)):
            yield from _differences(mapping(old), mapping(new), (*path, key))
        elif not equal(old, new):
            yield (*path, key)


def _emptied(write: Write, changes: Sequence[Change], data: Mapping[str, Data]) -> Iterator[Remove]:
    """The tables and lists that we had made, and that nothing is left in."""
    before = _data(write, write.before)
    gone: set[Path] = set()
    for path in (change.path for change in changes if isinstance(change, Remove)):
        for length in range(len(path) - 1, 0, -1):
            above = path[:length]
            if above in gone or at(before, above, MISSING) is not MISSING:
                continue
            left = at(data, above, MISSING)
            inner = left if isinstance(left, dict) else ()
            if left in ({}, []) or (inner and all((*above, key) in gone for key in inner)):
                gone.add(above)
                yield Remove(above)


# --- lines -----------------------------------------------------------------------------------


def _lines_back(write: Write, now: bytes) -> Write:
    """A file of lines: ours go, those we took out come back at its end."""
    before, after = _lines(write.before), _lines(write.after)
    ours, taken = set(after) - set(before), set(before) - set(after)
    kept = [line for line in now.splitlines(keepends=True) if line.strip() not in ours]
    back = [line for line in dict.fromkeys(before) if line in taken and line not in _lines(now)]
    if back and kept and not kept[-1].endswith((b"\n", b"\r")):
        kept.append(b"\n")
    result = b"".join((*kept, *(line + b"\n" for line in back)))
    return replace(write, before=now, after=result, changes=tuple(_reversed(write)))


def _lines(content: bytes | None) -> list[bytes]:
    return [line.strip() for line in (content or b"").splitlines()]


# --- reading ---------------------------------------------------------------------------------


def _data(write: Write, content: bytes | None) -> Mapping[str, Data]:
    return {} if content is None else read(write.format, decode(content)).data


def equal(one: Any, other: Any) -> bool:
    """Whether two results of `at` are the same value."""
    return one is other or (one is not MISSING and other is not MISSING and same(one, other))


def named(path: Path) -> str:
    """A path as a person reads it."""
    return ".".join((k.value or k.key) if isinstance(k, Item) else str(k) for k in path)
