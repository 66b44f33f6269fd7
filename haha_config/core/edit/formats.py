"""The editor of each format, imported when it is used, so that no other is paid for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from haha_config.core.edit.text import Document
from haha_config.core.model import Change, Format


def edit(kind: Format, text: str, changes: Sequence[Change]) -> str:
    """`text` with the changes made. Raises Refusal where the laws can't be kept."""
    if kind == "json":
        from haha_config.core.edit import json_text

        return json_text.edit(text, changes)
    if kind == "yaml":
        from haha_config.core.edit import yaml_text

        return yaml_text.edit(text, changes)
    from haha_config.core.edit import dotenv_text

    return dotenv_text.edit(text, changes)


# One command reads the same text for its plan, its preview and its rules; 5,000 models take a
# second each time. A document is never changed.
@lru_cache(maxsize=8)
def read(kind: Format, text: str) -> Document:
    """The parsed text. Raises Refusal with line and column where it does not parse."""
    if kind == "json":
        from haha_config.core.edit import json_text

        return json_text.read(text)
    if kind == "yaml":
        from haha_config.core.edit import yaml_text

        return yaml_text.read(text)
    from haha_config.core.edit import dotenv_text

    return dotenv_text.read(text)
