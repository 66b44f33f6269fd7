"""Start a client on loopback with a settings file, and hear what becomes of that file."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from tests.e2e import parts
from tests.e2e.processes import NOWHERE, QUIET, environment
from tests.e2e.session import Session
from tests.e2e.upstream import Upstream
from tests.e2e.wire import Request

#: `stopped`: it ended, or was silent, without a request.
Outcome = Literal["taken", "dropped", "stopped"]
_SECONDS: Final = 60
_ROWS, _COLUMNS = 700, 400
_LISTED_OR_READY: Final = r"Enter to confirm|\? for shortcuts|shift\+tab to cycle|Welcome back"


def outcome(version: str, settings: Mapping[str, Any], upstream: Upstream) -> Outcome:
    """Whether this client takes a user settings file with these keys.

    The file names one endpoint and the shell another: the first request tells which one counts.
    `upstream` may serve several starts at once: each has a path of its own.
    """
    with tempfile.TemporaryDirectory(prefix="facts-") as folder:
        home, work = _home(Path(folder))
        base = f"{upstream.url}/{Path(folder).name}"
        given, shell = settings.get("env", {}), _variables(f"{base}/shell", "shell")
        if isinstance(given, Mapping):
            given = {**_variables(f"{base}/file", "file"), **given}
        else:
            # Without variables it is the model that tells whether the rest of the file counts.
            settings = {**settings, "model": "file-model"}
            del shell["ANTHROPIC_MODEL"]
        _write(home, {**settings, "env": given})
        asked = first_request(
            [str(parts.client(version)), "-p", "say hi"],
            work,
            {**environment(home), **QUIET, **shell},
            upstream,
            f"/{Path(folder).name}/",
        )
    if asked is None:
        return "stopped"
    of_the_file = "/file/" in asked.path or asked.model == "file-model"
    return "taken" if of_the_file else "dropped"


def complaints(version: str, settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a client in a terminal lists of a user settings file before it asks how to go on."""
    with tempfile.TemporaryDirectory(prefix="facts-") as folder:
        home, work = _home(Path(folder))
        known = {
            "hasCompletedOnboarding": True,
            "projects": {str(work): {"hasTrustDialogAccepted": True}},
        }
        (home / ".claude.json").write_text(json.dumps(known), encoding="utf-8")
        _write(home, settings)
        shell = {**QUIET, **_variables(NOWHERE, "shell")}
        with Session(
            version, home=home, cwd=work, rows=_ROWS, columns=_COLUMNS, env=shell
        ) as session:
            screen = session.wait_for(_LISTED_OR_READY, 60)
    return re.findall(r"^ *[├└] (.*?): (.*)$", screen, re.MULTILINE)


def _home(folder: Path) -> tuple[Path, Path]:
    home, work = folder.resolve() / "home", folder.resolve() / "work"
    (home / ".claude").mkdir(parents=True)
    work.mkdir()
    return home, work


def _write(home: Path, settings: Mapping[str, Any]) -> None:
    (home / ".claude" / "settings.json").write_text(json.dumps(settings), encoding="utf-8")


def _variables(base: str, name: str) -> dict[str, str]:
    return {
        "ANTHROPIC_BASE_URL": base,
        "ANTHROPIC_AUTH_TOKEN": f"sk-{name}",
        "ANTHROPIC_MODEL": f"{name}-model",
    }


def first_request(
    command: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    upstream: Upstream,
    prefix: str,
) -> Request | None:
    """The first POST below `prefix`, and the program is ended; None where it ends by itself."""
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    ended = threading.Event()
    threading.Thread(target=_tell_end, args=(process, ended), daemon=True).start()
    deadline = time.monotonic() + _SECONDS
    try:
        while time.monotonic() < deadline:
            last = ended.is_set()
            asked = (r for r in upstream.requests if r.method == "POST")
            first = next((r for r in asked if r.path.startswith(prefix)), None)
            if first or last:
                return first
            ended.wait(0.01)
        return None
    finally:
        if not ended.is_set():
            os.killpg(process.pid, signal.SIGKILL)
        ended.wait()


def _tell_end(process: subprocess.Popen[bytes], ended: threading.Event) -> None:
    process.wait()
    ended.set()
