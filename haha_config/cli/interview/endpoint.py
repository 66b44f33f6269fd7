"""Where requests go: provider, region, key, URL, each asked only where it was not found."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from haha_config.cli.interview.flow import Talk, Turn, Work, onward, remark
from haha_config.core import urls
from haha_config.core.errors import Usage
from haha_config.core.messages import Message, msg
from haha_config.core.model import Slot
from haha_config.core.providers import table as rows
from haha_config.core.providers.model import Provider, Providers
from haha_config.core.setup import draft as drafts
from haha_config.core.setup.draft import Draft
from haha_config.core.state import configured as setups
from haha_config.io import report
from haha_config.io.prompts import Choice
from haha_config.workflow.discover import Discovered

#: An endpoint that no row has is read back as this row.
OWN_URL = "custom-anthropic"
URL_FORM = msg("Like https://host/path; http:// only for this machine and private addresses.")
REGIONS = {"global": msg("global"), "china": msg("China")}


# --- provider --------------------------------------------------------------------------------


def provider(talk: Talk, work: Work) -> Turn:
    """Which row; what is set up now, a key that was found, or a running server come first."""
    if talk.given.provider or talk.given.upstreams:
        key = talk.given.provider or "litellm"
        return Turn(begun(talk, work, key), "route", asked=False)
    answer = talk.ask.select(
        msg("Which provider should answer?"),
        [choice(row, work.found) for row in work.session.providers.values()],
        default=talk.said.get(("provider", ""), work.draft.provider)
        or likely(work.session.providers, work.found),
        why=msg("Your prompts and code are sent to it."),
        more=msg(
            "LiteLLM, a program on this machine, translates for some providers and"
            " can offer several models at once. Nothing is written before you say so."
        ),
        search=True,
        flag="--provider",
    )
    talk.said["provider", ""] = answer
    return Turn(begun(talk, work, answer), "route")


def choice(row: Provider, found: Discovered) -> Choice:
    """A row of the table, with what was found of it here."""
    about, there, tag = rows.msg_of(row.about), None, None
    if row.key in found.keys:
        there, tag = msg("key found in {name}", name=row.credential.variable), msg("key found")
    elif row.key in found.running:
        there, tag = msg("running on :{port}", port=found.running[row.key]), msg("running")
    return Choice(
        value=row.key,
        title=rows.named(row),
        marked=row.key == current_row(found),
        note=msg("{there} · {about}", there=there, about=about) if there else about,
        tag=tag,
        words=row.search_words,
    )


def current_row(found: Discovered) -> str:
    """The row of what is configured now; "" where nothing is."""
    if not found.setup.configured:
        return ""
    return found.setup.provider or OWN_URL


def likely(providers: Providers, found: Discovered) -> str:
    """The default: what is set up, then a key, then a server that says who it is, then the top."""
    known = [
        row.key
        for row in providers.values()
        if row.key in found.running and row.discovery and row.discovery.kind in _NAMED
    ]
    keys = [key for key in providers if key in found.keys]
    return next(iter([key for key in (current_row(found), *keys, *known) if key] or providers))


#: Servers that `io.loopback.who` knows by their own words, not only by their port.
_NAMED = frozenset({"ollama", "litellm"})


def begun(talk: Talk, work: Work, key: str) -> Work:
    """A fresh draft for this row: the flags, and what is configured now if it is about it."""
    setup = work.found.setup
    state = work.found.state
    traffic = drafts.traffic_of(setups.switches(state))
    same = key == current_row(work.found)
    draft = replace(talk.given, provider="" if same and not setup.provider else key)
    if same:
        draft = drafts.resumed(draft, setup, traffic)
    elif setup.configured:
        draft = replace(draft, traffic=draft.traffic or traffic)
    slots = {} if "main" in talk.given.slots or not same else dict(draft.slots)
    chosen: dict[Slot, str] = {s: m for s, m in talk.given.slots.items() if s != "main"}
    row = work.session.providers[key]
    if not row.multi and draft.base_url == rows.endpoint(
        row, draft.region or row.region, draft.key
    ):
        # The row says this URL anyway: another region or key moves it.
        draft = replace(draft, base_url="")
    draft = replace(draft, provider=key)
    return replace(work, draft=draft, slots=slots, chosen=chosen, adding=None)


# --- route -----------------------------------------------------------------------------------


def route(_talk: Talk, work: Work) -> Turn:
    """Not a question: direct where the row can, LiteLLM where its server is too old for that."""
    row = work.row
    if row.multi:
        return Turn(work, "gateway", asked=False)
    version = work.found.ollama
    minimum = row.discovery.minimum if row.discovery is not None else ""
    too_old = bool(version and minimum) and _numbers(version) < _numbers(minimum)
    if work.draft.via is None and too_old:
        report.talk(
            msg(
                "{name} {version} is older than {minimum}: LiteLLM will translate for it",
                name=rows.named(row),
                version=version,
                minimum=minimum,
            )
        )
        work = work.drafted(via="litellm")
    tells = any(kind.region for kind in row.credential.kinds)
    return Turn(work, "key" if tells else "region", asked=False)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("-")[0].split(".") if part.isdecimal())


def choose_route(talk: Talk, work: Work) -> Turn:
    """Direct or through LiteLLM, from the summary."""
    row = work.row
    about = {
        "direct": msg("the client calls {name}", name=rows.named(row)),
        "litellm": msg("LiteLLM translates and keeps the key"),
    }
    answer = talk.ask.select(
        msg("Which way to {name}?", name=rows.named(row)),
        [Choice(value=way, title=way, note=about[way]) for way in row.routes],
        default=work.via,
        why=msg("Direct is simpler. LiteLLM can offer other models too."),
        flag="--via",
    )
    return onward(work.drafted(via=answer), "summary")


# --- region ----------------------------------------------------------------------------------


def region(talk: Talk, work: Work) -> Turn:
    """Which of a row's regions, unless a flag, a URL or the kind of key says it."""
    row, draft = work.row, work.draft
    told = rows.kind_of(row, known_key(work))
    if told is not None and told.region:
        return onward(work.drafted(region=told.region), "key", asked=False)
    then = "url" if _asks_url(work) else "key"
    known = talk.given.region or draft.base_url or len(row.regions) < 2
    if known and not work.editing:
        return onward(work, then, asked=False)
    default = talk.said.get(("region", row.key)) or draft.region or row.region
    answer = ask_region(talk, row, row.regions, default, in_shell=row.key in work.found.keys)
    talk.said["region", row.key] = answer
    return onward(work.drafted(region=answer, base_url=""), then)


def ask_region(
    talk: Talk, row: Provider, names: Iterable[str], default: str, *, in_shell: bool = False
) -> str:
    """`in_shell`: a variable of the shell holds a key already."""
    why = msg("A key of one region does not work in the other.")
    if in_shell:
        name = row.credential.variable
        why = msg("The key in {name} works in one of them only.", name=name)
    return talk.ask.select(
        msg("In which region was your {name} account made?", name=rows.named(row)),
        [_region(row, name) for name in names],
        default=default,
        why=why,
        flag="--region",
    )


def _region(row: Provider, name: str) -> Choice:
    url = row.base_urls.get(name) or row.upstream_bases.get(name, "")
    found = urls.parse(url)
    return Choice(value=name, title=REGIONS.get(name, name), note=found.host if found else url)


# --- key -------------------------------------------------------------------------------------


def known_key(work: Work) -> str:
    """The key that would be used if none is typed; "" where there is none."""
    row = work.row
    return work.draft.key or work.found.keys.get(row.key) or _gateways(work, row)


def _gateways(work: Work, row: Provider) -> str:
    """On the LiteLLM route, the key that the gateway's own file holds already."""
    if work.via != "litellm":
        return ""
    value = work.found.state.litellm_env.data.get(row.credential.variable, "")
    return value if isinstance(value, str) else ""


def key(talk: Talk, work: Work) -> Turn:
    """The credential, masked; Enter takes one that is there already."""
    row, draft = work.row, work.draft
    foreign = drafts.foreign_gateway(draft, row)
    then = "model" if _asks_url(work) else "url"
    skipped = talk.given.key or not (row.credential.variable or foreign)
    if not work.editing and (skipped or _settled(talk, work)):
        return onward(_keyed(work, ""), then, asked=False)
    pasted_before = talk.said.get(("key", row.key), "")
    answer = talk.ask.secret(
        msg("API key for {name}?", name=whose(row, draft.base_url if _asks_url(work) else "")),
        why=why_key(row),
        more=msg(
            "It is written into files that only you can read. `--api-key-env NAME` takes it"
            " from a variable."
        ),
        clean=drafts.clean_key,
        check=lambda pasted: drafts.check_key(
            pasted, row, work.session.providers, talk.given.base_url
        ),
        found=msg("Enter keeps the one you pasted") if pasted_before else _offered(work),
        flag="--api-key-env",
    )
    typed = answer or pasted_before
    talk.said["key", row.key] = typed
    return onward(_keyed(work, typed), then)


def _settled(talk: Talk, work: Work) -> bool:
    """A key found in the environment is not asked about after a question of the region.

    So a newcomer with a key there presses Enter four times at most.
    """
    regions = len(work.row.regions) > 1 and not talk.given.region
    return regions and not work.draft.key and _fits(work) and work.row.key in work.found.keys


def _fits(work: Work) -> bool:
    held, _ = drafts.clean_key(known_key(work))
    base = work.draft.base_url
    return drafts.check_key(held, work.row, work.session.providers, base) is None


def _offered(work: Work) -> Message | None:
    """What Enter alone would take, if that can be a key of this row."""
    row, draft = work.row, work.draft
    if draft.key and draft.key == row.credential.token:
        return msg("Enter goes on without a key")
    if known_key(work) and _fits(work):
        if draft.key:
            return msg("Enter keeps the one set up now")
        if row.key in work.found.keys:
            return msg("Enter uses the one in {name}", name=row.credential.variable)
        return msg("Enter keeps the one in {path}", path="litellm.env")
    if row.credential.optional:
        return msg("Enter goes on without a key")
    return None


def why_key(row: Provider) -> Message:
    if row.credential.url:
        return msg("Get one at {url}", url=row.credential.url)
    return msg("The service gave it to you.")


def _keyed(work: Work, typed: str) -> Work:
    """With the key, and what its kind says about region and endpoint."""
    row, draft = work.row, work.draft
    if not typed:
        held = draft.key or ("" if row.key in work.found.keys else _gateways(work, row))
        return work.drafted(key=held)
    kind = rows.kind_of(row, typed)
    if kind is not None and kind.about:
        name, about = rows.msg_of(kind.name), rows.msg_of(kind.about)
        remark(msg("{name}: {about}", name=name, about=about))
    there = kind.region if kind is not None and kind.region else draft.region
    base = draft.base_url
    known = (row.base_urls, *(other.base_urls for other in row.credential.kinds))
    own = any(urls.same(base, url) for bases in known for url in bases.values())
    if kind is not None and kind.base_urls and own:
        base = ""
    return work.drafted(key=typed, region=there, base_url=base)


# --- URL -------------------------------------------------------------------------------------


def url(talk: Talk, work: Work) -> Turn:
    """The base URL, for rows that have none of their own."""
    row, draft = work.row, work.draft
    default = draft.base_url or default_url(work)
    then = "key" if _asks_url(work) else "model"
    if not work.editing and (default or row.multi):
        return onward(work, then, asked=False)
    answer = talk.ask.text(
        msg("Base URL of the service?"),
        why=why_url(row),
        more=URL_FORM,
        default=talk.said.get(("url", row.key)) or default,
        check=lambda text: url_complaint(text, draft, direct=work.via == "direct"),
        flag="--base-url",
    )
    base = talk.said["url", row.key] = answer
    if work.via == "direct":
        base = report.telling(drafts.clean_url(base))
    else:
        base = drafts.upstream_base(row, base)
    if base == default_url(work):
        base = ""
    return onward(work.drafted(base_url=base), then)


def default_url(work: Work) -> str:
    """The URL that row, region, route and key say by themselves; "" where they say none."""
    row = work.row
    where = work.draft.region or row.region
    if work.via == "direct":
        return rows.endpoint(row, where, known_key(work))
    return row.upstream_base(where)


def _asks_url(work: Work) -> bool:
    """Whether the person must give the URL: it is asked before its key."""
    return not (work.row.multi or default_url(work))


def whose(row: Provider, url: str) -> Message | str:
    """Who gave the key: the service at `url`, where the row is for any service."""
    found = urls.parse(url)
    return rows.named(row) if found is None else found.host


def why_url(row: Provider) -> Message:
    if row.notes:
        return rows.msg_of(row.notes[0])
    return msg("The client sends its requests there.")


def url_complaint(text: str, draft: Draft, *, direct: bool) -> Message | None:
    """Why a URL can't be used, as an answer to a question."""
    if not text:
        return msg("type a URL like https://host/path")
    try:
        base, _ = drafts.clean_url(text) if direct else (text, None)
        drafts.check_url(base, insecure=draft.insecure)
    except Usage as refused:
        return refused.what
    return None
