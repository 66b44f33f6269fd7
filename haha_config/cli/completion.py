"""What a Tab offers in bash, zsh and fish: values from the files and tables; nobody is asked.

The scripts in `templates/completion` pass the line up to the cursor. The first line of the answer
says what the shell completes (`files`, `words`, `described` words); each other line is a value
and, behind a tab, what it is.
"""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from haha_config.core.messages import Message
from haha_config.core.model import SLOTS
from haha_config.core.variables import CLIENT
from haha_config.io.i18n import render

VARIABLE: Final = "_HAHA_CONFIG_COMPLETE"
SHELLS: Final = ("bash", "zsh", "fish")
#: A value and what it is; "" where there is nothing to say.
Offer = tuple[str, Message | str]
#: The parser's context (what stands before on the line) and the word so far, to values.
Completer = Callable[[Any, str], Iterable[str | Offer]]


# --- values ----------------------------------------------------------------------------------


def _models(_context: Any, _word: str) -> Iterable[str]:
    """The models that this set-up can switch to."""
    from haha_config.core.state import configured
    from haha_config.workflow.session import open_session
    from haha_config.workflow.switch import known_models

    state = open_session(reads=True).state()
    return known_models(state, configured.read(state))


def _models_of_provider(context: Any, _word: str) -> Iterable[str]:
    """The models of the provider that `--provider` names."""
    return [model.id for model in _rows()[context.params["provider"]].models]


def _providers(_context: Any, _word: str) -> Iterable[Offer]:
    return [(row.key, row.about) for row in _rows().values()]


def _upstreams(_context: Any, word: str) -> Iterable[str | Offer]:
    """`KEY:` of each provider that LiteLLM can call, then `KEY:MODEL` of its models."""
    rows = [row for row in _rows().values() if row.upstream]
    key, colon, _model = word.partition(":")
    if not colon:
        return [(f"{row.key}:", row.about) for row in rows]
    return [f"{key}:{model.id}" for row in rows if row.key == key for model in row.models]


def _slots(models: Completer, context: Any, word: str) -> Iterable[str]:
    """`SLOT=`, then `SLOT=MODEL`."""
    slot, equals, model = word.partition("=")
    if not equals:
        return [f"{name}=" for name in SLOTS]
    return [f"{slot}={name}" for name in models(context, model)]


def _rules(_context: Any, word: str) -> Iterable[Offer]:
    """Families, codes and names; behind a comma the next one."""
    from haha_config.core import rules

    before, comma, _last = word.rpartition(",")
    known: list[Offer] = [(family, "") for family in rules.FAMILIES]
    known += [(rules.code_of(rule), rule.title) for rule in rules.every()]
    known += [(rule.name, rule.title) for rule in rules.every()]
    return [(f"{before}{comma}{name}", title) for name, title in known]


def _writes(_context: Any, _word: str) -> Iterable[Offer]:
    """The writes that `undo` can take back, the last one first."""
    from haha_config.io import disk, paths

    return [(record.id, record.command) for record in reversed(disk.records(paths.state_folder()))]


def _profiles(_context: Any, _word: str) -> list[str]:
    from haha_config.io import paths, profile_files

    return profile_files.names(paths.config_folder())


def _sources(_context: Any, _word: str) -> Iterable[str]:
    from haha_config.workflow.import_sources import TOOLS

    return ("all", *TOOLS)


def _rows() -> Mapping[str, Any]:
    from haha_config.workflow.session import open_session

    return open_session(reads=True).providers


#: An option or argument, where it means different things behind its command, to its values.
VALUES: Final[Mapping[str, Completer]] = {
    "--provider": _providers,
    "--upstream": _upstreams,
    "--drop": _models,
    "--select": _rules,
    "--ignore": _rules,
    "--explain": _rules,
    "--require": lambda *_: ("reach", "auth", "model", "stream", "tools"),
    "init --model": _models_of_provider,
    "init --slot": partial(_slots, _models_of_provider),
    "switch-model name": _models,
    "switch-model --slot": partial(_slots, _models),
    "probe names": _models,
    "probe --slot": lambda *_: SLOTS,
    "run name": _profiles,
    "run --model": _models,
    "use name": lambda *known: (*_profiles(*known), "off"),
    "profile show name": _profiles,
    "profile remove name": _profiles,
    "profile key name": _profiles,
    "profile export name": _profiles,
    "profile import source": _sources,
    "show names": lambda *_: CLIENT,
    "undo which": _writes,
}


def attach(command: Any, path: str) -> None:
    """Let each option and argument of a command offer its values."""
    for name, each in getattr(command, "commands", {}).items():
        attach(each, f"{path} {name}")
    for param in command.params:
        name = param.opts[0]
        completer = VALUES.get(f"{path} {name}") or VALUES.get(name) or _named(param.metavar)
        if param.type.name == "path":
            param.shell_complete = lambda *_: [_item("", kind="file")]
        elif completer is not None:
            param.shell_complete = partial(_offered, completer)


def _named(metavar: str | None) -> Completer | None:
    """`a|b|c` names its values itself."""
    if not metavar or not re.fullmatch(r"[a-z]+([|,][a-z]+)+", metavar):
        return None
    values = re.split(r"[|,]", metavar)
    return lambda *_: values


#: A Tab puts a value on the line as it is: bash would run `$(…)` from a name of a cloned file.
_PLAIN: Final = re.compile(r"[\w@%+=:,./\[\]][\w@%+=:,./\[\]~-]*")


def _offered(completer: Completer, context: Any, word: str) -> list[Any]:
    items = []
    with contextlib.suppress(Exception):  # a broken file: nothing is offered, and nothing said
        for offer in completer(context, word):
            value, about = (offer, "") if isinstance(offer, str) else offer
            if value.startswith(word) and _PLAIN.fullmatch(value):
                items.append(_item(value, render(about)))
    return items


def _item(value: str, about: str = "", *, kind: str = "plain") -> Any:
    from typer import _completion_classes as made

    return made.CompletionItem(value, kind, about)  # type: ignore[attr-defined]


def commands(table: Mapping[str, Message], word: str) -> list[Any]:
    """The commands of a table that begin with `word`, for the parser."""
    return [_item(name, render(about)) for name, about in table.items() if name.startswith(word)]


# --- the answer ------------------------------------------------------------------------------


def asked(environ: Mapping[str, str]) -> list[str] | None:
    """The words up to the cursor, where a shell asks what a Tab offers; the last may be empty."""
    if environ.get(VARIABLE, "").removeprefix("tab_") not in SHELLS:
        return None
    line = environ.get("_HAHA_CONFIG_LINE", "")
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    try:
        words.extend(lexer)
    except ValueError:  # a quote that is still open
        return [*words, lexer.token.lstrip("'\"")]
    return words if words and not line[-1].isspace() else [*words, ""]


def answer(command: Any, words: Sequence[str], environ: Mapping[str, str]) -> None:
    """Print what the shell reads."""
    from typer._completion_classes import BashComplete

    complete = BashComplete(command, {}, "haha-config", VARIABLE)
    items = complete.get_completions(list(words[1:-1]), words[-1])
    if any(item.type == "file" for item in items):
        print("files")
        return
    option, equals, _value = words[-1].partition("=")
    before = option + equals if equals and option.startswith("-") else ""
    offers = [(before + item.value, " ".join((item.help or "").split())) for item in items]
    print("described" if any(about for _, about in offers) else "words")
    for line in _lines(offers, words[-1], environ):
        print(line)


def _lines(offers: Sequence[Offer], typed: str, environ: Mapping[str, str]) -> list[str]:
    shell = environ[VARIABLE].removeprefix("tab_")
    if shell == "bash":
        # For bash a word begins after a colon or an equals sign: it has what stands before.
        has = environ.get("_HAHA_CONFIG_WORD", "")
        before = typed.removesuffix("" if has in (":", "=") else has)
        return [value.removeprefix(before) for value, _about in offers]
    if shell == "fish":
        return [f"{value}\t{about}".rstrip() for value, about in offers]
    from haha_config.io.i18n import columns, pad

    width = max((columns(value) for value, _about in offers), default=0) + 2
    return [f"{value}\t{pad(value, width)}{about}".rstrip() for value, about in offers]


def use_scripts() -> None:
    """Let the framework's `--install-completion` and `--show-completion` give our scripts."""
    from typer import _completion_shared

    from haha_config.io import templates

    for shell in SHELLS:
        text = templates.text(f"completion/{shell}").replace("%", "%%")
        _completion_shared._completion_scripts[shell] = text
