"""The line under a finding: cheap in big files, and without a secret in it."""

from __future__ import annotations

import pytest

from haha_config.core.change import excerpt
from haha_config.core.model import Place

KEY = "sk-test-0123456789abcdef0123"


def test_a_file_is_split_once_for_all_its_findings() -> None:
    text = "".join(f"  model: m{n}\n" for n in range(200))
    excerpt._lines.cache_clear()
    for line in range(1, 200):
        assert f"m{line - 1}" in excerpt.pointed(text, Place(path="x", line=line, column=10))
    assert excerpt._lines.cache_info().misses == 1


def test_of_a_line_of_megabytes_only_the_surroundings_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[int] = []
    real = excerpt.masked

    def measured(line: str, at: int) -> tuple[str, int]:
        read.append(len(line))
        return real(line, at)

    monkeypatch.setattr(excerpt, "masked", measured)
    filler = '"k": "v", ' * 10_000
    line = f'{{{filler}"ANTHROPIC_AUTH_TOKEN": "{KEY}", {filler}}}'
    shown = excerpt.pointed(line, Place(path="x", line=1, column=line.index(KEY)))
    assert read[0] < 10_000
    text, caret = shown.split("\n")
    assert '"ANTHROPIC_AUTH_TOKEN": "****' in text
    assert "0123456789" not in shown
    assert text[caret.index("^")] == '"'


@pytest.mark.parametrize("cut", range(-30, 30))
def test_a_key_at_the_edge_of_what_is_read_is_masked_where_it_is_shown(cut: int) -> None:
    before = f'"a": "{KEY}", ' * 500
    line = f'{{{before}"model": 5}}'
    column = excerpt._REACH + 200 + cut
    shown = excerpt.pointed(line, Place(path="x", line=1, column=column))
    assert "0123456789" not in shown
