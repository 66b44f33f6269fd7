"""`proxy` against the real LiteLLM: its whole life, and what gets in its way."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e import parts
from tests.e2e.processes import environment, fetch, free_port
from tests.e2e.upstream import Upstream

MASTER = "sk-" + "0123456789abcdef" * 3
UPSTREAM_KEY = "sk-test-upstream-0123456789"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


class Place:
    """A folder with a gateway's files, a home whose client uses it, and our program."""

    def __init__(self, base: Path, upstream: str) -> None:
        self.home = base / "home"
        self.folder = base / "work"
        self.port = free_port()
        (self.home / ".claude").mkdir(parents=True)
        self.folder.mkdir()
        self.config = self.folder / "litellm_config.yaml"
        self.config.write_text(
            "model_list:\n"
            "  - model_name: good\n"
            f"    litellm_params: {{model: openai/test-model, api_base: '{upstream}/v1',"
            " api_key: os.environ/UP_KEY}\n"
            "litellm_settings:\n"
            "  drop_params: true\n"
            "  use_chat_completions_url_for_anthropic_messages: true\n"
            "general_settings:\n"
            "  master_key: os.environ/LITELLM_MASTER_KEY\n"
        )
        self.write_env(MASTER)
        env = {
            "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{self.port}",
            "ANTHROPIC_AUTH_TOKEN": MASTER,
            "ANTHROPIC_API_KEY": "",
            "ANTHROPIC_MODEL": "good",
        }
        (self.home / ".claude" / "settings.json").write_text(json.dumps({"env": env}))
        # The person wrote these files by hand.
        assert self.run("trust", "--yes").returncode == 0

    def write_env(self, master: str) -> None:
        path = self.folder / "litellm.env"
        path.touch(mode=0o600)
        path.write_text(
            f"UP_KEY={UPSTREAM_KEY}\nLITELLM_MASTER_KEY={master}\nLITELLM_MODE=PRODUCTION\n"
            f"HOST=127.0.0.1\nPORT={self.port}\n"
        )

    @property
    def record(self) -> Path:
        return self.home / ".local" / "state" / "haha-config" / f"gateway-{self.port}.json"

    @property
    def environ(self) -> dict[str, str]:
        own = environment(self.home)
        return {**own, "PATH": f"{parts.litellm().parent}{os.pathsep}{own['PATH']}"}

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "haha_config", *arguments],
            cwd=self.folder,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def status(self) -> dict[str, Any]:
        return dict(json.loads(self.run("proxy", "status", "--format", "json").stdout))

    def alive(self) -> bool:
        return fetch(f"http://127.0.0.1:{self.port}/health/liveliness", timeout=5)[0] == 200


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Upstream]:
    with Upstream() as running:
        yield running


@pytest.fixture
def place(tmp_path: Path, endpoint: Upstream) -> Iterator[Place]:
    made = Place(tmp_path, endpoint.url)
    yield made
    made.run("proxy", "down")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, endpoint: Upstream) -> Iterator[Place]:
    """One gateway for every test that leaves it running: a start takes 12 to 36 s."""
    made = Place(tmp_path_factory.mktemp("running"), endpoint.url)
    done = made.run("proxy", "up", ANTHROPIC_BASE_URL="http://127.0.0.1:1", SECRET_OF_MINE="x")
    assert done.returncode == 0, done.stderr
    yield made
    made.run("proxy", "down")


def test_up_says_where_and_what(running: Place) -> None:
    status = running.status()
    assert status == {
        "version": 1,
        "running": True,
        "owned": True,
        "url": f"http://127.0.0.1:{running.port}",
        "pid": status["pid"],
        "litellm": parts.LITELLM,
        "models": ["good"],
        "stale": False,
    }
    assert running.run("proxy", "status").returncode == 0


def test_it_listens_on_loopback_and_knows_nothing_of_the_client(running: Place) -> None:
    process = psutil.Process(running.status()["pid"])
    listening = [c.laddr.ip for c in process.net_connections() if c.status == psutil.CONN_LISTEN]
    assert listening == ["127.0.0.1"]
    told = process.environ()
    assert told["UP_KEY"] == UPSTREAM_KEY
    assert not [name for name in told if name.startswith("ANTHROPIC") or name == "SECRET_OF_MINE"]


def test_a_second_up_starts_nothing(running: Place) -> None:
    before = running.status()["pid"]
    done = running.run("proxy", "up")
    assert done.returncode == 0
    assert "the gateway runs at" in done.stderr
    assert running.status()["pid"] == before


def test_the_pid_file_is_private(running: Place) -> None:
    assert running.record.stat().st_mode & 0o777 == 0o600
    assert running.record.parent.stat().st_mode & 0o777 == 0o700


def test_a_changed_file_is_said(running: Place) -> None:
    text = running.config.read_text()
    running.config.write_text(text + "# a comment\n")
    try:
        assert running.status()["stale"] is True
        assert "proxy restart" in running.run("proxy", "up").stderr
    finally:
        running.config.write_text(text)
    assert running.status()["stale"] is False


def test_logs_are_there_and_keys_are_not(running: Place) -> None:
    # LiteLLM takes the keys that it knows out of its own lines; a library of it may not.
    with running.record.with_suffix(".log").open("a") as log:
        log.write(f"somebody printed {MASTER} and {UPSTREAM_KEY}\n")
    shown = running.run("proxy", "logs", "-n", "200")
    assert shown.returncode == 0
    assert "somebody printed ****cdef and ****6789" in shown.stdout
    assert MASTER not in shown.stdout
    assert UPSTREAM_KEY not in shown.stdout


def test_logs_go_on_until_ctrl_c(running: Place) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "haha_config", "proxy", "logs", "-f"],
        cwd=running.folder,
        env=running.environ,
        stdout=subprocess.PIPE,
        text=True,
        # A test run that a shell put into the background was told to ignore it.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    ) as following:
        assert following.stdout is not None
        fetch(f"http://127.0.0.1:{running.port}/only-for-this-test", timeout=10)
        for line in following.stdout:
            if "only-for-this-test" in line:
                break
        following.send_signal(signal.SIGINT)
        assert following.wait(30) == 130


def test_foreign_and_own_on_the_same_port(running: Place, tmp_path: Path) -> None:
    """Another home has no record of it: it is named, and not stopped."""
    other = Place(tmp_path, "http://127.0.0.1:9")
    other.port = running.port
    other.write_env(MASTER)
    assert other.status()["owned"] is False
    up, down = other.run("proxy", "up"), other.run("proxy", "down")
    assert (up.returncode, down.returncode) == (1, 1)
    assert "did not start" in up.stderr
    assert "did not start" in down.stderr
    assert running.alive()


def test_a_gateway_of_another_folder_is_named_and_left_alone(
    running: Place, tmp_path: Path
) -> None:
    other = Place(tmp_path, "http://127.0.0.1:9")
    other.home = running.home
    pid = running.status()["pid"]

    said, data, down = other.run("proxy", "status"), other.status(), other.run("proxy", "down")

    assert data["elsewhere"] == [{"folder": str(running.folder), "port": running.port, "pid": pid}]
    assert f"pid {pid}" in said.stdout
    stop = f"haha-config proxy down --dir {running.folder}"
    assert stop in said.stdout
    assert stop in down.stderr
    assert running.alive()


def test_its_port_is_anothers_in_another_folder(running: Place, tmp_path: Path) -> None:
    other = Place(tmp_path, "http://127.0.0.1:9")
    other.home, other.port = running.home, running.port
    other.write_env(MASTER)
    assert other.run("trust", "--yes").returncode == 0

    up, down = other.run("proxy", "up"), other.run("proxy", "down")

    assert (up.returncode, down.returncode) == (1, 1)
    for done in (up, down):
        assert f"the gateway of {running.folder}" in done.stderr
    assert running.alive()


def client(place: Place, script: str) -> dict[str, str]:
    """A PATH with a `claude` that does nothing but this."""
    folder = Path(tempfile.mkdtemp(dir=place.home))
    program = folder / "claude"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{place.environ['PATH']}"}


def test_a_session_leaves_the_gateway_of_up_running(running: Place) -> None:
    assert running.run("run", **client(running, "exit 0")).returncode == 0
    assert running.alive()


def test_the_last_session_ends_the_gateway_that_the_first_started(place: Place) -> None:
    go = place.home / "go"
    wait = client(place, f"until [ -e {go} ]; do sleep 0.1; done")
    command = [sys.executable, "-m", "haha_config", "run"]
    with subprocess.Popen(
        command, cwd=place.folder, env={**place.environ, **wait}, stderr=subprocess.PIPE, text=True
    ) as first:
        wait_until(place.alive)
        assert place.run("run", **client(place, "exit 3")).returncode == 3
        assert place.alive(), "the first session still uses it"
        go.touch()
        assert first.stderr is not None
        assert "Stopped the gateway" in first.stderr.read()
    assert not place.alive()
    assert not place.record.exists()


def test_restart_crash_and_down(place: Place) -> None:
    """One life from start to end; each step would cost half a minute of its own."""
    assert place.run("proxy", "up").returncode == 0
    first = place.status()["pid"]

    place.config.write_text(place.config.read_text().replace("model_name: good", "model_name: new"))
    assert place.run("proxy", "restart").returncode == 0
    second = place.status()
    assert second["pid"] != first
    assert (second["models"], second["stale"]) == (["new"], False)
    assert not psutil.pid_exists(first)

    os.kill(second["pid"], signal.SIGKILL)
    wait_until(lambda: not place.alive())
    after = place.run("proxy", "status")
    assert after.returncode == 1
    assert "nothing answers" in after.stdout

    assert place.run("proxy", "up").returncode == 0
    third = place.status()["pid"]
    down = place.run("proxy", "down")
    assert (down.returncode, down.stderr) == (0, "Stopped the gateway.\n")
    assert not psutil.pid_exists(third)
    assert not place.record.exists()
    assert place.run("proxy", "down").returncode == 0


def test_the_port_is_taken_by_another_program(place: Place) -> None:
    with socket.create_server(("127.0.0.1", place.port)):
        done = place.run("proxy", "up")
        assert done.returncode == 1
        assert f"port {place.port} is taken by" in done.stderr
        assert f"(pid {os.getpid()})" in done.stderr
        assert "--port" in done.stderr
        assert "taken by" in place.run("proxy", "status").stdout


def test_a_stale_pid_file_whose_number_is_somebody_elses(place: Place) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        place.record.parent.mkdir(parents=True, exist_ok=True)
        place.record.write_text(
            json.dumps(
                {
                    "pid": bystander.pid,
                    "created": psutil.Process(bystander.pid).create_time() - 1000,
                    "port": place.port,
                    "config": "x",
                    "config_path": str(place.config),
                    "version": "1.0",
                }
            )
        )
        assert place.status()["running"] is False
        done = place.run("proxy", "down")
        assert (done.returncode, done.stderr) == (0, "The gateway is not running.\n")
        assert bystander.poll() is None
        assert not place.record.exists()
        bystander.kill()


@pytest.mark.parametrize(
    ("master", "words"), [("", "MASTER_KEY"), ("sk-1234", "LLM012")], ids=["none", "weak"]
)
def test_a_key_that_litellm_refuses_is_named_before_it_is_started(
    place: Place, master: str, words: str
) -> None:
    place.write_env(master)
    done = place.run("proxy", "up")
    assert done.returncode == 1
    assert words in done.stderr
    assert not place.record.exists()


def test_bad_yaml_is_named_with_its_place(place: Place) -> None:
    place.config.write_text(place.config.read_text() + "  : - broken\n\t- x\n")
    done = place.run("proxy", "up")
    assert done.returncode == 1
    assert "litellm_config.yaml" in done.stderr
    assert "LLM001" in done.stderr


def test_without_litellm_the_way_to_it_is_named(place: Place) -> None:
    done = place.run("proxy", "up", PATH=environment(place.home)["PATH"])
    assert done.returncode == 1
    assert "haha-config proxy install" in done.stderr


def test_install_finds_the_good_one_that_is_there(place: Place) -> None:
    done = place.run("proxy", "install")
    assert done.returncode == 0
    assert f"LiteLLM {parts.LITELLM} is here already" in done.stderr
    assert not (place.home / ".local" / "share").exists()


def test_the_unit_is_one_that_systemd_takes(place: Place, tmp_path: Path) -> None:
    verify = parts.apt("systemd-analyze")
    unit = tmp_path / "haha-config-proxy.service"
    unit.write_text(place.run("proxy", "service").stdout)
    done = subprocess.run(
        [str(verify), "--user", "verify", str(unit)],
        env={**environment(place.home), "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_in_the_foreground_it_is_one_process_from_start_to_end(place: Place) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "haha_config", "proxy", "up", "--foreground"],
        cwd=place.folder,
        env=place.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as service:
        wait_until(place.alive, 180)
        assert place.status()["pid"] == service.pid
        assert place.run("proxy", "down").returncode == 0
        service.wait(30)


def wait_until(done: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.2)
