"""The data that every part shares. Frozen, without behaviour beyond small look-ups."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias, TypeGuard

from msgspec import Struct

from haha_config.core.messages import Message

Client = Literal["claude", "haha"]
Route = Literal["direct", "litellm"]
Scope = Literal["user", "project", "local"]
Header = Literal["bearer", "x-api-key"]
Traffic = Literal["quiet", "minimal", "default"]
#: Who decides on a command: the person, the endpoint's own model, or whatever the client does.
Permissions = Literal["ask", "auto", "keep"]
Severity = Literal["error", "warning", "note"]
Format = Literal["dotenv", "json", "yaml", "lines"]
TargetName = Literal["env", "settings", "litellm", "litellm_env"]
Slot = Literal["main", "opus", "sonnet", "haiku", "fable", "subagent"]

#: Every slot and the client variable that holds it, in the order in which they are written.
SLOTS: Final[Mapping[Slot, str]] = {
    "main": "ANTHROPIC_MODEL",
    "opus": "ANTHROPIC_DEFAULT_OPUS_MODEL",
    "sonnet": "ANTHROPIC_DEFAULT_SONNET_MODEL",
    "haiku": "ANTHROPIC_DEFAULT_HAIKU_MODEL",
    "fable": "ANTHROPIC_DEFAULT_FABLE_MODEL",
    "subagent": "CLAUDE_CODE_SUBAGENT_MODEL",
}


def plain_name(model: str) -> str:
    """A model's name as it goes out: the client takes its own marks off (measured)."""
    return _MARKS.sub("", model).strip()


#: `[2m]` is a mark too, both stand anywhere in the name, in either case.
_MARKS: Final = re.compile(r"\[[12]m\]", re.IGNORECASE)


# --- places and edits ------------------------------------------------------------------------


class Place(Struct, frozen=True, kw_only=True):
    """Where in a file. `line` and `column` are 1-based, in code points; None: the whole file."""

    path: str = ""
    line: int | None = None
    column: int | None = None

    def of(self, path: str) -> Place:
        """The same place, in this file."""
        return Place(path=path, line=self.line, column=self.column)


class Item(Struct, frozen=True):
    """The first element of a list whose member `key` equals `value`; None: whatever it holds.

    `also` is the path and the value of one more text that tells it from others.
    """

    key: str
    value: str | None
    also: tuple[str, ...] = ()


Key: TypeAlias = str | int | Item
Path: TypeAlias = tuple[Key, ...]
#: Plain data: None, bool, int, float, str, list, dict with str keys.
Data: TypeAlias = Any


class Set(Struct, frozen=True):
    """Make `path` hold `value`.

    Missing parents are created. A last key that is an `Item` without a match appends `value` to
    the list, so that the same change twice is the change once.
    """

    path: Path
    value: Data


class Remove(Struct, frozen=True):
    """Take `path` out; nothing happens where it is not there."""

    path: Path


Change: TypeAlias = Set | Remove


class Oddity(Struct, frozen=True, kw_only=True):
    """Something that a reader noticed and that is not an error to it: a duplicate key, a BOM.

    `kind` is one of: `bom`, `duplicate`, `comment`, `non-string`, `bad-line`, `dialect`, `alias`,
    `merge`, `tab`, `documents`.
    """

    kind: str
    place: Place
    name: str = ""


# --- plans -----------------------------------------------------------------------------------


class Write(Struct, frozen=True, kw_only=True):
    """One file's exact change. `before` None: it must not exist; `after` None: it is deleted.

    `path` is the name the person knows; links are resolved when it is applied. `secret`: a new
    file is created 0600, and an existing one that others can read is said to be so.
    `changes` are what `after` does to `before`; `undo` takes them back one by one. `leaves`:
    nothing of ours is in the file any more, so the next write begins anew.
    """

    path: str
    format: Format
    before: bytes | None
    after: bytes | None
    secret: bool = False
    changes: tuple[Change, ...] = ()
    leaves: bool = False


class Baseline(Struct, frozen=True, kw_only=True):
    """A file as it was before us: before the first write since nothing of ours was in it.

    `number` is that write's in the journal.
    """

    before: bytes | None
    number: int


class Plan(Struct, frozen=True, kw_only=True):
    """Every write of one command, in the order in which they are renamed into place."""

    writes: tuple[Write, ...] = ()
    notes: tuple[Message, ...] = ()

    @property
    def effective(self) -> tuple[Write, ...]:
        return tuple(w for w in self.writes if w.before != w.after)


# --- findings --------------------------------------------------------------------------------


class Fix(Struct, frozen=True, kw_only=True):
    """What would set a problem right without asking: changes to one file that was read.

    `bare`: take its byte order mark off. `private`: nobody else may read it. `exclude`: git is to
    ignore it, in this clone.
    """

    path: str
    changes: tuple[Change, ...] = ()
    bare: bool = False
    private: bool = False
    exclude: bool = False


class Problem(Struct, frozen=True):
    """What a rule saw. `severity` None: the rule's own. No mends: it takes a choice or a person."""

    what: Message
    place: Place
    hint: Message | str | None = None
    severity: Severity | None = None
    fixes: tuple[Fix, ...] = ()


class Finding(Struct, frozen=True, kw_only=True):
    """A problem with its rule's code, ready to be reported."""

    code: str
    severity: Severity
    place: Place
    what: Message
    hint: Message | str | None = None
    fixes: tuple[Fix, ...] = ()

    @property
    def fixable(self) -> bool:
        return bool(self.fixes)


# --- what was read ---------------------------------------------------------------------------


class Snapshot(Struct, frozen=True, kw_only=True):
    """A file as it was when we looked. `data` None: it does not exist.

    `real` is the path with every link resolved. `mode` are the permission bits. `unreadable`
    says in words why it could not be read. `tracked`: git has it in its index; `committed`: it is
    in HEAD; `ignored`: git would ignore it; None: no git work tree, or not looked at.
    """

    path: str
    real: str
    data: bytes | None = None
    mode: int | None = None
    unreadable: Message | None = None
    tracked: bool | None = None
    committed: bool | None = None
    ignored: bool | None = None


# --- plain data of somebody else's, taken as what it should be ----------------------------------


def from_json(text: str | bytes) -> Data:
    """What it holds; None where it is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def mapping(data: Data) -> Mapping[str, Data]:
    return data if isinstance(data, Mapping) else {}


def elements(data: Data) -> list[Data]:
    return data if isinstance(data, list) else []


def objects(data: Data) -> list[Mapping[str, Data]]:
    """The elements that are objects."""
    return [one for one in elements(data) if isinstance(one, Mapping)]


def string(data: Data) -> str:
    return data if isinstance(data, str) else ""


#: No model that we know of has a name of more than 80 characters.
_LONGEST_NAME: Final = 200


def is_model_name(data: object) -> TypeGuard[str]:
    """Whether what an endpoint lists can be a model's name: a word that a screen can show."""
    return isinstance(data, str) and data.isprintable() and 0 < len(data.strip()) <= _LONGEST_NAME


def walk(data: Data, path: Path = ()) -> Iterator[tuple[Path, Data]]:
    """Every entry below `data`, parents before children."""
    pairs: Iterator[tuple[Any, Data]]
    if isinstance(data, Mapping):
        pairs = iter(data.items())
    elif isinstance(data, list):
        pairs = iter(enumerate(data))
    else:
        return
    for key, value in pairs:
        yield (*path, key), value
        yield from walk(value, (*path, key))
