"""What a rule is, and the few words that many rules share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import ClassVar, Final, Literal

from msgspec import Struct

from haha_config.core import urls
from haha_config.core import variables as v
from haha_config.core.messages import Message
from haha_config.core.model import (
    SLOTS,
    Change,
    Data,
    Fix,
    Place,
    Problem,
    Remove,
    Set,
    Severity,
    plain_name,
)
from haha_config.core.state.file import File
from haha_config.core.state.layers import LayerName
from haha_config.core.state.state import State

#: What a rule must have been able to look at. `client`: any file with the client's variables.
Need = Literal["env", "settings", "client", "litellm", "shell", "machine", "gateway"]

_ONLY: Final[Mapping[str, frozenset[str]]] = {
    "env": frozenset({"env"}),
    "settings": frozenset({"settings"}),
    "client": frozenset({"env", "settings"}),
    "litellm": frozenset({"litellm"}),
}


class Rule:
    """One thing that `validate` checks. The class name is its code.

    `title` is the good state, in the present tense. `why` is for `--explain` and the docs; `how`
    too, where the hints leave something out. `gateway_only`: it compares the client with the
    gateway: skipped on a direct route.
    `requires`: codes of rules without which this one can't tell; where they fail it is skipped.
    `fatal`: with an error of it the client gets no answer; other errors are a danger, not an end.
    """

    #: What people call it, beside the code: `drop-params`.
    name: ClassVar[str]
    title: ClassVar[Message]
    why: ClassVar[Message]
    how: ClassVar[Message | None] = None
    severity: ClassVar[Severity] = "warning"
    needs: ClassVar[frozenset[Need]] = frozenset()
    requires: ClassVar[tuple[str, ...]] = ()
    gateway_only: ClassVar[bool] = False
    fatal: ClassVar[bool] = True
    #: Whether some of its findings can be mended without a choice.
    fixable: ClassVar[bool] = False

    def check(self, state: State) -> Iterable[Problem]:
        raise NotImplementedError


def can_look(rule: type[Rule], state: State) -> bool:
    """Whether what `rule` needs was read, and is there to be judged."""
    return all(_has(need, state) for need in rule.needs)


def _has(need: Need, state: State) -> bool:
    if need == "machine":
        return state.machine is not None
    if need == "shell":
        return not state.only
    if need == "gateway":
        return state.litellm.document is not None
    if state.only and not state.only & _ONLY[need]:
        return False
    return need != "client" or configured(state)


def configured(state: State) -> bool:
    """Whether any file that the client reads is a set-up for an endpoint, not a mere preference.

    An API key alone in `.env` belongs to a program that uses Anthropic's own service.
    """
    return any(
        h.values.get(name)
        for h in holders(state)
        for name in (v.BASE_URL, v.AUTH_TOKEN, *SLOTS.values(), v.API_KEY)
        if name != v.API_KEY or h.layer != "dotenv"
    )


# --- the files that hold the client's variables ----------------------------------------------


class Holder(Struct, frozen=True, kw_only=True):
    """One file's client variables. `ours`: a target, which `--fix` may write."""

    layer: LayerName
    file: File
    root: tuple[str, ...]
    values: Mapping[str, Data]
    ours: bool

    def place(self, name: str) -> Place:
        return self.file.place(*self.root, name)

    def set(self, name: str, value: str) -> Change:
        return Set((*self.root, name), value)

    def remove(self, name: str) -> Change:
        return Remove((*self.root, name))

    def fix(self, *changes: Change) -> tuple[Fix, ...]:
        """The mend of this file; none where it is not ours to write."""
        return (Fix(path=self.file.path, changes=changes),) if self.ours else ()


def holders(state: State) -> tuple[Holder, ...]:
    """Every file that this client reads variables from, strongest first."""
    targets = {state.target.path, state.dotenv.path}
    return tuple(
        Holder(
            layer=layer.name,
            file=file,
            root=layer.root,
            values=layer.values,
            ours=file.path in targets and file.strange is None,
        )
        for layer in state.layers
        if layer.name != "shell" and (file := state.file_of(layer))
    )


def targets(state: State) -> tuple[Holder, ...]:
    """The holders that we write and that hold something of ours already."""
    return tuple(h for h in holders(state) if h.ours and any(name in h.values for name in v.OWNED))


def set_everywhere(state: State, values: Mapping[str, str], held: str = "") -> tuple[Fix, ...]:
    """`values` in every target that holds something of ours, so that no two layers disagree.

    `held`: only in those that hold this variable now.
    """
    files = (h for h in targets(state) if not held or h.values.get(held))
    return tuple(fix for h in files for fix in h.fix(*(h.set(n, x) for n, x in values.items())))


def broken(
    file: File, otherwise: Message | None = None, severity: Severity | None = None
) -> Iterator[Problem]:
    """Why nothing can be known of a file; `otherwise`: the hint where its reader has none."""
    if file.error is not None and not file.rejected:
        hints = file.error.hints
        hint = hints[0] if hints else None if file.snapshot.unreadable else otherwise
        place = file.error.place or Place(path=file.path)
        yield Problem(file.error.what, place, hint, severity=severity)


def spoilt(file: File) -> Iterator[Problem]:
    """What a client passes over as it reads a file, and haha-config does not write."""
    if file.strange is not None:
        place = file.strange.place or Place(path=file.path)
        (hint,) = file.strange.hints
        yield Problem(what=file.strange.what, place=place, hint=hint, severity="warning")


# --- whom the client is meant for ---

#: `inherit` and the client's own aliases are no model names.
ALIASES: Final = frozenset(
    {"inherit", "default", "best", "opus", "sonnet", "haiku", "fable", "opusplan"}
)
ON: Final = frozenset({"1", "true", "yes", "on"})


def chosen_cloud(state: State) -> str | None:
    """The cloud that the client is switched to."""
    return next((v.CLOUDS[name] for name in state.clouds), None)


def calls_loopback(state: State) -> bool:
    """Whether the endpoint is on this machine."""
    url = urls.parse(state.value(v.BASE_URL))
    return url is not None and url.loopback


def stays_home(state: State) -> bool:
    """Whether this client is meant for Anthropic itself, or for a cloud that has its models."""
    if state.clouds:
        return True
    models = (plain_name(model).lower() for model in state.slots.values())
    keys = (state.value(name) for name in v.CREDENTIALS)
    return all(m in ALIASES or m.startswith("claude") for m in models) and all(
        not key or key.startswith("sk-ant-") for key in keys
    )


# --- words that many rules share -------------------------------------------------------------

FIX: Final = "haha-config validate --fix"
INIT: Final = "haha-config init"


def with_fix(
    what: Message,
    place: Place,
    fixes: tuple[Fix, ...],
    otherwise: Message | str | None = None,
    severity: Severity | None = None,
) -> Problem:
    """A problem that `--fix` mends; `otherwise`: the hint where there is no fix."""
    return Problem(what, place, FIX if fixes else otherwise, severity=severity, fixes=fixes)


def where(place: Place) -> str:
    """`path:line`, for a sentence about a second place."""
    return f"{place.path}:{place.line}" if place.line else place.path


def quoted(path: str) -> str:
    """A path as a shell takes it."""
    from shlex import quote

    return quote(path)


def version(text: str) -> tuple[int, ...]:
    """`1.84.0` as numbers; what is no number ends it."""
    return tuple(map(int, takewhile(str.isdecimal, text.split("."))))
