"""claude-code-router: providers with a full path each, and a table of which one gets what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from haha_config.core.imports.entry import Entry, Gateway, Served
from haha_config.core.messages import Message, msg
from haha_config.core.model import Data, Place, Slot

SOURCE: Final = "claude-code-router"
_SLOTS: Final[Mapping[str, Slot]] = {"default": "main", "background": "haiku"}
_REFERENCE: Final = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")


def entry(data: Mapping[str, Data], path: str) -> Entry:
    """Everything that the router serves, as one set-up."""
    place = Place(path=path)
    served = tuple(_served(data))
    router = _table(data.get("Router"))
    names = {(s.url, s.model): s.name for s in served}
    by_provider = {p["name"]: p for p in _providers(data)}
    slots: dict[Slot, str] = {}
    lost: list[Message] = []
    for rule, target in router.items():
        if not isinstance(target, str) or "," not in target:
            continue
        provider, _, model = target.partition(",")
        url = by_provider.get(provider.strip(), {}).get("url", "")
        name = names.get((url, model.strip()))
        slot = _SLOTS.get(rule)
        if slot is None or name is None:
            lost.append(msg("`{rule}` ({target}) is lost", rule=rule, target=target))
        else:
            slots[slot] = name
    if not served:
        why = msg("it names no provider with a model")
        return Entry(source=SOURCE, name="ccr", place=place, skipped=why)
    return Entry(
        source=SOURCE,
        name="ccr",
        place=place,
        gateway=Gateway(served=served, slots=slots),
        notes=tuple(lost),
    )


def _served(data: Mapping[str, Data]) -> Iterator[Served]:
    taken: set[str] = set()
    for provider in _providers(data):
        reference = _REFERENCE.fullmatch(provider["key"])
        for model in provider["models"]:
            name = model if model not in taken else f"{provider['name']}-{model}"
            taken.add(name)
            yield Served(
                name=name,
                model=model,
                url=provider["url"],
                key="" if reference else provider["key"],
                variable=reference[1] if reference else "",
                anthropic=provider["url"].rstrip("/").endswith("/messages"),
            )


def _providers(data: Mapping[str, Data]) -> list[dict[str, Data]]:
    """The providers of version 1 and 2 (`Providers`), and of version 3 (`providers`)."""
    listed = data.get("Providers", data.get("providers"))
    found = []
    for one in listed if isinstance(listed, list) else []:
        table = _table(one)
        url = table.get("api_base_url") or table.get("baseUrl") or table.get("baseurl")
        key = table.get("api_key") or table.get("apiKey") or table.get("apikey") or ""
        models = [_model(m) for m in (table.get("models") or []) if _model(m)]
        if isinstance(url, str) and isinstance(key, str):
            name = str(table.get("name") or "provider")
            found.append({"name": name, "url": url, "key": key, "models": models})
    return found


def _model(data: Data) -> str:
    if isinstance(data, str):
        return data
    found = _table(data).get("name") or _table(data).get("id")
    return found if isinstance(found, str) else ""


def _table(data: Data) -> Mapping[str, Data]:
    return data if isinstance(data, Mapping) else {}


# --- its dialect -----------------------------------------------------------------------------

_TOKEN: Final = re.compile(
    r"""("(?:\\.|[^"\\])*")|('(?:\\.|[^'\\])*')|(//[^\n]*|/\*.*?\*/)|,(?=(?:\s|//[^\n]*|/\*.*?\*/)*[}\]])"""
    r"""|([{,]\s*)([A-Za-z_$][\w$]*)(?=\s*:)""",
    re.DOTALL,
)


def as_json(text: str) -> str:
    """JSON5 as people write it, as JSON: comments, trailing commas, single quotes, bare names.

    Numbers and escapes that only JSON5 has are left, and the JSON reader refuses them.
    """
    without = _TOKEN.sub(_plain, text)
    # A bare name right after a comment is only seen once the comment is gone.
    return _TOKEN.sub(_plain, without)


def _plain(found: re.Match[str]) -> str:
    double, single, comment, before, bare = found.groups()
    if double is not None:
        return double
    if single is not None:
        inside = single[1:-1].replace("\\'", "'").replace('"', '\\"')
        return f'"{inside}"'
    if comment is not None:
        return " "
    return f'{before}"{bare}"' if bare is not None else ""
