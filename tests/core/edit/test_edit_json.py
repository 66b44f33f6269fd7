"""JSON: before, changes, after. Every row is also read back and made twice."""

from __future__ import annotations

import json

import pytest

from haha_config.core.edit import json_text
from haha_config.core.edit.text import changed, same
from haha_config.core.errors import Refusal
from haha_config.core.model import Change, Item, Oddity, Place, Remove, Set
from haha_config.io.i18n import english

A = Set(("env", "A"), "1")

EDITS: list[tuple[str, list[Change], str]] = [
    # nothing there yet
    ("", [A], '{\n  "env": {\n    "A": "1"\n  }\n}\n'),
    (" \n\n", [A], '{\n  "env": {\n    "A": "1"\n  }\n}\n'),
    ("\ufeff\r\n", [A], '\ufeff{\r\n  "env": {\r\n    "A": "1"\r\n  }\r\n}\r\n'),
    ("{}", [A], '{\n  "env": {\n    "A": "1"\n  }\n}'),
    ("{ }\n", [A], '{\n  "env": {\n    "A": "1"\n  }\n}\n'),
    ("{\r\n}\r\n", [A], '{\r\n  "env": {\r\n    "A": "1"\r\n  }\r\n}\r\n'),
    # one line stays one line
    ('{"a": 1}', [A], '{"a": 1, "env": {"A": "1"}}'),
    ('{"a":1,"b":2}\n', [Set(("c",), 3)], '{"a":1,"b":2,"c":3}\n'),
    ('{ "a": 1 }', [Set(("b",), 2)], '{ "a": 1, "b": 2 }'),
    ('{"env": {}}', [A], '{"env": {"A": "1"}}'),
    # the indent that is there
    ('{\n\t"a": 1\n}', [A], '{\n\t"a": 1,\n\t"env": {\n\t\t"A": "1"\n\t}\n}'),
    ('{\n    "a": 1\n}\n', [A], '{\n    "a": 1,\n    "env": {\n        "A": "1"\n    }\n}\n'),
    (
        '{\r\n  "env": {\r\n    "B": "2"\r\n  }\r\n}\r\n',
        [A],
        '{\r\n  "env": {\r\n    "B": "2",\r\n    "A": "1"\r\n  }\r\n}\r\n',
    ),
    ('{\n "env": {\n  "B": "2"}}', [A], '{\n "env": {\n  "B": "2",\n  "A": "1"}}'),
    ('{\n  "env": {"B": "2"}\n}', [A], '{\n  "env": {"B": "2", "A": "1"}\n}'),
    ('{\n  "env": {}\n}', [A], '{\n  "env": {\n    "A": "1"\n  }\n}'),
    (
        '{\n  "a": 1,\n\n  "b": 2\n}',
        [Set(("c",), 3)],
        '{\n  "a": 1,\n\n  "b": 2,\n  "c": 3\n}',
    ),
    ('{\n  "a" : 1\n}', [Set(("b",), 2)], '{\n  "a" : 1,\n  "b" : 2\n}'),
    # one that is there
    ('{"env": {"A": "0"}}', [A], '{"env": {"A": "1"}}'),
    ('{"env": {"A": "1"}}', [A], '{"env": {"A": "1"}}'),
    ('{"env": {"A": "\\u0031"}}', [A], '{"env": {"A": "\\u0031"}}'),
    ('{"env":{"A":1}}', [A], '{"env":{"A":"1"}}'),
    ('\ufeff{"env": {"A": "0"}}', [A], '\ufeff{"env": {"A": "1"}}'),
    ('{"a": true}', [Set(("a",), 1)], '{"a": 1}'),
    ('{"a": 1.0}', [Set(("a",), 1)], '{"a": 1}'),
    ('{"a": {"b": [1]}}', [Set(("a",), {"b": [1]})], '{"a": {"b": [1]}}'),
    ('{"\\u0061": 1}', [Set(("a",), 2)], '{"\\u0061": 2}'),
    ('{"a": 1}', [Set(("a",), "é😀\u2028")], '{"a": "é😀\u2028"}'),
    ('{"é": "ü", "a": 1}', [Set(("a",), 2)], '{"é": "ü", "a": 2}'),
    ('{"a": 1}', [Set(("a",), {"x": [1, {"y": None}]})], '{"a": {"x": [1, {"y": null}]}}'),
    (
        '{\n  "a": {}\n}',
        [Set(("a",), {"x": [1]})],
        '{\n  "a": {\n    "x": [\n      1\n    ]\n  }\n}',
    ),
    # what only looks like ours
    ('{"b": {"env": {"A": "0"}}}', [A], '{"b": {"env": {"A": "0"}}, "env": {"A": "1"}}'),
    ('{"b": "\\"env\\": {}"}', [A], '{"b": "\\"env\\": {}", "env": {"A": "1"}}'),
    # taken out
    ('{"a": 1, "b": 2, "c": 3}', [Remove(("a",))], '{ "b": 2, "c": 3}'),
    ('{"a": 1, "b": 2, "c": 3}', [Remove(("b",))], '{"a": 1, "c": 3}'),
    ('{"a": 1, "b": 2, "c": 3}', [Remove(("c",))], '{"a": 1, "b": 2}'),
    ('{\n  "a": 1,\n  "b": 2\n}\n', [Remove(("a",))], '{\n  "b": 2\n}\n'),
    ('{\n  "a": 1,\n  "b": 2\n}\n', [Remove(("b",))], '{\n  "a": 1\n}\n'),
    ('{\n  "a": 1\n}\n', [Remove(("a",))], "{}\n"),
    ('{\n  "env": {\n    "A": "1"\n  }\n}', [Remove(("env", "A"))], '{\n  "env": {}\n}'),
    ('{"a": 1}', [Remove(("b",))], '{"a": 1}'),
    ('{"a": 1}', [Remove(("a", "b"))], '{"a": 1}'),
    ('{"a": 1}', [Set(("b",), 2), Remove(("b",))], '{"a": 1}'),
    # several at once
    (
        '{"a": 1}',
        [A, Set(("env", "B"), "2"), Remove(("a",)), Set(("env", "A"), "3")],
        '{ "env": {"A": "3", "B": "2"}}',
    ),
    # a duplicate elsewhere is none of our business
    ('{"b": {"x": 1, "x": 2}, "a": 1}', [Set(("a",), 2)], '{"b": {"x": 1, "x": 2}, "a": 2}'),
]


def _plain(text: str) -> object:
    body = text.removeprefix("\ufeff")
    return json.loads(body) if body.strip() else {}


@pytest.mark.parametrize(("before", "changes", "after"), EDITS)
def test_edit(before: str, changes: list[Change], after: str) -> None:
    assert json_text.edit(before, changes) == after
    assert same(_plain(after), changed(_plain(before), changes))
    assert json_text.edit(before, []) == before
    if len(changes) == 1:
        assert json_text.edit(after, changes) == after


@pytest.mark.parametrize(
    ("text", "what", "line", "column"),
    [
        ('{\n  // note\n  "a": 1\n}', "a comment", 2, 3),
        ('{"a": 1 /* note */}', "a comment", 1, 9),
        ('{"a": 1}\n# note\n', "a comment", 2, 1),
        ('{\n  "a": 1,\n}', "a comma with nothing after it", 2, 9),
        ("[1,]", "a comma with nothing after it", 1, 3),
        ('{"a": NaN}', "`NaN` is not JSON", 1, 7),
        ('{"a": [-Infinity]}', "`-Infinity` is not JSON", 1, 8),
        ("[]", "must hold an object", 1, 1),
        ('"text"', "must hold an object", 1, 1),
        ('{"env": []}', "`env` must be an object", 1, 9),
        ('{"env": "A=1"}', "`env` must be an object", 1, 9),
        ('{"a": "\\ud800"}', "half a character", 1, 8),
        ('{"a" 1}', "a colon is missing", 1, 6),
        ('{"a": 1 "b": 2}', "a comma is missing", 1, 9),
        ('{"a": 1', "ends too early", 1, 8),
        ('{"a": 1}}', "more text after", 1, 9),
        ("{'a': 1}", "double quotes only", 1, 2),
        ("{a: 1}", "not JSON", 1, 2),
        ("{1: 1}", "a name in double quotes", 1, 2),
        ('{"a": 01}', "not JSON", 1, 7),
        ('{"a": "x\ny"}', "a line end or control character", 1, 9),
        ('{"a": "x}', "unclosed", 1, 7),
        ('{"a": "\\x"}', "a backslash", 1, 8),
        ('{"a": [1}', "`}` does not belong", 1, 9),
        ('\ufeff{"é": 1,}', "a comma", 1, 8),
        ("[" * 100_000, "nested too deeply", 1, 502),
        ('{"a": ' * 5_000, "nested too deeply", 1, 3002),
    ],
)
def test_not_read(text: str, what: str, line: int, column: int) -> None:
    for use in (json_text.read, lambda text: json_text.edit(text, [A])):
        with pytest.raises(Refusal) as caught:
            use(text)
        assert what in english(caught.value.what)
        assert caught.value.place == Place(line=line, column=column)


@pytest.mark.parametrize(
    ("text", "change", "line", "column"),
    [
        ('{"a": 1, "a": 2}', Set(("b",), 1), 1, 10),
        ('{"env": {"B": "1",\n "B": "2"}}', Set(("b",), 1), 2, 2),
        ('{"x": {"a": 1, "a": 2}}', Set(("x", "b"), 1), 1, 16),
        ('{"x": {"y": {"a": 1, "a": 2}}}', Set(("x", "y", "a"), 1), 1, 22),
        ('{"x": {"y": {"a": 1, "a": 2}}}', Set(("x",), 1), 1, 22),
        ('{"x": 1}', Set(("x", "y"), 1), 1, 7),
        ('{"x": null}', Set(("x", "y"), 1), 1, 7),
        ('{"x": [1]}', Set(("x", 0), 1), 1, 8),
        ('{"x": [1]}', Set(("x", Item("a", "b")), {"a": "b"}), 1, 7),
        ('{"x": 1}', Set(("x",), float("nan")), 1, 7),
        ('{"x": 1}', Set(("x",), "\ud800"), 1, 7),
        ('{"x": 1}', Set(("x",), object()), 1, 7),
    ],
)
def test_refused(text: str, change: Change, line: int, column: int) -> None:
    with pytest.raises(Refusal) as caught:
        json_text.edit(text, [change])
    assert caught.value.place == Place(line=line, column=column)
    assert caught.value.hints


def test_oddities() -> None:
    text = '\ufeff{"a": {"x": 1, "x": 2},\n "env": {"A": 1, "B": "2", "C": null}}'
    assert [
        (o.kind, o.place.line, o.place.column, o.name) for o in json_text.read(text).oddities
    ] == [
        ("bom", 1, 1, ""),
        ("duplicate", 1, 16, "a.x"),
        ("non-string", 2, 15, "A"),
        ("non-string", 2, 33, "C"),
    ]
    assert json_text.read('{"env": {"A": "1"}}').oddities == ()
    assert isinstance(json_text.read('{"a": 1, "a": 2}').oddities[0], Oddity)


def test_places() -> None:
    document = json_text.read('{\r\n  "env": {"é": [1, {"x": 2}]}\r\n}')
    assert document.place(()) == Place(line=1, column=1)
    assert document.key_place(("env",)) == Place(line=2, column=3)
    assert document.place(("env", "é")) == Place(line=2, column=16)
    assert document.place(("env", "é", 1, "x")) == Place(line=2, column=26)
    assert document.key_place(("env", "é", 1, "x")) == Place(line=2, column=21)
    assert document.place(("env", "é", 2)) is None
    assert document.place(("env", "a")) is None


def test_a_five_megabyte_file() -> None:
    """Large, and still only the touched bytes change."""
    rows = {f"row {n}": {"text": "ü" * 20, "list": [n, {"A": "0"}]} for n in range(33_000)}
    before = json.dumps({"rows": rows, "env": {"A": "0"}}, indent=2, ensure_ascii=False)
    assert len(before.encode()) > 5_000_000
    head, _, tail = before.rpartition('"A": "0"')
    assert json_text.edit(before, [A]) == f'{head}"A": "1"{tail}'
