"""Literal `export NAME=value` lines of a shell's start file: read as text, never run."""

from __future__ import annotations

import re
from typing import Final

from haha_config.core import variables as v
from haha_config.core.imports.entry import ImportedSetup
from haha_config.core.messages import msg
from haha_config.core.model import Place

SOURCE: Final = "shell"
_LINE: Final = re.compile(
    r"""^\s*(?:export\s+|set\s+-g?x\s+)([A-Za-z_]\w*)[=\s]\s*"""
    r"""(?:"([^"`$\\]*)"|'([^']*)'|([^\s"'`$\\;&|<>()#]+))\s*(?:;|\#.*)?$"""
)
_NAMED: Final = re.compile(r"^\s*(?:export\s+|set\s+-g?x\s+)([A-Za-z_]\w*)")


def entry(text: str, path: str, name: str) -> ImportedSetup | None:
    """What a start file exports of ours; None where it exports nothing of the kind."""
    env: dict[str, str] = {}
    notes = []
    first: int | None = None
    for number, line in enumerate(text.splitlines(), 1):
        about = _NAMED.match(line)
        if about is None or about[1] not in v.OWNED:
            continue
        first = first or number
        found = _LINE.match(line)
        if found is None:
            notes.append(
                msg("line {line}: `{name}` is no plain value: not read", line=number, name=about[1])
            )
            continue
        env[about[1]] = next(g for g in found.groups()[1:] if g is not None)
        notes.append(msg("line {line}: `{name}`", line=number, name=about[1]))
    if first is None:
        return None
    place = Place(path=path, line=first)
    if not env.get(v.BASE_URL):
        why = msg("it has no base URL")
        return ImportedSetup(source=SOURCE, name=name, place=place, skipped=why, notes=tuple(notes))
    return ImportedSetup(source=SOURCE, name=name, place=place, env=env, notes=tuple(notes))
