"""The menu of `/model`: what it lists and how each model is called there."""

from __future__ import annotations

import pytest

from haha_config.core.change import picker
from haha_config.core.providers.catalog import CatalogEntry, Price
from haha_config.core.providers.model import Model


def entry(
    name: str, context: int | None = None, price: Price | None = None, retired: str | None = None
) -> CatalogEntry:
    return CatalogEntry(
        provider="x", model=Model(id=name, context=context, retired=retired), price=price
    )


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("gpt-6.1-sol", "GPT 6.1 Sol"),
        ("glm-5.3", "GLM 5.3"),
        ("deepseek-flash[1m]", "Deepseek Flash"),
        ("openrouter/z-ai/glm-5", "GLM 5"),
        ("kimi-k3", "Kimi K3"),
        ("qwen3:8b", "Qwen3:8b"),
        ("m", "M"),
    ],
)
def test_a_label_can_be_read(name: str, label: str) -> None:
    assert picker.label(name) == label


def test_each_model_once_with_its_name_window_and_price() -> None:
    entries = [
        entry("big[1m]", 1_000_000, Price(1.25, 10)),
        entry("big", 1_000_000),
        entry("plain"),
        entry("tiny", 8_192),
        entry("just-enough", 32_000),
        entry("gone", 200_000, retired="2026-01-01"),
        entry("ends-later", 200_000, retired="2027-01-01"),
        entry("text-embedding-3"),
        entry("openai/*"),
    ]
    shown = picker.options(entries, "2026-11-25")
    assert [(one["model"], one["description"]) for one in shown] == [
        ("big[1m]", "big · 1M · $1.25 in, $10 out"),
        ("plain", "plain"),
        ("just-enough", "just-enough · 32K"),
        ("ends-later", "ends-later · 200K"),
    ]
    assert picker.smallest(entries, shown) == 32_000


def test_a_row_keeps_what_a_server_told_that_is_off_now() -> None:
    told = picker.options([entry("a", 262_144), entry("b", 64_000), entry("c")], "2026-01-01")
    held = picker.setting(told)
    now = picker.options([entry("a"), entry("b"), entry("c", 64_000), entry("d")], "2026-01-01")
    kept = picker.kept(now, held, lambda name: name != "b")
    # The name `b` stands for another model now.
    assert kept == (told[0], *now[1:])
    assert picker.kept(now, None, lambda _: True) == now
    assert picker.kept(now, {"options": ["a"]}, lambda _: True) == now
