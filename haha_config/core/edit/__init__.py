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

from haha_config.core.edit.text import decode

__all__ = ["decode"]
