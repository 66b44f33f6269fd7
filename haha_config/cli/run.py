"""`run`: start the client on this set-up, isolated from what is written later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from msgspec.structs import replace
from typer.core import TyperCommand

from haha_config.cli import options as o
from haha_config.core import variables as v
from haha_config.core.change import beside
from haha_config.core.change import plan as plans
from haha_config.core.change.plan import slots_after
from haha_config.core.errors import Usage
from haha_config.core.messages import msg
from haha_config.core.model import Data, Place, Plan, plain_name
from haha_config.core.providers.decode import did_you_mean
from haha_config.core.setup import draft as drafts
from haha_config.core.setup.answers import Answers
from haha_config.core.state import configured
from haha_config.core.state.configured import CurrentSetup
from haha_config.core.state.state import State
from haha_config.core.trust import Credential
from haha_config.io import loopback, settings_file
from haha_config.io.i18n import _
from haha_config.workflow import launch, profiles, trust
from haha_config.workflow.configure import prepared
from haha_config.workflow.discover import discover
from haha_config.workflow.gateway.site import end_session, ensure_ours, join_gateway
from haha_config.workflow.session import Session

app = typer.Typer(rich_markup_mode=None, add_completion=False)


_CLIENT = "haha_config.client_arguments"


class _Split(TyperCommand):
    """What follows `--` is the client's; only what stands before it can name a profile."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ours, theirs = args, []
        if "--" in args:
            cut = args.index("--")
            ours, theirs = args[:cut], args[cut + 1 :]
        ctx.meta[_CLIENT] = theirs
        # A file may follow `--trace=` and need not.
        ours = ["--trace=-" if word == "--trace" else word for word in ours]
        return super().parse_args(ctx, ours)


@app.command(cls=_Split, options_metavar="[OPTIONS]")
@o.takes(*o.WHERE, "trusting", "quiet")
def run(
    context: typer.Context,
    name: str | None = typer.Argument(
        None,
        metavar="[PROFILE] [-- CLIENT ARGS]",
        help=_("A profile; default: the current set-up. Words after `--` go to the client."),
    ),
    model: str | None = typer.Option(None, "--model", help=_("The model of this session.")),
    unlisted: o.Unlisted = False,
    trace: str | None = typer.Option(
        None,
        "--trace",
        metavar="[=FILE]",
        help=_("Show each request and what failed; FILE gets everything."),
    ),
    *,
    shared: o.SharedOptions,
) -> int:
    session = shared.session(reads=True)
    arguments: list[str] = context.meta[_CLIENT]
    model = None if model is None else drafts.model_name(model)
    program = launch.client_program(session)
    try:
        if name is not None:
            _ensure_agreed(session, session.state(), program, settled=frozenset(v.OWNED))
            values, settings = profile_variables(session, name, model, unlisted=unlisted)
        else:
            values, settings = _variables(session, program, model, unlisted=unlisted), {}
        if trace is None:
            return start(session, program, values, arguments, settings)
        from haha_config.workflow.trace import traced

        with traced(session, values, arguments, trace) as relayed:
            return start(session, program, relayed, arguments, settings)
    finally:
        end_session(session)


def _variables(
    session: Session, program: Sequence[str], model: str | None, *, unlisted: bool
) -> dict[str, str]:
    """Every owned variable of a session on what is configured, its gateway started."""
    state = session.state()
    state.check_written()
    values = launch.session_variables(state, model, unlisted=unlisted)
    _ensure_agreed(session, state, program)
    _ensure_gateway(session, state, configured.read(state))
    return values


def _ensure_agreed(
    session: Session, state: State, program: Sequence[str], settled: frozenset[str] = frozenset()
) -> None:
    """That the client would follow nothing that only the folder says. Raises HahaError."""
    use = trust.Use(
        command="run",
        runs=True,
        program=launch.launcher(session, program),
        settled=settled,
        credentials=tuple(_others(session, state)),
    )
    trust.ensure(session, state, use)


def _others(session: Session, state: State) -> Iterator[Credential]:
    """What the client sends of its own accord: the key of a login, or a login where no key is."""
    from haha_config.io import machine

    primary = machine.client_state(session.environ, session.home).primary_api_key
    if primary is not None:
        yield Credential(name="primaryApiKey", place=primary)
    if not any(state.value(name) for name in v.CREDENTIALS):
        yield Credential(name="login", place=Place())


def _ensure_gateway(session: Session, state: State, held: CurrentSetup) -> None:
    """Start the gateway of these files where nobody listens on its port."""
    if not held.own_gateway or held.port is None:
        return
    from haha_config.workflow.gateway.life import start_gateway

    join_gateway(session, held.port)
    if not loopback.listens(held.port):
        start_gateway(session, kept=False)
    ensure_ours(session, state, "run")


def profile_variables(
    session: Session, name: str, model: str | None, *, unlisted: bool = False
) -> tuple[dict[str, str], dict[str, Data]]:
    """Every owned variable of a profile's session, and what stands beside them in its settings.

    No target is read or written. A profile that needs a gateway gets one of its own, in a folder
    and on a port of its own, so that sessions on two profiles never meet. Raises HahaError where
    a key is missing or the gateway does not start.
    """
    profile = profiles.load(session, name)
    helper = profiles.helper(session, profile)
    draft = profiles.filled(session, profile, profiles.draft_from_profile(session, profile))
    row = session.providers[draft.provider]
    apart = session
    if drafts.route(draft, row) == "litellm":
        # Its files are ours, in our data folder.
        folder = session.data_folder / "gateways" / name
        apart = replace(session, folder=folder, reads=False, client="claude")
        draft = replace(draft, port=_own_port(apart, draft.port))
    found = discover(apart, draft)
    made = prepared(apart, draft, found, header=profile.header).answers
    if model:
        if made.upstreams and not unlisted:
            _check_upstream(model, [u.name for u in made.upstreams])
        moved = slots_after(made.slots, model, {}, everything=False)
        made = replace(made, slots={**made.slots, **moved})
    if made.port is not None:
        _start_gateway(apart, made, made.port)
    values = {
        **dict.fromkeys((*v.CHOSEN, *v.CLOUDS), ""),
        **plans.client_variables(made, session.providers, helper),
        **beside.session_headers(made.credential if made.key_header else "", found.state),
    }
    if made.permissions == "keep":
        values.pop(v.AUTO_MODE_SERVER)
    settings = {v.HELPER: helper} if helper else {}
    return values, {**settings, **beside.session_settings(made)}


def _check_upstream(model: str, names: Sequence[str]) -> None:
    """Raises Usage for a name that the profile's gateway will not have."""
    if plain_name(model) not in names:
        raise Usage(
            msg("the profile's gateway has no model `{name}`: {known}", name=model, known=names),
            hints=did_you_mean(model, names),
        )


def _own_port(apart: Session, wanted: int | None) -> int:
    """The port that this gateway has, else a free one: another may have the profile's own."""
    held = apart.state().gateway_port
    if held is not None:
        return held
    taken = {
        replace(apart, folder=other).state().gateway_port
        for other in apart.folder.parent.glob("*")
        if other != apart.folder
    }
    # The profile's own port is left to the gateway that `proxy up` starts.
    port = loopback.free_port((wanted or drafts.DEFAULT_PORT) + 1)
    while port in taken:
        port = loopback.free_port(port + 1)
    return port


def _start_gateway(apart: Session, made: Answers, port: int) -> None:
    from haha_config.workflow.gateway.life import start_gateway

    def build() -> Plan:
        return Plan(writes=tuple(plans.gateway_writes(made, apart.state(), apart.starts)))

    apart.commit(build, "run")
    join_gateway(apart, port)
    start_gateway(apart, kept=False)


def start(
    session: Session,
    program: Sequence[str],
    values: Mapping[str, str],
    arguments: Sequence[str],
    settings: Mapping[str, Data] | None = None,
) -> int:
    """Run the client with a private settings file, and give back its exit code."""
    from haha_config.io.foreground import wait_for

    where = settings_file.folder(session.environ, session.state_folder)
    environ = {**session.environ, **values}
    with settings_file.session_file(where, values, settings) as path:
        command = [*program, "--settings", str(path), *arguments]
        return wait_for(command, environ, cwd=Path.cwd())
