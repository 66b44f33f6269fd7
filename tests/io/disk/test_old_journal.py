"""What an older haha-config noted is read as it meant it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from haha_config.core.model import Baseline, Item, Remove, Set
from haha_config.io import disk

SETTINGS = """\
{"path": "/home/me/.claude/settings.json", "real": "/data/settings.json",
 "temporary": "/data/.haha-config.e842ab7da131.0", "format": "json", "secret": true,
 "before": [0, 3], "after": [3, 7], "folders": [], "emptied": [], "leaves": false, "mode": 420,
 "changes": [{"path": ["env", "ANTHROPIC_MODEL"], "set": true},
             {"path": ["model_list", {"key": "model_name", "value": "fast"}, 0], "set": false}]}
"""
NEW = """\
{"path": "/home/me/\\udcff/.env", "real": "/home/me/\\udcff/.env", "temporary": "/home/me/t",
 "format": "dotenv", "secret": false, "before": null, "after": [7, 9],
 "changes": [{"path": ["A"], "set": true}], "folders": ["/home/me/new"], "emptied": []}
"""


def note(folder: Path, record: str, **files: bytes) -> None:
    folder.mkdir(parents=True)
    (folder / "record.json").write_text(record)
    for name, data in files.items():
        (folder / name).write_bytes(data)


def write(state: Path) -> Path:
    """Write 7 as an older version noted it."""
    record = {"version": 1, "number": 7, "time": 1795648863.5, "command": "init", "size": 9}
    folder = state / "writes" / "00000007"
    entries = json.loads(f"[{SETTINGS}, {NEW}]")
    note(folder, json.dumps({**record, "entries": entries}), bytes=b"oldnew!!!")
    return folder


def test_a_write(tmp_path: Path) -> None:
    write(tmp_path)
    (record,) = disk.records(tmp_path)
    assert (record.id, record.time, record.command) == ("7", 1795648863.5, "init")
    settings, new = record.entries()
    assert (settings.before, settings.after, settings.mode) == (b"old", b"new!", 420)
    assert settings.changes == (
        Set(("env", "ANTHROPIC_MODEL"), True),
        Remove(("model_list", Item("model_name", "fast"), 0)),
    )
    assert (settings.path, settings.real) == (record.paths[0], "/data/settings.json")
    # The first version knew no `leaves` and no `mode`.
    assert (new.before, new.after, new.leaves, new.mode) == (None, b"!!", False, None)
    assert new.path == "/home/me/\udcff/.env"
    assert new.folders == ("/home/me/new",)


def test_originals_and_arrivals(tmp_path: Path) -> None:
    note(
        tmp_path / "originals" / "one",
        '{"version": 1, "path": "/home/me/.env", "existed": true}',
        original=b"A=1\n",
    )
    note(
        tmp_path / "arrivals" / "one",
        '{"version": 1, "real": "/home/me/.env", "number": 3, "existed": true}',
        original=b"A=1\n",
    )
    note(
        tmp_path / "arrivals" / "two",
        '{"version": 1, "real": "/home/me/left", "number": 3, "existed": false, "left": 4}',
    )
    assert disk.originals(tmp_path) == [
        ("/home/me/.env", tmp_path / "originals" / "one" / "original")
    ]
    assert disk.arrivals(tmp_path) == {"/home/me/.env": Baseline(before=b"A=1\n", number=3)}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"time": "noon"}, "$.time"),
        ({"version": 2}, "$.version"),
        ({"entries": [{**json.loads(SETTINGS), "mode": "rw"}]}, "$.entries[0].mode"),
        (
            {"entries": [{**json.loads(SETTINGS), "changes": [{"path": [None], "set": True}]}]},
            "$.entries[0].changes[0].path[0]",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_path(
    tmp_path: Path, changed: dict[str, Any], told: str
) -> None:
    folder = write(tmp_path)
    (record,) = disk.records(tmp_path)
    described = json.loads((folder / "record.json").read_text())
    (folder / "record.json").write_text(json.dumps({**described, **changed}))
    with pytest.raises(ValueError, match=re.escape(told)):
        record.entries()
    assert disk.damaged(tmp_path) == [(7, folder)]
