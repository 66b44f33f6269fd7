"""What the endpoint or the configuration offers: asked live, else from files and catalog."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Literal

from msgspec import Struct
from msgspec.structs import replace

from haha_config.core import urls
from haha_config.core import variables as v
from haha_config.core.errors import HahaError
from haha_config.core.exchange import Dialogue
from haha_config.core.messages import Message, msg
from haha_config.core.model import Place, plain_name
from haha_config.core.probe import model_list
from haha_config.core.probe.client_profile import credential, credentials, proxies
from haha_config.core.probe.model_list import Listing
from haha_config.core.providers import catalog as catalogs
from haha_config.core.providers import model as providers
from haha_config.core.providers import table as rows
from haha_config.core.providers.catalog import Catalog, CatalogEntry
from haha_config.core.providers.model import Discovery, Provider, WebSearch
from haha_config.core.state import configured
from haha_config.core.state.configured import CurrentSetup
from haha_config.core.state.state import State
from haha_config.core.trust import Credential
from haha_config.io import machine, report, templates
from haha_config.workflow import trust
from haha_config.workflow.gateway.site import ensure_ours
from haha_config.workflow.session import Session

if TYPE_CHECKING:
    from haha_config.io import http

#: What most servers offer beside the protocol: the guess for an endpoint that no row has.
_OPENAI = Discovery(url="{base}/v1/models", kind="openai")


@cache
def catalog() -> Catalog:
    """What is known of the models of every provider, as it ships with us."""
    return catalogs.parse(templates.text("catalog.json"))


class Source(Struct, frozen=True, kw_only=True):
    """Where a list comes from, and the credential that goes there."""

    row: Provider
    base_url: str
    headers: dict[str, str]
    own_gateway: bool = False


class Listed(Struct, frozen=True, kw_only=True):
    """What is on offer, the best first; `used`: the names that the set-up uses."""

    entries: tuple[CatalogEntry, ...]
    used: frozenset[str]
    today: str
    fallbacks: Mapping[str, tuple[str, ...]] = {}

    def state(self, entry: CatalogEntry) -> Literal["used", "ended", "ends", ""]:
        """Whether it is in use, or will be answered no more."""
        retired = entry.model.retired
        if retired and retired <= self.today:
            return "ended"
        if entry.model.id in self.used:
            return "used"
        return "ends" if retired else ""


def listed(session: Session, key: str | None = None, *, offline: bool = False) -> Listed:
    """What is on offer: live where it can be asked, else from the files and the catalog.

    Raises HahaError where nothing is configured and no provider was named.
    """
    state = session.state()
    held = configured.read(state)
    source = _source(session, state, held, key)
    names = {plain_name(name) for name in held.slots.values()}
    if source.row.key != held.provider:
        names = {u.model for u in held.upstreams if u.provider == key and u.name in names}
    found = Listed(
        entries=tuple(_entries(session, source, state, held, offline=offline)),
        used=frozenset(names),
        today=machine.today(),
        fallbacks=state.gateway.fallbacks if source.own_gateway else {},
    )
    own = [model.id for model in source.row.models]

    def rank(entry: CatalogEntry) -> tuple[object, ...]:
        state, name = found.state(entry), entry.model.id
        place = own.index(name) if name in own else len(own)
        return state == "ended", state != "used", place, not entry.model.tools

    return replace(found, entries=tuple(sorted(found.entries, key=rank)))


def _entries(
    session: Session, source: Source, state: State, held: CurrentSetup, *, offline: bool
) -> list[CatalogEntry]:
    live = _ask(session, source, state) if not offline else None
    if live is not None and live.problem is None:
        if not source.own_gateway:
            return list(model_list.described(live.entries, source.row, catalog()))
        names = tuple(entry.model.id for entry in live.entries)
        return list(model_list.gateway(names, held, session.providers, catalog()))
    if live is not None and live.problem is not None:
        report.talk(live.problem)
    if source.own_gateway:
        report.talk(msg("Models of {path}:", path=report.short(state.litellm.path)))
        return list(model_list.gateway(state.models, held, state.providers, catalog()))
    report.talk(msg("Built-in list of {date}:", date=catalog().date))
    return list(catalogs.offered(catalog(), source.row))


def _source(session: Session, state: State, held: CurrentSetup, key: str | None) -> Source:
    if key is not None and key != held.provider:
        # Not configured: its default URL, and the key that its own variable holds.
        row = rows.row(session.providers, key)
        given = session.environ.get(row.credential.variable or "", "") or row.credential.token
        sent = credential(given, row.credential.header)
        return Source(row=row, base_url=rows.endpoint(row, row.region, given), headers=sent)
    if not held.configured:
        state.check_written()
        raise configured.nothing("haha-config models --provider KEY")
    check_base_url(state, held)
    row = session.providers.get(held.provider) or _unknown(held)
    headers = credentials(state.value(v.AUTH_TOKEN), state.value(v.API_KEY))
    return Source(row=row, base_url=held.base_url, headers=headers, own_gateway=held.own_gateway)


def check_base_url(state: State, held: CurrentSetup) -> urls.Url:
    """The endpoint taken apart. Raises HahaError where it is none that can be called."""
    url = urls.parse(held.base_url)
    if url is None or url.userinfo:
        raise HahaError(
            msg("`{name}` is no usable URL", name=v.BASE_URL),
            place=state.effective(v.BASE_URL).place,
            hints=("haha-config validate",),
        )
    return url


def _unknown(held: CurrentSetup) -> Provider:
    """A row for an endpoint that the table does not have."""
    return Provider(
        key="",
        name=v.shown_url(held.base_url),
        about="",
        routes=("direct",),
        base_urls={"global": held.base_url},
        credential=providers.Credential(variable=""),
        discovery=_OPENAI,
    )


def _ask(session: Session, source: Source, state: State) -> Listing | None:
    """The live list; None where nobody can be asked."""
    discovery = source.row.discovery
    if discovery is None or not source.base_url:
        return None
    if not discovery.public and not source.headers:
        variable = source.row.credential.variable
        return Listing(problem=msg("not asked: `{name}` is not set", name=variable))
    if not discovery.public:
        _ensure(session, source, state)
    dialogue = model_list.ask_for(discovery, source.base_url, source.headers)
    asking = msg("asking {where} for its models …", where=v.shown_url(source.base_url))
    with report.waiting(asking):
        return run_dialogue(dialogue, state.value)


def run_dialogue(dialogue: Dialogue[Listing], value: Callable[[str], str]) -> Listing:
    """What a dialogue ends with, its requests sent on the way that the client's variables say."""
    from haha_config.io import http

    return http.run_dialogues([dialogue], transport(value))[0]


def transport(value: Callable[[str], str]) -> http.Transport:
    """The proxies and certificates of the client's variables."""
    from haha_config.io import http

    return http.Transport(proxies=proxies(value), ca_file=value("NODE_EXTRA_CA_CERTS"))


def _ensure(session: Session, source: Source, state: State) -> None:
    """That the way to this list is the person's own, or agreed to."""
    use = trust.Use(command="models")
    if source.base_url != state.value(v.BASE_URL):
        # The table's address, and the key of the shell: the folder can only bring the way there.
        name = source.row.credential.variable
        keys = (Credential(name=name, place=Place()),) if name and source.headers else ()
        use = replace(use, settled=frozenset({v.BASE_URL}), credentials=keys)
    trust.ensure(session, state, use)
    if source.own_gateway:
        ensure_ours(session, state, "models")


def web_search(session: Session, key: str | None) -> WebSearch | None:
    """What becomes of the client's web search at the configured main model, or at a row."""
    state = session.state()
    held = configured.read(state)
    row = configured.row_of(state.slots.get("main", ""), held, session.providers)
    if key is not None and key != held.provider:
        row = rows.row(session.providers, key)
        return rows.web_search(row, row.routes[0])
    return rows.web_search(row, held.route) if row is not None else None


def tokens(count: int | None) -> str:
    """1M, 200K: near enough to choose by; JSON has the number."""
    if count is None:
        return ""
    if count >= 1_000_000:
        return f"{count / 1_000_000:.3g}M"
    return f"{count / 1000:.3g}K" if count >= 1000 else str(count)


def money(amount: float) -> str:
    return f"{amount:.2f}" if amount >= 0.1 or not amount else f"{amount:.3g}"


def facts(entry: CatalogEntry) -> Message | None:
    """What there is to choose a model by, today."""
    retired = entry.model.retired
    return note(entry, ended=bool(retired and retired <= machine.today()))


def note(entry: CatalogEntry, *, ended: bool = False) -> Message | None:
    """Context, tools, price, end: what there is to choose by."""
    parts = tuple(_parts(entry, ended=ended))
    return msg("{parts}", parts=parts) if parts else None


def _parts(entry: CatalogEntry, *, ended: bool) -> Iterator[Message | str]:
    known, price = entry.model, entry.price
    if ended:
        yield msg("ENDED {date}", date=known.retired)
    if known.context:
        yield tokens(known.context)
    if known.tools is not None:
        yield msg("tools") if known.tools else msg("NO TOOLS")
    if price is not None:
        yield msg("${into}/{out}", into=money(price.input), out=money(price.output))
    if known.retired and not ended:
        yield msg("ends {date}", date=known.retired)
