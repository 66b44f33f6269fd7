"""Records behave as the standard library's data classes do, and the library takes them for such."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from haha_config.core import record
from haha_config.core.record import replace


def classes(make: Any, field: Any) -> tuple[Any, Any]:
    """A class and one derived from it, declared with one library or the other."""

    @make(frozen=True)
    class Base:
        name: str
        size: int = 1
        tags: list[str] = field(default_factory=list)
        secret: str = field(default="", repr=False)

    @make(frozen=True, kw_only=True)
    class Derived(Base):
        more: str
        size: int = 2

    return Base, Derived


OURS = classes(record.dataclass, record.field)
THEIRS = classes(dataclasses.dataclass, dataclasses.field)


@pytest.mark.parametrize("which", [0, 1])
def test_both_are_made_and_shown_alike(which: int) -> None:
    given: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        (("a",), {}),
        (("a",), {"more": "b"}),
        (("a",), {"more": "b", "size": 3, "tags": ["x"], "secret": "s"}),
        ((), {"name": "a"}),
        (("a", 5), {}),
        (("a", 5), {"more": "c"}),
        ((), {}),
        (("a", 1, [], "", "more"), {}),
        (("a",), {"name": "b"}),
        (("a",), {"unknown": 1}),
    ]

    def made(cls: Any, args: tuple[Any, ...], words: dict[str, Any]) -> str:
        try:
            one = cls(*args, **words)
        except (TypeError, ValueError):
            return "refused"
        assert one == cls(*args, **words)
        assert one != cls(*args, **{**words, "secret": "other"})
        return repr(one)

    for args, words in given:
        assert made(OURS[which], args, words) == made(THEIRS[which], args, words), (args, words)


def test_a_frozen_one_can_not_be_changed() -> None:
    one = OURS[0]("a")
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.name = "b"
    with pytest.raises(dataclasses.FrozenInstanceError):
        del one.name


def test_replace_keeps_what_is_not_named() -> None:
    one = OURS[1]("a", more="b", secret="s")
    assert replace(one, size=7) == OURS[1]("a", more="b", secret="s", size=7)
    assert replace(one, size=7) == dataclasses.replace(one, size=7)
    with pytest.raises(TypeError):
        replace(one, unknown=1)


def test_the_library_takes_a_record_for_one_of_its_own() -> None:
    one, other = OURS[1]("a", more="b"), THEIRS[1]("a", more="b")
    assert [f.name for f in dataclasses.fields(one)] == [f.name for f in dataclasses.fields(other)]
    assert dataclasses.asdict(one) == dataclasses.asdict(other)
    assert OURS[1].__match_args__ == THEIRS[1].__match_args__
    # What the library does on the way leaves the class as it was.
    assert OURS[1]("a", more="b") == one
    assert OURS[1]("a", more="b").tags is not one.tags
