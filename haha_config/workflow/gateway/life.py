"""The gateway's life: started, waited for, stopped, and why it died."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from haha_config.core import rules
from haha_config.core.errors import FINE, PROBLEM, HahaError
from haha_config.core.messages import msg
from haha_config.core.rules.litellm_refusal import explained
from haha_config.core.state.machine import Installed
from haha_config.core.state.state import State
from haha_config.io import gateway_process, loopback, report
from haha_config.io.gateway_process import GatewayRecord
from haha_config.workflow import trust
from haha_config.workflow.gateway.installation import (
    best,
    compiled_ahead,
    looked,
    say_bad,
    starter_of,
)
from haha_config.workflow.gateway.progress import progress
from haha_config.workflow.gateway.site import (
    Site,
    Status,
    elsewhere_on,
    not_ours,
    port_taken,
    status_of,
)
from haha_config.workflow.session import Session

if TYPE_CHECKING:
    import subprocess


#: Measured: 5 to 36 s to the first healthy answer; slow disks take longer the first time.
PATIENCE: Final = 180.0


def start_gateway(session: Session, *, kept: bool = True) -> Status:
    """Start the gateway of this folder unless it runs; its status once it answers.

    `kept` False: it ends with the last session that uses it. Raises HahaError where it can't
    start, with the reason in words.
    """
    here = Site(session=session, state=looked(session))
    record = here.record
    if record is not None:
        if kept and not record.kept:
            gateway_process.keep(here.record_path, record)
        if loopback.who(here.port, 2) != "litellm":
            _wait(here, record, None)
        return _already(here)
    found = _ready(here)
    gateway_process.release(here.record_path)
    running = gateway_process.spawn(
        command_of(found, here.state.litellm.path, here.port),
        environ_of(here),
        log=here.log,
        cwd=session.state_folder,
    )
    made = record_of(here, running.pid, found.version, here.port, kept=kept)
    if made is None:
        raise died(here)
    if not gateway_process.claim(here.record_path, made):
        gateway_process.stop(made)
        raise HahaError(msg("another `proxy up` is starting it"), hints=(here.command("status"),))
    try:
        with compiled_ahead(found, session):
            _wait(here, made, running)
    except BaseException:
        gateway_process.stop(made)
        gateway_process.release(here.record_path)
        raise
    status = status_of(here)
    report.talk(
        msg("LiteLLM {version} answers at {url}", version=status.version or "", url=status.url)
    )
    if status.models:
        report.talk(msg("models: {models}", models=status.models))
    return status


def _already(here: Site) -> Status:
    found = status_of(here)
    report.talk(msg("the gateway runs at {url} (pid {pid})", url=found.url, pid=found.pid))
    if found.stale:
        report.talk(msg("its files have changed"))
        report.hint(here.command("restart"), sys.stderr)
    return found


def _ready(here: Site) -> Installed:
    """The LiteLLM to start, once nothing stands in the way. Raises HahaError naming what does."""
    state = here.state
    if not state.litellm.exists:
        raise HahaError(
            msg("there is no litellm_config.yaml in {folder}", folder=report.short(state.folder)),
            hints=("haha-config init --provider litellm",),
        )
    preflight(state)
    found = best(state)
    if found is None:
        say_bad(state)
        raise HahaError(msg("LiteLLM is not installed"), hints=("haha-config proxy install",))
    ensure_agreed(here.session, state)
    who = loopback.who(here.port)
    if who == "litellm" or elsewhere_on(here) is not None:
        taken = not_ours(here)
        hint = msg("stop that LiteLLM, or use it as it is: haha-config probe")
        raise HahaError(taken.what, hints=taken.hints or (hint,))
    if who:
        hints = (f"haha-config init --provider litellm --port {loopback.free_port(here.port + 1)}",)
        raise HahaError(port_taken(here.port), hints=hints)
    return found


def command_of(found: Installed, config: str, port: int) -> list[str]:
    """How LiteLLM is started on these files."""
    where = ("--config", config, "--host", "127.0.0.1", "--port", str(port))
    return [*starter_of(found), *where]


def ensure_agreed(session: Session, state: State) -> None:
    """That the person wrote these files with us, or agreed to what LiteLLM would do with them."""
    trust.ensure(session, state, trust.Use(command="proxy up", gateway=True))


def preflight(state: State) -> None:
    """The rules about LiteLLM's own files, before half a minute is waited for nothing."""
    own = (state.litellm.path, state.litellm_env.path)
    found = [f for f in rules.run(state, ("LLM",)) if f.severity == "error" and f.place.path in own]
    if not found:
        return
    report.findings(found, None, sys.stderr)
    fixes = ("haha-config validate --fix",) if any(f.fixable for f in found) else ()
    raise HahaError(msg("the gateway would not work with these files"), hints=fixes)


def environ_of(here: Site) -> dict[str, str]:
    """All that the gateway is told: its own file, and of the shell what is a provider's there."""
    own = {n: val for n, val in here.state.litellm_env.data.items() if isinstance(val, str)}
    own |= {"PORT": str(here.port), "HOST": "127.0.0.1", "LITELLM_MODE": "PRODUCTION"}
    shell = trust.safe_environ(here.session)
    return gateway_process.gateway_environ(
        own, shell, trust.shell_variables(here.session, here.state)
    )


def record_of(
    here: Site, pid: int, version: str, port: int, *, kept: bool = False
) -> GatewayRecord | None:
    """What is noted of a gateway of these files; None where its process has ended."""
    created = gateway_process.started_at(pid)
    if created is None:
        return None
    return GatewayRecord(
        pid=pid,
        created=created,
        port=port,
        config=here.config,
        config_path=here.state.litellm.path,
        version=version,
        kept=kept,
    )


def _wait(here: Site, record: GatewayRecord, running: subprocess.Popen[bytes] | None) -> None:
    """Until it answers, its log's last line in sight.

    Raises HahaError where it ends first or takes too long.
    """
    until = time.monotonic() + PATIENCE
    with progress(msg("starting LiteLLM")) as tell:
        while loopback.who(here.port, 2) != "litellm":
            # Asking the child for its end also lets the system forget it.
            ended = running.poll() is not None if running else not gateway_process.lives(record)
            if ended:
                gateway_process.release(here.record_path)
                raise died(here)
            if time.monotonic() > until:
                raise HahaError(
                    msg("LiteLLM did not answer within {n} s", n=round(PATIENCE)),
                    hints=(here.command("logs"),),
                )
            tell(here.masked(next(iter(gateway_process.tail(here.log, 1)), "")))
            time.sleep(0.3)


def died(here: Site) -> HahaError:
    """Why it ended, from its log, with the place in its file."""
    said = "\n".join(here.masked(line) for line in gateway_process.tail(here.log, 200))
    problem = explained(said, here.state.litellm)
    return HahaError(
        msg("LiteLLM ended at once: {why}", why=problem.what),
        place=problem.place,
        hints=(here.command("logs"),),
    )


def stay(session: Session) -> int:
    """Become the gateway, as a service manager wants it: the same process from start to end."""
    here = Site(session=session, state=looked(session))
    if here.record is not None:
        _already(here)
        return PROBLEM
    found = _ready(here)
    command = command_of(found, here.state.litellm.path, here.port)
    gateway_process.release(here.record_path)
    made = record_of(here, os.getpid(), found.version, here.port, kept=True)
    environ = environ_of(here)
    if os.name != "nt" and made is not None:
        gateway_process.claim(here.record_path, made)
        os.chdir(session.state_folder)
        os.execve(command[0], command, environ)  # noqa: S606 - replaces us
    from haha_config.io import foreground

    return foreground.wait_for(command, environ, cwd=session.state_folder)


def stop_gateway(here: Site) -> int:
    """Stop the gateway of this folder, on whichever port it runs, and no other program."""
    ours = here.records()
    if ours:
        return stop_all(here, ours)
    if here.record_path.exists() and not elsewhere_on(here):
        gateway_process.release(here.record_path)
    if loopback.who(here.port):
        raise not_ours(here)
    report.talk(msg("The gateway is not running."))
    return FINE


def stop_all(here: Site, records: Iterable[GatewayRecord]) -> int:
    """Stop these gateways of ours. Raises HahaError where one does not end."""
    for record in records:
        if not gateway_process.stop(record):
            raise HahaError(msg("the gateway (pid {pid}) does not end", pid=record.pid))
        gateway_process.release(here.record_path_of(record.port))
        said = msg("Stopped the gateway.")
        if record.folder != here.session.folder:
            folder = report.short(str(record.folder))
            said = msg("Stopped the gateway of {folder}.", folder=folder)
        report.talk(said)
    return FINE
