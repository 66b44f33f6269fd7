"""`show NAME`: one variable, from which layer, and where one that is not set was looked for."""

from __future__ import annotations

import json

import pytest

from tests.cli.tool import Tool

LOCAL = {"env": {"ANTHROPIC_MODEL": "near"}}
USER = {"env": {"ANTHROPIC_MODEL": "far", "ANTHROPIC_BASE_URL": "http://localhost:11434"}}


@pytest.fixture
def layered(tool: Tool) -> Tool:
    for folder, data in ((tool.home, USER), (tool.cwd, LOCAL)):
        (folder / ".claude").mkdir()
        name = "settings.json" if folder == tool.home else "settings.local.json"
        (folder / ".claude" / name).write_text(json.dumps(data))
    return tool


def test_a_named_variable_comes_alone(layered: Tool) -> None:
    done = layered("show", "ANTHROPIC_MODEL", ANTHROPIC_MODEL="shells")
    assert done.code == 0
    assert done.out == (
        "ANTHROPIC_MODEL  near\n"
        "  local settings (.claude/settings.local.json:1:29)\n"
        "  hides far from user settings (~/.claude/settings.json:1:29)\n"
        "  hides shells from your shell\n"
    )


def test_several_names_in_the_order_they_were_asked_for(layered: Tool) -> None:
    done = layered("show", "anthropic_base_url", "ANTHROPIC_MODEL", "--format", "json")
    assert [(one["name"], one["value"]) for one in done.json["variables"]] == [
        ("ANTHROPIC_BASE_URL", "http://localhost:11434"),
        ("ANTHROPIC_MODEL", "near"),
    ]


def test_one_that_is_not_set_says_where_it_was_looked_for(layered: Tool) -> None:
    (layered.cwd / ".env").write_text("ANTHROPIC_DEFAULT_HAIKU_MODEL=small\n")
    done = layered("show", "ANTHROPIC_DEFAULT_HAIKU_MODEL", "--client", "claude")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[:2] == ["ANTHROPIC_DEFAULT_HAIKU_MODEL is not set", "  looked in:"]
    assert "    user settings (~/.claude/settings.json)" in lines
    assert "    your shell" in lines
    assert lines[-1] == ("  not read by this client: small in .env:1:31; only claude-haha reads it")
    done = layered("show", "API_TIMEOUT_MS", "--format", "json")
    assert done.json["variables"] == [
        {
            "name": "API_TIMEOUT_MS",
            "value": None,
            "layer": None,
            "path": None,
            "line": None,
            "shadows": [],
        }
    ]


def test_a_slip_of_the_pen_is_told(layered: Tool) -> None:
    done = layered("show", "ANTROPIC_MODEL")
    assert (done.code, done.out) == (2, "")
    assert "did you mean `ANTHROPIC_MODEL`?" in done.err


def test_a_secret_stays_one(layered: Tool) -> None:
    key = "sk-test-0123456789abcdef"
    for words in ((), ("--format", "json")):
        done = layered("show", "ANTHROPIC_AUTH_TOKEN", *words, ANTHROPIC_AUTH_TOKEN=key)
        assert "****cdef" in done.out
        assert key not in done.out + done.err


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("haha-config key deepseek", "haha-config key deepseek"),
        ("echo sk-test-0123456789abcdef", "a command of yours"),
    ],
)
def test_the_program_that_gives_the_key_is_named(tool: Tool, command: str, shown: str) -> None:
    tool.settings.parent.mkdir()
    tool.settings.write_text(json.dumps({"apiKeyHelper": command}), encoding="utf-8")
    out = tool("show").out
    assert f"user settings, ~/.claude/settings.json\n  apiKeyHelper  {shown}\n" in out
    assert "sk-test" not in out
    out = tool("show", "--long").out
    assert f"apiKeyHelper  {shown}\n  user settings (~/.claude/settings.json:1:18)" in out
    assert "sk-test" not in out


def test_one_line_for_each_differences_first_and_marked(layered: Tool) -> None:
    token = {"ANTHROPIC_AUTH_TOKEN": "sk-test-0123456789abcdef"}
    settings = {"env": {**USER["env"], **token, "API_TIMEOUT_MS": "1"}}
    layered.settings.write_text(json.dumps(settings))
    (layered.cwd / ".env").write_text("API_TIMEOUT_MS=1\nANTHROPIC_MODEL=far\n")
    done = layered("show", "--client", "haha", DISABLE_TELEMETRY="1")
    assert done.out.split("\n", 1)[1] == (
        "  model       near\n"
        "  credential  authorization: Bearer ****cdef (ANTHROPIC_AUTH_TOKEN)\n"
        "\n"
        "! ANTHROPIC_MODEL       near (local settings), hides far (user settings, .env)\n"
        "user settings, ~/.claude/settings.json\n"
        "  ANTHROPIC_BASE_URL    http://localhost:11434\n"
        "  ANTHROPIC_AUTH_TOKEN  ****cdef\n"
        "user settings, ~/.claude/settings.json (same in .env)\n"
        "  API_TIMEOUT_MS        1\n"
        "your shell\n"
        "  DISABLE_TELEMETRY     1\n"
    )


def test_the_long_form_has_the_place_of_each(layered: Tool) -> None:
    out = layered("show", "--long").out
    assert (
        "ANTHROPIC_MODEL     near\n"
        "  local settings (.claude/settings.local.json:1:29)\n"
        "  hides far from user settings (~/.claude/settings.json:1:29)\n"
    ) in out


def test_a_line_for_a_prompt_is_one_line(layered: Tool) -> None:
    elsewhere = layered.home / "elsewhere"
    elsewhere.mkdir()
    made = layered("init", "--provider", "ollama", "--model", "qwen3-coder", "--yes")
    assert made.code == 0, made.err
    done = Tool(layered.home, elsewhere)("show", "--short")
    assert (done.out, done.err) == ("qwen3-coder @ localhost:11434\n", "")
