"""`profile import`: other tools' set-ups into profiles; theirs are only read."""

from __future__ import annotations

import shlex
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from haha_config.core import urls
from haha_config.core import variables as v
from haha_config.core.errors import HahaError, Usage
from haha_config.core.imports import ImportedGateway, ImportedSetup, Served, named
from haha_config.core.messages import Message, msg
from haha_config.core.model import SLOTS, Plan, Snapshot
from haha_config.core.providers import table as rows
from haha_config.core.providers.decode import did_you_mean
from haha_config.core.providers.index import ProviderIndex, plain_model
from haha_config.core.providers.model import Provider, Providers, Upstream
from haha_config.core.setup import draft as drafts
from haha_config.core.setup.draft import Draft
from haha_config.core.setup.profile import RESERVED, Kind, Profile, Reference, check_name, of_data
from haha_config.core.state import configured
from haha_config.core.state.file import parse
from haha_config.core.state.state import State
from haha_config.io import profile_files, report, store
from haha_config.io.i18n import english, render
from haha_config.workflow import import_sources, profiles
from haha_config.workflow.apply import WriteOptions, WriteResult, write
from haha_config.workflow.profiles import SavedProfile
from haha_config.workflow.session import Session

#: The name that an entry gets as a profile, and the entry.
_Named = tuple[str, ImportedSetup]


class Taken(Struct, frozen=True, kw_only=True):
    """An entry and what becomes of it. `made` None: it is skipped, and `why` says so."""

    entry: ImportedSetup
    made: SavedProfile | None = None
    missing: tuple[str, ...] = ()
    why: Message | None = None
    notes: tuple[Message, ...] = ()

    @property
    def status(self) -> str:
        """`imported`, `needs a key` or `skipped`."""
        if self.made is None:
            return "skipped"
        return "needs a key" if self.missing else "imported"


def take(
    session: Session, source: str, manner: WriteOptions, *, name: str | None, kind: Kind
) -> int:
    """Read, say what becomes of each entry, and write the profiles unless it is a dry run."""
    tool, colon, wanted = source.partition(":")
    one = bool(colon) and tool in import_sources.TOOLS
    read = list(import_sources.entries(session, tool if one else source))
    failed = [entry for entry in read if isinstance(entry, HahaError)]
    named_ones = _named(entry for entry in read if not isinstance(entry, HahaError))
    if one:
        named_ones = _chosen(named_ones, wanted, tool)
    if name is not None:
        named_ones = _renamed(named_ones, name)
    existing = frozenset(profile_files.names(session.config_folder))
    found = [_taken(session, e, n, kind, existing) for n, e in named_ones]
    stored = [profiles.stored(t.made, dry_run=manner.dry_run) for t in found if t.made is not None]

    def build() -> Plan:
        return Plan(writes=tuple(w for made in stored for w in profiles.writes(session, made)))

    outcome = write(session, build, manner, previewed=True) if stored else WriteResult()
    _tell(found, failed, outcome, manner)
    return 1 if failed else 0


def _tell(
    found: Sequence[Taken], failed: Sequence[HahaError], outcome: WriteResult, manner: WriteOptions
) -> None:
    if manner.as_json:
        errors = [
            {"message": english(e.what), "path": (e.place and e.place.path) or None} for e in failed
        ]
        document = {**outcome.document(), "items": [_json(t) for t in found], "errors": errors}
        report.document(document)
        return
    for one in found:
        report.result(_line(one))
        for note in (*one.entry.notes, *one.notes):
            report.result(f"    {render(note)}")
    for error in failed:
        report.failure(error, as_json=False)
    if not found and not failed:
        report.talk(msg("nothing to import"))
    elif manner.dry_run and any(one.made for one in found):
        report.talk(msg("nothing was written; --yes saves them as profiles"))


def _line(one: Taken) -> Message:
    where = report.location(one.entry.place)
    head = {"source": one.entry.source, "name": one.entry.name, "where": where}
    if one.made is None:
        return msg("{source} `{name}` ({where}): skipped because {why}", **head, why=one.why)
    profile = one.made.profile.name
    if one.missing:
        return msg(
            "{source} `{name}` ({where}): needs a key: haha-config profile key {profile}",
            **head,
            profile=profile,
        )
    return msg("{source} `{name}` ({where}): imported as `{profile}`", **head, profile=profile)


def _json(one: Taken) -> dict[str, Any]:
    return {
        "source": one.entry.source,
        "name": one.entry.name,
        "path": one.entry.place.path,
        "line": one.entry.place.line,
        "status": one.status,
        "profile": one.made.profile.name if one.made else None,
        "missing": list(one.missing),
        "reason": english(one.why) if one.why else None,
        "notes": [english(note) for note in (*one.entry.notes, *one.notes)],
        "current": one.entry.current,
    }


# --- into profiles ---------------------------------------------------------------------------


def _named(entries: Iterable[ImportedSetup]) -> list[_Named]:
    """Each with a name of its own, whatever profiles there are: a second run gives the same."""
    used: set[str] = set()
    found = []
    for entry in entries:
        plain = "" if entry.skipped else named(entry.name)
        usual = plain if plain and plain not in RESERVED else entry.source
        numbered = (f"{usual[:60]}-{number}" for number in count(2))
        name = next(n for n in chain((usual,), numbered) if n not in used)
        if entry.skipped is None:
            used.add(name)
        found.append((name, entry))
    return found


def _chosen(entries: Sequence[_Named], wanted: str, tool: str) -> list[_Named]:
    """The one of `TOOL:NAME`, by the name it gets here or, where that is nobody's, by its own.

    Raises Usage where there is none.
    """
    there = [(name, entry) for name, entry in entries if entry.skipped is None]
    found = [one for one in there if one[0] == wanted]
    found = found or [one for one in entries if one[1].name == wanted]
    if not found:
        raise Usage(
            msg("{source} has no set-up `{name}`", source=tool, name=wanted),
            hints=did_you_mean(wanted, [name for name, _ in there]),
        )
    return found


def _renamed(entries: Sequence[_Named], name: str) -> list[_Named]:
    """The name that a person gave, for the only one that is a set-up. Raises Usage."""
    check_name(name)
    there = [entry for _, entry in entries if entry.skipped is None]
    if len(there) > 1:
        source = there[0].source
        hint = f"haha-config profile import {source}:NAME --name {name}"
        hints = (hint,) if source in import_sources.TOOLS else ()
        raise Usage(msg("--name is for one set-up, not {n}", n=len(there)), hints=hints)
    return [(name, entry) for _, entry in entries]


def _taken(
    session: Session, entry: ImportedSetup, name: str, kind: Kind, existing: frozenset[str]
) -> Taken:
    if entry.skipped is not None:
        return Taken(entry=entry, why=entry.skipped)
    if name in existing:
        tool = entry.source in import_sources.TOOLS
        what = f"{entry.source}:{name}" if tool else report.short(entry.place.path)
        again = f"haha-config profile import {shlex.quote(what)} --name NAME"
        why = msg("there is a profile `{name}` already: {command}", name=name, command=again)
        return Taken(entry=entry, why=why)
    try:
        check_name(name)
        if entry.source == "profile":
            return _profile(session, entry, name)
        if entry.gateway is not None:
            return _gateway(session, entry, entry.gateway, name, kind)
        return _direct(session, entry, name, kind)
    except HahaError as error:
        return Taken(entry=entry, why=error.what)


def _profile(session: Session, entry: ImportedSetup, name: str) -> Taken:
    where = Path(entry.place.path)
    profile = of_data(name, profile_files.load(where), entry.place.path)
    draft = profiles.draft_from_profile(session, profile, where)
    return Taken(
        entry=entry,
        made=SavedProfile(profile=profile),
        missing=tuple(
            variable for variable, reference in profile.keys.items() if not _has(session, reference)
        ),
        notes=tuple(_destinations(session, profile, draft)),
    )


def _direct(session: Session, entry: ImportedSetup, name: str, kind: Kind) -> Taken:
    """Client variables: read back as if they were exported in a shell."""
    env = dict(entry.env)
    if env.get(v.SMALL_FAST) and not env.get(SLOTS["haiku"]):
        env[SLOTS["haiku"]] = env[v.SMALL_FAST]
    held = configured.read(_state(session, env))
    row = rows.row(session.providers, held.provider or "custom-anthropic")
    key, lost = _key(session, held.credential, row, held.base_url)
    draft = Draft(
        provider=row.key,
        via="direct",
        region=held.region,
        base_url=urls.without_endpoint(held.base_url),
        key=key or row.credential.token or "-",
        slots=held.slots,
        traffic=drafts.traffic_of(env),
        insecure=True,
    )
    made = drafts.answers(draft, session.providers, held, "")
    draft = replace(draft, context=v.whole(env.get(v.MAX_CONTEXT, "")))
    shelved = profiles.from_answers(session, name, draft, replace(made, header=held.header), kind)
    missing = () if key else tuple(shelved.profile.keys)
    kept = shelved if key else replace(shelved, keys={})
    return Taken(entry=entry, made=kept, missing=missing, notes=lost)


def _key(
    session: Session, key: str, row: Provider, base_url: str = ""
) -> tuple[str, tuple[Message, ...]]:
    """A key that `use` would take, else "" and why it is none."""
    bare, _ = drafts.clean_key(key)
    if not bare or bare == row.credential.token:
        return bare, ()
    complaint = drafts.check_key(bare, row, session.providers, base_url)
    return (bare, ()) if complaint is None else ("", (complaint,))


def _gateway(
    session: Session, entry: ImportedSetup, gateway: ImportedGateway, name: str, kind: Kind
) -> Taken:
    lost: list[Message] = []
    keys: dict[str, str] = {}
    ups: list[Upstream] = []
    named_only: dict[str, str] = {}
    for served in gateway.served:
        row = _row(session, served)
        if row is None:
            lost.append(msg("left out `{name}`: no known provider", name=served.name))
            continue
        key, complaints = _key(session, served.key, row)
        lost += complaints
        served = replace(served, key=key)
        made = drafts.upstream(
            row, plain_model(row, served.model), name=served.name, url=_base(served, row)
        )
        variable = _variable(made.variable, served, keys)
        if variable and served.key:
            keys[variable] = served.key
        elif variable and served.variable:
            named_only[variable] = served.variable
        ups.append(replace(made, variable=variable))
    if not ups:
        return Taken(entry=entry, why=msg("its models fit no known provider"))
    slots = {s: m for s, m in gateway.slots.items() if m in {u.name for u in ups}}
    draft = Draft(provider="litellm", upstreams=tuple(ups), slots=slots, keys=keys, insecure=True)
    empty = configured.read(_state(session, {}))
    answers = drafts.answers(draft, session.providers, empty, "-")
    shelved = profiles.from_answers(session, name, draft, answers, kind)
    references = dict(shelved.profile.keys)
    for variable in references.keys() & named_only.keys() - keys.keys():
        references[variable] = Reference("env", named_only[variable])
    # Its port is nobody's choice: `use` and `run` take one that is free.
    given = {name: value for name, value in shelved.profile.answers.items() if name != "port"}
    profile = replace(shelved.profile, answers=given, keys=references)
    missing = tuple(
        n
        for n, ref in references.items()
        if n not in keys and not (ref.kind == "env" and session.environ.get(ref.name))
    )
    return Taken(
        entry=entry,
        made=SavedProfile(profile=profile, keys=shelved.keys),
        missing=missing,
        notes=(*lost, *_destinations(session, profile, draft, named_only)),
    )


def _row(session: Session, served: Served) -> Provider | None:
    """The row behind a served model: by LiteLLM's prefix, else by its URL, else any such URL."""
    if "/" in served.model and not served.url.rstrip("/").endswith("/chat/completions"):
        row = ProviderIndex(session.providers).behind(served.model, served.url)
        if row is not None:
            return row
    base = urls.without_endpoint(served.url)
    for row in session.providers.values():
        for url in row.upstream_bases.values():
            if url and urls.same(urls.without_endpoint(url), base):
                return row
    if not served.url:
        return None
    return session.providers["custom-anthropic" if served.anthropic else "custom-openai"]


def _base(served: Served, row: Provider) -> str:
    """The URL that LiteLLM needs: without the path of one request, and `/v1` as its row has it."""
    bare = any(url and url == urls.without_endpoint(url) for url in row.upstream_bases.values())
    if served.anthropic or bare:
        return urls.without_endpoint(served.url)
    return served.url.rstrip("/").removesuffix("/chat/completions").removesuffix("/responses")


def _variable(usual: str, served: Served, keys: Mapping[str, str]) -> str:
    """Two keys never share a variable."""
    variable, number = served.variable or usual, 2
    while variable and served.key and keys.get(variable, served.key) != served.key:
        variable = f"{usual}_{number}"
        number += 1
    return variable


def _state(session: Session, env: Mapping[str, str]) -> State:
    """A machine on which these variables are exported and no file is."""
    nothing = Snapshot(path="", real="")
    return State(
        client="claude",
        folder="",
        scope="user",
        settings={"user": parse(nothing, "json")},
        dotenv=parse(nothing, "dotenv"),
        litellm=parse(nothing, "yaml"),
        litellm_env=parse(nothing, "dotenv"),
        environ=dict(env),
        providers=session.providers,
    )


# --- whom the keys of a profile from elsewhere would be shown to ------------------------------


def _destinations(
    session: Session, profile: Profile, draft: Draft, only: Container[str] | None = None
) -> Iterator[Message]:
    """Each address with the key that it gets, and a warning where that key is for another.

    `only`: the variables to look at. Raises Usage where the profile can't be used at all.
    """
    for called, variable in dict.fromkeys(_calls(session, draft)):
        if only is not None and variable not in only:
            continue
        url = v.shown_url(called)
        # A variable that the profile does not name is the shell's.
        usual = Reference("env", variable) if variable else None
        reference = next(iter(profile.keys.values()), usual)
        if "upstream" in profile.answers:
            reference = profile.keys.get(variable, usual)
        if reference is None:
            yield msg("calls {url}", url=url)
            continue
        yield msg("calls {url} with the key of {where}", url=url, where=str(reference))
        warning = _warning(session, called, reference)
        if warning is not None:
            yield msg("warning: {what}", what=warning)
        try:
            drafts.check_url(called, insecure=False)
        except Usage as problem:
            yield msg("warning: {what}", what=problem.what)


def said_of_answers(session: Session, draft: Draft, variable: str | None) -> Iterator[Message]:
    """The same of answers from a file that name an address or, with `variable`, a key."""
    if draft.provider and (draft.base_url or variable or any(u.base_url for u in draft.upstreams)):
        keys = {"": Reference("env", variable)} if variable else {}
        answers = {"upstream": ""} if draft.upstreams else {}
        yield from _destinations(session, Profile(name="", answers=answers, keys=keys), draft)


def _calls(session: Session, draft: Draft) -> Iterator[tuple[str, str]]:
    """The URLs that are called, each with the variable whose key goes there; "" for none."""
    if not draft.provider and not draft.upstreams:
        raise Usage(msg("no provider is given"))
    row = rows.row(session.providers, draft.provider or "litellm")
    if drafts.route(draft, row) == "direct":
        base = draft.base_url or rows.endpoint(row, draft.region or row.region)
        yield base, row.credential.variable
        return
    if not row.multi:
        draft = drafts.single_upstream(draft, row)
    for one in draft.upstreams:
        for variable in one.variables or ("",):
            yield one.base_url, variable


def _warning(session: Session, url: str, reference: Reference) -> Message | None:
    called = urls.parse(url)
    host = called.host if called is not None else ""
    name = reference.name if reference.kind == "env" else reference.name.rpartition(".")[2]
    # The rows whose key is kept under that name, as far as they have an address of their own.
    owners = [
        row for row in session.providers.values() if row.credential.variable == name and _hosts(row)
    ]
    if any(host in _hosts(one) for one in owners):
        return None
    if owners:
        owner = rows.named(owners[0])
        return msg("this sends your key of {owner} to {host}", owner=owner, host=host)
    if reference.kind == "env" or not _has(session, reference):
        return None
    return msg("this sends your key {where} to {host}", where=str(reference), host=host)


def misled(known: Providers, row: Provider) -> Iterator[Message]:
    """A warning for each host of a row from elsewhere that would get another one's key."""
    variable = row.credential.variable
    owners = [one for one in known.values() if variable and one.credential.variable == variable]
    hosts = _hosts(row).difference(*map(_hosts, owners)) if owners else ()
    for host in sorted(hosts):
        what = msg(
            "this sends your key of {owner} to {host}", owner=rows.named(owners[0]), host=host
        )
        yield msg("warning: {what}", what=what)


def _has(session: Session, reference: Reference) -> bool:
    """Whether a key is there, as far as it can be read."""
    kind, name = reference.kind, reference.name
    try:
        return bool(store.read(kind, name, session.environ, session.data_folder))
    except HahaError:
        return False


def _hosts(row: Provider) -> set[str]:
    bases = [*row.base_urls.values(), *row.upstream_bases.values()]
    bases += [url for kind in row.credential.kinds for url in kind.base_urls.values()]
    return {found.host for found in map(urls.parse, bases) if found is not None}
