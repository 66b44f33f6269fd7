"""`init` by flags, as a person or a script types it."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from haha_config.core.model import SLOTS
from haha_config.core.providers import table as rows
from haha_config.core.providers.model import Provider
from haha_config.io import templates
from tests.cli.tool import Tool
from tests.e2e.upstream import Upstream

PROVIDERS = rows.load(templates.provider_texts())

#: A key of each row's own shape; long enough to be masked with a tail.
KEYS = {"openrouter": "sk-or-v1-", "chutes": "cpk_", "kimi": "sk-", "openai": "sk-proj-"}


def key_of(row: Provider) -> str:
    return f"{KEYS.get(row.key, 'sk-')}0123456789abcdef01234567"


def flags(row: Provider) -> list[str]:
    """The least that each row asks for."""
    words = ["--provider", row.key]
    needs_url = "" in row.base_urls.values() or "" in (
        row.upstream.api_base.values() if row.upstream and not row.base_urls else ()
    )
    if needs_url:
        words += ["--base-url", "https://models.example.com/api"]
    if row.multi:
        words += ["--upstream", "openai:gpt-6.1-sol", "--upstream", "ollama:qwen3-coder"]
    elif not row.slots:
        words += ["--model", "some-model"]
    return words


def environ(row: Provider) -> dict[str, str]:
    found = {"OPENAI_API_KEY": key_of(PROVIDERS["openai"])}
    if row.credential.variable:
        found[row.credential.variable] = key_of(row)
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.fixture(params=list(PROVIDERS))
def row(request: pytest.FixtureRequest) -> Provider:
    return PROVIDERS[request.param]


def test_every_row_ends_in_files_without_an_error(tool: Tool, row: Provider) -> None:
    words = [*flags(row), "--port", str(free_port())]
    done = tool("init", *words, "--yes", **environ(row))
    assert done.code == 0, done.err
    checked = tool("validate", "--format", "json", **environ(row))
    assert checked.code == 0, checked.out
    assert checked.json["summary"]["errors"] == 0
    env = tool.env
    assert all(env[name] for name in SLOTS.values())
    assert bool(env["ANTHROPIC_AUTH_TOKEN"]) != bool(env["ANTHROPIC_API_KEY"])
    assert not env["ANTHROPIC_BASE_URL"].rstrip("/").endswith("/v1")
    key = key_of(row)
    assert key not in done.out + done.err


def test_a_variable_that_belongs_to_no_provider_of_an_entry_is_not_copied(tool: Tool) -> None:
    (tool.cwd / "litellm_config.yaml").write_text(
        "model_list:\n- {model_name: a, litellm_params: {model: openai/gpt-4o,"
        " api_base: 'https://foreign.example', api_key: os.environ/AWS_SECRET_ACCESS_KEY}}\n"
    )
    words = ("init", "--provider", "litellm", "--yes", "--port", str(free_port()))
    done = tool(*words, AWS_SECRET_ACCESS_KEY="aws-secret-0123456789")
    assert done.code == 2
    assert "no key in AWS_SECRET_ACCESS_KEY" in done.err
    assert "export AWS_SECRET_ACCESS_KEY" not in done.err
    assert not (tool.cwd / "litellm.env").exists()


def test_every_row_a_second_time_changes_nothing(tool: Tool, row: Provider) -> None:
    words = [*flags(row), "--port", str(free_port())]
    assert tool("init", *words, "--yes", **environ(row)).code == 0
    before = {p: p.read_bytes() for p in (tool.settings, tool.dotenv)}
    again = tool("init", *words, "--yes", "--format", "json", **environ(row))
    assert again.code == 0, again.err
    assert again.json["applied"] is False
    assert {p: p.read_bytes() for p in before} == before


def test_files_with_a_key_are_private(tool: Tool) -> None:
    tool.settings.parent.mkdir()
    tool.settings.write_text("{}")
    tool.settings.chmod(0o644)
    row = PROVIDERS["openrouter"]
    assert tool("init", "--provider", "openrouter", "--yes", **environ(row)).code == 0
    assert mode(tool.settings) == 0o600
    assert mode(tool.dotenv) == 0o600


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_without_a_key_it_says_which_variable(tool: Tool) -> None:
    done = tool("init", "--provider", "deepseek", "--yes")
    assert done.code == 2
    assert "DEEPSEEK_API_KEY" in done.err
    assert not tool.settings.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--provider", "openruter"], "openrouter"),
        (["--provider", "openrouter", "--slot", "hiaku=x"], "haiku"),
        (["--provider", "openrouter", "--scope", "usr"], "user"),
        (["--provider", "openrouter", "--traffic", "quite"], "quiet"),
        (["--provider", "minimax", "--region", "chna"], "china"),
        (["--provider", "openrouter", "--port", "0"], "--port"),
        (["--provider", "litellm", "--upstream", "opnai:x"], "openai"),
        (["--provider", "litellm", "--upstream", "a=openai:x", "--upstream", "a=openai:y"], "a"),
        (["--provider", "openai", "--via", "direct"], "litellm"),
        (["--provider", "custom-anthropic", "--base-url", "http://u:p@h.example"], "user name"),
        (["--provider", "custom-anthropic", "--base-url", "http://h.example/x"], "--insecure"),
        (["--provider", "custom-anthropic", "--base-url", "h.example"], "https://"),
    ],
)
def test_wrong_words_are_named(tool: Tool, words: list[str], said: str) -> None:
    row = PROVIDERS["openrouter"]
    keys = {
        **environ(row),
        "CUSTOM_ANTHROPIC_API_KEY": "sk-0123456789abcdef",
        "MINIMAX_API_KEY": "sk-0123456789abcdef",
    }
    done = tool("init", *words, "--yes", **keys)
    assert done.code == 2, done.err
    assert said in done.err
    assert not tool.settings.exists()


@pytest.mark.parametrize(
    ("pasted", "kept"),
    [
        ("sk-or-v1-0123456789abcdef\n", "sk-or-v1-0123456789abcdef"),
        ("  sk-or-v1-0123456789abcdef \n", "sk-or-v1-0123456789abcdef"),
        ('"sk-or-v1-0123456789abcdef"\n', "sk-or-v1-0123456789abcdef"),
        ("Bearer sk-or-v1-0123456789abcdef\n", "sk-or-v1-0123456789abcdef"),
    ],
)
def test_a_key_from_standard_input_is_cleaned(tool: Tool, pasted: str, kept: str) -> None:
    done = tool("init", "--provider", "openrouter", "--api-key-stdin", "--yes", stdin=pasted)
    assert done.code == 0, done.err
    assert tool.env["ANTHROPIC_AUTH_TOKEN"] == kept


@pytest.mark.parametrize("pasted", ["sk-ant-api03-0123456789abcdef", "sk-or v1", "", "schlüssel"])
def test_a_key_that_can_not_work_is_refused(tool: Tool, pasted: str) -> None:
    done = tool("init", "--provider", "openrouter", "--api-key-stdin", "--yes", stdin=f"{pasted}\n")
    assert done.code == 2, done.err
    assert not pasted or pasted not in done.err
    assert not tool.settings.exists()


def test_pasted_endpoint_is_brought_into_shape(tool: Tool) -> None:
    words = ["--provider", "custom-anthropic", "--model", "m"]
    url = "https://models.example.com/anthropic/v1/messages"
    done = tool(
        "init", *words, "--base-url", url, "--yes", CUSTOM_ANTHROPIC_API_KEY="sk-0123456789abcdef"
    )
    assert done.code == 0, done.err
    assert tool.env["ANTHROPIC_BASE_URL"] == "https://models.example.com/anthropic"
    assert "/v1/messages" in done.err


def test_port_of_another_program_is_named_with_a_free_one(tool: Tool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = tool(
            "init",
            "--provider",
            "openai",
            "--port",
            str(port),
            "--yes",
            **environ(PROVIDERS["openai"]),
        )
    assert done.code == 1, done.err
    assert str(port) in done.err
    assert "--port" in done.err
    assert not tool.settings.exists()


def test_answers_file_gives_the_same_files(tool: Tool, tmp_path: Path) -> None:
    keys = environ(PROVIDERS["minimax"])
    saved = tmp_path / "answers.toml"
    words = ["--provider", "minimax", "--region", "china", "--slot", "haiku=MiniMax-M2.7"]
    assert tool("init", *words, "--save-answers", str(saved), "--yes", **keys).code == 0
    before = tool.settings.read_bytes()
    assert key_of(PROVIDERS["minimax"]) not in saved.read_text()
    tool.settings.unlink()
    tool.dotenv.unlink()
    done = tool("init", "--answers", str(saved), "--yes", **keys)
    assert done.code == 0, done.err
    assert tool.settings.read_bytes() == before


def test_dry_run_writes_nothing_at_all(tool: Tool) -> None:
    done = tool("init", "--provider", "openrouter", "--dry-run", **environ(PROVIDERS["openrouter"]))
    assert done.code == 0, done.err
    assert "ANTHROPIC_BASE_URL" in done.out
    assert list(tool.home.iterdir()) == []
    assert list(tool.cwd.iterdir()) == []


def test_no_terminal_and_no_yes_is_a_usage_error(tool: Tool) -> None:
    done = tool("init", "--provider", "openrouter", **environ(PROVIDERS["openrouter"]))
    assert done.code == 2
    assert "--yes" in done.err


def test_malformed_settings_are_never_rewritten(tool: Tool) -> None:
    tool.settings.parent.mkdir()
    text = '{\n  "env": {},\n  // mine\n}\n'
    tool.settings.write_text(text)
    done = tool("init", "--provider", "openrouter", "--yes", **environ(PROVIDERS["openrouter"]))
    assert done.code == 1
    assert "settings.json:3:3" in done.err
    assert "^" in done.err
    assert tool.settings.read_text() == text
    assert not tool.dotenv.exists()


def test_project_scope_never_gets_a_key(tool: Tool) -> None:
    done = tool(
        "init",
        "--provider",
        "openrouter",
        "--scope",
        "project",
        "--yes",
        **environ(PROVIDERS["openrouter"]),
    )
    assert done.code == 2
    assert "--scope local" in done.err


def test_somebody_elses_gateway_gets_no_litellm_files(tool: Tool) -> None:
    done = tool(
        "init",
        "--provider",
        "litellm",
        "--base-url",
        "https://gateway.example.com",
        "--model",
        "m",
        "--api-key-env",
        "GATEWAY_KEY",
        "--yes",
        GATEWAY_KEY="sk-0123456789abcdef",
    )
    assert done.code == 0, done.err
    assert tool.env["ANTHROPIC_BASE_URL"] == "https://gateway.example.com"
    assert not (tool.cwd / "litellm_config.yaml").exists()


def test_the_url_of_an_upstream_keeps_its_v1(tool: Tool) -> None:
    words = ["--provider", "custom-openai", "--model", "m", "--port", str(free_port())]
    url = "https://models.example.com/v1"
    key = {"CUSTOM_OPENAI_API_KEY": "sk-0123456789abcdef"}
    done = tool("init", *words, "--base-url", f"{url}/chat/completions", "--yes", **key)
    assert done.code == 0, done.err
    config = (tool.cwd / "litellm_config.yaml").read_text()
    assert f"api_base: {url}\n" in config
    assert "use_chat_completions_url_for_anthropic_messages: true" in config


def test_drop_takes_a_model_out_of_the_gateway(tool: Tool) -> None:
    keys = environ(PROVIDERS["openai"])
    port = str(free_port())
    words = ["--provider", "litellm", "--port", port, "--yes"]
    made = tool(
        "init",
        *words,
        "--upstream",
        "openai:gpt-6.1-sol",
        "--upstream",
        "ollama:qwen3-coder",
        **keys,
    )
    assert made.code == 0, made.err
    assert tool("switch-model", "qwen3-coder").code == 0
    done = tool("init", *words, "--drop", "qwen3-coder", **keys)
    assert done.code == 0, done.err
    text = (tool.cwd / "litellm_config.yaml").read_text()
    assert "qwen3-coder" not in text
    assert {tool.env[name] for name in SLOTS.values()} == {"gpt-6.1-sol"}
    assert "gpt-6.1-sol" in text


def test_a_model_that_a_local_server_does_not_list_is_named(tool: Tool) -> None:
    with Upstream(models=["qwen3-coder:30b"]) as server:
        words = ["--provider", "ollama", "--base-url", server.url, "--yes"]
        done = tool("init", *words, "--model", "qwen3-coder")
        assert done.code == 0, done.err
        assert "does not list `qwen3-coder`; it lists qwen3-coder:30b" in done.err
        assert "does not list" not in tool("init", *words, "--model", "qwen3-coder:30b").err


def test_a_model_that_has_ended_by_the_catalog_is_warned_of(tool: Tool) -> None:
    words = ("--provider", "openai", "--model", "gpt-4-turbo", "--port", str(free_port()))
    done = tool("init", *words, "--yes", OPENAI_API_KEY="sk-proj-test0123456789abcdef")
    assert done.code == 0
    assert "warning: `gpt-4-turbo` ended on 2026-10-23" in done.err


def test_a_gateway_without_a_key_is_refused_with_each_way_to_give_it(tool: Tool) -> None:
    config = tool.cwd / "litellm_config.yaml"
    config.write_text(
        "model_list:\n- {model_name: a, litellm_params:"
        " {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}}\n"
    )
    before = config.read_bytes()
    words = ("init", "--provider", "litellm", "--yes", "--port", str(free_port()))
    done = tool(*words)
    assert done.code == 2
    assert "no key in OPENAI_API_KEY, which litellm_config.yaml names" in done.err
    for way in ("export OPENAI_API_KEY=", "--api-key-stdin", "--drop a", "--keys env"):
        assert way in done.err
    assert config.read_bytes() == before
    key = "sk-proj-test0123456789abcdef"
    done = tool(*words, "--api-key-stdin", stdin=f"{key}\n")
    assert done.code == 0, done.err
    assert f"OPENAI_API_KEY={key}\n" in (tool.cwd / "litellm.env").read_text()
    assert key not in done.out + done.err
