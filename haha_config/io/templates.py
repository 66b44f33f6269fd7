"""Finds and reads what ships as text: starting texts of new files and the provider rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

# In a wheel the folder is inside the package; in a checkout it is beside it.
_PACKAGE = Path(__file__).parent.parent
FOLDER = next(
    (f for f in (_PACKAGE / "templates", _PACKAGE.parent / "templates") if f.is_dir()),
    _PACKAGE / "templates",
)


def text(name: str) -> str:
    """The text of `templates/{name}`."""
    return (FOLDER / name).read_text(encoding="utf-8")


def provider_texts(own: Path | None = None) -> Iterator[tuple[str, str, str]]:
    """(key, text, path) of every row of the table, then of the person's own rows in `own`."""
    for folder in (FOLDER / "providers", own):
        if folder is not None and folder.is_dir():
            for file in sorted(folder.glob("*.toml")):
                yield file.stem, file.read_text(encoding="utf-8"), str(file)
