"""How this client would call: where to, with which credential, in which shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct, field

from haha_config.core import urls
from haha_config.core import variables as v
from haha_config.core.headers import pairs
from haha_config.core.model import Header, Route
from haha_config.core.probe.wire import UNKNOWN, Wire, effective
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
    answer to begin; `silence`: for which we wait in its middle. `chat_flag`: the gateway is told
    to call upstreams at /chat/completions.
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
    silence: float = 0
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
        return urls.local_port(self.base_url) is not None


def client_profile(
    state: State, held: CurrentSetup, record: str, helper: str = "", *, login: bool = False
) -> ClientProfile:
    """The client of this state. `helper`: what its `apiKeyHelper` printed, "" without one.

    `record`: the text of what its version sends. `login`: the client has a key of its own login.
    """
    value = state.value
    own = _NO_KEY if login else ""
    credential = credentials(value(v.AUTH_TOKEN), value(v.API_KEY), helper, own)
    wire = effective(record, "print", value)
    custom = {name.lower(): text for name, text in pairs(value(v.HEADERS))}
    if "authorization" in credential:
        # One of the person's own does not replace the token (measured).
        custom.pop("authorization", None)
    return ClientProfile(
        base_url=held.base_url,
        headers={**wire.headers, **credential, **custom},
        kinds=kinds({**credential, **custom}),
        route=held.route,
        row=state.providers.get(held.provider),
        wire=wire,
        session=effective(record, "interactive", value),
        proxies=proxies(value),
        ca_file=value("NODE_EXTRA_CA_CERTS"),
        chat_flag=state.gateway.settings.get(CHAT_FLAG) is True,
        patience=(v.whole(value("API_TIMEOUT_MS")) or _DEFAULT_TIMEOUT_MS) / 1000,
    )


#: Stands for the key of the client's login, which the client sends to any endpoint and we do not:
#: whoever minds a second credential minds this one.
_NO_KEY: Final = f"sk-ant-{'0' * 100}"


def credentials(token: str, api_key: str, helper: str = "", login: str = "") -> dict[str, str]:
    """The credential headers as this client sends them (tests/e2e/test_credentials.py)."""
    bearer, key = token or helper, api_key or helper or login
    found = {"authorization": f"Bearer {bearer}"} if bearer else {}
    return {**found, "x-api-key": key} if key else found


def credential(key: str, header: Header) -> dict[str, str]:
    """One key in its one header."""
    return credentials(key, "") if header == "bearer" else credentials("", key)


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
