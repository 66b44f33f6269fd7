"""What a person is shown of a plan: `old → new` on one line, and equal models once."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from haha_config.core.change.preview import lines, rows
from haha_config.core.model import SLOTS, Change, Data, Remove, Set, Write
from haha_config.io.i18n import english

ALL = dict.fromkeys(SLOTS.values(), "a")


def shown(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    names = dict.fromkeys((*before, *after))
    changes: tuple[Change, ...] = tuple(
        Set(("env", name), after[name]) if name in after else Remove(("env", name))
        for name in names
    )
    write = Write(
        path="settings.json",
        format="json",
        before=json.dumps(before).encode(),
        after=json.dumps(after).encode(),
        changes=changes,
    )
    found = rows(lines(write, {"env": before}, {"env": after}))
    return [f"{row.sign} {english(row.text)}" for row in found]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (ALL, dict.fromkeys(ALL, "b"), ["~ all models: a → b"]),
        ({}, ALL, ["+ all models: a"]),
        (
            ALL,
            {**dict.fromkeys(ALL, "b"), SLOTS["haiku"]: "c", SLOTS["subagent"]: "c"},
            ["~ models main, opus, sonnet, fable: a → b", "~ models haiku, subagent: a → c"],
        ),
        # One slot alone is named as it stands in the file.
        (ALL, {**ALL, SLOTS["haiku"]: "c"}, [f'~ env.{SLOTS["haiku"]}: "a" → "c"']),
        (
            {"API_TIMEOUT_MS": "1", "DISABLE_TELEMETRY": "1"},
            {"API_TIMEOUT_MS": "2"},
            ['~ env.API_TIMEOUT_MS: "1" → "2"', '- env.DISABLE_TELEMETRY: "1"'],
        ),
        # A key is masked on both sides of the arrow.
        (
            {"ANTHROPIC_AUTH_TOKEN": "sk-0123456789abcdef"},
            {"ANTHROPIC_AUTH_TOKEN": "sk-fedcba9876543210"},
            ['~ env.ANTHROPIC_AUTH_TOKEN: "****cdef" → "****3210"'],
        ),
    ],
)
def test_rows(before: dict[str, str], after: dict[str, str], said: list[str]) -> None:
    assert shown(before, after) == said


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            {},
            {"permissions": {"disableAutoMode": "disable"}},
            ["+ permissions.disableAutoMode: disable"],
        ),
        (
            {"modelPicker": {"options": [{"model": "a", "label": "A"}]}},
            {"modelPicker": {"options": [{"model": "a"}, {"model": "b"}]}},
            ["~ modelPicker.options: a → a, b"],
        ),
        # Whoever else wrote there: what is no menu may be anything.
        (
            {"modelPicker": {"options": [{"key": "sk-0123456789abcdef"}]}},
            {"modelPicker": {"options": []}},
            ["~ modelPicker.options: **** → "],
        ),
        ({}, {"apiKeyHelper": "echo sk-0123456789abcdef"}, ["+ apiKeyHelper: ****cdef"]),
    ],
)
def test_what_stands_beside_env(before: Data, after: Data, said: list[str]) -> None:
    write = Write(
        path="settings.json",
        format="json",
        before=json.dumps(before).encode(),
        after=json.dumps(after).encode(),
        changes=tuple(Set((name,), value) for name, value in after.items()),
    )
    found = rows(lines(write, before, after))
    assert [f"{row.sign} {english(row.text)}" for row in found] == said


def test_an_entry_and_the_table_that_it_leaves_empty_are_one_line() -> None:
    before = {"permissions": {"disableAutoMode": "disable"}}
    changes = (Remove(("permissions", "disableAutoMode")), Remove(("permissions",)))
    write = Write(path="settings.json", format="json", before=b"", after=b"", changes=changes)
    found = [f"{row.sign} {english(row.text)}" for row in rows(lines(write, before, {}))]
    assert found == ["- permissions.disableAutoMode: disable"]
