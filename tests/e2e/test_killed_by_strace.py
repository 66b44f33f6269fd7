"""The real program, killed by the kernel at each system call that touches a file, in turn.

strace ends it at the N-th call of a kind, for each kind and each N of an undisturbed run: no hook
of ours takes part, and calls that we forgot to think of are hit too.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e import parts

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="strace is Linux's")

#: What changes a file, a name or a mode.
CALLS = (
    *("pwrite64", "ftruncate", "fsync", "fchmod", "chmod", "fchown", "fchownat"),
    *("rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat"),
    *("mkdir", "mkdirat", "rmdir", "flock"),
)
_CALL = re.compile(r"^\d+ +(?:\d+\.\d+ )?(\w+)\(")

Tree = dict[str, bytes]


@dataclass(frozen=True)
class Stage:
    """A home and a folder, with a copy of them as they were."""

    root: Path

    @property
    def now(self) -> Path:
        return self.root / "now"

    @property
    def then(self) -> Path:
        return self.root / "then"

    @property
    def state(self) -> Path:
        return self.now / "home" / ".local" / "state" / "haha-config"

    def keep(self) -> None:
        shutil.copytree(self.now, self.then)

    def start_over(self) -> None:
        shutil.rmtree(self.now)
        shutil.copytree(self.then, self.now)

    def tree(self) -> Tree:
        files = [p for p in self.now.rglob("*") if p.is_file() and self.state not in p.parents]
        return {str(p.relative_to(self.now)): p.read_bytes() for p in files}

    def run(self, *words: str, under: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*under, sys.executable, "-m", "haha_config", *words],
            cwd=self.now / "work",
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.now / "home"),
                "LANG": "C.UTF-8",
                "MINIMAX_API_KEY": "sk-test-0123456789abcdef01234567",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Three existing files and their secrets' one."""
    stage = Stage(tmp_path)
    settings = stage.now / "home" / ".claude" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_bytes(b'{\r\n\t"theme": "dark"\r\n}')
    work = stage.now / "work"
    work.mkdir()
    (work / ".env").write_bytes(b"# mine\nMY_FLAG=1\nANTHROPIC_MODEL=old\n")
    (work / "litellm_config.yaml").write_bytes(b"# mine\nmodel_list: []\n")
    (work / "litellm.env").write_text(f"LITELLM_MASTER_KEY=sk-{'0123456789abcdef' * 3}\n")
    return stage


def _init() -> tuple[str, ...]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    upstreams = [f"--upstream={name}=minimax:MiniMax-M3" for name in ("first", "second", "third")]
    fixed = ["--client", "haha", "--write", "env,settings", "--port", str(port), "--yes"]
    return ("init", "--provider", "litellm", *upstreams, *fixed)


def _switch(name: str) -> tuple[str, ...]:
    return ("switch-model", name, "--client", "haha")


def _counts(
    stage: Stage, strace: Path, words: tuple[str, ...], calls: tuple[str, ...]
) -> Counter[str]:
    log = stage.root / "calls"
    under = (str(strace), "-f", "-qq", "-o", str(log), "-e", f"trace={','.join(calls)}")
    done = stage.run(*words, under=under)
    assert done.returncode == 0, done.stderr
    return Counter(m[1] for m in map(_CALL.match, log.read_text().splitlines()) if m)


def _kill_at_each(
    stage: Stage,
    words: tuple[str, ...],
    afterwards: Callable[[str], None],
    calls: tuple[str, ...] = CALLS,
) -> Counter[str]:
    """Run, killed at each call in turn; `afterwards` looks at what is left. How often, by call."""
    strace = parts.apt("strace")
    counts = _counts(stage, strace, words, calls)
    for call, times in counts.items():
        for n in range(1, times + 1):
            stage.start_over()
            inject = f"inject={call}:signal=SIGKILL:when={n}"
            under = (str(strace), "-f", "-qq", "-o", os.devnull, "-e", inject)
            done = stage.run(*words, under=under)
            assert done.returncode in (-9, 137), f"{call} {n}: {done.stderr}"
            afterwards(f"{call} {n} of {times}")
    return counts


def test_init_then_recover(stage: Stage) -> None:
    init = _init()
    stage.keep()
    old = stage.tree()
    assert stage.run(*init).returncode == 0
    new = stage.tree()
    stage.start_over()
    left = Counter[bool]()

    def look(at: str) -> None:
        done = stage.run("undo", "--recover")
        assert done.returncode == 0, f"{at}: {done.stderr}"
        found = stage.tree()
        assert found in (old, new), at
        assert not list((stage.state / "open").glob("*")), at
        left[found == new] += 1

    counts = _kill_at_each(stage, init, look)
    assert counts["renameat2"] >= 4
    assert left[True]
    assert left[False]
    print(f"{left.total()} kills: {left[False]} all old, {left[True]} all new; {dict(counts)}")


def test_switch_model_then_another(stage: Stage) -> None:
    assert stage.run(*_init()).returncode == 0
    assert stage.run(*_switch("third")).returncode == 0
    third = stage.tree()
    assert stage.run(*_switch("first")).returncode == 0
    stage.keep()
    said = Counter[bool]()

    def look(at: str) -> None:
        pending = any(stage.state.glob("open/*/record.json"))
        done = stage.run(*_switch("third"))
        assert done.returncode == 0, f"{at}: {done.stderr}"
        assert stage.tree() == third, at
        assert ("was interrupted" in done.stderr) == pending, at
        said[pending] += 1

    # `write` is hit wherever it goes: into a temporary, the journal or the terminal.
    counts = _kill_at_each(stage, _switch("second"), look, ("write", *CALLS))
    assert counts["renameat2"] >= 2
    assert said[True]
    print(f"{said.total()} kills: {said[True]} left a write open; {dict(counts)}")
