"""The main job with real parts: what `init` writes, the real gateway and clients live on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from haha_config.core.providers import table as rows
from haha_config.core.variables import OWNED
from haha_config.io import templates
from tests.cli.test_init import environ, flags
from tests.cli.tool import Done, Tool
from tests.e2e import parts
from tests.e2e.conftest import StartGateway
from tests.e2e.processes import (
    QUIET,
    Gateway,
    GatewayFailed,
    ask_client,
    bun_reads,
    fetch,
    free_port,
    node_reads,
)
from tests.e2e.upstream import Upstream

KEY = "sk-test-0123456789abcdef"
PROVIDERS = rows.load(templates.provider_texts())


@pytest.fixture
def tool(home: Path, work: Path) -> Tool:
    return Tool(home=home, cwd=work, environ={"CUSTOM_OPENAI_API_KEY": KEY})


@dataclass(frozen=True)
class Chain:
    """A set-up on disk, the gateway that runs from it, and what it calls."""

    tool: Tool
    gateway: Gateway
    upstream: Upstream


def two_models(upstream: Upstream, port: int) -> list[str]:
    return [
        *("--provider", "litellm", "--port", str(port)),
        *("--upstream", f"big=custom-openai:upstream-big@{upstream.url}/v1"),
        *("--upstream", f"small=custom-openai:upstream-small@{upstream.url}/v1"),
    ]


@pytest.fixture(scope="module")
def chain(gateways: StartGateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """One gateway for the tests of this file: it takes longer to start than they take to run."""
    base = tmp_path_factory.mktemp("chain")
    made = Tool(
        home=_folder(base / "home"),
        cwd=_folder(base / "work"),
        environ={"CUSTOM_OPENAI_API_KEY": KEY},
    )
    with Upstream() as upstream:
        succeeded(made("init", *two_models(upstream, free_port()), "--yes"))
        succeeded(made("validate"))
        yield Chain(made, gateways(made.cwd), upstream)


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def succeeded(done: Done) -> Done:
    assert done.code == 0, done.out + done.err
    return done


def tools_of(version: str, base: Path) -> set[str]:
    """The tools that this client sends to an endpoint of its own protocol, asked the same way."""
    home, work = _folder(base / "other-home"), _folder(base / "other-work")
    with Upstream() as recording:
        other = Tool(home=home, cwd=work, environ={"CUSTOM_ANTHROPIC_API_KEY": KEY})
        words = ["--provider", "custom-anthropic", "--base-url", recording.url, "--model", "m"]
        succeeded(other("init", *words, "--yes"))
        ask_client(version, home=home, cwd=work)
        return set(recording.asked("anthropic")[-1].tools)


def test_through_litellm_to_two_models(chain: Chain, version: str, tmp_path: Path) -> None:
    expected = tools_of(version, tmp_path)
    assert {"Bash", "Edit", "Read", "Write"} <= expected
    for name in ("big", "small"):
        chain.upstream.clear()
        succeeded(chain.tool("switch-model", name, "--yes"))
        said = ask_client(version, home=chain.tool.home, cwd=chain.tool.cwd)
        assert said.stdout.strip() == f"answer from upstream-{name}", said.stderr
        asked = chain.upstream.asked("chat", "responses", "anthropic")
        assert {r.path for r in asked} == {"/v1/chat/completions"}
        assert {r.model for r in asked} == {f"upstream-{name}"}
        assert any(set(r.tools) == expected for r in asked)
        assert {r.headers["authorization"] for r in asked} == {f"Bearer {KEY}"}


def test_validate_sees_the_gateway_that_answers(chain: Chain) -> None:
    done = succeeded(chain.tool("validate", "--format", "json"))
    assert "nothing listens" not in done.out
    assert done.json["summary"]["errors"] == 0


def test_directly_to_two_models(tool: Tool, upstream: Upstream, version: str) -> None:
    words = ["--provider", "custom-anthropic", "--base-url", upstream.url, "--model", "first"]
    succeeded(tool("init", *words, "--yes", CUSTOM_ANTHROPIC_API_KEY=KEY))
    succeeded(tool("validate"))
    for model in ("first", "second"):
        succeeded(tool("switch-model", model, "--unlisted"))
        upstream.clear()
        said = ask_client(version, home=tool.home, cwd=tool.cwd)
        assert said.stdout.strip() == f"answer from {model}", said.stderr
        (asked,) = upstream.asked("anthropic")
        assert (asked.path, asked.model) == ("/v1/messages", model)
        assert asked.credential == (KEY, None)


@pytest.mark.parametrize("key", list(PROVIDERS))
def test_the_env_file_of_every_row_is_read_alike(key: str, tool: Tool) -> None:
    row = PROVIDERS[key]
    succeeded(tool("init", *flags(row), "--port", str(free_port()), "--yes", **environ(row)))
    wanted = {name: value for name, value in tool.env.items() if name in OWNED}
    bun, node = bun_reads(tool.dotenv, tool.home), node_reads(tool.dotenv, tool.home)
    assert {name: bun.get(name) for name in wanted} == wanted
    assert {name: node.get(name) for name in wanted} == wanted


def test_the_client_lives_on_what_bun_reads_from_env(
    tool: Tool, upstream: Upstream, version: str
) -> None:
    words = ["--provider", "custom-anthropic", "--base-url", upstream.url, "--model", "m"]
    succeeded(tool("init", *words, "--yes", CUSTOM_ANTHROPIC_API_KEY=KEY))
    read = bun_reads(tool.dotenv, tool.home)
    tool.settings.unlink()
    variables = {name: read[name] for name in OWNED if name in read}
    said = ask_client(version, home=tool.home, cwd=tool.cwd, env={**QUIET, **variables})
    assert said.stdout.strip() == "answer from m", said.stderr


# --- a fault, as validate names it and as the real chain shows it ------------------------------


def codes(done: Done) -> set[str]:
    return {f["code"] for f in done.json["findings"] if f["severity"] == "error"}


def edited(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def set_env(tool: Tool, values: Mapping[str, str]) -> None:
    data = json.loads(tool.settings.read_text(encoding="utf-8"))
    data["env"].update(values)
    tool.settings.write_text(json.dumps(data), encoding="utf-8")
    tool.dotenv.unlink(missing_ok=True)


def test_without_a_master_key_validate_says_so_and_litellm_refuses(
    tool: Tool, upstream: Upstream, gateway: StartGateway
) -> None:
    succeeded(tool("init", *two_models(upstream, free_port()), "--yes"))
    edited(tool.cwd / "litellm_config.yaml", "  master_key: os.environ/LITELLM_MASTER_KEY\n", "")
    edited(tool.cwd / "litellm_config.yaml", "general_settings:\n", "")
    held = (tool.cwd / "litellm.env").read_text()
    kept = [line for line in held.splitlines() if not line.startswith("LITELLM_MASTER_KEY")]
    (tool.cwd / "litellm.env").write_text("\n".join(kept) + "\n")
    done = tool("validate", "--format", "json")
    assert done.code == 1
    assert any("master" in f["message"].lower() for f in done.json["findings"])
    with pytest.raises(GatewayFailed, match="refused to start"):
        gateway(tool.cwd)


def test_without_drop_params_validate_says_so_and_the_gateway_refuses(
    tool: Tool, upstream: Upstream, gateway: StartGateway
) -> None:
    # LiteLLM drops by itself for the user agents that it knows; a fork with another one gets this,
    # and only for a model whose abilities LiteLLM knows.
    known = f"big=custom-openai:gpt-4o@{upstream.url}/v1"
    words = ["--provider", "litellm", "--port", str(free_port()), "--upstream", known]
    succeeded(tool("init", *words, "--yes"))
    edited(tool.cwd / "litellm_config.yaml", "drop_params: true", "drop_params: false")
    for client, code, severity in (("haha", 1, "error"), ("claude", 0, "warning")):
        done = tool("validate", "--client", client, "--format", "json")
        assert done.code == code
        (found,) = [f for f in done.json["findings"] if f["code"] == "LLM003"]
        assert found["severity"] == severity
    running = gateway(tool.cwd)
    status, body = fetch(
        f"{running.url}/v1/messages",
        body={
            "model": "big",
            "max_tokens": 16,
            "thinking": {"type": "adaptive"},
            "output_config": {"effort": "high"},
            "messages": [{"role": "user", "content": "hi"}],
        },
        headers={"authorization": f"Bearer {tool.env['ANTHROPIC_AUTH_TOKEN']}"},
    )
    assert status == 400, body
    assert "UnsupportedParams" in str(body)


def test_a_doubled_v1_is_named_and_the_client_fails(tool: Tool, upstream: Upstream) -> None:
    words = ["--provider", "custom-anthropic", "--base-url", upstream.url, "--model", "m"]
    succeeded(tool("init", *words, "--yes", CUSTOM_ANTHROPIC_API_KEY=KEY))
    set_env(tool, {"ANTHROPIC_BASE_URL": f"{upstream.url}/v1"})
    done = tool("validate", "--format", "json")
    assert done.code == 1
    assert any("/v1/v1/messages" in f["message"] for f in done.json["findings"])
    said = ask_client(parts.NEWEST, home=tool.home, cwd=tool.cwd)
    assert said.code != 0
    assert {r.path for r in upstream.requests if r.method == "POST"} == {"/v1/v1/messages"}


def test_both_credentials_are_named_and_the_client_sends_both(
    tool: Tool, upstream: Upstream
) -> None:
    words = ["--provider", "custom-anthropic", "--base-url", upstream.url, "--model", "m"]
    succeeded(tool("init", *words, "--yes", CUSTOM_ANTHROPIC_API_KEY=KEY))
    set_env(tool, {"ANTHROPIC_API_KEY": "sk-test-another-0123456789"})
    done = tool("validate", "--format", "json")
    assert done.code == 1
    assert any(
        "ANTHROPIC_API_KEY" in f["message"] and "ANTHROPIC_AUTH_TOKEN" in f["message"]
        for f in done.json["findings"]
    )
    ask_client(parts.NEWEST, home=tool.home, cwd=tool.cwd)
    (asked,) = upstream.asked("anthropic")
    assert asked.credential == (KEY, "sk-test-another-0123456789")
