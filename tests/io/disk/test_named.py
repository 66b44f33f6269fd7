"""What is kept of a file is found again by the file's path, however long it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from haha_config.core.model import Plan, Write
from haha_config.io import disk


@pytest.mark.parametrize("depth", [0, 40])
def test_each_file_has_an_original_of_its_own(tmp_path: Path, depth: int) -> None:
    folder = tmp_path.joinpath(*["a folder"] * depth)
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / ".env", folder / "%2Eenv", folder / ".ENV2"]
    for file in files:
        file.write_text(f"{file.name}\n")

    def plan(text: str) -> Plan:
        return Plan(
            writes=tuple(
                Write(
                    path=str(file),
                    format="dotenv",
                    before=file.read_bytes(),
                    after=f"{text} {file.name}\n".encode(),
                    secret=False,
                    changes=(),
                )
                for file in files
            )
        )

    for text in ("one", "two"):
        disk.transact(lambda text=text: plan(text), state=tmp_path / "state", command="test")  # type: ignore[misc]
    kept = [p.read_bytes() for p in (tmp_path / "state" / "originals").rglob("*") if p.is_file()]
    assert {f"{file.name}\n".encode() for file in files} <= set(kept)
    assert len(list((tmp_path / "state" / "originals").iterdir())) == len(files)
