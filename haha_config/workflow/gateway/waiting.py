"""Something that moves while a person waits for a program of somebody else's."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from haha_config.core.messages import Message
from haha_config.core.probe.diagnosis import shortened
from haha_config.io import report
from haha_config.io.i18n import render


def _silent(_line: str, mask: Callable[[str], str] | None = None) -> None:
    del mask


@contextmanager
def spinner(about: Message) -> Iterator[Callable[..., None]]:
    """Something that moves while a person waits, with the last line that was said."""
    if not sys.stderr.isatty() or not report.colored(sys.stderr):
        report.talk(about)
        yield _silent
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)
    with console.status(render(about)) as status:

        def tell(line: str, mask: Callable[[str], str] | None = None) -> None:
            shown = mask(line) if mask else line
            room = max(10, console.width - len(render(about)) - 8)
            status.update(Text(f"{render(about)}  {shortened(shown, room)}"))

        yield tell
