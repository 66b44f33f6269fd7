"""Taking ourselves out of a file, as a function of its bytes and of what we wrote to it."""

from __future__ import annotations

import pytest

from haha_config.core.change.uninstall import Footprint, presence, removed_ours
from haha_config.core.edit.formats import edit
from haha_config.core.model import Baseline, Change, Format, Item, Remove, Set, Snapshot, Write
from haha_config.core.state.file import File, parse

URL = Set(("env", "ANTHROPIC_BASE_URL"), "https://a.example")


def file(text: str | None, kind: Format = "json") -> File:
    data = None if text is None else text.encode()
    return parse(Snapshot(path="f", real="/f", data=data), kind)


def wrote(before: str | None, changes: tuple[Change, ...], kind: Format = "json") -> Write:
    start = "{}\n" if kind == "json" else "# ours\n"
    after = edit(kind, start if before is None else before, changes)
    return Write(
        path="f",
        format=kind,
        before=None if before is None else before.encode(),
        after=after.encode(),
        changes=changes,
    )


def since(*writes: Write) -> Footprint:
    """Our time in a file whose every write is known."""
    return presence(list(enumerate(writes, 7)), Baseline(before=writes[0].before, number=7))


def forgotten(before: str | None, *writes: Write) -> Footprint:
    """The same, of which only the last writes are still in the journal."""
    first = None if before is None else before.encode()
    return presence(list(enumerate(writes, 8)), Baseline(before=first, number=1))


def after(write: Write) -> str:
    assert write.after is not None
    return write.after.decode()


def test_a_file_that_is_not_there_stays_so() -> None:
    assert removed_ours(file(None), Footprint(), "{}").after is None


def test_untouched_since_it_is_as_before_to_the_byte() -> None:
    before = '{ "b":1,\n\n"a" : [ ] }'
    first = wrote(before, (URL,))
    assert after(removed_ours(file(after(first)), since(first), "{}")) == before


def test_a_file_of_ours_goes() -> None:
    first = wrote(None, (URL,))
    assert first.after is not None
    assert removed_ours(file(first.after.decode()), since(first), "{}").after is None


def test_a_file_that_was_empty_before_us_stays_empty() -> None:
    first = wrote("{}\n", (URL,))
    changed = edit("json", after(first), (Set(("env", "ANTHROPIC_MODEL"), "by hand"),))
    assert after(removed_ours(file(changed), since(first), "{}\n")).split() == ["{}"]


def test_between_two_of_our_writes_somebody_else_wrote() -> None:
    first = wrote('{"a": 1}', (URL,))
    meanwhile = edit("json", after(first), (Set(("theirs",), True),))
    second = wrote(meanwhile, (Set(("env", "ANTHROPIC_MODEL"), "m"),))
    left = removed_ours(file(after(second)), since(first, second), "{}")
    assert file(after(left)).data == {"a": 1, "theirs": True}


def test_an_older_write_that_is_forgotten_is_not_the_beginning() -> None:
    text = edit("json", '{"a": 1}', (URL, Set(("apiKeyHelper",), "haha-config key x")))
    known = wrote(text, (Set(("env", "ANTHROPIC_MODEL"), "m"),))
    assert file(
        after(removed_ours(file(after(known)), forgotten('{"a": 1}', known), "{}"))
    ).data == {"a": 1}


def test_somebody_elses_helper_stays() -> None:
    left = removed_ours(file('{"apiKeyHelper": "pass show x"}'), Footprint(), "{}")
    assert left.before == left.after


def test_a_gateways_entries_go_and_others_stay() -> None:
    ours = {"model_name": "ours", "litellm_params": {"model": "openai/x"}}
    text = "model_list:\n  - model_name: theirs\n    litellm_params: {model: a/b}\n"
    first = wrote(text, (Set(("model_list", Item("model_name", "ours")), ours),), "yaml")
    theirs = after(first) + "router_settings: {num_retries: 1}\n"
    left = file(after(removed_ours(file(theirs, "yaml"), since(first), "")), "yaml").data
    assert [m["model_name"] for m in left["model_list"]] == ["theirs"]
    assert left["router_settings"] == {"num_retries": 1}


def test_lines_that_we_excluded_go() -> None:
    first = Write(
        path="f", format="lines", before=b"*.log\n", after=b"*.log\n/.env\n",
        changes=(Set(("/.env",), True),),
    )  # fmt: skip
    now = file("*.log\n/.env\n*.tmp\n", "lines")
    assert after(removed_ours(now, since(first), "")) == "*.log\n*.tmp\n"


@pytest.mark.parametrize("text", ['{"env": {"MY": "1"}}', '{"a": 1}'])
def test_nothing_of_ours_is_nothing_to_do(text: str) -> None:
    left = removed_ours(file(text), Footprint(), "{}")
    assert (left.before, left.changes) == (left.after, ())
    assert Remove(("env",)) not in left.changes
