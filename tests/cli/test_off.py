"""Taking ours out, or back: what a person had written by hand returns, and none is lost."""

from __future__ import annotations

import sys

import pytest

from tests.cli.tool import Tool

KEY = "sk-0123456789abcdef0123456789abcdef"
#: An endpoint of one's own, in nobody's format.
HAND = """{
  "env" : {
    "ANTHROPIC_BASE_URL": "https://hand.example/anthropic",
    "ANTHROPIC_AUTH_TOKEN": "sk-hand-0123456789abcdef",
    "ANTHROPIC_MODEL":  "hand-model"
  }
}"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the folders there differ")


@pytest.fixture
def by_hand(tool: Tool) -> Tool:
    tool.settings.parent.mkdir()
    tool.settings.write_text(HAND, encoding="utf-8")
    return tool


def done(tool: Tool, *words: str) -> None:
    ended = tool(*words, "--yes", DEEPSEEK_API_KEY=KEY)
    assert ended.code == 0, ended.err


def held(tool: Tool) -> str:
    return tool.settings.read_text(encoding="utf-8")


def test_an_endpoint_by_hand_comes_back(by_hand: Tool) -> None:
    done(by_hand, "init", "--provider", "deepseek")
    assert by_hand.env["ANTHROPIC_MODEL"] != "hand-model"
    done(by_hand, "use", "off")
    assert held(by_hand) == HAND


def test_it_comes_back_after_more_writes_than_the_journal_keeps(by_hand: Tool) -> None:
    done(by_hand, "init", "--provider", "deepseek")
    for number in range(21):
        done(by_hand, "switch-model", ("deepseek-v4-pro", "deepseek-flash")[number % 2])
    done(by_hand, "use", "off")
    assert held(by_hand) == HAND


def test_its_values_come_back_into_a_file_that_another_program_changed(by_hand: Tool) -> None:
    done(by_hand, "init", "--provider", "deepseek")
    by_hand.settings.write_text(held(by_hand).replace("{", '{\n  "theme": "dark",', 1))
    done(by_hand, "use", "off")
    assert '"theme": "dark"' in held(by_hand)
    assert by_hand.env == {
        "ANTHROPIC_BASE_URL": "https://hand.example/anthropic",
        "ANTHROPIC_AUTH_TOKEN": "sk-hand-0123456789abcdef",
        "ANTHROPIC_MODEL": "hand-model",
    }


@pytest.mark.parametrize("text", ["{}", '{"env": {}}\n', HAND])
@pytest.mark.parametrize("away", [("use", "off"), ("undo",)])
def test_a_file_that_came_after_ours_had_gone(tool: Tool, away: tuple[str, ...], text: str) -> None:
    done(tool, "init", "--provider", "deepseek")
    done(tool, *away)
    assert not tool.settings.exists()
    tool.settings.parent.mkdir(exist_ok=True)
    tool.settings.write_text(text, encoding="utf-8")
    done(tool, "init", "--provider", "deepseek")
    done(tool, "use", "off")
    assert held(tool) == text


def test_off_undone_and_off_again(by_hand: Tool) -> None:
    done(by_hand, "init", "--provider", "deepseek")
    ours = held(by_hand)
    done(by_hand, "use", "off")
    done(by_hand, "undo")
    assert held(by_hand) == ours
    done(by_hand, "use", "off")
    assert held(by_hand) == HAND


def test_a_forgotten_journal_takes_out_what_is_ours_and_deletes_nothing(by_hand: Tool) -> None:
    done(by_hand, "init", "--provider", "deepseek")
    done(by_hand, "undo", "--purge")
    done(by_hand, "use", "off")
    assert held(by_hand).split() == ["{}"]


def test_a_value_that_json_lacks_is_taken_back(tool: Tool) -> None:
    config = tool.cwd / "litellm_config.yaml"
    text = "litellm_settings:\n  drop_params: 2026-01-01\n  other: 1\n"
    config.write_text(text, encoding="utf-8")
    tool("validate", "--fix", "--yes")
    assert "drop_params: true" in config.read_text(encoding="utf-8")
    with config.open("a", encoding="utf-8") as file:
        file.write("# by another program\n")
    assert "Undid" in tool("undo", "--yes").out
    assert config.read_text(encoding="utf-8") == text + "# by another program\n"


def test_a_profile_that_is_a_link_is_not_removed_nor_what_it_points_to(tool: Tool) -> None:
    precious = tool.home / "precious"
    precious.write_text("keep\n", encoding="utf-8")
    link = tool.home / ".config" / "haha-config" / "profiles" / "evil.toml"
    link.parent.mkdir(parents=True)
    link.symlink_to(precious)
    removed = tool("profile", "remove", "evil", "--yes")
    assert removed.code == 1
    assert "this is a link" in removed.err
    assert precious.read_text(encoding="utf-8") == "keep\n"
    assert link.is_symlink()
