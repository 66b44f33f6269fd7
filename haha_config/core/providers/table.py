"""The provider table: a row's TOML text to a `Provider`, and small look-ups over the rows.

A row is checked strictly: an unknown name or a wrong type is refused with its line, because a row
that a person adds by hand is configuration that keys are sent by.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from haha_config.core import urls
from haha_config.core.errors import Refusal, Usage
from haha_config.core.messages import Message, msg
from haha_config.core.model import Data, Place, Route
from haha_config.core.providers.decode import Misshapen, decode, did_you_mean
from haha_config.core.providers.model import KeyKind, Provider, Providers, WebSearch
from haha_config.core.variables import BASE_URL, CREDENTIALS, OWNED, SLOT_OF

T = TypeVar("T")
#: The client variables that a row or a model can ask for: ours, but not what a set-up is made of.
SETTABLE: Final = tuple(n for n in OWNED if n not in (BASE_URL, *CREDENTIALS, *SLOT_OF))
#: Measured with 1.108.7 by tests/e2e/test_conversations.py, at every prefix of the table.
_DROPPED: Final = WebSearch(
    result="dropped",
    by="LiteLLM",
    source="https://docs.litellm.ai/docs/tutorials/claude_code_websearch",
    date="2026-11-25",
)
_KEY: Final = re.compile(r"[a-z0-9][a-z0-9-]*")

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
    rows = (p for p in providers.values() if p.local and not p.multi)
    found = (urls.parse(base) for p in rows for base in p.base_urls.values())
    return frozenset(url.port for url in found if url is not None)


def web_search(provider: Provider, route: Route) -> WebSearch | None:
    """What becomes of the client's web search on this way; None: not known."""
    if route == "direct" or (provider.upstream is not None and provider.upstream.native):
        return provider.web_search
    return _DROPPED


def said_of_search(search: WebSearch) -> Message:
    """What becomes of the client's web search, in words."""
    if search.result == "works":
        return msg("web search works: {by} does it", by=search.by)
    if search.result == "refused":
        return msg("web search is refused by {by}", by=search.by)
    return msg("web search is left out by {by}", by=search.by)


def at(url: str, base_url: str) -> str:
    """`url` with `{base}` and `{origin}` filled in from the endpoint."""
    scheme, _, rest = base_url.partition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    return url.replace("{base}", base_url.rstrip("/")).replace("{origin}", f"{scheme}://{host}")


def translations(providers: Providers) -> dict[str, str]:
    """Every row's English texts and their Chinese, for the catalog in use."""
    return {english: chinese for p in providers.values() for english, chinese in p.zh.items()}


# --- keys ------------------------------------------------------------------------------------


def kind_of(provider: Provider, key: str) -> KeyKind | None:
    """The kind of this row that `key` is of, by the longest prefix."""
    kinds = [k for k in provider.credential.kinds if key.startswith(k.prefix)]
    return max(kinds, key=lambda k: len(k.prefix), default=None)


def takes_both(provider: Provider, key: str) -> bool:
    """Whether this key may come in both headers at once, measured or sourced."""
    kind = kind_of(provider, key)
    own = kind is not None and kind.header is not None
    return kind.either if own and kind is not None else provider.credential.either


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
        return msg("the key is too short for {name}: copy it whole", name=provider.name)
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
    tables = (provider.base_urls, *(k.base_urls for k in provider.credential.kinds))
    others = {_bare(url) for table in tables for url in table.values()}
    if _bare(base_url) not in others - mine:
        return None
    name = msg_of(kind.name)
    return msg("a key of kind {kind} does not work at {url}", kind=name, url=base_url)


def _bare(url: str) -> str:
    return url.rstrip("/").casefold()


def _tells(prefix: str) -> bool:
    """Whether a prefix names its owner: every other service's keys start with a plain `sk-`."""
    return len(prefix) > 3


# --- parsing ---------------------------------------------------------------------------------


def parse(key: str, text: str, *, path: str = "") -> Provider:
    """One row. `path` is only for the place in a refusal; "" names the table's own file."""
    return _Reader(key, text, path or f"providers/{key}.toml").provider()


class _Chinese(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row's own texts in Chinese; "" or none: the English one serves."""

    name: str = ""
    about: str = ""
    notes: tuple[str, ...] = ()


class _Reader:
    """One row's text and where things stand in it."""

    def __init__(self, key: str, text: str, path: str) -> None:
        self.key = key
        self.text = text
        self.path = path

    def provider(self) -> Provider:
        if not _KEY.fullmatch(self.key):
            self.refuse(msg("`{key}` can't be a provider's key: a-z, 0-9 and `-`", key=self.key))
        data = self._data()
        chinese = self._decoded(data.pop("zh", {}), _Chinese, ("zh",))
        kinds = data.get("credential", {})
        kinds = kinds.get("kinds", []) if isinstance(kinds, dict) else []
        tables = [kind.pop("zh", {}) for kind in kinds if isinstance(kind, dict)]
        told = [self._decoded(table, _Chinese, ("credential", "kinds", "zh")) for table in tables]
        row = self._decoded(data, Provider, ())
        if row.key != self.key:
            what = msg(
                "`key` is `{key}`, but the file is named `{name}.toml`", key=row.key, name=self.key
            )
            self.refuse(what, ("key",))
        row = replace(row, zh=self._texts(row, chinese, told))
        self._agree(row)
        return row

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

    def _decoded(self, data: Data, kind: type[T], within: tuple[str, ...]) -> T:
        try:
            return decode(data, kind)
        except Misshapen as wrong:
            self.refuse(wrong.what, (*within, *wrong.path), wrong.hints)

    def _texts(self, row: Provider, own: _Chinese, kinds: Sequence[_Chinese]) -> dict[str, str]:
        """Each English text of the row and its Chinese. Most names are the same in both."""
        if own.notes and len(own.notes) != len(row.notes):
            self.refuse(msg("`zh.notes` must have as many texts as `notes`"), ("zh", "notes"))
        pairs = [(row.name, own.name), (row.about, own.about), *zip(row.notes, own.notes)]  # noqa: B905
        for kind, told in zip(row.credential.kinds, kinds, strict=True):
            pairs += [(kind.name, told.name), (kind.about, told.about)]
        return {english: chinese for english, chinese in pairs if english and chinese}

    def _agree(self, p: Provider) -> None:
        """What no single field can show: routes against URLs, doubles, a default that is gone."""
        if not p.routes:
            self.refuse(msg("`{name}` is empty", name="routes"), ("routes",))
        if "direct" in p.routes and not p.base_urls:
            self.refuse(msg("the route `direct` needs `base_urls`"), ("routes",))
        if "litellm" in p.routes and p.upstream is None and not p.multi:
            self.refuse(msg("the route `litellm` needs a table `upstream`"), ("routes",))
        held = p.credential
        if "direct" in p.routes and (held.optional or not held.variable) and not held.token:
            # The client would send its own login to this host.
            self.refuse(msg("without a key a `token` is needed"), ("credential",))
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
                what = msg("`{name}` is not a variable that a provider can set", name=name)
                self.refuse(what, ("variables", name), did_you_mean(name, SETTABLE))
        self._urls(p)
        self._models(p)

    def _urls(self, p: Provider) -> None:
        for region, url in p.base_urls.items():
            self._base_url(url, ("base_urls", region))
        for kind in p.credential.kinds:
            for region, url in kind.base_urls.items():
                self._base_url(url, ("credential", "kinds", "base_urls", region))
        for region, url in p.upstream_bases.items():
            self._base_url(url, ("upstream", "api_base", region), direct=False)

    def _base_url(self, url: str, within: tuple[str, ...], *, direct: bool = True) -> None:
        if url and not re.match(r"https?://[^/@\s]+(/[^@?#\s]*)?$", url):
            # Never with the URL itself: one with a user and password in it ends up here.
            self.refuse(
                msg("a base URL is http:// or https://, a host and a path, nothing else"), within
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
                what = msg(
                    "`{slot}` is `{name}`, which is not among `models`", slot=slot, name=name
                )
                self.refuse(what, ("slots", slot), did_you_mean(name, seen))

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
