"""A file of somebody else's can't move, colour or retitle the terminal of who looks at it."""

from __future__ import annotations

import json

import pytest

from tests.cli.tool import Tool

#: Red, a new title, a bell, a C1 control, text that runs backwards.
HOSTILE = "a\x1b[31mred\x1b]0;mine\x07\x9b1m\u202eb"


@pytest.fixture
def hostile(tool: Tool) -> Tool:
    project = tool.cwd / ".claude"
    project.mkdir()
    data = {
        "env": {"ANTHROPIC_MODEL": HOSTILE, "ANTHROPIC_BASE_URL": f"https://h.example/{HOSTILE}"}
    }
    (project / "settings.json").write_text(json.dumps(data), encoding="utf-8")
    tool.dotenv.write_text(f"API_TIMEOUT_MS={HOSTILE}\nA='{HOSTILE}\n", encoding="utf-8")
    (tool.cwd / "litellm_config.yaml").write_text(
        f'model_list: # {HOSTILE[:10]}\n  - model_name: "a\\e[31mred"\n'
        "    litellm_params: {model: ollama/x}\n",
        encoding="utf-8",
    )
    return tool


@pytest.mark.parametrize(
    "words",
    [
        ("show",),
        ("show", "--short"),
        ("validate",),
        ("validate", "--client", "haha"),
        ("switch-model", "gpt-6-luna", "--dry-run"),
        ("init", "--provider", "ollama", "--model", "qwen3-coder", "--dry-run"),
        ("models", "--search", HOSTILE),
        ("validate", "--only", f"env,{HOSTILE}"),
        ("use", HOSTILE),
        ("show", "--format", "json"),
    ],
    ids=lambda words: " ".join(words[:3]).encode("ascii", "ignore").decode().split("\x1b")[0],
)
def test_what_a_file_or_a_word_holds_is_shown_and_not_obeyed(
    hostile: Tool, words: tuple[str, ...]
) -> None:
    done = hostile(*words)
    said = done.out + done.err
    assert said.strip()
    assert not set(said) & set("\x1b\x07\x9b\u202e")


def test_it_is_seen(hostile: Tool) -> None:
    assert r"a\x1b[31mred\x1b]0;mine\x07\x9b1m\u202eb" in hostile("show").out
