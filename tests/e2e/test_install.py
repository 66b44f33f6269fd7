"""LiteLLM installed for real into empty homes: by an old pip, by uv, by a uv brought along."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e import parts
from tests.e2e.processes import environment, fetch, free_port

MASTER = "sk-" + "0123456789abcdef" * 3

#: The installer alone, told that no index has a uv: the locks stand in argv.
BY_PIP = """
import os, sys
from pathlib import Path
from haha_config.io import installer
seen = []
locks = installer.Locks(Path(sys.argv[2]), Path(sys.argv[3]))
try:
    installer.install(Path(sys.argv[1]), locks, os.environ, seen.append)
except installer.NotInstalled as failed:
    sys.exit("\\n".join(failed.said))
print(seen[-1].done, seen[-1].total)
"""


class Machine:
    """An empty home, and a Python whose pip is Debian 12's."""

    def __init__(self, base: Path) -> None:
        self.home = base / "home"
        self.folder = base / "work"
        self.home.mkdir(exist_ok=True)
        self.folder.mkdir()
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", base / "env"], check=True)
        self.python = base / "env" / "bin" / "python"
        packages = next((base / "env" / "lib").glob("python3*/site-packages"))
        ours = (parts.old_pip(), parts.ROOT, Path(sysconfig.get_path("purelib")))
        (packages / "ours.pth").write_text("\n".join(map(str, ours)))

    def run(self, *arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
        own = environment(self.home)
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
            del own[name]
        return subprocess.run(
            [self.python, *arguments],
            cwd=self.folder,
            env={**parts.for_installers(), **own, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )

    def ours(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return self.run("-m", "haha_config", *arguments, **environ)

    @property
    def installed(self) -> Path:
        return self.home / ".local" / "share" / "haha-config" / f"litellm-{parts.LITELLM}"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def distributions(installed: Path) -> set[str]:
    """The packages of an installation, with their versions."""
    found = {path.name for path in installed.glob("lib/python3*/site-packages/*.dist-info")}
    return {name for name in found if not name.startswith(("pip-", "setuptools-"))}


@pytest.fixture(scope="session")
def expected() -> set[str]:
    """The packages of the installation that every other end-to-end test runs."""
    return distributions(parts.litellm().parents[1])


def checked(machine: Machine) -> subprocess.CompletedProcess[str]:
    return machine.run("-m", "pip", "--python", machine.installed / "bin" / "python", "check")


def test_an_old_pip_installs_it_where_there_is_no_uv(machine: Machine, expected: set[str]) -> None:
    no_uv = machine.folder / "uv.txt"
    no_uv.write_text("uv==0.0.1 --hash=sha256:" + "0" * 64 + "\n")

    done = machine.run("-c", BY_PIP, machine.installed, parts.LOCKS.litellm, no_uv)

    assert done.returncode == 0, done.stdout + done.stderr
    count, total = done.stdout.split()
    assert count == total
    assert distributions(machine.installed) == expected
    assert checked(machine).returncode == 0


def test_uv_on_the_path_installs_it(machine: Machine, expected: set[str]) -> None:
    path = f"{parts.uv().parent}{os.pathsep}{environment(machine.home)['PATH']}"

    done = machine.ours("proxy", "install", PATH=path)

    assert done.returncode == 0, done.stderr
    assert distributions(machine.installed) == expected
    assert checked(machine).stdout.strip() == "No broken requirements found."


def test_a_uv_brought_along_installs_what_then_answers(machine: Machine) -> None:
    port = free_port()
    settings: Mapping[str, object] = {"env": {"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}"}}
    (machine.home / ".claude").mkdir()
    (machine.home / ".claude" / "settings.json").write_text(json.dumps(settings))
    (machine.folder / "litellm_config.yaml").write_text(
        "model_list:\n"
        "  - model_name: good\n"
        "    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}\n"
        "litellm_settings: {drop_params: true,"
        " use_chat_completions_url_for_anthropic_messages: true}\n"
        "general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}\n"
    )
    env = machine.folder / "litellm.env"
    env.touch(mode=0o600)
    env.write_text(
        f"OPENAI_API_KEY=sk-nothing-0123456789\nLITELLM_MASTER_KEY={MASTER}\n"
        f"LITELLM_MODE=PRODUCTION\nHOST=127.0.0.1\nPORT={port}\n"
    )

    installed = machine.ours("proxy", "install")
    assert installed.returncode == 0, installed.stderr
    assert not list(machine.installed.rglob("bin/uv")), "uv is gone again"
    # The person wrote these files by hand.
    assert machine.ours("trust", "--yes").returncode == 0
    assert machine.ours("trust", "--yes").returncode == 0
    up = machine.ours("proxy", "up")
    try:
        assert up.returncode == 0, up.stderr
        assert fetch(f"http://127.0.0.1:{port}/health/liveliness", timeout=10)[0] == 200
    finally:
        down = machine.ours("proxy", "down")
    assert down.returncode == 0, down.stderr
