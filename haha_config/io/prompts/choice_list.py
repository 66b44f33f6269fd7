"""A list to choose from: what is shown of it, and where the pointer is. Draws nothing."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import category

from msgspec import Struct

from haha_config.core.messages import Message, msg
from haha_config.io.i18n import render
from haha_config.io.prompts.question import Choice


class Row(Struct, frozen=True, kw_only=True):
    """A choice in the person's language."""

    value: str
    title: str
    note: str = ""
    disabled: bool = False
    tag: str = ""
    words: str = ""


def row(choice: Choice) -> Row:
    parts: list[Message | str] = []
    if choice.marked:
        parts.append(msg("current"))
    if choice.disabled is not None:
        parts.append(choice.disabled)
    elif choice.note:
        parts.append(choice.note)
    return Row(
        value=choice.value,
        title=_line(choice.title),
        note=" · ".join(_line(part) for part in parts),
        disabled=choice.disabled is not None,
        tag=_line(msg("current") if choice.marked else choice.tag or ""),
        words=choice.words,
    )


def _line(text: Message | str) -> str:
    """One line that can't move the cursor: names come from other people's servers too."""
    return " ".join("".join(" " if category(c) == "Cc" else c for c in render(text)).split())


def matching(rows: Sequence[Row], typed: str) -> list[Row]:
    """The rows that hold every word of `typed`; those that have it in their name come first.

    Then those with it in their note; then by how early it is in what they are found by besides.
    """
    words = typed.casefold().split()

    def has(text: str) -> bool:
        return all(word in text.casefold() for word in words)

    def rank(row: Row) -> tuple[bool, int]:
        shown = f"{row.value} {row.title} {row.note}".casefold()
        hidden = [row.words.casefold().find(word) for word in words if word not in shown]
        return not has(f"{row.value} {row.title}"), max(hidden, default=-1)

    found = [row for row in rows if has(f"{row.value} {row.title} {row.note} {row.words}")]
    return sorted(found, key=rank)


def instead(rows: Sequence[Row]) -> list[Row]:
    """The rows to name where nothing matches."""
    return [row for row in rows if "*" in row.words.split()]


class ChoiceList:
    """The rows, what was typed to search them, and the one that Enter would take.

    `count` fit what was typed.
    """

    def __init__(
        self, rows: Sequence[Row], *, default: str | None = None, other: str | None = None
    ) -> None:
        self.all = list(rows)
        self.shown = list(rows)
        self.typed = ""
        self.count = len(self.all)
        self._other = other
        self._top = 0
        self.at = self._first()
        for index, row in enumerate(self.shown):
            if row.value == default and not row.disabled:
                self.at = index

    @property
    def current(self) -> Row | None:
        return None if self.at is None else self.shown[self.at]

    def search(self, typed: str) -> None:
        """Show what matches `typed`, and the typed name itself where it may be the answer."""
        self.typed = typed
        self.shown = matching(self.all, typed)
        name = typed.strip()
        exact = [at for at, row in enumerate(self.shown) if row.value == name and not row.disabled]
        if self._other is not None and name and all(row.value != name for row in self.all):
            self.shown.append(Row(value=name, title=name, note=self._other))
        self.count = len(self.shown)
        self.shown = self.shown or instead(self.all)
        self._top = 0
        self.at = exact[0] if exact else self._first()

    def move(self, step: int) -> None:
        """One row up or down, round the ends, past what can't be chosen."""
        if self.at is None:
            return
        at = (self.at + step) % len(self.shown)
        while self.shown[at].disabled:
            at = (at + step) % len(self.shown)
        self.at = at

    def leap(self, step: int) -> None:
        """Many rows up or down; stops at the ends."""
        if self.at is None:
            return
        able = [index for index, row in enumerate(self.shown) if not row.disabled]
        wanted = self.at + step
        self.at = min(able, key=lambda index: abs(index - wanted))

    def visible(self, height: int) -> tuple[int, list[Row]]:
        """The index of the first row in sight, and the rows in sight."""
        height = max(1, height)
        at = self.at or 0
        self._top = max(min(self._top, at), at - height + 1, 0)
        self._top = min(self._top, max(0, len(self.shown) - height))
        return self._top, self.shown[self._top : self._top + height]

    def _first(self) -> int | None:
        return next((i for i, row in enumerate(self.shown) if not row.disabled), None)
