"""Standard output and error that may be closed or full: a command ends as what it did."""

from __future__ import annotations

import os
import sys

# `typing` would be half of what `--version` takes.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO


class Output:
    """A stream whose first failure is kept in `lost`; what comes after it goes nowhere.

    A reader of standard output that goes away (`| head`) ends the command, as everywhere.
    """

    def __init__(self, stream: TextIO, *, ends: bool) -> None:
        self._stream = stream
        self._ends = ends
        self.lost: OSError | None = None

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError as error:
            self._give_up(error)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        # What is left in the buffer would fail again at the interpreter's end.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
        if self._ends and isinstance(error, BrokenPipeError):
            raise error
        self.lost = self.lost or error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def prepare() -> None:
    """Before the first file is opened: a number that is closed would be given to it."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
        setattr(sys, name, Output(stream, ends=name == "stdout"))


def lost() -> OSError | None:
    """Why the results of this command are nowhere to be read; None where they are."""
    return sys.stdout.lost if isinstance(sys.stdout, Output) else None
