"""A real Tab in a real bash: values where values are wanted, ids with `:` whole."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from haha_config.cli.completion import rejoined

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or shutil.which("bash") is None, reason="needs bash"
)
BIN = Path(sys.executable).parent
SLOTS = ("", "_OPUS", "_SONNET", "_HAIKU", "_FABLE")


@pytest.fixture
def bash(tmp_path: Path):  # type: ignore[no-untyped-def]
    """An interactive bash with our completion, in a home that calls two models of Ollama."""
    env = {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "ANTHROPIC_AUTH_TOKEN": "ollama"}
    env |= {"ANTHROPIC_MODEL": "qwen3-coder:30b", "ANTHROPIC_DEFAULT_HAIKU_MODEL": "gpt-oss:20b"}
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude" / "settings.json").write_text(json.dumps({"env": env}))
    (tmp_path / "qwen-is-a-file-too").touch()
    environ = {"HOME": str(tmp_path), "PATH": f"{BIN}:/usr/bin:/bin", "TERM": "dumb"}
    script = subprocess.run(
        [BIN / "haha-config", "--show-completion", "bash"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    if "complete " not in script:
        script = subprocess.run(
            [BIN / "haha-config"],
            env={**environ, "_HAHA_CONFIG_COMPLETE": "source_bash"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    (tmp_path / "complete.sh").write_text(script)
    shell = pexpect.spawn(
        "bash", ["--norc", "--noprofile"], env=environ, cwd=str(tmp_path), encoding="utf-8"
    )
    shell.sendline("PS1='ready> '; bind 'set bell-style none'; . ./complete.sh; echo so''urced")
    shell.expect("sourced\r\n")
    shell.expect("ready> ")
    yield shell
    shell.close(force=True)


@pytest.mark.parametrize(
    ("typed", "becomes"),
    [
        ("switch-model qwen", "switch-model qwen3-coder:30b "),
        ("switch-model qwen3-coder:", "switch-model qwen3-coder:30b "),
        ("switch-model qwen3-coder:3", "switch-model qwen3-coder:30b "),
        ("validate --explain drop-p", "validate --explain drop-params "),
        ("validate --select LLM00", "validate --select LLM00"),
        ("show --scope pro", "show --scope project "),
        ("switch-m", "switch-model "),
    ],
)
def test_a_tab(bash: pexpect.spawn, typed: str, becomes: str) -> None:
    bash.send(f"echo haha-config {typed}".replace("echo ", "", 1))
    bash.send("\t")
    # The line as it stands now is asked for: go to its start and print it instead of running it.
    bash.send("\x01echo '[\x05]'\r")
    bash.expect(r"\r\n\[(.*)\]\r\n")
    assert bash.match is not None
    assert bash.match[1] == f"haha-config {becomes}"


@pytest.mark.parametrize(
    ("words", "at", "joined", "now", "prefix"),
    [
        ("haha-config switch-model qwen3-coder : 3", "4", "qwen3-coder:3", "2", "qwen3-coder:"),
        ("haha-config switch-model qwen3-coder :", "3", "qwen3-coder:", "2", "qwen3-coder:"),
        ("haha-config switch-model qwen", "2", "qwen", "2", ""),
        ("haha-config init --upstream a : b : c", "7", "a:b:c", "3", "a:b:"),
    ],
)
def test_what_bash_cut(words: str, at: str, joined: str, now: str, prefix: str) -> None:
    environ = {"COMP_WORDS": words.replace(" ", "\n"), "COMP_CWORD": at}
    assert rejoined(environ) == prefix
    assert environ["COMP_WORDS"].split("\n")[int(now)] == joined
    assert environ["COMP_CWORD"] == now
