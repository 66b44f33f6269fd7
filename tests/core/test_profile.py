"""A profile's name and its references, as functions of their texts."""

from __future__ import annotations

import pytest

from haha_config.core.errors import Refusal, Usage
from haha_config.core.setup.profile import check_name, reference
from haha_config.io.i18n import english


@pytest.mark.parametrize("name", ["off", "-"])
def test_a_word_of_use_is_refused_for_what_it_is(name: str) -> None:
    """It was refused with a list of letters, all of which it has."""
    with pytest.raises(Usage) as refused:
        check_name(name)
    assert f"`use {name}`" in english(refused.value.what)


@pytest.mark.parametrize("name", ["", "a/b", "../x", ".hidden", "a b", "x.toml", "ü", "a" * 65])
def test_what_no_file_should_be_called_is_refused(name: str) -> None:
    with pytest.raises(Usage, match="letters"):
        check_name(name)


@pytest.mark.parametrize(
    "path", ["work.DEEPSEEK_API_KEY", "/run/secrets/key", "~/keys/key", "C:\\keys\\key"]
)
def test_a_keys_file_is_in_our_store_or_named_whole(path: str) -> None:
    assert reference(f"file:{path}").name == path


@pytest.mark.parametrize("path", ["../../x", "a/b", "..\\x", ".."])
def test_a_keys_file_is_not_found_by_leaving_our_store(path: str) -> None:
    with pytest.raises(Refusal, match="whole path"):
        reference(f"file:{path}")
