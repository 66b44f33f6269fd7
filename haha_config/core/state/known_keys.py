"""The names that the client documents: settings and variables (`templates/facts/names.json`).

A name that is missing there is at most a note: clients grow faster than tables.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct


class Documented(Struct, frozen=True, kw_only=True):
    """Names of top-level settings, and of variables that are not ours to judge."""

    date: str = ""
    sources: tuple[str, ...] = ()
    settings: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()


def parse(text: str) -> Documented:
    """The names that ship."""
    return msgspec.json.decode(text, type=Documented)
