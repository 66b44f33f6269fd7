"""Where things are on this machine: folders and paths, found by looking, never created."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from haha_config.core.errors import Refusal
from haha_config.core.messages import msg
from haha_config.core.model import from_json, mapping, objects

LAUNCHER = Path("bin") / "claude-haha"
#: More than the longest path.
_LONGEST: Final = 65_536


def current() -> Path:
    """The current folder. Raises Refusal where somebody has removed it."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise Refusal(msg("the current folder is gone"), hints=("cd ~",)) from None


def checkout(start: Path) -> Path | None:
    """The nearest folder at or above `start` that is a claude-haha checkout."""
    return next((f for f in (start, *start.parents) if (f / LAUNCHER).is_file()), None)


def git_top(start: Path) -> Path | None:
    """The git work tree that `start` is in. A linked work tree's `.git` is a file."""
    # Not exists(): it raises for a folder that this account may not look into.
    return next((f for f in (start, *start.parents) if os.access(f / ".git", os.F_OK)), None)


def main_checkout(top: Path) -> Path:
    """The checkout to which a git work tree belongs: itself, or of a linked one the main one."""
    own, common = git_folders(top)
    return common.parent if own != common and common.name == ".git" else top


def git_folders(top: Path) -> tuple[Path, Path]:
    """The folder that a work tree's `.git` is or names, and that of all trees of the repository."""
    own = common = top / ".git"
    try:
        if own.is_file():
            own = common = Path(top, _line(own).removeprefix("gitdir:").strip())
        if (own / "commondir").exists():
            common = own / _line(own / "commondir")
        return Path(os.path.realpath(own)), Path(os.path.realpath(common))
    except (OSError, ValueError):  # ValueError: what it names can be no name at all
        return top / ".git", top / ".git"


def strange_git_folder(top: Path) -> Path | None:
    """Where git keeps things for this tree, if that is outside of it and does not name it back."""
    own, common = git_folders(top)
    if common.is_relative_to(os.path.realpath(top)):
        return None
    above = git_top(top.parent)
    if above is not None and own.is_relative_to(git_folders(above)[0] / "modules"):
        return None
    try:
        linked = own.parent == common / "worktrees" and Path(own, _line(own / "gitdir"))
        return None if linked and linked.samefile(top / ".git") else common
    except (OSError, ValueError):
        return common


def _line(path: Path) -> str:
    """What a small file of git's says. Raises OSError where it is no such file."""
    if not path.is_file() or path.stat().st_size > _LONGEST:
        raise OSError(path)
    return path.read_text(encoding="utf-8", errors="replace").strip()


def local_settings_of_git(start: Path, home: Path) -> Path | None:
    """settings.local.json of the checkout that the client is started in, where it is another's.

    Measured: of the main checkout for a linked work tree; never the home folder's.
    """
    top = git_top(start)
    main = main_checkout(top) if top is not None else None
    if main is None or main in (start, home) or os.path.realpath(main) == os.path.realpath(start):
        return None
    return main / ".claude" / "settings.local.json"


def client_folder(environ: Mapping[str, str], home: Path, cwd: Path) -> Path:
    """The client's own folder: CLAUDE_CONFIG_DIR moves it.

    Measured: the value is taken as it is. `~` is no home, "" is the folder that it is started in.
    """
    moved = environ.get("CLAUDE_CONFIG_DIR")
    return home / ".claude" if moved is None else cwd / moved


def other_tools(home: Path, client: Path) -> bool:
    """Whether any of the tools that write the client's settings was ever used here."""
    kept = (home / ".cc-switch", home / ".claude-code-router", home / ".litellm")
    return any(folder.is_dir() for folder in (*kept, client / "cc-haha"))


def managed_settings() -> Path:
    """Where an administrator's settings are, by the client's documentation."""
    if sys.platform == "darwin":
        return Path("/Library/Application Support/ClaudeCode/managed-settings.json")
    if sys.platform == "win32":
        return Path(r"C:\Program Files\ClaudeCode\managed-settings.json")
    return Path("/etc/claude-code/managed-settings.json")


def managed_drop_ins() -> list[Path]:
    """More of an administrator's settings, the strongest first: later names win."""
    folder = managed_settings().parent / "managed-settings.d"
    names = sorted(folder.glob("*.json"), reverse=True) if folder.is_dir() else []
    return [path for path in names if not path.name.startswith(".")]


def state_folder() -> Path:
    """Ours: the journal, old bytes, pid files. 0700 when it is made."""
    from platformdirs import user_state_path

    return user_state_path("haha-config", appauthor=False)


def owned_record() -> Path:
    """What we wrote into settings files beside `env`."""
    return state_folder() / "owned.json"


def config_folder() -> Path:
    """Ours: profiles and the person's own provider rows."""
    from platformdirs import user_config_path

    return user_config_path("haha-config", appauthor=False)


def data_folder() -> Path:
    """Ours: the gateway's environment."""
    from platformdirs import user_data_path

    return user_data_path("haha-config", appauthor=False)


def active_provider(folder: Path) -> str | None:
    """claude-haha's own provider choice in the client's folder; None where there is none.

    From its public documentation: `cc-haha/providers.json` names the active one, and
    `cc-haha/settings.json` holds what it sets.
    """
    try:
        data = mapping(from_json((folder / "cc-haha" / "providers.json").read_bytes()))
    except OSError:
        return None
    active = data.get("activeId") or data.get("activeProviderId")
    if not active:
        return None
    rows = objects(data.get("providers"))
    return str(next((row.get("name") for row in rows if row.get("id") == active), active))
