"""A value as YAML writes it on one line, so that every loader reads it back as it was."""

from __future__ import annotations

import datetime
import re
from typing import Final

from haha_config.core.edit.yaml_document import yaml
from haha_config.core.messages import Message
from haha_config.core.model import Data

_PLAIN: Final = re.compile(r"[A-Za-z_](?:[A-Za-z0-9_./@+*:-]*[A-Za-z0-9_./@+*-])?")


class UnsafeError(Exception):
    """A place where splicing is a guess, or `what` says why it is refused."""

    def __init__(
        self, what: Message | None = None, depth: int | None = None, hint: Message | None = None
    ) -> None:
        """`depth`: how far along the path the trouble is. `hint`: what else to do than by hand."""
        super().__init__(what.text if what else "")
        self.what = what
        self.depth = depth
        self.hint = hint


def scalar(value: Data, quote: str) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(yaml.representer.SafeRepresenter().represent_float(value).value)
    if isinstance(value, datetime.date):
        return value.isoformat(" ") if isinstance(value, datetime.datetime) else value.isoformat()
    if not isinstance(value, str):
        raise UnsafeError
    if not quote and _PLAIN.fullmatch(value):
        resolvers = yaml.SafeLoader.yaml_implicit_resolvers.get(value[0], ())
        if not any(pattern.match(value) for _, pattern in resolvers):
            return value
    if "'" not in value and quote != '"' and value.isprintable():
        return f"'{value}'"
    return '"' + "".join(map(_escaped, value)) + '"'


def _escaped(char: str) -> str:
    code = ord(char)
    if char in '"\\':
        return "\\" + char
    if 0xD800 <= code <= 0xDFFF:
        raise UnsafeError
    if char.isprintable():
        return char
    named = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(char)
    return named or (f"\\x{code:02x}" if code < 256 else f"\\U{code:08x}")
