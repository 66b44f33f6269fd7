"""What `show` calls effective is what the real client sends, layer by layer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cli.tool import Tool
from tests.e2e import parts
from tests.e2e.processes import QUIET, environment
from tests.e2e.upstream import Upstream

KEY = "sk-test-0123456789abcdef"
SHELL_KEY = "sk-test-shell-0123456789"


@dataclass(frozen=True)
class Case:
    """Variables by layer; a model's name says which layer it comes from."""

    name: str
    user: Mapping[str, Any] = field(default_factory=dict)
    project: Mapping[str, Any] = field(default_factory=dict)
    local: Mapping[str, Any] = field(default_factory=dict)
    managed: Mapping[str, Any] = field(default_factory=dict)
    exported: Mapping[str, str] = field(default_factory=dict)
    model_key: str = ""
    dotenv: str = ""


MODEL = "ANTHROPIC_MODEL"
TOKEN = "ANTHROPIC_AUTH_TOKEN"
API_KEY = "ANTHROPIC_API_KEY"

CASES = [
    Case("user", user={MODEL: "user"}),
    Case("shell", exported={MODEL: "shell"}),
    Case("user over shell", user={MODEL: "user"}, exported={MODEL: "shell"}),
    Case("project over user", user={MODEL: "user"}, project={MODEL: "project"}),
    Case("local over project", project={MODEL: "project"}, local={MODEL: "local"}),
    Case("local over all", user={MODEL: "user"}, project={MODEL: "p"}, local={MODEL: "local"}),
    Case("managed over local", managed={MODEL: "managed"}, local={MODEL: "local"}),
    Case("managed over shell", managed={MODEL: "managed"}, exported={MODEL: "shell"}),
    Case("env over the model key", user={MODEL: "user"}, model_key="key"),
    Case("shell over the model key", exported={MODEL: "shell"}, model_key="key"),
    Case("a key beside the token", user={MODEL: "u"}, exported={API_KEY: SHELL_KEY}),
    Case("a cancelled key", user={MODEL: "u", API_KEY: ""}, exported={API_KEY: SHELL_KEY}),
    Case("a token of the project", user={MODEL: "u"}, local={TOKEN: SHELL_KEY}),
    Case("a number", user={MODEL: "user", "API_TIMEOUT_MS": 600000}),
    Case("a .env that this client does not read", user={MODEL: "user"}, dotenv=f"{MODEL}=dot"),
    Case("cancelled in local", user={MODEL: "user"}, local={MODEL: ""}, exported={MODEL: "shell"}),
]


def write(path: Path, env: Mapping[str, Any], **more: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"env": dict(env), **more}), encoding="utf-8")


def set_up(case: Case, tool: Tool, url: str) -> None:
    base = {"ANTHROPIC_BASE_URL": url, TOKEN: KEY}
    more = {"model": case.model_key} if case.model_key else {}
    write(tool.settings, {**base, **case.user}, **more)
    if case.project:
        write(tool.cwd / ".claude" / "settings.json", case.project)
    if case.local:
        write(tool.cwd / ".claude" / "settings.local.json", case.local)
    if case.dotenv:
        tool.dotenv.write_text(case.dotenv + "\n", encoding="utf-8")


def trusted(tool: Tool) -> None:
    """Project settings count only in a folder that is trusted; a person has said yes once."""
    known = {
        "hasCompletedOnboarding": True,
        "projects": {str(tool.cwd): {"hasTrustDialogAccepted": True}},
    }
    (tool.home / ".claude.json").write_text(json.dumps(known), encoding="utf-8")


def in_a_place_of_its_own(managed: Mapping[str, Any], folder: Path) -> list[str]:
    """A command prefix under which /etc/claude-code holds `managed`, for that process alone."""
    if not managed:
        return []
    write(folder / "managed-settings.json", managed)
    script = f'mkdir -p /etc/claude-code && mount --bind {folder} /etc/claude-code && exec "$@"'
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_show_says_is_what_arrives(
    case: Case, home: Path, work: Path, upstream: Upstream, version: str, tmp_path: Path
) -> None:
    tool = Tool(home=home, cwd=work)
    set_up(case, tool, upstream.url)
    trusted(tool)
    prefix = in_a_place_of_its_own(case.managed, tmp_path / "managed")
    env = {**environment(home), **QUIET, **case.exported}
    shown = run(
        [*prefix, sys.executable, "-m", "haha_config", "show", "--format", "json"], work, env
    )
    said = run([*prefix, str(parts.client(version)), "-p", "say hi"], work, env)
    assert said.returncode == 0, said.stderr
    found = {v["name"]: v for v in json.loads(shown.stdout)["variables"]}
    asked = upstream.asked("anthropic")[-1]
    effective = found[MODEL]["value"] if MODEL in found else None
    if effective:
        assert asked.model == effective
    bearer, x_api_key = asked.credential
    assert masked(bearer) == found[TOKEN]["value"]
    assert masked(x_api_key) == (found.get(API_KEY, {}).get("value") or None)


def masked(value: str | None) -> str | None:
    return f"****{value[-4:]}" if value else None


def run(command: list[str], cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
