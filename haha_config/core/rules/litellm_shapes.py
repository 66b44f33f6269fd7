"""What LiteLLM does not start with: sections of a wrong shape, and what it can't load beside them.

Each was measured: `tests/e2e/litellm_setups.py` has it with its outcome.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from haha_config.core.messages import Message, msg
from haha_config.core.model import Data, Problem, Severity, elements, mapping
from haha_config.core.state.gateway import CALLBACKS, DATABASE_URL, Gateway, functions, module_file
from haha_config.core.state.state import State

#: Sections that must be tables. LiteLLM passes over a wrong `router_settings`.
_TABLES: Final = ("litellm_settings", "general_settings", "environment_variables", "mcp_servers")
_FALLBACKS: Final = ("fallbacks", "default_fallbacks")
_NUMBERS: Final = ("max_budget", "max_internal_user_budget", "default_max_internal_user_budget")
#: Only with a licence of LiteLLM's.
_LICENSED: Final = ("allowed_ips", "enforced_params")

Path = tuple[str | int, ...]


def misshapen(state: State) -> Iterator[Problem]:
    """A problem for each thing that LiteLLM stops at while it reads the file."""
    yield from _tables(state)
    yield from _fallbacks(state)
    yield from _router(state)
    yield from _values(state)
    yield from _callbacks(state)
    yield from _functions(state)
    yield from _servers(state)


def _problem(
    state: State,
    path: Path,
    what: Message,
    hint: Message | str | None,
    severity: Severity = "error",
) -> Problem:
    return Problem(what, state.litellm.place(*path), hint, severity=severity)


def _tables(state: State) -> Iterator[Problem]:
    for name in _TABLES:
        value = state.litellm.data.get(name)
        if value is not None and not isinstance(value, Mapping):
            yield _problem(
                state,
                (name,),
                msg("`{name}` is no table, and LiteLLM does not start with it", name=name),
                msg("write each entry below it as `  NAME: VALUE`"),
            )
    include = state.litellm.data.get("include")
    if include is not None and not isinstance(include, list):
        yield _problem(
            state,
            ("include",),
            msg("`include` is no list, and LiteLLM does not start with it"),
            msg("write each file below it as `  - FILE`"),
        )


def _fallbacks(state: State) -> Iterator[Problem]:
    for section in ("litellm_settings", "router_settings"):
        for key in _FALLBACKS:
            value = state.gateway.section(section).get(key)
            if value is None or _fits(key, value):
                continue
            what = msg("`{name}` has a shape with which LiteLLM does not start", name=key)
            hint = (
                msg("write `- MODEL: [OTHER-MODEL]` for each model")
                if key == "fallbacks"
                else msg("write `{name}: [OTHER-MODEL]`", name=key)
            )
            yield _problem(state, (section, key), what, hint)


def _fits(key: str, value: Data) -> bool:
    if not isinstance(value, list):
        return False
    if key == "default_fallbacks":
        return True
    return all(
        isinstance(each, Mapping) and all(isinstance(names, list) for names in each.values())
        for each in value
    )


def _router(state: State) -> Iterator[Problem]:
    router = state.gateway.section("router_settings")
    strategy = router.get("routing_strategy")
    known = state.litellm_facts.strategies
    if strategy is not None and known and strategy not in known:
        yield _problem(
            state,
            ("router_settings", "routing_strategy"),
            msg("LiteLLM has no routing strategy `{name}`, and does not start", name=str(strategy)),
            msg("one of {names}", names=known),
        )
    for key in ("health_check_interval", "health_check_concurrency"):
        if key in router:
            yield _problem(
                state,
                ("router_settings", key),
                msg("LiteLLM does not start with `{name}` here", name=key),
                msg("move it below `general_settings:`"),
            )
    aliases = router.get("model_group_alias")
    if aliases is not None and not isinstance(aliases, Mapping):
        yield _problem(
            state,
            ("router_settings", "model_group_alias"),
            msg(
                "`{name}` is no table, and LiteLLM does not start with it", name="model_group_alias"
            ),
            msg("write `ALIAS: MODEL` for each"),
        )


def _values(state: State) -> Iterator[Problem]:
    gateway = state.gateway
    for key in _NUMBERS:
        value = gateway.settings.get(key)
        if isinstance(value, str) and gateway.followed(value) == value and not _number(value):
            yield _problem(
                state,
                ("litellm_settings", key),
                msg("`{name}` is no number, and LiteLLM does not start with it", name=key),
                msg("write `{name}: 100`", name=key),
            )
    for key in _LICENSED:
        if gateway.general.get(key) is not None and not gateway.lookup("LITELLM_LICENSE")[0]:
            yield _problem(
                state,
                ("general_settings", key),
                msg("LiteLLM does not start with `{name}` unless it has a licence", name=key),
                msg("delete it, or set LITELLM_LICENSE"),
            )
    url = gateway.general.get("database_url")
    if url or gateway.lookup(DATABASE_URL)[0]:
        yield _problem(
            state,
            ("general_settings", "database_url") if url else (),
            msg("a LiteLLM without prisma does not start with a database"),
            msg("use an image of LiteLLM's that has it, or remove the database"),
            "note",
        )
    yield from _cache(state)
    yield from _coordination(state)


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _cache(state: State) -> Iterator[Problem]:
    gateway = state.gateway
    params = mapping(gateway.settings.get("cache_params"))
    redis = str(params.get("type", "redis")) in {"redis", "redis-semantic"}
    where = {"host", "url", "redis_startup_nodes", "startup_nodes", "sentinel_nodes"}
    named = where & set(params) or any(
        gateway.lookup(f"REDIS_{name}")[0]
        for name in ("HOST", "URL", "CLUSTER_NODES", "SENTINEL_NODES")
    )
    if gateway.settings.get("cache") is True and redis and not named:
        yield _problem(
            state,
            ("litellm_settings", "cache"),
            msg("no Redis is named for the cache, and LiteLLM does not start without"),
            msg("write `cache_params:` with `type: local`, or set REDIS_HOST"),
            "warning" if state.only else "error",
        )


def _coordination(state: State) -> Iterator[Problem]:
    named = state.gateway.general.get("coordination_redis")
    table = named if isinstance(named, Mapping) else {}
    targets = ("host", "url", "startup_nodes", "sentinel_nodes")
    if named is None or any(state.gateway.followed(table.get(target)) for target in targets):
        return
    yield _problem(
        state,
        ("general_settings", "coordination_redis"),
        msg("no Redis is named in `coordination_redis`, and LiteLLM does not start without"),
        msg("write `host:` and `port:` below it"),
        "warning" if state.only else "error",
    )


def _callbacks(state: State) -> Iterator[Problem]:
    facts = state.litellm_facts
    for key in CALLBACKS:
        for name in _named(state.gateway, key):
            package = facts.callbacks.get(name, "")
            if package:
                yield _problem(
                    state,
                    ("litellm_settings", key),
                    msg(
                        "`{name}` needs the package {package}, which is not part of LiteLLM",
                        name=name,
                        package=package,
                    ),
                    msg("install it into LiteLLM's environment, or remove `{name}`", name=name),
                    "warning",
                )
            elif key == "callbacks" and facts.proxy_callbacks and name not in facts.proxy_callbacks:
                from haha_config.core.providers.decode import closest

                near = closest(name, sorted(facts.proxy_callbacks))
                yield _problem(
                    state,
                    ("litellm_settings", key),
                    msg("LiteLLM has no callback `{name}`, and does not start", name=name),
                    msg("did you mean `{name}`?", name=near[0]) if near else msg("delete it"),
                )


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
        if file not in state.missing:
            continue
        yield _problem(
            state,
            path,
            msg("LiteLLM can't load `{name}`: there is no {file}", name=function, file=file),
            msg("put the file there, or remove `{name}`", name=function),
            # A package in LiteLLM's environment would do as well.
            "error" if function.count(".") == 1 else "warning",
        )


def _servers(state: State) -> Iterator[Problem]:
    for name in state.gateway.section("mcp_servers"):
        if "-" in str(name):
            yield _problem(
                state,
                ("mcp_servers", name),
                msg("LiteLLM does not start with a `-` in the name `{name}`", name=name),
                msg("write {name}", name=str(name).replace("-", "_")),
            )
