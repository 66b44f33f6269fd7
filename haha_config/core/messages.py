"""What a person reads, as data. Formatted and translated in `io.words` only."""

from __future__ import annotations

from collections.abc import Mapping

from haha_config.core.record import dataclass


@dataclass(frozen=True, slots=True)
class Message:
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
