"""From outcomes at a place to the few words that say what a client takes there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

#: Stands for a word, a key and a number that nobody documents.
STRANGE = "zzz"
Outcomes = list[tuple[Any, bool]]


def words(outcomes: Outcomes, place: Mapping[str, Any], variants: Iterable[str]) -> str:
    """What is taken of the values that were measured; "" where everything is.

    `variants`: the keys that tell apart what can stand there; they are in every example.
    """
    if all(taken for _, taken in outcomes):
        return ""
    found = [
        "null" if _taken(outcomes, None) else "",
        "bool" if _taken(outcomes, True) else "",
        _numbers([(v, t) for v, t in outcomes if _is_number(v)], place.get("numbers", ())),
        *_texts([(v, t) for v, t in outcomes if isinstance(v, str)]),
        _list(outcomes),
        _object([(v, t) for v, t in outcomes if isinstance(v, dict)], place, tuple(variants)),
    ]
    example = place["example"]
    if not _taken(outcomes, example):
        # What is taken of this kind was not found out.
        found.append(_kind(example))
    return " ".join(dict.fromkeys(word for word in found if word))


def _kind(value: Any) -> str:
    kinds = {bool: "bool", int: "number", float: "number", str: "text", list: "list"}
    return kinds.get(type(value), "object")


def _taken(outcomes: Outcomes, value: Any) -> bool:
    return next((t for v, t in outcomes if v == value and type(v) is type(value)), False)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbers(outcomes: Outcomes, documented: Iterable[float]) -> str:
    taken = [v for v, t in outcomes if t]
    if not taken:
        return ""
    low, high = min(taken), max(taken)
    dropped = [v for v, t in outcomes if not t]
    whole = all(v == int(v) for v in taken) and any(low < v < high and v != int(v) for v in dropped)
    edges = {*documented, 0}
    bounds = ""
    if below := [v for v in dropped if v < low]:
        bounds = f">={low:g}" if whole or low in edges else f">{max(below):g}"
    if above := [v for v in dropped if v > high]:
        bounds += f"<={high:g}" if whole or high in edges else f"<{min(above):g}"
    return ("whole" if whole else "number") + bounds


def _texts(outcomes: Outcomes) -> list[str]:
    if _taken(outcomes, STRANGE):
        return ["text+" if any(v == "" and not t for v, t in outcomes) else "text"]
    return ["url" if "://" in v else f"={v}" for v, t in outcomes if t and v]


def _list(outcomes: Outcomes) -> str:
    if _taken(outcomes, []):
        return "list"
    return "list+" if any(t for v, t in outcomes if isinstance(v, list)) else ""


def _object(outcomes: Outcomes, place: Mapping[str, Any], variants: tuple[str, ...]) -> str:
    taken = [v for v, t in outcomes if t]
    if not taken:
        return ""
    example = place["example"]
    if {} in taken or not isinstance(example, dict):
        missing: tuple[str, ...] = ()
    elif variants:
        missing = variants
    else:
        dropped = [set(v) for v, t in outcomes if not t]
        missing = tuple(name for name in example if set(example) - {name} in dropped)
    # Where any name goes, it is the value that is not taken.
    closed = not place.get("names") and any(v.get(STRANGE) == 5 for v, t in outcomes if not t)
    strict = "!" if closed else ""
    return f"object{strict}" + (f":{','.join(missing)}" if missing else "")
