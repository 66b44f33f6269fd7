"""Which model, from a list that can be searched, and what is known of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from haha_config.cli.interview.endpoint import known_key
from haha_config.cli.interview.flow import Talk, Turn, Work, onward
from haha_config.cli.interview.offer import Offer, list_base
from haha_config.core.change import plan as plans
from haha_config.core.messages import Message, msg
from haha_config.core.model import SLOTS, Slot, plain_name
from haha_config.core.providers import table as rows
from haha_config.core.providers.catalog import CatalogEntry
from haha_config.io.prompts import Choice
from haha_config.workflow.listing import note


def model(talk: Talk, work: Work) -> Turn:
    """The main model; the other slots follow it."""
    if talk.given.slots.get("main") and not work.editing:
        return onward(work, "summary", asked=False)
    offer = offered(talk, work)
    current = work.draft.slots.get("main", "")
    default = talk.said.get(("model", work.row.key)) or _default(work, offer)
    answer = ask(talk, msg("Which model?"), offer, default, current=current)
    talk.said["model", work.row.key] = answer
    return onward(with_main(work, answer), "summary")


def offered(talk: Talk, work: Work) -> Offer:
    """The models of the chosen row."""
    row, draft = work.row, work.draft
    key = known_key(work) or row.credential.token
    base = draft.base_url
    if not row.multi:
        base = list_base(row, draft.region or row.region, key, draft.base_url)
    return talk.offers.of(row, base, key)


def ask(talk: Talk, question: Message, offer: Offer, default: str, *, current: str = "") -> str:
    """One model of an offer, or any name that is typed."""
    choices = [choice(e, current, default, ended=offer.ended(e)) for e in offer.entries]
    if current and offer.entry(current) is None:
        choices.insert(0, Choice(value=current, title=current, marked=True))
    if not choices:
        return talk.ask.text(
            question, why=offer.said, check=_named, default=default, more=_MORE, flag="--model"
        )
    return talk.ask.select(
        question,
        choices,
        default=default or None,
        why=offer.said,
        more=_MORE,
        search=True,
        other=msg("use this name as it is"),
        flag="--model",
    )


_MORE = msg(
    "A name that is not listed can be typed. 1M: how many tokens the model can read. The client"
    " needs `tools`. Prices are USD for a million tokens in/out."
)


def _named(text: str) -> Message | None:
    return None if text and not any(c.isspace() for c in text) else msg("type one name")


def choice(entry: CatalogEntry, current: str, default: str, *, ended: bool = False) -> Choice:
    """A model as a row of the list, with the `[1m]` that the set-up or the row gives it."""
    name = entry.model.id
    value = next((one for one in (current, default) if plain_name(one) == plain_name(name)), name)
    marked = bool(current) and value == current
    return Choice(value=value, title=value, marked=marked, note=note(entry, ended=ended))


def _default(work: Work, offer: Offer) -> str:
    """What is set up now, else the row's own, else the first that can call tools."""
    held = work.draft.slots.get("main", "")
    if held:
        return held
    row, key = work.row, known_key(work)
    kind = rows.kind_of(row, key) if key else None
    wanted = (kind and kind.slots.get("main")) or row.slots.get("main", "")
    found = best(offer, plain_name(wanted))
    return wanted if found == plain_name(wanted) else found


def best(offer: Offer, wanted: str) -> str:
    """The model to point at: the wanted one, its successor or relative, one with tools, any."""
    there = [e for e in offer.entries if not offer.ended(e)]
    names = [e.model.id for e in there]
    able = [e.model.id for e in there if e.model.tools]
    if wanted in names or not names:
        return wanted
    old = offer.entry(wanted)
    if old is not None and old.model.instead in names:
        return old.model.instead or ""
    related = [name for name in able if wanted and name.startswith(wanted)]
    return next(iter([*related, *able, *names]))


def with_main(work: Work, name: str) -> Work:
    """`main`, and every slot that held the old one; slots that held something else stay."""
    slots: Mapping[Slot, str] = {"main": name, **work.chosen}
    if "main" in work.slots:
        slots = plans.slots_after(work.slots, name, work.chosen, everything=False)
        slots = {slot: slots.get(slot) or work.slots.get(slot) or name for slot in SLOTS}
        if name == work.slots["main"]:
            slots = {**work.slots, **work.chosen}
    return work.drafted(slots=slots)


def unknown(work: Work, slots: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Those of the (row, model) pairs whose window the table does not know."""
    providers = work.session.providers
    known = {(key, n): providers[key].model(n) if key in providers else None for key, n in slots}
    return tuple(pair for pair, model in known.items() if model is None or not model.context)


def context(talk: Talk, pairs: Sequence[tuple[str, str]]) -> int | None:
    """The smallest window that a list told us of. One that the table knows is written anyway."""
    told = (talk.offers.context(key, name) for key, name in pairs)
    return min((window for window in told if window), default=None)
