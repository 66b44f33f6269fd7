"""OWN: another tool owns a file of ours and will write over it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from haha_config.core.messages import Message, msg
from haha_config.core.model import Problem
from haha_config.core.rules.rule import Rule
from haha_config.core.state.machine import Owner
from haha_config.core.state.state import State


class OwnedBy(Rule):
    """One other tool; `tools` are its names in `Machine.owners`."""

    needs = frozenset({"machine"})
    tools: ClassVar[frozenset[str]]

    def check(self, state: State) -> Iterable[Problem]:
        for owner in state.machine.owners if state.machine else ():
            if owner.tool in self.tools:
                yield self.problem(owner)

    def problem(self, owner: Owner) -> Problem:
        raise NotImplementedError


def _named(owner: Owner) -> Message:
    return msg("`{name}`", name=owner.entry) if owner.entry else msg("a provider")


class OWN001(OwnedBy):
    name = "cc-switch"
    title = msg("cc-switch does not manage this settings.json")
    why = msg("cc-switch rewrites the whole file at every switch.")
    tools = frozenset({"cc-switch"})

    def problem(self, owner: Owner) -> Problem:
        what = msg(
            "cc-switch has {entry} active: at its next switch it writes over {path}",
            entry=_named(owner),
            path=owner.path,
        )
        hint = msg("switch there, or quit cc-switch and remove its current provider")
        return Problem(what, owner.place, hint)


class OWN002(OwnedBy):
    name = "claude-code-router"
    title = msg("claude-code-router has not taken this settings.json over")
    why = msg("claude-code-router points the client at itself whenever it starts.")
    tools = frozenset({"claude-code-router"})

    def problem(self, owner: Owner) -> Problem:
        what = msg("claude-code-router has pointed the client at itself in {path}", path=owner.path)
        return Problem(what, owner.place, "ccr stop")


class OWN003(OwnedBy):
    name = "lite"
    title = msg("LiteLLM's own `lite` does not manage this settings.json")
    why = msg("`lite up` and `lite configure` keep a receipt and restore what was there.")
    tools = frozenset({"lite up", "lite configure"})

    def problem(self, owner: Owner) -> Problem:
        tool, path = owner.tool, owner.path
        what = msg("`{tool}` has written {path} and will restore it", tool=tool, path=path)
        command = "lite down" if tool == "lite up" else "lite unconfigure claude"
        return Problem(what, owner.place, command)


class OWN004(OwnedBy):
    name = "active-provider"
    title = msg("claude-haha has no active provider of its own")
    why = msg("An active provider in claude-haha's settings beats user settings and `.env`.")
    tools = frozenset({"claude-haha"})

    def problem(self, owner: Owner) -> Problem:
        what = msg(
            "claude-haha has {entry} active, which beats {path} and `.env`",
            entry=_named(owner),
            path=owner.path,
        )
        return Problem(what, owner.place, msg("deactivate it in claude-haha: Settings, Providers"))
