"""Profiles as files: one TOML file each. Written through `io.disk` like everything else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from haha_config.core.errors import HahaError, Refusal
from haha_config.core.messages import msg
from haha_config.core.model import Place


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
    """A file's data.

    Raises HahaError where it can't be read, Refusal where it is not TOML.
    """
    import tomllib

    try:
        if where.exists() and not (where.is_file() or where.is_dir()):
            what = msg("this is a device or a pipe, not a file")
            raise Refusal(what, place=Place(path=str(where)))
        return tomllib.loads(where.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise HahaError(
            msg("this can't be read: {why}", why=error.strerror or ""), place=Place(path=str(where))
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        raise Refusal(msg("this is not TOML"), place=Place(path=str(where))) from None


def text(data: Mapping[str, Any]) -> str:
    """A file's text."""
    import tomli_w

    return tomli_w.dumps(data)
