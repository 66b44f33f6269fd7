"""What is configured now, read back from the files: the answers that `init` would start from."""

from __future__ import annotations

from collections.abc import Mapping

from haha_config.core import urls
from haha_config.core import variables as v
from haha_config.core.model import Data, Header, Model, Provider, Providers, Route, Slot, Upstream
from haha_config.core.record import dataclass, field
from haha_config.core.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
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


def read(state: State) -> Setup:
    """The set-up that is in force for this client."""
    base = state.value(v.BASE_URL)
    key, region = _row_of(base, state)
    token, api_key = state.value(v.AUTH_TOKEN), state.value(v.API_KEY)
    own = state.route == "litellm"
    url = urls.parse(base)
    return Setup(
        provider="litellm" if own else key,
        route=state.route,
        base_url=base,
        region=region,
        header="x-api-key" if api_key and not token else "bearer",
        credential=token or api_key,
        slots=state.slots,
        upstreams=upstreams(state.litellm.data, state.providers) if own else (),
        port=url.port if own and url else state.gateway_port,
        own_gateway=own,
        offered={s: m for s, m in state.slots.items() if not own or state.gateway.offers(m)},
    )


def switches(state: State) -> dict[str, str]:
    """The traffic switches that are on in any of our targets, read by this client or not."""
    env = state.target.data.get("env")
    files = (env if isinstance(env, Mapping) else {}, state.dotenv.data)
    names = (v.TELEMETRY, v.NONESSENTIAL)
    return {
        name: state.value(name) or next((str(f[name]) for f in files if f.get(name)), "")
        for name in names
    }


def _row_of(base: str, state: State) -> tuple[str, str]:
    """The row and region that an endpoint belongs to; a coding plan's URL is its row's too."""
    if not base:
        return "", ""
    for key, row in state.providers.items():
        kinds = (kind.base_urls for kind in row.credential.kinds)
        for table in (row.base_urls, *kinds):
            for region, url in table.items():
                if url and urls.same(urls.without_endpoint(base), url):
                    return key, region if len(row.regions) > 1 else ""
    return "", ""


def upstreams(held: Mapping[str, Data], providers: Providers) -> tuple[Upstream, ...]:
    """The entries of `model_list` that a row explains, in the order of the file."""
    entries = held.get("model_list")
    found = (
        _upstream(entry, providers)
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, Mapping)
    )
    return tuple(u for u in found if u is not None)


def _upstream(entry: Mapping[str, Data], providers: Providers) -> Upstream | None:
    params = entry.get("litellm_params")
    name = entry.get("model_name")
    if not isinstance(params, Mapping) or not isinstance(name, str):
        return None
    model, base = params.get("model"), params.get("api_base")
    if not isinstance(model, str):
        return None
    row = row_of_model(model, base if isinstance(base, str) else "", providers)
    if row is None or row.upstream is None:
        return None
    reference = params.get("api_key")
    named = isinstance(reference, str) and reference.startswith("os.environ/")
    return Upstream(
        name=name,
        provider=row.key,
        model=model.removeprefix(row.upstream.prefix),
        base_url=base if isinstance(base, str) else next(iter(row.upstream.api_base.values()), ""),
        variable=str(reference).removeprefix("os.environ/") if named else "",
    )


def row_of_model(model: str, base: str, providers: Providers) -> Provider | None:
    """The row behind a LiteLLM model name: by its prefix, then by its api_base."""
    rows = [
        row for row in providers.values() if row.upstream and model.startswith(row.upstream.prefix)
    ]
    for row in rows:
        assert row.upstream is not None  # noqa: S101 - filtered above
        if any(url and urls.same(base, url) for url in row.upstream.api_base.values()):
            return row
    if base:
        own = (r for r in rows if r.upstream and "" in r.upstream.api_base.values())
        return next(own, rows[0] if rows else None)
    return rows[0] if rows else None


def model_of(name: str, setup: Setup, providers: Providers) -> Model | None:
    """What the table knows of the model that the client calls `name`."""
    plain = name.removesuffix("[1m]")
    for upstream in setup.upstreams:
        if upstream.name == plain:
            return providers[upstream.provider].model(upstream.model)
    row = providers.get(setup.provider)
    return row.model(name) if row is not None else None
