"""Whatever a write did and whoever wrote after it: undo gives back ours and keeps theirs."""

from __future__ import annotations

import json
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from haha_config.core.change.undo import reverse
from haha_config.core.edit.formats import edit, read
from haha_config.core.model import Change, Format, Item, Remove, Set, Write

VALUES = st.sampled_from(["1", "2", "three", "sk-test-0123456789abcdef", "http://127.0.0.1:4000"])
OURS = ("A", "B", "C", "D")
THEIRS = ("X", "Y", "Z")
KINDS: st.SearchStrategy[Format] = st.sampled_from(["json", "yaml", "dotenv"])


def path_of(kind: Format, name: str) -> tuple[str, ...]:
    return (name,) if kind == "dotenv" else ("env", name)


@st.composite
def starts(draw: st.DrawFn, kind: Format) -> str | None:
    """A file as it was before us: missing, without our table, or with entries of everybody."""
    entries = draw(st.dictionaries(st.sampled_from(OURS + THEIRS), VALUES, max_size=5))
    if kind == "dotenv":
        lines = ["# mine", *(f"{name}={value}" for name, value in entries.items())]
        return draw(st.sampled_from([None, "\n".join(lines) + "\n"]))
    data: dict[str, Any] = {"theme": "dark"}
    if draw(st.booleans()):
        data["env"] = entries
    text = json.dumps(data, indent=2) if kind == "json" else yaml.safe_dump(data, sort_keys=False)
    return draw(st.sampled_from([None, text]))


def changes(kind: Format, names: tuple[str, ...]) -> st.SearchStrategy[list[Change]]:
    one = st.builds(
        lambda name, value: (
            Remove(path_of(kind, name)) if value is None else Set(path_of(kind, name), value)
        ),
        st.sampled_from(names),
        st.none() | VALUES,
    )
    return st.lists(one, max_size=5)


def data_of(kind: Format, content: bytes | None) -> dict[str, Any]:
    """Everything but tables that are empty: an empty table says nothing."""
    data = dict(read(kind, (content or b"").decode()).data)
    return {key: value for key, value in data.items() if value not in ({}, None)}


@given(st.data())
def test_ours_goes_and_theirs_stays(data: st.DataObject) -> None:
    kind = data.draw(KINDS)
    before = data.draw(starts(kind))
    ours = data.draw(changes(kind, OURS))
    theirs = data.draw(changes(kind, THEIRS))
    write = Write(
        path="/x",
        format=kind,
        before=None if before is None else before.encode(),
        after=edit(kind, before or "", ours).encode(),
        changes=tuple(ours),
    )
    now = edit(kind, (write.after or b"").decode(), theirs).encode()
    back = reverse(write, now)
    assert back.before == now
    if now == write.after:
        assert back.after == write.before
    assert data_of(kind, back.after) == data_of(kind, edit(kind, before or "", theirs).encode())

    again = reverse(back, back.after)
    assert again.after == now

    more = edit(kind, (back.after or b"").decode(), [Set(path_of(kind, "LATER"), "1")])
    forth = reverse(back, more.encode())
    wanted = edit(kind, now.decode(), [Set(path_of(kind, "LATER"), "1")])
    assert data_of(kind, forth.after) == data_of(kind, wanted.encode())


ENTRY = st.builds(
    lambda name, model: (name, {"model_name": name, "litellm_params": {"model": model}}),
    st.sampled_from(["gpt", "local", "other"]),
    st.sampled_from(["openai/a", "ollama_chat/b"]),
)


@given(st.lists(ENTRY, max_size=3, unique_by=lambda e: e[0]), ENTRY)
def test_an_entry_of_a_list(held: list[tuple[str, Any]], entry: tuple[str, Any]) -> None:
    before = yaml.safe_dump({"model_list": [e for _, e in held]}, sort_keys=False)
    change = Set(("model_list", Item("model_name", entry[0])), entry[1])
    after = edit("yaml", before, [change])
    write = Write(
        path="/x",
        format="yaml",
        before=before.encode(),
        after=after.encode(),
        changes=(change,),
    )
    theirs = [Set(("general_settings", "port"), 1)]
    back = reverse(write, edit("yaml", after, theirs).encode())
    wanted = edit("yaml", before, theirs)
    assert data_of("yaml", back.after) == data_of("yaml", wanted.encode())
