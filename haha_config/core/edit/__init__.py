"""Lossless editors: text and changes in, text out. One module a format, one signature.

Each module has

    edit(text: str, changes: Sequence[Change]) -> str
    read(text: str) -> Document

Both raise `Refusal` with a place (without path: the caller knows it) where the text can't be read,
and `edit` also where the laws of docs (nothing else touched, reading back gives the change) can't
be kept. Text is the file decoded as UTF-8 with its BOM and line ends left in: `decode(data)`.

A missing final newline stays missing: an addition at the end of such a file brings the newline
before itself, and taking it out again takes that newline along.
"""

from __future__ import annotations

from collections.abc import Sequence

from haha_config.core.edit.text import decode
from haha_config.core.model import Change, Format

__all__ = ["decode", "edit"]


def edit(format: Format, text: str, changes: Sequence[Change]) -> str:  # noqa: A002
    """`text` with `changes` made by its format's editor; that one alone is imported.

    Raises Refusal as the editors do.
    """
    if format == "json":
        from haha_config.core.edit import json_text

        return json_text.edit(text, changes)
    if format == "yaml":
        from haha_config.core.edit import yaml_text

        return yaml_text.edit(text, changes)
    from haha_config.core.edit import dotenv_text

    return dotenv_text.edit(text, changes)
