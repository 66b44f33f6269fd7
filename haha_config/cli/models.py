"""`models`: what the endpoint or the configuration offers."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from shutil import get_terminal_size

import typer

from haha_config.cli import options as o
from haha_config.core import variables as v
from haha_config.core.errors import HahaError
from haha_config.core.messages import Message, msg, nmsg
from haha_config.core.model import Data
from haha_config.core.probe import model_list
from haha_config.core.probe.client_profile import credentials, proxies
from haha_config.core.probe.model_list import Listing
from haha_config.core.providers import catalog as catalogs
from haha_config.core.providers import table as rows
from haha_config.core.providers.catalog import Catalog, CatalogEntry
from haha_config.core.providers.model import Discovery, Provider
from haha_config.core.record import dataclass
from haha_config.core.state import configured
from haha_config.core.state.configured import CurrentSetup
from haha_config.core.state.state import State
from haha_config.io import report, templates
from haha_config.io.i18n import _, columns, render
from haha_config.workflow.session import Session, choice, open_session

app = typer.Typer(rich_markup_mode=None, add_completion=False)

#: A name is never shortened below this; a narrower terminal breaks the line.
_NARROWEST = 16

#: What most servers offer beside the protocol: the guess for an endpoint that no row has.
_OPENAI = Discovery(url="{base}/v1/models", kind="openai")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a list comes from, and the credential that goes there."""

    row: Provider
    base_url: str
    headers: dict[str, str]
    own_gateway: bool = False


@app.command(help=_("List the models that the endpoint or the configuration offers."))
def models(
    search: str = typer.Option("", "--search", metavar="TEXT", help=_("Only names with this.")),
    tools: bool = typer.Option(False, "--tools", help=_("Only models that can call tools.")),
    min_context: int = typer.Option(
        0, "--min-context", metavar="N", min=0, help=_("Only windows of at least N tokens.")
    ),
    provider: str | None = typer.Option(
        None, "--provider", metavar="KEY", help=_("Another row than the configured one.")
    ),
    offline: bool = typer.Option(False, "--offline", help=_("Ask nobody: files and catalog only.")),
    folder: o.Dir = None,
    project: o.Project = None,
    scope: o.ScopeOption = "user",
    client: o.ClientOption = None,
    format: o.FormatOption = "text",  # noqa: A002
    no_color: o.NoColor = False,
    quiet: o.Quiet = False,
    _lang: o.Lang = None,
) -> int:
    as_json = choice("--format", format, ("text", "json")) == "json"
    session = open_session(
        folder=folder,
        project=project,
        scope=scope,
        client=client,
        quiet=quiet,
        no_color=no_color,
        reads=True,
    )
    found = listed(session, provider, offline=offline)
    chosen = tuple(catalogs.search(found, search, tools=tools, min_context=min_context))
    if as_json:
        report.document({"models": [_json(entry) for entry in chosen]})
    elif chosen:
        _table(chosen)
    else:
        report.talk(_none(found))
    return 0


def listed(
    session: Session, key: str | None = None, *, offline: bool = False
) -> list[CatalogEntry]:
    """What is on offer: live where it can be asked, else from the files and the catalog.

    Raises HahaError where nothing is configured and no provider was named.
    """
    state = session.state()
    held = configured.read(state)
    source = _source(session, state, held, key)
    catalog = catalogs.parse(templates.text("catalog.json"))
    live = _ask(source, state) if not offline else None
    if live is None or live.problem is not None:
        if live is not None and live.problem is not None:
            report.talk(live.problem)
        return list(_offline(source, state, held, catalog))
    if source.own_gateway:
        names = [entry.model.id for entry in live.entries]
        return list(model_list.gateway(names, held, session.providers, catalog))
    return list(model_list.described(live.entries, source.row, catalog))


def _source(session: Session, state: State, held: CurrentSetup, key: str | None) -> Source:
    headers = credentials(state.value(v.AUTH_TOKEN), state.value(v.API_KEY))
    if key is not None and key != held.provider:
        return _named(session, rows.row(session.providers, key))
    if not held.configured:
        raise HahaError(
            msg("no endpoint is configured here"),
            hints=("haha-config init", "haha-config models --provider KEY"),
        )
    row = session.providers.get(held.provider) or _unknown(held)
    return Source(row=row, base_url=held.base_url, headers=headers, own_gateway=held.own_gateway)


def _named(session: Session, row: Provider) -> Source:
    """A row that is not configured: its default URL, and the key that its own variable holds."""
    key = session.environ.get(row.credential.variable, "") if row.credential.variable else ""
    key = key or row.credential.token
    bearer = row.credential.header == "bearer"
    headers = credentials(key if bearer else "", "" if bearer else key)
    return Source(row=row, base_url=rows.endpoint(row, row.region, key), headers=headers)


def _unknown(held: CurrentSetup) -> Provider:
    """A row for an endpoint that the table does not have."""
    from haha_config.core.providers.model import Credential

    return Provider(
        key="",
        name=held.base_url,
        about="",
        docs="",
        verified="",
        routes=("direct",),
        base_urls={"global": held.base_url},
        credential=Credential(variable=""),
        discovery=_OPENAI,
    )


def _ask(source: Source, state: State) -> Listing | None:
    """The live list; None where nobody can be asked."""
    discovery = source.row.discovery
    if discovery is None or not source.base_url:
        return None
    if not discovery.public and not source.headers:
        variable = source.row.credential.variable
        return Listing(problem=msg("`{name}` is not set, so nobody was asked", name=variable))
    from haha_config.io import http

    way = http.Transport(proxies=proxies(state.value), ca_file=state.value("NODE_EXTRA_CA_CERTS"))
    dialogue = model_list.ask_for(discovery, source.base_url, source.headers)
    asking = msg("asking {where} for its models …", where=v.shown_url(source.base_url))
    with report.waiting(asking):
        return http.run_dialogues([dialogue], way)[0]


def _offline(
    source: Source, state: State, held: CurrentSetup, catalog: Catalog
) -> Iterator[CatalogEntry]:
    if source.own_gateway:
        report.talk(msg("these are the models of {path}", path=report.short(state.litellm.path)))
        yield from model_list.gateway(state.models, held, state.providers, catalog)
        return
    report.talk(msg("these are the models that we know of, as of {date}", date=catalog.date))
    yield from catalogs.offered(catalog, source.row)


# --- printing --------------------------------------------------------------------------------


def _json(entry: CatalogEntry) -> dict[str, Data]:
    m = entry.model
    price = entry.price
    return {
        "id": m.id,
        "provider": entry.provider or None,
        "context": m.context,
        "output": m.output,
        "tools": m.tools,
        "thinking": m.thinking,
        "price": {"input": price.input, "output": price.output} if price else None,
        "retired": m.retired,
    }


def _none(found: Sequence[CatalogEntry]) -> Message:
    if not found:
        return msg("no models are known here")
    return nmsg("none of the {n} model fits", "none of the {n} models fits", n=len(found))


def _table(entries: Iterable[CatalogEntry]) -> None:
    """A table as wide as the terminal: there a long name is shortened in the middle.

    In a pipe or a file each name is whole, since that is what one looks for and copies.
    """
    lines = [_cells(entry) for entry in entries]
    heads = [
        render(head)
        for head in (
            msg("model"),
            msg("context"),
            msg("output"),
            msg("can"),
            msg("USD/M in"),
            msg("out"),
            msg("retired"),
        )
    ]
    widths = _widths([heads, *lines], get_terminal_size().columns if sys.stdout.isatty() else None)
    for number, line in enumerate((heads, *lines)):
        text = "  ".join(_fit(line[i], widths[i], left=i in (0, 3)) for i in widths).rstrip()
        if number:
            report.result(text)
        else:
            report.drawn(report.paint(text, "dim", sys.stdout), sys.stdout)


def _widths(rows: Sequence[Sequence[str]], room: int | None) -> dict[int, int]:
    """The columns that are shown, and how wide: within `room`, the output's limit goes first."""
    used = [i for i in range(len(rows[0])) if i == 0 or any(row[i] for row in rows[1:])]
    widths = {i: max(columns(row[i]) for row in rows) for i in used}
    if room is None:
        return widths
    if sum(widths.values()) + 2 * len(widths) - 2 > room:
        widths.pop(2, None)
    rest = sum(widths[i] + 2 for i in widths if i)
    widths[0] = min(widths[0], max(room - rest, _NARROWEST))
    return widths


def _cells(entry: CatalogEntry) -> list[str]:
    m, price = entry.model, entry.price
    can = (("tools", m.tools), ("thinking", m.thinking))
    return [
        m.id,
        tokens(m.context),
        tokens(m.output),
        " ".join(name for name, able in can if able),
        money(price.input) if price else "",
        money(price.output) if price else "",
        m.retired or "",
    ]


def tokens(count: int | None) -> str:
    """1M, 200K: near enough to choose by; JSON has the number."""
    if count is None:
        return ""
    if count >= 1_000_000:
        return f"{count / 1_000_000:.3g}M"
    return f"{count / 1000:.3g}K" if count >= 1000 else str(count)


def money(amount: float) -> str:
    return f"{amount:.2f}" if amount >= 0.1 or not amount else f"{amount:.3g}"


def _fit(text: str, width: int, *, left: bool) -> str:
    missing = width - columns(text)
    if missing < 0:
        keep = width - 1
        head = keep // 2
        return f"{text[:head]}…{text[len(text) - (keep - head) :]}"
    return text + " " * missing if left else " " * missing + text
