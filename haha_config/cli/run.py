"""`run`: start the client on this set-up, isolated from what is written later."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

from haha_config.cli import options as o
from haha_config.cli.env import owned_variables
from haha_config.cli.session import Session, open_session
from haha_config.core import setup
from haha_config.core import variables as v
from haha_config.core.errors import HahaError
from haha_config.core.messages import msg
from haha_config.core.model import SLOTS
from haha_config.core.plan import slots_after
from haha_config.core.state import State
from haha_config.io import places, settings_file
from haha_config.io.words import t

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(
    help=t("Start the client on this set-up, for this session only."),
    context_settings={"allow_interspersed_args": False, "ignore_unknown_options": False},
)
def run(
    arguments: list[str] | None = typer.Argument(
        None, metavar="[-- CLIENT ARGS]", help=t("Passed on to the client.")
    ),
    model: str | None = typer.Option(None, "--model", help=t("The model of this session.")),
    folder: o.Dir = None,
    project: o.Project = None,
    scope: o.ScopeOption = "user",
    client: o.ClientOption = None,
    quiet: o.Quiet = False,
    _lang: o.Lang = None,
) -> int:
    session = open_session(
        folder=folder, project=project, scope=scope, client=client, quiet=quiet, reads=True
    )
    state = session.state()
    for file in (state.target, state.dotenv):
        if file.error is not None:
            raise file.error
    values = session_variables(state, model)
    program = client_program(session)
    return start(session, program, values, arguments or [])


def session_variables(state: State, model: str | None) -> dict[str, str]:
    """Every owned variable of this session; "" where it must not come from anywhere else.

    Raises HahaError where nothing is configured.
    """
    found = owned_variables(state)
    if not found.get(v.BASE_URL):
        raise HahaError(msg("nothing is configured here"), hints=("haha-config init",))
    values = {**dict.fromkeys(v.OWNED, ""), **found}
    if model:
        from haha_config.cli.switch_model import limits

        held = setup.read(state)
        moved = slots_after(state.slots, model, {}, everything=False)
        values.update({SLOTS[slot]: name for slot, name in moved.items()})
        after = {**state.slots, **moved}
        values.update({n: w or "" for n, w in limits(after, held, state).items()})
    return values


def client_program(session: Session) -> list[str]:
    """The client's command.

    Raises HahaError where it is not installed.
    """
    if session.client == "haha":
        checkout = places.checkout(session.cwd) or places.checkout(session.folder)
        if checkout is not None:
            return [str(checkout / places.LAUNCHER)]
        name = "claude-haha"
    else:
        name = "claude"
    found = shutil.which(name, path=session.environ.get("PATH"))
    if found is None:
        raise HahaError(
            msg("`{name}` is not on your PATH", name=name),
            hints=(
                msg("npm install -g @anthropic-ai/claude-code")
                if name == "claude"
                else msg("run this inside the claude-haha checkout"),
            ),
        )
    return [found]


def start(
    session: Session, program: Sequence[str], values: Mapping[str, str], arguments: Sequence[str]
) -> int:
    """Run the client with a private settings file, and give back its exit code."""
    from haha_config.io.child import wait_for

    where = settings_file.folder(session.environ, session.state_folder)
    environ = {**session.environ, **values}
    with settings_file.session_file(where, values) as path:
        command = [*program, "--settings", str(path), *arguments]
        return wait_for(command, environ, cwd=Path.cwd())
