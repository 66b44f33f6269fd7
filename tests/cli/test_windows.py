"""The window that is written is the one that the server on this machine gives."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.cli.tool import Done, Tool
from tests.e2e.upstream import Upstream

WINDOW = "CLAUDE_CODE_MAX_CONTEXT_TOKENS"


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    for name in ("home", "work"):
        (tmp_path / name).mkdir(exist_ok=True)
    return Tool(home=tmp_path / "home", cwd=tmp_path / "work")


def says(value: Any) -> Any:
    return lambda _request, reply: reply.json(200, value)


def by_model(answers: dict[str, Any]) -> Any:
    return lambda request, reply: reply.json(200, answers.get(request.body["model"], {}))


OLLAMA = {
    ("GET", "/api/version"): says({"version": "0.15.2"}),
    ("GET", "/api/ps"): says({"models": [{"name": "loaded:latest", "context_length": 16384}]}),
    ("POST", "/api/show"): by_model(
        {
            "trained": {"model_info": {"qwen3.context_length": 262144}},
            "set": {"parameters": "stop x\nnum_ctx  40000", "model_info": {"a.context_length": 9}},
        }
    ),
}
LM_STUDIO = {
    ("GET", "/api/v0/models"): says(
        {"data": [{"id": "loaded", "loaded_context_length": 8192, "max_context_length": 131072}]}
    )
}
LLAMA_CPP = {("GET", "/props"): says({"default_generation_settings": {"n_ctx": 65536}})}
VLLM = {("GET", "/v1/models"): says({"data": [{"id": "big", "max_model_len": 98304}]})}


def succeeded(done: Done) -> Done:
    assert done.code == 0, done.out + done.err
    return done


@pytest.mark.parametrize(
    ("provider", "routes", "model", "window"),
    [
        ("ollama", OLLAMA, "loaded", 16384),
        ("ollama", OLLAMA, "trained", 262144),
        ("ollama", OLLAMA, "set", 40000),
        ("lmstudio", LM_STUDIO, "loaded", 8192),
        ("llamacpp", LLAMA_CPP, "any", 65536),
        ("vllm", VLLM, "big", 98304),
        ("custom-anthropic", VLLM, "big", 98304),
        ("custom-anthropic", {}, "nobody-knows", 200_000),
    ],
)
def test_a_server_on_this_machine_is_asked(
    tool: Tool, provider: str, routes: dict[Any, Any], model: str, window: int
) -> None:
    with Upstream(models=[model]) as server:
        server.routes.update(routes)
        words = ("--provider", provider, "--base-url", server.url, "--model", model, "--yes")
        done = succeeded(tool("init", *words, CUSTOM_ANTHROPIC_API_KEY="sk-test-0123456789abcdef"))
        assert tool.env[WINDOW] == str(window)
        assert ("is not known" in done.out + done.err) == (window == 200_000)
        # The second time it is the same, and the profile says the same.
        succeeded(tool("init", "--yes"))
        assert tool.env[WINDOW] == str(window)
        succeeded(tool("use", provider))
        assert tool.env[WINDOW] == str(window)


def test_behind_the_gateway_too(tool: Tool) -> None:
    with Upstream(models=["loaded"]) as server:
        server.routes.update(OLLAMA)
        named = f"ollama:loaded@{server.url}"
        succeeded(tool("init", "--provider", "litellm", "--upstream", named, "--yes"))
        assert tool.env[WINDOW] == "16384"


def test_what_the_person_says_stays(tool: Tool) -> None:
    with Upstream(models=["loaded"]) as server:
        server.routes.update(OLLAMA)
        words = ("--provider", "ollama", "--base-url", server.url, "--model", "loaded")
        succeeded(tool("init", *words, "--context", "12000", "--yes"))
        assert tool.env[WINDOW] == "12000"


def test_switch_model_keeps_it_true_both_ways(tool: Tool) -> None:
    with Upstream(models=["loaded:latest", "trained"]) as server:
        server.routes.update(OLLAMA)
        words = ("--provider", "ollama", "--base-url", server.url, "--model", "loaded")
        succeeded(tool("init", *words, "--yes"))
        for model, window in (("trained", "262144"), ("loaded", "16384")):
            succeeded(tool("switch-model", model))
            assert tool.env[WINDOW] == window
        done = tool("switch-model", "qwen3-coder")
        assert done.code == 2
        assert "not offered" in done.err
        assert tool.env["ANTHROPIC_MODEL"] == "loaded"
        lost = succeeded(tool("switch-model", "stranger", "--unlisted"))
        assert tool.env[WINDOW] == "200000"
        assert "stranger is not known" in lost.err
        assert lost.err.count("is not known") == 1


@pytest.mark.parametrize("provider", ["lmstudio", "ollama"])
def test_a_server_with_ninety_models_is_asked_each_thing_once(tool: Tool, provider: str) -> None:
    names = [f"model-{n}" for n in range(90)]
    with Upstream(models=names) as server:
        server.routes.update(OLLAMA if provider == "ollama" else {})
        words = ("--provider", provider, "--base-url", server.url, "--model", names[0])
        for run in (("init", *words, "--yes"), ("switch-model", names[1])):
            began = len(server.requests)
            succeeded(tool(*run))
            asked = Counter((r.path, r.model) for r in server.requests[began:])
            # Who is there, and what it lists, is also looked at before and after the write.
            assert max(asked.values()) <= 3, asked
            # Ollama tells of one model at a time, and only of those.
            once = [what for what, model in asked if not model]
            assert 1 <= len(once) <= 6, asked
            assert len(asked) - len(once) == (90 if provider == "ollama" else 0), asked
