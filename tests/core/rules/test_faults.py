"""A hundred set-ups with one to four faults: `--fix` and each hint once mend nearly all of them."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec.structs import replace

from haha_config.core import rules
from haha_config.core import variables as v
from haha_config.core.model import SLOTS, Finding, Set
from haha_config.core.rules.fix import fixed
from haha_config.core.rules.rule import targets
from haha_config.core.state.state import State
from haha_config.io.i18n import english
from tests.core.rules.example import load, words
from tests.core.rules.faults import SetUp, broken, direct, through_gateway
from tests.core.rules.test_hints import edited, follower

HUNDRED = 100


def whole(number: int) -> SetUp:
    """Four kinds of set-ups in turn: both routes, both clients."""
    haha = number % 2 == 1
    if number % 4 < 2:
        return direct("https://api.deepseek.com/anthropic", haha=haha)
    return through_gateway(4000, "https://llm.example.com/v1", haha=haha)


def read(made: SetUp, folder: Path) -> State:
    made.write(folder / "home", folder)
    state = load(folder)
    return replace(state, client=made.client, environ=dict(made.exported))


def switched(state: State, hint: str) -> State:
    """What `switch-model` does, in the files that hold the slots."""
    pairs = dict(re.findall(r"--slot '?(\w+)=([^\s']+)'?", hint))
    main = re.match(r"haha-config switch-model '?([^-\s'][^\s']*)'?", hint)
    if main:
        old = state.slots.get("main")
        held = [slot for slot, model in state.slots.items() if model == old]
        pairs = dict.fromkeys({"main", *(SLOTS if "--all" in hint else held)}, main[1])
    for holder in targets(state):
        changes = [Set((*holder.root, SLOTS[slot]), model) for slot, model in pairs.items()]  # type: ignore[index]
        state = edited(state, holder.file.path, *changes)
    return state


def hinted(state: State, finding: Finding) -> State:
    hint = english(finding.hint) if finding.hint else ""
    if hint.startswith("haha-config switch-model"):
        return switched(state, hint)
    found = follower(finding)
    return state if found is None else found[0](state, finding, found[1])


def mended(state: State) -> State:
    """`--fix`, then each hint that is left, once."""
    state = fixed(state).state
    for finding in rules.run(state):
        if finding in rules.run(state):
            state = hinted(state, finding)
    return state


def right(state: State, wanted: SetUp) -> bool:
    """Whether the client calls what it is to call, with its key, and no rule finds an error."""
    errors = [f for f in rules.run(state) if f.severity == "error"]
    expected = wanted.variables
    same = all(state.value(n) == expected[n] for n in (v.BASE_URL, v.AUTH_TOKEN))
    return not errors and same and set(state.slots.values()) == {expected[SLOTS["main"]]}


def test_a_hundred_set_ups_with_faults_are_mended(tmp_path: Path) -> None:
    left = {}
    for number in range(HUNDRED):
        made = broken(whole(number), number)
        state = read(made, tmp_path / str(number))
        assert rules.run(state) != [], made.faults
        after = mended(state)
        if not right(after, whole(number)):
            left[made.faults] = words(rules.run(after))
    assert len(left) <= HUNDRED // 10, left
