"""Inputs that once broke a law, kept by `make fuzz`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from haha_config.core.edit import dotenv_text
from haha_config.core.model import Change
from tests.fuzz import __main__ as search
from tests.fuzz import laws
from tests.fuzz.laws import check, loaded

CORPUS = sorted((Path(__file__).parents[2] / "fuzz" / "corpus").glob("*.json"))


@pytest.mark.parametrize("path", CORPUS, ids=[path.stem for path in CORPUS])
def test_past_failures(path: Path) -> None:
    text, changes = loaded(path.read_text(encoding="utf-8"))
    check(path.stem.split("-")[0], text, changes)


def test_the_corpus_is_there() -> None:
    assert len(CORPUS) >= 8


def test_the_search_finds_a_planted_fault_and_keeps_it_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def forgetful(text: str, changes: Sequence[Change]) -> str:
        return dotenv_text.edit(text, changes).replace("\r\n", "\n" if changes else "\r\n")

    corpus = tmp_path / "corpus"
    corpus.mkdir()
    monkeypatch.setattr(search, "CORPUS", corpus)
    with monkeypatch.context() as planted:
        forgets = SimpleNamespace(edit=forgetful, read=dotenv_text.read)
        planted.setitem(laws.EDITORS, "dotenv", forgets)
        assert search.run("dotenv", 500, start=1) == 1
        (kept,) = corpus.iterdir()
        text, changes = loaded(kept.read_text(encoding="utf-8"))
        assert len(changes) == 1
        assert str(kept) in capsys.readouterr().out
        with pytest.raises(laws.BrokenLaw):
            check("dotenv", text, changes)
    check("dotenv", text, changes)
