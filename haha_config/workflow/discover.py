"""What is there before anything is asked: set-ups, keys in the environment, servers that answer."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from shlex import quote

from msgspec import Struct
from msgspec.structs import replace

from haha_config.core import urls
from haha_config.core import variables as v
from haha_config.core.errors import HahaError, Usage
from haha_config.core.keys import placeholder
from haha_config.core.messages import Message, msg
from haha_config.core.model import plain_name
from haha_config.core.providers.model import Provider
from haha_config.core.setup import draft as drafts
from haha_config.core.setup.answers import Answers
from haha_config.core.setup.draft import Draft
from haha_config.core.setup.profile import Profile
from haha_config.core.state import configured
from haha_config.core.state.configured import CurrentSetup
from haha_config.core.state.gateway import REFERENCE, ModelEntry, is_strong
from haha_config.core.state.state import State
from haha_config.io import loopback, report
from haha_config.workflow import trust
from haha_config.workflow.session import Session


class Discovered(Struct, frozen=True, kw_only=True):
    """`keys`: providers whose variable is set, with its value. `running`: rows that answer on
    their own port here. `ollama`: its version. `master_key`: the strong one that is there, or a
    new one. `helper`: the profile whose key the client gets from the keyring. `way`: the state
    without what a folder says that nobody has agreed to; requests take their way from it.
    """

    state: State
    way: State
    setup: CurrentSetup
    keys: Mapping[str, str]
    running: Mapping[str, int]
    ollama: str
    master_key: str
    helper: Profile | None = None


def discover(session: Session, draft: Draft, *, in_force: bool = False) -> Discovered:
    """Read the files and knock on the local ports that the table names.

    The set-up is that of the scope: what a project says goes into no file of the user's.
    `in_force`: the one that counts here, whichever layer it is from.
    """
    state = session.state()
    keys = {
        row.key: key
        for row in session.providers.values()
        if row.credential.variable and (key := session.environ.get(row.credential.variable, ""))
    }
    return Discovered(
        state=state,
        way=trust.without(session, state),
        setup=configured.read(
            trust.without(session, state if in_force else state.from_scope, but_own_keys=True)
        ),
        keys=keys,
        running={} if draft.provider else _running(session),
        ollama=_ollama(session, draft),
        master_key=_master_key(state),
    )


def _running(session: Session) -> dict[str, int]:
    """Rows of this machine that answer; Ollama and LiteLLM are known by their own words."""
    found = {}
    for row in session.providers.values():
        url = urls.parse(next(iter(row.base_urls.values()), "")) if row.local else None
        if url is not None and loopback.listens(url.port):
            kind = loopback.who(url.port)
            if (kind or "other") == (row.discovery.kind if row.discovery else "") or (
                kind == "other" and row.key not in {"ollama", "litellm"}
            ):
                found[row.key] = url.port
    return found


def _ollama(session: Session, draft: Draft) -> str:
    row = session.providers.get(draft.provider or "ollama")
    if row is None or row.discovery is None or not row.discovery.minimum:
        return ""
    port = urls.local_port(draft.base_url or next(iter(row.base_urls.values()), ""))
    return loopback.Servers().ollama_version(port) if port is not None else ""


def _master_key(state: State) -> str:
    """A strong key that is there is kept, wherever it stands; else a new one of 48 hex digits.

    Who runs the gateway with docker compose has it in `.env`.
    """
    from secrets import token_hex

    from haha_config.core.trust import may_be_gateways

    secret = state.gateway.master_key
    name = (secret.variable if secret is not None else "") or v.MASTER_KEY
    if secret is not None and secret.source == "shell" and not may_be_gateways(name, state):
        # The file decides which variable of the shell would be written down and sent.
        report.talk(
            msg(
                "warning: `{name}` of your shell is not used as the gateway's key. To use it:"
                ' export {own}="${name}"',
                name=name,
                own=v.MASTER_KEY,
            )
        )
        secret = None
    files = (state.litellm_env.data.get(v.MASTER_KEY), state.dotenv.data.get(name))
    own = state.environ.get(v.MASTER_KEY) if secret is None else secret.value
    for held in (own, *files):
        if isinstance(held, str) and is_strong(held):
            return held
    return f"sk-{token_hex(24)}"


# --- keys ------------------------------------------------------------------------------------


def key_for(session: Session, draft: Draft, found: Discovered, row: Provider) -> Draft:
    """The draft with the row's key: given, found in its variable, or none where none is needed.

    Raises Usage where there is none, or where it can't be a key of this row.
    """
    exported = found.keys.get(row.key, "")
    key = draft.key or exported
    kept = bool(key) and key == found.setup.credential
    if kept and exported and drafts.check_key(key, row, session.providers, draft.base_url):
        # What the files hold is no key of this row: the one in its variable is meant.
        key = exported
    if not key and not row.credential.token:
        raise Usage(drafts.missing_key(row), hints=drafts.key_hints(row.credential.variable))
    if key and key != row.credential.token:
        key = report.telling(drafts.clean_key(key))
        complaint = drafts.check_key(key, row, session.providers, draft.base_url)
        if complaint is not None:
            raise Usage(complaint, hints=drafts.key_hints(row.credential.variable))
    return replace(draft, key=key)


def upstream_keys(session: Session, draft: Draft, found: Discovered) -> Draft:
    """The draft with a key for every upstream: given, in litellm.env, or in the environment.

    Raises Usage that names the variables which are nowhere.
    """
    wanted = {variable: u for u in draft.upstreams for variable in u.variables}
    keys: dict[str, str] = {}
    missing: list[str] = []
    for variable, upstream in wanted.items():
        exported, held = session.environ.get(variable, ""), _held(found, variable)
        key = draft.keys.get(variable) or (held if placeholder(exported) else exported or held)
        key = key or exported
        row = session.providers[upstream.provider]
        if not key:
            if not row.credential.optional:
                missing.append(variable)
            continue
        key, _ = drafts.clean_key(key)
        complaint = drafts.check_key(key, row, session.providers)
        if complaint is not None:
            raise Usage(msg("{variable}: {complaint}", variable=variable, complaint=complaint))
        keys[variable] = key
    if missing and not draft.keep_env:
        raise Usage(
            msg("no key in {names}", names=tuple(missing)),
            hints=tuple(msg("export {name}=…", name=name) for name in missing),
        )
    if draft.keep_env and wanted:
        report.talk(msg("export before the gateway starts: {names}", names=tuple(wanted)))
    return replace(draft, keys={**_kept(session, draft, found), **keys})


def _kept(session: Session, draft: Draft, found: Discovered) -> dict[str, str]:
    """Keys of entries that stay, typed, or in the shell only: the gateway will not have that."""
    if draft.keep_env:
        return {}
    may_have = trust.shell_holders(session, found.state)
    kept: dict[str, str] = {}
    for name, entry in references(draft, found).items():
        if name in draft.keys or (not _held(found, name) and may_have(name, entry)):
            kept[name] = draft.keys.get(name) or session.environ.get(name, "")
    return {name: drafts.clean_key(key)[0] for name, key in kept.items() if key}


def references(draft: Draft, found: Discovered) -> dict[str, ModelEntry]:
    """The variables that entries of litellm_config.yaml name and that stay, each with its entry."""
    gone = {*draft.drop, *(u.name for u in draft.upstreams)}
    return {
        value.removeprefix(REFERENCE): entry
        for entry in reversed(found.state.gateway.entries)
        if entry.name not in gone
        for value in entry.params.values()
        if isinstance(value, str) and value.startswith(REFERENCE)
    }


def lacking(session: Session, draft: Draft, found: Discovered) -> dict[str, ModelEntry]:
    """Those that are nowhere: the gateway would call these providers without a key."""
    if draft.keep_env:
        return {}
    may_have = trust.shell_holders(session, found.state)

    return {
        name: entry
        for name, entry in references(draft, found).items()
        if not (draft.keys.get(name) or _held(found, name))
        and not (session.environ.get(name) and may_have(name, entry))
    }


def check_references(session: Session, draft: Draft, found: Discovered) -> None:
    """Raises Usage where an entry that stays has no key, with each way to give it."""
    missing = lacking(session, draft, found)
    if not missing:
        return
    may_have = trust.shell_holders(session, found.state)
    hints = [msg("export {name}=…", name=n) for n, entry in missing.items() if may_have(n, entry)]
    if len(missing) == 1:
        hints.append(msg("or pipe it in: --api-key-stdin"))
    flags = " ".join(f"--drop {quote(entry.name)}" for entry in missing.values())
    hints.append(msg("or drop its models: {flags}", flags=flags))
    hints.append(msg("or export it where the gateway starts: --keys env"))
    file = "litellm_config.yaml"
    what = msg("no key in {names}, which {file} names", names=tuple(missing), file=file)
    raise Usage(what, hints=tuple(hints))


def adopted(found: Discovered) -> Discovered:
    """The entries of litellm_config.yaml count although the client does not use them now."""
    if found.setup.own_gateway:
        return found
    held = configured.upstreams(found.state.litellm.data, found.state.rows)
    return replace(found, setup=replace(found.setup, upstreams=held))


def _held(found: Discovered, variable: str) -> str:
    """A key of litellm.env; "" where there is none, or what a guide printed in its place."""
    value = found.state.litellm_env.data.get(variable, "")
    return value if isinstance(value, str) and not placeholder(value) else ""


# --- models ----------------------------------------------------------------------------------


def say_unlisted(answers: Answers) -> None:
    """Warn of models that a server on this machine does not list; it may get them later."""
    port = urls.local_port(answers.base_url)
    listed = loopback.Servers().models(port) if port is not None else None
    if not listed:
        return
    # Ollama's `name` is `name:latest`.
    known = {name for one in listed for name in (one, one.removesuffix(":latest"))}
    for name in dict.fromkeys(map(plain_name, answers.slots.values())):
        if name not in known:
            report.talk(
                msg(
                    "warning: {url} does not list `{name}`; it lists {listed}",
                    url=v.shown_url(answers.base_url),
                    name=name,
                    listed=tuple(listed[:5]),
                )
            )


def say_toolless(answers: Answers, row: Provider) -> None:
    """Warn of models of which the server on this machine says that they can't call tools."""
    port = urls.local_port(answers.base_url)
    if port is None or row.discovery is None or row.discovery.kind != "ollama":
        return
    servers = loopback.Servers()
    for name in dict.fromkeys(map(plain_name, answers.slots.values())):
        if servers.ollama_tools(port, name) is False:
            report.talk(msg("warning: {what}", what=toolless(name)))


def say_ended(session: Session, answers: Answers) -> None:
    """Warn of models that have ended by the catalog alone: no rule knows of them."""
    from haha_config.core.providers import catalog as catalogs
    from haha_config.io import machine
    from haha_config.workflow.listing import catalog

    today = machine.today()
    asked = dict.fromkeys(map(plain_name, answers.slots.values()))
    behind = [(answers.provider, name) for name in asked]
    if answers.port is not None:
        behind = [(u.provider, u.model) for u in answers.upstreams if u.name in asked]
    for key, name in dict.fromkeys(behind):
        row = session.providers[key]
        told = row.model(name)
        date = catalogs.describe(catalog(), row, name).model.retired
        if date and date <= today and (told is None or not told.retired):
            report.talk(msg("warning: {what}", what=ended(name, date)))


def ended(model: str, date: str) -> Message:
    """That a provider no longer answers to a model."""
    return msg("`{model}` ended on {date}", model=model, date=date)


def toolless(model: str) -> Message:
    """What no list should have to say twice."""
    return msg("`{model}` can't call tools, which the client needs", model=model)


# --- ports -----------------------------------------------------------------------------------


def check_port(port: int, found: Discovered) -> None:
    """Raises HahaError where another program has the gateway's port; our own gateway may."""
    if port == found.setup.port and found.setup.own_gateway:
        return
    holder = loopback.who(port)
    if not holder or (holder == "litellm" and found.state.gateway_port == port):
        return
    from haha_config.workflow.gateway.site import port_taken

    free = loopback.free_port(port + 1)
    raise HahaError(port_taken(port), hints=(f"--port {free}",))


def given_key(session: Session, variable: str | None, *, from_stdin: bool) -> str:
    """The key that a flag gives; "" where none does. Raises Usage where it is not there."""
    if not from_stdin and not variable:
        return ""
    key = _piped() if from_stdin else session.environ.get(variable or "", "")
    if not key:
        raise Usage(msg("`{name}` is not set", name=variable))
    return report.telling(drafts.clean_key(key))


def _piped() -> str:
    """The key that standard input holds: one line. Raises Usage where there is none, or more."""
    try:
        text = sys.stdin.readline() if sys.stdin.isatty() else sys.stdin.read()
    except UnicodeDecodeError:
        raise Usage(msg("standard input is no text")) from None
    if not text.strip():
        raise Usage(msg("standard input holds no key"))
    if len(text.strip().splitlines()) > 1:
        raise Usage(msg("standard input holds more than one line"))
    return text
