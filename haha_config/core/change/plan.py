"""Answers and what the files hold now -> the exact byte changes. Nothing is written here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from haha_config.core import variables as v
from haha_config.core.change import beside, picker
from haha_config.core.change.helper import helper_changes
from haha_config.core.change.template import begun
from haha_config.core.edit.formats import edit
from haha_config.core.edit.text import MISSING, at
from haha_config.core.errors import Refusal
from haha_config.core.messages import Message, msg
from haha_config.core.model import (
    SLOTS,
    Change,
    Data,
    Item,
    Permissions,
    Place,
    Plan,
    Remove,
    Set,
    Slot,
    TargetName,
    Traffic,
    Write,
    mapping,
    objects,
    plain_name,
)
from haha_config.core.providers.index import litellm_prefix
from haha_config.core.providers.model import Model, Providers, Upstream
from haha_config.core.providers.table import web_search
from haha_config.core.setup.answers import Answers
from haha_config.core.state import configured, owned
from haha_config.core.state.file import File
from haha_config.core.state.gateway import LITELLM, REFERENCE, Gateway
from haha_config.core.state.layers import as_text
from haha_config.core.state.state import State

#: The starting texts of new files (`templates/`), by target.
Starts = Mapping[TargetName, str]

#: What `--traffic` writes.
_TRAFFIC: Final[Mapping[Traffic, Mapping[str, str]]] = {
    "default": {},
    "minimal": {v.TELEMETRY: "1"},
    "quiet": {v.TELEMETRY: "1", v.NONESSENTIAL: "1"},
}

# --- what the client's variables should be ---------------------------------------------------


def all_slots(slots: Mapping[Slot, str]) -> dict[Slot, str]:
    """Every slot; one that was not given takes `main`'s model."""
    return {slot: slots.get(slot) or slots["main"] for slot in SLOTS}


def models_of(answers: Answers, providers: Providers) -> Iterator[Model | None]:
    """What the table knows of each slot's model, behind the gateway's names too."""
    by_name = {u.name: (u.provider, u.model) for u in answers.upstreams}
    for name in dict.fromkeys(all_slots(answers.slots).values()):
        key, model = by_name.get(plain_name(name), (answers.provider, name))
        yield providers[key].model(model) if key in providers else None


def client_variables(answers: Answers, providers: Providers, helper: str = "") -> dict[str, str]:
    """Every owned variable that the client should have, in the order in which it is written.

    With a `helper` no layer may hold a credential: each of them outranks it.
    """
    row = providers[answers.provider]
    other = v.API_KEY if answers.header == "bearer" else v.AUTH_TOKEN
    credential = v.AUTH_TOKEN if answers.header == "bearer" else v.API_KEY
    found = {
        v.BASE_URL: answers.base_url,
        credential: "" if helper else answers.credential,
        other: "",
        **{SLOTS[slot]: model for slot, model in all_slots(answers.slots).items()},
        v.TIMEOUT: v.TIMEOUT_MS,
        **_TRAFFIC[answers.traffic],
        **({v.AUTO_MODE_SERVER: "0"} if answers.permissions == "auto" else {}),
        v.TOOL_SEARCH: "false",
        **_model_variables(answers, providers),
        **(row.variables if answers.route == "direct" else {}),
        **answers.variables,
    }
    return {name: found[name] for name in (*v.OWNED, *found) if name in found}


def _model_variables(answers: Answers, providers: Providers) -> dict[str, str]:
    """The window, the limit of output and what else the slots' models ask for.

    A new client assumes a window of 1M tokens for a name that it does not know, so the smallest
    known one is written. One unknown model does not hide the others' limit. Some providers refuse
    a request for more output than the model gives.
    """
    known = [model for model in models_of(answers, providers) if model is not None]
    found: dict[str, str] = {}
    for model in known:
        found.update(model.env)
    others = {name for names in answers.fallbacks.values() for name in names}
    behind = (providers[u.provider].model(u.model) for u in answers.upstreams if u.name in others)
    known += [model for model in behind if model is not None]
    contexts = [model.context for model in known if model.context]
    if answers.context:
        contexts.append(answers.context)
    if contexts:
        found[v.MAX_CONTEXT] = str(min(contexts))
    least = least_output(known)
    if least is not None:
        found.setdefault(v.MAX_OUTPUT, str(least))
    return found


def least_output(models: Iterable[Model | None]) -> int | None:
    """The smallest limit of output, where the client would ask for more if it were not told."""
    limits = [model.output for model in models if model is not None and model.output]
    least = min(limits, default=v.DEFAULT_OUTPUT)
    return least if least < v.DEFAULT_OUTPUT else None


def context_unknown(answers: Answers, providers: Providers) -> tuple[str, ...]:
    """The slots' models of which no window is known."""
    names = dict.fromkeys(all_slots(answers.slots).values())
    models = models_of(answers, providers)
    return tuple(
        name
        for name, model in zip(names, models, strict=True)
        if not (answers.context or (model and model.context))
    )


# --- changes, by target ----------------------------------------------------------------------


def client_changes(
    wanted: Mapping[str, str],
    held: Mapping[str, Data],
    root: tuple[str, ...],
    before: Mapping[str, str],
) -> tuple[Change, ...]:
    """Sets for what is wanted, removals for what is ours and no longer wanted.

    `before`: what the row of the set-up before asked for. What a person chose of these stays.
    """
    sets = [Set((*root, name), value) for name, value in wanted.items()]
    gone = [name for name in v.OWNED if name in held and name not in wanted]
    chosen = {n for n in gone if n in v.PERSONAL and as_text(held[n]) != before.get(n)}
    return (*(Remove((*root, name)) for name in gone if name not in chosen), *sets)


def asked_before(state: State) -> dict[str, str]:
    """What the provider of the set-up that is there now asks for, and its models."""
    setup = configured.read(state)
    found: dict[str, str] = {}
    for name in setup.slots.values():
        model = configured.model_of(name, setup, state.providers)
        found.update(model.env if model is not None else {})
    row = state.providers.get(setup.provider)
    return {**found, **(row.variables if row is not None and setup.route == "direct" else {})}


def cloud_changes(
    state: State, held: Mapping[str, Data], root: tuple[str, ...]
) -> Iterator[Change]:
    """Takes out of a target what sends the client to a cloud, and cancels what a shell exports.

    A switch in a layer that is weaker than settings.json is cancelled there with "".
    """
    for name in v.CLOUDS:
        here = v.is_on(held.get(name, ""))
        weaker = bool(root) and any(v.is_on(x.values.get(name, "")) for x in state.weaker_layers)
        if weaker and (here or name not in held):
            yield Set((*root, name), "")
        elif here:
            yield Remove((*root, name))


def litellm_changes(answers: Answers, providers: Providers, gateway: Gateway) -> tuple[Change, ...]:
    """What `litellm_config.yaml` needs; entries are told by `model_name`, others stay."""
    by_name: dict[Data, list[Mapping[str, Data]]] = {}
    for entry in objects(gateway.file.data.get("model_list")):
        by_name.setdefault(entry.get("model_name"), []).append(entry)
    changes: list[Change] = [
        Remove(("model_list", Item("model_name", name))) for name in answers.drop
    ]
    for upstream in answers.upstreams:
        changes += _deployments(upstream, providers, by_name.get(upstream.name, []))
    if any(wants_chat_completions(u, providers) for u in answers.upstreams):
        flag = "use_chat_completions_url_for_anthropic_messages"
        changes.append(Set(("litellm_settings", flag), True))
    changes.append(Set(("litellm_settings", "drop_params"), True))
    changes += _writable_fallbacks(answers, gateway)
    return (*changes, *_master_reference(answers, gateway))


def _writable_fallbacks(answers: Answers, gateway: Gateway) -> tuple[Change, ...]:
    """The changes to the fallbacks. Raises Refusal where those of an included file count."""
    changes = tuple(_fallback_changes(answers, gateway))
    name = gateway.fallback_section
    holder = gateway.holder(name)
    if changes and holder is not gateway.file:
        raise Refusal(
            msg(
                "LiteLLM takes `{name}` of this included file, so the fallbacks go there", name=name
            ),
            place=gateway.place(name),
            hints=(msg("write them there by hand"),),
        )
    return changes


def _fallback_changes(answers: Answers, gateway: Gateway) -> Iterator[Change]:
    """Sets the models that stand in for others; no list is left empty."""
    section = (gateway.fallback_section, "fallbacks")
    held = gateway.fallbacks
    wanted = {**gateway.fallbacks_without(answers.drop), **answers.fallbacks}
    gone = {name for name, others in wanted.items() if not others and name in held}
    pairs = objects(gateway.section(section[0]).get("fallbacks"))
    kept = {name for pair in pairs for name in pair} - gone
    if gone and not kept and not any(wanted.values()):
        yield Remove(section[:1] if len(gateway.section(section[0])) == 1 else section)
        return
    for name in sorted(gone):
        shared = any(name in pair and set(pair) - gone for pair in pairs)
        yield Remove((*section, Item(name, None), *([name] if shared else [])))
    for name, others in wanted.items():
        if others and name not in held:
            yield Set((*section, Item(name, None)), {name: list(others)})
        elif others and others != held[name]:
            yield Set((*section, Item(name, None), name), list(others))


def _master_reference(answers: Answers, gateway: Gateway) -> Iterator[Change]:
    """The reference to the master key; one that is there already is followed, not replaced."""
    name = master_variable(answers, gateway)
    wanted = f"{REFERENCE}{name}"
    if name and gateway.general.get("master_key") != wanted:
        yield Set(("general_settings", "master_key"), wanted)
    held = gateway.master_key
    if held is not None and held.source == LITELLM and held.value != answers.master_key:
        yield Remove(("environment_variables", name))


def master_variable(answers: Answers, gateway: Gateway) -> str:
    """The variable that holds the master key; "" where it stays in the file as it stands there."""
    held = gateway.master_key
    if held is not None and held.variable.isidentifier():
        return held.variable
    own = gateway.env.data.get(v.MASTER_KEY)
    kept = held is not None and held.literal and held.value == answers.master_key
    # Two keys of somebody's: neither takes the other's place.
    return "" if kept and own not in (None, "", answers.master_key) else v.MASTER_KEY


def wants_chat_completions(upstream: Upstream, providers: Providers) -> bool:
    """Whether LiteLLM would call `/responses` of a server that only has `/chat/completions`."""
    row = providers[upstream.provider].upstream
    if row is None or not row.prefix.startswith("openai/"):
        return False
    return row.chat_completions or upstream.base_url not in row.api_base.values()


def _deployments(
    upstream: Upstream, providers: Providers, held: Sequence[Mapping[str, Data]]
) -> Iterator[Change]:
    """The entries of one name: one for each key. What there is beside ours stays."""
    references = [_key_of(entry) for entry in held]
    variables = upstream.variables or ("",)
    wanted = [f"{REFERENCE}{name}" if name else None for name in variables]
    # The first takes another key where it stands, unless one of them has its key already.
    in_place = references == wanted[:1] or not any(r in wanted for r in references)
    for variable, reference in zip(variables, wanted, strict=True):
        also: tuple[str, ...] = (*_KEY, reference) if reference else ()
        before = held[references.index(reference)] if reference in references else None
        if in_place and reference == wanted[0]:
            also, before = (), held[0] if held else None
        item = Item("model_name", upstream.name, also)
        yield from _entry_changes(replace(upstream, variable=variable), providers, before, item)
    if upstream.spare is not None:
        yield from _surplus(upstream, providers, held[1:] if in_place else held, wanted)


#: Where an entry's key stands in it.
_KEY: Final = ("litellm_params", "api_key")


def _key_of(entry: Mapping[str, Data]) -> Data:
    return at(entry, _KEY)


def _surplus(
    upstream: Upstream,
    providers: Providers,
    held: Sequence[Mapping[str, Data]],
    wanted: Sequence[Data],
) -> Iterator[Change]:
    """Takes out the entries for keys that are no longer wanted, where nobody added to them."""
    for entry in held:
        key = _key_of(entry)
        if not isinstance(key, str) or not key.startswith(REFERENCE) or key in wanted:
            continue
        other = replace(upstream, variable=key.removeprefix(REFERENCE))
        if entry == _entry(upstream.name, litellm_params(other, providers)):
            yield Remove(("model_list", Item("model_name", upstream.name, (*_KEY, key))))


def _entry(name: str, params: Mapping[str, Data]) -> dict[str, Data]:
    return {"model_name": name, "litellm_params": dict(params)}


def _entry_changes(
    upstream: Upstream, providers: Providers, held: Mapping[str, Data] | None, item: Item
) -> Iterator[Change]:
    params = litellm_params(upstream, providers)
    if held is None:
        yield Set(("model_list", item), _entry(upstream.name, params))
        return
    for name, value in params.items():
        yield Set(("model_list", item, "litellm_params", name), value)
    # A key that an entry no longer needs goes with the upstream that needed it.
    if "api_key" not in params and at(held, _KEY, MISSING) is not MISSING:
        yield Remove(("model_list", item, "litellm_params", "api_key"))


def litellm_params(upstream: Upstream, providers: Providers) -> dict[str, Data]:
    """`litellm_params` of one entry: prefix, explicit api_base, the key by reference only."""
    row = providers[upstream.provider]
    how = row.upstream
    if how is None:
        raise Refusal(msg("`{name}` can't be reached through LiteLLM", name=row.name))
    model = row.model(upstream.model)
    name = plain_name(upstream.model)
    prefix = litellm_prefix(row, name, upstream.base_url)
    params: dict[str, Data] = {"model": f"{prefix}{name}"}
    params["api_base"] = upstream.base_url
    if upstream.variable:
        params["api_key"] = f"{REFERENCE}{upstream.variable}"
    params.update(how.params)
    if not (model and model.thinking):
        params.update(how.params_without_thinking)
    return params


def litellm_env_changes(answers: Answers, gateway: Gateway) -> tuple[Change, ...]:
    """The gateway's own environment: its keys, and what keeps it from reading ours."""
    held = gateway.master_key
    written = held is not None and held.source == LITELLM and held.value == answers.master_key
    name = "" if written else master_variable(answers, gateway)
    wanted = {
        **({name: answers.master_key} if name else {}),
        "LITELLM_MODE": "PRODUCTION",
        "HOST": "127.0.0.1",
        "PORT": str(answers.port),
        **answers.keys,
    }
    return tuple(Set((name,), value) for name, value in wanted.items())


# --- the plan --------------------------------------------------------------------------------


def build(answers: Answers, state: State, starts: Starts, helper: str = "") -> Plan:
    """The plan of `init`: what every target must hold for these answers.

    `helper` is the command that prints the key for the client, in place of a credential.

    Raises Refusal with path, line and column where a target can't be edited safely.
    """
    providers = state.providers
    wanted = client_variables(answers, providers, helper)
    writes = list(gateway_writes(answers, state, starts))
    writes += client_writes(wanted, answers, state, starts, helper)
    return Plan(writes=tuple(writes), notes=tuple(_notes(answers, state)))


def gateway_writes(answers: Answers, state: State, starts: Starts) -> Iterator[Write]:
    """The two LiteLLM files; none for somebody else's gateway or a direct route."""
    if answers.port is None:
        return
    yield edited(
        state.litellm,
        litellm_changes(answers, state.providers, state.gateway),
        starts["litellm"],
        secret=False,
    )
    yield edited(
        state.litellm_env,
        litellm_env_changes(answers, state.gateway),
        starts["litellm_env"],
        secret=True,
    )


def client_writes(
    wanted: Mapping[str, str], answers: Answers, state: State, starts: Starts, helper: str = ""
) -> Iterator[Write]:
    """`.env` and settings.json. One that is not to be created but holds our variables moves too."""
    held, create = _env(state.target.data), answers.targets
    secret = any(v.is_key(wanted.get(name, "")) for name in v.CREDENTIALS)
    mode = answers.permissions if beside.elsewhere(answers.base_url) else "keep"
    token = answers.credential if answers.key_header and not helper else ""
    before = asked_before(state)
    if "settings" in create or _holds_ours(held):
        changes = (
            *client_changes(_kept(wanted, mode, held), held, ("env",), before),
            *cloud_changes(state, held, ("env",)),
            *beside.header_changes(token, state, state.target, ("env",)),
            *helper_changes(helper, state.target.data),
            *beside.permission_changes(mode, state.target, state.owned),
            *beside.search_changes(answers.deny_web_search, state.target, state.owned),
            *picker.changes(answers.picker, state.target, state.owned),
        )
        yield edited(state.target, changes, starts["settings"], secret=secret)
    if _writes_dotenv(state, create):
        held = state.dotenv.data
        changes = (
            *client_changes(_kept(wanted, mode, held), held, (), before),
            *cloud_changes(state, held, ()),
            *beside.header_changes(token, state, state.dotenv, ()),
        )
        yield edited(state.dotenv, changes, starts["env"], secret=secret)


def _writes_dotenv(state: State, create: frozenset[TargetName]) -> bool:
    """Whether `.env` is written: one of a program's own stays as it is."""
    if not state.dotenv.exists:
        return "env" in create
    concerns = "env" in create or _holds_ours(state.dotenv.data) or state.dotenv.error is not None
    return state.edits_dotenv and concerns


def _kept(
    wanted: Mapping[str, str], mode: Permissions, held: Mapping[str, Data]
) -> Mapping[str, str]:
    """With `keep`, what the person says of auto mode stays in this file."""
    if mode != "keep" or v.AUTO_MODE_SERVER not in held:
        return wanted
    return {**wanted, v.AUTO_MODE_SERVER: as_text(held[v.AUTO_MODE_SERVER])}


def _env(data: Mapping[str, Data]) -> Mapping[str, Data]:
    return mapping(data.get("env"))


def held_variables(state: State) -> Mapping[str, Data]:
    """Our variables as the scope's settings.json holds them, else as `.env` does."""
    held = _env(state.target.data)
    if _holds_ours(held) or not state.edits_dotenv:
        return held
    return state.dotenv.data


def _holds_ours(held: Mapping[str, Data]) -> bool:
    return any(name in held for name in v.OWNED)


def edited(file: File, changes: Sequence[Change], start: str, *, secret: bool) -> Write:
    """The write that makes these changes to a file, or to the starting text of a new one."""
    if (unfit := file.error or file.strange) is not None:
        raise unfit
    if file.snapshot.unreadable is not None:
        raise Refusal(file.snapshot.unreadable, place=Place(path=file.path))
    before = file.snapshot.data
    try:
        text = file.text if before is not None else begun(file.format, start, changes)
        after = edit(file.format, text, changes)
    except Refusal as refusal:
        raise refusal.of(file.path) from None
    return Write(
        path=file.path,
        format=file.format,
        before=before,
        after=after.encode("utf-8"),
        secret=secret,
        changes=tuple(changes),
    )


def _notes(answers: Answers, state: State) -> Iterator[Message]:
    if state.dotenv.exists and not state.edits_dotenv:
        yield msg("{path} belongs to another program: not changed", path=state.dotenv.path)
    if answers.assumed:
        yield msg(
            "the context window of {names} is not known: wrote {n} tokens. To correct: --context N",
            names=tuple(dict.fromkeys(all_slots(answers.slots).values())),
            n=f"{answers.context:,}",
        )
    if answers.header == "x-api-key" and not answers.key_header:
        yield msg("the client will ask whether to use this API key: choose Yes")
    search = web_search(state.providers[answers.provider], answers.route)
    if search is not None and search.result == "refused" and not answers.deny_web_search:
        yield msg("{by} refuses web search: --deny-web-search turns the tool off", by=search.by)
    if answers.permissions == "auto":
        yield msg(
            "auto mode: {model} (sonnet) will approve commands; each costs about 36,000 tokens",
            model=all_slots(answers.slots)["sonnet"],
        )
        if at(state.target.data, owned.ASKS) and not state.owned.has(
            state.target.path, owned.ASKS, at(state.target.data, owned.ASKS)
        ):
            yield msg("your own `permissions.disableAutoMode` stays: it turns auto mode off")
    if answers.route == "direct" and state.route == "litellm" and state.litellm.exists:
        yield msg(
            "the gateway's files stay: {paths}", paths=(state.litellm.path, state.litellm_env.path)
        )


# --- switch-model ----------------------------------------------------------------------------


def slots_after(
    held: Mapping[Slot, str], name: str | None, chosen: Mapping[Slot, str], *, everything: bool
) -> dict[Slot, str]:
    """The slots that change. With `name`: `main` and each slot that held the old `main`."""
    if name is None:
        return dict(chosen)
    old = held.get("main")
    moved: dict[Slot, str] = {
        slot: name for slot in SLOTS if everything or slot == "main" or held.get(slot, old) == old
    }
    return {**moved, **chosen}


def switch(
    slots: Mapping[Slot, str],
    limits: Mapping[str, str | None],
    state: State,
    shown: Sequence[Mapping[str, Data]] = (),
) -> Plan:
    """Move slots in every target that holds our variables. `limits`: None takes a variable out.
    `shown` is the menu of `/model`, moved along where one of ours is there.

    Raises HahaError where no target holds any of our variables.
    """
    writes: list[Write] = []
    state.check_written()
    for file in state.written:
        root = ("env",) if file is state.target else ()
        held = _env(file.data) if root else file.data
        if not _holds_ours(held):
            continue
        changes: list[Change] = [Set((*root, SLOTS[s]), model) for s, model in slots.items()]
        for variable, value in limits.items():
            if value is not None:
                changes.append(Set((*root, variable), value))
            elif variable in held:
                changes.append(Remove((*root, variable)))
        if root and shown:
            changes += picker.changes(shown, file, state.owned)
        writes.append(edited(file, changes, "", secret=False))
    if not writes:
        raise configured.nothing()
    return Plan(writes=tuple(writes))
