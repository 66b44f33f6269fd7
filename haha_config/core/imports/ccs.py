"""ccs: profiles that name a settings file each, as `{"env": {…}}`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from haha_config.core import variables as v
from haha_config.core.imports.entry import ImportedSetup
from haha_config.core.keys import placeholder
from haha_config.core.messages import Message, msg
from haha_config.core.model import Data, Place, mapping

SOURCE: Final = "ccs"
#: The newest `version` of its config.yaml that a test has read (ccs 7.79.1).
NEWEST: Final = 13
_PLACEHOLDER: Final = re.compile(r"(?i)^<?your[_-].*|.*_here>?$")


def listed(data: Mapping[str, Data]) -> dict[str, str | Message]:
    """The settings file of each profile, or why it has none; also of the older `config.json`."""
    profiles = mapping(data.get("profiles"))
    return {str(name): _settings(value) for name, value in profiles.items()}


def _settings(value: Data) -> str | Message:
    kind = mapping(value).get("type", "api")
    if kind != "api":
        return msg("the type `{type}` has no settings file", type=str(kind))
    path = value.get("settings") if isinstance(value, Mapping) else value
    if isinstance(path, str) and path:
        return path
    return msg("it names no settings file")


def newer(data: Mapping[str, Data]) -> Message | None:
    """A warning where the file is of a version that we have not seen."""
    version = data.get("version")
    if isinstance(version, int) and version > NEWEST:
        return msg(
            "it has version {version}, newer than {known}: check the result",
            version=version,
            known=NEWEST,
        )
    return None


def entry(name: str, data: Mapping[str, Data], path: str, *, own: bool) -> ImportedSetup:
    """A profile's entry; `own`: the file is the client's own settings.json."""
    return of_env(SOURCE, name, data.get("env"), Place(path=path), own=own)


def of_env(source: str, name: str, env: Data, place: Place, *, own: bool = False) -> ImportedSetup:
    """An entry of client variables, a placeholder taken for what it is: no key."""
    held = dict(_texts(env))
    if own:
        why = msg("it is the client's own settings.json: haha-config profile save NAME")
    elif not held.get(v.BASE_URL):
        why = msg("it has no base URL")
    else:
        for variable in v.CREDENTIALS:
            value = held.get(variable, "")
            if placeholder(value) or _PLACEHOLDER.match(value):
                held[variable] = ""
        return ImportedSetup(source=source, name=name, place=place, env=held)
    return ImportedSetup(source=source, name=name, place=place, skipped=why)


def _texts(env: Data) -> Iterator[tuple[str, str]]:
    for name, value in mapping(env).items():
        if isinstance(value, str | int) and not isinstance(value, bool):
            yield str(name), str(value)
