"""The models that a set-up reaches, for the client's own `/model` menu."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from haha_config.core import urls
from haha_config.core.change import beside, picker
from haha_config.core.change import plan as plans
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
from haha_config.io import machine, templates
from haha_config.io.loopback import Servers
from haha_config.workflow.listing import facts


def with_picker(answers: Answers, state: State, held: CurrentSetup, servers: Servers) -> Answers:
    """The answers with the menu of what they reach, and a window that fits all of it."""
    if not beside.elsewhere(answers.base_url):
        return answers
    reach = replace(
        held,
        slots=answers.slots,
        provider=answers.provider,
        base_url=answers.base_url,
        upstreams=(*held.upstreams, *answers.upstreams),
    )
    names = dict.fromkeys((*state.models, *(u.name for u in answers.upstreams)))
    kept = [name for name in names if name not in answers.drop]
    own = kept if answers.port is not None else None
    entries = list(_entries(reach, own, state.providers, servers))
    shown = picker.options(entries, machine.today())
    there = owned.at(state.target.data, owned.PICKER)
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
    there = owned.at(state.target.data, owned.PICKER)
    if not state.owned.has(state.target.path, owned.PICKER, there):
        return (), None
    entries = list(_on_disk(replace(held, slots=slots), state, servers))
    shown = picker.options(entries, machine.today())
    return shown, picker.smallest(entries, shown)


def reached(held: CurrentSetup, state: State, servers: Servers) -> dict[str, CatalogEntry]:
    """What the set-up on disk reaches, by the name that the client asks for."""
    found: dict[str, CatalogEntry] = {}
    bare = {plain_name(name) for name in held.slots.values()}
    for entry in _on_disk(held, state, servers):
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


def _on_disk(held: CurrentSetup, state: State, servers: Servers) -> Iterator[CatalogEntry]:
    own = state.models if held.own_gateway else None
    return _entries(held, own, state.providers, servers)


def _entries(
    reach: CurrentSetup, own: Iterable[str] | None, providers: Providers, servers: Servers
) -> Iterator[CatalogEntry]:
    """In the order of the configuration: the slots' models as they are written, then the rest.

    `own`: the names of its own gateway. A server of this machine tells of its windows itself.
    """
    catalog = catalogs.parse(templates.text("catalog.json"))
    for name, provider, model, base_url in _behind(reach, own, providers, servers):
        row, port = providers.get(provider), urls.local_port(base_url)
        entry = CatalogEntry(provider=provider, model=Model(id=name))
        if row is not None:
            entry = catalogs.describe(catalog, row, model)
        told = servers.window(port, model) if port is not None else None
        known = replace(entry.model, id=name, context=told or entry.model.context)
        yield replace(entry, model=known)


def _behind(
    reach: CurrentSetup, own: Iterable[str] | None, providers: Providers, servers: Servers
) -> Iterator[tuple[str, str, str, str]]:
    """Each name with the provider, model and base URL behind it; "" where nothing is known."""
    asked = list(dict.fromkeys(plans.all_slots(reach.slots).values()))
    if own is not None:
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
