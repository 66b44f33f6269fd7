"""The provider table: a row's TOML text to a `Provider`, and small look-ups over the rows.

A row is checked strictly: an unknown name or a wrong type is refused with its line, because a row
that a person adds by hand is configuration that keys are sent by.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import UnionType
from typing import Any, Final, NoReturn, cast, get_args

from msgspec.structs import replace

from haha_config.core import urls
from haha_config.core.errors import Refusal, Usage
from haha_config.core.messages import Message, msg
from haha_config.core.model import SLOTS, Data, Header, Place, Route, Slot
from haha_config.core.providers.model import (
    Credential,
    Discovery,
    KeyKind,
    LiteLLMRoute,
    Model,
    Provider,
    Providers,
)
from haha_config.core.variables import BASE_URL, CREDENTIALS, OWNED, SLOT_OF

DISCOVERY_KINDS: Final = ("openai", "openrouter", "ollama", "anthropic", "litellm")
#: The client variables that a row or a model can ask for: ours, but not what a set-up is made of.
SETTABLE: Final = tuple(n for n in OWNED if n not in (BASE_URL, *CREDENTIALS, *SLOT_OF))
_KEY: Final = re.compile(r"[a-z0-9][a-z0-9-]*")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")

#: How keys of services start that are in no row: such a key is never sent to a row of the table.
FOREIGN: Final[Mapping[str, str]] = {
    "sk-ant-": "Anthropic",
    "AIza": "Google",
    "ghp_": "GitHub",
    "github_pat_": "GitHub",
    "gsk_": "Groq",
    "hf_": "Hugging Face",
    "xai-": "xAI",
}


# --- look-ups --------------------------------------------------------------------------------


def closest(name: str, names: Iterable[str]) -> list[str]:
    """Up to three names that `name` could have meant, the nearest first."""
    from difflib import get_close_matches

    by_fold = {n.casefold(): n for n in names}
    near = get_close_matches(name.casefold(), by_fold, n=3, cutoff=0.6)
    return [by_fold[n] for n in near]


def did_you_mean(name: str, names: Iterable[str]) -> tuple[Message, ...]:
    """The hint for a name that is not one of `names`; empty where none is near."""
    near = closest(name, names)
    return (msg("did you mean `{name}`?", name=near[0]),) if near else ()


def load(texts: Iterable[tuple[str, str, str]]) -> Providers:
    """The table from (key, text, path), in menu order; a later row replaces one of the same key."""
    rows = {key: parse(key, text, path=path) for key, text, path in texts}
    return {p.key: p for p in sorted(rows.values(), key=lambda p: (p.order, p.key))}


def row(providers: Providers, key: str) -> Provider:
    """The row, or a usage error that names the nearest keys."""
    if key in providers:
        return providers[key]
    raise Usage(
        msg("there is no provider `{key}`", key=key),
        hints=(*did_you_mean(key, providers), "haha-config providers"),
    )


def local_ports(providers: Providers) -> frozenset[int]:
    """The default ports of the rows that run on this machine."""
    found = (
        urls.parse(base)
        for p in providers.values()
        if p.local and not p.multi
        for base in p.base_urls.values()
    )
    return frozenset(url.port for url in found if url is not None)


def discovery_url(provider: Provider, base_url: str) -> str | None:
    """Where the live model list is for this endpoint, or on the gateway route this upstream."""
    if provider.discovery is None or not base_url:
        return None
    return at(provider.discovery.url, base_url)


def at(url: str, base_url: str) -> str:
    """`url` with `{base}` and `{origin}` filled in from the endpoint."""
    scheme, _, rest = base_url.partition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    return url.replace("{base}", base_url.rstrip("/")).replace("{origin}", f"{scheme}://{host}")


def translations(providers: Providers) -> dict[str, str]:
    """Every row's English texts and their Chinese, for the catalog in use."""
    return {english: chinese for p in providers.values() for english, chinese in p.zh.items()}


def translated(provider: Provider, language: str) -> Provider:
    """The row with its texts in `language` ("zh"); any other language leaves it as it is."""
    if language != "zh":
        return provider

    def say(text: str) -> str:
        return provider.zh.get(text, text)

    kinds = tuple(
        replace(k, name=say(k.name), about=say(k.about)) for k in provider.credential.kinds
    )
    return replace(
        provider,
        name=say(provider.name),
        about=say(provider.about),
        notes=tuple(map(say, provider.notes)),
        credential=replace(provider.credential, kinds=kinds),
    )


# --- keys ------------------------------------------------------------------------------------


def kind_of(provider: Provider, key: str) -> KeyKind | None:
    """The kind of this row that `key` is of, by the longest prefix."""
    kinds = [k for k in provider.credential.kinds if key.startswith(k.prefix)]
    return max(kinds, key=lambda k: len(k.prefix), default=None)


def owner_of(providers: Providers, key: str) -> str | None:
    """Whose key this is, where its beginning tells: a row's name or another service's."""
    owners = {prefix: name for prefix, name in FOREIGN.items() if key.startswith(prefix)}
    for p in providers.values():
        kind = kind_of(p, key)
        if kind is not None and kind.fits and _tells(kind.prefix):
            owners[kind.prefix] = p.name
    return owners[max(owners, key=len)] if owners else None


#: Every service that hands out keys of a known kind makes them longer.
_SHORTEST: Final = 12


def misfit(
    providers: Providers, provider: Provider, key: str, base_url: str = ""
) -> Message | None:
    """Why `key` can't work for this row at `base_url`, or None where nothing says so.

    Rows without kinds (a custom URL, a local server) take any key. The key itself is never named.
    """
    kinds = provider.credential.kinds
    if not kinds:
        return None
    if len(key) < _SHORTEST:
        return msg("no key of {name} is that short: it was not copied whole", name=provider.name)
    kind = kind_of(provider, key)
    if kind is None or not _tells(kind.prefix):
        owner = owner_of(providers, key)
        if owner is not None and owner != provider.name:
            return msg("this is a key of {owner}, not of {name}", owner=owner, name=provider.name)
    if kind is None:
        return None
    if not kind.fits:
        return msg("{kind}: {about}", kind=msg_of(kind.name), about=msg_of(kind.about))
    return _misplaced(provider, kind, base_url)


def endpoint(provider: Provider, region: str, key: str = "") -> str:
    """What the client calls on the direct route with this key in this region."""
    kind = kind_of(provider, key) if key else None
    bases = kind.base_urls if kind is not None and kind.base_urls else provider.base_urls
    return bases.get(region, next(iter(bases.values()), ""))


def msg_of(text: str) -> Message:
    """A row's own text as a message: its Chinese is in the row, not in a catalog."""
    return Message(text.replace("{", "{{").replace("}", "}}"), {})


def named(provider: Provider) -> Message:
    """What a row is called, in the person's language where that is no name of a service."""
    return msg_of(provider.name)


def _misplaced(provider: Provider, kind: KeyKind, base_url: str) -> Message | None:
    """A plan's key at the pay-as-you-go URL, or the other way round."""
    if not base_url:
        return None
    mine = set(map(_bare, (kind.base_urls or provider.base_urls).values()))
    others = {_bare(u) for k in provider.credential.kinds for u in k.base_urls.values()}
    others |= {_bare(u) for u in provider.base_urls.values()}
    if _bare(base_url) in others - mine:
        return msg(
            "a key of the kind {kind} does not work at {url}",
            kind=msg_of(kind.name),
            url=base_url,
        )
    return None


def _bare(url: str) -> str:
    return url.rstrip("/").casefold()


def _tells(prefix: str) -> bool:
    """Whether a prefix names its owner: every other service's keys start with a plain `sk-`."""
    return len(prefix) > 3


# --- parsing ---------------------------------------------------------------------------------


def parse(key: str, text: str, *, path: str = "") -> Provider:
    """One row. `path` is only for the place in a refusal; "" names the table's own file."""
    return _Reader(key, text, path or f"providers/{key}.toml").provider()


class _Table:
    """One TOML table: takes each name once with its type, then refuses what was not taken."""

    def __init__(self, reader: _Reader, data: dict[str, Data], within: tuple[str, ...]) -> None:
        self.reader = reader
        self.data = data
        self.within = within
        self.known: list[str] = []

    def take(self, name: str, kind: type | UnionType, default: Data = ...) -> Any:
        self.known.append(name)
        if name not in self.data:
            if default is not ...:
                return default
            self.reader.refuse(msg("`{name}` is missing", name=self._dotted(name)), self.within)
        value = self.data[name]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.refuse(name, msg("`{name}` has the wrong type", name=self._dotted(name)))
        return value

    def strings(self, name: str) -> dict[str, str]:
        values = self.take(name, dict, {})
        for member, value in values.items():
            if not isinstance(value, str):
                self.reader.refuse(
                    msg("`{name}` must be text in quotes", name=member),
                    (*self.within, name, member),
                )
        return dict(values)

    def one_of(self, name: str, choices: Sequence[str], default: Data = ...) -> Any:
        value = self.take(name, str, default)
        if value is not default and value not in choices:
            self.refuse(
                name,
                msg(
                    "`{name}` can't be `{value}`: {choices}",
                    name=self._dotted(name),
                    value=value,
                    choices=tuple(choices),
                ),
                did_you_mean(value, choices),
            )
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        values = self.take(name, list, [])
        if not all(isinstance(v, str) for v in values):
            self.refuse(name, msg("`{name}` must be a list of texts", name=self._dotted(name)))
        return tuple(values)

    def tables(self, name: str) -> list[_Table]:
        values = self.take(name, list, [])
        if not all(isinstance(v, dict) for v in values):
            self.refuse(name, msg("`{name}` must be a list of tables", name=self._dotted(name)))
        return [_Table(self.reader, v, (*self.within, name)) for v in values]

    def table(self, name: str, default: Data = ...) -> _Table | None:
        value = self.take(name, dict, default)
        return None if value is None else _Table(self.reader, value, (*self.within, name))

    def slots(self, name: str = "slots") -> dict[Slot, str]:
        values = self.strings(name)
        for slot in values:
            if slot not in SLOTS:
                self.reader.refuse(
                    msg("there is no slot `{name}`", name=slot),
                    (*self.within, name, slot),
                    did_you_mean(slot, SLOTS),
                )
        return cast("dict[Slot, str]", values)

    def date(self, name: str, default: Data = ...) -> Any:
        value = self.take(name, str, default)
        if value is not default and not _DATE.fullmatch(value):
            self.refuse(name, msg('`{name}` must be a date like "2026-11-22"', name=name))
        return value

    def end(self) -> None:
        for name in self.data:
            if name not in self.known:
                self.refuse(
                    name,
                    msg("a provider row has no `{name}`", name=self._dotted(name)),
                    did_you_mean(name, self.known),
                )

    def refuse(self, name: str, what: Message, hints: tuple[Message, ...] = ()) -> NoReturn:
        self.reader.refuse(what, (*self.within, name), hints)

    def _dotted(self, name: str) -> str:
        return ".".join((*self.within, name))


class _Reader:
    """One row's text and where things stand in it."""

    def __init__(self, key: str, text: str, path: str) -> None:
        self.key = key
        self.text = text
        self.path = path

    def provider(self) -> Provider:
        if not _KEY.fullmatch(self.key):
            self.refuse(msg("`{key}` can't be a provider's key: a-z, 0-9 and `-`", key=self.key))
        top = _Table(self, self._data(), ())
        provider = self._provider(top)
        top.end()
        self._agree(provider)
        return provider

    def _data(self) -> dict[str, Data]:
        import tomllib

        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
            line, column = (int(found[1]), int(found[2])) if found else (None, None)
            reason = re.sub(r" \(at .*\)$", "", str(error))
            raise Refusal(
                msg("this is not TOML: {reason}", reason=reason),
                place=Place(path=self.path, line=line, column=column),
            ) from None

    def _provider(self, top: _Table) -> Provider:
        kept = top.take("key", str)
        if kept != self.key:
            top.refuse(
                "key",
                msg(
                    "`key` is `{key}`, but the file is named `{name}.toml`", key=kept, name=self.key
                ),
            )
        credential, kind_texts = self._credential(top)
        name, about, notes = top.take("name", str), top.take("about", str), top.texts("notes")
        return Provider(
            key=self.key,
            name=name,
            about=about,
            docs=top.take("docs", str, ""),
            verified=top.date("verified", ""),
            routes=self._routes(top),
            base_urls=top.strings("base_urls"),
            credential=credential,
            variables=top.strings("variables"),
            slots=top.slots(),
            models=tuple(map(self._model, top.tables("models"))),
            discovery=self._discovery(top),
            upstream=self._upstream(top),
            local=top.take("local", bool, False),
            multi=top.take("multi", bool, False),
            own_models=top.take("own_models", bool, False),
            start=top.take("start", str, ""),
            order=top.take("order", int, 100),
            notes=notes,
            zh=self._chinese(top, name, about, notes) | kind_texts,
        )

    def _routes(self, top: _Table) -> tuple[Route, ...]:
        routes = top.texts("routes")
        for name in routes:
            if name not in get_args(Route):
                top.refuse(
                    "routes",
                    msg("there is no route `{name}`", name=name),
                    did_you_mean(name, get_args(Route)),
                )
        if not routes:
            top.refuse("routes", msg("`{name}` is empty", name="routes"))
        return cast("tuple[Route, ...]", routes)

    def _credential(self, top: _Table) -> tuple[Credential, dict[str, str]]:
        table = top.table("credential")
        assert table is not None  # noqa: S101 - no default: missing is refused
        texts: dict[str, str] = {}
        kinds = tuple(self._kind(k, texts) for k in table.tables("kinds"))
        credential = Credential(
            variable=table.take("variable", str, ""),
            header=cast("Header", table.one_of("header", get_args(Header), "bearer")),
            optional=table.take("optional", bool, False),
            token=table.take("token", str, ""),
            url=table.take("url", str, ""),
            either=table.take("either", bool, False),
            kinds=kinds,
        )
        table.end()
        return credential, texts

    def _kind(self, table: _Table, texts: dict[str, str]) -> KeyKind:
        name, about = table.take("name", str), table.take("about", str, "")
        chinese = table.table("zh", None)
        if chinese is not None:
            texts[name] = chinese.take("name", str, name)
            said = chinese.take("about", str, about)
            if about:
                texts[about] = said
            chinese.end()
        kind = KeyKind(
            prefix=table.take("prefix", str),
            name=name,
            region=table.take("region", str, ""),
            base_urls=table.strings("base_urls"),
            header=table.one_of("header", get_args(Header), None),
            slots=table.slots(),
            fits=table.take("fits", bool, True),
            about=about,
        )
        table.end()
        return kind

    def _model(self, table: _Table) -> Model:
        model = Model(
            id=table.take("id", str),
            context=table.take("context", int, None),
            output=table.take("output", int, None),
            tools=table.take("tools", bool, None),
            thinking=table.take("thinking", bool, None),
            retired=table.date("retired", None),
            instead=table.take("instead", str, None),
            env=table.strings("env"),
        )
        table.end()
        return model

    def _discovery(self, top: _Table) -> Discovery | None:
        table = top.table("discovery", None)
        if table is None:
            return None
        discovery = Discovery(
            url=table.take("url", str),
            kind=table.one_of("kind", DISCOVERY_KINDS),
            public=table.take("public", bool, False),
            version_url=table.take("version_url", str, ""),
            minimum=table.take("minimum", str, ""),
        )
        table.end()
        return discovery

    def _upstream(self, top: _Table) -> LiteLLMRoute | None:
        table = top.table("upstream", None)
        if table is None:
            return None
        upstream = LiteLLMRoute(
            prefix=table.take("prefix", str),
            other_prefixes=table.texts("other_prefixes"),
            api_base=table.strings("api_base"),
            params=table.take("params", dict, {}),
            params_without_thinking=table.take("params_without_thinking", dict, {}),
            chat_completions=table.take("chat_completions", bool, False),
            key=table.take("key", bool, True),
        )
        table.end()
        return upstream

    def _chinese(
        self, top: _Table, name: str, about: str, notes: tuple[str, ...]
    ) -> dict[str, str]:
        table = top.table("zh", None)
        if table is None:
            return {}
        texts = {about: table.take("about", str, about)}
        # Most names are the service's own in every language.
        own = table.take("name", str, "")
        if own:
            texts[name] = own
        translated_notes = table.texts("notes")
        if translated_notes and len(translated_notes) != len(notes):
            table.refuse("notes", msg("`zh.notes` must have as many texts as `notes`"))
        table.end()
        return texts | dict(zip(notes, translated_notes, strict=False))

    def _agree(self, p: Provider) -> None:
        """What no single field can show: routes against URLs, doubles, a default that is gone."""
        if "direct" in p.routes and not p.base_urls:
            self.refuse(msg("the route `direct` needs `base_urls`"), ("routes",))
        if "litellm" in p.routes and p.upstream is None and not p.multi:
            self.refuse(msg("the route `litellm` needs a table `upstream`"), ("routes",))
        held = p.credential
        if "direct" in p.routes and (held.optional or not held.variable) and not held.token:
            # The client would send its own login to this host.
            self.refuse(msg("a row without a key needs a `token`"), ("credential",))
        if p.discovery is not None and not p.discovery.url.startswith(("{base}/", "{origin}/")):
            what = msg(
                "`discovery.url` must start with `{base}` or `{origin}`",
                base="{base}",
                origin="{origin}",
            )
            self.refuse(what, ("discovery", "url"))
        for name in p.variables:
            if name not in SETTABLE:
                # What is not ours would stay behind when the person moves to another provider.
                what = msg("`{name}` is not a variable that a row can set", name=name)
                self.refuse(what, ("variables", name), did_you_mean(name, SETTABLE))
        self._urls(p)
        self._models(p)

    def _urls(self, p: Provider) -> None:
        for region, url in p.base_urls.items():
            self._base_url(url, ("base_urls", region))
        for kind in p.credential.kinds:
            for region, url in kind.base_urls.items():
                self._base_url(url, ("credential", "kinds", "base_urls", region))
        for region, url in (p.upstream.api_base if p.upstream else {}).items():
            self._base_url(url, ("upstream", "api_base", region), direct=False)

    def _base_url(self, url: str, within: tuple[str, ...], *, direct: bool = True) -> None:
        if url and not re.match(r"https?://[^/@\s]+(/[^@?#\s]*)?$", url):
            # Never with the URL itself: one with a user and password in it ends up here.
            self.refuse(
                msg("this is not a base URL: http:// or https://, a host, a path, nothing else"),
                within,
            )
        if direct and re.search(r"/v1/?$", url):
            self.refuse(msg("a base URL can't end in `/v1`: the client adds it"), within)

    def _models(self, p: Provider) -> None:
        seen: set[str] = set()
        for model in p.models:
            if model.id in seen:
                self.refuse(msg("the model `{id}` is there twice", id=model.id), ("models",))
            seen.add(model.id)
        for slot, name in p.slots.items():
            if p.discovery is None and p.models and p.model(name) is None:
                self.refuse(
                    msg(
                        "slot `{slot}` is `{name}`, which is not among `models`",
                        slot=slot,
                        name=name,
                    ),
                    ("slots", slot),
                    did_you_mean(name, seen),
                )

    def refuse(
        self, what: Message, within: tuple[str, ...] = (), hints: tuple[Message, ...] = ()
    ) -> NoReturn:
        raise Refusal(what, place=Place(path=self.path, line=self._line(within)), hints=hints)

    def _line(self, within: tuple[str, ...]) -> int | None:
        """The line of a name: tomllib keeps no places, so headers and keys are looked for."""
        if not within:
            return None
        *tables, name = within
        header = ""
        is_key: Callable[[str], Any] = re.compile(rf'\s*"?{re.escape(name)}"?\s*[=.]').match
        for number, line in enumerate(self.text.splitlines(), start=1):
            if found := re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]", line):
                header = found[1].replace('"', "").replace(" ", "")
                if header == ".".join(within):
                    return number
            elif header == ".".join(tables) and is_key(line):
                return number
        return None
