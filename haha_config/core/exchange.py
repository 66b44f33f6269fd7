"""A request and what came of it, as `io.http` sends it and the probe reads it."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Literal, TypeVar

from msgspec import Struct, field

from haha_config.core.model import Data

#: Why there was no answer. `cut`: the connection ended inside one; `slow`: nothing came in time;
#: `stalled`: the stream fell silent; `proxy`: the way through it failed; `socks`: there is a proxy
#: whose language the client does not speak.
Failure = Literal[
    "dns",
    "refused",
    "unreachable",
    "tls",
    "certificate",
    "slow",
    "stalled",
    "cut",
    "proxy",
    "socks",
]


class Request(Struct, frozen=True, kw_only=True):
    """A request to be sent, once and to nowhere else: redirects are answers, not orders.

    `timeout` in seconds: for the first byte of the answer, and again for each next piece; between
    pieces `silence` where that is longer.
    """

    key: str
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Data = None
    timeout: float = 60
    silence: float = 0
    stream: bool = False
    #: Seconds to wait before it is sent: a second try after "too many requests".
    after: float = 0


class HttpExchange(Struct, frozen=True, kw_only=True):
    """A request and what came of it. `status` None: no answer, and `failure` says why.

    A failure beside a status: the answer began and did not end. `reason` is the system's own
    word for it. `pieces` are (ms since the request was sent, text) of a streamed body. `cut_off`:
    the body was longer than we keep. `tries`: how often it was asked, this being the last.
    """

    ask: Request
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    pieces: tuple[tuple[int, str], ...] = ()
    failure: Failure | None = None
    reason: str = ""
    ms: int = 0
    cut_off: bool = False
    tries: int = 1

    @property
    def waited(self) -> float:
        """Seconds of silence in the middle after which we gave up."""
        return max(self.ask.timeout, self.ask.silence)

    @property
    def succeeded(self) -> bool:
        """Whether the status is one of success, any of which the client takes (measured)."""
        return self.status is not None and 200 <= self.status < 300


T = TypeVar("T")
#: Yields requests that may go out at once and is sent their exchanges, until it knows a T.
Dialogue = Generator[Sequence[Request], Sequence[HttpExchange], T]
