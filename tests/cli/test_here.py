"""Two folders, two providers: `use NAME --here` is for one folder and leaves the rest alone."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.cli.tool import Tool

KEYS = {
    "DEEPSEEK_API_KEY": "sk-test-0123456789abcdef",
    "MINIMAX_API_KEY": "test-minimax-0123456789",
}


def env_of(file: Path) -> dict[str, str]:
    env: dict[str, str] = json.loads(file.read_text())["env"]
    return env


def test_each_folder_has_its_own(tool: Tool, tmp_path: Path) -> None:
    for name, key in (("deepseek", "DEEPSEEK_API_KEY"), ("minimax", "MINIMAX_API_KEY")):
        done = tool("init", "--provider", name, "--yes", "--write", "settings", **{key: KEYS[key]})
        assert done.code == 0, done.err
    mine = (tool.home / ".claude" / "settings.json").read_bytes()
    folders = []
    for name in ("deepseek", "minimax"):
        folder = tmp_path / f"work on {name}"
        folder.mkdir()
        subprocess.run(["git", "init", "-q", folder], check=True)
        done = Tool(home=tool.home, cwd=folder)("use", name, "--here", "--yes")
        assert done.code == 0, done.err
        folders.append(folder)
    urls = [env_of(f / ".claude" / "settings.local.json")["ANTHROPIC_BASE_URL"] for f in folders]
    assert urls == ["https://api.deepseek.com/anthropic", "https://api.minimax.io/anthropic"]
    assert (tool.home / ".claude" / "settings.json").read_bytes() == mine
    for folder in folders:
        # The file holds a key: git is told to leave it out, privately.
        excluded = (folder / ".git" / "info" / "exclude").read_text()
        assert "settings.local.json" in excluded
        status = ["git", "-C", str(folder), "status", "--porcelain", "-uall"]
        assert "settings.local" not in subprocess.run(status, capture_output=True, text=True).stdout
        # And the client in it is shown that folder's endpoint.
        shown = Tool(home=tool.home, cwd=folder)("show", "ANTHROPIC_BASE_URL", "--format", "json")
        (variable,) = json.loads(shown.out)["variables"]
        assert variable["layer"] == "local"


def test_a_file_that_git_has_already_gets_no_key(tool: Tool, tmp_path: Path) -> None:
    done = tool("init", "--provider", "deepseek", "--yes", "--write", "settings", **KEYS)
    assert done.code == 0, done.err
    file = tmp_path / "shared" / ".claude" / "settings.local.json"
    file.parent.mkdir(parents=True)
    file.write_text("{}\n")
    for words in (["init", "-q"], ["add", "-f", ".claude/settings.local.json"]):
        subprocess.run(["git", "-C", str(tmp_path / "shared"), *words], check=True)
    done = Tool(home=tool.home, cwd=tmp_path / "shared")("use", "deepseek", "--here")
    assert done.code == 1
    assert "git rm --cached" in done.err
    assert file.read_text() == "{}\n"


def test_a_first_start_of_the_client_needs_more_than_a_folders_settings(
    tool: Tool, tmp_path: Path
) -> None:
    done = tool("init", "--provider", "deepseek", "--yes", "--write", "settings", **KEYS)
    assert done.code == 0, done.err
    here = Tool(home=tool.home, cwd=tmp_path)
    assert "first start" not in here("use", "deepseek", "--here").err
    assert tool("use", "off").code == 0
    assert "first start reads no settings of a folder" in here("validate").out
    (tool.home / ".claude.json").write_text('{"hasCompletedOnboarding": true}')
    assert "first start" not in here("validate").out
