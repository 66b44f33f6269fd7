"""Requests on loopback: what fails is told apart, and nothing goes where it was not sent."""

from __future__ import annotations

import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from haha_config.core.errors import Refusal
from haha_config.core.exchange import Dialogue, HttpExchange, Request
from haha_config.io import http
from tests.e2e import behaviours as act
from tests.e2e.upstream import Upstream

KEY = "sk-test-0123456789abcdef"


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as up:
        yield up


def ask(url: str, *, key: str = "a", timeout: float = 5, stream: bool = False) -> Request:
    return Request(
        key=key,
        method="POST",
        url=url,
        headers={"Authorization": f"Bearer {KEY}"},
        body={"model": "test-model", "stream": stream, "messages": []},
        timeout=timeout,
        stream=stream,
    )


def one(request: Request, way: http.Transport | None = None) -> HttpExchange:
    return http.send([request], way or http.Transport())[0]


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_an_answer_with_its_status_body_and_lower_case_headers(upstream: Upstream) -> None:
    got = one(ask(f"{upstream.url}/v1/messages"))
    assert (got.status, got.failure) == (200, None)
    assert '"type": "message"' in got.body
    assert got.headers["content-type"] == "application/json"
    assert upstream.requests[0].credential == (KEY, None)


def test_a_stream_is_kept_in_pieces_with_their_times(upstream: Upstream) -> None:
    got = one(ask(f"{upstream.url}/v1/messages", stream=True))
    assert "".join(text for _, text in got.pieces) == got.body
    assert "message_stop" in got.body
    assert [at for at, _ in got.pieces] == sorted(at for at, _ in got.pieces)


def test_a_redirect_is_an_answer_and_the_credential_stays_here(upstream: Upstream) -> None:
    with Upstream() as elsewhere:
        upstream.behave = lambda _r: act.redirect(f"{elsewhere.url}/v1/messages")
        got = one(ask(f"{upstream.url}/v1/messages"))
        assert got.status == 307
        assert got.headers["location"].startswith(elsewhere.url)
        assert elsewhere.requests == []


def test_a_refused_connection() -> None:
    assert one(ask(f"http://127.0.0.1:{closed_port()}")).failure == "refused"


def test_a_name_that_does_not_resolve() -> None:
    # RFC 6761: `.invalid` never does, and the resolver says so without asking anybody.
    assert one(ask("http://no-such-host.invalid")).failure == "dns"


def test_silence_before_the_answer(upstream: Upstream) -> None:
    upstream.behave = lambda _r: act.hang_before_headers()
    got = one(ask(upstream.url, timeout=0.3))
    assert (got.status, got.failure) == (None, "slow")


def test_silence_inside_a_stream_keeps_what_came(upstream: Upstream) -> None:
    upstream.behave = lambda _r: act.hang_mid_stream()
    got = one(ask(f"{upstream.url}/v1/messages", timeout=0.5, stream=True))
    assert (got.status, got.failure) == (200, "stalled")
    assert "message_start" in got.body


def test_a_connection_that_is_dropped(upstream: Upstream) -> None:
    upstream.behave = lambda _r: act.drops_connection()
    assert one(ask(upstream.url)).failure == "cut"


def test_http_spoken_where_https_was_asked(upstream: Upstream) -> None:
    assert one(ask(upstream.url.replace("http:", "https:"))).failure == "tls"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


@contextmanager
def serving_tls(
    certificate: tuple[Path, Path], answer: Callable[[ssl.SSLSocket], None]
) -> Iterator[str]:
    """The address of a server that gives each connection whose handshake succeeds to `answer`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as secure:
                    answer(secure)
            except OSError:
                plain.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def says_no_content(secure: ssl.SSLSocket) -> None:
    """Reads the whole request first: bytes that nobody read turn the close into a reset."""
    with secure.makefile("rb") as stream:
        lines = iter(stream.readline, b"\r\n")
        headers = dict(line.lower().split(b":", 1) for line in lines if b":" in line)
        stream.read(int(headers.get(b"content-length", b"0")))
    secure.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")


def resets(secure: ssl.SSLSocket) -> None:
    """Waits for the request's first bytes and then drops the line without a goodbye."""
    secure.recv(1)
    secure.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(secure.detach())


@pytest.fixture
def tls_server(certificate: tuple[Path, Path]) -> Iterator[str]:
    """Answers 204 to anybody whose handshake succeeds."""
    with serving_tls(certificate, says_no_content) as url:
        yield url


@pytest.mark.skipif(sys.platform == "win32", reason="openssl and shutdown of a listener")
class TestCertificates:
    def test_a_certificate_that_nobody_vouches_for(self, tls_server: str) -> None:
        got = one(ask(tls_server))
        assert got.failure == "certificate"
        assert "self-signed" in got.reason or "self signed" in got.reason

    def test_the_clients_extra_roots_are_trusted(
        self, tls_server: str, certificate: tuple[Path, Path]
    ) -> None:
        got = one(ask(tls_server), http.Transport(ca_file=str(certificate[0])))
        assert got.status == 204

    def test_a_line_that_is_cut_after_the_handshake_is_not_a_fault_of_tls(
        self, certificate: tuple[Path, Path]
    ) -> None:
        with serving_tls(certificate, resets) as url:
            got = one(ask(url), http.Transport(ca_file=str(certificate[0])))
        assert (got.status, got.failure) == (None, "cut")
        assert "_ssl" not in got.reason


def test_extra_roots_that_can_t_be_read(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as caught:
        one(ask("http://127.0.0.1"), http.Transport(ca_file=str(tmp_path / "none.pem")))
    assert caught.value.place is not None
    assert caught.value.place.path.endswith("none.pem")


def test_the_proxy_of_the_client_is_used_and_not_the_shells(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Upstream() as shells:
        monkeypatch.setenv("HTTP_PROXY", shells.url)
        monkeypatch.setenv("http_proxy", shells.url)
        one(
            ask("http://no-such-host.invalid/v1/messages"),
            http.Transport(proxies={"HTTP_PROXY": upstream.url}),
        )
        assert shells.requests == []
    # A proxy is asked with the whole URL.
    assert upstream.requests[0].headers["host"] == "no-such-host.invalid"


def test_a_proxy_that_is_down_is_not_the_endpoint_being_down(upstream: Upstream) -> None:
    way = http.Transport(proxies={"http_proxy": f"http://127.0.0.1:{closed_port()}"})
    assert one(ask(upstream.url), way).failure == "proxy"


def test_a_proxy_that_refuses_to_open_a_tunnel(upstream: Upstream) -> None:
    way = http.Transport(proxies={"HTTPS_PROXY": upstream.url})
    assert one(ask("https://no-such-host.invalid"), way).failure == "proxy"


@pytest.mark.parametrize(
    ("url", "variables", "proxy"),
    [
        ("https://a.example", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ("http://a.example", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        (
            "https://a.example",
            {"HTTPS_PROXY": "http://p:1", "https_proxy": "http://q:2"},
            "http://q:2",
        ),
        ("https://a.example", {"HTTPS_PROXY": "p:1"}, "http://p:1"),
        ("https://a.example", {"HTTPS_PROXY": ""}, None),
        ("https://a.example", {"ALL_PROXY": "http://p:1"}, "http://p:1"),
        ("https://a.example", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "a.example"}, None),
        ("https://x.a.example", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".a.example"}, None),
        ("https://x.a.example", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*.a.example"}, None),
        (
            "https://xa.example",
            {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "a.example"},
            "http://p:1",
        ),
        ("https://a.example", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "b, *"}, None),
        ("http://127.0.0.1:4000", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "127.0.0.0/8"}, None),
        ("http://127.0.0.1:4000", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "127.0.0.1:4000"}, None),
        (
            "http://127.0.0.1:4001",
            {"HTTP_PROXY": "http://p:1", "NO_PROXY": "127.0.0.1:4000"},
            "http://p:1",
        ),
    ],
)
def test_which_proxy(url: str, variables: dict[str, str], proxy: str | None) -> None:
    assert http.proxy_for(url, variables) == proxy


def test_independent_requests_go_out_at_once(upstream: Upstream) -> None:
    """Each waits for all: one after the other they would wait for ever."""
    together = threading.Barrier(3, timeout=5)

    def behave(request: object, reply: object) -> None:
        together.wait()
        act.answer()(request, reply)  # type: ignore[arg-type]

    upstream.behave = lambda _r: behave
    asks = [ask(f"{upstream.url}/v1/messages", key=str(n)) for n in range(3)]
    answered = http.send(asks, http.Transport(at_once=3))
    assert [e.ask.key for e in answered] == ["0", "1", "2"]
    assert [e.status for e in answered] == [200, 200, 200]


def test_dialogues_go_on_with_their_own_answers(upstream: Upstream) -> None:
    def dialogue(name: str) -> Dialogue[list[str]]:
        first = yield [ask(f"{upstream.url}/v1/messages", key=f"{name}1")]
        second = yield [ask(f"{upstream.url}/v1/messages", key=f"{name}2")]
        return [e.ask.key for e in (*first, *second)]

    seen: list[str] = []
    results = http.run_dialogues(
        [dialogue("a"), dialogue("b")], http.Transport(), watch=lambda e: seen.append(e.ask.key)
    )
    assert results == [["a1", "a2"], ["b1", "b2"]]
    assert sorted(seen) == ["a1", "a2", "b1", "b2"]


def test_an_endless_answer_is_cut_off(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LIMIT", 1000)
    upstream.behave = lambda _r: lambda _q, reply: reply.send(200, b"x" * 500_000)
    got = one(ask(upstream.url))
    assert got.cut_off
    assert len(got.body) < 500_000
