"""Files of other tools, read and never written, locked or opened for writing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from msgspec import Struct

from haha_config.core.errors import HahaError
from haha_config.core.messages import msg
from haha_config.core.model import Place, from_json, mapping, string
from haha_config.io import files

if TYPE_CHECKING:
    from sqlite3 import Connection

_Answer = TypeVar("_Answer")
#: Start files of shells, below the home folder.
START_FILES: Final = (
    ".bashrc",
    ".bash_profile",
    ".profile",
    ".zshrc",
    ".zshenv",
    ".zprofile",
    ".config/fish/config.fish",
)


class Table(Struct, frozen=True, kw_only=True):
    """cc-switch's rows for this client, None where its tables have other names.

    `current` is the id of the current one, "" where only the rows say so.
    """

    rows: list[dict[str, Any]] | None
    version: int
    current: str
    path: str


def cc_switch(home: Path) -> Table | None:
    """cc-switch's table; None where it is not installed.

    Raises HahaError where its database can't be read.
    """
    path = home / ".cc-switch" / "cc-switch.db"
    if not path.is_file():
        return None
    current = _json(home / ".cc-switch" / "settings.json").get("currentProviderClaude")
    version = _asked(path, lambda base: int(base.execute("PRAGMA user_version").fetchone()[0]))
    return Table(
        # Every column: one that a newer version lacks is then missed, and not an error.
        rows=_rows(path, "SELECT * FROM providers WHERE app_type='claude'"),
        version=version or 0,
        current=string(current),
        path=str(path),
    )


def router_database(home: Path) -> tuple[Mapping[str, Any] | None, str] | None:
    """What version 3 of claude-code-router keeps in its database, and the file's path.

    None in the place of the data where its tables have other names.
    """
    path = home / ".claude-code-router" / "config.sqlite"
    if not path.is_file():
        return None
    rows = _rows(path, "SELECT value_json FROM app_config WHERE key='default'")
    if rows is None:
        return None, str(path)
    return mapping(from_json(str(rows[0]["value_json"])) if rows else {}), str(path)


def ccs_folder(environ: Mapping[str, str], home: Path) -> Path:
    """`CCS_DIR`, else `.ccs` in `CCS_HOME`, else in the home folder."""
    if environ.get("CCS_DIR"):
        return Path(environ["CCS_DIR"]).expanduser()
    return Path(environ.get("CCS_HOME") or home).expanduser() / ".ccs"


def _json(path: Path) -> Mapping[str, Any]:
    try:
        return mapping(from_json(files.text(path)))
    except HahaError:
        return {}


def _rows(path: Path, query: str) -> list[dict[str, Any]] | None:
    return _asked(path, lambda base: [dict(row) for row in base.execute(query)])


def _asked(path: Path, ask: Callable[[Connection], _Answer]) -> _Answer | None:
    """An answer of a copy: reading the original would leave files beside it and meet its writer.

    None where the question names a table or a column that there is not.
    """
    import shutil
    import sqlite3
    import tempfile
    from contextlib import closing

    with tempfile.TemporaryDirectory(prefix="haha-config-") as folder:
        copy = Path(folder) / "copy.db"
        try:
            shutil.copyfile(path, copy)
            wal = path.with_name(f"{path.name}-wal")
            if wal.is_file():
                shutil.copyfile(wal, copy.with_name("copy.db-wal"))
            # A journal can only be read where its index may be made: in our own copy.
            with closing(sqlite3.connect(copy)) as base:
                base.execute("PRAGMA query_only = ON")
                base.row_factory = sqlite3.Row
                return ask(base)
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
                return None
            raise HahaError(
                msg("this is no readable database"), place=Place(path=str(path))
            ) from None
        except OSError as error:
            raise HahaError(
                msg("this can't be read: {why}", why=files.reason(error)),
                place=Place(path=str(path)),
            ) from None
