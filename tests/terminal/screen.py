"""A program in a real pseudo-terminal: its screen as text and as a picture."""

from __future__ import annotations

import html
import io
import re
import signal
import time
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any

import pexpect
import pyte
import wcwidth

KEYS = {
    "enter": "\r",
    "esc": "\x1b",
    "tab": "\t",
    "backspace": "\x7f",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "f1": "\x1bOP",
}


def heed_signals() -> None:
    """Ctrl-C counts, also where the tests were started in the background of a script."""
    for name in ("SIGINT", "SIGQUIT", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)


def ctrl(letter: str) -> str:
    return chr(ord(letter.upper()) - 64)


def paste(text: str) -> str:
    """What a terminal sends for a paste where the program asked for marked pastes."""
    return f"\x1b[200~{text}\x1b[201~"


class _Screen(pyte.HistoryScreen):
    """pyte knows no faint text: it is kept as bright black, which a picture can show."""

    def select_graphic_rendition(self, *attrs: int, private: bool = False) -> None:
        if not private:
            super().select_graphic_rendition(*(90 if attr == 2 else attr for attr in attrs))


class Terminal:
    """Starts `argv` with exactly `env`; `wait` reads until a text is on the screen.

    `raw` is every byte the program sent, for tests of escape codes.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path | None = None,
        columns: int = 80,
        rows: int = 24,
        timeout: float = 60,
    ) -> None:
        self._timeout = timeout
        self.raw = b""
        self.screen = _Screen(columns, rows, history=2000)
        self.screen.write_process_input = lambda data: self.send(data)
        self._stream = pyte.ByteStream(self.screen)
        self.child = pexpect.spawn(
            argv[0],
            list(argv[1:]),
            env=dict(env),  # type: ignore[arg-type]
            cwd=None if cwd is None else str(cwd),
            dimensions=(rows, columns),
            timeout=timeout,
            preexec_fn=heed_signals,
        )
        # The pause before each write is for programs that turn the echo off late; here each
        # key is sent only after the question is on the screen.
        self.child.delaybeforesend = None

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None
    ) -> None:
        try:
            self.child.close(force=True)
        except pexpect.ExceptionPexpect:
            # It gives a child a tenth of a second to die, which a busy machine does not keep.
            self.child.kill(signal.SIGKILL)
            self.child.wait()

    def send(self, text: str) -> None:
        self.child.send(text)

    def press(self, *names: str) -> None:
        """Keys by name, each as a person's terminal sends it."""
        for name in names:
            self.send(KEYS[name])

    def wait(self, text: str, *, gone: bool = False, timeout: float | None = None) -> str:
        """The screen, once `text` is on it (`gone`: no longer on it)."""
        return self.wait_for(
            lambda shown: (text in shown) != gone,
            f"{'no ' if gone else ''}{text!r}",
            timeout=timeout,
        )

    def wait_match(self, pattern: str, *, timeout: float | None = None) -> str:
        """The screen, once the regular expression is found on it."""
        return self.wait_for(
            lambda shown: re.search(pattern, shown, re.MULTILINE) is not None,
            f"a match of {pattern!r}",
            timeout=timeout,
        )

    def wait_for(self, there: Any, what: str, *, timeout: float | None = None) -> str:
        end = time.monotonic() + (timeout or self._timeout)
        while not there(self.text()):
            left = end - time.monotonic()
            if left <= 0 or not self._read(left):
                raise AssertionError(f"{what} did not appear. The screen:\n{self.text()}")
        return self.text()

    def text(self) -> str:
        """The screen as it is now, right edges trimmed."""
        return "\n".join(self._lines()).rstrip()

    def _lines(self) -> list[str]:
        # Not pyte's `display`: it dies of a wide character whose first half was just overwritten.
        buffer, across = self.screen.buffer, range(self.screen.columns)
        return [
            "".join(buffer[y][x].data for x in across).rstrip() for y in range(self.screen.lines)
        ]

    def history(self) -> str:
        """What has scrolled off the top, and the screen."""
        gone = [
            "".join(line[x].data for x in range(self.screen.columns)).rstrip()
            for line in self.screen.history.top
        ]
        return "\n".join([*gone, self.text()])

    def resize(self, columns: int, rows: int) -> None:
        self.screen.resize(rows, columns)
        self.child.setwinsize(rows, columns)
        self.child.kill(signal.SIGWINCH)

    def finish(self) -> int:
        """Read until the program ends; its exit code (128 + n for a signal)."""
        while self._read(self._timeout):
            pass
        self.child.close()
        if self.child.exitstatus is not None:
            return self.child.exitstatus
        return 128 + (self.child.signalstatus or 0)

    def _read(self, timeout: float) -> bool:
        try:
            data = self.child.read_nonblocking(65536, timeout)
        except (pexpect.EOF, pexpect.TIMEOUT):
            return False
        self.raw += data
        self._stream.feed(data)
        return True

    def svg(self, *, title: str = "", light: bool = False) -> str:
        """The screen as an SVG picture."""
        from rich.console import Console
        from rich.style import Style
        from rich.text import Text

        console = Console(
            record=True,
            width=self.screen.columns,
            file=io.StringIO(),
            force_terminal=True,
            color_system="truecolor",
            legacy_windows=False,
        )
        last = max((y for y, line in enumerate(self._lines()) if line), default=0)
        for y in range(last + 1):
            line = Text()
            cells = [self.screen.buffer[y][x] for x in range(self.screen.columns)]
            for (style, wide), run in groupby(filter(lambda cell: cell.data, cells), _look):
                # A run of its own for wide characters: a renderer spreads each run evenly.
                text = "".join(cell.data for cell in run)
                line.append(text, style=Style.parse(style) + Style(meta={"wide": wide}))
            line.rstrip()
            console.print(line, no_wrap=True, overflow="ignore", crop=False, highlight=False)
        return _WIDTH.sub(_spread, console.export_svg(title=title, theme=_theme(light)))

    def picture(self, path: Path, *, title: str = "", light: bool = False) -> None:
        """The screen as `path`, an .svg or a .png."""
        svg = self.svg(title=title, light=light)
        if path.suffix == ".svg":
            path.write_text(svg, encoding="utf-8")
            return
        import resvg_py

        # The picture names a font from the network, which the renderer doesn't fetch.
        svg = svg.replace("Fira Code", "DejaVu Sans Mono")
        path.write_bytes(bytes(resvg_py.svg_to_bytes(svg_string=svg)))


def _theme(light: bool) -> Any:
    from rich.terminal_theme import TerminalTheme

    colors = ["000000", "c0392b", "1e8449", "9a6700", "1f5fbf", "8e44ad", "0e7490", "d0d0d0"]
    bright = ["808080", "e74c3c", "27ae60", "d4a017", "3b82f6", "b565d8", "1aa3b8", "ffffff"]
    if not light:
        colors = ["1d1f21", "f07178", "8bd17c", "e6c07b", "82aaff", "c792ea", "5fd7e6", "d8dee9"]
        bright = ["8a909a", "ff8b92", "a5e699", "ffd98f", "9cc0ff", "ddb0ff", "89ecf7", "ffffff"]
    ground, ink = ((255, 255, 255), (36, 41, 46)) if light else ((24, 26, 31), (216, 222, 233))
    both = [tuple(bytes.fromhex(code)) for code in (*colors, *bright)]
    return TerminalTheme(ground, ink, both[:8], both[8:])


#: rich gives each run a width by its characters; a wide one takes two columns.
_WIDTH = re.compile(r'textLength="([\d.]+)"([^>]*)>([^<]+)</text>')


def _spread(found: re.Match[str]) -> str:
    length, rest, shown = found.groups()
    text = html.unescape(shown).strip("\n")
    if not text:
        return found[0]
    right = float(length) / len(text) * wcwidth.width(text)
    return f'textLength="{right:g}"{rest}>{shown}</text>'


def _look(cell: Any) -> tuple[str, bool]:
    return _style(cell), wcwidth.width(cell.data) > 1


def _style(cell: Any) -> str:
    parts = [name for name in ("bold", "italics", "underscore", "reverse") if getattr(cell, name)]
    words = {"italics": "italic", "underscore": "underline"}
    style = [words.get(part, part) for part in parts]
    if cell.fg != "default":
        style.append(_color(cell.fg))
    if cell.bg != "default":
        style.append(f"on {_color(cell.bg)}")
    return " ".join(style)


def _color(name: str) -> str:
    """pyte's name for a colour in rich's words: pyte says `brown` for ANSI yellow."""
    if re.fullmatch(r"[0-9a-f]{6}", name):
        return f"#{name}"
    plain = name.removeprefix("bright")
    bright = "bright_" if plain != name else ""
    return bright + plain.replace("brown", "yellow")
