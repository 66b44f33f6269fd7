"""`profile import`: other tools' set-ups into profiles; theirs are only read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from haha_config.cli import shelf
from haha_config.cli.session import Session
from haha_config.cli.shelf import Shelved
from haha_config.cli.writing import Manner, Outcome, write
from haha_config.core import draft as drafts
from haha_config.core import providers as rows
from haha_config.core import setup, urls
from haha_config.core import variables as v
from haha_config.core.draft import Draft
from haha_config.core.edit.formats import read
from haha_config.core.errors import HahaError, Refusal, Usage
from haha_config.core.imports import (
    Entry,
    Gateway,
    Served,
    cc_switch,
    ccs,
    litellm,
    named,
    router,
    shell,
)
from haha_config.core.messages import Message, msg
from haha_config.core.model import SLOTS, Place, Plan, Provider, Snapshot, Upstream
from haha_config.core.profile import Kind, Profile, Reference, check_name, of_data
from haha_config.core.record import dataclass, replace
from haha_config.core.state import State, parse
from haha_config.io import profiles, report, rivals, store
from haha_config.io.words import english, say

Sources = Iterator[Entry | HahaError]
_TOOLS: Final = ("cc-switch", "ccs", "claude-code-router", "shell")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """An entry and what becomes of it. `made` None: it is skipped, and `why` says so."""

    entry: Entry
    made: Shelved | None = None
    missing: tuple[str, ...] = ()
    why: Message | None = None
    notes: tuple[Message, ...] = ()

    @property
    def status(self) -> str:
        """`imported`, `needs a key` or `skipped`."""
        if self.made is None:
            return "skipped"
        return "needs a key" if self.missing else "imported"


def take(session: Session, source: str, manner: Manner, *, name: str | None, kind: Kind) -> int:
    """Read, say what becomes of each entry, and write the profiles unless it is a dry run."""
    found: list[Taken] = []
    failed: list[HahaError] = []
    used = set(profiles.names(session.config_folder))
    for entry in _entries(session, source):
        if isinstance(entry, HahaError):
            failed.append(entry)
            continue
        one = _taken(session, entry, _name(entry, name), kind, used)
        if one.made is not None:
            used.add(one.made.profile.name)
        found.append(one)
    if name is not None and len(found) > 1:
        raise Usage(msg("--name is for one set-up, and there are {n}", n=len(found)))
    outcome = _write(session, found, manner)
    _tell(found, failed, outcome, manner)
    return 1 if failed else 0


def _write(session: Session, found: Sequence[Taken], manner: Manner) -> Outcome:
    made = [one.made for one in found if one.made is not None]
    stored = [shelf.stored(m, dry_run=manner.dry_run) for m in made]

    def build() -> Plan:
        return Plan(writes=tuple(w for m in stored for w in shelf.writes(session, m)))

    if not stored:
        return Outcome()
    return write(session, build, manner, lambda: True, previewed=True)


def _tell(
    found: Sequence[Taken], failed: Sequence[HahaError], outcome: Outcome, manner: Manner
) -> None:
    if manner.as_json:
        errors = [{"message": english(e.what), "path": _path(e.place)} for e in failed]
        document = {**outcome.document(), "items": [_json(t) for t in found], "errors": errors}
        report.document(document)
        return
    for one in found:
        report.result(_line(one))
        for note in (*one.entry.notes, *one.notes):
            report.result(f"    {say(note)}")
    for error in failed:
        report.failure(error, as_json=False)
    if not found and not failed:
        report.talk(msg("nothing to import was found"))
    elif manner.dry_run and any(one.made for one in found):
        report.talk(msg("nothing was written: add --yes to save them as profiles"))


def _path(place: Place | None) -> str | None:
    return place.path if place is not None and place.path else None


def _line(one: Taken) -> Message:
    where = report.location(one.entry.place).removesuffix(": ")
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


# --- where they come from --------------------------------------------------------------------


def _entries(session: Session, source: str) -> Sources:
    readers: dict[str, Callable[[Session], Sources]] = {
        "cc-switch": _from_cc_switch,
        "ccs": _from_ccs,
        "claude-code-router": _from_router,
        "shell": _from_shells,
    }
    if source == "all":
        for tool in _TOOLS:
            yield from _careful(readers[tool], session)
    elif source in readers:
        yield from _careful(readers[source], session)
    elif Path(source).expanduser().is_file():
        yield _behind(session, _from_file(Path(source).expanduser().absolute()))
    else:
        raise Usage(
            msg("there is no file and no tool `{name}`: {known}", name=source, known=_TOOLS),
            hints=rows.did_you_mean(source, _TOOLS),
        )


def _careful(reader: Callable[[Session], Sources], session: Session) -> Sources:
    """One tool that can't be read does not hide the others."""
    try:
        yield from reader(session)
    except HahaError as error:
        yield error


def _from_cc_switch(session: Session) -> Sources:
    found = rivals.cc_switch(session.home)
    if found is not None:
        table, current, path = found
        yield from cc_switch.entries(table, current, path)


def _from_ccs(session: Session) -> Sources:
    folder = rivals.ccs_folder(session.environ, session.home)
    for name in ("config.yaml", "config.json"):
        path = folder / name
        if not path.is_file():
            continue
        data = _document(path, "yaml" if name.endswith("yaml") else "json")
        warning = ccs.newer(data)
        if warning is not None:
            report.talk(warning)
        listed = ccs.settings_paths(data)
        for profile, settings in listed.items():
            yield from _careful(
                lambda s, p=profile, f=settings: iter((_ccs_entry(s, p, f),)),  # type: ignore[misc]
                session,
            )
        if listed:
            return


def _ccs_entry(session: Session, name: str, settings: str) -> Entry:
    path = Path(settings.replace("~", str(session.home), 1) if settings[:1] == "~" else settings)
    own = path == session.client_folder / "settings.json"
    return ccs.entry(name, {} if own else _document(path, "json"), str(path), own=own)


def _from_router(session: Session) -> Sources:
    path = session.home / ".claude-code-router" / "config.json"
    if path.is_file():
        yield router.entry(_json5(path), str(path))
    database = rivals.router_database(session.home)
    if database is not None:
        yield router.entry(*database)


def _from_shells(session: Session) -> Sources:
    for name in rivals.START_FILES:
        path = session.home / name
        if path.is_file():
            entry = shell.entry(rivals.text(path), str(path), f"from-{named(path.name)}")
            if entry is not None:
                yield entry


def _from_file(path: Path) -> Entry:
    """A file that a person names, by what is in it."""
    name, stem = path.name, named(path.stem) or "imported"
    if path.suffix == ".toml":
        return Entry(source="profile", name=stem, place=Place(path=str(path)))
    if path.suffix in (".yaml", ".yml"):
        return litellm.entry(_document(path, "yaml"), str(path), stem)
    if path.suffix in (".json", ".json5"):
        data = _json5(path)
        if "Providers" in data or "providers" in data:
            return router.entry(data, str(path))
        return ccs.of_env("settings", stem, data.get("env"), Place(path=str(path)))
    if name == ".env" or name.endswith(".env") or name.startswith(".env"):
        return ccs.of_env(".env", stem, _document(path, "dotenv"), Place(path=str(path)))
    found = shell.entry(rivals.text(path), str(path), stem)
    if found is None:
        raise HahaError(
            msg("there is nothing of a client's set-up in it"), place=Place(path=str(path))
        )
    return found


def _behind(session: Session, entry: Entry) -> Entry:
    """The provider behind cc-switch's own proxy, where a file holds only the proxy."""
    if not cc_switch.is_proxy(entry.env.get(v.BASE_URL, "")):
        return entry
    for one in _from_cc_switch(session):
        if isinstance(one, Entry) and one.current and one.skipped is None:
            return replace(one, place=entry.place)
    return replace(entry, skipped=cc_switch.PROXY)


def _document(path: Path, format: Any) -> Mapping[str, Any]:  # noqa: A002
    try:
        return read(format, rivals.text(path)).data
    except Refusal as refusal:
        inside = refusal.place or Place()
        place = Place(path=str(path), line=inside.line, column=inside.column)
        raise Refusal(refusal.what, place=place, hints=refusal.hints) from None


def _json5(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(router.as_json(rivals.text(path)))
    except (ValueError, RecursionError):
        raise Refusal(msg("this is not JSON"), place=Place(path=str(path))) from None
    return data if isinstance(data, dict) else {}


# --- into profiles ---------------------------------------------------------------------------


def _name(entry: Entry, given: str | None) -> str:
    return check_name(given) if given else named(entry.name) or entry.source


def _taken(session: Session, entry: Entry, name: str, kind: Kind, used: set[str]) -> Taken:
    if entry.skipped is not None:
        return Taken(entry=entry, why=entry.skipped)
    if name in used:
        why = msg("there is a profile `{name}` already: --name", name=name)
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


def _profile(session: Session, entry: Entry, name: str) -> Taken:
    data = profiles.load(Path(entry.place.path))
    profile = of_data(name, data, entry.place.path)
    shelf.drafted(session, profile, targets="settings")
    return Taken(
        entry=entry, made=Shelved(profile=profile), missing=tuple(_missing(session, profile))
    )


def _missing(session: Session, profile: Profile) -> Iterator[str]:
    for variable, ref in profile.keys.items():
        if not store.read(ref.kind, ref.name, session.environ, session.data_folder):
            yield variable


def _direct(session: Session, entry: Entry, name: str, kind: Kind) -> Taken:
    """Client variables: read back as if they were exported in a shell."""
    env = dict(entry.env)
    if env.get(v.SMALL_FAST) and not env.get(SLOTS["haiku"]):
        env[SLOTS["haiku"]] = env[v.SMALL_FAST]
    held = setup.read(_state(session, env))
    row = rows.row(session.providers, held.provider or "custom-anthropic")
    key = held.credential
    draft = Draft(
        provider=row.key,
        via="direct",
        region=held.region,
        base_url=urls.without_endpoint(held.base_url),
        key=key or "-",
        slots=held.slots,
        traffic=drafts.traffic_of(env),
        insecure=True,
    )
    made = drafts.answers(draft, session.providers, held, "")
    window = env.get(v.MAX_CONTEXT, "")
    draft = replace(draft, context=int(window) if window.isdecimal() else None)
    shelved = shelf.shelved(session, name, draft, replace(made, header=held.header), kind)
    if key:
        return Taken(entry=entry, made=shelved)
    return Taken(entry=entry, made=replace(shelved, keys={}), missing=tuple(shelved.profile.keys))


def _gateway(session: Session, entry: Entry, gateway: Gateway, name: str, kind: Kind) -> Taken:
    lost: list[Message] = []
    keys: dict[str, str] = {}
    ups: list[Upstream] = []
    named_only: dict[str, str] = {}
    for served in gateway.served:
        row = _row(session, served)
        if row is None:
            lost.append(msg("`{name}` is lost: no provider row explains it", name=served.name))
            continue
        made = drafts.upstream(row, _plain(served, row), name=served.name, url=_base(served))
        variable = _variable(made.variable, served, keys)
        if variable and served.key:
            keys[variable] = served.key
        elif variable and served.variable:
            named_only[variable] = served.variable
        ups.append(replace(made, variable=variable))
    if not ups:
        return Taken(entry=entry, why=msg("no provider row explains its models"))
    slots = {s: m for s, m in gateway.slots.items() if m in {u.name for u in ups}}
    draft = Draft(provider="litellm", upstreams=tuple(ups), slots=slots, keys=keys, insecure=True)
    empty = setup.read(_state(session, {}))
    answers = drafts.answers(draft, session.providers, empty, "-")
    shelved = shelf.shelved(session, name, draft, answers, kind)
    references = {
        variable: Reference("env", named_only[variable])
        if variable in named_only and variable not in keys
        else reference
        for variable, reference in shelved.profile.keys.items()
    }
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
        made=Shelved(profile=profile, keys=shelved.keys),
        missing=missing,
        notes=tuple(lost),
    )


def _row(session: Session, served: Served) -> Provider | None:
    """The row behind a served model: by LiteLLM's prefix, else by its URL, else any such URL."""
    if "/" in served.model and not served.url.rstrip("/").endswith("/chat/completions"):
        row = setup.row_of_model(served.model, served.url, session.providers)
        if row is not None:
            return row
    base = urls.without_endpoint(served.url)
    for row in session.providers.values():
        for url in row.upstream.api_base.values() if row.upstream else ():
            if url and urls.same(urls.without_endpoint(url), base):
                return row
    if not served.url:
        return None
    return session.providers["custom-anthropic" if served.anthropic else "custom-openai"]


def _plain(served: Served, row: Provider) -> str:
    return served.model.removeprefix(row.upstream.prefix if row.upstream else "")


def _base(served: Served) -> str:
    """The URL that LiteLLM needs: without the path of one request."""
    if served.anthropic:
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
