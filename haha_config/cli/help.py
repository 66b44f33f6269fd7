"""The parser's own words (headings of help pages, complaints) in the person's language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import typer
from typer.core import TyperCommand

from haha_config.core.messages import Message, msg
from haha_config.io.i18n import _, columns, pad, render, wrapped

#: What the framework says on a help page, beside the texts that we give it.
_OWN: Final[dict[str, Message]] = {
    "Arguments": msg("Arguments"),
    "Commands": msg("Commands"),
    "Options": msg("Options"),
    "Show this message and exit.": msg("Show this message and exit."),
    "Install completion for the current shell.": msg("Install completion for the current shell."),
    "Show completion for the current shell, to copy it or customize the installation.": msg(
        "Show completion for the current shell, to copy it or customize the installation."
    ),
}
#: The notes in brackets that it puts behind an option's text.
_NOTES: Final[tuple[tuple[str, Message], ...]] = (
    (r"default: (?P<value>.*)", msg("default: {value}")),
    (r"env var: (?P<value>.*)", msg("env var: {value}")),
    (r"required", msg("required")),
)
_BAD: Final = r"Invalid value for '(?P<name>[^']*)'[^:]*: "
#: Its complaints, and the same in our words.
_COMPLAINTS: Final[tuple[tuple[str, Message], ...]] = (
    (
        r"No such option: (?P<name>\S+)(?: \(Possible options: .*\))?",
        msg("there is no option `{name}`"),
    ),
    (r"No such command '(?P<name>.*)'\.", msg("there is no command `{name}`")),
    (r"Missing command\.", msg("a command is missing")),
    (r"Missing argument '(?P<name>.*?)'\..*", msg("the argument `{name}` is missing")),
    (r"Missing option '(?P<name>.*?)'\..*", msg("the option `{name}` is missing")),
    (r"Got unexpected extra arguments?(?:\(s\))? \((?P<words>.*)\)", msg("too much: `{words}`")),
    (r"Option '(?P<name>.*)' requires an argument\.", msg("`{name}` needs a value")),
    (r"Option '(?P<name>.*)' does not take a value\.", msg("`{name}` takes no value")),
    (
        _BAD + r"'(?P<value>.*)' is not a valid int(?:eger)?(?: range)?\.",
        msg("`{name}` needs a whole number, not `{value}`"),
    ),
    (
        _BAD + r"'(?P<value>.*)' is not a valid float(?: range)?\.",
        msg("`{name}` needs a number, not `{value}`"),
    ),
    (
        _BAD + r"(?P<value>\S+) is not in the range (?P<range>.*)\.",
        msg("`{name}` can't be {value}: {range}"),
    ),
    (_BAD + r"(?P<why>.*)", msg("`{name}`: {why}")),
)


def complaint(error: Any) -> Message:
    """A usage error of the parser in our words; one that is not known is passed on as it is."""
    text = error.format_message()
    return _matched(text, _COMPLAINTS) or msg("{complaint}", complaint=text)


def nearest(error: Any) -> tuple[Message, ...]:
    """The hint for an option that is not one."""
    from haha_config.core.providers.decode import did_you_mean

    return did_you_mean(
        getattr(error, "option_name", ""), getattr(error, "possibilities", None) or ()
    )


def _matched(text: str, table: Iterable[tuple[str, Message]]) -> Message | None:
    for pattern, message in table:
        found = re.fullmatch(pattern, text, re.DOTALL)
        if found is not None:
            return Message(message.text, found.groupdict())
    return None


def speak(command: Any) -> None:
    """Let a command, and the commands in it, print their help in the language that is spoken."""
    command.context_class = _context()
    for each in getattr(command, "commands", {}).values():
        speak(each)


def sectioned(
    sections: Mapping[str, Sequence[str]], examples: Sequence[str], others: str
) -> type[TyperCommand]:
    """A command whose help page has examples, and its options under headings.

    `sections`: heading -> options by their long names. What is in none stands under `others`.
    """

    class Sectioned(TyperCommand):
        def format_options(self, ctx: Any, formatter: Any) -> None:
            with formatter.section(_("Examples")):
                for line in examples:
                    formatter.write(f"  {line}\n")
            left = {param.opts[0]: param.get_help_record(ctx) for param in self.get_params(ctx)}
            for heading, names in sections.items():
                rows = [row for name in names if (row := left.pop(name, None)) is not None]
                with formatter.section(heading):
                    formatter.write_dl(rows)
            with formatter.section(others):
                formatter.write_dl([row for row in left.values() if row is not None])

    return Sectioned


def _context() -> type[Any]:
    base: Any = typer.Context.formatter_class

    class Formatter(base):  # type: ignore[misc]
        """A help page whose columns are counted as a terminal counts them."""

        def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
            super().write_usage(prog, args, render(msg("Usage: ")) if prefix is None else prefix)

        def write_heading(self, heading: str) -> None:
            super().write_heading(_own(heading))

        def write_text(self, text: str) -> None:
            indent = " " * self.current_indent
            for line in wrapped(text, self.width - self.current_indent):
                self.write(f"{indent}{line}\n")

        def write_dl(
            self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
        ) -> None:
            first = min(max(columns(name) for name, _ in rows), col_max) + col_spacing
            margin = " " * (first + self.current_indent)
            for name, about in rows:
                head = " " * self.current_indent + name
                lines = wrapped(_own(about), max(self.width - len(margin), 10))
                if columns(name) > first - col_spacing:
                    self.write(f"{head}\n")
                    head = margin
                self.write(f"{pad(head, len(margin))}{lines[0] if lines else ''}".rstrip() + "\n")
                for line in lines[1:]:
                    self.write(f"{margin}{line}\n")

    class Context(typer.Context):
        formatter_class = Formatter

    return Context


def _own(text: str) -> str:
    """`text` in the person's language where it is the framework's; ours is so already."""
    if text in _OWN:
        return render(_OWN[text])
    about, bracket, notes = text.partition("  [")
    if not bracket:
        return text
    said = [_matched(note, _NOTES) or note for note in notes.removesuffix("]").split("; ")]
    return f"{about}  [{'; '.join(render(note) for note in said)}]"
