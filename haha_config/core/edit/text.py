"""What the three editors share: bytes to text, offsets to places, and a file's line ends."""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from haha_config.core.errors import Refusal
from haha_config.core.messages import Message, msg
from haha_config.core.model import Change, Data, Item, Oddity, Path, Place, Remove, Set, elements

BOM: Final = "\ufeff"
LINE_END: Final = re.compile(r"\r\n|\r|\n")


def decode(data: bytes) -> str:
    """The text of a file, its BOM and line ends left in. Refuses what is not UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        good = data[: error.start].decode("utf-8")
        raise Refusal(
            msg("this byte is not UTF-8: 0x{byte}", byte=f"{data[error.start]:02x}"),
            place=Source(good).place(len(good)),
            hints=(msg("save the file as UTF-8"),),
        ) from None


def decode_wide(data: bytes) -> str | None:
    """The text of a UTF-16 file as Windows writes it, its BOM left in; None for any other.

    The clients read it (measured); without the mark, or in the other byte order, they do not.
    """
    if not data.startswith(codecs.BOM_UTF16_LE) or data.startswith(codecs.BOM_UTF32_LE):
        return None
    try:
        return data.decode("utf-16-le")
    except UnicodeDecodeError:
        return None


class Source:
    """A text and the places in it."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(m.end() for m in LINE_END.finditer(self.text))]

    def place(self, offset: int) -> Place:
        line = bisect_right(self._starts, offset)
        start = self._starts[line - 1]
        if start == 0 and self.text.startswith(BOM) and offset > 0:
            start = 1  # nobody sees a BOM, so no editor counts it
        return Place(line=line, column=offset - start + 1)


class Document:
    """A text that was read: its data, where each entry stands, and what is odd in it."""

    data: Mapping[str, Data]

    def __init__(self, text: str) -> None:
        self.text = text
        self._source = Source(text)

    def _at(self, path: Path) -> tuple[int, int] | None:
        """Offsets of the key (or list element) and of the value at `path`."""
        raise NotImplementedError

    def _oddities(self) -> Iterator[Oddity]:
        raise NotImplementedError

    def place(self, path: Path) -> Place | None:
        """Where the *value* at `path` starts; None where there is no such entry."""
        found = self._at(path)
        return self._source.place(found[1]) if found else None

    def key_place(self, path: Path) -> Place | None:
        """Where the *key* at `path` starts; None where there is no such entry."""
        found = self._at(path)
        return self._source.place(found[0]) if found else None

    @cached_property
    def oddities(self) -> Sequence[Oddity]:
        return tuple(sorted(self._oddities(), key=lambda o: (o.place.line, o.place.column)))


def newline(text: str) -> str:
    """The line end that most lines of `text` have; `\\n` where there is none."""
    ends = LINE_END.findall(text)
    return max(("\n", "\r\n", "\r"), key=ends.count) if ends else "\n"


def same(one: Data, other: Data) -> bool:
    """Equal in type too (`1` is not `True`), and NaN equals itself."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return len(one) == len(other) and all(
            key in other and same(value, other[key]) for key, value in one.items()
        )
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other or (one != one and other != other))


def alike(data: Data, wanted: Data, changes: Sequence[Change]) -> bool:
    """`same`, at the speed of `==` for what was not touched: those bytes read as they did."""
    if data != wanted:
        return same(data, wanted)
    return all(same(at(data, c.path), at(wanted, c.path)) for c in changes)


#: For `at`, where None can stand.
MISSING: Final = object()


def at(data: Data, path: Path, missing: object = None) -> Any:
    """What stands at `path`; `missing` where nothing does."""
    for key in path:
        if isinstance(key, Item):
            listed = elements(data)
            data = next((listed[i] for i in numbers(listed, key)), missing)
        elif isinstance(data, Mapping):
            data = data.get(key, missing)
        elif isinstance(data, list) and isinstance(key, int) and 0 <= key < len(data):
            data = data[key]
        else:
            return missing
    return data


def name_of(path: Path) -> str:
    """A path as a person writes it: `env.NAME`, `model_list[model_name=x]`."""
    words = ""
    for key in path:
        if isinstance(key, Item):
            words += f"[{key.key}]" if key.value is None else f"[{key.key}={key.value}]"
        elif isinstance(key, int):
            words += f"[{key}]"
        else:
            words += f".{key}" if words else key
    return words


def by_hand(change: Change) -> Message:
    """What to do in an editor instead. Names only: a value may be a secret."""
    if isinstance(change, Remove):
        return msg("delete `{name}` by hand", name=name_of(change.path))
    return msg("set `{name}` by hand", name=name_of(change.path))


def changed(data: Data, changes: Sequence[Change]) -> Data:
    """Plain data with `changes` made: what the edited text must read as. Copies what it changes."""
    for change in changes:
        data = _changed(data, change.path, change)
    return data


def _changed(data: Data, path: Path, change: Change) -> Data:
    if not path:
        return change.value if isinstance(change, Set) else None
    key, rest = path[0], path[1:]
    if isinstance(key, Item):
        return _changed_items(data, key, rest, change)
    if isinstance(key, int):
        return _changed_index(data, key, rest, change)
    if isinstance(change, Remove):
        if not isinstance(data, dict) or key not in data:
            return data
        if not rest:
            return {k: v for k, v in data.items() if k != key}
    elif data is None:
        data = {}
    return {**data, key: _changed(data.get(key), rest, change)}


def _changed_items(data: Any, key: Item, rest: Path, change: Change) -> Data:
    if isinstance(change, Remove) and not isinstance(data, list):
        return data
    found = numbers(data or (), key)
    if isinstance(change, Remove) and not found:
        return data
    if isinstance(change, Remove) and not rest:
        return [value for i, value in enumerate(data) if i not in found]
    if not found:
        start = {} if key.value is None else {key.key: key.value}
        return [*(data or ()), _changed(start if rest else None, rest, change)]
    return _changed_index(data, found[0], rest, change)


def _changed_index(data: Any, index: int, rest: Path, change: Change) -> Data:
    if isinstance(change, Remove) and not (isinstance(data, list) and 0 <= index < len(data)):
        return data
    if isinstance(change, Remove) and not rest:
        return [*data[:index], *data[index + 1 :]]
    return [*data[:index], _changed(data[index], rest, change), *data[index + 1 :]]


def matches(value: Data, key: Item) -> bool:
    """Is this list element the one that `key` names?"""
    if not isinstance(value, Mapping) or key.key not in value:
        return False
    if key.value is not None and value[key.key] != key.value:
        return False
    return not key.also or at(value, key.also[:-1]) == key.also[-1]


def numbers(listed: Sequence[Data], key: Item) -> list[int]:
    """Where the elements are that `key` names."""
    return [i for i, value in enumerate(listed) if matches(value, key)]
