"""`use`: point a scope at a saved profile, at the one before, or at nothing of ours."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import typer
from msgspec.structs import replace

from haha_config.cli import options as o
from haha_config.core import variables as v
from haha_config.core.change import plan as plans
from haha_config.core.errors import HahaError, Usage
from haha_config.core.messages import Message, msg
from haha_config.core.model import SLOTS, Plan, Write
from haha_config.core.rules.rule import holders
from haha_config.core.setup.profile import Profile
from haha_config.core.state.state import State
from haha_config.io import profile_files, report
from haha_config.io.i18n import _
from haha_config.workflow import profiles
from haha_config.workflow.apply import WriteOptions, WriteResult, report_result, write
from haha_config.workflow.session import Session, is_terminal
from haha_config.workflow.switch import conversations, moved, overridden

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
@o.takes(*o.WRITING, "follow")
def use(
    name: str | None = typer.Argument(
        None,
        metavar="[NAME|-|off]",
        help=_("A profile; `-` is the previous one."),
    ),
    keyring: bool = typer.Option(False, "--keyring", help=_("Keep its key in the keyring.")),
    here: bool = typer.Option(False, "--here", help=_("For this folder only (--scope local).")),
    *,
    shared: o.SharedOptions,
) -> int:
    session = (replace(shared, scope="local") if here else shared).start()
    if name is None:
        name = _ask(session, plain=shared.plain, silent=shared.yes or shared.as_json)
    elif name == "-":
        name = profiles.previous(session)
    # With a name nothing is asked, as with `switch-model`: only the guard may ask.
    manner = shared.writing(f"use {name}", yes=shared.yes or not is_terminal())
    if name == "off":
        from haha_config.workflow.uninstall import off

        return off(session, manner)
    return _point(session, name, manner, keyring=keyring)


def _point(session: Session, name: str, manner: WriteOptions, *, keyring: bool) -> int:
    profile = profiles.load(session, name)
    kept = _into_keyring(session, profile, manner) if keyring else None
    if kept is not None:
        profile = kept.profile
    helper = profiles.helper(session, profile)
    made = profiles.answers(session, profile)
    before = session.state()
    # The variables that say where requests go, as they will be written.
    slots = {SLOTS[slot]: model for slot, model in plans.all_slots(made.slots).items()}
    over = overridden(
        before,
        {v.BASE_URL: made.base_url, **slots},
        lambda _: shlex.join(("haha-config", "use", name, "--here")),
        as_json=manner.as_json,
    )

    def build() -> Plan:
        from haha_config.workflow.gitignore import protected

        plan = protected(plans.build(made, session.state(), session.starts, helper))
        extra = profiles.moved(session, kept) if kept is not None else ()
        freed = _freed(session.state()) if helper else ()
        return replace(plan, writes=(*plan.writes, *freed, *extra))

    outcome = write(session, build, manner, previewed=not manner.dry_run)
    if manner.dry_run:
        return report_result(outcome, manner)
    _close(session, outcome, made.port)
    outcome.next += over if manner.as_json else ()
    if outcome.applied:
        outcome.next += conversations(before, session.state(), "haha-config use -")
    if kept is not None and kept.keys and helper:
        held = msg("The undo history holds old keys (only you can read it). Delete it:")
        outcome.next += (held, "  haha-config undo --purge")
    after = session.state().from_scope
    move = moved(before.from_scope.slots, after.slots, after)
    move = move or msg("wrote {paths}", paths=outcome.written)
    headline = msg("`{name}` is in use: {move}", name=name, move=move)
    return report_result(outcome, manner, headline)


def _freed(state: State) -> Iterator[Write]:
    """Stronger layers without their credential, which would outrank the helper.

    One beside a base URL of its own belongs to another set-up, and stays.
    """
    for holder in holders(state):
        if holder.layer == state.scope:
            return
        names = [name for name in v.CREDENTIALS if holder.values.get(name)]
        if holder.layer in ("local", "project") and names and not holder.values.get(v.BASE_URL):
            yield plans.edited(holder.file, [holder.remove(n) for n in names], "", secret=False)


def _into_keyring(
    session: Session, profile: Profile, manner: WriteOptions
) -> profiles.SavedProfile:
    """The profile with its key in the keyring.

    Raises HahaError where the provider does not take a key in both headers.
    """
    if not profiles.takes_helper(session, profile) and _accepts_both(session, profile, manner):
        profile = replace(profile, either=True)
    if not profiles.takes_helper(session, profile) or len(profile.keys) != 1:
        raise HahaError(
            msg(
                "`{name}` can't use a keyring: its provider is not known to accept a key"
                " in two headers",
                name=profile.name,
            ),
            hints=(*_if_it_does(session, profile), f"haha-config use {profile.name}"),
        )
    return profiles.with_keyring(session, profile, dry_run=manner.dry_run)


def _accepts_both(session: Session, profile: Profile, manner: WriteOptions) -> bool:
    """What its person says of an endpoint that no table knows; nobody is asked without a terminal.

    `--yes` agrees to what is written, and this is a fact about somebody's server.
    """
    if manner.yes or not profiles.asks_for_helper(session, profile):
        return False
    return session.prompter(plain=manner.plain).confirm(
        msg("Does this endpoint accept a key as `Authorization: Bearer` and `x-api-key` at once?"),
        default=False,
        why=msg("The client sends a key from a keyring in both."),
        flag="--keyring",
    )


def _if_it_does(session: Session, profile: Profile) -> tuple[Message, ...]:
    """How somebody who knows better says so, without a terminal."""
    if not profiles.asks_for_helper(session, profile):
        return ()
    path = report.short(str(profile_files.path(session.config_folder, profile.name)))
    return (msg("if this endpoint does: write `either = true` above [keys] in {path}", path=path),)


def _close(session: Session, outcome: WriteResult, port: int | None) -> None:
    from haha_config.workflow.read_state import findings

    outcome.findings = findings(session)
    if port is None or not outcome.applied:
        return
    from haha_config.io import loopback
    from haha_config.workflow.gateway.site import site, status_of

    if loopback.who(port) != "litellm":
        outcome.next.append(msg("start the gateway: {command}", command="haha-config proxy up"))
    elif status_of(site(session)).stale is not False:
        outcome.next.append(
            msg(
                "the running gateway has the old files: {command}",
                command="haha-config proxy restart",
            )
        )


def _ask(session: Session, *, plain: bool, silent: bool) -> str:
    known = profile_files.names(session.config_folder)
    if not known:
        raise HahaError(
            msg("there is no profile yet"),
            hints=("haha-config profile save NAME", "haha-config init"),
        )
    if silent or not is_terminal():
        raise Usage(
            msg("no profile is given: {known}", known=tuple(known)), hints=("haha-config use NAME",)
        )
    from haha_config.io.prompts import Choice

    prompter = session.prompter(plain=plain)
    current = profiles.current(session, session.state())
    rows = [
        Choice(value=n, title=n, note=profiles.about(session, n), marked=n == current)
        for n in known
    ]
    return prompter.select(
        msg("Which profile?"),
        rows,
        default=current,
        why=msg("`use -` goes back to the previous one."),
        search=True,
        flag="NAME",
    )
