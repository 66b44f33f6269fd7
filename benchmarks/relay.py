"""What the relay of `run --trace` adds to a first byte: `python -m benchmarks.relay`.

One endpoint on loopback is asked in turn directly and through the relay, 200 times each.
"""

from __future__ import annotations

import statistics
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from haha_config.io import http
from haha_config.io.relay import Target, relay

ROUNDS = 200


class _Endpoint(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # As servers do: otherwise headers and body are 40 ms apart, for whoever acknowledges late.
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Silent."""


def first_byte(client: object, url: str) -> float:
    """Milliseconds from sending 80 KB to the first byte of the answer."""
    started = time.perf_counter()
    with client.stream("POST", f"{url}/v1/messages", content=b"x" * 80_000) as answer:  # type: ignore[attr-defined]
        next(answer.iter_raw())
    return (time.perf_counter() - started) * 1000


def main() -> None:
    """Print both medians and what the relay adds."""
    import httpx

    server = ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    target = Target(base_url=base, way=http.Transport())
    direct: list[float] = []
    relayed: list[float] = []
    with relay(target, lambda _passed: None) as url, httpx.Client(trust_env=False) as client:
        for _round in range(ROUNDS):
            direct.append(first_byte(client, base))
            relayed.append(first_byte(client, url))
    server.shutdown()
    one, other = statistics.median(direct), statistics.median(relayed)
    print(f"first byte: direct {one:.2f} ms, relayed {other:.2f} ms, added {other - one:.2f} ms")


if __name__ == "__main__":
    main()
