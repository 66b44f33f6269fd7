"""How this client would call: where to, with which credential, in which shape.

The shape is recorded from the real client (2.1.197, `-p`); a test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, field

from haha_config.core import urls
from haha_config.core import variables as v
from haha_config.core.model import Data, Header, Route
from haha_config.core.providers.model import Provider
from haha_config.core.state.configured import CurrentSetup
from haha_config.core.state.state import State

#: The client as it names itself. LiteLLM drops parameters for this one and not for others.
USER_AGENT = "claude-cli/2.1.197 (external, sdk-cli)"

_BETAS = (
    "claude-code-20250219",
    "interleaved-thinking-2025-05-14",
    "thinking-token-count-2026-05-13",
    "context-management-2025-06-27",
    "prompt-caching-scope-2026-01-05",
    "mid-conversation-system-2026-04-07",
    "effort-2025-11-24",
)
#: What CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS takes out of them.
_EXPERIMENTAL = (
    "thinking-token-count-2026-05-13",
    "context-management-2025-06-27",
    "prompt-caching-scope-2026-01-05",
)


class ClientProfile(Struct, frozen=True, kw_only=True):
    """A client with its variables. `headers` hold the credential: never printed.

    `kinds`: the credential headers that go out. `thinking`, `experimental`, `caching`: what the
    client's switches leave in. `proxies` and `ca_file` are the client's effective variables.
    """

    base_url: str
    headers: Mapping[str, str]
    kinds: tuple[Header, ...]
    route: Route = "direct"
    row: Provider | None = None
    thinking: bool = True
    experimental: bool = True
    caching: bool = True
    effort: str = "high"
    max_tokens: int = v.DEFAULT_OUTPUT
    extra_body: Mapping[str, Data] = field(default_factory=dict)
    proxies: Mapping[str, str] = field(default_factory=dict)
    ca_file: str = ""
    #: False: as the client asks once more after a stream that it could not read.
    streams: bool = True

    @property
    def url(self) -> str:
        """What the client posts to."""
        return urls.called(self.base_url)

    @property
    def loopback(self) -> bool:
        url = urls.parse(self.base_url)
        return url is not None and url.loopback


def client_profile(state: State, held: CurrentSetup, helper: str = "") -> ClientProfile:
    """The client of this state. `helper`: what its `apiKeyHelper` printed, "" without one."""
    value = state.value
    credential = credentials(value(v.AUTH_TOKEN), value(v.API_KEY), helper)
    betas = _betas(value)
    common = {
        "accept": "application/json",
        "anthropic-version": "2023-06-01",
        "anthropic-beta": ",".join(betas),
        "anthropic-dangerous-direct-browser-access": "true",
        "user-agent": USER_AGENT,
        "x-app": "cli",
    }
    return ClientProfile(
        base_url=held.base_url,
        headers={**common, **_custom(value("ANTHROPIC_CUSTOM_HEADERS")), **credential},
        kinds=kinds(credential),
        route=held.route,
        row=state.providers.get(held.provider),
        thinking=not (
            value("CLAUDE_CODE_DISABLE_THINKING") or value("MAX_THINKING_TOKENS").strip() == "0"
        ),
        experimental=not _on(value("CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS")),
        caching=not _on(value("DISABLE_PROMPT_CACHING")),
        effort=value("CLAUDE_CODE_EFFORT_LEVEL") or "high",
        max_tokens=_number(value(v.MAX_OUTPUT)) or v.DEFAULT_OUTPUT,
        extra_body=_object(value("CLAUDE_CODE_EXTRA_BODY")),
        proxies=proxies(value),
        ca_file=value("NODE_EXTRA_CA_CERTS"),
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


def _betas(value: Callable[[str], str]) -> tuple[str, ...]:
    experimental = not _on(value("CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS"))
    own = tuple(b.strip() for b in value("ANTHROPIC_BETAS").split(",") if b.strip())
    kept = tuple(b for b in _BETAS if experimental or b not in _EXPERIMENTAL)
    return (*kept[:-1], *own, kept[-1])


def _custom(text: str) -> dict[str, str]:
    """ANTHROPIC_CUSTOM_HEADERS: `Name: Value` lines."""
    pairs = (line.partition(":") for line in text.replace("\\n", "\n").splitlines())
    return {name.strip().lower(): rest.strip() for name, colon, rest in pairs if colon}


def _on(value: str) -> bool:
    return value.strip().lower() not in ("", "0", "false", "no", "off")


def _number(value: str) -> int:
    return v.whole(value) or 0


def _object(text: str) -> Mapping[str, Data]:
    import json

    try:
        data = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
