"""Make `docs/cli.md` from the `--help` of every command.

`python docs/_generate/cli.py` writes it; `--check` only says whether it is stale (exit 1).
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

DOCS: Final = Path(__file__).resolve().parent.parent
HEADER: Final = "<!-- Made by docs/_generate/cli.py from the commands: edit there. -->\n"
INTRODUCTION: Final = """\
# Commands

What `--help` says. The same option has the same name wherever it occurs.

| exit code | means |
|---|---|
| 0 | fine |
| 1 | a problem was found, or a write was refused |
| 2 | a wrong flag, or an answer is missing and nobody is there to be asked |
| 3 | a bug in haha-config |
| 130 | Ctrl-C, or the end of the input at a question; nothing was written |

`run` returns the client's own code. Results go to standard output, talk and errors to standard
error. With `--yes`, with `--api-key-stdin`, or without a terminal nothing is asked.
"""


def page() -> str:
    """The page's text."""
    from haha_config.cli.app import COMMANDS

    parts = [HEADER, INTRODUCTION, _section(())]
    for name in COMMANDS:
        parts.append(_section((name,)))
        parts += [_section((name, each)) for each in _below(name.replace("-", "_"))]
    return "\n".join(parts)


def _below(module: str) -> Iterator[str]:
    """The names of a command's own commands."""
    import typer

    command: Any = typer.main.get_command(import_module(f"haha_config.cli.{module}").app)
    for name, each in getattr(command, "commands", {}).items():
        if not each.hidden:
            yield name


def _section(words: tuple[str, ...]) -> str:
    from haha_config.cli.app import invoke

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = invoke([*words, "--help"])
    if code != 0:
        raise SystemExit(f"{' '.join(words)} --help ended with {code}")
    level = "##" if len(words) < 2 else "###"
    text = "\n".join(line.rstrip() for line in printed.getvalue().strip().splitlines())
    return f"{level} {' '.join(('haha-config', *words))}\n\n```text\n{text}\n```\n"


def main(arguments: list[str]) -> int:
    # Which language and how wide, whoever calls.
    os.environ.update(COLUMNS="100", LANG="C.UTF-8", LC_ALL="C.UTF-8", LANGUAGE="")
    target = DOCS / "cli.md"
    fresh = page()
    if "--check" in arguments:
        stale = not target.exists() or target.read_text(encoding="utf-8") != fresh
        if stale:
            print(f"stale: {target.name}: run python docs/_generate/cli.py", file=sys.stderr)
        return int(stale)
    target.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
