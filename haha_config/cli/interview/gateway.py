"""The LiteLLM row: which models stand behind the gateway, added and taken out one by one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, count

from msgspec.structs import replace

from haha_config.cli.interview import endpoint, model
from haha_config.cli.interview.flow import Adding, Talk, Turn, Work
from haha_config.cli.interview.offer import list_base
from haha_config.core.errors import Usage
from haha_config.core.messages import Message, msg
from haha_config.core.model import Slot, plain_name
from haha_config.core.providers import table as rows
from haha_config.core.providers.model import Provider, Upstream
from haha_config.core.setup import draft as drafts
from haha_config.io import report
from haha_config.io.prompts import Choice
from haha_config.workflow.discover import adopted, lacking

GO, ADD, ELSEWHERE = "go", "add", "elsewhere"
_DROP = "drop:"


def gateway(talk: Talk, work: Work) -> Turn:
    """Not a question: what the flags and the files say about the gateway decides the next."""
    work = replace(work, found=adopted(work.found))
    if drafts.foreign_gateway(work.draft, work.row):
        return Turn(work, "key", asked=False)
    if talk.given.upstreams:
        return Turn(work, "main", asked=False)
    return Turn(work, "entries" if names(work) else "upstream", asked=False)


def names(work: Work) -> tuple[str, ...]:
    """The models that the gateway will offer."""
    draft = work.draft
    added = [u.name for u in draft.upstreams]
    held = [name for name in work.found.state.models if name not in draft.drop]
    return tuple(dict.fromkeys((*held, *added)))


def _held(work: Work) -> dict[str, Upstream]:
    """Every entry that a row explains, by name; what is added now wins."""
    return {u.name: u for u in (*work.found.setup.upstreams, *work.draft.upstreams)}


# --- the list --------------------------------------------------------------------------------


def entries(talk: Talk, work: Work) -> Turn:
    """Go on with these models, add another, or take one out."""
    offered = names(work)
    if not offered:
        return Turn(work, "upstream", asked=False)
    known = _held(work)
    answer = talk.ask.select(
        msg("Another model behind the gateway?"),
        [
            Choice(value=GO, title=msg("No, go on"), note=msg("{names}", names=offered)),
            Choice(value=ADD, title=msg("Add a model"), note=msg("of any provider")),
            *(
                Choice(
                    value=f"{_DROP}{name}",
                    title=msg("Take out {name}", name=name),
                    note=behind(work, known.get(name)),
                )
                for name in offered
            ),
        ],
        default=GO,
        why=msg("You can switch between them later: haha-config switch-model NAME"),
        more=msg("Models in litellm_config.yaml stay unless you take them out here."),
        flag="--upstream",
    )
    if answer == ADD:
        return Turn(work, "upstream")
    if answer == GO:
        return Turn(work, "main")
    return Turn(_without(work, answer.removeprefix(_DROP)), "entries")


def behind(work: Work, upstream: Upstream | None) -> Message | str | None:
    """Whose model it is, and its name there where that is another."""
    if upstream is None:
        return None
    name = rows.named(work.session.providers[upstream.provider])
    if upstream.model == upstream.name:
        return name
    return msg("{name}, {model}", name=name, model=upstream.model)


def _without(work: Work, name: str) -> Work:
    draft = work.draft
    kept = tuple(u for u in draft.upstreams if u.name != name)
    drop = draft.drop
    if name in work.found.state.models:
        drop = (*drop, name)
    return work.drafted(upstreams=kept, drop=drop)


def main(talk: Talk, work: Work) -> Turn:
    """Which of them the client starts with."""
    offered = names(work)
    held = work.slots.get("main") or work.draft.slots.get("main", "")
    if talk.given.slots.get("main") and not work.editing:
        return Turn(work, "summary", asked=False)
    current = held if plain_name(held) in offered else ""
    if len(offered) == 1:
        only = current or offered[0]
        return Turn(_started_with(work, only), "summary", asked=False)
    known = _held(work)
    unable = {name for name, u in known.items() if _is_toolless(talk, work, u)}
    able = [name for name in offered if name not in unable]
    answer = talk.ask.select(
        msg("Which one should the client start with?"),
        [_main(work, name, known.get(name), current, able=name in able) for name in offered],
        default=current or next(iter([*able, *offered])),
        why=msg("Used for everything. Press c later to give opus or haiku a model of its own."),
        flag="--model",
    )
    return Turn(_started_with(work, answer), "summary")


def _main(work: Work, name: str, upstream: Upstream | None, current: str, *, able: bool) -> Choice:
    same = plain_name(current) == name
    note = behind(work, upstream)
    if note is not None and not able:
        note = msg("{behind}, {ability}", behind=note, ability=msg("NO TOOLS"))
    value = current if same else name
    return Choice(value=value, title=value, marked=same, note=note)


def _is_toolless(talk: Talk, work: Work, upstream: Upstream) -> bool:
    row = work.session.providers[upstream.provider]
    known = talk.offers.known(row, upstream.model, work.found.state.rows)
    return known is not None and known.tools is False


def _started_with(work: Work, name: str) -> Work:
    """Slots whose model was taken out follow the main one."""
    offered = names(work)
    kept = {s: m for s, m in work.slots.items() if plain_name(m) in offered}
    if work.slots and "main" not in kept:
        kept["main"] = name
    return model.with_main(replace(work, slots=kept), name)


# --- one more --------------------------------------------------------------------------------


def upstream(talk: Talk, work: Work) -> Turn:
    """Who answers to the new model; the last choice is a gateway that somebody else runs."""
    candidates = [row for row in work.session.providers.values() if row.upstream is not None]
    elsewhere = Choice(
        value=ELSEWHERE,
        title=msg("A LiteLLM elsewhere"),
        note=msg("someone else runs it"),
    )
    answer = talk.ask.select(
        msg("Which provider does the gateway call?"),
        [*(_candidate(row, work) for row in candidates), *([] if names(work) else [elsewhere])],
        default=_likely(candidates, work),
        why=msg("You can add models of other providers afterwards."),
        search=True,
        flag="--upstream",
    )
    if answer == ELSEWHERE:
        return Turn(work, "elsewhere")
    row = work.session.providers[answer]
    variable = row.credential.variable if row.upstream is not None and row.upstream.key else ""
    adding = Adding(provider=row.key, region=row.region, variable=variable)
    return Turn(replace(work, adding=adding), "upstream_region")


def _candidate(row: Provider, work: Work) -> Choice:
    made = replace(endpoint.choice(row, work.found), marked=False)
    if row.credential.variable and row.credential.variable in work.draft.keys:
        there = msg("its key is there")
        note = msg("{there} · {about}", there=there, about=rows.msg_of(row.about))
        return replace(made, note=note, tag=None)
    return made


def _likely(candidates: list[Provider], work: Work) -> str | None:
    """A found key or a running server that is not behind the gateway yet."""
    there = {u.provider for u in _held(work).values()}
    new = [row.key for row in candidates if row.key not in there]
    keyed = [key for key in new if key in work.found.keys]
    running = [key for key in new if key in work.found.running]
    return next(iter([*keyed, *running]), None)


def _keys(work: Work) -> dict[str, str]:
    """The upstream keys that are known, by variable: typed, in the shell, in litellm.env."""
    held = work.found.state.litellm_env.data
    inside = {name: value for name, value in held.items() if isinstance(value, str) and value}
    return {**inside, **work.session.environ, **work.draft.keys}


def elsewhere(talk: Talk, work: Work) -> Turn:
    """The URL of somebody else's gateway."""
    answer = talk.ask.text(
        msg("Base URL of that LiteLLM?"),
        why=msg("The client calls this URL; no LiteLLM file is written."),
        more=endpoint.URL_FORM,
        check=lambda text: endpoint.url_complaint(text, work.draft, direct=True),
        flag="--base-url",
    )
    base = report.telling(drafts.clean_url(answer))
    return Turn(work.drafted(base_url=base), "key")


def upstream_region(talk: Talk, work: Work) -> Turn:
    adding, row = _adding(work)
    if len(row.upstream_bases) < 2:
        return Turn(work, "upstream_url", asked=False)
    answer = endpoint.ask_region(talk, row, row.upstream_bases, adding.region)
    return Turn(replace(work, adding=replace(adding, region=answer)), "upstream_url")


def upstream_url(talk: Talk, work: Work) -> Turn:
    adding, row = _adding(work)
    if row.upstream_base(adding.region):
        return Turn(work, "upstream_key", asked=False)
    answer = talk.ask.text(
        msg("Base URL of the service?"),
        why=endpoint.why_url(row),
        default=adding.url,
        check=lambda text: endpoint.url_complaint(text, work.draft, direct=False),
        more=endpoint.URL_FORM,
        flag="--upstream",
    )
    made = replace(adding, url=drafts.upstream_base(row, answer).rstrip("/"))
    made = replace(made, variable=_free_variable(made, work))
    return Turn(replace(work, adding=made), "upstream_key")


def _free_variable(adding: Adding, work: Work) -> str:
    """A variable for the key of this URL: two services of one row have a key each."""
    taken = {name: u.base_url for u in _held(work).values() for name in u.variables}
    name, number = adding.variable, 2
    while name and taken.get(name, adding.url).rstrip("/") != adding.url:
        name, number = f"{adding.variable}_{number}", number + 1
    return name


def upstream_key(talk: Talk, work: Work) -> Turn:
    adding, row = _adding(work)
    if not adding.variable or talk.given.keep_env or _key_fits(work, row, adding.variable):
        return Turn(work, "upstream_model", asked=False)
    # Kept for this URL alone: no key of one service goes to another.
    place = (f"key {adding.region} {adding.url}", adding.variable)
    pasted_before = talk.said.get(place, "")
    found = msg("Enter goes on without a key") if row.credential.optional else None
    answer = talk.ask.secret(
        msg("API key for {name}?", name=endpoint.whose(row, adding.url)),
        why=endpoint.why_key(row),
        more=msg(
            "The key goes into litellm.env, which only you can read. {name} in your"
            " shell is found too.",
            name=adding.variable,
        ),
        clean=drafts.clean_key,
        check=lambda pasted: drafts.check_key(pasted, row, work.session.providers),
        found=msg("Enter keeps the one you pasted") if pasted_before else found,
        flag="--upstream-key-env",
    )
    answer = talk.said[place] = answer or pasted_before
    if not answer:
        adding = replace(adding, variable="")
        return Turn(replace(work, adding=adding), "upstream_model")
    keys = {**work.draft.keys, adding.variable: answer}
    return Turn(work.drafted(keys=keys), "upstream_model")


def _key_fits(work: Work, row: Provider, variable: str) -> bool:
    key = _keys(work).get(variable, "")
    cleaned, _ = drafts.clean_key(key)
    return bool(key) and drafts.check_key(cleaned, row, work.session.providers) is None


def kept_key(talk: Talk, work: Work) -> Turn:
    """The key of an entry that was there before, and names a variable that is nowhere."""
    variable, entry = next(iter(lacking(work.session, work.draft, work.found).items()))
    row = work.found.state.rows.behind(entry.model, entry.api_base)
    answer = talk.ask.secret(
        msg("API key for {variable}?", variable=variable),
        why=msg("litellm_config.yaml needs it for {model}, and it is not set.", model=entry.name),
        more=msg(
            "Without a key: `haha-config init --drop NAME` takes the model out,"
            " `--keys env` leaves the key to your shell."
        ),
        clean=drafts.clean_key,
        check=lambda pasted: (
            None if row is None else drafts.check_key(pasted, row, work.session.providers)
        ),
        flag="--api-key-stdin",
    )
    keys = {**work.draft.keys, variable: answer}
    return Turn(work.drafted(keys=keys), "summary")


def upstream_model(talk: Talk, work: Work) -> Turn:
    adding, row = _adding(work)
    key = _keys(work).get(adding.variable, "") if adding.variable else row.credential.token
    base = list_base(row, adding.region, key, adding.url)
    offer = talk.offers.of(row, base, key)
    default = model.best(offer, plain_name(row.slots.get("main", "")))
    answer = model.ask(talk, msg("Which model of {name}?", name=rows.named(row)), offer, default)
    # The summary shows the name, and changes it.
    name = _free_name(work, replace(adding, model=answer))
    made = drafts.upstream(row, answer, name=name, url=adding.url, region=adding.region)
    others = (u for u in work.draft.upstreams if u.name != name)
    work = work.drafted(
        upstreams=(*others, replace(made, variable=adding.variable)),
        drop=tuple(n for n in work.draft.drop if n != name),
    )
    return Turn(replace(work, adding=None), "entries")


def names_of(talk: Talk, work: Work) -> Turn:
    """Which of the new models gets another name."""
    new = work.draft.upstreams
    if len(new) == 1:
        return Turn(replace(work, renaming=new[0].name), "upstream_name", asked=False)
    answer = talk.ask.select(
        msg("Which model should have another name?"),
        [Choice(value=u.name, title=u.name, note=behind(work, u)) for u in new],
        why=msg("For `switch-model` and the client's `/model`."),
        flag="--upstream",
    )
    return Turn(replace(work, renaming=answer), "upstream_name")


def upstream_name(talk: Talk, work: Work) -> Turn:
    """What the client calls it. Two upstreams can't share a name; an entry that is there can."""
    old = work.renaming
    answer = talk.ask.text(
        msg("Which name should the client know {name} by?", name=old),
        why=msg("For `switch-model` and the client's `/model`."),
        default=old,
        check=lambda text: None if text == old else _name_complaint(work, text),
        flag="--upstream",
    )
    return Turn(_renamed(work, old, answer), "summary")


def _renamed(work: Work, old: str, new: str) -> Work:
    """The model under another name, also in the slots that hold it."""
    draft = work.draft
    ups = tuple(replace(u, name=new) if u.name == old else u for u in draft.upstreams)
    slots: dict[Slot, str] = {
        slot: new + held.removeprefix(old) if plain_name(held) == old else held
        for slot, held in draft.slots.items()
    }
    drop = tuple(name for name in draft.drop if name != new)
    draft = replace(draft, upstreams=ups, slots=slots, drop=drop)
    chosen = {slot: slots.get(slot, held) for slot, held in work.chosen.items()}
    return replace(work, draft=draft, chosen=chosen, renaming="")


def _free_name(work: Work, adding: Adding) -> str:
    """The model's own name; with its provider's where another model has that one."""
    plain = plain_name(adding.model)
    taken = {name for name in names(work) if not _is_same(_held(work).get(name), adding)}
    numbered = (f"{plain}-{adding.provider}-{n}" for n in count(2))
    return next(n for n in chain((plain, f"{plain}-{adding.provider}"), numbered) if n not in taken)


def _is_same(there: Upstream | None, adding: Adding) -> bool:
    """Whether an entry is the model that is being added: it is brought up to date."""
    if there is None or there.provider != adding.provider:
        return False
    same = there.model == plain_name(adding.model)
    return same and adding.url in ("", there.base_url.rstrip("/"))


def _name_complaint(work: Work, text: str) -> Message | None:
    if not text or any(c.isspace() or c in "=*" for c in text):
        return msg("a name has no spaces, no `=` and no `*`")
    if text in {u.name for u in work.draft.upstreams}:
        return msg("two models can't share the name `{name}`", name=text)
    return None


def upstreams_of(work: Work) -> Iterator[tuple[str, str]]:
    """(row, model) behind every name that a slot holds."""
    known = _held(work)
    for name in dict.fromkeys(work.draft.slots.values()):
        there = known.get(plain_name(name))
        yield (there.provider, there.model) if there else (work.draft.provider, name)


def _adding(work: Work) -> tuple[Adding, Provider]:
    if work.adding is None:
        raise Usage(msg("LiteLLM needs at least one model"))
    return work.adding, work.session.providers[work.adding.provider]
