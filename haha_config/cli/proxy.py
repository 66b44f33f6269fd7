"""`proxy`: LiteLLM's life on this machine."""

from __future__ import annotations

import hashlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from haha_config.cli import options as o
from haha_config.cli.session import Session, choice, open_session
from haha_config.core import rules
from haha_config.core import variables as v
from haha_config.core.errors import FINE, PROBLEM, HahaError
from haha_config.core.gateway import REFERENCE, Gateway
from haha_config.core.messages import Message, msg
from haha_config.core.model import Installed, Place, Plan, Write
from haha_config.core.probe.replies import shortened
from haha_config.core.record import dataclass
from haha_config.core.state import State
from haha_config.io import loopback, process, report, templates
from haha_config.io.process import Record
from haha_config.io.words import say, t

if TYPE_CHECKING:
    import subprocess

app = typer.Typer(
    help=t("Install, start, stop and look at the LiteLLM gateway."),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

LOCK: Final = "litellm-requirements.txt"
UNIT: Final = "haha-config-proxy.service"
#: Measured: 12 to 36 s to the first healthy answer; slow disks take longer the first time.
PATIENCE: Final = 180.0
_KEY: Final = re.compile(r"\b(sk|pk|cpk|tp)-[A-Za-z0-9_\-]{8,}|Bearer\s+\S+")


# --- what there is ---------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Site:
    """The gateway of one folder: its files, its port, and the record of who started it."""

    session: Session
    state: State

    @property
    def gateway(self) -> Gateway:
        return Gateway(self.state)

    @property
    def port(self) -> int:
        return self.gateway.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def record_path(self) -> Path:
        return process.record_path(self.session.state_folder, self.port)

    @property
    def log(self) -> Path:
        return process.log_path(self.session.state_folder, self.port)

    @property
    def record(self) -> Record | None:
        """The gateway that we started on this port, if it is still that process."""
        found = process.read_record(self.record_path)
        return found if found is not None and process.lives(found) else None

    @property
    def config(self) -> str:
        """A hash of the files that a gateway is started from."""
        parts = (self.state.litellm.snapshot.data, self.state.litellm_env.snapshot.data)
        return hashlib.sha256(b"\0".join(part or b"" for part in parts)).hexdigest()

    @property
    def key(self) -> str:
        secret = self.gateway.master_key
        return (secret.value or "") if secret is not None else ""

    def masked(self, line: str) -> str:
        """A line of the log without the keys that we know, nor what looks like one."""
        for name, value in self.state.litellm_env.data.items():
            if isinstance(value, str) and len(value) >= 8 and v.is_secret(name):
                line = line.replace(value, v.masked(value))
        return _KEY.sub("****", line)


def site(session: Session) -> Site:
    """The gateway that the files of this session describe."""
    return Site(session=session, state=session.state())


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
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
    listed = process.ask_gateway(here.port, "/v1/models", here.key)
    return Status(
        running=True,
        owned=record is not None,
        url=here.url,
        pid=record.pid if record else None,
        version=_version(here, record),
        models=tuple(_names(listed)),
        stale=record.config != here.config if record else None,
        uptime=time.time() - record.created if record else None,
    )


def _version(here: Site, record: Record | None) -> str | None:
    ready = process.ask_gateway(here.port, "/health/readiness")
    said = ready.get("litellm_version") if isinstance(ready, dict) else None
    return str(said) if said else record.version if record else None


def _names(listed: object) -> Iterator[str]:
    data = listed.get("data") if isinstance(listed, dict) else None
    for item in data if isinstance(data, list) else ():
        if isinstance(item, dict) and isinstance(item.get("id"), str):
            yield item["id"]


# --- install ---------------------------------------------------------------------------------


def locked_version() -> str:
    """The LiteLLM that our end-to-end tests ran, from the lock that ships with us."""
    found = re.search(r"^litellm==(\S+)", templates.text(LOCK), re.MULTILINE)
    assert found is not None  # noqa: S101 - a test reads the same file
    return found[1]


@app.command("install", help=t("Install LiteLLM into an environment of its own."))
def install(
    folder: o.Dir = None, quiet: o.Quiet = False, no_color: o.NoColor = False, _lang: o.Lang = None
) -> int:
    session = open_session(folder=folder, quiet=quiet, no_color=no_color)
    state = looked(session)
    good = best(state)
    if good is not None:
        report.talk(
            msg("LiteLLM {version} is here already: {path}", version=good.version, path=good.path)
        )
        return FINE
    for bad in _bad(state):
        report.talk(
            msg("not used: LiteLLM {version} in {path}", version=bad.version, path=bad.path)
        )
    version = locked_version()
    target = session.data_folder / f"litellm-{version}"
    report.talk(
        msg(
            "installing LiteLLM {version} into {path}",
            version=version,
            path=report.short(str(target)),
        )
    )
    with _spinner(msg("installing")) as tell:
        process.install(target, templates.FOLDER / LOCK, session.environ, tell)
    report.talk(msg("LiteLLM {version} is installed", version=version))
    return FINE


def looked(session: Session) -> State:
    """The state with every LiteLLM on this machine, whatever the client's route is."""
    from dataclasses import replace

    from haha_config.cli.look import look
    from haha_config.core import compromised
    from haha_config.io import machine

    state = look(session)
    if state.machine is None or state.machine.litellm:
        return state
    where = machine.Where(
        environ=session.environ,
        home=session.home,
        client=session.client_folder,
        settings=session.settings_paths["user"],
        folder=session.folder,
        data=session.data_folder,
    )
    known = compromised.parse(templates.text("litellm-compromised.toml"))
    found = machine.litellm(where, known.markers, known.traces)
    return replace(state, machine=replace(state.machine, litellm=found))


def _fits(found: Installed, state: State) -> bool:
    machine = state.machine
    assert machine is not None  # noqa: S101 - looked() filled it
    if found.version in machine.compromised or found.markers or not found.proxy:
        return False
    return _numbers(found.version) >= _numbers(machine.oldest)


def best(state: State) -> Installed | None:
    """The installation to run: the version that was tested, else the newest that is not bad."""
    good = [f for f in (state.machine.litellm if state.machine else ()) if _fits(f, state)]
    tested = locked_version()
    return max(good, key=lambda f: (f.version == tested, _numbers(f.version)), default=None)


def _bad(state: State) -> list[Installed]:
    return [f for f in (state.machine.litellm if state.machine else ()) if not _fits(f, state)]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", version.split("rc")[0]))


def program_of(found: Installed) -> Path:
    """LiteLLM's own program beside the folder that it is installed in."""
    packages = Path(found.path)
    if os.name == "nt":
        return packages.parents[1] / "Scripts" / "litellm.exe"
    return packages.parents[2] / "bin" / "litellm"


# --- up --------------------------------------------------------------------------------------


@app.command("up", help=t("Start the gateway and wait until it answers."))
def up(
    foreground: bool = typer.Option(False, "--foreground", help=t("Stay; log to the terminal.")),
    folder: o.Dir = None,
    quiet: o.Quiet = False,
    no_color: o.NoColor = False,
    _lang: o.Lang = None,
) -> int:
    session = open_session(folder=folder, quiet=quiet, no_color=no_color)
    if foreground:
        return _stay(session)
    start_gateway(session)
    return FINE


def start_gateway(session: Session) -> Status:
    """Start the gateway of this folder unless it runs; its status once it answers.

    Raises HahaError where it can't start, with the reason in words.
    """
    here = Site(session=session, state=looked(session))
    record = here.record
    if record is not None:
        if loopback.who(here.port, 2) != "litellm":
            _wait(here, record, None)
        return _already(here)
    command, version = _ready(here)
    process.release(here.record_path)
    running = process.spawn(command, environ_of(here), log=here.log, cwd=here.session.state_folder)
    made = _record(here, running.pid, version)
    if made is None:
        raise HahaError(reason(here), hints=("haha-config proxy logs",))
    if not process.claim(here.record_path, made):
        process.stop(made)
        raise HahaError(
            msg("another `proxy up` is starting it"), hints=("haha-config proxy status",)
        )
    try:
        _wait(here, made, running)
    except BaseException:
        process.stop(made)
        process.release(here.record_path)
        raise
    found = status_of(here)
    report.talk(
        msg("LiteLLM {version} answers at {url}", version=found.version or "", url=found.url)
    )
    if found.models:
        report.talk(msg("models: {models}", models=found.models))
    return found


def _already(here: Site) -> Status:
    found = status_of(here)
    report.talk(msg("the gateway runs already at {url} (pid {pid})", url=found.url, pid=found.pid))
    if found.stale:
        report.talk(msg("its files have changed since it was started"))
        report.hint("haha-config proxy restart", sys.stderr)
    return found


def _ready(here: Site) -> tuple[list[str], str]:
    """The command and the version, once nothing stands in the way.

    Raises HahaError naming what does.
    """
    state = here.state
    if not state.litellm.exists:
        raise HahaError(
            msg("there is no litellm_config.yaml"),
            place=Place(path=state.litellm.path),
            hints=("haha-config init --provider litellm",),
        )
    _preflight(state)
    found = best(state)
    if found is None:
        for bad in _bad(state):
            report.talk(
                msg("not used: LiteLLM {version} in {path}", version=bad.version, path=bad.path)
            )
        raise HahaError(
            msg("no LiteLLM that can be run is installed"), hints=("haha-config proxy install",)
        )
    _port_free(here)
    program = program_of(found)
    return [
        str(program),
        *("--config", state.litellm.path),
        *("--host", "127.0.0.1"),
        *("--port", str(here.port)),
    ], found.version


def _preflight(state: State) -> None:
    """The rules about LiteLLM's own files, before half a minute is waited for nothing."""
    found = [
        f
        for f in rules.run(state)
        if f.code.startswith("LLM") and f.severity == "error" and _own(f.place.path, state)
    ]
    if not found:
        return
    report.findings(found, None, sys.stderr)
    raise HahaError(
        msg("the gateway would not start or not work with these files"),
        hints=("haha-config validate --fix",),
    )


def _own(path: str, state: State) -> bool:
    return path in (state.litellm.path, state.litellm_env.path)


def _port_free(here: Site) -> None:
    who = loopback.who(here.port)
    if not who:
        return
    holder = process.port_holder(here.port) or msg("another program")
    if who == "litellm":
        raise HahaError(
            msg(
                "a LiteLLM that haha-config did not start answers on port {port} ({holder})",
                port=here.port,
                holder=holder,
            ),
            hints=(msg("stop it, or use it as it is: haha-config probe"),),
        )
    free = loopback.free_port(here.port + 1)
    raise HahaError(
        msg("port {port} is taken by {holder}", port=here.port, holder=holder),
        hints=(f"haha-config init --provider litellm --port {free}",),
    )


def environ_of(here: Site) -> dict[str, str]:
    """All that the gateway is told. References in its configuration may lead to the shell."""
    own = {n: val for n, val in here.state.litellm_env.data.items() if isinstance(val, str)}
    named = re.findall(rf"{re.escape(REFERENCE)}([A-Za-z_]\w*)", here.state.litellm.text)
    own |= {"PORT": str(here.port), "HOST": "127.0.0.1", "LITELLM_MODE": "PRODUCTION"}
    return process.gateway_environ(own, here.session.environ, named)


def _record(here: Site, pid: int, version: str) -> Record | None:
    created = process.started_at(pid)
    if created is None:
        return None
    return Record(
        pid=pid,
        created=created,
        port=here.port,
        config=here.config,
        config_path=here.state.litellm.path,
        version=version,
    )


def _wait(here: Site, record: Record, running: subprocess.Popen[bytes] | None) -> None:
    """Until it answers, its log's last line in sight.

    Raises HahaError where it ends first or takes too long.
    """
    until = time.monotonic() + PATIENCE
    with _spinner(msg("starting LiteLLM, which takes 12 to 36 s")) as tell:
        while loopback.who(here.port, 2) != "litellm":
            # Asking the child for its end also lets the system forget it.
            ended = running.poll() is not None if running else not process.lives(record)
            if ended:
                process.release(here.record_path)
                raise HahaError(reason(here), hints=("haha-config proxy logs",))
            if time.monotonic() > until:
                raise HahaError(
                    msg("LiteLLM did not answer within {n} s", n=round(PATIENCE)),
                    hints=("haha-config proxy logs",),
                )
            tell(next(iter(process.tail(here.log, 1)), ""), mask=here.masked)
            time.sleep(0.3)


#: What the log of a gateway that died says, and what it means.
_DEATHS: Final[tuple[tuple[str, Message], ...]] = (
    (r"address already in use|Errno 98|Errno 48|WinError 10048", msg("its port is taken")),
    (
        r"no master key is set|master key.{0,40}(weak|insecure|unset)|refused to start",
        msg("it refuses to start without a strong master key in LITELLM_MASTER_KEY"),
    ),
    (r"yaml\.(scanner|parser|constructor)", msg("it can't parse litellm_config.yaml")),
    (
        r"(ModuleNotFoundError|ImportError).{0,200}",
        msg("a part of its installation is missing: haha-config proxy install"),
    ),
    (r"UnicodeEncodeError", msg("it can't write to its log")),
    (r"MemoryError|Killed", msg("this machine has too little memory for it")),
)


def reason(here: Site) -> Message:
    """Why it died, from its log."""
    lines = process.tail(here.log, 60)
    text = "\n".join(lines)
    for pattern, what in _DEATHS:
        if re.search(pattern, text, re.IGNORECASE):
            return msg("LiteLLM ended at once: {why}", why=what)
    last = shortened(here.masked(lines[-1]), 300) if lines else ""
    return msg("LiteLLM ended at once: {why}", why=last or msg("it said nothing"))


def _stay(session: Session) -> int:
    """Become the gateway, as a service manager wants it: the same process from start to end."""
    here = Site(session=session, state=looked(session))
    if here.record is not None:
        _already(here)
        return PROBLEM
    command, version = _ready(here)
    process.release(here.record_path)
    made = _record(here, os.getpid(), version)
    environ = environ_of(here)
    if os.name != "nt" and made is not None:
        process.claim(here.record_path, made)
        os.chdir(session.state_folder)
        os.execve(command[0], command, environ)  # noqa: S606 - replaces us
    from haha_config.io import child

    return child.wait_for(command, environ, cwd=session.state_folder)


# --- down, restart, status, logs -------------------------------------------------------------


@app.command("down", help=t("Stop the gateway that `up` started."))
def down(folder: o.Dir = None, quiet: o.Quiet = False, _lang: o.Lang = None) -> int:
    return stop_gateway(site(open_session(folder=folder, quiet=quiet)))


def stop_gateway(here: Site) -> int:
    """Stop the process that `up` started, and no other."""
    record = here.record
    if record is None:
        process.release(here.record_path)
        if loopback.who(here.port):
            holder = process.port_holder(here.port) or msg("another program")
            raise HahaError(
                msg(
                    "haha-config did not start what answers on port {port} ({holder})",
                    port=here.port,
                    holder=holder,
                )
            )
        report.talk(msg("the gateway is not running"))
        return FINE
    if not process.stop(record):
        raise HahaError(msg("the gateway (pid {pid}) does not end", pid=record.pid))
    process.release(here.record_path)
    report.talk(msg("the gateway is stopped"))
    return FINE


@app.command("restart", help=t("Stop it and start it with the files as they are."))
def restart(
    folder: o.Dir = None,
    quiet: o.Quiet = False,
    no_color: o.NoColor = False,
    _lang: o.Lang = None,
) -> int:
    session = open_session(folder=folder, quiet=quiet, no_color=no_color)
    here = site(session)
    # Files that it would not start with are named before the one that runs is stopped.
    if here.record is not None:
        _preflight(looked(session))
        stop_gateway(here)
    start_gateway(session)
    return FINE


@app.command("status", help=t("Who answers on the gateway's port."))
def status(
    folder: o.Dir = None,
    format: o.FormatOption = "text",  # noqa: A002
    no_color: o.NoColor = False,
    quiet: o.Quiet = False,
    _lang: o.Lang = None,
) -> int:
    as_json = choice("--format", format, ("text", "json")) == "json"
    here = site(open_session(folder=folder, quiet=quiet, no_color=no_color, reads=True))
    found = status_of(here)
    if as_json:
        report.document(
            {
                "running": found.running,
                "owned": found.owned,
                "url": found.url,
                "pid": found.pid,
                # `version` is that of the shape, in every JSON result.
                "litellm": found.version,
                "models": list(found.models),
                "stale": found.stale,
            }
        )
    else:
        _show(here, found)
    return FINE if found.running else PROBLEM


def _show(here: Site, found: Status) -> None:
    if not found.running:
        report.result(_down(here, found))
        report.hint("haha-config proxy up", sys.stdout)
        return
    who = msg("LiteLLM {version} answers at {url}", version=found.version or "?", url=found.url)
    report.result(who)
    if found.owned:
        minutes = round((found.uptime or 0) / 60)
        report.result(
            msg("started by haha-config: pid {pid}, up {n} min", pid=found.pid, n=minutes)
        )
    else:
        holder = process.port_holder(here.port) or msg("another program")
        report.result(msg("not started by haha-config: {holder}", holder=holder))
    if found.models:
        report.result(msg("models: {models}", models=found.models))
    if found.stale:
        report.result(msg("its files have changed since it was started"))
        report.hint("haha-config proxy restart", sys.stdout)


def _down(here: Site, found: Status) -> Message:
    if found.owned:
        return msg("the gateway is starting, or does not answer at {url}", url=found.url)
    if loopback.listens(here.port):
        holder = process.port_holder(here.port) or msg("another program")
        return msg("port {port} is taken by {holder}", port=here.port, holder=holder)
    return msg("nothing answers at {url}", url=found.url)


@app.command("logs", help=t("What the gateway says; keys are masked."))
def logs(
    following: bool = typer.Option(False, "--follow", "-f", help=t("Go on until Ctrl-C.")),
    lines: int = typer.Option(50, "--lines", "-n", min=1, help=t("How many of the last.")),
    folder: o.Dir = None,
    quiet: o.Quiet = False,
    _lang: o.Lang = None,
) -> int:
    here = site(open_session(folder=folder, quiet=quiet, reads=True))
    if not here.log.exists():
        raise HahaError(
            msg("there is no log of a gateway on port {port}", port=here.port),
            hints=("haha-config proxy up",),
        )
    if not following:
        for line in process.tail(here.log, lines):
            report.result(here.masked(line))
        return FINE
    for line in process.follow(here.log, lambda: time.sleep(0.3)):
        print(here.masked(line), flush=True)
    return FINE


# --- service ---------------------------------------------------------------------------------


@app.command("service", help=t("Print a systemd user unit, or install it."))
def service(
    install_: bool = typer.Option(False, "--install", help=t("Write it where systemd looks.")),
    folder: o.Dir = None,
    quiet: o.Quiet = False,
    _lang: o.Lang = None,
) -> int:
    session = open_session(folder=folder, quiet=quiet, reads=not install_)
    text = unit(session)
    if not install_:
        sys.stdout.write(text)
        return FINE
    if sys.platform != "linux":
        raise HahaError(msg("systemd is only on Linux: print the unit and adapt it"))
    base = session.environ.get("XDG_CONFIG_HOME") or session.home / ".config"
    target = Path(base) / "systemd" / "user" / UNIT

    def build() -> Plan:
        from haha_config.io import disk

        before = disk.snapshot(target).data
        after = text.encode("utf-8")
        write = Write(path=str(target), format="lines", before=before, after=after)
        return Plan(writes=(write,))

    session.commit(build, "proxy service")
    report.talk(msg("wrote {path}", path=report.short(str(target))))
    report.hint("systemctl --user daemon-reload", sys.stderr)
    report.hint(f"systemctl --user enable --now {UNIT}", sys.stderr)
    return FINE


def unit(session: Session) -> str:
    """The unit that runs `proxy up --foreground` for this folder."""
    words = [*_ourselves(), "proxy", "up", "--foreground", "--dir", str(session.folder)]
    return templates.text("proxy.service").replace("@COMMAND@", " ".join(map(_quoted, words)))


def _ourselves() -> list[str]:
    """How this program is started again, without the shell's PATH."""
    program = Path(sys.argv[0]).absolute()
    if program.name.startswith("haha-config") and program.is_file():
        return [str(program)]
    return [sys.executable, "-m", "haha_config"]


def _quoted(word: str) -> str:
    """A word as systemd reads it: its own variables, specifiers and quotes taken away."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if re.search(r"[\s'\"\\;]", word) else escaped


# --- waiting ---------------------------------------------------------------------------------


def _silent(_line: str, mask: Callable[[str], str] | None = None) -> None:
    del mask


@contextmanager
def _spinner(about: Message) -> Iterator[Callable[..., None]]:
    """Something that moves while a person waits, with the last line that was said."""
    if not sys.stderr.isatty() or not report.colored(sys.stderr):
        report.talk(about)
        yield _silent
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)
    with console.status(say(about)) as status:

        def tell(line: str, mask: Callable[[str], str] | None = None) -> None:
            shown = mask(line) if mask else line
            room = max(10, console.width - len(say(about)) - 8)
            status.update(Text(f"{say(about)}  {shortened(shown, room)}"))

        yield tell
