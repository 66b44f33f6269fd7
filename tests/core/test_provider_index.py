"""One index of provider rows: every row, prefix and base URL, and what nobody's row may claim."""

from __future__ import annotations

from pathlib import Path

import pytest

from haha_config.core.providers import table
from haha_config.core.providers.index import ProviderIndex, litellm_prefix, plain_model
from haha_config.core.providers.model import Provider, Providers
from haha_config.io import templates

TABLE: Providers = table.load(templates.provider_texts())
ROWS = ProviderIndex(TABLE)

ENDPOINTS = [
    (key, url, region)
    for key, row in TABLE.items()
    if "direct" in row.routes and not row.multi
    for urls in (row.base_urls, *(kind.base_urls for kind in row.credential.kinds))
    for region, url in urls.items()
    if url
]
UPSTREAMS = [
    (key, prefix, base)
    for key, row in TABLE.items()
    if row.upstream
    for prefix in (row.upstream.prefix, *row.upstream.other_prefixes)
    for base in row.upstream.api_base.values()
]


@pytest.mark.parametrize(("key", "url", "region"), ENDPOINTS)
def test_every_base_url_leads_to_its_row(key: str, url: str, region: str) -> None:
    for written in (url, f"{url}/", f"{url}/v1", f"{url}/v1/messages"):
        found = ROWS.at(written)
        assert found is not None
        assert (found.row.key, found.region) == (key, region)


@pytest.mark.parametrize(("key", "prefix", "base"), UPSTREAMS)
def test_every_upstream_leads_to_its_row(key: str, prefix: str, base: str) -> None:
    if not base:
        base = "https://somewhere.example/v1"
    row = ROWS.behind(f"{prefix}some-model", base)
    assert row is not None
    assert row.key == key
    assert plain_model(row, f"{prefix}some-model") == "some-model"


@pytest.mark.parametrize(
    ("model", "base", "behind", "listed"),
    [
        # a bare name: OpenAI's where OpenAI has it, else nobody's
        ("gpt-4o", "", "openai", "openai"),
        ("gpt-4o", "https://api.openai.com/v1", "openai", "openai"),
        ("gpt-4o", "http://10.0.0.5:8000/v1", "custom-openai", None),
        ("my-model", "", None, None),
        ("my-model", "http://10.0.0.5:8000/v1", None, None),
        # the service that a prefix names, and the old prefix of the same
        ("ollama/llama3", "", "ollama", "ollama"),
        ("ollama/llama3", "http://10.0.0.5:11434", "ollama", "ollama"),
        ("ollama_chat/llama3:8b", "http://localhost:11434", "ollama", "ollama"),
        ("deepseek/deepseek-flash", "", "deepseek", "deepseek"),
        ("deepseek/deepseek-flash", "https://mirror.example/v1", "deepseek", "deepseek"),
        ("openrouter/openai/gpt-4o", "", "openrouter", "openrouter"),
        # a prefix that says only how to talk
        ("openai/gpt-4o", "", "openai", "openai"),
        ("openai/gpt-4o", "https://api.openai.com", "openai", "openai"),
        ("openai/llama", "https://llm.example/v1", "custom-openai", None),
        ("anthropic/claude-x", "https://llm.example", "custom-anthropic", None),
        ("anthropic/claude-x", "", "custom-anthropic", None),
        ("hosted_vllm/x", "http://localhost:8000/v1", "vllm", "vllm"),
        ("hosted_vllm/gpt-6", "https://llm.example/v1", "custom-openai", None),
        ("hosted_vllm/x", "http://127.0.0.1:8080", "llamacpp", "llamacpp"),
        # what no row has
        ("bedrock/x", "", None, None),
        ("meta-llama/Llama-3", "http://10.0.0.5:8000/v1", None, None),
    ],
)
def test_what_litellm_calls(model: str, base: str, behind: str | None, listed: str | None) -> None:
    assert _key(ROWS.behind(model, base)) == behind
    assert _key(ROWS.listed(model, base)) == listed


def _key(row: Provider | None) -> str | None:
    return row.key if row is not None else None


def test_only_the_index_looks_rows_up_by_url() -> None:
    """The second place that answered this question differently is gone for good."""
    core = Path(table.__file__).parent
    twins = [p.name for p in core.rglob("*.py") if "def row_of_model" in p.read_text("utf-8")]
    assert twins == []


@pytest.mark.parametrize(
    ("key", "model", "base", "prefix"),
    [
        ("custom-openai", "gpt-5.4", "https://llm.example/v1", "hosted_vllm/"),
        ("custom-openai", "gpt-6-luna", "http://10.0.0.5:8000/v1", "hosted_vllm/"),
        ("custom-openai", "gpt-5.10", "https://llm.example/v1", "hosted_vllm/"),
        ("custom-openai", "gpt-5", "https://llm.example/v1", "openai/"),
        ("custom-openai", "gpt-5.3", "https://llm.example/v1", "openai/"),
        ("custom-openai", "gpt-4o", "https://llm.example/v1", "openai/"),
        ("custom-openai", "glm-5.3", "https://llm.example/v1", "openai/"),
        ("openai", "gpt-6-luna", "https://api.openai.com/v1", "openai/"),
        ("openai", "gpt-6-luna", "https://mirror.example/v1", "hosted_vllm/"),
        ("deepseek", "gpt-6", "https://mirror.example", "deepseek/"),
    ],
)
def test_the_prefix_that_reaches_chat_completions(
    key: str, model: str, base: str, prefix: str
) -> None:
    assert litellm_prefix(TABLE[key], model, base) == prefix
    found = ROWS.behind(f"{prefix}{model}", base)
    assert found is not None
    assert plain_model(found, f"{prefix}{model}") == model
