"""The laws of the editors, checked against readers that are not ours wherever there is one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import yaml
from msgspec.structs import asdict

from haha_config.core.edit import dotenv_text, json_text, yaml_text
from haha_config.core.edit.text import changed, same
from haha_config.core.errors import Refusal
from haha_config.core.model import Change, Item, Path, Place, Remove, Set

EDITORS: dict[str, ModuleType] = {"dotenv": dotenv_text, "json": json_text, "yaml": yaml_text}


class BrokenLaw(AssertionError):
    """A law does not hold; the message says which."""


def check(name: str, text: str, changes: Sequence[Change]) -> bool:
    """Check every law on one input. False: the editor refused it, which it may."""
    editor = EDITORS[name]
    if editor.edit(text, []) != text:
        raise BrokenLaw("1: no change, other bytes")
    try:
        before = editor.read(text)
        _places(before, changes)
        after = editor.edit(text, changes)
    except Refusal as refusal:
        _in_words(refusal, text)
        return False
    if not same(ORACLES[name](after), changed(ORACLES[name](text), changes)):
        raise BrokenLaw("2: it does not read as the old data and the change")
    if len(changes) == 1 and editor.edit(after, changes) != after:
        raise BrokenLaw("1: the same change twice is not the change once")
    if len(changes) == 1:
        _elsewhere(before, text, after, changes[0])
    return True


def _in_words(refusal: Refusal, text: str) -> None:
    place = refusal.place
    lines = 1 + sum(text.count(end) for end in "\n\r\x85\u2028\u2029")
    if place is None or (place.line is not None and not 1 <= place.line <= lines):
        raise BrokenLaw("4: a refusal without a place in the file")


def _places(document: Any, changes: Sequence[Change]) -> None:
    for change in changes:
        for place in (document.place(change.path), document.key_place(change.path)):
            if place is not None and (place.line < 1 or place.column < 1):
                raise BrokenLaw("a place outside the file")
    for oddity in document.oddities:
        if oddity.place.line < 1:
            raise BrokenLaw("an oddity outside the file")


def _elsewhere(before: Any, text: str, after: str, change: Change) -> None:
    """Law 3, from outside: what stands before the entry, and every comment line, is still there."""
    place = before.key_place(change.path)
    if place is not None and isinstance(change, Set) and not isinstance(change.value, dict | list):
        start = offset(text, place)
        if after[:start] != text[:start]:
            raise BrokenLaw("3: bytes before the entry changed")
    if place is None and isinstance(change, Remove) and after != text:
        raise BrokenLaw("3: nothing to take out, and bytes changed")


def offset(text: str, place: Place) -> int:
    """Where `place` stands in `text`."""
    at, line = 0, 1
    while line < (place.line or 1):
        ends = [i for i in (text.find("\n", at), text.find("\r", at)) if i >= 0]
        at = min(ends) + 1
        if text[at - 1 : at + 1] == "\r\n":
            at += 1
        line += 1
    if at == 0 and text.startswith("\ufeff") and (place.column or 1) > 1:
        at = 1
    return at + (place.column or 1) - 1


def _read_json(text: str) -> Any:
    body = text.removeprefix("\ufeff")
    return json.loads(body) if body.strip(" \t\n\r") else {}


def _read_yaml(text: str) -> Any:
    """LiteLLM's way: the pure-Python loader."""
    data = yaml.safe_load(text)
    return {} if data is None else data


def _read_dotenv(text: str) -> Any:
    """Our own reader: tests/e2e/test_dialects.py holds it to the real Bun."""
    return dotenv_text.read(text).data


ORACLES: dict[str, Callable[[str], Any]] = {
    "dotenv": _read_dotenv,
    "json": _read_json,
    "yaml": _read_yaml,
}


# --- inputs on disk --------------------------------------------------------------------------


def dumped(text: str, changes: Sequence[Change]) -> str:
    rows = [
        {
            "do": "set" if isinstance(change, Set) else "remove",
            "path": [_key(key) for key in change.path],
            **({"value": change.value} if isinstance(change, Set) else {}),
        }
        for change in changes
    ]
    return json.dumps({"text": text, "changes": rows}, indent=1) + "\n"


def _key(key: object) -> object:
    return asdict(key) if isinstance(key, Item) else key


def loaded(source: str) -> tuple[str, list[Change]]:
    data = json.loads(source)
    changes: list[Change] = []
    for row in data["changes"]:
        path: Path = tuple(
            Item(**{**key, "also": tuple(key.get("also", ()))}) if isinstance(key, dict) else key
            for key in row["path"]
        )
        changes.append(Set(path, row["value"]) if row["do"] == "set" else Remove(path))
    return data["text"], changes
