"""The options that commands share: the same name and meaning wherever they occur."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias, get_type_hints

import typer
from msgspec import Struct

from haha_config.io import report
from haha_config.io.i18n import _
from haha_config.workflow.session import Session, choice, open_session

if TYPE_CHECKING:
    from haha_config.workflow.apply import WriteOptions

Dir = Annotated[
    Path | None,
    typer.Option("--dir", help=_("The folder with .env, litellm_config.yaml and litellm.env.")),
]
Project = Annotated[
    Path | None,
    typer.Option(
        "--project", help=_("The folder in which the client is started; default: this one.")
    ),
]
ScopeOption = Annotated[
    str,
    typer.Option(
        "--scope",
        metavar="user|project|local",
        show_default=False,
        help=_(
            "Which settings.json. user (default): all your projects; project: this one, shared;"
            " local: this one, only you."
        ),
    ),
]
ClientOption = Annotated[
    str | None,
    typer.Option(
        "--client",
        metavar="claude|haha",
        help=_("Which client; default: haha in its checkout, else claude."),
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help=_("Ask nothing; go ahead."))]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help=_("Show what would change; write nothing."))
]
FormatOption = Annotated[
    str,
    typer.Option(
        "--format", metavar="text|json", show_default=False, help=_("json: for programs.")
    ),
]
Plain = Annotated[bool, typer.Option("--plain", help=_("Numbered questions, for screen readers."))]
NoColor = Annotated[bool, typer.Option("--no-color", help=_("No colours; NO_COLOR does the same."))]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help=_("Only results and errors."))]
Lang = Annotated[
    str | None, typer.Option("--lang", metavar="en|zh", help=_("Language of all messages."))
]
Unlisted = Annotated[bool, typer.Option("--unlisted", help=_("Accept an unlisted name."))]
KeyEnv = Annotated[
    str | None,
    typer.Option("--api-key-env", metavar="NAME", help=_("The variable that holds the key.")),
]
KeyStdin = Annotated[
    bool, typer.Option("--api-key-stdin", help=_("Read the key from standard input."))
]
Insecure = Annotated[bool, typer.Option("--insecure", help=_("Allow http:// to public hosts."))]
Trust = Annotated[
    bool, typer.Option("--trust", help=_("Trust this folder's files with your keys."))
]
Follow = Annotated[
    bool, typer.Option("--follow", help=_("Write through links that lead out of the folder."))
]
WhileRunning = Annotated[
    bool,
    typer.Option(
        "--while-running",
        help=_("With --yes: write even while a client is open."),
    ),
]


class SharedOptions(Struct, frozen=True, kw_only=True):
    """What a command's shared options were given; those that it does not take have defaults."""

    folder: Dir = None
    project: Project = None
    scope: ScopeOption = "user"
    client: ClientOption = None
    yes: Yes = False
    trusting: Trust = False
    follow: Follow = False
    dry_run: DryRun = False
    while_running: WhileRunning = False
    format: FormatOption = "text"
    plain: Plain = False
    insecure: Insecure = False
    no_color: NoColor = False
    quiet: Quiet = False
    lang: Lang = None  # read before the options are parsed; here for the help page

    @property
    def as_json(self) -> bool:
        return self.format == "json"

    def session(self, *, reads: bool = False) -> Session:
        """Where the command works; `reads`: it writes none of the targets."""
        return open_session(
            folder=self.folder,
            project=self.project,
            scope=self.scope,
            client=self.client,
            reads=reads,
            trusting=self.trusting,
            yes=self.yes,
        )

    def start(self) -> Session:
        """The session of a command that writes; a write that was cut off is ended first."""
        session = self.session()
        session.settle(dry_run=self.dry_run)
        return session

    def writing(self, command: str, *, yes: bool, agrees: bool = True) -> WriteOptions:
        """How `command` writes; `yes`: it asks nothing."""
        from haha_config.workflow.apply import WriteOptions

        return WriteOptions(
            command=command,
            yes=yes,
            dry_run=self.dry_run,
            as_json=self.as_json,
            while_running=self.while_running,
            plain=self.plain,
            follow=self.follow,
            agrees=agrees,
        )


#: Where the files are.
WHERE: Final = ("folder", "project", "scope", "client")
#: How a result is printed.
PRINTED: Final = ("format", "no_color", "quiet")
#: What a command that writes takes.
WRITING: Final = (
    *WHERE,
    *("yes", "dry_run", "format", "plain", "no_color", "quiet", "while_running"),
)


def _parameter(name: str, default: Any, annotation: Any) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


_PARAMETERS: Final = {
    name: _parameter(name, getattr(SharedOptions(), name), annotation)
    for name, annotation in get_type_hints(SharedOptions, include_extras=True).items()
}


Command: TypeAlias = Callable[..., Any]


def takes(*names: str) -> Callable[[Command], Command]:
    """Give a command these options and `--lang`; its last parameter, `shared`, is what they say."""

    def shared(values: Mapping[str, Any]) -> SharedOptions:
        options = SharedOptions(**values)
        choice("--format", options.format, ("text", "json"))
        if options.quiet:
            report.be_quiet()
        if options.no_color:
            report.without_color()
        return options

    parameters = [_PARAMETERS[name] for name in (*names, "lang")]
    return lambda command: _gathering(command, "shared", parameters, shared)


def answers(
    record: type[Struct], about: Mapping[str, tuple[str | None, str]]
) -> Callable[[Command], Command]:
    """Give a command an option for each field of `record`; its parameter `given` is what they say.

    `about`: what stands for the value of a field, and its help.
    """
    hints = get_type_hints(record)
    parameters = []
    for name, (metavar, text) in about.items():
        several = hints[name] == tuple[str, ...]
        option = typer.Option([] if several else None, metavar=metavar, help=text)
        kind = list[str] if several else hints[name]
        parameters.append(_parameter(name, option, kind))
    return lambda command: _gathering(
        command,
        "given",
        parameters,
        lambda values: record(
            **{n: tuple(v) if isinstance(v, list) else v for n, v in values.items()}
        ),
    )


def _gathering(
    command: Command,
    into: str,
    options: list[inspect.Parameter],
    made: Callable[[dict[str, Any]], object],
) -> Command:
    """The command with these options instead of its parameter `into`, which is made of them."""
    signature = inspect.signature(command, eval_str=True)
    own = [p for p in signature.parameters.values() if p.name != into]

    @functools.wraps(command)
    def called(**values: Any) -> Any:
        record = made({option.name: values.pop(option.name) for option in options})
        return command(**{into: record}, **values)

    called.__annotations__ = {}
    called.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*own, *options]
    )
    return called
