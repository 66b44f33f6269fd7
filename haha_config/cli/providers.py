"""`providers`: the provider table, and rows of one's own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import asdict

from haha_config.cli import options as o
from haha_config.core.errors import Usage
from haha_config.core.messages import msg
from haha_config.core.model import Plan
from haha_config.core.providers import table
from haha_config.core.providers.model import Provider, Providers
from haha_config.io import files, paths, report, templates
from haha_config.io import table as tables
from haha_config.io.i18n import _, render
from haha_config.io.table import Column, Row

app = typer.Typer(invoke_without_command=True, add_completion=False, rich_markup_mode=None)


@app.callback()
@o.takes("format")
def providers(context: typer.Context, *, shared: o.SharedOptions) -> None:
    """Print every row, in the order of the menu."""
    if context.invoked_subcommand is not None:
        return
    rows = table.load(templates.provider_texts(_own()))
    if shared.as_json:
        report.document({"providers": [_json(row) for row in rows.values()]})
    else:
        _print(rows)


@app.command("add", help=_("Add a provider of your own; one with the same key is replaced."))
@o.takes()
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE.toml", help=_("The provider to add."))],
    *,
    shared: o.SharedOptions,
) -> None:
    """Copy a row into the person's own folder, once the strict parser has read it."""
    if file.suffix != ".toml":
        raise Usage(msg("`{name}` does not end in `.toml`", name=file.name))
    text = files.text(file)
    row = table.parse(file.stem, text, path=str(file))
    from haha_config.workflow import import_profiles
    from haha_config.workflow.session import whole

    target = _own() / file.name
    for warning in import_profiles.misled(table.load(templates.provider_texts()), row):
        report.talk(warning)
    plan, _applied = shared.session().commit(
        lambda: Plan(writes=(whole(target, text),)), "providers add"
    )
    where = report.short(str(target))
    if plan.effective:
        report.talk(msg("wrote {path}", path=where))
    else:
        report.talk(msg("Nothing to change."))
    report.hint(f"haha-config init --provider {row.key}", sys.stderr)


def _own() -> Path:
    return paths.config_folder() / "providers"


def _json(row: Provider) -> dict[str, object]:
    search = table.web_search(row, row.routes[0])
    return {
        "key": row.key,
        "name": row.name,
        "routes": list(row.routes),
        "regions": list(row.regions),
        "variable": row.credential.variable or None,
        "web_search": asdict(search) if search is not None else None,
    }


def _print(providers: Providers) -> None:
    # In a pipe without a header: one line is one provider.
    named = sys.stdout.isatty()
    heads = (
        Column(head=msg("key") if named else None, style="bold"),
        Column(head=msg("variable") if named else None, drop=1),
        Column(head=msg("name") if named else None, cut=True),
    )
    rows = [Row((row.key, row.credential.variable, _named(row))) for row in providers.values()]
    for line in tables.lines(heads, rows, sys.stdout):
        report.drawn(line, sys.stdout)


def _named(row: Provider) -> str:
    """The name, with what a direct row makes of the client's web search where that is known."""
    name = render(table.named(row))
    if row.web_search is None or row.routes[0] != "direct":
        return name
    works = row.web_search.result == "works"
    return f"{name} · {render(msg('web search') if works else msg('no web search'))}"
