"""Which names a set-up answers to, and which variables depend on the model."""

from __future__ import annotations

from collections.abc import Mapping

from haha_config.core import urls
from haha_config.core import variables as v
from haha_config.core.change import plan as plans
from haha_config.core.errors import Usage
from haha_config.core.messages import Message, msg
from haha_config.core.model import Slot
from haha_config.core.providers.decode import did_you_mean
from haha_config.core.providers.model import Model
from haha_config.core.state import configured
from haha_config.core.state.configured import CurrentSetup
from haha_config.core.state.state import State
from haha_config.io import report
from haha_config.workflow import windows
from haha_config.workflow.session import command_line


def limits(
    after: Mapping[Slot, str], held: CurrentSetup, state: State, least: int | None = None
) -> dict[str, str | None]:
    """The variables that depend on the models: the smallest known limits; None takes one out.
    `least` is the smallest window of what `/model` offers.
    """
    models = _models(after, held, state)
    sizes = [m.context for m in models if m.context]
    sizes += windows.told(after, held, state.providers)
    if sizes and least:
        sizes.append(least)
    if not sizes:
        sizes.append(_unknown(after, state))
    found: dict[str, str | None] = {v.MAX_CONTEXT: str(min(sizes))}
    least = plans.least_output(models)
    if least is not None:
        found[v.MAX_OUTPUT] = str(least)
    elif state.value(v.MAX_OUTPUT) == str(plans.least_output(_models(state.slots, held, state))):
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
            "the context window of {names} is not known, so {n} tokens are written",
            names=tuple(dict.fromkeys(after.values())),
            n=f"{windows.ASSUMED:,}",
        )
    )
    return windows.ASSUMED


def _models(slots: Mapping[Slot, str], held: CurrentSetup, state: State) -> list[Model]:
    found = (configured.model_of(name, held, state.providers) for name in set(slots.values()))
    return [model for model in found if model is not None]


def known_models(state: State, held: CurrentSetup) -> tuple[str, ...]:
    """The names that the endpoint is known to answer to, without asking it."""
    if held.own_gateway:
        return tuple(state.gateway.by_name)
    row = state.providers.get(held.provider)
    listed = (*row.slots.values(), *(m.id for m in row.models)) if row is not None else ()
    return tuple(dict.fromkeys((*state.slots.values(), *listed)))


def conversations(before: State, after: State, back: Message | str) -> list[Message]:
    """What a conversation begun on another model meets, where it can't go on; `back` undoes it.

    Measured with both clients: they leave out what another model thought, and what a model
    thinks without a signature goes along. Foreign signatures that are refused are left out too.
    """
    old, new = (state.slots.get("main", "").removesuffix("[1m]") for state in (before, after))
    row = configured.row_of(new, configured.read(after), after.providers)
    if not old or old == new or row is None or row.thinking_back is None:
        return []
    return [
        msg(
            "{name} may refuse to continue a conversation in which another model used tools. Start"
            " a new one, or go back ({back}) and run /compact in it first.",
            name=row.name,
            back=back,
        )
    ]


def check_known(name: str, state: State, held: CurrentSetup, *, unlisted: bool) -> None:
    """Raises Usage for a name that the endpoint does not offer, with what would make it right."""
    known = known_models(state, held)
    if unlisted:
        return
    live = _live(held)
    if not live and _matches(name, known, state, held):
        return
    if live is None:
        report.talk(
            msg(
                "warning: could not check `{name}`: nothing answers at {url}",
                url=v.shown_url(held.base_url),
                name=name,
            )
        )
        return
    if name.removesuffix("[1m]") in {n for one in live for n in (one, one.removesuffix(":latest"))}:
        return
    raise Usage(
        msg("`{name}` is not offered by {where}", name=name, where=_where(held)),
        hints=(
            *did_you_mean(name, dict.fromkeys((*live, *known))),
            *_elsewhere(name, state, held),
            msg("--unlisted accepts any name; `haha-config models` lists what is there"),
        ),
    )


def _matches(name: str, known: tuple[str, ...], state: State, held: CurrentSetup) -> bool:
    plain = name.removesuffix("[1m]")
    if plain in {k.removesuffix("[1m]") for k in known}:
        return True
    return held.own_gateway and state.gateway.offers(name)


def _live(held: CurrentSetup) -> tuple[str, ...] | None:
    """The live list of a loopback endpoint; () for a remote one, which is never asked."""
    url = urls.parse(held.base_url)
    if url is None or not url.loopback or held.own_gateway:
        return ()
    from haha_config.io import loopback

    return loopback.models(url.port, seconds=1.0)


def _where(held: CurrentSetup) -> str:
    return "litellm_config.yaml" if held.own_gateway else v.shown_url(held.base_url)


def _elsewhere(name: str, state: State, held: CurrentSetup) -> list[Message | str]:
    """The line that would do it, where a saved profile has the name, or another row lists it."""
    from haha_config.workflow.profiles import profiles_with_model

    there = sorted(profiles_with_model(name), key=lambda one: not one[1])
    if there:
        profile, starts = there[0]
        use = f"haha-config use {profile}"
        return [use if starts else f"{use} && {command_line('haha-config', 'switch-model', name)}"]
    for row in state.providers.values():
        if row.key != held.provider and row.model(name) is not None:
            return [f"haha-config init --provider {row.key} --model {name}"]
    return []
