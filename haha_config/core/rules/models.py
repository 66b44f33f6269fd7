"""MOD: the models that the client asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Final

from haha_config.core import variables as v
from haha_config.core.messages import Message, msg
from haha_config.core.model import SLOTS, Place, Problem, Severity, Slot, plain_name
from haha_config.core.providers.decode import closest
from haha_config.core.providers.index import Endpoint
from haha_config.core.providers.model import Model, Provider
from haha_config.core.rules.key import endpoint
from haha_config.core.rules.rule import ALIASES, INIT, Rule, quoted, set_everywhere, with_fix
from haha_config.core.state import asked as outgoing
from haha_config.core.state.gateway import ModelEntry
from haha_config.core.state.layers import Effective
from haha_config.core.state.machine import Agent
from haha_config.core.state.state import State

#: How long before its end a model is named.
_NOTICE_DAYS: Final = 90


def asked(state: State) -> Iterator[tuple[Slot, str]]:
    """The slots that name a model, not an alias of the client."""
    for slot, model in state.slots.items():
        if plain_name(model).lower() in _RESOLVED.get(slot, ()) or outgoing.in_body(state):
            continue
        if slot != "main" or not outgoing.is_old_opus(model, state):
            other = outgoing.overridden(plain_name(model), state)
            yield slot, model if other == plain_name(model) else other


#: What stands for another model in these two; in a tier's variable every word is a name (measured).
_RESOLVED: Final[Mapping[Slot, frozenset[str]]] = {
    "main": ALIASES - {"default", "inherit"},
    "subagent": ALIASES,
}


def by_model(state: State) -> dict[str, tuple[Slot, ...]]:
    """Each model that is asked for, and its slots: one cause is reported once."""
    found: dict[str, tuple[Slot, ...]] = {}
    for slot, model in asked(state):
        found[model] = (*found.get(model, ()), slot)
    return found


def slot_place(state: State, slot: Slot) -> Place:
    return state.effective(SLOTS[slot]).place


def behind(state: State, model: str) -> tuple[Provider | None, Model | None]:
    """The row that answers to this model, and what it knows of it."""
    if state.route == "litellm":
        entry = state.gateway.entry_for(model)
        if entry is None or "*" in entry.model:
            return None, None
        row = state.rows.listed(entry.model, entry.api_base)
        return row, state.rows.known(row, entry.model)
    known = endpoint(state)
    row = known.row if known else None
    return row, state.rows.known(row, model)


def switching(state: State, slots: tuple[Slot, ...], model: str | None) -> str:
    """The line that puts `model` into these slots; with `main`, all that held its model move.

    None: the line that lists models to choose from.
    """
    if not model:
        return "haha-config models"
    from shlex import quote  # a shell takes `[1m]` for a pattern

    words = quote(model)
    if "main" not in slots:
        words = " ".join(f"--slot {quote(f'{slot}={model}')}" for slot in slots)
    layers = {state.effective(SLOTS[slot]).layer for slot in slots}
    where = next(iter(layers)) if len(layers) == 1 else None
    if where in ("local", "project") and where != state.scope:
        words += f" --scope {where}"
    return f"haha-config switch-model {words}"


def own_models(state: State) -> Iterator[Agent]:
    """The subagents whose own model is asked for.

    Measured: for 2.1.197 CLAUDE_CODE_SUBAGENT_MODEL beats what an agent's file says, for 2.1.332
    the file wins.
    """
    overruled = state.slots.get("subagent", "inherit") != "inherit" and outgoing.like_197(state)
    for agent in () if overruled or state.machine is None else state.machine.agents:
        if plain_name(agent.model).lower() not in ALIASES:
            yield agent


def _of_agent(agent: Agent, what: Message) -> Problem:
    return Problem(what, agent.place, msg("write model: inherit"), severity="warning")


class MOD001(Rule):
    name = "model-offered"
    title = msg("The gateway offers every model that the client asks for")
    why = msg("LiteLLM refuses a name that is not in `model_list`.")
    how = msg("Use one of its names, or add the model with `haha-config init`.")
    severity = "error"
    needs = frozenset({"client", "gateway"})
    requires = ("LLM001", "LLM002")
    gateway_only = True

    def check(self, state: State) -> Iterable[Problem]:
        if state.gateway.listed_elsewhere:
            return
        for agent in own_models(state):
            if not state.gateway.offers(agent.model):
                what = msg("the gateway has no model `{model}` for this agent", model=agent.model)
                yield _of_agent(agent, what)
        plain = {plain_name(name): name for name in state.gateway.by_name if "*" not in name}
        names = [name for name in plain if plain[name] == name]
        for model, slots in by_model(state).items():
            if state.gateway.offers(model):
                continue
            asked = plain_name(model)
            if asked in plain:
                held = plain[asked]
                what = msg("the client asks for `{name}`, not for `{held}`", name=asked, held=held)
                write = msg('write {key}: "{value}"', key="model_name", value=asked)
                yield Problem(what, slot_place(state, slots[0]), write)
                continue
            better = next(iter(closest(model, names)), None)
            if better is not None:
                what = msg(
                    "the gateway has no model `{model}` (for {slots}); did you mean `{better}`?",
                    model=model,
                    slots=slots,
                    better=better,
                )
            else:
                shown = names or list(state.gateway.by_name)
                what = msg(
                    "the gateway has no model `{model}` (for {slots}); it has {names}",
                    model=model,
                    slots=slots,
                    names=(*shown[:_SHOWN], "…") if len(shown) > _SHOWN else tuple(shown),
                )
            other = better or next(iter(names), None)
            hint = switching(state, slots, other)
            yield Problem(what, slot_place(state, slots[0]), hint)


#: How many names a message lists.
_SHOWN: Final = 5


class MOD002(Rule):
    name = "model-retired"
    title = msg("No model has been retired")
    why = msg("The provider refuses such a name, or answers with another model.")
    needs = frozenset({"machine"})

    def check(self, state: State) -> Iterable[Problem]:
        if state.route == "direct":
            for model, slots in by_model(state).items():
                row, known = behind(state, model)
                better = _successor(known, state)
                hint = switching(state, slots, better)
                yield from _aged(state, row, known, slot_place(state, slots[0]), hint)
        for entry in state.gateway.entries:
            row = state.rows.listed(entry.model, entry.api_base)
            known = state.rows.known(row, entry.model)
            if known is not None and known.retired:
                name = f"{entry.prefix}{known.instead}" if known.instead else ""
                write = msg("write model: {name}", name=name) if name else None
                place = entry.place("model")
                yield from _aged(state, row, known, place, write)


def _successor(known: Model | None, state: State) -> str | None:
    """What to ask for in place of this model, at the URL that the client calls."""
    called = endpoint(state)
    if called is not None and called.kind is not None and called.kind.slots:
        return called.kind.slots.get("main")
    return known.instead if known is not None else None


def _aged(
    state: State,
    row: Provider | None,
    known: Model | None,
    place: Place,
    hint: Message | str | None,
) -> Iterator[Problem]:
    """A note ahead of a model's last day, a warning from then on."""
    if row is None or known is None or not known.retired or state.machine is None:
        return
    end = known.retired
    left = (date.fromisoformat(end) - date.fromisoformat(state.machine.today)).days
    if left <= 0:
        what = msg("{row} ended `{model}` on {date}", row=row.name, model=known.id, date=end)
        yield Problem(what, place, hint or "haha-config models", severity="warning")
    elif left <= _NOTICE_DAYS:
        what = msg("{row} ends `{model}` on {date}", row=row.name, model=known.id, date=end)
        yield Problem(what, place, hint or "haha-config models", severity="note")


class MOD003(Rule):
    name = "model-listed"
    title = msg("The provider lists every model that the client asks for")
    why = msg("The provider refuses such a name, or answers with another model.")
    needs = frozenset({"client"})
    requires = ("ENV002", "URL003")

    def check(self, state: State) -> Iterable[Problem]:
        known = endpoint(state)
        if known is None or known.row.local or not known.row.models:
            return
        yield from self._agents(known.row, state)
        for model, slots in by_model(state).items():
            if state.rows.known(known.row, model) is None:
                yield from self._unlisted(state, known, model, slots)

    @staticmethod
    def _unlisted(
        state: State, called: Endpoint, model: str, slots: tuple[Slot, ...]
    ) -> Iterator[Problem]:
        row, place = called.row, slot_place(state, slots[0])
        maker, better = _maker(state, row, model), misspelt(state, model)
        severity: Severity = "warning"
        if maker is not None:
            better = (called.kind.slots if called.kind else {}).get("main") or row.slots.get("main")
            what = msg(
                "`{model}` (for {slots}) is a model of {maker}, and the client calls {row}",
                model=model,
                slots=slots,
                maker=maker.name,
                row=row.name,
            )
        elif better is not None:
            what = msg(
                "`{model}` (for {slots}) is not in the list of {row}; did you mean `{better}`?",
                model=model,
                slots=slots,
                row=row.name,
                better=better,
            )
        # With a live list of its own, a provider has more models than a row can name.
        elif row.discovery is not None and not model.startswith("claude"):
            return
        else:
            severity = "note"
            what = msg(
                "`{model}` (for {slots}) is not in the list of {row}, which may answer with"
                " another model",
                model=model,
                slots=slots,
                row=row.name,
            )
        hint = switching(state, slots, better)
        yield Problem(what, place, hint, severity=severity)

    @staticmethod
    def _agents(row: Provider, state: State) -> Iterator[Problem]:
        for agent in own_models(state):
            model = agent.model
            other = model.startswith("claude") or _maker(state, row, model) is not None
            if row.own_models and other and state.rows.known(row, model) is None:
                what = msg("{row} has no model `{model}` for this agent", row=row.name, model=model)
                yield _of_agent(agent, what)


def _maker(state: State, row: Provider, model: str) -> Provider | None:
    """Whose model it is, where that can't be one of the row's."""
    if not row.own_models:
        return None
    others = (other for other in state.providers.values() if other.own_models)
    return next((o for o in others if o.key != row.key and o.model(model) is not None), None)


def misspelt(state: State, model: str) -> str | None:
    """The listed model that is meant by a name which the called provider does not list."""
    known = endpoint(state)
    if known is None or known.row.local or model.startswith("claude"):
        return None
    if state.rows.known(known.row, model) is not None:
        return None
    return _meant(known.row, model)


def _meant(row: Provider, model: str) -> str | None:
    better = next(iter(closest(model, (m.id for m in row.models))), None)
    # Another number is another model, not a slip of the pen.
    numbers = [[c for c in name if c.isdigit()] for name in (better or "", model)]
    if better is None or (numbers[0] != numbers[1] and row.discovery is not None):
        return None
    near = row.model(better)
    # What ends some day is no advice, whether that day has come or not.
    return near.instead if near is not None and near.retired else better


def ended(known: Model, state: State) -> bool:
    """Whether its provider has retired it by now."""
    if not known.retired or state.machine is None:
        return False
    return date.fromisoformat(known.retired) <= date.fromisoformat(state.machine.today)


class MOD004(Rule):
    name = "all-tiers"
    title = msg("Every kind of work has a model")
    why = msg(
        "The client has a model for each kind of work, like haiku for background work. Without"
        " its variable it asks for Anthropic's own."
    )
    how = msg("`--fix` writes the main model.")
    needs = frozenset({"client"})
    requires = ("ENV002",)
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        main = state.slots.get("main", "")
        answers = state.route == "litellm" and state.gateway.offers("claude-haiku-4-5")
        if not main or main.startswith("claude") or answers or state.only:
            return
        if not state.value(v.BASE_URL):
            return  # a cloud has Anthropic's models, and so has Anthropic
        missing = _missing_tiers(state)
        if not missing:
            return
        names = tuple(SLOTS[slot] for slot in missing)
        alias = plain_name(main).lower() in ALIASES
        fixes = () if alias else set_everywhere(state, dict.fromkeys(names, main))
        what = msg("not set: {names}; there the client asks for Anthropic's own", names=names)
        switch = INIT if alias else f"haha-config switch-model {quoted(main)} --all"
        needed = state.route == "litellm" and missing != ["fable"]
        place = slot_place(state, "main")
        yield with_fix(what, place, fixes, switch, "warning" if needed else "note")


def _missing_tiers(state: State) -> list[Slot]:
    """Tiers without a model; fable, which older set-ups never had, where all others have one."""
    tiers: tuple[Slot, ...] = ("opus", "sonnet", "haiku")
    missing = [slot for slot in tiers if slot not in state.slots]
    if state.value(v.SMALL_FAST) and "haiku" in missing:
        missing.remove("haiku")
    if missing or set(SLOTS) - set(state.slots) != {"fable"}:
        return missing
    return ["fable"]


class MOD005(Rule):
    name = "million-suffix"
    title = msg("`[1m]` stands only behind a model with that window")
    why = msg("With `[1m]` the client assumes one million tokens, and long sessions fail.")
    needs = frozenset({"client"})

    def check(self, state: State) -> Iterable[Problem]:
        off = "CLAUDE_CODE_DISABLE_1M_CONTEXT"
        for model, slots in by_model(state).items():
            if "[1m]" not in model.lower():
                continue
            _, known = behind(state, model)
            place, hint = slot_place(state, slots[0]), switching(state, slots, plain_name(model))
            if state.value(off):
                what = msg("`{name}` has no effect while `{other}` is set", name="[1m]", other=off)
                yield Problem(what, place, hint, severity="note")
            elif known is not None and 0 < (known.context or 0) < 900_000:
                what = msg(
                    "`{model}` claims one million tokens, and the model holds {context}",
                    model=model,
                    context=known.context,
                )
                yield Problem(what, place, hint)


class MOD006(Rule):
    name = "context-window"
    title = msg("The client knows the models' context window")
    why = msg(
        "A new client assumes one million tokens for a name that it does not know, and long"
        " sessions fail."
    )
    how = msg("`--fix` writes the smallest window of the models in use.")
    severity = "note"
    needs = frozenset({"client"})
    requires = ("ENV002",)
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        known = [(m.context, name) for name, m in _known(state) if m.context]
        if not known:
            return
        least, name = min(known)
        found, value = state.effective(v.MAX_CONTEXT), {v.MAX_CONTEXT: str(least)}
        export = f"export {v.MAX_CONTEXT}={least}"
        if not found.value:
            if least < 900_000 and not state.value(v.COMPACT_WINDOW):
                what = msg(
                    "`{model}` holds {context} tokens, and the client is not told so",
                    model=name,
                    context=least,
                )
                place = slot_place(state, by_model(state)[name][0])
                yield with_fix(what, place, set_everywhere(state, value), export)
        elif (v.whole(found.value) or 0) > least * 1.01:
            what = msg(
                "`{variable}` is {value}, and `{model}` holds {context} tokens",
                variable=v.MAX_CONTEXT,
                value=found.value,
                model=name,
                context=least,
            )
            fixes = set_everywhere(state, value, held=v.MAX_CONTEXT)
            hint = export if found.layer == "shell" else msg("delete that line")
            yield with_fix(what, found.place, fixes, hint, "warning")


def _known(state: State) -> Iterator[tuple[str, Model]]:
    """The models that are asked for and of which something is known."""
    for name in by_model(state):
        if (model := behind(state, name)[1]) is not None:
            yield name, model


class MOD007(Rule):
    name = "output-limit"
    title = msg("The client asks for no more output than the models give")
    why = msg(
        "The client asks for up to 32000 tokens of output by default; some providers refuse"
        " more than the model gives."
    )
    how = msg("`--fix` writes the smallest limit of the models in use.")
    severity = "note"
    needs = frozenset({"client"})
    requires = ("ENV002",)
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        known = [(m.output, name) for name, m in _known(state) if m.output]
        found = state.effective(v.MAX_OUTPUT)
        asks = v.whole(found.value) or v.DEFAULT_OUTPUT
        if not known or asks <= min(known)[0]:
            yield from self._too_much(asks, found, state)
            return
        least, name = min(known)
        what = msg(
            "the client asks for {asks} tokens of output, and `{model}` gives {least} at most",
            asks=asks,
            model=name,
            least=least,
        )
        place = found.place_or(slot_place(state, by_model(state)[name][0]))
        yield _lower(what, place, least, state, "warning" if found.value else "note")

    @staticmethod
    def _too_much(asks: int, found: Effective, state: State) -> Iterator[Problem]:
        """Output and a first request beside each other in the window that the client is told."""
        window = v.whole(state.value(v.MAX_CONTEXT))
        if not window or asks + FIRST_REQUEST <= window:
            return
        place = state.effective(v.MAX_CONTEXT).place
        room = window - FIRST_REQUEST
        if room < _SHORTEST_ANSWER:
            what = msg(
                "the client's first request has about {prompt} tokens, and the window {window}",
                prompt=FIRST_REQUEST,
                window=window,
            )
            hint = msg("load the model with a larger window, or take another model")
            yield Problem(what, place, hint, severity="warning")
            return
        what = msg(
            "a first request of {prompt} tokens and {asks} of output exceed the window of {window}",
            asks=asks,
            prompt=FIRST_REQUEST,
            window=window,
        )
        fits = 1 << (room.bit_length() - 1)
        yield _lower(what, found.place_or(place), fits, state, "warning")


def _lower(what: Message, place: Place, limit: int, state: State, severity: Severity) -> Problem:
    """A problem that this limit of output mends."""
    fixes = set_everywhere(state, {v.MAX_OUTPUT: str(limit)})
    return with_fix(what, place, fixes, f"export {v.MAX_OUTPUT}={limit}", severity)


#: Tokens of the first request, tools and all, with the 3,000 that 2.1.332 keeps free (measured);
#: of the shortest useful answer.
FIRST_REQUEST: Final = 24_000
_SHORTEST_ANSWER: Final = 2_048


class MOD008(Rule):
    name = "model-tools"
    title = msg("Every model can call tools")
    why = msg("The client reads, edits and runs everything through tools.")
    needs = frozenset({"client"})
    requires = ("ENV002",)

    def check(self, state: State) -> Iterable[Problem]:
        for name, slots in by_model(state).items():
            row, known = behind(state, name)
            if row is None or known is None or known.tools is not False:
                continue
            better = known.instead if state.route == "direct" else None
            what = msg("`{model}` of {row} can't call tools", model=name, row=row.name)
            hint = switching(state, slots, better)
            yield Problem(what, slot_place(state, slots[0]), hint)


#: A file with more models that no list has is made from another list, and not by typing.
_TYPED: Final = 50


class MOD009(Rule):
    name = "model-slip"
    title = msg("No model in litellm_config.yaml is misspelled")
    why = msg("The provider answers such a name with 404.")
    needs = frozenset({"litellm"})

    def check(self, state: State) -> Iterable[Problem]:
        for entry, row in islice(self._unlisted(state), _TYPED):
            name = entry.model.removeprefix(entry.prefix)
            better = _meant(row, name)
            if better is not None:
                what = msg(
                    "`{model}` is not in the list of {row}; did you mean `{better}`?",
                    model=name,
                    row=row.name,
                    better=better,
                )
                hint = msg("write model: {name}", name=f"{entry.prefix}{better}")
                yield Problem(what, entry.place("model"), hint)

    @staticmethod
    def _unlisted(state: State) -> Iterator[tuple[ModelEntry, Provider]]:
        for entry in state.gateway.entries:
            row = state.rows.listed(entry.model, entry.api_base)
            if row is None or row.local or "*" in entry.model:
                continue
            listed = state.litellm_facts.models.get(entry.prefix.rstrip("/"), ())
            if entry.model.removeprefix(entry.prefix) in listed or state.litellm_facts.mode(
                entry.model
            ):
                continue
            if state.rows.known(row, entry.model) is None:
                yield entry, row
