"""Every rule has on disk one example that passes and one that fails, with the words beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from haha_config.core import rules
from haha_config.core.model import Finding
from haha_config.core.rules.fix import fixed
from haha_config.core.state.state import State
from tests.core.rules.example import EXAMPLES, load, words

CODES = rules.codes()
CASES = sorted(
    folder for code in CODES for folder in (EXAMPLES / code).glob("*") if folder.is_dir()
)
FAILING = [folder for folder in CASES if folder.name.startswith("fail")]
PASSING = [folder for folder in CASES if folder.name.startswith("pass")]


def name(folder: Path) -> str:
    return f"{folder.parent.name}-{folder.name}"


def findings(state: State, code: str) -> list[Finding]:
    return rules.run(state, select=[code])


@pytest.mark.parametrize("code", CODES)
def test_every_rule_has_examples(code: str) -> None:
    assert (EXAMPLES / code / "pass").is_dir()
    assert (EXAMPLES / code / "fail" / "expected.txt").is_file()


def test_every_example_has_a_rule() -> None:
    assert {folder.name for folder in EXAMPLES.iterdir()} == set(CODES)


@pytest.mark.parametrize("folder", FAILING, ids=name)
def test_fail(folder: Path) -> None:
    expected = (folder / "expected.txt").read_text(encoding="utf-8")
    assert words(findings(load(folder), folder.parent.name)) == expected
    assert expected


@pytest.mark.parametrize("folder", PASSING, ids=name)
def test_pass(folder: Path) -> None:
    state = load(folder)
    rule = rules.find(folder.parent.name)
    assert rules.Run(state).problems(rule) == (), "the rule must be able to tell, and find nothing"


@pytest.mark.parametrize("folder", FAILING, ids=name)
def test_fix(folder: Path) -> None:
    code = folder.parent.name
    state = load(folder)
    mendable = [f for f in findings(state, code) if f.fixable]
    if not mendable:
        assert not rules.find(code).fixable or folder.name != "fail"
        return
    assert rules.find(code).fixable
    after = fixed(state, select=[code])
    left = [f for f in findings(after.state, code) if f.fixable]
    assert left == [], words(left)
    again = fixed(after.state, select=[code])
    assert again.plan.effective == ()


def test_what_env_and_settings_say_is_made_one_without_what_can_not_work() -> None:
    """settings.json wins, but no mend copies what another rule calls an error."""
    folder = EXAMPLES / "ENV003"
    after = fixed(load(folder / "fail-not-offered")).state
    assert after.slots["main"] == "gpt-6.1-sol"
    assert after.dotenv.data["ANTHROPIC_MODEL"] == "gpt-6.1-sol"
    # Neither name is offered: both stay as they are, and a person chooses.
    assert after.slots["haiku"] == "gpt-6.1-soll"
    assert after.dotenv.data["ANTHROPIC_DEFAULT_HAIKU_MODEL"] == "gpt-6-luna"
    # What may still work is not overruled.
    retired = fixed(load(folder / "fail-retired")).state
    assert retired.slots["main"] == "deepseek-chat"
    assert retired.dotenv.data["ANTHROPIC_MODEL"] == "deepseek-flash"
    address = fixed(load(folder / "fail-url")).state
    assert rules.run(address, select=["ENV003", "URL", "KEY"]) == []


def test_a_key_is_not_mended_into_what_a_project_shares() -> None:
    state = load(EXAMPLES / "ENV003" / "fail-url")
    shared = replace(state, scope="project", settings={"project": state.settings["user"]})
    after = fixed(shared).state
    assert after.target.data["env"]["ANTHROPIC_AUTH_TOKEN"] == "<your key>"
