"""A full disk, mounts, owners, the first byte, other writers, a clock that goes back."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from haha_config.core.errors import Changed, Refusal
from haha_config.core.model import Plan, Write
from haha_config.io import disk
from tests.io.disk.child import NOBODY, child, start
from tests.io.disk.fixture_dir import NEW, OLD, Bed, make, write_plan

root = pytest.mark.skipif(
    sys.platform == "win32" or os.getuid() != 0, reason="only root mounts and gives away"
)


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    return make(tmp_path)


def apply(bed: Bed) -> disk.Applied:
    return write_plan(bed.plan(), state=bed.state, command="init")


# --- no room ---------------------------------------------------------------------------------


def in_private_mounts(work: Callable[[], None]) -> int:
    """`work` where nothing that it mounts is seen by anybody else."""

    def alone() -> None:
        _unshare()
        _mount("--make-rprivate", "/")
        work()

    return child(alone)


def _unshare() -> None:
    # os.unshare is newer than the oldest Python that we support.
    import ctypes

    if ctypes.CDLL(None, use_errno=True).unshare(0x00020000):
        raise OSError(ctypes.get_errno(), "unshare")


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True, capture_output=True)


@root
def test_a_full_disk_leaves_every_file_as_it_was(bed: Bed) -> None:
    def work() -> None:
        _mount("-t", "tmpfs", "-o", "size=64k", "none", str(bed.folder))
        for name, data in OLD.items():
            bed.path(name).write_bytes(data)
        ballast = bed.path("ballast")
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(b"x" * 4096):
                pass
        with pytest.raises(OSError, match="No space"):
            bed.path("plain").write_bytes(b"x")
        bed.path("plain").unlink()
        with pytest.raises(Refusal, match="every file is as it was") as refused:
            apply(bed)
        assert refused.value.hints == (f"df -h {bed.folder}",)
        ballast.unlink()
        assert bed.contents() == OLD
        assert bed.stray() == []

    assert in_private_mounts(work) == 0


@root
def test_no_room_for_the_journal_touches_no_file(bed: Bed) -> None:
    def work() -> None:
        bed.state.mkdir()
        _mount("-t", "tmpfs", "-o", "size=4k", "none", str(bed.state))
        with pytest.raises(OSError, match="No space"):
            (bed.state / "plain").write_bytes(b"x" * 8192)
        (bed.state / "plain").unlink()
        with pytest.raises(Refusal):
            apply(bed)
        assert bed.contents() == OLD

    assert in_private_mounts(work) == 0


def test_a_limit_of_file_size_leaves_every_file_as_it_was(bed: Bed) -> None:
    def work() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with pytest.raises(OSError, match="File too large"):
            bed.path("plain").write_bytes(b"x" * 8192)
        bed.path("plain").unlink()
        large = {**NEW, "litellm_config.yaml": b"#" * 8192}
        with pytest.raises(Refusal):
            write_plan(bed.plan(OLD, large), state=bed.state, command="init")
        assert bed.contents() == OLD
        assert bed.stray() == []

    assert child(work) == 0


@root
def test_a_disk_that_can_only_be_read(bed: Bed) -> None:
    def work() -> None:
        _mount("--bind", str(bed.folder), str(bed.folder))
        _mount("-o", "remount,bind,ro", str(bed.folder))
        with pytest.raises(OSError, match="Read-only"):
            bed.path("plain").touch()
        with pytest.raises(Refusal):
            apply(bed)
        assert bed.contents() == OLD

    assert in_private_mounts(work) == 0


@root
def test_a_file_that_is_a_mount_point_is_refused_in_words(bed: Bed, tmp_path: Path) -> None:
    def work() -> None:
        (tmp_path / "inside").write_bytes(OLD[".env"])
        _mount("--bind", str(tmp_path / "inside"), str(bed.path(".env")))
        with pytest.raises(OSError, match="busy"):
            bed.path(".env").rename(bed.path("other"))
        with pytest.raises(Refusal, match="mount point") as refused:
            apply(bed)
        assert refused.value.hints
        assert bed.contents() == OLD
        assert bed.stray() == []

    assert in_private_mounts(work) == 0


# --- whose, and for whom ---------------------------------------------------------------------


@root
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_owner_group_and_mode_stay(bed: Bed, mode: int) -> None:
    for name in OLD:
        os.chown(bed.path(name), NOBODY, 12345)
        bed.path(name).chmod(mode)
    apply(bed)
    found = [bed.path(name).stat() for name in NEW]
    assert {(s.st_uid, s.st_gid) for s in found} == {(NOBODY, 12345)}
    assert {stat.S_IMODE(s.st_mode) for s in found} <= {mode, mode & 0o700}


def test_nobody_else_reads_a_key_while_it_is_written(bed: Bed) -> None:
    for name in OLD:
        bed.path(name).unlink()
    seen = set()

    def fault(_step: str) -> None:
        for path in (*bed.folder.iterdir(), *bed.state.rglob("*")):
            if path.is_file():
                seen.add(stat.S_IMODE(path.stat().st_mode))
            elif bed.state in path.parents:
                assert stat.S_IMODE(path.stat().st_mode) == 0o700

    before = os.umask(0)
    try:
        write_plan(bed.plan({}, NEW), state=bed.state, command="init", fault=fault)
    finally:
        os.umask(before)
    assert seen == {0o600}
    assert stat.S_IMODE(bed.state.stat().st_mode) == 0o700


# --- other writers ---------------------------------------------------------------------------


def test_what_changed_after_the_plan_is_not_overwritten(bed: Bed) -> None:
    plan = bed.plan()
    bed.path("settings.json").write_bytes(b'{"theirs": 1}')
    with pytest.raises(Changed):
        write_plan(plan, state=bed.state, command="init")
    assert bed.contents() == {**OLD, "settings.json": b'{"theirs": 1}'}
    assert bed.stray() == []


@pytest.mark.parametrize("when", ["stage", "exchange", "look"])
def test_a_target_replaced_while_it_is_written_is_planned_again(bed: Bed, when: str) -> None:
    theirs = b'{"env": {"ANTHROPIC_MODEL": "old"}, "theirs": 1}'
    todo = [theirs]

    def fault(step: str) -> None:
        if todo and step.startswith(when) and step.endswith("settings.json"):
            beside = bed.folder / "foreign"
            beside.write_bytes(todo.pop())
            beside.rename(bed.path("settings.json"))

    plans = []

    def build() -> Plan:
        found = bed.contents()
        new = {name: data.replace(b"old", b"new") + b"\n" for name, data in found.items()}
        plans.append(new)
        return bed.plan(found, new)

    disk.transact(build, state=bed.state, command="init", fault=fault)
    assert todo == []
    assert b'"theirs": 1' in bed.contents()["settings.json"]
    assert all(b"old" not in data for data in bed.contents().values())
    assert bed.stray() == []


def test_a_link_that_leads_elsewhere_since_the_plan(bed: Bed, tmp_path: Path) -> None:
    """The bytes under the name count, wherever it leads now."""
    link = bed.path(".env")
    link.rename(tmp_path / "one")
    (tmp_path / "two").write_bytes(b"theirs")
    link.symlink_to(tmp_path / "one")
    plan = bed.plan()
    link.unlink()
    link.symlink_to(tmp_path / "two")
    with pytest.raises(Changed):
        write_plan(plan, state=bed.state, command="init")
    assert (tmp_path / "one").read_bytes() == OLD[".env"]
    assert (tmp_path / "two").read_bytes() == b"theirs"


def test_a_second_run_waits_and_plans_from_what_the_first_wrote(bed: Bed) -> None:
    ends, begins = os.pipe()

    def first() -> None:
        def build() -> Plan:
            os.write(begins, b"x")
            time.sleep(1.2)
            return bed.plan()

        disk.transact(build, state=bed.state, command="init")

    pid = start(first)
    assert os.read(ends, 1) == b"x"
    waited: list[bool] = []
    seen: list[dict[str, bytes]] = []

    def build() -> Plan:
        seen.append(bed.contents())
        return bed.plan(seen[-1], OLD)

    disk.transact(build, state=bed.state, command="init", waiting=lambda: waited.append(True))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert waited == [True]
    assert seen == [NEW]
    assert bed.contents() == OLD


def test_the_lock_of_a_dead_process_holds_nobody_up(bed: Bed) -> None:
    def dies() -> None:
        with disk.exclusive(bed.state):
            os.kill(os.getpid(), signal.SIGKILL)

    assert child(dies) == -signal.SIGKILL
    assert (bed.state / "lock").exists()
    waited: list[bool] = []
    disk.transact(bed.plan, state=bed.state, command="init", waiting=lambda: waited.append(True))
    assert waited == []
    assert bed.contents() == NEW


def test_a_clock_that_is_set_back_changes_no_order(bed: Bed) -> None:
    write_plan(bed.plan(), state=bed.state, command="first", clock=lambda: 2_000_000_000.0)
    write_plan(bed.plan(NEW, OLD), state=bed.state, command="second", clock=lambda: 1.0)
    assert [r.command for r in disk.records(bed.state)] == ["first", "second"]


def test_only_the_last_twenty_writes_are_kept_and_the_first_original(bed: Bed) -> None:
    for _ in range(12):
        write_plan(bed.plan(), state=bed.state, command="there")
        write_plan(bed.plan(NEW, OLD), state=bed.state, command="back")
    kept = disk.records(bed.state)
    assert [r.number for r in kept] == list(range(5, 25))
    originals = {Path(path).name: file.read_bytes() for path, file in disk.originals(bed.state)}
    assert originals == OLD


def test_a_pipe_in_a_file_s_place_hangs_nobody(bed: Bed) -> None:
    bed.path(".env").unlink()
    os.mkfifo(bed.path(".env"))
    assert disk.snapshot(bed.path(".env")).unreadable is not None
    write = Write(path=str(bed.path(".env")), format="dotenv", before=None, after=b"A=1\n")
    with pytest.raises(Refusal, match="pipe"):
        write_plan(Plan(writes=(write,)), state=bed.state, command="init")


# --- a file system without locks -------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="flock is POSIX's")
def test_without_locks_reading_goes_on_and_writing_is_refused_in_words(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    import fcntl

    apply(bed)

    def flock(_descriptor: int, _kind: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    with disk.shared(bed.state) as quiet:
        assert quiet
    with pytest.raises(Refusal, match="the journal here"), disk.alone(bed.state):
        pass
