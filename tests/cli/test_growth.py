"""A file that is ten times as long costs ten times as much, not a hundred times."""

from __future__ import annotations

import pstats
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.tool import Tool

FEW, SOME, MANY = 10, 40, 160
COMMANDS = {
    "init": ("init", "--upstream", "second=ollama:qwen3:4b", "--yes"),
    "switch-model": ("switch-model", "second", "--yes"),
    "validate": ("validate",),
}


def entry(number: int) -> str:
    return (
        f"  - model_name: model-{number}\n    litellm_params:\n"
        f"      model: openai/gpt-{number}\n      api_key: os.environ/KEY_{number}\n"
    )


def calls(tool: Tool, words: tuple[str, ...], models: int, profile: Path) -> int:
    """How many calls of functions a command takes beside a gateway of so many models."""
    keys = {f"KEY_{number}": f"sk-{number:032}" for number in range(models)}
    upstreams = ("--upstream", "first=ollama:llama3", "--upstream", "second=ollama:qwen3")
    assert tool("init", "--provider", "litellm", *upstreams, "--yes").code == 0
    config = tool.cwd / "litellm_config.yaml"
    entries = "".join(entry(number) for number in range(models))
    text = config.read_text(encoding="utf-8").replace("model_list:\n", "model_list:\n" + entries)
    config.write_text(text, encoding="utf-8")
    assert tool("trust", "--yes").code == 0
    done = subprocess.run(
        [sys.executable, "-m", "cProfile", "-o", profile, "-m", "haha_config", *words],
        cwd=tool.cwd,
        env=tool.variables(keys),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return int(pstats.Stats(str(profile)).total_calls)  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_longer_gateway_costs_as_much_more_as_it_is_longer(tmp_path: Path, command: str) -> None:
    took = []
    for models in (FEW, SOME, MANY):
        home, folder = tmp_path / f"home-{models}", tmp_path / f"project-{models}"
        home.mkdir()
        folder.mkdir()
        tool = Tool(home=home, cwd=folder)
        took.append(calls(tool, COMMANDS[command], models, tmp_path / f"profile-{models}"))
    few, some, many = took
    # Linear: (160 - 40) / (40 - 10) = 4. Quadratic: (160² - 40²) / (40² - 10²) = 16.
    assert many - some < 6 * (some - few), took
