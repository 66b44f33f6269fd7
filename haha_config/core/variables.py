"""The client's variables: which are secret, which are ours, and how a value is shown.

Masking belongs to the variable, not to the value: what is in no table here is a secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from haha_config.core.model import SLOTS, Slot

BASE_URL: Final = "ANTHROPIC_BASE_URL"
AUTH_TOKEN: Final = "ANTHROPIC_AUTH_TOKEN"  # noqa: S105 - a variable's name
API_KEY: Final = "ANTHROPIC_API_KEY"
MAX_CONTEXT: Final = "CLAUDE_CODE_MAX_CONTEXT_TOKENS"
MAX_OUTPUT: Final = "CLAUDE_CODE_MAX_OUTPUT_TOKENS"
COMPACT_WINDOW: Final = "CLAUDE_CODE_AUTO_COMPACT_WINDOW"
SMALL_FAST: Final = "ANTHROPIC_SMALL_FAST_MODEL"
TIMEOUT: Final = "API_TIMEOUT_MS"
#: What is written for it: 50 minutes.
TIMEOUT_MS: Final = "3000000"
TELEMETRY: Final = "DISABLE_TELEMETRY"
NONESSENTIAL: Final = "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"
TOOL_SEARCH: Final = "ENABLE_TOOL_SEARCH"
MASTER_KEY: Final = "LITELLM_MASTER_KEY"
HEADERS: Final = "ANTHROPIC_CUSTOM_HEADERS"
EXTRA_BODY: Final = "CLAUDE_CODE_EXTRA_BODY"
#: No variable, but the settings key of a command that prints the credential.
HELPER: Final = "apiKeyHelper"
#: With 0 the model of the sonnet slot decides in auto mode, in place of Anthropic's server.
AUTO_MODE_SERVER: Final = "CLAUDE_CODE_AUTO_MODE_SERVER"

CREDENTIALS: Final = (AUTH_TOKEN, API_KEY)
SLOT_OF: Final[Mapping[str, Slot]] = {variable: slot for slot, variable in SLOTS.items()}

#: Variables that we write or take out, in the order in which they are written. No other is touched.
OWNED: Final[tuple[str, ...]] = (
    BASE_URL,
    AUTH_TOKEN,
    API_KEY,
    *SLOTS.values(),
    SMALL_FAST,
    TIMEOUT,
    TELEMETRY,
    NONESSENTIAL,
    TOOL_SEARCH,
    MAX_CONTEXT,
    COMPACT_WINDOW,
    MAX_OUTPUT,
    AUTO_MODE_SERVER,
    "CLAUDE_CODE_ATTRIBUTION_HEADER",
    "CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS",
    "CLAUDE_CODE_EFFORT_LEVEL",
    "CLAUDE_CODE_TOTAL_TOKENS_REMINDER",
)

#: Of these a row asks for some, and a person may have chosen them: one goes only where it is what
#: the row before had asked for.
PERSONAL: Final = OWNED[-4:]
CHOSEN: Final = OWNED[:-4]

#: How much a model takes and gives. A person may have set less than it could.
LIMITS: Final = (MAX_CONTEXT, MAX_OUTPUT, COMPACT_WINDOW)

#: Switches with which the client goes to a cloud and reads no base URL, and their clouds.
CLOUDS: Final[Mapping[str, str]] = {
    "CLAUDE_CODE_USE_BEDROCK": "Amazon Bedrock",
    "CLAUDE_CODE_USE_VERTEX": "Google Vertex",
    "CLAUDE_CODE_USE_FOUNDRY": "Microsoft Foundry",
    "CLAUDE_CODE_USE_AZURE_OPENAI": "Azure OpenAI",
}

#: Tokens of output that the client asks for where MAX_OUTPUT is not set.
DEFAULT_OUTPUT: Final = 32_000

#: A value of 1 turns these on; the client treats *any* value as on for the first three.
SWITCHES: Final = (
    TELEMETRY,
    NONESSENTIAL,
    "DISABLE_ERROR_REPORTING",
    TOOL_SEARCH,
    AUTO_MODE_SERVER,
    "CLAUDE_CODE_ATTRIBUTION_HEADER",
    "CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS",
    "CLAUDE_CODE_TOTAL_TOKENS_REMINDER",
    *CLOUDS,
    "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY",
    "CLAUDE_CODE_DISABLE_THINKING",
    "CLAUDE_CODE_DISABLE_ADAPTIVE_THINKING",
    "CLAUDE_CODE_DISABLE_1M_CONTEXT",
    "CLAUDE_CODE_DISABLE_UNKNOWN_MODEL_WINDOW_ENFORCEMENT",
    "DISABLE_PROMPT_CACHING",
    "DISABLE_AUTOUPDATER",
    "DO_NOT_TRACK",
    "CC_HAHA_SKIP_DOTENV",
)

URLS: Final = frozenset({BASE_URL, "HTTP_PROXY", "HTTPS_PROXY", "OPENAI_BASE_URL"})

#: Every variable whose value may be printed. A name that is not here is masked.
PUBLIC: Final = frozenset(
    {
        *SLOTS.values(),
        SMALL_FAST,
        *SWITCHES,
        TIMEOUT,
        MAX_CONTEXT,
        MAX_OUTPUT,
        COMPACT_WINDOW,
        "CLAUDE_CODE_EFFORT_LEVEL",
        "CLAUDE_AUTOCOMPACT_PCT_OVERRIDE",
        "ANTHROPIC_DEFAULT_MODEL",
        "ANTHROPIC_CUSTOM_MODEL_OPTION",
        "MAX_THINKING_TOKENS",
        "CLAUDE_CODE_MAX_RETRIES",
        "CLAUDE_CONFIG_DIR",
        "NO_PROXY",
        "no_proxy",
        "LITELLM_MODE",
        "HOST",
        "PORT",
        "LITELLM_LOCAL_MODEL_COST_MAP",
    }
)

#: The client variables that `show` and the rules look at, owned ones first.
CLIENT: Final[tuple[str, ...]] = tuple(
    dict.fromkeys(
        (
            *OWNED,
            *SWITCHES,
            HEADERS,
            "ANTHROPIC_CUSTOM_MODEL_OPTION",
            "ANTHROPIC_DEFAULT_MODEL",
            "CLAUDE_CODE_OAUTH_TOKEN",
            "CLAUDE_CODE_MAX_RETRIES",
            EXTRA_BODY,
            "MAX_THINKING_TOKENS",
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "NO_PROXY",
        )
    )
)


def is_on(value: object) -> bool:
    """Whether a switch is on, as the client reads one."""
    return str(value).lower() in {"1", "true", "yes", "on"}


def is_secret(name: str) -> bool:
    """Whether the value of `name` must be masked; a name in no table is."""
    return name not in PUBLIC and name not in URLS


def is_key(value: str) -> bool:
    """Whether a credential is worth keeping private: a local server's token is a short word."""
    return len(value) >= 12


def shown(name: str, value: object) -> str:
    """`value` as a person may see it: public ones as they are, the rest as `****` and a tail."""
    if not isinstance(value, str):
        return str(value) if not is_secret(name) else "****"
    if not value:
        return ""
    if name in URLS:
        return shown_url(value)
    return masked(value) if is_secret(name) else value


def masked(value: str) -> str:
    """`****`, and the last four characters of a value of twelve or more."""
    return f"****{value[-4:]}" if len(value) >= 12 else "****"


def shown_url(url: str) -> str:
    """A URL without user-info, query and fragment: each of them can hold a key.

    A password with a `/`, `?` or `#` in it ends the host too early for any reader, so an `@` that
    comes later hides everything; and a key that was pasted in the place of a URL is masked as one.
    """
    scheme, separator, tail = url.partition("://")
    if not separator:
        scheme, tail = "", url
    host = _HOST_ENDS.split(tail, maxsplit=1)[0]
    if "@" in tail[len(host) :]:
        return f"{scheme}{separator}****"
    if not scheme and _KEY_FOR_A_HOST.search(host):
        return masked(url)
    path = tail[len(host) :].split("#", 1)[0].split("?", 1)[0]
    return f"{scheme}{separator}{host.rpartition('@')[2]}{path}"


def without_url_secrets(text: str) -> str:
    """A text in which no URL shows a user, a password, or a query that names a key."""
    if "://" not in text or not ("@" in text or "?" in text or "#" in text):
        return text
    return re.sub(
        r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^\s/?#`'\"]*@|[^\s?#`'\"]*[?#]\S*?"
        r"(?:key|token|secret|pass|sig|auth|cred)[^\s=]*=)[^\s`'\"]*",
        lambda url: shown_url(url[0]),
        text,
        flags=re.IGNORECASE,
    )


_HOST_ENDS: Final = re.compile(r"[/?#]")
#: A part of a name that is too long and too mixed to be a host's.
_KEY_FOR_A_HOST: Final = re.compile(r"(?=[^.:]*\d)[^.:]{16,}")


#: Longer than any number that a client or a gateway takes.
_DIGITS: Final = 18


def whole(text: str | None) -> int | None:
    """The whole number that `text` writes in the digits 0 to 9; None for anything else.

    `str.isdigit` takes `²`, which is no number, and thousands of digits, which Python refuses.
    """
    if text and len(text) <= _DIGITS and text.isascii() and text.isdigit():
        return int(text)
    return None
