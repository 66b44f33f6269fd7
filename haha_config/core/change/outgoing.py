"""Every header with a credential or of the person's own that the client sends to its endpoint."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from haha_config.core import headers
from haha_config.core import variables as v
from haha_config.core.model import Place
from haha_config.core.state.state import State


class Header(Struct, frozen=True, kw_only=True):
    """One header; `value` is masked, "" where nobody knows it before it is sent.

    `source` is the variable, setting or member that it comes from.
    """

    name: str
    value: str
    source: str
    place: Place | None = None


def outgoing(state: State, primary: Place | None) -> tuple[Header, ...]:
    """`primary` is where `primaryApiKey` stands in the client's own state file."""
    found = state.effective(v.HEADERS)
    # Of equal names the last one counts.
    custom = {name.lower(): (name, value) for name, value in headers.pairs(found.value or "")}
    sent = {one.name: one for one in _credentials(state, primary)}
    if "authorization" in sent:
        # Measured: a custom one does not replace it.
        custom.pop("authorization", None)
    for lower, (name, value) in custom.items():
        sent[lower] = Header(name=name, value=v.masked(value), source=found.name, place=found.place)
    return tuple(sent.values())


def _credentials(state: State, primary: Place | None) -> Iterator[Header]:
    token, key = state.effective(v.AUTH_TOKEN), state.effective(v.API_KEY)
    helper = _helper(state)
    oauth = state.effective("CLAUDE_CODE_OAUTH_TOKEN")
    if token.value:
        value = f"Bearer {v.masked(token.value)}"
        yield Header(name="authorization", value=value, source=token.name, place=token.place)
    elif helper is not None:
        yield Header(name="authorization", value="", source=v.HELPER, place=helper)
    elif oauth.value and not key.value:
        value = f"Bearer {v.masked(oauth.value)}"
        yield Header(name="authorization", value=value, source=oauth.name, place=oauth.place)
        return
    if key.value:
        yield Header(name=headers.KEY, value=v.masked(key.value), source=key.name, place=key.place)
    elif helper is not None:
        yield Header(name=headers.KEY, value="", source=v.HELPER, place=helper)
    elif primary is not None:
        yield Header(name=headers.KEY, value="", source="primaryApiKey", place=primary)


def _helper(state: State) -> Place | None:
    """Where the `apiKeyHelper` stands that the client runs."""
    found = (file.place(v.HELPER) for _, file in state.settings_files if file.data.get(v.HELPER))
    return next(found, None)
