"""What a command loads: being fast is a matter of structure, and this is where it is held."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"rich", "questionary", "prompt_toolkit", "httpx", "yaml", "pydantic", "psutil", "keyring"}
#: Prints the modules that were loaded, whatever the command printed and however it ended.
CODE = """
import json, os, sys
kept = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
sys.argv[0] = "haha-config"
from haha_config.__main__ import main
try:
    main()
except SystemExit as stop:
    assert stop.code in (None, 0), stop.code
sys.stdout.flush()
there = [name for name, module in sys.modules.items() if type(module).__name__ != "_Later"]
os.write(kept, json.dumps(sorted(there)).encode())
"""
SETTINGS = {
    "env": {
        "ANTHROPIC_BASE_URL": "https://api.deepseek.com/anthropic",
        "ANTHROPIC_AUTH_TOKEN": "sk-0123456789abcdef0123456789abcdef",
        "ANTHROPIC_API_KEY": "",
        "ANTHROPIC_MODEL": "deepseek-v4-pro",
    }
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a set-up that needs no gateway."""
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude" / "settings.json").write_text(json.dumps(SETTINGS))
    (tmp_path / "work").mkdir()
    return tmp_path


def loaded(home: Path, *words: str) -> set[str]:
    environ = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-c", CODE, *words],
        cwd=home / "work",
        env=environ | {k: v for k, v in os.environ.items() if k == "SYSTEMROOT"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    modules: list[str] = json.loads(done.stdout)
    return {module.partition(".")[0] for module in modules} | {
        module for module in modules if module.startswith("haha_config.")
    }


def test_the_version_is_said_before_the_parser_is_loaded(home: Path) -> None:
    modules = loaded(home, "--version")
    assert not modules & {*HEAVY, "typer", "dataclasses", "haha_config.cli.app"}


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("show", "--short"),
        ("validate",),
        ("switch-model", "deepseek-v4-flash", "--yes"),
    ],
    ids=lambda words: words[0],
)
def test_nothing_heavy_is_loaded(home: Path, words: tuple[str, ...]) -> None:
    modules = loaded(home, *words)
    assert "typer" in modules
    # A switch looks for open clients with psutil where something on this machine is called so.
    allowed = {"psutil"} if words[0] == "switch-model" else set()
    assert not modules & (HEAVY - allowed)


def test_yaml_is_loaded_where_there_is_yaml_to_read(home: Path) -> None:
    (home / "work" / "litellm_config.yaml").write_text("model_list: []\n")
    assert "yaml" in loaded(home, "show", "--short")


def test_the_help_of_all_loads_no_command(home: Path) -> None:
    modules = loaded(home, "--help")
    assert not modules & {
        "haha_config.workflow.session",
        "haha_config.core.rules",
        "haha_config.io.disk",
    }
