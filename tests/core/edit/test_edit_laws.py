"""The four laws over generated files, whose every part knows whose it is."""

from __future__ import annotations

import json
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haha_config.core.edit import dotenv_text, json_text, yaml_text
from haha_config.core.edit.text import changed, same
from haha_config.core.errors import Refusal
from haha_config.core.model import Change, Remove, Set

LAWS = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
#: A part of a file, and the entry it belongs to.
Part = tuple[str, str | None]

ENDS = st.sampled_from(["\n", "\r\n", "\n"])
NAMES = st.lists(st.sampled_from([f"K{n}" for n in range(12)]), unique=True, max_size=6)
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\n\r"), max_size=12
) | st.sampled_from(["", "sk-test-0123456789abcdef", "a#b", "a # b", "yes", "$A", "- x", "a: b"])


def _split(parts: list[Part], name: str) -> tuple[str, str]:
    """What stands before and after the entry."""
    at = [owner for _, owner in parts].index(name)
    return "".join(t for t, _ in parts[:at]), "".join(t for t, _ in parts[at + 1 :])


def _hold(editor: Any, text: str, change: Change, oracle: Any) -> str | None:
    """Laws 1 and 2; None where the editor refused, as law 4 wants, with a place."""
    assert editor.edit(text, []) == text
    try:
        after: str = editor.edit(text, [change])
    except Refusal as refusal:
        if refusal.place is None or refusal.place.line is None:
            raise AssertionError("a refusal without a place") from refusal
        return None
    assert editor.edit(after, [change]) == after
    assert same(oracle(after), changed(oracle(text), [change]))
    return after


# --- .env ------------------------------------------------------------------------------------


@st.composite
def dotenv_files(draw: st.DrawFn) -> tuple[list[Part], list[str]]:
    end, names = draw(ENDS), draw(NAMES)
    parts: list[Part] = [("\ufeff", None)] if draw(st.booleans()) else []
    for name in names:
        for line in draw(
            st.lists(st.sampled_from(["", "# é don't", "  #A=1", "bad line"]), max_size=2)
        ):
            parts.append((line + end, None))
        value = draw(
            st.sampled_from(["", "x", "'a b'", '"it\'s"', "`q`", f"'m{end}n'", "é", "a$b"])
        )
        sep = draw(st.sampled_from(["=", " = ", ": ", "=\t"]))
        lead = draw(st.sampled_from(["", "export ", "  ", "export\t"]))
        note = draw(st.sampled_from(["", " # note", "  "]))
        parts.append((f"{lead}{name}{sep}{value}{note}{end}", name))
    if parts and draw(st.booleans()):
        text, owner = parts[-1]
        parts[-1] = (text.removesuffix(end), owner)
    return parts, names


@LAWS
@given(dotenv_files(), TEXTS, st.data())
def test_dotenv_sets(file: tuple[list[Part], list[str]], value: str, data: st.DataObject) -> None:
    parts, names = file
    name = data.draw(st.sampled_from([*names, "NEW"]))
    text = "".join(part for part, _ in parts)
    after = _hold(dotenv_text, text, Set((name,), value), lambda t: dotenv_text.read(t).data)
    if after is None:
        return
    before, behind = _split(parts, name) if name in names else (text, "")
    assert after.startswith(before)
    assert after.endswith(behind)


@LAWS
@given(dotenv_files(), st.data())
def test_dotenv_removes(file: tuple[list[Part], list[str]], data: st.DataObject) -> None:
    parts, names = file
    name = data.draw(st.sampled_from([*names, "NONE"]))
    text = "".join(part for part, _ in parts)
    after = _hold(dotenv_text, text, Remove((name,)), lambda t: dotenv_text.read(t).data)
    assert after is not None
    before, behind = _split(parts, name) if name in names else (text, "")
    unended = before.removesuffix("\n").removesuffix("\r")
    assert after == before + behind or (not behind and after == unended)


@LAWS
@given(dotenv_files(), TEXTS)
def test_dotenv_taken_back(file: tuple[list[Part], list[str]], value: str) -> None:
    """An addition and its removal leave the old bytes."""
    text = "".join(part for part, _ in file[0])
    try:
        added = dotenv_text.edit(text, [Set(("NEW",), value)])
    except Refusal:
        return
    if text.removeprefix("\ufeff"):
        assert dotenv_text.edit(added, [Remove(("NEW",))]) == text


# --- JSON ------------------------------------------------------------------------------------

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
SPACE = st.sampled_from(["", " ", "\n", "\n  ", "\r\n\t", "  \n\n    "])


@st.composite
def json_files(draw: st.DrawFn) -> tuple[list[Part], list[str]]:
    names = draw(NAMES)
    parts: list[Part] = [(draw(st.sampled_from(["", "\ufeff"])) + draw(SPACE) + "{", None)]
    lead, trail = draw(SPACE), draw(SPACE)
    for number, name in enumerate(names):
        if number:
            parts.append((",", None))
        indent = draw(st.sampled_from([None, 1, 4, "\t"]))
        value = json.dumps(draw(JSON_VALUES), ensure_ascii=draw(st.booleans()), indent=indent)
        parts.append((f'{lead}"{name}"{draw(SPACE)}:{draw(SPACE)}{value}', name))
    parts.append((trail + "}" + draw(SPACE), None))
    return parts, names


def _json(text: str) -> Any:
    return json.loads(text.removeprefix("\ufeff"))


@LAWS
@given(json_files(), JSON_VALUES, st.data())
def test_json_sets(file: tuple[list[Part], list[str]], value: Any, data: st.DataObject) -> None:
    parts, names = file
    name = data.draw(st.sampled_from([*names, "new"]))
    text = "".join(part for part, _ in parts)
    after = _hold(json_text, text, Set((name,), value), _json)
    assert after is not None
    if name in names:
        before, behind = _split(parts, name)
        assert after.startswith(before)
        assert after.endswith(behind)
    elif names:
        assert after.startswith("".join(part for part, _ in parts[:-1]))
        assert after.endswith(parts[-1][0])
        assert json_text.edit(after, [Remove(("new",))]) == text


@LAWS
@given(json_files(), st.data())
def test_json_removes(file: tuple[list[Part], list[str]], data: st.DataObject) -> None:
    parts, names = file
    name = data.draw(st.sampled_from([*names, "none"]))
    text = "".join(part for part, _ in parts)
    after = _hold(json_text, text, Remove((name,)), _json)
    assert after is not None
    if name in names:
        before, behind = _split(parts, name)
        if len(names) > 1:
            wanted = before + behind.removeprefix(",")
            assert after in (wanted, before.removesuffix(",") + behind)


@LAWS
@given(json_files(), TEXTS)
def test_json_reaches_into_env(file: tuple[list[Part], list[str]], value: str) -> None:
    text = "".join(part for part, _ in file[0])
    after = _hold(json_text, text, Set(("env", "A"), value), _json)
    assert after is not None
    assert _hold(json_text, after, Set(("env", "B"), value), _json) is not None


# --- YAML ------------------------------------------------------------------------------------

YAML_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
YAML_ENTRIES = st.sampled_from(
    [
        *(
            "{k}:{e}",
            "{k}: 1 # note{e}",
            "{k}: 'q''s'{e}",
            '{k}: "d\\t"{e}',
            "{k}:   plain text{e}",
        ),
        *("{k}: |{e}  one{e}{e}  two{e}", "{k}: >-{e}  one{e}  two{e}", "{k}: |2{e}    in{e}"),
        *(
            "{k}: {{a: 1, b: [x, 'y']}} # f{e}",
            "{k}: []{e}",
            "{k}: {{}}{e}",
            "{k}: [{e}  1, # n{e}  2]{e}",
        ),
        *("{k}:{e}  a: 1{e}  # in{e}  b:{e}    c: é{e}", "{k}:{e}- 1{e}- a: 1{e}  b: 2{e}-{e}"),
        *(
            "{k}:{e}    - name: x{e}      v: 1{e}{e}    - name: y{e}",
            "? {k}{e}: 1{e}",
            "'{k}': 2{e}",
        ),
        *(
            "{k}: !!str 1{e}",
            "{k}: &{k} 1{e}",
            "{k}: multi{e}  line{e}",
            "{k}:{e}  - - 1{e}    - 2{e}",
        ),
    ]
)


@st.composite
def yaml_files(draw: st.DrawFn) -> tuple[list[Part], list[str]]:
    end, names = draw(ENDS), draw(NAMES)
    parts: list[Part] = []
    if draw(st.booleans()):
        parts.append(
            (draw(st.sampled_from(["\ufeff", "---{e}", "# top\t{e}", "{e}"])).format(e=end), None)
        )
    for name in names:
        entry = draw(YAML_ENTRIES).format(k=name, e=end)
        parts.append((entry, name))
        # An indented one would be text of a block scalar, not a comment.
        kinds = ["# é", "", "#"] if "|" in entry or ">" in entry else ["# é", "  # off: 1", "", "#"]
        notes = draw(st.lists(st.sampled_from(kinds), max_size=2))
        parts += [(note + end, None) for note in notes]
    return parts, names


@LAWS
@given(yaml_files(), YAML_VALUES, st.data())
def test_yaml_sets(file: tuple[list[Part], list[str]], value: Any, data: st.DataObject) -> None:
    parts, names = file
    name = data.draw(st.sampled_from([*names, "new"]))
    text = "".join(part for part, _ in parts)
    after = _hold(yaml_text, text, Set((name,), value), _yaml)
    if after is None:
        return
    if name in names:
        before, behind = _split(parts, name)
        assert after.startswith(before)
        assert after.endswith(behind)
    else:
        assert _without_one_run(text, after)


@LAWS
@given(yaml_files(), st.data())
def test_yaml_removes(file: tuple[list[Part], list[str]], data: st.DataObject) -> None:
    parts, names = file
    name = data.draw(st.sampled_from([*names, "none"]))
    text = "".join(part for part, _ in parts)
    after = _hold(yaml_text, text, Remove((name,)), _yaml)
    if after is not None and name in names:
        before, behind = _split(parts, name)
        assert after.startswith(before)
        assert after.endswith(behind)
        assert not after[len(before) : len(after) - len(behind)].strip()


@LAWS
@given(yaml_files(), TEXTS)
def test_yaml_reaches_deep(file: tuple[list[Part], list[str]], value: str) -> None:
    text = "".join(part for part, _ in file[0])
    after = _hold(yaml_text, text, Set(("settings", "a"), value), _yaml)
    if after is not None:
        assert _hold(yaml_text, after, Set(("settings", "b"), value), _yaml) is not None
        assert _without_one_run(text, after)


def _yaml(text: str) -> Any:
    return yaml.safe_load(text) or {}


def _without_one_run(text: str, after: str) -> bool:
    """Is `after` the old text with one piece put in?"""
    ahead = next(
        (i for i, (a, b) in enumerate(zip(text, after, strict=False)) if a != b), len(text)
    )
    return after.endswith(text[ahead:])
