"""`proxy check` against the real LiteLLM: what it offers, leaves out, refuses; nothing is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e import parts
from tests.e2e.test_proxy import MASTER, Place
from tests.e2e.upstream import Upstream

LEFT_OUT = (
    "model_list:\n"
    "  - model_name: other\n"
    "    litellm_params: {model: casper/unknown, api_base: 'http://127.0.0.1:9/v1'}\n"
)
REFUSED = "router_settings:\n  routing_strategy: round-robin\n"


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as running:
        yield running


@pytest.fixture
def place(tmp_path: Path, upstream: Upstream) -> Place:
    return Place(tmp_path, upstream.url)


def leftovers(place: Place) -> list[str]:
    """Processes that still work on these files, and logs of a check."""
    config = str(place.config)
    running = [p.pid for p in psutil.process_iter() if config in _command(p)]
    logs = place.record.parent.glob("gateway-*.log")
    return [*map(str, running), *(str(log) for log in logs)]


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def test_it_starts_and_names_what_is_left_out_and_nothing_is_sent(
    place: Place, upstream: Upstream
) -> None:
    place.config.write_text(place.config.read_text().replace("model_list:\n", LEFT_OUT))
    assert place.run("trust", "--yes").returncode == 0
    done = place.run("proxy", "check", "--format", "json")
    found = json.loads(done.stdout)
    assert found["models"] == ["good"], (done.stdout, done.stderr)
    assert found["litellm"] == parts.LITELLM
    (left,) = found["findings"]
    assert (left["severity"], left["line"], left["code"]) == ("warning", 3, "LLM022")
    assert "`other`" in left["message"]
    assert done.returncode == 0
    # Not even a list of models: nothing went out but what we asked of the gateway.
    assert upstream.requests == []
    assert leftovers(place) == []


def test_what_it_refuses_is_said_with_its_place(place: Place) -> None:
    place.config.write_text(place.config.read_text() + REFUSED)
    assert place.run("trust", "--yes").returncode == 0
    done = place.run("proxy", "check")
    assert done.returncode == 1
    line = place.config.read_text().count("\n")
    assert f"{line}:" in done.stdout
    assert "round-robin" in done.stdout
    assert MASTER not in done.stdout + done.stderr
    assert leftovers(place) == []


def test_it_asks_before_it_runs_what_a_folder_names(place: Place) -> None:
    text = place.config.read_text()
    place.config.write_text(text.replace("drop_params: true", "callbacks: their_hooks.handler"))
    (place.folder / "their_hooks.py").write_text("raise SystemExit('it ran')\n")
    done = place.run("proxy", "check")
    assert done.returncode == 1
    assert "--trust" in done.stderr
    assert "it ran" not in done.stdout + done.stderr
