"""`models`: what the endpoint or the configuration offers."""

from __future__ import annotations

import sys

import typer
from msgspec.structs import asdict

from haha_config.cli import options as o
from haha_config.core.messages import msg, nmsg
from haha_config.core.model import Data
from haha_config.core.providers import catalog as catalogs
from haha_config.core.providers.catalog import CatalogEntry
from haha_config.core.providers.table import said_of_search
from haha_config.io import pager, report, table
from haha_config.io.i18n import _, render
from haha_config.io.table import Column, Row
from haha_config.workflow.listing import Listed, listed, money, tokens, web_search
from haha_config.workflow.trust import foreign_folders

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
@o.takes(*o.WHERE, "trusting", *o.PRINTED)
def models(
    search: str = typer.Option(
        "", "--search", metavar="TEXT", help=_("Only names that contain TEXT.")
    ),
    tools: bool = typer.Option(False, "--tools", help=_("Only models that can call tools.")),
    min_context: int = typer.Option(
        0,
        "--min-context",
        metavar="N",
        min=0,
        show_default=False,
        help=_("Only windows of at least N tokens."),
    ),
    provider: str | None = typer.Option(
        None, "--provider", metavar="KEY", help=_("Another provider than the configured one.")
    ),
    offline: bool = typer.Option(
        False, "--offline", help=_("Ask no server: only files and the built-in list.")
    ),
    *,
    shared: o.SharedOptions,
) -> int:
    session = shared.session(reads=True)
    found = listed(session, provider, offline=offline)
    search_ = web_search(session, provider)
    chosen = tuple(catalogs.search(found.entries, search, tools=tools, min_context=min_context))
    if shared.as_json:
        searches = asdict(search_) if search_ is not None else None
        report.document(
            {"models": [_json(entry, found) for entry in chosen], "web_search": searches}
        )
    elif chosen:
        rows = [_row(entry, found) for entry in chosen]
        lines = table.lines(_COLUMNS, rows, sys.stdout)
        for name in (entry.model.id for entry in chosen if entry.model.id in found.fallbacks):
            others = found.fallbacks[name]
            lines.append(render(msg("{model}; if it fails: {names}", model=name, names=others)))
        pager.show(lines, foreign_folders(session))
        if search_ is not None:
            report.talk(said_of_search(search_))
    else:
        none = nmsg(
            "none of the {n} model fits", "none of the {n} models fits", n=len(found.entries)
        )
        report.talk(none if found.entries else msg("no models are known here"))
    return 0


# --- printing --------------------------------------------------------------------------------


def _json(entry: CatalogEntry, found: Listed) -> dict[str, Data]:
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
        **({"fallbacks": list(found.fallbacks[m.id])} if m.id in found.fallbacks else {}),
    }


#: The output's limit goes first where a terminal is narrow, then prices, then abilities.
_COLUMNS = (
    Column(head=msg("model"), cut=True),
    Column(head=msg("context"), right=True, drop=1),
    Column(head=msg("output"), right=True, drop=4),
    Column(head=msg("can"), drop=2),
    Column(head=msg("$/M in"), right=True, drop=3),
    Column(head=msg("out"), right=True, drop=3),
    Column(),
)
_STYLES = {"used": "used", "ended": "dim", "ends": "", "": ""}


def _row(entry: CatalogEntry, found: Listed) -> Row:
    m, price, state = entry.model, entry.price, found.state(entry)
    can = (("tools", m.tools), ("think", m.thinking))
    said = {
        "used": msg("current"),
        "ended": msg("ENDED {date}", date=m.retired),
        "ends": msg("ends {date}", date=m.retired),
    }
    cells = (
        m.id,
        tokens(m.context),
        tokens(m.output),
        " ".join(name for name, able in can if able),
        money(price.input) if price else "",
        money(price.output) if price else "",
        render(said[state]) if state else "",
    )
    return Row(cells, _STYLES[state])
