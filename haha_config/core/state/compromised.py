"""The list of poisoned LiteLLM releases: its text to data."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class Compromised(Struct, frozen=True, kw_only=True):
    """`versions`: release -> the day it was poisoned. `markers` stand beside the packages."""

    versions: Mapping[str, str]
    oldest: str
    markers: tuple[str, ...]
    traces: tuple[str, ...]


def parse(text: str) -> Compromised:
    """The list that ships as `templates/litellm-compromised.toml`."""
    import tomllib

    data = tomllib.loads(text)
    return Compromised(
        versions=data["versions"],
        oldest=data["oldest"],
        markers=tuple(data["markers"]),
        traces=tuple(data["traces"]),
    )
