"""A relay on loopback between a client and its endpoint, which looks at what passes.

It hands every byte on as it comes, adds no credential, and takes only requests that bring this
session's own. It lives as long as one session: it is a microscope, not a proxy to live with.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from msgspec import Struct

from haha_config.core.exchange import Failure
from haha_config.io import http, local_server

if TYPE_CHECKING:
    import httpx

#: Of one connection, not of the request.
_HOP: Final = frozenset(
    {
        *("connection", "host", "keep-alive", "proxy-authorization", "proxy-connection", "te"),
        *("trailer", "transfer-encoding", "upgrade"),
    }
)


_REFUSED: Final = (
    b'{"type":"error","error":{"type":"authentication_error","message":"not this session"}}'
)


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
        with local_server.serving(handler) as port:
            yield f"http://127.0.0.1:{port}{urlsplit(target.base_url).path}"


class _Handler(local_server.Handler):
    target: Target
    client: httpx.Client
    seen: Callable[[Passed], None]
    proxied: bool

    def setup(self) -> None:
        super().setup()
        # Small pieces of a stream must not wait for each other.
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _pass(self) -> None:
        body = self.received()
        if not self._allowed():
            self.answer(401, "application/json", _REFUSED)
            return
        started = time.monotonic()
        pieces: list[tuple[int, bytes]] = []
        answer: httpx.Response | None = None
        failure: Failure | None = None
        reason = ""
        try:
            answer = self._forward(body)
            self._begin(answer)
            for piece in answer.iter_raw():
                pieces.append((_since(started), piece))
                self._write(answer, piece)
            if self._chunked(answer):
                self.wfile.write(b"0\r\n\r\n")
        except Exception as error:
            self.close_connection = True
            begun = answer is not None
            failure, reason = http.explain(error, begun=begun, through_proxy=self.proxied)
        finally:
            if answer is not None:
                answer.close()
        type(self).seen(
            Passed(
                method=self.command,
                path=self.path,
                headers={name.lower(): value for name, value in self.headers.items()},
                body=body,
                status=None if answer is None else answer.status_code,
                answer_headers={} if answer is None else dict(answer.headers),
                pieces=tuple(pieces),
                failure=failure,
                reason=reason,
                ms=_since(started),
            )
        )

    do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = do_OPTIONS = _pass  # noqa: N815

    def _allowed(self) -> bool:
        """A request without any credential, as the client's first one, says nothing secret."""
        if not self.target.keys:
            return True
        brought = self.brought()
        return brought <= self.target.keys and (bool(brought) or self.command in ("HEAD", "GET"))

    def _forward(self, body: bytes) -> httpx.Response:
        import httpx

        parts = urlsplit(self.target.base_url)
        # What comes back has to be read, too.
        dropped = _HOP | {"accept-encoding"}
        headers = [(n, v) for n, v in self.headers.items() if n.lower() not in dropped]
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


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
