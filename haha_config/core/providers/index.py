"""The provider table, looked up by what a set-up shows: a base URL, a LiteLLM model name."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from haha_config.core import urls
from haha_config.core.providers.model import KeyKind, Model, Provider, Providers


class Endpoint(Struct, frozen=True, kw_only=True):
    """One base URL of the table, and the key kind that it is for (None: the row's own)."""

    row: Provider
    url: str
    region: str
    kind: KeyKind | None = None


class ProviderIndex:
    """Built once per State; every look-up is a dictionary's."""

    def __init__(self, providers: Providers) -> None:
        self.providers = providers
        self._rows: dict[tuple[str, str], tuple[Provider | None, bool]] = {}

    @cached_property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every direct endpoint with an address of its own."""
        return tuple(
            Endpoint(row=row, url=url, region=region, kind=kind)
            for row in self.providers.values()
            if not row.multi and "direct" in row.routes
            for kind in (None, *row.credential.kinds)
            for region, url in (row if kind is None else kind).base_urls.items()
            if url
        )

    def at(self, base_url: str) -> Endpoint | None:
        """The endpoint of the table that `base_url` leads to; a loopback port counts as a row.

        A URL with the client's own path behind it (`/v1`, `/v1/messages`) is still its row's.
        """
        bare = urls.without_endpoint(base_url)
        return next((e for e in self.endpoints if urls.same(e.url, bare)), None)

    def host(self, base_url: str) -> tuple[Endpoint, ...]:
        """The endpoints of the table on this host (and port), whatever their path."""
        url = urls.parse(base_url)
        return () if url is None else self._by_host.get(_address(url), ())

    @cached_property
    def _by_host(self) -> dict[tuple[str, int], tuple[Endpoint, ...]]:
        found: dict[tuple[str, int], tuple[Endpoint, ...]] = {}
        for endpoint in self.endpoints:
            url = urls.parse(endpoint.url)
            if url is not None:
                key = _address(url)
                found[key] = (*found.get(key, ()), endpoint)
        return found

    def upstream_only(self, base_url: str) -> Provider | None:
        """The row whose OpenAI-style address this is, if its host has no Anthropic endpoint."""
        url = urls.parse(base_url)
        if url is None or self.host(base_url):
            return None
        return self._by_upstream_host.get(_address(url))

    @cached_property
    def _by_upstream_host(self) -> dict[tuple[str, int], Provider]:
        found: dict[tuple[str, int], Provider] = {}
        for row in self.providers.values():
            for base in row.upstream_bases.values():
                url = urls.parse(base)
                if url is not None:
                    found.setdefault(_address(url), row)
        return found

    def behind(self, model: str, api_base: str) -> Provider | None:
        """The row that LiteLLM calls for `litellm_params.model`; None: no row says.

        An address that no row has belongs to the row for any such address, if the prefix has
        one; `listed` tells the two apart.
        """
        return self._found(model, api_base)[0]

    def listed(self, model: str, api_base: str) -> Provider | None:
        """The row behind it where the table knows this service itself, not only how to talk."""
        row, sure = self._found(model, api_base)
        return row if sure else None

    def _found(self, model: str, api_base: str) -> tuple[Provider | None, bool]:
        asked = (model, api_base)
        if asked not in self._rows:
            self._rows[asked] = self._behind(model, api_base)
        return self._rows[asked]

    def _behind(self, model: str, api_base: str) -> tuple[Provider | None, bool]:
        candidates = self._with_prefix(model)
        if not candidates:
            return None, False
        for same in (urls.same, _same_host):
            for row in candidates:
                if any(base and same(base, api_base) for base in row.upstream_bases.values()):
                    return row, True
        own = next((row for row in candidates if not all(row.upstream_bases.values())), None)
        if not api_base:
            listed = next((row for row in candidates if row is not own), None)
            return listed or own, listed is not None
        prefix = candidates[0].upstream.prefix if candidates[0].upstream else ""
        if len(candidates) == 1 and prefix not in _SHARED:
            # A prefix of one service names it wherever it listens (a mirror, a private host).
            return candidates[0], True
        return own or candidates[0], False

    def _with_prefix(self, model: str) -> tuple[Provider, ...]:
        """The rows that LiteLLM may mean by `model`; one without a prefix must be theirs."""
        prefix, slash, _ = model.partition("/")
        if slash:
            return self._by_prefix.get(f"{prefix}/", ())
        rows = self._by_prefix.get(_BARE, ())
        return rows if any(row.model(model) for row in rows) else ()

    @cached_property
    def _by_prefix(self) -> dict[str, tuple[Provider, ...]]:
        found: dict[str, tuple[Provider, ...]] = {}
        for row in self.providers.values():
            if row.upstream is not None:
                for prefix in (row.upstream.prefix, *row.upstream.other_prefixes):
                    found[prefix] = (*found.get(prefix, ()), row)
        return found

    def known(self, row: Provider | None, model: str) -> Model | None:
        """What the table knows of a model; `model` with or without LiteLLM's prefix."""
        if row is None:
            return None
        bare = plain_model(row, model)
        found = row.model(bare)
        if found is None and row.local:
            return row.model(bare.removesuffix(":latest")) or _of_family(row, bare)
        return found


#: Measured: LiteLLM sends these to `/responses`, whatever the chat-completions flag says.
ALWAYS_RESPONSES: Final = re.compile(r"gpt-(5\.([4-9]|\d\d)|[6-9])")


def litellm_prefix(row: Provider, model: str, base_url: str) -> str:
    """The prefix to write for a model of `row` at `base_url`.

    A server that is not OpenAI's has no `/responses`: there `hosted_vllm/` reaches
    `/chat/completions` for the names that `openai/` would not.
    """
    how = row.upstream
    assert how is not None  # noqa: S101 - only rows that LiteLLM reaches have entries
    foreign = base_url not in how.api_base.values()
    if how.prefix == _BARE and foreign and ALWAYS_RESPONSES.match(model):
        return "hosted_vllm/"
    return how.prefix


def plain_model(row: Provider, model: str) -> str:
    """`model` as the row's service calls it: without the prefix that is LiteLLM's."""
    if row.upstream is None:
        return model
    prefixes = (row.upstream.prefix, *row.upstream.other_prefixes)
    return next((model.removeprefix(p) for p in prefixes if model.startswith(p)), model)


def _of_family(row: Provider, name: str) -> Model | None:
    """`llama3:8b` is `llama3` in another size: it can or can't call tools just the same."""
    family, colon, _ = name.partition(":")
    found = row.model(family) if colon else None
    if found is None:
        return None
    return replace(found, id=name, context=None, output=None, retired=None)


#: Prefixes that say how to talk, not to whom.
_SHARED = frozenset({"openai/", "anthropic/", "hosted_vllm/"})
#: Where LiteLLM sends a known model without a prefix.
_BARE = "openai/"


def _address(url: urls.Url) -> tuple[str, int]:
    return ("127.0.0.1" if url.loopback else url.host, url.port)


def _same_host(one: str, other: str) -> bool:
    a, b = urls.parse(one), urls.parse(other)
    return a is not None and b is not None and _address(a) == _address(b)
