"""YAML: before, changes, after. Every row is read back by LiteLLM's loader and made twice."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
import yaml

from haha_config.core.edit import yaml_document, yaml_text
from haha_config.core.edit.text import changed, same
from haha_config.core.errors import Refusal
from haha_config.core.model import Change, Item, Place, Remove, Set
from haha_config.io.i18n import english

X = ("list", Item("name", "x"))
NEW = Set(("list", Item("name", "new")), {"name": "new", "v": {"k": "os.environ/K"}})
DROP = Set(("settings", "drop"), True)

EDITS: list[tuple[str, list[Change], str]] = [
    # nothing there yet
    ("", [DROP], "settings:\n  drop: true\n"),
    ("# only\n", [DROP], "# only\nsettings:\n  drop: true\n"),
    ("# only", [DROP], "# only\nsettings:\n  drop: true"),
    ("---\n", [DROP], "---\nsettings:\n  drop: true\n"),
    ("\ufeff", [DROP], "\ufeffsettings:\n  drop: true\n"),
    ("", [NEW], "list:\n  - name: new\n    v:\n      k: os.environ/K\n"),
    ("{}\n", [DROP], "settings:\n  drop: true\n"),
    # one more name
    ("a: 1\n", [DROP], "a: 1\nsettings:\n  drop: true\n"),
    ("a: 1", [DROP], "a: 1\nsettings:\n  drop: true"),
    ("a: 1\r\n", [DROP], "a: 1\r\nsettings:\r\n  drop: true\r\n"),
    ("a: 1 # one\n# end\n", [Set(("b",), 2)], "a: 1 # one\nb: 2\n# end\n"),
    ("a: 1\n...\n", [Set(("b",), 2)], "a: 1\nb: 2\n...\n"),
    ("settings:\n  a: 1\nz: 1\n", [DROP], "settings:\n  a: 1\n  drop: true\nz: 1\n"),
    ("settings:\n    a: 1\n", [DROP], "settings:\n    a: 1\n    drop: true\n"),
    ("x:\n    a: 1\n", [DROP], "x:\n    a: 1\nsettings:\n    drop: true\n"),
    (
        "settings:\n  a: 1\n  # off\n  # b: 2\n",
        [DROP],
        "settings:\n  a: 1\n  drop: true\n  # off\n  # b: 2\n",
    ),
    (
        "settings:\n  a:\n    b:\n      c: 1\n",
        [DROP],
        "settings:\n  a:\n    b:\n      c: 1\n  drop: true\n",
    ),
    ("settings:\n", [DROP], "settings:\n  drop: true\n"),
    ("settings:\n", [Set(("b",), 2), DROP], "settings:\n  drop: true\nb: 2\n"),
    ("settings:", [Set(("b",), 2), DROP], "settings:\n  drop: true\nb: 2"),
    (
        "a:\nsettings:\n\n# end\n",
        [Set(("a", "x"), 1), Set(("b",), 2), DROP],
        "a:\n  x: 1\nsettings:\n  drop: true\nb: 2\n\n# end\n",
    ),
    ("settings: # none\nz: 1\n", [DROP], "settings: # none\n  drop: true\nz: 1\n"),
    ("settings: ~ # none\n", [DROP], "settings: # none\n  drop: true\n"),
    ("settings: {}\nz: 1\n", [DROP], "settings:\n  drop: true\nz: 1\n"),
    ("settings: {a: 1}\n", [DROP], "settings: {a: 1, drop: true}\n"),
    ("settings: {a: 1, }\n", [DROP], "settings: {a: 1, drop: true, }\n"),
    ('{"settings": {"a": 1}}', [DROP], '{"settings": {"a": 1, "drop": true}}'),
    (
        '{\n  "settings": {\n    "a": 1\n  }\n}\n',
        [DROP],
        '{\n  "settings": {\n    "a": 1,\n    "drop": true\n  }\n}\n',
    ),
    ("a: |\n  text\n\n# end\n", [Set(("b",), 2)], "a: |\n  text\n\nb: 2\n# end\n"),
    ("a: |+\n  text\n\nz: 1\n", [Set(("b",), 2)], "a: |+\n  text\n\nz: 1\nb: 2\n"),
    ("a: &x 1\nb: *x\n", [Set(("c",), 3)], "a: &x 1\nb: *x\nc: 3\n"),
    (
        "a: &x 1\nb:\n  c: *x # same\nz: 0\n",
        [Set(("b", "d"), 3)],
        "a: &x 1\nb:\n  c: *x # same\n  d: 3\nz: 0\n",
    ),
    # one that is there
    ("a: 1\n", [Set(("a",), 2)], "a: 2\n"),
    ("a: 1 # one\n", [Set(("a",), "two")], "a: two # one\n"),
    ("a:   1\n", [Set(("a",), 1)], "a:   1\n"),
    ("a: yes\n", [Set(("a",), True)], "a: yes\n"),
    ("a: no # why\n", [Set(("a",), True)], "a: true # why\n"),
    ("a: 'x'\n", [Set(("a",), "y")], "a: 'y'\n"),
    ('a: "x"\n', [Set(("a",), "y")], 'a: "y"\n'),
    ("a: x\n", [Set(("a",), "yes")], "a: 'yes'\n"),
    ("a: x\n", [Set(("a",), "1:30")], "a: '1:30'\n"),
    ("a: x\n", [Set(("a",), "")], "a: ''\n"),
    ("a: x\n", [Set(("a",), "http://127.0.0.1:4000")], "a: http://127.0.0.1:4000\n"),
    ("a: x\n", [Set(("a",), "a: b # c")], "a: 'a: b # c'\n"),
    ("a: x\n", [Set(("a",), "it's")], 'a: "it\'s"\n'),
    ("a: x\n", [Set(("a",), "one\ntwo\t\x7f")], 'a: "one\\ntwo\\t\\x7f"\n'),
    ("a: x\n", [Set(("a",), "é😀")], "a: 'é😀'\n"),
    ("a: x\n", [Set(("a",), 1e20)], "a: 1.0e+20\n"),
    ("a: x\n", [Set(("a",), None)], "a: null\n"),
    ("a:\nb: 1\n", [Set(("a",), "x")], "a: x\nb: 1\n"),
    ("a: # none\n", [Set(("a",), "x")], "a: x # none\n"),
    ("a: |\n  one\n  two\n\nb: 1\n", [Set(("a",), "x")], "a: x\n\nb: 1\n"),
    ("a: >-\n  one\n", [Set(("a",), "x")], "a: x\n"),
    ("a:\n  b: 1\n", [Set(("a",), 2)], "a: 2\n"),
    ("a: 1 # one\nz: 1\n", [Set(("a",), {"b": 2})], "a: # one\n  b: 2\nz: 1\n"),
    ("a:\n- 1\n- 2\nb: 3\n", [Set(("a",), [4])], "a:\n- 4\nb: 3\n"),
    ("a: [1, 2]\n", [Set(("a", 0), 3)], "a: [3, 2]\n"),
    ("a: !!str 5\n", [Set(("a",), "5")], "a: !!str 5\n"),
    ("\ufeffa: 1\r\n", [Set(("a",), 2)], "\ufeffa: 2\r\n"),
    ("a: 1 #\ttab\n", [Set(("a",), 2)], "a: 2 #\ttab\n"),
    ("? a\n: 1\n", [Set(("a",), 2)], "? a\n: 2\n"),
    # lists of named entries
    (
        "list:\n  - name: x\n# end\n",
        [NEW],
        "list:\n  - name: x\n  - name: new\n    v:\n      k: os.environ/K\n# end\n",
    ),
    ("list:\n- name: x\n", [NEW], "list:\n- name: x\n- name: new\n  v:\n    k: os.environ/K\n"),
    (
        "list:\n  -   name: x\n      v:\n          k: 1\n",
        [NEW],
        "list:\n  -   name: x\n      v:\n          k: 1\n"
        "  -   name: new\n      v:\n          k: os.environ/K\n",
    ),
    (
        "list:\n  - name: x\n\n  - name: y\n",
        [NEW],
        "list:\n  - name: x\n\n  - name: y\n\n  - name: new\n    v:\n      k: os.environ/K\n",
    ),
    (
        "list:\n  - {name: x}\n",
        [NEW],
        "list:\n  - {name: x}\n  - {name: new, v: {k: os.environ/K}}\n",
    ),
    ("list: [{name: x}]\n", [NEW], "list: [{name: x}, {name: new, v: {k: os.environ/K}}]\n"),
    ("list: []\n", [NEW], "list:\n  - name: new\n    v:\n      k: os.environ/K\n"),
    ("list: # none\n", [NEW], "list: # none\n  - name: new\n    v:\n      k: os.environ/K\n"),
    (
        "list:\n  - name: x # why\n    v: {k: 1}\n  - name: y\n",
        [Set((*X, "v", "k"), 2)],
        "list:\n  - name: x # why\n    v: {k: 2}\n  - name: y\n",
    ),
    (
        "list:\n  - name: x # why\n    v: 1 # one\n    # about z\n    z: 1\n",
        [Set(X, {"name": "x", "v": 2, "w": 3})],
        "list:\n  - name: x # why\n    v: 2 # one\n    # about z\n    w: 3\n",
    ),
    ("list:\n- name: x\n- name: y\n", [Set((*X, "v"), 1)], "list:\n- name: x\n  v: 1\n- name: y\n"),
    ("list:\n- 1\n- name: x\n", [Set((*X, "v"), 1)], "list:\n- 1\n- name: x\n  v: 1\n"),
    ("list:\n", [Set((*X, "v"), 1)], "list:\n  - name: x\n    v: 1\n"),
    # taken out
    ("a: 1\nb: 2\n", [Remove(("a",))], "b: 2\n"),
    ("a: 1\nb: 2", [Remove(("b",))], "a: 1"),
    ("a: 1\r\nb: 2", [Remove(("b",))], "a: 1"),
    ("# a\na: 1 # one\n# b\nb: 2\n", [Remove(("a",))], "# a\n# b\nb: 2\n"),
    ("a: 1\n", [Remove(("a",))], ""),
    ("a:\n  b: 1\nc: 2\n", [Remove(("a", "b"))], "a: {}\nc: 2\n"),
    ("a:\n  b: 1\n  c: 2\n", [Remove(("a", "b"))], "a:\n  c: 2\n"),
    ("a: |\n  text\n\nb: 2\n", [Remove(("a",))], "\nb: 2\n"),
    ("a: {b: 1, c: 2}\n", [Remove(("a", "b"))], "a: {c: 2}\n"),
    ("a: {b: 1, c: 2}\n", [Remove(("a", "c"))], "a: {b: 1}\n"),
    ("a: {b: 1}\n", [Remove(("a", "b"))], "a: {}\n"),
    ("list:\n  - name: x\n    v: 1\n  - name: y\n", [Remove(X)], "list:\n  - name: y\n"),
    (
        "list:\n  - name: y\n  - name: x\n    v: 1\n# end\n",
        [Remove(X)],
        "list:\n  - name: y\n# end\n",
    ),
    ("list:\n  - name: x\n", [Remove(X)], "list: []\n"),
    ("list:\n  - name: x\n    d: |\n      text\nz: 1\n", [Remove(X)], "list: []\nz: 1\n"),
    ("list:\n- name: x\n- name: y\n- name: x\n", [Remove(X)], "list:\n- name: y\n"),
    ("list:\n- name: x\n  v: 1\n", [Remove((*X, "v"))], "list:\n- name: x\n"),
    ("list:\n- v: 1\n  name: x\n", [Remove((*X, "v"))], "list:\n- name: x\n"),
    (
        "list:\n- v: 1 # one\n  # n\n  name: x\n",
        [Remove((*X, "v"))],
        "list:\n- \n  # n\n  name: x\n",
    ),
    ("a: 1\n", [Remove(("b", "c"))], "a: 1\n"),
    # several at once
    (
        "list:\n- name: x\n",
        [NEW, DROP, Set(("settings", "more"), 1), Set((*X, "v"), 1), Remove(("none",))],
        "list:\n- name: x\n  v: 1\n- name: new\n  v:\n    k: os.environ/K\n"
        "settings:\n  drop: true\n  more: 1\n",
    ),
    ("a: 1\nb: 2\n", [Remove(("a",)), Remove(("b",)), Set(("c",), 3)], "c: 3\n"),
    ("a: 1\n", [Set(("b",), 2), Remove(("b",))], "a: 1\n"),
    (
        "list:\n- name: x\n",
        [Remove(X), NEW],
        "list:\n  - name: new\n    v:\n      k: os.environ/K\n",
    ),
]


@pytest.mark.parametrize(("before", "changes", "after"), EDITS)
def test_edit(before: str, changes: list[Change], after: str) -> None:
    assert yaml_text.edit(before, changes) == after
    assert same(yaml.safe_load(after) or {}, changed(yaml.safe_load(before) or {}, changes))
    assert yaml_text.edit(before, []) == before
    if len(changes) == 1:
        assert yaml_text.edit(after, changes) == after


@pytest.mark.parametrize(
    ("text", "what", "line", "column"),
    [
        ("a: 1\n\tb: 2\n", "a tab", 2, 1),
        ("a:\tb\n", "a tab", 1, 3),
        ("a: 1\n---\nb: 2\n", "another document", 2, 1),
        ("- a\n", "must hold a mapping", 1, 1),
        ("text", "must hold a mapping", 1, 1),
        ("a: !env B\n", "could not determine a constructor", 1, 4),
        ("a: *x\n", "undefined alias", 1, 4),
        ("a: &x [*x]\n", "inside its own anchor", 1, 4),
        ("a: [1\n", "expected", 2, 1),
        ("a: 'open\n", "unexpected end", 2, 1),
        ("a: 1\x01\n", "U+0001", 1, 5),
        ("a: 2024-13-45\n", "cannot read", 1, 4),
        ("? [a]\n: 1\n", "unhashable", 1, 3),
        ("a: " + "[" * 100_000, "nested too deeply", 1, 1),
        ("- " * 50_000, "nested too deeply", 1, 1),
    ],
)
def test_not_read(text: str, what: str, line: int, column: int) -> None:
    for use in (yaml_text.read, lambda text: yaml_text.edit(text, [DROP])):
        with pytest.raises(Refusal) as caught:
            use(text)
        assert what in english(caught.value.what)
        assert caught.value.place == Place(line=line, column=column)


def test_aliases_that_unfold_beyond_reason() -> None:
    rows = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
    with pytest.raises(Refusal):
        yaml_text.read("a0: &a0 lol\n" + rows)


@pytest.mark.parametrize(
    ("text", "change", "what", "line", "column"),
    [
        ("a: &x {b: 1}\nc: *x\n", Set(("c", "b"), 2), "alias", 2, 1),
        ("a: &x {b: 1}\nc: *x\n", Set(("a", "b"), 2), "alias", 1, 1),
        ("a: &x 1\nc: *x\n", Set(("a",), 2), "alias", 1, 1),
        ("a: &x 1\nc: *x\n", Set(("c",), 2), "alias", 2, 1),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", Set(("c", "b"), 2), "merge key", 2, 1),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", Remove(("c", "b")), "merge key", 2, 1),
        ("a: 1\na: 2\n", Set(("a",), 3), "twice", 2, 1),
        ("a: 1\n", Set(("a", "b"), 3), "must be a mapping", 1, 1),
        ("a: 1\n", Set(("a", Item("n", "x")), {"n": "x"}), "must be a list", 1, 1),
        ("a: [1]\n", Set(("a", 3), 2), "not there", 1, 1),
        ("list:\n- name: x\n", Set((*X, "name"), "y"), "keep its name", 2, 3),
        ("list:\n- name: x\n", Set(X, {"v": 1}), "keep its name", 2, 3),
        ("a: |\n  x", Set(("b",), 1), "safely", 1, 1),
        ("a: 1\n", Set(("a",), object()), "safely", 1, 1),
        ("a: 1\n", Set(("a",), "\ud800"), "safely", 1, 1),
        ("a: 1\n", Set(("a",), {1: 2}), "safely", 1, 1),
        ("a: {b: 1, # why\n  c: 2}\n", Remove(("a", "b")), "safely", 1, 5),
    ],
)
def test_refused(text: str, change: Change, what: str, line: int, column: int) -> None:
    with pytest.raises(Refusal) as caught:
        yaml_text.edit(text, [change])
    assert what in english(caught.value.what)
    assert caught.value.place == Place(line=line, column=column)
    assert caught.value.hints


def test_oddities() -> None:
    text = "\ufeffa: &x {b: 1}\nb: *x\nc:\n  <<: *x\n  d: 1\n  d: 2\n"
    assert {
        (o.kind, o.place.line, o.place.column, o.name) for o in yaml_text.read(text).oddities
    } == {
        ("bom", 1, 1, ""),
        ("alias", 1, 4, ""),
        ("merge", 4, 3, ""),
        ("duplicate", 6, 3, "d"),
    }
    assert yaml_text.read("a: 1\n").oddities == ()


def test_places() -> None:
    document = yaml_text.read("\ufefflist:\r\n- name: é\r\n- name: x\r\n  v: [1, 2]\r\n")
    assert document.key_place(("list",)) == Place(line=1, column=1)
    assert document.place(X) == Place(line=3, column=3)
    assert document.key_place((*X, "v")) == Place(line=4, column=3)
    assert document.place((*X, "v", 1)) == Place(line=4, column=10)
    assert document.place((*X, "w")) is None
    assert document.place(("list", Item("name", "y"))) is None


def test_without_the_c_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_document, "_FAST", yaml.SafeLoader)
    for before, changes, after in EDITS:
        assert yaml_text.edit(before, changes) == after


def test_an_element_by_its_number() -> None:
    assert yaml_text.edit("a: [1, 2]\n", [Remove(("a", 0))]) == "a: [2]\n"
    assert yaml_text.edit("a:\n- 1\n- 2\n", [Remove(("a", 0))]) == "a:\n- 2\n"


def test_five_thousand_models() -> None:
    """Large, with a comment between any two entries, and still only the touched bytes change."""
    rows = [
        f"  # entry {n}\n  - model_name: m{n}\n    litellm_params:\n"
        f"      model: openai/m{n}\n      api_key: os.environ/K{n}\n"
        for n in range(5_000)
    ]
    before = "model_list:\n" + "".join(rows)
    path = ("model_list", Item("model_name", "m77"), "litellm_params", "api_key")
    new = {"model_name": "new", "litellm_params": {"model": "openai/x"}}
    changes: list[Change] = [
        Set(path, "os.environ/NEW"),
        Remove(("model_list", Item("model_name", "m4999"))),
        Set(("model_list", Item("model_name", "new")), new),
    ]
    rows[77] = rows[77].replace("os.environ/K77", "os.environ/NEW")
    rows[4999] = "  # entry 4999\n"
    added = "  - model_name: new\n    litellm_params:\n      model: openai/x\n"
    after = yaml_text.edit(before, changes)
    assert after == "model_list:\n" + "".join(rows[:4999]) + added + rows[4999]


# --- many changes at once --------------------------------------------------------------------

FLAG = Set(("litellm_settings", "drop_params"), True)
MASTER = Set(("general_settings", "master_key"), "os.environ/LITELLM_MASTER_KEY")
MODEL = Set(("model_list", Item("model_name", "b")), {"model_name": "b"})


@pytest.mark.parametrize("changes", list(permutations([FLAG, MASTER, MODEL])))
@pytest.mark.parametrize(
    "text",
    [
        "general_settings:\n  store_model_in_db: true\n",
        "general_settings:\n  store_model_in_db: true",
        "model_list:\n- model_name: a\ngeneral_settings:\n  store_model_in_db: true\n",
        "include:\n  - models.yaml\nlitellm_settings:\n  num_retries: 3\n",
        "include: [models.yaml]\n",
        "a: 1\nmodel_list:\n  - model_name: a\n",
        "a: 1\r\ngeneral_settings:\r\n  x: 1\r\n",
    ],
)
def test_what_goes_to_one_place_from_several_sections(text: str, changes: list[Set]) -> None:
    data = yaml_text.read(yaml_text.edit(text, changes)).data
    before = yaml_text.read(text).data
    assert data["litellm_settings"] == {**before.get("litellm_settings", {}), "drop_params": True}
    assert data["general_settings"] == {
        **before.get("general_settings", {}),
        "master_key": "os.environ/LITELLM_MASTER_KEY",
    }
    assert data["model_list"] == [*before.get("model_list", []), {"model_name": "b"}]


def test_a_thousand_changes_read_the_file_as_often_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "model_list:\n" + "".join(
        f"  - model_name: m{n}\n    litellm_params:\n      model: a/{n}\n" for n in range(1000)
    )
    read: list[str] = []
    whole = yaml_document._load

    def counted(body: str, *rest: Any) -> Any:
        read.append(body)
        return whole(body, *rest)

    monkeypatch.setattr(yaml_document, "_load", counted)
    params = [("model_list", n, "litellm_params") for n in range(1000)]
    changes = [Set((*path, "model"), f"b/{n}") for n, path in enumerate(params)]
    changes += [Set((*path, "timeout"), 60) for path in params]
    result = yaml_text.edit(text, changes)
    assert len(read) <= 3
    after = yaml_text.read(result).data["model_list"]
    assert [e["litellm_params"] for e in after] == [
        {"model": f"b/{n}", "timeout": 60} for n in range(1000)
    ]


# --- elements that one member's value does not tell ----------------------------------------------

DEPLOYMENTS = """\
model_list:
  - {model_name: b, key: A}  # first
  # mine
  - model_name: other
  - model_name: b
    key: B # second
router_settings:
  fallbacks:
    - b: # why
        - other
"""


def deployment(key: str) -> tuple[str | Item, ...]:
    return ("model_list", Item("model_name", "b", ("key", key)))


def stands_in(name: str) -> tuple[str | Item, ...]:
    return ("router_settings", "fallbacks", Item(name, None), name)


@pytest.mark.parametrize(
    ("change", "old", "new"),
    [
        (Set((*deployment("B"), "rpm"), 5), "key: B # second\n", "key: B # second\n    rpm: 5\n"),
        (Set(("model_list", Item("model_name", "b"), "key"), "C"), "key: A}", "key: C}"),
        (
            Set(deployment("C"), {"model_name": "b", "key": "C"}),
            "# second\n",
            "# second\n  - model_name: b\n    key: C\n",
        ),
        (Remove(deployment("A")), "  - {model_name: b, key: A}  # first\n", ""),
        (Remove(deployment("C")), "", ""),
        (Set(stands_in("b"), ["third"]), "- other\n", "- third\n"),
        (Set(stands_in("other"), ["b"]), "- other\n", "- other\n    - other:\n        - b\n"),
        (Remove(stands_in("b")[:-1]), "\n    - b: # why\n        - other\n", " []\n"),
    ],
)
def test_one_of_several_alike(change: Change, old: str, new: str) -> None:
    before = DEPLOYMENTS.replace("- other\n", "- other\n")
    at = before.rfind(old) if old else 0
    after = yaml_text.edit(before, [change])
    assert after == before[:at] + new + before[at + len(old) :]
    assert yaml_text.edit(after, [change]) == after
    assert same(yaml.safe_load(after), changed(yaml.safe_load(before), [change]))


def test_several_alike_are_added_in_one_go() -> None:
    both = [Set(deployment(key), {"model_name": "b", "key": key}) for key in "AB"]
    after = yaml_text.edit("model_list: []\n", both)
    assert [e["key"] for e in yaml.safe_load(after)["model_list"]] == ["A", "B"]
    assert yaml_text.edit(after, both) == after


@pytest.mark.parametrize("path", [deployment("B"), (*deployment("B"), "key")])
def test_what_tells_an_element_stays(path: tuple[str | Item, ...]) -> None:
    value = "C" if len(path) == 3 else {"model_name": "b", "key": "C"}
    with pytest.raises(Refusal, match="must keep its name"):
        yaml_text.edit(DEPLOYMENTS, [Set(path, value)])
