"""A program that we start, wait for and pass signals on to."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from haha_config.core.errors import unstarted

#: What is passed on. Ctrl-C reaches the child by itself: it is in the same terminal.
_PASSED = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")


def wait_for(command: Sequence[str], environ: Mapping[str, str], *, cwd: Path) -> int:
    """Run `command` to its end. The exit code is the child's, 128 + N where signal N ended it.

    Raises HahaError where it can't be started.
    """
    try:
        child = subprocess.Popen(command, env=dict(environ), cwd=cwd)
    except (OSError, ValueError) as error:
        raise unstarted(command[0], error) from None
    with signals_left_to(child):
        code = child.wait()
    return 128 - code if code < 0 else code


@contextmanager
def signals_left_to(child: subprocess.Popen[Any]) -> Iterator[None]:
    """Signals to us go to the child; the terminal's own interrupt is left to it."""

    def passed(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    held = {}
    for name in _PASSED:
        number = getattr(signal, name, None)
        if number is not None and not (sys.platform == "win32" and name != "SIGTERM"):
            held[number] = signal.signal(number, passed)
    held[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, before in held.items():
            signal.signal(number, before)
