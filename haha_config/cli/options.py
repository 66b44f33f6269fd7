"""The options that commands share: the same name and meaning wherever they occur."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from haha_config.io.words import t

Dir = Annotated[
    Path | None,
    typer.Option("--dir", help=t("The folder with .env, litellm_config.yaml and litellm.env.")),
]
Project = Annotated[
    Path | None,
    typer.Option("--project", help=t("Where project and local settings live.")),
]
ScopeOption = Annotated[
    str, typer.Option("--scope", metavar="user|project|local", help=t("Which settings.json."))
]
ClientOption = Annotated[
    str | None,
    typer.Option(
        "--client", metavar="claude|haha", help=t("The client; `haha` inside a checkout.")
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help=t("Ask nothing; write."))]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help=t("Show what would change; write nothing."))
]
FormatOption = Annotated[
    str, typer.Option("--format", metavar="text|json", help=t("How the result is printed."))
]
Plain = Annotated[
    bool, typer.Option("--plain", help=t("Numbered questions, no colours: for screen readers."))
]
NoColor = Annotated[bool, typer.Option("--no-color", help=t("No colours; NO_COLOR does the same."))]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help=t("Only results and errors."))]
Lang = Annotated[
    str | None,
    typer.Option("--lang", metavar="en|zh", help=t("The language that is spoken to you.")),
]
Insecure = Annotated[
    bool, typer.Option("--insecure", help=t("Allow http:// to a host that is not private."))
]
WhileRunning = Annotated[
    bool,
    typer.Option(
        "--while-running", help=t("With --yes: write although clients that are open would follow.")
    ),
]
