"""How much a set-up's models can read: asked of servers on this machine, looked up elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from haha_config.core import urls
from haha_config.core.change import plan as plans
from haha_config.core.model import Slot, plain_name
from haha_config.core.providers import catalog as catalogs
from haha_config.core.providers.model import Providers, Upstream
from haha_config.core.setup.answers import Answers
from haha_config.core.state.configured import CurrentSetup
from haha_config.io import templates
from haha_config.io.loopback import Servers

#: What is written where nobody knows: a new client would assume a million.
ASSUMED: Final = 200_000


def with_window(
    answers: Answers, held: CurrentSetup, providers: Providers, servers: Servers
) -> Answers:
    """The answers with the smallest window that a server or the catalog tells of.

    A window that the person gave stays. Where no window is known at all, one is assumed.
    """
    if answers.context:
        return answers
    upstreams = (*held.upstreams, *answers.upstreams) if answers.port is not None else None
    names = plans.all_slots(answers.slots).values()
    pairs = _behind(names, upstreams, answers.provider, answers.base_url)
    told = list(windows(pairs, providers, servers))
    if told:
        return replace(answers, context=min(told))
    known = any(m is not None and m.context for m in plans.models_of(answers, providers))
    return answers if known else replace(answers, context=ASSUMED, assumed=True)


def windows(
    pairs: Iterable[tuple[str, str, str]], providers: Providers, servers: Servers
) -> Iterator[int]:
    """The windows that are told of (provider, model, base URL) beside the table's own."""
    catalog: catalogs.Catalog | None = None
    for key, name, base_url in pairs:
        port = urls.local_port(base_url)
        if port is not None:
            live = servers.window(port, plain_name(name))
            if live is not None:
                yield live
            continue
        row = providers.get(key)
        listed = row.model(name) if row is not None else None
        if row is None or (listed is not None and listed.context):
            continue
        catalog = catalog or catalogs.parse(templates.text("catalog.json"))
        found = catalogs.describe(catalog, row, plain_name(name)).model.context
        if found:
            yield found


def told(
    slots: Mapping[Slot, str], held: CurrentSetup, providers: Providers, servers: Servers
) -> tuple[int, ...]:
    """The same for a set-up that is on disk."""
    upstreams = held.upstreams if held.own_gateway else None
    pairs = _behind(slots.values(), upstreams, held.provider, held.base_url)
    return tuple(windows(pairs, providers, servers))


def _behind(
    names: Iterable[str], upstreams: Iterable[Upstream] | None, provider: str, base_url: str
) -> Iterator[tuple[str, str, str]]:
    """(provider, model, base URL) behind each name; `upstreams` None: there is no gateway."""
    by_name = {u.name: u for u in upstreams or ()}
    for name in dict.fromkeys(names):
        one = by_name.get(plain_name(name))
        if one is not None:
            yield one.provider, one.model, one.base_url
        elif upstreams is None:
            yield provider, name, base_url
