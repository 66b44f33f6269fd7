"""Put a new file in a name's place and hand back what stood there, as one step where that can be.

Linux exchanges two names in one step (renameat2), so that a foreign write between our look and
our rename is seen in what comes back, and not lost. Elsewhere the old file is replaced unseen.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2
#: What a system or file system without the call answers.
_LACKS_IT: Final = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)


def swap(one: Path, other: Path) -> bool:
    """Exchange two existing names in one step; False where this system can't.

    Raises OSError for any other failure.
    """
    call = _renameat2()
    if call is None:
        return False
    done = call(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    if done == 0:
        return True
    number = ctypes.get_errno()
    if number in _LACKS_IT:
        return False
    raise OSError(number, os.strerror(number), str(other))


@cache
def _renameat2() -> Any:
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
