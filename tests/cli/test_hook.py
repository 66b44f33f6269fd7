"""The pre-commit hook: it runs for our files in the repository, and judges those."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.tool import Tool

ROOT = Path(__file__).parents[2]


@pytest.fixture
def hook() -> Any:
    (found,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        (".env", True),
        ("litellm_config.yaml", True),
        (".claude/settings.json", True),
        (".vscode/settings.json", False),
        ("deploy/.env", False),
    ],
)
def test_the_files_that_start_it(hook: Any, path: str, ours: bool) -> None:
    assert (re.search(hook["files"], path) is not None) == ours


def test_it_judges_the_settings_of_the_repository(hook: Any, tool: Tool) -> None:
    subprocess.run(["git", "init", "-q", str(tool.cwd)], check=True)
    own = tool.cwd / ".claude" / "settings.json"
    own.parent.mkdir()
    own.write_text('{"env": {"ANTHROPIC_BASE_URL": "https://openrouter.ai/api/v1"},}', "utf-8")
    tool.settings.parent.mkdir()
    tool.settings.write_text("{ this is the person's own, and broken", "utf-8")
    command, *words = shlex.split(hook["entry"])
    assert (command, hook["pass_filenames"]) == ("haha-config", False)
    done = tool(*words, "--format", "json")
    assert done.code == 1
    assert [(f["code"], f["path"]) for f in done.json["findings"]] == [("SET001", str(own))]
