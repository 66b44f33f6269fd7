"""`ANTHROPIC_CUSTOM_HEADERS`: a `Name: value` on each line, and one of them changed."""

from __future__ import annotations

from typing import Final

#: The header in which a second credential goes out, beside the Bearer.
KEY: Final = "x-api-key"
_NAME: Final = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")


def pairs(text: str) -> tuple[tuple[str, str], ...]:
    """The headers that the client makes of it, in order."""
    found = (line.partition(":") for line in lines(text))
    return tuple((name.strip(), value.strip()) for name, colon, value in found if colon)


def lines(text: str) -> list[str]:
    """The lines that the client sees: no other character ends one."""
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []


def is_name(name: str) -> bool:
    """Whether a client can send a header of this name; with one that it can't it sends nothing."""
    return bool(name) and set(name.lower()) <= _NAME


def is_value(value: str) -> bool:
    """Whether a client can send it, measured: Latin letters are the end, and no line end."""
    return all(ord(c) < 0x100 and c not in "\0\r\n" for c in value)


def value(text: str, name: str) -> str:
    """What a header is set to; "" where it is not there. Names are told without their case.

    Of equal names the last one counts, as for the client.
    """
    return next((held for n, held in reversed(pairs(text)) if n.lower() == name), "")


def with_header(text: str, name: str, wanted: str) -> str:
    """`text` with `name` set to `wanted`, or without it where that is ""; other lines stay."""
    kept = [line for line in lines(text) if line.partition(":")[0].strip().lower() != name]
    return "\n".join([*kept, f"{name}: {wanted}"] if wanted else kept)
