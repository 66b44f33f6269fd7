"""Keep files with a secret out of git: refuse a tracked one, exclude one that is not ignored."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from shlex import quote

from msgspec.structs import replace

from haha_config.core import variables as v
from haha_config.core.errors import Refusal
from haha_config.core.messages import msg
from haha_config.core.model import Place, Plan, Set, Write
from haha_config.io import disk, paths


def protected(plan: Plan, also: Iterable[str] = ()) -> Plan:
    """The plan, and the lines of `<git dir>/info/exclude` that its secrets, and `also`, need.

    That file is private to this clone and works in linked work trees too. Raises Refusal for a
    file with a secret that git tracks.
    """
    secret = [
        w.path
        for w in plan.effective
        if _holds_secret(w) and paths.git_top(Path(os.path.realpath(w.path)).parent)
    ]
    secret = list(dict.fromkeys((*secret, *also)))
    if not secret:
        return plan
    from haha_config.io import git

    lines: dict[Path, list[str]] = {}
    for name in secret:
        fact = git.exclusion(name)
        if fact is None:
            continue
        if fact.tracked:
            raise Refusal(
                msg("git tracks this file and would commit the key"),
                place=Place(path=name),
                hints=(f"git rm --cached {quote(name)}",),
            )
        if not fact.ignored:
            lines.setdefault(fact.exclude, []).append(fact.line)
    excludes = tuple(_excluding(path, names) for path, names in lines.items())
    return replace(plan, writes=(*excludes, *plan.writes))


def _holds_secret(write: Write) -> bool:
    """Whether the plan puts a key into this file. A local server's token is none."""
    return write.secret and any(
        isinstance(c, Set)
        and v.is_secret(str(c.path[-1]))
        and isinstance(c.value, str)
        and v.is_key(c.value)
        for c in write.changes
    )


def _excluding(path: Path, names: list[str]) -> Write:
    before = disk.snapshot(path).data
    text = (before or b"").decode("utf-8", "surrogateescape")
    there = {line.strip() for line in text.splitlines()}
    new = [name for name in names if name not in there]
    gap = "" if not text or text.endswith("\n") else "\n"
    after = text + gap + "".join(name + "\n" for name in new) if new else text
    return Write(
        path=str(path),
        format="lines",
        before=before,
        after=after.encode("utf-8", "surrogateescape"),
        changes=tuple(Set((name,), True) for name in new),
    )
