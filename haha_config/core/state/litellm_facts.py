"""What LiteLLM knows, as `templates/facts/litellm.json` says: made from the pinned LiteLLM."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Final

from msgspec import Struct

from haha_config.core import urls


class LiteLLMFacts(Struct, frozen=True, kw_only=True, dict=True):
    """Names that LiteLLM takes; see `tools/facts` for where each comes from.

    `endpoints`: addresses that name a provider by themselves. `bare`: a provider -> the models
    that need no prefix. `routes`: a provider -> the path that is called below its `api_base`.
    `needs_key`: providers that LiteLLM refuses without a key. `lacks`: a provider -> a package
    that is not installed with LiteLLM, as `callbacks` has for each name that may be one ("" for
    none). `key_variables`: where LiteLLM itself looks for a key.
    """

    version: str = ""
    date: str = ""
    providers: frozenset[str] = frozenset()
    endpoints: tuple[str, ...] = ()
    bare: Mapping[str, frozenset[str]] = {}
    bare_patterns: Mapping[str, str] = {}
    parameters: frozenset[str] = frozenset()
    sections: Mapping[str, frozenset[str]] = {}
    strategies: tuple[str, ...] = ()
    callbacks: Mapping[str, str] = {}
    proxy_callbacks: frozenset[str] = frozenset()
    other_modes: Mapping[str, frozenset[str]] = {}
    models: Mapping[str, frozenset[str]] = {}
    key_variables: Mapping[str, tuple[str, ...]] = {}
    routes: Mapping[str, str] = {}
    needs_key: frozenset[str] = frozenset()
    no_chat: frozenset[str] = frozenset()
    whole_address: frozenset[str] = frozenset()
    lacks: Mapping[str, str] = {}

    def provider(self, model: str, api_base: str = "", custom: str = "") -> str:
        """The provider that LiteLLM takes for an entry; "" where it drops the entry."""
        if custom:
            return custom if custom in self.providers else ""
        prefix, slash, _ = model.partition("/")
        if slash and prefix in self.providers:
            return prefix
        called = urls.parse(api_base)
        if called is not None and any(_within(called, known) for known in self.known_endpoints):
            # Which provider a known address names does not matter to a rule.
            return "openai"
        return self._of_bare(model)

    @cached_property
    def known_endpoints(self) -> tuple[urls.Url, ...]:
        found = (urls.parse(e if "://" in e else f"https://{e}") for e in self.endpoints)
        return tuple(url for url in found if url is not None)

    def _of_bare(self, model: str) -> str:
        for provider, names in self.bare.items():
            if model in names:
                return provider
        if any(model in names and "/" not in model for names in self.other_modes.values()):
            return "openai"
        if model.startswith(("ft:gpt-3.5-turbo", "ft:gpt-4")):
            return "openai"
        for pattern, provider in self.bare_patterns.items():
            if re.search(pattern, model, re.IGNORECASE):
                return provider
        return ""

    def mode(self, model: str) -> str:
        """What a model is for where that is no chat: `embedding`, …; "" for chat or unknown."""
        bare = model.partition("/")[2] or model
        for mode, names in self.other_modes.items():
            if model in names or bare in names:
                return mode
        return ""


def _within(url: urls.Url, known: urls.Url) -> bool:
    path = known.path.rstrip("/")
    return url.host == known.host and (url.path.rstrip("/") + "/").startswith(path + "/")


#: Nothing is known: no rule that asks finds anything.
EMPTY: Final = LiteLLMFacts()
