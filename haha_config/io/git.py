"""What git says of files: in its index, in its last commit, ignored. Nothing is written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from haha_config.io import programs
from haha_config.io.paths import git_top

#: Longer than git takes for a few named files; git that hangs is git that is not there.
_PATIENCE: Final = 5.0


class Standing(Struct, frozen=True, kw_only=True):
    """How a file stands in its work tree."""

    tracked: bool
    committed: bool
    ignored: bool


def standings(paths: Iterable[str]) -> dict[str, Standing]:
    """The standing of each existing file that is in a git work tree.

    Links are followed first: the bytes are where the link leads. Without git, nothing is known.
    """
    trees: dict[Path, dict[str, str]] = {}
    for path in paths:
        real = Path(os.path.realpath(path))
        top = git_top(real.parent)
        if top is not None and real.is_file():
            trees.setdefault(top, {})[real.relative_to(top).as_posix()] = path
    return {
        names[name]: standing
        for top, names in trees.items()
        for name, standing in _ask(top, tuple(names)).items()
    }


def _ask(top: Path, names: tuple[str, ...]) -> Mapping[str, Standing]:
    """From the index and the last commit: looking at a file's content could run its filter."""
    listed = _git(top, "--literal-pathspecs", "ls-files", "-z", "--", *names)
    if listed is None:
        return {}
    tracked = set(listed.split("\0"))
    # None where there is no commit yet.
    committed = set(
        (_git(top, "ls-tree", "-z", "--name-only", "HEAD", "--", *names) or "").split("\0")
    )
    others = [f"./{name}" for name in names if name not in tracked | committed]
    said = _git(top, "check-ignore", "-z", "--stdin", told="\0".join(others)) if others else ""
    ignored = set((said or "").split("\0"))
    return {
        name: Standing(
            tracked=name in tracked, committed=name in committed, ignored=f"./{name}" in ignored
        )
        for name in names
    }


class Exclusion(Struct, frozen=True, kw_only=True):
    """How git could be kept from a file: `line` in the private list `exclude` of its clone."""

    tracked: bool
    ignored: bool
    exclude: Path
    line: str


def exclusion(path: str) -> Exclusion | None:
    """A file's standing, also one that is not there yet; None outside every work tree."""
    real = Path(os.path.realpath(path))
    top = git_top(real.parent)
    if top is None:
        return None
    name = real.relative_to(top).as_posix()
    # Linked work trees share the list of their main one: only git knows where it is.
    where = _git(top, "rev-parse", "--git-path", "info/exclude")
    if where is None:
        return None
    return Exclusion(
        tracked=bool(_git(top, "--literal-pathspecs", "ls-files", "-z", "--", name)),
        # `./`: this command knows no literal names, and one could begin with a colon.
        ignored=bool(_git(top, "check-ignore", "--no-index", "--", f"./{name}")),
        exclude=top / where.rstrip("\n"),
        line="/" + re.sub(r"[\\*?\[\]]| $", r"\\\g<0>", name),
    )


#: What git is told each time, whatever the repository's own configuration says.
_TOLD: Final = (
    *("--no-optional-locks", "--no-pager"),
    *("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}"),
    *("-c", "protocol.allow=never"),
)
#: Objects that are missing are not fetched: that would start what the repository names.
_ENVIRON: Final = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
}


def _git(top: Path, *words: str, told: str = "") -> str | None:
    """What git prints, `told` on its input; None where it is not there or fails. 1 means no.

    A repository that somebody else made must not start its own programs through us, and a command
    that only reads must not refresh the index.
    """
    import subprocess

    # The work tree, unless the person's home is inside of it: programs at home are their own.
    foreign = () if Path.home().is_relative_to(top) else (top,)
    program = programs.find("git", os.environ.get("PATH", ""), foreign)
    if program is None:
        return None
    try:
        done = subprocess.run(
            (program, *_TOLD, *words),
            cwd=top,
            env={**os.environ, **_ENVIRON},
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
            input=told.encode("utf-8", "surrogateescape"),
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode in (0, 1) else None
