"""What haha-config relies on in programs that are not ours, measured again on every run.

When one of these fails, a release of a client, of LiteLLM or of a reader has changed: a rule, a
default or a sentence of the docs is now wrong.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import parts
from tests.e2e.conftest import StartGateway
from tests.e2e.processes import (
    QUIET,
    Gateway,
    ReaderFailed,
    Said,
    ask_client,
    bun_reads,
    fetch,
    node_reads,
    python_dotenv_reads,
    sh_reads,
)
from tests.e2e.session import Session
from tests.e2e.upstream import Upstream
from tests.e2e.wire import Request

KEY = "sk-test-0123456789abcdef"
OTHER_KEY = "sk-test-fedcba9876543210"
MASTER_KEY = "sk-" + "0123456789abcdef" * 3


def client_variables(upstream: Upstream, **more: str) -> dict[str, str]:
    return {
        "ANTHROPIC_BASE_URL": upstream.url,
        "ANTHROPIC_AUTH_TOKEN": KEY,
        "ANTHROPIC_MODEL": "test-model",
        **more,
    }


def write_settings(folder: Path, env: Mapping[str, Any], **more: Any) -> Path:
    path = folder / ".claude" / "settings.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"env": env, **more}, indent=2), encoding="utf-8")
    return path


def only_question(upstream: Upstream) -> Request:
    (asked,) = upstream.asked("anthropic")
    return asked


class TestClient:
    """Facts 0.1."""

    def test_it_posts_a_stream_to_v1_messages_with_its_tools(
        self, upstream: Upstream, home: Path, work: Path, version: str
    ) -> None:
        write_settings(home, client_variables(upstream))
        said = ask_client(version, home=home, cwd=work)
        asked = only_question(upstream)
        assert said.stdout.strip() == "answer from test-model", said.stderr
        assert (asked.path, asked.query) == ("/v1/messages", {"beta": "true"})
        assert asked.stream
        assert asked.body["thinking"]["type"] == "adaptive"
        assert {"Bash", "Edit", "Read", "Write"} <= set(asked.tools)

    def test_the_newest_sends_every_tool_only_without_tool_search(
        self, upstream: Upstream, home: Path, work: Path
    ) -> None:
        write_settings(home, client_variables(upstream))
        ask_client(parts.NEWEST, home=home, cwd=work)
        searching = set(only_question(upstream).tools)
        upstream.clear()
        write_settings(home, client_variables(upstream, ENABLE_TOOL_SEARCH="false"))
        ask_client(parts.NEWEST, home=home, cwd=work)
        everything = set(only_question(upstream).tools)
        assert "ToolSearch" in searching
        assert "ToolSearch" not in everything
        assert len(everything) > len(searching)

    def test_what_silences_its_diagnostic_costs_the_window(
        self, upstream: Upstream, home: Path, work: Path
    ) -> None:
        """`init` writes none of the two: docs/faq.md says why."""
        own = client_variables(upstream, CLAUDE_CODE_MAX_CONTEXT_TOKENS="60000")
        row = {"model": "test-model", "label": "T", "behavesAs": "claude-sonnet-4-6"}
        picker = {"modelPicker": {"options": [row], "replaceBuiltInOptions": True}}
        overrides = {"modelOverrides": {"claude-sonnet-4-6": "test-model"}}
        for more, told, window in (
            ({}, True, "60k"),
            (picker, False, "200k"),
            (overrides, False, "200k"),
        ):
            write_settings(home, own, **more)
            said = ask_client(parts.NEWEST, home=home, cwd=work)
            assert ("[claude-code:unrecognized_model]" in said.stderr) == told
            assert said.stdout.strip() == "answer from test-model"
            shown = ask_client(parts.NEWEST, home=home, cwd=work, prompt="/context").stdout
            assert f" / {window} " in shown

    def test_the_settings_file_beats_the_shell(
        self, upstream: Upstream, home: Path, work: Path, version: str
    ) -> None:
        write_settings(home, client_variables(upstream))
        shell = {
            "ANTHROPIC_BASE_URL": "http://127.0.0.1:1",
            "ANTHROPIC_AUTH_TOKEN": OTHER_KEY,
            "ANTHROPIC_MODEL": "shell-model",
        }
        ask_client(version, home=home, cwd=work, env={**QUIET, **shell})
        asked = only_question(upstream)
        assert (asked.model, asked.credential) == ("test-model", (KEY, None))

    def test_project_settings_beat_user_settings_and_env_beats_the_model_key(
        self, upstream: Upstream, home: Path, work: Path, version: str
    ) -> None:
        write_settings(home, client_variables(upstream))
        write_settings(work, {"ANTHROPIC_MODEL": "project-model"}, model="model-key")
        ask_client(version, home=home, cwd=work)
        assert only_question(upstream).model == "project-model"

    def test_a_settings_file_on_the_command_line_beats_user_settings(
        self, upstream: Upstream, home: Path, work: Path, version: str
    ) -> None:
        write_settings(home, client_variables(upstream))
        flag = write_settings(work / "elsewhere", {"ANTHROPIC_MODEL": "flag-model"})
        ask_client(version, home=home, cwd=work, args=["--settings", str(flag)])
        assert only_question(upstream).model == "flag-model"

    def test_a_key_in_the_shell_goes_along_unless_settings_cancel_it(
        self, upstream: Upstream, home: Path, work: Path, version: str
    ) -> None:
        shell = {**QUIET, "ANTHROPIC_API_KEY": OTHER_KEY}
        write_settings(home, client_variables(upstream))
        ask_client(version, home=home, cwd=work, env=shell)
        assert only_question(upstream).credential == (KEY, OTHER_KEY)
        upstream.clear()
        write_settings(home, client_variables(upstream, ANTHROPIC_API_KEY=""))
        ask_client(version, home=home, cwd=work, env=shell)
        assert only_question(upstream).credential == (KEY, None)

    def test_a_base_url_that_ends_in_v1_doubles_it(
        self, upstream: Upstream, home: Path, work: Path, version: str
    ) -> None:
        doubled = client_variables(upstream, ANTHROPIC_BASE_URL=f"{upstream.url}/v1")
        write_settings(home, doubled)
        said = ask_client(version, home=home, cwd=work)
        assert said.code != 0
        assert {r.path for r in upstream.requests if r.method == "POST"} == {"/v1/v1/messages"}

    def test_a_comment_makes_it_ignore_the_whole_file(
        self, upstream: Upstream, home: Path, work: Path, version: str
    ) -> None:
        settings = write_settings(home, {"ANTHROPIC_MODEL": "file-model"})
        settings.write_text("// mine\n" + settings.read_text(encoding="utf-8"), encoding="utf-8")
        shell = {**QUIET, **client_variables(upstream)}
        said = ask_client(version, home=home, cwd=work, env=shell)
        assert only_question(upstream).model == "test-model"
        assert complains_of_json(said) == (version == parts.NEWEST)

    def test_an_open_session_takes_a_new_endpoint_and_keeps_its_model(
        self, upstream: Upstream, home: Path, work: Path, version: str
    ) -> None:
        write_settings(home, client_variables(upstream))
        with Session(version, home=home, cwd=work) as session:
            session.get_ready()
            say_and_wait(session, upstream, "message 0")
            other = {"ANTHROPIC_AUTH_TOKEN": OTHER_KEY, "ANTHROPIC_MODEL": "other-model"}
            moved_url = f"{upstream.url}/anthropic"
            moved = client_variables(upstream, ANTHROPIC_BASE_URL=moved_url, **other)
            # Nothing on the screen says when the client looks at the file. It waits until the file
            # has been still for a second or two, and 2.1.197 misses a write of its first seconds:
            # so every eighth message comes after another write.
            for number in range(1, 65):
                if number % 8 == 1:
                    write_settings(home, moved, cleanupPeriodDays=30 + number)
                asked = say_and_wait(session, upstream, f"message {number}")
                if asked.path == "/anthropic/v1/messages":
                    break
                assert (asked.path, asked.credential) == ("/v1/messages", (KEY, None))
        assert asked.path == "/anthropic/v1/messages"
        assert (asked.model, asked.credential) == ("test-model", (OTHER_KEY, None))
        assert "message 0" in asked.prompt


def say_and_wait(session: Session, upstream: Upstream, message: str) -> Request:
    """The request that brought `message`, once the session has shown its answer."""
    before = upstream.requests[-1].number if upstream.requests else 0
    session.say(message)
    asked = upstream.wait_for(lambda r: message in r.prompt and bool(r.tools), after=before)
    session.wait_for(rf"{message}\s.*answer from test-model")
    return asked


def complains_of_json(said: Said) -> bool:
    return "malformed JSON" in said.stdout + said.stderr


# --- LiteLLM ----------------------------------------------------------------------------------

MODELS = """\
model_list:
  - model_name: plain
    litellm_params: {{model: openai/upstream-plain, api_base: {url}/v1, api_key: {key}}}
  - model_name: vllm
    litellm_params: {{model: hosted_vllm/upstream-vllm, api_base: {url}/v1, api_key: {key}}}
  - model_name: ollama
    litellm_params: {{model: ollama/upstream-ollama, api_base: {url}}}
  - model_name: deep
    litellm_params: {{model: deepseek/upstream-deep, api_base: {url}, api_key: {key}}}
litellm_settings:
  drop_params: true
  use_chat_completions_url_for_anthropic_messages: {flag}
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
"""
GATEWAY_ENV = {"LITELLM_MASTER_KEY": MASTER_KEY, "LITELLM_MODE": "PRODUCTION"}


class _Gateways:
    """LiteLLM with the chat flag, without it, and without a master key, started at once."""

    def __init__(self, start: StartGateway, folder: Path, upstream: Upstream) -> None:
        self.upstream = upstream
        self.chat = start(self._config(folder / "chat", "true"), GATEWAY_ENV, wait=False)
        self.plain = start(self._config(folder / "plain", "false"), GATEWAY_ENV, wait=False)
        keyless = {k: v for k, v in GATEWAY_ENV.items() if k != "LITELLM_MASTER_KEY"}
        self.keyless = start(self._config(folder / "keyless", "true"), keyless, wait=False)

    def _config(self, folder: Path, flag: str) -> Path:
        folder.mkdir()
        text = MODELS.format(url=self.upstream.url, key=KEY, flag=flag)
        (folder / "litellm_config.yaml").write_text(text, encoding="utf-8")
        return folder

    def path_behind(self, gateway: Gateway, model: str) -> str:
        """Where the upstream was asked when the gateway was asked for `model`."""
        gateway.wait_until_up()
        before = self.upstream.requests[-1].number if self.upstream.requests else 0
        ask(gateway, MASTER_KEY, model)
        return self.upstream.wait_for(
            lambda r: r.method == "POST" and r.model == f"upstream-{model}", after=before
        ).path


def ask(gateway: Gateway, key: str | None, model: str) -> tuple[int, str]:
    body = {
        "model": model,
        "max_tokens": 50,
        "messages": [{"role": "user", "content": "say hi"}],
    }
    headers = {"anthropic-version": "2023-06-01"}
    if key is not None:
        headers["authorization"] = f"Bearer {key}"
    return fetch(f"{gateway.url}/v1/messages", headers=headers, body=body)


@pytest.fixture(scope="module")
def running(gateways: StartGateway, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Upstream() as upstream:
        yield _Gateways(gateways, tmp_path_factory.mktemp("gateways"), upstream)


class TestGateway:
    """Facts 0.3 and C."""

    def test_it_refuses_to_start_without_a_master_key(self, running: _Gateways) -> None:
        assert running.keyless.exited_within(180)
        assert "no master key is set" in running.keyless.log

    def test_the_chat_flag_decides_where_an_openai_model_is_asked(self, running: _Gateways) -> None:
        assert running.path_behind(running.chat, "plain") == "/v1/chat/completions"
        assert running.path_behind(running.plain, "plain") == "/v1/responses"

    def test_other_prefixes_need_no_flag(self, running: _Gateways) -> None:
        assert running.path_behind(running.plain, "vllm") == "/v1/chat/completions"
        assert running.path_behind(running.plain, "deep") == "/anthropic/v1/messages"

    def test_the_ollama_prefix_is_the_wrong_one(self, running: _Gateways) -> None:
        assert running.path_behind(running.plain, "ollama") == "/api/generate"

    def test_a_missing_or_wrong_key_does_not_read_like_one(self, running: _Gateways) -> None:
        running.chat.wait_until_up()
        missing, _ = ask(running.chat, None, "plain")
        wrong, text = ask(running.chat, "sk-wrong-0123456789abcdef", "plain")
        assert missing == 500
        assert wrong == 400
        assert "no_db_connection" in text

    def test_an_unknown_model_is_a_400(self, running: _Gateways) -> None:
        running.chat.wait_until_up()
        status, text = ask(running.chat, MASTER_KEY, "nobody")
        assert status == 400
        assert "Invalid model name" in text

    def test_the_client_gets_a_streamed_answer_through_it(
        self, running: _Gateways, home: Path, work: Path, version: str
    ) -> None:
        running.chat.wait_until_up()
        variables = client_variables(running.upstream, ANTHROPIC_MODEL="plain")
        variables |= {"ANTHROPIC_BASE_URL": running.chat.url, "ANTHROPIC_AUTH_TOKEN": MASTER_KEY}
        write_settings(home, variables)
        said = ask_client(version, home=home, cwd=work)
        assert said.stdout.strip() == "answer from upstream-plain", said.stderr
        asked = running.upstream.wait_for(lambda r: "Bash" in r.tools)
        assert (asked.path, asked.stream) == ("/v1/chat/completions", True)


# --- dotenv readers ---------------------------------------------------------------------------

#: The line; what Bun, Node, python-dotenv and sh read. `{home}` is HOME, None a reader's failure.
DIALECTS: list[tuple[str, str | None, str | None, str | None, str | None]] = [
    ("A=has#hash", "has", "has", "has#hash", "has#hash"),
    ("A='a#b'", "a#b", "a#b", "a#b", "a#b"),
    ("A=a$1b", "a", "a$1b", "a$1b", "ab"),
    (r'A="a\$b"', "a$b", r"a\$b", r"a\$b", "a$b"),
    (r"A='a\$b'", "a$b", r"a\$b", r"a\$b", r"a\$b"),
    (r'A="a\"b"', r"a\"b", "a\\", 'a"b', 'a"b'),
    ("A='a\"b'", 'a"b', 'a"b', 'a"b', 'a"b'),
    ('A="a\'b"', "a'b", "a'b", "a'b", "a'b"),
    (r'A="a\\b"', r"a\\b", r"a\\b", r"a\b", r"a\b"),
    (r"A='a\b'", r"a\b", r"a\b", r"a\b", r"a\b"),
    ("A=a b", "a b", "a b", "a b", None),
    ("A=a$", "a$", "a$", "a$", "a$"),
    ("A=sk-or/+=", "sk-or/+=", "sk-or/+=", "sk-or/+=", "sk-or/+="),
    ("A='sq $HOME'", "sq {home}", "sq $HOME", "sq $HOME", "sq $HOME"),
    ("A=sk-$HOME-x", "sk-{home}-x", "sk-$HOME-x", "sk-$HOME-x", "sk-{home}-x"),
    ("A=sk-${{HOME}}-x", "sk-{home}-x", "sk-${{HOME}}-x", "sk-{home}-x", "sk-{home}-x"),
    ("A: colon", "colon", None, None, None),
]
READERS = (bun_reads, node_reads, python_dotenv_reads, sh_reads)


class TestDotenv:
    """Facts 0.2."""

    @pytest.mark.parametrize(
        ("line", "expected"), [(row[0], row[1:]) for row in DIALECTS], ids=[r[0] for r in DIALECTS]
    )
    def test_a_line_reads_as_measured(
        self, tmp_path: Path, work: Path, line: str, expected: tuple[str | None, ...]
    ) -> None:
        env_file = tmp_path / "variables"
        env_file.write_text(line.replace("{{", "{").replace("}}", "}") + "\n", encoding="utf-8")

        def read(reader: Any) -> str | None:
            try:
                value = reader(env_file, work).get("A")
            except ReaderFailed:
                return None
            return None if value is None else str(value)

        wanted = [None if e is None else e.format(home=work) if "{" in e else e for e in expected]
        assert [read(reader) for reader in READERS] == wanted

    def test_bun_never_overrides_what_is_exported(self, tmp_path: Path, work: Path) -> None:
        env_file = tmp_path / "variables"
        env_file.write_text("A=file\nB=file\nC=file\n", encoding="utf-8")
        read = bun_reads(env_file, work, {"A": "shell", "B": ""})
        assert read == {"A": "shell", "B": "", "C": "file"}
