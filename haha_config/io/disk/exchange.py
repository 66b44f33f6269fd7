"""Put new bytes under a name only where it still holds the old ones.

Between a look and a rename another program can write, and a plain rename would throw its bytes
away unseen. On Linux two names are exchanged in one step (renameat2) and what came out is looked
at: if it is not what was expected, it goes back. Meanwhile a lease keeps everybody from opening
the new file, so that nobody builds on bytes that are about to be taken back.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

from haha_config.io.disk.lease import awaited, unread, unwritten

_AT_FDCWD: Final = -100
_NOREPLACE: Final = 1
_EXCHANGE: Final = 2
#: What a system or file system without the call answers.
_LACKS_IT: Final = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)
#: A foreign writer would have to win this many races in a row against one exchange.
_ROUNDS: Final = 100

#: Called with a step's name before each file operation; the tests kill the process in it.
Fault = Callable[[str], None]


class Exchange(contextlib.ExitStack):
    """Names that get new bytes together. Until the end nobody else can open those, on Linux.

    So nothing may open a target that was put before the end, not even we.
    """

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self._fault = fault
        self._ours: dict[Path, int] = {}

    def put(
        self, temporary: Path, target: Path, *, expect: bytes | None, want: bytes | None
    ) -> bool:
        """Make `target` what `temporary` holds, if it still holds `expect` (None: is not there).

        `want` None: the target is taken away instead. False: it holds something else, and is as
        it was. What was displaced stands in `temporary` afterwards, where the system can exchange.
        """
        if expect is None:
            return _create(temporary, target, self._fault)
        if want is None:
            return _take_away(temporary, target, expect, self._fault)
        if not holds(target, expect):
            return False
        if _renameat2() is not None:
            swapped = self._swap(temporary, target)
            if swapped is not None:
                return swapped and self.still(temporary, target, expect)
        # The window of a plain rename, between the look above and here: see README, Limits.
        self._fault(f"replace {target}")
        temporary.replace(target)
        return True

    def still(self, temporary: Path, target: Path, expect: bytes) -> bool:
        """Whether what `put` displaced is what was expected; if not, it is put back.

        To be asked again at the end: a program that had opened the file before the exchange
        writes to what was displaced.
        """
        if target not in self._ours:
            return True
        self._fault(f"look at what came out of {target}")
        if holds(temporary, expect):
            # Who renamed over our file had read the old one: what they wrote is the newest.
            return _is_at(target, self._ours[target])
        self._fault(f"give back {target}")
        _give_back(temporary, target, self._ours.pop(target))
        return False

    def _swap(self, temporary: Path, target: Path) -> bool | None:
        # A file that its owner may only read keeps that mode.
        access = os.O_RDWR if os.access(temporary, os.W_OK) else os.O_RDONLY
        ours = os.open(temporary, access | getattr(os, "O_BINARY", 0))
        self.callback(os.close, ours)
        self.enter_context(unread(ours))
        self._fault(f"exchange {target}")
        try:
            swapped = _rename(temporary, target, _EXCHANGE)
        except FileNotFoundError:
            return False
        if not swapped:
            return None
        self._ours[target] = ours
        return True


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether the open file is the one that has this name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def holds(path: Path, expect: bytes) -> bool:
    """Whether the file holds these bytes and nobody is just writing to it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        return False
    with os.fdopen(descriptor, "rb") as file, unwritten(descriptor) as free:
        return free and file.read() == expect


def _create(temporary: Path, target: Path, fault: Fault) -> bool:
    """A new file, unless somebody made one meanwhile."""
    fault(f"create {target}")
    try:
        if _rename(temporary, target, _NOREPLACE):
            return True
        # A link is refused where the name is taken, and so does what a rename can't.
        os.link(temporary, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in (*_LACKS_IT, errno.EPERM):
            raise
        if target.exists():
            return False
        temporary.rename(target)
        return True
    temporary.unlink()
    return True


def _take_away(temporary: Path, target: Path, expect: bytes, fault: Fault) -> bool:
    if not holds(target, expect):
        return False
    fault(f"take away {target}")
    target.rename(temporary)
    if holds(temporary, expect):
        return True
    _create(temporary, target, fault)
    return False


def _give_back(temporary: Path, target: Path, ours: int) -> None:
    """Undo an exchange that displaced somebody else's bytes; what they wrote last stays."""
    expected = os.fstat(ours).st_ino
    for _ in range(_ROUNDS):
        held = temporary.stat().st_ino
        try:
            _rename(temporary, target, _EXCHANGE)
        except FileNotFoundError:
            return
        if temporary.stat().st_ino == expected:
            break
        # Somebody replaced what we had just put there: theirs is newer, and came out.
        expected = held
    with contextlib.suppress(OSError):
        _hand_over(temporary, target, ours)


def _hand_over(temporary: Path, target: Path, ours: int) -> None:
    """See to those who wait for our file to open, though it has lost its name again.

    They get what now stands under the name. Who wants to write in place would write to a file
    without a name, so that for them ours takes the name again.
    """
    if sys.platform == "win32":
        return  # Nobody waits: there are no leases.
    os.ftruncate(ours, 0)
    os.pwrite(ours, target.read_bytes(), 0)
    if awaited(ours) and os.path.samestat(temporary.stat(), os.fstat(ours)):
        os.fchmod(ours, stat.S_IMODE(target.stat().st_mode))
        os.fsync(ours)
        _rename(temporary, target, _EXCHANGE)


def _rename(one: Path, other: Path, how: int) -> bool:
    """renameat2; False where this system or file system can't."""
    call = _renameat2()
    if call is None:
        return False
    import ctypes

    if call(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), how) == 0:
        return True
    number = ctypes.get_errno()
    if number in _LACKS_IT:
        return False
    raise OSError(number, os.strerror(number), str(other))


@cache
def _renameat2() -> Any:
    if sys.platform != "linux":
        return None
    import ctypes

    return getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
