"""The clients that run on this machine, and the credential helper that they call."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    import psutil


_CLIENTS: Final = frozenset({"claude", "claude-haha"})
_RUNTIMES: Final = frozenset({"node", "bun", "nodejs"})
#: How the client's own program is called where a runtime starts it: an npm install, a checkout.
_ENTRIES: Final = ("claude-code/cli.js", "claude-code/cli.mjs", "src/entrypoints/cli.tsx")
#: The desktop app is called the same and reads none of these files.
_DESKTOP: Final = ("AnthropicClaude", "Claude.app/")


class RunningClient(Struct, frozen=True, kw_only=True):
    """An open client that would read the file being written.

    `known` False: the system does not show its environment, so that it may have another home.
    """

    pid: int
    folder: str
    known: bool


def running_clients(settings_path: str, home: str) -> list[RunningClient]:
    """The open clients that read `settings_path`: their home or their folder leads there.

    Only this user's. A session that `run` started is isolated from later writes and not listed.
    """
    return sorted(_reading(Path(settings_path), Path(home)), key=lambda c: c.pid)


def _reading(settings: Path, home: Path) -> Iterator[RunningClient]:
    if not _any_named_so():
        return
    import psutil

    me = psutil.Process().username()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if not _is_client(process) or process.username() != me:
                continue
            # None where the system does not show it.
            shown = process.as_dict(["cwd", "environ"], ad_value=None)
            folder, environ = shown["cwd"] or "", shown["environ"] or None
            if _reads(settings, environ or {"HOME": str(home)}, folder, home):
                yield RunningClient(pid=process.pid, folder=folder, known=environ is not None)


def _any_named_so() -> bool:
    """Whether any process is called as a client or its runtime is; where /proc can say so."""
    if sys.platform != "linux":
        return True
    for pid in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208 - half the time
        with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", "rb") as comm:  # noqa: PTH123
            if _plain(comm.read().decode(errors="replace").strip()) in _CLIENTS | _RUNTIMES:
                return True
    return False


def _is_client(process: psutil.Process) -> bool:
    name = _plain(process.name())
    if name not in _CLIENTS | _RUNTIMES:
        return False
    arguments = process.cmdline()
    # One that is just ending has given its memory back: no arguments, no environment.
    if not arguments or _isolated(arguments):
        return False
    if name in _CLIENTS:
        return not any(mark in arguments[0] for mark in _DESKTOP)
    return any(_is_entry(a) for a in arguments[1:6])


def _is_entry(argument: str) -> bool:
    path = argument.replace("\\", "/")
    return path.endswith(_ENTRIES) or path.rsplit("/", 1)[-1] in _CLIENTS


def _isolated(arguments: Sequence[str]) -> bool:
    """Whether `run` started it: its settings come from a file or descriptor of ours."""
    given = [b for a, b in pairwise(arguments) if a == "--settings"]
    given += [a.partition("=")[2] for a in arguments if a.startswith("--settings=")]
    return any("haha-config" in g or g.startswith(("/dev/fd/", "/proc/self/fd/")) for g in given)


def _plain(name: str) -> str:
    return name.lower().removesuffix(".exe")


def _reads(settings: Path, environ: Mapping[str, str], folder: str, home: Path) -> bool:
    moved = environ.get("CLAUDE_CONFIG_DIR")
    its_home = environ.get("HOME") or environ.get("USERPROFILE") or str(home)
    user = Path(moved) if moved else Path(its_home) / ".claude"
    if _same(user / "settings.json", settings):
        return True
    # Project and local settings are read from the folder that the client works in.
    project = settings.parent.parent
    if settings.parent.name != ".claude" or _same(project, Path(its_home)) or not folder:
        return False
    return Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(project))


def _same(one: Path, other: Path) -> bool:
    return os.path.normcase(os.path.realpath(one)) == os.path.normcase(os.path.realpath(other))


_HELPER_SECONDS: Final = 10


def key_from_helper(command: str, environ: Mapping[str, str]) -> str:
    """What `apiKeyHelper` prints, run by a shell as the client runs it; "" where it fails."""
    import subprocess

    try:
        # A shell, because that is what the client does with this setting.
        done = subprocess.run(  # noqa: S602
            command,
            shell=True,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_HELPER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
