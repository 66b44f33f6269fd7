"""What is configured now, read back from the files: the answers that `init` would start from."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from haha_config.core import urls
from haha_config.core import variables as v
from haha_config.core.errors import HahaError
from haha_config.core.messages import msg
from haha_config.core.model import Data, Header, Route, Slot, mapping, objects, plain_name, string
from haha_config.core.providers.index import ProviderIndex, plain_model
from haha_config.core.providers.model import Model, Provider, Providers, Upstream
from haha_config.core.state.gateway import REFERENCE
from haha_config.core.state.state import State


class CurrentSetup(Struct, frozen=True, kw_only=True):
    """`provider` "" : nothing is configured, or an endpoint that no row has.

    `own_gateway`: the gateway is described by the files of this folder. `offered`: the slots
    whose model such a gateway has, as far as anybody can tell; all of them without one.
    """

    provider: str
    route: Route
    base_url: str
    region: str
    header: Header
    credential: str
    slots: Mapping[Slot, str]
    upstreams: tuple[Upstream, ...]
    port: int | None
    own_gateway: bool
    offered: Mapping[Slot, str] = field(default_factory=dict)

    @property
    def configured(self) -> bool:
        return bool(self.base_url)


def read(state: State) -> CurrentSetup:
    """The set-up that is in force for this client."""
    base = state.value(v.BASE_URL)
    endpoint = state.rows.at(base)
    key = endpoint.row.key if endpoint else ""
    region = endpoint.region if endpoint and len(endpoint.row.regions) > 1 else ""
    token, api_key = state.value(v.AUTH_TOKEN), state.value(v.API_KEY)
    own = state.route == "litellm"
    url = urls.parse(base)
    return CurrentSetup(
        provider="litellm" if own else key,
        route=state.route,
        base_url=base,
        region=region,
        header="x-api-key" if api_key and not token else "bearer",
        credential=token or api_key,
        slots=state.slots,
        upstreams=upstreams(state.litellm.data, state.rows) if own else (),
        port=url.port if own and url else state.gateway_port,
        own_gateway=own,
        offered={s: m for s, m in state.slots.items() if not own or state.gateway.offers(m)},
    )


def switches(state: State) -> dict[str, str]:
    """The traffic switches that are on in any of our targets, read by this client or not."""
    state = state.from_scope
    files = (mapping(state.target.data.get("env")), state.dotenv.data)
    names = (v.TELEMETRY, v.NONESSENTIAL)
    return {
        name: state.value(name) or next((str(f[name]) for f in files if f.get(name)), "")
        for name in names
    }


def upstreams(held: Mapping[str, Data], rows: ProviderIndex) -> tuple[Upstream, ...]:
    """The entries of `model_list` that a row explains, in the order of the file.

    Those that differ in their key alone are one.
    """
    found = (_upstream(entry, rows) for entry in objects(held.get("model_list")))
    merged: dict[tuple[str, ...], Upstream] = {}
    for one in found:
        if one is not None:
            same = (one.name, one.provider, one.model, one.base_url)
            first = merged.setdefault(same, replace(one, spare=()))
            if one.variable and first.variable and one.variable not in first.variables:
                merged[same] = replace(first, spare=(*(first.spare or ()), one.variable))
    return tuple(merged.values())


def _upstream(entry: Mapping[str, Data], rows: ProviderIndex) -> Upstream | None:
    params, name = mapping(entry.get("litellm_params")), entry.get("model_name")
    model, base = params.get("model"), params.get("api_base")
    if not isinstance(name, str) or not isinstance(model, str):
        return None
    row = rows.behind(model, string(base))
    if row is None or row.upstream is None:
        return None
    reference = string(params.get("api_key"))
    return Upstream(
        name=name,
        provider=row.key,
        model=plain_model(row, model),
        base_url=base if isinstance(base, str) else next(iter(row.upstream.api_base.values()), ""),
        variable=reference.removeprefix(REFERENCE) if reference.startswith(REFERENCE) else "",
    )


def model_of(name: str, setup: CurrentSetup, providers: Providers) -> Model | None:
    """What the table knows of the model that the client calls `name`."""
    upstream = _called(name, setup)
    row = row_of(name, setup, providers)
    return row.model(upstream.model if upstream else name) if row is not None else None


def row_of(name: str, setup: CurrentSetup, providers: Providers) -> Provider | None:
    """The row that answers to the model that the client calls `name`, also behind a gateway."""
    upstream = _called(name, setup)
    return providers.get(upstream.provider if upstream else setup.provider)


def _called(name: str, setup: CurrentSetup) -> Upstream | None:
    plain = plain_name(name)
    return next((upstream for upstream in setup.upstreams if upstream.name == plain), None)


def nothing(*more: str) -> HahaError:
    """What is said where a set-up is needed and there is none; `more` hints."""
    return HahaError(
        msg("Nothing is set up yet: no ANTHROPIC_BASE_URL in settings.json or .env."),
        hints=("haha-config init", *more),
    )
