"""Plain data as a record: what is unknown, missing or of another type is named with its path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from haha_config.core.messages import Message, msg
from haha_config.core.model import Data

T = TypeVar("T")
_PATH: Final = re.compile(
    r"(?P<what>.*?)(?: - at (?P<key>`key` in )?`\$(?P<path>[^`]*)`)?", re.DOTALL
)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`")
_MISSING: Final = re.compile(r"Object missing required field `(.*)`")
_CHOICE: Final = re.compile(r"Invalid enum value '(.*)'", re.DOTALL)


class Misshapen(Exception):
    """Data that lacks its record's shape. `path` leads to the name, list places left out."""

    def __init__(self, what: Message, path: tuple[str, ...], hints: tuple[Message, ...]) -> None:
        super().__init__(what, path)
        self.what = what
        self.path = path
        self.hints = hints


def closest(name: str, names: Iterable[str], cutoff: float = 0.6) -> list[str]:
    """The names that `name` may be a slip of, the likeliest first; capitals don't count."""
    from difflib import get_close_matches

    by_fold = {n.casefold(): n for n in names}
    near = get_close_matches(name.casefold(), by_fold, n=3, cutoff=cutoff)
    return [by_fold[n] for n in near]


def did_you_mean(name: str, names: Iterable[str]) -> tuple[Message, ...]:
    """The hint for a name that is not one of `names`; empty where none is near."""
    near = closest(name, names)
    return (msg("did you mean `{name}`?", name=near[0]),) if near else ()


def decode(data: Mapping[str, Data], kind: type[T]) -> T:
    """`data` as a `kind`, strictly: text is no number, and true is none either.

    Raises Misshapen.
    """
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise _misshapen(str(error), kind) from None


def _misshapen(text: str, kind: type) -> Misshapen:
    found = _PATH.fullmatch(text)
    assert found is not None  # noqa: S101 - the pattern takes any text
    path = tuple(name for name in re.sub(r"\[(\d+|\.\.\.)\]", "", found["path"] or "").split("."))
    path = tuple(name for name in path if name)
    what, here = found["what"], _at(kind, path)
    if unknown := _UNKNOWN.fullmatch(what):
        named = (*path, unknown[1])
        hints = did_you_mean(unknown[1], getattr(here, "__struct_encode_fields__", ()))
        return Misshapen(msg("there is no `{name}` here", name=".".join(named)), named, hints)
    if missing := _MISSING.fullmatch(what):
        named = (*path, missing[1])
        return Misshapen(msg("`{name}` is missing", name=".".join(named)), path, ())
    if choice := _CHOICE.fullmatch(what):
        choices = tuple(str(one) for one in get_args(here))
        said = msg(
            "`{name}` can't be `{value}`: {choices}",
            name=".".join(path),
            value=choice[1],
            choices=choices,
        )
        named = (*path, choice[1]) if found["key"] else path
        return Misshapen(said, named, did_you_mean(choice[1], choices))
    name = ".".join(path)
    if "matching regex" in what:
        return Misshapen(msg('`{name}` must be a date like "2026-11-22"', name=name), path, ())
    return Misshapen(msg("`{name}` has the wrong type", name=name), path, ())


def _at(kind: Any, path: tuple[str, ...]) -> Any:
    """The type that stands at `path`, inside lists and without None; a table's is its keys'."""
    for name in path:
        kind = _inside(kind)
        hints = get_type_hints(kind) if hasattr(kind, "__struct_fields__") else {}
        kind = hints.get(name)
    kind = _inside(kind)
    origin = get_origin(kind)
    return get_args(kind)[0] if isinstance(origin, type) and issubclass(origin, Mapping) else kind


def _inside(kind: Any) -> Any:
    """`X` of `X | None` and of `tuple[X, ...]`."""
    while True:
        arguments = [one for one in get_args(kind) if one not in (type(None), Ellipsis)]
        several = get_origin(kind) is tuple or type(None) in get_args(kind)
        if not (several and len(arguments) == 1):
            return kind
        kind = arguments[0]
