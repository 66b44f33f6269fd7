"""The limit of output: written for a model that gives less than the client asks for."""

from __future__ import annotations

import pytest

from tests.cli.tool import Tool
from tests.e2e.processes import free_port

KEYS = {"OPENAI_API_KEY": "sk-proj-" + "a1" * 20}
NAME = "CLAUDE_CODE_MAX_OUTPUT_TOKENS"


@pytest.fixture
def small(tool: Tool) -> Tool:
    models = ("--upstream", "openai:gpt-4o", "--upstream", "openai:gpt-6-luna")
    words = ("--provider", "litellm", *models, "--model", "gpt-4o", "--port", str(free_port()))
    done = tool("init", *words, "--yes", **KEYS)
    assert done.code == 0, done.err
    return tool


def test_init_writes_it_and_validate_has_nothing_to_say(small: Tool) -> None:
    assert small.env[NAME] == "16384"
    assert small("validate", "--select", "MOD007").out.startswith("0 errors")


def test_it_goes_with_the_model(small: Tool) -> None:
    assert small("switch-model", "gpt-6-luna").code == 0
    assert NAME not in small.env
    assert small("switch-model", "gpt-4o").code == 0
    assert small.env[NAME] == "16384"


def test_a_limit_of_ones_own_stays(small: Tool) -> None:
    text = small.settings.read_text(encoding="utf-8").replace('"16384"', '"8000"')
    small.settings.write_text(text, encoding="utf-8")
    assert small("switch-model", "gpt-6-luna").code == 0
    assert small.env[NAME] == "8000"
