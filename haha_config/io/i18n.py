"""Messages into the person's language: the only place where a Message becomes text."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Final

from haha_config.core.errors import Usage
from haha_config.core.messages import CONTROLS, Message, msg
from haha_config.core.variables import without_url_secrets

if TYPE_CHECKING:
    from gettext import GNUTranslations

_FORMATTER = Formatter()


class _Language:
    """The catalog in use; English needs none."""

    name = "en"
    catalog: GNUTranslations | None = None
    #: Texts that are in no catalog, asked for when the first of them is to be said.
    more: Callable[[], Mapping[str, str]] = dict


_language = _Language()
LANGUAGES: Final = ("en", "zh")
#: What must be printable before a language is spoken that nobody asked for on the command line.
_SAMPLE: Final = {"zh": "中文"}


def choose_language(
    wanted: str | None, environ: Mapping[str, str], encodings: tuple[str, ...] = ()
) -> str:
    """Speak `wanted` (`en`, `zh`), else the first of LC_ALL, LC_MESSAGES, LANG that is set.

    What only the environment asks for is not spoken where one of `encodings` (of the streams) has
    no such characters. Raises Usage where `wanted` is no language of ours. Returns the language
    chosen.
    """
    if wanted is not None and wanted not in LANGUAGES:
        raise Usage(
            msg("there is no language `{name}`: {known}", name=wanted, known=LANGUAGES),
            hints=tuple(f"--lang {name}" for name in LANGUAGES),
        )
    asked = next((environ[n] for n in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(n)), "")
    found = wanted or ("zh" if asked.lower().startswith("zh") else "en")
    if wanted is None and not all(_has(code, _SAMPLE.get(found, "")) for code in encodings):
        found = "en"
    if found != _language.name:
        _load(found)
    return found


def _has(encoding: str, sample: str) -> bool:
    try:
        sample.encode(encoding)
    except (UnicodeError, LookupError):
        return False
    return True


def _load(name: str) -> None:
    _language.name, _language.catalog = name, None
    if name == "en":
        return
    from gettext import GNUTranslations, NullTranslations

    class Rest(NullTranslations):
        """What the catalog lacks."""

        def gettext(self, message: str) -> str:
            return _language.more().get(message, message)

    with catalog_path(name).open("rb") as file:
        _language.catalog = GNUTranslations(file)
    _language.catalog.add_fallback(Rest())


def catalog_path(name: str) -> Path:
    """The compiled catalog of a language."""
    return Path(__file__).parent.parent / "locale" / name / "LC_MESSAGES" / "haha_config.mo"


def language() -> str:
    """The language that is spoken."""
    return _language.name


def add_texts(texts: Callable[[], Mapping[str, str]]) -> None:
    """Where texts are found that are in no catalog: asked once, when the first one is needed."""
    _language.more = cache(texts)


def render(message: Message | str) -> str:
    """The text of `message`; a plain string is a path, a command or a name: only made visible."""
    if isinstance(message, str):
        return visible(message)
    values = {name: _value(value) for name, value in message.values.items()}
    if message.plural is None:
        return _format(_said(message.text), values)
    count = message.values["n"]
    assert isinstance(count, int)  # noqa: S101 - nmsg() gives it
    if _language.catalog is not None:
        return _format(_language.catalog.ngettext(message.text, message.plural, count), values)
    return _format(message.text if count == 1 else message.plural, values)


_ESCAPES: Final = {
    code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    for code in CONTROLS
    if chr(code) not in "\n\t"
}


def visible(text: str) -> str:
    """`text` with its control characters as escapes: a file of somebody else's may hold them."""
    return text if text.isprintable() else text.translate(_ESCAPES)


def with_tilde(text: str) -> str:
    """`text` with `~` for the home folder at the start of a word, where a shell reads it so too.

    A quoted path begins with its quote and stays: no shell looks for `~` in there.
    """
    home = os.environ.get("HOME", "").rstrip("/")
    # Windows has shells that know no `~`.
    if os.sep != "/" or len(home) < 2 or home not in text:
        return text
    return re.sub(rf"(?<!\S){re.escape(home)}/", "~/", text)


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


def _(text: str) -> str:
    """A help string for the command line, in the person's language."""
    return _said(text)


def _said(text: str) -> str:
    return text if _language.catalog is None else _language.catalog.gettext(text)


def columns(text: str) -> int:
    """How many columns `text` takes in a terminal: most Chinese characters take two."""
    if text.isascii():
        return len(text)
    from wcwidth import width

    return width(text)


def pad(text: str, room: int) -> str:
    """`text` and as many spaces as fill `room` columns."""
    return text + " " * (room - columns(text))


_CLOSING: Final = "[，。；：、！？）”」…,.;:!?)]"
#: What a line may be broken between: words, and most Chinese characters. No line begins with a
#: closing mark, nor ends with an opening one.
_PIECE: Final = rf"[（“「]*(?:[!-~…]+|\S){_CLOSING}*|\s+"
#: The same inside a word that is longer than a line.
_CUT: Final = rf".(?:{_CLOSING}$)?"


def wrapped(text: str, room: int) -> list[str]:
    """`text` in lines of at most `room` columns; only a word that is longer is cut."""
    return [line for part in text.split("\n") for line in _wrapped(part, room)]


def _wrapped(text: str, room: int) -> Iterator[str]:
    line, used = "", 0
    for word in re.findall(_PIECE, text):
        for piece in _cut(word, room):
            more = columns(piece)
            if line and used + more > room and not piece.isspace():
                yield line.rstrip()
                line, used = "", 0
            line, used = line + piece, used + more
    yield line.rstrip()


def _cut(word: str, room: int) -> list[str]:
    """The word in pieces: a path behind a slash, where that leaves no line almost empty."""
    if columns(word) <= room:
        return [word]
    least = room * 2 // 5
    folder = re.match(rf".{{{least},{max(least, room - 2)}}}[^:/]/", word)
    if folder is None or columns(folder[0]) > room:
        return re.findall(_CUT, word)
    return [folder[0], *_cut(word[folder.end() :], room)]


def whole_words(text: str, room: int) -> list[str]:
    """The same lines, but a word that is longer than a line is shortened instead of cut."""
    words = (shortened(word, room) if word.isascii() else word for word in text.split(" "))
    return wrapped(" ".join(words), room)


def shortened(text: str, room: int) -> str:
    """`text` without its middle where it is wider than `room`: both ends tell models apart."""
    if columns(text) <= room:
        return text
    half = (room - 1) // 2
    return f"{_start(text, half)}…{_start(text[::-1], room - 1 - half)[::-1]}"


def _start(text: str, room: int) -> str:
    while columns(text) > room:
        text = text[:-1]
    return text


def _value(value: object) -> str:
    if isinstance(value, Message):
        return render(value)
    if isinstance(value, tuple | list):
        return _(", ").join(_value(v) for v in value)
    return with_tilde(visible(without_url_secrets(str(value))))


def _english_value(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(english(v) if isinstance(v, Message) else _english_value(v) for v in value)
    return without_url_secrets(str(value))


def _format(text: str, values: Mapping[str, str]) -> str:
    return _FORMATTER.vformat(text, (), values)
