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
from tests.e2e import behaviours as act
from tests.e2e import parts
from tests.e2e.conftest import StartGateway
from tests.e2e.processes import (
    QUIET,
    Gateway,
    GatewayFailed,
    Said,
    ask_client,
    bun_reads,
    fetch,
    free_port,
)
from tests.e2e.upstream import Upstream
from tests.e2e.wire import Behaviour, Request

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
    "api_base": (("      api_base:",), "fails", "fails", "error", "error"),
    "api_key": (("      api_key:",), "same", "same", None, None),
    "drop_params": (("  drop_params:",), "same", "fails", "warning", "error"),
    "the flag": (("  use_chat",), "fails", "fails", "warning", "warning"),
    "master_key": (("  master_key:",), "same", "same", None, None),
}


def cut(text: str, gone: tuple[str, ...]) -> str:
    if gone and gone[0].startswith("  - model_name"):
        return text.replace("  - model_name: m-main\n    litellm_params:", "  - litellm_params:")
    if gone == ("      api_base:",):
        text = text.replace("openai/gpt-4o", "openai/a-model-of-mine")
    return "".join(line for line in text.splitlines(True) if not line.startswith(gone or ("\0",)))


OTHER_AGENT = "claude-code-haha/1.0"


@dataclass
class Behind:
    """One LiteLLM on a file with something taken out, and the client's files that lead to it."""

    name: str
    folder: Path
    home: Path
    port: int
    process: Gateway | None = None

    def set_up(self, client: str) -> SetUp:
        made = SetUp(client=client, home=self.home, work=self.folder)
        made.write({**GUIDE, "ANTHROPIC_BASE_URL": self.url, **TIERS})
        return made

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def worst(self, client: str) -> str | None:
        """The worst that `validate` says of LiteLLM's files or of the client's models."""
        made = self.set_up(client)
        done = made.tool("validate", "--client", client, "--ignore", "SYS", "--format", "json")
        severities = {f["severity"] for f in done.json["findings"] if f["code"] not in QUIET_CODES}
        return max(severities, default=None, key=RANK.index)


#: All tiers on the one model that there is, and the master key as the token.
TIERS = {
    "ANTHROPIC_AUTH_TOKEN": MASTER,
    **dict.fromkeys([n for n in GUIDE if n.endswith("_MODEL")], "m-main"),
}
#: What is worth knowing about these files whatever is taken out.
QUIET_CODES = frozenset({"LLM016", "MOD006", "MOD007", "SET009"})


def made_behind(name: str, gone: tuple[str, ...], url: str, base: Path) -> Behind:
    folder, home = base / name / "work", base / name / "home"
    folder.mkdir(parents=True)
    home.mkdir()
    behind = Behind(name=name, folder=folder, home=home, port=free_port())
    text = cut(CONFIG.format(url=url), gone)
    (folder / "litellm_config.yaml").write_text(text, encoding="utf-8")
    lines = {
        "LITELLM_MASTER_KEY": MASTER,
        "LITELLM_MODE": "PRODUCTION",
        "HOST": "127.0.0.1",
        "PORT": str(behind.port),
        "OPENAI_API_KEY": KEY,
    }
    env = folder / "litellm.env"
    env.write_text("".join(f"{n}={x}\n" for n, x in lines.items()), encoding="utf-8")
    env.chmod(0o600)
    return behind


def came(behind: Behind, body: Any, agent: str) -> Outcome:
    """What a session with this user agent comes to: the client's own request, sent once more."""
    headers = {
        "authorization": f"Bearer {MASTER}",
        "anthropic-version": "2023-06-01",
        "user-agent": agent,
    }
    status, _ = fetch(f"{behind.url}/v1/messages?beta=true", headers=headers, body=body)
    return "same" if status == 200 else "fails"


def recorded(upstream: Upstream, home: Path, work: Path) -> tuple[Any, str]:
    """What the newest client sends, and what it calls itself."""
    env = {**QUIET, **GUIDE, "ANTHROPIC_BASE_URL": upstream.url}
    ask_client(parts.NEWEST, home=home, cwd=work, env=env)
    asked = upstream.asked("anthropic")[-1]
    return asked.body, asked.headers["user-agent"]


def test_each_key_of_the_yaml_taken_out(
    upstream: Upstream, gateways: StartGateway, home: Path, work: Path, tmp_path: Path
) -> None:
    body, agent = recorded(upstream, home, work)
    assert agent.startswith("claude-cli/")
    all_of_them = [made_behind(name, c[0], upstream.url, tmp_path) for name, c in CUTS.items()]
    for behind in all_of_them:
        behind.process = gateways(behind.folder, wait=False)
    told = {}
    for behind in all_of_them:
        assert behind.process is not None
        try:
            behind.process.wait_until_up()
            happened = [came(behind, body, by) for by in (agent, OTHER_AGENT)]
        except GatewayFailed:
            happened = ["fails", "fails"]
        behind.process.stop()
        said = [behind.worst(client) for client in ("claude", "haha")]
        told[behind.name] = (*happened, *said)
    assert told == {name: expected[1:] for name, expected in CUTS.items()}


def test_each_file_of_the_gateway_taken_out(
    upstream: Upstream, gateway: StartGateway, tmp_path: Path
) -> None:
    for number, name in enumerate(("litellm_config.yaml", "litellm.env")):
        behind = made_behind(f"file-{number}", (), upstream.url, tmp_path)
        (behind.folder / name).unlink()
        env = None if name != "litellm.env" else {"PORT": str(behind.port)}
        with pytest.raises(GatewayFailed):
            gateway(behind.folder, env)
        for client in ("claude", "haha"):
            assert behind.worst(client) == "error", (name, client)


def test_without_the_client_s_file_nothing_is_set_up(set_up: SetUp) -> None:
    done = set_up.tool("validate", "--client", set_up.client)
    assert done.code == 1
    assert "Nothing is set up yet" in done.err


@pytest.mark.parametrize(("version", "wins"), [(parts.OLDEST, "slot"), (parts.NEWEST, "agent")])
def test_whose_model_an_agent_asks_for(
    upstream: Upstream, home: Path, work: Path, version: str, wins: str
) -> None:
    """The subagent slot beats an agent's own `model:` in the oldest client, not in the newest."""
    agents = work / ".claude" / "agents"
    agents.mkdir(parents=True)
    text = "---\nname: rev\ndescription: reviews\nmodel: agents-own\n---\nYou are the reviewer.\n"
    (agents / "rev.md").write_text(text, encoding="utf-8")
    trusted = {
        "hasCompletedOnboarding": True,
        "projects": {str(work): {"hasTrustDialogAccepted": True}},
    }
    (home / ".claude.json").write_text(json.dumps(trusted), encoding="utf-8")

    def behave(asked: Request) -> Behaviour | None:
        tool = next((name for name in asked.tools if name in {"Agent", "Task"}), None)
        if tool is None or asked.has_tool_result or "the reviewer" in str(asked.body["system"]):
            return None
        order = {"description": "review", "prompt": "review it", "subagent_type": "rev"}
        return act.answer(calls=[(tool, order)])

    upstream.behave = behave
    env = {**QUIET, **GUIDE, "ANTHROPIC_BASE_URL": upstream.url, "ENABLE_TOOL_SEARCH": "false"}
    ask_client(version, home=home, cwd=work, env={**env, "CLAUDE_CODE_SUBAGENT_MODEL": "slot"})
    asked = {r.model for r in upstream.asked("anthropic")}
    assert {"slot", "agents-own"} & asked == {"slot" if wins == "slot" else "agents-own"}
