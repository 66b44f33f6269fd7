"""What git says of files: in its index, in its last commit, ignored. Nothing is written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from haha_config.core.record import dataclass

#: Longer than any `git status` of four named files takes; git that hangs is git that is not there.
_PATIENCE: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a file stands in its work tree."""

    tracked: bool
    committed: bool
    ignored: bool


def standings(paths: Iterable[str]) -> dict[str, Standing]:
    """The standing of each existing file that is in a git work tree; one git call a work tree.

    Links are followed first: the bytes are where the link leads. Without git, nothing is known.
    """
    trees: dict[Path, dict[str, str]] = {}
    for path in paths:
        real = Path(os.path.realpath(path))
        top = _top(real.parent)
        if top is not None and real.is_file():
            trees.setdefault(top, {})[real.relative_to(top).as_posix()] = path
    return {
        names[name]: standing
        for top, names in trees.items()
        for name, standing in _ask(top, tuple(names)).items()
    }


def _top(folder: Path) -> Path | None:
    return next((f for f in (folder, *folder.parents) if (f / ".git").exists()), None)


def _ask(top: Path, names: tuple[str, ...]) -> Mapping[str, Standing]:
    done = _git(
        top,
        *("--literal-pathspecs", "status", "--porcelain=v2", "-z", "--no-renames"),
        *("--untracked-files=all", "--ignored=matching", "--ignore-submodules=all"),
        *("--", *names),
    )
    return {} if done is None else dict(_read(done, names))


def _read(output: str, names: tuple[str, ...]) -> Iterator[tuple[str, Standing]]:
    """A name that git does not mention is in the index and the last commit, unchanged."""
    lines = output.split("\0")
    untracked = {line[2:] for line in lines if line.startswith("? ")}
    ignored = [line[2:] for line in lines if line.startswith("! ")]
    # `1 XY …eight fields… path`: X is the index against the last commit.
    changed = {line.split(" ", 8)[8]: line[2] for line in lines if line.startswith(("1 ", "u "))}
    for name in names:
        if name in changed:
            state = changed[name]
            yield (
                name,
                Standing(tracked=state != "D", committed=state not in "A", ignored=False),
            )
        elif name in untracked:
            yield name, Standing(tracked=False, committed=False, ignored=False)
        elif any(name == i or (i.endswith("/") and name.startswith(i)) for i in ignored):
            yield name, Standing(tracked=False, committed=False, ignored=True)
        else:
            yield name, Standing(tracked=True, committed=True, ignored=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """How git could be kept from a file: `line` in the private list `exclude` of its clone."""

    tracked: bool
    ignored: bool
    exclude: Path
    line: str


def exclusion(path: str) -> Exclusion | None:
    """A file's standing, also one that is not there yet; None outside every work tree."""
    real = Path(os.path.realpath(path))
    top = _top(real.parent)
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


def _git(top: Path, *words: str) -> str | None:
    """What git prints; None where it is not there or fails. 1 is how it says no.

    A repository that somebody else made must not start its own programs through us, and a command
    that only reads must not refresh the index.
    """
    import subprocess

    command = ("git", "--no-optional-locks", "-c", "core.fsmonitor=false")
    try:
        done = subprocess.run(
            (*command, *words),
            cwd=top,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode in (0, 1) else None
