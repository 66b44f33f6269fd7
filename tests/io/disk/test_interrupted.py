"""Ctrl-C, a full disk or any other error at any file operation: all files old or all new."""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from haha_config.core.errors import Refusal
from haha_config.io import disk
from tests.io.disk.fixture_dir import NEW, OLD, Bed, make, write_plan
from tests.io.disk.test_killed import MOVES, start_over, steps


def raiser(at: int, error: BaseException) -> Callable[[str], None]:
    """A fault that raises before the file operation number `at`, counted from 0."""
    left = at

    def fault(_step: str) -> None:
        nonlocal left
        if left == 0:
            left -= 1
            raise error
        left -= 1

    return fault


def whole(bed: Bed, old: dict[str, bytes], new: dict[str, bytes], step: str) -> None:
    """Nothing is mixed now; nothing is mixed or left over once the next writer has come."""
    assert bed.contents() in (old, new), step
    disk.recover_alone(bed.state)
    assert bed.contents() in (old, new), step
    assert bed.stray() == [], step


@pytest.mark.parametrize(("old", "new"), MOVES.values(), ids=MOVES)
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_error_at_every_step(
    memory: Path, old: dict[str, bytes], new: dict[str, bytes], error: type[BaseException]
) -> None:
    bed = make(memory)
    start_over(bed, old)
    every = steps(bed, old, new)
    left_old: list[bool] = []
    for at, step in enumerate(every):
        start_over(bed, old)
        for name in old:
            bed.path(name).chmod(0o644)
        raised = error() if error is not OSError else OSError(errno.ENOSPC, "full", "somewhere")
        # Once every file is new, an error of the housekeeping after it may be kept quiet.
        try:
            write_plan(
                bed.plan(old, new),
                state=bed.state,
                command="init",
                fault=raiser(at, raised),
            )
        except KeyboardInterrupt:
            assert error is KeyboardInterrupt
        except Refusal as refusal:
            said = refusal.what.text
            if "every file is as it was" in said:
                left_old.append(bed.contents() == old)
                assert {stat.S_IMODE(bed.path(n).stat().st_mode) for n in old} <= {0o644}, step
        whole(bed, old, new, step)


def test_ctrl_c_while_it_is_taken_back(memory: Path) -> None:
    """The journal stays open, and the next one that writes puts the old bytes back."""
    bed = make(memory)
    start_over(bed, OLD)
    every = steps(bed, OLD, NEW)
    at = max(i for i, step in enumerate(every) if step.startswith("look"))
    start_over(bed, OLD)

    def fault(step: str, left: list[int] = [at]) -> None:  # noqa: B006 - counts down
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:

        def interrupted(_folder: Path) -> None:
            raise KeyboardInterrupt

        patch.setattr("haha_config.io.disk.journal.drop", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_plan(bed.plan(OLD, NEW), state=bed.state, command="init", fault=fault)
    assert disk.pending(bed.state)
    disk.recover_alone(bed.state)
    assert bed.contents() == OLD
    assert bed.stray() == []
