"""Profiles as files: one TOML file each. Written through `io.disk` like everything else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from haha_config.core.errors import Refusal
from haha_config.core.messages import msg
from haha_config.core.model import Place
from haha_config.io import files


def folder(config: Path) -> Path:
    """Where profiles are, in our config folder."""
    return config / "profiles"


def path(config: Path, name: str) -> Path:
    """The file of a profile."""
    return folder(config) / f"{name}.toml"


def names(config: Path) -> list[str]:
    """Every profile there is, in the order of the alphabet.

    Only files: to open a pipe is to wait for its writer.
    """
    try:
        found = (p for p in folder(config).iterdir() if p.suffix == ".toml")
        return sorted(p.stem for p in found if p.is_file())
    except OSError:
        return []


def load(where: Path) -> dict[str, Any]:
    """A file's data. Raises HahaError where it can't be read or is not TOML."""
    import tomllib

    try:
        return tomllib.loads(files.text(where))
    except (tomllib.TOMLDecodeError, RecursionError):
        raise Refusal(msg("this is not TOML"), place=Place(path=str(where))) from None


def text(data: Mapping[str, Any]) -> str:
    """A file's text."""
    import tomli_w

    return tomli_w.dumps(data)
