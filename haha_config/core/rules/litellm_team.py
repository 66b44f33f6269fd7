"""A gateway for several people: what LiteLLM does not check, and what its replicas do not share.

Both were measured on 1.108.7 (`docs/team.md`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from haha_config.core.messages import msg
from haha_config.core.model import Problem
from haha_config.core.rules.litellm_shapes import REDIS
from haha_config.core.state.gateway import Gateway
from haha_config.core.state.state import State

_CHECKS: Final = (
    ("litellm_settings", "enable_post_custom_auth_checks"),
    ("general_settings", "custom_auth_run_common_checks"),
)


def unchecked(state: State) -> Iterator[Problem]:
    """Without both settings a key may be used for every model; without the first, for ever."""
    if not state.gateway.own_auth:
        return
    off = [f"{s}.{name}" for s, name in _CHECKS if state.gateway.section(s).get(name) is not True]
    if off:
        what = msg("LiteLLM does not check the models and the expiry that `custom_auth` sets")
        place = state.gateway.place("general_settings", "custom_auth")
        hint = msg("set to true: {names}", names=tuple(off))
        yield Problem(what, place, hint, severity="warning")


def counted_apart(state: State) -> Iterator[Problem]:
    """Redis for the router alone: measured, two replicas let through twice the limit."""
    gateway = state.gateway
    router = gateway.section("router_settings")
    key = next((key for key in ("redis_host", "redis_url") if router.get(key)), None)
    if key is None or not (gateway.own_auth or gateway.has_database) or _shares(gateway):
        return
    what = msg("replicas do not share limits by `{name}` here: each counts by itself", name=key)
    hint = msg("name the Redis in `coordination_redis:` below `general_settings:`")
    yield Problem(what, state.gateway.place("router_settings", key), hint, severity="warning")


def _shares(gateway: Gateway) -> bool:
    """A Redis that LiteLLM also counts in: named for it, the cache's, or the environment's."""
    return (
        isinstance(gateway.general.get("coordination_redis"), Mapping)
        or gateway.settings.get("cache") is True
        or any(gateway.lookup(name)[0] for name in REDIS)
    )
