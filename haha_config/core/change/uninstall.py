"""A file as if we had never been there: the bytes from before us, or everything but our entries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from msgspec import Struct

from haha_config.core import variables as v
from haha_config.core.change import beside
from haha_config.core.change.helper import is_own_helper
from haha_config.core.change.undo import equal
from haha_config.core.edit import decode
from haha_config.core.edit.formats import edit, read
from haha_config.core.edit.text import MISSING, at, same
from haha_config.core.errors import Refusal
from haha_config.core.model import Baseline, Change, Data, Item, Path, Remove, Set, Write
from haha_config.core.state.file import File
from haha_config.core.state.owned import Owned

_GATEWAY: Final = (v.MASTER_KEY, "LITELLM_MODE", "HOST", "PORT")


class Footprint(Struct, frozen=True, kw_only=True):
    """Our time in a file: how it was before us, and our writes since that are still known.

    `arrival` None: that is not known. `whole`: no write since is forgotten.
    """

    arrival: Baseline | None = None
    writes: tuple[Write, ...] = ()
    whole: bool = False


def presence(numbered: Sequence[tuple[int, Write]], arrival: Baseline | None) -> Footprint:
    """What is to be taken back; `numbered` are the known writes to a file, the oldest first."""
    since = 0 if arrival is None else arrival.number
    known = [(number, write) for number, write in numbered if number >= since]
    return Footprint(
        arrival=arrival,
        writes=tuple(write for _, write in known),
        whole=arrival is not None and bool(known) and known[0][0] == since,
    )


def removed_ours(file: File, ours: Footprint, start: str, record: Owned = Owned()) -> Write:  # noqa: B008
    """The write that takes us out of a file; `start` is what a new file of this kind begins with.
    `record` says what we wrote beside the client's variables.

    Where nobody else wrote since we came, the bytes from before us come back. Else our entries
    get the values that they had then. Raises Refusal where the file can't be edited.
    """
    now = file.snapshot.data
    if now is None:
        if file.error is not None:  # it is there, and can't be read
            raise file.error
        return _write(file, None, ())
    if ours.arrival is not None and _alone(ours, now):
        known = tuple(_changes(file, ours, record)) if file.error is None else ()
        return _write(file, ours.arrival.before, known)
    if file.error is not None:
        raise file.error
    changes = tuple(_changes(file, ours, record))
    text = _edited(file, changes)
    if text is None:
        return _write(file, now, changes)
    return _write(file, _left(file, text, ours, start), changes)


def _write(file: File, after: bytes | None, changes: tuple[Change, ...]) -> Write:
    return Write(
        path=file.path,
        format=file.format,
        before=file.snapshot.data,
        after=after,
        changes=changes,
        leaves=True,
    )


def _alone(ours: Footprint, now: bytes) -> bool:
    """Whether each of our writes found what the one before had left, and the last still stands."""
    if not ours.whole or ours.writes[-1].after != now:
        return False
    return all(older.after == newer.before for older, newer in pairwise(ours.writes))


def _changes(file: File, ours: Footprint, record: Owned) -> Iterator[Change]:
    """What gives each entry of ours the value that it had before us, or takes it out."""
    if file.format in ("json", "dotenv"):
        root = ("env",) if file.format == "json" else ()
        yield from beside.removals(file, root, record)
    before = _before(file, ours)
    for path in _paths(file, ours):
        old = at(before, path, MISSING)
        if old is not MISSING:
            if not equal(at(file.data, path, MISSING), old):
                yield Set(path, old)
        elif file.format == "lines" or at(file.data, path, MISSING) is not MISSING:
            yield Remove(path)


def _before(file: File, ours: Footprint) -> Mapping[str, Data]:
    if ours.arrival is None or ours.arrival.before is None or file.format == "lines":
        return {}
    return read(file.format, decode(ours.arrival.before)).data


def _paths(file: File, ours: Footprint) -> list[Path]:
    """Where something of ours may be, or something that we took out was."""
    touched = _touched(ours.writes)
    if file.format == "json":
        found: list[Path] = [("env", name) for name in (*v.OWNED, *v.CLOUDS)]
        found = [p for p in found if p in touched or _present(file, p)]
        helper = is_own_helper(file.data.get(v.HELPER)) or (v.HELPER,) in touched
        return [*found, (v.HELPER,)] if helper else found
    if file.format == "dotenv":
        known = _GATEWAY if file.path.endswith("litellm.env") else v.OWNED
        names = dict.fromkeys((*known, *(path[0] for path in touched)))
        names.pop(v.HEADERS, None)  # of which only a line is ours
        return [(name,) for name in names if (name,) in touched or _present(file, (name,))]
    return touched


def _present(file: File, path: Path) -> bool:
    """Whether an entry is there that is ours by its name; what a person may have chosen is not."""
    mine = path[-1] not in v.PERSONAL and path[-1] not in v.CLOUDS
    return mine and at(file.data, path, MISSING) is not MISSING


def _touched(writes: Sequence[Write]) -> list[Path]:
    """What we set or took out, the last first; an entry of a list as a whole."""
    changes = (change for write in reversed(writes) for change in reversed(write.changes))
    return list(dict.fromkeys(_whole(change.path) for change in changes))


def _whole(path: Path) -> Path:
    for index, key in enumerate(path):
        if isinstance(key, Item):
            return path[: index + 1]
    return path


def _edited(file: File, changes: Sequence[Change]) -> str | None:
    """The text without our entries and without the tables that this leaves empty."""
    if not changes:
        return None
    if file.format == "lines":
        ours = {str(change.path[-1]) for change in changes}
        kept = (x for x in file.text.splitlines(keepends=True) if x.strip() not in ours)
        return "".join(kept)
    try:
        text = edit(file.format, file.text, changes)
        tables = {change.path[:n] for change in changes for n in range(1, len(change.path))}
        for table in sorted(tables, key=len, reverse=True):
            if at(read(file.format, text).data, table) in ({}, []):
                text = edit(file.format, text, [Remove(table)])
        return text
    except Refusal as refusal:
        raise refusal.of(file.path) from None


def _left(file: File, text: str, ours: Footprint, start: str) -> bytes | None:
    """What stays of a file whose entries of ours are gone; None: nothing, since we made it."""
    before = None if ours.arrival is None else ours.arrival.before
    left: Data = {} if file.format == "lines" else read(file.format, text).data
    if before is not None:
        # JSON has no comments that somebody may have added: the same data is the same file.
        restored = file.format == "json" and same(left, _before(file, ours))
        return before if restored else text.encode("utf-8")
    made = file.format != "lines" and not left and _is_start(file, text, start, ours)
    return None if made else text.encode("utf-8")


def _is_start(file: File, text: str, start: str, ours: Footprint) -> bool:
    """Whether `text` is no more than what a new file of ours begins with."""
    if file.format == "json":
        return ours.arrival is not None
    lines = {line.strip() for line in text.splitlines() if line.strip()}
    return lines <= {line.strip() for line in start.splitlines()}
