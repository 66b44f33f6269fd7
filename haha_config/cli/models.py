"""`models`: what the endpoint or the configuration offers."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from shutil import get_terminal_size

import typer

from haha_config.cli import options as o
from haha_config.core.messages import Message, msg, nmsg
from haha_config.core.model import Data
from haha_config.core.providers import catalog as catalogs
from haha_config.core.providers.catalog import CatalogEntry
from haha_config.io import report
from haha_config.io.i18n import _, columns, render
from haha_config.workflow.listing import listed, money, tokens

app = typer.Typer(rich_markup_mode=None, add_completion=False)

#: A name is never shortened below this; a narrower terminal breaks the line.
_NARROWEST = 16


@app.command()
@o.takes(*o.WHERE, "trusting", *o.PRINTED)
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
    *,
    shared: o.SharedOptions,
) -> int:
    found = listed(shared.session(reads=True), provider, offline=offline)
    chosen = tuple(catalogs.search(found, search, tools=tools, min_context=min_context))
    if shared.as_json:
        report.document({"models": [_json(entry) for entry in chosen]})
    elif chosen:
        _table(chosen)
    else:
        report.talk(_none(found))
    return 0


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


def _fit(text: str, width: int, *, left: bool) -> str:
    missing = width - columns(text)
    if missing < 0:
        keep = width - 1
        head = keep // 2
        return f"{text[:head]}…{text[len(text) - (keep - head) :]}"
    return text + " " * missing if left else " " * missing + text
