"""`run --trace`: the real client through the relay, and what is told of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from haha_config.io import http
from haha_config.io.relay import Passed, Target, relay
from tests.e2e import behaviours as act
from tests.e2e import parts
from tests.e2e.faults import good, says
from tests.e2e.processes import QUIET, environment, fetch, free_port
from tests.e2e.truth import KEY, Person
from tests.e2e.upstream import Upstream
from tests.e2e.wire import Reply, Request

QUESTION = "Read the file notes.txt and answer with what it says."


def run(person: Person, version: str, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    bin_ = person.home / "bin"
    bin_.mkdir()
    (bin_ / "claude").symlink_to(parts.client(version))
    own = environment(person.home, CLAUDE_CODE_MAX_RETRIES="1", **QUIET, **env)
    return subprocess.run(
        [
            *(sys.executable, "-m", "haha_config", "run", "--client", "claude", *words),
            *("--", "-p", QUESTION),
        ],
        cwd=person.folder,
        env={**own, "PATH": f"{bin_}:{own['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_session_that_works(tmp_path: Path, upstream: Upstream, version: str) -> None:
    person = Person.at(tmp_path)
    person.uses(
        f"{upstream.url}/anthropic", ANTHROPIC_CUSTOM_HEADERS="x-goog-api-key: mine-0123456789"
    )
    (person.folder / "notes.txt").write_text("marmot\n")
    upstream.behave = lambda r: good if r.path.endswith("/messages") else None
    kept = tmp_path / "trace.jsonl"
    done = run(person, version, f"--trace={kept}")
    assert (done.returncode, "marmot" in done.stdout) == (0, True), done.stderr
    asked = [r for r in upstream.requests if r.method == "POST"]
    assert {r.path for r in asked} == {"/anthropic/v1/messages"}
    assert {r.credential for r in asked} == {(KEY, None)}
    assert "1 test-model (all) " in done.stderr
    assert "tools: 200, first word after" in done.stderr
    assert "2 requests were traced" in done.stderr
    assert "failed" not in done.stderr
    text = kept.read_text()
    assert "holds your prompts" in text.splitlines()[0]
    assert KEY not in text + done.stderr
    # A header of the person's own arrives, and is in the file by its name and its end only.
    assert {r.headers.get("x-goog-api-key") for r in asked} == {"mine-0123456789"}
    assert "x-goog-api-key" in text
    assert "mine-0123456789" not in text
    assert [json.loads(x)["status"] for x in text.splitlines()[1:] if '"POST"' in x] == [200, 200]
    if os.name == "posix":
        assert kept.stat().st_mode & 0o777 == 0o600


def test_a_failure_and_its_reason(tmp_path: Path, upstream: Upstream) -> None:
    person = Person.at(tmp_path)
    person.uses(upstream.url)
    upstream.behave = lambda _r: act.status(400, "prompt is too long: 20000 tokens > 8192 maximum")
    done = run(person, parts.NEWEST, "--trace")
    assert done.returncode != 0
    assert "tools: 400" in done.stderr
    assert "failed: the prompt exceeds the model's window" in done.stderr


def test_an_endpoint_behind_a_proxy_is_reached_by_the_relay(
    tmp_path: Path, upstream: Upstream
) -> None:
    """The person's proxy is the relay's, and the client goes to the relay without it.

    For a URL with http:// too the client takes HTTPS_PROXY before HTTP_PROXY (measured).
    """
    person = Person.at(tmp_path)
    with Upstream() as proxy:
        seen: list[str] = []

        def forward(request: Request, reply: Reply) -> None:
            seen.append(request.path)
            says(lambda _r: [{"type": "text", "text": "by the proxy"}])(request, reply)

        proxy.behave = lambda r: forward if "/v1/messages" in r.path else None
        person.uses("http://models.test:8080", HTTPS_PROXY=proxy.url, NO_PROXY="")
        done = run(person, parts.NEWEST, "--trace")
    assert "by the proxy" in done.stdout, done.stderr
    assert seen


# --- the relay by itself ----------------------------------------------------------------------


def test_a_stranger_gets_nothing(upstream: Upstream) -> None:
    seen: list[Passed] = []
    target = Target(base_url=upstream.url, way=http.Transport(), keys=frozenset({KEY}))
    with relay(target, seen.append) as url:
        for headers in ({}, {"x-api-key": "another"}, {"authorization": "Bearer another"}):
            status, _ = fetch(f"{url}/v1/messages", headers=headers, body={"model": "m"})
            assert status == 401
        assert (
            fetch(f"{url}/v1/messages", headers={"x-api-key": KEY}, body={"model": "m"})[0] == 200
        )
    assert len(upstream.asked("anthropic")) == 1
    assert len(seen) == 1


def test_a_stream_passes_as_it_comes(upstream: Upstream) -> None:
    """Each piece arrives before the next one is sent, byte for byte."""
    go_on = threading.Event()

    def slowly(_request: Request, reply: Reply) -> None:
        reply.open_stream()
        reply.event({"n": 1}, "one")
        assert go_on.wait(20)
        reply.event({"n": 2}, "two")

    upstream.behave = lambda _r: slowly
    with relay(Target(base_url=upstream.url, way=http.Transport()), lambda _p: None) as url:
        import http.client as plain

        host, _, port = url.removeprefix("http://").partition(":")
        connection = plain.HTTPConnection(host, int(port), timeout=20)
        connection.request("POST", "/v1/messages", b"{}")
        answer = connection.getresponse()
        first = answer.read1(1000)
        go_on.set()
        rest = answer.read()
        connection.close()
    assert first + rest == b'event: one\ndata: {"n": 1}\n\nevent: two\ndata: {"n": 2}\n\n'
    assert b"one" in first
    assert b"two" not in first


def test_an_upstream_that_is_not_there(upstream: Upstream) -> None:
    seen: list[Passed] = []
    nobody = Target(base_url=f"http://127.0.0.1:{free_port()}", way=http.Transport())
    with relay(nobody, seen.append) as url:
        assert fetch(f"{url}/v1/messages", body={})[0] == 0
        deadline = time.monotonic() + 10
        while not seen and time.monotonic() < deadline:
            time.sleep(0.01)
    assert [p.failure for p in seen] == ["refused"]
