"""The page of rules is fresh, and every pain has an answer that exists."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

from haha_config.core import rules
from haha_config.core.rules import sources
from haha_config.io import templates
from haha_config.io.i18n import english

ROOT = Path(__file__).parents[3]


def test_rules_page_is_fresh() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "_generate" / "rules.py", "--check"], check=False
    )
    assert done.returncode == 0, "run python docs/_generate/rules.py"


def test_every_rule_has_a_dated_source() -> None:
    known = sources.parse(templates.text("facts/sources.toml"))
    assert set(known.rules) == set(rules.codes())
    assert {name for names in known.rules.values() for name in names} == set(known.source)
    for code in rules.codes():
        assert known.of(code), code
    for name, source in known.source.items():
        assert bool(source.measured) != bool(source.page), name
        assert source.date <= date.today(), name
        assert not source.test or (ROOT / source.test).is_file(), name


def test_a_source_says_the_versions_that_its_test_runs() -> None:
    """A part that is pinned anew is measured anew, and its date is the facts'."""
    parts = tomllib.loads((ROOT / "tests" / "e2e" / "parts.toml").read_text(encoding="utf-8"))
    pinned = {
        "Claude Code": {parts["client"]["oldest"], parts["client"]["newest"]},
        "LiteLLM": {parts["litellm"]["version"]},
        "Bun": {parts["bun"]["version"]},
        "python-dotenv": {parts["python-dotenv"]["version"]},
    }
    known = sources.parse(templates.text("facts/sources.toml"))
    for name, source in known.source.items():
        for program, versions in pinned.items():
            said = re.search(rf"{program} ([\d.]+\d)(?: and ([\d.]+\d))?", source.measured)
            if said and source.test:
                assert set(filter(None, said.groups())) <= versions, name


def test_explain_gives_the_sources() -> None:
    source = sources.parse(templates.text("facts/sources.toml")).of("URL002")[0]
    assert english(source.told) == "measured with Claude Code 2.1.197 and 2.1.332, 2026-11-25"


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
        for words in (rule.title, rule.why, *([rule.how] if rule.how else [])):
            assert not re.search(r"please|oops|invalid", words.text, re.IGNORECASE), words.text
        assert not rule.title.text.endswith(".")
        assert rule.why.text.endswith(".")
        assert rule.how is None or rule.how.text.endswith(".")
