"""The interview without a screen: which model is pointed at, which list, how a step back goes."""

from __future__ import annotations

from typing import Any, cast

import pytest

from haha_config.cli.interview.endpoint import _numbers
from haha_config.cli.interview.flow import Talk, Turn, Work, walk
from haha_config.cli.interview.model import best
from haha_config.cli.interview.offer import Offer, list_base
from haha_config.core.messages import msg
from haha_config.core.providers.catalog import CatalogEntry
from haha_config.core.providers.model import Model
from haha_config.core.providers.table import load
from haha_config.io import templates
from haha_config.io.prompts import WentBack

ROWS = load(templates.provider_texts(None))


def offer(**tools: bool | None) -> Offer:
    entries = tuple(
        CatalogEntry(provider="x", model=Model(id=name.replace("_", ":"), tools=able))
        for name, able in tools.items()
    )
    return Offer(entries=entries, said=msg("all"))


@pytest.mark.parametrize(
    ("models", "wanted", "chosen"),
    [
        ({"a": None, "b": True}, "a", "a"),
        ({"a": True, "coder_30b": True}, "coder", "coder:30b"),
        ({"coder_8b": False, "b": True}, "coder", "b"),
        ({"a": None, "b": None}, "gone", "a"),
        ({}, "wanted", "wanted"),
    ],
)
def test_the_model_that_is_pointed_at(
    models: dict[str, bool | None], wanted: str, chosen: str
) -> None:
    assert best(offer(**models), wanted) == chosen


@pytest.mark.parametrize(
    ("key", "url", "base"),
    [
        ("openrouter", "", "https://openrouter.ai/api"),
        ("openai", "", "https://api.openai.com/v1"),
        ("vllm", "http://10.0.0.5:8000/v1", "http://10.0.0.5:8000"),
        ("custom-openai", "http://10.0.0.5/v1", "http://10.0.0.5/v1"),
    ],
)
def test_the_list_is_read_where_the_row_has_it(key: str, url: str, base: str) -> None:
    assert list_base(ROWS[key], "global", "", url) == base


def test_versions_are_compared_by_their_numbers() -> None:
    assert _numbers("0.9.6") < _numbers("0.14.0") < _numbers("0.14.1-rc1") < _numbers("1.0")


def test_a_step_back_is_to_a_question_that_was_asked() -> None:
    seen: list[str] = []
    goes_back = iter([True, False])

    def step(name: str, then: str, *, asked: bool = True) -> Any:
        def run(_talk: Talk, work: Work) -> Turn:
            seen.append(name)
            if name == "last" and next(goes_back):
                raise WentBack
            return Turn(work=work, then=then, asked=asked)

        return run

    steps = {
        "first": step("first", "silent"),
        "silent": step("silent", "last", asked=False),
        "last": step("last", ""),
    }
    walk(steps, cast(Talk, None), cast(Work, None), "first")
    assert seen == ["first", "silent", "last", "first", "silent", "last"]
