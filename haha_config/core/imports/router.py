"""claude-code-router: providers with a full path each, and a table of which one gets what."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain, count
from typing import Final

from msgspec import Struct

from haha_config.core.imports.entry import ImportedGateway, ImportedSetup, Served, credential
from haha_config.core.messages import Message, msg
from haha_config.core.model import Data, Place, Slot, elements, mapping, string

SOURCE: Final = "claude-code-router"
_SLOTS: Final[Mapping[str, Slot]] = {"default": "main", "background": "haiku"}
_REFERENCE: Final = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
#: How the address of its transformer `gemini` ends, which is no path of one request.
_GOOGLES: Final = "/v1beta/models"


class _Provider(Struct, frozen=True, kw_only=True):
    name: str
    url: str
    key: str
    models: tuple[str, ...]


def entry(data: Mapping[str, Data], path: str) -> ImportedSetup:
    """Everything that the router serves, as one set-up."""
    place = Place(path=path)
    lost: list[Message] = []
    names = _served(data, lost)
    slots: dict[Slot, str] = {}
    for rule, target in mapping(data.get("Router")).items():
        if not isinstance(target, str) or "," not in target:
            continue
        provider, _, model = target.partition(",")
        served = names.get((provider.strip(), model.strip()))
        slot = _SLOTS.get(rule)
        if slot is None or served is None:
            lost.append(msg("`{rule}` ({target}) is left out", rule=rule, target=target))
        else:
            slots[slot] = served.name
    if not names:
        why = msg("it names no provider with a model")
        return ImportedSetup(source=SOURCE, name="ccr", place=place, skipped=why, notes=tuple(lost))
    return ImportedSetup(
        source=SOURCE,
        name="ccr",
        place=place,
        gateway=ImportedGateway(served=tuple(names.values()), slots=slots),
        notes=tuple(lost),
    )


def _served(data: Mapping[str, Data], lost: list[Message]) -> dict[tuple[str, str], Served]:
    """Each model by its provider's name and its own, as rules name them."""
    found: dict[tuple[str, str], Served] = {}
    taken: set[str] = set()
    for provider in _providers(data):
        reference = _REFERENCE.fullmatch(provider.key)
        key, variable = credential(
            "" if reference else provider.key,
            reference[1] if reference else "",
            provider.url,
            provider.name,
        )
        for model in provider.models:
            if (provider.name, model) in found:
                continue
            if provider.url.rstrip("/").endswith(_GOOGLES):
                lost.append(msg("`{name}` is left out: it speaks Google's protocol", name=model))
                continue
            name = _free(model, provider.name, taken)
            taken.add(name)
            found[provider.name, model] = Served(
                name=name,
                model=model,
                url=provider.url,
                key=key,
                variable=variable,
                anthropic=provider.url.rstrip("/").endswith("/messages"),
            )
    return found


def _free(model: str, provider: str, taken: AbstractSet[str]) -> str:
    """What the client calls a model that an earlier provider may offer too."""
    names = (model, f"{provider}-{model}")
    numbered = (f"{names[1]}-{number}" for number in count(2))
    return next(name for name in chain(names, numbered) if name not in taken)


def _providers(data: Mapping[str, Data]) -> list[_Provider]:
    """The providers of version 1 and 2 (`Providers`), and of version 3 (`providers`)."""
    found: list[_Provider] = []
    names: set[str] = set()
    for one in elements(data.get("Providers", data.get("providers"))):
        table = mapping(one)
        url = table.get("api_base_url") or table.get("baseUrl") or table.get("baseurl")
        key = table.get("api_key") or table.get("apiKey") or table.get("apikey") or ""
        if isinstance(url, str) and isinstance(key, str):
            name = str(table.get("name") or "provider")
            models = tuple(m for m in map(_model, _list(table.get("models"))) if m)
            if name in names:
                name = next(n for i in count(2) if (n := f"{name}-{i}") not in names)
            names.add(name)
            found.append(_Provider(name=name, url=url, key=key, models=models))
    return found


def _list(data: Data) -> Sequence[Data]:
    if isinstance(data, str):
        return (data,)
    return elements(data)


def _model(data: Data) -> str:
    if isinstance(data, str):
        return data
    return string(mapping(data).get("name") or mapping(data).get("id"))


# --- its dialect -----------------------------------------------------------------------------

# Comments are read in one way only (atomic): a choice of where each ends doubles with each of them.
_COMMENT: Final = r"//[^\n]*+|/\*(?>.*?(?:\*/|\Z))"
_TOKEN: Final = re.compile(
    r"""("(?:\\.|[^"\\])*+")|('(?:\\.|[^'\\])*+')"""
    rf"""|({_COMMENT})|,(?=(?>\s+|{_COMMENT})*+[}}\]])"""
    r"""|([{,]\s*)([A-Za-z_$][\w$]*)(?=\s*:)""",
    re.DOTALL,
)
_QUOTED: Final = re.compile(r"""\\.|\"""", re.DOTALL)


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
        return f'"{_QUOTED.sub(_double, single[1:-1])}"'
    if comment is not None:
        return " "
    return f'{before}"{bare}"' if bare is not None else ""


def _double(found: re.Match[str]) -> str:
    """A character that single quotes need escaped and double ones not, or the other way."""
    return {"\\'": "'", '"': '\\"'}.get(found[0], found[0])
