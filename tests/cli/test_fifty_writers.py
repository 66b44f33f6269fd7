"""Fifty `switch-model` at once, alone and with a program that adds its own keys meanwhile."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from haha_config.cli import main
from haha_config.core.model import SLOTS
from haha_config.io import disk, paths
from tests.io.disk.child import start

KEY = "sk-test-0123456789abcdef01234567"
RUNS = 50
SWITCH = ("switch-model", "--client", "haha", "--unlisted")


@pytest.fixture
def settings(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A direct set-up, in settings.json and in .env."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("MINIMAX_API_KEY", KEY)
    words = ["init", "--provider", "minimax", "--client", "haha", "--write", "env,settings"]
    assert main.run([*words, "--yes"]) == 0
    # Forks of a process that has loaded everything: fifty interpreters would start, not race.
    assert main.run([*SWITCH, "m-warm"]) == 0
    return home / ".claude" / "settings.json"


def fifty(heard: Path) -> list[int]:
    """The exit code of each run; what they said is in `heard`."""

    def switch(number: int) -> Callable[[], None]:
        def work() -> None:
            sys.stdout = sys.stderr = heard.open("a", encoding="utf-8")
            code = main.run([*SWITCH, f"m-{number}"])
            sys.stderr.flush()
            os._exit(10 + code)

        return work

    pids = [start(switch(number)) for number in range(RUNS)]
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) - 10 for pid in pids]


def models(settings: Path) -> set[str]:
    """What all slots of both targets hold."""
    env = json.loads(settings.read_bytes())["env"]
    lines = Path(".env").read_text(encoding="utf-8").splitlines()
    dotenv = dict(line.split("=", 1) for line in lines if "=" in line)
    return {env[name] for name in SLOTS.values()} | {dotenv[name] for name in SLOTS.values()}


def stray(settings: Path) -> list[str]:
    beside = [p.name for folder in (settings.parent, Path()) for p in folder.iterdir()]
    return sorted(set(beside) - {"settings.json", ".env"})


def test_fifty_of_ours(settings: Path, tmp_path: Path) -> None:
    codes = fifty(tmp_path / "heard")
    assert codes == [0] * RUNS, (tmp_path / "heard").read_text(encoding="utf-8")
    found = models(settings)
    assert len(found) == 1
    assert found <= {f"m-{number}" for number in range(RUNS)}
    assert stray(settings) == []
    numbers = [record.number for record in disk.records(paths.state_folder())]
    assert numbers == list(range(numbers[-1] - 19, numbers[-1] + 1))


# --- a foreign writer ------------------------------------------------------------------------


def with_key(path: Path, key: str) -> bytes:
    data = json.loads(path.read_bytes())
    data[key] = True
    return json.dumps(data, indent=2).encode()


def by_rename(path: Path, key: str) -> None:
    """As the client writes: a temporary of its own, then a rename."""
    beside = path.with_name("foreign")
    beside.write_bytes(with_key(path, key))
    beside.rename(path)


def in_place(path: Path, key: str) -> None:
    """As an editor without care writes: cut to nothing, then filled."""
    data = with_key(path, key)
    with path.open("wb") as file:
        file.write(data)


def foreign(settings: Path, write: Callable[[Path, str], None], pause: float) -> tuple[int, int]:
    """Start the writer. Its pid, and the pipe from which its count can be read."""
    ends, begins = os.pipe()

    def work() -> None:
        stopped = False

        def stop(_number: int, _frame: object) -> None:
            nonlocal stopped
            stopped = True

        signal.signal(signal.SIGTERM, stop)
        count = 0
        while not stopped:
            write(settings, f"foreign{count}")
            count += 1
            time.sleep(pause)
        os.write(begins, str(count).encode())

    pid = start(work)
    os.close(begins)
    return pid, ends


@pytest.mark.parametrize("write", [by_rename, in_place])
@pytest.mark.parametrize("pause", [0.02])
def test_fifty_and_a_foreign_writer(
    settings: Path, tmp_path: Path, write: Callable[[Path, str], None], pause: float
) -> None:
    heard = tmp_path / "heard"
    pid, ends = foreign(settings, write, pause)
    codes = fifty(heard)
    os.kill(pid, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    with os.fdopen(ends) as pipe:
        count = int(pipe.read())
    said = heard.read_text(encoding="utf-8")
    lost = set(map("foreign{}".format, range(count))) - set(json.loads(settings.read_bytes()))
    print(f"\n{count} foreign writes, {len(lost)} lost, ours: {dict(Counter(codes))}")
    assert count > 10
    assert lost == set()
    assert set(codes) <= {0, 1}
    # Whoever gave up said why.
    assert said.count("error:") == codes.count(1)
    assert said.count("settings.json") >= codes.count(1)
    assert main.run([*SWITCH, "m-last"]) == 0
    assert models(settings) == {"m-last"}
    assert stray(settings) == []
