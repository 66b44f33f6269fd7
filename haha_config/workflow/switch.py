"""Which names a set-up answers to, what depends on the model, and how a move is said."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce

from msgspec.structs import replace

from haha_config.core import urls
from haha_config.core import variables as v
from haha_config.core.change import plan as plans
from haha_config.core.errors import Usage
from haha_config.core.messages import Message, msg
from haha_config.core.model import SLOTS, Slot, plain_name
from haha_config.core.providers.decode import did_you_mean
from haha_config.core.providers.model import Model
from haha_config.core.state import configured, layers
from haha_config.core.state.configured import CurrentSetup
from haha_config.core.state.layers import LayerName
from haha_config.core.state.state import State
from haha_config.io import report
from haha_config.io.loopback import Servers
from haha_config.workflow import menu


def limits(
    after: Mapping[Slot, str],
    held: CurrentSetup,
    state: State,
    servers: Servers,
    least: int | None = None,
) -> dict[str, str | None]:
    """The variables that depend on the models: the smallest known limits; None takes one out.
    `least` is the smallest window of what `/model` offers.
    """
    models = _models(after.values(), held, state)
    sizes = [m.context for m in models if m.context]
    sizes += menu.windows(replace(held, slots=after), state.providers, servers)
    if sizes and least:
        sizes.append(least)
    if not sizes:
        sizes.append(_unknown(after, state))
    found: dict[str, str | None] = {v.MAX_CONTEXT: str(min(sizes))}
    least = plans.least_output(models)
    if least is not None:
        found[v.MAX_OUTPUT] = str(least)
    elif state.value(v.MAX_OUTPUT) == str(
        plans.least_output(_models(state.slots.values(), held, state))
    ):
        # It was there for a model that is left.
        found[v.MAX_OUTPUT] = None
    for name in (v.MAX_OUTPUT, v.COMPACT_WINDOW):
        asked = [m.env[name] for m in models if name in m.env]
        if asked:
            found[name] = min(asked, key=int)
    return found


def _unknown(after: Mapping[Slot, str], state: State) -> int:
    """The window where nobody knows it: what the person gave, if the same models are asked."""
    held = v.whole(state.value(v.MAX_CONTEXT))
    if held and set(after.values()) <= set(state.slots.values()):
        return held
    report.talk(
        msg(
            "the context window of {names} is not known: {n} tokens are written",
            names=tuple(dict.fromkeys(after.values())),
            n=f"{menu.ASSUMED:,}",
        )
    )
    return menu.ASSUMED


def _models(names: Iterable[str], held: CurrentSetup, state: State) -> list[Model]:
    """What the table knows of these models, and of those that stand in for them."""
    own = {plain_name(name) for name in names}
    own |= {other for name in own for other in state.fallbacks_of(name)}
    found = (configured.model_of(name, held, state.providers) for name in own)
    return [model for model in found if model is not None]


def known_models(state: State, held: CurrentSetup) -> tuple[str, ...]:
    """The names that the endpoint is known to answer to, without asking it."""
    if held.own_gateway:
        return tuple(state.gateway.by_name)
    row = state.providers.get(held.provider)
    listed = (*row.slots.values(), *(m.id for m in row.models)) if row is not None else ()
    return tuple(dict.fromkeys((*state.slots.values(), *listed)))


def moved(
    before: Mapping[Slot, str], after: Mapping[Slot, str], state: State | None = None
) -> Message | None:
    """`qwen3-coder:30b → gpt-oss:20b (all models), 131K, tools`; None where no model changed.

    `state` knows the new models: without it nothing is said of them.
    """
    moves: dict[str, list[tuple[str, Slot]]] = {}
    for slot in SLOTS:
        old, new = before.get(slot, ""), after.get(slot, "")
        if old != new:
            moves.setdefault(plain_name(new), []).append((old, slot))
    said = [_move(new, found, after, state) for new, found in moves.items()]
    if not said:
        return None
    return reduce(lambda one, other: msg("{one}; {other}", one=one, other=other), said)


def _move(
    new: str, found: Sequence[tuple[str, Slot]], after: Mapping[Slot, str], state: State | None
) -> Message:
    slots = tuple(slot for _, slot in found)
    olds = dict.fromkeys(old for old, _ in found)
    if {plain_name(old) for old in olds} != {new}:
        # With and without [1m] it is one model.
        olds = olds if len(olds) == 1 else dict.fromkeys(plain_name(old) for old in olds)
    news = {after.get(slot, "") for slot in slots}
    more = ""
    if state is not None:
        from haha_config.workflow.listing import tokens

        known = configured.model_of(new, configured.read(state), state.providers)
        facts = (tokens(known.context), "tools" if known.tools else "") if known else ()
        more = "".join(f", {fact}" for fact in facts if fact)
    return msg(
        "{old} → {new} ({which}){more}",
        old=tuple(old or msg("none") for old in olds),
        new=(news.pop() if len(news) == 1 else new) or msg("none"),
        which=msg("all models") if len(slots) == len(SLOTS) else msg("{slots}", slots=slots),
        more=more,
    )


def overridden(
    state: State,
    wanted: Mapping[str, str],
    command: Callable[[LayerName], Message | str],
    *,
    as_json: bool,
) -> list[Message]:
    """What stronger files hold instead of `wanted`, and the command that would change it there.

    It is said at once, or returned where the result is JSON.
    """
    stronger = layers.ORDER[: layers.ORDER.index(state.scope) + 1]
    env = state.target.data.get("env")
    if not (isinstance(env, Mapping) and v.BASE_URL in env):
        stronger = (*stronger, "shell")  # only .env is written
    found: dict[tuple[LayerName, str], list[str]] = {}
    for name, value in wanted.items():
        held = state.effective(name)
        path = held.place.path if held.place is not None else ""
        if held.layer in stronger and held.value != value and path != state.target.path:
            found.setdefault((held.layer, path), []).append(name)
    said = []
    for (layer, path), names in found.items():
        line = msg(
            "{path} sets {names} and wins in this folder",
            path=report.short(path) or msg("your shell"),
            names=msg("all models") if set(names) == set(SLOTS.values()) else tuple(names),
        )
        if layer in ("local", "project"):
            line = msg("{said}; to change it there: {command}", said=line, command=command(layer))
        said.append(line)
        if not as_json:
            report.talk(line)
    return said


def conversations(before: State, after: State, back: Message | str) -> list[Message]:
    """What a conversation begun on another model meets, where it can't go on; `back` undoes it.

    Measured with both clients: they leave out what another model thought, and what a model
    thinks without a signature goes along. Foreign signatures that are refused are left out too.
    """
    old, new = (plain_name(state.slots.get("main", "")) for state in (before, after))
    row = configured.row_of(new, configured.read(after), after.providers)
    if not old or old == new or row is None or row.thinking_back is None:
        return []
    said = msg(
        "{name} may refuse a conversation in which another model used tools. Start a new one, or"
        " go back ({back}) and run /compact first.",
        name=row.name,
        back=back,
    )
    return [said]


def check_known(
    name: str, state: State, held: CurrentSetup, servers: Servers, *, unlisted: bool
) -> None:
    """Raises Usage for a name that the endpoint does not offer, with what would make it right."""
    if unlisted:
        return
    known = known_models(state, held)
    port = None if held.own_gateway else urls.local_port(held.base_url)
    # A remote endpoint is never asked.
    live = () if port is None else servers.models(port)
    plain = plain_name(name)
    listed = plain in map(plain_name, known) or (held.own_gateway and state.gateway.offers(name))
    if not live and listed:
        return
    if live is None:
        url = v.shown_url(held.base_url)
        report.talk(
            msg("warning: could not check `{name}`: nothing answers at {url}", name=name, url=url)
        )
        return
    if plain in {n for one in live for n in (one, one.removesuffix(":latest"))}:
        return
    where = "litellm_config.yaml" if held.own_gateway else v.shown_url(held.base_url)
    raise Usage(
        msg("`{name}` is not offered by {where}", name=name, where=where),
        hints=(
            *did_you_mean(name, dict.fromkeys((*live, *known))),
            *_elsewhere(name, state, held),
            "haha-config models",
            msg("--unlisted accepts any name"),
        ),
    )


def _elsewhere(name: str, state: State, held: CurrentSetup) -> list[Message | str]:
    """The line that would do it, where a saved profile has the name, or another row lists it."""
    from haha_config.workflow.profiles import profiles_with_model

    there = sorted(profiles_with_model(name), key=lambda one: not one[1])
    if there:
        profile, starts = there[0]
        use = f"haha-config use {profile}"
        return [use if starts else f"{use} && {shlex.join(('haha-config', 'switch-model', name))}"]
    for row in state.providers.values():
        if row.key != held.provider and row.model(name) is not None:
            return [f"haha-config init --provider {row.key} --model {name}"]
    return []
