"""A relay on loopback between a client and its endpoint, which looks at what passes.

It hands every byte on as it comes, adds no credential, and takes only requests that bring this
session's own. It lives as long as one session: it is a microscope, not a proxy to live with.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from msgspec import Struct

from haha_config.core.exchange import Failure
from haha_config.io import http, loopback

if TYPE_CHECKING:
    import httpx

#: Of one connection, not of the request.
_HOP: Final = frozenset(
    {
        "connection",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
#: Longer than any request of a client.
_LARGEST: Final = 256 << 20


class Passed(Struct, frozen=True, kw_only=True):
    """A request that went through, and what came back. `pieces`: (ms, bytes) as they arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    status: int | None = None
    answer_headers: Mapping[str, str] = {}
    pieces: tuple[tuple[int, bytes], ...] = ()
    failure: Failure | None = None
    reason: str = ""
    ms: int = 0


class Target(Struct, frozen=True, kw_only=True):
    """Where requests go and by which way. `keys`: the credentials of this session; none: any."""

    base_url: str
    way: http.Transport
    keys: frozenset[str] = frozenset()


@contextlib.contextmanager
def relay(target: Target, seen: Callable[[Passed], None]) -> Iterator[str]:
    """The URL to call instead of the target's, its path kept, until the block ends."""
    import httpx

    proxy = http.proxy_for(target.base_url, target.way.proxies)
    with httpx.Client(
        trust_env=False,
        follow_redirects=False,
        verify=http.trust(target.way.ca_file),
        proxy=proxy,
        timeout=httpx.Timeout(None, connect=30),
    ) as client:
        own = {"target": target, "client": client, "seen": seen, "proxied": proxy is not None}
        handler = type("Handler", (_Handler,), own)
        with loopback.serving(handler) as port:
            yield f"http://127.0.0.1:{port}{urlsplit(target.base_url).path}"


class _Handler(BaseHTTPRequestHandler):
    target: Target
    client: httpx.Client
    seen: Callable[[Passed], None]
    proxied: bool
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's signature
        """Silent: what passes is told elsewhere."""

    def setup(self) -> None:
        super().setup()
        # Small pieces of a stream must not wait for each other.
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _pass(self) -> None:
        body = self._body()
        if not self._allowed():
            self._refuse()
            return
        started = time.monotonic()
        pieces: list[tuple[int, bytes]] = []
        passed = Passed(
            method=self.command,
            path=self.path,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )
        answer: httpx.Response | None = None
        failure: tuple[Failure | None, str] = (None, "")
        try:
            answer = self._forward(body)
            self._begin(answer)
            for piece in answer.iter_raw():
                pieces.append((_since(started), piece))
                self._write(answer, piece)
            self._end(answer)
        except Exception as error:
            self.close_connection = True
            failure = http.explain(error, begun=answer is not None, through_proxy=self.proxied)
        finally:
            if answer is not None:
                answer.close()
        _see(type(self).seen, passed, answer, pieces, failure, _since(started))

    do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = do_OPTIONS = _pass  # noqa: N815

    def _body(self) -> bytes:
        length = int(self.headers.get("content-length") or 0)
        return self.rfile.read(min(length, _LARGEST)) if length else b""

    def _allowed(self) -> bool:
        """A request without any credential, as the client's first one, says nothing secret."""
        bearer = (self.headers.get("authorization") or "").removeprefix("Bearer ")
        brought = {key for key in (bearer, self.headers.get("x-api-key") or "") if key}
        if not self.target.keys:
            return True
        return brought <= self.target.keys and (bool(brought) or self.command in ("HEAD", "GET"))

    def _refuse(self) -> None:
        text = (
            b'{"type":"error","error":{"type":"authentication_error","message":"not this session"}}'
        )
        self.send_response(401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _forward(self, body: bytes) -> httpx.Response:
        import httpx

        parts = urlsplit(self.target.base_url)
        headers = [(n, v) for n, v in self.headers.items() if n.lower() not in _HOP]
        # What comes back has to be read, too.
        headers = [(n, v) for n, v in headers if n.lower() != "accept-encoding"]
        headers.append(("accept-encoding", "identity"))
        url = f"{parts.scheme}://{parts.netloc}{self.path}"
        request = httpx.Request(self.command, url, headers=headers, content=body or None)
        return self.client.send(request, stream=True)

    def _begin(self, answer: httpx.Response) -> None:
        self.send_response_only(answer.status_code, answer.reason_phrase)
        for name, value in answer.headers.multi_items():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        if self._chunked(answer):
            self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def _chunked(self, answer: httpx.Response) -> bool:
        bare = self.command == "HEAD" or answer.status_code in (204, 304)
        return not bare and "content-length" not in answer.headers

    def _write(self, answer: httpx.Response, piece: bytes) -> None:
        if self._chunked(answer):
            piece = b"%x\r\n%b\r\n" % (len(piece), piece)
        self.wfile.write(piece)
        self.wfile.flush()

    def _end(self, answer: httpx.Response) -> None:
        if self._chunked(answer):
            self.wfile.write(b"0\r\n\r\n")


def _see(
    seen: Callable[[Passed], None],
    passed: Passed,
    answer: httpx.Response | None,
    pieces: list[tuple[int, bytes]],
    failure: tuple[Failure | None, str],
    ms: int,
) -> None:
    from msgspec.structs import replace

    kind, reason = failure
    seen(
        replace(
            passed,
            status=None if answer is None else answer.status_code,
            answer_headers={} if answer is None else dict(answer.headers),
            pieces=tuple(pieces),
            failure=kind,
            reason=reason,
            ms=ms,
        )
    )


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
