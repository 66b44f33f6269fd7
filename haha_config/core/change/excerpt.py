"""The line a finding is about, with a caret under the place, and no secret in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from haha_config.core import variables as v
from haha_config.core.messages import CONTROLS
from haha_config.core.model import Finding, Place
from haha_config.core.state.file import File

_WIDTH: Final = 76
#: How far from the place a line is looked at: a settings.json of megabytes can be one line.
_REACH: Final = 4096
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
#: `NAME=value`, `"name": "value"`, `name: value`: the name and its value, where one follows.
_PAIR: Final = re.compile(
    r"""(?P<quote>["']?)(?P<name>[A-Za-z_][\w.\-]*)(?P=quote)\s*[:=]\s*
        (?P<value>"(?:\\.|[^"\\])*"?|'[^']*'?|[^\s#,{}\[\]]+)""",
    re.VERBOSE,
)
#: Names in the files of the client and the gateway whose values are no secret.
_PLAIN: Final = frozenset(
    {
        "model",
        "model_name",
        "api_base",
        "base_url",
        "drop_params",
        "use_chat_completions_url_for_anthropic_messages",
        "use_chat_completions_api",
        "litellm_params",
        "model_list",
        "env",
    }
)
_REFERENCE: Final = re.compile(r"os\.environ/\w+")
#: Anything long enough to be a key, with a digit in it.
_KEYLIKE: Final = re.compile(r"(?=[A-Za-z0-9_\-+/.~]*\d)[A-Za-z0-9_\-+/.~]{12,}")

#: One column each, so that the caret stands right: a control character would move it, and more.
_BLANKS: Final = {**dict.fromkeys((*CONTROLS, 0x200B), "\ufffd"), ord("\t"): " "}


def excerpt(finding: Finding, files: Iterable[File]) -> str:
    """Two lines, the text and the caret, both indented; "" where there is nothing to point at."""
    file = next((f for f in files if f.path == finding.place.path), None)
    return pointed(file.text, finding.place) if file is not None else ""


def pointed(text: str, place: Place) -> str:
    """The line of `text` that `place` is in, masked, and the caret under it."""
    if not place.line or not place.column:
        return ""
    lines = _lines(text)
    if place.line > len(lines):
        return ""
    whole = lines[place.line - 1]
    first = max(0, place.column - 1 - _REACH)
    line, at = masked(whole[first : place.column + _REACH], place.column - 1 - first)
    if not line.strip():
        return ""
    line = line.translate(_BLANKS)
    start = max(0, at - _WIDTH + 10)
    shown = line[start : start + _WIDTH]
    return f"      {shown}\n      {' ' * _columns(line[start:at])}^"


@lru_cache(maxsize=8)
def _lines(text: str) -> list[str]:
    """Split once: a file of five thousand models can have as many findings."""
    return _LINE_END.split(text.removeprefix("\ufeff"))


def masked(line: str, at: int) -> tuple[str, int]:
    """The line with its secrets as `****`, and where position `at` is in it."""
    spans = sorted(_secrets(line))
    shown, moved, last = "", at, 0
    for start, end in spans:
        if start < last:
            continue
        shown += line[last:start] + "****"
        if at >= end:
            moved += 4 - (end - start)
        elif at > start:
            moved = len(shown) - 4
        last = end
    return shown + line[last:], moved


def _secrets(line: str) -> Iterable[tuple[int, int]]:
    public: list[tuple[int, int]] = []
    for pair in _PAIR.finditer(line):
        public.append(pair.span("name"))
        span = _bare(line, *pair.span("value"))
        value = line[slice(*span)]
        if _public(pair["name"], value):
            public.append(span)
        elif value:
            yield span
    for run in _KEYLIKE.finditer(line):
        inside = any(start <= run.start() and run.end() <= end for start, end in public)
        if not inside and not run[0].isupper():
            yield run.span()


def _bare(line: str, start: int, end: int) -> tuple[int, int]:
    """A value's span without its quotes."""
    if line[start] in "\"'":
        closed = end - start > 1 and line[end - 1] == line[start]
        return start + 1, end - closed
    return start, end


def _public(name: str, value: str) -> bool:
    if _REFERENCE.fullmatch(value) or value in {"", "true", "false", "null", "{", "[", "|", ">"}:
        return True
    if name in _PLAIN or not v.is_secret(name):
        return v.shown_url(value) == value
    return False


def _columns(text: str) -> int:
    """How many terminal cells a text takes: wide East Asian characters take two."""
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)
