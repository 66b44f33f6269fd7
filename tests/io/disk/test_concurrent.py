"""Fifty at once, and a foreign writer in their midst: every file parses, no foreign key is lost."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from haha_config.core.errors import Changed
from haha_config.core.model import Plan, Set, Write
from haha_config.io import disk
from tests.io.disk.child import start

RUNS = 50
CHANGED = 3
#: Between two foreign writes, in seconds; tests/cli/test_fifty_writers.py has a calmer one.
PAUSE = 0.001


def model_of(path: Path) -> str:
    data = json.loads(path.read_bytes())
    assert isinstance(data["env"]["MODEL"], str)
    return str(data["env"]["MODEL"])


def plan(paths: list[Path], model: str) -> Plan:
    """What a run of `switch-model` builds: its own entry changed, everything else kept."""
    writes = []
    for path in paths:
        before = disk.snapshot(path).data
        assert before is not None
        data = json.loads(before)
        data["env"]["MODEL"] = model
        writes.append(
            Write(
                path=str(path),
                format="json",
                before=before,
                after=json.dumps(data, indent=2).encode(),
                changes=(Set(("env", "MODEL"), model),),
            )
        )
    return Plan(writes=tuple(writes))


def targets(folder: Path) -> list[Path]:
    """Three files alone in a folder of their own."""
    paths = [folder / "work" / f"{name}.json" for name in ("one", "two", "three")]
    paths[0].parent.mkdir()
    for path in paths:
        path.write_text('{"env": {"MODEL": "first"}}')
    return paths


def runs(paths: list[Path], state: Path) -> list[int]:
    """Fifty processes at once; the exit code of each."""

    def switch(number: int) -> Callable[[], None]:
        def work() -> None:
            try:
                disk.transact(
                    lambda: plan(paths, f"m{number}"), state=state, command="switch-model"
                )
            except Changed:
                os._exit(CHANGED)

        return work

    pids = [start(switch(number)) for number in range(RUNS)]
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]


def test_fifty_of_ours_leave_all_targets_at_one_model(memory: Path) -> None:
    paths = targets(memory)
    assert runs(paths, memory / "state") == [0] * RUNS
    assert len({model_of(path) for path in paths}) == 1
    assert model_of(paths[0]) != "first"
    assert set(paths[0].parent.iterdir()) == set(paths)
    numbers = [record.number for record in disk.records(memory / "state")]
    assert numbers == list(range(RUNS - 19, RUNS + 1))


def add_key(path: Path, key: str) -> bytes:
    data = json.loads(path.read_bytes())
    data[key] = True
    return json.dumps(data, indent=2).encode()


def by_rename(path: Path, key: str) -> None:
    """As the client writes: a temporary, then its rename."""
    beside = path.with_name("foreign")
    beside.write_bytes(add_key(path, key))
    beside.rename(path)


def in_place(path: Path, key: str) -> None:
    """As an editor without care writes: cut to nothing, then filled."""
    text = add_key(path, key)
    with path.open("wb") as file:
        file.write(text[:7])
        file.flush()
        file.write(text[7:])


@pytest.mark.parametrize("write", [by_rename, in_place])
def test_no_foreign_key_is_lost(memory: Path, write: Callable[[Path, str], None]) -> None:
    paths = targets(memory)
    ends, begins = os.pipe()

    def foreign() -> None:
        stop = False

        def on_stop(_number: int, _frame: object) -> None:
            nonlocal stop
            stop = True

        signal.signal(signal.SIGTERM, on_stop)
        count = 0
        while not stop:
            write(paths[0], f"foreign{count}")
            count += 1
            time.sleep(PAUSE)
        os.write(begins, str(count).encode())

    pid = start(foreign)
    codes = runs(paths, memory / "state")
    os.kill(pid, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    count = int(os.read(ends, 20))
    os.close(ends)
    os.close(begins)

    assert set(codes) <= {0, CHANGED}
    assert count > 10
    data = json.loads(paths[0].read_bytes())
    lost = [n for n in range(count) if f"foreign{n}" not in data]
    assert lost == []
    disk.transact(lambda: plan(paths, "last"), state=memory / "state", command="switch-model")
    assert {model_of(path) for path in paths} == {"last"}
    assert set(paths[0].parent.iterdir()) == set(paths)
