"""A template is the whole text of a new file; `init` writes it filled in, for every row."""

from __future__ import annotations

import json
import re

import pytest

from haha_config.core import variables as v
from haha_config.core.change.template import begun
from haha_config.core.model import Set
from haha_config.core.state.file import File
from haha_config.io import templates
from tests.core.rules.example import provider_table
from tests.core.test_false_alarms import drafts, empty, written

TEMPLATES = {
    "dotenv": "env.template",
    "litellm_env": "litellm.env.template",
    "litellm": "litellm_config.template.yaml",
}
SETTINGS = json.loads(templates.text("settings.template.json"))

WRITTEN = [
    pytest.param(
        written(empty("haha", "new"), wanted),
        id=f"{row.key}-{route}-{region}-{number}",
    )
    for row in provider_table().values()
    if not row.multi
    for route in row.routes
    for region in row.regions
    for number, wanted in enumerate(drafts(row, route, region))
]


def names(text: str) -> list[str]:
    return re.findall(r"^\s*([A-Za-z_]\w*)\s*[:=]", text, re.MULTILINE)


def comments(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.lstrip().startswith("#")]


@pytest.mark.parametrize("state", WRITTEN)
def test_what_init_writes_is_the_template_filled_in(state) -> None:  # type: ignore[no-untyped-def]
    files: dict[str, File] = {name: getattr(state, name) for name in TEMPLATES}
    for name, file in files.items():
        if not file.exists:
            continue
        template = templates.text(TEMPLATES[name])
        known = names(template)
        if name == "litellm":
            assert [n for n in names(file.text) if n in known] == [
                n for n in known if n in names(file.text)
            ]
        else:
            # Every variable has its place, in the template's order and nowhere else.
            assert names(file.text) == [n for n in known if n in file.data]
        assert set(comments(file.text)) <= set(comments(template))
        # No comment stands over nothing.
        parts = file.text.rstrip("\n").split("\n\n")
        assert all(names(part) for part in parts[1:])
    env = state.settings["user"].data["env"]
    assert list(env) == [n for n in SETTINGS["env"] if n in env]


@pytest.mark.parametrize(
    ("kind", "template", "wanted", "made"),
    [
        ("dotenv", "# a\n\n# b\nX=\nY=\n\n# c\nZ=\n", "Y", "# a\n\n# b\nY=\n"),
        ("dotenv", "# a\n", "Y", "# a\n"),
        (
            "yaml",
            "# a\n\ntop:\n  # x\n  x:\n  # y\n  y:\n\nother:\n  z:\n",
            "top.y",
            "# a\n\ntop:\n  # y\n  y:\n",
        ),
        ("json", '{\n  "env": {\n    "X": "",\n    "Y": ""\n  }\n}\n', "env.Y", None),
    ],
)
def test_what_is_not_wanted_is_dropped_with_its_comment(
    kind: str, template: str, wanted: str, made: str | None
) -> None:
    text = begun(kind, template, [Set(tuple(wanted.split(".")), "v")])  # type: ignore[arg-type]
    assert text == (made or '{\n  "env": {\n    "Y": ""\n  }\n}\n')


def test_every_variable_of_ours_has_its_place() -> None:
    replaced = {"ANTHROPIC_SMALL_FAST_MODEL"}  # it is only ever taken out
    assert set(names(templates.text("env.template"))) >= set(v.OWNED) - replaced
    assert set(SETTINGS["env"]) >= set(v.OWNED) - replaced
    keys = {row.credential.variable for row in provider_table().values() if row.upstream} - {""}
    needed = {
        row.credential.variable
        for row in provider_table().values()
        if row.upstream and row.upstream.key
    }
    assert set(names(templates.text("litellm.env.template"))) >= keys & needed
