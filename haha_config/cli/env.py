"""`env`: the client's variables for a shell."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from typing import Final

import typer

from haha_config.cli import options as o
from haha_config.core import variables as v
from haha_config.core.errors import HahaError
from haha_config.core.messages import msg
from haha_config.io import report
from haha_config.io.i18n import _
from haha_config.workflow import trust
from haha_config.workflow.launch import set_variables
from haha_config.workflow.session import Session, choice

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
@o.takes(*o.WHERE, "trusting", "quiet")
def env(
    shell: str | None = typer.Option(
        None,
        "--shell",
        metavar="sh|fish|pwsh|vscode|docker",
        help=_("For which program; default: the shell in SHELL."),
    ),
    reveal: bool = typer.Option(False, "--reveal", help=_("Print keys on a terminal too.")),
    *,
    shared: o.SharedOptions,
) -> int:
    session = shared.session(reads=True)
    kind = (
        choice("--shell", _ALIKE.get(shell, shell), (*SHELLS, VSCODE))
        if shell
        else _own_shell(session)
    )
    state = session.state()
    state.check_written()
    found = set_variables(state)
    trust.ensure(session, state, trust.Use(command="env"))
    hide = sys.stdout.isatty() and not reveal
    if hide:
        found = {name: v.shown(name, value) for name, value in found.items()}
    if kind == VSCODE:
        report.result(_vscode(found))
    else:
        for name, value in found.items():
            report.result(SHELLS[kind](name, value))
    if hide:
        report.talk(msg("keys are masked on a terminal: add --reveal"))
    return 0


def _own_shell(session: Session) -> str:
    name = session.environ.get("SHELL", "").rsplit("/", 1)[-1]
    if name == "fish":
        return "fish"
    return "pwsh" if not name and sys.platform == "win32" else "sh"


def _sh(name: str, value: str) -> str:
    from shlex import quote

    return f"export {name}={quote(value)}"


def _fish(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{escaped}'"


def _pwsh(name: str, value: str) -> str:
    # PowerShell ends a quoted text at each of these, whichever it began with.
    escaped = re.sub(r"['\u2018-\u201b]", r"\g<0>\g<0>", value)
    return f"$env:{name} = '{escaped}'"


def _docker(name: str, value: str) -> str:
    """A line of `docker run --env-file`: the rest of it is the value, quotes and all.

    Raises HahaError for a value of several lines, which such a file can't hold.
    """
    if "\n" in value:
        raise HahaError(msg("`{name}` has several lines, which --env-file can't hold", name=name))
    return f"{name}={value}"


def _vscode(found: Mapping[str, str]) -> str:
    """What the extension's settings hold: it starts the client with these, and asks no login."""
    import json

    pairs = [{"name": name, "value": value} for name, value in found.items()]
    block = {"claudeCode.disableLoginPrompt": True, "claudeCode.environmentVariables": pairs}
    return json.dumps(block, indent=2, ensure_ascii=False)


SHELLS: Final[Mapping[str, Callable[[str, str], str]]] = {
    "sh": _sh,
    "fish": _fish,
    "pwsh": _pwsh,
    "docker": _docker,
}
VSCODE: Final = "vscode"
#: Shells that take the same lines.
_ALIKE: Final = {"bash": "sh", "zsh": "sh", "dash": "sh", "ksh": "sh", "powershell": "pwsh"}
