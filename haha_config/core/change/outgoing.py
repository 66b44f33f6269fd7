"""Every header with a credential or of the person's own that the client sends to its endpoint."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from haha_config.core import headers
from haha_config.core import variables as v
from haha_config.core.change.plan import HELPER, foreign_helper
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
    custom = dict(headers.pairs(found.value or ""))
    names = {name.lower() for name in custom}
    sent = [one for one in _credentials(state, primary) if one.name not in names]
    for name, value in custom.items():
        sent.append(Header(name=name, value=v.masked(value), source=found.name, place=found.place))
    return tuple(sent)


def _credentials(state: State, primary: Place | None) -> Iterator[Header]:
    token, key = state.effective(v.AUTH_TOKEN), state.effective(v.API_KEY)
    helper = foreign_helper(state)
    if token.value:
        value = f"Bearer {v.masked(token.value)}"
        yield Header(name="authorization", value=value, source=token.name, place=token.place)
    elif helper is not None and not key.value:
        yield Header(name="authorization", value="", source=HELPER, place=helper)
    if key.value:
        yield Header(name=headers.KEY, value=v.masked(key.value), source=key.name, place=key.place)
    elif helper is not None:
        yield Header(name=headers.KEY, value="", source=HELPER, place=helper)
    elif primary is not None:
        yield Header(name=headers.KEY, value="", source="primaryApiKey", place=primary)
