"""Looking at files: what is there, where a name really leads, and whether it may be replaced."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from haha_config.core.errors import Refusal
from haha_config.core.messages import Message, msg
from haha_config.core.model import Place, Snapshot


def snapshot(path: Path | str) -> Snapshot:
    """A file as it is now. Missing or unreadable is a result, never an exception."""
    path = Path(path)
    real = Path(os.path.realpath(path))
    try:
        data, mode = _read(real)
    except FileNotFoundError:
        dangling = msg("this link leads to nothing: {real}", real=str(real))
        return Snapshot(
            path=str(path), real=str(real), unreadable=dangling if path.is_symlink() else None
        )
    except NotADirectoryError:
        return Snapshot(path=str(path), real=str(real), unreadable=_above(path))
    except IsADirectoryError:
        return Snapshot(
            path=str(path), real=str(real), unreadable=msg("this is a folder, not a file")
        )
    except OSError as error:
        return Snapshot(
            path=str(path),
            real=str(real),
            unreadable=msg("this can't be read: {why}", why=error.strerror or ""),
        )
    return Snapshot(path=str(path), real=str(real), data=data, mode=mode)


def _above(path: Path) -> Message:
    blocked = next((p for p in path.parents if p.exists() and not p.is_dir()), path)
    return msg("`{path}` is a file where a folder should be", path=str(blocked))


def _read(real: Path) -> tuple[bytes, int]:
    # O_NONBLOCK: opening a FIFO that was put in a file's place must not hang.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(real, flags)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "not a regular file")
        return file.read(), stat.S_IMODE(status.st_mode)


def check_replaceable(path: Path, real: Path) -> None:
    """Raises Refusal where replacing the file would cut a tie that somebody made on purpose."""
    place = Place(path=str(path))
    if path.is_symlink() and not real.exists():
        raise Refusal(
            msg("this link leads to nothing: {real}", real=str(real)),
            place=place,
            hints=(msg("make the file it leads to, or take the link away"),),
        )
    if real.is_dir():
        raise Refusal(msg("this is a folder, not a file"), place=place)
    if not real.exists():
        return
    status = real.stat()
    if status.st_nlink > 1:
        raise Refusal(
            msg(
                "this file has {n} names (hard links): writing one would cut it off the others",
                n=status.st_nlink,
            ),
            place=place,
            hints=(msg("replace the hard link by a symbolic one"),),
        )
    if is_mount(real):
        raise Refusal(
            msg("this file is a mount point: it can't be replaced in one step"), place=place
        )


def is_mount(real: Path) -> bool:
    """Whether a single file is mounted here (a container's bind mount); Linux only."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        mounts = Path("/proc/self/mountinfo").read_bytes()
    except OSError:
        return False
    # The fifth field is the mount point, with blanks and backslashes in octal.
    wanted = os.fsencode(real).replace(b"\\", b"\\134").replace(b" ", b"\\040")
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
