"""`trust`: what the files of a folder may decide about your keys, because you said so."""

from __future__ import annotations

import os
from pathlib import Path

import typer
from msgspec.structs import replace

from haha_config.cli import options as o
from haha_config.core.errors import FINE, PROBLEM, Usage
from haha_config.core.messages import msg
from haha_config.io import agreements as store
from haha_config.io import report
from haha_config.io.i18n import _
from haha_config.workflow.session import Session
from haha_config.workflow.trust import agree_here

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
@o.takes("folder", "project", "client", "yes", *o.PRINTED)
def trust(
    listed: bool = typer.Option(
        False, "--list", help=_("List the folders you trust, and with what.")
    ),
    forget: Path | None = typer.Option(
        None, "--forget", metavar="DIR", help=_("Stop trusting this folder.")
    ),
    *,
    shared: o.SharedOptions,
) -> int:
    if listed and forget is not None:
        raise Usage(msg("Give only one of {options}.", options=("--list", "--forget")))
    session = replace(shared, trusting=shared.yes).session(reads=True)
    as_json = shared.as_json
    if listed:
        return _list(session, as_json=as_json)
    if forget is not None:
        return _forget(session, os.path.realpath(forget), as_json=as_json)
    new = agree_here(session)
    if as_json:
        report.document({"agreed": [f"{one.name} {one.shown}".strip() for one in new]})
    elif new:
        report.talk(msg("Trusted: {folder}", folder=tuple(dict.fromkeys(v.root for v in new))))
    else:
        report.talk(msg("Nothing to trust: these files send your keys nowhere new."))
    return FINE


def _list(session: Session, *, as_json: bool) -> int:
    agreed = sorted((f, v) for f, v in store.read(session.state_folder).items() if v)
    if as_json:
        folders = [{"path": path, "values": sorted(v.values())} for path, v in agreed]
        report.document({"folders": folders})
        return FINE
    for folder, values in agreed:
        report.result(folder)
        for shown in sorted(values.values()):
            report.result(f"  {shown}")
    if not agreed:
        report.talk(msg("No folder is trusted yet."))
    return FINE


def _forget(session: Session, folder: str, *, as_json: bool) -> int:
    gone = store.forget(session.state_folder, folder)
    if as_json:
        report.document({"forgotten": gone})
    elif gone:
        report.talk(msg("No longer trusted: {folder}", folder=report.short(folder) or folder))
    else:
        report.talk(msg("{folder} was not trusted", folder=folder))
    return FINE if gone else PROBLEM
