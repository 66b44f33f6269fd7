"""Taking a write back: the old bytes where a file is as we left it, else only our own entries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from haha_config.core.edit import decode
from haha_config.core.edit.formats import edit, read
from haha_config.core.errors import Refusal
from haha_config.core.messages import msg
from haha_config.core.model import Change, Data, Item, Path, Place, Remove, Set, Write

_MISSING: Final = object()


def reverse(write: Write, now: bytes | None) -> Write:
    """The write that takes `write` back from a file that holds `now`.

    Raises Refusal where one of our own entries has been changed since: its name and place are
    said, never its value.
    """
    if now == write.after:
        return Write(
            path=write.path,
            format=write.format,
            before=now,
            after=write.before,
            secret=write.secret,
            changes=tuple(_reversed(write)),
        )
    if now is None or now == write.before:
        # Deleted since, or already as it was: nothing of ours is left in it.
        return Write(path=write.path, format=write.format, before=now, after=now)
    changes = tuple(_reversed(write))
    text = decode(now)
    _check_untouched(write, changes, text)
    after = _edit(write, text, changes).encode("utf-8")
    return Write(
        path=write.path,
        format=write.format,
        before=now,
        after=after,
        secret=write.secret,
        changes=changes,
    )


def _reversed(write: Write) -> Iterator[Change]:
    """What gives each touched entry its old value, the last first."""
    before, after = _data(write, write.before), _data(write, write.after)
    for change in reversed(write.changes):
        old, new = at(before, change.path), at(after, change.path)
        if old == new:
            continue
        path = _outermost(before, change.path)
        was = at(before, path)
        yield Remove(path) if was is _MISSING else Set(path, was)


def _outermost(before: Data, path: Path) -> Path:
    """The part of `path` that was missing: a table that we made goes with its last entry."""
    for length in range(1, len(path)):
        if at(before, path[:length]) is _MISSING:
            return path[:length]
    return path


def _check_untouched(write: Write, changes: tuple[Change, ...], text: str) -> None:
    """Raises Refusal where an entry is no longer as we left it."""
    after, document = _data(write, write.after), _read(write, text)
    now: Mapping[str, Data] = document if write.format == "lines" else document.data
    for change in changes:
        left, found = at(after, change.path), at(now, change.path)
        same = left == found or _only_grown(left, found)
        if not same:
            place = None if write.format == "lines" else document.place(change.path)
            raise Refusal(
                msg("`{name}` has been changed since", name=named(change.path)),
                place=Place(
                    path=write.path,
                    line=place.line if place else None,
                    column=place.column if place else None,
                ),
                hints=(msg("change it by hand, or keep it: nothing was undone"),),
            )


def _only_grown(left: Data, found: Data) -> bool:
    """A table that we made and that others have put entries into since."""
    return (
        isinstance(left, Mapping)
        and isinstance(found, Mapping)
        and all(found.get(key) == value for key, value in left.items())
    )


def _edit(write: Write, text: str, changes: tuple[Change, ...]) -> str:
    if write.format == "lines":
        return _without_lines(text, changes)
    kept = tuple(_narrowed(write, text, changes))
    return edit(write.format, text, kept)


def _narrowed(write: Write, text: str, changes: tuple[Change, ...]) -> Iterator[Change]:
    """A table of ours that has grown is not taken out whole: only what we put into it."""
    after, now = _data(write, write.after), _read(write, text).data
    for change in changes:
        left, found = at(after, change.path), at(now, change.path)
        if isinstance(change, Remove) and left != found and isinstance(left, Mapping):
            yield from (Remove((*change.path, key)) for key in left)
        else:
            yield change


def _without_lines(text: str, changes: tuple[Change, ...]) -> str:
    ours = {str(change.path[-1]) for change in changes}
    return "".join(line for line in text.splitlines(keepends=True) if line.strip() not in ours)


# --- reading ---------------------------------------------------------------------------------


def _data(write: Write, content: bytes | None) -> Mapping[str, Data]:
    if content is None:
        return {}
    found = _read(write, decode(content))
    data: Mapping[str, Data] = found if write.format == "lines" else found.data
    return data


def _read(write: Write, text: str) -> Any:
    if write.format == "lines":
        return {line.strip(): True for line in text.splitlines()}
    return read(write.format, text)


def at(data: Data, path: Path) -> Any:
    """What stands at `path`; a private mark where nothing does."""
    for key in path:
        if isinstance(key, Item):
            data = _matching(data, key)
        elif isinstance(data, Mapping):
            data = data.get(key, _MISSING)
        elif isinstance(data, list) and isinstance(key, int) and key < len(data):
            data = data[key]
        else:
            return _MISSING
    return data


def _matching(data: Data, item: Item) -> Any:
    for element in data if isinstance(data, list) else ():
        if isinstance(element, Mapping) and element.get(item.key) == item.value:
            return element
    return _MISSING


def named(path: Path) -> str:
    """A path as a person reads it."""
    return ".".join(k.value if isinstance(k, Item) else str(k) for k in path)
