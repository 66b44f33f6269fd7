"""What can go wrong, and the exit codes."""

from __future__ import annotations

from typing import ClassVar, Final

from haha_config.core.messages import Message, msg
from haha_config.core.model import Place

FINE: Final = 0
PROBLEM: Final = 1
USAGE: Final = 2
BUG: Final = 3
INTERRUPTED: Final = 130


class HahaError(Exception):
    """Something expected went wrong: what, where, and what to type next.

    `hints` are printed one `hint:` line each; `str` hints are commands, printed as they are.
    """

    exit_code: ClassVar[int] = PROBLEM

    def __init__(
        self, what: Message, *, place: Place | None = None, hints: tuple[Message | str, ...] = ()
    ) -> None:
        super().__init__(what.text)
        self.what = what
        self.place = place
        self.hints = hints


def unwritten(path: object, error: OSError) -> HahaError:
    """That a file can't be written, and why."""
    return HahaError(msg("can't write {path}: {why}", path=str(path), why=error.strerror or ""))


def unstarted(program: str, error: OSError | ValueError) -> HahaError:
    """That a program can't be started, and why. ValueError: a variable holds a NUL."""
    why = str(error) if isinstance(error, ValueError) else error.strerror or ""
    return HahaError(msg("can't start {program}: {why}", program=program, why=why))


class Refusal(HahaError):
    """A file we do not edit or can't read: nothing was changed."""

    def of(self, path: str) -> Refusal:
        """The same about this file."""
        return Refusal(self.what, place=(self.place or Place()).of(path), hints=self.hints)


class Changed(HahaError):
    """A file no longer holds the bytes that the plan was made from."""


class Usage(HahaError):
    """A wrong or missing flag or value."""

    exit_code = USAGE


class Cancelled(HahaError):
    """Ctrl-C, Ctrl-D or the end of input at a question."""

    exit_code = INTERRUPTED
