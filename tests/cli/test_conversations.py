"""What `use` and `switch-model` say of a conversation that is to go on: only where it can't."""

from __future__ import annotations

import pytest

from tests.cli.tool import Tool

KEYS = {
    "DEEPSEEK_API_KEY": "sk-test-0123456789abcdef",
    "MINIMAX_API_KEY": "test-minimax-0123456789",
}
REFUSES = "may refuse a conversation in which another model used tools"


@pytest.fixture
def two(tool: Tool) -> Tool:
    keyed = Tool(tool.home, tool.cwd, KEYS)
    for name in ("minimax", "deepseek"):
        done = keyed("init", "--provider", name, "--yes", "--write", "settings")
        assert done.code == 0, done.err
    return keyed


def test_use_says_it_where_thinking_has_to_come_back(two: Tool) -> None:
    done = two("use", "minimax")
    assert (done.code, REFUSES in done.err) == (0, False)
    done = two("use", "deepseek")
    assert f"DeepSeek {REFUSES}" in done.err
    assert "go back (haha-config use -) and run /compact first" in done.err
    # Nothing changes, nothing is said; nor is it before anything is written.
    assert REFUSES not in two("use", "deepseek").err
    two("use", "minimax")
    assert REFUSES not in two("use", "deepseek", "--dry-run").err


def test_use_says_it_in_json(two: Tool) -> None:
    two("use", "minimax")
    done = two("use", "deepseek", "--format", "json")
    assert any(REFUSES in line for line in done.json["next"])


def test_switch_model_says_it_of_another_model_of_the_same_service(two: Tool) -> None:
    done = two("switch-model", "deepseek-v4-pro")
    assert f"DeepSeek {REFUSES}" in done.err
    assert "go back (haha-config switch-model 'deepseek-flash[1m]')" in done.err
    two("switch-model", "deepseek-flash")
    assert REFUSES not in two("switch-model", "deepseek-flash[1m]").err


def test_behind_a_gateway_the_service_of_the_model_counts(tool: Tool) -> None:
    named = ("--upstream", "m=minimax:MiniMax-M3", "--upstream", "d=deepseek:deepseek-flash")
    keyed = Tool(tool.home, tool.cwd, KEYS)
    done = keyed("init", "--provider", "litellm", *named, "--yes")
    assert done.code == 0, done.err
    done = keyed("switch-model", "d")
    assert f"DeepSeek {REFUSES}" in done.err
    assert "go back (haha-config switch-model m)" in done.err
    assert REFUSES not in keyed("switch-model", "m").err
