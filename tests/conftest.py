"""No test reaches the real home, the developer's variables or keys."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

#: What a program needs to run at all; nothing that leads home.
KEPT = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "VIRTUAL_ENV")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A throwaway home, and an environment that holds it and nothing of the developer's."""
    folder = tmp_path / "home"
    folder.mkdir()
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    for name in list(os.environ):
        if not name.startswith("PYTEST_") and name != "HYPOTHESIS_PROFILE":
            monkeypatch.delenv(name)
    for name, value in {**kept, "HOME": str(folder), "USERPROFILE": str(folder)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LANG", "C.UTF-8")
    return folder
