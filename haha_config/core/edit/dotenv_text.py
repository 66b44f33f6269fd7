"""`.env` files as Bun 1.4 reads them: the target client loads its `.env` through Bun.

What Bun makes of a line was measured (tests/e2e/test_dialects.py runs the real one against this
reader): white space round a name, `=` and a quote may hold line ends; `NAME: value` is an
assignment; a quoted value ends at its first quote without a backslash before it, and the rest of
that line is ignored; a quote that is never closed is an ordinary character; the last of several
assignments wins; `\\$` is a dollar sign; `$NAME` and `${NAME}` are expanded, in any quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from haha_config.core.edit.text import (
    BOM,
    LINE_END,
    Document,
    Source,
    by_hand,
    changed,
    name_of,
    newline,
)
from haha_config.core.errors import Refusal
from haha_config.core.messages import Message, msg
from haha_config.core.model import Change, Oddity, Path, Remove, Set

_SPACE: Final = " \t\v\f\r\n"
_GAP: Final = re.compile(rf"[{_SPACE}]*")
_NAME: Final = re.compile(r"[A-Za-z0-9_.\-]+")
_REST: Final = re.compile(r"[^\r\n]*")
_UNQUOTED: Final = re.compile(r"[^#\r\n]*")
_QUOTED: Final = {
    quote: re.compile(rf"{quote}(?:\\[\s\S]|[^{quote}\\])*{quote}") for quote in ("'", '"', "`")
}
_ESCAPES: Final = re.compile(r"\\([\s\S])")

#: What Bun puts a value in the place of: `$NAME`, `${NAME}`, `${NAME:-text}`.
_NAMED: Final = re.compile(r"\$([A-Za-z0-9_]+)()")
_BRACED: Final = re.compile(r"\$\{([A-Za-z0-9_]*)(?::-([^}]*))?\}")
_LIVE: Final = re.compile(r"(?<!\\)\$[A-Za-z0-9_{]")
_ESCAPED: Final = re.compile(r"\$(?=[A-Za-z0-9_{])|(?<=\\)\$")
_NEW_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

#: Values, and raw texts between quotes, that Bun, Node, python-dotenv and sh all read alike.
_BARE: Final = re.compile(r"[A-Za-z0-9_./:@+=,-]*")
_PLAIN_SINGLE: Final = re.compile(r"(?:[^'\\$]|\\(?![\\'$]|\Z)|\$(?![A-Za-z0-9_{]))*")
_PLAIN_DOUBLE: Final = re.compile(r'[^"\\$`]*')
_PLAIN_AFTER: Final = re.compile(r"[ \t]*|[ \t]+#.*")


class Form(Struct, frozen=True):
    """How a value is written. `portable`: Bun, Node, python-dotenv and sh all read it back."""

    text: str
    portable: bool


class _Binding(Struct, frozen=True, kw_only=True):
    """One assignment and where its parts stand; `end` is the end of its last line."""

    start: int
    key_start: int
    key_end: int
    sep_end: int
    value_start: int
    value_end: int
    end: int
    name: str
    value: str
    raw: str
    live: bool


class _Document(Document):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.bindings, self._bad = _parse(text)
        self.last = {binding.name: binding for binding in self.bindings}
        self.data = {name: binding.value for name, binding in self.last.items()}

    def _at(self, path: Path) -> tuple[int, int] | None:
        binding = self.last.get(path[0]) if len(path) == 1 and isinstance(path[0], str) else None
        return (binding.key_start, binding.value_start) if binding else None

    def _oddities(self) -> Iterator[Oddity]:
        text, place = self.text, self._source.place
        if text.startswith(BOM):
            yield Oddity(kind="bom", place=place(0))
        for offset in self._bad:
            yield Oddity(kind="bad-line", place=place(offset))
        for binding in self.bindings:
            if self.last[binding.name] is not binding:
                yield Oddity(kind="duplicate", place=place(binding.key_start), name=binding.name)
            if not _portable(text, binding):
                yield Oddity(kind="dialect", place=place(binding.value_start), name=binding.name)


def read(text: str) -> _Document:
    """Every assignment as Bun reads it, before `$NAME` is expanded.

    Nothing is a syntax error in this format. Oddities: `bom`; `bad-line`, a line that Bun skips;
    `duplicate`, an assignment that a later one makes void; `dialect`, one that refers to another
    variable, or that Node, python-dotenv or sh read differently.
    """
    return _Document(text)


def expanded(text: str, exported: Mapping[str, str]) -> dict[str, str]:
    """Every variable as Bun hands it to the client: `$NAME` replaced, in the order of the file.

    What is exported beats the file. A name that is nowhere is replaced by nothing.
    """
    raw = {binding.name: binding.raw for binding in read(text).bindings}
    for name in raw:
        raw[name] = _with_references(raw[name], lambda n: exported.get(n, raw.get(n)))
    return raw


def _with_references(raw: str, value_of: Callable[[str], str | None]) -> str:
    """From the last `$` to the first; what was put in is not looked at again."""
    at = end = len(raw)
    while (at := raw.rfind("$", 0, end)) >= 0:
        # A bare name ends before what was put in behind it.
        found = _BRACED.match(raw, at) or _NAMED.match(raw, at, end)
        end = at
        if found is None or raw[at - 1 : at] == "\\":
            continue
        value = value_of(found[1])
        raw = raw[:at] + (found[2] or "" if value is None else value) + raw[found.end() :]
    return raw.replace("\\$", "$")


def edit(text: str, changes: Sequence[Change]) -> str:
    """Make `changes` and touch nothing else.

    Of several assignments the last is edited, since it wins; `Remove` takes out all of them. A new
    one goes to the end. Refuses a value that no form carries (a line end, NUL), and a file in
    which the new line would not read as asked (an open quote above it).
    """
    result = text
    for change in changes:
        try:
            result = _edit(result, change)
        except Refusal as error:
            raise _refusal(error.what, text, change) from None
    if changes and read(result).data != changed(read(text).data, changes):
        last = changes[-1]
        raise _refusal(
            msg("`{name}` would not read as written", name=name_of(last.path)), text, last
        )
    return result


def form(value: str) -> Form:
    """How `value` is written: bare, quoted as all readers agree, or else as Bun alone reads it."""
    if any(char in value for char in "\n\r\0"):
        raise Refusal(msg("a .env value can't hold a line end or NUL"))
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise Refusal(msg("a .env file can't hold half a character"))
    if not value:
        return Form('""', True)
    if _BARE.fullmatch(value):
        return Form(value, True)
    printable = all(char.isprintable() or char == "\t" for char in value)
    if _PLAIN_SINGLE.fullmatch(value):
        return Form(f"'{value}'", printable)
    if _PLAIN_DOUBLE.fullmatch(value):
        return Form(f'"{value}"', printable)
    raw = _ESCAPED.sub(r"\\$", value)
    for text in (f"'{raw}'", f'"{raw}"', f"`{raw}`", raw):
        if _carries(text, value):
            return Form(text, False)
    raise Refusal(msg("a .env value can't hold all three kinds of quotes"))


def _carries(text: str, value: str) -> bool:
    if text[0] in _QUOTED and len(text) > 1 and text[-1] != text[0]:
        return False  # an open quote, which a quote in a later line would close
    wanted = [("A", value, False), ("B", "", False)]
    return all(
        [(b.name, b.value, b.live) for b in _parse(f"A={text}{after}\nB=")[0]] == wanted
        for after in ("", " # note")
    )


# --- reading ---------------------------------------------------------------------------------


def _parse(text: str) -> tuple[list[_Binding], list[int]]:
    """The assignments, and the offsets of lines that are neither these nor comments."""
    bindings: list[_Binding] = []
    bad: list[int] = []
    at = 1 if text.startswith(BOM) else 0
    while True:
        at = _skip(text, at)
        if at == len(text):
            return bindings, bad
        if key := _key(text, at):
            bindings.append(_binding(text, at, *key))
            at = bindings[-1].end
        else:
            if text[at] != "#":
                bad.append(at)
            at = _rest(text, at)


def _skip(text: str, at: int) -> int:
    match = _GAP.match(text, at)
    return match.end() if match else at


def _rest(text: str, at: int) -> int:
    match = _REST.match(text, at)
    return match.end() if match else at


def _key(text: str, at: int, exported: bool = False) -> tuple[int, int, int] | None:
    """Where a name starts and ends, and where its separator ends."""
    name = _NAME.match(text, at)
    if not name:
        return None
    end = _skip(text, name.end())
    if (
        not exported
        and name[0] == "export"
        and end > name.end()
        and (key := _key(text, end, exported=True))
    ):
        return key
    if text.startswith("=", end):
        return at, name.end(), end + 1
    if text.startswith(":", end) and text[end + 1 : end + 2] in tuple(_SPACE):
        return at, name.end(), end + 2
    return None


def _binding(text: str, start: int, key_start: int, key_end: int, sep_end: int) -> _Binding:
    value_start = _skip(text, sep_end)
    quoted = _QUOTED.get(text[value_start : value_start + 1])
    if quoted and (match := quoted.match(text, value_start)):
        value_end = match.end()
        raw = _unescaped(match[0])
    else:
        unquoted = _UNQUOTED.match(text, sep_end)
        raw = unquoted[0].strip(_SPACE) if unquoted else ""
        value_start = _skip(text, sep_end) if raw else sep_end
        value_end = value_start + len(raw)
    return _Binding(
        start=start,
        key_start=key_start,
        key_end=key_end,
        sep_end=sep_end,
        value_start=value_start,
        value_end=value_end,
        end=_rest(text, value_end),
        name=text[key_start:key_end],
        value=raw.replace("\\$", "$"),
        raw=raw,
        live=bool(_LIVE.search(raw)),
    )


def _unescaped(quoted: str) -> str:
    raw = quoted[1:-1].replace("\r\n", "\n").replace("\r", "\n")
    if quoted[0] != '"':
        return raw
    return _ESCAPES.sub(lambda m: {"n": "\n", "r": "\r"}.get(m[1], m[0]), raw)


def _portable(text: str, binding: _Binding) -> bool:
    if text[binding.key_end : binding.value_start] != "=":
        return False
    raw = text[binding.value_start : binding.value_end]
    after = text[binding.value_end : binding.end]
    if not _PLAIN_AFTER.fullmatch(after):
        return False
    if not raw:
        return not after.strip()
    if raw[0] in "'\"" and len(raw) > 1 and raw[-1] == raw[0]:
        plain = _PLAIN_SINGLE if raw[0] == "'" else _PLAIN_DOUBLE
        return bool(plain.fullmatch(raw[1:-1]))
    return bool(_BARE.fullmatch(raw))


# --- editing ---------------------------------------------------------------------------------


def _edit(text: str, change: Change) -> str:
    if len(change.path) != 1 or not isinstance(change.path[0], str):
        raise Refusal(msg("`{name}` has no place in a .env file", name=name_of(change.path)))
    name = change.path[0]
    document = read(text)
    if isinstance(change, Remove):
        for each in reversed(document.bindings):
            if each.name == name:
                text = _without(text, each)
        return text
    written = _written(change, name)
    binding = document.last.get(name)
    if binding is None and not _NEW_NAME.fullmatch(name):
        raise Refusal(msg("a shell does not accept the name `{name}`", name=name))
    if binding is None:
        return _with(text, name, written)
    if binding.value == change.value and not binding.live:
        return text
    start = binding.value_start
    if LINE_END.search(text, binding.sep_end, start):
        start = binding.sep_end
    return text[:start] + written + text[binding.value_end :]


def _written(change: Set, name: str) -> str:
    if not isinstance(change.value, str):
        raise Refusal(msg("`{name}` must be text in a .env file", name=name))
    try:
        return form(change.value).text
    except Refusal as refusal:
        what = msg("`{name}` cannot be written: {why}", name=name, why=refusal.what)
        raise Refusal(what) from None


def _with(text: str, name: str, written: str) -> str:
    end = newline(text)
    if text in ("", BOM) or text.endswith(("\n", "\r")):
        return f"{text}{name}={written}{end}"
    return f"{text}{end}{name}={written}"


def _without(text: str, binding: _Binding) -> str:
    first = 1 if text.startswith(BOM) else 0
    start = max(text.rfind("\n", 0, binding.start), text.rfind("\r", 0, binding.start)) + 1
    start = max(start, first)
    after = LINE_END.match(text, binding.end)
    if after:
        return text[:start] + text[after.end() :]
    before = text[:start]
    for end in ("\r\n", "\r", "\n"):
        if before.endswith(end):
            return before.removesuffix(end)
    return before


def _refusal(what: Message, text: str, change: Change) -> Refusal:
    return Refusal(
        what,
        place=read(text).key_place(change.path) or Source(text).place(len(text)),
        hints=(by_hand(change),),
    )
