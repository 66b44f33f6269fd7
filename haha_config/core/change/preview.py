"""A plan as a person may see it: entry by entry, never a byte of somebody's secret.

A diff of lines would show the lines around a change, and in a one-line settings.json the whole
file. An entry's value is shown only where the table of variables says that it may be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from haha_config.core import variables as v
from haha_config.core.edit.text import MISSING, at
from haha_config.core.messages import Message, msg
from haha_config.core.model import SLOTS, Data, Format, Item, Path, Remove, Set, Write
from haha_config.core.state import owned
from haha_config.core.state.gateway import REFERENCE

#: `~`: a value that becomes another one.
Sign = Literal["+", "-", "~"]

_PUBLIC_LEAVES: Final = frozenset(
    {
        "model_name",
        "model",
        "drop_params",
        "use_chat_completions_url_for_anthropic_messages",
        "additional_drop_params",
        "supported_endpoints",
        owned.ASKS[-1],
        owned.DENY[-1],
    }
)
_URL_LEAVES: Final = frozenset({"api_base"})
_MENU: Final = (*owned.PICKER, "options")
_SLOT_OF: Final = {variable: slot for slot, variable in SLOTS.items()}


class Line(Struct, frozen=True, kw_only=True):
    """One line of a preview: what goes out (`-`) or comes in (`+`).

    `name` with its `=` or `: ` behind it, "" for a line that is all value; `leaf` is the last key.
    """

    sign: Sign
    value: str
    name: str = ""
    leaf: str = ""

    @property
    def text(self) -> str:
        return f"{self.name}{self.value}"


class Row(Struct, frozen=True, kw_only=True):
    """What a person is shown of one or several lines."""

    sign: Sign
    text: Message | str


def rows(lines: Sequence[Line]) -> list[Row]:
    """The same said shortly: `old → new` in one line, and equal models once."""
    made = list(_changed(lines))
    models = [line for line in made if line.leaf in _SLOT_OF]
    found: list[Row] = []
    told: set[tuple[str, str]] = set()
    for line in made:
        alike = [m for m in models if (m.sign, m.value) == (line.sign, line.value)]
        if line not in models or len(alike) < 2:
            found.append(Row(sign=line.sign, text=line.text))
        elif (line.sign, line.value) not in told:
            told.add((line.sign, line.value))
            held = {_SLOT_OF[m.leaf] for m in alike}
            slots = tuple(slot for slot in SLOTS if slot in held)
            whole = len(slots) == len(_SLOT_OF)
            value = line.value.replace('"', "")
            text = (
                msg("all models: {value}", value=value)
                if whole
                else msg("models {slots}: {value}", slots=slots, value=value)
            )
            found.append(Row(sign=line.sign, text=text))
    return found


def _changed(lines: Sequence[Line]) -> Iterator[Line]:
    """A `-` and the `+` of the same name behind it as one."""
    waiting: Line | None = None
    for line in lines:
        if waiting is not None and line.sign == "+" and line.name and line.name == waiting.name:
            value = f"{waiting.value} → {line.value}"
            yield replace(line, sign="~", value=value)
            waiting = None
            continue
        if waiting is not None:
            yield waiting
        waiting = line if line.sign == "-" else None
        if waiting is None:
            yield line
    if waiting is not None:
        yield waiting


def lines(write: Write, before: Mapping[str, Data], after: Mapping[str, Data]) -> list[Line]:
    """The masked difference of one file, in the order of its changes; empty: nothing changes."""
    found: list[Line] = []
    for change in write.changes:
        if write.format == "lines":
            sign: Sign = "+" if isinstance(change, Set) else "-"
            found.append(Line(sign=sign, value=str(change.path[-1])))
        elif isinstance(change, Set | Remove):
            found += _entry(write.format, change.path, before, after)
    # An entry may go and then the table that it leaves empty.
    return list(dict.fromkeys(found))


def _entry(
    kind: Format, path: Path, before: Mapping[str, Data], after: Mapping[str, Data]
) -> Iterator[Line]:
    old, new = dict(_leaves(before, path)), dict(_leaves(after, path))
    for leaf in dict.fromkeys((*old, *new)):
        was, becomes = old.get(leaf), new.get(leaf)
        if leaf in old and leaf in new and was == becomes:
            continue
        name = _name(kind, leaf)
        if leaf in old:
            shown = _shown(kind, leaf, was)
            yield Line(sign="-", value=shown, name=name, leaf=str(leaf[-1]))
        if leaf in new:
            shown = _shown(kind, leaf, becomes)
            yield Line(sign="+", value=shown, name=name, leaf=str(leaf[-1]))


def _leaves(data: Data, path: Path, done: Path = ()) -> Iterator[tuple[Path, Data]]:
    """What stands at `path` and below, scalar by scalar; a list of scalars is one leaf."""
    if path:
        value = at(data, path[:1], MISSING)
        if value is not MISSING:
            yield from _leaves(value, path[1:], (*done, path[0]))
    elif isinstance(data, Mapping):
        for key, value in data.items():
            yield from _leaves(value, (), (*done, str(key)))
    else:
        yield done, data


def _name(kind: Format, path: Path) -> str:
    # An element that is told by a name of its own says that name next.
    told = (k for k in path if not (isinstance(k, Item) and k.value is None))
    words = [f"[{k.value}]" if isinstance(k, Item) else str(k) for k in told]
    if kind == "dotenv":
        return f"{words[-1]}="
    return f"{'.'.join(words).replace('.[', '[')}: "


def _shown(kind: Format, path: Path, value: Data) -> str:
    name = str(path[-1])
    if kind == "dotenv" or (kind == "json" and path[:1] == ("env",)):
        if not isinstance(value, str):  # a number that becomes text differs by its quotes only
            return "****" if v.is_secret(name) else _plain(value)
        shown = v.shown(name, value)
        return shown if kind == "dotenv" else f'"{shown}"'
    if path == _MENU:
        return _models(value)
    if name in _URL_LEAVES and isinstance(value, str):
        return v.shown_url(value)
    if path[1:2] == ("fallbacks",):
        return _models_that_stand_in(value)
    reference = isinstance(value, str) and value.startswith(REFERENCE)
    if name in _PUBLIC_LEAVES or reference or isinstance(value, bool):
        return _plain(value)
    return v.masked(value) if isinstance(value, str) else "****"


def _models(value: Data) -> str:
    """The menu of models by their names; what is no such menu is masked."""
    rows = value if isinstance(value, list) else [None]
    names = [row.get("model") if isinstance(row, Mapping) else None for row in rows]
    return ", ".join(str(name) for name in names) if None not in names else "****"


def _models_that_stand_in(value: Data) -> str:
    """`small, other` of one model, or `big: small` for each of a whole list."""
    if not isinstance(value, list):
        return _plain(value)
    pairs = [pair for one in value if isinstance(one, Mapping) for pair in one.items()]
    return "; ".join(f"{name}: {_plain(others)}" for name, others in pairs) or _plain(value)


def _plain(value: Data) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
