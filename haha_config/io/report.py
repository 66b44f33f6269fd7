"""What is printed: results to stdout, talk and errors to stderr, JSON with its version.

Colours only on a terminal, without rich: a finding is a handful of escape codes, and rich costs
more than a whole `validate`.
"""

from __future__ import annotations

import json
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TextIO

from haha_config.core.errors import INTERRUPTED, HahaError
from haha_config.core.messages import CONTROLS, Message, msg, nmsg
from haha_config.core.model import Finding, Place
from haha_config.io.i18n import (
    choose_language,
    columns,
    english,
    render,
    visible,
    whole_words,
    with_tilde,
    wrapped,
)

VERSION: Final = 1

#: Below so many columns a line is left to the terminal.
_NARROW: Final = 20

_STYLES: Final = {
    "error": "1;31",
    "warning": "1;33",
    "note": "36",
    "hint": "36",
    "path": "1",
    "dim": "2",
    "bold": "1",
    "used": "1;32",
    "+": "32",
    "-": "31",
    "~": "33",
    "ok": "32",
}


def use_language(wanted: str | None, environ: Mapping[str, str]) -> None:
    """Speak `wanted`, else what LANG and its friends ask for."""
    streams = (sys.stdout, sys.stderr)
    choose_language(
        wanted, environ, tuple(getattr(s, "encoding", None) or "utf-8" for s in streams)
    )


# --- colours ---------------------------------------------------------------------------------


_plain = False


def without_color() -> None:
    """`--no-color`: as if NO_COLOR were set."""
    global _plain
    _plain = True


def colored(stream: TextIO) -> bool:
    """Whether `stream` shows colours: a terminal, not dumb, and nobody said no."""
    if _plain or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def paint(text: str, style: str, stream: TextIO) -> str:
    """`text`, made visible, in one of our few styles if `stream` shows them."""
    text = visible(text)
    if not (text and style and colored(stream)):
        return text
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


# --- talk ------------------------------------------------------------------------------------

_quiet = False


def be_quiet() -> None:
    """`--quiet`: only results and errors."""
    global _quiet
    _quiet = True


def is_quiet() -> bool:
    """Whether `--quiet` was given."""
    return _quiet


def talk(message: Message | str) -> None:
    """A line to the person, on stderr."""
    if not _quiet:
        text = render(message)
        # What begins with spaces is to be pasted, so it stays one line that the terminal breaks.
        print(text if text.startswith(" ") else fitted(text, sys.stderr), file=sys.stderr)


def telling(changed: tuple[str, Message | None]) -> str:
    """A value that was changed on its way in, once the person is told what was done to it."""
    value, done = changed
    if done is not None:
        talk(done)
    return value


def drawn(text: str, stream: TextIO) -> None:
    """A line that has its colours already, its parts made visible by `say` and `paint`."""
    if not (_quiet and stream is sys.stderr):
        print(text, file=stream)


@contextmanager
def waiting(message: Message, *, plain: bool = False) -> Iterator[None]:
    """What is awaited, on a terminal and only meanwhile; `plain`: a line that stays."""
    if _quiet or not sys.stderr.isatty():
        yield
        return
    if plain or os.environ.get("TERM") in (None, "", "dumb", "unknown"):
        talk(message)
        yield
        return
    from shutil import get_terminal_size

    line = wrapped(render(message), get_terminal_size().columns - 1)[0]
    sys.stderr.write(paint(line, "dim", sys.stderr))
    sys.stderr.flush()
    try:
        yield
    finally:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def fitted(text: str, stream: TextIO, *, indent: int = 0, taken: int | None = None) -> str:
    """`text` broken between words where `stream` is a terminal: that one would cut the words.

    `indent` columns are left free before each line but the first, where `taken` columns are used
    (without it as many as `indent`).
    """
    taken = indent if taken is None else taken
    if not stream.isatty():
        return text
    from shutil import get_terminal_size

    room = get_terminal_size().columns
    if taken + columns(text) <= room or room - indent < _NARROW:
        return text
    indent = min(indent, taken)
    used = taken - indent
    first, *rest = whole_words(" " * used + text, room - indent)
    return f"\n{' ' * indent}".join([first[used:], *rest])


def _one_line(text: str, stream: TextIO, *, taken: int) -> str:
    """`text` as one line, which can be pasted: spaces make the terminal break it between words."""
    if not stream.isatty():
        return text
    from shutil import get_terminal_size

    room = get_terminal_size().columns
    line = ""
    for piece in _PASTED.findall(text):
        used = (taken + columns(line)) % room
        if line and used + columns(piece) > room and not piece.isspace():
            line = line.rstrip()
            line += " " * (-(taken + columns(line)) % room)
        line += piece
    return line


#: What is not broken: a word, and a quoted one with its spaces.
_PASTED: Final = re.compile(r"\s+|(?:'[^']*'|[^\s'])+|\S+")


def result(text: Message | str, *, prose: bool = False) -> None:
    """A line of the result, on stdout. `prose` is broken between words; nobody pastes it."""
    print(fitted(render(text), sys.stdout) if prose else render(text))


def ended(text: Message, *, good: bool = True, stream: TextIO | None = None) -> None:
    """The line that says how it ended, with a mark on a terminal that can show one."""
    out = stream or sys.stdout
    if out is sys.stderr and _quiet:
        return
    sign, style = ("✓", "ok") if good else ("✗", "error")
    mark = f"{paint(sign, style, out)} " if out.isatty() and shows_marks() else ""
    print(f"{mark}{fitted(render(text), out, indent=2 if mark else 0)}", file=out)


def shows_marks() -> bool:
    """Whether standard output takes more than plain letters."""
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def document(data: Mapping[str, Any]) -> None:
    """A JSON result: `version` first, text in English."""
    text = json.dumps({"version": VERSION, **data}, ensure_ascii=False, indent=2)
    # JSON itself hides no more than what is below a blank.
    print(text.translate({code: f"\\u{code:04x}" for code in CONTROLS if code > ord(" ")}))


def hint(text: Message | str, stream: TextIO, *, indent: int = 2) -> None:
    """One `hint:` line, which can be pasted."""
    head = render(msg("hint:"))
    line = _one_line(with_tilde(render(text)), stream, taken=indent + columns(head) + 1)
    print(f"{' ' * indent}{paint(head, 'hint', stream)} {line}", file=stream)


# --- errors ----------------------------------------------------------------------------------


def failure(error: HahaError, *, as_json: bool, excerpt: str = "") -> None:
    """An expected error: what, where (the line with its caret), and what to type next."""
    if as_json:
        place = error.place or Place()
        hints = " ; ".join(english(h) for h in error.hints)
        fields = {
            "message": english(error.what),
            "path": place.path or None,
            "line": place.line,
            "column": place.column,
            "hint": hints or None,
        }
        document({"error": fields})
        return
    if error.exit_code == INTERRUPTED:
        # Leaving is the person's own wish, and no error.
        talk(error.what)
        return
    where = location(error.place)
    where = where and f"{where}: "
    head = render(msg("error:"))
    what = fitted(f"{where}{render(error.what)}", sys.stderr, taken=columns(head) + 1, indent=2)
    print(f"{paint(head, 'error', sys.stderr)} {what}", file=sys.stderr)
    if excerpt:
        print(_narrowed(excerpt, sys.stderr), file=sys.stderr)
    for text in error.hints:
        hint(text, sys.stderr)


def bug(error: Exception) -> None:
    """A bug of ours. The message of an unknown exception can hold a key: it is not printed."""
    last = traceback.extract_tb(error.__traceback__)[-6:]
    name = type(error).__name__
    print(render(msg("a bug in haha-config: {name}", name=name)), file=sys.stderr)
    for frame in last:
        print(f"  {Path(frame.filename).name}:{frame.lineno} {frame.name}", file=sys.stderr)
    print(
        render(msg("this report holds no secrets: send it with your command")),
        file=sys.stderr,
    )


# --- places ----------------------------------------------------------------------------------


def short(path: str) -> str:
    """A path as a person knows it: below the current folder or the home folder where it is."""
    if not path:
        return ""
    path = visible(path)
    for find, sign in ((Path.cwd, ""), (Path.home, "~/")):
        try:
            rest = Path(path).relative_to(find()).as_posix()
        except (ValueError, FileNotFoundError):  # the current folder may be gone
            continue
        if rest != ".":
            return f"{sign}{rest}"
    return path


def location(place: Place | None) -> str:
    """`path:line:col`, as far as it is known."""
    if place is None or not (place.path or place.line):
        return ""
    numbers = "".join(f":{n}" for n in (place.line, place.column) if n)
    return f"{short(place.path)}{numbers}"


# --- findings --------------------------------------------------------------------------------


def findings_json(found: Iterable[Finding]) -> list[dict[str, Any]]:
    """Findings as design section 3 has them."""
    return [
        {
            "code": f.code,
            "severity": f.severity,
            "path": f.place.path or None,
            "line": f.place.line,
            "column": f.place.column,
            "message": english(f.what),
            "hint": english(f.hint) if f.hint else None,
        }
        for f in found
    ]


def summary_json(found: Sequence[Finding]) -> dict[str, int]:
    """Findings by severity."""
    counts = {"errors": "error", "warnings": "warning", "notes": "note"}
    return {key: sum(f.severity == kind for f in found) for key, kind in counts.items()}


def findings(
    found: Sequence[Finding], excerpt: Callable[[Finding], str] | None, stream: TextIO
) -> None:
    """Findings grouped by file, a caret under the place (`excerpt`), the hint below."""
    group = None
    for f in found:
        path = short(f.place.path)
        if path != group:
            if group is not None:
                print(file=stream)
            if path:
                print(paint(path, "path", stream), file=stream)
            group = path
        numbers = ":".join(str(n) for n in (f.place.line, f.place.column) if n)
        where = f"  {numbers:<6} " if numbers else "  "
        severity = paint(render(SEVERITY[f.severity]), f.severity, stream)
        code = paint(f"[{f.code}]", "dim", stream)
        taken = len(where) + columns(render(SEVERITY[f.severity])) + 1
        what = fitted(f"{render(f.what)}  [{f.code}]", stream, taken=taken, indent=9)
        print(f"{where}{severity} {what.replace(f'[{f.code}]', code)}", file=stream)
        shown = excerpt(f) if excerpt else ""
        if shown:
            print(_narrowed(shown, stream), file=stream)
        if f.hint:
            hint(f.hint, stream, indent=9)


def _narrowed(shown: str, stream: TextIO) -> str:
    """A line with its caret, as wide as the terminal, with the place in sight."""
    from shutil import get_terminal_size

    room = get_terminal_size().columns
    text, caret = shown.split("\n")
    if not stream.isatty() or columns(text) <= room:
        return shown
    body = text.lstrip()
    indent = len(text) - len(body)
    at, room = len(caret) - 1 - indent, room - indent
    if at > room - _AFTER_CARET:
        while at > room - _AFTER_CARET:
            at, body = at - columns(body[0]), body[1:]
        at, body = at + 1, f"…{body}"
    if columns(body) > room:
        while columns(body) >= room:
            body = body[:-1]
        body += "…"
    return f"{' ' * indent}{body}\n{' ' * (indent + at)}^"


#: Columns of a line that are shown after its caret.
_AFTER_CARET: Final = 12
SEVERITY: Final = {"error": msg("error"), "warning": msg("warning"), "note": msg("note")}


def summary(found: Sequence[Finding]) -> Message:
    """One line that counts: errors first, then what there is, and how many --fix can mend."""
    counts = summary_json(found)
    parts = [nmsg("{n} error", "{n} errors", n=counts["errors"])]
    if counts["warnings"]:
        parts.append(nmsg("{n} warning", "{n} warnings", n=counts["warnings"]))
    if counts["notes"]:
        parts.append(nmsg("{n} note", "{n} notes", n=counts["notes"]))
    if fixable := sum(f.fixable for f in found):
        parts.append(msg("{n} fixable with --fix", n=fixable))
    return msg("{parts}", parts=tuple(parts))
