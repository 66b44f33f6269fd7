"""Paths of settings, as the facts name them, and files that hold values at many of them.

`a.b` is a key in an object, `a.*` any other key, `a[]` an element of a list; `a{type=command}` is
the object at `a` whose `type` is `command`, and `a{url}` the one that has a `url`.
"""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Mapping
from typing import Any, Final

_PART: Final = re.compile(r"\.?([^.\[\]{}]+)|\[\]|\{[^}]*\}")
Concrete = tuple[str | int, ...]


def parts(path: str) -> list[str]:
    """The parts of a path: `.key`, `.*`, `[]` or `{…}`."""
    return [f".{m[1]}" if m[1] else m[0] for m in _PART.finditer(path)]


class Taken(Exception):
    """Something else stands at that place of the file."""


class File:
    """A settings file that grows by one value after the other."""

    def __init__(self, examples: Mapping[str, Any]) -> None:
        self._examples = examples
        self.data: dict[str, Any] = {}
        self._put: set[Concrete] = set()

    def put(self, path: str, value: Any, name: str) -> Concrete:
        """Put `value` at `path`, with what must stand around it; returns where that is.

        `name` is the key that stands for `*`. Raises Taken where the file holds something else.
        """
        names = parts(path)
        alone: Any = copy.deepcopy(value)
        for at in range(len(names) - 1, -1, -1):
            if names[at][0] == "{":
                continue
            if names[at] == "[]":
                alone = [alone]
                continue
            around = self._examples.get("".join(names[:at]).removeprefix("."), {})
            key = name if names[at] == ".*" else names[at][1:]
            alone = {**copy.deepcopy(around), key: alone}
        steps = [n if n != ".*" else f".{name}" for n in names if n[0] != "{"]
        keys = tuple(step[1:] for step in itertools.takewhile(lambda s: s != "[]", steps))
        if any(keys[:n] in self._put for n in range(1, len(keys) + 1)):
            raise Taken
        before = copy.deepcopy(self.data)
        try:
            place = _merge(self.data, alone, steps)
        except Taken:
            self.data = before
            raise
        self._put.add(place)
        return place


def _merge(into: Any, new: Any, steps: list[str]) -> Concrete:
    """Merge `new` into `into` along `steps`, the way to the value; the rest must agree."""
    if steps[0] == "[]":
        if not isinstance(into, list):
            raise Taken
        into += new
        inside: Concrete = tuple(0 if s == "[]" else s[1:] for s in steps[1:])
        return (len(into) - 1, *inside)
    key = steps[0][1:]
    if not isinstance(into, dict):
        raise Taken
    for name, one in new.items():
        if name != key and into.setdefault(name, one) != one:
            raise Taken
    if key not in into:
        into[key] = new[key]
        return (key, *(0 if s == "[]" else s[1:] for s in steps[1:]))
    if len(steps) == 1:
        raise Taken
    return (key, *_merge(into[key], new[key], steps[1:]))
