"""Files of other tools, read and never written, locked or opened for writing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from haha_config.core.errors import HahaError, Refusal
from haha_config.core.messages import msg
from haha_config.core.model import Place

_SELECT: Final = (
    "SELECT id,name,settings_config,category,meta,is_current FROM providers WHERE app_type='claude'"
)
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


def cc_switch(home: Path) -> tuple[list[dict[str, Any]], str, str] | None:
    """cc-switch's rows, the id of the current one ("": see the rows) and the file's path.

    None where it is not installed. Raises HahaError where its tables are not as we know them.
    """
    path = home / ".cc-switch" / "cc-switch.db"
    if not path.is_file():
        return None
    own = _json(home / ".cc-switch" / "settings.json")
    current = own.get("currentProviderClaude")
    return _rows(path, _SELECT), current if isinstance(current, str) else "", str(path)


def router_database(home: Path) -> tuple[dict[str, Any], str] | None:
    """What version 3 of claude-code-router keeps in its database, and the file's path."""
    path = home / ".claude-code-router" / "config.sqlite"
    if not path.is_file():
        return None
    rows = _rows(path, "SELECT value_json FROM app_config WHERE key='default'")
    try:
        data = json.loads(rows[0]["value_json"]) if rows else {}
    except (ValueError, TypeError, RecursionError):
        data = {}
    return (data if isinstance(data, dict) else {}), str(path)


def ccs_folder(environ: Mapping[str, str], home: Path) -> Path:
    """`CCS_DIR`, else `.ccs` in `CCS_HOME`, else in the home folder."""
    if environ.get("CCS_DIR"):
        return Path(environ["CCS_DIR"]).expanduser()
    return Path(environ.get("CCS_HOME") or home).expanduser() / ".ccs"


def text(path: Path) -> str:
    """A text file. Raises HahaError where it can't be read."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise HahaError(
            msg("this can't be read: {why}", why=error.strerror or ""), place=Place(path=str(path))
        ) from None
    except UnicodeDecodeError:
        raise Refusal(msg("this is not UTF-8"), place=Place(path=str(path))) from None


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _rows(path: Path, query: str) -> list[dict[str, Any]]:
    """Rows of a copy: reading the original would leave files beside it and meet its writer."""
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
                return [dict(row) for row in base.execute(query)]
        except sqlite3.Error:
            raise HahaError(
                msg("its tables are not as we know them: it may be newer than this haha-config"),
                place=Place(path=str(path)),
            ) from None
        except OSError as error:
            raise HahaError(
                msg("this can't be read: {why}", why=error.strerror or ""),
                place=Place(path=str(path)),
            ) from None
