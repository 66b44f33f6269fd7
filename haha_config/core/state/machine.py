"""What this machine showed when it was looked at."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from msgspec import Struct, field

from haha_config.core.model import Place

#: Stands in a folder that is being filled: what is there is no installation yet.
UNFINISHED: Final = ".installing"


class Owner(Struct, frozen=True, kw_only=True):
    """Another tool that writes one of our targets by itself.

    `tool`: `cc-switch`, `claude-code-router`, `lite up`, `lite configure` or `claude-haha`.
    `path` is what it writes, `place` where it is seen to do so; `entry` its own name of the set-up.
    """

    tool: str
    path: str
    place: Place
    entry: str = ""


class Installed(Struct, frozen=True, kw_only=True):
    """A LiteLLM found on this machine, from its metadata. `markers`: files a poisoned one left.

    `proxy`: what `litellm[proxy]` adds is there. `path` is the folder it is installed in.
    `ours`: we installed it. `brought`: it came with the folder of the files, and is never run.
    """

    version: str
    path: str
    proxy: bool = True
    ours: bool = False
    brought: bool = False
    markers: tuple[str, ...] = ()
    #: The first `.env` at or above its installation, which it would load, and the names in it.
    dotenv: str = ""
    dotenv_names: tuple[str, ...] = ()


class Agent(Struct, frozen=True, kw_only=True):
    """A subagent's file that names a model of its own."""

    model: str
    place: Place


def agent_in(path: str, text: str) -> Agent | None:
    """The agent of a `.md` file; None where its front matter names no model."""
    lines = text.removeprefix("\ufeff").splitlines()
    if not lines or lines[0].strip() != "---":
        return None
    for number, line in enumerate(lines[1:], 2):
        name, colon, value = line.partition(":")
        if line.strip() == "---":
            return None
        if colon and name == "model" and (model := value.partition(" #")[0].strip(" \t\"'")):
            column = line.index(model) + 1
            return Agent(model=model, place=Place(path=path, line=number, column=column))
    return None


class Machine(Struct, frozen=True, kw_only=True):
    """What this machine showed when we looked, without a request that costs anything.

    `listening` maps a loopback port that we care about to who answers on it: `litellm`, `ollama`,
    `other`, or "" for nobody.
    """

    today: str
    listening: Mapping[int, str] = field(default_factory=dict)
    litellm: tuple[Installed, ...] = ()
    owners: tuple[Owner, ...] = ()
    agents: tuple[Agent, ...] = ()
    bun: bool | None = None
    packages: bool | None = None
    onboarded: bool | None = None
    primary_api_key: Place | None = None
    journal: bool = False
    windows_home: str = ""
    #: The files that a folder brings, each with the folder; what is agreed to, by folder; where
    #: we stand; what the gateway would get of the shell (None: nobody looked).
    brought: Mapping[str, str] = field(default_factory=dict)
    agreed: Mapping[str, Collection[str]] = field(default_factory=dict)
    here: str = ""
    passed_on: frozenset[str] | None = None
    #: Where the client keeps `hasCompletedOnboarding`.
    client_state: str = ""
    #: From the data list: a version -> what is known of it; and the oldest that is safe.
    compromised: Mapping[str, str] = field(default_factory=dict)
    oldest: str = ""
