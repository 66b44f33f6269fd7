"""What a Tab offers: the answer to the shells' scripts, and a real Tab in a real bash."""

from __future__ import annotations

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
