"""What a Tab offers: the answer to the shells' scripts, and a real Tab in a real bash."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator

import pytest

from haha_config.cli.completion import asked
from tests.cli.tool import Tool
from tests.terminal import tabs
from tests.terminal.screen import Terminal


@pytest.fixture(scope="module")
def bash(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    home = tmp_path_factory.mktemp("home")
    tabs.furnish(home)
    with tabs.shell("bash", home) as terminal:
        yield terminal


@pytest.mark.skipif(sys.platform == "win32" or shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(("typed", "becomes"), tabs.TABS)
def test_a_tab(bash: Terminal, typed: str, becomes: str) -> None:
    tabs.tab(bash, typed, becomes)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("haha-config sw", ["haha-config", "sw"]),
        ("haha-config use ", ["haha-config", "use", ""]),
        ("haha-config use 'my", ["haha-config", "use", "my"]),
        ("haha-config run it\\'s", ["haha-config", "run", "it's"]),
        ("", [""]),
    ],
)
def test_a_line_is_split_as_a_shell_does(line: str, words: list[str]) -> None:
    environ = {"_HAHA_CONFIG_COMPLETE": "tab_fish", "_HAHA_CONFIG_LINE": line}
    assert asked(environ) == words


def test_every_list_is_there_without_a_set_up(tool: Tool) -> None:
    for words, first in (
        ("", "init"),
        ("init --provider ", "litellm"),
        ("init --via ", "direct"),
        ("probe --require ", "reach"),
        ("profile ", "save"),
        ("validate --ignore ", "ENV"),
    ):
        line = {"_HAHA_CONFIG_COMPLETE": "tab_fish", "_HAHA_CONFIG_LINE": f"haha-config {words}"}
        assert tool(**line).out.splitlines()[1].partition("\t")[0] == first


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("qwen/qwen3.5:30b", True),
        ("gpt-6[1m]", True),
        ("模型-1", True),
        ("m$(id)", False),
        ("m`id`", False),
        ("m;id", False),
        ("m\x1b[2Jn", False),
        ("--trust", False),
    ],
)
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_no_name_of_a_cloned_file_becomes_a_command(
    tool: Tool, name: str, offered: bool, shell: str
) -> None:
    folder = tool.cwd / ".claude"
    folder.mkdir()
    env = {"ANTHROPIC_MODEL": name, "ANTHROPIC_DEFAULT_OPUS_MODEL": "mine"}
    (folder / "settings.json").write_text(json.dumps({"env": env}), encoding="utf-8")
    line = {
        "_HAHA_CONFIG_COMPLETE": f"tab_{shell}",
        "_HAHA_CONFIG_LINE": "haha-config run --model ",
    }
    values = [line.partition("\t")[0] for line in tool(**line).out.splitlines()[1:]]
    assert "mine" in values
    assert (name in values) == offered
    assert len(values) == 1 + offered
