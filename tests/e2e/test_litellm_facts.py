"""`templates/facts/litellm.json` says what the pinned LiteLLM says of itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e import parts
from tools.facts import litellm

FACTS = json.loads(litellm.TARGET.read_text(encoding="utf-8"))


def test_the_facts_are_of_the_pinned_litellm(home: Path) -> None:
    measured = litellm.names(home)
    assert FACTS["version"] == parts.LITELLM
    assert {name: FACTS[name] for name in measured} == measured


@pytest.mark.parametrize("provider", ["openai", "ollama_chat", "deepseek", "minimax"])
def test_the_providers_of_our_rows_are_there(provider: str) -> None:
    assert provider in FACTS["providers"]
    assert provider in FACTS["routes"]
