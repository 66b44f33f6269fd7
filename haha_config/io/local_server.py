"""A server on loopback for the length of a block: what the relay and the tour have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final

#: Longer than any request of a client.
_LARGEST: Final = 256 << 20


class Handler(BaseHTTPRequestHandler):
    """One connection; silent, since what happens is told elsewhere."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's signature
        """Nothing."""

    def received(self) -> bytes:
        """The body of the request."""
        length = int(self.headers.get("content-length") or 0)
        return self.rfile.read(min(length, _LARGEST)) if length else b""

    def brought(self) -> set[str]:
        """The credentials of the request."""
        bearer = (self.headers.get("authorization") or "").removeprefix("Bearer ")
        return {key for key in (bearer, self.headers.get("x-api-key") or "") if key}

    def answer(self, status: int, kind: str, body: bytes) -> None:
        """Send a whole answer."""
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(handler: type[Handler]) -> Iterator[int]:
    """A server on a free port, which it yields, until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
