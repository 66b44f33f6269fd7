"""The first promise: what a set-up needs is taken out once, and `validate` says what then happens.

Each variable, YAML key and file of the old guide, for both clients. What happens is measured with
the real client and the real LiteLLM: it fails, goes on otherwise than before, or nothing changes.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.cli.tool import Tool
from tests.e2e import parts
from tests.e2e.processes import Said, ask_client, bun_reads
from tests.e2e.upstream import Upstream

KEY = "sk-test-0123456789abcdef"
MASTER = "sk-" + "0123456789abcdef" * 3
Outcome = Literal["fails", "otherwise", "same"]

#: What guides set, each tier with a model of its own so that one can tell them apart.
GUIDE: Mapping[str, str] = {
    "ANTHROPIC_AUTH_TOKEN": KEY,
    "ANTHROPIC_MODEL": "m-main",
    "ANTHROPIC_DEFAULT_OPUS_MODEL": "m-opus",
    "ANTHROPIC_DEFAULT_SONNET_MODEL": "m-sonnet",
    "ANTHROPIC_DEFAULT_HAIKU_MODEL": "m-haiku",
    "API_TIMEOUT_MS": "3000000",
    "DISABLE_TELEMETRY": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
}
#: Taken out -> what happens then, and what `validate` says (None: nothing).
VARIABLES: Mapping[str, tuple[Outcome, str | None]] = {
    "ANTHROPIC_BASE_URL": ("fails", "error"),
    "ANTHROPIC_AUTH_TOKEN": ("fails", "error"),
    "ANTHROPIC_MODEL": ("otherwise", "note"),
    "ANTHROPIC_DEFAULT_OPUS_MODEL": ("otherwise", "note"),
    "ANTHROPIC_DEFAULT_SONNET_MODEL": ("otherwise", "note"),
    "ANTHROPIC_DEFAULT_HAIKU_MODEL": ("otherwise", "note"),
    "API_TIMEOUT_MS": ("otherwise", "note"),
    "DISABLE_TELEMETRY": ("same", None),
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": ("otherwise", "note"),
}
#: A tier's model is asked for where a person picks that tier.
PICKS = {
    "ANTHROPIC_DEFAULT_OPUS_MODEL": "opus",
    "ANTHROPIC_DEFAULT_SONNET_MODEL": "sonnet",
    "ANTHROPIC_DEFAULT_HAIKU_MODEL": "haiku",
}


@dataclass(frozen=True)
class SetUp:
    """One client's variables on disk: settings.json for Claude Code, `.env` for claude-haha."""

    client: str
    home: Path
    work: Path

    @property
    def tool(self) -> Tool:
        return Tool(home=self.home, cwd=self.work)

    def write(self, variables: Mapping[str, str]) -> None:
        if self.client == "claude":
            self.tool.settings.parent.mkdir(exist_ok=True)
            self.tool.settings.write_text(json.dumps({"env": dict(variables)}), encoding="utf-8")
            self.tool.settings.chmod(0o600)
            return
        lines = [f"{name}={value}\n" for name, value in variables.items()]
        self.tool.dotenv.write_text("".join(lines), encoding="utf-8")
        self.tool.dotenv.chmod(0o600)

    def ask(self, *args: str, proxy: str) -> Said:
        """A session, without what keeps a client quiet in other tests: here that is measured."""
        env = {"DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_MAX_RETRIES": "0", "HTTPS_PROXY": proxy}
        version = parts.NEWEST
        if self.client == "haha":
            scratch = self.home / "scratch"
            scratch.mkdir(exist_ok=True)
            version = parts.OLDEST
            env |= bun_reads(self.tool.dotenv, scratch)
        return ask_client(version, home=self.home, cwd=self.work, env=env, args=args)

    def found(self, name: str) -> set[str]:
        """The severities of the findings that name `name`."""
        done = self.tool("validate", "--client", self.client, "--ignore", "SYS", "--format", "json")
        data = done.json
        assert "findings" in data, data
        return {f["severity"] for f in data["findings"] if name in f["message"]}


@contextmanager
def recording_proxy() -> Iterator[tuple[str, list[str]]]:
    """A proxy that connects nobody and notes whom it was asked for."""
    asked: list[str] = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                asked.append(connection.recv(4096).decode(errors="replace").split("\r\n")[0])
                connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")

    threading.Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
    server.close()


@pytest.fixture(params=["claude", "haha"])
def set_up(request: pytest.FixtureRequest, home: Path, work: Path) -> SetUp:
    (home / ".claude.json").write_text('{"hasCompletedOnboarding": true}', encoding="utf-8")
    return SetUp(client=str(request.param), home=home, work=work)


def seen(set_up: SetUp, upstream: Upstream, *args: str) -> Any:
    """What one session shows: whether it answered, what it asked for, whom else it called."""
    upstream.clear()
    with recording_proxy() as (proxy, others):
        said = set_up.ask(*args, proxy=proxy)
        asked = [(r.model, r.headers.get("x-stainless-timeout")) for r in upstream.asked()]
        return said.code == 0, asked[-1:], any("api.anthropic.com" in line for line in others)


def outcome(before: Any, after: Any) -> Outcome:
    if not after[0]:
        return "fails"
    return "same" if after == before else "otherwise"


def test_each_variable_taken_out(set_up: SetUp, upstream: Upstream) -> None:
    whole = {"ANTHROPIC_BASE_URL": upstream.url, **GUIDE}
    set_up.write(whole)
    complete = {pick: seen(set_up, upstream, "--model", pick) for pick in PICKS.values()}
    complete[""] = seen(set_up, upstream)
    assert set(VARIABLES) == set(whole)
    told: dict[str, tuple[Outcome, str | None]] = {}
    for name in whole:
        assert set_up.found(name) == set(), name
        set_up.write({n: value for n, value in whole.items() if n != name})
        pick = PICKS.get(name, "")
        after = seen(set_up, upstream, *(["--model", pick] if pick else []))
        severities = set_up.found(BASE_FOR.get(name, name))
        told[name] = (outcome(complete[pick], after), max(severities, default=None, key=RANK.index))
        set_up.write(whole)
    assert told == dict(VARIABLES)


RANK = ["note", "warning", "error"]
#: A finding that names the thing in other words.
BASE_FOR = {"ANTHROPIC_AUTH_TOKEN": "no credential is set"}


# --- LiteLLM's keys and files -----------------------------------------------------------------

CONFIG = """\
model_list:
  - model_name: m-main
    litellm_params:
      model: openai/gpt-4o
      api_base: {url}/v1
      api_key: os.environ/OPENAI_API_KEY
litellm_settings:
  drop_params: true
  use_chat_completions_url_for_anthropic_messages: true
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
"""
#: Lines taken out -> what happens to a session of Claude Code, to one of a client with another
#: user agent, and what `validate` says of the first and of claude-haha.
CUTS: Mapping[str, tuple[tuple[str, ...], Outcome, Outcome, str | None, str | None]] = {
    "nothing": ((), "same", "same", None, None),
    "model_list": (("model_list:", "  - ", "    "), "fails", "fails", "error", "error"),
    "model_name": (("  - model_name", "    litellm_params"), "fails", "fails", "error", "error"),
    "model": (("      model:",), "fails", "fails", "error", "error"),
    "api_base": (("      api_base:",), "fails", "fails", "warning", "warning"),
    "api_key": (("      api_key:",), "same", "same", None, None),
    "drop_params": (("  drop_params:",), "same", "fails", "warning", "error"),
    "the flag": (("  use_chat",), "fails", "fails", "warning", "warning"),
    "master_key": (("  master_key:",), "same", "same", None, None),
}


def cut(text: str, gone: tuple[str, ...]) -> str:
    if gone and gone[0].startswith("  - model_name"):
        return text.replace("  - model_name: m-main\n    litellm_params:", "  - litellm_params:")
    return "".join(line for line in text.splitlines(True) if not line.startswith(gone or ("\0",)))
