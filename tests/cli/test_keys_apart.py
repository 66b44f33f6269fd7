"""Nothing of a person's is lost, mixed up or given away."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.tool import Tool

KEY = "sk-0123456789abcdef0123456789abcdef"
MASTER = "sk-fedcba9876543210fedcba9876543210"


def settings(tool: Tool, **held: Any) -> None:
    tool.settings.parent.mkdir(parents=True, exist_ok=True)
    tool.settings.write_text(json.dumps(held), encoding="utf-8")


def lines(path: Path) -> dict[str, str]:
    pairs = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines())
    return {name: value.strip("\"'") for name, equals, value in pairs if equals}


# --- a placeholder is no key -----------------------------------------------------------------


@pytest.mark.parametrize("held", ["<YOUR_DEEPSEEK_API_KEY>", "your_token_here", "sk-abc***cdef"])
def test_a_placeholder_is_no_key(tool: Tool, held: str) -> None:
    settings(
        tool,
        env={
            "ANTHROPIC_BASE_URL": "https://api.deepseek.com/anthropic",
            "ANTHROPIC_AUTH_TOKEN": held,
            "ANTHROPIC_MODEL": "deepseek-chat",
        },
    )
    done = tool("init", "--provider", "deepseek", "--yes", DEEPSEEK_API_KEY=KEY)
    assert done.code == 0, done.err
    assert tool.env["ANTHROPIC_AUTH_TOKEN"] == KEY
    assert tool.env["ANTHROPIC_MODEL"] != "deepseek-chat"
    assert "`deepseek-chat` ended on" in done.err
    stored = list((tool.home / ".local/share/haha-config/keys").iterdir())
    assert [path.read_text().strip() for path in stored] == [KEY]


def test_a_model_that_has_not_ended_and_a_real_key_stay(tool: Tool) -> None:
    settings(
        tool,
        env={
            "ANTHROPIC_BASE_URL": "https://api.deepseek.com/anthropic",
            "ANTHROPIC_AUTH_TOKEN": MASTER,
            "ANTHROPIC_MODEL": "deepseek-pro-of-mine",
        },
    )
    done = tool("init", "--provider", "deepseek", "--yes", DEEPSEEK_API_KEY=KEY)
    assert done.code == 0, done.err
    assert tool.env["ANTHROPIC_AUTH_TOKEN"] == MASTER
    assert tool.env["ANTHROPIC_MODEL"] == "deepseek-pro-of-mine"


def test_a_placeholder_in_the_shell_is_refused_and_one_in_litellm_env_is_replaced(
    tool: Tool,
) -> None:
    done = tool("init", "--provider", "deepseek", "--yes", DEEPSEEK_API_KEY="your_key_here")
    assert done.code == 2
    assert "placeholder" in done.err
    env = tool.cwd / "litellm.env"
    env.write_text("OPENAI_API_KEY=sk-xxxxxxxx\n", encoding="utf-8")
    words = ("init", "--provider", "litellm", "--upstream", "openai:gpt-6-luna", "--yes")
    done = tool(*words, "--port", "14734", OPENAI_API_KEY="sk-proj-0123456789abcdef")
    assert done.code == 0, done.err
    assert lines(env)["OPENAI_API_KEY"] == "sk-proj-0123456789abcdef"


# --- somebody else's apiKeyHelper ------------------------------------------------------------

FOREIGN = (
    "secret-tool lookup service claude-haha key anthropic",
    "haha-config key deepseek | tr -d '\\n'",
    "/usr/local/bin/haha-config key deepseek",
    "mine; haha-config key deepseek",
    "python3 -m haha_config key deepseek",
    "echo haha key sk-0123456789abcdef",
)


@pytest.mark.parametrize("command", FOREIGN)
def test_the_helper_of_somebody_else_stays_and_is_masked(tool: Tool, command: str) -> None:
    settings(tool, apiKeyHelper=command)
    done = tool("init", "--provider", "deepseek", "--yes", DEEPSEEK_API_KEY=KEY)
    assert json.loads(tool.settings.read_text())["apiKeyHelper"] == command, done.err
    shown = tool("show")
    assert command not in shown.out + shown.err
    assert "apiKeyHelper" in shown.out
    assert tool("use", "off").code == 0
    assert json.loads(tool.settings.read_text()) == {"apiKeyHelper": command}


def test_the_helper_of_somebody_else_is_not_deleted_with_its_file(tool: Tool) -> None:
    settings(tool, apiKeyHelper=FOREIGN[0])
    before = tool.settings.read_bytes()
    assert tool("use", "off").code == 0
    assert tool.settings.read_bytes() == before


# --- a program's .env ------------------------------------------------------------------------

APP = (
    f"DATABASE_URL=postgres://x\nANTHROPIC_API_KEY={MASTER}\nANTHROPIC_MODEL=claude-x\nPORT=3000\n"
)


@pytest.mark.parametrize("tree", [True, False], ids=["git", "no git"])
def test_the_env_file_of_a_program_stays_as_it_is(tool: Tool, tree: bool) -> None:
    if tree:
        subprocess.run(["git", "init", "-q", str(tool.cwd)], check=True)
        (tool.cwd / ".gitignore").write_text(".env\n", encoding="utf-8")
    tool.dotenv.write_text(APP, encoding="utf-8")
    done = tool("init", "--provider", "deepseek", "--yes", DEEPSEEK_API_KEY=KEY)
    assert done.code == 0, done.err
    assert "belongs to another program: not changed" in done.err
    assert tool("switch-model", "deepseek-pro", "--unlisted").code == 0
    assert tool("use", "deepseek").code == 0
    assert tool("use", "off").code == 0
    assert tool.dotenv.read_text(encoding="utf-8") == APP
    assert not tool.settings.exists()


def test_an_env_file_that_is_the_clients_moves_along(tool: Tool) -> None:
    """One with a base URL, and one that claude-haha reads."""
    tool.dotenv.write_text(
        "A=1\nPORT=3000\nANTHROPIC_BASE_URL=https://x.example.com\n", encoding="utf-8"
    )
    assert tool("init", "--provider", "deepseek", "--yes", DEEPSEEK_API_KEY=KEY).code == 0
    assert lines(tool.dotenv)["ANTHROPIC_AUTH_TOKEN"] == KEY
    assert tool("use", "off").code == 0
    assert tool.dotenv.read_text(encoding="utf-8").startswith("A=1\nPORT=3000\n")
    tool.dotenv.write_text(APP, encoding="utf-8")
    words = ("init", "--provider", "deepseek", "--client", "haha", "--yes")
    assert tool(*words, DEEPSEEK_API_KEY=KEY).code == 0
    assert lines(tool.dotenv)["ANTHROPIC_API_KEY"] == ""
    assert lines(tool.dotenv)["PORT"] == "3000"


def test_an_env_file_that_we_made_is_ours(tool: Tool) -> None:
    assert tool("init", "--provider", "deepseek", "--yes", DEEPSEEK_API_KEY=KEY).code == 0
    text = tool.dotenv.read_text(encoding="utf-8").replace("ANTHROPIC_BASE_URL", "ELSEWHERE")
    tool.dotenv.write_text(text, encoding="utf-8")
    assert tool("use", "off").code == 0
    assert "ANTHROPIC_AUTH_TOKEN" not in tool.dotenv.read_text(encoding="utf-8")


def test_use_makes_no_env_file(tool: Tool) -> None:
    words = ("init", "--provider", "deepseek", "--write", "settings", "--yes")
    assert tool(*words, DEEPSEEK_API_KEY=KEY).code == 0
    assert tool("use", "deepseek").code == 0
    assert not tool.dotenv.exists()


# --- clouds ----------------------------------------------------------------------------------

CLOUDS = ("CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY")


@pytest.mark.parametrize("name", CLOUDS)
def test_init_over_a_cloud_leaves_no_error_and_use_off_brings_it_back(
    tool: Tool, name: str
) -> None:
    settings(tool, env={name: "1", "CLOUD_ML_REGION": "us-east5"})
    done = tool("init", "--provider", "deepseek", "--yes", DEEPSEEK_API_KEY=KEY)
    assert done.code == 0, done.err
    assert name not in tool.env
    assert f"- env.{name}" in done.err
    tool.settings.write_text(tool.settings.read_text().replace("us-east5", "us-east6"))
    assert tool("use", "off").code == 0
    assert tool.env == {name: "1", "CLOUD_ML_REGION": "us-east6"}


def test_a_cloud_of_the_shell_is_cancelled(tool: Tool) -> None:
    done = tool(
        *("init", "--provider", "deepseek", "--yes"),
        DEEPSEEK_API_KEY=KEY,
        CLAUDE_CODE_USE_VERTEX="1",
    )
    assert done.code == 0, done.err
    assert tool.env["CLAUDE_CODE_USE_VERTEX"] == ""


def test_a_cloud_without_an_endpoint_is_a_choice(tool: Tool) -> None:
    settings(tool, env={"CLAUDE_CODE_USE_FOUNDRY": "1", "ANTHROPIC_MODEL": "opusplan"})
    done = tool("validate", "--fix", "--yes", "--ignore", "SYS")
    assert done.code == 0, done.out
    assert tool.env["CLAUDE_CODE_USE_FOUNDRY"] == "1"
    found = tool("validate", "--ignore", "SYS", "--format", "json").json["findings"]
    assert {f["code"]: f["severity"] for f in found}["ENV008"] == "note"
    assert "error" not in {f["severity"] for f in found}


# --- a person's own values -------------------------------------------------------------------

PROJECT = {"ANTHROPIC_MODEL": "project-model", "ANTHROPIC_DEFAULT_HAIKU_MODEL": "project-haiku"}
OWN = {
    "CLAUDE_CODE_EFFORT_LEVEL": "low",
    "CLAUDE_CODE_ATTRIBUTION_HEADER": "1",
    "CLAUDE_CODE_TOTAL_TOKENS_REMINDER": "1",
}


def test_the_model_of_a_project_stays_in_the_project(tool: Tool) -> None:
    assert tool("init", "--provider", "deepseek", "--yes", DEEPSEEK_API_KEY=KEY).code == 0
    before = tool.env
    for name in ("settings.json", "settings.local.json"):
        file = tool.cwd / ".claude" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps({"env": PROJECT}), encoding="utf-8")
    tool("init", "--provider", "deepseek", "--traffic", "minimal", "--yes")
    changed = {n for n in {*before, *tool.env} if before.get(n) != tool.env.get(n)}
    assert changed == {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"}


def test_what_a_person_chose_stays(tool: Tool) -> None:
    settings(tool, env=OWN)
    for words in (
        ("init", "--provider", "deepseek", "--yes"),
        ("init", "--provider", "openrouter", "--model", "z/z-model", "--yes"),
        ("use", "deepseek"),
    ):
        done = tool(*words, DEEPSEEK_API_KEY=KEY, OPENROUTER_API_KEY=f"sk-or-v1-{KEY[3:]}")
        assert {n: tool.env.get(n) for n in OWN} == OWN, done.err
    assert tool("use", "off").code == 0
    assert tool.env == OWN


def test_what_a_row_asked_for_goes_with_the_row(tool: Tool) -> None:
    """Ollama asks for a header to be left out, and DeepSeek does not."""
    assert tool("init", "--provider", "ollama", "--model", "qwen3", "--yes").code == 0
    assert tool.env["CLAUDE_CODE_ATTRIBUTION_HEADER"] == "0"
    assert tool("init", "--provider", "deepseek", "--yes", DEEPSEEK_API_KEY=KEY).code == 0
    assert "CLAUDE_CODE_ATTRIBUTION_HEADER" not in tool.env


def test_the_limits_of_the_same_models_stay(tool: Tool) -> None:
    assert tool("init", "--provider", "deepseek", "--yes", DEEPSEEK_API_KEY=KEY).code == 0
    limits = {
        "CLAUDE_CODE_MAX_CONTEXT_TOKENS": "120000",
        "CLAUDE_CODE_MAX_OUTPUT_TOKENS": "16000",
        "CLAUDE_CODE_AUTO_COMPACT_WINDOW": "100000",
    }
    settings(tool, env={**tool.env, **limits})
    again = ("init", "--provider", "deepseek", "--traffic", "minimal", "--yes")
    assert tool(*again).code == 0
    assert {n: tool.env.get(n) for n in limits} == limits
    assert tool(*again, "--context", "200000").code == 0
    assert tool.env["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == "200000"
    assert tool("init", "--provider", "ollama", "--model", "qwen3", "--yes").code == 0
    assert tool.env.get("CLAUDE_CODE_MAX_OUTPUT_TOKENS") != "16000"


# --- the master key of a gateway that is there -----------------------------------------------

GATEWAY = """\
model_list:
  - model_name: chat
    litellm_params:
      model: hosted_vllm/qwen3
      api_base: http://127.0.0.1:8000/v1
litellm_settings:
  drop_params: true
"""
ADD = (
    "init",
    "--provider",
    "litellm",
    "--upstream",
    "openai:gpt-6-luna",
    "--port",
    "14734",
    "--yes",
)


def added(tool: Tool, general: str, env: str = "", **environ: str) -> tuple[str, dict[str, str]]:
    """litellm_config.yaml and litellm.env after `init` has added a model."""
    (tool.cwd / "litellm_config.yaml").write_text(GATEWAY + general, encoding="utf-8")
    if env:
        (tool.cwd / "litellm.env").write_text(env, encoding="utf-8")
    done = tool(*ADD, OPENAI_API_KEY="sk-proj-0123456789abcdef", **environ)
    assert done.code == 0, done.err
    config = (tool.cwd / "litellm_config.yaml").read_text(encoding="utf-8")
    return config, lines(tool.cwd / "litellm.env")


TEAM = "general_settings:\n  master_key: os.environ/TEAM_KEY\n"


def test_a_master_key_behind_another_name_is_followed(tool: Tool) -> None:
    config, env = added(tool, TEAM, TEAM_KEY="team-0123456789abcdef0123456789")
    assert "master_key: os.environ/TEAM_KEY" in config
    assert env["TEAM_KEY"] == tool.env["ANTHROPIC_AUTH_TOKEN"] == "team-0123456789abcdef0123456789"
    assert "LITELLM_MASTER_KEY" not in {n for n, value in env.items() if value}
    assert tool("use", "off").code == 0
    assert (tool.cwd / "litellm_config.yaml").read_text(encoding="utf-8") == GATEWAY + TEAM


def test_a_weak_or_missing_master_key_is_replaced_where_it_is_named(tool: Tool) -> None:
    config, env = added(tool, TEAM, "TEAM_KEY=sk-1234\n")
    assert "master_key: os.environ/TEAM_KEY" in config
    assert len(env["TEAM_KEY"]) == 51
    assert tool.env["ANTHROPIC_AUTH_TOKEN"] == env["TEAM_KEY"]


def test_a_literal_master_key_moves_and_stays_the_same(tool: Tool) -> None:
    config, env = added(tool, f"general_settings:\n  master_key: {MASTER}\n")
    assert "master_key: os.environ/LITELLM_MASTER_KEY" in config
    assert env["LITELLM_MASTER_KEY"] == tool.env["ANTHROPIC_AUTH_TOKEN"] == MASTER


def test_of_two_master_keys_neither_is_lost(tool: Tool) -> None:
    config, env = added(
        tool, f"general_settings:\n  master_key: {MASTER}\n", f"LITELLM_MASTER_KEY={KEY}\n"
    )
    assert f"master_key: {MASTER}" in config
    assert env["LITELLM_MASTER_KEY"] == KEY
    assert tool.env["ANTHROPIC_AUTH_TOKEN"] == MASTER


def test_the_master_key_of_a_compose_stack_is_used_and_its_env_file_stays(tool: Tool) -> None:
    stack = f"LITELLM_MASTER_KEY={MASTER}\nANTHROPIC_API_KEY={KEY}\n"
    tool.dotenv.write_text(stack, encoding="utf-8")
    _, env = added(tool, "general_settings:\n  master_key: os.environ/LITELLM_MASTER_KEY\n")
    assert env["LITELLM_MASTER_KEY"] == tool.env["ANTHROPIC_AUTH_TOKEN"] == MASTER
    assert tool.dotenv.read_text(encoding="utf-8") == stack


def test_a_placeholder_or_a_weak_literal_is_no_master_key(tool: Tool) -> None:
    _, env = added(tool, "general_settings:\n  master_key: ${LITELLM_MASTER_KEY}\n")
    assert len(env["LITELLM_MASTER_KEY"]) == 51
