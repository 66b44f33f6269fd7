"""Small facts that ship below `templates/`, and which version of a client answers for another."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct

T = TypeVar("T")
#: `top_local`: settings.local.json of the git top level counts too, and is stronger. `all_proxy`:
#: ALL_PROXY is used. `default_model`: ANTHROPIC_DEFAULT_MODEL is. `strict_managed`: where managed
#: settings do not parse, the client does not start. `best_opus`: `best` is the model for opus, not
#: the one for fable where that is set.
Name = Literal["top_local", "all_proxy", "default_model", "strict_managed", "best_opus"]


class Behaviour(Struct, frozen=True, kw_only=True):
    """What clients of different versions do differently (`facts/layers.json`).

    `measured`: version -> day, the oldest first; `does`: what -> by version, in that order.
    """

    measured: dict[str, str]
    does: dict[Name, list[bool]]

    def of(self, name: Name, version: str) -> bool:
        """Whether this measured version does so."""
        return self.does[name][list(self.measured).index(version)]


class Documented(Struct, frozen=True, kw_only=True):
    """Names of settings and variables that the client documents (`facts/names.json`).

    A name that is missing is at most a note: clients grow faster than tables.
    """

    date: str = ""
    sources: tuple[str, ...] = ()
    settings: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()


class Compromised(Struct, frozen=True, kw_only=True):
    """Poisoned LiteLLM releases (`litellm-compromised.toml`).

    `versions`: release -> the day it was poisoned. `markers` stand beside the packages.
    """

    versions: Mapping[str, str]
    oldest: str
    markers: tuple[str, ...]
    traces: tuple[str, ...]


def parse(text: str, kind: type[T]) -> T:
    """Facts from their JSON text, which is our own: a wrong shape is a bug."""
    return msgspec.json.decode(text, type=kind)


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def closest(installed: str, known: Sequence[str]) -> str:
    """Of the versions on record the newest that is not newer than the installed one.

    Without an installed one, the newest; where all are newer, the oldest.
    """
    ordered = sorted(known, key=numbers)
    if not numbers(installed):
        return ordered[-1]
    fitting = [version for version in ordered if numbers(version) <= numbers(installed)]
    return fitting[-1] if fitting else ordered[0]
