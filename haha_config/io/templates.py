"""Finds and reads what ships as text: starting texts of new files and the provider rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from haha_config.io import files

# In a wheel the folder is inside the package; in a checkout it is beside it.
_PACKAGE = Path(__file__).parent.parent
FOLDER = next(
    (f for f in (_PACKAGE / "templates", _PACKAGE.parent / "templates") if f.is_dir()),
    _PACKAGE / "templates",
)


def text(name: str) -> str:
    """The text of `templates/{name}`."""
    return (FOLDER / name).read_text(encoding="utf-8")


def wire_records() -> dict[str, Path]:
    """The record of what a client sends, by the client's version."""
    files = (FOLDER / "facts").glob("wire-*.json")
    return {file.stem.removeprefix("wire-"): file for file in files}


def provider_texts(own: Path | None = None) -> Iterator[tuple[str, str, str]]:
    """(key, text, path) of every row of the table, then of the person's own rows in `own`.

    Raises HahaError for a row of their own that can't be read.
    """
    for folder in (FOLDER / "providers", own):
        if folder is not None and folder.is_dir():
            for file in sorted(folder.glob("*.toml")):
                yield file.stem, files.text(file), str(file)
