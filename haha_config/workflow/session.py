"""One command's view of the world: where the files are, and the State read from them."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, get_args

from msgspec import Struct
from msgspec.structs import replace

from haha_config.core import variables as v
from haha_config.core.errors import HahaError, Usage
from haha_config.core.messages import msg
from haha_config.core.model import Client, Plan, Scope, Snapshot, TargetName, Write
from haha_config.core.providers import table as rows
from haha_config.core.providers.decode import did_you_mean
from haha_config.core.providers.model import Providers
from haha_config.core.state import facts, owned
from haha_config.core.state.accepted import Accepted
from haha_config.core.state.facts import Behaviour, Documented
from haha_config.core.state.file import File, parse, parse_dotenv, parse_settings
from haha_config.core.state.layers import LayerName
from haha_config.core.state.state import State, with_litellm
from haha_config.io import disk, paths, programs, report, templates

if TYPE_CHECKING:
    from haha_config.io.prompts import Prompter

STARTS: Final[Mapping[TargetName, str]] = {
    "env": "env.template",
    "settings": "settings.template.json",
    "litellm": "litellm_config.template.yaml",
    "litellm_env": "litellm.env.template",
}


_Name = TypeVar("_Name", bound=str)


class Session(Struct, frozen=True, kw_only=True, dict=True):
    """Paths and the environment of one command. Nothing is read before it is asked for."""

    environ: Mapping[str, str]
    home: Path
    cwd: Path
    folder: Path
    project: Path
    scope: Scope
    client: Client
    checkout: bool
    #: A command that only reads: it sees all of a write or none of it.
    reads: bool = False
    #: `folder` is not this one, but that of the last write: nothing named it.
    remembered: bool = False
    #: Read as this measured version of the client does, and not as the installed one.
    version: str = ""
    #: `--trust`: the person agrees to what the folder names. `asks`: somebody can be asked.
    trusting: bool = False
    asks: bool = False

    @cached_property
    def state_folder(self) -> Path:
        return paths.state_folder()

    @property
    def record(self) -> Path:
        """What we wrote into settings files beside `env`."""
        return paths.owned_record()

    @cached_property
    def config_folder(self) -> Path:
        return paths.config_folder()

    @cached_property
    def data_folder(self) -> Path:
        return paths.data_folder()

    @cached_property
    def client_folder(self) -> Path:
        return paths.client_folder(self.environ, self.home, self.cwd)

    @cached_property
    def providers(self) -> Providers:
        texts = templates.provider_texts(self.config_folder / "providers")
        return rows.load(texts)

    @cached_property
    def accepted(self) -> Accepted:
        """What was measured of the settings that clients take."""
        return facts.parse(templates.text("facts/settings.json"), Accepted)

    @cached_property
    def client_version(self) -> str:
        """The installed client's version; "" where it is not known, as of claude-haha."""
        if self.client != "claude":
            return ""
        return programs.client_version(self.environ.get("PATH", ""), (self.folder, self.project))

    @cached_property
    def answers_for(self) -> str:
        """The measured version whose behaviour is shown; claude-haha comes from an older one."""
        if self.version:
            return self.version
        if self.client == "haha":
            return self.accepted.versions[0]
        return facts.closest(self.client_version, self.accepted.versions)

    @cached_property
    def behaviour(self) -> Behaviour:
        """What was measured of which files and variables count."""
        return facts.parse(templates.text("facts/layers.json"), Behaviour)

    @property
    def logged_in(self) -> bool:
        """Whether the client keeps a login of its own."""
        return (self.client_folder / ".credentials.json").is_file()

    @property
    def env_path(self) -> Path:
        return self.folder / ".env"

    @property
    def litellm_path(self) -> Path:
        return self.folder / "litellm_config.yaml"

    @property
    def litellm_env_path(self) -> Path:
        return self.folder / "litellm.env"

    @property
    def settings_paths(self) -> dict[LayerName, Path]:
        """Every settings file that a client started in the project reads."""
        return {
            "managed": paths.managed_settings(),
            "local": self.project / ".claude" / "settings.local.json",
            "project": self.project / ".claude" / "settings.json",
            "active-provider": self.client_folder / "cc-haha" / "settings.json",
            "user": self.client_folder / "settings.json",
        }

    @property
    def settings_path(self) -> Path:
        """The settings.json that `--scope` names."""
        return self.settings_paths[self.scope]

    def state(self, *, only: frozenset[str] = frozenset()) -> State:
        """Read and parse everything once. `only`: the named targets and nothing else.

        Raises nothing for files that do not parse: that is a result. A command that only reads
        gets HahaError where a write was cut off.
        """
        with self.reading() if self.reads and not only else contextlib.nullcontext():
            return self._state(only)

    def _state(self, only: frozenset[str]) -> State:
        state = State(
            client=self.client,
            folder=str(self.folder),
            scope=self.scope,
            settings=(settings := self._settings(only)),
            beside={} if only else self._beside(settings),
            dotenv=parse_dotenv(self._snapshot("env", self.env_path, only)),
            litellm=parse(self._snapshot("litellm", self.litellm_path, only), "yaml"),
            litellm_env=parse(self._snapshot("litellm", self.litellm_env_path, only), "dotenv"),
            environ={} if only else self.environ,
            providers=self.providers,
            checkout=self.checkout,
            only=only,
            client_version=self.client_version,
            answers_for=self.answers_for,
            known_versions=self.accepted.versions,
            behaviour=self.behaviour,
            owned=owned.Owned() if only else owned.parse(disk.snapshot(self.record).data),
            documented=facts.parse(templates.text("facts/names.json"), Documented),
            wrote_dotenv=not only
            and self.client != "haha"
            and os.access(self.env_path, os.F_OK)
            and disk.is_ours(self.state_folder, os.path.realpath(self.env_path)),
        )
        if state.litellm.document is None:
            return state
        return with_litellm(state, disk.snapshot, templates.text("facts/litellm.json"))

    def _settings(self, only: frozenset[str]) -> dict[LayerName, File]:
        if only:
            path = self.settings_path
            return {self.scope: self._read_settings(self._snapshot("settings", path, only))}
        read = self.settings_paths
        # Of managed settings the client drops the one value that it does not take.
        managed = parse(disk.snapshot(read.pop("managed")), "json")
        # In the home folder the project's file is the user's: one file is one layer.
        if self.scope != "project" and read["project"] == read["user"]:
            del read["project"]
        if self.client != "haha" or paths.active_provider(self.client_folder) is None:
            del read["active-provider"]
        rest = {name: self._read_settings(disk.snapshot(path)) for name, path in read.items()}
        return {"managed": managed, **rest}

    def _beside(self, settings: Mapping[LayerName, File]) -> dict[LayerName, tuple[File, ...]]:
        """More files of these layers that this version of the client reads, strongest first."""
        managed = [parse(disk.snapshot(p), "json") for p in paths.managed_drop_ins()]
        found: dict[LayerName, tuple[File, ...]] = {"managed": tuple(managed)}
        top = paths.local_settings_of_git(self.project, self.home)
        if top is not None and self.behaviour.of("top_local", self.answers_for):
            found["local"] = (self._read_settings(disk.snapshot(top)),)
        user = settings.get("user")
        env = user.data.get("env") if user is not None else None
        moved = env.get("CLAUDE_CONFIG_DIR") if isinstance(env, Mapping) else None
        if isinstance(moved, str) and self.cwd / moved != self.client_folder:
            path = self.cwd / moved / "settings.json"
            found["user"] = (self._read_settings(disk.snapshot(path)),)
        return {name: files for name, files in found.items() if any(f.exists for f in files)}

    def _read_settings(self, snapshot: Snapshot) -> File:
        if snapshot.data is None:
            return parse(snapshot, "json")
        return parse_settings(snapshot, self.accepted, self.answers_for)

    @staticmethod
    def _snapshot(target: str, path: Path, only: frozenset[str]) -> Snapshot:
        if only and target not in only:
            return Snapshot(path=str(path), real=str(path))
        return disk.snapshot(path)

    @cached_property
    def starts(self) -> Mapping[TargetName, str]:
        """The starting texts of new files."""
        return {name: templates.text(file) for name, file in STARTS.items()}

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Nobody of us writes meanwhile. Raises HahaError where a write was cut off, or goes on."""
        with disk.shared(self.state_folder) as quiet:
            if disk.pending(self.state_folder) and quiet:
                what = msg("SYS001: a write was cut off half-way")
                raise HahaError(what, hints=("haha-config undo --recover",))
            if disk.pending(self.state_folder):
                what = msg("another haha-config has been writing for 5 seconds")
                raise HahaError(what, hints=(msg("run the same command again"),))
            yield

    def settle(self, *, dry_run: bool = False) -> None:
        """Before a command that writes looks at anything: end a write that was cut off, and say so.

        With `dry_run` nothing is written, so that such a write is an error: raises HahaError.
        """
        if dry_run:
            with self.reading():
                return
        for one in disk.recover_alone(self.state_folder):
            report.talk(one.message)

    def prompter(self, *, plain: bool = False) -> Prompter:
        """Who asks the person, on this terminal or in place of one."""
        from haha_config.io.prompts import choose_prompter

        return choose_prompter(
            plain=plain,
            environ=self.environ,
            stdin=sys.stdin,
            stderr=sys.stderr,
            stdout=sys.stdout,
            color=any(s and report.colored(s) for s in (sys.stderr, sys.stdout)),
        )

    def commit(self, build: Callable[[], Plan], command: str) -> tuple[Plan, disk.Applied]:
        """Plan from fresh bytes under the lock, and write. What recovery did is said."""
        written, applied = disk.transact(
            lambda: owned.recorded(build(), disk.snapshot(self.record)),
            state=self.state_folder,
            command=command,
            waiting=lambda: report.talk(msg("waiting for another haha-config to finish")),
            recovered=lambda one: report.talk(one.message),
        )
        return owned.without_record(written, str(self.record)), applied


def whole(path: Path, text: str, *, secret: bool = False) -> Write:
    """A file that gets this text, whatever it holds now."""
    before = disk.snapshot(path).data
    after = text.encode("utf-8")
    return Write(path=str(path), format="lines", before=before, after=after, secret=secret)


def open_session(
    *,
    folder: Path | None = None,
    project: Path | None = None,
    scope: str = "user",
    client: str | None = None,
    reads: bool = False,
    trusting: bool = False,
    yes: bool = False,
) -> Session:
    """The session for a command's common options; `reads`: it writes none of the targets.

    `yes`: nobody is asked. Raises Usage for a scope or client that there is not.
    """
    environ = dict(os.environ)
    home, cwd = Path.home(), paths.current()
    checkout = paths.checkout(folder.absolute() if folder else cwd)
    usual = "haha" if checkout else "claude"
    where = Session(
        environ=environ,
        home=home,
        cwd=cwd,
        folder=cwd,
        # Measured: project settings are read from the folder in which the client is started.
        project=project.absolute() if project else cwd,
        scope=choice("--scope", scope, get_args(Scope)),
        client=choice("--client", usual if client is None else client, get_args(Client)),
        checkout=checkout is not None,
        reads=reads,
        trusting=trusting,
        asks=is_terminal() and not yes,
    )
    if folder is not None:
        return replace(where, folder=folder.absolute())
    there = _folder(where, checkout)
    last = None if there is not None else _last(where)
    return replace(where, folder=there or last or cwd, remembered=last is not None)


def _folder(session: Session, checkout: Path | None) -> Path | None:
    """The folder of `.env` and the gateway's files (design section 3), where something names it."""
    named = session.environ.get("HAHA_CONFIG_DIR")
    if named:
        return Path(named).expanduser().absolute()
    if checkout is not None:
        return checkout
    if (session.cwd / "litellm_config.yaml").is_file() or _holds_ours(session.cwd / ".env"):
        return session.cwd
    return None


def _last(session: Session) -> Path | None:
    """The folder of the last write for this settings.json, where that is another; it is said."""
    last = disk.last_folder(session.state_folder, session.settings_path)
    if last is None or last == session.cwd:
        return None
    report.talk(
        msg(
            "in {folder}, where the last write was; --dir . is for this folder",
            folder=report.short(str(last)),
        )
    )
    return last


def _holds_ours(path: Path) -> bool:
    # By the hand that reads no pipe and no device: a clone can link to one.
    data = disk.snapshot(path).data or b""
    return any(name.encode() in data for name in v.OWNED)


def choice(flag: str, value: str, known: Iterable[_Name]) -> _Name:
    """`value` if it is one of `known`. Raises Usage with the nearest names."""
    names = list(known)
    if value in names:
        return names[names.index(value)]
    raise Usage(
        msg("{flag}: there is no `{value}`: {known}", flag=flag, value=value, known=tuple(names)),
        hints=did_you_mean(value, names),
    )


def is_terminal() -> bool:
    """Whether anybody can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()
