"""Open clients: found by name and only where their files are the ones being written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from haha_config.core.errors import HahaError
from haha_config.io import clients, gateway_process
from haha_config.io.clients import RunningClient, key_from_helper, running_clients

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="programs are faked by links")

#: Says that it runs, then waits for the end of its input.
_PROGRAM = "import sys; print('up', flush=True); sys.stdin.read()"


@contextmanager
def program(
    name: str, folder: Path, environ: Mapping[str, str], *arguments: str
) -> Iterator[subprocess.Popen[str]]:
    """A process called `name`, running when the block starts and gone after it."""
    fake = folder / name
    shutil.copy2(Path(sys.executable).resolve(), fake)
    lib = Path(sys.base_prefix) / "lib"
    started = subprocess.Popen(
        [str(fake), "-c", _PROGRAM, *arguments],
        cwd=folder,
        env={"PYTHONHOME": sys.base_prefix, "LD_LIBRARY_PATH": str(lib), **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert started.stdin is not None
    assert started.stdout is not None
    try:
        assert started.stdout.readline() == "up\n"
        yield started
    finally:
        started.stdin.close()
        started.wait()
        started.stdout.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home" / ".claude").mkdir(parents=True)
    return tmp_path / "home"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def test_a_client_of_this_home_is_named_with_its_folder(home: Path, work: Path) -> None:
    with program("claude", work, {"HOME": str(home)}) as client:
        found = running_clients(str(home / ".claude" / "settings.json"), str(home))
    assert found == [RunningClient(pid=client.pid, folder=str(work), known=True)]


def test_a_client_that_has_ended_and_is_not_forgotten_yet_does_not_count(
    home: Path, work: Path
) -> None:
    with program("claude", work, {"HOME": str(home)}) as client:
        client.kill()
        # Waited for without asking for its end: the system keeps its remains, named as before.
        os.waitid(os.P_PID, client.pid, os.WEXITED | os.WNOWAIT)
        found = running_clients(str(home / ".claude" / "settings.json"), str(home))
    assert found == []


def test_a_client_that_is_just_ending_does_not_count() -> None:
    class Ending:
        """What the system shows between the end of a process and its remains."""

        def name(self) -> str:
            return "claude"

        def cmdline(self) -> list[str]:
            return []

    assert not clients._is_client(Ending())  # type: ignore[arg-type]


def test_a_client_of_another_home_does_not_count(home: Path, work: Path, tmp_path: Path) -> None:
    with program("claude", work, {"HOME": str(tmp_path / "elsewhere")}):
        assert running_clients(str(home / ".claude" / "settings.json"), str(home)) == []


def test_claude_config_dir_leads_to_the_file(home: Path, work: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    with program("claude", work, {"HOME": str(home), "CLAUDE_CONFIG_DIR": str(moved)}) as client:
        there = running_clients(str(moved / "settings.json"), str(home))
        here = running_clients(str(home / ".claude" / "settings.json"), str(home))
    assert [c.pid for c in there] == [client.pid]
    assert here == []


def test_a_link_to_the_settings_is_the_same_file(home: Path, work: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.json"
    real.write_text("{}")
    (home / ".claude" / "settings.json").symlink_to(real)
    with program("claude", work, {"HOME": str(home)}) as client:
        assert [c.pid for c in running_clients(str(real), str(home))] == [client.pid]


def test_project_settings_count_for_clients_below_that_project(home: Path, work: Path) -> None:
    inner = work / "src"
    inner.mkdir()
    with program("claude", inner, {"HOME": str(home)}) as client:
        mine = running_clients(str(work / ".claude" / "settings.local.json"), str(home))
        other = running_clients(str(work / "src" / "x" / ".claude" / "settings.json"), str(home))
    assert [c.pid for c in mine] == [client.pid]
    assert other == []


@pytest.mark.parametrize(
    ("name", "argument", "counts"),
    [
        ("bun", "./src/entrypoints/cli.tsx", True),
        ("node", "/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js", True),
        ("node", "server.js", False),
        ("vim", "claude", False),
    ],
)
def test_a_client_that_a_runtime_runs(
    home: Path, work: Path, name: str, argument: str, counts: bool
) -> None:
    with program(name, work, {"HOME": str(home)}, argument) as running:
        found = running_clients(str(home / ".claude" / "settings.json"), str(home))
    assert (running.pid in [c.pid for c in found]) is counts


def test_a_session_that_run_started_is_isolated(home: Path, work: Path) -> None:
    with program("claude", work, {"HOME": str(home)}, "--settings", "/dev/fd/9"):
        assert running_clients(str(home / ".claude" / "settings.json"), str(home)) == []


# --- the gateway's process -------------------------------------------------------------------


def record_of(pid: int, created: float, port: int = 1) -> gateway_process.GatewayRecord:
    return gateway_process.GatewayRecord(
        pid=pid, created=created, port=port, config="c", config_path="/x", version="1"
    )


@contextmanager
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits until it is ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as running:
        yield running
        running.kill()


def test_a_pid_file_keeps_what_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "state" / "gateway-1.json"
    record = record_of(7, 1.5)
    assert gateway_process.claim(path, record)
    assert gateway_process.read_record(path) == record
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_pid_file_is_claimed_once(tmp_path: Path) -> None:
    path = tmp_path / "gateway-1.json"
    assert gateway_process.claim(path, record_of(7, 1.5))
    assert not gateway_process.claim(path, record_of(8, 2.5))
    assert gateway_process.read_record(path) == record_of(7, 1.5)


@pytest.mark.parametrize("text", ["", "7", "[]", '{"pid": "x"}', "{"])
def test_a_pid_file_that_is_none_of_ours(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gateway-1.json"
    path.write_text(text)
    assert gateway_process.read_record(path) is None


def test_another_process_with_the_same_number_is_not_ours() -> None:
    with sleeper() as running:
        created = gateway_process.started_at(running.pid)
        assert created is not None
        assert gateway_process.lives(record_of(running.pid, created))
        assert not gateway_process.lives(record_of(running.pid, created - 60))
        assert gateway_process.stop(record_of(running.pid, created - 60))
        assert running.poll() is None


def test_a_process_that_has_ended_and_is_not_forgotten_yet_does_not_live() -> None:
    with sleeper() as running:
        created = gateway_process.started_at(running.pid)
        assert created is not None
        running.kill()
        # Waited for without asking for its end: the system keeps its remains.
        os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOWAIT)
        assert not gateway_process.lives(record_of(running.pid, created))


def test_stop_ends_children_and_one_that_does_not_listen(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    running = gateway_process.spawn(
        [sys.executable, "-c", program], dict(os.environ), log=log, cwd=tmp_path
    )
    while not (said := gateway_process.tail(log, 1)):
        assert running.poll() is None
    created = gateway_process.started_at(running.pid)
    assert created is not None
    assert gateway_process.stop(record_of(running.pid, created), seconds=1)
    running.wait()
    assert gateway_process.started_at(running.pid) is None
    assert gateway_process.started_at(int(said[0])) is None


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(HahaError) as caught:
        gateway_process.spawn([str(tmp_path / "none")], {}, log=tmp_path / "log", cwd=tmp_path)
    assert "can't start" in caught.value.what.text


def test_the_log_is_private_and_begins_anew(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for text in ("first", "second"):
        command = [sys.executable, "-c", f"print('{text}')"]
        gateway_process.spawn(command, dict(os.environ), log=log, cwd=tmp_path).wait()
    assert gateway_process.tail(log, 10) == ["second"]
    assert log.stat().st_mode & 0o777 == 0o600


def test_following_a_log_that_grows_and_begins_anew(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("one\ntw")
    steps = iter([lambda: log.write_text("one\ntwo\n"), lambda: log.write_text("new\n")])
    lines = gateway_process.follow(log, lambda: next(steps)() and None)
    assert [next(lines) for _ in range(3)] == ["one", "two", "new"]


def test_the_helpers_key() -> None:
    assert key_from_helper("echo ' sk-test-0123456789abcdef '", os.environ) == (
        "sk-test-0123456789abcdef"
    )
    assert key_from_helper("echo x; exit 1", os.environ) == ""


def test_sessions_that_use_a_gateway(tmp_path: Path) -> None:
    gateway_process.join(tmp_path, 4000)
    assert gateway_process.joined(tmp_path, 4000)
    assert not gateway_process.joined(tmp_path, 400)
    assert gateway_process.leave(tmp_path) == [4000]
    assert not gateway_process.joined(tmp_path, 4000)


def test_a_session_that_was_killed_uses_nothing(tmp_path: Path) -> None:
    for text in ("1.0", "", "None"):
        (tmp_path / f"4000-{os.getpid()}").write_text(text)
        assert not gateway_process.joined(tmp_path, 4000), text


def test_what_works_meanwhile_ends_with_it(tmp_path: Path) -> None:
    forever = [sys.executable, "-c", "import time; time.sleep(1000)"]
    for command in (forever, ["/no/such/program"]):
        with gateway_process.meanwhile(command, os.environ, cwd=tmp_path):
            pass
        assert not psutil.Process().children(), command
