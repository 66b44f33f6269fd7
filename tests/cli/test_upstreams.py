"""A gateway that gets another model, or loses one, as a person types it."""

from __future__ import annotations

import tomllib

import pytest

from tests.cli.tool import Tool
from tests.e2e.processes import free_port

KEYS = {
    "OPENAI_API_KEY": "sk-proj-0123456789abcdefTEST",
    "DEEPSEEK_API_KEY": "sk-0123456789abcdef0123456789abcdef",
}


@pytest.fixture
def gateway(tool: Tool) -> Tool:
    """A gateway with two models: `gpt-6.1-sol` is asked for, `gpt-6-luna` in the background."""
    port = str(free_port())
    ups = ("--upstream", "openai:gpt-6.1-sol", "--upstream", "openai:gpt-6-luna")
    done = tool("init", *ups, "--slot", "haiku=gpt-6-luna", "--port", port, "--yes", **KEYS)
    assert done.code == 0, done.err
    return tool


def slots(tool: Tool) -> dict[str, str]:
    return {name: value for name, value in tool.env.items() if name.endswith("_MODEL")}


def test_another_upstream_leaves_the_models_in_use(gateway: Tool) -> None:
    before = slots(gateway)
    done = gateway("init", "--upstream", "deepseek:deepseek-flash", "--yes", **KEYS)
    assert done.code == 0, done.err
    assert slots(gateway) == before
    assert "haha-config switch-model deepseek-flash" in done.err
    assert gateway("switch-model", "deepseek-flash").code == 0
    assert gateway.env["ANTHROPIC_MODEL"] == "deepseek-flash"
    assert gateway.env["ANTHROPIC_DEFAULT_HAIKU_MODEL"] == "gpt-6-luna"


def test_a_model_that_is_given_is_the_one(gateway: Tool) -> None:
    more = ("--upstream", "deepseek:deepseek-flash", "--model", "deepseek-flash", "--yes")
    done = gateway("init", *more, **KEYS)
    assert done.code == 0, done.err
    assert set(slots(gateway).values()) == {"deepseek-flash"}
    assert "switch-model" not in done.err


def test_a_model_that_the_gateway_does_not_have_is_not_kept(gateway: Tool) -> None:
    assert gateway("switch-model", "nobody", "--unlisted").code == 0
    done = gateway("init", "--upstream", "deepseek:deepseek-flash", "--yes", **KEYS)
    assert done.code == 0, done.err
    assert gateway.env["ANTHROPIC_MODEL"] == "deepseek-flash"
    assert gateway.env["ANTHROPIC_DEFAULT_HAIKU_MODEL"] == "gpt-6-luna"


def test_the_main_model_taken_out_makes_way(gateway: Tool) -> None:
    more = ("--upstream", "deepseek:deepseek-flash", "--drop", "gpt-6.1-sol", "--yes")
    done = gateway("init", *more, **KEYS)
    assert done.code == 0, done.err
    assert gateway.env["ANTHROPIC_MODEL"] == "deepseek-flash"


def test_the_line_that_does_it_again_is_about_the_whole_gateway(gateway: Tool) -> None:
    done = gateway("init", "--upstream", "deepseek:deepseek-flash", "--yes", **KEYS)
    (line,) = [one for one in done.err.splitlines() if "the same set-up again" in one]
    words = line.partition("(")[0].split()
    gateway("use", "off", "--yes")
    assert not gateway.settings.exists()
    again = gateway(*words[1:], **KEYS)
    assert again.code == 0, again.err
    config = (gateway.cwd / "litellm_config.yaml").read_text(encoding="utf-8")
    for name in ("gpt-6.1-sol", "gpt-6-luna", "deepseek-flash"):
        assert f"model_name: {name}" in config
    assert gateway.env["ANTHROPIC_MODEL"] == "gpt-6.1-sol"


def test_the_line_that_does_it_again_is_left_out_where_it_is_a_page_long(tool: Tool) -> None:
    many = [word for n in range(60) for word in ("--upstream", f"m{n}=ollama:qwen3:{n}b-of-mine")]
    done = tool("init", "--provider", "litellm", *many, "--yes")
    assert done.code == 0, done.err
    assert "proxy up" in done.err
    assert "the same set-up again" not in done.err


def test_upstreams_beside_a_direct_route_begin_a_gateway(tool: Tool) -> None:
    assert tool("init", "--provider", "deepseek", "--yes", **KEYS).code == 0
    more = ("--upstream", "openai:gpt-6.1-sol", "--port", str(free_port()), "--yes")
    done = tool("init", *more, **KEYS)
    assert done.code == 0, done.err
    assert set(slots(tool).values()) == {"gpt-6.1-sol"}


def test_the_profile_of_the_gateway_has_all_of_it(gateway: Tool) -> None:
    assert gateway("init", "--upstream", "deepseek:deepseek-flash", "--yes", **KEYS).code == 0
    path = gateway.home / ".config" / "haha-config" / "profiles" / "litellm.toml"
    saved = tomllib.loads(path.read_text(encoding="utf-8"))
    assert saved["model"] == "gpt-6.1-sol"
    assert len(saved["upstream"]) == 3


def test_a_retired_model_that_is_asked_for_is_kept_and_its_successor_named(tool: Tool) -> None:
    words = ("init", "--provider", "deepseek", "--model", "deepseek-chat", "--yes")
    for _ in range(2):
        done = tool(*words, **KEYS)
        assert done.code == 0, done.err
        assert set(slots(tool).values()) == {"deepseek-chat"}
        assert "ended `deepseek-chat`" in done.err
        assert "haha-config switch-model deepseek-flash" in done.err


def test_a_retired_model_that_nobody_asks_for_again_is_replaced_and_it_is_said(tool: Tool) -> None:
    words = ("init", "--provider", "deepseek", "--model", "deepseek-chat", "--yes")
    assert tool(*words, **KEYS).code == 0
    again = tool("init", "--yes", **KEYS)
    assert again.code == 0, again.err
    assert tool.env["ANTHROPIC_MODEL"] == "deepseek-flash[1m]"
    assert "deepseek-chat" not in slots(tool).values()
    told = "`deepseek-chat` ended on 2026-07-24: `deepseek-flash[1m]` takes its place"
    assert told in again.err


def test_a_path_is_put_right_by_the_line_of_the_hint(gateway: Tool) -> None:
    """At the host that has seen the key, a new path needs neither the key nor the provider."""
    url, key = gateway.env["ANTHROPIC_BASE_URL"], gateway.env["ANTHROPIC_AUTH_TOKEN"]
    settings = gateway.settings.read_text(encoding="utf-8")
    gateway.settings.write_text(settings.replace(url, f"{url}/v1"), encoding="utf-8")
    done = gateway("init", "--base-url", url, "--yes")
    assert done.code == 0, done.err
    assert (gateway.env["ANTHROPIC_BASE_URL"], gateway.env["ANTHROPIC_AUTH_TOKEN"]) == (url, key)
    assert gateway("validate").code == 0


def test_a_path_at_a_provider_is_put_right_and_another_host_gets_no_key(tool: Tool) -> None:
    there = ("--provider", "custom-anthropic", "--base-url", "https://ai.example/v1x")
    more = ("--model", "m", "--api-key-stdin", "--yes")
    done = tool("init", *there, *more, stdin="sk-test-01234567")
    assert done.code == 0, done.err
    done = tool("init", "--base-url", "https://ai.example/anthropic", "--yes")
    assert done.code == 0, done.err
    assert tool.env["ANTHROPIC_BASE_URL"] == "https://ai.example/anthropic"
    assert tool.env["ANTHROPIC_AUTH_TOKEN"] == "sk-test-01234567"
    assert tool("init", "--base-url", "https://evil.example/anthropic", "--yes").code == 2
    assert tool.env["ANTHROPIC_BASE_URL"] == "https://ai.example/anthropic"
