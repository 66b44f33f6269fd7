"""Requests: each sent once, exactly as asked, through the client's proxy and to nowhere else.

httpx and asyncio are imported inside: only `models` and `probe` pay for them.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
import zlib
from codecs import getincrementaldecoder
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

from msgspec import Struct, field

from haha_config.core.errors import Refusal
from haha_config.core.exchange import Dialogue, Failure, HttpExchange, Request
from haha_config.core.messages import msg
from haha_config.core.model import Place

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

#: More of an answer than this is not read, packed or unpacked: a probe's are a few kilobytes.
LIMIT: Final = 8 * 1024 * 1024
_CONNECT_TIMEOUT: Final = 10.0

#: How the ssl module asks for more bytes. One is in the history of every failure under TLS that
#: happened while waiting for them, and says nothing about it.
_UNDERWAY: Final = (ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Transport(Struct, frozen=True, kw_only=True):
    """How requests leave: the client's own effective proxy variables, never the shell's.

    `ca_file`: NODE_EXTRA_CA_CERTS, trusted beside the usual roots. `at_once`: requests in flight.
    """

    proxies: Mapping[str, str] = field(default_factory=dict)
    ca_file: str = ""
    at_once: int = 6


def run_dialogues(
    dialogues: Sequence[Dialogue[T]],
    way: Transport,
    *,
    watch: Callable[[HttpExchange], None] = lambda _exchange: None,
) -> list[T]:
    """Hold every dialogue at the same time; their results in the same order.

    `watch` sees each exchange as it ends. A request that fails is an exchange, not an exception.
    """
    import asyncio

    async def hold() -> list[T]:
        pool = _Pool(way, watch)
        try:
            return list(await asyncio.gather(*map(pool.follow, dialogues)))
        finally:
            await pool.close()

    return asyncio.run(hold())


def send(asks: Sequence[Request], way: Transport) -> list[HttpExchange]:
    """Send independent requests at once; the exchanges in the same order."""

    def once() -> Dialogue[list[HttpExchange]]:
        return list((yield asks))

    return run_dialogues([once()], way)[0]


class _Pool:
    """Connections by proxy, and the count of what is in flight."""

    def __init__(self, way: Transport, watch: Callable[[HttpExchange], None]) -> None:
        import asyncio

        self._way = way
        self._watch = watch
        self._clients: dict[str | None, httpx.AsyncClient] = {}
        self._context = trust(way.ca_file)
        self._gate = asyncio.Semaphore(way.at_once)

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()

    async def follow(self, dialogue: Dialogue[T]) -> T:
        import asyncio

        answers: Sequence[HttpExchange] | None = None
        while True:
            try:
                asks = dialogue.send(answers) if answers is not None else next(dialogue)
            except StopIteration as end:
                result: T = end.value
                return result
            answers = await asyncio.gather(*map(self._sent, asks))

    async def _sent(self, ask: Request) -> HttpExchange:
        import asyncio

        await asyncio.sleep(ask.after)
        async with self._gate:
            exchange = await self._exchange(ask)
        self._watch(exchange)
        return exchange

    async def _exchange(self, ask: Request) -> HttpExchange:
        import asyncio

        import httpx

        heard = _Receiver(ask)
        proxy = None
        try:
            proxy = proxy_for(ask.url, self._way.proxies)
            scheme = urlsplit(proxy or "http://").scheme
            if scheme not in ("http", "https"):
                return heard.exchange("socks", scheme)
            # Pings keep a stream alive for ever: four waits are enough for any answer of ours.
            async with asyncio.timeout(4 * max(ask.timeout, ask.silence)):
                await self._listen(heard, self._client(proxy))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError, ValueError) as error:
            kind, reason = explain(error, begun=heard.status is not None, through_proxy=bool(proxy))
            return heard.exchange(kind, reason)
        return heard.exchange()

    def _client(self, proxy: str | None) -> httpx.AsyncClient:
        import httpx

        if proxy not in self._clients:
            self._clients[proxy] = httpx.AsyncClient(
                # The environment is not ours to ask: the client's own variables are in `proxy`.
                trust_env=False,
                follow_redirects=False,
                verify=self._context,
                proxy=proxy,
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            )
        return self._clients[proxy]

    async def _listen(self, heard: _Receiver, client: httpx.AsyncClient) -> None:
        import asyncio

        import httpx

        ask = heard.ask
        # Asked for an answer that is not packed.
        kept = {n: value for n, value in ask.headers.items() if n.lower() != "accept-encoding"}
        request = client.build_request(
            ask.method,
            ask.url,
            headers={**kept, "accept-encoding": "identity"},
            json=ask.body,
            timeout=httpx.Timeout(
                max(ask.timeout, ask.silence), connect=min(ask.timeout, _CONNECT_TIMEOUT)
            ),
        )
        async with asyncio.timeout(ask.timeout):
            response = await client.send(request, stream=True)
        try:
            heard.begin(response.status_code, response.headers)
            # Not `aiter_text`: it unpacks a piece whole, and a few KB can unpack to gigabytes.
            async for piece in response.aiter_raw():
                if not heard.piece(piece):
                    break
        finally:
            await response.aclose()


class _Receiver:
    """What has arrived so far: it is kept when the rest never comes."""

    def __init__(self, ask: Request) -> None:
        self.ask = ask
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.pieces: list[tuple[int, str]] = []
        self.size = 0
        self.cut_off = False
        self.started = time.monotonic()
        self._body = _Body("")

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        self.status = status
        self.headers = {name.lower(): value for name, value in headers.items()}
        self._body = _Body(self.headers.get("content-encoding", ""))

    def piece(self, packed: bytes) -> bool:
        """Keep a piece; False once there is more than we want."""
        text = self._body.unpacked(packed)
        self.size += max(len(packed), len(text))
        self.cut_off = self._body.overflows or self.size >= LIMIT
        ms = self._ms()
        if self.pieces and self.pieces[-1][0] == ms:
            text = self.pieces.pop()[1] + text
        self.pieces.append((ms, text))
        return not self.cut_off

    def exchange(self, failure: Failure | None = None, reason: str = "") -> HttpExchange:
        return HttpExchange(
            ask=self.ask,
            status=self.status,
            headers=self.headers,
            body="".join(text for _, text in self.pieces),
            pieces=tuple(self.pieces) if self.ask.stream else (),
            failure=failure,
            reason=reason,
            ms=self._ms(),
            cut_off=self.cut_off,
        )

    def _ms(self) -> int:
        return round((time.monotonic() - self.started) * 1000)


class _Body:
    """The text of an answer, unpacked no further than there is room for.

    Each layer of `content-encoding` is unpacked to at most LIMIT bytes at a time, so that what is
    packed twice takes no more room than what is packed once.
    """

    def __init__(self, encodings: str) -> None:
        names = [name.strip().lower() for name in encodings.split(",") if name.strip()]
        # A name that is none says nothing about the bytes (measured).
        packed = [name for name in names if name in _PACKED or name in _UNREADABLE]
        if any(name in _UNREADABLE for name in packed) or len(packed) > _LAYERS:
            raise ValueError(f"content-encoding: {encodings[:40]}")
        self._layers = [zlib.decompressobj(zlib.MAX_WBITS | 32) for _ in packed]
        self._text = getincrementaldecoder("utf-8")("replace")
        self.overflows = False

    def unpacked(self, data: bytes) -> str:
        for layer in self._layers:
            try:
                data = layer.decompress(data, LIMIT)
            except zlib.error as error:
                raise ValueError(str(error)) from None
            self.overflows = self.overflows or bool(layer.unconsumed_tail)
        return self._text.decode(data)


#: What an endpoint may pack an answer in although it is asked not to, and how often.
_PACKED: Final = frozenset({"gzip", "x-gzip", "deflate"})
_UNREADABLE: Final = frozenset({"br", "zstd", "compress", "x-compress"})
_LAYERS: Final = 3


# --- failures --------------------------------------------------------------------------------


def explain(error: BaseException, *, begun: bool, through_proxy: bool) -> tuple[Failure, str]:
    """What an exception of the transport means, and the system's own word for it."""
    import httpx

    causes = [cause for cause in _causes(error) if not isinstance(cause, _UNDERWAY)]
    reason = next((str(c) for c in reversed(causes) if str(c)), type(error).__name__)
    unusable = isinstance(error, httpx.InvalidURL | ValueError) and not begun
    if isinstance(error, httpx.ProxyError) or (unusable and through_proxy):
        return "proxy", reason
    if (found := _named(causes, _TLS)) is not None:
        return found, reason
    if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout | httpx.PoolTimeout | TimeoutError):
        return ("stalled" if begun else "slow"), reason
    if isinstance(error, httpx.ConnectTimeout):
        return ("proxy" if through_proxy else "unreachable"), reason
    if isinstance(error, httpx.ConnectError | OSError) and not begun:
        return "proxy" if through_proxy else _named(causes, _REFUSED) or "unreachable", reason
    return "cut", reason


_Kinds = tuple[tuple[type[BaseException], Failure], ...]
_TLS: Final[_Kinds] = ((ssl.SSLCertVerificationError, "certificate"), (ssl.SSLError, "tls"))
_REFUSED: Final[_Kinds] = (
    (socket.gaierror, "dns"),
    (ConnectionRefusedError, "refused"),
    (ConnectionResetError, "cut"),
    (BrokenPipeError, "cut"),
)


def _named(causes: Sequence[BaseException], kinds: _Kinds) -> Failure | None:
    return next((name for kind, name in kinds if any(isinstance(c, kind) for c in causes)), None)


def _causes(error: BaseException) -> Generator[BaseException]:
    """The exception and all that led to it, groups taken apart."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        current = waiting.pop(0)
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [current.__cause__, current.__context__]
        if isinstance(current, BaseExceptionGroup):
            waiting += current.exceptions


# --- the way out -----------------------------------------------------------------------------


def proxy_for(url: str, variables: Mapping[str, str]) -> str | None:
    """The proxy that a client with these variables sends `url` through.

    Measured: lower-case names win, and one for https is taken before one for http, whatever the
    URL begins with.
    """
    parts = urlsplit(url)
    lower = {name.lower(): value for name, value in variables.items() if value}
    lower |= {name: value for name, value in variables.items() if name.islower() and value}
    proxy = next((p for n in ("https", "http", "all") if (p := lower.get(f"{n}_proxy"))), None)
    if not proxy or _excepted(parts.hostname or "", parts.port, lower.get("no_proxy", "")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _excepted(host: str, port: int | None, no_proxy: str) -> bool:
    for entry in no_proxy.replace(",", " ").split():
        name, _, wanted = entry.partition(":") if entry.count(":") == 1 else (entry, "", "")
        if wanted and wanted != str(port):
            continue
        bare = name.lstrip("*").lstrip(".").lower()
        if name == "*" or host == bare or (bare and host.endswith(f".{bare}")):
            return True
        if "/" in name and _inside(host, name):
            return True
    return False


def _inside(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def trust(ca_file: str = "") -> ssl.SSLContext:
    """The usual roots, and the file that the client is told to trust as well.

    Raises Refusal where that file can't be read.
    """
    import certifi

    context = ssl.create_default_context(cafile=certifi.where())
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise Refusal(
                msg("`NODE_EXTRA_CA_CERTS` can't be read: {reason}", reason=str(error)),
                place=Place(path=ca_file),
            ) from None
    return context
