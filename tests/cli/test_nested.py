"""JSON of other programs that is nested beyond reason ends no command."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.cli.tool import Tool

DEEP = "[" * 100_000


@pytest.mark.parametrize(
    "path",
    [
        ".claude.json",
        ".cc-switch/settings.json",
        ".claude/cc-haha/providers.json",
        ".litellm/claude_settings_backup.json",
        ".claude-code-router/config.json",
    ],
)
def test_a_file(tool: Tool, path: str) -> None:
    tool.dotenv.write_text(
        "ANTHROPIC_BASE_URL=http://127.0.0.1:9\nANTHROPIC_AUTH_TOKEN=local\nANTHROPIC_MODEL=m\n",
        encoding="utf-8",
    )
    file = tool.home / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(DEEP, encoding="utf-8")
    done = tool("validate", "--client", "haha")
    assert done.code in {0, 1}, done.err
    assert "bug" not in done.err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_a_pipe_in_its_place(tool: Tool) -> None:
    os.mkfifo(tool.home / ".claude.json")
    done = tool("validate", "--client", "haha")
    assert done.code == 1, done.err
    assert "Nothing is set up yet" in done.err


class Deep(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(DEEP)))
        self.end_headers()
        self.wfile.write(DEEP.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Deep)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_model_list(tool: Tool, url: str) -> None:
    made = tool("init", "--provider", "ollama", "--base-url", url, "--yes")
    assert made.code == 0, made.err
    listed = tool("models")
    assert listed.code == 0, listed.err
    assert "answered no model list" in listed.err
