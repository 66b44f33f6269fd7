"""What a person reads, as data. Formatted and translated in `io.words` only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

#: Code points that move the cursor, colour or retitle a terminal, end a line, or turn the direction
#: of writing: they are never printed as they are.
CONTROLS: Final = (*range(0x20), *range(0x7F, 0xA0), *range(0x2028, 0x202F), *range(0x2066, 0x206A))


class Message(Struct, frozen=True):
    """A sentence with named holes.

    `text` is the English sentence and the catalog key. Backticks round a hole are printed as they
    are. A hole may hold another Message, or a tuple of them, which is joined with ", ".
    `plural` is used instead of `text` where `values["n"]` is not 1.
    """

    text: str
    values: Mapping[str, object]
    plural: str | None = None


def msg(text: str, /, **values: object) -> Message:
    """A message; `text` must be a literal, because the catalogs are extracted from the source."""
    return Message(text, values)


def nmsg(one: str, many: str, /, n: int, **values: object) -> Message:
    """A message that counts: `one` for n == 1, else `many`."""
    return Message(one, {"n": n, **values}, many)
