"""`proxy` without a gateway: what can be told of it before one runs. The rest is in tests/e2e."""

from __future__ import annotations

import json
import os
import queue
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from haha_config.cli import main
from haha_config.core.state.machine import Installed
from haha_config.io import disk
from haha_config.workflow.gateway import installation
from haha_config.workflow.gateway.life import died, environ_of
from haha_config.workflow.gateway.site import site
from haha_config.workflow.session import open_session
from tests.cli.tool import Tool
from tests.e2e.processes import free_port

MASTER = "sk-" + "0123456789abcdef" * 3
OWN = "a-key-without-a-known-beginning"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "a folder with 100% spaces"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "litellm_config.yaml").write_text(
        "model_list:\n"
        "  - model_name: m\n"
        "    litellm_params: {model: openai/m, api_key: os.environ/UP_KEY}\n"
        "litellm_settings: {drop_params: true}\n"
        "general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}\n"
    )
    (folder / "litellm.env").write_text(
        f"UP_KEY={OWN}\nLITELLM_MASTER_KEY={MASTER}\nPORT={free_port()}\n"
    )
    return folder


def test_status_of_what_is_down(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["proxy", "status", "--format", "json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert (data["version"], data["running"], data["owned"]) == (1, False, False)
    assert (data["pid"], data["litellm"], data["models"], data["stale"]) == (None, None, [], None)


def test_status_where_nothing_is_installed_names_the_installation(
    work: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert main.run(["proxy", "status"]) == 1
    said = capsys.readouterr().out
    assert "LiteLLM is not installed" in said
    assert "haha-config proxy install" in said
    assert "proxy up" not in said


@pytest.mark.parametrize("files", [True, False])
def test_status_of_a_direct_set_up_says_that_none_is_needed(
    work: Path, home: Path, capsys: pytest.CaptureFixture[str], files: bool
) -> None:
    if not files:
        (work / "litellm_config.yaml").unlink()
        (work / "litellm.env").unlink()
    env = {"ANTHROPIC_BASE_URL": "https://api.deepseek.com/anthropic"}
    (home / ".claude").mkdir()
    (home / ".claude" / "settings.json").write_text(json.dumps({"env": env}))
    assert main.run(["proxy", "status"]) == 1
    said = capsys.readouterr().out
    assert "No gateway is needed" in said
    assert "https://api.deepseek.com/anthropic" in said
    assert "hint" not in said


def test_status_of_nothing_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main.run(["proxy", "status"]) == 1
    assert "haha-config init" in capsys.readouterr().out


def test_down_of_what_is_down(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["proxy", "down"]) == 0
    assert "not running" in capsys.readouterr().err


def test_logs_without_a_log(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["proxy", "logs"]) == 1
    assert "haha-config proxy up" in capsys.readouterr().err


def test_up_without_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main.run(["proxy", "up"]) == 1
    assert "litellm_config.yaml" in capsys.readouterr().err


def test_keys_in_a_line_of_the_log_are_masked(work: Path) -> None:
    here = site(open_session())
    line = f"\x1b[32mBearer abc\x1b[0m {MASTER} {OWN} sk-or-v1-0123456789 and words"
    assert here.masked(line) == "**** ****cdef ****ning **** and words"


def test_the_hash_of_the_files_follows_both(work: Path) -> None:
    hashes = {site(open_session()).config}
    for name in ("litellm_config.yaml", "litellm.env"):
        path = work / name
        path.write_text(path.read_text() + "# x\n")
        hashes.add(site(open_session()).config)
    assert len(hashes) == 3


def test_the_gateway_is_told_its_own_file_and_the_keys_of_its_providers(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = work / "litellm_config.yaml"
    entries = (
        "  - model_name: own",
        "    litellm_params: {model: openai/o, api_key: os.environ/OPENAI_API_KEY}",
        "  - model_name: foreign",
        "    litellm_params:",
        "      {model: openai/f, api_base: 'https://foreign.example', api_key: os.environ/AWS_KEY}",
        "litellm_settings:",
    )
    config.write_text(config.read_text().replace("litellm_settings:", "\n".join(entries)))
    for name in ("UP_KEY", "OPENAI_API_KEY", "AWS_KEY", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "from-the-shell")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
    told = environ_of(site(open_session()))
    assert told["UP_KEY"] == OWN
    assert told["OPENAI_API_KEY"] == "from-the-shell"
    assert "AWS_KEY" not in told
    assert (told["LITELLM_MODE"], told["HOST"]) == ("PRODUCTION", "127.0.0.1")
    assert told["PATH"] == os.environ["PATH"]
    assert not {"ANTHROPIC_BASE_URL", "AWS_SECRET_ACCESS_KEY"} & set(told)


def test_the_unit_names_this_folder_as_systemd_reads_it(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["proxy", "service"]) == 0
    (start,) = [x for x in capsys.readouterr().out.splitlines() if x.startswith("ExecStart=")]
    words = shlex.split(start.removeprefix("ExecStart="))
    assert words[-5:-1] == ["proxy", "up", "--foreground", "--dir"]
    assert words[-1] == str(work).replace("%", "%%")


def test_the_unit_is_written_and_taken_back(
    work: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unit = home / ".config" / "systemd" / "user" / "haha-config-proxy.service"
    assert main.run(["proxy", "service", "--install"]) == 0
    assert "ExecStart=" in unit.read_text()
    assert "systemctl --user enable" in capsys.readouterr().err


def test_the_lock_is_of_the_version_that_the_end_to_end_tests_run() -> None:
    from tests.e2e import parts

    assert installation.locked_version() == parts.LITELLM


@pytest.mark.parametrize(
    ("versions", "chosen"),
    [
        (("1.84.0", "1.108.7", "1.109.1"), "1.108.7"),
        (("1.84.0", "1.109.1"), "1.109.1"),
        (("1.82.7", "1.107.0", "1.70.0"), None),
    ],
)
def test_which_installation_is_run(
    work: Path, versions: tuple[str, ...], chosen: str | None
) -> None:
    from msgspec.structs import replace

    state = installation.looked(open_session())
    assert state.machine is not None
    found = tuple(Installed(version=n, path=f"/x/{n}") for n in versions)
    best = installation.best(replace(state, machine=replace(state.machine, litellm=found)))
    assert (best.version if best else None) == chosen


def test_one_with_traces_of_poison_or_without_its_proxy_is_not_run(work: Path) -> None:
    from msgspec.structs import replace

    state = installation.looked(open_session())
    assert state.machine is not None
    bad = (
        Installed(version="1.106.2", path="/x", markers=("cook.pth",)),
        Installed(version="1.106.2", path="/y", proxy=False),
    )
    assert installation.best(replace(state, machine=replace(state.machine, litellm=bad))) is None


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("ERROR: [Errno 98] address already in use", "its port is taken"),
        ("LiteLLM proxy refused to start: no master key is set", "strong master key"),
        ("yaml.scanner.ScannerError: mapping values", "can't parse litellm_config.yaml"),
        ("ModuleNotFoundError: No module named 'websockets'", "proxy install"),
        (f"something with {MASTER} in it", "something with ****cdef in it"),
        ("", "it said nothing"),
    ],
)
def test_why_it_died(work: Path, log: str, words: str) -> None:
    from haha_config.io.i18n import render

    here = site(open_session())
    here.log.parent.mkdir(parents=True)
    here.log.write_text(log + "\n")
    assert words in render(died(here).what)


# --- one installation at a time --------------------------------------------------------------


class Index:
    """A package index on loopback that has nothing, and says so when it is told to."""

    def __init__(self) -> None:
        self.asked: queue.Queue[str] = queue.Queue()
        self.go = threading.Event()
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index.asked.put(self.path)
                index.go.wait(60)
                self.send_error(404)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def environ(self) -> dict[str, str]:
        url = f"http://127.0.0.1:{self.server.server_address[1]}/simple"
        return {"PIP_INDEX_URL": url, "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}


@pytest.fixture
def index() -> Iterator[Index]:
    made = Index()
    yield made
    made.go.set()
    made.server.shutdown()
    made.server.server_close()


def started(tool: Tool, index: Index, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "haha_config", "proxy", "install", *words],
        cwd=tool.cwd,
        # Nothing of this machine: a LiteLLM on the PATH would be the good one that is found.
        env={**tool.variables(), "PATH": "/usr/bin:/bin", **index.environ},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def told(running: subprocess.Popen[str], words: str) -> None:
    assert running.stderr is not None
    for line in running.stderr:
        if words in line:
            return
    pytest.fail(f"it ended without saying {words!r}")


def installed(home: Path) -> None:
    """What an installation leaves, as far as anybody looks before starting it."""
    folder = home / ".local" / "share" / "haha-config" / f"litellm-{installation.locked_version()}"
    packages = folder / "lib" / "python3.11" / "site-packages"
    for name in (f"litellm-{installation.locked_version()}.dist-info", "uvicorn", "websockets"):
        (packages / name).mkdir(parents=True)
    (folder / "pyvenv.cfg").touch()


def test_a_second_installation_waits_for_the_first(tool: Tool, index: Index) -> None:
    with started(tool, index) as first:
        assert index.asked.get(timeout=120)
        with started(tool, index) as second:
            told(second, "waiting for another `proxy install` to finish")
            assert first.poll() is None
            assert index.asked.empty()
            index.go.set()
            assert first.wait(60) == 1
            # The first could not install it, so it is the second one's turn.
            told(second, "installing LiteLLM")
            assert index.asked.get(timeout=120)
            assert second.wait(60) == 1


def test_who_has_waited_finds_it_installed(tool: Tool, index: Index) -> None:
    with disk.exclusive(tool.home / ".local" / "share" / "haha-config" / "installing"):
        waiting = started(tool, index)
        told(waiting, "waiting for another `proxy install` to finish")
        installed(tool.home)
    with waiting:
        told(waiting, f"LiteLLM {installation.locked_version()} is here already")
        assert waiting.wait(60) == 0
    assert index.asked.empty()
