"""How much a set-up's models can read: asked of servers on this machine, looked up elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from haha_config.core import urls
from haha_config.core.change import plan as plans
from haha_config.core.model import Slot
from haha_config.core.providers import catalog as catalogs
from haha_config.core.providers.model import Providers
from haha_config.core.setup.answers import Answers
from haha_config.core.state.configured import CurrentSetup
from haha_config.io import loopback, templates

#: What is written where nobody knows: a new client would assume a million.
ASSUMED: Final = 200_000


def with_window(answers: Answers, held: CurrentSetup, providers: Providers) -> Answers:
    """The answers with the smallest window that a server or the catalog tells of.

    A window that the person gave stays. Where no window is known at all, one is assumed.
    """
    if answers.context:
        return answers
    behind = {u.name: u for u in (*held.upstreams, *answers.upstreams)}
    pairs = []
    for name in dict.fromkeys(plans.all_slots(answers.slots).values()):
        upstream = behind.get(name.removesuffix("[1m]")) if answers.port is not None else None
        pairs.append(
            (upstream.provider, upstream.model, upstream.base_url)
            if upstream is not None
            else (answers.provider, name, answers.base_url)
        )
    told = list(windows(pairs, providers))
    if told:
        return replace(answers, context=min(told))
    known = any(m is not None and m.context for m in plans.models_of(answers, providers))
    return answers if known else replace(answers, context=ASSUMED, assumed=True)


def windows(pairs: Iterable[tuple[str, str, str]], providers: Providers) -> Iterator[int]:
    """The windows that are told of (provider, model, base URL) beside the table's own."""
    catalog: catalogs.Catalog | None = None
    for key, name, base_url in pairs:
        url = urls.parse(base_url)
        if url is not None and url.loopback:
            live = loopback.window(url.port, name.removesuffix("[1m]"))
            if live is not None:
                yield live
            continue
        row = providers.get(key)
        listed = row.model(name) if row is not None else None
        if row is None or (listed is not None and listed.context):
            continue
        catalog = catalog or catalogs.parse(templates.text("catalog.json"))
        found = catalogs.describe(catalog, row, name.removesuffix("[1m]")).model.context
        if found:
            yield found


def told(slots: Mapping[Slot, str], held: CurrentSetup, providers: Providers) -> tuple[int, ...]:
    """The same for a set-up that is on disk."""
    behind = {u.name: u for u in held.upstreams} if held.own_gateway else {}
    pairs = []
    for name in dict.fromkeys(slots.values()):
        upstream = behind.get(name.removesuffix("[1m]"))
        if upstream is not None:
            pairs.append((upstream.provider, upstream.model, upstream.base_url))
        elif not held.own_gateway:
            pairs.append((held.provider, name, held.base_url))
    return tuple(windows(pairs, providers))
