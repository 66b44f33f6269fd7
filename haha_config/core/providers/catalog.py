"""The offline model catalog: sizes, abilities and prices, for when no endpoint answers.

Its text is `templates/catalog.json`, made by `tools/catalog.py`; loaded only by commands that list
models. Where a provider row says something else about a model, the row wins.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from haha_config.core.model import Data, plain_name
from haha_config.core.providers.model import Model, Provider

#: What the catalog says of a model beside its name.
_FILLED: Final = ("context", "output", "tools", "thinking", "retired")


class Price(Struct, frozen=True):
    """USD per million tokens."""

    input: float
    output: float


class CatalogEntry(Struct, frozen=True, kw_only=True):
    """A model as the catalog knows it. `provider` is a row's key; `price` None: unknown."""

    provider: str
    model: Model
    price: Price | None = None
    source: str = ""


class Catalog(Struct, frozen=True, kw_only=True):
    """`date`: when it was made; `sources`: the packages and versions that it was made from."""

    date: str
    sources: tuple[str, ...]
    entries: Mapping[tuple[str, str], CatalogEntry]

    def find(self, provider: str, name: str) -> CatalogEntry | None:
        """The model of a row; `[1m]` at the end of a name is the client's, not the model's."""
        return self.entries.get((provider, plain_name(name)))


def parse(text: str) -> Catalog:
    """The catalog from its JSON text, which is our own: a wrong shape is a bug."""
    data = json.loads(text)
    sources = tuple(data["sources"])
    entries = {
        (provider, model["id"]): _entry(provider, model, sources)
        for provider, models in data["providers"].items()
        for model in models
    }
    return Catalog(date=data["date"], sources=sources, entries=entries)


def _entry(provider: str, data: Mapping[str, Data], sources: tuple[str, ...]) -> CatalogEntry:
    price = data.get("price")
    known: dict[str, Data] = {name: data.get(name) for name in _FILLED}
    return CatalogEntry(
        provider=provider,
        model=Model(id=data["id"], **known),
        price=Price(*price) if price else None,
        source=sources[data["source"]],
    )


def describe(catalog: Catalog, row: Provider, name: str) -> CatalogEntry:
    """What row and catalog know of `name` together; for an unknown name, only the name."""
    listed, found = row.model(name), catalog.find(row.key, name)
    if found is None:
        return CatalogEntry(provider=row.key, model=listed or Model(id=name))
    if listed is None:
        return found
    return replace(found, model=joined(listed, found.model))


def joined(first: Model, second: Model) -> Model:
    """What two sources know of a model; what `first` says wins."""
    told = {f: x for f in first.__struct_fields__ if (x := getattr(first, f)) not in (None, {})}
    return replace(second, **told)


def offered(catalog: Catalog, row: Provider) -> tuple[CatalogEntry, ...]:
    """Every model of a row: its own list first, in its order, then the rest of the catalog's."""
    names = dict.fromkeys(m.id for m in row.models)
    names.update(dict.fromkeys(name for key, name in catalog.entries if key == row.key))
    return tuple(describe(catalog, row, name) for name in names)


def search(
    entries: Iterable[CatalogEntry], words: str = "", *, tools: bool = False, min_context: int = 0
) -> Iterator[CatalogEntry]:
    """The entries that hold every one of `words` and are known to meet the rest."""
    wanted = words.casefold().split()
    for entry in entries:
        name = f"{entry.provider} {entry.model.id}".casefold()
        if not all(word in name for word in wanted):
            continue
        if tools and not entry.model.tools:
            continue
        if min_context and (entry.model.context or 0) < min_context:
            continue
        yield entry


def per_million(per_token: Data) -> float | None:
    """A price per token, a number (LiteLLM) or a text (OpenRouter), in USD per million tokens.

    Negative values are OpenRouter's way to say "it depends", and None like anything unreadable.
    """
    try:
        value = float(per_token)
    except (TypeError, ValueError):
        return None
    return round(value * 1_000_000, 4) if value >= 0 else None
