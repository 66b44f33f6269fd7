"""What may be shown of a value, and what counts as a number."""

from __future__ import annotations

import pytest

from haha_config.core import variables as v
from haha_config.core.model import Data
from haha_config.core.state.layers import as_text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://openrouter.ai/api", "https://openrouter.ai/api"),
        ("https://you:hunter2@host.example/v1?key=hunter2#hunter2", "https://host.example/v1"),
        ("http://[::1]:4000/x", "http://[::1]:4000/x"),
        ("localhost:11434", "localhost:11434"),
        ("openrouter.ai/api/v1", "openrouter.ai/api/v1"),
        ("http://you:hun#ter2@host.example", "http://****"),
        ("http://you:hun/ter2@host.example/v1", "http://****"),
        ("http://you:hun?ter2@host.example", "http://****"),
        ("sk-or-v1-0123456789abcdef", "****cdef"),
        ("sk-test-0123456789abcdef0123/x", "****23/x"),
    ],
)
def test_a_url_is_shown_without_what_may_be_a_key(url: str, shown: str) -> None:
    assert v.shown_url(url) == shown


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("3000000", 3000000),
        ("", None),
        (None, None),
        ("-1", None),
        ("1.5", None),
        ("²", None),
        ("٣", None),
        ("9" * 5000, None),
    ],
)
def test_a_whole_number(text: str | None, number: int | None) -> None:
    assert v.whole(text) == number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5.0, "5"),
        (10**20, "100000000000000000000"),
        (10**21, "1e+21"),
        (10**400, "Infinity"),
        (float("-inf"), "-Infinity"),
        ([None, 1, [True]], ",1,true"),
    ],
)
def test_a_settings_value_is_text_as_javascript_writes_it(value: Data, text: str) -> None:
    assert as_text(value) == text
