"""What an endpoint says it offers, in each dialect of model lists, with what we know of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import urlencode, urljoin, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from haha_config.core.exchange import Dialogue, HttpExchange, Request
from haha_config.core.messages import Message, msg
from haha_config.core.model import Data, from_json, is_model_name, mapping, objects
from haha_config.core.providers import catalog as catalogs
from haha_config.core.providers import table as rows
from haha_config.core.providers.catalog import Catalog, CatalogEntry, Price, per_million
from haha_config.core.providers.model import Discovery, Model, Provider, Providers
from haha_config.core.state.configured import CurrentSetup

#: A list that never ends is somebody's mistake: OpenRouter needs two pages of 500 today.
PAGES: Final = 20
TIMEOUT: Final = 10.0
_ENOUGH: Final = 200


class Listing(Struct, frozen=True, kw_only=True):
    """The models of an endpoint, or why there is no list."""

    entries: tuple[CatalogEntry, ...] = ()
    problem: Message | None = None


# --- asking ----------------------------------------------------------------------------------


def ask_for(discovery: Discovery, base_url: str, headers: Mapping[str, str]) -> Dialogue[Listing]:
    """The dialogue that reads a live list. `headers` hold the credential, or nothing if public."""
    sent = {} if discovery.public else dict(headers)
    url = rows.at(discovery.url, base_url)
    if discovery.kind == "ollama":
        return (yield from _ollama(url, sent))
    found: list[CatalogEntry] = []
    for _page in range(PAGES):
        (answer,) = yield [_get(url, sent)]
        data = _object(answer)
        if data is None:
            return Listing(problem=_why(answer))
        found += _entries(discovery.kind, data)
        following = _next(data, url)
        if following is None:
            break
        url = following
    return Listing(entries=tuple(found))


def _get(url: str, headers: Mapping[str, str]) -> Request:
    return Request(
        key="models",
        method="GET",
        url=url,
        headers={"accept": "application/json", **headers},
        timeout=TIMEOUT,
    )


def _next(data: Mapping[str, Data], url: str) -> str | None:
    """The next page: OpenRouter's `links.next`, Anthropic's `has_more`. Never another host."""
    following = mapping(data.get("links")).get("next")
    if isinstance(following, str) and following:
        try:
            there = urljoin(url, following)
            same = urlsplit(there)[:2] == urlsplit(url)[:2]
        except ValueError:
            return None
        return there if same and there != url else None
    last = data.get("last_id")
    if data.get("has_more") is True and isinstance(last, str):
        return f"{url.split('?')[0]}?{urlencode({'limit': 1000, 'after_id': last})}"
    return None


def _ollama(url: str, headers: Mapping[str, str]) -> Dialogue[Listing]:
    """`/api/tags` for the names, `/api/show` for what each can do."""
    (answer,) = yield [_get(url, headers)]
    data = _object(answer)
    if data is None:
        return Listing(problem=_why(answer))
    listed = (m.get("name") for m in objects(data.get("models")))
    names = [name for name in listed if is_model_name(name)][:_ENOUGH]
    show = urljoin(url, "show")
    shown = yield [
        replace(_get(show, headers), method="POST", body={"model": name}) for name in names
    ]
    pairs = zip(names, shown, strict=True)
    return Listing(entries=tuple(_ollama_entry(name, _object(e) or {}) for name, e in pairs))


def _ollama_entry(name: str, data: Mapping[str, Data]) -> CatalogEntry:
    able = data.get("capabilities")
    sizes = mapping(data.get("model_info")).items()
    context = next((n for key, n in sizes if str(key).endswith(".context_length")), None)
    model = Model(
        id=name.removesuffix(":latest"),
        context=context if isinstance(context, int) else None,
        tools=_among("tools", able),
        thinking=_among("thinking", able),
    )
    return CatalogEntry(provider="ollama", model=model)


# --- reading ---------------------------------------------------------------------------------


def _entries(kind: str, data: Mapping[str, Data]) -> Iterator[CatalogEntry]:
    read = _openrouter if kind == "openrouter" else _openai
    for item in objects(data.get("data")):
        if is_model_name(item.get("id")):
            yield read(item)


def _openrouter(item: Mapping[str, Data]) -> CatalogEntry:
    able = item.get("supported_parameters")
    top, price = mapping(item.get("top_provider")), mapping(item.get("pricing"))
    per_input, per_output = per_million(price.get("prompt")), per_million(price.get("completion"))
    cost = None
    if per_input is not None and per_output is not None:
        cost = Price(per_input, per_output)
    model = Model(
        id=item["id"],
        context=_size(item.get("context_length")) or _size(top.get("context_length")),
        output=_size(top.get("max_completion_tokens")),
        tools=_among("tools", able),
        thinking=_among("reasoning", able),
        retired=_date(item.get("expiration_date")),
    )
    return CatalogEntry(provider="openrouter", model=model, price=cost)


def _openai(item: Mapping[str, Data]) -> CatalogEntry:
    """OpenAI's shape and what its imitators add: vLLM's window, LM Studio's, llama.cpp's."""
    trained = mapping(item.get("meta")).get("n_ctx_train")
    sizes = (item.get("max_model_len"), item.get("max_context_length"), trained)
    model = Model(
        id=item["id"],
        context=next((s for s in map(_size, sizes) if s), None),
        retired=_date(item.get("shutdown_date")),
    )
    return CatalogEntry(provider="", model=model)


def _among(name: str, able: Data) -> bool | None:
    return name in able if isinstance(able, list) else None


def _size(value: Data) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _date(value: Data) -> str | None:
    """An ISO date; OpenAI writes dates, other services seconds since 1970, which are not read."""
    found = re.match(r"\d{4}-\d{2}-\d{2}", value) if isinstance(value, str) else None
    return found[0] if found else None


def _object(answer: HttpExchange) -> Mapping[str, Data] | None:
    data = from_json(answer.body) if answer.status == 200 and not answer.failure else None
    return data if isinstance(data, dict) else None


def _why(answer: HttpExchange) -> Message:
    url = answer.ask.url
    if answer.failure:
        from haha_config.core.probe.diagnosis import silence

        return silence(answer)
    if answer.status in (401, 403):
        return msg("{url} refused the key (HTTP {status})", url=url, status=answer.status)
    if answer.status == 200:
        return msg("{url} answered no model list", url=url)
    return msg("{url} answered HTTP {status}", url=url, status=answer.status)


# --- joining ---------------------------------------------------------------------------------


def described(
    listing: Iterable[CatalogEntry], row: Provider, catalog: Catalog
) -> Iterator[CatalogEntry]:
    """Live entries with what the row and the catalog know; what is live wins."""
    for live in listing:
        known = catalogs.describe(catalog, row, live.model.id)
        yield _over(live, known, row.key)


def gateway(
    names: Iterable[str], held: CurrentSetup, table: Providers, catalog: Catalog
) -> Iterator[CatalogEntry]:
    """The names of a gateway, described by the model that each leads to."""
    behind = {u.name: u for u in held.upstreams}
    for name in names:
        upstream = behind.get(name)
        if upstream is None or upstream.provider not in table:
            yield CatalogEntry(provider="litellm", model=Model(id=name))
            continue
        known = catalogs.describe(catalog, table[upstream.provider], upstream.model)
        live = CatalogEntry(provider=upstream.provider, model=Model(id=name))
        yield _over(live, known, upstream.provider)


def _over(live: CatalogEntry, known: CatalogEntry, provider: str) -> CatalogEntry:
    model = catalogs.joined(live.model, known.model)
    return replace(known, provider=provider, model=model, price=live.price or known.price)
