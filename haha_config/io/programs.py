"""Programs on the PATH, but none that a folder brings along: it could be anybody's."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from haha_config.core.model import from_json, mapping, string


def safe_path(path: str, folders: Iterable[Path]) -> str:
    """`PATH` without entries inside of `folders`, and without those that depend on where one is."""
    inside = [os.path.realpath(folder) for folder in folders]
    return os.pathsep.join(
        entry
        for entry in path.split(os.pathsep)
        if Path(entry).is_absolute() and not _within(os.path.realpath(entry), inside)
    )


def find(name: str, path: str, folders: Iterable[Path] = ()) -> str | None:
    """The program that `name` means on this PATH; None where only a folder of these has it."""
    import shutil

    known = tuple(folders)
    found = shutil.which(name, path=safe_path(path, known))
    # Windows looks into the current folder first, whatever the PATH is.
    if found is None or not Path(found).is_absolute():
        return None
    return None if _within(found, [os.path.realpath(folder) for folder in known]) else found


def version_of(program: str) -> str:
    """The version that a program gives as its own; "" where it gives none within 5 s."""
    import re
    import subprocess

    try:
        done = subprocess.run(
            [program, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(rb"\b\d+\.\d+\.\d+\b", done.stdout)
    return found[0].decode() if found is not None and done.returncode == 0 else ""


_PACKAGE = "@anthropic-ai/claude-code"


def client_version(path: str, folders: Iterable[Path]) -> str:
    """Of the `claude` that this PATH finds outside of `folders`, from its files alone.

    Its own installer keeps each version in `versions/`; npm keeps a package.json above. "" where
    there is none to tell.
    """
    import re

    found = find("claude", path, folders)
    if found is None:
        return ""
    version = re.compile(r"\d+\.\d+\.\d+")
    real = Path(os.path.realpath(found))
    if real.parent.name == "versions" and version.fullmatch(real.name):
        return real.name
    for folder in list(real.parents)[:4]:
        with contextlib.suppress(OSError):
            data = mapping(from_json((folder / "package.json").read_bytes()))
            told = string(data.get("version"))
            if string(data.get("name")).startswith(_PACKAGE) and version.fullmatch(told):
                return told
    return ""


def _within(path: str, folders: Iterable[str]) -> bool:
    return any(Path(path).is_relative_to(folder) for folder in folders)
