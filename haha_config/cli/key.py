"""`key`: print a profile's key and nothing else; the client calls it as its `apiKeyHelper`.

It loads no provider table and looks at no settings: the client waits for it.
"""

from __future__ import annotations

import os

import typer

from haha_config.core.errors import HahaError, Usage
from haha_config.core.messages import msg
from haha_config.core.setup.profile import check_name, of_data
from haha_config.io import paths, profile_files, report, store
from haha_config.io.i18n import _

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(help=_("Print a profile's key, for the client's apiKeyHelper."))
def key(name: str = typer.Argument(..., help=_("The profile."))) -> int:
    where = profile_files.path(paths.config_folder(), check_name(name))
    if not where.exists():
        raise Usage(
            msg("there is no profile `{name}`", name=name), hints=("haha-config profile list",)
        )
    profile = of_data(name, profile_files.load(where), str(where))
    if not profile.keys:
        raise HahaError(msg("there is no key in {where}", where=report.short(str(where))))
    if len(profile.keys) > 1:
        known = tuple(profile.keys)
        raise HahaError(
            msg("profile `{name}` has {n} keys: {known}", name=name, n=len(known), known=known)
        )
    (reference,) = profile.keys.values()
    found = store.read(reference.kind, reference.name, os.environ, paths.data_folder())
    if not found:
        raise HahaError(
            msg("there is no key in {where}", where=str(reference)),
            hints=(f"haha-config profile key {name}",),
        )
    report.result(found)
    return 0
