"""The rules: one small class each, grouped by what they look at, and the run over them.

A family's module is imported when one of its rules is asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from importlib import import_module
from typing import Final

from haha_config.core import variables as v
from haha_config.core.errors import Usage
from haha_config.core.messages import Message, msg
from haha_config.core.model import Finding, Problem, Severity
from haha_config.core.rules.rule import Rule, can_look
from haha_config.core.state.state import State

__all__ = ["FAMILIES", "Rule", "code_of", "codes", "every", "find", "run"]

#: Family -> what it is about.
FAMILIES: Final[dict[str, Message]] = {
    "ENV": msg("The client's variables and the `.env` that holds them"),
    "SET": msg("settings.json, in every place"),
    "URL": msg("The endpoint"),
    "KEY": msg("Credentials"),
    "MOD": msg("Models"),
    "LLM": msg("LiteLLM's files"),
    "SYS": msg("This machine"),
    "OWN": msg("Other tools that write the same files"),
}
#: Family -> the module that has its rules. None has the name of a builtin: a submodule
#: becomes a name of this package.
_MODULES: Final[dict[str, str]] = {
    "ENV": "env",
    "SET": "settings",
    "URL": "url",
    "KEY": "key",
    "MOD": "models",
    "LLM": "litellm",
    "SYS": "machine",
    "OWN": "other_tools",
}
_RANK: Final[dict[Severity, int]] = {"note": 0, "warning": 1, "error": 2}


def code_of(rule: type[Rule]) -> str:
    return rule.__name__


def family(name: str) -> tuple[type[Rule], ...]:
    """The rules of one family, in the order of their codes."""
    module = import_module(f"haha_config.core.rules.{_MODULES[name]}")
    names = sorted(n for n in vars(module) if n.startswith(name) and n[3:].isdigit())
    return tuple(getattr(module, code) for code in names)


def every() -> Iterator[type[Rule]]:
    """All rules, by family."""
    for name in FAMILIES:
        yield from family(name)


def codes() -> list[str]:
    return [code_of(rule) for rule in every()]


def find(code: str) -> type[Rule]:
    """The rule of a code or a name, in any case of letters; a usage error names the nearest."""
    wanted = code.upper()
    if wanted[:3] in FAMILIES:
        for rule in family(wanted[:3]):
            if code_of(rule) == wanted:
                return rule
    by_name = {rule.name: rule for rule in every()}
    if code.lower() in by_name:
        return by_name[code.lower()]
    from haha_config.core.providers.decode import did_you_mean

    raise Usage(
        msg("there is no rule `{code}`", code=code),
        hints=(*did_you_mean(code, (*codes(), *by_name)), "haha-config validate --list"),
    )


def chosen(select: Collection[str], ignore: Collection[str]) -> list[type[Rule]]:
    """The rules that `--select` and `--ignore` leave; each takes codes or families."""
    wanted = {_known(c) for c in select} or set(FAMILIES)
    unwanted = {_known(c) for c in ignore}
    return [
        rule
        for name in FAMILIES
        if any(w[:3] == name for w in wanted) and name not in unwanted
        for rule in family(name)
        if (name in wanted or code_of(rule) in wanted) and code_of(rule) not in unwanted
    ]


def _known(code: str) -> str:
    return code.upper() if code.upper() in FAMILIES else code_of(find(code))


def run(state: State, select: Collection[str] = (), ignore: Collection[str] = ()) -> list[Finding]:
    """Every finding, by file and line. Raises Usage for a code that there is not."""
    runner = Run(state)
    found = [f for rule in chosen(select, ignore) for f in runner.findings(rule)]
    settings = (file for _, file in state.settings_files)
    files = (*settings, state.dotenv, state.litellm, state.litellm_env)
    order = {file.path: rank for rank, file in enumerate(files)}
    return sorted(found, key=lambda f: _position(f, order))


class Run:
    """One pass: each rule is asked once, whoever requires it."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.asked: dict[str, tuple[Problem, ...] | None] = {}

    def problems(self, rule: type[Rule]) -> tuple[Problem, ...] | None:
        """None: skipped, since it can't tell."""
        code = code_of(rule)
        if code not in self.asked:
            self.asked[code] = self._ask(rule)
        return self.asked[code]

    def _ask(self, rule: type[Rule]) -> tuple[Problem, ...] | None:
        elsewhere = rule.gateway_only and self.state.route != "litellm"
        if elsewhere or not can_look(rule, self.state):
            return None
        if any(self._stands_in_the_way(find(code)) for code in rule.requires):
            return None
        return tuple(rule().check(self.state))

    def _stands_in_the_way(self, required: type[Rule]) -> bool:
        """Whether a required rule found more than a note, and nothing milder than is its way."""
        problems = self.problems(required) or ()
        least = max(1, _RANK[required.severity])
        return any(_RANK[p.severity or required.severity] >= least for p in problems)

    def findings(self, rule: type[Rule]) -> Iterator[Finding]:
        code, state = code_of(rule), self.state
        # Where the client goes elsewhere, nothing in LiteLLM's files can stop it.
        unused = state.route == "direct" and bool(state.value(v.BASE_URL))
        capped = code.startswith("LLM") and unused
        for problem in self.problems(rule) or ():
            severity = problem.severity or rule.severity
            yield Finding(
                code=code,
                severity="note" if capped and _RANK[severity] else severity,
                place=problem.place,
                what=problem.what,
                hint=problem.hint,
                fixes=problem.fixes,
            )


def _position(f: Finding, order: dict[str, int]) -> tuple[int, str, int, int, str]:
    place = f.place
    rank = order.get(place.path, len(order) if place.path else len(order) + 1)
    return (rank, place.path, place.line or 0, place.column or 0, f.code)
