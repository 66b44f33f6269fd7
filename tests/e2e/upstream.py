"""A recording endpoint on loopback that speaks what providers speak.

It answers Anthropic Messages, OpenAI chat completions and (when asked to) OpenAI responses, keeps
every request, and can be told to misbehave by one of the functions in `behaviours`.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.e2e import behaviours as act
from tests.e2e.wire import Behaviour, Dialect, Reply, Request


@dataclass(slots=True)
class _Book:
    """The requests so far, and the people waiting for the next one."""

    requests: list[Request] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)


class Upstream:
    """The running endpoint. Set `behave` to a function that picks a behaviour for a request.

    `keys` limits who gets an answer (None: everybody); `models` is what `/v1/models` lists and,
    with `only_listed`, all that may be asked for. `responses` answers `/v1/responses`, which is a
    404 otherwise, as at most OpenAI-compatible servers.
    """

    def __init__(
        self,
        *,
        models: Sequence[str] = ("test-model",),
        keys: Iterable[str] | None = None,
        only_listed: bool = False,
        responses: bool = False,
        port: int = 0,
    ) -> None:
        self.models = list(models)
        self.keys = set(keys) if keys is not None else None
        self.only_listed = only_listed
        self.responses = responses
        self.behave: Callable[[Request], Behaviour | None] = lambda _request: None
        #: Answers for paths of your own, e.g. `("GET", "/api/tags")`.
        self.routes: dict[tuple[str, str], Behaviour] = {}
        self._book = _Book()
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", port), self._handler_class())
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    def start(self) -> Upstream:
        self._thread.start()
        return self

    def stop(self) -> None:
        """Ends every answer that hangs, then the server."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Upstream:
        return self.start()

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Without a path: `http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[Request]:
        with self._book.changed:
            return list(self._book.requests)

    def clear(self) -> None:
        with self._book.changed:
            self._book.requests.clear()

    def asked(self, *dialects: Dialect) -> list[Request]:
        """The requests for an answer so far; by default those for a model's answer."""
        wanted = dialects or ("anthropic", "chat", "responses")
        return [request for request in self.requests if request.dialect in wanted]

    def wait_for(
        self,
        predicate: Callable[[Request], bool] = lambda _request: True,
        timeout: float = 60,
        after: int = 0,
    ) -> Request:
        """The first request with a number above `after` that fits; waits for it to arrive."""

        def first() -> Request | None:
            fitting = (r for r in self._book.requests if r.number > after and predicate(r))
            return next(fitting, None)

        deadline = time.monotonic() + timeout
        with self._book.changed:
            while (found := first()) is None:
                left = deadline - time.monotonic()
                if left <= 0 or not self._book.changed.wait(left):
                    seen = [f"{r.method} {r.path} {r.model}" for r in self._book.requests]
                    raise TimeoutError(f"no such request in {timeout} s; seen: {seen}")
            return found

    def _record(self, handler: BaseHTTPRequestHandler, raw: bytes) -> Request:
        parts = urlsplit(handler.path)
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = None
        with self._book.changed:
            last = self._book.requests[-1].number if self._book.requests else 0
            request = Request(
                number=last + 1,
                method=handler.command,
                path=parts.path,
                query=dict(parse_qsl(parts.query)),
                headers={name.lower(): value for name, value in handler.headers.items()},
                raw=raw,
                body=body,
                at=time.monotonic(),
            )
            self._book.requests.append(request)
            self._book.changed.notify_all()
        return request

    def _choose(self, request: Request) -> Behaviour:
        picked = self.behave(request) or self.routes.get((request.method, request.path))
        if picked is not None:
            return picked
        if self.keys is not None and not self.keys & set(request.credential):
            return act.status(401)
        if request.model and self.only_listed and request.model not in self.models:
            return act.status(404, f"model: {request.model}")
        match request.dialect:
            case "hello":
                return lambda _request, reply: reply.send(200, b"", "text/plain")
            case "models":
                return act.lists(self.models)
            case "count":
                return lambda asked, reply: reply.json(200, {"input_tokens": len(asked.raw) // 4})
            case "anthropic" | "chat":
                return act.answer()
            case "responses" if self.responses:
                return act.answer()
            case _:
                return act.status(404, "Not Found")

    def _handler_class(self) -> type[BaseHTTPRequestHandler]:
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = upstream._record(self, raw)
                reply = Reply(self, upstream._closing)
                # A caller that has gone is an outcome of the test, not an error of the server.
                with contextlib.suppress(ConnectionError):
                    upstream._choose(request)(request, reply)

            do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = do_OPTIONS = answer  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing: the record is `requests`."""

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A test that hangs an answer must still be able to end.
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks while a request is read is the caller's doing."""
