"""Regular expressions that are made when the first one is asked something.

Making one takes as long as importing a small module, and few commands need many. PyYAML makes a
dozen when it is imported, for the loader in pure Python and for values that few files hold: half
of what importing it takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

_make = re.compile


class _Pattern:
    """Has what a compiled pattern has, for who calls its methods."""

    def __init__(self, text: str, flags: int = 0) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        # Only what this object does not have itself comes here; from the second time on it does.
        made = _make(self._text, self._flags)
        value = getattr(made, name)
        setattr(self, name, value)
        return value


if TYPE_CHECKING:

    def pattern(text: str, flags: int = 0) -> re.Pattern[str]:
        """`re.compile`, done at the first use. It can't be given to a function of `re`."""

else:
    pattern = _Pattern


@contextmanager
def later() -> Iterator[None]:
    """Modules that are imported here have their patterns made at the first use.

    For modules that only call the methods of what `re.compile` gave them.
    """
    re.compile = pattern  # type: ignore[assignment]
    try:
        yield
    finally:
        re.compile = _make
