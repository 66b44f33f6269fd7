"""The recipe of docs/devcontainer.md for another machine, line by line, through a real sshd."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documents import parts as blocks
from tests.e2e import parts
from tests.e2e.processes import environment, free_port

PAGE = Path(__file__).parents[2] / "docs" / "devcontainer.md"
KEY = "sk-test-0123456789abcdef"


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Path]:
    """A folder with the keys of a server that knows this user, and `ssh` that knows it as `box`.

    The home of the other machine is `remote`; an ordinary user serves themselves only.
    """
    sshd, ssh = parts.apt("sshd"), parts.apt("ssh")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    remote, port = tmp_path / "remote", free_port()
    remote.mkdir()
    for name in ("host", "user"):
        keygen = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)]
        subprocess.run(keygen, check=True)
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    config = tmp_path / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {tmp_path}/host\nPidFile none\n"
        f"AuthorizedKeysFile {tmp_path}/user.pub\nStrictModes no\nUsePAM no\n"
        f"PasswordAuthentication no\nSetEnv HOME={remote} PATH={path} LANG=C.UTF-8\n"
    )
    own = tmp_path / "ssh_config"
    own.write_text(
        f"Host box\n  HostName 127.0.0.1\n  Port {port}\n  IdentityFile {tmp_path}/user\n"
        f"  IdentitiesOnly yes\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n"
        f"  LogLevel ERROR\n  ConnectionAttempts 30\n"
    )
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    # The other machine has a home of its own; this one has the account's folder for both.
    (bin_ / "ssh").write_text(
        f'#!/bin/sh\nhost=$1; shift\nexec {ssh} -F {own} "$host" "cd && $*"\n'
    )
    (bin_ / "ssh").chmod(0o755)
    server = subprocess.Popen([str(sshd), "-D", "-e", "-f", str(config)], stderr=subprocess.DEVNULL)
    try:
        yield tmp_path
    finally:
        server.terminate()
        server.wait()


def recipes() -> list[list[str]]:
    """The lines of the page's two recipes."""
    shell = [b.text for b in blocks(PAGE.read_text(encoding="utf-8")) if b.language == "sh"]
    return [text.splitlines() for text in shell if text.startswith("ssh box")]


def typed(line: str, box: Path, **variables: str) -> str:
    here = box / "here"
    env = environment(here, **variables)
    done = subprocess.run(
        ["sh", "-c", line],
        cwd=here,
        env={**env, "PATH": f"{box / 'bin'}:{env['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, line + done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_recipes_set_up_another_machine(box: Path) -> None:
    here, remote = box / "here", box / "remote"
    here.mkdir()
    (here / "answers.toml").write_text('provider = "deepseek"\nwrite = "settings"\n')
    one, several = recipes()
    said = [typed(line, box, DEEPSEEK_API_KEY=KEY) for line in one]
    settings = remote / ".claude" / "settings.json"
    assert json.loads(settings.read_text())["env"]["ANTHROPIC_AUTH_TOKEN"] == KEY
    assert settings.stat().st_mode & 0o777 == 0o600
    assert KEY not in "".join(said)
    assert "0 errors" in said[-1]
    # The same again changes nothing.
    assert "Nothing to change" in typed(one[1], box, DEEPSEEK_API_KEY=KEY)
    upstreams = '["deepseek:deepseek-flash", "openai:gpt-6-luna"]'
    (here / "answers.toml").write_text(f'provider = "litellm"\nupstream = {upstreams}\n')
    other = KEY[::-1]
    (here / "keys.env").write_text(f"DEEPSEEK_API_KEY={KEY}\nOPENAI_API_KEY=sk-{other}\n")
    typed(one[0], box)
    typed(several[0], box)
    (held,) = remote.rglob("litellm.env")
    assert KEY in held.read_text()
    assert f"sk-{other}" in held.read_text()
    assert not list(remote.rglob("keys.env"))
    assert not list(here.rglob("*.json"))
