"""A small endpoint of our own that speaks the Anthropic Messages API, for the tour only.

It listens on a free loopback port, streams, and answers with the model and words that it was
asked for. It is not a model: it repeats.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from haha_config.io import local_server


@contextlib.contextmanager
def endpoint(token: str) -> Iterator[str]:
    """The base URL of an endpoint that wants this token, until the block ends."""

    class Handler(_Messages):
        wanted = token

    with local_server.serving(Handler) as port:
        yield f"http://127.0.0.1:{port}"


def ask(base_url: str, token: str, model: str, text: str) -> Iterator[str]:
    """Send one streamed message as the client does; the pieces of the answer as they come.

    Raises OSError where nobody answers, ValueError where the answer is not 200.
    """
    from http.client import HTTPConnection
    from urllib.parse import urlsplit

    url = urlsplit(base_url)
    connection = HTTPConnection(url.hostname or "", url.port, timeout=30)
    body = {
        "model": model,
        "max_tokens": 256,
        "stream": True,
        "messages": [{"role": "user", "content": text}],
    }
    headers = {
        "authorization": f"Bearer {token}",
        "anthropic-version": "2023-06-01",
        "content-type": "application/json",
    }
    with contextlib.closing(connection):
        connection.request("POST", f"{url.path}/v1/messages?beta=true", json.dumps(body), headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise ValueError(answer.status)
        for line in answer:
            if line.startswith(b"data:"):
                piece = json.loads(line[5:]).get("delta", {}).get("text")
                if piece:
                    yield piece


class _Messages(local_server.Handler):
    """`POST /v1/messages`, streamed or whole, and the little else that a client asks for."""

    wanted = ""

    def do_HEAD(self) -> None:  # noqa: N802 - the base's name
        self.answer(200, "text/plain", b"")

    def do_POST(self) -> None:  # noqa: N802 - the base's name
        data = self.received()
        if self.wanted not in self.brought():
            self._error(401, "authentication_error", "invalid bearer token")
            return
        try:
            body = json.loads(data)
        except ValueError:
            self._error(400, "invalid_request_error", "not JSON")
            return
        path = self.path.split("?", 1)[0]
        if path == "/v1/messages/count_tokens":
            self._json(200, {"input_tokens": len(data) // 4})
        elif path == "/v1/messages":
            self._message(body)
        else:
            self._error(404, "not_found_error", path)

    def _message(self, body: Mapping[str, Any]) -> None:
        text = f"{body.get('model')} heard: {_last_words(body)}"
        message: dict[str, Any] = {
            "id": "msg_demo",
            "type": "message",
            "role": "assistant",
            "model": body.get("model"),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }
        if not body.get("stream"):
            whole = {"content": [{"type": "text", "text": text}], "stop_reason": "end_turn"}
            self._json(200, {**message, **whole})
            return
        self.answer(200, "text/event-stream", b"".join(map(_event, _events(message, text))))

    def _error(self, status: int, kind: str, text: str) -> None:
        self._json(status, {"type": "error", "error": {"type": kind, "message": text}})

    def _json(self, status: int, data: Mapping[str, Any]) -> None:
        self.answer(status, "application/json", json.dumps(data).encode())


def _last_words(body: Mapping[str, Any]) -> str:
    content = (body.get("messages") or [{}])[-1].get("content", "")
    if isinstance(content, str):
        return content
    return " ".join(part.get("text", "") for part in content if isinstance(part, dict))


def _events(message: Mapping[str, Any], text: str) -> Iterator[dict[str, Any]]:
    yield {"type": "message_start", "message": message}
    block = {"type": "text", "text": ""}
    yield {"type": "content_block_start", "index": 0, "content_block": block}
    for word in text.split(" "):
        delta = {"type": "text_delta", "text": f"{word} "}
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    yield {"type": "message_delta", "delta": end, "usage": {"output_tokens": len(text) // 4}}
    yield {"type": "message_stop"}


def _event(data: Mapping[str, Any]) -> bytes:
    return f"event: {data['type']}\ndata: {json.dumps(data)}\n\n".encode()
