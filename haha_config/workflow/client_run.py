"""The last word: the person's own client, once, on what is configured, through the relay.

It runs in a folder to throw away, with a configuration folder of its own. It offers all its tools,
as it would, and may use one: to read a file that holds a word which nobody can guess. A hook of
ours refuses every other tool, and so does the client's mode that asks nobody.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from haha_config.core import variables as v
from haha_config.core.errors import unstarted
from haha_config.core.messages import Message, msg
from haha_config.core.probe.diagnosis import shortened
from haha_config.core.probe.scorecard import GRADES, Check, ProbeReport, Scorecard
from haha_config.core.state.state import State
from haha_config.io import report, settings_file
from haha_config.workflow import launch, trust
from haha_config.workflow.probe import caller_of, installed_client, slots_of
from haha_config.workflow.session import Session
from haha_config.workflow.trace import Tracer

_QUESTION: Final = "Read the file word.txt and answer with what it says."
#: Refused but for reading; what is outside of the folder, the client's own mode refuses.
_SETTINGS: Final[Mapping[str, Any]] = {
    "hooks": {
        "PreToolUse": [
            {"matcher": "^(?!Read$)", "hooks": [{"type": "command", "command": "exit 2"}]}
        ]
    }
}
_WORDS: Final = (
    "--strict-mcp-config",
    "--no-session-persistence",
    "--setting-sources",
    "",
    "--permission-mode",
    "dontAsk",
    "--output-format",
    "json",
    "-p",
    _QUESTION,
)


def run_client(session: Session, state: State, seconds: float | None) -> ProbeReport:
    """One question to the real client. Raises HahaError where there is no client or set-up."""
    program = launch.client_program(session)
    # Nothing is sent where the probe would send nothing.
    caller = caller_of(session, state)
    launcher = launch.launcher(session, program)
    trust.ensure(session, state, trust.Use(command="probe", runs=True, program=launcher))
    # Its folder is an empty one: what settings say beside our own variables goes along.
    names = {n for file in state.settings.values() for n in (file.data.get("env") or {})}
    beside = {n: value for n in names if (value := state.value(n)) and n != "CLAUDE_CONFIG_DIR"}
    values = {**beside, **launch.session_variables(state, None)}
    report.talk(
        msg(
            "asking {url} once through {program}, about {n}K tokens",
            url=v.shown_url(values[v.BASE_URL]),
            n=40,
            program=program[0],
        )
    )
    tracer = Tracer(session, values)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="haha-config-", ignore_cleanup_errors=True) as folder:
        user = state.settings.get("user")
        helper = user.data.get("apiKeyHelper") if user is not None else None
        # The person's own, where it is what gives the key.
        own = {"apiKeyHelper": helper} if isinstance(helper, str) and helper else {}
        settings = {**_SETTINGS, **own}
        patience = seconds or caller.patience
        works, said = _asked(program, session.environ, settings, patience, tracer, Path(folder))
    ms = round((time.monotonic() - started) * 1000)
    model = state.slots.get("main", "")
    checks = _checks(session, tracer, works=works, said=said, ms=ms)
    card = Scorecard(model=model, slots=slots_of(model, state), checks=tuple(checks))
    return ProbeReport(cards=(card,))


def _asked(
    program: list[str],
    environ: Mapping[str, str],
    settings: Mapping[str, Any],
    seconds: float,
    tracer: Tracer,
    folder: Path,
) -> tuple[bool, str]:
    """Whether the client says the word, and what it says."""
    word = f"{secrets.token_hex(4)}-{secrets.token_hex(4)}"
    work, config = folder / "work", folder / "config"
    work.mkdir()
    config.mkdir()
    (work / "word.txt").write_text(f"{word}\n", encoding="utf-8")
    with tracer.relayed() as variables:
        own = {**variables, "CLAUDE_CONFIG_DIR": str(config)}
        with settings_file.session_file(folder, own, settings) as file:
            command = [*program, "--settings", str(file), *_WORDS]
            return _said(command, {**environ, **own}, work, seconds, word)


def _said(
    command: list[str], environ: Mapping[str, str], work: Path, seconds: float, word: str
) -> tuple[bool, str]:
    try:
        done = subprocess.run(
            command,
            cwd=work,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False, ""
    except (OSError, ValueError) as error:
        raise unstarted(command[0], error) from None
    try:
        data = json.loads(done.stdout)
        text = str(data["result"])
        failed = bool(data["is_error"])
    except (ValueError, TypeError, KeyError):
        return False, done.stdout or done.stderr
    return done.returncode == 0 and not failed and word in text, text


def _checks(session: Session, tracer: Tracer, *, works: bool, said: str, ms: int) -> list[Check]:
    name = installed_client(session) or session.client
    if works:
        detail = msg(
            "client {name} read and quoted a file in {n} requests", name=name, n=tracer.requests
        )
        shown = msg("shown by the client")
        grades = [Check(name=grade, status="pass", detail=shown) for grade in GRADES[1:]]
        return [Check(name="client", status="pass", detail=detail, ms=ms), *grades]
    reasons = tracer.failures
    what: Message = msg("client {name} gave no answer", name=name)
    if said.strip():
        what = msg("client {name} says: {said}", name=name, said=shortened(said))
    hint = next((hint for _, hint in reasons if hint is not None), None)
    checks = [Check(name="client", status="fail", detail=what, hint=hint, ms=ms)]
    checks += [Check(name="requests", status="fail", detail=why) for why, _ in reasons]
    return checks
