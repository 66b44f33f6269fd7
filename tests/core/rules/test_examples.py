"""Every rule has on disk one example that passes and one that fails, with the words beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from haha_config.core import rules
from haha_config.core.mend import mended
from haha_config.core.model import Finding
from haha_config.core.state import State
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
        assert not rules.find(code).mends or folder.name != "fail"
        return
    assert rules.find(code).mends
    after = mended(state, select=[code])
    left = [f for f in findings(after.state, code) if f.fixable]
    assert left == [], words(left)
    again = mended(after.state, select=[code])
    assert again.plan.effective == ()
