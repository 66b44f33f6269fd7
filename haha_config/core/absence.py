"""A file as if we had never been there: the bytes from before us, or everything but our entries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from haha_config.core import variables as v
from haha_config.core.edit import decode
from haha_config.core.edit.formats import edit, read
from haha_config.core.errors import Refusal
from haha_config.core.model import Change, Data, Item, Path, Place, Remove, Set, Write
from haha_config.core.plan import HELPER, is_own_helper
from haha_config.core.state import File

_GATEWAY: Final = (v.MASTER_KEY, "LITELLM_MODE", "HOST", "PORT")


def without_ours(file: File, past: Sequence[Write], start: str) -> Write:
    """The write that takes us out of a file.

    `past` are our writes to it that are still known, the oldest first; `start` is what a new file
    of this kind begins with. Where nobody else wrote in between, the bytes from before the first
    of them come back. Raises Refusal where the file can't be edited.
    """
    now = file.snapshot.data
    if now is None:
        if file.error is not None:  # it is there, and can't be read
            raise file.error
        return _write(file, None, ())
    if _alone(past, now):
        known = tuple(_ours(file, past)) if file.error is None else ()
        return _write(file, past[0].before, known)
    if file.error is not None:
        raise file.error
    changes = tuple(_ours(file, past))
    text = _edited(file, changes)
    if text is not None and _ours_alone(file, text, start, past):
        return _write(file, None, changes)
    return _write(file, now if text is None else text.encode("utf-8"), changes)


def _write(file: File, after: bytes | None, changes: tuple[Change, ...]) -> Write:
    return Write(
        path=file.path,
        format=file.format,
        before=file.snapshot.data,
        after=after,
        changes=changes,
    )


def _alone(past: Sequence[Write], now: bytes) -> bool:
    """Whether each of our writes found what the one before had left, and the last still stands.

    The journal forgets old writes: the first one known must have found nothing of ours.
    """
    if not past or past[-1].after != now or _holds_ours(past[0]):
        return False
    return all(older.after == newer.before for older, newer in pairwise(past))


def _holds_ours(write: Write) -> bool:
    """Whether a write that we still know found entries of an earlier one of ours."""
    if write.before is None or write.format == "lines":
        return False
    held = read(write.format, decode(write.before)).data
    env = held.get("env") if write.format == "json" else held
    if write.format == "yaml":
        settings = held.get("general_settings")
        reference = f"os.environ/{v.MASTER_KEY}"
        return isinstance(settings, Mapping) and settings.get("master_key") == reference
    mine = {v.BASE_URL, v.MASTER_KEY}
    return isinstance(env, Mapping) and bool(mine & set(env))


def _ours(file: File, past: Sequence[Write]) -> Iterator[Change]:
    """What takes our entries out of a file that others write too."""
    if file.format == "json":
        env = file.data.get("env")
        held = env if isinstance(env, Mapping) else {}
        yield from (Remove(("env", name)) for name in v.OWNED if name in held)
        if is_own_helper(file.data.get(HELPER)):
            yield Remove((HELPER,))
        return
    if file.format == "dotenv":
        names = dict.fromkeys((*v.OWNED, *_GATEWAY, *_touched(past)))
        yield from (Remove((name,)) for name in names if name in file.data)
        return
    for path in _paths(past):
        yield Remove(path)


def _touched(past: Sequence[Write]) -> list[str]:
    return [str(path[0]) for path in _paths(past)]


def _paths(past: Sequence[Write]) -> list[Path]:
    """What we set, the last first; an entry of a list as a whole."""
    found: dict[Path, None] = {}
    for write in reversed(past):
        for change in reversed(write.changes):
            if isinstance(change, Set):
                found[_whole(change.path)] = None
    return list(found)


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
        data = read(file.format, text).data
        tables = dict.fromkeys(change.path[:1] for change in changes if len(change.path) > 1)
        empty = [Remove(path) for path in tables if data.get(str(path[0])) in ({}, [])]
        return edit(file.format, text, empty)
    except Refusal as refusal:
        place = refusal.place or Place()
        where = Place(path=file.path, line=place.line, column=place.column)
        raise Refusal(refusal.what, place=where, hints=refusal.hints) from None


def _ours_alone(file: File, text: str, start: str, past: Sequence[Write]) -> bool:
    """Whether nothing is left but what a new file of ours begins with, and we made the file."""
    if file.format == "lines" or (past and past[0].before is not None and not _holds_ours(past[0])):
        return False
    left: Data = read(file.format, text).data
    lines = {line.strip() for line in text.splitlines() if line.strip()}
    comments = lines <= {line.strip() for line in start.splitlines()}
    return not left and (file.format == "json" or comments)
