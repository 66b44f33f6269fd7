"""The program as a person runs it: a process, a folder, an explicit environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools import json_shapes


@dataclass(frozen=True)
class Done:
    """What came of one run."""

    code: int
    out: str
    err: str
    words: tuple[str, ...]

    @property
    def json(self) -> Any:
        """The result, which must have the shape that docs/json.md gives it."""
        return json_shapes.checked(self.words, json.loads(self.out))


@dataclass(frozen=True)
class Tool:
    """`haha-config` in a throwaway home; `environ` is all that it gets besides."""

    home: Path
    cwd: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *words: str, stdin: str | None = None, **environ: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "haha_config", *words],
            cwd=self.cwd,
            env=self.variables(environ),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr, words)

    def variables(self, environ: Mapping[str, str] = {}) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "USERPROFILE": str(self.home),
            "LANG": "C.UTF-8",
            **self.environ,
            **environ,
        }

    @property
    def settings(self) -> Path:
        return self.home / ".claude" / "settings.json"

    @property
    def env(self) -> dict[str, str]:
        """`env` of the user's settings.json."""
        found: dict[str, str] = json.loads(self.settings.read_text(encoding="utf-8"))["env"]
        return found

    @property
    def dotenv(self) -> Path:
        return self.cwd / ".env"
