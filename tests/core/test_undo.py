"""Taking a write back: old bytes, or only our entries, or a refusal that names them."""

from __future__ import annotations

import json

import pytest

from haha_config.core.change.undo import reverse
from haha_config.core.edit.formats import edit
from haha_config.core.errors import Refusal
from haha_config.core.model import Change, Format, Item, Remove, Set, Write

SECRET = "sk-test-0123456789abcdef"


def written(kind: Format, before: str | None, *changes: Change) -> Write:
    """What a command wrote."""
    after = edit(kind, before or "", changes)
    return Write(
        path="/x",
        format=kind,
        before=None if before is None else before.encode(),
        after=after.encode(),
        secret=True,
        changes=changes,
    )


JSON = written(
    "json",
    '{"theme": "dark", "env": {"A": "1", "OLD": "x"}}\n',
    Set(("env", "A"), "2"),
    Set(("env", "TOKEN"), SECRET),
    Remove(("env", "OLD")),
)


def test_a_file_as_we_left_it_gets_its_old_bytes() -> None:
    back = reverse(JSON, JSON.after)
    assert back.after == JSON.before
    again = reverse(back, back.after)
    assert again.after == JSON.after


def test_a_file_that_we_made_is_taken_away_and_comes_back() -> None:
    made = written("dotenv", None, Set(("A",), "1"))
    back = reverse(made, made.after)
    assert back.after is None
    assert reverse(back, None).after == made.after


@pytest.mark.parametrize("now", [JSON.before, None])
def test_where_nothing_of_ours_is_left_nothing_is_done(now: bytes | None) -> None:
    back = reverse(JSON, now)
    assert back.before == back.after == now


def test_what_others_wrote_since_stays() -> None:
    assert JSON.after is not None
    text = edit("json", JSON.after.decode(), [Set(("model",), "opus"), Set(("env", "THEIRS"), "1")])
    back = reverse(JSON, text.encode())
    assert back.after is not None
    assert json.loads(back.after) == {
        "theme": "dark",
        "env": {"A": "1", "OLD": "x", "THEIRS": "1"},
        "model": "opus",
    }
    assert back.after.startswith(b'{"theme": "dark"')


def test_an_entry_that_was_changed_again_is_refused_by_name_and_place_never_by_value() -> None:
    assert JSON.after is not None
    now = JSON.after.replace(SECRET.encode(), b"sk-test-other-0123456789")
    with pytest.raises(Refusal) as refused:
        reverse(JSON, now)
    said = repr((refused.value.what, refused.value.hints))
    assert "TOKEN" in said
    assert "sk-test" not in said
    assert refused.value.place is not None
    assert (refused.value.place.path, refused.value.place.line) == ("/x", 1)


def test_an_entry_that_has_its_old_value_again_is_left_alone() -> None:
    assert JSON.after is not None
    now = edit("json", JSON.after.decode(), [Set(("env", "A"), "1"), Set(("z",), 1)])
    back = reverse(JSON, now.encode())
    assert back.after is not None
    assert json.loads(back.after)["env"] == {"A": "1", "OLD": "x"}


def test_a_table_that_we_made_goes_with_its_last_entry_and_stays_with_a_foreign_one() -> None:
    made = written("json", '{"a": 1}\n', Set(("env", "A"), "1"), Set(("env", "B"), "2"))
    assert made.after is not None
    alone = edit("json", made.after.decode(), [Set(("z",), 1)])
    back = reverse(made, alone.encode())
    assert back.after is not None
    assert json.loads(back.after) == {"a": 1, "z": 1}
    shared = edit("json", made.after.decode(), [Set(("env", "THEIRS"), "1")])
    back = reverse(made, shared.encode())
    assert back.after is not None
    assert json.loads(back.after) == {"a": 1, "env": {"THEIRS": "1"}}


def test_an_entry_of_a_list_goes_alone() -> None:
    text = "model_list:\n  - model_name: theirs\n    x: 1\n"
    entry = {"model_name": "ours", "litellm_params": {"model": "a/b"}}
    made = written("yaml", text, Set(("model_list", Item("model_name", "ours")), entry))
    assert made.after is not None
    now = made.after + b"# a comment of theirs\n"
    back = reverse(made, now)
    assert back.after == text.encode() + b"# a comment of theirs\n"


def test_a_list_that_we_made_and_others_have_added_to() -> None:
    entry = {"model_name": "ours"}
    made = written("yaml", "a: 1\n", Set(("model_list", Item("model_name", "ours")), entry))
    assert made.after is not None
    more = Set(("model_list", Item("model_name", "theirs")), {"model_name": "theirs"})
    now = edit("yaml", made.after.decode(), [more])
    back = reverse(made, now.encode())
    assert back.after is not None
    assert b"theirs" in back.after
    assert b"ours" not in back.after


def test_dotenv_lines_of_others_stay() -> None:
    made = written("dotenv", "# mine\nA=1\n", Set(("B",), "2"), Remove(("A",)))
    assert made.after is not None
    back = reverse(made, made.after + b"THEIRS=1\n")
    assert back.after is not None
    assert sorted(back.after.decode().split()) == sorted(["#", "mine", "THEIRS=1", "A=1"])


@pytest.mark.parametrize("theirs", ["*.log\n", "*.\udcff\n"])
def test_a_line_of_info_exclude(theirs: str) -> None:
    before = "# git\n"
    made = Write(
        path="/x",
        format="lines",
        before=before.encode(),
        after=(before + "/.env\n").encode(),
        changes=(Set(("/.env",), True),),
    )
    now = (before + "/.env\n" + theirs).encode("utf-8", "surrogateescape")
    back = reverse(made, now)
    assert back.after == (before + theirs).encode("utf-8", "surrogateescape")
    # And the undo of that undo, in a file that has changed once more.
    assert back.after is not None
    again = reverse(back, back.after + b"more\n")
    assert again.after is not None
    assert b"/.env\n" in again.after
    assert b"more\n" in again.after
