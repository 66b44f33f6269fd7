"""The only hand that reads and writes the targets."""

from __future__ import annotations

from pathlib import Path

from haha_config.io.disk.files import snapshot
from haha_config.io.disk.journal import (
    JournalEntry,
    WriteRecord,
    arrivals,
    damaged,
    entries,
    is_ours,
    originals,
    pending,
    purge,
    records,
)
from haha_config.io.disk.lock import exclusive, shared
from haha_config.io.disk.transaction import (
    Applied,
    Recovered,
    alone,
    recover,
    recover_alone,
    transact,
    wrote,
)

__all__ = [
    "Applied",
    "JournalEntry",
    "Recovered",
    "WriteRecord",
    "alone",
    "arrivals",
    "damaged",
    "entries",
    "exclusive",
    "is_ours",
    "last_folder",
    "originals",
    "pending",
    "purge",
    "records",
    "recover",
    "recover_alone",
    "shared",
    "snapshot",
    "transact",
    "wrote",
]


def last_folder(state: Path, settings: Path) -> Path | None:
    """The folder that was last written together with this settings.json, from the journal."""
    for record in reversed(records(state)):
        if str(settings) in record.paths:
            for path in map(Path, record.paths):
                if path.name in {".env", "litellm.env", "litellm_config.yaml"}:
                    return path.parent
    return None
