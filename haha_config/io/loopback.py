"""Who answers on this machine's own ports. Loopback only, no credential, short waits."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, Literal

from haha_config.core.model import from_json, is_model_name, mapping, objects

if TYPE_CHECKING:
    from http.client import HTTPConnection

Who = Literal["litellm", "ollama", "other", ""]

#: The longest wait for a server on this machine to say who it is.
PATIENCE: Final = 0.5
#: And to say what it has: longer, since it may be loading a model meanwhile.
LOADING: Final = 3.0


def who(port: int, seconds: float = PATIENCE) -> Who:
    """Who answers on a loopback port: `litellm`, `ollama`, `other`, or "" for nobody."""
    if not listens(port, seconds):
        return ""
    status, body = get(port, "/health/liveliness", seconds)
    if status == 200 and b"I'm alive!" in body:
        return "litellm"
    status, body = get(port, "/api/version", seconds)
    if status == 200 and isinstance(_data(body).get("version"), str):
        return "ollama"
    return "other"


def listens(port: int, seconds: float = PATIENCE) -> bool:
    """Whether anything accepts a connection there."""
    import socket

    try:
        # Not `create_connection`: whatever the host, it loads the tables for names in Unicode.
        with socket.socket() as knock:
            knock.settimeout(seconds)
            knock.connect(("127.0.0.1", port))
    except OSError:
        return False
    return True


def get(
    port: int, path: str, seconds: float, key: str = "", posted: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """Status and the first 1 MiB of the body; (0, b"") where there was no HTTP answer."""
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection("127.0.0.1", port, timeout=seconds)
    headers = {"authorization": f"Bearer {key}"} if key else {}
    try:
        if posted is None:
            connection.request("GET", path, headers=headers)
        else:
            headers["content-type"] = "application/json"
            connection.request("POST", path, json.dumps(posted), headers)
        with _ended_after(connection, 4 * seconds):
            answer = connection.getresponse()
            return answer.status, answer.read(1 << 20)
    except (OSError, HTTPException, ValueError):
        return 0, b""
    finally:
        connection.close()


@contextmanager
def _ended_after(connection: HTTPConnection, seconds: float) -> Iterator[None]:
    """Hang up then: a server that sends a byte now and again would be listened to for ever."""
    from socket import SHUT_RDWR
    from threading import Timer

    line = connection.sock

    def hang_up() -> None:
        with suppress(OSError):
            line.shutdown(SHUT_RDWR)

    timer = Timer(seconds, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class Servers:
    """What servers on this machine say of themselves and their models; nothing is asked twice.

    One for each command: with ninety models in a menu they would be asked for ever.
    """

    def __init__(self) -> None:
        self._said: dict[tuple[int, str, str], Mapping[str, Any] | None] = {}

    def _ask(self, port: int, path: str, model: str = "") -> Mapping[str, Any] | None:
        """What a path answers, about a model where one is named; None where that is no 200."""
        key = (port, path, model)
        if key not in self._said:
            posted = {"model": model} if model else None
            status, body = get(port, path, LOADING, posted=posted)
            self._said[key] = _data(body) if status == 200 else None
        return self._said[key]

    def _rows(self, port: int, path: str, key: str) -> list[Mapping[str, Any]]:
        return objects(mapping(self._ask(port, path)).get(key))

    def models(self, port: int) -> tuple[str, ...] | None:
        """The names that a server lists (`/v1/models`); None where it does not answer."""
        if self._ask(port, "/v1/models") is None:
            return None
        rows = self._rows(port, "/v1/models", "data")
        return tuple(row["id"] for row in rows if is_model_name(row.get("id")))

    def ollama_version(self, port: int) -> str:
        """Ollama's version; "" where it does not answer."""
        version = mapping(self._ask(port, "/api/version")).get("version")
        return version if isinstance(version, str) else ""

    def ollama_tools(self, port: int, model: str) -> bool | None:
        """Whether Ollama says that a model of its own can call tools; None where it does not."""
        able = mapping(self._ask(port, "/api/show", model)).get("capabilities")
        return "tools" in able if isinstance(able, list) else None

    def window(self, port: int, model: str) -> int | None:
        """How many tokens a server gives a model; None where it does not say.

        Ollama says it of a model that is loaded, else of what it can take at most; LM Studio and
        llama.cpp of what is loaded, vLLM of each model.
        """
        if self.ollama_version(port):
            return self._of_ollama(port, model)
        for path in ("/v1/models", "/api/v0/models"):
            for one in self._rows(port, path, "data"):
                size = _size(one.get("max_model_len")) or _size(one.get("loaded_context_length"))
                if one.get("id") == model and size:
                    return size
        settings = mapping(self._ask(port, "/props")).get("default_generation_settings")
        return _size(mapping(settings).get("n_ctx"))

    def _of_ollama(self, port: int, model: str) -> int | None:
        for one in self._rows(port, "/api/ps", "models"):
            size = _size(one.get("context_length"))
            if one.get("name") in {model, f"{model}:latest"} and size:
                return size
        shown = mapping(self._ask(port, "/api/show", model))
        for line in str(shown.get("parameters") or "").splitlines():
            name, _, value = line.strip().partition(" ")
            if name == "num_ctx" and value.strip().isdecimal():
                return int(value)
        sizes = mapping(shown.get("model_info")).items()
        return next((_size(n) for k, n in sizes if k.endswith(".context_length")), None)


def _size(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    return None


def free_port(first: int) -> int:
    """The first loopback port from `first` on that nobody listens on."""
    return next(port for port in range(first, first + 200) if not listens(port))


def _data(body: bytes) -> Mapping[str, Any]:
    return mapping(from_json(body))
