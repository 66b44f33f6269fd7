"""Profiles at hand: from what is configured to a profile, and from a profile to answers."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from haha_config.core import variables as v
from haha_config.core.change import plan as plans
from haha_config.core.change.helper import helper_profile
from haha_config.core.errors import HahaError, Usage
from haha_config.core.messages import Message, msg
from haha_config.core.model import SLOTS, Place, Plan, Write, plain_name
from haha_config.core.providers import table as rows
from haha_config.core.providers.decode import did_you_mean
from haha_config.core.providers.model import Provider, Upstream
from haha_config.core.setup import draft as drafts
from haha_config.core.setup.answers import Answers
from haha_config.core.setup.draft import Draft
from haha_config.core.setup.profile import Kind, Profile, Reference, check_name, of_data
from haha_config.core.state import configured
from haha_config.core.state.state import State
from haha_config.io import disk, loopback, paths, profile_files, report, store
from haha_config.workflow import flags, trust
from haha_config.workflow.discover import Discovered, check_port, discover
from haha_config.workflow.session import Session, whole


class SavedProfile(Struct, frozen=True, kw_only=True):
    """A profile that is being saved, and its keys by variable; they never go into its file."""

    profile: Profile
    keys: Mapping[str, str] = field(default_factory=dict)


# --- reading ---------------------------------------------------------------------------------


def names() -> list[str]:
    return profile_files.names(paths.config_folder())


def load(session: Session, name: str) -> Profile:
    """A profile.

    Raises Usage where there is none of that name, Refusal where its file is broken.
    """
    known = names()
    if name not in known:
        raise Usage(
            msg("there is no profile `{name}`", name=name),
            hints=(
                *did_you_mean(name, known),
                "haha-config profile list"
                if known
                else shlex.join(["haha-config", "profile", "save", name]),
            ),
        )
    where = profile_files.path(session.config_folder, name)
    return of_data(name, profile_files.load(where), str(where))


def profiles_with_model(model: str) -> Iterator[tuple[str, bool]]:
    """The profiles that have a model, and whether it is the one that they start with."""
    plain = plain_name(model)
    for name in names():
        try:
            answers = profile_files.load(profile_files.path(paths.config_folder(), name))
        except HahaError:
            continue
        slots = [str(one).partition("=")[2] for one in answers.get("slot") or ()]
        parts = [drafts.upstream_parts(str(one)) for one in answers.get("upstream") or ()]
        ups = [name or model for name, _, model, _ in parts]
        main = str(answers.get("model") or next(iter(ups), ""))
        if plain in {plain_name(held) for held in (main, *slots, *ups)}:
            yield name, plain_name(main) == plain


# --- from a profile to answers ---------------------------------------------------------------


def draft_from_profile(session: Session, profile: Profile, where: Path | None = None) -> Draft:
    """A profile's draft, without its keys. Raises Usage where its file says what can't be.

    `where`: its file, if it is not one of ours.
    """
    from haha_config.workflow import configure

    where = where or profile_files.path(session.config_folder, profile.name)
    given = replace(flags.parse(profile.answers, where), write="settings")
    # What was accepted with --insecure once is in the file because it was.
    draft = configure.draft_from_flags(session, given, insecure=True)
    return replace(draft, context=profile.context)


def filled(session: Session, profile: Profile, draft: Draft) -> Draft:
    """The draft with its keys.

    Raises HahaError where one is not to be found, with how to give it.
    """
    keys = {}
    for variable, reference in profile.keys.items():
        key = store.read(reference.kind, reference.name, session.environ, session.data_folder)
        if not key:
            raise _without_key(session, profile, variable, reference)
        where = store.path(session.data_folder, reference.name)
        mode = disk.snapshot(where).mode if reference.kind == "file" else None
        if mode is not None and mode & 0o077 and sys.platform != "win32":
            # Our own store makes none that others can read.
            command = f"chmod 600 {shlex.quote(str(where))}"
            report.talk(msg("others can read this key: {command}", command=command))
        keys[variable] = key
    row = rows.row(session.providers, draft.provider)
    if drafts.route(draft, row) == "litellm" and row.multi:
        return replace(draft, keys=keys)
    return replace(draft, key=next(iter(keys.values()), row.credential.token))


def _without_key(
    session: Session, profile: Profile, variable: str, reference: Reference
) -> HahaError:
    where = str(reference)
    if reference.kind == "file":
        where = f"file:{store.path(session.data_folder, reference.name)}"
    return HahaError(
        msg(
            "profile `{name}`: no {variable} in {where}",
            name=profile.name,
            variable=variable,
            where=where,
        ),
        hints=(_remedy(profile, reference),),
    )


def _remedy(profile: Profile, reference: Reference) -> Message | str:
    if reference.kind == "env":
        return msg("export {name}=…", name=reference.name)
    return f"haha-config profile key {profile.name}"


def _check_keys(session: Session, profile: Profile, draft: Draft) -> None:
    """Raises Usage for a key that can't work, with how this profile gets another."""
    row = rows.row(session.providers, draft.provider)
    asked = {n: session.providers[u.provider] for u in draft.upstreams for n in u.variables}
    for variable, reference in profile.keys.items():
        owner = asked.get(variable, row)
        key, _ = drafts.clean_key(draft.keys.get(variable) or draft.key)
        if key in ("", owner.credential.token):
            continue
        base_url = "" if asked else draft.base_url
        complaint = drafts.check_key(key, owner, session.providers, base_url)
        if complaint is not None:
            raise Usage(complaint, hints=(_remedy(profile, reference),))


def answers(session: Session, profile: Profile) -> Answers:
    """What a profile amounts to here, checked like the answers of `init`."""
    from haha_config.workflow import configure

    draft = filled(session, profile, draft_from_profile(session, profile))
    _check_keys(session, profile, draft)
    found = discover(session, draft)
    if drafts.route(draft, rows.row(session.providers, draft.provider)) == "litellm":
        draft = _with_port(session, profile, draft, found)
    return configure.prepared(session, draft, found, header=profile.header).answers


def _with_port(session: Session, profile: Profile, draft: Draft, found: Discovered) -> Draft:
    """The draft with a port that its gateway can have: the profile's, else one that is free.

    Raises HahaError where another program has the port that the profile names.
    """
    wanted = draft.port or found.setup.port or drafts.DEFAULT_PORT
    try:
        check_port(wanted, found)
    except HahaError as taken:
        free = loopback.free_port(wanted + 1)
        if draft.port is None:
            report.talk(taken.what)
            report.talk(msg("the gateway gets port {port}", port=free))
            return replace(draft, port=free)
        where = report.short(str(profile_files.path(session.config_folder, profile.name)))
        hint = msg("write `port = {port}` in {path}", port=free, path=where)
        raise HahaError(taken.what, hints=(hint,)) from None
    return draft


def helper(session: Session, profile: Profile) -> str:
    """The client's `apiKeyHelper` for this profile; "" where its key goes into the files."""
    if not profile.helper or not takes_helper(session, profile):
        return ""
    return f"{program()} key {profile.name}"


def takes_helper(session: Session, profile: Profile) -> bool:
    """Whether its provider takes a key in both headers, which is how a helper's is sent."""
    row = _direct(session, profile)
    return row is not None and (row.credential.either or profile.either)


def asks_for_helper(session: Session, profile: Profile) -> bool:
    """Whether only its person can know that: the table has no address of such an endpoint."""
    row = _direct(session, profile)
    return row is not None and not row.credential.either and not any(row.base_urls.values())


def _direct(session: Session, profile: Profile) -> Provider | None:
    """Its row, where the client itself sends the profile's key."""
    key = profile.answers.get("provider")
    row = session.providers.get(key) if isinstance(key, str) else None
    if row is None or profile.answers.get("via") == "litellm":
        return None
    foreign = "base-url" in profile.answers and "upstream" not in profile.answers
    return row if (foreign if row.multi else row.routes[0] == "direct") else None


def program() -> str:
    """How the client's shell starts us."""
    if shutil.which("haha-config"):
        return "haha-config"
    return f"{shlex.quote(sys.executable)} -P -m haha_config"


# --- which one is in force -------------------------------------------------------------------


def current(session: Session, state: State) -> str | None:
    """The profile that the scope's files amount to; of twins the one used last."""
    fitting = [n for n in names() if _fits(session, n, state)]
    return next((n for n in history(session) if n in fitting), next(iter(fitting), None))


def _fits(session: Session, name: str, state: State) -> bool:
    try:
        profile = load(session, name)
        draft = replace(draft_from_profile(session, profile), key="-")
        made = drafts.answers(draft, session.providers, configured.read(state), "-")
    except HahaError:
        return False
    wanted = plans.client_variables(replace(made, header=profile.header), session.providers)
    held = plans.held_variables(state)
    # The window is what servers and the menu of `/model` say now; less is a person's choice.
    passed_over = {*v.CREDENTIALS, *v.LIMITS}
    return all(held.get(n) == w for n, w in wanted.items() if n not in passed_over)


def history(session: Session) -> list[str]:
    """What this scope was pointed at, the newest first, as far as the journal reaches."""
    folder = profile_files.folder(session.config_folder)
    found: list[str] = []
    for record in reversed(disk.records(session.state_folder)):
        if str(session.settings_path) not in record.paths:
            continue
        verb, _, name = record.command.partition(" ")
        if verb == "use" and name:
            found.append(name)
        elif verb == "init":
            found += [p.stem for p in map(Path, record.paths) if p.parent == folder]
    return found


def previous(session: Session) -> str:
    """What `use -` means. Raises HahaError where nothing else was used before."""
    used = history(session)
    found = next((name for name in used if name != used[0]), None)
    if found is None:
        raise HahaError(msg("no profile was used before"), hints=("haha-config use",))
    return found


# --- from a set-up to a profile --------------------------------------------------------------


def from_answers(
    session: Session, name: str, draft: Draft, made: Answers, kind: Kind = "file"
) -> SavedProfile:
    """The profile of a complete draft, its keys to be kept by `kind`."""
    check_name(name)
    row = rows.row(session.providers, draft.provider)
    own = made.port is not None
    names = {u.name for u in draft.upstreams}
    among = {n: tuple(o for o in f if o in names) for n, f in draft.fallbacks.items() if n in names}
    draft = replace(draft, fallbacks={n: f for n, f in among.items() if f})
    given = replace(
        flags.of(draft, session.providers),
        via=None if row.multi else made.route,
        # The same words whether they were given, were the default or were read back.
        region=draft.region if draft.region not in ("", row.region) else None,
        base_url=None if own else made.base_url,
        slot=tuple(f"{slot}={made.slots.get(slot, '')}" for slot in SLOTS if slot != "main"),
        model=made.slots["main"],
        upstream_key_env=flags.unusual(draft.upstreams, session.providers) if own else (),
        port=made.port,
        traffic=made.traffic,
        permissions=made.permissions,
        deny_web_search=made.deny_web_search or None,
        # It has a place of its own in a profile.
        context=None,
        drop=(),
        keys=None,
    )
    keys = dict(draft.keys) if own else {}
    if not own and made.credential not in ("", row.credential.token):
        usual = v.AUTH_TOKEN if made.header == "bearer" else v.API_KEY
        keys = {row.credential.variable or usual: made.credential}
    chosen: Kind = "env" if draft.keep_env else kind
    wanted = dict.fromkeys(n for u in draft.upstreams for n in u.variables) if own else keys
    profile = Profile(
        name=name,
        answers=flags.values(given),
        header=made.header,
        context=draft.context,
        keys={
            n: Reference(chosen, n if chosen == "env" else store.own_name(name, n)) for n in wanted
        },
    )
    return SavedProfile(profile=profile, keys={} if chosen == "env" else keys)


def with_kept_upstreams(session: Session, draft: Draft, asked: Draft, found: Discovered) -> Draft:
    """The draft with what its gateway keeps, where it is about the whole gateway.

    An entry that came with the folder, and that nobody has agreed to, is kept in its file only.
    """
    if asked.provider not in ("", "litellm") or not found.setup.own_gateway:
        return draft
    left = trust.names_to_leave(session, found.state)
    left |= {*(u.name for u in draft.upstreams), *draft.drop}
    kept = tuple(u for u in found.setup.upstreams if u.name not in left)
    keys = {**_gateway_keys(found.state, kept, {}), **draft.keys}
    fallbacks = found.state.gateway.fallbacks_without(draft.drop)
    fallbacks = {n: f for n, f in {**fallbacks, **draft.fallbacks}.items() if f}
    return replace(draft, upstreams=(*draft.upstreams, *kept), keys=keys, fallbacks=fallbacks)


def _gateway_keys(
    state: State, upstreams: Iterable[Upstream], environ: Mapping[str, str]
) -> dict[str, str]:
    """The keys of these upstreams that litellm.env holds, else `environ`, by variable."""
    names = {name for u in upstreams for name in u.variables}
    held = {n: str(state.litellm_env.data.get(n) or environ.get(n, "")) for n in names}
    return {name: key for name, key in held.items() if key}


def current_draft(session: Session, state: State, found: Discovered) -> tuple[Draft, Answers]:
    """The set-up in force as a draft with its keys.

    Raises HahaError where nothing is configured, or where it can't be told in answers.
    """
    held = found.setup
    if not held.configured:
        raise configured.nothing()
    draft = drafts.resumed(Draft(), held, drafts.traffic_of(configured.switches(state)))
    if held.own_gateway:
        if not held.upstreams:
            place = Place(path=state.litellm.path)
            raise HahaError(msg("no entry fits a known provider"), place=place)
        draft = replace(
            draft,
            upstreams=held.upstreams,
            fallbacks=state.gateway.fallbacks,
            keys=_gateway_keys(state, held.upstreams, session.environ),
            slots=state.slots,
        )
    else:
        draft = replace(draft, key=draft.key or _helped(session, state))
    made = drafts.answers(draft, session.providers, held, found.master_key)
    made = replace(made, header=held.header) if not helped_by(state) else made
    if plans.context_unknown(made, session.providers):
        draft = replace(draft, context=v.whole(state.value(v.MAX_CONTEXT)))
    return draft, made


def helped_by(state: State) -> str:
    """The profile whose key our own `apiKeyHelper` prints."""
    return helper_profile(state.target.data.get(v.HELPER))


def _helped(session: Session, state: State) -> str:
    name = helped_by(state)
    if not name or name not in names():
        return ""
    profile = load(session, name)
    return filled(session, profile, draft_from_profile(session, profile)).key


def helped(session: Session, found: Discovered) -> Discovered:
    """What was found, and the key that the client gets from the keyring, as far as that opens."""
    name = helped_by(found.state)
    if found.setup.credential or not name or name not in names():
        return found
    try:
        key = _helped(session, found.state)
    except HahaError:  # it is asked for
        return found
    if not key:
        return found
    held = replace(found.setup, credential=key)
    return replace(found, setup=held, helper=load(session, name))


def keep_key_location(made: SavedProfile, found: Discovered, key: str) -> SavedProfile:
    """The profile with its key where it was: in the keyring, if it is still that key."""
    if found.helper is None or key != found.setup.credential:
        return made
    profile = replace(made.profile, keys=found.helper.keys, either=found.helper.either)
    return SavedProfile(profile=profile)


# --- writing ---------------------------------------------------------------------------------


def writes(session: Session, made: SavedProfile) -> tuple[Write, ...]:
    """The profile's file, and its keys in our own store, as part of a plan."""
    profile = made.profile
    found = []
    for variable, reference in profile.keys.items():
        if reference.kind == "file" and made.keys.get(variable):
            where = store.path(session.data_folder, reference.name)
            found.append(whole(where, made.keys[variable] + "\n", secret=True))
    where = profile_files.path(session.config_folder, profile.name)
    return (*found, whole(where, profile_files.text(profile.data())))


def removals(session: Session, profile: Profile) -> tuple[Write, ...]:
    """The profile's file and its keys in our own store, taken away."""
    files = [profile_files.path(session.config_folder, profile.name)]
    for reference in profile.keys.values():
        where = store.path(session.data_folder, reference.name)
        if reference.kind == "file" and where.parent == store.folder(session.data_folder):
            files.append(where)
    return tuple(filter(None, map(_removal, files)))


def _removal(path: Path) -> Write | None:
    """A file taken away; None where there is none."""
    data = disk.snapshot(path).data
    if data is None:
        return None
    return Write(path=str(path), format="lines", before=data, after=None, secret=True)


def stored(made: SavedProfile, *, dry_run: bool) -> SavedProfile:
    """The keys put into the system's keyring; as files where there is none, which is said."""
    wanted = {n: r for n, r in made.profile.keys.items() if r.kind == "keyring"}
    if not wanted:
        return made
    if not store.has_keyring():
        report.talk(msg("no keyring here: the key is in a file only you can read"))
        keys = {**made.profile.keys, **{n: Reference("file", r.name) for n, r in wanted.items()}}
        return replace(made, profile=replace(made.profile, keys=keys))
    for variable, reference in wanted.items():
        if made.keys.get(variable) and not dry_run:
            store.put_in_keyring(reference.name, made.keys[variable])
    return made


def with_keyring(session: Session, profile: Profile, *, dry_run: bool) -> SavedProfile:
    """A profile with its one key moved into the keyring."""
    ((variable, reference),) = profile.keys.items()
    if reference.kind == "keyring":
        return SavedProfile(profile=profile)
    key = store.read(reference.kind, reference.name, session.environ, session.data_folder)
    if not key:
        raise _without_key(session, profile, variable, reference)
    named = Reference("keyring", store.own_name(profile.name, variable))
    made = SavedProfile(profile=replace(profile, keys={variable: named}), keys={variable: key})
    return stored(made, dry_run=dry_run)


def moved(session: Session, made: SavedProfile) -> tuple[Write, ...]:
    """The profile's file with its new references; a key that is in the keyring leaves its file."""
    gone = (
        _removal(store.path(session.data_folder, store.own_name(made.profile.name, variable)))
        for variable, reference in made.profile.keys.items()
        if reference.kind == "keyring"
    )
    return (*writes(session, made), *filter(None, gone))


# --- keys that nothing refers to any more ----------------------------------------------------


def left_in_keyring(session: Session, writes: Iterable[Write]) -> tuple[str, ...]:
    """Our keyring's entries that these writes took out of a profile, and no profile has now.

    They stay until `undo --purge`: what is taken back would be without its key.
    """
    folder = profile_files.folder(session.config_folder)
    gone = dict.fromkeys(
        name
        for write in writes
        if (path := Path(write.path)).parent == folder
        for data in (write.before, write.after)
        for name in _entries(path.stem, data)
        if name.startswith(f"{path.stem}.")
    )
    if not gone:
        return ()
    files = (profile_files.path(session.config_folder, n) for n in names())
    held = {name for path in files for name in _entries(path.stem, disk.snapshot(path).data)}
    return tuple(name for name in gone if name not in held)


def _entries(profile: str, data: bytes | None) -> Iterator[str]:
    """What a profile's file refers to in our keyring; nothing where it is broken."""
    import tomllib

    try:
        found = of_data(profile, tomllib.loads((data or b"").decode("utf-8-sig")), profile)
    except (ValueError, HahaError):
        return
    for reference in found.keys.values():
        if reference.kind == "keyring":
            yield reference.name


def said_left(session: Session, plan: Plan) -> list[Message]:
    """What a write that took a key's reference away says of the key."""
    left = left_in_keyring(session, plan.effective)
    said = msg(
        "the keyring keeps {names} for undo. Delete it: haha-config undo --purge", names=left
    )
    return [said] if left else []


def about(session: Session, name: str) -> Message | str:
    """One line on a profile: its provider, its main model, and what that can."""
    from haha_config.core.providers import catalog as catalogs
    from haha_config.workflow.listing import catalog, facts

    try:
        profile = load(session, name)
        draft = draft_from_profile(session, profile)
    except HahaError:
        return msg("can't be read")
    model = str(profile.answers.get("model") or "")
    upstream = next((u for u in draft.upstreams if u.name == plain_name(model)), None)
    row = session.providers.get(upstream.provider if upstream else draft.provider)
    said = " · ".join(part for part in (draft.provider, model) if part)
    if row is None:
        return said
    known = facts(catalogs.describe(catalog(), row, upstream.model if upstream else model))
    return msg("{said}, {facts}", said=said, facts=known) if known else said
