"""The starting text of a new file: its template without the names that are not wanted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from haha_config.core.edit.formats import edit, read
from haha_config.core.model import Change, Format, Remove, Set, walk

#: A name with nothing behind it: `NAME=` of an environment, `name:` of YAML.
_ENTRY: Final = re.compile(r"\s*([A-Za-z_]\w*)\s*[:=]\s*(?:\[\])?")


def begun(format: Format, template: str, changes: Sequence[Change]) -> str:  # noqa: A002
    """The template with the entries that `changes` set, and their comments; the rest is dropped."""
    wanted = {key for c in changes if isinstance(c, Set) for key in c.path if isinstance(key, str)}
    if format == "json":
        paths = [path for path, value in walk(read(format, template).data) if value == ""]
        return edit(format, template, [Remove(path) for path in paths if path[-1] not in wanted])
    parts = template.rstrip("\n").split("\n\n")
    kept = [part for part in ("\n".join(_kept(part, wanted)) for part in parts) if part]
    return "\n\n".join(kept) + "\n"


def _kept(part: str, wanted: set[str]) -> Iterator[str]:
    """A paragraph's lines. Comments at its top are for all of it, others for the next entry."""
    lines = part.splitlines()
    top = next((at for at, line in enumerate(lines) if not line.startswith("#")), len(lines))
    entries = [found[1] for line in lines[top:] if (found := _ENTRY.fullmatch(line))]
    if entries and not wanted.intersection(entries):
        return
    yield from lines[:top]
    waiting: list[str] = []
    for line in lines[top:]:
        found = _ENTRY.fullmatch(line)
        if found is None:
            waiting.append(line)
        elif found[1] in wanted:
            yield from (*waiting, line)
            waiting = []
        else:
            waiting = []
