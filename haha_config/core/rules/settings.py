"""SET: settings.json, in every layer that this client reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from haha_config.core import variables as v
from haha_config.core.change import beside
from haha_config.core.messages import Message, msg
from haha_config.core.model import (
    Change,
    Data,
    Fix,
    Place,
    Problem,
    Remove,
    Set,
    Severity,
    mapping,
    plain_name,
)
from haha_config.core.providers.decode import closest
from haha_config.core.rules.env import marks
from haha_config.core.rules.rule import (
    INIT,
    Holder,
    Rule,
    broken,
    holders,
    spoilt,
    version,
    where,
    with_fix,
)
from haha_config.core.state import asked
from haha_config.core.state.accepted import Rejected, mend, told
from haha_config.core.state.facts import Documented
from haha_config.core.state.file import IGNORED, File, rejected_place
from haha_config.core.state.layers import LayerName, as_text
from haha_config.core.state.state import State

LAYERS: Final[Mapping[LayerName, Message]] = {
    "managed": msg("managed settings"),
    "flag": msg("`--settings`"),
    "local": msg("local settings"),
    "project": msg("project settings"),
    "active-provider": msg("claude-haha's active provider"),
    "user": msg("user settings"),
}


class SET001(Rule):
    name = "settings-json"
    title = msg("settings.json is JSON that the client reads")
    why = msg("With a trailing comma or a comment the client ignores the whole file.")
    severity = "error"
    needs = frozenset({"settings"})

    def check(self, state: State) -> Iterable[Problem]:
        for _, file in state.settings_files:
            own = file.path == state.target.path
            yield from broken(file, IGNORED, "error" if own else "warning")
            if not file.wide:
                yield from spoilt(file)


class SET002(Rule):
    name = "env-text"
    title = msg("Values in `env` are text")
    why = msg("Older clients crash on a number or a switch in `env`; every client accepts text.")
    needs = frozenset({"settings"})
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        for holder in holders(state):
            for name, value in holder.values.items() if holder.layer != "dotenv" else ():
                if not isinstance(value, str):
                    plain = isinstance(value, bool | int | float)
                    fixes = holder.fix(holder.set(name, as_text(value))) if plain else ()
                    what = msg("`{name}` is not text in quotes", name=name)
                    yield with_fix(what, holder.place(name), fixes, msg("write it in quotes"))


class SET003(Rule):
    name = "duplicate-name"
    title = msg("No name stands twice in one object")
    why = msg("The last one wins: editing another changes nothing.")
    needs = frozenset({"settings"})

    def check(self, state: State) -> Iterable[Problem]:
        for _, file in state.settings_files:
            for oddity in file.oddities:
                if oddity.kind != "duplicate":
                    continue
                names = oddity.name.split(".")
                ours = len(names) == 1 or names[0] == "env"
                what = msg("`{name}` is there twice: only this one counts", name=oddity.name)
                place, hint = oddity.place.of(file.path), msg("delete the other one")
                yield Problem(what, place, hint, severity="warning" if ours else "note")


class SET004(Rule):
    name = "settings-bom"
    title = msg("The file begins without a byte order mark")
    why = msg("Some programs ignore or misread a file that begins with this mark.")
    needs = frozenset({"settings"})
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        file = state.target
        yield from marks(file.path, file.snapshot.data)
        if file.wide:
            what = msg("the file is UTF-16: the client reads it, and few other programs do")
            place = Place(path=file.path, line=1, column=1)
            yield with_fix(what, place, (Fix(path=file.path, bare=True),))


class SET005(Rule):
    name = "shadowed-setting"
    title = msg("No stronger layer or setting overrides the set-up")
    why = msg("Managed, local and project settings beat user settings, variable by variable.")
    needs = frozenset({"client", "settings"})
    requires = ("SET001",)

    def check(self, state: State) -> Iterable[Problem]:
        yield from self._left_out(state)
        yield from self._in_body(state)
        held = holders(state)
        own = next((h for h in held if h.file.path == state.target.path), None)
        if own is None:
            return
        for holder in held[: held.index(own)]:
            if holder.layer == "active-provider":
                continue
            names = tuple(name for name in v.OWNED if _differs(name, holder, own))
            if names:
                yield self._beaten(names, holder, own)

    @staticmethod
    def _beaten(names: tuple[str, ...], holder: Holder, own: Holder) -> Problem:
        """What a stronger layer sets otherwise: one variable with both values, several by name."""
        layer, name = holder.layer, names[0]
        if len(names) > 1:
            path = where(Place(path=own.file.path))
            what = msg(
                "{names} in {layer} beat those in {path}",
                names=names,
                layer=LAYERS[layer],
                path=path,
            )
        else:
            what = msg(
                "`{name}` is `{theirs}` in {layer} and beats `{ours}` in {path}",
                name=name,
                theirs=v.shown(name, as_text(holder.values[name])),
                ours=v.shown(name, as_text(own.values[name])),
                layer=LAYERS[layer],
                path=where(own.place(name)),
            )
        hint = msg(
            "delete it there, or override it for this project: haha-config init --scope local"
        )
        if layer == "managed":
            hint = msg("ask the administrator of this machine")
        elif layer == "local":
            hint = msg("delete it there: no other file that you can write is stronger")
        return Problem(what, holder.place(name), hint)

    @staticmethod
    def _in_body(state: State) -> Iterator[Problem]:
        """Measured: this model beats every other in every request, also those for haiku."""
        forced, found = asked.in_body(state), state.effective(v.EXTRA_BODY)
        if forced and any(plain_name(model) != forced for model in state.slots.values()):
            what = msg("every request asks for `{model}`, whatever is chosen", model=forced)
            hint = msg("delete `model` from {name}", name=v.EXTRA_BODY)
            yield Problem(what, found.place, hint)

    @staticmethod
    def _left_out(state: State) -> Iterator[Problem]:
        place = asked.left_out(state)
        if place is not None and state.value(v.BASE_URL):
            model, other = asked.wanted(state), asked.model(state)
            what = msg(
                "`availableModels` leaves out `{model}`: the client asks for {other}",
                model=model,
                other=f"`{other}`" if other else msg("its own default model"),
            )
            hint = msg('add "{model}" to that list', model=model)
            yield Problem(what, place, hint, severity="warning" if other else "error")


def _differs(name: str, one: Holder, other: Holder) -> bool:
    first, second = one.values.get(name), other.values.get(name)
    return first is not None and second is not None and as_text(first) != as_text(second)


class SET006(Rule):
    name = "unknown-setting"
    title = msg("The client documents the names in settings.json")
    why = msg("The client silently ignores a name that it does not know.")
    how = msg("A name newer than this table is fine.")
    severity = "note"
    needs = frozenset({"settings"})
    requires = ("SET001",)
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        for _, file in state.settings_files:
            groups = tuple(_misplaced(file, state.documented))
            for paths, values in groups:
                yield self._outside(paths, values, file, state, ours=file.path == state.target.path)
            misplaced = {path[0] for paths, _ in groups for path in paths}
            yield from self._in(file, misplaced, state.documented.settings)

    @staticmethod
    def _outside(
        paths: Paths, values: Mapping[str, Data], file: File, state: State, *, ours: bool
    ) -> Problem:
        env = file.data.get("env", {})
        movable = ours and isinstance(env, Mapping) and not any(env.get(n) for n in values)
        movable = movable and all(isinstance(x, str | int | float) for x in values.values())
        moves: tuple[Change, ...] = tuple(Set(("env", n), as_text(x)) for n, x in values.items())
        fix = Fix(path=file.path, changes=(*(Remove(path) for path in paths), *moves))
        needed = v.BASE_URL in values and not state.value(v.BASE_URL)
        what = msg("{names}: the client reads this inside `env` only", names=tuple(values))
        severity: Severity = "error" if needed else "warning"
        fixes, hint = (fix,) if movable else (), msg('move it into "env"')
        return with_fix(what, file.key_place(*paths[0]), fixes, hint, severity)

    @staticmethod
    def _in(file: File, misplaced: Collection[str], settings: Collection[str]) -> Iterator[Problem]:
        unknown = [n for n in file.data if n not in settings and n not in misplaced]
        found = {name: closest(name, sorted(settings), cutoff=0.75) for name in unknown}
        nearest = {name: near[0] for name, near in found.items() if near}
        for name, near in nearest.items():
            what = msg("in no published list of settings: {names}", names=(name,))
            yield Problem(what, file.key_place(name), msg("did you mean `{name}`?", name=near))
        new = tuple(name for name in unknown if name not in nearest)
        if new:
            what = msg("in no published list of settings: {names}", names=new)
            yield Problem(what, file.key_place(new[0]))


Paths: TypeAlias = tuple[tuple[str, ...], ...]


def _misplaced(file: File, known: Documented) -> Iterator[tuple[Paths, Mapping[str, Data]]]:
    """Variables of the client where it does not look for them: the entries, and the variables."""
    top = {
        n: value
        for n, value in file.data.items()
        if n in v.CLIENT or n in known.variables or n.startswith(("ANTHROPIC_", "CLAUDE_"))
    }
    if top:
        yield tuple((name,) for name in top), top
    for name, value in file.data.items():
        if name not in known.settings and set(mapping(value)) & set(v.CLIENT):
            yield ((name,),), mapping(value)
    for name, value in mapping(file.data.get("env")).items():
        if set(mapping(value)) & set(v.CLIENT):
            yield (("env", name),), mapping(value)


class SET007(Rule):
    name = "settings-taken"
    title = msg("The client takes every settings file")
    why = msg("For one wrong value the client ignores the whole file, variables included.")
    severity = "error"
    needs = frozenset({"settings"})

    def check(self, state: State) -> Iterable[Problem]:
        for _, file in state.settings_files:
            held = mapping(file.document.data.get("env") if file.document is not None else None)
            needed = file.path == state.target.path or any(name in held for name in v.OWNED)
            for one, versions in _by_place(file):
                what = msg("{why}: Claude Code ignores this whole file", why=told(one))
                if set(versions) != set(state.known_versions):
                    what = msg(
                        "{why}: Claude Code {versions} ignores this whole file",
                        why=told(one),
                        versions=versions,
                    )
                counts = not state.client_version or state.answers_for in versions
                severity: Severity = "error" if needed and counts else "warning"
                yield Problem(what, rejected_place(file, one), mend(one), severity=severity)


def _by_place(file: File) -> Iterator[tuple[Rejected, tuple[str, ...]]]:
    """Each value that is not taken, as the oldest of the versions has it, and all of them."""
    known: dict[tuple[object, ...], list[tuple[Rejected, str]]] = {}
    for client, values in file.rejected.items():
        for one in values:
            known.setdefault(one.path, []).append((one, client))
    for found in known.values():
        yield found[0][0], tuple(client for _, client in found)


class SET008(Rule):
    name = "managed-settings"
    title = msg("Managed settings let a gateway's credential through")
    why = msg(
        "`forceLoginMethod` and `forceLoginOrgUUID` in managed settings require the client's"
        " own login."
    )
    needs = frozenset({"settings", "client"})

    def check(self, state: State) -> Iterable[Problem]:
        file = state.settings.get("managed")
        for name in ("forceLoginMethod", "forceLoginOrgUUID"):
            if file is not None and mapping(file.data).get(name):
                what = msg("`{name}` makes the client refuse a gateway's credential", name=name)
                yield Problem(what, file.place(name), msg("ask the administrator of this machine"))


class SET009(Rule):
    name = "auto-mode"
    title = msg("A new client asks you before it runs a command")
    why = msg(
        "Since 2.1.330 the client starts in auto mode, in which Anthropic's server checks each"
        " command. On any other endpoint the first command stops the turn."
    )
    how = msg(
        'With `permissions.disableAutoMode: "disable"` the client asks you. `haha-config init'
        " --permissions auto` lets the endpoint's own model decide."
    )
    needs = frozenset({"client", "settings", "shell"})
    requires = ("ENV001", "SET001")
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        if state.client != "claude" or not beside.elsewhere(state.value(v.BASE_URL)):
            return
        mode = beside.held_permissions(state)
        if mode == "auto":
            yield self._approving(state)
        elif mode != "ask" and not state.value(_BETAS) and not _before(state.client_version):
            yield self._stopping(state, chosen=mode == "keep")

    @staticmethod
    def _approving(state: State) -> Problem:
        model = state.slots.get("sonnet") or state.slots.get("main", "")
        what = msg(
            "in auto mode `{model}`, the model for sonnet, approves commands; each costs a request"
            " of about 36,000 tokens",
            model=model,
        )
        hint = msg("to be asked yourself: haha-config init --permissions ask")
        return Problem(what, state.effective(v.AUTO_MODE_SERVER).place, hint, severity="note")

    @staticmethod
    def _stopping(state: State, *, chosen: bool) -> Problem:
        fixes: tuple[Fix, ...] = ()
        if state.target.document is not None and not (chosen or beside.person_wants_auto(state)):
            changes = tuple(beside.permission_changes("ask", state.target, state.owned))
            fixes = (Fix(path=state.target.path, changes=changes),) if changes else ()
        what = msg(
            "since 2.1.330 the client stops at its first command with `Auto mode can't check"
            " actions in this session`"
        )
        place, ask = Place(path=state.target.path), f"{INIT} --permissions ask"
        return with_fix(what, place, fixes, ask, "note" if chosen else "warning")


def _before(client: str) -> bool:
    """Whether a client is known to be older than auto mode as its default."""
    return bool(version(client)) and version(client) < (2, 1, 330)


#: Turns auto mode off with all else that is new.
_BETAS: Final = "CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS"
