"""Which settings a client takes, from what was measured (`templates/facts/settings.json`).

One value that a client does not take drops its whole file. What it takes at a place is a few
words: kinds (`null`, `bool`, `text`, `url`, `number`, `whole`, `list`, `object`), `text+` and
`list+` for ones that are not empty, `=word` for a text, bounds after a number, and after `object`
the keys that must be there; `object!` has no other keys than the known ones. A place without words
takes anything.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Final

from msgspec import Struct, field

from haha_config.core.messages import Message, msg
from haha_config.core.model import Data

_PART: Final = re.compile(r"\.?([^.\[\]{}]+)|\[\]|\{([^}=]*)=?([^}]*)\}")
_BOUND: Final = re.compile(r"(>=|<=|>|<)(-?[\d.]+)")
_COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


class Rejected(Struct, frozen=True, kw_only=True):
    """A value for which a client drops its file. `missing`: keys that are not there."""

    path: tuple[str | int, ...]
    takes: str
    missing: tuple[str, ...] = ()


class _Node(Struct, kw_only=True):
    """A place: the words for each version, and the places in it."""

    words: tuple[str, ...] = ()
    inside: dict[str, _Node] = field(default_factory=dict)


class Accepted(Struct, frozen=True, kw_only=True, dict=True):
    """What was measured. `takes`: for a place, the words of all versions or of each in turn.

    `measured`: version -> day, the oldest first. `like`: events whose hooks are taken as another's.
    """

    measured: dict[str, str]
    takes: dict[str, str | list[str]]
    names: str = ""
    like: dict[str, str] = field(default_factory=dict)

    @property
    def versions(self) -> tuple[str, ...]:
        return tuple(self.measured)

    def rejected(self, data: Mapping[str, Data], version: str) -> tuple[Rejected, ...]:
        """Every value of a file that makes this (measured) version drop the file."""
        return tuple(_walk(self._places, data, (), self.versions.index(version)))

    @cached_property
    def _places(self) -> _Node:
        root = _Node()
        for path, words in self.takes.items():
            node = root
            for part in _PART.finditer(path):
                node = node.inside.setdefault(part[1] or part[0], _Node())
            node.words = tuple(words) if isinstance(words, list) else (words,) * len(self.measured)
        hooks = root.inside.get("hooks", _Node())
        for event, other in self.like.items():
            hooks.inside[event] = hooks.inside[other]
        return root


def _walk(
    node: _Node, value: Data, path: tuple[str | int, ...], version: int
) -> Iterator[Rejected]:
    words = node.words[version] if node.words else ""
    if words:
        missing = _missing(words, value)
        if missing or not any(_fits(word, value, node) for word in words.split()):
            yield Rejected(path=path, takes=words, missing=missing)
            return
    if isinstance(value, list) and "[]" in node.inside:
        for number, one in enumerate(value):
            yield from _walk(node.inside["[]"], one, (*path, number), version)
    elif isinstance(value, Mapping):
        for name, one in value.items():
            inside = node.inside.get(name) or node.inside.get("*")
            if inside is not None and name[:1] not in "[{":
                yield from _walk(inside, one, (*path, name), version)
        for part, variant in node.inside.items():
            if part[0] == "{" and _is(part, value):
                yield from _walk(variant, value, path, version)


def _is(variant: str, value: Mapping[str, Data]) -> bool:
    """Whether an object is the one that `{type=command}` or `{url}` names."""
    name, _, word = variant[1:-1].partition("=")
    return value.get(name) == word if word else name in value


def _missing(words: str, value: Data) -> tuple[str, ...]:
    """The keys that must be in this object and are not."""
    if not isinstance(value, Mapping):
        return ()
    wanted = next((w for w in words.split() if w.startswith("object")), "")
    names = wanted.partition(":")[2].split(",") if ":" in wanted else ()
    return tuple(name for name in names if name not in value)


def _fits(word: str, value: Data, node: _Node) -> bool:
    match value:
        case None:
            return word == "null"
        case bool():
            return word == "bool"
        case int() | float():
            return _fits_number(word, value)
        case str():
            return _fits_text(word, value)
        case list():
            return word == "list" or (word == "list+" and bool(value))
        case _:
            closed = word.startswith("object!")
            return word.startswith("object") and not (closed and set(value) - set(node.inside))


def _fits_text(word: str, value: str) -> bool:
    if word == "url":
        return re.match(r"[A-Za-z][\w+.-]*:", value) is not None
    return word in {f"={value}", "text"} or (word == "text+" and value != "")


def _fits_number(word: str, value: float) -> bool:
    kind = re.match(r"number|whole", word)
    if kind is None or (kind[0] == "whole" and value != int(value)):
        return False
    return all(_COMPARE[m[1]](value, float(m[2])) for m in _BOUND.finditer(word))


def _kinds(words: str) -> Message | str:
    """What a place takes, for a person."""
    found = tuple(_described(word) for word in words.split())
    return found[0] if len(found) == 1 else msg("one of {words}", words=found)


def _described(word: str) -> Message | str:
    if word[0] == "=":
        return f'"{word[1:]}"'
    if bounds := [m[0] for m in _BOUND.finditer(word)]:
        kind = msg("a whole number") if word.startswith("whole") else msg("a number")
        return msg("{kind} {bounds}", kind=kind, bounds=" ".join(bounds))
    return _KINDS[word.partition(":")[0].rstrip("!+")]


_KINDS: Final[Mapping[str, Message]] = {
    "text": msg("text"),
    "url": msg("a URL"),
    "bool": msg("true or false"),
    "whole": msg("a whole number"),
    "number": msg("a number"),
    "list": msg("a list"),
    "object": msg("an object"),
    "null": msg("null"),
}


def told(one: Rejected) -> Message:
    """What is wrong with a value."""
    name = place_name(one.path)
    if one.missing:
        return msg("`{name}` has no {keys}", name=name, keys=_quoted(one.missing))
    return msg("`{name}` must be {kinds}", name=name, kinds=_kinds(one.takes))


def mend(one: Rejected) -> Message:
    """What to write instead."""
    name = place_name(one.path)
    if one.missing:
        keys = _quoted(one.missing)
        return msg("add {keys} to `{name}`, or delete `{name}`", name=name, keys=keys)
    return msg(
        "write {kinds} for `{name}`, or delete that entry", name=name, kinds=_kinds(one.takes)
    )


def _quoted(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"`{name}`" for name in names)


def place_name(path: tuple[str | int, ...]) -> str:
    """A place as a person writes it: `hooks.PreToolUse[0].matcher`."""
    text = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)
    return text.removeprefix(".")
