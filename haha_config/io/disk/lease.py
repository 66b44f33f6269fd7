"""Who has a file open right now: Linux says, through leases; elsewhere nobody can tell.

A lease is granted only where nobody else has the file open in a way that would conflict, and
while it is held, the kernel lets such an open wait. Both are gone with the process.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator


def written_to(descriptor: int) -> bool:
    """Whether another program has this file open for writing; False where nobody can tell.

    `descriptor` must be open for reading only.
    """
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        _quietly(descriptor)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except BlockingIOError:
        return True
    except OSError:
        # Not our file, or a file system without leases.
        return False
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


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
        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)


def _quietly(descriptor: int) -> None:
    if sys.platform == "linux":
        import fcntl

        # The kernel announces a waiting open by SIGIO, which would end us; SIGURG is ignored.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
