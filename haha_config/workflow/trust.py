"""Whether the person has agreed to what a folder names: asked by every command that sends or runs.

One question a folder, default no. What a confirmed write of ours sets is agreed to with it, so
that nobody is asked about their own set-up.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from shlex import quote
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from haha_config.core import trust
from haha_config.core import variables as v
from haha_config.core.errors import HahaError
from haha_config.core.messages import Message, msg
from haha_config.core.model import Place, Plan, Snapshot, Write
from haha_config.core.state.file import parse
from haha_config.core.state.gateway import ModelEntry
from haha_config.core.state.state import State
from haha_config.core.trust import Credential, NamingValue
from haha_config.io import agreements as store
from haha_config.io import paths, programs, report
from haha_config.io.i18n import render
from haha_config.workflow.session import Session, is_terminal

#: What decides where a request of ours goes. A client that is started follows everything.
_SENDING: Final = frozenset({"endpoint", "proxy", "ca"})
#: A file that a folder names is looked into up to here.
_LARGEST: Final = 4 << 20
_CONTENT: Final = ": content"


class Use(Struct, frozen=True, kw_only=True):
    """What a command is about to do, and how it is typed.

    `runs`: it starts the client, which follows all that its settings name. `gateway`: it starts
    LiteLLM. `program`: it starts the client of this checkout. `settled`: variables that no layer
    decides, since the command sets them itself. `credentials`: what goes along besides.
    """

    command: str
    runs: bool = False
    gateway: bool = False
    program: Path | None = None
    settled: frozenset[str] = frozenset()
    credentials: tuple[Credential, ...] = ()


def ensure(session: Session, state: State, use: Use) -> None:
    """Return once the person has agreed to what the folder names for this; it may ask.

    Raises HahaError where nobody can be asked, or the answer is no.
    """
    needed = unknown(session, _needed(session, state, use))
    if not needed:
        return
    # One question about the folder, not one for each command.
    rest = unknown(session, everything(session, state))
    prints = {value.fingerprint for value in needed}
    values = (*needed, *(value for value in rest if value.fingerprint not in prints))
    keys = _keys(session, state, values, use)
    settle(session, values, keys, use.command)


def ensure_helper(session: Session, state: State, command: str) -> None:
    """Return once the person has agreed to the `apiKeyHelper` that a folder brings, if one does."""
    values = (value for value in _client(session, state) if value.name == v.HELPER)
    if new := unknown(session, values):
        settle(session, new, (), command)


def name_unknown(session: Session, state: State) -> None:
    """Say what the folder names and nobody has agreed to; nothing is asked or sent."""
    new = unknown(session, everything(session, state))
    for value in new:
        report.talk(msg("not trusted: {what}", what=_told(value)))
    if new:
        report.hint("haha-config trust", sys.stderr)


def agree_here(session: Session) -> tuple[NamingValue, ...]:
    """Ask about all that the folder names, whatever would be sent; what is agreed to now."""
    state = session.state()
    new = unknown(session, everything(session, state))
    if new:
        settle(session, new, _keys(session, state, new), "trust")
    return new


def _needed(session: Session, state: State, use: Use) -> Iterator[NamingValue]:
    for value in _client(session, state):
        started = use.runs and value.kind in ("helper", "program")
        counts = use.runs or value.kind in _SENDING
        if value.name not in use.settled and (
            started or (counts and _keys(session, state, (value,), use))
        ):
            yield value
    if use.gateway:
        yield from _gateway(session, state)
    if use.program is not None:
        yield from _program(session, use.program)


def _keys(
    session: Session, state: State, values: Iterable[NamingValue], use: Use | None = None
) -> tuple[Credential, ...]:
    """The keys that would go where these values lead."""
    keys = (*trust.credentials(state), *(use.credentials if use is not None else ()))
    folders, agreed = layers(session, state), store.read(session.state_folder)
    found = (
        key
        for value in values
        if value.kind in _SENDING
        for key in trust.going_along(value, keys, folders, agreed)
    )
    return tuple(dict.fromkeys(found))


def everything(session: Session, state: State) -> tuple[NamingValue, ...]:
    """All that the folders of this session name."""
    checkout = paths.checkout(session.folder) if session.client == "haha" else None
    programs = () if checkout is None else _program(session, checkout / paths.LAUNCHER)
    return (*_client(session, state), *_gateway(session, state), *programs)


def facts(session: Session, state: State) -> dict[str, Any]:
    """What the rules need to know of it."""
    return {
        "brought": layers(session, state),
        "agreed": {
            folder: set(values) for folder, values in store.read(session.state_folder).items()
        },
        "here": os.path.realpath(session.cwd),
        "passed_on": shell_variables(session, state) if state.litellm.exists else None,
    }


def unknown(session: Session, values: Iterable[NamingValue]) -> tuple[NamingValue, ...]:
    """Those of `values` that nobody has agreed to."""
    found = tuple(values)
    return trust.unknown(found, store.read(session.state_folder)) if found else ()


# --- whose folder it is ----------------------------------------------------------------------


def foreign(session: Session, folder: Path) -> bool:
    """Whether what is in a folder came with it: not home, what home is in, nor our own folders."""
    real = Path(os.path.realpath(folder))
    if Path(os.path.realpath(session.home)).is_relative_to(real):
        return False
    return not real.is_relative_to(os.path.realpath(session.data_folder))


def foreign_folders(session: Session) -> tuple[Path, ...]:
    """The folders of which no program is ever run, each with the work tree that it is in."""
    folders = (session.folder, session.project, session.cwd)
    tops = (paths.git_top(folder) for folder in folders)
    found = dict.fromkeys((*folders, *(top for top in tops if top is not None)))
    return tuple(folder for folder in found if foreign(session, folder))


def safe_environ(session: Session) -> dict[str, str]:
    """The environment of a program that is started: its PATH leads into no folder's own."""
    path = programs.safe_path(session.environ.get("PATH", ""), foreign_folders(session))
    return {**session.environ, "PATH": path}


def layers(session: Session, state: State) -> trust.Folders:
    """The client's files that a folder brings, each with the folder."""
    found = {state.dotenv.path: session.folder}
    for name, file in state.settings_files:
        path = Path(file.path)
        if name in ("local", "project"):
            found[file.path] = path.parent.parent
        elif name in ("user", "active-provider") and _by_place(session, path):
            found[file.path] = session.cwd
    return {path: os.path.realpath(root) for path, root in found.items() if foreign(session, root)}


def _by_place(session: Session, path: Path) -> bool:
    """Whether a relative CLAUDE_CONFIG_DIR leads to this file: then it is wherever one stands."""
    moved = session.environ.get("CLAUDE_CONFIG_DIR")
    named = moved is not None and Path(moved).is_absolute()
    own = path.is_relative_to(session.client_folder)
    return path.is_relative_to(session.cwd) and not (own and (moved is None or named))


# --- what it names ---------------------------------------------------------------------------


def _client(session: Session, state: State) -> tuple[NamingValue, ...]:
    here = os.path.realpath(session.cwd)
    values = trust.client_values(state, layers(session, state), here)
    if not foreign(session, session.cwd):
        values = tuple(value for value in values if value.root != here)
    return (*values, *_contents(values, session.cwd))


def _gateway(session: Session, state: State) -> tuple[NamingValue, ...]:
    if not foreign(session, session.folder):
        return ()
    values = trust.gateway_values(state, os.path.realpath(session.folder))
    return (*values, *_contents(values, session.folder))


def _program(session: Session, program: Path) -> tuple[NamingValue, ...]:
    """The client of a checkout, by name: what is in it changes with every update."""
    root = os.path.realpath(program.parent.parent)
    if not foreign(session, Path(root)):
        return ()
    place = Place(path=str(program))
    name = paths.LAUNCHER.as_posix()
    return (NamingValue(kind="program", name=name, value=name, root=root, place=place),)


def _contents(values: Iterable[NamingValue], folder: Path) -> Iterator[NamingValue]:
    """What stands in a file that a folder names: it can change while its name stays."""
    for value in values:
        if value.kind != "ca" and value.name != "include":
            continue
        path = folder / value.value
        try:
            data = path.read_bytes() if path.is_file() and path.stat().st_size < _LARGEST else b""
        except (OSError, ValueError):
            continue
        if data:
            yield replace(
                value, name=f"{value.name}{_CONTENT}", value=hashlib.sha256(data).hexdigest()
            )


def without(session: Session, state: State, *, but_own_keys: bool = False) -> State:
    """The state without the layers of a folder that names a way nobody has agreed to.

    `but_own_keys`: they stay where the key is the folder's own, as in a set-up made by hand.
    """
    folders = layers(session, state)
    new = unknown(session, (value for value in _client(session, state) if value.kind in _SENDING))
    own = any(key.place.path in folders for key in trust.credentials(state))
    if not new or (but_own_keys and own and not _keys(session, state, new)):
        return state
    empty = parse(Snapshot(path=state.dotenv.path, real=state.dotenv.path), "dotenv")
    kept = {n: f for n, f in state.settings.items() if f.path not in folders or n == state.scope}
    beside = {
        name: tuple(file for file in files if file.path not in folders)
        for name, files in state.beside.items()
    }
    dotenv = empty if state.dotenv.path in folders else state.dotenv
    return replace(state, settings=kept, beside=beside, dotenv=dotenv)


def shell_holders(session: Session, state: State) -> Callable[[str, ModelEntry], bool]:
    """Tells whether an entry of the gateway may be given a variable of the shell's."""
    new = unknown(session, _gateway(session, state))
    unknown_entries = _entries(state, new)

    def may_have(variable: str, entry: ModelEntry) -> bool:
        if trust.belongs(variable, entry, state.providers.values()):
            return True
        return entry.index not in unknown_entries if entry.file is state.litellm else not new

    return may_have


def names_to_leave(session: Session, state: State) -> set[str]:
    """The models of the gateway's file that may not go into a profile: it is used in any folder."""
    new = _entries(state, unknown(session, _gateway(session, state)))
    return {entry.name for entry in state.gateway.entries if entry.index in new}


def _entries(state: State, values: Iterable[NamingValue]) -> set[str | int]:
    """Where the entries with these values stand; two that are alike are told once."""
    fingerprints = {value.fingerprint for value in values}
    return {
        value.path[1]
        for value in trust.of_config(state.litellm.data)
        if value.fingerprint in fingerprints and value.kind == "entry"
    }


# --- asking ----------------------------------------------------------------------------------


def agree(session: Session, values: Iterable[NamingValue]) -> None:
    """Keep that the person has agreed to these."""
    found: dict[str, dict[str, str]] = {}
    for value in values:
        # Somebody whom the system does not show could be another the next time.
        if value.value:
            label = f"{value.name} {value.shown}".strip()
            found.setdefault(value.root, {})[value.fingerprint] = label
    if found:
        store.add(session.state_folder, found)


def settle(
    session: Session, values: tuple[NamingValue, ...], keys: tuple[Credential, ...], command: str
) -> None:
    """Ask about these values, or take `--trust` for a yes; keep it. Raises HahaError on a no."""
    if not session.trusting and not _ask(session, values, keys, command):
        raise HahaError(msg("nothing was sent or started"))
    agree(session, values)


def _ask(
    session: Session, values: tuple[NamingValue, ...], keys: tuple[Credential, ...], command: str
) -> bool:
    roots = tuple(dict.fromkeys(report.short(value.root) or value.root for value in values))
    names = tuple(_told(value) for value in values if not _is_content(value))
    if not session.asks:
        what = msg("{folder} is not trusted: {what}", folder=roots, what=names)
        if keys:
            whose = tuple(key.name for key in keys)
            what = msg("{what}; your {keys} would go along", what=what, keys=whose)
        # The same command with a yes, wherever the folder is.
        where = f" --dir {quote(str(session.folder))}" if session.folder != session.cwd else ""
        yes = "--yes" if command == "trust" else "--trust"
        raise HahaError(what, hints=(f"haha-config {command}{where} {yes}",))
    said = [msg("{folder} is new to haha-config. Its files say:", folder=roots)]
    said += [msg("  {line}", line=name) for name in names]
    for key in keys:
        place = report.location(key.place) or msg("your shell")
        said.append(msg("Your {name} ({where}) would go along.", name=key.name, where=place))
    for line in said:
        print(render(line), file=sys.stderr)
    return session.prompter().confirm(
        msg("Trust {folder} with that?", folder=roots),
        why=msg("You are asked again when these change."),
        flag="--trust",
        default=False,
    )


def _is_content(value: NamingValue) -> bool:
    """Whether it is what stands in a file that is named already."""
    return value.kind != "setting" and value.name.endswith(_CONTENT)


def _told(value: NamingValue) -> Message:
    """One value in words, and where it stands."""
    where = report.location(value.place)
    what = trust.told(value)
    return msg("{what} ({place})", what=what, place=where) if where else what


# --- what a write of ours says yes to --------------------------------------------------------


def record(session: Session, plan: Plan) -> None:
    """Agree to the naming values that a confirmed write sets in a folder's files."""
    agreed = store.read(session.state_folder)
    found: list[NamingValue] = []
    for write in plan.writes:
        root = _root(session, write)
        if root is not None and write.after is not None:
            known = agreed.get(root, {})
            before, after = (
                parse(Snapshot(path=write.path, real=write.path, data=data), write.format).data
                for data in (write.before, write.after)
            )
            values = trust.brought(write, before, after, root, known)
            values = (*values, *(one for value in values for one in _written(value)))
            found += [value for value in values if value.fingerprint not in known]
    agree(session, found)


def record_checkout(session: Session) -> None:
    """Agree to the client of this checkout."""
    checkout = paths.checkout(session.folder)
    programs = () if checkout is None else _program(session, checkout / paths.LAUNCHER)
    new = unknown(session, programs)
    agree(session, new)
    for value in new:
        path = report.short(value.place.path)
        report.talk(msg("haha-config run may now start {path}", path=path))


def _root(session: Session, write: Write) -> str | None:
    """The folder whose file this is; None for a file of the person's own."""
    settings = session.settings_paths
    files = (session.env_path, session.litellm_path, session.litellm_env_path)
    if write.path in {str(settings["project"]), str(settings["local"])}:
        folder = session.project
    elif write.path in map(str, files):
        folder = session.folder
    else:
        return None
    return os.path.realpath(folder) if foreign(session, folder) else None


def _written(value: NamingValue) -> Iterator[NamingValue]:
    """That the person themselves gave these variables to this address, whoever they belong to."""
    for name in value.pulls if value.kind == "entry" else ():
        yield replace(value, kind="setting", name=name, value=value.shown, pulls=())


def shell_variables(session: Session, state: State) -> frozenset[str]:
    """The variables of the shell that the gateway of these files may have."""
    found = trust.shell_variables(state.gateway, state.providers.values())
    asked = [one for value in _gateway(session, state) for one in _written(value)]
    new = {one.fingerprint for one in unknown(session, asked)}
    return found | {one.name for one in asked if one.fingerprint not in new}


# --- links -----------------------------------------------------------------------------------


def ensure_inside(session: Session, plan: Plan, *, follow: bool, asks: bool) -> None:
    """Return once the person has agreed to each link that leads a write out of its folder.

    Raises HahaError where nobody can be asked: `--yes` agrees to what is written, not to where.
    """
    found = tuple(_leading_out(session, plan))
    links = unknown(session, found)
    if not links:
        return
    if not follow:
        told = tuple(
            msg("{path} is a link to {real}", path=report.short(link.name), real=link.value)
            for link in links
        )
        if not (asks and is_terminal()):
            raise HahaError(
                msg("{links}, outside {folder}", links=told, folder=links[0].root),
                hints=(msg("add --follow to write there"),),
            )
        for line in told:
            print(render(line), file=sys.stderr)
        answer = session.prompter().confirm(
            msg("Write outside {folder}?", folder=report.short(links[0].root)),
            why=msg("A cloned repository can hold such a link."),
            flag="--follow",
            default=False,
        )
        if not answer:
            raise HahaError(msg("nothing was written"))
    agree(session, links)


def _leading_out(session: Session, plan: Plan) -> Iterator[NamingValue]:
    yield from _git_folders(session, plan)
    for write in plan.effective:
        path = Path(write.path)
        # From the folder on: `.claude` can be a link into another work tree.
        own = (folder for folder in (session.folder, session.project) if folder in path.parents)
        base = next(own, None)
        root = paths.git_top(base or path.parent) or base
        if root is None or not foreign(session, root):
            continue
        real = Path(os.path.realpath(path))
        whole = os.path.realpath(root)
        if not path.is_relative_to(session.client_folder) and not real.is_relative_to(whole):
            yield NamingValue(kind="link", name=write.path, value=str(real), root=whole)


def _git_folders(session: Session, plan: Plan) -> Iterator[NamingValue]:
    """Folders of another work tree's git that a `.git` leads a write into."""
    real = [Path(os.path.realpath(write.path)) for write in plan.effective]
    for top in dict.fromkeys(map(paths.git_top, (session.folder, session.project))):
        elsewhere = paths.strange_git_folder(top) if top and foreign(session, top) else None
        if top and elsewhere and any(path.is_relative_to(elsewhere) for path in real):
            name, root = str(top / ".git"), os.path.realpath(top)
            yield NamingValue(kind="link", name=name, value=str(elsewhere), root=root)
