"""Places to write to."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: some tests sync thousands of times."""
    shared = Path("/dev/shm")  # noqa: S108 - a fresh private folder is made in it
    if not os.access(shared, os.W_OK):
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(dir=shared, prefix="haha-config-"))
    yield folder
    shutil.rmtree(folder)
