"""The gateway of one folder: its files, its port, who started it, and who answers there."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from haha_config.core import variables as v
from haha_config.core.errors import HahaError
from haha_config.core.messages import Message, msg
from haha_config.core.model import Place, mapping, objects, string
from haha_config.core.state.gateway import Gateway
from haha_config.core.state.state import State
from haha_config.core.trust import Credential, NamingValue
from haha_config.io import disk, gateway_process, loopback, report
from haha_config.io.gateway_process import GatewayRecord
from haha_config.workflow import trust
from haha_config.workflow.session import Session

_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")
_KEY: Final = re.compile(r"\b(sk|pk|cpk|tp)-[A-Za-z0-9_\-]{8,}|Bearer\s+\S+")


class Site(Struct, frozen=True, kw_only=True):
    """The gateway of one folder: its files, its port, and the record of who started it."""

    session: Session
    state: State

    @property
    def gateway(self) -> Gateway:
        return self.state.gateway

    @property
    def port(self) -> int:
        return self.gateway.port

    @property
    def needed(self) -> bool:
        """Whether the client goes through the gateway of this folder, or nothing is known of it."""
        return self.state.route == "litellm" or (
            self.state.litellm.exists and not self.state.value(v.BASE_URL)
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def record_path(self) -> Path:
        return self.record_path_of(self.port)

    def record_path_of(self, port: int) -> Path:
        return gateway_process.record_path(self.session.state_folder, port)

    @property
    def log(self) -> Path:
        return gateway_process.log_path(self.session.state_folder, self.port)

    @property
    def record(self) -> GatewayRecord | None:
        """The gateway that we started for these files on this port, if it is that process still."""
        found = gateway_process.read_record(self.record_path)
        return found if found and self._is_here(found) and gateway_process.lives(found) else None

    def records(self) -> list[GatewayRecord]:
        """Every gateway that we started for these files: their port may be another now."""
        running = gateway_process.running(self.session.state_folder)
        return [record for record in running if self._is_here(record)]

    def elsewhere(self) -> list[GatewayRecord]:
        """The gateways that we started for other folders."""
        running = gateway_process.running(self.session.state_folder)
        return [record for record in running if not self._is_here(record)]

    def _is_here(self, record: GatewayRecord) -> bool:
        return os.path.realpath(record.config_path) == os.path.realpath(self.state.litellm.path)

    @property
    def serves(self) -> bool:
        """Whether the process that we started is who listens on the port."""
        record = self.record
        return record is not None and gateway_process.listens_at(record, self.port)

    @property
    def config(self) -> str:
        """A hash of the files that a gateway is started from."""
        parts = (self.state.litellm.snapshot.data, self.state.litellm_env.snapshot.data)
        return hashlib.sha256(b"\0".join(part or b"" for part in parts)).hexdigest()

    @property
    def key(self) -> str:
        secret = self.gateway.master_key
        return (secret.value or "") if secret is not None else ""

    def command(self, verb: str) -> str:
        """What to type about this gateway, wherever its files are: `run` keeps some elsewhere."""
        return proxy_command(verb, self.session.folder, self.session.cwd)

    def masked(self, line: str) -> str:
        """A line of the log without its colours, the keys that we know, and what looks like one."""
        line = _COLOURS.sub("", line)
        for name, value in self.state.litellm_env.data.items():
            if isinstance(value, str) and len(value) >= 8 and v.is_secret(name):
                line = line.replace(value, v.masked(value))
        return _KEY.sub("****", line)


def proxy_command(verb: str, folder: Path, cwd: Path) -> str:
    """The `proxy` command about the gateway of `folder`, as typed in `cwd`."""
    from shlex import quote

    where = f" --dir {quote(str(folder))}" if folder != cwd else ""
    return f"haha-config proxy {verb}{where}"


def elsewhere_on(here: Site) -> GatewayRecord | None:
    """The gateway of ours that has this folder's port and is for another folder."""
    return next((record for record in here.elsewhere() if record.port == here.port), None)


def not_ours(here: Site) -> HahaError:
    """Why who answers on this port is not stopped, or stands in the way of a start."""
    other = elsewhere_on(here)
    if other is not None:
        folder = report.short(str(other.folder))
        holder = msg("the gateway of {folder} (pid {pid})", folder=folder, pid=other.pid)
        hints = (proxy_command("down", other.folder, here.session.cwd),)
        return HahaError(port_taken(here.port, holder), hints=hints)
    what = port_taken(here.port)
    return HahaError(msg("{what}, which haha-config did not start", what=what))


def port_taken(port: int, holder: Message | str = "") -> Message:
    """Who has a port: `holder`, else the program, where the system shows it."""
    holder = holder or gateway_process.port_holder(port) or msg("another program")
    return msg("port {port} is taken by {holder}", port=port, holder=holder)


def ensure_ours(session: Session, state: State, command: str) -> None:
    """Return once whoever listens on the gateway's port may have its master key; it may ask.

    Raises HahaError where nobody can be asked, or the answer is no.
    """
    here = Site(session=session, state=state)
    if here.serves or not loopback.listens(here.port):
        return
    if elsewhere_on(here) is not None and not session.trusting:
        raise not_ours(here)
    value = NamingValue(
        kind="listener",
        name=f"port {here.port}",
        value=gateway_process.port_owner(here.port),
        label=gateway_process.port_holder(here.port),
        root=os.path.realpath(session.folder),
    )
    if value.value and not trust.unknown(session, (value,)):
        return
    key = Credential(name=v.MASTER_KEY, place=Place(path=state.litellm_env.path))
    trust.settle(session, (value,), (key,), command)


def site(session: Session) -> Site:
    """The gateway that the files of this session describe."""
    return Site(session=session, state=session.state())


class Status(Struct, frozen=True, kw_only=True):
    """Who answers on the gateway's port. `owned`: the process that `up` started."""

    running: bool
    owned: bool
    url: str
    pid: int | None = None
    version: str | None = None
    models: tuple[str, ...] = ()
    stale: bool | None = None
    #: Seconds since it was started.
    uptime: float | None = None


def status_of(here: Site) -> Status:
    """Ask the port, and the record, who is there."""
    record = here.record
    if loopback.who(here.port, 2) != "litellm":
        return Status(running=False, owned=record is not None, url=here.url)
    ready = gateway_process.ask_gateway(here.port, "/health/readiness")
    # The key is for nobody but the process that has it already.
    listed = gateway_process.ask_gateway(here.port, "/v1/models", here.key) if here.serves else None
    return Status(
        running=True,
        owned=record is not None,
        url=here.url,
        pid=record.pid if record else None,
        version=string(mapping(ready).get("litellm_version"))
        or (record.version if record else None),
        models=tuple(names_of(listed)),
        stale=record.config != here.config if record else None,
        uptime=time.time() - record.created if record else None,
    )


def names_of(listed: object) -> Iterator[str]:
    """The ids of a model list."""
    rows = objects(mapping(listed).get("data"))
    return (row["id"] for row in rows if isinstance(row.get("id"), str))


# --- which sessions use it -------------------------------------------------------------------

#: The folder, in the state folder, of notes about who uses which gateway.
_SESSIONS: Final = "sessions"


def join_gateway(session: Session, port: int) -> None:
    """Note that this process's client uses the gateway on `port`: it is not ended meanwhile."""
    folder = session.state_folder / _SESSIONS
    with disk.exclusive(folder):
        gateway_process.join(folder, port)


def end_session(session: Session) -> None:
    """After the client: end the gateway that a session started, if no other one uses it."""
    folder = session.state_folder / _SESSIONS
    if not any(folder.glob(f"*-{os.getpid()}")):
        return
    with disk.exclusive(folder):
        for port in gateway_process.leave(folder):
            path = gateway_process.record_path(session.state_folder, port)
            record = gateway_process.read_record(path)
            if record is None or record.kept or gateway_process.joined(folder, port):
                continue
            gateway_process.stop(record)
            gateway_process.release(path)
            report.talk(msg("Stopped the gateway."))
