"""`proxy`: LiteLLM's life on this machine, as commands."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import Final, TextIO

import typer

from haha_config.cli import options as o
from haha_config.core import variables as v
from haha_config.core.errors import FINE, PROBLEM, HahaError
from haha_config.core.messages import Message, msg
from haha_config.core.model import Plan
from haha_config.io import gateway_process, loopback, report, templates
from haha_config.io.i18n import _
from haha_config.workflow.gateway.check import check_files
from haha_config.workflow.gateway.installation import best, install_locked, looked
from haha_config.workflow.gateway.life import (
    ensure_agreed,
    preflight,
    start_gateway,
    stay,
    stop_all,
    stop_gateway,
)
from haha_config.workflow.gateway.site import (
    Site,
    Status,
    port_taken,
    proxy_command,
    site,
    status_of,
)
from haha_config.workflow.session import Session, whole

UNIT: Final = "haha-config-proxy.service"

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.command("install", help=_("Install LiteLLM into an environment of its own."))
@o.takes("folder", "quiet", "no_color")
def install(*, shared: o.SharedOptions) -> int:
    good = install_locked(shared.session())
    if good is not None:
        report.talk(
            msg("LiteLLM {version} is here already: {path}", version=good.version, path=good.path)
        )
    return FINE


@app.command("up", help=_("Start the gateway and wait until it answers."))
@o.takes("folder", "trusting", "quiet", "no_color")
def up(
    foreground: bool = typer.Option(
        False, "--foreground", help=_("Stay in the terminal and log there.")
    ),
    *,
    shared: o.SharedOptions,
) -> int:
    session = shared.session()
    if foreground:
        return stay(session)
    start_gateway(session)
    return FINE


@app.command("check", help=_("Let LiteLLM load the files, and send nothing."))
@o.takes("folder", "trusting", "format", "quiet", "no_color")
def check(*, shared: o.SharedOptions) -> int:
    found = check_files(shared.session())
    failed = any(f.severity == "error" for f in found.findings)
    if shared.as_json:
        report.document(
            {
                "litellm": found.version,
                "models": list(found.offered),
                "findings": report.findings_json(found.findings),
                "summary": report.summary_json(found.findings),
            }
        )
        return PROBLEM if failed else FINE
    report.findings(found.findings, None, sys.stdout)
    if found.offered or not failed:
        report.result(msg("LiteLLM {version} starts with these files", version=found.version))
    if found.offered:
        report.result(msg("models: {models}", models=found.offered), prose=True)
    return PROBLEM if failed else FINE


@app.command("down", help=_("Stop the gateway."))
@o.takes("folder", "quiet")
def down(
    everything: bool = typer.Option(False, "--all", help=_("Also those of other folders.")),
    *,
    shared: o.SharedOptions,
) -> int:
    here = site(shared.session())
    if everything:
        found = [*here.records(), *here.elsewhere()]
        if not found:
            report.talk(msg("No gateway is running."))
        return stop_all(here, found)
    code = stop_gateway(here)
    _show_elsewhere(here, sys.stderr)
    return code


@app.command("restart", help=_("Restart the gateway."))
@o.takes("folder", "trusting", "quiet", "no_color")
def restart(*, shared: o.SharedOptions) -> int:
    session = shared.session()
    here = site(session)
    # Files that it would not start with are named before the one that runs is stopped.
    if here.record is not None:
        state = looked(session)
        preflight(state)
        ensure_agreed(session, state)
        stop_gateway(here)
    start_gateway(session)
    return FINE


@app.command("status", help=_("Say what runs on the gateway's port."))
@o.takes("folder", *o.PRINTED)
def status(*, shared: o.SharedOptions) -> int:
    here = site(shared.session(reads=True))
    found = status_of(here)
    if shared.as_json:
        _document(here, found)
    else:
        if found.running and (found.owned or here.needed):
            _show_running(here, found)
        else:
            _show_down(here, found)
        _show_elsewhere(here, sys.stdout)
    return FINE if found.running else PROBLEM


def _document(here: Site, found: Status) -> None:
    data: dict[str, object] = {
        "running": found.running,
        "owned": found.owned,
        "url": found.url,
        "pid": found.pid,
        # `version` is that of the shape, in every JSON result.
        "litellm": found.version,
        "models": list(found.models),
        "stale": found.stale,
    }
    elsewhere = here.elsewhere()
    if elsewhere:
        data["elsewhere"] = [
            {"folder": str(one.folder), "port": one.port, "pid": one.pid} for one in elsewhere
        ]
    report.document(data)


def _show_running(here: Site, found: Status) -> None:
    report.result(
        msg("LiteLLM {version} answers at {url}", version=found.version or "?", url=found.url)
    )
    record = here.record
    if record is not None:
        minutes = round((found.uptime or 0) / 60)
        report.result(
            msg("started by haha-config: pid {pid}, up {n} min", pid=found.pid, n=minutes)
        )
        if not record.kept:
            report.result(msg("ends with the session that started it"))
    else:
        holder = gateway_process.port_holder(here.port) or msg("another program")
        report.result(msg("not started by haha-config: {holder}", holder=holder), prose=True)
    if found.models:
        report.result(msg("models: {models}", models=found.models), prose=True)
    if found.stale:
        report.result(msg("its files have changed"))
        report.hint(here.command("restart"), sys.stdout)


def _show_down(here: Site, found: Status) -> None:
    if not here.needed and not found.owned:
        direct = v.shown_url(here.state.value(v.BASE_URL))
        if direct:
            report.result(
                msg("No gateway is needed: the client calls {url} directly.", url=direct),
                prose=True,
            )
        else:
            report.result(msg("Nothing is set up yet."))
            report.hint("haha-config init", sys.stdout)
        return
    report.result(_down(here, found), prose=True)
    if best(looked(here.session)) is not None:
        report.hint(here.command("up"), sys.stdout)
    else:
        report.result(msg("LiteLLM is not installed."))
        report.hint("haha-config proxy install", sys.stdout)


def _show_elsewhere(here: Site, stream: TextIO) -> None:
    """The gateways of other folders: each takes memory and a port."""
    say = report.result if stream is sys.stdout else report.talk
    for record in here.elsewhere():
        say(
            msg(
                "Also running: the gateway of {folder} at http://127.0.0.1:{port}, pid {pid}.",
                folder=report.short(str(record.folder)),
                port=record.port,
                pid=record.pid,
            )
        )
        report.hint(proxy_command("down", record.folder, here.session.cwd), stream)


def _down(here: Site, found: Status) -> Message:
    if found.owned:
        return msg("the gateway is starting, or does not answer at {url}", url=found.url)
    if loopback.listens(here.port):
        return port_taken(here.port)
    return msg("nothing answers at {url}", url=found.url)


@app.command("logs", help=_("Show the gateway's log, keys masked."))
@o.takes("folder", "quiet")
def logs(
    following: bool = typer.Option(False, "--follow", "-f", help=_("Go on until Ctrl-C.")),
    lines: int = typer.Option(50, "--lines", "-n", min=1, help=_("How many of the last.")),
    *,
    shared: o.SharedOptions,
) -> int:
    here = site(shared.session(reads=True))
    if not here.log.exists():
        raise HahaError(
            msg("no gateway has logged on port {port}", port=here.port),
            hints=(here.command("up"),),
        )
    if not following:
        for line in gateway_process.tail(here.log, lines):
            report.result(here.masked(line))
        return FINE
    for line in gateway_process.follow(here.log, lambda: time.sleep(0.3)):
        print(here.masked(line), flush=True)
    return FINE


@app.command("service", help=_("Print a systemd user unit, or install it."))
@o.takes("folder", "quiet")
def service(
    install_: bool = typer.Option(False, "--install", help=_("Write it where systemd looks.")),
    *,
    shared: o.SharedOptions,
) -> int:
    session = shared.session(reads=not install_)
    if not install_:
        sys.stdout.write(_unit(session))
        return FINE
    target = _install(session)
    report.talk(msg("wrote {path}", path=report.short(str(target))))
    report.hint("systemctl --user daemon-reload", sys.stderr)
    report.hint(f"systemctl --user enable --now {UNIT}", sys.stderr)
    return FINE


def _install(session: Session) -> Path:
    """Write the unit where systemd looks for a user's units; its path.

    Raises HahaError where there is no systemd.
    """
    if sys.platform != "linux":
        raise HahaError(msg("systemd is only on Linux: leave out --install"))
    base = session.environ.get("XDG_CONFIG_HOME") or session.home / ".config"
    target = Path(base) / "systemd" / "user" / UNIT
    session.commit(lambda: Plan(writes=(whole(target, _unit(session)),)), "proxy service")
    return target


def _unit(session: Session) -> str:
    """The unit that runs `proxy up --foreground` for this folder."""
    # How this program is started again, without the shell's PATH.
    program = Path(sys.argv[0]).absolute()
    ours = [sys.executable, "-P", "-m", "haha_config"]
    if program.name.startswith("haha-config") and program.is_file():
        ours = [str(program)]
    words = [*ours, "proxy", "up", "--foreground", "--dir", str(session.folder)]
    return templates.text("proxy.service").replace("@COMMAND@", " ".join(map(_quoted, words)))


def _quoted(word: str) -> str:
    """A word as systemd reads it: its own variables, specifiers and quotes taken away."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if re.search(r"[\s'\"\\;]", word) else escaped
