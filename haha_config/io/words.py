"""Messages into the person's language: the only place where a Message becomes text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from string import Formatter
from typing import Final

from haha_config.core.errors import Usage
from haha_config.core.messages import Message, msg

_FORMATTER = Formatter()


class _Language:
    """The catalog in use; English needs none."""

    def __init__(self) -> None:
        self.one: Callable[[str], str] = lambda text: text
        self.many: Callable[[str, str, int], str] = lambda one, many, n: one if n == 1 else many


_language = _Language()
LANGUAGES: Final = ("en", "zh")


def choose_language(wanted: str | None, environ: Mapping[str, str]) -> str:
    """Speak `wanted` (`en`, `zh`), else the first of LC_ALL, LC_MESSAGES, LANG that is set.

    Raises Usage where `wanted` is no language of ours. Returns the language chosen.
    """
    if wanted is not None and wanted not in LANGUAGES:
        raise Usage(msg("there is no language `{name}`: {known}", name=wanted, known=LANGUAGES))
    found = wanted or _asked_for(environ)
    if found != "en":
        _load(found)
    return found


def _asked_for(environ: Mapping[str, str]) -> str:
    value = next((environ[n] for n in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(n)), "")
    return "zh" if value.lower().startswith("zh") else "en"


def _load(name: str) -> None:
    import gettext
    from pathlib import Path

    folder = Path(__file__).parent.parent / "locale"
    catalog = gettext.translation("haha_config", folder, languages=[name], fallback=True)
    _language.one = catalog.gettext
    _language.many = catalog.ngettext


def say(message: Message | str) -> str:
    """The text of `message`; a plain string is printed as it is (a path, a command, a name)."""
    if isinstance(message, str):
        return message
    values = {name: _value(value) for name, value in message.values.items()}
    if message.plural is None:
        return _format(_language.one(message.text), values)
    count = message.values["n"]
    assert isinstance(count, int)  # noqa: S101 - nmsg() gives it
    return _format(_language.many(message.text, message.plural, count), values)


def english(message: Message | str) -> str:
    """The English text, whatever the language: JSON output does not change with it."""
    if isinstance(message, str):
        return message
    values = {
        name: english(value) if isinstance(value, Message) else _english_value(value)
        for name, value in message.values.items()
    }
    text = message.text
    if message.plural is not None and message.values["n"] != 1:
        text = message.plural
    return _format(text, values)


def t(text: str) -> str:
    """A help string for the command line, in the person's language."""
    return _language.one(text)


def _value(value: object) -> str:
    if isinstance(value, Message):
        return say(value)
    if isinstance(value, tuple | list):
        return ", ".join(_value(v) for v in value)
    return str(value)


def _english_value(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(english(v) if isinstance(v, Message) else str(v) for v in value)
    return str(value)


def _format(text: str, values: Mapping[str, str]) -> str:
    return _FORMATTER.vformat(text, (), values)
