"""What `init` writes beside `env`, how it moves, and how it goes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.tool import Done, Tool

KEY = "sk-test-0123456789abcdef0123456789abcdef"
LOGIN = "sk-ant-test-of-a-console-login-0123456789"
DEEPSEEK = ("init", "--provider", "deepseek", "--yes")
BASE = "ANTHROPIC_BASE_URL"
HEADERS = "ANTHROPIC_CUSTOM_HEADERS"
SERVER = "CLAUDE_CODE_AUTO_MODE_SERVER"
ASKS = {"disableAutoMode": "disable"}
ALLOW = {"allow": ["Bash(ls)"]}
AUTO = {"defaultMode": "auto"}


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    for name in ("home", "work"):
        (tmp_path / name).mkdir(exist_ok=True)
    keys = {"DEEPSEEK_API_KEY": KEY, "A2O_AUTH_TOKEN": KEY, "CUSTOM_ANTHROPIC_API_KEY": KEY}
    return Tool(home=tmp_path / "home", cwd=tmp_path / "work", environ=keys)


def settings(tool: Tool) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(tool.settings.read_text(encoding="utf-8"))
    return found


def write(tool: Tool, data: dict[str, Any]) -> None:
    tool.settings.parent.mkdir(exist_ok=True)
    tool.settings.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def succeeded(done: Done) -> Done:
    assert done.code == 0, done.out + done.err
    return done


def codes(tool: Tool, severity: str) -> set[str]:
    done = tool("validate", "--format", "json", "--ignore", "SYS")
    return {f["code"] for f in done.json["findings"] if f["severity"] == severity}


def log_in(tool: Tool) -> None:
    text = json.dumps({"primaryApiKey": LOGIN, "hasCompletedOnboarding": True})
    (tool.home / ".claude.json").write_text(text, encoding="utf-8")


def test_the_client_is_made_to_ask_and_validate_is_content(tool: Tool) -> None:
    succeeded(tool(*DEEPSEEK))
    assert settings(tool)["permissions"] == {"disableAutoMode": "disable"}
    assert "SET009" not in codes(tool, "warning") | codes(tool, "note")


@pytest.mark.parametrize(
    ("before", "mode", "permissions", "server"),
    [
        ({}, "ask", {"disableAutoMode": "disable"}, None),
        ({}, "auto", None, "0"),
        ({}, "keep", None, None),
        (ALLOW, "ask", {**ALLOW, **ASKS}, None),
        (ALLOW, "auto", ALLOW, "0"),
        ({"defaultMode": "plan"}, "", {"defaultMode": "plan", "disableAutoMode": "disable"}, None),
        (AUTO, "", AUTO, None),
        (AUTO, "ask", {**AUTO, **ASKS}, None),
        ({"disableAutoMode": "disable"}, "keep", {"disableAutoMode": "disable"}, None),
    ],
)  # fmt: skip
def test_who_decides_on_a_command(
    tool: Tool,
    before: dict[str, Any],
    mode: str,
    permissions: dict[str, Any] | None,
    server: str | None,
) -> None:
    if before:
        write(tool, {"permissions": before})
    words = ["--permissions", mode] if mode else []
    done = succeeded(tool(*DEEPSEEK, *words))
    assert settings(tool).get("permissions") == permissions
    assert tool.env.get(SERVER) == server
    assert ("defaultMode` is auto" in done.err) == (before == {"defaultMode": "auto"} and not mode)
    # A second run changes nothing of what was chosen, and `use off` leaves what was before.
    succeeded(tool(*DEEPSEEK))
    assert settings(tool).get("permissions") == permissions
    assert tool.env.get(SERVER) == server
    succeeded(tool("use", "off"))
    left = settings(tool) if tool.settings.exists() else {}
    assert left == ({"permissions": before} if before else {})


def test_one_mode_follows_the_other(tool: Tool) -> None:
    for mode in ("ask", "auto", "ask", "keep"):
        succeeded(tool(*DEEPSEEK, "--permissions", mode))
        assert ("permissions" in settings(tool)) == (mode == "ask")
        assert tool.env.get(SERVER) == ("0" if mode == "auto" else None)
    assert "SET009" in codes(tool, "note")
    assert "SET009" not in codes(tool, "warning")


def test_what_the_person_changes_since_is_theirs(tool: Tool) -> None:
    succeeded(tool(*DEEPSEEK))
    changed = settings(tool)
    changed["permissions"] = {"allow": ["Bash(ls)"], "disableAutoMode": "disable"}
    changed["theme"] = "dark"
    write(tool, changed)
    succeeded(tool("undo", "--purge", "--yes"))
    succeeded(tool("use", "off"))
    assert settings(tool) == {"permissions": {"allow": ["Bash(ls)"]}, "theme": "dark"}


def test_undo_takes_back_what_stands_beside_env_and_that_it_is_ours(tool: Tool) -> None:
    write(tool, {"theme": "dark"})
    succeeded(tool(*DEEPSEEK))
    listed = tool("undo", "--list").out
    assert "owned.json" not in listed
    changed = {**settings(tool), "theme": "light"}
    write(tool, changed)
    succeeded(tool("undo", "--yes"))
    assert settings(tool) == {"theme": "light"}
    write(tool, {"permissions": {"disableAutoMode": "disable"}})
    succeeded(tool("use", "off"))
    assert settings(tool) == {"permissions": {"disableAutoMode": "disable"}}


def test_a_hand_written_set_up_is_warned_of_and_mended(tool: Tool) -> None:
    env = {BASE: "https://api.deepseek.com/anthropic", "ANTHROPIC_AUTH_TOKEN": KEY}
    write(tool, {"env": {**env, "ANTHROPIC_API_KEY": "", "ANTHROPIC_MODEL": "deepseek-flash"}})
    assert "SET009" in codes(tool, "warning")
    tool("validate", "--fix", "--yes")
    assert settings(tool)["permissions"] == {"disableAutoMode": "disable"}
    assert "SET009" not in codes(tool, "warning")


def test_it_moves_with_a_profile(tool: Tool) -> None:
    succeeded(tool(*DEEPSEEK, "--permissions", "auto"))
    words = ("--provider", "custom-anthropic", "--base-url", "https://x.example", "--model", "m")
    succeeded(tool("init", *words, "--permissions", "ask", "--yes"))
    assert (settings(tool)["permissions"], tool.env.get(SERVER)) == (
        {"disableAutoMode": "disable"},
        None,
    )
    succeeded(tool("use", "deepseek"))
    assert ("permissions" in settings(tool), tool.env[SERVER]) == (False, "0")
    succeeded(tool("use", "custom-anthropic"))
    assert ("permissions" in settings(tool), tool.env.get(SERVER)) == (True, None)


# --- the second credential ---------------------------------------------------------------------


def test_a_login_key_does_not_go_along(tool: Tool) -> None:
    log_in(tool)
    before = (tool.home / ".claude.json").read_bytes()
    done = succeeded(tool(*DEEPSEEK))
    assert tool.env[HEADERS] == f"x-api-key: {KEY}"
    assert "KEY010" not in codes(tool, "error")
    assert KEY not in done.out + done.err
    assert (tool.home / ".claude.json").read_bytes() == before
    shown = tool("show")
    assert KEY not in shown.out
    assert LOGIN not in shown.out
    succeeded(tool("use", "off"))
    assert not tool.settings.exists()


def test_without_one_no_header_is_written_and_a_later_one_is_an_error(tool: Tool) -> None:
    succeeded(tool(*DEEPSEEK))
    assert HEADERS not in tool.env
    log_in(tool)
    assert "KEY010" in codes(tool, "error")
    tool("validate", "--fix", "--yes")
    assert tool.env[HEADERS] == f"x-api-key: {KEY}"
    assert "KEY010" not in codes(tool, "error")
    (tool.home / ".claude.json").unlink()
    succeeded(tool(*DEEPSEEK))
    assert HEADERS not in tool.env


def test_the_persons_own_headers_stay(tool: Tool) -> None:
    log_in(tool)
    write(tool, {"env": {HEADERS: "X-Team: blue\nX-Trace: 1"}})
    succeeded(tool(*DEEPSEEK))
    assert tool.env[HEADERS] == f"X-Team: blue\nX-Trace: 1\nx-api-key: {KEY}"
    changed = settings(tool)
    changed["env"][HEADERS] += "\nX-New: 2"
    write(tool, changed)
    succeeded(tool("use", "off"))
    assert settings(tool) == {"env": {HEADERS: "X-Team: blue\nX-Trace: 1\nX-New: 2"}}


def test_a_foreign_helper_is_covered_too(tool: Tool) -> None:
    write(tool, {"apiKeyHelper": "/usr/bin/print-key"})
    succeeded(tool(*DEEPSEEK))
    assert tool.env[HEADERS] == f"x-api-key: {KEY}"
    assert settings(tool)["apiKeyHelper"] == "/usr/bin/print-key"


def test_one_set_ups_header_never_goes_to_another(tool: Tool) -> None:
    """The local set-up is stronger than the user's, and the user's header is about another key."""
    log_in(tool)
    succeeded(tool(*DEEPSEEK))
    (tool.home / ".claude.json").unlink()
    other = "sk-test-of-the-project-0123456789abcdef"
    words = ("--provider", "custom-anthropic", "--base-url", "https://x.example", "--model", "m")
    done = tool("init", *words, "--scope", "local", "--yes", CUSTOM_ANTHROPIC_API_KEY=other)
    succeeded(done)
    local = json.loads((tool.cwd / ".claude" / "settings.local.json").read_text(encoding="utf-8"))
    assert local["env"][HEADERS] == f"x-api-key: {other}"


def test_a_row_that_takes_both_headers_asks_nothing_at_the_first_start(tool: Tool) -> None:
    succeeded(tool("init", "--provider", "a2o", "--model", "m", "--yes"))
    env = tool.env
    assert (env["ANTHROPIC_AUTH_TOKEN"], env["ANTHROPIC_API_KEY"]) == (KEY, "")
    assert env[HEADERS] == f"x-api-key: {KEY}"
    assert codes(tool, "error") == set()
    assert not codes(tool, "note") & {"KEY006", "KEY011"}


def test_a_key_that_goes_in_one_header_only_is_announced(tool: Tool) -> None:
    kimi = "sk-kimi-0123456789abcdef0123456789abcdef"
    done = tool("init", "--provider", "kimi", "--yes", MOONSHOT_API_KEY=kimi)
    succeeded(done)
    assert tool.env["ANTHROPIC_API_KEY"] == kimi
    assert "choose Yes" in done.out + done.err


def test_show_knows_every_header_and_setting(tool: Tool) -> None:
    log_in(tool)
    write(tool, {"env": {HEADERS: "X-Team: a-secret-of-the-team"}})
    succeeded(tool(*DEEPSEEK))
    data = tool("show", "--format", "json").json
    assert {(h["name"], h["value"], h["source"]) for h in data["headers"]} == {
        ("authorization", "Bearer ****cdef", "ANTHROPIC_AUTH_TOKEN"),
        ("X-Team", "****team", HEADERS),
        ("x-api-key", "****cdef", HEADERS),
    }
    (asks,) = [s for s in data["settings"] if s["name"] == "permissions.disableAutoMode"]
    assert (asks["value"], asks["layer"], asks["ours"]) == ("disable", "user", True)
    assert asks["line"]
    shown = tool("show").out
    assert "a-secret" not in shown
    assert "permissions.disableAutoMode" in shown


def test_show_says_that_a_second_credential_goes_along(tool: Tool) -> None:
    succeeded(tool(*DEEPSEEK))
    log_in(tool)
    sent = {h["name"]: h["source"] for h in tool("show", "--format", "json").json["headers"]}
    assert sent == {"authorization": "ANTHROPIC_AUTH_TOKEN", "x-api-key": "primaryApiKey"}


# --- the menu of /model ------------------------------------------------------------------------


def menu(tool: Tool) -> list[str]:
    found = settings(tool).get("modelPicker", {}).get("options", [])
    return [one["model"] for one in found]


def test_the_menu_lists_what_is_reached_and_moves_along(tool: Tool) -> None:
    ups = (
        "--upstream",
        "deep=deepseek:deepseek-flash",
        "--upstream",
        "own=custom-openai:m@https://x.example/v1",
    )
    succeeded(tool("init", "--provider", "litellm", *ups, "--yes", CUSTOM_OPENAI_API_KEY=KEY))
    assert menu(tool) == ["deep", "own"]
    assert settings(tool)["modelPicker"]["replaceBuiltInOptions"] is True
    succeeded(tool("switch-model", "own"))
    assert menu(tool) == ["deep", "own"]
    succeeded(tool("init", "--provider", "litellm", "--drop", "own", "--yes"))
    assert menu(tool) == ["deep"]
    words = ("--provider", "custom-anthropic", "--base-url", "https://x.example", "--model", "a")
    succeeded(tool("init", *words, "--slot", "haiku=b", "--yes"))
    assert menu(tool) == ["a", "b"]
    succeeded(tool("switch-model", "c", "--unlisted"))
    assert menu(tool) == ["c", "b"]
    succeeded(tool("use", "litellm"))
    assert menu(tool) == ["deep"]
    succeeded(tool("use", "off"))
    assert not tool.settings.exists()


def test_a_menu_of_the_persons_own_stays(tool: Tool) -> None:
    own = {"options": [{"model": "mine", "label": "Mine"}]}
    write(tool, {"modelPicker": own})
    succeeded(tool(*DEEPSEEK))
    succeeded(tool("switch-model", "stranger", "--unlisted"))
    assert settings(tool)["modelPicker"] == own
    succeeded(tool("use", "off"))
    assert settings(tool) == {"modelPicker": own}


def test_the_window_fits_every_model_of_the_menu(tool: Tool) -> None:
    succeeded(tool("init", "--provider", "kimi", "--yes", MOONSHOT_API_KEY="sk-" + "0" * 40))
    assert {"kimi-k3", "kimi-k2.6"} <= set(menu(tool))
    assert tool.env["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == "262144"
    succeeded(tool("switch-model", "kimi-k2.6"))
    succeeded(tool("switch-model", "kimi-k3"))
    assert tool.env["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == "262144"
