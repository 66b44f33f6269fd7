"""Session settings: a private file that isolates one client from later writes.

Measured: a session with `--settings FILE` ignores later writes to user settings as long as that
file stays, so it lives until the client exits. Files of dead processes go at the next start.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from haha_config.core.errors import unwritten
from haha_config.io.files import create_private
from haha_config.io.gateway_process import started_at


def folder(environ: Mapping[str, str], state: Path) -> Path:
    """Where session files live: the runtime folder, which dies with the login; else our state."""
    runtime = environ.get("XDG_RUNTIME_DIR")
    # A relative one would be in whichever folder this is started.
    if runtime and Path(runtime).is_absolute() and os.access(runtime, os.W_OK | os.X_OK):
        return Path(runtime) / "haha-config"
    return state / "sessions"


@contextlib.contextmanager
def session_file(
    where: Path, values: Mapping[str, str], settings: Mapping[str, Any] | None = None
) -> Iterator[Path]:
    """A 0600 settings file with these variables, taken away when the block ends.

    `settings`: what stands beside them. Raises HahaError where no file can be made there.
    """
    path = where / f"session-{os.getpid()}-{_started(os.getpid())}.json"
    try:
        try:
            where.mkdir(mode=0o700, parents=True, exist_ok=True)
            if sys.platform != "win32":
                where.chmod(0o700)
            sweep(where)
            with create_private(path) as file:
                file.write(json.dumps({"env": dict(values), **(settings or {})}).encode())
        except OSError as error:
            raise unwritten(path, error) from None
        yield path
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


def sweep(where: Path) -> None:
    """Take away the files of processes that are gone; a reused number is told by its start."""
    for path in where.glob("session-*-*.json"):
        _, pid, started = path.stem.split("-", 2)
        if pid.isdigit() and _started(int(pid)) != started:
            path.unlink(missing_ok=True)


def _started(pid: int) -> str:
    """When a process began, as its system tells it; "" where there is none."""
    started = started_at(pid)
    return "" if started is None else str(int(started * 100))
