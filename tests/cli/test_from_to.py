"""`switch-model`, `use` and `undo --list` say from which model to which, once and alike."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pytest

from haha_config.core.model import SLOTS, Slot
from haha_config.io.i18n import english
from haha_config.workflow.switch import moved
from tests.cli.tool import Tool

KEYS = {"DEEPSEEK_API_KEY": "sk-test-0123456789abcdef", "OPENAI_API_KEY": "sk-proj-0123456789ab"}
A: dict[Slot, str] = dict.fromkeys(SLOTS, "a")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (A, A, None),
        (A, dict.fromkeys(SLOTS, "b"), "a → b (all models)"),
        ({}, A, "none → a (all models)"),
        (A, {}, "a → none (all models)"),
        (A, {**A, "haiku": "b"}, "a → b (haiku)"),
        (A, {**A, "haiku": "b", "main": "c"}, "a → c (main); a → b (haiku)"),
        ({**A, "main": "a[1m]"}, dict.fromkeys(SLOTS, "b"), "a → b (all models)"),
        ({**A, "main": "x"}, dict.fromkeys(SLOTS, "b"), "x, a → b (all models)"),
        (dict.fromkeys(SLOTS, "b"), {**A, "main": "a[1m]"}, "b → a (all models)"),
        (dict.fromkeys(SLOTS, "b[1m]"), A, "b[1m] → a (all models)"),
        (A, {**A, "main": "a[1m]"}, "a → a[1m] (main)"),
    ],
)
def test_one_wording(
    before: Mapping[Slot, str], after: Mapping[Slot, str], said: str | None
) -> None:
    move = moved(before, after)
    assert (move and english(move)) == said


@pytest.fixture
def two(tool: Tool) -> Tool:
    keyed = Tool(tool.home, tool.cwd, KEYS)
    upstreams = "--upstream openai:gpt-6.1-sol --upstream openai:gpt-4o"
    for words in (f"litellm --port 4917 {upstreams}", "deepseek"):
        done = keyed("init", "--provider", *words.split(), "--yes")
        assert done.code == 0, done.err
    return keyed


def test_all_three_say_it(two: Tool) -> None:
    assert two("use", "litellm").out == (
        "`litellm` is in use: deepseek-flash → gpt-6.1-sol (all models), 922K, tools\n"
    )
    assert two("switch-model", "gpt-4o").out == "gpt-6.1-sol → gpt-4o (all models), 128K, tools\n"
    listed = two("undo", "--list").out.splitlines()
    assert [re.split(r"  +", line)[-1] for line in listed] == [
        "gpt-6.1-sol → gpt-4o (all models), 128K, tools",
        "deepseek-flash → gpt-6.1-sol (all models), 922K, tools",
        "gpt-6.1-sol → deepseek-flash (all models), 1M, tools",
        "none → gpt-6.1-sol (all models), 922K, tools",
    ]
    rows = two.home / ".config" / "haha-config" / "providers"
    rows.mkdir(parents=True)
    (rows / "mine.toml").write_text("broken =")
    done = two("undo", "--list")
    assert done.code == 0, done.err
    assert done.out.splitlines()[0].endswith("gpt-6.1-sol → gpt-4o (all models)")


def local(tool: Tool, **variables: str) -> str:
    path = tool.cwd / ".claude" / "settings.local.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"env": variables}))
    return path.read_text()


def test_a_project_that_wins_is_said_first_and_the_file_is_switched_whole(two: Tool) -> None:
    text = local(two, ANTHROPIC_MODEL="near")
    done = two("switch-model", "deepseek-v4-pro", "--all")
    assert done.code == 0
    first = done.err.splitlines()[0]
    assert first == (
        ".claude/settings.local.json sets ANTHROPIC_MODEL and wins in this folder; to change it"
        " there: haha-config switch-model deepseek-v4-pro --scope local"
    )
    assert {two.env[name] for name in SLOTS.values()} == {"deepseek-v4-pro"}
    # Of what the stronger file holds nothing is taken for what this one holds.
    assert two("switch-model", "deepseek-flash").code == 0
    assert {two.env[name] for name in SLOTS.values()} == {"deepseek-flash"}
    assert (two.cwd / ".claude" / "settings.local.json").read_text() == text
    # The command that was said does it.
    assert two(*first.split("haha-config ")[1].split()).code == 0
    shown = two("show", "ANTHROPIC_MODEL", "--format", "json").json["variables"]
    assert shown[0]["value"] == "deepseek-v4-pro"


def test_with_use_too_and_in_json(two: Tool) -> None:
    local(two, ANTHROPIC_BASE_URL="http://127.0.0.1:9", ANTHROPIC_AUTH_TOKEN="local")
    done = two("use", "litellm")
    assert done.err.splitlines()[0] == (
        ".claude/settings.local.json sets ANTHROPIC_BASE_URL and wins in this folder; to change it"
        " there: haha-config use litellm --here"
    )
    done = two("switch-model", "gpt-4o", "--format", "json")
    assert done.code == 0, done.err
    local(two, ANTHROPIC_MODEL="near")
    done = two("switch-model", "gpt-6.1-sol", "--format", "json")
    assert any("wins in this folder" in line for line in done.json["next"])


def test_a_file_that_already_says_so_is_no_reason_for_a_word(two: Tool) -> None:
    local(two, ANTHROPIC_MODEL="deepseek-v4-pro")
    assert "wins" not in two("switch-model", "deepseek-v4-pro").err


def test_the_hint_for_a_model_of_the_project_mends_it_there(two: Tool) -> None:
    assert two("use", "litellm").code == 0
    local(two, ANTHROPIC_MODEL="nosuch")
    found = two("validate", "--select", "MOD001", "--format", "json").json["findings"]
    (hint,) = {one["hint"] for one in found}
    assert hint.endswith(" --scope local")
    assert two(*hint.split()[1:]).code == 0
    assert two("validate", "--select", "MOD001").code == 0
