"""The only module that asks."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TextIO

from haha_config.io.prompts.question import Choice, Clean, NeverAsk, Prompter, WentBack

__all__ = ["Choice", "Clean", "NeverAsk", "Prompter", "WentBack", "choose_prompter"]


def choose_prompter(
    *,
    plain: bool,
    environ: Mapping[str, str],
    stdin: TextIO | None,
    stderr: TextIO | None,
    stdout: TextIO | None,
    color: bool = True,
) -> Prompter:
    """The way to ask that fits these streams; loads no terminal library yet.

    Questions are talk: they go to `stderr`, or to `stdout` where only that is a terminal
    (`2>log`). With no terminal to read from, or none to write to, it is one that never asks
    (a stream is None where the shell closed it).
    `color` False is for `--no-color`; `NO_COLOR` in `environ` says the same.
    """
    stream = next((s for s in (stderr, stdout) if s is not None and s.isatty()), None)
    if stdin is None or not stdin.isatty() or stream is None:
        return NeverAsk()
    term = environ.get("TERM", "")
    dumb = sys.platform != "win32" and term in ("", "dumb", "unknown")
    if plain or dumb:
        from haha_config.io.prompts.plain import Plain

        return Plain(stdin, stream)
    from haha_config.io.prompts.screen import Screen

    return Screen(stdin, stream, term=term, color=color and not environ.get("NO_COLOR"))
