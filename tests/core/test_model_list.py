"""Model lists in every dialect, as the services answer (facts: D)."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from typing import Any

import pytest

from haha_config.core.exchange import HttpExchange, Request
from haha_config.core.messages import Message
from haha_config.core.probe import model_list
from haha_config.core.probe.model_list import Listing
from haha_config.core.providers.catalog import Catalog, Price
from haha_config.core.providers.model import Discovery, Model

KEY = {"authorization": "Bearer sk-test-0123456789abcdef"}


def answered(ask: Request, data: object, status: int = 200) -> HttpExchange:
    body = data if isinstance(data, str) else json.dumps(data)
    return HttpExchange(ask=ask, status=status, body=body)


def talk(
    dialogue: Generator[Sequence[Request], Sequence[HttpExchange], Listing], *pages: object
) -> tuple[Listing, list[Request]]:
    """Answer each ask with the next page; the listing and everything that was asked."""
    asked: list[Request] = []
    waiting = iter(pages)
    try:
        asks = next(dialogue)
        while True:
            asked += asks
            asks = dialogue.send([answered(a, next(waiting)) for a in asks])
    except StopIteration as end:
        return end.value, asked


def text(message: Message | None) -> str:
    assert message is not None
    return message.text.format(**message.values)


OPENROUTER = Discovery(url="{base}/v1/models", kind="openrouter", public=True)
BASE = "https://openrouter.ai/api"


def test_openrouter_prices_are_texts_per_token_and_its_key_is_not_sent() -> None:
    item = {
        "id": "z/glm",
        "context_length": 200000,
        "top_provider": {"max_completion_tokens": 64000},
        "pricing": {"prompt": "0.0000005", "completion": "0.000002"},
        "supported_parameters": ["tools", "reasoning"],
        "expiration_date": "2027-01-01",
    }
    listing, asked = talk(model_list.ask_for(OPENROUTER, BASE, KEY), {"data": [item]})
    (entry,) = listing.entries
    assert entry.model == Model(
        id="z/glm",
        context=200000,
        output=64000,
        tools=True,
        thinking=True,
        retired="2027-01-01",
    )
    assert entry.price == Price(0.5, 2.0)
    assert asked[0].url == "https://openrouter.ai/api/v1/models"
    assert "authorization" not in asked[0].headers


def test_every_page_is_read() -> None:
    first = {"data": [{"id": "a"}], "links": {"next": "/api/v1/models?offset=500"}}
    listing, asked = talk(model_list.ask_for(OPENROUTER, BASE, KEY), first, {"data": [{"id": "b"}]})
    assert [e.model.id for e in listing.entries] == ["a", "b"]
    assert asked[1].url == "https://openrouter.ai/api/v1/models?offset=500"


@pytest.mark.parametrize(
    "following", ["https://elsewhere.example/models", "http://openrouter.ai/api/v1/models"]
)
def test_a_next_page_on_another_host_is_not_fetched(following: str) -> None:
    page = {"data": [{"id": "a"}], "links": {"next": following}}
    listing, asked = talk(model_list.ask_for(OPENROUTER, BASE, KEY), page)
    assert [e.model.id for e in listing.entries] == ["a"]
    assert len(asked) == 1


def test_anthropic_pages_by_the_last_id() -> None:
    there = Discovery(url="{base}/v1/models?limit=1000", kind="anthropic")
    first = {"data": [{"id": "a"}], "has_more": True, "last_id": "a"}
    listing, asked = talk(
        model_list.ask_for(there, "https://a.example", KEY), first, {"data": [{"id": "b"}]}
    )
    assert [e.model.id for e in listing.entries] == ["a", "b"]
    assert asked[1].url == "https://a.example/v1/models?limit=1000&after_id=a"
    assert asked[1].headers["authorization"] == KEY["authorization"]


@pytest.mark.parametrize(
    ("item", "context", "retired"),
    [
        ({"id": "m"}, None, None),
        ({"id": "m", "shutdown_date": "2027-01-14"}, None, "2027-01-14"),
        ({"id": "m", "max_model_len": 32768}, 32768, None),
        ({"id": "m", "meta": {"n_ctx_train": 4096}}, 4096, None),
        ({"id": "m", "max_model_len": True, "shutdown_date": 1700000000}, None, None),
    ],
)
def test_openai_and_its_imitators(
    item: dict[str, Any], context: int | None, retired: str | None
) -> None:
    there = Discovery(url="{origin}/models", kind="openai")
    listing, asked = talk(
        model_list.ask_for(there, "https://api.deepseek.com/anthropic", KEY), {"data": [item]}
    )
    assert asked[0].url == "https://api.deepseek.com/models"
    assert listing.entries[0].model == Model(id="m", context=context, retired=retired)


def test_ollama_is_asked_what_each_model_can_do() -> None:
    there = Discovery(url="{base}/api/tags", kind="ollama", public=True)
    listing, asked = talk(
        model_list.ask_for(there, "http://localhost:11434", {}),
        {"models": [{"name": "qwen3-coder:latest"}, {"name": "llama3:8b"}]},
        {
            "capabilities": ["completion", "tools"],
            "model_info": {"qwen3.context_length": 262144, "general.type": "model"},
        },
        {"error": "not found"},
    )
    assert [a.url for a in asked[1:]] == ["http://localhost:11434/api/show"] * 2
    assert [a.body for a in asked[1:]] == [{"model": "qwen3-coder:latest"}, {"model": "llama3:8b"}]
    coder, llama = (e.model for e in listing.entries)
    assert coder == Model(id="qwen3-coder", context=262144, tools=True, thinking=False)
    assert llama == Model(id="llama3:8b")


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, "{}", "refused the key"),
        (404, "Not Found", "HTTP 404"),
        (200, "<html>sign in</html>", "no model list"),
    ],
)
def test_no_list_is_said_in_words(status: int, body: str, words: str) -> None:
    dialogue = model_list.ask_for(Discovery(url="{base}/v1/models", kind="openai"), BASE, KEY)
    (ask,) = next(dialogue)
    with pytest.raises(StopIteration) as end:
        dialogue.send([answered(ask, body, status)])
    assert words in text(end.value.value.problem)
    assert end.value.value.entries == ()


def test_silence_is_said_in_words() -> None:
    dialogue = model_list.ask_for(Discovery(url="{base}/v1/models", kind="openai"), BASE, KEY)
    (ask,) = next(dialogue)
    with pytest.raises(StopIteration) as end:
        dialogue.send([HttpExchange(ask=ask, failure="refused")])
    assert text(end.value.value.problem).startswith("nothing listens at ")


def test_names_of_a_gateway_are_described_by_what_is_behind_them() -> None:
    from haha_config.core.providers.model import Credential, Provider, Upstream
    from haha_config.core.state.configured import CurrentSetup

    row = Provider(
        key="deepseek",
        name="DeepSeek",
        about="",
        docs="",
        verified="",
        routes=("direct",),
        base_urls={},
        credential=Credential(variable=""),
        models=(Model(id="deepseek-flash", context=1_000_000, tools=True),),
    )
    held = CurrentSetup(
        provider="litellm",
        route="litellm",
        base_url="http://127.0.0.1:4000",
        region="",
        header="bearer",
        credential="",
        slots={},
        upstreams=(
            Upstream(name="fast", provider="deepseek", model="deepseek-flash", base_url=""),
        ),
        port=4000,
        own_gateway=True,
    )
    nothing = Catalog(date="", sources=(), entries={})
    known, unknown = model_list.gateway(["fast", "x"], held, {"deepseek": row}, nothing)
    assert known.model == Model(id="fast", context=1_000_000, tools=True)
    assert known.provider == "deepseek"
    assert unknown.model == Model(id="x")
