"""`.env`: before, changes, after. Every row is also read back and made twice."""

from __future__ import annotations

import pytest

from haha_config.core.edit import dotenv_text
from haha_config.core.edit.dotenv_text import form
from haha_config.core.edit.text import changed
from haha_config.core.errors import Refusal
from haha_config.core.model import Change, Oddity, Place, Remove, Set

EDITS: list[tuple[str, list[Change], str]] = [
    # nothing there yet
    ("", [Set(("A",), "1")], "A=1\n"),
    ("\ufeff", [Set(("A",), "1")], "\ufeffA=1\n"),
    ("# mine\n", [Set(("A",), "1")], "# mine\nA=1\n"),
    ("B=2\n\n", [Set(("A",), "1")], "B=2\n\nA=1\n"),
    ("B=2", [Set(("A",), "1")], "B=2\nA=1"),
    ("B=2", [Set(("A",), "1"), Set(("C",), "3")], "B=2\nA=1\nC=3"),
    ("B=2\r\nC=3\r\n", [Set(("A",), "1")], "B=2\r\nC=3\r\nA=1\r\n"),
    ("B=2\rC=3\r", [Set(("A",), "1")], "B=2\rC=3\rA=1\r"),
    ("B=2\r\nC=3\nD=4\r\n", [Set(("A",), "1")], "B=2\r\nC=3\nD=4\r\nA=1\r\n"),
    # one that is there
    ("A=1\n", [Set(("A",), "2")], "A=2\n"),
    ("A=1", [Set(("A",), "2")], "A=2"),
    ("\ufeffA=1\r\n", [Set(("A",), "2")], "\ufeffA=2\r\n"),
    ("A='1'\n", [Set(("A",), "1")], "A='1'\n"),
    ('A="a b" # note\n', [Set(("A",), "c d")], "A='c d' # note\n"),
    ("A=1 # note\n", [Set(("A",), "2")], "A=2 # note\n"),
    ("A=1#note\n", [Set(("A",), "2")], "A=2#note\n"),
    ("export A=1\n", [Set(("A",), "2")], "export A=2\n"),
    ("  export\tA = 1  \n", [Set(("A",), "2")], "  export\tA = 2  \n"),
    ("A: 1\n", [Set(("A",), "2")], "A: 2\n"),
    ("A=\nB=2\n", [Set(("A",), "1")], "A=1\nB=2\n"),
    ("A= # none\n", [Set(("A",), "1")], "A=1 # none\n"),
    ("A=1\n", [Set(("A",), "")], 'A=""\n'),
    ("A=''\n", [Set(("A",), "")], "A=''\n"),
    ('A="one\ntwo"\nB=2\n', [Set(("A",), "1")], "A=1\nB=2\n"),
    ("A=`x`\n", [Set(("A",), "y")], "A=y\n"),
    ("A=\n\n'below'\nB=2\n", [Set(("A",), "1")], "A=1\nB=2\n"),
    ("A=ü\nB=é\n", [Set(("A",), "ö")], "A='ö'\nB=é\n"),
    # the last one wins
    ("A=1\nB=2\nA=3\n", [Set(("A",), "4")], "A=1\nB=2\nA=4\n"),
    ("A=1\nB=2\nA=3\n", [Set(("A",), "3")], "A=1\nB=2\nA=3\n"),
    ("A=1\nB=2\nA=3\n", [Remove(("A",))], "B=2\n"),
    # taken out
    ("A=1\n", [Remove(("A",))], ""),
    ("A=1\nB=2\n", [Remove(("A",))], "B=2\n"),
    ("A=1\nB=2", [Remove(("B",))], "A=1"),
    ("A=1\r\nB=2", [Remove(("B",))], "A=1"),
    ("# a\nA=1 # note\n# b\nB=2\n", [Remove(("A",))], "# a\n# b\nB=2\n"),
    ('A="one\ntwo" # x\r\nB=2\r\n', [Remove(("A",))], "B=2\r\n"),
    ("\ufeffA=1\nB=2\n", [Remove(("A",))], "\ufeffB=2\n"),
    ("A=1\n", [Remove(("B",))], "A=1\n"),
    ("A=1\nB=2\n", [Remove(("A",)), Set(("A",), "3")], "B=2\nA=3\n"),
    # not ours
    ("not a line\n=x\nA=1\n", [Set(("A",), "2")], "not a line\n=x\nA=2\n"),
    ("#A=1\nAA=1\n", [Set(("A",), "2")], "#A=1\nAA=1\nA=2\n"),
    ("B='\nA=1\n", [Set(("A",), "2")], "B='\nA=2\n"),
    # what is written is what is meant: a reference becomes its own text
    ("A=$B\nB=1\n", [Set(("A",), "$B")], "A='\\$B'\nB=1\n"),
]


@pytest.mark.parametrize(("before", "changes", "after"), EDITS)
def test_edit(before: str, changes: list[Change], after: str) -> None:
    assert dotenv_text.edit(before, changes) == after
    assert dotenv_text.read(after).data == changed(dotenv_text.read(before).data, changes)
    assert dotenv_text.edit(before, []) == before
    if len(changes) == 1:
        assert dotenv_text.edit(after, changes) == after


@pytest.mark.parametrize(
    ("before", "change", "place"),
    [
        ("A=1\n", Set(("A",), "one\ntwo"), Place(line=1, column=1)),
        ("A=1\n", Set(("A",), "one\rtwo"), Place(line=1, column=1)),
        ("A=1\n", Set(("A",), "nul\0"), Place(line=1, column=1)),
        ("B=1\nA=1\n", Set(("A",), "\ud800"), Place(line=2, column=1)),
        ("A=1\n", Set(("A",), "#'\"`"), Place(line=1, column=1)),
        ("A=1\n", Set(("A",), 1), Place(line=1, column=1)),
        ("A=1\n", Set(("A",), None), Place(line=1, column=1)),
        ("A=1\n", Set(("not a name",), "1"), Place(line=2, column=1)),
        ("A=1\n", Set(("1A",), "1"), Place(line=2, column=1)),
        ("A=1\n", Set(("A", "B"), "1"), Place(line=2, column=1)),
        ("A=1\n", Remove((0,)), Place(line=2, column=1)),
        ("B='\nA=1\n", Set(("A",), "it is"), Place(line=2, column=1)),
    ],
)
def test_refused(before: str, change: Change, place: Place) -> None:
    with pytest.raises(Refusal) as caught:
        dotenv_text.edit(before, [change])
    assert caught.value.place == place
    assert caught.value.hints


def test_a_refusal_never_shows_the_value() -> None:
    with pytest.raises(Refusal) as caught:
        dotenv_text.edit("A=sk-test-old\n", [Set(("A",), "sk-test-0123456789abcdef\n")])
    shown = repr((caught.value.what, caught.value.hints, str(caught.value)))
    assert "sk-test" not in shown


@pytest.mark.parametrize(
    ("value", "text", "portable"),
    [
        ("", '""', True),
        ("sk-or-v1-abc/+=", "sk-or-v1-abc/+=", True),
        ("a#b", "'a#b'", True),
        ("two words", "'two words'", True),
        (" edge ", "' edge '", True),
        ("ü", "'ü'", True),
        ("a\\b", "'a\\b'", True),
        ('a"b', "'a\"b'", True),
        ("a'b", '"a\'b"', True),
        ("a$", "'a$'", True),
        ("a$ b", "'a$ b'", True),
        ("a$b", "'a\\$b'", False),
        ("a${b}", "'a\\${b}'", False),
        ("a\\$b", "'a\\\\$b'", False),
        ("a\\\\b", "'a\\\\b'", False),
        ("a\\", "a\\", False),
        ("a'$b", '"a\'\\$b"', False),
        ("'\"", "`'\"`", False),
        ("\x01", "'\x01'", False),
    ],
)
def test_form(value: str, text: str, portable: bool) -> None:
    assert form(value) == dotenv_text.Form(text, portable)
    assert dotenv_text.read(f"A={text}").data == {"A": value}


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("A=has#hash", {"A": "has"}),
        ("A=it's", {"A": "it's"}),
        ("A='a'b'", {"A": "a"}),
        ('A="a\\nb"', {"A": "a\nb"}),
        ("A='a\\nb'", {"A": "a\\nb"}),
        ('A="a\\"b"', {"A": 'a\\"b'}),
        ("A='open\nB=1", {"A": "'open", "B": "1"}),
        ("A\n=\n'x'", {"A": "x"}),
        ("A:\nB=1", {"A": "B=1"}),
        ("A:1", {}),
        ("export\nA=1", {"A": "1"}),
        ("export = 1", {"export": "1"}),
        ("A.B-C=1", {"A.B-C": "1"}),
        ("A=a\rB=b", {"A": "a", "B": "b"}),
        ("A=\\$x", {"A": "$x"}),
        ("A=$x", {"A": "$x"}),
        ("\ufeffA=1", {"A": "1"}),
    ],
)
def test_read(text: str, data: dict[str, str]) -> None:
    assert dotenv_text.read(text).data == data


@pytest.mark.parametrize(
    ("text", "oddities"),
    [
        ("A=1\nB='two words' # x\nexport C=3\n", []),
        ("\ufeffA=1\n", [("bom", 1, 1, "")]),
        ("A=1\noops\n", [("bad-line", 2, 1, "")]),
        ("A=1\nA=2\nA=3\n", [("duplicate", 1, 1, "A"), ("duplicate", 2, 1, "A")]),
        ("A=$B\n", [("dialect", 1, 3, "A")]),
        ("A=a#b\n", [("dialect", 1, 3, "A")]),
        ("A = a\n", [("dialect", 1, 5, "A")]),
        ("A: a\n", [("dialect", 1, 4, "A")]),
        ("A=a b\n", [("dialect", 1, 3, "A")]),
        ('A="a\\nb"\n', [("dialect", 1, 3, "A")]),
        ("A=`a`\n", [("dialect", 1, 3, "A")]),
    ],
)
def test_oddities(text: str, oddities: list[tuple[str, int, int, str]]) -> None:
    assert list(dotenv_text.read(text).oddities) == [
        Oddity(kind=kind, place=Place(line=line, column=column), name=name)
        for kind, line, column, name in oddities
    ]


def test_places() -> None:
    document = dotenv_text.read("\ufeff# é\r\n  export A = 'x'\r\n")
    assert document.key_place(("A",)) == Place(line=2, column=10)
    assert document.place(("A",)) == Place(line=2, column=14)
    assert document.place(("B",)) is None


#: A `.env`, and what Bun 1.4.5 made of it with EXPORTED=exp and BOTH=shell exported (measured;
#: tests/e2e/test_dialects.py runs it again).
REFERENCES = r"""H=https://h.example
A1=${H}/anthropic
A2=$H/anthropic
A3='${H}/q'
A4="${H}/q"
A5=`${H}/q`
A6=\$H/x
A7=\${H}/x
A9=${LATER}/x
LATER=later
B1=${NOPE}/x
B2=${NOPE:-def}/x
B3=${H:-def}/x
B4=${EMPTY:-def}/x
EMPTY=
B5=$H$H
B6=${H
B7=$
B8=a$1b
B9=${EXPORTED}x
C1=${BOTH}
BOTH=file
C2=${H}${A1}
C3=$C3
C4=${A9}
C5=$H_x
C6=${H}_x
C9=${ H }
D1=$$H
D2=${H}$
D3="x\$H ${H}"
D4=${NOPE:-${H}}
D5=${NOPE-def}
D6=${NOPE:-}z
D7=a${}b
D9=${:-x}
D8=a$-b
"""
EXPANDED = {
    "H": "https://h.example",
    "A1": "https://h.example/anthropic",
    "A2": "https://h.example/anthropic",
    "A3": "https://h.example/q",
    "A4": "https://h.example/q",
    "A5": "https://h.example/q",
    "A6": "$H/x",
    "A7": "${H}/x",
    "A9": "later/x",
    "LATER": "later",
    "B1": "/x",
    "B2": "def/x",
    "B3": "https://h.example/x",
    "B4": "/x",
    "EMPTY": "",
    "B5": "https://h.examplehttps://h.example",
    "B6": "${H",
    "B7": "$",
    "B8": "a",
    "B9": "expx",
    "C1": "shell",
    "BOTH": "file",
    "C2": "https://h.examplehttps://h.example/anthropic",
    "C3": "$C3",
    "C4": "later/x",
    "C5": "",
    "C6": "https://h.example_x",
    "C9": "${ H }",
    "D1": "$https://h.example",
    "D2": "https://h.example$",
    "D3": "x$H https://h.example",
    "D4": "https://h.example",
    "D5": "${NOPE-def}",
    "D6": "z",
    "D7": "ab",
    "D9": "x",
    "D8": "a$-b",
}


def test_references_are_replaced_as_bun_does() -> None:
    exported = {"EXPORTED": "exp", "BOTH": "shell"}
    assert dotenv_text.expanded(REFERENCES, exported) == EXPANDED
