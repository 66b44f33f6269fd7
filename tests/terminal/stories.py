"""A throwaway person: a home, a folder to start in, servers on loopback, and `init` on a screen."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.upstream import Upstream
from tests.e2e.wire import Behaviour
from tests.terminal.screen import Terminal

TABLE = Path(__file__).parents[2] / "templates" / "providers"
KEY = "sk-or-v1-test0123456789abcdef"
#: How `init` ends: it offers to prove what it has written.
OFFERS = (
    "Try it now, with real requests?",
    "Install LiteLLM and start the gateway?",
    "Start the gateway?",
    "Restart the gateway?",
    "现在用真实请求试一下吗？",
    "安装 LiteLLM 并启动网关吗？",
    "启动网关吗？",
    "重启网关吗？",
)
#: Nobody listens there: whatever would leave this machine fails at once.
NOWHERE = "http://127.0.0.1:9"


class Screen(Terminal):
    """A terminal that counts how often Enter was pressed."""

    enters = 0

    def send(self, text: str) -> None:
        self.enters += text.count("\r")
        super().send(text)

    def finish(self) -> int:
        """Its exit code. What is offered once everything is written is declined."""
        declined: set[str] = set()
        while self._read(self._timeout):
            shown = self.text()
            for offer in OFFERS:
                if offer not in declined and _asks(shown, offer):
                    declined.add(offer)
                    self.send("n")
        return super().finish()

    def question(self, text: str) -> str:
        """The screen, once this question is the one that waits for an answer."""
        return self.wait_for(lambda shown: _asks(shown, text), f"the question {text!r}")


def _asks(shown: str, text: str) -> bool:
    """Whether the last question on the screen is this one, and its keys are shown below it."""
    *_, last = f"\n{shown}".split("\n? ")
    return " ".join(last.split()).startswith(text) and last.rpartition("\n")[2].count("esc ") == 1


@dataclass(frozen=True)
class Person:
    """`home` and `work` are empty at first; `env` is all that the program sees."""

    home: Path
    work: Path

    @property
    def settings(self) -> Path:
        return self.home / ".claude" / "settings.json"

    @property
    def env(self) -> Path:
        return self.work / ".env"

    def variables(self) -> dict[str, str]:
        """The client's variables in settings.json."""
        return dict(json.loads(self.settings.read_text())["env"])

    def written(self) -> dict[str, bytes]:
        """Every file below home and work, but for the journal of past writes."""
        found = {}
        for root in (self.home, self.work):
            for path in sorted(root.rglob("*")):
                if path.is_file() and ".local/state" not in path.as_posix():
                    found[str(path)] = path.read_bytes()
        return found

    def row(self, key: str, *changes: tuple[str, str]) -> None:
        """The table's row with other texts in it: its server is one of the test."""
        text = (TABLE / f"{key}.toml").read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, (key, old)
            text = text.replace(old, new)
        folder = self.home / ".config" / "haha-config" / "providers"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{key}.toml").write_text(text, encoding="utf-8")

    def init(self, *arguments: str, columns: int = 80, rows: int = 24, **environ: str) -> Screen:
        """`haha-config init` on a screen of its own."""
        env = {
            "PATH": os.defpath,
            "HOME": str(self.home),
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "HTTPS_PROXY": NOWHERE,
            # The client takes it for http:// too.
            "NO_PROXY": "127.0.0.1,localhost",
            **environ,
        }
        argv = [sys.executable, "-m", "haha_config", "init", *arguments]
        return Screen(argv, env=env, cwd=self.work, columns=columns, rows=rows)


def person(folder: Path) -> Person:
    made = Person(home=folder / "person" / "home", work=folder / "person" / "work")
    made.home.mkdir(parents=True)
    made.work.mkdir()
    return made


def ollama(who: Person, *names: str, version: str = "0.15.2") -> Upstream:
    """A small Ollama, and a row that knows its port."""
    server = Upstream()
    able = {name: ["completion", "tools"] for name in names} | {"llama3:8b": ["completion"]}
    server.routes = {
        ("GET", "/api/version"): _json({"version": version}),
        ("GET", "/api/tags"): _json({"models": [{"name": name} for name in names]}),
        ("POST", "/api/show"): lambda request, reply: reply.json(
            200,
            {
                "capabilities": able[request.body["model"]],
                "model_info": {"qwen3.context_length": 262144},
            },
        ),
    }
    who.row("ollama", ("11434", str(server.port)))
    return server


def _json(body: Mapping[str, Any]) -> Behaviour:
    return lambda _request, reply: reply.json(200, body)
