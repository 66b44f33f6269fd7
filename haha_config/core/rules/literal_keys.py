"""Keys that stand in litellm_config.yaml as plain text, and the variable that each can move to.

Never two values for one name: each server would get the other's key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain, count

from msgspec import Struct
from msgspec.structs import replace

from haha_config.core import variables as v
from haha_config.core.keys import placeholder
from haha_config.core.model import Data
from haha_config.core.state.file import File
from haha_config.core.state.gateway import REFERENCE, ModelEntry, meant, unexpanded
from haha_config.core.state.state import State


class LiteralKey(Struct, frozen=True, kw_only=True):
    """`name`: the variable that it moves to; "" where its own has another value already."""

    file: File
    path: tuple[str | int, ...]
    key: str
    name: str


def literal_keys(state: State) -> tuple[LiteralKey, ...]:
    """Every one, in the order of the file's sections."""
    fixed, free = tuple(_named(state)), tuple(_of_entries(state))
    values = _values(state) if fixed or free else {}
    for one in (*fixed, *(usual for usual, _ in free)):
        values.setdefault(one.name, set()).add(one.key)
    found = [_placed(own, entry, values) for own, entry in free]
    held = [one if values[one.name] == {one.key} else replace(one, name="") for one in fixed]
    return (*found, *held)


def _of_entries(state: State) -> Iterator[tuple[LiteralKey, ModelEntry]]:
    """The keys of `model_list`, each under the name that its provider's keys usually have."""
    for entry in state.gateway.entries:
        key = entry.params.get("api_key")
        if looks_secret(key):
            path, name = entry.path("api_key"), _usual(entry, state)
            yield LiteralKey(file=entry.file, path=path, key=str(key), name=name), entry


def _named(state: State) -> Iterator[LiteralKey]:
    """The keys whose place says what their variable is called."""
    for name, value in state.gateway.section("environment_variables").items():
        if re.search(r"(KEY|TOKEN|SECRET|PASSWORD)$", str(name)) and looks_secret(value):
            path = ("environment_variables", str(name))
            file = state.gateway.holder(path[0])
            yield LiteralKey(file=file, path=path, key=str(value), name=str(name))
    master = state.gateway.general.get("master_key")
    if looks_secret(master) and not unexpanded(str(master)):
        path = ("general_settings", "master_key")
        file = state.gateway.holder(path[0])
        yield LiteralKey(file=file, path=path, key=str(master), name=v.MASTER_KEY)


def _usual(entry: ModelEntry, state: State) -> str:
    row = state.rows.listed(entry.model, entry.api_base)
    prefix = _words(entry.prefix) or "UPSTREAM"
    return (row.credential.variable if row else "") or f"{prefix}_API_KEY"


def _placed(own: LiteralKey, entry: ModelEntry, values: dict[str, set[str]]) -> LiteralKey:
    """Under its usual name, or under its model's where that name is somebody else's too."""
    words = _words(entry.name) or "UPSTREAM"
    words = f"MODEL_{words}" if words[0].isdigit() else words
    numbered = (f"{words}_API_KEY_{n}" for n in count(2))
    for name in chain((own.name, f"{words}_API_KEY"), numbered):
        if values.get(name, {own.key}) == {own.key}:
            values.setdefault(name, {own.key})
            return replace(own, name=name)
    raise AssertionError  # the numbers have no end


def _values(state: State) -> dict[str, set[str]]:
    """What each variable is worth that litellm.env has, or that something in the file reads."""
    gateway = state.gateway
    found = {name: {str(value)} for name, value in gateway.env.data.items() if value}
    bare = (e for e in gateway.entries if not e.params.get("api_key"))
    for name in chain(
        _references([file.data for file in gateway.files]), (_usual(e, state) for e in bare)
    ):
        found.setdefault(name, {gateway.lookup(name)[0] or ""})
    return found


def _references(data: Data) -> Iterator[str]:
    stack = [data]
    while stack:
        one = stack.pop()
        if isinstance(one, Mapping):
            stack.extend(one.values())
        elif isinstance(one, list):
            stack.extend(one)
        elif isinstance(one, str) and one.startswith(REFERENCE):
            yield one.removeprefix(REFERENCE)


def _words(text: str) -> str:
    return re.sub("[^A-Z0-9]+", "_", text.upper()).strip("_")


def looks_secret(value: object) -> bool:
    """A literal that is a key: not a reference, a stand-in, or a local server's any-text."""
    if not isinstance(value, str) or value.startswith(REFERENCE) or len(value) < 12:
        return False
    return not placeholder(value) and not meant(value)
