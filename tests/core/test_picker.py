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
