"""What we wrote into settings.json beside `env`: ours for as long as it is as we left it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, convert, field
from msgspec.structs import replace

from haha_config.core import headers
from haha_config.core import variables as v
from haha_config.core.edit.text import at
from haha_config.core.model import Change, Data, Path, Plan, Remove, Set, Snapshot, Write

#: The client asks before a command, and has no auto mode.
ASKS: Final[Path] = ("permissions", "disableAutoMode")
PICKER: Final[Path] = ("modelPicker",)
#: Rules of the person's, and one of ours: the client has no web search.
DENY: Final[Path] = ("permissions", "deny")
WEB_SEARCH: Final = "WebSearch"
#: The header line with the credential, in each form that a target has.
_HEADERS: Final[tuple[Path, ...]] = (("env", v.HEADERS), (v.HEADERS,))
_NAMES: Final[Mapping[Path, str]] = {
    ASKS: "permissions.disableAutoMode",
    PICKER: "modelPicker",
    DENY: f"permissions.deny: {WEB_SEARCH}",
    **dict.fromkeys(_HEADERS, f"{v.HEADERS}: {headers.KEY}"),
}


class Owned(Struct, frozen=True, kw_only=True):
    """By file: fingerprints of what we wrote there, by name. No value, since one is a key."""

    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def knows(self, path: str) -> bool:
        """Whether a set-up was written there since this record is kept."""
        return path in self.files

    def has(self, path: str, where: Path, value: Data) -> bool:
        """Whether the value at `where` of a file is what we wrote; of a list, our own entry."""
        print_ = _fingerprint(where, value)
        return bool(print_) and self.files.get(path, {}).get(_NAMES[where]) == print_


def _fingerprint(where: Path, value: Data) -> str:
    """Of headers and refusals only our own entry counts; "" where there is nothing."""
    if where in _HEADERS:
        value = headers.value(value, headers.KEY) if isinstance(value, str) else ""
    elif where == DENY:
        value = WEB_SEARCH if denies(value) else ""
    if value in (None, ""):
        return ""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def parse(content: bytes | None) -> Owned:
    """The record that a file holds; an empty one where it is absent or damaged."""
    try:
        return convert(json.loads(content or b"{}"), Owned)
    except (ValueError, RecursionError):
        return Owned()


def recorded(plan: Plan, file: Snapshot) -> Plan:
    """The plan with the record of what it writes; `file` is the record as it is now.

    A plan that holds the record already takes back an older one, and says itself what is in it.
    """
    if not plan.effective or any(write.path == file.path for write in plan.writes):
        return plan
    before = parse(file.data)
    files = {path: dict(one) for path, one in before.files.items()}
    for write in plan.effective:
        _note(files, write)
    changes = tuple(_differences(before.files, files))
    if not changes:
        return plan
    text = json.dumps({"version": 1, "files": files}, indent=2, sort_keys=True) + "\n"
    record = Write(
        path=file.path,
        format="json",
        before=file.data,
        after=text.encode("utf-8"),
        secret=True,
        changes=changes,
    )
    return replace(plan, writes=(*plan.writes, record))


def _note(files: dict[str, dict[str, str]], write: Write) -> None:
    if write.after is None or write.leaves:
        files.pop(write.path, None)
        return
    for change in write.changes:
        if isinstance(change, Set) and change.path == ("env", v.BASE_URL):
            files.setdefault(write.path, {})
        if change.path not in _NAMES:
            continue
        name = _NAMES[change.path]
        print_ = _fingerprint(change.path, change.value) if isinstance(change, Set) else ""
        if print_:
            files.setdefault(write.path, {})[name] = print_
        else:
            files.get(write.path, {}).pop(name, None)


def _differences(
    before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]]
) -> Iterator[Change]:
    """One change an entry, so that `undo` takes back no more than it has to."""
    for path in dict.fromkeys((*before, *after)):
        old, new = before.get(path), after.get(path)
        if new is None:
            yield Remove(("files", path))
        elif old is None:
            yield Set(("files", path), dict(new))
        else:
            for name in dict.fromkeys((*old, *new)):
                if old.get(name) != new.get(name):
                    where: Path = ("files", path, name)
                    yield Set(where, new[name]) if name in new else Remove(where)


def without_record(plan: Plan, path: str) -> Plan:
    """What a person is told of a plan: the record is no file of theirs."""
    return replace(plan, writes=tuple(write for write in plan.writes if write.path != path))


def denies(rules: Data) -> bool:
    """Whether a list of refused tools has the web search."""
    return isinstance(rules, list) and WEB_SEARCH in rules


def settings(file_data: Mapping[str, Any]) -> Sequence[tuple[str, Path, Data]]:
    """What stands beside `env` and may be ours: name, path, value."""
    found = ((_NAMES[where], where, at(file_data, where)) for where in (ASKS, PICKER, DENY))
    return tuple(f for f in found if f[2] is not None and (f[1] != DENY or denies(f[2])))
