"""Which layer a client variable comes from, and what it shadows.

The order and the meaning of an empty value are measured with the real client; a test compares
this module's answers with what arrives at a recording endpoint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct

from haha_config.core.edit.text import Document
from haha_config.core.model import Data, Place

LayerName = Literal[
    "managed", "flag", "local", "project", "active-provider", "user", "shell", "dotenv"
]

#: Strongest first. `dotenv` counts only for a client that reads it.
ORDER: tuple[LayerName, ...] = (
    "managed",
    "flag",
    "local",
    "project",
    "active-provider",
    "user",
    "shell",
    "dotenv",
)


#: From here on JavaScript writes a number with an exponent.
_EXPONENT: Final = 10**21


class Layer(Struct, frozen=True, kw_only=True):
    """One place that variables can come from. `path` "" : not a file (the shell)."""

    name: LayerName
    path: str
    values: dict[str, Data]
    document: Document | None = None
    #: Where the variables stand in the document: ("env",) in settings, () in `.env`.
    root: tuple[str, ...] = ()

    def place(self, variable: str) -> Place:
        found = self.document and self.document.place((*self.root, variable))
        return (found or Place()).of(self.path)


class Origin(Struct, frozen=True, kw_only=True):
    """A value and the layer it stands in. The value is as written; it may be a secret."""

    value: str
    layer: LayerName
    place: Place


class Effective(Struct, frozen=True, kw_only=True):
    """What the client gets for one variable. `value` None: unset; "": set to nothing."""

    name: str
    value: str | None
    layer: LayerName | None = None
    place: Place = Place()
    shadows: tuple[Origin, ...] = ()

    def place_or(self, other: Place) -> Place:
        """Where it stands, or this place where it stands nowhere."""
        return other if self.layer is None else self.place


def resolve(layers: Sequence[Layer], name: str) -> Effective:
    """The strongest layer's value of `name`, and what that hides; `layers` strongest first."""
    found = tuple(
        Origin(value=as_text(layer.values[name]), layer=layer.name, place=layer.place(name))
        for layer in layers
        if name in layer.values
    )
    if not found:
        return Effective(name=name, value=None)
    first, *rest = found
    return Effective(
        name=name, value=first.value, layer=first.layer, place=first.place, shadows=tuple(rest)
    )


def as_text(value: Data) -> str:
    """A settings value as the client passes it on: it turns everything into text."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case list():
            return ",".join("" if one is None else as_text(one) for one in value)
        case float() if value.is_integer() and abs(value) < _EXPONENT:
            return str(int(value))
        case int() | float() if abs(value) >= _EXPONENT:
            return str(float(str(value))).replace("inf", "Infinity")
        case Mapping():
            return "[object Object]"
        case _:
            return str(value)
