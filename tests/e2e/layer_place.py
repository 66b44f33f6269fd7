"""A combination of layers, set up in a folder of its own, and asked of both sides."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.e2e import parts
from tests.e2e.answers import answers
from tests.e2e.layer_cases import BASE, KEY, TOKEN, USER, Case
from tests.e2e.processes import QUIET, environment
from tests.e2e.upstream import Upstream
from tests.e2e.wire import Request
from tools.facts.start import first_request

_GIT = {
    f"GIT_{who}_{what}": "a@b.test" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
}


class Place:
    """A case set up in a folder of its own."""

    def __init__(self, case: Case, root: Path, upstream: Upstream) -> None:
        self.case = case
        self.root = root.resolve()
        self.holes = {
            "home": f"{self.root}/home",
            "work": f"{self.root}/work",
            "root": str(self.root),
            "url": f"{upstream.url}/{self.root.name}",
        }
        self.home = Path(self.holes["home"])
        (self.home / ".claude").mkdir(parents=True)
        Path(self.holes["work"]).mkdir()
        if case.setup:
            self._run(["sh", "-ec", self.fill(case.setup)])
        start = Path(self.fill(case.start))
        start.mkdir(parents=True, exist_ok=True)
        self.cwd = start.resolve()
        self._write_files()
        self.environ = {**environment(self.home), **QUIET, **self.fill(dict(case.exported))}
        self.prefix = self._managed()

    def fill(self, value: Any) -> Any:
        match value:
            case str():
                for name, text in self.holes.items():
                    value = value.replace(f"{{{name}}}", text)
                return value
            case dict():
                return {self.fill(k): self.fill(one) for k, one in value.items()}
            case _:
                return value

    def _write_files(self) -> None:
        files = dict(self.case.files)
        if not self.case.bare:
            held = files.get(USER, {})
            base = {BASE: "{url}/user", TOKEN: KEY}
            files[USER] = {**held, "env": {**base, **held.get("env", {})}}
        for path, content in files.items():
            self._write(Path(self.fill(path)), content)
        trusted = {str(self.cwd): {"hasTrustDialogAccepted": True}}
        kept = {"hasCompletedOnboarding": True, "projects": trusted, **self.case.kept}
        self._write(self.home / ".claude.json", kept)

    def _write(self, path: Path, content: Any) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = self.fill(content)
        path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")

    def _managed(self) -> list[str]:
        """A command prefix under which /etc/claude-code is ours, for that process alone."""
        if not self.case.managed:
            return []
        folder = self.root / "managed"
        for name, content in self.case.managed.items():
            self._write(folder / name, content)
        script = f'mkdir -p /etc/claude-code && mount --bind {folder} /etc/claude-code && exec "$@"'
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]

    def _run(self, command: list[str]) -> None:
        env = {**environment(self.root), **_GIT}
        subprocess.run(command, cwd=self.root, env=env, check=True, capture_output=True)

    def request(self, version: str, upstream: Upstream) -> Request | None:
        command = [*self.prefix, str(parts.client(version)), "-p", "say hi"]
        return first_request(command, self.cwd, self.environ, upstream, f"/{self.root.name}/")

    def answers(self, version: str) -> dict[str, Any]:
        if not self.prefix:
            return answers(version, self.home, self.cwd, self.environ)
        given = {"version": version, "home": str(self.home), "cwd": str(self.cwd)}
        done = subprocess.run(
            [*self.prefix, sys.executable, "-m", "tests.e2e.answers"],
            cwd=parts.ROOT,
            input=json.dumps({**given, "environ": self.environ}),
            capture_output=True,
            text=True,
            check=True,
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found
