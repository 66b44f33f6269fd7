"""The guide says which rule finds what has changed since the older one: each of them does."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from haha_config.core import rules
from tests.core.rules.example import load

GUIDE = Path(__file__).parents[3] / "docs" / "guide.md"
KEY = "sk-or-v1-0123456789abcdef0123456789abcdef"
CONFIG = """\
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}
  - model_name: llama3
    litellm_params: {model: ollama/llama3, api_base: http://localhost:11434}
litellm_settings: {drop_params: true}
"""


def env(url: str, model: str, key: str = KEY) -> str:
    return f"ANTHROPIC_BASE_URL={url}\nANTHROPIC_AUTH_TOKEN={key}\nANTHROPIC_MODEL={model}\n"


GATEWAY = {
    ".env": env("http://localhost:4000", "gpt-4o", "sk-anything"),
    "litellm_config.yaml": CONFIG,
}
OTHER = {"env": {"ANTHROPIC_BASE_URL": "https://api.deepseek.com/anthropic"}}
OLD = 'client = "haha"\n[[machine.litellm]]\nversion = "%s"\npath = "/home/you/venv"\n'
#: Beginning of the row -> files that a person has who followed the older guide.
SET_UPS: Mapping[str, Mapping[str, str]] = {
    "`ANTHROPIC_AUTH_TOKEN=sk-anything`": GATEWAY,
    "OpenRouter at": {".env": env("https://openrouter.ai/api/v1", "openai/gpt-4o")},
    "`deepseek-chat`": {".env": env("https://api.deepseek.com/anthropic", "deepseek-chat")},
    "`gpt-4o`": GATEWAY,
    "`ollama/llama3`": {**GATEWAY, ".env": env("http://localhost:4000", "llama3")},
    "`pip install": {**GATEWAY, "state.toml": OLD % "1.82.7" + OLD.partition("\n")[2] % "1.60.0"},
    "`litellm --port 4000`": GATEWAY,
    "`.env` as the one place": {
        ".env": env("https://openrouter.ai/api", "openai/gpt-4o"),
        "home/.claude/settings.json": json.dumps(OTHER),
    },
    '"change `ANTHROPIC_MODEL`': {
        ".env": env("https://api.deepseek.com/anthropic", "deepseek-flash")
    },
}


def rows() -> list[tuple[str, list[str]]]:
    table = GUIDE.read_text(encoding="utf-8").partition("| then | now |")[2]
    cells = [line.strip("|").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    return [(row[0].strip(), re.findall(r"[A-Z]{3}\d{3}", row[-1])) for row in cells]


@pytest.mark.parametrize(("row", "codes"), rows(), ids=lambda x: x if isinstance(x, str) else "")
def test_what_the_guide_says_is_found(row: str, codes: list[str], tmp_path: Path) -> None:
    if not codes:
        return
    for name, text in next(
        files for start, files in SET_UPS.items() if row.startswith(start)
    ).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    found = {f.code for f in rules.run(load(tmp_path))}
    assert set(codes) <= found


def test_the_guide_s_table_is_read() -> None:
    assert sum(bool(codes) for _, codes in rows()) >= len(SET_UPS)
