"""A long result page by page, as git shows one: by $PAGER or less, and only on a terminal."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from shutil import get_terminal_size

from haha_config.io import programs
from haha_config.io.foreground import signals_left_to


def show(lines: Sequence[str], foreign: Iterable[Path]) -> None:
    """Print `lines`; where the terminal has fewer, in a pager that is not in a `foreign` folder."""
    pager = _pager(foreign) if len(lines) >= get_terminal_size().lines else []
    if not (pager and sys.stdout.isatty() and _through(pager, lines)):
        print("\n".join(lines))


def _pager(foreign: Iterable[Path]) -> list[str]:
    """The person's pager and its words; none where it is `cat` or the terminal only prints."""
    if os.environ.get("TERM") in (None, "", "dumb", "unknown"):
        return []
    try:
        words = shlex.split(os.environ.get("PAGER", "less"))
    except ValueError:  # an open quote
        words = []
    if not words or words[0] == "cat":
        return []
    program = programs.find(words[0], os.environ.get("PATH", ""), foreign)
    return [program, *words[1:]] if program is not None else []


def _through(pager: Sequence[str], lines: Sequence[str]) -> bool:
    """Whether the pager could be started. One that is left early is no error."""
    # As git does: the colours as they are, nothing left over on the screen.
    # And the characters as we write them, also in a locale that this machine does not have.
    encoding = sys.stdout.encoding or "utf-8"
    utf8 = {"LESSCHARSET": "utf-8"} if encoding.lower().replace("-", "") == "utf8" else {}
    environ = {"LESS": "FRX", "LV": "-c", **utf8, **os.environ}
    try:
        child = subprocess.Popen(
            pager, stdin=subprocess.PIPE, env=environ, encoding=encoding, errors="replace"
        )
    except OSError:
        return False
    with signals_left_to(child):
        child.communicate("\n".join([*lines, ""]))
    return True
