"""One look at everything that the rules judge: the files, git, and this machine."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from haha_config.core import urls
from haha_config.core import variables as v
from haha_config.core.model import Finding
from haha_config.core.rules.fix import files
from haha_config.core.state.facts import Compromised
from haha_config.core.state.file import File
from haha_config.core.state.machine import Machine
from haha_config.core.state.state import State
from haha_config.io import disk, git, loopback, machine, paths, templates
from haha_config.workflow import trust
from haha_config.workflow.session import Session


def read_state(
    session: Session, only: frozenset[str] = frozenset(), *, litellm: bool = False
) -> State:
    """The state with what git and the machine say; with `only`, the named targets and git alone.

    `litellm`: with every LiteLLM on this machine, whatever the client's route is.
    """
    state = with_git(session.state(only=only))
    return state if only else replace(state, machine=_machine(session, state, litellm=litellm))


def with_git(state: State) -> State:
    """The state, each file with its standing in git."""
    known = git.standings(f.path for f in files(state) if f.snapshot.data is not None)

    def told(file: File) -> File:
        standing = known.get(file.path)
        if standing is None:
            return file
        snapshot = replace(
            file.snapshot,
            tracked=standing.tracked,
            committed=standing.committed,
            ignored=standing.ignored,
        )
        return replace(file, snapshot=snapshot)

    if not known:
        return state
    return replace(
        state,
        settings={name: told(file) for name, file in state.settings.items()},
        beside={name: tuple(map(told, more)) for name, more in state.beside.items()},
        dotenv=told(state.dotenv),
        litellm=told(state.litellm),
        litellm_env=told(state.litellm_env),
    )


def _machine(session: Session, state: State, *, litellm: bool) -> Machine:
    where = machine.Where(
        environ=session.environ,
        home=session.home,
        client=session.client_folder,
        settings=session.settings_paths["user"],
        folder=session.folder,
        data=session.data_folder,
        foreign=trust.foreign_folders(session),
    )
    # What is known of releases of LiteLLM that somebody had tampered with.
    poisoned = msgspec.toml.decode(templates.text("litellm-compromised.toml"), type=Compromised)
    port = urls.local_port(state.value(v.BASE_URL))
    client = machine.client_state(session.environ, session.home)
    return Machine(
        **trust.facts(session, state),
        today=machine.today(),
        listening={} if port is None else {port: loopback.who(port)},
        litellm=machine.litellm(where, poisoned.markers, poisoned.traces)
        if litellm or state.litellm.exists or state.route == "litellm"
        else (),
        owners=machine.owners(where, port=port, haha=state.client == "haha"),
        agents=machine.agents(
            {session.project / ".claude" / "agents", session.client_folder / "agents"}
            if state.value(v.BASE_URL)
            else ()
        ),
        bun=machine.bun(where) if session.checkout else None,
        packages=machine.packages(where) if session.checkout else None,
        onboarded=client.onboarded,
        primary_api_key=client.primary_api_key,
        journal=bool(disk.pending(session.state_folder)),
        windows_home=machine.windows_home(where),
        client_state=client.path,
        compromised=poisoned.versions,
        oldest=poisoned.oldest,
    )


# --- the rules over what a write has just left behind ----------------------------------------


def findings(session: Session) -> list[Finding]:
    """Errors and warnings, but the machine's: a gateway to be started is what `Next` is about."""
    from haha_config.core.rules import run

    return [f for f in run(read_state(session), (), ("SYS",)) if f.severity != "note"]


def owners(session: Session) -> list[Finding]:
    """What says that another tool writes settings.json too (OWN): asked where one was used."""
    from haha_config.core.rules import run

    used = paths.other_tools(session.home, session.client_folder)
    return run(read_state(session), ("OWN",)) if used else []
