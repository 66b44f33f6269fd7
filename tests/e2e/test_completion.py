"""A real Tab in zsh and fish. bash is everywhere, so its test is in tests/terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.e2e import parts
from tests.terminal import tabs
from tests.terminal.screen import Terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is needed")


@pytest.fixture(scope="module", params=["zsh", "fish"])
def shell(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Terminal]:
    parts.apt(request.param)
    home = tmp_path_factory.mktemp("home")
    tabs.furnish(home)
    with tabs.shell(request.param, home) as terminal:
        yield terminal


@pytest.mark.parametrize(("typed", "becomes"), tabs.TABS)
def test_a_tab(shell: Terminal, typed: str, becomes: str) -> None:
    tabs.tab(shell, typed, becomes)


def test_what_each_is_for_stands_there_whole(shell: Terminal) -> None:
    shell.send("haha-config proxy \t")
    shell.wait("Let LiteLLM load the files, and send nothing.")
