"""The models that can be chosen: from the endpoint itself where it answers soon, else our list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from haha_config.core import urls
from haha_config.core.exchange import Dialogue
from haha_config.core.messages import Message, msg, nmsg
from haha_config.core.model import plain_name
from haha_config.core.probe import model_list
from haha_config.core.probe.client_profile import credential
from haha_config.core.probe.model_list import Listing
from haha_config.core.providers import catalog as catalogs
from haha_config.core.providers import table as rows
from haha_config.core.providers.catalog import Catalog, CatalogEntry
from haha_config.core.providers.index import ProviderIndex
from haha_config.core.providers.model import Model, Provider
from haha_config.core.setup import draft as drafts
from haha_config.io import report
from haha_config.workflow.listing import run_dialogue

#: Seconds that a person waits for a live list.
PATIENCE: Final = 2.0
#: Seconds that nobody notices.
_UNNOTICED: Final = 0.2


class Offer(Struct, frozen=True, kw_only=True):
    """What a row offers, models that have ended last.

    `said` tells where the list is from; `live`: the endpoint gave it; `today`: an ISO date.
    """

    entries: tuple[CatalogEntry, ...]
    said: Message
    live: bool = False
    today: str = ""

    def entry(self, name: str) -> CatalogEntry | None:
        plain = plain_name(name)
        return next((e for e in self.entries if plain_name(e.model.id) == plain), None)

    def ended(self, entry: CatalogEntry | None) -> bool:
        """Whether the provider no longer answers to it."""
        return bool(entry and entry.model.retired and entry.model.retired <= self.today)


class Offers:
    """Each list is fetched once. A key goes to the endpoint of its own row and nowhere else."""

    def __init__(self, value: Callable[[str], str], *, today: str, plain: bool) -> None:
        self._value = value
        self.today = today
        self._plain = plain
        self._known: dict[tuple[str, str, str], Offer] = {}

    def of(self, row: Provider, base_url: str, key: str) -> Offer:
        """The offer of this row at this endpoint."""
        at = (row.key, base_url, key)
        if at not in self._known:
            offer = replace(self._offer(row, base_url, key), today=self.today)
            self._known[at] = replace(offer, entries=tuple(sorted(offer.entries, key=offer.ended)))
        return self._known[at]

    def context(self, provider: str, model: str) -> int | None:
        """The window of a model in any list that was fetched; None: unknown."""
        windows = (entry.model.context for entry in self._told(provider, model))
        return next((window for window in windows if window), None)

    def known(self, row: Provider | None, model: str, rows: ProviderIndex) -> Model | None:
        """What is known of a row's model: by the lists that were fetched, else by the table."""
        told = next(self._told(row.key, model), None) if row is not None else None
        return told.model if told is not None else rows.known(row, model)

    def lacks(self, provider: str, model: str) -> bool:
        """Whether the row's own endpoint was asked for its models, and does not list this one."""
        asked = any(offer.live for (key, _, _), offer in self._known.items() if key == provider)
        return asked and next(self._told(provider, model), None) is None

    def _told(self, provider: str, model: str) -> Iterator[CatalogEntry]:
        for (key, _, _), offer in self._known.items():
            entry = offer.entry(model) if key == provider else None
            if entry is not None:
                yield entry

    @cached_property
    def _catalog(self) -> Catalog:
        from haha_config.io import templates

        return catalogs.parse(templates.text("catalog.json"))

    def _offer(self, row: Provider, base_url: str, key: str) -> Offer:
        listing = self._live(row, base_url, key)
        if listing is not None and listing.entries:
            entries = tuple(model_list.described(listing.entries, row, self._catalog))
            count = nmsg("{n} model", "{n} models", n=len(entries))
            said = msg("{count}, as {where} lists them now.", count=count, where=_host(base_url))
            return Offer(entries=entries, said=said, live=True)
        return self._offline(row, listing)

    def _offline(self, row: Provider, listing: Listing | None) -> Offer:
        entries = tuple(catalogs.offered(self._catalog, row))
        known = msg("Built-in list of {date}:", date=self._catalog.date)
        if not entries:
            known = msg("Type the model's name.")
        if listing is None:
            return Offer(entries=entries, said=known)
        problem = listing.problem or msg("it has no models yet")
        said = msg("No live list: {problem}. {known}", problem=problem, known=known)
        return Offer(entries=entries, said=said)

    def _live(self, row: Provider, base_url: str, key: str) -> Listing | None:
        """The live list, within our patience; None where nobody can be asked."""
        discovery = row.discovery
        if discovery is None or not base_url or not (key or discovery.public):
            return None
        headers = credential(key, drafts.header(row, key))
        dialogue = _hurried(model_list.ask_for(discovery, base_url, headers))
        slow = msg("no answer within {n} s", n=int(PATIENCE))
        asking = msg("asking {where} for its models …", where=_host(base_url))
        return _soon(
            lambda: run_dialogue(dialogue, self._value),
            Listing(problem=slow),
            lambda: report.waiting(asking, plain=self._plain),
        )


def list_base(row: Provider, region: str, key: str, url: str) -> str:
    """The base URL that a row's list is read from, on either route."""
    if "direct" in row.routes:
        return urls.without_endpoint(url) if url else rows.endpoint(row, region, key)
    return url or row.upstream_base(region)


def _host(base_url: str) -> str:
    found = urls.parse(base_url)
    return base_url if found is None else found.host


def _hurried(dialogue: Dialogue[Listing]) -> Dialogue[Listing]:
    """The same dialogue in short waits."""
    try:
        asks = next(dialogue)
        while True:
            answers = yield [replace(ask, timeout=PATIENCE) for ask in asks]
            asks = dialogue.send(answers)
    except StopIteration as end:
        listing: Listing = end.value
        return listing


def _soon(
    fetch: Callable[[], Listing], late: Listing, waiting: Callable[[], AbstractContextManager[None]]
) -> Listing:
    """What `fetch` returns, or `late`. In a thread, since a name server's silence can't be cut.

    `waiting` says meanwhile what is awaited; a quick answer needs no word.
    """
    from threading import Thread

    found: list[Listing] = []

    def run() -> None:
        from haha_config.core.errors import HahaError

        try:
            found.append(fetch())
        except HahaError as error:
            found.append(Listing(problem=error.what))

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(_UNNOTICED)
    if thread.is_alive():
        with waiting():
            thread.join(PATIENCE - _UNNOTICED)
    return found[0] if found else late
