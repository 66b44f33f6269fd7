"""What this machine shows: installations and other tools' traces. Files only, nothing is started.

A file that is not there, or can't be read, is an answer and never an error.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from haha_config.core.errors import HahaError
from haha_config.core.model import Place, from_json, mapping, string
from haha_config.core.state.machine import UNFINISHED, Agent, Installed, Owner, agent_in
from haha_config.io import other_tools, paths

_DIST: Final = re.compile(r"litellm-([0-9][^-]*)\.dist-info")
_NAME: Final = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*[=:]", re.MULTILINE)
_ONBOARDED: Final = re.compile(rb'"hasCompletedOnboarding"\s*:\s*true')
_PRIMARY: Final = re.compile(rb'"primaryApiKey"\s*:\s*"(?!")')


class Where(Struct, frozen=True, kw_only=True):
    """The places to look at. `settings` is the user's settings.json; `data` our own data folder."""

    environ: Mapping[str, str]
    home: Path
    client: Path
    settings: Path
    folder: Path
    data: Path
    #: Folders whose programs came with them.
    foreign: tuple[Path, ...] = ()


def today() -> str:
    """The local date, ISO."""
    return time.strftime("%Y-%m-%d")


# --- LiteLLM ---------------------------------------------------------------------------------


def litellm(
    where: Where, markers: Iterable[str] = (), traces: Iterable[str] = ()
) -> tuple[Installed, ...]:
    """Every LiteLLM on the PATH, beside the files, or where uv, pipx and we install tools.

    Read from folder names alone: a poisoned one runs its code when its Python starts.
    """
    seen: dict[str, Installed] = {}
    left = tuple(trace for trace in traces if Path(trace).exists())
    for packages in _packages(where):
        real = os.path.realpath(packages)
        found = _version(packages) if real not in seen else None
        if found is None:
            continue
        # What LiteLLM would load: the first at or above the folder it is installed in.
        inside = packages / "litellm" / "proxy"
        above = (f / ".env" for f in (inside, *inside.parents))
        dotenv = next((path for path in above if path.is_file()), None)
        seen[real] = Installed(
            version=found,
            path=str(packages),
            ours=packages.is_relative_to(where.data),
            brought=any(Path(real).is_relative_to(os.path.realpath(f)) for f in where.foreign),
            proxy=all((packages / name).exists() for name in ("uvicorn", "websockets")),
            markers=(*(m for m in markers if (packages / m).exists()), *left),
            dotenv=str(dotenv) if dotenv else "",
            dotenv_names=tuple(_NAME.findall(_text(dotenv))) if dotenv else (),
        )
    return tuple(seen.values())


def _packages(where: Where) -> Iterator[Path]:
    """Folders that hold installed packages and could hold LiteLLM."""
    for prefix in dict.fromkeys(_prefixes(where)):
        if sys.platform == "win32":
            yield prefix / "Lib" / "site-packages"
            continue
        yield from sorted((prefix / "lib").glob("python3*/site-packages"))
        yield from sorted((prefix / "lib").glob("python3*/dist-packages"))


def _prefixes(where: Where) -> Iterator[Path]:
    environ, home = where.environ, where.home
    for folder in environ.get("PATH", "").split(os.pathsep):
        for name in ("litellm", "litellm.exe"):
            program = Path(folder or ".") / name
            if folder and program.is_file():
                # What uv and pipx put on the PATH is a link into the tool's own environment.
                yield Path(os.path.realpath(program)).parent.parent
    share = Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    yield Path(environ.get("UV_TOOL_DIR") or share / "uv" / "tools") / "litellm"
    for pipx in (environ.get("PIPX_HOME"), share / "pipx", home / ".local" / "pipx"):
        if pipx:
            yield Path(pipx) / "venvs" / "litellm"
    # What came with the files is told of and never run.
    yield from (where.folder / ".venv", where.folder / "venv")
    ours = (c.parent for c in sorted(where.data.glob("*/pyvenv.cfg")))
    yield from (folder for folder in ours if not (folder / UNFINISHED).exists())


def _version(packages: Path) -> str | None:
    try:
        names = os.listdir(packages)  # noqa: PTH208 - hundreds of names, no Path each
    except OSError:
        return None
    found = (_DIST.fullmatch(name) for name in names)
    return next((match[1] for match in found if match), None)


# --- other tools that write the client's settings ---------------------------------------------


def owners(where: Where, *, port: int | None, haha: bool) -> tuple[Owner, ...]:
    """Who else writes the user's settings.json. `port`: the client's loopback endpoint."""
    return tuple(_owners(where, port, haha))


def _owners(where: Where, port: int | None, haha: bool) -> Iterator[Owner]:
    target = str(where.settings)
    entry, place = _cc_switch(where.home)
    if place is not None:
        yield Owner(tool="cc-switch", path=target, place=place, entry=entry)
    router = where.home / ".claude-code-router"
    if port is not None and router.is_dir() and port == _router_port(router):
        yield Owner(tool="claude-code-router", path=target, place=Place(path=target))
    for tool, name in (
        ("lite up", "claude_settings_backup.json"),
        ("lite configure", "claude_configure_state.json"),
    ):
        receipt = where.home / ".litellm" / name
        if receipt.is_file():
            yield Owner(tool=tool, path=target, place=Place(path=str(receipt)))
    active = paths.active_provider(where.client) if haha else None
    if active is not None:
        place = Place(path=str(where.client / "cc-haha" / "providers.json"))
        yield Owner(tool="claude-haha", path=target, place=place, entry=active)


def _cc_switch(home: Path) -> tuple[str, Place | None]:
    """Its current provider for this client: from its database, else from its settings."""
    settings = home / ".cc-switch" / "settings.json"
    current = string(_json(settings).get("currentProviderClaude"))
    with contextlib.suppress(HahaError):
        table = other_tools.cc_switch(home)
        if table is not None:
            for row in table.rows or ():
                if row.get("name") and (row.get("is_current") or row.get("id") == current):
                    return str(row["name"]), Place(path=table.path)
    return (current, Place(path=str(settings))) if current else ("", None)


def _router_port(folder: Path) -> int:
    port = _json(folder / "config.json").get("PORT", 3456)
    return port if isinstance(port, int) else 3456


# --- the client ------------------------------------------------------------------------------


class ClientState(Struct, frozen=True, kw_only=True):
    """What the client's own state file says."""

    path: str
    onboarded: bool
    primary_api_key: Place | None


def client_state(environ: Mapping[str, str], home: Path) -> ClientState:
    """From `.claude.json`, which can be many megabytes: looked through, not parsed."""
    moved = environ.get("CLAUDE_CONFIG_DIR")
    path = (home if moved is None else Path(moved).absolute()) / ".claude.json"
    try:
        data = path.read_bytes() if path.is_file() else b""
    except OSError:
        data = b""
    primary = _PRIMARY.search(data)
    line = data.count(b"\n", 0, primary.start()) + 1 if primary else None
    return ClientState(
        path=str(path),
        onboarded=_ONBOARDED.search(data) is not None,
        primary_api_key=Place(path=str(path), line=line) if primary else None,
    )


def bun(where: Where) -> bool:
    """Whether Bun can be started; its installer puts it where not every shell looks."""
    folders = [f for f in where.environ.get("PATH", "").split(os.pathsep) if f]
    folders.append(str(where.home / ".bun" / "bin"))
    return any((Path(f) / name).is_file() for f in folders for name in ("bun", "bun.exe"))


def packages(where: Where) -> bool:
    """Whether the checkout's packages were installed."""
    return (where.folder / "node_modules").is_dir()


def windows_home(where: Where) -> str:
    """Under WSL, the settings of a client on the Windows side; "" where there are none."""
    if "WSL_DISTRO_NAME" not in where.environ:
        return ""
    try:
        users = sorted(Path("/mnt/c/Users").iterdir())
        return next((str(s) for u in users if (s := u / ".claude" / "settings.json").is_file()), "")
    except OSError:
        return ""


# --- files -----------------------------------------------------------------------------------


#: More files than a person writes, and longer ones, are not read.
_MOST_AGENTS: Final = 200
_LONGEST_AGENT: Final = 65_536


def agents(folders: Iterable[Path]) -> tuple[Agent, ...]:
    """The subagents in these folders that name a model of their own."""
    found: list[Agent] = []
    for folder in folders:
        if not folder.is_dir():
            continue
        for path in sorted(islice(folder.rglob("*.md"), _MOST_AGENTS)):
            agent = agent_in(str(path), _text(path, _LONGEST_AGENT))
            if agent is not None:
                found.append(agent)
    return tuple(found)


def make_private(path: str) -> None:
    """Take everybody else's permissions off a file. Links are followed, as a write does."""
    real = Path(os.path.realpath(path))
    real.chmod(real.stat().st_mode & 0o700)


def _text(path: Path, most: int = -1) -> str:
    """A regular file's text: a pipe would keep us waiting, a device never end."""
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            return file.read(most).decode("utf-8", "replace")
    except OSError:
        return ""


def _json(path: Path) -> Mapping[str, Any]:
    return mapping(from_json(_text(path)))
