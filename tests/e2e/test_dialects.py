"""What we write to `.env`, as Bun, Node, python-dotenv and sh read it; what Bun reads, as we do.

`docker run --env-file` keeps quotes literally: it is no reader that we write for.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random

import pytest

from haha_config.core.edit import dotenv_text
from haha_config.core.errors import Refusal
from haha_config.core.model import Set
from tests.core.edit.test_edit_dotenv import EXPANDED, REFERENCES
from tests.e2e.processes import ReaderFailed, bun_reads, node_reads, python_dotenv_reads, sh_reads
from tests.fuzz import random_documents

Reads = Callable[[Path, Path], Mapping[str, str]]

READERS: Mapping[str, Reads] = {
    "bun": bun_reads,
    "node": node_reads,
    "python-dotenv": python_dotenv_reads,
    "sh": sh_reads,
}
KEYS = (
    *("sk-ant-api03-test_0123456789-AbCdEf_0123-AAAA", "sk-or-v1-0123456789abcdef0123456789abcdef"),
    *("sk-proj-test_0123456789", "sk-test-0123456789abcdef", "eyJhbGciOi.JIUzI1NiJ9.test-_x=="),
    *(
        "AIzaSyTest0123456789",
        "gsk_test0123456789",
        "a1b2c3d4.e5f6==",
        "test+/0123456789==",
        "ollama",
    ),
    *(
        "http://127.0.0.1:4000",
        "https://api.example.com/anthropic?region=cn&x=1",
        "3000000",
        "false",
    ),
    *("MiniMax-M2.7", "anthropic/claude-opus-4.6[1m]", "qwen3:30b-a3b", "os.environ/NAME", "a,b;c"),
)
ODD = (
    *(
        "",
        " ",
        "  two  ",
        "tab\there",
        "a #b",
        "a# b",
        "#",
        "##",
        "a$",
        "a$ b",
        "$",
        "$$",
        "$A",
        "${A}",
    ),
    *("a$b", "a$1", "a${b}c", "a$b$c", "$(id)", "`id`", "a`b", "a``b", "\\", "\\\\", "a\\", "a\\b"),
    *(
        "\\n",
        "a\\nb",
        "\\t",
        "\\$A",
        "\\\\$A",
        "a\\$",
        "a\\'b",
        'a\\"b',
        "it's",
        "''",
        "'",
        "'a'",
        '"',
    ),
    *(
        '""',
        '"a"',
        'say "x"',
        "'\"",
        "\"'",
        "'\"x",
        "a'b\"c",
        "a'$b",
        'a"$b',
        "a'\\b",
        "!x",
        "!!",
        "~",
    ),
    *(
        "~/x",
        "*",
        "?",
        "[a]",
        "{a,b}",
        "a;b",
        "a|b",
        "a&b",
        "a>b",
        "a<b",
        "(a)",
        "=",
        "==",
        "a=b",
        ":",
    ),
    *("%s", "%41", "^", "@", "é", "ü x", "日本語", "😀", "à", "\xa0", "x\xa0", "\u3000", "e\u0301"),
    *("- x", "x: y", "export A=1", "null", "true", "0", "\x01", "\x7f", "\x85", "\u2028", "\ufeff"),
)
CHARACTERS = [chr(code) for code in range(0x20, 0x7F)]
VALUES: Sequence[str] = list(
    dict.fromkeys(
        [
            *KEYS,
            *ODD,
            *CHARACTERS,
            *(char * 2 for char in CHARACTERS),
            *(f"{char}sk-test" for char in CHARACTERS),
            *(f"sk-test{char}" for char in CHARACTERS),
            *(f"sk{char}test" for char in CHARACTERS),
            *(
                "".join(Random(n).choices(string.punctuation + "a1 é", k=1 + n % 9))  # noqa: S311
                for n in range(300)
            ),
        ]
    )
)


def _writable(values: Sequence[str]) -> dict[str, str]:
    found = {}
    for number, value in enumerate(values):
        try:
            dotenv_text.form(value)
        except Refusal:
            continue
        found[f"V{number}"] = value
    return found


def _read(reads: Reads, text: str, folder: Path) -> Mapping[str, str]:
    folder.mkdir()
    file = folder / "values.env"
    file.write_bytes(text.encode())
    scratch = folder / "scratch"
    scratch.mkdir()
    return reads(file, scratch)


def _wrong(
    found: Mapping[str, str], values: Mapping[str, str]
) -> dict[str, tuple[str, str | None]]:
    return {name: (v, found.get(name)) for name, v in values.items() if found.get(name) != v}


def test_there_are_enough_values() -> None:
    written = _writable(VALUES)
    assert len(written) > 600
    assert sum(dotenv_text.form(value).portable for value in written.values()) > 400
    refused = set(VALUES) - set(written.values())
    assert refused
    assert all(sum(quote in value for quote in "'\"`") >= 2 or "\\" in value for value in refused)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "before",
    [
        "{name}=old\n",
        "export {name}='old' # note\n",
        "# no final newline{name}",
        '{name}="" # none\n',
    ],
    ids=["new", "noted", "added", "filled"],
)
def test_portable_values_read_alike(reader: str, before: str, tmp_path: Path) -> None:
    values = {n: v for n, v in _writable(VALUES).items() if dotenv_text.form(v).portable}
    lines = [
        dotenv_text.edit(before.format(name=name), [Set((name,), value)])
        for name, value in values.items()
    ]
    text = "".join(line.rstrip("\n") + "\n" for line in lines)
    assert _wrong(_read(READERS[reader], text, tmp_path / "read"), values) == {}


def test_bun_reads_every_value(tmp_path: Path) -> None:
    values = _writable(VALUES)
    text = "".join(dotenv_text.edit("", [Set((n,), value)]) for n, value in values.items())
    assert dotenv_text.read(text).data == values
    assert _wrong(_read(bun_reads, text, tmp_path / "read"), values) == {}


@pytest.mark.parametrize("reader", READERS)
def test_an_empty_value(reader: str, tmp_path: Path) -> None:
    text = dotenv_text.edit("A=1\nexport B=2 # note\n", [Set(("A",), ""), Set(("B",), "")])
    assert _wrong(_read(READERS[reader], text, tmp_path / "read"), {"A": "", "B": ""}) == {}


def test_we_read_what_bun_reads(tmp_path: Path) -> None:
    """Soups of tokens, through the real Bun and through ours."""
    compared = 0
    for number in range(400):
        text = random_documents.text("dotenv", Random(number))  # noqa: S311
        document = dotenv_text.read(text)
        if any(binding.live for binding in document.bindings) or "\0" in text:
            continue
        found = _read(bun_reads, text, tmp_path / str(number))
        assert {name: found.get(name) for name in document.data} == document.data, text
        assert {"A", "B", "C"} & found.keys() <= document.data.keys(), text
        compared += 1
    assert compared > 250


def test_what_node_python_and_sh_make_of_a_dialect(tmp_path: Path) -> None:
    """Every value without the `dialect` oddity reads the same in all four."""
    lines = ["A=a#b", "A='$B'", "A=a b", "A = a", "A: a", 'A="a\\nb"', "A=`a`", "A=$B"]
    for number, line in enumerate(lines):
        document = dotenv_text.read(line + "\n")
        assert [o.kind for o in document.oddities] == ["dialect"]
        seen: set[str | None] = set()
        for name, reads in READERS.items():
            try:
                found = _read(reads, line + "\n", tmp_path / f"{number}-{name}")
            except ReaderFailed:
                seen.add(None)
            else:
                seen.add(found.get("A"))
        assert len(seen) > 1, line


def test_bun_replaces_references_as_we_say(tmp_path: Path) -> None:
    file, scratch = tmp_path / ".env", tmp_path / "scratch"
    file.write_text(REFERENCES, encoding="utf-8")
    scratch.mkdir()
    exported = {"EXPORTED": "exp", "BOTH": "shell"}
    read = bun_reads(file, scratch, exported)
    # What is exported stays: the file never replaces it.
    assert {name: read[name] for name in EXPANDED} == {**EXPANDED, "BOTH": "shell"}
