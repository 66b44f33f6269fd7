"""`switch-model`: point slots at another model that is already within reach."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence

import typer

from haha_config.cli import options as o
from haha_config.core.change import plan as plans
from haha_config.core.errors import FINE, Usage
from haha_config.core.messages import Message, msg
from haha_config.core.model import SLOTS, Plan, Slot
from haha_config.core.setup.draft import model_name, parse_slot
from haha_config.core.state import configured
from haha_config.core.state.configured import CurrentSetup
from haha_config.core.state.layers import LayerName
from haha_config.core.state.state import State
from haha_config.io.i18n import _
from haha_config.io.loopback import Servers
from haha_config.workflow.apply import WriteOptions, WriteResult, live_lines, report_result, write
from haha_config.workflow.menu import described, reached, switched
from haha_config.workflow.session import Session, is_terminal
from haha_config.workflow.switch import check_known, conversations, limits, moved, overridden

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
@o.takes(*o.WRITING, "follow")
def switch_model(
    name: str | None = typer.Argument(None, help=_("The model; without it, you are asked.")),
    slot: list[str] = typer.Option(
        [], "--slot", metavar="SLOT=ID", help=_("Only this kind of work; repeatable.")
    ),
    everything: bool = typer.Option(False, "--all", help=_("For everything.")),
    unlisted: o.Unlisted = False,
    *,
    shared: o.SharedOptions,
) -> int:
    session = shared.start()
    whole = session.state()
    # What stronger files hold is not moved: half of what this file holds would be.
    state = whole.from_scope
    held = configured.read(state)
    state.check_written()
    if not held.configured:
        raise configured.nothing()
    slots = dict(parse_slot(one) for one in slot)
    over: list[Message] = []
    if name is None and not slots:
        over = _override(whole, state.slots, [], shared)
        name = _ask(session, state, held, plain=shared.plain, silent=shared.yes)
    name = None if name is None else model_name(name)
    chosen = plans.slots_after(state.slots, name, slots, everything=everything)
    words = [*filter(None, [name]), *(f"--slot={one}" for one in slot)]
    over = over or _override(whole, chosen, words, shared)
    servers = Servers()
    for model in dict.fromkeys(chosen.values()):
        check_known(model, state, held, servers, unlisted=unlisted)
    # With a name, or nobody to ask, nothing is asked: the command line said it all.
    manner = shared.writing("switch-model", yes=True)
    # A server is asked once, and not under the lock.
    after = {**state.slots, **chosen}
    shown, least = switched(after, held, state, servers)
    depends = limits(after, held, state, servers, least)

    def build() -> Plan:
        return plans.switch(chosen, depends, session.state(), shown)

    outcome = write(session, build, manner, previewed=not manner.dry_run)
    if manner.dry_run and not manner.as_json:
        return FINE
    outcome.next += over if manner.as_json else ()
    return _say(session, outcome, whole, chosen, manner)


# --- asking and telling ----------------------------------------------------------------------


def _override(
    state: State, slots: Mapping[Slot, str], words: Sequence[str], shared: o.SharedOptions
) -> list[Message]:
    """Say which files win over what is about to be written, before anything is."""

    def there(layer: LayerName) -> Message | str:
        return shlex.join(("haha-config", "switch-model", *words, "--scope", layer))

    wanted = {SLOTS[slot]: model for slot, model in slots.items()}
    return overridden(state, wanted, there, as_json=shared.as_json)


def _ask(session: Session, state: State, held: CurrentSetup, *, plain: bool, silent: bool) -> str:
    if silent or not is_terminal():
        raise Usage(msg("no model is given"), hints=("haha-config switch-model NAME",))
    from haha_config.io.prompts import Choice

    prompter = session.prompter(plain=plain)
    current = state.slots.get("main", "")
    return prompter.select(
        msg("Which model?"),
        [
            Choice(value=name, title=name, note=described(entry, state), marked=name == current)
            for name, entry in reached(held, state, Servers()).items()
        ],
        default=current or None,
        why=msg("Everything that uses {current} switches too.", current=current or "main"),
        search=True,
        flag="NAME",
    )


def _say(
    session: Session,
    outcome: WriteResult,
    before: State,
    chosen: Mapping[Slot, str],
    manner: WriteOptions,
) -> int:
    from haha_config.workflow.read_state import owners

    state = session.state()
    main = chosen.get("main") or next(iter(chosen.values()))
    if outcome.applied:
        outcome.next += live_lines(session, outcome.plan, main)
        outcome.next += _fallback(before, state)
        back = shlex.join(("haha-config", "switch-model", before.slots.get("main", "")))
        outcome.next += conversations(before, state, back)
    outcome.findings += owners(session)
    old = before.from_scope.slots
    headline = moved(old, {**old, **chosen}, state.from_scope)
    headline = headline or msg("wrote {paths}", paths=outcome.written)
    return report_result(outcome, manner, headline)


def _fallback(before: State, after: State) -> Iterator[Message]:
    """What the gateway goes on with now where the main model fails."""
    old, new = (state.slots.get("main", "") for state in (before, after))
    others = after.fallbacks_of(new)
    if others:
        yield msg("{model}; if it fails: {names}", model=new, names=others)
    elif before.fallbacks_of(old):
        line = shlex.join(("haha-config", "init", "--fallback", "NAME"))
        yield msg("{model} has no fallback: {command}", model=new, command=line)
