"""What a version of the client sends, from the record of it (`templates/facts/wire-*.json`).

The record holds the shape of a request and the length of each of its sentences; here the lengths
become sentences of our own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from haha_config.core.model import Data, from_json, mapping

#: Stands for the client's own words. It says nothing that a model would act on.
_SENTENCE: Final = "This line is as long as a line of the client and means nothing. "
#: The parts of the shape that the record tells by name beside members of the body and betas.
CACHING: Final = "cache_control"
SYSTEM_ROLE: Final = "system role"
DISPLAY: Final = "thinking.display"
DEFERRED: Final = "defer_loading"
#: The variable that says how long an answer may be.
OUTPUT: Final = "CLAUDE_CODE_MAX_OUTPUT_TOKENS"


class Wire(Struct, frozen=True, kw_only=True):
    """The first message of a session, as one version of the client sends it.

    `switches`: by `NAME=value`, what a variable changes. `survives`: the parts without which the
    client goes on by itself after a refusal. `asks_again`: the statuses after which it tries once
    more. `forgives`: what it lives with in a stream.
    """

    version: str
    headers: Mapping[str, str]
    betas: tuple[str, ...]
    body: Mapping[str, Data]
    tools: tuple[Mapping[str, Data], ...]
    switches: Mapping[str, Mapping[str, Data]] = field(default_factory=dict)
    survives: frozenset[str] = frozenset()
    asks_again: frozenset[int] = frozenset()
    forgives: frozenset[str] = frozenset()
    caching: bool = True
    system_role: bool = True
    #: The same without a search for tools, where there is one.
    unsearched: Wire | None = None

    def without(self, parts: Sequence[str]) -> Wire:
        """The same without these parts: betas, members of the body, or one of the named ones."""
        if self.unsearched is not None and DEFERRED in parts:
            return self.unsearched.without(parts)
        body = {name: value for name, value in self.body.items() if name not in parts}
        if DISPLAY in parts:
            body["thinking"] = {k: v for k, v in body["thinking"].items() if k != "display"}
        return replace(
            self,
            body=body,
            betas=tuple(beta for beta in self.betas if beta not in parts),
            caching=self.caching and CACHING not in parts,
            system_role=self.system_role and SYSTEM_ROLE not in parts,
        )

    def with_switch(self, switch: str) -> Wire:
        """The same where `NAME=value` is set."""
        if switch == NO_SEARCH and self.unsearched is not None:
            return self.unsearched
        name, _, value = switch.partition("=")
        change = self.switches.get(switch, {})
        if name == OUTPUT:
            change = {"body": {"max_tokens": int(value)}}
        body = {**self.body, **change.get("body", {})}
        kept = (beta for beta in self.betas if beta not in change.get("gone", ()))
        return replace(
            self,
            body={name: value for name, value in body.items() if value is not None},
            betas=(*kept, *change.get("new", ())),
            caching=self.caching and not change.get("uncached"),
            unsearched=self.unsearched and self.unsearched.with_switch(switch),
        )

    def switch_without(self, parts: Sequence[str]) -> str:
        """The variable that makes the client leave out each of these parts; "" where none does."""
        for switch in self.switches:
            if all(_has(self, part) and not _has(self.with_switch(switch), part) for part in parts):
                return switch
        return ""


#: For a request that is no client's.
UNKNOWN: Final = Wire(version="", headers={}, betas=(), body={}, tools=())


def _has(wire: Wire, part: str) -> bool:
    if part == CACHING:
        return wire.caching
    if part == DEFERRED:
        return any(DEFERRED in tool for tool in wire.tools)
    return part in wire.body or part in wire.betas


def parse(text: str, mode: str) -> Wire:
    """The record of one version in one of its modes: `print`, `interactive`, `automatic`.

    `print search` and `interactive search`: the same with most tools kept back.
    """
    data: Mapping[str, Any] = json.loads(text)
    sent = data["modes"][mode]
    return Wire(
        version=data["client"],
        headers=sent["headers"],
        betas=tuple(sent["betas"]),
        body=sent["body"],
        tools=tuple(data["tools"][number] for number in sent["tools"]),
        switches={name: change for name, change in data["switches"].items() if change},
        survives=frozenset(data["survives"]),
        asks_again=frozenset(data["asks_again"]),
        forgives=frozenset(data["forgives"]),
    )


#: Whether the client keeps most tools back until the model searches for them.
SEARCH: Final = "ENABLE_TOOL_SEARCH"
NO_SEARCH: Final = f"{SEARCH}=false"
#: With one of these it does not, whatever that variable says (measured).
_ALL_TOOLS: Final = ("CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS", "CLAUDE_CODE_SIMPLE")


def effective(text: str, mode: str, value: Callable[[str], str]) -> Wire:
    """The record of one version in this mode, where the client's variables have these values."""
    wire = as_set(parse(text, mode), value)
    if not _searches(json.loads(text)["searches"], value):
        return wire
    searching = as_set(parse(text, f"{mode} search"), value)
    return replace(searching, unsearched=wire, switches={**searching.switches, NO_SEARCH: {}})


def _searches(measured: Mapping[str, bool], value: Callable[[str], str]) -> bool:
    if any(_is_set(value(name), "1") for name in _ALL_TOOLS):
        return False
    said = value(SEARCH).strip().lower()
    # A number behind `auto:` is a share of the window, and the tools are smaller than that.
    return measured[said if said in measured else "auto" if "auto:" in said else "true"]


def as_set(wire: Wire, value: Callable[[str], str]) -> Wire:
    """The shape where the client's variables have these values."""
    for switch in wire.switches:
        name, _, setting = switch.partition("=")
        if _is_set(value(name), setting):
            wire = wire.with_switch(switch)
    body = dict(wire.body)
    effort = value("CLAUDE_CODE_EFFORT_LEVEL").strip()
    if effort and effort != "auto" and "output_config" in body:
        body["output_config"] = {"effort": effort}
    if (limit := value(OUTPUT).strip()).isdigit():
        body["max_tokens"] = int(limit)
    own = tuple(beta.strip() for beta in value("ANTHROPIC_BETAS").split(",") if beta.strip())
    return replace(
        wire,
        body={**body, **mapping(from_json(value("CLAUDE_CODE_EXTRA_BODY")))},
        betas=(*wire.betas[:-1], *own, *wire.betas[-1:]),
    )


def _is_set(value: str, setting: str) -> bool:
    """Whether a variable has this value; any word for yes is `1`."""
    if setting == "1":
        return value.strip().lower() not in ("", "0", "false", "no", "off")
    return value.strip().lower() == setting


# --- sentences for lengths --------------------------------------------------------------------


def filled(value: Data, at_most: int | None = None) -> Data:
    """The same with a sentence for each length, cut off where it is longer than `at_most`."""
    if isinstance(value, Mapping):
        length = value.get("filler")
        if len(value) == 1 and isinstance(length, int):
            return sentence(length if at_most is None else min(length, at_most))
        return {name: filled(part, at_most) for name, part in value.items()}
    if isinstance(value, list):
        return [filled(part, at_most) for part in value]
    return value


def sentence(length: int, start: str = "") -> str:
    """Text of this length, at least `start`."""
    missing = max(0, length - len(start))
    return start + (_SENTENCE * (missing // len(_SENTENCE) + 1))[:missing]


def uncached(value: Data) -> Data:
    """The same without any `cache_control`."""
    if isinstance(value, Mapping):
        return {name: uncached(part) for name, part in value.items() if name != CACHING}
    if isinstance(value, list):
        return [uncached(part) for part in value]
    return value
