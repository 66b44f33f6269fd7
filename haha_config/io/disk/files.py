"""Looking at files: what is there, where a name really leads, and whether it may be replaced."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import time
from pathlib import Path
from shlex import join
from typing import Final

from haha_config.core.errors import Refusal
from haha_config.core.messages import Message, msg
from haha_config.core.model import Place, Snapshot
from haha_config.io.disk.lease import unwritten
from haha_config.io.files import BIGGEST, broken_link, irregular, reason

#: How long a look waits for a program that is just writing the file, in seconds.
_PATIENCE: Final = 0.25
_PAUSE: Final = 0.005


def snapshot(path: Path | str) -> Snapshot:
    """A file as it is now. Missing or unreadable is a result, never an exception.

    A file that another program is just writing is looked at when it is done, or after a quarter
    of a second.
    """
    real = os.path.realpath(path)
    try:
        data, mode = _read(Path(real))
        return Snapshot(path=str(path), real=real, data=data, mode=mode)
    except OSError as error:
        unreadable = broken_link(Path(path)) or _unreadable(Path(real), error)
        return Snapshot(path=str(path), real=real, unreadable=unreadable)


def _unreadable(real: Path, error: OSError) -> Message | None:
    if isinstance(error, FileNotFoundError):
        return None
    if isinstance(error, NotADirectoryError):
        blocked = next((p for p in real.parents if p.exists() and not p.is_dir()), real)
        return msg("`{path}` is a file, not a folder", path=str(blocked))
    return irregular(real) or msg("this can't be read: {why}", why=reason(error))


def _read(real: Path) -> tuple[bytes, int]:
    # O_NONBLOCK: opening a FIFO that was put in a file's place must not hang.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = _open(real, flags)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > BIGGEST:
            raise OSError(errno.EINVAL, "no file of a set-up")
        patience = time.monotonic() + _PATIENCE
        while True:
            with unwritten(descriptor) as free:
                if free or time.monotonic() > patience:
                    return file.read(), stat.S_IMODE(status.st_mode)
            time.sleep(_PAUSE)


def _open(real: Path, flags: int) -> int:
    """Open, although a lease of another run may hold it back for the moment."""
    patience = time.monotonic() + _PATIENCE
    while True:
        try:
            return os.open(real, flags)
        except BlockingIOError:
            if time.monotonic() > patience:
                raise
            time.sleep(_PAUSE)


def contents(path: Path) -> bytes | None:
    """The bytes, or None where there is no file. Raises OSError for anything else."""
    try:
        return _read(path)[0]
    except (FileNotFoundError, NotADirectoryError):
        return None


def check_replaceable(file: Snapshot) -> None:
    """Raises Refusal where replacing the file would cut a tie that somebody made on purpose."""
    place = Place(path=file.path)
    if file.unreadable is not None:
        raise Refusal(file.unreadable, place=place)
    real = Path(file.real)
    if file.data is None or not real.exists():
        return
    links = real.stat().st_nlink
    if links > 1:
        raise Refusal(
            msg("this file has {n} names (hard links); a write would separate them", n=links),
            place=place,
            hints=(msg("replace the hard link by a symbolic one"),),
        )
    if is_mount(real):
        raise Refusal(
            msg("this file is a mount point and can't be replaced"),
            place=place,
            hints=(msg("mount its folder instead"),),
        )
    if not os.access(real, os.W_OK):
        hint = join(["chmod", "u+rw", file.path])
        raise Refusal(msg("this file is read-only"), place=place, hints=(hint,))


def is_mount(real: Path) -> bool:
    """Whether a single file is mounted here (a container's bind mount); Linux only."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        mounts = Path("/proc/self/mountinfo").read_bytes()
    except OSError:
        return False
    # The fifth field is the mount point, with blanks and backslashes in octal.
    wanted = os.fsencode(real)
    for plain in (b"\\", b" ", b"\t", b"\n"):
        wanted = wanted.replace(plain, b"\\%03o" % ord(plain))
    return any(line.split(b" ")[4:5] == [wanted] for line in mounts.splitlines())


def missing_folders(folder: Path) -> list[Path]:
    """The folders that must be made for `folder` to exist, the outermost first."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    return missing[::-1]


def sync_folder(folder: Path) -> None:
    """Make renames in a folder last. Windows has no such thing, and needs none."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def dress(descriptor: int, like: Path | None, *, secret: bool) -> None:
    """Give a new file the owner, mode and attributes of the one it will replace.

    `like` None: a new name; 0600 for a secret, else what umask leaves. A `secret` is taken from
    everybody but its owner. Raises Refusal where the
    owner can't be kept.
    """
    if sys.platform == "win32":
        return
    if like is None:
        if not secret:
            mask = os.umask(0)
            os.umask(mask)
            os.fchmod(descriptor, 0o666 & ~mask)
        return
    held, mine = like.stat(), os.fstat(descriptor)
    if (held.st_uid, held.st_gid) != (mine.st_uid, mine.st_gid):
        try:
            os.fchown(descriptor, held.st_uid, held.st_gid)
        except PermissionError:
            raise Refusal(
                msg("this file belongs to another user or group"),
                place=Place(path=str(like)),
                hints=(msg("write it as its owner"),),
            ) from None
    mode = stat.S_IMODE(held.st_mode)
    # A file that gets a key is nobody else's to read, whatever it was before.
    os.fchmod(descriptor, mode & ~0o077 if secret else mode)
    _copy_attributes(descriptor, like)


def _copy_attributes(descriptor: int, like: Path) -> None:
    """Access lists and labels, as far as this account may set them."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError):
        for name in os.listxattr(like):
            with contextlib.suppress(OSError):
                os.setxattr(descriptor, name, os.getxattr(like, name))
