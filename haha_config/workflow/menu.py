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
from haha_config.core.providers.catalog import Catalog, CatalogEntry
from haha_config.core.providers.model import Model, Providers, Upstream
from haha_config.core.setup.answers import Answers
from haha_config.core.state import owned
from haha_config.core.state.configured import CurrentSetup
from haha_config.core.state.state import State
from haha_config.io import loopback, machine, templates
from haha_config.workflow.listing import facts


def with_picker(answers: Answers, state: State, held: CurrentSetup) -> Answers:
    """The answers with the menu of what they reach, and a window that fits all of it."""
    if not beside.elsewhere(answers.base_url):
        return answers
    upstreams = (*held.upstreams, *answers.upstreams)
    names = dict.fromkeys((*state.models, *(u.name for u in answers.upstreams)))
    kept = [name for name in names if name not in answers.drop]
    own = kept if answers.port is not None else None
    entries = list(
        _entries(answers.slots, own, upstreams, answers.provider, answers.base_url, state.providers)
    )
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
    slots: Mapping[Slot, str], held: CurrentSetup, state: State
) -> tuple[tuple[Mapping[str, Data], ...], int | None]:
    """The menu of a set-up on disk after a switch, and its smallest window; none without ours."""
    there = owned.at(state.target.data, owned.PICKER)
    if not state.owned.has(state.target.path, owned.PICKER, there):
        return (), None
    entries = list(_entries_of(slots, held, state))
    shown = picker.options(entries, machine.today())
    return shown, picker.smallest(entries, shown)


def reached(held: CurrentSetup, state: State) -> dict[str, CatalogEntry]:
    """What the set-up on disk reaches, by the name that the client asks for."""
    found: dict[str, CatalogEntry] = {}
    bare = {plain_name(name) for name in held.slots.values()}
    for entry in _entries_of(held.slots, held, state):
        name = entry.model.id
        if name in held.slots.values() or name not in bare:
            found.setdefault(name, entry)
    return found


def _entries_of(
    slots: Mapping[Slot, str], held: CurrentSetup, state: State
) -> Iterator[CatalogEntry]:
    own = state.models if held.own_gateway else None
    return _entries(slots, own, held.upstreams, held.provider, held.base_url, state.providers)


def described(entry: CatalogEntry, state: State) -> Message | None:
    """Window, tools, price and provider, as far as they are known."""
    row = state.providers.get(entry.provider)
    known = facts(entry)
    if row is None or known is None:
        return known or (rows.named(row) if row is not None else None)
    return msg("{facts}, {name}", facts=known, name=rows.named(row))


def _entries(
    slots: Mapping[Slot, str],
    own: Iterable[str] | None,
    upstreams: Iterable[Upstream],
    provider: str,
    base_url: str,
    providers: Providers,
) -> Iterator[CatalogEntry]:
    """In the order of the configuration: the slots' models as they are written, then the rest."""
    catalog = catalogs.parse(templates.text("catalog.json"))
    behind = {u.name: u for u in upstreams}
    asked = list(dict.fromkeys(plans.all_slots(slots).values()))
    bare = {plain_name(name): name for name in asked}
    if own is not None:
        for name in own:
            yield _named(bare.get(name, name), behind.get(name), providers, catalog)
        return
    row = providers.get(provider)
    port = urls.local_port(base_url)
    names = [*asked, *(m.id for m in row.models)] if row is not None else asked
    if port is not None:
        names = [*asked, *(loopback.models(port, 0.5) or ())]
    for name in names:
        known = catalogs.describe(catalog, row, plain_name(name)) if row else None
        entry = known or CatalogEntry(provider=provider, model=Model(id=name))
        yield _measured(entry, name, base_url, plain_name(name))


def _named(
    name: str, upstream: Upstream | None, providers: Providers, catalog: Catalog
) -> CatalogEntry:
    if upstream is None or upstream.provider not in providers:
        return CatalogEntry(provider="", model=Model(id=name))
    entry = catalogs.describe(catalog, providers[upstream.provider], upstream.model)
    return _measured(entry, name, upstream.base_url, upstream.model)


def _measured(entry: CatalogEntry, name: str, base_url: str, model: str) -> CatalogEntry:
    """The entry under its name here, with the window that a server of this machine tells of."""
    port = urls.local_port(base_url)
    told = loopback.window(port, model) if port is not None else None
    known = replace(entry.model, id=name, context=told or entry.model.context)
    return replace(entry, model=known)
