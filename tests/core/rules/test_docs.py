"""The page of rules is fresh, and every pain has an answer that exists."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from haha_config.core import rules

ROOT = Path(__file__).parents[3]


def test_rules_page_is_fresh() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "_generate" / "rules.py", "--check"], check=False
    )
    assert done.returncode == 0, "run python docs/_generate/rules.py"


def test_every_pain_has_an_answer() -> None:
    text = (ROOT / "docs" / "pains.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:-1] for line in text.splitlines() if re.match(r"\| \d+ \|", line)]
    assert [int(row[0]) for row in rows] == list(range(1, 37))
    known = set(rules.codes())
    for number, _, diagnosed, written, probed in rows:
        assert diagnosed.strip() or written.strip() or probed.strip(), number
        named = set(re.findall(r"[A-Z]{3}\d{3}", diagnosed))
        assert named <= known, number


def test_every_rule_has_a_name_of_its_own_that_is_taken_like_its_code() -> None:
    names = [rule.name for rule in rules.every()]
    assert len(set(names)) == len(names)
    for rule in rules.every():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)
        assert rules.find(rule.name) is rules.find(rules.code_of(rule)) is rule
    assert rules.chosen(["drop-params"], []) == [rules.find("LLM003")]


def test_every_rule_reads_well() -> None:
    for rule in rules.every():
        assert re.fullmatch(r"[A-Z]{3}\d{3}", rules.code_of(rule))
        for words in (rule.title, rule.why, rule.how):
            assert not re.search(r"please|oops|invalid", words.text, re.IGNORECASE), words.text
        assert not rule.title.text.endswith(".")
        assert rule.why.text.endswith(".")
        assert rule.how.text.endswith(".")
