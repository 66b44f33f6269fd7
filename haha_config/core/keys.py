"""A key as a person pasted it: what came along with it, and why it can be none. No network."""

from __future__ import annotations

import re
from typing import Final

from haha_config.core.messages import Message, msg

#: What stands round a key and is no part of it. U+FEFF is what PowerShell writes before a text.
_ROUND: Final = "\ufeff\u200b\u200e\u200f\u2060"
#: The start of a line that sets a variable, as guides print it.
ASSIGNED: Final = r"^(?:export\s+|\$env:)?[A-Z][A-Z0-9]*_[A-Z0-9_]*(?:KEY|TOKEN)\s*=\s*"
_QUOTES: Final = "\"'`‘’“”"
#: Two parts of this length with a comma between them are two keys.
_SHORTEST: Final = 8


#: Compiled when it is first asked for: a start needs neither.
_PLACEHOLDER: Final = r"""(?ix)<.*>|\$\{.*\}|\$[A-Za-z_]\w*|os\.environ/.*|\[.*\]|.*x{4,}
    |(sk-)?x{3,}|.*\.\.\.|.*(your|my|paste|insert|enter|replace)[-_ ]?.*(key|token|here|secret).*
    |(sk-)?(change[-_ ]?me|placeholder|todo|example|api[-_]?key|token|secret|key[-_]?here)
    |proxy[-_]managed|managed[-_]by[-_].*|你的.*|.*密钥.*"""
_MASK: Final = r"\*{2,}|•{2,}|●{2,}|…|\.{3}"


def placeholder(value: str) -> bool:
    """Whether a value is what a guide or another program printed instead of a key."""
    if re.fullmatch(_PLACEHOLDER, value.strip()) is not None:
        return True
    # One that can't even be sent is more than a stand-in: `unsendable` says so.
    return masked(value) and value.isascii()


def masked(value: str) -> bool:
    """Whether a value is a key as a list shows it, its middle hidden."""
    return re.search(_MASK, value) is not None


def bare(text: str) -> str:
    """A text without the blanks and invisible characters round it."""
    before = None
    while text != before:
        before, text = text, text.strip().strip(_ROUND)
    return text


def clean(value: str) -> str:
    """A pasted key without what came along: spaces, quotes, `Bearer `, a shell's `NAME=`."""
    key = bare(bare(re.sub(ASSIGNED, "", bare(value))).strip(_QUOTES))
    return bare(key[7:]) if key[:7].lower() == "bearer " else key


def unsendable(key: str) -> Message | None:
    """Why no client can send this as a header; None where it can."""
    if any(c.isspace() or not c.isprintable() for c in key):
        return msg("the key has a space or line break inside: copy it again")
    if not key.isascii():
        return msg("the key has an impossible character: copy it again")
    return None


def mistaken(key: str) -> Message | None:
    """Why this is no key although it can be sent; None where nothing speaks against it."""
    if masked(key):
        return msg("the middle of this key is hidden: copy the key itself")
    if key.startswith(("https://", "http://")):
        return msg("this is an address, not a key")
    if key[:1] in ("{", "["):
        return msg("this is JSON: copy only the key inside")
    parts = [part for part in re.split("[,;|]", key) if len(part) >= _SHORTEST]
    half = len(key) // 2
    if len(parts) > 1 or (half >= _SHORTEST and key[:half] == key[half:]):
        return msg("this is several keys: give one")
    return None
