"""`trust.toml`: what was agreed to stays agreed to, and a damaged file agrees to nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from haha_config.io import agreements


def test_what_is_agreed_to_is_added_and_forgotten(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert agreements.read(state) == {}
    agreements.add(state, {"/repo": {"aa": "ANTHROPIC_BASE_URL http://h"}})
    agreements.add(state, {"/repo": {"bb": "HTTPS_PROXY http://p"}, '/o "ther" \\x': {"aa": "x"}})
    assert agreements.read(state) == {
        "/repo": {"aa": "ANTHROPIC_BASE_URL http://h", "bb": "HTTPS_PROXY http://p"},
        '/o "ther" \\x': {"aa": "x"},
    }
    assert agreements.forget(state, "/repo")
    assert not agreements.forget(state, "/repo")
    assert list(agreements.read(state)) == ['/o "ther" \\x']


@pytest.mark.skipif(sys.platform == "win32", reason="no permission bits there")
def test_it_is_for_this_user_only_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    state = tmp_path / "state"
    agreements.add(state, {"/repo": {"aa": "x"}})
    assert (state / agreements.NAME).stat().st_mode & 0o777 == 0o600
    assert state.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in state.iterdir()) == ["lock", agreements.NAME]


@pytest.mark.parametrize(
    "text",
    [
        "not toml",
        "folders = 3",
        "[folders]\n'/repo' = 'everything'",
        "[folders.'/repo']\naa = true",
        "\udcff",
    ],
)
def test_a_damaged_file_agrees_to_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / agreements.NAME).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert not any(agreements.read(tmp_path).values())
    agreements.add(tmp_path, {"/repo": {"bb": "x"}})
    assert agreements.read(tmp_path)["/repo"] == {"bb": "x"}
