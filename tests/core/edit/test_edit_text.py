"""Bytes to text, and offsets to places."""

from __future__ import annotations

import pytest

from haha_config.core.edit import decode
from haha_config.core.edit.text import Source, name_of, newline
from haha_config.core.errors import Refusal
from haha_config.core.model import Item, Place


def test_decode_keeps_bom_and_line_ends() -> None:
    assert decode(b"\xef\xbb\xbfA=\xc3\xa9\r\nB\r") == "\ufeffA=é\r\nB\r"


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [
        (b"\xff", 1, 1),
        ("é\r\nü".encode() + b"x\xe9\n", 2, 3),
        (b"A=1\nB=\xc3", 2, 3),
        (b"\xef\xbb\xbfA\x80", 1, 2),
        (b"A\x00\xed\xa0\x80", 1, 3),
    ],
)
def test_decode_names_the_first_bad_byte(data: bytes, line: int, column: int) -> None:
    with pytest.raises(Refusal) as caught:
        decode(data)
    assert caught.value.place == Place(line=line, column=column)
    assert caught.value.hints


@pytest.mark.parametrize(
    ("text", "end"),
    [("", "\n"), ("a", "\n"), ("a\r\nb\n\r\n", "\r\n"), ("a\rb", "\r"), ("a\nb\r\n", "\n")],
)
def test_newline(text: str, end: str) -> None:
    assert newline(text) == end


def test_places_count_code_points() -> None:
    source = Source("\ufeff😀é\r\nb\rc\nd")
    where = [(source.place(n).line, source.place(n).column) for n in (0, 1, 3, 5, 7, 9)]
    assert where == [(1, 1), (1, 1), (1, 3), (2, 1), (3, 1), (4, 1)]


def test_name_of() -> None:
    assert name_of(("env", "A")) == "env.A"
    assert name_of(("list", Item("name", "x"), "v", 0)) == "list[name=x].v[0]"
