"""What clients of different versions do differently (`templates/facts/layers.json`)."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

#: `top_local`: settings.local.json of the git top level counts too, and is stronger. `all_proxy`:
#: ALL_PROXY is used. `default_model`: ANTHROPIC_DEFAULT_MODEL is. `strict_managed`: where managed
#: settings do not parse, the client does not start. `best_opus`: `best` is the model for opus, not
#: the one for fable where that is set.
Name = Literal["top_local", "all_proxy", "default_model", "strict_managed", "best_opus"]


class Behaviour(Struct, frozen=True, kw_only=True):
    """`measured`: version -> day, the oldest first; `does`: what -> by version, in that order."""

    measured: dict[str, str]
    does: dict[Name, list[bool]]

    def of(self, name: Name, version: str) -> bool:
        """Whether this measured version does so."""
        return self.does[name][list(self.measured).index(version)]


def parse(text: str) -> Behaviour:
    """The facts that ship."""
    return msgspec.json.decode(text, type=Behaviour)
