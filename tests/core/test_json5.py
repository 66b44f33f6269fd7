"""JSON5 as people write it in claude-code-router's file."""

from __future__ import annotations

import json

import pytest

from haha_config.core.imports.router import as_json


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{"a": 1}', {"a": 1}),
        ("{a: 'b', // why\n c: [1, 2,],}", {"a": "b", "c": [1, 2]}),
        ('{"url": "https://x.example/a,}", /* {b: 1} */ "s": "it\'s // no comment"}',
         {"url": "https://x.example/a,}", "s": "it's // no comment"}),
        ("{'say': 'a \"word\" and it\\'s', $b: true}", {"say": 'a "word" and it\'s', "$b": True}),
        ('{"a": {b: {c: null,},},\n}', {"a": {"b": {"c": None}}}),
        ("// first\n{\n// second\nname: 'x' /* last */,\n// end\n}", {"name": "x"}),
        ('{"a": "{b: 1, c: 2}"}', {"a": "{b: 1, c: 2}"}),
    ],
)  # fmt: skip
def test_it_reads_as_json(text: str, wanted: object) -> None:
    assert json.loads(as_json(text)) == wanted


@pytest.mark.parametrize("text", ["{a: 0x1F}", "{a: +1}", "{a: }", "{'a: 1}"])
def test_what_json_has_no_word_for_is_refused(text: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(as_json(text))
