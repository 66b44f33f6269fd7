"""What a base URL says about itself. No network: only the text."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address


#: Docker's and Podman's names for it.
_CONTAINER_HOSTS = frozenset(
    {"host.docker.internal", "gateway.docker.internal", "host.containers.internal"}
)


class Url(Struct, frozen=True, kw_only=True):
    """A base URL taken apart. `port` is the scheme's default where none is written."""

    scheme: str
    host: str
    port: int
    path: str
    userinfo: bool
    query: bool

    @property
    def loopback(self) -> bool:
        if self.host in {"localhost", "127.0.0.1", "::1"} or self.host.endswith(".localhost"):
            return True
        address = _address(self.host)
        return address is not None and address.is_loopback

    @property
    def container_host(self) -> bool:
        """The machine that a container runs on: what goes there leaves no machine."""
        return self.host in _CONTAINER_HOSTS

    @property
    def private(self) -> bool:
        """A private address, `.local`, `.internal`, or a name without a dot."""
        address = _address(self.host)
        if address is not None:
            return address.is_private and not address.is_loopback
        return "." not in self.host or self.host.endswith((".local", ".internal"))


@lru_cache(maxsize=8192)
def local_port(url: str) -> int | None:
    """The port of this machine that a URL leads to; None where it leads elsewhere."""
    found = parse(url)
    return found.port if found is not None and found.loopback else None


def parse(url: str) -> Url | None:
    """`url` taken apart, or None where it is not an http(s) URL with a host."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if port == 0:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    if len(url.split()) != 1 or url != url.strip() or not url.isprintable():
        return None
    return Url(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port or (443 if parts.scheme == "https" else 80),
        path=parts.path,
        userinfo="@" in parts.netloc,
        # An empty one counts too: the client puts its path behind it (measured).
        query="?" in url or "#" in url,
    )


def same_origin(one: str, other: str) -> bool:
    """Whether both are at one scheme, host and port, which is whom a key is shown to."""
    a, b = parse(one), parse(other)
    if a is None or b is None or a.userinfo or b.userinfo:
        return False
    return (a.scheme, a.host, a.port) == (b.scheme, b.host, b.port)


#: What people paste after the base URL: the client adds `/v1/messages` itself.
ENDINGS = (
    "/v1/messages/count_tokens",
    "/v1/messages",
    "/messages",
    "/v1/chat/completions",
    "/chat/completions",
    "/v1/responses",
    "/v1/models",
    "/api/chat",
    "/api/generate",
    "/v1",
)


def without_endpoint(url: str) -> str:
    """`url` as a base URL: no trailing slash, no `/v1`, no full endpoint."""
    bare = url.rstrip("/")
    for ending in ENDINGS:
        if bare.endswith(ending):
            return without_endpoint(bare.removesuffix(ending))
    return bare


def called(url: str) -> str:
    """The URL that the client will really post to (measured: it appends this, always)."""
    return f"{url.rstrip('/')}/v1/messages?beta=true"


def same(one: str, other: str) -> bool:
    """Whether two base URLs lead to the same endpoint; `localhost` and 127.0.0.1 are one host."""
    a, b = parse(one), parse(other)
    if a is None or b is None:
        return one == other
    hosts = a.host == b.host or (a.loopback and b.loopback)
    return hosts and a.port == b.port and a.scheme == b.scheme and _path(a) == _path(b)


def _path(url: Url) -> str:
    return url.path.rstrip("/")


def within(host: str, network: str) -> bool:
    """Whether a host is an address of a network like `127.0.0.0/8`."""
    address = _address(host) if "/" in network else None
    if address is None:
        return False
    from ipaddress import ip_network

    try:
        return address in ip_network(network, strict=False)
    except ValueError:
        return False


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """The host as an address, None for a name."""
    if not (host[-1:].isdigit() or ":" in host):
        return None
    # 10 ms of a start, which an endpoint by name does not need.
    from ipaddress import ip_address

    try:
        return ip_address(host)
    except ValueError:
        return None
