"""Whoever does what a hint says is rid of the finding, and nothing else is broken by it.

Each hint of each failing example is followed to the letter, on the State. What only a person can
do (paste a key, ask an administrator, start a program) is not followed here; what a command of
ours does is followed in tests/cli/test_hints.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from haha_config.core import rules
from haha_config.core.edit.formats import edit
from haha_config.core.model import Change, Finding, Place, Remove, Set
from haha_config.core.rules.fix import files, fixed
from haha_config.core.state.file import File, parse
from haha_config.core.state.state import State
from haha_config.io.i18n import english
from tests.core.rules.example import failing, load, words

KEY = "sk-0123456789abcdef0123456789abcdef"
Follow = Callable[[State, Finding, re.Match[str]], State]


# --- what hands do to files -------------------------------------------------------------------


def exchanged(state: State, new: File) -> State:
    settings = {n: new if f.path == new.path else f for n, f in state.settings.items()}
    names = ("dotenv", "litellm", "litellm_env")
    others = {n: new for n in names if getattr(state, n).path == new.path}
    return replace(state, settings=settings, **others)


def file_at(state: State, path: str) -> File:
    return next(f for f in files(state) if f.path == path)


def rewritten(state: State, file: File, text: str) -> State:
    snapshot = replace(file.snapshot, data=text.encode(), mode=file.snapshot.mode or 0o600)
    return exchanged(state, parse(snapshot, file.format))


def edited(state: State, path: str, *changes: Change) -> State:
    file = file_at(state, path)
    return rewritten(state, file, edit(file.format, file.text, changes))


def line_of(state: State, place: Place) -> str:
    return file_at(state, place.path).text.splitlines()[(place.line or 1) - 1]


def with_line(state: State, place: Place, line: str | None) -> State:
    file = file_at(state, place.path)
    lines = file.text.splitlines(keepends=True)
    at = (place.line or 1) - 1
    lines[at : at + 1] = [] if line is None else [f"{line}\n"]
    return rewritten(state, file, "".join(lines))


def variable(state: State, place: Place) -> str:
    """The variable that is set in this line."""
    found = re.search(r'^\s*"?(?:export )?([A-Za-z_]\w*)"?\s*[=:]', line_of(state, place))
    assert found
    return found[1]


def path_of(state: State, path: str, name: str) -> tuple[str, ...]:
    return ("env", name) if file_at(state, path).format == "json" else (name,)


def set_variable(state: State, path: str, name: str, value: str) -> State:
    return edited(state, path, Set(path_of(state, path, name), value))


def set_here(state: State, finding: Finding, value: str) -> State:
    """The value of this line, whatever kind of file it is in."""
    place = finding.place
    if file_at(state, place.path).format == "yaml":
        head, colon, _ = line_of(state, place).partition(": ")
        return with_line(state, place, f"{head}{colon}{value}")
    return set_variable(state, place.path, variable(state, place), value)


def take_out(state: State, finding: Finding, _match: re.Match[str]) -> State:
    place = finding.place
    name = variable(state, place)
    return edited(state, place.path, Remove(path_of(state, place.path, name)))


def named(state: State, finding: Finding, match: re.Match[str]) -> State:
    """`did you mean NAME?`, for a key of a file."""
    place = finding.place
    line = line_of(state, place)
    return with_line(state, place, re.sub(r"[A-Za-z_]\w*", match[1], line, count=1))


def private(state: State, path: str) -> State:
    file = file_at(state, path)
    return exchanged(state, replace(file, snapshot=replace(file.snapshot, mode=0o600)))


def untracked(state: State, path: str) -> State:
    file = file_at(state, path)
    return exchanged(state, replace(file, snapshot=replace(file.snapshot, tracked=False)))


def without(state: State, name: str) -> State:
    return replace(state, environ={n: x for n, x in state.environ.items() if n != name})


def below(state: State, finding: Finding, line: str) -> State:
    """A line of the same indent below this one."""
    here = line_of(state, finding.place)
    indent = here[: len(here) - len(here.lstrip(" "))]
    return with_line(state, finding.place, f"{here}\n{indent}{line}")


FOLLOW: dict[str, Follow] = {
    r"haha-config validate --fix": lambda s, f, m: fixed(s).state,  # noqa: ARG005
    r"unset (\w+)": lambda s, f, m: without(s, m[1]),  # noqa: ARG005
    r"export (\w+)=(\S+)": lambda s, f, m: replace(  # noqa: ARG005
        s, environ={**s.environ, m[1]: m[2]}
    ),
    r"chmod 600 (\S+)": lambda s, f, m: private(s, m[1]),  # noqa: ARG005
    r"git rm --cached (\S+)": lambda s, f, m: untracked(s, m[1]),  # noqa: ARG005
    r"delete line (\d+)": lambda s, f, m: with_line(s, replace(f.place, line=int(m[1])), None),
    r"take (?:that|the) line out(?:$|[:,] ).*": take_out,
    r"delete one of the two": take_out,
    r"delete that header": take_out,
    r"add (\w+)=(\S+) to (\S+)": lambda s, f, m: set_variable(s, m[3], m[1], m[2]),  # noqa: ARG005
    r"add a line (\w+)=YOUR-KEY to (\S+)": lambda s, f, m: set_variable(  # noqa: ARG005
        s, m[2], m[1], KEY
    ),
    r"add api_base: (\S+)": lambda s, f, m: below(s, f, f"api_base: {m[1]}"),
    r"write NAME=value, or put a `#` before it": lambda s, f, m: with_line(  # noqa: ARG005
        s, f.place, f"# {line_of(s, f.place)}"
    ),
    r"rename it to (\w+)": named,
    r"did you mean `(\w+)`\?": named,
    r"write (?!NAME=)\w+=([\w.:/-]+)(?:, .*)?": lambda s, f, m: set_here(s, f, m[1]),
    r'write "\w+": "(.*)"': lambda s, f, m: set_here(s, f, m[1]),
    r"write (https?://[^\s,]+)(?:, if it answers)?": lambda s, f, m: set_here(s, f, m[1]),
    r"write model: (\S+)": lambda s, f, m: set_here(s, f, m[1]),
    r"write all digits, like (\d+)": lambda s, f, m: set_here(s, f, m[1]),
    r"the URL for this key is (\S+)": lambda s, f, m: set_variable(
        s, f.place.path, "ANTHROPIC_BASE_URL", m[1]
    ),
    r"paste the key again, on one line": lambda s, f, m: set_here(s, f, KEY),  # noqa: ARG005
}


def follower(finding: Finding) -> tuple[Follow, re.Match[str]] | None:
    hint = english(finding.hint) if finding.hint else ""
    if finding.place.path.endswith(".md"):  # an agent's file, which the State does not hold
        return None
    for text, follow in FOLLOW.items():
        if match := re.fullmatch(text, hint):
            return follow, match
    return None


def findings(state: State, code: str) -> list[Finding]:
    return rules.run(state, select=[code])


def same(one: Finding, other: Finding) -> bool:
    """The same finding, wherever its line is now."""
    return (one.code, one.place.path, english(one.what)) == (
        other.code,
        other.place.path,
        english(other.what),
    )


def followed() -> Iterator[tuple[Path, int]]:
    for folder in failing():
        for number, finding in enumerate(findings(load(folder), folder.parent.name)):
            if follower(finding) is not None:
                yield folder, number


CASES = list(followed())
#: Hints of which each rids of a half: the next round of findings names the other half.
IN_TWO_STEPS = {"KEY008/fail-committed"}


def test_most_hints_can_be_followed_here() -> None:
    assert len(CASES) > 100


@pytest.mark.parametrize(
    ("folder", "number"), CASES, ids=[f"{f.parent.name}-{f.name}-{n}" for f, n in CASES]
)
def test_a_hint_that_is_followed_mends(folder: Path, number: int) -> None:
    before = load(folder)
    code = folder.parent.name
    finding = findings(before, code)[number]
    found = follower(finding)
    assert found is not None
    after = found[0](before, finding, found[1])
    left = [f for f in findings(after, code) if same(f, finding)]
    if f"{code}/{folder.name}" not in IN_TWO_STEPS:
        assert left == [], words(left)
    known = {(f.code, f.place.path) for f in rules.run(before) if f.severity == "error"}
    broken = [
        f for f in rules.run(after) if f.severity == "error" and (f.code, f.place.path) not in known
    ]
    assert broken == [], words(broken)
