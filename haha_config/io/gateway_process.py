"""Programs on this machine: clients that are open, and the gateway that we start and stop.

psutil is imported inside the functions: it costs more than a whole `validate`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from haha_config.core.errors import unstarted
from haha_config.core.model import from_json
from haha_config.io import loopback
from haha_config.io.files import create_private

if TYPE_CHECKING:
    import subprocess

    import psutil


# --- ports -----------------------------------------------------------------------------------


def _of_listener(port: int, tell: Callable[[psutil.Process], str]) -> str:
    import psutil

    with contextlib.suppress(psutil.Error, OSError):
        for one in psutil.net_connections(kind="tcp"):
            # Of another user's process the system shows the socket and not the number.
            if _listens(one, port) and one.pid is not None:
                return tell(psutil.Process(one.pid))
    return ""


def _listens(connection: Any, port: int) -> bool:
    address = connection.laddr
    return connection.status == "LISTEN" and bool(address) and address[1] == port


def port_holder(port: int) -> str:
    """Which program listens on a port, as `name (pid N)`; "" where the system does not show it."""
    return _of_listener(port, lambda process: f"{process.name()} (pid {process.pid})")


def port_owner(port: int) -> str:
    """Who listens on a loopback port, as `user program`; "" where the system does not show it."""
    return _of_listener(port, lambda process: f"{process.username()} {process.exe()}")


def listens_at(record: GatewayRecord, port: int) -> bool:
    """Whether the process of this record, or one that it started, listens on the port."""
    import psutil

    with contextlib.suppress(psutil.Error, OSError):
        process = psutil.Process(record.pid)
        family = (process, *process.children(recursive=True))
        return any(_listens(c, port) for one in family for c in one.net_connections(kind="tcp"))
    return False


# --- the gateway -----------------------------------------------------------------------------

#: What a program needs of the shell to run at all, and to find the way to its upstreams.
_NEEDED: Final = frozenset(
    {
        *("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TEMP", "TMP", "USER"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
        *("SYSTEMROOT", "SYSTEMDRIVE", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PATHEXT"),
        *("COMSPEC", "WINDIR", "PROGRAMDATA", "NUMBER_OF_PROCESSORS"),
    }
)


class GatewayRecord(Struct, frozen=True, kw_only=True):
    """A gateway that we started: enough to know it again, whatever its number is used for now.

    `created` is the process's start, in seconds since 1970 as the system has it. `config` is the
    hash of the files that it was started with. `kept`: it stays when no session uses it any more.
    """

    pid: int
    created: float
    port: int
    config: str
    config_path: str
    version: str
    kept: bool = True

    @property
    def folder(self) -> Path:
        return Path(self.config_path).parent


def gateway_environ(
    own: Mapping[str, str], shell: Mapping[str, str], referred: Iterable[str] = ()
) -> dict[str, str]:
    """The gateway's whole environment: its own file, and of the shell only what it needs.

    `referred`: names that the configuration refers to and its own file may not hold.
    """
    wanted = _NEEDED | set(referred)
    kept = {
        name: value for name, value in shell.items() if name in wanted or name.upper() in wanted
    }
    # Its banner is not ASCII and kills it elsewhere; its model map would be fetched from the net.
    fixed = {"PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    return {**kept, **fixed, **own}


def record_path(state_folder: Path, port: int) -> Path:
    return state_folder / f"gateway-{port}.json"


def log_path(state_folder: Path, port: int) -> Path:
    return state_folder / f"gateway-{port}.log"


def read_record(path: Path) -> GatewayRecord | None:
    """The record in a pid file; None where there is none, or none of ours."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=GatewayRecord)
    except (OSError, msgspec.MsgspecError, RecursionError):
        return None


def claim(path: Path, record: GatewayRecord) -> bool:
    """Write the pid file, 0600, unless somebody else's is there: two `up` at once start one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with create_private(path) as file:
            file.write(msgspec.json.encode(record))
    except FileExistsError:
        return False
    return True


def release(path: Path) -> None:
    path.unlink(missing_ok=True)


def keep(path: Path, record: GatewayRecord) -> None:
    """Note that the gateway stays when the session that started it ends."""
    made = path.with_suffix(".new")
    release(made)
    claim(made, msgspec.structs.replace(record, kept=True))
    made.replace(path)


def running(state_folder: Path) -> list[GatewayRecord]:
    """Every gateway that we started and that still runs, whichever folder it is for."""
    paths = sorted(state_folder.glob("gateway-*.json"))
    found = (read_record(path) for path in paths if path.stem.removeprefix("gateway-").isdigit())
    return [record for record in found if record is not None and lives(record)]


def join(folder: Path, port: int) -> None:
    """Note in `folder` that this process is a session that uses the gateway on `port`."""
    note = folder / f"{port}-{os.getpid()}"
    note.write_text(str(started_at(os.getpid())), encoding="utf-8")


def leave(folder: Path) -> list[int]:
    """Take this process's notes away; the ports that it used."""
    ports = []
    for note in folder.glob(f"*-{os.getpid()}"):
        note.unlink(missing_ok=True)
        ports.append(int(note.name.partition("-")[0]))
    return ports


def joined(folder: Path, port: int) -> bool:
    """Whether any session that still runs uses the gateway on `port`."""
    return any(map(_session_runs, folder.glob(f"{port}-*")))


def _session_runs(note: Path) -> bool:
    try:
        created = started_at(int(note.name.rpartition("-")[2]))
        if created is not None and abs(created - float(note.read_text(encoding="utf-8"))) < 1:
            return True
    except (OSError, ValueError):
        return False
    note.unlink(missing_ok=True)
    return False


def started_at(pid: int) -> float | None:
    """When a process was started; None where there is none, or only its remains."""
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return float(process.create_time())
    except (psutil.Error, OSError):
        return None


def lives(record: GatewayRecord) -> bool:
    """Whether that very process is running, and not another that was given its number."""
    created = started_at(record.pid)
    return created is not None and abs(created - record.created) < 1


def spawn(
    command: Sequence[str], environ: Mapping[str, str], *, log: Path, cwd: Path
) -> subprocess.Popen[bytes]:
    """Start the gateway apart from this terminal, its output into `log` (0600, begun anew).

    Raises HahaError where it can't be started.
    """
    import subprocess

    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    flags = 0
    if os.name == "nt":
        flags = 0x00000008 | 0x00000200  # DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP
    try:
        return subprocess.Popen(
            list(command),
            env=dict(environ),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=subprocess.STDOUT,
            start_new_session=os.name != "nt",
            creationflags=flags,
        )
    except (OSError, ValueError) as error:
        raise unstarted(command[0], error) from None
    finally:
        os.close(handle)


@contextlib.contextmanager
def meanwhile(command: Sequence[str], environ: Mapping[str, str], *, cwd: Path) -> Iterator[None]:
    """Let a program work that nobody waits for, then end it; that it can't start is no matter."""
    import subprocess

    helper: subprocess.Popen[bytes] | None = None
    nothing = subprocess.DEVNULL
    with contextlib.suppress(OSError):
        helper = subprocess.Popen(
            list(command),
            env=dict(environ),
            cwd=cwd,
            stdin=nothing,
            stdout=nothing,
            stderr=nothing,
        )
    try:
        yield
    finally:
        if helper is not None:
            helper.terminate()
            helper.wait()


def stop(record: GatewayRecord, seconds: float = 10) -> bool:
    """End the gateway and what it started: asked first, then made to. Whether it is gone."""
    import psutil

    if not lives(record):
        return True
    try:
        process = psutil.Process(record.pid)
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return True
    left = family
    for end in ("terminate", "kill"):
        for one in left:
            with contextlib.suppress(psutil.Error):
                getattr(one, end)()
        _, left = psutil.wait_procs(left, timeout=seconds)
        if not left:
            break
    return not lives(record)


def tail(log: Path, lines: int) -> list[str]:
    """The last lines of a log; none where there is no log."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()][-lines:]


def follow(log: Path, wait: Callable[[], None]) -> Iterator[str]:
    """Lines as they are written, for ever; `wait` is called where there is nothing new.

    A log that begins anew (a restart) is read from its beginning.
    """
    position, rest = 0, ""
    while True:
        try:
            if log.stat().st_size < position:
                position, rest = 0, ""
            with log.open("rb") as file:
                file.seek(position)
                new = file.read()
        except OSError:
            new = b""
        position += len(new)
        *whole, rest = (rest + new.decode("utf-8", "replace")).split("\n")
        yield from (line.rstrip() for line in whole)
        if not new:
            wait()


def ask_gateway(port: int, path: str, key: str = "", seconds: float = 5) -> object:
    """A JSON answer of the gateway on this machine; None where it gives none."""
    status, body = loopback.get(port, path, seconds, key)
    return from_json(body) if status == 200 else None
