"""A checked set-up: all that `init` needs to know before it plans a write."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from haha_config.core.model import Data, Header, Permissions, Route, Slot, TargetName, Traffic
from haha_config.core.providers.model import Upstream


class Answers(Struct, frozen=True, kw_only=True):
    """What a person chose: everything that `plan.build` needs and no file can tell.

    `keys` are real values by variable name, for `litellm.env` (0600). `credential` is what the
    client sends: the provider's key, a token, or the gateway's master key. `reference` is the
    variable that would hold it with `--keys env`. `targets`: what may be created.
    `key_header`: the credential goes out as `x-api-key` too, in a custom header. `assumed`: nobody
    knows the window, and `context` is a guess on the safe side. `picker`: what `/model` will list.
    `fallbacks`: the models that stand in for one that fails, in order; () takes them away.
    """

    provider: str
    route: Route
    base_url: str
    credential: str
    header: Header
    slots: Mapping[Slot, str]
    traffic: Traffic = "quiet"
    permissions: Permissions = "ask"
    deny_web_search: bool = False
    key_header: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    context: int | None = None
    assumed: bool = False
    picker: tuple[Mapping[str, Data], ...] = ()
    upstreams: tuple[Upstream, ...] = ()
    fallbacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    port: int | None = None
    master_key: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    targets: frozenset[TargetName] = frozenset({"env", "settings"})
