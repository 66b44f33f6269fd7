"""The options that commands share: the same name and meaning wherever they occur."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from haha_config.io.i18n import _

Dir = Annotated[
    Path | None,
    typer.Option("--dir", help=_("The folder with .env, litellm_config.yaml and litellm.env.")),
]
Project = Annotated[
    Path | None,
    typer.Option(
        "--project", help=_("The folder whose project and local settings count; default: this one.")
    ),
]
ScopeOption = Annotated[
    str,
    typer.Option(
        "--scope",
        metavar="user|project|local",
        help=_(
            "Which settings.json: yours (user), the project's, or yours in the project (local)."
        ),
    ),
]
ClientOption = Annotated[
    str | None,
    typer.Option(
        "--client",
        metavar="claude|haha",
        help=_("Which client; default: haha inside its checkout, else claude."),
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help=_("Ask nothing; write."))]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help=_("Show what would change; write nothing."))
]
FormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="text|json",
        help=_("How the result is printed."),
    ),
]
Plain = Annotated[
    bool, typer.Option("--plain", help=_("Numbered questions, no colours: for screen readers."))
]
NoColor = Annotated[bool, typer.Option("--no-color", help=_("No colours; NO_COLOR does the same."))]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help=_("Only results and errors."))]
Lang = Annotated[
    str | None,
    typer.Option(
        "--lang",
        metavar="en|zh",
        help=_("Language of all messages."),
    ),
]
Insecure = Annotated[
    bool, typer.Option("--insecure", help=_("Allow http:// to a host that is not private."))
]
Trust = Annotated[
    bool,
    typer.Option("--trust", help=_("Agree to where this folder's files would send your keys.")),
]
Follow = Annotated[
    bool, typer.Option("--follow", help=_("Write through links that lead out of the folder."))
]
WhileRunning = Annotated[
    bool,
    typer.Option(
        "--while-running",
        help=_("With --yes: write even if an open client would pick it up mid-session."),
    ),
]
