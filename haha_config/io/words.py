"""Messages into the person's language: the only place where a Message becomes text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from string import Formatter

from haha_config.core.messages import Message

_FORMATTER = Formatter()


class _Language:
    """The catalog in use; English needs none."""

    def __init__(self) -> None:
        self.one: Callable[[str], str] = lambda text: text
        self.many: Callable[[str, str, int], str] = lambda one, many, n: one if n == 1 else many


_language = _Language()


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
