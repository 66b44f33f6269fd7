"""What a person installs: a wheel and an sdist with everything in them, and a program that runs."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


def test_wheel_and_sdist_have_every_template(built: Path) -> None:
    files = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "templates").rglob("*.t*")
        if path.is_file()
    }
    assert len(files) > 18
    (wheel,) = built.glob("*.whl")
    (sdist,) = built.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        assert {f"haha_config/{name}" for name in files} <= set(archive.namelist())
    with tarfile.open(sdist) as archive_:
        names = {name.partition("/")[2] for name in archive_.getnames()}
        assert files <= names
        assert {"README.md", "tasks.py", "Makefile", "tests/conftest.py"} <= names


def test_the_wheel_runs_away_from_the_checkout(built: Path, tmp_path: Path, home: Path) -> None:
    """In an environment of its own, which borrows our dependencies and not our checkout."""
    folder = tmp_path / "environment"
    venv.create(folder, symlinks=os.name != "nt", with_pip=False)
    (site,) = (
        folder.glob("lib/python*/site-packages")
        if os.name != "nt"
        else [folder / "Lib" / "site-packages"]
    )
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)  # noqa: S202 - it is the wheel that was built just now
    dependencies = next(p for p in sys.path if p.endswith("site-packages"))
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = subprocess.run(
        [str(python), "-m", "haha_config", "init", "--provider", "ollama", "--dry-run"],
        cwd=tmp_path,
        env={
            "HOME": str(home),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": dependencies,
            "LANG": "C.UTF-8",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "http://localhost:11434" in done.stdout
    where = subprocess.run(
        [str(python), "-c", "import haha_config; print(haha_config.__file__)"],
        cwd=tmp_path,
        env={"PYTHONPATH": dependencies, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(site) in where.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_the_commands(shell: str, home: Path, tmp_path: Path) -> None:
    environ = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "_HAHA_CONFIG_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": "haha-config sw",
        "COMP_CWORD": "1",
        "_TYPER_COMPLETE_ARGS": "haha-config sw",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    program = Path(sys.executable).parent / "haha-config"
    done = subprocess.run(
        [str(program)], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert "switch-model" in done.stdout, done.stderr
