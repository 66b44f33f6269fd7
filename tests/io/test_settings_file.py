"""The private file of one session: there while the client runs, and nowhere else."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest

from haha_config.core.errors import HahaError
from haha_config.io.settings_file import session_file

VALUES = {"ANTHROPIC_AUTH_TOKEN": "sk-test-0123456789abcdef0123"}


def test_it_is_private_and_goes_at_the_end(tmp_path: Path) -> None:
    where = tmp_path / "sessions"
    with session_file(where, VALUES) as path:
        assert json.loads(path.read_text(encoding="utf-8")) == {"env": VALUES}
        if sys.platform != "win32":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(where.stat().st_mode) == 0o700
    assert list(where.iterdir()) == []


def test_where_none_can_be_made_it_is_said(tmp_path: Path) -> None:
    taken = tmp_path / "sessions"
    taken.write_text("a file where a folder should be", encoding="utf-8")
    with pytest.raises(HahaError) as refused, session_file(taken, VALUES):
        pytest.fail("there is no file")
    assert str(taken) in str(refused.value.what.values["path"])
    assert taken.read_text(encoding="utf-8") == "a file where a folder should be"


def test_a_file_that_somebody_took_away_is_no_error(tmp_path: Path) -> None:
    with session_file(tmp_path / "sessions", VALUES) as path:
        path.unlink()
