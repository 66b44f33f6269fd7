"""Run a piece of a test in a process of its own: to be killed, or to be nobody."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable
from pathlib import Path

NOBODY = 65534


def child(work: Callable[[], None]) -> int:
    """Fork, work, wait. 0: it came to its end; 1: it raised; below 0: killed by that signal."""
    pid = start(work)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def start(work: Callable[[], None]) -> int:
    """Fork and work; the process id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def as_nobody(work: Callable[[], None]) -> int:
    """`child` without root's rights, for whom modes stop something."""

    def unprivileged() -> None:
        if os.getuid() == 0:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
        work()

    return child(unprivileged)


def give_away(*paths: Path) -> None:
    """Let nobody own these, as far as we are root."""
    if os.getuid() == 0:
        for path in paths:
            os.chown(path, NOBODY, NOBODY)


def killer(at: int) -> Callable[[str], None]:
    """A fault that ends the process before the file operation number `at`, counted from 0."""
    left = at

    def fault(_step: str) -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    return fault
