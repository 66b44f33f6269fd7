"""How this client would call: where to, with which credential, in which shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct, field

from haha_config.core import urls
from haha_config.core import variables as v
from haha_config.core.model import Header, Route
from haha_config.core.probe.wire import UNKNOWN, Wire, as_set, parse
from haha_config.core.providers.model import Provider
from haha_config.core.state.configured import CurrentSetup
from haha_config.core.state.state import State

#: How long the client waits for an answer where API_TIMEOUT_MS is not set.
_DEFAULT_TIMEOUT_MS: Final = 600_000
CHAT_FLAG: Final = "use_chat_completions_url_for_anthropic_messages"


class ClientProfile(Struct, frozen=True, kw_only=True):
    """A client with its variables. `headers` hold the credential: never printed.

    `wire`: what its version sends with `-p` where its variables have these values; `session`: in
    an interactive session. `kinds`: the credential headers that go out. `proxies` and `ca_file`
    are the client's effective variables. `patience`: seconds for which the client waits for an
    answer. `chat_flag`: the gateway is told to call upstreams at /chat/completions.
    """

    base_url: str
    headers: Mapping[str, str]
    kinds: tuple[Header, ...]
    route: Route = "direct"
    row: Provider | None = None
    wire: Wire = UNKNOWN
    session: Wire = UNKNOWN
    proxies: Mapping[str, str] = field(default_factory=dict)
    ca_file: str = ""
    patience: float = 600
    chat_flag: bool = False
    #: False: as the client asks once more after a stream that it could not read.
    streams: bool = True

    @property
    def url(self) -> str:
        """What the client posts to."""
        return urls.called(self.base_url)

    @property
    def max_tokens(self) -> int:
        """How long an answer it asks for."""
        limit = self.wire.body.get("max_tokens")
        return limit if isinstance(limit, int) else v.DEFAULT_OUTPUT

    @property
    def sent_headers(self) -> dict[str, str]:
        """All headers of a message, its betas among them."""
        if not self.wire.betas:
            return dict(self.headers)
        return {**self.headers, "anthropic-beta": ",".join(self.wire.betas)}

    @property
    def loopback(self) -> bool:
        url = urls.parse(self.base_url)
        return url is not None and url.loopback


def client_profile(
    state: State, held: CurrentSetup, record: str, helper: str = ""
) -> ClientProfile:
    """The client of this state. `helper`: what its `apiKeyHelper` printed, "" without one.

    `record`: the text of what its version sends.
    """
    value = state.value
    credential = credentials(value(v.AUTH_TOKEN), value(v.API_KEY), helper)
    wire = parse(record, "print")
    custom = _custom(value("ANTHROPIC_CUSTOM_HEADERS"))
    if "authorization" in credential:
        # One of the person's own does not replace the token (measured).
        custom.pop("authorization", None)
    return ClientProfile(
        base_url=held.base_url,
        headers={**wire.headers, **credential, **custom},
        kinds=kinds({**credential, **custom}),
        route=held.route,
        row=state.providers.get(held.provider),
        wire=as_set(wire, value),
        session=as_set(parse(record, "interactive"), value),
        proxies=proxies(value),
        ca_file=value("NODE_EXTRA_CA_CERTS"),
        chat_flag=state.gateway.settings.get(CHAT_FLAG) is True,
        patience=(v.whole(value("API_TIMEOUT_MS")) or _DEFAULT_TIMEOUT_MS) / 1000,
    )


def credentials(token: str, api_key: str, helper: str = "") -> dict[str, str]:
    """The credential headers as this client sends them; both where both are set (measured)."""
    found: dict[str, str] = {}
    if token:
        found["authorization"] = f"Bearer {token}"
    if api_key:
        found["x-api-key"] = api_key
    if helper and not found:
        found = {"authorization": f"Bearer {helper}", "x-api-key": helper}
    return found


def kinds(headers: Mapping[str, str]) -> tuple[Header, ...]:
    """Which kinds of credential header there are."""
    names: tuple[tuple[str, Header], ...] = (
        ("authorization", "bearer"),
        ("x-api-key", "x-api-key"),
    )
    return tuple(kind for name, kind in names if name in headers)


_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy")


def proxies(value: Callable[[str], str]) -> dict[str, str]:
    """The proxy variables in force for the client."""
    return {name: found for name in _PROXIES if (found := value(name))}


def _custom(text: str) -> dict[str, str]:
    """ANTHROPIC_CUSTOM_HEADERS: `Name: Value` lines."""
    pairs = (line.partition(":") for line in text.replace("\\n", "\n").splitlines())
    return {name.strip().lower(): rest.strip() for name, colon, rest in pairs if colon}
