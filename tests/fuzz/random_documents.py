"""Inputs that no person would write, and mutations of some that people do."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from haha_config.core.model import Change, Data, Item, Path, Remove, Set

TOKENS: dict[str, Sequence[str]] = {
    "dotenv": (
        *("A", "B", "C", "export ", "export", "=", "=", "=", ": ", ":", " ", "\t", "\n", "\n"),
        *("\r\n", "\r", '"', "'", "`", "\\", "$", "$A", "${B}", "#", " # c", "x", "é", "😀"),
        *("\v", "\ufeff", "\\n", "\\$", "\x00", "\u2028", "A=1\n", "B='x y'\n", 'C="m\nn"\n'),
    ),
    "json": (
        *("{", "}", "[", "]", ",", ":", '"a"', '"b"', '"env"', '"A"', '"env":{', '"a":', "1"),
        *("-0.5e3", "true", "null", "NaN", '""', '"\\u00e9"', '"\\ud83d"', '"\\ude00"', '"é😀"'),
        *(" ", "\n", "\t", "\r\n", "\ufeff", "//c\n", "/*c*/", '"', "\\", "\x00", "'", '"A":"1"'),
    ),
    "yaml": (
        *("a", "b", "c", "env", "- ", "-", ": ", ":", "\n", "\n", "\n  ", "\n    ", "\r\n", "\r"),
        *("{", "}", "[", "]", ", ", " # c", "#", "|", "|-", "|+", ">", "> ", "? ", "&x ", "*x"),
        *("<<: *x", "!!str ", "!t ", "---\n", "...\n", "'", '"', "\t", "\ufeff", "\x85", "\u2028"),
        *("~", "null", "1", "0x1f", "yes", "2024-01-01", "é😀", "%YAML 1.1\n", "a: 1\n", "b:\n"),
        *("- name: x\n", "  name: y\n", "list:\n", "- v: 1\n", "\\", "`", "@", "=", "1:30", ".nan"),
    ),
}

SEEDS: dict[str, Sequence[str]] = {
    "dotenv": (
        "# my keys\nexport A=sk-test-0123 # note\nB='two words'\n\nC=\"line\nbreak\"\nA=again\n",
        "A = spaced\r\nB: yaml\r\n# C=off\r\nC=`b`\r\n",
        "\ufeffA=has#hash\nB=$A-${C:-d}\nC=\\$x",
    ),
    "json": (
        '{\n  "a": 1,\n  "env": {\n    "A": "1",\n    "B": "é"\n  },\n  "b": [1, {"A": 2}]\n}\n',
        '{\r\n\t"env": {},\r\n\t"b": {"b": {"b": null}}\r\n}',
        '\ufeff{"env":{"A":"1"},"a":"\\u00e9"}',
        '{ "a" : 1 , "b" : [ ] , "a" : 2 }',
    ),
    "yaml": (
        "# top\na: 1 # one\nlist:\n  # first\n  - name: x\n    v: {k: 1}\n\n"
        "  - name: y\n# end\nb: c\n",
        "list:\n- name: x\n  v: |\n    text\n\n- {name: y, v: [1, 2]}\n"
        "env:\n    a: 'q'\n    b: \"d\"\n",
        '{"list": [{"name": "x"}], "env": {"a": 1}}\n',
        "a: &x {b: 1}\nb: *x\nc:\n  <<: *x\n  b: 2\nlist:\r\n",
        "---\nenv:\n  a:\n  # off\n  # b: 1\nc: >-\n  folded\n  text\n...\n",
    ),
}

_TEXTS: Sequence[str] = (
    *("1", "", "x", "two words", "has#hash", "a # b", "it's", 'say "x"', "a$b", "$A", "\\$", "é"),
    *("sk-or-v1-0123456789abcdef", "os.environ/NAME", "http://127.0.0.1:4000", "`", "'\"", "'\"`"),
    *("yes", "null", "0x1f", "1:30", "2024-01-01", "~", "- x", "a: b", "{", "[x", "&a", "*a", "!t"),
    *(
        "|",
        ">",
        "%",
        "@",
        "tab\there",
        "\x7f",
        "\x85",
        "\u2028",
        "\ufeff",
        "😀",
        "a\\",
        "line\nend",
    ),
    *(" lead", "trail ", "#", "\x00", "<<", "=", "a:", ":a", "-", "---", "...", "?", "\ud800"),
)


def text(name: str, random: Random) -> str:
    """A soup of tokens, or a seed with some of it cut, doubled, moved or replaced."""
    tokens = TOKENS[name]
    if random.randrange(10) < 3:
        return "".join(random.choice(tokens) for _ in range(random.randint(0, 16)))
    result = random.choice(SEEDS[name])
    for _ in range(random.choice((0, 0, 1, 1, 2, 4))):
        start = random.randint(0, len(result))
        end = min(len(result), start + random.choice((0, 0, 1, 1, 2, 5, 20)))
        middle = random.choice(("", random.choice(tokens), result[start:end] * 2))
        result = result[:start] + middle + result[end:]
    return result


def changes(name: str, random: Random) -> list[Change]:
    return [_change(name, random) for _ in range(random.choice((1, 1, 1, 2, 3, 6)))]


def _change(name: str, random: Random) -> Change:
    path = _path(name, random)
    if random.randrange(20) < 7:
        return Remove(path)
    return Set(path, _value(name, random, 2))


def _path(name: str, random: Random) -> Path:
    if name == "dotenv":
        return (random.choice(("A", "B", "C", "NEW", "export", "a.b")),)
    keys = random.choices(("a", "b", "env", "A", "c"), k=random.choice((1, 1, 2, 2, 3)))
    if name == "yaml" and random.randrange(2):
        also = random.choice(((), (), ("a", "x"), ("env", "b", "y")))
        item = Item("name", random.choice(("x", "y", "new", None)), also)
        return ("list", item, *keys[: random.choice((0, 0, 1, 2))])
    return tuple(keys)


def _value(name: str, random: Random, depth: int) -> Data:
    if name == "dotenv":
        if random.randrange(2):
            return random.choice(_TEXTS)
        return "".join(random.choice("ab $#'\"`\\\té") for _ in range(random.randint(0, 5)))
    kind = random.randrange(20)
    if depth and kind < 3:
        keys = ("name", "a", "b", random.choice(_TEXTS))
        return {random.choice(keys): _value(name, random, depth - 1) for _ in range(2)}
    if depth and kind < 5:
        return [_value(name, random, depth - 1) for _ in range(random.randint(0, 2))]
    if kind < 8:
        return random.choice((None, True, False, 0, -7, 1.5, 1e20))
    return random.choice(_TEXTS)
