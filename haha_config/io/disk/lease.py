"""Who has a file open right now: Linux says, through leases; elsewhere nobody can tell.

A lease is granted only where nobody else has the file open in a way that would conflict, and
while it is held, the kernel lets such an open wait. Both are gone with the process.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def unwritten(descriptor: int) -> Iterator[bool]:
    """Let everybody who opens this file for writing wait until the end of the block.

    False: somebody is writing to it just now. True also where nobody can tell. `descriptor` must
    be open for reading only.
    """
    if sys.platform != "linux":
        yield True
        return
    import fcntl

    free = True
    try:
        _quietly(descriptor)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except BlockingIOError:
        free = False
    except OSError:
        # Not our file, or a file system without leases.
        pass
    try:
        yield free
    finally:
        release(descriptor)


@contextlib.contextmanager
def unread(descriptor: int) -> Iterator[None]:
    """Let everybody who opens this file wait until the end of the block, where that can be had.

    The kernel lets nobody wait longer than /proc/sys/fs/lease-break-time (45 s).
    """
    if sys.platform != "linux":
        yield
        return
    import fcntl

    # Without the lease the exchange still shows what it displaced: only a reader of the
    # microseconds between is not kept out.
    with contextlib.suppress(OSError):
        _quietly(descriptor)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    try:
        yield
    finally:
        release(descriptor)


def awaited(descriptor: int) -> bool:
    """Whether somebody waits for our lease to write to this file."""
    if sys.platform != "linux":
        return False
    import fcntl

    # A lease that is asked for shows what it must become: nothing, for whoever wants to write.
    return fcntl.fcntl(descriptor, fcntl.F_GETLEASE) == fcntl.F_UNLCK


def release(descriptor: int) -> None:
    """Give a lease back, if there is one."""
    if sys.platform == "linux":
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)


def _quietly(descriptor: int) -> None:
    if sys.platform == "linux":
        import fcntl

        # The kernel announces a waiting open by SIGIO, which would end us; SIGURG is ignored.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
