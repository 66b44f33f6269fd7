"""`ANTHROPIC_CUSTOM_HEADERS`: a `Name: value` on each line, and one of them changed."""

from __future__ import annotations

from typing import Final

#: The header in which a second credential goes out, beside the Bearer.
KEY: Final = "x-api-key"
_NAME: Final = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")


def pairs(text: str) -> tuple[tuple[str, str], ...]:
    """The headers that the client makes of it, in order."""
    found = (line.partition(":") for line in text.splitlines())
    return tuple((name.strip(), value.strip()) for name, colon, value in found if colon)


def is_name(name: str) -> bool:
    """Whether a client can send a header of this name; with one that it can't it sends nothing."""
    return bool(name) and set(name.lower()) <= _NAME


def is_value(value: str) -> bool:
    """Whether a client can send it, measured: Latin letters are the end."""
    return all(ord(character) < 0x100 for character in value)


def value(text: str, name: str) -> str:
    """What a header is set to; "" where it is not there. Names are told without their case.

    Of equal names the last one counts, as for the client.
    """
    return next((held for n, held in reversed(pairs(text)) if n.lower() == name), "")


def with_header(text: str, name: str, wanted: str) -> str:
    """`text` with `name` set to `wanted`, or without it where that is ""; other lines stay."""
    kept = [line for line in text.splitlines() if line.partition(":")[0].strip().lower() != name]
    return "\n".join([*kept, f"{name}: {wanted}"] if wanted else kept)
