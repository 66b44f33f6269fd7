"""The list without a terminal: search, pointer, window."""

from __future__ import annotations

import pytest

from haha_config.core.messages import msg
from haha_config.io.prompts import Choice
from haha_config.io.prompts.choice_list import ChoiceList, Row, matching, row


def rows(*names: str, off: tuple[str, ...] = ()) -> list[Row]:
    return [Row(value=name, title=name, disabled=name in off) for name in names]


def test_a_row_says_what_is_current_and_why_it_is_closed() -> None:
    choice = Choice(value="a", title="A", note=msg("near"), marked=True)
    assert row(choice).note == "current · near"
    closed = row(Choice(value="b", title="B", note=msg("near"), disabled=msg("not running")))
    assert (closed.note, closed.disabled) == ("not running", True)


def test_a_name_from_a_server_cannot_move_the_cursor() -> None:
    assert row(Choice(value="a", title="bad\x1b[2J\nname\x9b1m")).title == r"bad\x1b[2J name\x9b1m"


def test_the_search_wants_every_word_and_puts_names_before_notes() -> None:
    table = [
        Row(value="x", title="Xylo", note="fast tools"),
        Row(value="fast-1", title="Fast One", note="tools"),
        Row(value="slow", title="Slow", note="tools"),
    ]
    assert [found.value for found in matching(table, "FAST too")] == ["x", "fast-1"]
    assert [found.value for found in matching(table, "fast")] == ["fast-1", "x"]
    assert matching(table, "fast slow") == []


def test_the_pointer_starts_at_the_default_and_passes_what_is_closed() -> None:
    some = ChoiceList(rows("a", "b", "c", "d", off=("a", "c")), default="b")
    assert some.at == 1
    some.move(1)
    assert some.at == 3
    some.move(1)
    assert some.at == 1
    some.move(-1)
    assert some.at == 3
    some.leap(-99)
    assert some.at == 1


def test_a_closed_default_is_not_pointed_at() -> None:
    assert ChoiceList(rows("a", "b", off=("b",)), default="b").at == 0


def test_with_every_row_closed_there_is_nothing_to_take() -> None:
    closed = ChoiceList(rows("a", "b", off=("a", "b")))
    closed.move(1)
    closed.leap(5)
    assert closed.current is None


@pytest.mark.parametrize(
    ("typed", "current", "shown"),
    [
        ("gpt", "gpt-5", ["gpt-5", "gpt-5-mini", "gpt"]),
        ("gpt-5-mini", "gpt-5-mini", ["gpt-5-mini"]),
        ("gpt-5", "gpt-5", ["gpt-5", "gpt-5-mini"]),
        ("new", "new", ["new"]),
        ("", "gpt-5", ["gpt-5", "gpt-5-mini"]),
    ],
)
def test_a_typed_name_may_be_the_answer_unless_it_is_a_row(
    typed: str, current: str, shown: list[str]
) -> None:
    some = ChoiceList(rows("gpt-5", "gpt-5-mini"), other="as it is")
    some.search(typed)
    assert [found.value for found in some.shown] == shown
    assert some.current is not None
    assert some.current.value == current


def test_the_window_follows_the_pointer_both_ways() -> None:
    some = ChoiceList(rows(*(str(n) for n in range(100))))
    assert some.visible(5)[0] == 0
    some.leap(50)
    assert [found.value for found in some.visible(5)[1]] == ["46", "47", "48", "49", "50"]
    some.move(-1)
    assert some.visible(5)[0] == 46
    some.leap(-20)
    assert some.visible(5)[0] == 29
    some.leap(99)
    assert some.visible(5)[0] == 95
    assert len(some.visible(40)[1]) == 40


def test_a_row_is_found_by_more_words_and_one_is_named_where_none_is() -> None:
    some = [
        Row(value="openai", title="OpenAI", words="gpt 4o"),
        Row(value="gpt-host", title="GPT host"),
        Row(value="any", title="Any URL", words="* gemini"),
    ]
    found = ChoiceList(some)
    found.search("gpt")
    assert [one.value for one in found.shown] == ["gpt-host", "openai"]
    found.search("nosuch")
    assert ([one.value for one in found.shown], found.count) == (["any"], 0)
    assert found.current is some[2]
    found.search("gemini")
    assert ([one.value for one in found.shown], found.count) == (["any"], 1)
