"""What is thrown at it: no command ends as a bug, hangs, or shows what it must not."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.cli.tool import Tool

resource = pytest.importorskip("resource", reason="limits and signals of POSIX")
KEY = "sk-0123456789abcdef0123456789abcdef"
INIT = ("init", "--provider", "deepseek", "--write", "settings", "--yes")


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port on which every connection gets `answer`, until it is hung up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def one(line: socket.socket) -> None:
            with line, suppress(OSError):
                if line.recv(65536):  # else a knock, to see whether anybody is there
                    answer(line)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=one, args=(server.accept()[0],), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def pointed_at(tool: Tool, url: str, **more: str) -> None:
    env = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_AUTH_TOKEN": KEY, "ANTHROPIC_MODEL": "m", **more}
    tool.settings.parent.mkdir(parents=True, exist_ok=True)
    tool.settings.write_text(json.dumps({"env": env}), encoding="utf-8")


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\nconnection: close\r\n%s\r\n"
JSON, STREAM = b"application/json", b"text/event-stream"


def packed_twice(line: socket.socket) -> None:
    once = gzip.compress(bytes(1 << 28), compresslevel=1)
    line.sendall(HEAD % (JSON, b"content-encoding: gzip, gzip\r\n") + gzip.compress(once))


def endless_events(line: socket.socket) -> None:
    line.sendall(HEAD % (STREAM, b""))
    while True:
        line.sendall(b'event: ping\ndata: {"type": "ping"}\n\n' * 1000)


def endless_line(line: socket.socket) -> None:
    line.sendall(HEAD % (JSON, b"") + b'{"data": "')
    while True:
        line.sendall(b"x" * 65536)


@pytest.mark.parametrize("words", [("models",), ("probe", "--timeout", "3", "--yes")], ids=" ".join)
@pytest.mark.parametrize("answer", [packed_twice, endless_events, endless_line])
def test_an_answer_without_bounds(
    tool: Tool, answer: Callable[[socket.socket], None], words: tuple[str, ...]
) -> None:
    """In 1.5 GiB of address space: the answers would fill more."""
    with serving(answer) as port:
        pointed_at(tool, f"http://127.0.0.1:{port}")
        done = subprocess.run(
            [sys.executable, "-m", "haha_config", *words],
            cwd=tool.cwd,
            env=tool.variables(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (3 << 29, 3 << 29)),
        )
    assert done.returncode in (0, 1), done.stderr
    assert "a bug in haha-config" not in done.stderr


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:7890", "socks5h://127.0.0.1:7890"])
@pytest.mark.parametrize("words", [("models",), ("probe", "--yes")], ids=" ".join)
def test_a_socks_proxy_is_named(tool: Tool, proxy: str, words: tuple[str, ...]) -> None:
    pointed_at(tool, "https://api.deepseek.com/anthropic")
    done = tool(*words, HTTPS_PROXY=proxy)
    assert done.code in (0, 1), done.err
    assert "the client can't use a SOCKS5" in done.out + done.err


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:99999", "http://[::1", "http://127.0.0.1:0", "http://:80"]
)
def test_a_base_url_that_is_none(tool: Tool, url: str) -> None:
    pointed_at(tool, url)
    for words in (("models",), ("probe",), ("switch-model", "zz", "--dry-run"), ("show",)):
        done = tool(*words)
        assert done.code in (0, 1, 2), (words, done.err)
        assert "a bug in haha-config" not in done.err


CANARY = "CANARY0123456789CANARY"


@pytest.mark.parametrize(
    "words",
    [
        ("switch-model", "zz"),
        ("show",),
        ("show", "--format", "json"),
        ("validate",),
        ("validate", "--format", "json"),
        ("models",),
        ("probe", "--yes"),
        ("init", "--provider", "litellm", "--upstream", "openai:gpt-6-luna", "--yes"),
        ("init", "--base-url", f"http://user:{CANARY}@127.0.0.1:9/v1/messages", "--yes"),
        ("profile", "save", "x"),
    ],
    ids=" ".join,
)
def test_no_url_shows_what_is_secret_in_it(tool: Tool, words: tuple[str, ...]) -> None:
    pointed_at(tool, f"http://user:{CANARY}@127.0.0.1:9/x?key={CANARY}")
    (tool.cwd / "litellm_config.yaml").write_text(
        f"""\
model_list:
  - model_name: a
    litellm_params:
      model: openai/a
      api_base: https://user:{CANARY}@a.example.com/v1/chat/completions
  - model_name: b
    litellm_params:
      model: anthropic/b
      api_base: https://b.example.com/v1?key={CANARY}
""",
        encoding="utf-8",
    )
    proxy = f"http://me:{CANARY}@127.0.0.1:9"
    done = tool(*words, OPENAI_API_KEY="sk-proj-0123456789abcdef", HTTPS_PROXY=proxy)
    assert CANARY not in done.out + done.err
    assert done.code != 3, done.err


TAGS = [
    "!!bool maybe",
    "!!bool ''",
    "!!int x",
    "!!int ''",
    "!!float ''",
    "!!float 1e",
    "!!timestamp x",
    "2001-13-01",
    "2001-01-01T00:00:00+99:99",
    "!!binary é",
    "!!set [a]",
    "!!omap [a]",
    "!!pairs x",
    "!!python/name:os.system x",
    f"!{CANARY} x",
    f"*{CANARY}",
    f"!{CANARY}!x y",
    "=",
]


@pytest.mark.parametrize("tag", TAGS)
def test_a_value_of_which_no_constructor_makes_anything(tool: Tool, tag: str) -> None:
    text = f"model_list: []\nlitellm_settings:\n  drop_params: {tag}\n"
    (tool.cwd / "litellm_config.yaml").write_text(text, encoding="utf-8")
    done = tool("validate", "--only", "litellm", "--format", "json")
    assert done.code == 1, done.err
    first = next(f for f in done.json["findings"] if f["code"] == "LLM001")
    assert first["line"] == 3
    assert CANARY not in done.out + done.err


# --- output that can't be written ------------------------------------------------------------


def run(tool: Tool, line: str) -> int:
    command = f"{sys.executable} -m haha_config {line}"
    environ = tool.variables({"DEEPSEEK_API_KEY": KEY})
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=tool.cwd,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )
    return done.returncode


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("where", [">&-", "2>&-", ">&- 2>&-", ">/dev/full", "2>/dev/full"])
def test_closed_and_full_output(tool: Tool, where: str) -> None:
    assert run(tool, f"{' '.join(INIT)} {where}") == 0
    assert tool.env["ANTHROPIC_AUTH_TOKEN"] == KEY
    assert run(tool, f"switch-model deepseek-v4-pro {where}") == 0
    assert tool.env["ANTHROPIC_MODEL"] == "deepseek-v4-pro"
    assert run(tool, f"undo --yes {where}") == 0
    assert tool.env["ANTHROPIC_MODEL"] != "deepseek-v4-pro"
    full = where == ">/dev/full"
    assert run(tool, f"show {where}") == (1 if full else 0)
    assert run(tool, f"--version {where}") == (1 if full else 0)


def test_ctrl_c_is_130_and_no_traceback(tool: Tool) -> None:
    heard = threading.Event()

    def silent(line: socket.socket) -> None:
        heard.set()
        line.recv(1)

    with serving(silent) as port:
        pointed_at(tool, f"http://127.0.0.1:{port}")
        words = [sys.executable, "-m", "haha_config", "probe", "--yes"]
        with subprocess.Popen(
            words, cwd=tool.cwd, env=tool.variables(), stderr=subprocess.PIPE, text=True
        ) as process:
            assert heard.wait(60)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said


# --- damaged and foreign records -------------------------------------------------------------


def last_record(tool: Tool) -> Path:
    writes = tool.home / ".local/state/haha-config/writes"
    return max(writes.iterdir()) / "record.json"


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 20)


def changed(**fields: Any) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        path.write_text(json.dumps({**json.loads(path.read_text()), **fields}), encoding="utf-8")

    return change


DAMAGE: dict[str, Callable[[Path], object]] = {
    "cut": cut,
    "null": lambda path: path.write_text("null"),
    "list": lambda path: path.write_text("[]"),
    "text": lambda path: path.write_bytes(b"\xff\xfe"),
    "deep": lambda path: path.write_text("[" * 100_000),
    "gone": lambda path: path.unlink(),
    "newer": changed(version=2),
    "another's": changed(number=99),
    "no time": changed(time="yesterday"),
    "late": changed(time=1e300),
    "entries": changed(entries=[None]),
    "without bytes": lambda path: shutil.copy(path, path.with_name("bytes")),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_undo_says_that_the_last_write_is_damaged_and_takes_no_other(
    tool: Tool, damage: str
) -> None:
    assert tool(*INIT, DEEPSEEK_API_KEY=KEY).code == 0
    assert tool("switch-model", "deepseek-v4-pro").code == 0
    before = tool.settings.read_bytes()
    DAMAGE[damage](last_record(tool))
    done = tool("undo", "--yes")
    assert (done.code, "is damaged" in done.err) == (1, True), done.err
    assert tool.settings.read_bytes() == before
    assert tool("undo", "--list").code == 0
    assert tool("switch-model", "deepseek-v4-flash", "--unlisted").code == 0
    purged = tool("undo", "--purge", "--yes")
    assert purged.code == 0, purged.err
    assert not list((tool.home / ".local/state/haha-config/writes").iterdir())


def test_a_program_s_own_env_file_in_gbk_hides_no_variable(tool: Tool) -> None:
    text = f"ANTHROPIC_BASE_URL=https://api.deepseek.com/anthropic\nANTHROPIC_AUTH_TOKEN={KEY}\n"
    raw = "# 密钥\n".encode("gbk") + text.encode() + b"ANTHROPIC_MODEL=deepseek-flash\n"
    tool.dotenv.write_bytes(raw)
    tool.dotenv.chmod(0o600)
    done = tool("validate", "--client", "haha", "--ignore", "SYS", "--format", "json")
    assert done.code == 0, done.out
    found = {f["code"]: f for f in done.json["findings"]}
    assert found["ENV001"]["severity"] == "warning"
    assert "api.deepseek.com" in tool("show", "--client", "haha", "--short").out
    assert tool("validate", "--client", "haha", "--fix", "--yes", "--ignore", "SYS").code == 0
    assert tool("switch-model", "deepseek-v4-pro", "--client", "haha").code == 1
    assert tool.dotenv.read_bytes() == raw
