"""cc-switch: rows of its table `providers`, each with the settings.json that it would write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from haha_config.core import urls
from haha_config.core import variables as v
from haha_config.core.imports.entry import STRANGE, ImportedGateway, ImportedSetup, Served
from haha_config.core.messages import Message, msg
from haha_config.core.model import SLOTS, Data, Place, Slot, from_json, mapping

SOURCE: Final = "cc-switch"
#: Its own proxy on this machine, which stands before the provider it really asks.
PROXY_PORT: Final = 15721
PROXY: Final = msg("it names cc-switch's own proxy, not a provider")
#: The newest `user_version` of its database whose table we have seen described.
NEWEST: Final = 16
_COLUMNS: Final = frozenset({"id", "name", "settings_config", "category", "meta", "is_current"})
_TRANSLATED: Final = ("openai_chat", "openai_responses")


def entries(rows: Sequence[Mapping[str, Any]], current: str, path: str) -> Iterator[ImportedSetup]:
    """An entry for each row of its table; `current` is an id or ""."""
    for row in rows:
        chosen = row.get("id") == current if current else bool(row.get("is_current"))
        yield _entry(row, Place(path=path), chosen)


def newer(version: int, rows: Sequence[Mapping[str, Any]] | None) -> Message | None:
    """A warning where its database is of a version that we have not seen; None rows: none fit."""
    if rows is None or not all(row.keys() >= _COLUMNS for row in rows):
        return STRANGE
    if version > NEWEST:
        return msg(
            "it has version {version}, newer than {known}: check the result",
            version=version,
            known=NEWEST,
        )
    return None


def is_proxy(url: str) -> bool:
    """Whether a base URL is its own proxy on this machine."""
    return urls.local_port(url) == PROXY_PORT


def is_stand_in(key: str) -> bool:
    """Whether a credential is what it writes beside its own proxy's address."""
    return key.strip().upper() == "PROXY_MANAGED"


def _entry(row: Mapping[str, Any], place: Place, current: bool) -> ImportedSetup:
    name = str(row.get("name") or row.get("id") or SOURCE)
    settings, meta = _object(row.get("settings_config")), _object(row.get("meta"))
    texts = mapping(mapping(settings).get("env")).items()
    env = {str(variable): value for variable, value in texts if isinstance(value, str)}
    if "settings_config" not in row:
        why = STRANGE
    elif settings is None:
        why = msg("its settings are not JSON")
    elif row.get("category") == "official":
        why = msg("it is Anthropic's own login")
    elif not env.get(v.BASE_URL):
        why = msg("it has no base URL")
    elif is_proxy(env[v.BASE_URL]):
        why = PROXY
    else:
        how = (meta or {}).get("apiFormat")
        gateway = _gateway(env) if how in _TRANSLATED else None
        return ImportedSetup(
            source=SOURCE, name=name, place=place, env=env, gateway=gateway, current=current
        )
    return ImportedSetup(source=SOURCE, name=name, place=place, skipped=why, current=current)


def _gateway(env: Mapping[str, str]) -> ImportedGateway:
    key = env.get(v.AUTH_TOKEN) or env.get(v.API_KEY) or ""
    slots: dict[Slot, str] = {s: env[n] for s, n in SLOTS.items() if env.get(n)}
    served = tuple(
        Served(name=model, model=model, url=env[v.BASE_URL], key=key)
        for model in dict.fromkeys(slots.values())
    )
    return ImportedGateway(served=served, slots=slots)


def _object(text: object) -> dict[str, Data] | None:
    data = from_json(text) if isinstance(text, str) and text else {}
    return data if isinstance(data, dict) else None
