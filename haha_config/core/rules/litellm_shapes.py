"""What LiteLLM does not start with: sections of a wrong shape, and what it can't load beside them.

Each was measured: `tests/e2e/litellm_setups.py` has it with its outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Final

from haha_config.core.messages import Message, msg
from haha_config.core.model import Data, Problem, Severity, elements, mapping
from haha_config.core.providers.decode import closest
from haha_config.core.rules.litellm_entries import number
from haha_config.core.state.gateway import (
    CALLBACKS,
    DATABASE_URL,
    REFERENCE,
    Gateway,
    functions,
    module_file,
)
from haha_config.core.state.state import State

#: Only with a licence of LiteLLM's: settings, and callbacks.
_LICENSED: Final = (
    ("general_settings", "allowed_ips"),
    ("general_settings", "enforced_params"),
    ("litellm_settings", "tag_budget_config"),
)
_LICENSED_CALLBACKS: Final = frozenset(
    [
        "banned_keywords",
        "blocked_user_check",
        "google_text_moderation",
        "hide_secrets",
        "llamaguard_moderations",
        "llmguard_moderations",
        "openai_moderations",
    ]
)
#: What `cache_params.type` may be.
_CACHES: Final = (
    "local",
    "redis",
    "redis-semantic",
    "valkey-semantic",
    "s3",
    "disk",
    "qdrant-semantic",
    "azure-blob",
    "gcs",
)
#: What names a Redis in the environment.
REDIS: Final = ("REDIS_HOST", "REDIS_URL", "REDIS_CLUSTER_NODES", "REDIS_SENTINEL_NODES")

Path = tuple[str | int, ...]


def misshapen(state: State) -> Iterator[Problem]:
    """A problem for each thing that LiteLLM stops at while it reads the file."""
    yield from _shapes(state)
    yield from _values(state)
    yield from _callbacks(state)
    yield from _functions(state)


# --- shapes -------------------------------------------------------------------------------------


def _table(value: Data) -> bool:
    return value is None or isinstance(value, Mapping)


def _list(value: Data) -> bool:
    return value is None or isinstance(value, list)


def _pairs(value: Data) -> bool:
    return _list(value) and all(
        isinstance(each, Mapping) and all(isinstance(names, list) for names in each.values())
        for each in elements(value)
    )


def _teams(value: Data) -> bool:
    return isinstance(value, list) and all("team_id" in mapping(each) for each in value)


def _providers(value: Data) -> bool:
    return isinstance(value, list) and all(isinstance(each, Mapping) for each in value)


def _endpoints(value: Data) -> bool:
    return all("path" in mapping(each) for each in elements(value))


def _switch(value: Data) -> bool:
    return isinstance(value, bool | None) or str(value).startswith(REFERENCE)


def _filled(value: Data) -> bool:
    return isinstance(value, Mapping)


def _number(value: Data) -> bool:
    if isinstance(value, str) and value.startswith(REFERENCE):
        return True
    return number(value)


def _something(value: Data) -> bool:
    return value is not None


def _never(_: Data) -> bool:
    return False


#: Sections ("": the file), keys, what fits there, and how it is written.
_SHAPES: Final[
    tuple[tuple[tuple[str, ...], tuple[str, ...], Callable[[Data], bool], Message], ...]
] = (
    (
        ("",),
        # Not `router_settings`: LiteLLM passes over a wrong one.
        ("litellm_settings", "general_settings", "environment_variables", "mcp_servers"),
        _table,
        msg("write each entry below it as `  NAME: VALUE`"),
    ),
    (("litellm_settings",), CALLBACKS, _something, msg("delete it")),
    (("litellm_settings",), ("custom_provider_map",), _providers, msg("delete it")),
    (("litellm_settings",), ("cache",), _switch, msg("one of {names}", names=("true", "false"))),
    (("general_settings",), ("pass_through_endpoints",), _endpoints, msg("write `- path: PATH`")),
    (("litellm_settings",), ("default_team_settings",), _teams, msg("write `- team_id: TEAM`")),
    (
        ("litellm_settings",),
        ("upperbound_key_generate_params",),
        _filled,
        msg("write each entry below it as `  NAME: VALUE`"),
    ),
    (
        ("litellm_settings", "router_settings"),
        ("fallbacks", "content_policy_fallbacks"),
        _pairs,
        msg("write `- MODEL: [OTHER-MODEL]` for each model"),
    ),
    (
        ("litellm_settings", "router_settings"),
        ("default_fallbacks",),
        _list,
        msg("write `{name}: [OTHER-MODEL]`", name="default_fallbacks"),
    ),
    (("router_settings",), ("model_group_alias",), _table, msg("write `ALIAS: MODEL` for each")),
    (
        ("router_settings",),
        ("health_check_interval", "health_check_concurrency"),
        _never,
        msg("move it below `general_settings:`"),
    ),
    (
        ("litellm_settings",),
        ("max_budget", "max_internal_user_budget", "default_max_internal_user_budget"),
        _number,
        msg("write a number"),
    ),
)


def _shapes(state: State) -> Iterator[Problem]:
    yield from _lists(state)
    for sections, keys, fits, hint in _SHAPES:
        for section, key in product(sections, keys):
            gateway = state.gateway
            table = gateway.section(section) if section else gateway.holder(key).data
            if key in table and not fits(table[key]):
                what = msg("LiteLLM does not start with this `{name}`", name=key)
                yield _problem(state, (section, key) if section else (key,), what, hint)
    strategy = state.gateway.section("router_settings").get("routing_strategy")
    known = state.litellm_facts.strategies
    if strategy is not None and known and strategy not in known:
        what = msg(
            "LiteLLM has no routing strategy `{name}`, and does not start", name=str(strategy)
        )
        hint = msg("one of {names}", names=known)
        yield _problem(state, ("router_settings", "routing_strategy"), what, hint)
    for name in map(str, state.gateway.section("mcp_servers")):
        if "-" in name:
            what = msg("LiteLLM does not start with a `-` in the name `{name}`", name=name)
            hint = msg("write {name}", name=name.replace("-", "_"))
            yield _problem(state, ("mcp_servers", name), what, hint)


def _lists(state: State) -> Iterator[Problem]:
    """What LiteLLM takes together from all files."""
    files = state.gateway.files
    last = next((file for file in reversed(files) if "model_list" in file.data), files[0])
    if last is not files[0] and last.data["model_list"] is None:
        # An empty one that is included stands for the lists before it.
        what = msg("every request fails with this `{name}`", name="model_list")
        yield Problem(what, last.place("model_list"), msg("delete it"), severity="error")
    for file in files:
        include = file.data.get("include", [])
        if not isinstance(include, list) or not all(isinstance(name, str) for name in include):
            what = msg("LiteLLM does not start with this `{name}`", name="include")
            hint = msg("write each file below it as `  - FILE`")
            yield Problem(what, file.place("include"), hint, severity="error")
        for index, each in enumerate(elements(file.data.get("credential_list"))):
            for part in ("credential_name", "credential_values", "credential_info"):
                if part not in mapping(each):
                    what = msg("LiteLLM does not start: a credential has no `{part}`", part=part)
                    hint = msg("write `{part}:` below it, or `{part}: {{}}`", part=part)
                    place = file.place("credential_list", index)
                    yield Problem(what, place, hint, severity="error")


def _problem(
    state: State, path: Path, what: Message, hint: Message, severity: Severity = "error"
) -> Problem:
    return Problem(what, state.gateway.place(*path), hint, severity=severity)


# --- what LiteLLM can't load --------------------------------------------------------------------


def _values(state: State) -> Iterator[Problem]:
    gateway = state.gateway
    written = gateway.settings.get("request_timeout")
    if written is not None and not number(gateway.followed(written)):
        what = msg("every request fails with this `{name}`", name="request_timeout")
        yield _problem(state, ("litellm_settings", "request_timeout"), what, msg("write a number"))
    for section, key in _LICENSED:
        if gateway.section(section).get(key) is not None:
            yield from _unlicensed(state, (section, key), key)
    failing = {
        ("litellm_settings", "model_alias_map"): None,
        # The client has no `user` in its requests.
        ("general_settings", "enforce_user_param"): True,
    }
    for (section, key), wrong in failing.items():
        held = gateway.section(section)
        if key in held and held[key] is wrong:
            what = msg("every request fails with this `{name}`", name=key)
            yield _problem(state, (section, key), what, msg("delete it"))
    routes = gateway.general.get("allowed_routes", "/v1/messages")
    if not isinstance(routes, list | str | None) or "/v1/messages" not in (routes or ()):
        what = msg("LiteLLM refuses every request: `allowed_routes` lacks /v1/messages")
        hint = msg("add `- /v1/messages`")
        yield _problem(state, ("general_settings", "allowed_routes"), what, hint)
    url = gateway.general.get("database_url")
    if url or gateway.lookup(DATABASE_URL)[0]:
        path = ("general_settings", "database_url") if url else ()
        what = msg("a LiteLLM without prisma does not start with a database")
        hint = msg("use an image of LiteLLM's that has it, or remove the database")
        yield _problem(state, path, what, hint, "note")
    yield from _redis(state)


def _unlicensed(state: State, path: Path, name: str) -> Iterator[Problem]:
    if not state.gateway.lookup("LITELLM_LICENSE")[0]:
        what = msg("LiteLLM does not start with `{name}` unless it has a licence", name=name)
        yield _problem(state, path, what, msg("delete it, or set LITELLM_LICENSE"))


def _redis(state: State) -> Iterator[Problem]:
    """Caches and counters that no Redis is named for."""
    gateway = state.gateway
    severity: Severity = "warning" if state.only else "error"
    params = mapping(gateway.settings.get("cache_params"))
    kind = gateway.followed(params.get("type", "redis"))
    on = str(gateway.followed(gateway.settings.get("cache"))).lower() == "true"
    if on and not _filled(gateway.settings.get("cache_params", {})):
        what = msg("LiteLLM does not start with this `{name}`", name="cache_params")
        hint = msg("write each entry below it as `  NAME: VALUE`")
        yield _problem(state, ("litellm_settings", "cache_params"), what, hint)
    elif on and kind not in _CACHES:
        what = msg("LiteLLM does not start with this `{name}`", name="type")
        hint = msg("one of {names}", names=_CACHES[:2])
        yield _problem(state, ("litellm_settings", "cache_params", "type"), what, hint)
    redis = kind in ("redis", "redis-semantic")
    where = {"host", "url", "redis_startup_nodes", "startup_nodes", "sentinel_nodes"}
    named = where & set(params) or any(gateway.lookup(name)[0] for name in REDIS)
    if on and redis and not named and _switch(gateway.settings["cache"]):
        what = msg("LiteLLM does not start: no Redis is named for `{name}`", name="cache")
        hint = msg("write `cache_params:` with `type: local`, or set REDIS_HOST")
        yield _problem(state, ("litellm_settings", "cache"), what, hint, severity)
    counters = gateway.general.get("coordination_redis")
    targets = ("host", "url", "startup_nodes", "sentinel_nodes")
    found = [gateway.followed(mapping(counters).get(target)) for target in targets]
    if counters is not None and not any(found):
        name = "coordination_redis"
        what = msg("LiteLLM does not start: no Redis is named for `{name}`", name=name)
        hint = msg("write `host:` and `port:` below it")
        yield _problem(state, ("general_settings", name), what, hint, severity)


def _callbacks(state: State) -> Iterator[Problem]:
    facts = state.litellm_facts
    for key in CALLBACKS:
        for name in _named(state.gateway, key):
            path = ("litellm_settings", key)
            if name == state.gateway.settings[key]:
                what = msg("LiteLLM does not start with this `{name}`", name=key)
                hint = msg("write {name}: [{value}]", name=key, value=name)
                yield _problem(state, path, what, hint)
            elif name in _LICENSED_CALLBACKS:
                yield from _unlicensed(state, path, name)
            elif package := facts.callbacks.get(name, ""):
                what = msg(
                    "`{name}` needs the package {package}, which LiteLLM lacks",
                    name=name,
                    package=package,
                )
                hint = msg("install it into LiteLLM's environment, or remove `{name}`", name=name)
                yield _problem(state, path, what, hint, "warning")
            elif key == "callbacks" and facts.proxy_callbacks and name not in facts.proxy_callbacks:
                near = closest(name, sorted(facts.proxy_callbacks))
                what = msg("LiteLLM has no callback `{name}`, and does not start", name=name)
                hint = msg("did you mean `{name}`?", name=near[0]) if near else msg("delete it")
                yield _problem(state, path, what, hint)


def _named(gateway: Gateway, key: str) -> Iterator[str]:
    """Callbacks of LiteLLM's own; one with a dot is a function of somebody's."""
    found = gateway.settings.get(key)
    if isinstance(found, str):
        # Only `callbacks` may be one name; LiteLLM takes any other text letter by letter.
        found = [found] if key == "callbacks" else []
    for name in elements(found):
        if isinstance(name, str) and "." not in name:
            yield name


def _functions(state: State) -> Iterator[Problem]:
    for path, function in functions(state.gateway):
        file = module_file(state.gateway, function)
        if file in state.missing:
            what = msg("LiteLLM can't load `{name}`: there is no {file}", name=function, file=file)
            hint = msg("put the file there, or remove `{name}`", name=function)
            # A package in LiteLLM's environment would do as well.
            severity: Severity = "error" if function.count(".") == 1 else "warning"
            yield _problem(state, path, what, hint, severity)
