"""`trust.toml`: what a person has agreed to, by folder. Fingerprints and words, never a value.

A file that can't be read agrees to nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from haha_config.io import disk

NAME: Final = "trust.toml"
#: A folder -> the fingerprint of each value that is agreed to -> how it was shown.
Agreed = Mapping[str, Mapping[str, str]]


def read(state_folder: Path) -> Agreed:
    """What is agreed to; nothing where there is no such file, or none that can be read."""
    path = state_folder / NAME
    if not path.is_file():
        return {}
    from msgspec import toml

    try:
        return toml.decode(path.read_bytes(), type=dict[str, Agreed]).get("folders", {})
    except (OSError, ValueError, RecursionError):
        return {}


def add(state_folder: Path, values: Agreed) -> None:
    """Agree to these too."""
    with disk.exclusive(state_folder):
        held = {folder: dict(prints) for folder, prints in read(state_folder).items()}
        for folder, prints in values.items():
            held.setdefault(folder, {}).update(prints)
        _write(state_folder / NAME, {"folders": held})


def forget(state_folder: Path, folder: str) -> bool:
    """Agree to nothing of this folder any more; whether there was anything."""
    with disk.exclusive(state_folder):
        held = dict(read(state_folder))
        if held.pop(folder, None) is None:
            return False
        _write(state_folder / NAME, {"folders": held})
    return True


def _write(path: Path, data: Mapping[str, Any]) -> None:
    """All of it or nothing, for this user's eyes."""
    import tempfile

    import tomli_w

    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{NAME}.")
    try:
        with os.fdopen(handle, "wb") as file:
            tomli_w.dump(data, file)
        os.replace(name, path)  # noqa: PTH105 - both are names of this folder
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
