"""Lossless editors: text and changes in, text out. One module a format, one signature.

Each module has

    edit(text: str, changes: Sequence[Change]) -> str
    read(text: str) -> Document

Both raise `Refusal` with a place (without path: the caller knows it) where the text can't be read,
and `edit` also where the laws of docs (nothing else touched, reading back gives the change) can't
be kept. Text is the file decoded as UTF-8 with its BOM and line ends left in.
"""
