"""Which settings files a client takes, from the measured facts."""

from __future__ import annotations

from typing import Any

import pytest

from haha_config.core.state import accepted
from haha_config.core.state.accepted import Accepted
from haha_config.core.state.facts import closest, parse
from haha_config.io import templates

OLD, NEW = "2.1.197", "2.1.332"
BOTH = (OLD, NEW)

#: A file, and the versions that drop it. From the clients themselves, one start each.
FILES: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"cleanupPeriodDays": "30"}, BOTH),
    ({"cleanupPeriodDays": 0}, BOTH),
    ({"cleanupPeriodDays": 30}, ()),
    ({"model": None}, BOTH),
    ({"statusLine": "x"}, BOTH),
    ({"statusLine": {"command": "x"}}, BOTH),
    ({"statusLine": {"type": "command", "command": "x", "zzz": 1}}, ()),
    ({"enabledPlugins": []}, BOTH),
    ({"permissions": []}, BOTH),
    ({"permissions": {"allow": "Bash"}}, BOTH),
    ({"permissions": {"allow": ["no such rule"]}}, ()),
    ({"permissions": {"defaultMode": "manual"}}, (OLD,)),
    ({"env": None}, BOTH),
    ({"env": {"A": {}}}, ()),
    ({"hooks": "off"}, ()),
    ({"hooks": {"NoSuchEvent": 5}}, ()),
    ({"hooks": {"PreToolUse": "x"}}, (NEW,)),
    ({"hooks": {"PreToolUse": [{"matcher": {}, "hooks": []}]}}, BOTH),
    ({"hooks": {"Stop": [{"type": "command", "command": "x"}]}}, (OLD,)),
    ({"hooks": {"Stop": [{"hooks": [{"type": "shell", "command": "x"}]}]}}, (OLD,)),
    ({"hooks": {"Stop": [{"hooks": [{"type": "http", "url": "https://a.b/"}]}]}}, ()),
    ({"modelPicker": []}, ()),
    ({"effortLevel": "extreme"}, ()),
    ({"noSuchKey": 5}, ()),
]


@pytest.fixture(scope="module")
def facts() -> Accepted:
    return parse(templates.text("facts/settings.json"), Accepted)


@pytest.mark.parametrize(("data", "dropped"), FILES, ids=lambda value: str(value)[:60])
def test_a_file_is_dropped_where_it_was_measured(
    facts: Accepted, data: dict[str, Any], dropped: tuple[str, ...]
) -> None:
    assert tuple(v for v in facts.versions if facts.rejected(data, v)) == dropped


@pytest.mark.parametrize(
    ("installed", "answers"),
    [
        ("", NEW),
        ("2.1.100", OLD),
        (OLD, OLD),
        ("2.1.331", OLD),
        (NEW, NEW),
        ("2.2.0", NEW),
    ],
)
def test_the_nearest_older_version_answers(facts: Accepted, installed: str, answers: str) -> None:
    assert closest(installed, facts.versions) == answers


def test_the_place_is_where_the_value_stands(facts: Accepted) -> None:
    data = {"hooks": {"PreToolUse": [{"hooks": []}, {"matcher": 5, "hooks": []}]}}
    (one,) = facts.rejected(data, NEW)
    assert accepted.place_name(one.path) == "hooks.PreToolUse[1].matcher"
