"""`proxy check`: the real LiteLLM loads the files and answers, and nothing is sent."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from haha_config.core import rules
from haha_config.core import variables as v
from haha_config.core.errors import HahaError
from haha_config.core.messages import msg
from haha_config.core.model import Finding, Problem
from haha_config.core.rules import litellm_entries, litellm_refusal
from haha_config.core.state.gateway import CALLBACKS, DATABASE_URL, functions
from haha_config.core.state.state import State
from haha_config.io import gateway_process, loopback, report
from haha_config.workflow import trust
from haha_config.workflow.gateway import life
from haha_config.workflow.gateway.installation import best, compiled_ahead, looked
from haha_config.workflow.gateway.progress import progress
from haha_config.workflow.gateway.site import Site, names_of
from haha_config.workflow.session import Session

if TYPE_CHECKING:
    import subprocess

#: Nobody listens there: what LiteLLM might send ends at once.
_NOWHERE: Final = "http://127.0.0.1:1"
_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
#: In place of every key but the gateway's own.
_NO_KEY: Final = "sk-haha-config-check-0000"
_KEY: Final = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS)$", re.IGNORECASE)


class Checked(Struct, frozen=True, kw_only=True):
    """What LiteLLM did with the files: its version, what it offers, what is wrong with them."""

    version: str
    offered: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def started(self) -> bool:
        return bool(self.offered) or not self.findings


def check_files(session: Session) -> Checked:
    """Start LiteLLM on a spare port, ask it what it offers, and stop it.

    Raises HahaError where there is nothing to check, nothing to check it with, or no consent.
    """
    state = looked(session)
    if not state.litellm.exists:
        raise HahaError(
            msg("there is no litellm_config.yaml in {folder}", folder=report.short(state.folder)),
            hints=("haha-config init --provider litellm",),
        )
    found = best(state)
    if found is None:
        raise HahaError(msg("LiteLLM is not installed"), hints=("haha-config proxy install",))
    trust.ensure(session, state, trust.Use(command="proxy check", gateway=True))
    _say_what_it_reaches(state)
    here = Site(session=session, state=state)
    port = loopback.free_port(20_000)
    command = life.command_of(found, state.litellm.path, port)
    log = gateway_process.log_path(session.state_folder, port)
    running = gateway_process.spawn(
        command, _environ(here, port), log=log, cwd=session.state_folder
    )
    try:
        with compiled_ahead(found, session):
            offered = _answers(here, port, running)
        said = "\n".join(here.masked(line) for line in gateway_process.tail(log, 400))
    finally:
        record = life.record_of(here, running.pid, "", port)
        if record is not None:
            gateway_process.stop(record)
        log.unlink(missing_ok=True)
    problems = (
        [*_refused(state, said)] if offered is None else [*_dropped(state, frozenset(offered))]
    )
    return Checked(version=found.version, offered=offered or (), findings=tuple(problems))


def _say_what_it_reaches(state: State) -> None:
    """Databases, Redis and functions: LiteLLM turns to them as it starts, also for a check."""
    gateway = state.gateway
    if gateway.has_database:
        report.talk(msg("LiteLLM connects to the database of {name}.", name=DATABASE_URL))
    if gateway.settings.get("cache") is True or gateway.section("router_settings").get(
        "redis_host"
    ):
        report.talk(msg("LiteLLM may connect to Redis."))
    names = dict.fromkeys(function for _, function in functions(gateway))
    if names:
        report.talk(msg("LiteLLM runs {names}.", names=tuple(names)))
    told = tuple(key for key in CALLBACKS if gateway.settings.get(key))
    if told and not names:
        report.talk(msg("LiteLLM sets up {names}.", names=told))


def _environ(here: Site, port: int) -> Mapping[str, str]:
    """As `up` tells it, but with keys that are none and a way out that leads nowhere."""
    own = life.environ_of(here)
    master = here.gateway.master_key
    kept = {v.MASTER_KEY, master.variable if master else ""}
    told = {
        name: _NO_KEY if _KEY.search(name) and name not in kept and value else value
        for name, value in own.items()
    }
    for name in _PROXIES:
        told |= {name: _NOWHERE, name.lower(): _NOWHERE}
    told |= {"NO_PROXY": "", "no_proxy": ""}
    return {**told, "HOST": "127.0.0.1", "PORT": str(port)}


def _answers(here: Site, port: int, running: subprocess.Popen[bytes]) -> tuple[str, ...] | None:
    """The names that it offers; None where it ended first, or did not answer in time."""
    until = time.monotonic() + life.PATIENCE
    with progress(msg("LiteLLM loads the files")):
        while loopback.who(port, 2) != "litellm":
            if running.poll() is not None or time.monotonic() > until:
                return None
            time.sleep(0.2)
        # Its first answer takes a while: it loads the rest of itself for it.
        listed = gateway_process.ask_gateway(port, "/v1/models", here.key, seconds=60)
    if listed is None:
        raise HahaError(msg("LiteLLM started but did not list its models"))
    return tuple(names_of(listed))


def _refused(state: State, said: str) -> Iterator[Finding]:
    """What the rules know of it, which names the place best; else what LiteLLM said."""
    known = [f for f in rules.run(state, ("LLM",)) if f.severity == "error"]
    yield from known
    problem = litellm_refusal.explained(said, state.litellm)
    if not known or all(f.place.line != problem.place.line for f in known):
        yield _finding("LLM018", problem)


def _dropped(state: State, offered: frozenset[str]) -> Iterator[Finding]:
    """Entries that LiteLLM read and does not offer."""
    for name, found in state.gateway.by_name.items():
        if "*" in name or name in offered:
            continue
        entry = found[0]
        yield _finding(
            "LLM022",
            Problem(
                what=msg("LiteLLM can't use `{name}` and leaves it out", name=name),
                place=entry.place("model"),
                hint="haha-config validate",
                severity=litellm_entries.severity(state, entry),
            ),
        )


def _finding(code: str, problem: Problem) -> Finding:
    return Finding(
        code=code,
        severity=problem.severity or "error",
        place=problem.place,
        what=problem.what,
        hint=problem.hint,
    )
