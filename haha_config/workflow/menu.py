"""The models that a set-up reaches, how much they can read, and the client's `/model` menu."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from haha_config.core import urls
from haha_config.core.change import beside, picker
from haha_config.core.change import plan as plans
from haha_config.core.edit.text import at
from haha_config.core.messages import Message, msg
from haha_config.core.model import Data, Slot, plain_name
from haha_config.core.providers import catalog as catalogs
from haha_config.core.providers import table as rows
from haha_config.core.providers.catalog import CatalogEntry
from haha_config.core.providers.model import Model, Providers
from haha_config.core.setup.answers import Answers
from haha_config.core.state import owned
from haha_config.core.state.configured import CurrentSetup
from haha_config.core.state.state import State
from haha_config.io import machine
from haha_config.io.loopback import Servers
from haha_config.workflow.listing import catalog, facts

#: What is written where nobody knows: a new client would assume a million.
ASSUMED: Final = 200_000


def reached_by(answers: Answers, held: CurrentSetup) -> CurrentSetup:
    """The set-up that these answers make of the one on disk, as far as its models go."""
    return replace(
        held,
        slots=plans.all_slots(answers.slots),
        provider=answers.provider,
        base_url=answers.base_url,
        upstreams=(*held.upstreams, *answers.upstreams),
        own_gateway=answers.port is not None,
    )


# --- how much they can read ------------------------------------------------------------------


def with_window(
    answers: Answers, held: CurrentSetup, providers: Providers, servers: Servers
) -> Answers:
    """The answers with the smallest window that a server or the catalog tells of.

    A window that the person gave stays. Where no window is known at all, one is assumed.
    """
    if answers.context:
        return answers
    told = windows(reached_by(answers, held), providers, servers)
    if told:
        return replace(answers, context=min(told))
    known = any(m is not None and m.context for m in plans.models_of(answers, providers))
    return answers if known else replace(answers, context=ASSUMED, assumed=True)


def windows(reach: CurrentSetup, providers: Providers, servers: Servers) -> list[int]:
    """The windows of the slots' models that are told beside the table's own.

    Servers of this machine are asked; what is elsewhere is looked up.
    """
    upstreams = {u.name: u for u in reach.upstreams} if reach.own_gateway else {}
    found: list[int | None] = []
    for name in dict.fromkeys(reach.slots.values()):
        one = upstreams.get(plain_name(name))
        if one is None and reach.own_gateway:
            continue
        key, model, base_url = reach.provider, name, reach.base_url
        if one is not None:
            key, model, base_url = one.provider, one.model, one.base_url
        port, row = urls.local_port(base_url), providers.get(key)
        if port is not None:
            found.append(servers.window(port, plain_name(model)))
        elif row is not None and not ((listed := row.model(model)) and listed.context):
            known = catalogs.describe(catalog(), row, plain_name(model))
            found.append(known.model.context)
    return [size for size in found if size]


# --- the menu --------------------------------------------------------------------------------


def with_picker(answers: Answers, state: State, held: CurrentSetup, servers: Servers) -> Answers:
    """The answers with the menu of what they reach, and a window that fits all of it."""
    if not beside.elsewhere(answers.base_url):
        return answers
    names = dict.fromkeys((*state.models, *(u.name for u in answers.upstreams)))
    own = [name for name in names if name not in answers.drop]
    entries = list(_entries(reached_by(answers, held), own, state.providers, servers))
    shown = picker.options(entries, machine.today())
    there = at(state.target.data, owned.PICKER)
    shown = picker.kept(shown, there, lambda name: _same(name, answers, held))
    least = picker.smallest(entries, shown)
    if least is None or answers.assumed:
        return replace(answers, picker=shown)
    return replace(answers, picker=shown, context=min(least, answers.context or least))


def _same(name: str, answers: Answers, held: CurrentSetup) -> bool:
    """Whether a name stands for the model that it stood for: its server may be off now."""
    if not urls.same(answers.base_url, held.base_url):
        return False
    before = {u.name: (u.model, u.base_url) for u in held.upstreams}
    after = {u.name: (u.model, u.base_url) for u in answers.upstreams}
    bare = plain_name(name)
    return after.get(bare, before.get(bare)) == before.get(bare)


def switched(
    slots: Mapping[Slot, str], held: CurrentSetup, state: State, servers: Servers
) -> tuple[tuple[Mapping[str, Data], ...], int | None]:
    """The menu of a set-up on disk after a switch, and its smallest window; none without ours."""
    there = at(state.target.data, owned.PICKER)
    if not state.owned.has(state.target.path, owned.PICKER, there):
        return (), None
    entries = list(_entries(replace(held, slots=slots), state.models, state.providers, servers))
    shown = picker.options(entries, machine.today())
    return shown, picker.smallest(entries, shown)


def reached(held: CurrentSetup, state: State, servers: Servers) -> dict[str, CatalogEntry]:
    """What the set-up on disk reaches, by the name that the client asks for."""
    found: dict[str, CatalogEntry] = {}
    bare = {plain_name(name) for name in held.slots.values()}
    for entry in _entries(held, state.models, state.providers, servers):
        name = entry.model.id
        if name in held.slots.values() or name not in bare:
            found.setdefault(name, entry)
    return found


def described(entry: CatalogEntry, state: State) -> Message | None:
    """Window, tools, price and provider, as far as they are known."""
    row = state.providers.get(entry.provider)
    known = facts(entry)
    if row is None or known is None:
        return known or (rows.named(row) if row is not None else None)
    return msg("{facts}, {name}", facts=known, name=rows.named(row))


def _entries(
    reach: CurrentSetup, own: Iterable[str], providers: Providers, servers: Servers
) -> Iterator[CatalogEntry]:
    """In the order of the configuration: the slots' models as they are written, then the rest.

    `own`: the names of its own gateway. A server of this machine tells of its windows itself.
    """
    for name, provider, model, base_url in _behind(reach, own, providers, servers):
        row, port = providers.get(provider), urls.local_port(base_url)
        entry = CatalogEntry(provider=provider, model=Model(id=name))
        if row is not None:
            entry = catalogs.describe(catalog(), row, model)
        told = servers.window(port, model) if port is not None else None
        known = replace(entry.model, id=name, context=told or entry.model.context)
        yield replace(entry, model=known)


def _behind(
    reach: CurrentSetup, own: Iterable[str], providers: Providers, servers: Servers
) -> Iterator[tuple[str, str, str, str]]:
    """Each name with the provider, model and base URL behind it; "" where nothing is known."""
    asked = list(dict.fromkeys(plans.all_slots(reach.slots).values()))
    if reach.own_gateway:
        bare = {plain_name(name): name for name in asked}
        upstreams = {u.name: u for u in reach.upstreams if u.provider in providers}
        for name in own:
            one, shown = upstreams.get(name), bare.get(name, name)
            yield (shown, one.provider, one.model, one.base_url) if one else (shown, "", "", "")
        return
    row, port = providers.get(reach.provider), urls.local_port(reach.base_url)
    rest = [m.id for m in row.models] if row is not None else []
    if port is not None:
        rest = list(servers.models(port) or ())
    for name in (*asked, *rest):
        yield name, reach.provider, plain_name(name), reach.base_url
