"""A request as our upstream saw it, and the way back to whoever made it."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any, Literal

Dialect = Literal["anthropic", "chat", "responses", "models", "count", "hello", "other"]

#: What stands before `/messages`, `/chat/completions` and `/models` at the providers we write.
#: `/v1/v1` is absent on purpose: a doubled `/v1` is a 404 here as it is in the world.
PREFIXES = ("", "/v1", "/anthropic/v1", "/api/v1", "/api/anthropic/v1", "/apps/anthropic/v1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it arrived. Header names are lower case; `at` is `time.monotonic()`."""

    number: int
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes
    body: Any
    at: float

    @property
    def dialect(self) -> Dialect:
        return dialect_of(self.method, self.path)

    @property
    def model(self) -> str:
        return str(self.body.get("model", "")) if isinstance(self.body, dict) else ""

    @property
    def stream(self) -> bool:
        return isinstance(self.body, dict) and self.body.get("stream") is True

    @property
    def tools(self) -> list[str]:
        """Tool names, in order, whatever the protocol calls them."""
        return [name for name, _ in self.tool_schemas]

    @property
    def tool_schemas(self) -> list[tuple[str, dict[str, Any]]]:
        found: list[tuple[str, dict[str, Any]]] = []
        for tool in self._list("tools"):
            inner = tool.get("function", tool)
            schema = inner.get("input_schema") or inner.get("parameters") or {}
            found.append((str(inner.get("name", inner.get("type", ""))), schema))
        return found

    @property
    def forced_tool(self) -> str | None:
        """The tool this request insists on: a name, `""` for any, None for a free choice."""
        choice = self.body.get("tool_choice") if isinstance(self.body, dict) else None
        if choice in ("required", "any"):
            return ""
        if not isinstance(choice, dict) or choice.get("type") in ("auto", "none"):
            return None
        return str(choice.get("function", choice).get("name", ""))

    @property
    def tool_results(self) -> int:
        """How many results of tools the conversation holds."""
        count: int = sum(i.get("type") == "function_call_output" for i in self._list("input"))
        for message in self._list("messages"):
            content = message.get("content")
            parts = content if isinstance(content, list) else []
            kinds = [part.get("type") for part in parts if isinstance(part, dict)]
            count += kinds.count("tool_result") + int(message.get("role") == "tool")
        return count

    @property
    def has_tool_result(self) -> bool:
        return self.tool_results > 0

    @property
    def prompt(self) -> str:
        """System text and messages as one string, in the order a model would read them."""
        if not isinstance(self.body, dict):
            return ""
        parts = [self.body.get(key) for key in ("system", "instructions", "messages", "input")]
        return "\n".join(_texts(parts))

    @property
    def credential(self) -> tuple[str | None, str | None]:
        """(the bearer token, the `x-api-key`), each None when that header did not come."""
        bearer = self.headers.get("authorization")
        return (
            bearer.removeprefix("Bearer ") if bearer is not None else None,
            self.headers.get("x-api-key"),
        )

    def _list(self, key: str) -> list[dict[str, Any]]:
        value = self.body.get(key) if isinstance(self.body, dict) else None
        return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        yield from _texts(value.get("text", value.get("content")))


def dialect_of(method: str, path: str) -> Dialect:
    """Which of our answers a path gets. Anything else is `other`: recorded, and a 404."""
    if method in ("HEAD", "GET") and path in ("/", "/api/hello"):
        return "hello"
    endings: dict[str, Dialect] = (
        {
            "/messages/count_tokens": "count",
            "/messages": "anthropic",
            "/chat/completions": "chat",
            "/responses": "responses",
        }
        if method == "POST"
        else {"/models": "models"}
    )
    for ending, dialect in endings.items():
        if path.endswith(ending) and path.removesuffix(ending) in PREFIXES:
            return dialect
    return "other"


class Reply:
    """The way back to one caller. Every method writes at once; nothing is buffered."""

    def __init__(self, handler: BaseHTTPRequestHandler, closing: threading.Event) -> None:
        self._handler = handler
        self._closing = closing
        self._chunked = False

    def send(
        self,
        status: int,
        content: bytes,
        kind: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """A whole answer with its length, on a connection that stays open."""
        self._handler.send_response(status)
        self._handler.send_header("Content-Type", kind)
        self._handler.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self._handler.send_header(name, value)
        self._handler.end_headers()
        if self._handler.command != "HEAD":
            self._handler.wfile.write(content)

    def json(self, status: int, value: object, headers: Mapping[str, str] | None = None) -> None:
        self.send(status, json.dumps(value).encode(), headers=headers)

    def open_stream(self, *, chunked: bool = False) -> None:
        """Status and headers of an event stream; it ends when the behaviour returns.

        A `chunked` one has no end then: whoever reads it can tell that it was cut.
        """
        self._chunked = chunked
        self._handler.send_response(200)
        self._handler.send_header("Content-Type", "text/event-stream")
        self._handler.send_header("Cache-Control", "no-cache")
        self._handler.send_header("Connection", "close")
        if chunked:
            self._handler.send_header("Transfer-Encoding", "chunked")
        self._handler.end_headers()
        self._handler.close_connection = True

    def event(self, data: object, name: str | None = None) -> None:
        """One server-sent event; a string is sent as it is (`[DONE]`), anything else as JSON."""
        text = data if isinstance(data, str) else json.dumps(data)
        head = f"event: {name}\n" if name else ""
        sent = f"{head}data: {text}\n\n".encode()
        if self._chunked:
            sent = b"%x\r\n%s\r\n" % (len(sent), sent)
        self._handler.wfile.write(sent)
        self._handler.wfile.flush()

    def write(self, content: bytes) -> None:
        """Bytes as they are, the status line among them; the connection ends after them."""
        self._handler.close_connection = True
        self._handler.wfile.write(content)
        self._handler.wfile.flush()

    def reset(self) -> None:
        """End the connection as a machine does that has forgotten it."""
        self._handler.close_connection = True
        linger = struct.pack("ii", 1, 0)
        self._handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._handler.connection.close()

    def hang(self, seconds: float | None = None) -> None:
        """Say nothing for `seconds`, or until the test is over."""
        self._closing.wait(seconds)

    def cut(self) -> None:
        """Close the connection where it stands, without an answer or an end."""
        self._handler.close_connection = True


Behaviour = Callable[[Request, Reply], None]
