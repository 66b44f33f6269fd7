"""Inputs that once broke a law, kept by `make fuzz`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.laws import check, loaded

CORPUS = sorted((Path(__file__).parents[2] / "fuzz" / "corpus").glob("*.json"))


@pytest.mark.parametrize("path", CORPUS, ids=[path.stem for path in CORPUS])
def test_past_failures(path: Path) -> None:
    text, changes = loaded(path.read_text(encoding="utf-8"))
    check(path.stem.split("-")[0], text, changes)


def test_the_corpus_is_there() -> None:
    assert len(CORPUS) >= 8
