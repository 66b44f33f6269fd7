"""The client's program, and the variables of a session that it is started with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from haha_config.core import variables as v
from haha_config.core.change.plan import slots_after
from haha_config.core.errors import HahaError
from haha_config.core.messages import msg
from haha_config.core.model import SLOTS
from haha_config.core.state import configured
from haha_config.core.state.state import State, owned_variables
from haha_config.io import paths, programs
from haha_config.workflow import trust
from haha_config.workflow.session import Session


def session_variables(state: State, model: str | None, *, unlisted: bool = False) -> dict[str, str]:
    """Every owned variable of this session; "" where it must not come from anywhere else.

    Raises HahaError where nothing is configured, and Usage for a model that is not offered.
    """
    values = {**dict.fromkeys(v.OWNED, ""), **set_variables(state)}
    if model:
        from haha_config.io.loopback import Servers
        from haha_config.workflow.switch import check_known, limits

        held = configured.read(state)
        servers = Servers()
        check_known(model, state, held, servers, unlisted=unlisted)
        moved = slots_after(state.slots, model, {}, everything=False)
        values.update({SLOTS[slot]: name for slot, name in moved.items()})
        after = {**state.slots, **moved}
        values.update({n: w or "" for n, w in limits(after, held, state, servers).items()})
    return values


def set_variables(state: State) -> dict[str, str]:
    """The variables that are set. Raises HahaError where there is no endpoint among them."""
    found = owned_variables(state)
    if not found.get(v.BASE_URL):
        raise configured.nothing()
    if state.value(v.HEADERS):
        found[v.HEADERS] = state.value(v.HEADERS)
    return found


def checkout(session: Session) -> Path | None:
    """The claude-haha checkout that this session is in."""
    return paths.checkout(session.cwd) or paths.checkout(session.folder)


def launcher(session: Session, program: Sequence[str]) -> Path | None:
    """The checkout's own start file, where that is what `program` runs."""
    top = checkout(session)
    own = None if top is None else top / paths.LAUNCHER
    return own if str(own) == program[0] else None


def client_program(session: Session) -> list[str]:
    """The client's command. Raises HahaError where it is not installed."""
    if session.client == "haha":
        found_at = checkout(session)
        if found_at is not None:
            return [str(found_at / paths.LAUNCHER)]
        name = "claude-haha"
    else:
        name = "claude"
    path = session.environ.get("PATH", "")
    found = programs.find(name, path, trust.foreign_folders(session))
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
