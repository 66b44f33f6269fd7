"""What `/model` of a new client lists: every model that a set-up reaches, by a readable name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from haha_config.core.edit.text import at
from haha_config.core.model import Change, Data, Remove, Set, mapping, objects, plain_name
from haha_config.core.providers.catalog import CatalogEntry
from haha_config.core.state import owned
from haha_config.core.state.file import File

#: A client's first request has about 20,000 tokens: below this it can't work.
SMALLEST: Final = 32_000
_ACRONYM: Final = re.compile(r"gpt|glm|oss|vl|ai|[krv]\d[\d.]*|\d+b")
#: What no client can talk to.
_NO_CHAT: Final = re.compile(r"embed|rerank|whisper|\btts\b|moderation|dall-e|image", re.IGNORECASE)


def talks(name: str) -> bool:
    """Whether a name can be a model that the client talks to: no pattern, no embedding."""
    return "*" not in name and _NO_CHAT.search(name) is None


def options(entries: Iterable[CatalogEntry], today: str) -> tuple[Mapping[str, Data], ...]:
    """The rows of the menu, in order; one model stands once, and none that is too small or gone."""
    found: dict[str, Mapping[str, Data]] = {}
    for entry in entries:
        model = entry.model
        gone = model.retired is not None and model.retired <= today
        small = model.context is not None and model.context < SMALLEST
        if gone or small or not talks(model.id) or plain_name(model.id) in found:
            continue
        found[plain_name(model.id)] = {
            "model": model.id,
            "label": label(model.id),
            "description": " · ".join(_about(entry)),
        }
    return tuple(found.values())


def label(name: str) -> str:
    """`gpt-6.1-sol` as `GPT 6.1 Sol`."""
    words = re.split(r"[-_ ]+", plain_name(name).rpartition("/")[2])
    return " ".join(w.upper() if _ACRONYM.fullmatch(w) else w[:1].upper() + w[1:] for w in words)


def _about(entry: CatalogEntry) -> Iterator[str]:
    """The name by which `switch-model` knows it, its window and its price."""
    yield plain_name(entry.model.id)
    if entry.model.context:
        yield _tokens(entry.model.context)
    if entry.price is not None:
        yield f"${entry.price.input:g} in, ${entry.price.output:g} out"


def _tokens(count: int) -> str:
    return f"{count / 1_000_000:.3g}M" if count >= 1_000_000 else f"{count / 1000:.3g}K"


def smallest(entries: Iterable[CatalogEntry], shown: Sequence[Mapping[str, Data]]) -> int | None:
    """The smallest window that is known of what the menu shows."""
    names = {one["model"] for one in shown}
    windows = (e.model.context for e in entries if e.model.id in names)
    return min((w for w in windows if w), default=None)


def kept(
    shown: Sequence[Mapping[str, Data]], held: Data, same: Callable[[str], bool]
) -> tuple[Mapping[str, Data], ...]:
    """The rows, with what `held` told of the same model where nobody tells it now."""
    there = {str(row.get("model")): row for row in objects(mapping(held).get("options"))}
    return tuple(
        there[name] if name in there and same(name) and _less(one, there[name]) else one
        for one in shown
        for name in (str(one["model"]),)
    )


def _less(one: Mapping[str, Data], other: Mapping[str, Data]) -> bool:
    return str(other.get("description")).startswith(f"{one['description']} · ")


def setting(shown: Sequence[Mapping[str, Data]]) -> dict[str, Data]:
    """`modelPicker` as the client reads it."""
    return {"options": [dict(one) for one in shown], "replaceBuiltInOptions": True}


def changes(
    shown: Sequence[Mapping[str, Data]], file: File, record: owned.Owned
) -> Iterator[Change]:
    """Sets the menu, or takes ours out; one of the person's own stays."""
    held = at(file.data, owned.PICKER)
    if held is not None and not record.has(file.path, owned.PICKER, held):
        return
    if shown:
        yield Set(owned.PICKER, setting(shown))
    elif held is not None:
        yield Remove(owned.PICKER)
