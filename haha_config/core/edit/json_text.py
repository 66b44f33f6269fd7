"""Strict JSON, as the client reads settings.json: one comment, and it ignores the whole file.

The standard library's C scanner reads values; this module walks only the objects on the way to an
entry, so a file of several megabytes costs about one `json.loads` to read and two to edit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from json.decoder import (  # type: ignore[attr-defined]
    JSONDecodeError,
    JSONDecoder,
    scanstring,
)
from typing import Any, Final, NoReturn

from msgspec import Struct, field

from haha_config.core.edit.text import (
    BOM,
    LINE_END,
    Document,
    Source,
    alike,
    by_hand,
    changed,
    name_of,
    newline,
    same,
)
from haha_config.core.errors import Refusal
from haha_config.core.messages import Message, msg
from haha_config.core.model import Change, Data, Oddity, Path, Place, Set

_GAP: Final = re.compile(r"[ \t\n\r]*")
_TOKEN: Final = re.compile(
    r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"'
    r"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![0-9A-Za-z.+-])"
    r"|(?:true|false|null)(?![0-9A-Za-z])"
)
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]", re.ASCII)
_UNESCAPED: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<half>\\u[dD][89a-fA-F])|\\[\s\S]"
)
_DEEPEST: Final = 500


def without_halves(text: str) -> str:
    """The text with U+FFFD for each half of a character, which the client sends in its place."""
    return _UNESCAPED.sub(lambda match: r"\ufffd" if match["half"] else match[0], text)


class _Member(Struct):
    """One entry: the white space before its key, the key, what is between, the value, and after."""

    lead: str
    key: str
    name: str
    between: str
    value: _Object | str
    trail: str
    start: int = 0
    data: Data = None


class _Object(Struct):
    """An object that was opened up; `gap` is what stands between the braces of an empty one."""

    members: list[_Member] = field(default_factory=list)
    gap: str = ""

    def find(self, name: str) -> _Member | None:
        return next((m for m in reversed(self.members) if m.name == name), None)

    def data(self) -> dict[str, Data]:
        return {m.name: m.data for m in self.members}

    @property
    def names(self) -> list[str]:
        return [m.name for m in self.members]


class _Document(Document):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._repeated = False
        self.top = self._read()
        self.data: dict[str, Data] = self.top.data()
        self._entries = _places(self.top)
        self._inside: dict[int, dict[str, tuple[int, int]]] = {}

    def _read(self) -> _Object:
        text = self.text
        start = len(BOM) if text.startswith(BOM) else 0
        if _blank(text):
            return _Object()
        decoder: Any = JSONDecoder(object_pairs_hook=self._pairs, parse_constant=_no_constant)
        try:
            start = _skip(text, start)
            if text[start : start + 1] == "{":
                top, end = _opened(text, start, decoder)
            else:
                _, end = decoder.scan_once(text, start)
                top = None
            if _skip(text, end) != len(text):
                raise JSONDecodeError("more", text, end)
        except (JSONDecodeError, StopIteration, ValueError, RecursionError):
            _complain(text)
        if top is None:
            raise self._refusal(
                msg("the file must hold an object, `{brace}`", brace="{ … }"), start
            )
        self._check(top)
        return top

    def _pairs(self, pairs: list[tuple[str, Data]]) -> dict[str, Data]:
        data = dict(pairs)
        if len(data) != len(pairs):
            self._repeated = True
        return data

    def _check(self, top: _Object) -> None:
        text = self.text
        if _SURROGATE.search(text):
            for match in _UNESCAPED.finditer(text):
                if match["half"]:
                    raise self._refusal(msg("half a character (a lone surrogate)"), match.start())
        env = top.find("env")
        if env and not isinstance(env.data, dict):
            raise self._refusal(msg("`env` must be an object"), env.start)

    def _refusal(self, what: Message, offset: int) -> Refusal:
        return Refusal(what, place=self._source.place(offset))

    def _oddities(self) -> Iterator[Oddity]:
        text, place = self.text, self._source.place
        if text.startswith(BOM):
            yield Oddity(kind="bom", place=place(0))
        if self._repeated or len(self.data) != len(self.top.members):
            for path, offset in _repeats(text):
                yield Oddity(kind="duplicate", place=place(offset), name=name_of(path))
        for name, value in self.data.get("env", {}).items():
            if not isinstance(value, str):
                where = self.place(("env", name)) or Place()
                yield Oddity(kind="non-string", place=where, name=name)

    def repeats(self) -> Iterator[tuple[Path, int]]:
        if self._repeated or len(self.data) != len(self.top.members):
            yield from _repeats(self.text)

    def _at(self, path: Path) -> tuple[int, int] | None:
        if not path:
            top = _skip(self.text, len(BOM) if self.text.startswith(BOM) else 0)
            return top, top
        here = self._entries.get(path[0]) if isinstance(path[0], str) else None
        for key in path[1:]:
            if here is None:
                return None
            here = self._child(here[1], key)
        return here

    def _child(self, at: int, key: object) -> tuple[int, int] | None:
        text = self.text
        if isinstance(key, str) and text[at : at + 1] == "{":
            # Every variable's place is asked for, and `env` is one object: it is opened once.
            if at not in self._inside:
                self._inside[at] = _places(_opened(text, at, JSONDecoder())[0])
            return self._inside[at].get(key)
        if isinstance(key, int) and text[at : at + 1] == "[":
            return _element(text, at, key)
        return None


def read(text: str) -> _Document:
    """The data and the places of a settings file; an empty or blank one reads as `{}`.

    Refuses what is not strict JSON (a comment, a comma too many, NaN), half a surrogate pair,
    nesting too deep to be meant, a top level or an `env` that is not an object. Oddities: `bom`,
    `duplicate` (the place of the entry that wins; `name` is its path), `non-string` in `env`.
    """
    return _Document(text)


def edit(text: str, changes: Sequence[Change]) -> str:
    """Make `changes` and touch nothing else; new entries look like the ones beside them.

    Paths are names only. Refuses what `read` refuses, a duplicate at the top level, in `env` or
    on the way to an entry, and a parent that is not an object.
    """
    if not changes:
        return text
    document = read(text)
    editor = _Editor(document, text)
    for change in changes:
        editor.make(change)
    result = editor.text()
    _verify(text, result, document, changes)
    return result


def _verify(text: str, result: str, document: _Document, changes: Sequence[Change]) -> None:
    try:
        after = document if result == text else read(result)
        fine = alike(after.data, changed(document.data, changes), changes)
    except Refusal:
        fine = False
    if not fine:
        change = changes[-1]
        raise Refusal(
            msg("`{name}` would not read as written", name=name_of(change.path)),
            place=document.key_place(change.path) or document.place(()),
            hints=(by_hand(change),),
        )


# --- scanning --------------------------------------------------------------------------------


def _blank(text: str) -> bool:
    return not text.removeprefix(BOM).strip(" \t\n\r")


def _skip(text: str, at: int) -> int:
    match = _GAP.match(text, at)
    return match.end() if match else at


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _opened(text: str, at: int, decoder: Any) -> tuple[_Object, int]:
    """The object whose brace is at `at`, and where it ends. JSONDecodeError where it does not."""
    here = at + 1
    end = _skip(text, here)
    if text[end : end + 1] == "}":
        return _Object(gap=text[here:end]), end + 1
    members = []
    while True:
        start = _skip(text, here)
        if text[start : start + 1] != '"':
            raise JSONDecodeError("a key", text, start)
        name, key_end = scanstring(text, start + 1, True)
        colon = _skip(text, key_end)
        if text[colon : colon + 1] != ":":
            raise JSONDecodeError("a colon", text, colon)
        value = _skip(text, colon + 1)
        data, value_end = decoder.scan_once(text, value)
        end = _skip(text, value_end)
        members.append(
            _Member(
                lead=text[here:start],
                key=text[start:key_end],
                name=name,
                between=text[key_end:value],
                value=text[value:value_end],
                trail=text[value_end:end],
                start=value,
                data=data,
            )
        )
        here = end + 1
        if text[end : end + 1] == "}":
            return _Object(members), here
        if text[end : end + 1] != ",":
            raise JSONDecodeError("a comma", text, end)


def _places(opened: _Object) -> dict[str, tuple[int, int]]:
    """Offsets of each key and its value; of two equal keys the last."""
    return {m.name: (m.start - len(m.between) - len(m.key), m.start) for m in opened.members}


def _element(text: str, at: int, index: int) -> tuple[int, int] | None:
    here = _skip(text, at + 1)
    decoder: Any = JSONDecoder()
    scan = decoder.scan_once
    while text[here : here + 1] not in ("]", ""):
        if index == 0:
            return here, here
        _, end = scan(text, here)
        end = _skip(text, end)
        here = _skip(text, end + 1) if text[end : end + 1] == "," else end
        index -= 1
    return None


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    """Offset and text of every token; refuses in words what is none."""
    at = _skip(text, len(BOM) if text.startswith(BOM) else 0)
    while at < len(text):
        if text[at] in "{}[],:":
            yield at, text[at]
            at += 1
        elif match := _TOKEN.match(text, at):
            yield at, match[0]
            at = match.end()
        else:
            raise _bad(text, at)
        at = _skip(text, at)


def _bad(text: str, at: int) -> Refusal:
    word = re.compile(r"[A-Za-z0-9_.+-]{0,12}").match(text, at)
    if text.startswith(("//", "/*", "#"), at):
        what = msg("a comment: the client ignores this whole file")
    elif word and word[0].lstrip("-") in ("NaN", "Infinity"):
        what = msg("`{word}` is not JSON", word=word[0])
    elif text[at] == '"':
        return _bad_string(text, at)
    elif text[at] == "'":
        what = msg("JSON has double quotes only")
    else:
        what = msg("this is not JSON")
    return Refusal(what, place=Source(text).place(at))


def _bad_string(text: str, at: int) -> Refusal:
    try:
        scanstring(text, at + 1, True)
        what, where = msg("this is not JSON"), at
    except JSONDecodeError as error:
        where = error.pos
        if error.msg.startswith("Unterminated"):
            what = msg("an unclosed string")
        elif error.msg.startswith("Invalid control"):
            what = msg("a line end or control character in a string")
        else:
            what = msg("a backslash that JSON does not know")
    return Refusal(what, place=Source(text).place(where))


def _complain(text: str) -> NoReturn:
    """Say in words, with the place, why `text` is not JSON."""
    for _ in _entries(text):
        pass
    raise Refusal(msg("this JSON can't be read"), place=Place(line=1, column=1))


def _repeats(text: str) -> Iterator[tuple[Path, int]]:
    """Path and offset of the last entry of every name that an object has more than once."""
    seen: dict[Path, list[int]] = {}
    for path, offset in _entries(text):
        seen.setdefault(path, []).append(offset)
    for path, offsets in seen.items():
        if len(offsets) > 1:
            yield path, offsets[-1]


def _entries(text: str) -> Iterator[tuple[Path, int]]:
    """Path and offset of every object entry, by a slow and strict walk that names each slip."""
    source = Source(text)
    path: list[str | int] = []
    closers: list[str] = []
    wanted = "value"
    previous = (0, "")
    for at, token in _tokens(text):
        kind = _kind(token)
        if len(closers) > _DEEPEST:
            raise Refusal(msg("nested too deeply"), place=source.place(at))
        _expect(source, wanted, kind, at, token, previous, closers)
        if kind == "string" and wanted in ("key", "key or close"):
            path[-1] = scanstring(token, 1, True)[0]
            yield tuple(path), at
            wanted = "colon"
        elif kind == "colon":
            wanted = "value"
        elif kind == "open":
            closer, first, wanted = _OPENED[token]
            closers.append(closer)
            path.append(first)
        elif kind == "comma":
            wanted = "key" if closers[-1] == "}" else "value"
            last = path[-1]
            if isinstance(last, int):
                path[-1] = last + 1
        else:
            if kind == "close":
                closers.pop()
                path.pop()
            wanted = "comma or close" if closers else "end"
        previous = (at, token)
    if wanted != "end":
        raise Refusal(msg("the file ends too early"), place=source.place(len(text)))


def _kind(token: str) -> str:
    kinds = {"{": "open", "[": "open", "}": "close", "]": "close", ",": "comma", ":": "colon"}
    return kinds.get(token, "string" if token[0] == '"' else "scalar")


#: What closes it, what its first entry is called, and what may follow.
_OPENED: Final[Mapping[str, tuple[str, str | int, str]]] = {
    "{": ("}", "", "key or close"),
    "[": ("]", 0, "value or close"),
}
_ACCEPTED: Final[Mapping[str, tuple[str, ...]]] = {
    "value": ("open", "string", "scalar"),
    "value or close": ("open", "string", "scalar", "close"),
    "key": ("string",),
    "key or close": ("string", "close"),
    "colon": ("colon",),
    "comma or close": ("comma", "close"),
    "end": (),
}


def _expect(
    source: Source,
    wanted: str,
    kind: str,
    at: int,
    token: str,
    previous: tuple[int, str],
    closers: list[str],
) -> None:
    if kind in _ACCEPTED[wanted] and (kind != "close" or closers[-1] == token):
        return
    if kind == "close" and previous[1] == ",":
        what, at = msg("a comma with nothing after it"), previous[0]
    elif wanted == "end":
        what = msg("more text after the JSON")
    elif wanted == "colon":
        what = msg("a colon is missing here")
    elif wanted == "comma or close" and kind != "close":
        what = msg("a comma is missing here")
    elif wanted.startswith("key") and kind != "close":
        what = msg("a name in double quotes must stand here")
    else:
        what = msg("`{token}` does not belong here", token=token if len(token) == 1 else "…")
    raise Refusal(what, place=source.place(at))


# --- editing ---------------------------------------------------------------------------------


class _Editor:
    def __init__(self, document: _Document, text: str) -> None:
        self._document = document
        self._original = text
        self._top = document.top
        self._newline = newline(text)
        self._touched = False
        self._repeats = dict(document.repeats())
        blank = _blank(text)
        self._one_line = "\n" not in text.strip(" \t\r\n") and "\r" not in text.strip(" \t\r\n")
        if blank or (self._one_line and not self._top.members):
            self._one_line = False
        first = self._top.members[0].lead if self._top.members and not blank else ""
        self._unit = (LINE_END.split(first)[-1] if LINE_END.search(first) else "") or "  "

    def make(self, change: Change) -> None:
        if not change.path or not all(isinstance(key, str) for key in change.path):
            raise self._refusal(
                msg("`{name}` cannot be edited in JSON", name=name_of(change.path)), change
            )
        self._refuse_repeats(change)
        names = [str(key) for key in change.path]
        if isinstance(change, Set):
            self._check_value(change)
            self._set(names, change)
        else:
            self._remove(names, change)

    def text(self) -> str:
        if not self._touched:
            return self._original
        if _blank(self._original):
            bom = BOM if self._original.startswith(BOM) else ""
            return f"{bom}{_text(self._top)}{self._newline}"
        body = self._original.removeprefix(BOM)
        before = self._original[: len(self._original) - len(body)]
        after = body[len(body.rstrip(" \t\n\r")) :]
        lead = body[: len(body) - len(body.lstrip(" \t\n\r"))]
        return f"{before}{lead}{_text(self._top)}{after}"

    def _refuse_repeats(self, change: Change) -> None:
        for path, offset in self._repeats.items():
            on_the_way = len(path) <= len(change.path) and path[:-1] == change.path[: len(path) - 1]
            inside = path[: len(change.path)] == change.path
            if len(path) == 1 or path[:-1] == ("env",) or on_the_way or inside:
                raise Refusal(
                    msg("`{name}` is there twice", name=name_of(path)),
                    place=Source(self._original).place(offset),
                    hints=(msg("delete one of the two"), by_hand(change)),
                )

    def _check_value(self, change: Set) -> None:
        try:
            text = json.dumps(change.value, ensure_ascii=False, allow_nan=False)
            text.encode("utf-8")
        except (ValueError, TypeError, RecursionError):
            what = msg("`{name}` cannot be written as JSON", name=name_of(change.path))
            raise self._refusal(what, change) from None

    def _set(self, names: list[str], change: Set) -> None:
        here, indent = self._top, ""
        for depth, name in enumerate(names):
            member = here.find(name)
            indent = self._indent_in(here, indent)
            if member is None:
                value = change.value
                for missing in reversed(names[depth + 1 :]):
                    value = {missing: value}
                self._append(here, name, value, indent)
                return
            if depth == len(names) - 1:
                self._replace(member, change.value, indent)
                return
            here = self._open(member, change)

    def _remove(self, names: list[str], change: Change) -> None:
        here = self._top
        for name in names[:-1]:
            member = here.find(name)
            if member is None or not isinstance(member.data, dict):
                return
            here = self._open(member, change)
        member = here.find(names[-1])
        if member is None:
            return
        self._touched = True
        at = here.members.index(member)
        del here.members[at]
        if here.members and at == len(here.members):
            here.members[-1].trail += member.trail

    def _open(self, member: _Member, change: Change) -> _Object:
        if isinstance(member.value, _Object):
            return member.value
        if not isinstance(member.data, dict):
            what = msg("`{name}` is not an object", name=member.name)
            raise self._refusal(what, change)
        member.value, _ = _opened(member.value, 0, JSONDecoder())
        return member.value

    def _indent_in(self, here: _Object, indent: str) -> str:
        """The indent of the entries of `here`, whose own line is indented by `indent`."""
        for member in here.members:
            if LINE_END.search(member.lead):
                return LINE_END.split(member.lead)[-1]
        return indent + self._unit if here is not self._top or not here.members else ""

    def _append(self, here: _Object, name: str, value: Data, indent: str) -> None:
        self._touched = True
        key = json.dumps(name, ensure_ascii=False)
        if not here.members:
            lines = not self._one_line
            outer = indent.removesuffix(self._unit)
            lead = self._newline + indent if lines else ""
            trail = self._newline + outer if lines else ""
            text = self._dumped(value, indent if lines else None)
            here.members.append(_Member(lead, key, name, ": ", text, trail, data=value))
            return
        last = here.members[-1]
        lines = bool(LINE_END.search(last.lead))
        lead = last.lead
        if lines:
            lead = self._newline + LINE_END.split(last.lead)[-1]
        elif len(here.members) == 1 and not lead:
            lead = " " if last.between.endswith(" ") else ""
        between = last.between if last.between.strip(": ") == "" else ": "
        text = self._dumped(value, indent if lines else None)
        here.members.append(_Member(lead, key, name, between, text, last.trail, data=value))
        last.trail = ""

    def _replace(self, member: _Member, value: Data, indent: str) -> None:
        current = _data(member)
        if same(current, value):
            return
        self._touched = True
        text = member.value if isinstance(member.value, str) else _text(member.value)
        lines = bool(LINE_END.search(text)) or (bool(LINE_END.search(member.lead)) and not current)
        member.value = self._dumped(value, indent if lines else None)
        member.data = value

    def _dumped(self, value: Data, indent: str | None) -> str:
        if indent is None or not isinstance(value, dict | list):
            return json.dumps(value, ensure_ascii=False)
        text = json.dumps(value, ensure_ascii=False, indent=self._unit)
        return text.replace("\n", self._newline + indent)

    def _refusal(self, what: Message, change: Change) -> Refusal:
        place = None
        path = change.path
        while place is None:
            place = self._document.place(path)
            path = path[:-1]
        return Refusal(what, place=place, hints=(by_hand(change),))


def _data(member: _Member) -> Data:
    if isinstance(member.value, str):
        return member.data
    return {m.name: _data(m) for m in member.value.members}


def _text(value: _Object | str) -> str:
    if isinstance(value, str):
        return value
    if not value.members:
        return "{" + value.gap + "}"
    parts = [f"{m.lead}{m.key}{m.between}{_text(m.value)}{m.trail}" for m in value.members]
    return "{" + ",".join(parts) + "}"
