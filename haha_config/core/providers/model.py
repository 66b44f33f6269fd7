"""The records of the provider table, and one upstream of LiteLLM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, field

from haha_config.core.model import Data, Header, Route, Slot, plain_name

#: An ISO date.
Date: TypeAlias = Annotated[str, Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]


class Model(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model of a row. `context` and `output` in tokens; None: unknown.

    `retired` is the ISO date from which the provider no longer answers to this id.
    `env` are client variables that this model asks for (window, output).
    """

    id: str
    context: int | None = None
    output: int | None = None
    tools: bool | None = None
    thinking: bool | None = None
    retired: Date | None = None
    instead: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)


class KeyKind(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind of key that a provider hands out, told by how it starts.

    `region` is where it is good for ("": everywhere). `base_urls` by region, `header` and `slots`
    replace the row's own where this kind needs others (a coding plan). `either`: both headers are
    accepted at once, where it has a header of its own. `fits` False: a key of this
    kind never works for this row, and `about` says why.
    """

    prefix: str
    name: str
    region: str = ""
    base_urls: Mapping[str, str] = field(default_factory=dict)
    header: Header | None = None
    slots: Mapping[Slot, str] = field(default_factory=dict)
    either: bool = False
    fits: bool = True
    about: str = ""


class Credential(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a row's key is found and how the client must send it.

    `variable` "" : no key is needed and `token` is sent instead. `optional`: `token` is sent
    where there is no key. `either`: both headers are accepted, also at once, so that a client may
    fetch the key from a keyring (`apiKeyHelper`). `bearer_hosts`: other hosts of this provider,
    which read `Authorization` only.
    """

    variable: str = ""
    header: Header = "bearer"
    optional: bool = False
    token: str = ""
    url: str = ""
    either: bool = False
    kinds: tuple[KeyKind, ...] = ()
    bearer_hosts: tuple[str, ...] = ()


class Discovery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the live model list is. `kind`: openai, openrouter, ollama, anthropic, litellm.

    `url` holds `{base}` (the endpoint without a final slash) or `{origin}` (its scheme, host and
    port), so that a key never goes to a host that the person did not choose. `public`: it is asked
    without a credential. Below the version `minimum` the server does not speak the Anthropic
    protocol.
    """

    url: str
    kind: Literal["openai", "openrouter", "ollama", "anthropic", "litellm"]
    public: bool = False
    minimum: str = ""


class LiteLLMRoute(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How LiteLLM reaches this row: the model prefix, its api_base by region, extra params.

    `params` are added to `litellm_params`; `params_without_thinking` too, unless the model is
    known to think. `chat_completions`: LiteLLM would call `{api_base}/responses`, which this row
    does not have, so the file needs `use_chat_completions_url_for_anthropic_messages`.
    `key` False: no `api_key` is written. `native`: LiteLLM calls `/v1/messages` there, and hands
    the tools on that the service runs. `other_prefixes`: what people write for the same service.
    """

    prefix: str
    other_prefixes: tuple[str, ...] = ()
    api_base: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, Data] = field(default_factory=dict)
    params_without_thinking: Mapping[str, Data] = field(default_factory=dict)
    chat_completions: bool = False
    native: bool = False
    key: bool = True


class Reported(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that a service is known to do: where that is said, and when it was looked up."""

    source: str
    date: Date


class WebSearch(Reported, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of the client's web search, a tool that the service itself has to run.

    `dropped`: it is left out on the way, so that a model answers from memory.
    """

    result: Literal["works", "refused", "dropped"]
    by: str


class Provider(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of the provider table: where requests end up.

    `routes`: the first is the default. `base_urls`: what the client calls on the direct route, by
    region, the first is the default; "" where the person must give it; empty where there is no
    direct route. `variables`: extra client variables on the direct route.
    `slots`: model ids by slot, `main` first; a missing slot takes `main`'s. `local`: runs on this
    machine, so its default URL is loopback, and `start` is the command that starts it. `multi`:
    the `litellm` row, which takes upstreams. `own_models`: it serves the models of one maker only,
    so those of another such row are not there. `order`: place in the menu.
    `verified`: the ISO date on which the row was checked against the provider's documentation.
    `thinking_back`: a call of a tool must come back with what was thought before it, so that a
    conversation in which another model called one is refused. `web_search` None: not known.
    `defaults`: who says that the slots' models are there, where no catalog has them.
    `search`: what people type who look for it; with `*` it is named where nothing else fits.
    `zh`: the row's English texts (about, notes, kinds) and their Chinese.
    """

    key: str
    name: str
    about: str
    docs: str = ""
    verified: Date = ""
    routes: tuple[Route, ...]
    base_urls: Mapping[str, str] = field(default_factory=dict)
    credential: Credential
    variables: Mapping[str, str] = field(default_factory=dict)
    slots: Mapping[Slot, str] = field(default_factory=dict)
    models: tuple[Model, ...] = ()
    discovery: Discovery | None = None
    upstream: LiteLLMRoute | None = None
    local: bool = False
    multi: bool = False
    own_models: bool = False
    thinking_back: Reported | None = None
    web_search: WebSearch | None = None
    defaults: Reported | None = None
    start: str = ""
    order: int = 100
    search: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    zh: Mapping[str, str] = field(default_factory=dict)

    @property
    def regions(self) -> tuple[str, ...]:
        """The first is the default; a row without a direct route has its upstream's."""
        return tuple(self.base_urls or self.upstream_bases)

    @property
    def region(self) -> str:
        return next(iter(self.regions), "global")

    @property
    def search_words(self) -> str:
        return " ".join((*self.search, *self.slots.values(), *(m.id for m in self.models)))

    @property
    def upstream_bases(self) -> Mapping[str, str]:
        """What LiteLLM calls, by region; empty where it can't, or the person must say it."""
        return self.upstream.api_base if self.upstream is not None else {}

    def upstream_base(self, region: str) -> str:
        """The one of this region, else the first; "" where there is none."""
        return self.upstream_bases.get(region) or next(iter(self.upstream_bases.values()), "")

    def model(self, name: str) -> Model | None:
        plain = plain_name(name)
        return next((m for m in self.models if plain == plain_name(m.id)), None)


Providers: TypeAlias = Mapping[str, Provider]


class Upstream(Struct, frozen=True, kw_only=True):
    """One entry of `model_list`: the name the client sees and what LiteLLM calls.

    `variable` "" : this upstream needs no key. `spare` are the variables of further keys, one
    deployment each; None: it was not said, and those that are there stay.
    """

    name: str
    provider: str
    model: str
    base_url: str
    variable: str = ""
    spare: tuple[str, ...] | None = None

    @property
    def variables(self) -> tuple[str, ...]:
        """Of all its keys; () where it needs none."""
        return (self.variable, *(self.spare or ())) if self.variable else ()
