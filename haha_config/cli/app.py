"""The table of commands. A command's module is imported when it is called, not before."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup

from haha_config import __version__
from haha_config.cli import completion
from haha_config.core.errors import USAGE
from haha_config.core.messages import Message, msg
from haha_config.io.i18n import _, language, render

#: The commands as `--help` groups them, each with the one line that says what it does: it heads the
#: command's own help page too. `switch-model` is the `app` of haha_config.cli.switch_model.
GROUPS: Final[tuple[tuple[Message, dict[str, Message]], ...]] = (
    (
        msg("Set up and switch"),
        {
            "init": msg("Ask a few questions and write the client's files."),
            "validate": msg("Say what is wrong and where; --fix repairs it."),
            "switch-model": msg("Switch to another model in every file."),
            "undo": msg("Undo a write."),
        },
    ),
    (
        msg("Look"),
        {
            "show": msg("Show what the client will use, and from which file."),
            "models": msg("List the models you can switch to."),
            "probe": msg("Send real requests and grade the answers."),
            "providers": msg("List the providers, or add one of your own."),
        },
    ),
    (
        msg("Profiles and sessions"),
        {
            "use": msg("Switch to a profile; `use off` removes what haha-config wrote."),
            "profile": msg("Named set-ups: save, list, show, import, export."),
            "run": msg("Start the client on a set-up for this session only."),
            "env": msg("Print the client's variables for a shell."),
        },
    ),
    (
        msg("LiteLLM, trust, tour"),
        {
            "proxy": msg("Install, start, check and stop the LiteLLM gateway."),
            "trust": msg("Say which folders you trust with your keys."),
            "demo": msg("Try everything in a temporary folder."),
        },
    ),
)
COMMANDS: Final = {name: about for _heading, group in GROUPS for name, about in group.items()}
#: Commands that programs call: they work, and `--help` does not list them.
HIDDEN: Final = {"key"}


class _Lazy(TyperGroup):
    """A group that knows its commands' names and summaries without importing them."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the framework's signature
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS and cmd_name not in HIDDEN:
            return None
        module = import_module(f"haha_config.cli.{cmd_name.replace('-', '_')}")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        if cmd_name in COMMANDS:
            command.help = render(COMMANDS[cmd_name])
        for each in getattr(command, "commands", {}).values():
            each.short_help = each.help  # else it is cut in lists
        if ctx.resilient_parsing:  # a Tab
            completion.attach(command, cmd_name)
        return _spoken(command)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """The commands from the table: none is imported to be offered."""
        options = super(TyperGroup, self).shell_complete(ctx, incomplete)
        return [*completion.commands(COMMANDS, incomplete), *options]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0]
        if name not in COMMANDS and name not in HIDDEN and not name.startswith("-"):
            _unknown(name)
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """One screen of 24 lines: what it is, the commands in groups, the few options in a line."""
        usage = render(msg("Usage: "))
        more = render(msg("haha-config COMMAND --help says more"))
        formatter.write(f"{usage}haha-config COMMAND [OPTIONS]   ({more})\n\n")
        formatter.write(f"{self.help}\n")
        first = max(map(len, COMMANDS))
        for heading, group in GROUPS:
            formatter.write(f"{render(heading)}:\n")
            for name, about in group.items():
                formatter.write(f"  {name:{first}}  {render(about)}\n")
        options = "--version --lang en|zh --install-completion --help"
        formatter.write(f"{render(msg('Options: {options}', options=options))}\n")


def _spoken(command: Any) -> Any:
    """The command with its help in the language that is spoken; the framework's is English."""
    if language() != "en":
        from haha_config.cli.help import speak

        speak(command)
    return command


def _unknown(name: str) -> None:
    from haha_config.core.errors import Usage
    from haha_config.core.providers.decode import did_you_mean

    raise Usage(
        msg("there is no command `{name}`", name=name),
        hints=(*did_you_mean(name, COMMANDS), "haha-config --help"),
    )


def _root() -> Any:
    app = typer.Typer(
        cls=_Lazy,
        name="haha-config",
        help=_("Point a coding client at another model, and check that it works."),
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        pretty_exceptions_show_locals=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    def version(value: bool) -> None:
        if value:
            typer.echo(f"haha-config {__version__}")
            raise typer.Exit

    @app.callback()
    def _options(
        _version: bool = typer.Option(
            False,
            "--version",
            "-V",
            callback=version,
            is_eager=True,
            help=_("Print the version and exit."),
        ),
        _lang: str | None = typer.Option(
            None, "--lang", metavar="en|zh", help=_("Language of all messages.")
        ),
    ) -> None:
        pass

    return _spoken(typer.main.get_command(app))


#: The framework's options that install or print a shell's script.
SCRIPTS: Final = {"--install-completion", "--show-completion"}


def complete(words: Sequence[str]) -> int:
    """Answer a shell that asks what a Tab offers behind these words."""
    root = _root()
    completion.attach(root, "")
    completion.answer(root, words, os.environ)
    return 0


def invoke(argv: Sequence[str]) -> int:
    """Run a command line; a command returns its exit code, or None for 0.

    Raises HahaError; usage errors of the parser are printed by it and come back as 2.
    """
    if SCRIPTS & set(argv):
        completion.use_scripts()
    command = _root()
    try:
        result = command.main(args=list(argv), prog_name="haha-config", standalone_mode=False)
    except typer.Exit as stop:
        return stop.exit_code
    except typer.Abort:
        raise KeyboardInterrupt from None
    except Exception as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            # Nothing was asked for, so nothing is wrong: the help alone.
            print(error, file=sys.stderr)
            return USAGE
        if hasattr(error, "exit_code") and hasattr(error, "format_message"):
            _usage(error)
        raise
    return result if isinstance(result, int) else 0


def _usage(error: Any) -> None:
    """The parser's own complaints, as ours: same shape, same exit code 2."""
    from haha_config.cli.help import complaint, nearest
    from haha_config.core.errors import Usage

    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "haha-config"
    raise Usage(complaint(error), hints=(*nearest(error), f"{path} --help")) from None
