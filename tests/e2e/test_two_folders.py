"""Two folders with two providers, and a client in each of them, both at work at once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cli.tool import Tool
from tests.e2e import parts
from tests.e2e.session import Session
from tests.e2e.test_chain import succeeded
from tests.e2e.test_facts import KEY, OTHER_KEY
from tests.e2e.test_interactive import DEFAULT_MODE
from tests.e2e.upstream import Upstream

KEYS = {"one": KEY, "two": OTHER_KEY}


def folders(tool: Tool, upstreams: dict[str, Upstream], base: Path) -> dict[str, Path]:
    """A work tree for each endpoint, pointed at it by `use NAME --here`."""
    made = {name: base / f"work on {name}" for name in upstreams}
    for name, upstream in upstreams.items():
        words = ["--provider", "custom-anthropic", "--base-url", upstream.url, "--yes"]
        words += ["--model", f"{name}-model", "--save-as", name, "--write", "settings"]
        succeeded(tool("init", *words, CUSTOM_ANTHROPIC_API_KEY=KEYS[name]))
    for name, folder in made.items():
        subprocess.run(["git", "init", "-q", folder], check=True)
        succeeded(Tool(tool.home, folder)("use", name, "--here"))
    return made


def git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_each_client_talks_to_its_folders_endpoint(
    home: Path, work: Path, tmp_path: Path, version: str
) -> None:
    with Upstream() as one, Upstream() as two:
        upstreams = {"one": one, "two": two}
        places = folders(Tool(home, work), upstreams, tmp_path)
        with (
            Session(version, home=home, cwd=places["one"]) as first,
            Session(version, home=home, cwd=places["two"]) as second,
        ):
            sessions = {"one": first, "two": second}
            for name, session in sessions.items():
                screens = session.get_ready(timeout=180)
                # Each asks for itself whether its folder is trusted.
                assert any("trust this folder" in screen for screen in screens)
                assert DEFAULT_MODE not in screens[-1]
                session.say(f"hello {name}")
                session.wait_for(f"answer from {name}-model")
            # Both are still there, and each goes on with its own.
            for name, session in sessions.items():
                session.say(f"again {name}")
                upstreams[name].wait_for(lambda r, n=name: f"again {n}" in r.prompt)  # type: ignore[misc]
        for name, upstream in upstreams.items():
            asked = {(r.model, r.credential) for r in upstream.asked()}
            assert asked == {(f"{name}-model", (KEYS[name], None))}
        for folder in places.values():
            # Also after the client has been there.
            assert "settings.local.json" not in git(folder, "status", "--porcelain", "-uall")


@pytest.mark.parametrize("version", [parts.NEWEST])
def test_a_first_start_reads_no_settings_of_a_folder(
    home: Path, work: Path, tmp_path: Path, version: str
) -> None:
    with Upstream() as one:
        tool = Tool(home, work)
        (folder,) = folders(tool, {"one": one}, tmp_path).values()
        succeeded(tool("use", "off"))
        done = Tool(home, folder)("validate", "--select", "SYS008")
        assert "it asks for an Anthropic login" in done.out
        with Session(version, home=home, cwd=folder) as session:
            session.wait_for("Unable to connect to Anthropic services|Select login method", 90)
        assert one.asked() == []
