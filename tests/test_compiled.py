"""The table that is read beforehand is the table."""

from __future__ import annotations

import tomllib

from haha_config.core.compiled import stamp
from haha_config.core.providers import table
from haha_config.io import templates


def test_the_compiled_file_is_what_the_toml_files_say() -> None:
    texts = [file.read_text(encoding="utf-8") for file in templates.FOLDER.rglob("*.toml")]
    told = "run `python -m tasks tables`"
    assert templates.compiled() == {stamp(text): tomllib.loads(text) for text in texts}, told


def test_both_ways_to_the_same_rows() -> None:
    texts = list(templates.provider_texts())
    assert table.load(texts, templates.compiled()) == table.load(texts)


def test_a_row_that_was_changed_is_read_anew() -> None:
    key, text, path = next(iter(templates.provider_texts()))
    changed = text.replace("name = ", "name = ''  # ", 1)
    row = table.parse(key, changed, path=path, compiled=templates.compiled())
    assert row.name == ""
