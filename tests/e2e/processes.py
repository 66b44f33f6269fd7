"""Real programs, each started with an explicit environment and a home of its own.

Nothing here passes on a variable of the person who runs the tests, and nothing talks to an address
outside loopback: what a program might fetch goes to a proxy port on which nobody listens.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.e2e import parts

#: Port 1 (tcpmux) is never open on a machine of this century, so a fetch fails at once.
NOWHERE = "http://127.0.0.1:1"
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#: What keeps a client from calling home. Left out by a test of the variables themselves.
QUIET: Mapping[str, str] = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
}


def environment(home: Path, **extra: str) -> dict[str, str]:
    """The whole environment of a program under test: this, and nothing of ours."""
    return {
        "HOME": str(home),
        "PATH": _SYSTEM_PATH,
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "HTTP_PROXY": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
        "NO_PROXY": "127.0.0.1,localhost",
        **extra,
    }


#: Runs of the tests beside each other begin at different places.
_PORTS = itertools.count(os.getpid() * 37)


def free_port() -> int:
    """A loopback port that nobody listens on now, and that no other process of the run is given.

    Below those that the system hands out by itself: many seconds may pass before it is used.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    while True:
        port = 10_000 + 5_000 * (worker % 4) + next(_PORTS) % 5_000
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


# --- the client -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a program that has ended said."""

    code: int
    stdout: str
    stderr: str


def ask_client(
    version: str,
    *,
    home: Path,
    cwd: Path,
    env: Mapping[str, str] = QUIET,
    args: Sequence[str] = (),
    prompt: str = "say hi",
    timeout: float = 180,
) -> Said:
    """`claude -p PROMPT` with `env` over the minimal environment."""
    done = subprocess.run(
        [str(parts.client(version)), *args, "-p", prompt],
        cwd=cwd,
        env={**environment(home), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Said(code=done.returncode, stdout=done.stdout, stderr=done.stderr)


# --- the gateway ------------------------------------------------------------------------------


class GatewayFailed(Exception):
    """LiteLLM ended, or did not answer in time; the message is the end of its log."""


class Gateway:
    """A LiteLLM proxy started from `folder`/litellm_config.yaml, until `stop`."""

    def __init__(self, folder: Path, home: Path, env: Mapping[str, str]) -> None:
        """`env` is all that the gateway is told; HOST and PORT in it say where it listens."""
        self.folder = folder
        own = dict(env)
        self.port = int(own.setdefault("PORT", str(free_port())))
        own.setdefault("HOST", "127.0.0.1")
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = home / f"litellm-{self.port}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(parts.litellm()), "--config", str(folder / "litellm_config.yaml")],
                cwd=home,
                env={**environment(home), "LITELLM_LOCAL_MODEL_COST_MAP": "True", **own},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # It starts children; the group is what `stop` ends.
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait_until_up(self, timeout: float = 180) -> None:
        """Until it answers; starting takes 12 to 36 s on an idle machine."""
        deadline = time.monotonic() + timeout
        while not self.answers():
            if self.exited_within(0.25) or time.monotonic() > deadline:
                raise GatewayFailed(self.log[-3000:])

    def answers(self) -> bool:
        status, _ = fetch(f"{self.url}/health/liveliness", timeout=5)
        return status == 200

    def exited_within(self, seconds: float) -> bool:
        """Whether it ends by itself in this time."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> None:
        """Ends it and its children, politely for 5 s."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, sign)
            except ProcessLookupError:
                break
            if self.exited_within(5):
                continue
        self.process.wait()


def fetch(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: object = None,
    timeout: float = 60,
) -> tuple[int, str]:
    """(status, text) without any proxy of this machine; (0, reason) when nobody answers."""
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(  # noqa: S310 - tests call loopback URLs of their own
        url, data=data, headers={"content-type": "application/json", **(headers or {})}
    )
    straight = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with straight.open(asked, timeout=timeout) as answer:
            return int(answer.status), answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


# --- readers of .env --------------------------------------------------------------------------

_PRINT_ENVIRONMENT = "process.stdout.write(JSON.stringify(process.env))"


class ReaderFailed(Exception):
    """A reader ended with an error or said something on stderr."""


def bun_reads(
    env_file: Path, scratch: Path, exported: Mapping[str, str] | None = None
) -> dict[str, str]:
    """What Bun's `--env-file` makes of it, as claude-haha's launcher starts it.

    `scratch` is an empty folder to be in: Bun reads the `.env` of its working folder as well.
    `exported` are variables that are there before; they are in the result, as Bun left them.
    """
    command = [str(parts.bun()), f"--env-file={env_file}", "-e", _PRINT_ENVIRONMENT]
    return _read(command, scratch, exported)


def node_reads(
    env_file: Path, scratch: Path, exported: Mapping[str, str] | None = None
) -> dict[str, str]:
    """What Node's `--env-file` makes of it."""
    command = [str(parts.node()), f"--env-file={env_file}", "-e", _PRINT_ENVIRONMENT]
    return _read(command, scratch, exported)


def python_dotenv_reads(
    env_file: Path, scratch: Path, exported: Mapping[str, str] | None = None
) -> dict[str, str]:
    """What python-dotenv, which LiteLLM uses, makes of it."""
    code = (
        "import json, os, sys; sys.path.insert(0, sys.argv[1]); import dotenv;"
        "dotenv.load_dotenv(sys.argv[2]); print(json.dumps(dict(os.environ)))"
    )
    command = [sys.executable, "-I", "-c", code, str(parts.dotenv_folder()), str(env_file)]
    return _read(command, scratch, exported)


def sh_reads(
    env_file: Path, scratch: Path, exported: Mapping[str, str] | None = None
) -> dict[str, str]:
    """What a POSIX shell makes of it with `set -a; . FILE`; what it can't run is an error."""
    # Not as arguments: a value may hold `$1`.
    code = 'set -a; . "$SH_READS_FILE"; exec "$SH_READS_PYTHON" -I -c "$SH_READS_CODE"'
    own = {
        "SH_READS_FILE": str(env_file),
        "SH_READS_PYTHON": sys.executable,
        "SH_READS_CODE": "import json, os; print(json.dumps(dict(os.environ)))",
    }
    found = _read(["sh", "-c", code], scratch, {**(exported or {}), **own})
    return {k: v for k, v in found.items() if k not in own}


def _read(
    command: Sequence[str], scratch: Path, exported: Mapping[str, str] | None
) -> dict[str, str]:
    given = environment(scratch)
    done = subprocess.run(
        command,
        cwd=scratch,
        env={**given, **(exported or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    if done.returncode != 0 or done.stderr:
        raise ReaderFailed(f"exit {done.returncode}: {done.stderr}")
    found: dict[str, str] = json.loads(done.stdout)
    # The shell adds these by itself.
    added = {"PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE"}
    return {k: v for k, v in found.items() if given.get(k) != v and k not in added}
