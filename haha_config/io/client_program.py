"""Which version of the client is installed, from its files alone: nothing is started."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from haha_config.core.model import from_json, mapping, string
from haha_config.io import programs

_PACKAGE = "@anthropic-ai/claude-code"
_VERSION = re.compile(r"\d+\.\d+\.\d+")


def version(path: str, folders: Iterable[Path]) -> str:
    """Of the `claude` that this PATH finds outside of `folders`; "" where there is none to tell.

    Its own installer keeps each version in `versions/`; npm keeps a package.json above.
    """
    found = programs.find("claude", path, folders)
    if found is None:
        return ""
    real = Path(os.path.realpath(found))
    if real.parent.name == "versions" and _VERSION.fullmatch(real.name):
        return real.name
    return next((v for v in map(_packaged, list(real.parents)[:4]) if v), "")


def _packaged(folder: Path) -> str:
    try:
        data = mapping(from_json((folder / "package.json").read_bytes()))
    except OSError:
        return ""
    found = string(data.get("version"))
    named = string(data.get("name")).startswith(_PACKAGE)
    return found if named and _VERSION.fullmatch(found) else ""
