"""Killed at any file operation: all files old or all new, nothing lying about, and it is said."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from haha_config.io import disk
from haha_config.io.i18n import english
from tests.io.disk.child import child, killer
from tests.io.disk.fixture_dir import NEW, OLD, Bed, make, write_plan


def steps(bed: Bed, old: dict[str, bytes], new: dict[str, bytes]) -> list[str]:
    """What an undisturbed run does, one name a file operation."""
    seen: list[str] = []
    write_plan(bed.plan(old, new), state=bed.state, command="init", fault=seen.append)
    return seen


def finished(said: disk.Recovered) -> bool:
    return "finished now" in english(said.message)


def start_over(bed: Bed, old: dict[str, bytes]) -> None:
    shutil.rmtree(bed.folder)
    shutil.rmtree(bed.state, ignore_errors=True)
    bed.folder.mkdir()
    for name, data in old.items():
        bed.path(name).write_bytes(data)


MOVES = {
    "three existing files": (OLD, NEW),
    "three new files": ({}, NEW),
    "three files taken away": (OLD, {}),
    "one new, one changed, one taken away": (
        {k: OLD[k] for k in (".env", "litellm_config.yaml")},
        {k: NEW[k] for k in (".env", "settings.json")},
    ),
}


@pytest.mark.parametrize(("old", "new"), MOVES.values(), ids=MOVES)
@pytest.mark.parametrize("then", ["recover", "write again"])
def test_killed_at_every_step(
    memory: Path, old: dict[str, bytes], new: dict[str, bytes], then: str
) -> None:
    bed = make(memory)
    start_over(bed, old)
    every = steps(bed, old, new)
    assert any(step.startswith(("exchange", "create", "take away")) for step in every)
    results = set()
    for at, step in enumerate(every):
        start_over(bed, old)
        code = child(
            lambda at=at: write_plan(
                bed.plan(old, new), state=bed.state, command="init", fault=killer(at)
            )
        )
        assert code == -signal.SIGKILL, step
        open_before = bool(disk.pending(bed.state))
        said: list[disk.Recovered] = []
        if then == "recover":
            said += disk.recover_alone(bed.state)
            assert bed.contents() in (old, new), step
        else:
            disk.transact(
                lambda: bed.fresh_plan(NEW),
                state=bed.state,
                command="switch-model",
                recovered=said.append,
            )
            assert bed.contents() == NEW, step
        assert bed.stray() == [], step
        assert not (bed.state / "open").exists() or not list((bed.state / "open").iterdir()), step
        assert bool(said) == open_before, step
        for one in said:
            assert "`init` was interrupted" in english(one.message), step
            results.add(finished(one))
            if then == "recover":
                assert bed.contents() == (new if finished(one) else old), step
    assert results == {True, False}


def test_nothing_is_left_of_what_never_began(memory: Path) -> None:
    bed = make(memory)
    for at in range(4):
        code = child(
            lambda at=at: write_plan(bed.plan(), state=bed.state, command="init", fault=killer(at))
        )
        assert code == -signal.SIGKILL
        assert not disk.pending(bed.state)
    assert disk.recover_alone(bed.state) == []
    assert list((bed.state / "open").iterdir()) == []
    assert bed.contents() == OLD


def test_the_client_wrote_between_the_kill_and_the_recovery(memory: Path) -> None:
    """Two renamed, one not; the client rewrites one of the new ones: finished, its bytes kept."""
    bed = make(memory)
    every = steps(bed, OLD, NEW)
    at = next(i for i, s in enumerate(every) if s.startswith("exchange") and "litellm" in s)
    start_over(bed, OLD)
    child(lambda: write_plan(bed.plan(), state=bed.state, command="init", fault=killer(at)))
    theirs = NEW["settings.json"] + b"\n\n"
    bed.path("settings.json").write_bytes(theirs)
    (said,) = disk.recover_alone(bed.state)
    assert finished(said)
    assert bed.contents() == {**NEW, "settings.json": theirs}
    assert bed.stray() == []


def test_the_person_edited_a_file_that_was_not_reached(memory: Path) -> None:
    """One renamed, two not; one of those is changed by hand: taken back, the change kept."""
    bed = make(memory)
    every = steps(bed, OLD, NEW)
    at = next(i for i, s in enumerate(every) if s.startswith("exchange") and "settings" in s)
    start_over(bed, OLD)
    child(lambda: write_plan(bed.plan(), state=bed.state, command="init", fault=killer(at)))
    assert bed.path(".env").read_bytes() == NEW[".env"]
    bed.path("litellm_config.yaml").write_bytes(b"model_list: [] # by hand\n")
    (said,) = disk.recover_alone(bed.state)
    assert not finished(said)
    assert bed.contents() == {**OLD, "litellm_config.yaml": b"model_list: [] # by hand\n"}
    assert bed.stray() == []


def test_killed_between_an_exchange_and_its_look_over_a_foreign_write_plan(memory: Path) -> None:
    """What the exchange displaced is newer than our plan: it goes back, and so does the rest."""
    bed = make(memory)
    foreign = b'{"env": {}, "added": "by another program"}'

    def fault(step: str) -> None:
        if step.startswith("exchange") and "settings" in step:
            beside = bed.path("theirs")
            beside.write_bytes(foreign)
            beside.rename(bed.path("settings.json"))
        if step.startswith("look") and "settings" in step:
            os.kill(os.getpid(), signal.SIGKILL)

    code = child(lambda: write_plan(bed.plan(), state=bed.state, command="init", fault=fault))
    assert code == -signal.SIGKILL
    assert bed.path("settings.json").read_bytes() == NEW["settings.json"]
    (said,) = disk.recover_alone(bed.state)
    assert not finished(said)
    assert bed.contents() == {**OLD, "settings.json": foreign}
    assert bed.stray() == []


def test_recovering_is_killed_too(memory: Path) -> None:
    """A recovery that is cut off at any step is taken up by the next one."""
    bed = make(memory)
    every = steps(bed, OLD, NEW)
    at = next(i for i, s in enumerate(every) if s.startswith("exchange") and "litellm" in s)
    ended = False
    killed = 0
    while not ended:
        start_over(bed, OLD)
        child(lambda: write_plan(bed.plan(), state=bed.state, command="init", fault=killer(at)))

        def recover(left: int = killed) -> None:
            from haha_config.io.disk import transaction

            transaction._no_fault = killer(left)
            disk.recover_alone(bed.state)

        ended = child(recover) == 0
        killed += 1
        disk.recover_alone(bed.state)
        assert bed.contents() == NEW
        assert bed.stray() == []
    assert killed > 5
