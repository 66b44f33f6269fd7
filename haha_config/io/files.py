"""What stands in the way of reading or writing a file, in words; and files that are no targets."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

from haha_config.core.errors import HahaError, Refusal
from haha_config.core.messages import Message, msg
from haha_config.core.model import Place

FULL: Final = (errno.ENOSPC, errno.EDQUOT)
FORBIDDEN: Final = (errno.EACCES, errno.EPERM)
#: A set-up is a few KiB; what is far bigger is another thing, and takes minutes to read.
BIGGEST: Final = 16 * 1024 * 1024


def text(path: Path) -> str:
    """A file of a size that a set-up can have, without its BOM, neither locked nor waited for.

    Raises HahaError where it can't be read.
    """
    place = Place(path=str(path))
    wrong = broken_link(path) or irregular(path)
    if wrong is not None:
        raise Refusal(wrong, place=place)
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise HahaError(msg("this can't be read: {why}", why=reason(error)), place=place) from None
    except UnicodeDecodeError:
        raise Refusal(msg("this is not UTF-8"), place=place) from None


def create_private(path: Path | str) -> BinaryIO:
    """A new file, 0600 before its first byte. Raises FileExistsError where the name is taken."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def reason(error: OSError) -> Message | str:
    """Why the system refused, in words."""
    if error.errno in FULL:
        return msg("the disk is full")
    if error.errno == errno.EFBIG:
        return msg("this account may not write a file of that size")
    if error.errno == errno.EROFS:
        return msg("this disk is read-only")
    if error.errno in FORBIDDEN:
        return msg("this account may not")
    if error.errno == errno.ELOOP:
        return msg("its links lead in a circle")
    return error.strerror or str(error)


def broken_link(path: Path) -> Message | None:
    """What is wrong with a link on the way to this file, and what to do."""
    for link in (path, *path.parents):
        with contextlib.suppress(OSError):
            if not link.is_symlink() or link.exists():
                continue
            real = os.path.realpath(link)
            if Path(real).is_symlink():
                return msg("the link `{link}` leads in a circle: delete it", link=str(link))
            return msg(
                "the link `{link}` leads to nothing: create {real}, or delete the link",
                link=str(link),
                real=real,
            )
    return None


def irregular(real: Path) -> Message | None:
    """That this is there and no file of a set-up."""
    try:
        status = real.stat()
    except OSError:
        return None
    if stat.S_ISDIR(status.st_mode):
        return msg("this is a folder")
    if not stat.S_ISREG(status.st_mode):
        return msg("this is a device or a pipe")
    return msg("this is too big for a set-up") if status.st_size > BIGGEST else None
