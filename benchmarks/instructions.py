"""How many instructions each command takes: `python -m benchmarks.instructions` prints the table.

Counted by valgrind's callgrind over whole processes, each twice: no other program on the machine
changes the number, and the second run shows that it is the same.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

SETTINGS: Final = {
    "env": {
        "ANTHROPIC_BASE_URL": "https://api.deepseek.com/anthropic",
        "ANTHROPIC_AUTH_TOKEN": "sk-test-0123456789abcdef",
        "ANTHROPIC_API_KEY": "",
        "ANTHROPIC_MODEL": "deepseek-flash",
        "ANTHROPIC_DEFAULT_OPUS_MODEL": "deepseek-flash",
        "ANTHROPIC_DEFAULT_SONNET_MODEL": "deepseek-flash",
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": "deepseek-flash",
        "ANTHROPIC_DEFAULT_FABLE_MODEL": "deepseek-flash",
        "CLAUDE_CODE_SUBAGENT_MODEL": "deepseek-flash",
    }
}
BARE: Final = """\
import typer{more}
app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
@app.command()
def main(): pass
app()
"""
OURS: Final = ("-m", "haha_config")


def jobs(folder: Path) -> dict[str, Sequence[str]]:
    """Name -> what stands behind `python`; the first of a group is what the others are held to."""
    for name, more in (("bare", ""), ("bare-yaml", ", yaml")):
        (folder / f"{name}.py").write_text(BARE.format(more=more), encoding="utf-8")
    return {
        "bare Python": ("-c", "pass"),
        "haha-config --version": (*OURS, "--version"),
        "bare typer app, --help": (str(folder / "bare.py"), "--help"),
        "haha-config --help": (*OURS, "--help"),
        "typer app that imports yaml": (str(folder / "bare-yaml.py"),),
        "haha-config validate": (*OURS, "validate"),
        "haha-config switch-model": (*OURS, "switch-model", "deepseek-v4-pro", "--dry-run"),
    }


def count(words: Sequence[str], home: Path) -> int:
    """Millions of instructions of one process, the interpreter's start included."""
    environ = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    valgrind = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable)
    done = subprocess.run(
        [*valgrind, *words], cwd=home, env=environ, capture_output=True, text=True, check=False
    )
    found = re.search(r"Collected : (\d+)", done.stderr)
    if found is None:
        raise SystemExit(done.stderr[-500:])
    return round(int(found[1]) / 1_000_000)


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        (home / ".claude").mkdir()
        (home / ".claude" / "settings.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
        print("| command | millions of instructions | again |\n|---|---:|---:|")
        for name, words in jobs(home).items():
            print(f"| {name} | {count(words, home)} | {count(words, home)} |", flush=True)


if __name__ == "__main__":
    main()
