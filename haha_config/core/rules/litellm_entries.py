"""The entries of `model_list`: whom LiteLLM calls for each, with what key, at which path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from haha_config.core import urls
from haha_config.core import variables as v
from haha_config.core.keys import placeholder
from haha_config.core.messages import Message, msg
from haha_config.core.model import Data, Problem, Severity, mapping, objects, string
from haha_config.core.providers.decode import closest
from haha_config.core.rules.models import asked
from haha_config.core.rules.rule import version
from haha_config.core.state.gateway import REFERENCE, Gateway, ModelEntry, meant
from haha_config.core.state.state import State

#: What people write before a model's name, and the prefix that LiteLLM has for it.
_MEANT: Final = {
    "lmstudio": "lm_studio",
    "vertex": "vertex_ai",
    "google": "gemini",
    "z-ai": "zai",
    "x-ai": "xai",
    "moonshotai": "moonshot",
    "kimi": "moonshot",
    "glm": "zai",
    "vllm": "hosted_vllm",
    "together": "together_ai",
    "fireworks": "fireworks_ai",
    "mistralai": "mistral",
}


def severity(state: State, entry: ModelEntry) -> Severity:
    """An error where a slot's model is this entry alone; else at most a warning.

    A team's gateway is asked by clients elsewhere: there every model counts that has no fallback.
    """
    if not state.gateway.by_name.get(entry.name, (entry,))[1:]:
        if state.gateway.own_auth and entry.name not in state.gateway.fallbacks:
            return "error"
        for _, model in asked(state):
            if state.gateway.entry_for(model) == entry:
                return "error"
    return "warning"


def chats(state: State, entry: ModelEntry) -> bool:
    """Whether the entry is for what a client asks; not an embedding, a voice, an image."""
    mode = entry.info.get("mode") or state.litellm_facts.mode(entry.model)
    return mode in {"", "chat", "responses", "completion", None}


def provider(state: State, entry: ModelEntry) -> str:
    """The provider that LiteLLM takes for the entry; "" where it knows none."""
    base = state.gateway.followed(entry.params.get(entry.base_key))
    found = state.litellm_facts.provider(entry.model, string(base), entry.custom)
    return found or _of_the_file(state.gateway, entry)


def _of_the_file(gateway: Gateway, entry: ModelEntry) -> str:
    """A provider that the file itself brings along, by `custom_provider_map`."""
    own = objects(gateway.settings.get("custom_provider_map"))
    names = [each.get("provider") for each in own]
    prefix = entry.custom or entry.prefix.rstrip("/")
    return prefix if prefix in names else ""


# --- the provider -------------------------------------------------------------------------------


def without_provider(state: State) -> Iterator[Problem]:
    """Entries that LiteLLM drops as it starts, and ones that it can't chat with."""
    facts = state.litellm_facts
    if not facts.providers:
        return
    for entry in state.gateway.entries:
        found = provider(state, entry)
        no_chat = found in facts.no_chat or found.startswith("text-completion")
        if not found and entry.model != "*":
            yield _dropped(state, entry)
        elif found in facts.lacks:
            what = msg(
                "`{name}` needs the package {package}, which LiteLLM lacks",
                name=f"{found}/",
                package=facts.lacks[found],
            )
            hint = _better(entry, _MEANT[found]) if found in _MEANT else None
            yield Problem(what, entry.place("model"), hint, severity=severity(state, entry))
        elif no_chat:
            level = severity(state, entry)
            if level == "error" or chats(state, entry):
                what = msg("LiteLLM can't chat with `{prefix}/`", prefix=found)
                yield Problem(what, entry.place("model"), severity=level)


def _dropped(state: State, entry: ModelEntry) -> Problem:
    written = entry.custom or entry.model.partition("/")[0].strip()
    meant = _meant(state, entry, written)
    if entry.custom or "/" in entry.model:
        what = msg(
            "LiteLLM knows no provider `{name}`, so it leaves `{model}` out",
            name=written,
            model=entry.name,
        )
    else:
        what = msg(
            "`{model}` has no provider before it, so LiteLLM leaves `{name}` out",
            model=entry.model,
            name=entry.name,
        )
    hint = msg("did you mean `{name}`?", name=meant) if entry.custom else _better(entry, meant)
    place = entry.place("custom_llm_provider" if entry.custom else "model")
    # One that is newer than the measured one may know more providers.
    found, measured = state.machine.litellm if state.machine else (), state.litellm_facts.version
    newer = any(version(one.version) > version(measured) for one in found)
    return Problem(what, place, hint, severity="warning" if newer else severity(state, entry))


def _better(entry: ModelEntry, prefix: str) -> Message:
    """The line to write: the misspelt prefix replaced, or the right one before the whole name."""
    model = entry.model.strip()
    head, slash, rest = model.partition("/")
    written = head.lower().replace("-", "_") if slash else ""
    close = written in {prefix, prefix.replace("-", "_")} or _MEANT.get(head.lower()) == prefix
    url = urls.parse(entry.api_base)
    # `siliconflow/NAME` at api.siliconflow.cn is the service's name, not the model's maker.
    service = slash and url is not None and head.lower() in url.host.split(".")
    plain = rest if close or service or (slash and closest(head.lower(), [prefix])) else model
    if not slash and model.lower().startswith(f"{prefix}:"):
        plain = model.partition(":")[2]
    return msg("write model: {name}", name=f"{prefix}/{plain}")


_WAYS: Final = ("openai", "hosted_vllm", "anthropic", "ollama_chat", "lm_studio", "litellm_proxy")


def _meant(state: State, entry: ModelEntry, written: str) -> str:
    """The provider that was most likely meant; `openai` where only an address is given."""
    names = state.litellm_facts.providers
    plain = written.lower().partition(":")[0]
    if plain in names and plain != entry.model:
        return plain
    if plain in _MEANT:
        return _MEANT[plain]
    # At an address of one's own the prefix says how to talk: `meta-llama/` is a maker there.
    known = _WAYS if entry.api_base and not entry.custom else sorted(names)
    near = closest(plain, known) if entry.custom or "/" in entry.model else ()
    if near:
        return near[0]
    if entry.api_base:
        return "openai"
    row = next((r for r in state.providers.values() if r.upstream and r.model(entry.model)), None)
    return row.upstream.prefix.rstrip("/") if row and row.upstream else "openai"


# --- the key ------------------------------------------------------------------------------------


def badly_keyed(state: State) -> Iterator[Problem]:
    """Entries whose key is no key, is written as another program reads it, or is nowhere."""
    for entry in state.gateway.entries:
        written = entry.params.get("api_key")
        if isinstance(written, str) and not written.startswith(REFERENCE):
            yield from _literal(state, entry, written)
        elif written is not None and not isinstance(written, str):
            yield _wrong_type(state, entry, "api_key", msg("write it in quotes"))
        if not written and not entry.params.get("mock_response"):
            yield from _keyless(state, entry)


def key_line(state: State, name: str) -> Message:
    """How a key is written that stands in litellm.env."""
    return msg(
        "write {reference}{name} here, and put the key into {path}",
        reference=REFERENCE,
        name=name,
        path=state.litellm_env.path,
    )


def _literal(state: State, entry: ModelEntry, written: str) -> Iterator[Problem]:
    if not wants_key(state, entry):
        return
    name = meant(written)
    if not name and written.isupper() and state.gateway.lookup(written)[0]:
        name = written
    if name:
        # What stands behind the name may be a key.
        end = written.rindex(name) + len(name)
        shown = written[:end] if re.search(r"\w", written[end:]) else written
        what = msg("LiteLLM does not expand `{text}`", text=shown)
        hint = msg("write {reference}{name}", reference=REFERENCE, name=name)
        yield Problem(what, entry.place("api_key"), hint, severity=severity(state, entry))
    elif placeholder(written):
        what = msg("`{name}` holds a placeholder, not a key", name="api_key")
        hint = key_line(state, "NAME")
        yield Problem(what, entry.place("api_key"), hint, severity=severity(state, entry))


def _keyless(state: State, entry: ModelEntry) -> Iterator[Problem]:
    """No key in the entry: is there one where LiteLLM looks by itself?"""
    if not wants_key(state, entry) or (state.only and not state.litellm_env.exists):
        return
    values = state.gateway.credential(entry)
    if any(state.gateway.followed(values[name]) for name in values if name != "api_base"):
        return
    names, model = key_variables(state, entry), entry.name
    if any(state.gateway.lookup(name)[0] for name in names):
        return
    what = msg("`{model}` has no key", model=model)
    hint = msg("write api_key: {reference}NAME", reference=REFERENCE)
    if names:
        env = state.litellm_env.path
        what = msg("`{model}` has no key, and none is found in {names}", model=model, names=names)
        hint = msg("add a line {name}=YOUR-KEY to {path}", name=names[0], path=env)
    level = "warning" if state.only else severity(state, entry)
    yield Problem(what, entry.place("model"), hint, severity=level)


def wants_key(state: State, entry: ModelEntry) -> bool:
    """Whether LiteLLM, or the service that the table knows behind it, refuses without a key."""
    if not chats(state, entry):
        return False
    row = state.rows.listed(entry.model, entry.api_base)
    if row is not None:
        return bool(row.credential.variable) and not row.local and not row.credential.optional
    found = provider(state, entry)
    base = urls.parse(entry.api_base)
    if any(str(name).endswith(_OTHER_CREDENTIALS) for name in entry.params):
        return False
    if found in state.litellm_facts.needs_key:
        return True
    known = state.litellm_facts.key_variables.get(found, ())
    return base is None and any(name.endswith("API_KEY") for name in known)


#: Endings of parameters by which LiteLLM signs in without a key.
_OTHER_CREDENTIALS: Final = ("_token", "_credentials", "_secret", "tenant_id", "_file", "_proxy")


def key_variables(state: State, entry: ModelEntry) -> tuple[str, ...]:
    """Where LiteLLM looks for a key that the entry does not have."""
    found = provider(state, entry)
    names = state.litellm_facts.key_variables.get(found, ())
    names = tuple(name for name in names if name.endswith(("API_KEY", "_TOKEN")))
    if found in {"openai", "custom_openai"}:
        return ("OPENAI_API_KEY",)
    row = state.rows.listed(entry.model, entry.api_base)
    own = row.credential.variable if row else ""
    usual = f"{found.upper().replace('-', '_')}_API_KEY"
    return tuple(dict.fromkeys((*names, *([own] if own else []), *([] if names else [usual]))))


# --- other parameters ---------------------------------------------------------------------------

#: Parameters that decide where a request goes: one that is misspelt sends it elsewhere.
_DECIDE: Final = frozenset({"api_base", "base_url", "api_key", "model", "custom_llm_provider"})
_ALSO_CALLED: Final = {
    "api_url": "api_base",
    "apibase": "api_base",
    "apiBase": "api_base",
    "baseUrl": "api_base",
    "baseURL": "api_base",
    "url": "api_base",
    "endpoint": "api_base",
    "host": "api_base",
    "apikey": "api_key",
    "apiKey": "api_key",
    "key": "api_key",
    "provider": "custom_llm_provider",
}


def misplaced(state: State) -> Iterator[Problem]:
    """Parameters that LiteLLM passes over: of another name, or at another level."""
    for entry in state.gateway.entries:
        for name in entry.params:
            better = _parameter(state, name)
            if better and better not in entry.params:
                what = msg("LiteLLM knows no `{name}` here", name=name)
                hint = msg("did you mean `{name}`?", name=better)
                level = _lost(state, entry, better)
                yield Problem(what, entry.place(name), hint, severity=level)
        for name in entry.beside:
            better = name if name in _DECIDE else _ALSO_CALLED.get(name, "")
            known = better or (name if name in state.litellm_facts.parameters else "")
            if known and known not in {"id", "mode", "tags"} and known not in entry.params:
                what = msg("LiteLLM ignores `{name}` beside `litellm_params`", name=name)
                place = entry.file.place("model_list", entry.index, name)
                hint = msg("indent it below `litellm_params:`")
                yield Problem(what, place, hint, severity=_lost(state, entry, known))


def _lost(state: State, entry: ModelEntry, meant: str) -> Severity:
    """How much hangs on a parameter that does not arrive."""
    if meant in {"api_base", "base_url"}:
        return severity(state, entry)
    if meant == "api_key" and wants_key(state, entry):
        names = key_variables(state, entry)
        if not any(state.gateway.lookup(name)[0] for name in names):
            return severity(state, entry)
    return "warning"


def _parameter(state: State, name: str) -> str:
    """The parameter that is meant by one that LiteLLM does not know; "" where it may be right."""
    if not isinstance(name, str) or name in _DECIDE or not state.litellm_facts.parameters:
        return ""
    if name in _ALSO_CALLED:
        return _ALSO_CALLED[name]
    if name in state.litellm_facts.parameters or "_cost" in name:
        return ""
    near = closest(name, sorted(_DECIDE | _CHECKED))
    return near[0] if near else ""


#: Others whose loss somebody would notice; any name may be the upstream's own.
_CHECKED: Final = frozenset(
    {
        "additional_drop_params",
        "drop_params",
        "extra_headers",
        "extra_body",
        "max_tokens",
        "num_retries",
        "reasoning_effort",
        "stream_timeout",
        "temperature",
        "timeout",
    }
)


def unreadable(state: State) -> Iterator[Problem]:
    """Values of a wrong type: LiteLLM leaves the entry out, or fails at each request."""
    for entry in state.gateway.entries:
        level = severity(state, entry)
        if isinstance(tag := entry.params.get("tags"), str):
            what = msg(
                "with this `{name}` LiteLLM leaves `{model}` out", name="tags", model=entry.name
            )
            hint = msg("write {name}: [{value}]", name="tags", value=tag)
            yield Problem(what, entry.place("tags"), hint, severity=level)
        for name, written in entry.params.items():
            value = state.gateway.followed(written)
            if name in _TEXTS and not isinstance(value, str | None):
                yield _wrong_type(state, entry, name, msg("write it in quotes"))
            for path in _unsent(name, value):
                what = msg("every request fails with this `{name}`", name=path[-1])
                hint = (
                    msg("write it in quotes") if path[1:] else msg("write `NAME: VALUE` below it")
                )
                yield Problem(what, entry.place(*path), hint, severity=level)
            if (what_else := _no_number(name, value, entry)) is not None:
                yield Problem(what_else, entry.place(name), msg("write a number"), severity=level)
        for name, value in entry.info.items():
            place = entry.file.place("model_list", entry.index, "model_info", name)
            if (what_else := _no_number(name, value, entry)) is not None:
                yield Problem(what_else, place, msg("write a number"), severity=level)
            if found := _info(entry, name, value):
                yield Problem(found[0], place, found[1], severity=level)


def _info(entry: ModelEntry, name: str, value: Data) -> tuple[Message, Message] | None:
    """What LiteLLM does not take below `model_info`, and what to write; most it passes over."""
    fails = msg("every request fails with this `{name}`", name=name)
    dropped = msg("with this `{name}` LiteLLM leaves `{model}` out", name=name, model=entry.name)
    if name in _INFO_TEXTS and not isinstance(value, str | None):
        return fails if name == "mode" else dropped, msg("write it in quotes")
    words = _INFO_WORDS.get(name)
    if value is None or words is None or str(value).lower() in words:
        return None
    what = fails if name.startswith("supports_") else dropped
    return what, msg("one of {names}", names=words[:2])


_INFO_TEXTS: Final = frozenset({"mode", "base_model", "team_id", "team_public_model_name"})
_SWITCH: Final = ("true", "false", "yes", "no", "on", "off", "y", "n", "t", "f", "1", "0")
_INFO_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "tier": ("free", "paid"),
    "db_model": _SWITCH,
    "blocked": _SWITCH,
    "supports_function_calling": _SWITCH,
    "supports_parallel_function_calling": _SWITCH,
    "supports_reasoning": _SWITCH,
    "supports_vision": _SWITCH,
    "supports_web_search": _SWITCH,
}


def _unsent(name: str, value: Data) -> Iterator[tuple[str, ...]]:
    """Headers and bodies that can't be sent. YAML reads the version `2023-06-01` as a date."""
    if name in {"extra_headers", "extra_body"} and not isinstance(value, Mapping | None):
        yield (name,)
    elif name == "extra_headers":
        yield from ((name, key) for key, sent in mapping(value).items() if type(sent) is not str)


def _no_number(name: str, value: Data, entry: ModelEntry) -> Message | None:
    """What becomes of a value that is to be a number and is none."""
    whole = str(name).endswith(("pm", "retries"))
    if value is None or number(value, whole=whole):
        return None
    if name in _FAILING:
        return msg("every request fails with this `{name}`", name=name)
    if not _NUMBERS.search(str(name)):
        return None
    return msg(
        "`{name}` is no number, so LiteLLM leaves `{model}` out", name=name, model=entry.name
    )


#: Numbers that LiteLLM reads at each request.
_FAILING: Final = frozenset(
    ["max_input_tokens", "max_output_tokens", "max_parallel_requests", "timeout", "weight"]
)
#: Parameters that LiteLLM takes as text alone: YAML reads the version `2024-06-01` as a date.
_TEXTS: Final = frozenset(
    [
        "api_base",
        "api_version",
        "aws_region_name",
        "base_url",
        "litellm_credential_name",
        "organization",
        "region_name",
        "tenant_id",
        "vertex_location",
        "vertex_project",
    ]
)
_NUMBERS: Final = re.compile(r"^[io]?tpm$|^rpm$|^max_(retries|budget)$|put_cost_per_\w*token")


def _wrong_type(state: State, entry: ModelEntry, name: str, hint: Message | None) -> Problem:
    what = msg("`{name}` is no text, so LiteLLM leaves `{model}` out", name=name, model=entry.name)
    return Problem(what, entry.place(name), hint, severity=severity(state, entry))


def number(value: Data, *, whole: bool = False) -> bool:
    """Whether LiteLLM reads it as a number; text that holds one is one too."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return False
    except OverflowError:  # a whole number, and a long one
        return True
    return found.is_integer() or not whole


# --- the address --------------------------------------------------------------------------------


def base_of(state: State, entry: ModelEntry) -> str:
    """Its `api_base`, a reference followed; "" where there is none."""
    written = entry.params.get(entry.base_key)
    return string(
        state.gateway.followed(written or state.gateway.credential(entry).get("api_base"))
    )


def called(state: State, entry: ModelEntry) -> str:
    """The path that LiteLLM calls below the entry's address; "" where it is not known."""
    return state.litellm_facts.routes.get(provider(state, entry), "")


def path_astray(state: State) -> Iterator[Problem]:
    """Addresses below which the path that LiteLLM calls is not there."""
    for entry in state.gateway.entries:
        base = urls.parse(base_of(state, entry))
        if base is None or not chats(state, entry):
            continue
        path, route = base.path.rstrip("/"), called(state, entry)
        written = base_of(state, entry).rstrip("/")
        if wrong := _no_chat_there(state, entry, base):
            yield wrong
            continue
        if base.scheme == "https" and base.loopback:
            what = msg("a server on this machine rarely speaks https")
            hint = msg("write http://, unless it has a certificate")
            yield Problem(what, entry.place(entry.base_key), hint, severity="warning")
        # llama.cpp and other gateways answer without `/v1` too.
        level: Severity = "warning"
        if route == "/api/chat" and path.endswith("/v1"):
            better, level = written.removesuffix("/v1"), severity(state, entry)
        elif route == "/chat/completions" and not path and _has_v1(state, entry, base):
            better = f"{written}/v1"
        else:
            continue
        what = msg(
            "LiteLLM would call `{called}`: write `{bare}`",
            called=v.shown_url(written) + route,
            bare=v.shown_url(better),
        )
        hint = msg("write {url}", url=v.shown_url(better))
        yield Problem(what, entry.place(entry.base_key), hint, severity=level)


def takes_whole(state: State, entry: ModelEntry) -> bool:
    """Whether its address is the whole of what LiteLLM calls, which it takes too.

    With a slash behind it that holds for `/chat/completions` alone (measured).
    """
    known, route = provider(state, entry) in state.litellm_facts.whole_address, called(state, entry)
    base = entry.api_base if route.endswith("/messages") else entry.api_base.rstrip("/")
    return known and base.endswith(route)


def _no_chat_there(state: State, entry: ModelEntry, base: urls.Url) -> Problem | None:
    """An address for the client itself where LiteLLM asks as OpenAI does; or one with a query."""
    written, route = base_of(state, entry).rstrip("/"), called(state, entry)
    better, model, level = "", "", severity(state, entry)
    found, path = provider(state, entry), base.path.rstrip("/")
    root = written.partition("/openai")[0] if found == "azure" else written
    if found == "azure_ai":  # It knows its own addresses: `/anthropic`, `/models`, a version.
        return None
    if (base.query and route) or (root != written and path.endswith(("/openai", "/openai/v1"))):
        better = v.shown_url(root)
    elif route == "/chat/completions" and path:
        native = next((e for e in state.rows.host(written) if urls.same(e.url, written)), None)
        if native is not None and native.kind is None:
            better = native.row.upstream_bases.get(native.region, "")
            better = "" if urls.same(better, written) else better
        if not better and (native or written.endswith(("/v1/messages", "/anthropic"))):
            model = f"anthropic/{entry.model.removeprefix(entry.prefix)}"
            level = level if native or written.endswith("/messages") else "warning"
    if not better and not model:
        return None
    what = msg(
        "LiteLLM would call `{called}`: write `{bare}`",
        called=v.shown_url(written) + ("?…" if base.query else "") + route,
        bare=model or v.shown_url(better),
    )
    hint = msg("write model: {name}", name=model) if model else msg("write {url}", url=better)
    place = entry.place("model" if model else entry.base_key)
    return Problem(what, place, hint, severity=level)


def without_address(state: State) -> Iterator[Problem]:
    """Models that LiteLLM asks OpenAI for, since no address is given, and OpenAI does not have."""
    if any(state.gateway.lookup(name)[0] for name in ("OPENAI_API_BASE", "OPENAI_BASE_URL")):
        return
    for entry in state.gateway.entries:
        name = entry.model.removeprefix(entry.prefix).removeprefix("responses/")
        elsewhere = base_of(state, entry) or entry.params.get("mock_response")
        if entry.prefix != "openai/" or elsewhere or "*" in name:
            continue
        if _OPENAI_NAME.match(name) or name in state.litellm_facts.models.get("openai", ()):
            continue
        what = msg(
            "`{name}` has no `api_base`, so LiteLLM asks api.openai.com for `{model}`",
            name=entry.name,
            model=name,
        )
        hint = msg("add api_base: https://YOUR-SERVER/v1")
        yield Problem(what, entry.place("model"), hint, severity=severity(state, entry))


#: Families of OpenAI's models; newer ones than any list are named alike.
_OPENAI_NAME: Final = re.compile(
    r"(gpt|chatgpt|o\d|codex|computer-use|davinci|babbage|text-|tts|whisper|dall-e|omni|sora|ft:)",
    re.IGNORECASE,
)


#: Others that have their calls there by their own documentation.
_AT_THE_ROOT: Final = ("https://api.deepseek.com", "https://models.inference.ai.azure.com")


def _has_v1(state: State, entry: ModelEntry, base: urls.Url) -> bool:
    """Whether a server at this bare address has its calls below `/v1`, as far as is known."""
    row = state.rows.listed(entry.model, base_of(state, entry))
    known = [urls.parse(b) for b in row.upstream.api_base.values()] if row and row.upstream else []
    known += [*state.litellm_facts.known_endpoints, *map(urls.parse, _AT_THE_ROOT)]
    if any(url and url.host == base.host and not url.path.strip("/") for url in known):
        return False
    return provider(state, entry) in {"openai", "hosted_vllm", "lm_studio", "custom_openai"}
