"""Whether a value would be called wrong if it were the one in use: for a rule that has to choose.

It repeats no rule: each question is asked with the words of the family that knows the answer.
"""

from __future__ import annotations

from haha_config.core import keys, urls
from haha_config.core import variables as v
from haha_config.core.model import SLOTS, Severity, plain_name
from haha_config.core.providers import table as rows
from haha_config.core.rules import key, models, url
from haha_config.core.rules.rule import ALIASES
from haha_config.core.state.state import State


def suspicion(name: str, value: str, state: State) -> Severity | None:
    """How a rule that has no mend would judge `value` of the variable `name`; None: not at all."""
    if name in SLOTS.values():
        return _of_model(value, state)
    if name == v.BASE_URL:
        return _of_url(value, state)
    return _of_key(value, state) if name in v.CREDENTIALS else None


def _of_model(model: str, state: State) -> Severity | None:
    if plain_name(model).lower() in ALIASES:
        return None
    if state.route == "litellm" and state.gateway.entries and not state.gateway.offers(model):
        return "error"
    row, known = models.behind(state, model)
    if known is not None and (known.tools is False or models.ended(known, state)):
        return "warning"
    return "warning" if row is not None and models.misspelt(state, model) else None


def _of_url(value: str, state: State) -> Severity | None:
    parsed = urls.parse(value)
    if parsed is None or not url.HOST.fullmatch(parsed.host) or parsed.userinfo or parsed.query:
        return "error"
    if state.rows.upstream_only(value) is not None and not parsed.loopback:
        return "error"
    port = state.gateway_port
    elsewhere = port is not None and parsed.port not in {port, *state.local_ports}
    return "warning" if parsed.loopback and elsewhere and state.litellm.exists else None


def _of_key(value: str, state: State) -> Severity | None:
    if keys.unsendable(keys.clean(value)) is not None:
        return "error"
    called = urls.parse(state.value(v.BASE_URL))
    if keys.placeholder(value) and not (called is not None and called.loopback):
        return "error"
    known = key.endpoint(state)
    if known is None or known.row.local:
        return None
    why = rows.misfit(state.providers, known.row, value, state.value(v.BASE_URL))
    return "warning" if why is not None else None
