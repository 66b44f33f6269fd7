"""What the client asks its endpoint for: the model's name as it goes out, and what stops it.

Measured with both known versions; `tests/e2e/test_layers.py` compares.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, Literal

from haha_config.core import headers
from haha_config.core import variables as v
from haha_config.core.messages import Message, msg
from haha_config.core.model import SLOTS, Place, Slot, from_json, mapping, plain_name
from haha_config.core.state.state import State

#: A name that stands for a slot's model. In `-p`, and until it plans, opusplan is sonnet.
_ALIASES: Final[Mapping[str, Slot | Literal["best"]]] = {
    "best": "best",
    "opus": "opus",
    "sonnet": "sonnet",
    "haiku": "haiku",
    "fable": "fable",
    "opusplan": "sonnet",
}


#: Old names that the client takes for `opus`, unless this variable is set.
_OLD_OPUS: Final = re.compile(r"claude-opus-4-(0|1|20250514|1-20250805)")
_KEEPS_OLD: Final = "CLAUDE_CODE_DISABLE_LEGACY_MODEL_REMAP"


def model(state: State) -> str:
    """The name that goes out, without `[1m]`; "" where the client takes its own default."""
    if forced := in_body(state):
        return forced
    name = wanted(state)
    if name is None or not _let_through(name, state):
        # 2.1.332 takes a listed word like `sonnet` for Anthropic's model of that name (measured).
        word = _chosen(state).strip().lower().removesuffix("[1m]")
        if word in _ALIASES and word in _allowed(state) and not like_197(state):
            return ""
        name = plain_name(state.value(SLOTS["opus"]))
    return overridden(name, state)


def in_body(state: State) -> str:
    """The model in CLAUDE_CODE_EXTRA_BODY, which is in every request; "" where there is none."""
    name = mapping(from_json(state.value(v.EXTRA_BODY))).get("model")
    return name if isinstance(name, str) else ""


def overridden(name: str, state: State) -> str:
    """What `modelOverrides` puts in the place of a model of Anthropic's; not for 2.1.197."""
    tables = (file.data.get("modelOverrides") for _, file in state.settings_files)
    if not like_197(state) and name.startswith("claude-"):
        for table in tables:
            if isinstance(table, Mapping) and isinstance(other := table.get(name), str) and other:
                return other
    return name


def like_197(state: State) -> bool:
    """Whether the client behaves as 2.1.197, from which claude-haha comes."""
    return state.client == "haha" or state.answers_for == "2.1.197"


def is_old_opus(name: str, state: State) -> bool:
    """Whether the client takes this name for `opus`."""
    old = _OLD_OPUS.fullmatch(plain_name(name).lower())
    return old is not None and not state.value(_KEEPS_OLD)


def wanted(state: State) -> str | None:
    """The model that is chosen, whether it is let through or not; None where none is."""
    chosen = _chosen(state)
    slot = _ALIASES.get(chosen.strip().lower().removesuffix("[1m]"))
    if is_old_opus(chosen, state):
        slot = "opus"
    if slot == "best":
        fable = "fable" in state.slots and not state.does("best_opus")
        slot = "fable" if fable else "opus"
    return plain_name(state.value(SLOTS[slot]) if slot else chosen) if chosen else None


def left_out(state: State) -> Place | None:
    """Where `availableModels` leaves out the model that is chosen."""
    name = wanted(state)
    if not name or name == model(state) or _let_through(name, state):
        return None
    lists = (f for _, f in state.settings_files if isinstance(f.data.get("availableModels"), list))
    return next((file.place("availableModels") for file in lists), None)


def _let_through(name: str, state: State) -> bool:
    allowed = tuple(_allowed(state))
    return not allowed or any(_lets(one, name) for one in allowed)


def _chosen(state: State) -> str:
    """ANTHROPIC_MODEL, else the strongest `model` key, else the newer variable for a default."""
    keys = (file.data.get("model") for _, file in state.settings_files)
    key = next((k for k in keys if isinstance(k, str)), "")
    newer = state.value("ANTHROPIC_DEFAULT_MODEL") if state.does("default_model") else ""
    return state.value(SLOTS["main"]) or key or newer


def _allowed(state: State) -> Iterator[str]:
    """`availableModels` of all layers; an empty list lets nothing but the default through.

    So it is where an administrator's settings do not parse, and the client starts all the same.
    """
    managed = [file for layer, file in state.settings_files if layer == "managed" and file.exists]
    if managed and all(file.error is not None for file in managed):
        yield ""
    for _, file in state.settings_files:
        names = file.data.get("availableModels")
        if isinstance(names, list):
            yield ""
            yield from (str(name) for name in names)


def _lets(entry: str, name: str) -> bool:
    """An entry lets through the model of its name, and those that begin with it and a dash."""
    plain, lower = plain_name(entry).lower(), name.lower()
    return bool(plain) and (lower == plain or lower.startswith(f"{plain}-"))


def silent(state: State, *, logged_in: bool) -> tuple[Message, Place] | None:
    """Why the client sends nothing at all, and where; None where it sends.

    `logged_in`: it has a credential of its own, from `/login`.
    """
    for layer, file in state.settings_files:
        if layer == "managed" and file.error is not None and state.does("strict_managed"):
            return msg("the client does not start: managed settings do not parse"), file.place()
    held = state.effective(v.HEADERS)
    for name, value in headers.pairs(held.value or ""):
        if not (headers.is_name(name) and headers.is_value(value)):
            what = msg("`{name}` holds a header that can't be sent", name=v.HEADERS)
            return what, held.place
    variables = (v.AUTH_TOKEN, v.API_KEY, "CLAUDE_CODE_OAUTH_TOKEN")
    helper = any(file.data.get("apiKeyHelper") for _, file in state.settings_files)
    custom = headers.value(held.value or "", headers.KEY)
    if logged_in or helper or custom or any(state.value(name) for name in variables):
        return None
    return msg("the client has no login and no credential"), Place()
