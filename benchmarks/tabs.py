"""How long a Tab takes: `python -m benchmarks.tabs`. What a shell's script starts is started."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks import section
from benchmarks.instructions import SETTINGS
from benchmarks.measure import Job, in_turn, median

LINES: Final = (
    "",
    "switch-model d",
    "init --provider d",
    "init --upstream openai:",
    "validate --explain LLM",
    "use ",
    "undo ",
)
#: Milliseconds.
LIMIT: Final = 150


def main() -> None:
    program = Path(sys.executable).parent / "haha-config"
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        (home / ".claude").mkdir()
        (home / ".claude" / "settings.json").write_text(json.dumps(SETTINGS))
        environ = {"HOME": temporary, "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        jobs = [
            Job(
                name=f"haha-config {line}",
                command=[program],
                environ=environ
                | {"_HAHA_CONFIG_COMPLETE": "tab_zsh", "_HAHA_CONFIG_LINE": f"haha-config {line}"},
                folder=home,
            )
            for line in LINES
        ]
        found = in_turn(jobs, 15)
    lines = ["| typed, then Tab | wall, ms | processor, ms |", "|---|---:|---:|"]
    lines += [
        f"| `{name}` | {median(times.wall):.0f} | {median(times.cpu):.0f} |"
        for name, times in found.items()
    ]
    section.write("tab", [*lines, "", f"The limit is {LIMIT} ms on a quiet machine."])


if __name__ == "__main__":
    main()
