"""URL: the endpoint that the client calls."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from haha_config.core import urls
from haha_config.core import variables as v
from haha_config.core.messages import Message, msg
from haha_config.core.model import Place, Problem, Severity
from haha_config.core.providers.index import Endpoint
from haha_config.core.providers.model import Provider
from haha_config.core.rules.rule import (
    INIT,
    Holder,
    Rule,
    holders,
    quoted,
    set_everywhere,
    with_fix,
)
from haha_config.core.state.asked import like_197
from haha_config.core.state.layers import Effective, as_text
from haha_config.core.state.state import State


class Written(Struct, frozen=True, kw_only=True):
    """A base URL as it stands in one place; `holder` None: the shell."""

    value: str
    place: Place
    holder: Holder | None

    def problem(self, what: Message, better: str) -> Problem:
        """What is wrong with it, and the address to write instead."""
        fixes = self.holder.fix(self.holder.set(v.BASE_URL, better)) if self.holder else ()
        return with_fix(what, self.place, fixes, f"export {v.BASE_URL}={quoted(better)}")


def written(state: State) -> Iterator[Written]:
    """Every base URL that some file holds, and the shell's if it is the one in use."""
    for holder in holders(state):
        value = holder.values.get(v.BASE_URL)
        if value:
            yield Written(value=as_text(value), place=holder.place(v.BASE_URL), holder=holder)
    found = state.effective(v.BASE_URL)
    if found.value and found.layer == "shell":
        yield Written(value=found.value, place=Place(), holder=None)


def addresses(state: State) -> Iterator[tuple[Written, urls.Url]]:
    """The same, taken apart, without those that are no address (URL001)."""
    for url in written(state):
        if (parsed := urls.parse(url.value)) is not None:
            yield url, parsed


#: Names and addresses; what a guide prints in their place (`<host>`, `{region}`) is none.
HOST: Final = re.compile(r"[\w.\-]+|[0-9a-fA-F:.%]+")


class AddressRule(Rule):
    """A rule that looks at what is an address."""

    needs = frozenset({"client"})
    requires = ("URL001",)


class URL001(Rule):
    name = "base-url"
    title = msg("The base URL is a web address")
    why = msg("The client can only call `http://` or `https://`, a host, and perhaps a path.")
    severity = "error"
    needs = frozenset({"client"})
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        for url in written(state):
            parsed = urls.parse(url.value)
            bare = _address_in(url.value, state)
            if parsed is None and bare == url.value.strip():
                # Measured: both clients take off what stands around it.
                what = msg("spaces or line ends stand around `{url}`", url=v.shown_url(bare))
                yield replace(url.problem(what, bare), severity="warning")
            elif parsed is None or not HOST.fullmatch(parsed.host) or _doubled(parsed):
                what = msg(
                    "`{url}` is not a web address: http:// or https://, then a host",
                    url=v.shown_url(url.value),
                )
                yield url.problem(what, bare) if bare else Problem(what, url.place, INIT)


def _doubled(url: urls.Url) -> bool:
    """`https://https://…`, which reads as a host called `https`."""
    return url.host in {"http", "https"} and url.path.startswith("//")


_ADDRESS: Final = re.compile(r"https?://(?!https?:)[^\s\"'`<>()\[\],;]+")


def _address_in(text: str, state: State) -> str | None:
    """The one web address in a text with a quote, a bracket or a second scheme about it.

    A host without a scheme counts where the provider table has it.
    """
    text = "".join(c for c in text if c.isprintable() or c.isspace())
    found = _ADDRESS.search(text)
    bare = found[0] if found else f"https://{text.strip()}"
    parsed = urls.parse(bare)
    if parsed is None or parsed.userinfo or not HOST.fullmatch(parsed.host):
        return None
    return bare if found or state.rows.host(bare) else None


class URL002(AddressRule):
    name = "base-url-v1"
    title = msg("The base URL stops before `/v1`")
    why = msg("The client adds `/v1/messages`, so `/v1` would be there twice: 404.")
    severity = "error"
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        for url in written(state):
            bare = urls.without_endpoint(url.value)
            if bare != url.value.rstrip("/") and state.rows.upstream_only(url.value) is None:
                bare = _anthropic(bare, state) or bare
                what = msg(
                    "the client would call `{called}`: write `{bare}`",
                    called=v.shown_url(urls.called(url.value)),
                    bare=v.shown_url(bare),
                )
                yield url.problem(what, bare)


def _anthropic(url: str, state: State) -> str | None:
    """The only Anthropic address of that host in the table; None: there are more, or none."""
    parsed = urls.parse(url)
    wanted = {e.url for e in state.rows.host(url)}
    return wanted.pop() if len(wanted) == 1 and parsed and not parsed.loopback else None


class URL003(Rule):
    name = "base-url-path"
    title = msg("The path is the provider's Anthropic one")
    why = msg("At any other path the client gets a 404 or an answer that it can't read.")
    severity = "error"
    needs = frozenset({"client"})
    requires = ("URL001", "URL002", "URL004")
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        for url, parsed in addresses(state):
            if parsed.loopback:
                continue
            known = state.rows.host(url.value) or _behind_page(parsed, state)
            if not known or any(urls.same(e.url, url.value) for e in known):
                continue
            wanted = tuple(dict.fromkeys(e.url for e in known))
            what = msg(
                "{row} speaks the Anthropic protocol at `{wanted}`, not at `{url}`",
                row=known[0].row.name,
                wanted=wanted,
                url=v.shown_url(url.value),
            )
            if len(wanted) == 1:
                yield url.problem(what, wanted[0])
            else:
                yield Problem(what, url.place, f"{INIT} --provider {known[0].row.key}")


#: Beginnings of hosts that show pages to people.
_PAGES: Final = frozenset({"chat", "www", "platform", "console", "docs", "api-docs", "app"})


def _behind_page(url: urls.Url, state: State) -> tuple[Endpoint, ...]:
    """Every endpoint of the provider whose web pages are on this host."""
    domain = _domain_of_page(url)
    if not domain:
        return ()
    rows = {e.row.key for e in state.rows.endpoints if _host(e.url).endswith(domain)}
    return tuple(e for e in state.rows.endpoints if e.row.key in rows)


def _domain_of_page(url: urls.Url) -> str:
    """`.example.com` of a host that shows pages to people; "" for any other host."""
    label, _, domain = url.host.partition(".")
    domain = domain if label in _PAGES else url.host
    if "." not in domain or (label not in _PAGES and domain.count(".") != 1):
        return ""
    return f".{domain}"


def _translated(url: Written, parsed: urls.Url, state: State) -> Provider | None:
    """The row that speaks OpenAI's protocol only, by its address or its web pages."""
    if (row := state.rows.upstream_only(url.value)) is not None:
        return row
    domain = _domain_of_page(parsed)
    for row in state.providers.values() if domain else ():
        bases = row.upstream_bases.values()
        if "direct" not in row.routes and any(_host(base).endswith(domain) for base in bases):
            return row
    return None


def _host(url: str) -> str:
    parsed = urls.parse(url)
    return parsed.host if parsed else ""


class URL004(AddressRule):
    name = "base-url-extras"
    title = msg("The base URL holds no password, query or fragment")
    why = msg(
        "Before an `@` stands a password for all to see. Behind a `?` or `#` the path"
        " `/v1/messages` gets lost."
    )
    severity = "error"
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        for url, parsed in addresses(state):
            bare = v.shown_url(url.value)
            if parsed.userinfo:
                # A password may be what lets the client in: only a person can move it.
                what = msg("a user name or password stands in the base URL")
                yield Problem(what, url.place, msg("write {url}", url=bare))
            elif parsed.query:
                what = msg("a `?` or `#` stands in the base URL, so its path would be lost")
                yield url.problem(what, bare)


class URL005(AddressRule):
    name = "plain-http"
    title = msg("The way to another machine is encrypted")
    why = msg("With `http://` everyone on the way can read your key and conversation.")

    def check(self, state: State) -> Iterable[Problem]:
        for url, parsed in addresses(state):
            if parsed.scheme == "https" or parsed.loopback or parsed.container_host or _any(parsed):
                continue
            what = msg("the key goes to `{host}` unencrypted", host=parsed.host)
            secure = f"https{v.shown_url(url.value).removeprefix('http')}"
            yield Problem(what, url.place, msg("write {url}, if it answers", url=secure))


#: The client takes the first of these that is set, for every address (measured).
_PROXIES: Final = ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY")
_LOOPBACK: Final = ("localhost", "127.0.0.1")


class URL006(Rule):
    name = "proxy-loopback"
    title = msg("The client can use the web proxy, and only for other machines")
    why = msg(
        "A proxy can't reach this machine's own address. Through a SOCKS proxy, or one without"
        " `http://`, every request fails."
    )
    needs = frozenset({"client", "shell"})
    requires = ("URL001",)
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        url = urls.parse(state.value(v.BASE_URL))
        if url is None:
            return
        proxy = next((f for f in map(state.effective, _PROXIES) if f.value), None)
        if proxy is not None and not _is_url(proxy, state):
            # Measured: the client does not start, whatever NO_PROXY says.
            yield self._unusable(proxy, state, "error")
        elif not _exempt(url, state):
            if url.loopback:
                yield from self._loopback(url, proxy, state)
            elif proxy is not None and urls.parse((proxy.value or "").strip()) is None:
                yield self._unusable(proxy, state, "warning")

    @staticmethod
    def _loopback(url: urls.Url, proxy: Effective | None, state: State) -> Iterator[Problem]:
        other = map(state.effective, ("ALL_PROXY", "all_proxy"))
        proxy = proxy or next((f for f in other if f.value), None)
        if proxy is None:
            return
        held = _no_proxy(state)
        own = (f"[{url.host}]",) if ":" in url.host else (url.host,)
        hosts = dict.fromkeys((*_LOOPBACK, *own))
        wanted = ",".join(filter(None, (held.value, *hosts)))
        fixes = set_everywhere(state, {held.name: wanted})
        if held.name in state.environ:
            # `.env` never beats what is exported, so only settings.json can widen it.
            fixes = tuple(m for m in fixes if m.path != state.dotenv.path)
        what = msg(
            "`{proxy}` is set, and `{name}` lacks `{host}`",
            proxy=proxy.name,
            name=held.name,
            host=url.host,
        )
        hint = f"export {held.name}={quoted(wanted)}"
        yield with_fix(what, state.effective(v.BASE_URL).place, fixes, hint)

    @staticmethod
    def _unusable(proxy: Effective, state: State, severity: Severity) -> Problem:
        """A proxy that the client can't speak to: SOCKS, or one without `http://` (measured)."""
        name, value = proxy.name, (proxy.value or "").strip()
        better = f"http://{value.removeprefix('//')}"
        if "://" in value or not re.search(r"[.:]", value) or urls.parse(better) is None:
            what = msg("the client can't use the proxy of `{name}`, only http and https", name=name)
            hint = msg("name an http:// proxy there, or delete {name}", name=name)
            return Problem(what, proxy.place, hint, severity=severity)
        fixes = set_everywhere(state, {name: better}, held=name)
        what = msg("`{name}` has no http:// before its host", name=name)
        return with_fix(what, proxy.place, fixes, f"export {name}={quoted(better)}", severity)


def _is_url(proxy: Effective, state: State) -> bool:
    """Whether the client can read it as the address of something.

    `host:port` reads as a scheme, which 2.1.332 refuses in HTTP_PROXY only (measured).
    """
    text = (proxy.value or "").strip()
    scheme, colon, rest = text.partition(":")
    if scheme.lower() in {"http", "https"} and rest.startswith("//"):
        return urls.parse(text) is not None
    if proxy.name.lower() == "http_proxy" and "//" not in rest and not like_197(state):
        return scheme.lower() in {"http", "https"}
    return bool(colon and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme))


def _no_proxy(state: State) -> Effective:
    """The one of both names that the client goes by."""
    lower = state.effective("no_proxy")
    return lower if lower.value else state.effective("NO_PROXY")


def _exempt(url: urls.Url, state: State) -> bool:
    """Whether NO_PROXY names this host. 2.1.197 knows commas only, and no networks (measured)."""
    listed = (_no_proxy(state).value or "").lower()
    newer = bool(state.client_version) and not like_197(state)
    names = [name.strip().lstrip(".") for name in re.split(r"[,\s]" if newer else ",", listed)]
    host = f"[{url.host}]" if ":" in url.host else url.host
    return any(
        name == "*"
        or f".{host}".endswith(f".{name.removesuffix(f':{url.port}')}")
        or (newer and urls.within(url.host, name))
        for name in filter(None, names)
    )


class URL007(AddressRule):
    name = "anthropic-protocol"
    title = msg("The endpoint speaks the Anthropic protocol")
    why = msg("The client speaks only Anthropic's protocol; LiteLLM has to translate.")
    severity = "error"

    def check(self, state: State) -> Iterable[Problem]:
        for url, parsed in addresses(state):
            if parsed.loopback:
                continue
            row = _translated(url, parsed, state)
            if row is None:
                if _OPENAI_PATH.search(parsed.path) and not state.rows.host(url.value):
                    yield self._path(url, parsed, state.slots.get("main", ""))
                continue
            via = " --via litellm" if "direct" in row.routes else ""
            host = parsed.host
            what = msg("`{host}` speaks OpenAI's protocol, and the client Anthropic's", host=host)
            yield Problem(what, url.place, f"{INIT} --provider {row.key}{via}")

    @staticmethod
    def _path(url: Written, parsed: urls.Url, model: str) -> Problem:
        """A host in no row: the path alone is a sign, and no proof."""
        path = parsed.path.rstrip("/")
        what = msg(
            "providers speak OpenAI's protocol at `{path}`, and the client Anthropic's", path=path
        )
        main = f" --model {quoted(model)}" if model else ""
        address = f"--base-url {quoted(v.shown_url(url.value))}{main}"
        hint = f"{INIT} --provider custom-openai {address}"
        return Problem(what, url.place, hint, severity="warning")


#: Groq, Google, DeepInfra, Alibaba and others name their OpenAI-compatible path so.
_OPENAI_PATH: Final = re.compile(r"/(openai|compatible-mode)(/|$)")


class URL008(AddressRule):
    name = "callable-address"
    title = msg("The endpoint is an address that can be called")
    why = msg("A server listens on `0.0.0.0`; a client can't call it.")
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        for url, parsed in addresses(state):
            if not _any(parsed):
                continue
            better = url.value.replace("0.0.0.0", "127.0.0.1", 1).replace("[::]", "127.0.0.1", 1)  # noqa: S104
            what = msg("`{host}` is an address to listen on, not to call", host=parsed.host)
            yield url.problem(what, better)


def _any(url: urls.Url) -> bool:
    return url.host in {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound


class URL009(Rule):
    name = "gateway-port"
    title = msg("The client calls the gateway where and how it listens")
    why = msg("`PORT` in `litellm.env` says where the gateway listens, and it speaks http.")
    needs = frozenset({"client", "litellm"})
    requires = ("URL001",)

    def check(self, state: State) -> Iterable[Problem]:
        found = state.effective(v.BASE_URL)
        url = urls.parse(found.value or "")
        port = state.gateway_port
        if url is None or not url.loopback or not state.litellm.exists:
            return
        encrypted = state.gateway.lookup("SSL_KEYFILE_PATH")[0] is not None
        if url.scheme == "https" and state.route == "litellm" and not encrypted:
            what = msg("the gateway speaks http, and the client calls it with https")
            hint = _base_line(found.place, f"http://{url.host}:{url.port}")
            yield Problem(what, found.place, hint)
        if port is None or url.port == port or url.port in state.local_ports:
            return
        what = msg(
            "the client calls port {called}, and the gateway of {path} listens on {port}",
            called=url.port,
            path=state.litellm_env.path,
            port=port,
        )
        yield Problem(what, found.place, _base_line(found.place, f"http://127.0.0.1:{port}"))


def _base_line(place: Place, url: str) -> Message:
    if place.path.endswith(".json"):
        return msg('write "{name}": "{url}"', name=v.BASE_URL, url=url)
    return msg("write {name}={url}", name=v.BASE_URL, url=url)
