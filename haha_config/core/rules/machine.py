"""SYS: what this machine shows, without a request that costs anything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from haha_config.core import urls
from haha_config.core import variables as v
from haha_config.core.messages import Message, msg
from haha_config.core.model import Place, Problem
from haha_config.core.rules.rule import INIT, Rule, quoted, version
from haha_config.core.state.machine import Installed, Machine
from haha_config.core.state.state import State


class MachineRule(Rule):
    """A rule that looks at the machine alone."""

    needs = frozenset({"machine"})

    def check(self, state: State) -> Iterable[Problem]:
        return () if state.machine is None else self.look(state, state.machine)

    def look(self, state: State, machine: Machine) -> Iterable[Problem]:
        raise NotImplementedError


class SYS001(MachineRule):
    name = "write-cut-off"
    title = msg("No write was cut off")
    why = msg("Some files may be new and others old.")
    severity = "error"
    fatal = False

    def look(self, state: State, machine: Machine) -> Iterable[Problem]:  # noqa: ARG002
        if machine.journal:
            what = msg("a write was cut off: some files may be new and others old")
            yield Problem(what, Place(), "haha-config undo --recover")


class SYS002(MachineRule):
    name = "nothing-listens"
    title = msg("Something listens where the client calls")
    why = msg("The endpoint is on this machine, and nothing answers on its port.")

    def look(self, state: State, machine: Machine) -> Iterable[Problem]:
        found = state.effective(v.BASE_URL)
        url = urls.parse(found.value or "")
        if url is None or not url.loopback or machine.listening.get(url.port, "?"):
            return
        what = msg("nothing listens on port {port} of this machine", port=url.port)
        yield Problem(what, found.place, self._hint(state, machine))

    @staticmethod
    def _hint(state: State, machine: Machine) -> Message | str:
        if state.route == "litellm":
            can_run = any(not found.brought for found in machine.litellm)
            return "haha-config proxy up" if can_run else "haha-config proxy install"
        owner = next((o for o in machine.owners if o.tool == "claude-code-router"), None)
        if owner is not None:
            return "ccr start"
        endpoint = state.rows.at(state.value(v.BASE_URL))
        if endpoint is not None and endpoint.row.start:
            return endpoint.row.start
        if _is_cc_switch(state):
            return msg("start cc-switch's proxy, or: haha-config init")
        return msg("start the program that answers there, or: haha-config init")


def _is_cc_switch(state: State) -> bool:
    """Whether the client was pointed at cc-switch's own proxy."""
    from haha_config.core.imports import cc_switch

    held = (state.value(name) for name in v.CREDENTIALS)
    return cc_switch.is_proxy(state.value(v.BASE_URL)) or any(map(cc_switch.is_stand_in, held))


class SYS003(MachineRule):
    name = "other-program"
    title = msg("The program on the gateway's port is the gateway")
    why = msg("Another program took the port and gets the client's requests.")

    def look(self, state: State, machine: Machine) -> Iterable[Problem]:
        found = state.effective(v.BASE_URL)
        url = urls.parse(found.value or "")
        if url is None or not url.loopback or state.route != "litellm":
            return
        who = machine.listening.get(url.port, "")
        if who not in {"", "litellm"}:
            what = (
                msg("port {port} is Ollama's, not the gateway's", port=url.port)
                if who == "ollama"
                else msg("another program than LiteLLM answers on port {port}", port=url.port)
            )
            hint = f"{INIT} --provider litellm --port {url.port + 100}"
            yield Problem(what, found.place, hint)


class SYS004(MachineRule):
    name = "litellm-poisoned"
    title = msg("The installed LiteLLM is not a poisoned release")
    why = msg("Some releases on the package index held code that steals keys when Python starts.")
    how = msg("Remove that environment, install a safe version, and replace all its keys.")
    severity = "error"
    fatal = False

    def look(self, state: State, machine: Machine) -> Iterable[Problem]:  # noqa: ARG002
        for found in machine.litellm:
            if found.version in machine.compromised:
                what = msg(
                    "LiteLLM {version} was poisoned ({about}): replace every key that it saw",
                    version=found.version,
                    about=machine.compromised[found.version],
                )
                yield _installed(found, what)
            elif found.markers:
                what = msg("files of a poisoned LiteLLM are here: {files}", files=found.markers)
                yield _installed(found, what)


def _installed(found: Installed, what: Message) -> Problem:
    return Problem(what, Place(path=found.path), "haha-config proxy install")


class SYS005(MachineRule):
    name = "litellm-old"
    title = msg("The installed LiteLLM has the known holes closed")
    why = msg("Older versions can be taken over by a request.")

    def look(self, state: State, machine: Machine) -> Iterable[Problem]:  # noqa: ARG002
        for found in machine.litellm:
            old = bool(machine.oldest) and version(found.version) < version(machine.oldest)
            if old and found.version not in machine.compromised:
                what = msg(
                    "LiteLLM {version} has known security holes; {oldest} has none",
                    version=found.version,
                    oldest=machine.oldest,
                )
                yield _installed(found, what)


class SYS006(MachineRule):
    name = "bun"
    title = msg("Bun is installed for claude-haha")
    why = msg("claude-haha runs on Bun.")

    def look(self, state: State, machine: Machine) -> Iterable[Problem]:
        if state.checkout and machine.bun is False:
            what = msg("`bun` is not on the PATH, and claude-haha needs it")
            yield Problem(what, Place(path=state.folder), "npm install --global bun")


class SYS007(MachineRule):
    name = "packages"
    title = msg("The packages of claude-haha are installed")
    why = msg("Without `node_modules` the client stops at its first import.")

    def look(self, state: State, machine: Machine) -> Iterable[Problem]:
        if state.checkout and machine.packages is False:
            what = msg("the packages of claude-haha are not installed")
            hint = f"cd {quoted(state.folder)} && bun install"
            yield Problem(what, Place(path=state.folder), hint)


class SYS008(MachineRule):
    name = "first-run"
    title = msg("The client's first-run questions are answered")
    why = msg(
        "At its first start the client does not read a folder's settings: with the endpoint in"
        " these alone it asks for an Anthropic login."
    )
    severity = "note"

    def look(self, state: State, machine: Machine) -> Iterable[Problem]:
        if machine.onboarded is not False or not state.value(v.BASE_URL):
            return
        if any(layer.values.get(v.BASE_URL) for layer in state.layers if layer.name not in _FOLDER):
            path = machine.client_state
            what = msg("at its first start the client asks a few questions")
            hint = msg(
                'if it asks for a login, add "hasCompletedOnboarding": true to {path}', path=path
            )
            yield Problem(what, Place(path=path), hint)
        else:
            what = msg(
                "the client's first start reads no settings of a folder: it asks for an Anthropic"
                " login, or stops where api.anthropic.com is out of reach"
            )
            place = state.effective(v.BASE_URL).place
            yield Problem(what, place, f"{INIT} --scope user", severity="warning")


#: Layers that the client reads once it trusts the folder.
_FOLDER: Final = ("local", "project")


class SYS009(MachineRule):
    name = "windows-and-wsl"
    title = msg("One of Windows and WSL holds the client's settings")
    why = msg("A client under Windows reads other files than one under WSL.")
    severity = "note"

    def look(self, state: State, machine: Machine) -> Iterable[Problem]:
        if machine.windows_home:
            home = machine.windows_home
            what = msg("a client under Windows reads other settings, in {path}", path=home)
            hint = msg("run haha-config on the side where you start the client")
            yield Problem(what, Place(path=state.target.path), hint)


class SYS010(MachineRule):
    name = "litellm-proxy"
    title = msg("The installed LiteLLM can run as a proxy")
    why = msg("`pip install litellm` leaves out what the proxy needs.")

    def look(self, state: State, machine: Machine) -> Iterable[Problem]:
        found = machine.litellm if state.route == "litellm" else ()
        if found and not any(one.proxy for one in found):
            yield _installed(found[0], msg("this LiteLLM was installed without its proxy part"))
