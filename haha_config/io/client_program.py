"""Which version of the client is installed, from its files alone: nothing is started."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

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
    import json

    try:
        data = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    named = isinstance(data, dict) and str(data.get("name", "")).startswith(_PACKAGE)
    found = data.get("version") if named else ""
    return found if isinstance(found, str) and _VERSION.fullmatch(found) else ""
