"""What `validate --fix` and its hints make of broken set-ups, judged by the real client."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.cli.tool import Tool
from tests.core.rules.faults import SetUp, broken, direct, through_gateway
from tests.e2e import parts
from tests.e2e.conftest import StartGateway
from tests.e2e.processes import QUIET, ask_client, bun_reads, free_port
from tests.e2e.upstream import Upstream

#: Seeds of the sample, half of them behind LiteLLM.
SAMPLE = range(1000, 1020)


def mended(tool: Tool, made: SetUp) -> Mapping[str, str]:
    """The files after `--fix` and after each hint, once; the shell's variables that are left."""
    exported = dict(made.exported)
    ours = ("--client", made.client)
    tool("validate", "--fix", "--yes", *ours, **exported)
    said = tool("validate", "--ignore", "SYS", "--format", "json", *ours, **exported)
    for hint in dict.fromkeys(f["hint"] for f in said.json.get("findings", ()) if f["hint"]):
        if unset := re.fullmatch(r"unset (\w+)", hint):
            exported.pop(unset[1], None)
        elif hint.startswith("haha-config ") and hint != "haha-config validate --fix":
            tool(*shlex.split(hint)[1:], "--yes", *ours, **exported)
    tool("validate", "--fix", "--yes", *ours, **exported)
    return exported


def answers(tool: Tool, made: SetUp, exported: Mapping[str, str], scratch: Path) -> bool:
    """Whether the real client gets its answer, on these files."""
    env = {**QUIET, "CLAUDE_CODE_MAX_RETRIES": "0", **exported}
    version = parts.NEWEST
    if made.client == "haha":
        scratch.mkdir()
        version = parts.OLDEST
        env |= bun_reads(tool.dotenv, scratch)
    said = ask_client(version, home=tool.home, cwd=tool.cwd, env=env)
    return said.code == 0 and "answer from" in said.stdout


def test_the_client_answers_after_fix_and_hints(
    upstream: Upstream, gateways: StartGateway, tmp_path: Path
) -> None:
    port = free_port()
    behind = through_gateway(port, f"{upstream.url}/v1")
    behind.write(tmp_path / "gateway-home", tmp_path / "gateway")
    gateways(tmp_path / "gateway")
    left = []
    for seed in SAMPLE:
        kind = seed % 4
        whole = (
            direct(upstream.url, "test-model", haha=kind == 1)
            if kind < 2
            else through_gateway(port, f"{upstream.url}/v1", haha=kind == 3)
        )
        made = broken(whole, seed)
        home, work = tmp_path / f"home-{seed}", tmp_path / f"work-{seed}"
        work.mkdir()
        made.write(home, work)
        (home / ".claude.json").write_text(
            json.dumps({"hasCompletedOnboarding": True}), encoding="utf-8"
        )
        tool = Tool(home=home, cwd=work)
        exported = mended(tool, made)
        served = not whole.config or as_the_gateway_has_it(work, whole)
        if not (served and answers(tool, made, exported, tmp_path / f"scratch-{seed}")):
            left.append((seed, made.client, made.faults))
    assert len(left) <= len(SAMPLE) // 10, left


def as_the_gateway_has_it(folder: Path, whole: SetUp) -> bool:
    """Whether the mended file says what the one gateway that all share was started with."""
    text = (folder / "litellm_config.yaml").read_text(encoding="utf-8")
    return bool(yaml.safe_load(text) == whole.config)
