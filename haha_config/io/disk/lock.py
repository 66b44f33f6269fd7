"""One writer at a time. The lock is the system's, so a dead process's lock is gone with it."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

_PAUSE: Final = 0.02
_SILENCE: Final = 1.0


@contextlib.contextmanager
def exclusive(state: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock for writing; `waiting` is called once when it takes more than a second."""
    make_private(state)
    descriptor = os.open(state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _wait(descriptor, shared=False, seconds=math.inf, waiting=waiting)
        yield
    finally:
        # Closing lets go of it, on every system, and so does dying.
        os.close(descriptor)


@contextlib.contextmanager
def shared(state: Path, seconds: float = 5.0) -> Iterator[bool]:
    """Hold the lock for reading, for at most `seconds` of waiting; False: a writer has it still.

    Writes nothing: where there never was a writer there is no lock file, and none is needed.
    """
    try:
        descriptor = os.open(state / "lock", os.O_RDONLY)
    except OSError:
        yield True
        return
    try:
        held = _wait(descriptor, shared=True, seconds=seconds)
    except OSError:
        # Where there are no locks (ENOLCK on NFS) no writer of ours is either: it refuses there.
        held = True
    try:
        yield held
    finally:
        os.close(descriptor)


def make_private(folder: Path) -> None:
    """The folder and what leads to it; ours are 0700, since they hold old keys."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sys.platform != "win32" and folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def _wait(
    descriptor: int, *, shared: bool, seconds: float, waiting: Callable[[], None] = lambda: None
) -> bool:
    began = time.monotonic()
    silent = True
    while not _try(descriptor, shared=shared):
        passed = time.monotonic() - began
        if passed > seconds:
            return False
        if passed > _SILENCE and silent:
            waiting()
            silent = False
        time.sleep(_PAUSE)
    return True


if sys.platform == "win32":
    import msvcrt

    def _try(descriptor: int, *, shared: bool) -> bool:  # noqa: ARG001 - no shared locks there
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try(descriptor: int, *, shared: bool) -> bool:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
