"""The real `init` and `switch-model`, killed before each file operation in turn.

Whatever comes next finds all files old or all files new, says what became of the write, and a
command that only reads says that it was cut off, before anything is read.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from haha_config.cli import main
from haha_config.io import disk, paths
from tests.io.disk.child import child, killer
from tests.io.disk.conftest import memory

__all__ = ["memory"]

KEY = "sk-test-0123456789abcdef01234567"
MASTER = f"sk-{'0123456789abcdef' * 3}"
SWITCH = ("switch-model", "--client", "haha")

Tree = dict[str, bytes]
Command = Callable[..., tuple[int, str]]


class Scene:
    """A home and a folder, put back as they were as often as it takes."""

    def __init__(self, root: Path) -> None:
        self.root, self.kept = root / "now", root / "then"
        self.home, self.work = self.root / "home", self.root / "work"
        for folder in (self.home / ".claude", self.work):
            folder.mkdir(parents=True)

    def keep(self) -> None:
        shutil.rmtree(self.kept, ignore_errors=True)
        shutil.copytree(self.root, self.kept)

    def start_over(self) -> None:
        for folder in self.root.iterdir():
            shutil.rmtree(folder)
        shutil.copytree(self.kept, self.root, dirs_exist_ok=True)
        # The copy is another folder under the same name.
        os.chdir(self.work)

    def tree(self) -> Tree:
        """Every file but the journal: what stands beside a target is seen too."""
        files = [p for p in self.root.rglob("*") if p.is_file()]
        state = paths.state_folder()
        return {str(p): p.read_bytes() for p in files if state not in p.parents}


@pytest.fixture
def scene(memory: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    scene = Scene(memory)
    monkeypatch.setenv("HOME", str(scene.home))
    monkeypatch.setenv("MINIMAX_API_KEY", KEY)
    monkeypatch.chdir(scene.work)
    (scene.work / ".env").write_bytes(b"# mine\nMY_FLAG=1\nANTHROPIC_MODEL=old\n")
    (scene.work / "litellm_config.yaml").write_bytes(b"# mine\nmodel_list: []\n")
    (scene.work / "litellm.env").write_text(f"# mine\nLITELLM_MASTER_KEY={MASTER}\n")
    (scene.home / ".claude" / "settings.json").write_bytes(b'{\r\n\t"theme": "dark"\r\n}')
    return scene


@pytest.fixture
def haha(capfd: pytest.CaptureFixture[str]) -> Command:
    def command(*words: str) -> tuple[int, str]:
        code = main.run(words)
        return code, "".join(capfd.readouterr())

    return command


@pytest.fixture
def init(scene: Scene) -> tuple[str, ...]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    upstreams = [f"--upstream={name}=minimax:MiniMax-M3" for name in ("first", "second", "third")]
    fixed = ["--client", "haha", "--write", "env,settings", "--port", str(port), "--yes"]
    return ("init", "--provider", "litellm", *upstreams, *fixed)


def disturbed(words: tuple[str, ...], fault: Callable[[str], None]) -> None:
    """One command in this process, with a fault before each of its file operations."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disk, "transact", partial(disk.transact, fault=fault))
        assert main.run(words) == 0


def steps(scene: Scene, words: tuple[str, ...]) -> list[str]:
    """What an undisturbed run does, one name a file operation."""
    seen: list[str] = []
    disturbed(words, seen.append)
    return seen


def killed(scene: Scene, words: tuple[str, ...], at: int) -> bool:
    """Run `words` and kill it at that operation; whether a write is left open."""
    scene.start_over()
    assert child(lambda: disturbed(words, killer(at))) == -signal.SIGKILL
    return bool(disk.pending(paths.state_folder()))


def check_readers(scene: Scene, haha: Command, *, is_open: bool) -> None:
    before = scene.tree()
    for words in (("show",), ("env", "--shell", "sh"), ("validate",), ("models", "--offline")):
        code, said = haha(*words)
        assert ("SYS001" in said) == is_open, said
        assert ("haha-config undo --recover" in said) == is_open, said
        assert code == 1 or not is_open
    code, said = haha("switch-model", "third", "--dry-run")
    assert ("SYS001" in said) == is_open
    assert scene.tree() == before


def test_init_and_then_recover(scene: Scene, haha: Command, init: tuple[str, ...]) -> None:
    scene.keep()
    old = scene.tree()
    every = steps(scene, init)
    new = scene.tree()
    targets = [p for p in old if old[p] != new[p]]
    assert len(targets) == 4
    results = []
    for at, step in enumerate(every):
        is_open = killed(scene, init, at)
        if is_open and step.startswith(("exchange", "look", "create")):
            check_readers(scene, haha, is_open=True)
        code, said = haha("undo", "--recover")
        assert code == 0, (step, said)
        found = scene.tree()
        assert found in (old, new), step
        results.append(found == new)
        assert ("was interrupted" in said) == is_open, (step, said)
        assert ("finished now" in said) == (is_open and found == new), (step, said)
        assert ("every file is as before" in said) == (is_open and found == old), (step, said)
        assert not disk.pending(paths.state_folder())
    assert {True, False} == set(results)


def test_switch_model_and_then_another(scene: Scene, haha: Command, init: tuple[str, ...]) -> None:
    assert haha(*init)[0] == 0
    assert haha(*SWITCH, "third")[0] == 0
    third = scene.tree()
    assert haha(*SWITCH, "first")[0] == 0
    scene.keep()
    every = steps(scene, (*SWITCH, "second"))
    assert any(step.startswith("exchange") for step in every)
    heard = set()
    for at, step in enumerate(every):
        is_open = killed(scene, (*SWITCH, "second"), at)
        code, said = haha(*SWITCH, "third")
        assert code == 0, (step, said)
        assert scene.tree() == third, step
        assert ("was interrupted" in said) == is_open, (step, said)
        heard.add(is_open)
    assert heard == {True, False}


def test_readers_see_nothing_of_a_write_that_never_began(
    scene: Scene, haha: Command, init: tuple[str, ...]
) -> None:
    assert haha(*init)[0] == 0
    assert haha(*SWITCH, "first")[0] == 0
    check_readers(scene, haha, is_open=False)
    # Its record is not complete: no target has been touched.
    (paths.state_folder() / "open" / "99").mkdir(parents=True)
    check_readers(scene, haha, is_open=False)
    assert haha(*SWITCH, "second")[0] == 0
    assert list((paths.state_folder() / "open").iterdir()) == []


def test_a_run_that_is_killed_while_it_recovers(
    scene: Scene, haha: Command, init: tuple[str, ...]
) -> None:
    """The old bytes are put back by a second recovery, too."""
    assert haha(*init)[0] == 0
    assert haha(*SWITCH, "first")[0] == 0
    scene.keep()
    old = scene.tree()
    every = steps(scene, (*SWITCH, "second"))
    new = scene.tree()
    exchanges = [at for at, step in enumerate(every) if step.startswith("look")]
    assert exchanges
    for at in exchanges:
        renames = 0
        while True:
            assert killed(scene, (*SWITCH, "second"), at)
            if child(lambda left=renames: recover_and_die(left)) == 0:
                break
            haha("undo", "--recover")
            assert scene.tree() in (old, new)
            renames += 1
        assert renames


def recover_and_die(after: int) -> None:
    """`undo --recover`, killed after so many of its renames and removals."""
    left = after

    def dying(real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **named: object) -> object:
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            return real(*args, **named)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in ("rename", "replace", "unlink"):
            patch.setattr(os, name, dying(getattr(os, name)))
        patch.setattr(disk.exchange, "_rename", dying(disk.exchange._rename))
        main.run(["undo", "--recover"])
