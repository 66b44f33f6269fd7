"""`run` before the client starts: its gateway, its model."""

from __future__ import annotations

import os
import sys

import pytest

from tests.cli.tool import Tool
from tests.e2e.processes import free_port

KEYS = {"OPENAI_API_KEY": "sk-proj-" + "a1" * 20}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a script in the client's place")


@pytest.fixture
def gateway(tool: Tool) -> Tool:
    folder = tool.home / "bin"
    folder.mkdir()
    client = folder / "claude"
    client.write_text("#!/bin/sh\necho started with $ANTHROPIC_MODEL\n", encoding="utf-8")
    client.chmod(0o755)
    made = Tool(tool.home, tool.cwd, {"PATH": f"{folder}:/usr/bin:/bin"})
    words = ("--provider", "litellm", "--upstream", "openai:gpt-6-luna", "--port", str(free_port()))
    done = made("init", *words, "--yes", **KEYS)
    assert done.code == 0, done.err
    return made


@pytest.mark.parametrize("words", [(), ("litellm",)])
def test_a_gateway_that_can_not_start_is_said_and_the_client_is_not_started(
    gateway: Tool, words: tuple[str, ...]
) -> None:
    done = gateway("run", *words)
    assert (done.code, done.out) == (1, "")
    assert "hint: haha-config proxy install" in done.err


def test_a_model_that_the_profiles_gateway_lacks(gateway: Tool) -> None:
    done = gateway("run", "litellm", "--model", "gpt-6-lunna")
    assert (done.code, done.out) == (2, "")
    assert "did you mean `gpt-6-luna`?" in done.err


@pytest.fixture
def direct(gateway: Tool) -> Tool:
    key = "sk-0123456789abcdef0123456789abcdef"
    made = gateway("init", "--provider", "deepseek", "--yes", DEEPSEEK_API_KEY=key)
    assert made.code == 0, made.err
    return gateway


def test_a_direct_route_needs_no_gateway(direct: Tool) -> None:
    done = direct("run", "--model", "deepseek-v4-pro")
    assert (done.code, done.out) == (0, "started with deepseek-v4-pro\n")


def test_a_variable_that_no_program_can_have(direct: Tool) -> None:
    text = direct.settings.read_text(encoding="utf-8")
    direct.settings.write_text(text.replace('"3000000"', '"3\\u0000"'), encoding="utf-8")
    done = direct("run")
    assert (done.code, done.out) == (1, "")
    assert "can't start" in done.err


def test_a_trace_waits_for_no_reader(direct: Tool) -> None:
    os.mkfifo(direct.cwd / "trace")
    done = direct("run", "--trace=trace")
    assert (done.code, done.out) == (1, "")
    assert "can't write trace" in done.err


def test_a_trace_into_what_is_no_file_leaves_it_its_mode(direct: Tool) -> None:
    pipe = direct.cwd / "trace"
    os.mkfifo(pipe, 0o640)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    mode = pipe.stat().st_mode
    assert direct("run", "--trace=trace").code == 1
    assert pipe.stat().st_mode == mode
    os.close(reader)
