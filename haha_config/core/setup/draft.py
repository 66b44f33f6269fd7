"""A set-up in the making: what was given, what was found, and the answers they amount to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import get_args

from msgspec import Struct, field
from msgspec.structs import replace

from haha_config.core import keys, urls
from haha_config.core import variables as v
from haha_config.core.errors import Usage
from haha_config.core.messages import Message, msg
from haha_config.core.model import (
    SLOTS,
    Header,
    Permissions,
    Route,
    Slot,
    TargetName,
    Traffic,
    plain_name,
)
from haha_config.core.providers import table as rows
from haha_config.core.providers.decode import did_you_mean
from haha_config.core.providers.model import Provider, Providers, Upstream
from haha_config.core.setup.answers import Answers
from haha_config.core.state.configured import CurrentSetup
from haha_config.core.state.gateway import DEFAULT_PORT as DEFAULT_PORT


class Draft(Struct, frozen=True, kw_only=True):
    """Everything that can be chosen; None or "" where it was not yet.

    `key` is the credential of a direct row or of somebody else's gateway. `keys` are the upstream
    keys by variable. `keep_env`: `--keys env`, upstream keys stay where they are exported.
    `fallbacks` by model; "" is the one that `main` will hold.
    """

    provider: str = ""
    via: Route | None = None
    region: str = ""
    base_url: str = ""
    key: str = ""
    slots: Mapping[Slot, str] = field(default_factory=dict)
    upstreams: tuple[Upstream, ...] = ()
    fallbacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    port: int | None = None
    traffic: Traffic | None = None
    permissions: Permissions | None = None
    deny_web_search: bool | None = None
    targets: frozenset[TargetName] | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    keep_env: bool = False
    context: int | None = None
    insecure: bool = False


# --- reading what was given ------------------------------------------------------------------


def model_name(text: str) -> str:
    """A model's name without blanks round it. Raises Usage for one that can be none."""
    name = text.strip()
    if not name:
        raise Usage(msg("a model's name is empty"))
    if not name.isprintable():
        raise Usage(msg("a model's name has no control characters"))
    return name


def parse_slot(text: str) -> tuple[Slot, str]:
    """`SLOT=ID`. Raises Usage for an unknown slot, with the nearest names."""
    name, equals, model = text.partition("=")
    if not equals or not model.strip():
        raise Usage(msg("--slot needs SLOT=ID, as in `haiku=deepseek-flash`"))
    for slot in get_args(Slot):
        if slot == name:
            return slot, model_name(model)
    raise Usage(
        msg("there is no slot `{name}`: {known}", name=name, known=tuple(SLOTS)),
        hints=did_you_mean(name, SLOTS),
    )


def upstream_parts(text: str) -> tuple[str, str, str, str]:
    """NAME, KEY, MODEL and URL of `[NAME=]KEY:MODEL[@URL]`; "" for each that is not there."""
    at = max(text.rfind("@http://"), text.rfind("@https://"))
    body, url = (text[:at], text[at + 1 :]) if at >= 0 else (text, "")
    head, _, model = body.partition(":")
    name, equals, key = head.partition("=")
    return (name, key, model, url) if equals else ("", head, model, url)


def parse_upstream(text: str, providers: Providers, region: str = "") -> Upstream:
    """`[NAME=]KEY:MODEL[@URL]`: KEY ends at the first `:`, the URL begins at the last `@http`.

    Raises Usage with what is wrong.
    """
    name, key, model, url = upstream_parts(text)
    if not key or not model:
        raise Usage(msg("--upstream needs [NAME=]KEY:MODEL[@URL], as in `openai:gpt-6.1-sol`"))
    row = rows.row(providers, key)
    model = model_name(model)
    return upstream(row, model, name=name or model, url=url, region=region)


def upstream(
    row: Provider, model: str, *, name: str = "", url: str = "", region: str = ""
) -> Upstream:
    """The `model_list` entry for one of a row's models.

    Raises Usage where LiteLLM can't reach the row, or where its URL must be given and is not.
    """
    if row.upstream is None:
        raise Usage(msg("LiteLLM can't call `{key}`", key=row.key))
    bases = row.upstream.api_base
    base = url or bases.get(region) or next(iter(bases.values()), "")
    if not base:
        raise Usage(msg("`{key}` needs its URL: {key}:{model}@https://…", key=row.key, model=model))
    base = upstream_base(row, base)
    check_url(base, insecure=True)
    variable = row.credential.variable if row.upstream.key else ""
    # `[1m]` is the client's own mark: it is taken off before a request is sent.
    plain = plain_name(model)
    return Upstream(
        name=name or plain, provider=row.key, model=plain, base_url=base, variable=variable
    )


def parse_fallbacks(texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """`[MODEL=]NAME[,NAME…]`, in the order of the flags; `MODEL=` alone takes them away."""
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        model, equals, names = text.partition("=") if "=" in text else ("", "", text)
        model = plain_name(model_name(model)) if equals else ""
        given = tuple(plain_name(model_name(n)) for n in names.split(",") if names)
        found[model] = (*found.get(model, ()), *given)
    return found


def check_names(upstreams: Iterable[Upstream]) -> None:
    """Raises Usage where two upstreams would have one name."""
    seen: set[str] = set()
    for one in upstreams:
        if one.name in seen:
            raise Usage(
                msg(
                    "two models are called `{name}`: name one NAME={key}:{model}",
                    name=one.name,
                    key=one.provider,
                    model=one.model,
                )
            )
        seen.add(one.name)


def check_url(url: str, *, insecure: bool) -> None:
    """Raises Usage where a base URL can't be used as it is."""
    found = urls.parse(url)
    if found is None:
        raise Usage(msg("`{url}` is not a URL like https://host/path", url=v.shown_url(url)))
    if found.userinfo:
        raise Usage(msg("a base URL can't hold a user name or password: use a key"))
    if found.query:
        raise Usage(msg("a base URL can't hold `?` or `#`: the client adds a path"))
    open_road = found.scheme == "http" and not found.loopback and not found.private
    if open_road and not insecure:
        raise Usage(
            msg("`{url}` sends your key unencrypted over the internet", url=url),
            hints=(msg("use https://, or add --insecure"),),
        )


def upstream_base(row: Provider, url: str) -> str:
    """The URL of a row's service as LiteLLM needs it: without the path of one request."""
    if row.upstream is None or not row.upstream.prefix.startswith("openai/"):
        return url
    return url.rstrip("/").removesuffix("/chat/completions").removesuffix("/responses")


def clean_url(url: str) -> tuple[str, Message | None]:
    """A base URL as the client needs it, and what was taken off, to be said."""
    base = urls.without_endpoint(url.strip())
    if base == url.strip().rstrip("/"):
        return base, None
    return base, msg(
        "`{given}` became `{base}`: the client adds /v1/messages itself",
        given=v.shown_url(url),
        base=v.shown_url(base),
    )


def clean_key(key: str) -> tuple[str, Message | None]:
    """A pasted key without what came along, and what that was, to be said."""
    clean, bare = keys.clean(key), keys.bare(key)
    if clean != bare:
        if re.match(keys.ASSIGNED, bare):
            return clean, msg("took the variable's name off the key")
        if bare[:1] != clean[:1] and not bare[:1].isalpha():
            return clean, msg("took the quotes off the key")
        return clean, msg("took `Bearer` off the key")
    if bare != key.rstrip("\r\n").lstrip("\ufeff"):
        return clean, msg("took the spaces off the key")
    return clean, None


def check_key(key: str, row: Provider, providers: Providers, base_url: str = "") -> Message | None:
    """Why a key can't work, or None. The key itself is never in the message."""
    if not key:
        return msg("the key is empty")
    if (complaint := keys.unsendable(key)) is not None:
        return (keys.mistaken(key) if keys.masked(key) else None) or complaint
    # A server on this machine takes any text.
    if not row.local and urls.local_port(base_url) is None:
        if (complaint := keys.mistaken(key)) is not None:
            return complaint
        if keys.placeholder(key):
            return msg("this is a placeholder, not a key")
    return rows.misfit(providers, row, key, base_url)


# --- from a draft to answers -----------------------------------------------------------------


def route(draft: Draft, row: Provider) -> Route:
    """`direct` or `litellm`; the row's first is the default.

    Raises Usage where the row has no such route.
    """
    if row.multi:
        return "direct" if foreign_gateway(draft, row) else "litellm"
    wanted = draft.via or row.routes[0]
    if wanted not in row.routes:
        raise Usage(
            msg("{name} has no route `{route}`", name=row.name, route=wanted),
            hints=(msg("--via {routes}", routes=row.routes),),
        )
    return wanted


def foreign_gateway(draft: Draft, row: Provider) -> bool:
    """Somebody else's gateway: `--provider litellm --base-url URL` without upstreams."""
    return row.multi and bool(draft.base_url) and not draft.upstreams


def slots(draft: Draft, row: Provider, key: str = "") -> dict[Slot, str]:
    """All slots: what was given; the row's other slots only beside its own main model.

    Raises Usage where no model is known.
    """
    kind = rows.kind_of(row, key) if key else None
    own = (kind and kind.slots) or row.slots
    given = draft.slots
    main = given.get("main") or own.get("main") or ""
    if not main:
        raise Usage(msg("no model is given"), hints=("--model ID",))
    base = own if main == own.get("main") else {}
    return {slot: given.get(slot) or base.get(slot) or main for slot in SLOTS}


def answers(draft: Draft, providers: Providers, held: CurrentSetup, master_key: str) -> Answers:
    """The answers that a complete draft amounts to. `master_key` is used where one is needed.

    Raises Usage where something that no default can give is missing.
    """
    row = rows.row(providers, draft.provider)
    if route(draft, row) == "litellm":
        return _through_litellm(draft, providers, held, master_key)
    base = draft.base_url or rows.endpoint(row, draft.region or row.region, draft.key)
    if not base:
        raise Usage(msg("{name} needs its URL", name=row.name), hints=("--base-url URL",))
    base, _ = clean_url(base)
    check_url(base, insecure=draft.insecure)
    key = draft.key or row.credential.token
    if not key:
        raise Usage(missing_key(row), hints=key_hints(row.credential.variable))
    return Answers(
        provider=row.key,
        route="direct",
        base_url=base,
        credential=key,
        header=header(row, draft.key),
        slots=slots(draft, row, draft.key),
        traffic=draft.traffic or "quiet",
        permissions=draft.permissions or "ask",
        deny_web_search=draft.deny_web_search is True,
        context=draft.context,
        targets=draft.targets or frozenset({"env", "settings"}),
    )


def header(row: Provider, key: str) -> Header:
    """How this key is sent: a kind of key can ask for another header than its row."""
    kind = rows.kind_of(row, key) if key else None
    return (kind.header if kind is not None else None) or row.credential.header


def missing_key(row: Provider) -> Message:
    """No key, in words."""
    return msg("there is no key for {name}", name=row.name)


def key_hints(variable: str) -> tuple[Message | str, ...]:
    """How a key can be given without being typed on a command line."""
    name = variable or "NAME"
    return (
        msg("export it (`export {name}=…`) and run this again", name=name),
        msg("or pipe it (--api-key-stdin), or name its variable (--api-key-env NAME)"),
    )


def _through_litellm(
    draft: Draft, providers: Providers, held: CurrentSetup, master_key: str
) -> Answers:
    ups = draft.upstreams
    check_names(ups)
    if not ups and not held.upstreams:
        raise Usage(
            msg("LiteLLM needs at least one model"),
            hints=("--upstream openai:gpt-6.1-sol", "--upstream ollama:qwen3-coder"),
        )
    names = [u.name for u in (*ups, *held.upstreams) if u.name not in draft.drop]
    if not names:
        raise Usage(msg("--drop would leave the gateway without a model"))
    # A slot that held a model which is taken out goes where `main` goes.
    chosen = {s: m for s, m in draft.slots.items() if plain_name(m) not in draft.drop}
    main = chosen.get("main") or (ups[0].name if ups else names[0])
    port = draft.port or held.port or DEFAULT_PORT
    slots = {slot: chosen.get(slot) or main for slot in SLOTS}
    return Answers(
        provider="litellm",
        route="litellm",
        base_url=f"http://127.0.0.1:{port}",
        credential=master_key,
        header="bearer",
        slots=slots,
        traffic=draft.traffic or "quiet",
        permissions=draft.permissions or "ask",
        deny_web_search=draft.deny_web_search is True,
        context=_window(draft, slots, held, providers),
        upstreams=ups,
        fallbacks={n or plain_name(main): f for n, f in draft.fallbacks.items()},
        drop=draft.drop,
        port=port,
        master_key=master_key,
        keys={} if draft.keep_env else dict(draft.keys),
        targets=draft.targets or frozenset({"env", "settings"}),
    )


def _window(
    draft: Draft, used: Mapping[Slot, str], held: CurrentSetup, providers: Providers
) -> int | None:
    """The smallest window that was told, or known of the entries that stay as they are."""
    names = {plain_name(name) for name in used.values()}
    kept = [u for u in held.upstreams if u.name in names - {u.name for u in draft.upstreams}]
    models = [providers[u.provider].model(u.model) for u in kept]
    windows = [m.context for m in models if m is not None and m.context]
    if draft.context:
        windows.append(draft.context)
    return min(windows, default=None)


# --- from what is there to a draft -----------------------------------------------------------


def resumed(draft: Draft, held: CurrentSetup, traffic: Traffic) -> Draft:
    """`draft`, with what is configured now where it is about the same provider.

    A model that was given moves the slots that were not, so old slots are kept only without one.
    An upstream is added to a gateway: the client goes on with the model that it has.
    """
    if not held.configured or draft.provider not in ("", held.provider):
        return draft
    if draft.upstreams and not held.own_gateway:
        return replace(draft, traffic=draft.traffic or traffic)
    # A path is put right at the same host: the key has been shown to it already.
    moved = bool(draft.base_url) and not urls.same_origin(draft.base_url, held.base_url)
    if moved or (draft.via is not None and draft.via != held.route):
        return replace(draft, traffic=draft.traffic or traffic)
    kept = held.offered if draft.upstreams else held.slots
    return replace(
        draft,
        provider=held.provider or "custom-anthropic",
        via=held.route if held.provider and not held.own_gateway else draft.via,
        region=draft.region or held.region,
        base_url=_kept_url(draft, held),
        key=draft.key or _kept_key(held),
        slots={**kept, **draft.slots} if "main" not in draft.slots else draft.slots,
        port=draft.port or held.port,
        traffic=draft.traffic or traffic,
    )


def _kept_key(held: CurrentSetup) -> str:
    """The key that goes on; what a guide printed in its place is none, but on this machine."""
    if held.own_gateway:
        return ""
    here = urls.local_port(held.base_url) is not None
    return held.credential if here or not keys.placeholder(held.credential) else ""


def _kept_url(draft: Draft, held: CurrentSetup) -> str:
    """The URL that goes on. A gateway of our own has the one of its port, unless it is named."""
    if held.own_gateway:
        return draft.base_url if draft.provider else ""
    return draft.base_url or held.base_url


def single_upstream(draft: Draft, row: Provider) -> Draft:
    """`openai`, or any row with `--via litellm`, as what it is: `litellm` with its upstreams."""
    held = slots(draft, row)
    region = draft.region or row.region
    names = dict.fromkeys(map(plain_name, held.values()))
    made = tuple(upstream(row, name, url=draft.base_url, region=region) for name in names)
    key = {row.credential.variable: draft.key} if draft.key and row.credential.variable else {}
    return replace(
        draft,
        provider="litellm",
        via=None,
        base_url="",
        key="",
        slots=held,
        upstreams=made,
        keys={**draft.keys, **key},
    )


def traffic_of(held: Mapping[str, str]) -> Traffic:
    """Which `--traffic` the files amount to."""
    if held.get(v.NONESSENTIAL):
        return "quiet"
    return "minimal" if held.get(v.TELEMETRY) else "default"
