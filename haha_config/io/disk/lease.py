"""Who has a file open right now: Linux says, through leases; elsewhere nobody can tell.

A lease is granted only where nobody else has the file open in a way that would conflict, and
while it is held, the kernel lets such an open wait. Both are gone with the process.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager


def unwritten(descriptor: int) -> AbstractContextManager[bool]:
    """Let everybody who opens this file for writing wait until the end of the block.

    False: somebody is writing to it just now. True also where nobody can tell. `descriptor` must
    be open for reading only.
    """
    return _leased(descriptor, "F_RDLCK")


def unread(descriptor: int) -> AbstractContextManager[bool]:
    """Let everybody who opens this file wait until the end of the block, where that can be had.

    The kernel lets nobody wait longer than /proc/sys/fs/lease-break-time (45 s). Without the lease
    the exchange still shows what it displaced: only a reader of the microseconds between is not
    kept out.
    """
    return _leased(descriptor, "F_WRLCK")


@contextlib.contextmanager
def _leased(descriptor: int, kind: str) -> Iterator[bool]:
    if sys.platform != "linux":
        yield True
        return
    import fcntl

    free = True
    try:
        # The kernel announces a waiting open by SIGIO, which would end us; SIGURG is ignored.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, getattr(fcntl, kind))
    except BlockingIOError:
        free = False
    except OSError:
        # Not our file, or a file system without leases.
        pass
    try:
        yield free
    finally:
        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)


def awaited(descriptor: int) -> bool:
    """Whether somebody waits for our lease to write to this file."""
    if sys.platform != "linux":
        return False
    import fcntl

    # A lease that is asked for shows what it must become: nothing, for whoever wants to write.
    return fcntl.fcntl(descriptor, fcntl.F_GETLEASE) == fcntl.F_UNLCK
