"""Open clients: found by name and only where their files are the ones being written."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from haha_config.io.process import RunningClient, running_clients

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
    process = subprocess.Popen(
        [str(fake), "-c", _PROGRAM, *arguments],
        cwd=folder,
        env={"PYTHONHOME": sys.base_prefix, "LD_LIBRARY_PATH": str(lib), **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "up\n"
        yield process
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


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
    with program(name, work, {"HOME": str(home)}, argument) as process:
        found = running_clients(str(home / ".claude" / "settings.json"), str(home))
    assert (process.pid in [c.pid for c in found]) is counts


def test_a_session_that_run_started_is_isolated(home: Path, work: Path) -> None:
    with program("claude", work, {"HOME": str(home)}, "--settings", "/dev/fd/9"):
        assert running_clients(str(home / ".claude" / "settings.json"), str(home)) == []
