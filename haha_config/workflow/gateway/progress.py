"""What a person sees while a program of somebody else's works: a line with a clock that moves."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from haha_config.core.messages import Message
from haha_config.core.probe.diagnosis import shortened
from haha_config.io import report
from haha_config.io.i18n import render

if TYPE_CHECKING:
    from rich.text import Text

#: Columns that the spinner and the space before the clock take.
_AROUND = 4


@contextmanager
def progress(about: Message) -> Iterator[Callable[[Message | str], None]]:
    """Show `about`, the time that has passed, and the detail that is told last.

    Without a terminal that can redraw a line, `about` is said once.
    """
    if report.is_quiet() or not report.colored(sys.stderr):
        report.talk(about)
        yield lambda _detail: None
        return
    from rich.console import Console

    console = Console(stderr=True)
    line = _Line(render(about), console.width - _AROUND)
    try:
        with console.status(line):
            yield line.tell
    finally:
        _forget_typed()


def _forget_typed() -> None:
    """What was typed while nothing was asked is no answer to the next question."""
    if sys.platform != "win32" and sys.stdin.isatty():
        import termios

        with suppress(termios.error):
            termios.tcflush(sys.stdin, termios.TCIFLUSH)


class _Line:
    """Drawn anew a few times a second, so that the clock goes on while nothing is told."""

    def __init__(self, about: str, width: int) -> None:
        self.about, self.width = about, width
        self.detail = ""
        self.began = time.monotonic()

    def tell(self, detail: Message | str) -> None:
        self.detail = render(detail)

    def __rich__(self) -> Text:
        from rich.text import Text

        head = f"{self.about} {clock(time.monotonic() - self.began)}"
        room = self.width - len(head) - 2
        return Text(f"{head}  {shortened(self.detail, room)}" if room > 10 else head)


def clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
