"""Every reply that we know, in the service's own words: where it fails, why, and what mends it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from haha_config.core.exchange import Failure, HttpExchange, Request
from haha_config.core.model import Route
from haha_config.core.probe import diagnosis, wire
from haha_config.core.probe.client_profile import ClientProfile
from haha_config.core.providers.model import Credential, Provider
from haha_config.io import templates
from haha_config.io.i18n import render

URL = "https://a.example"
RECORD = templates.wire_records()["2.1.332"]


def row(key: str, header: str = "bearer", regions: Mapping[str, str] | None = None) -> Provider:
    return Provider(
        key=key,
        name=key.title(),
        about="",
        docs="",
        verified="",
        routes=("direct",),
        base_urls=regions or {"global": URL},
        credential=Credential(variable="", header=header),  # type: ignore[arg-type]
        local=key in ("ollama",),
        start="ollama serve" if key == "ollama" else "",
    )


def caller(
    *, route: Route = "direct", base: str = URL, of: Provider | None = None, kind: str = "bearer"
) -> ClientProfile:
    return ClientProfile(
        base_url=base,
        headers={},
        kinds=(kind,),  # type: ignore[arg-type]
        route=route,
        row=of,
        wire=wire.parse(RECORD.read_text(), "print"),
        patience=7,
    )


def exchange(
    status: int | None,
    body: object = "",
    headers: Mapping[str, str] | None = None,
    failure: Failure | None = None,
    url: str = f"{URL}/v1/messages?beta=true",
) -> HttpExchange:
    ask = Request(key="a", method="POST", url=url, body={"model": "some-model"}, timeout=7)
    text = body if isinstance(body, str) else json.dumps(body)
    return HttpExchange(ask=ask, status=status, body=text, headers=headers or {}, failure=failure)


def error(message: str, kind: str = "invalid_request_error") -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


LITELLM = caller(route="litellm", base="http://127.0.0.1:4000")
GROUP = "\n\nLiteLLM: model group 'm' failed with the error above. No fallback was attempted."

#: (what answers, status, body, who asks, stage, words of the cause, words of the hint)
TABLE: list[tuple[str, int, object, ClientProfile, str, str, str]] = [
    (
        "litellm, no provider prefix",
        400,
        error("litellm.BadRequestError: You passed in model=m. There are no healthy deployments"),
        LITELLM,
        "model",
        "left out `some-model`",
        "`openai/NAME`",
    ),
    (
        "litellm, no key for its upstream",
        500,
        error(
            "litellm.InternalServerError: InternalServerError: OpenAIException - Missing "
            "credentials. Please pass an `api_key`",
            "api_error",
        ),
        LITELLM,
        "model",
        "no upstream key for",
        "litellm.env",
    ),
    (
        "litellm, /responses in spite of the flag",
        404,
        error("litellm.NotFoundError: OpenAIException - Not Found"),
        replace(LITELLM, chat_flag=True),
        "model",
        "lacks the path that LiteLLM calls",
        "hosted_vllm/NAME",
    ),
    # measured on LiteLLM 1.108.7 with examples/team
    (
        "a key that was revoked",
        401,
        {
            "error": {
                "message": "This key is unknown to the gateway, or was revoked.",
                "type": "auth_error",
                "param": "None",
                "code": "401",
            }
        },
        caller(base="https://gateway.example.com"),
        "auth",
        "unknown to the gateway, or revoked",
        "for a new key",
    ),
    (
        "a key that has expired, by the hook",
        401,
        {"error": {"message": "This key has expired.", "type": "auth_error", "code": "401"}},
        caller(base="https://gateway.example.com"),
        "auth",
        "has expired",
        "for a new key",
    ),
    (
        "a key that has expired, by LiteLLM",
        401,
        {
            "error": {
                "message": "Authentication Error - Expired Key. Key Expiry time 2020-01-01"
                " 00:00:00+00:00 and current time 2026-11-25 23:38:54.487900+00:00",
                "type": "expired_key",
                "param": "sk-...fa13",
                "code": "401",
            }
        },
        caller(base="https://gateway.example.com"),
        "auth",
        "has expired",
        "for a new key",
    ),
    (
        "a limit of a person's",
        429,
        error(
            "Rate limit exceeded for user: ann. Limit type: requests. Current limit: 10,"
            " Remaining: 0. Limit resets at: 2026-11-25 23:16:14 UTC",
            "rate_limit_error",
        ),
        caller(base="https://gateway.example.com"),
        "model",
        "10 requests a minute",
        "wait a minute",
    ),
    (
        "a model that this key may not use",
        403,
        {
            "error": {
                "message": "The requested model 'some-model' is not available for this API key,"
                " or the model name is invalid. Check the models available to you and try again.",
                "type": "key_model_access_denied",
                "param": "model",
                "code": "403",
            }
        },
        caller(base="https://gateway.example.com"),
        "model",
        "does not allow `some-model`",
        "haha-config models",
    ),
    (
        "Redis gone, and LiteLLM told to take nothing then",
        503,
        error(
            "Rate limit enforcement unavailable: request counters could not be verified against"
            " Redis, and fail_closed_rate_limit_enforcement is enabled, so the request was rejected"
            " to avoid exceeding the configured rate limit. Retry shortly.",
            "api_error",
        ),
        caller(base="https://gateway.example.com"),
        "model",
        "Redis does not answer",
        "start Redis",
    ),
    # measured on LiteLLM 1.106.2
    (
        "a key that is not the master key",
        400,
        {"error": {"message": "No connected db.", "type": "no_db_connection", "code": "400"}},
        LITELLM,
        "auth",
        "not the gateway's master key",
        "validate --fix",
    ),
    (
        "no key, as its log has it",
        500,
        error("No module named 'prisma'"),
        LITELLM,
        "auth",
        "no key reached LiteLLM",
        "validate --fix",
    ),
    (
        "a model that it does not have",
        400,
        error(
            "anthropic_messages: Invalid model name passed in model=some-model. Call `/v1/models`"
        ),
        LITELLM,
        "model",
        "offers no model `some-model`",
        "haha-config models",
    ),
    (
        "a model in cooldown",
        429,
        error(
            "No deployments available for selected model, Try again in 5 seconds. cooldown_list=[]"
        ),
        LITELLM,
        "model",
        "pauses this model",
        "proxy logs",
    ),
    (
        "the upstream refuses the gateway's key",
        401,
        error(f"litellm.AuthenticationError: OpenAIException - Incorrect API key{GROUP}"),
        LITELLM,
        "model",
        "refuses the gateway's key",
        "proxy restart",
    ),
    (
        "the upstream has no such path",
        404,
        error(f"litellm.NotFoundError: NotFoundError: OpenAIException - Not Found{GROUP}"),
        LITELLM,
        "model",
        "lacks the path that LiteLLM calls",
        "use_chat_completions_url_for_anthropic_messages",
    ),
    (
        "the upstream has no such model",
        404,
        error("litellm.NotFoundError: OpenAIException - model x does not exist"),
        LITELLM,
        "model",
        "lacks the model behind",
        "haha-config models",
    ),
    (
        "the upstream is down",
        500,
        error(f"litellm.InternalServerError: OpenAIException - Connection error.{GROUP}"),
        LITELLM,
        "model",
        "can't reach its upstream",
        "proxy logs",
    ),
    (
        "the upstream is a web page",
        500,
        error(
            "litellm.InternalServerError: OpenAIException - Empty or invalid response "
            "from LLM endpoint. Received: '<!doctype html><html><head><title>Sign in</title>"
        ),
        LITELLM,
        "model",
        "web page",
        "api_base",
    ),
    (
        "the upstream limits",
        429,
        error(f"litellm.RateLimitError: RateLimitError: OpenAIException - slow down{GROUP}"),
        LITELLM,
        "model",
        "too many requests",
        "wait",
    ),
    # Ollama
    (
        "ollama without thinking",
        400,
        error('"llama3" does not support thinking'),
        LITELLM,
        "params",
        "does not think",
        "additional_drop_params",
    ),
    (
        "ollama without tools",
        400,
        error("registry.ollama.ai/library/llama3:latest does not support tools"),
        caller(of=row("ollama")),
        "tools",
        "can't call tools",
        "models --tools",
    ),
    (
        "ollama without the model",
        404,
        error("model 'some-model' not found", "not_found_error"),
        caller(of=row("ollama")),
        "model",
        "has no model `some-model`",
        "ollama pull some-model",
    ),
    (
        "ollama without memory",
        500,
        error("model requires more system memory (9.1 GiB) than is available (3.0 GiB)"),
        caller(of=row("ollama")),
        "model",
        "memory",
        "",
    ),
    # services
    (
        "openrouter without its header",
        401,
        {"error": {"message": "No auth credentials found", "code": 401}},
        caller(of=row("openrouter"), kind="x-api-key"),
        "auth",
        "found no key",
        "another key header",
    ),
    (
        "openrouter, no such model",
        400,
        {"error": {"message": "x/y is not a valid model ID", "code": 400}},
        caller(of=row("openrouter")),
        "model",
        "has no model",
        "haha-config models",
    ),
    (
        "openrouter, no provider with tools",
        404,
        {"error": {"message": "No endpoints found that support tool use.", "code": 404}},
        caller(of=row("openrouter")),
        "tools",
        "can't call tools",
        "models --tools",
    ),
    (
        "openrouter, no credit",
        402,
        {"error": {"message": "This request requires more credits, or fewer max_tokens."}},
        caller(of=row("openrouter")),
        "model",
        "no credit",
        "top up",
    ),
    (
        "minimax, key of the other region",
        401,
        {"base_resp": {"status_code": 1004, "status_msg": "login fail"}},
        caller(of=row("minimax", regions={"global": URL, "china": "https://b.example"})),
        "auth",
        "does not accept this key",
        "--region global|china",
    ),
    (
        "minimax says it with a 200",
        200,
        {"base_resp": {"status_code": 2049, "status_msg": "invalid api key"}},
        caller(of=row("minimax")),
        "auth",
        "does not accept this key",
        "",
    ),
    (
        "deepseek, no balance",
        402,
        {"error": {"message": "Insufficient Balance", "type": "unknown_error"}},
        caller(of=row("deepseek")),
        "model",
        "no credit",
        "top up",
    ),
    (
        "deepseek wants its thinking back",
        400,
        error("The content[].thinking in the thinking mode must be passed back to the API."),
        caller(of=row("deepseek")),
        "tools",
        "thinking back after",
        "CLAUDE_CODE_DISABLE_THINKING",
    ),
    (
        "openai, not in this country",
        403,
        error("Country, region, or territory not supported"),
        caller(),
        "auth",
        "country",
        "",
    ),
    (
        "a strict server",
        400,
        error("context_management: Extra inputs are not permitted"),
        caller(),
        "params",
        "`context_management`",
        "CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS=1",
    ),
    (
        "a stricter server",
        400,
        error("metadata: Extra inputs are not permitted"),
        caller(),
        "params",
        "a field",
        "",
    ),
    (
        "no cache",
        400,
        error("messages.0.content.1.cache_control: unexpected"),
        caller(),
        "params",
        "`cache_control`",
        "DISABLE_PROMPT_CACHING=1",
    ),
    (
        "too long an answer",
        400,
        error("max_tokens: 32000 > 8192, which is the maximum allowed number of output tokens"),
        caller(),
        "params",
        "32000",
        "CLAUDE_CODE_MAX_OUTPUT_TOKENS=8192",
    ),
    (
        "lm studio, window too small",
        500,
        {"error": "Trying to keep the first 9000 tokens when context length is only 4096"},
        caller(base="http://127.0.0.1:1234"),
        "context",
        "exceeds the model",
        "64K",
    ),
    (
        "deferred tools",
        400,
        error("tools.3: Input tag 'tool_reference' found"),
        caller(),
        "params",
        "deferred tools",
        "ENABLE_TOOL_SEARCH=false",
    ),
    ("a plain 401", 401, error("nope"), caller(), "auth", "nope", "haha-config init"),
    ("a plain 403", 403, error("nope"), caller(), "auth", "refuses this key", ""),
    ("a plain 413", 413, "", caller(), "context", "too large", ""),
    ("a plain 429", 429, error("slow down"), caller(), "model", "slow down", "wait"),
    ("a plain 529", 529, error("Overloaded"), caller(), "model", "overloaded", "minute"),
    ("a plain 500", 500, error("oops"), caller(), "model", "HTTP 500: oops", ""),
    ("a plain 418", 418, error("teapot"), caller(), "params", "HTTP 418: teapot", ""),
    # wrong places
    (
        "no such path",
        404,
        '{"detail":"Not Found"}',
        caller(),
        "reach",
        "no Messages API",
        "/v1/messages",
    ),
    (
        "a doubled /v1",
        404,
        '{"detail":"Not Found"}',
        caller(base=f"{URL}/v1"),
        "reach",
        f"{URL}/v1/v1/messages",
        f"--base-url {URL}",
    ),
    ("another method only", 405, "", caller(), "reach", "HTTP 405", ""),
    ("nothing at all", 200, "", caller(), "model", "empty answer", ""),
    (
        "openai's protocol",
        200,
        {"choices": []},
        caller(),
        "reach",
        "OpenAI's protocol",
        "custom-openai",
    ),
    (
        "something else",
        200,
        {"ok": True},
        caller(),
        "model",
        "without a Messages API answer",
        "",
    ),
]


@pytest.mark.parametrize(
    ("status", "body", "who", "stage", "what", "hint"),
    [case[1:] for case in TABLE],
    ids=[case[0] for case in TABLE],
)
def test_known(
    status: int, body: object, who: ClientProfile, stage: str, what: str, hint: str
) -> None:
    cause = diagnosis.judge(exchange(status, body), who)
    assert cause.stage == stage
    assert what in render(cause.what)
    assert hint in render(cause.hint or "")


def test_no_key_at_litellm_is_a_bare_500() -> None:
    nobody = ClientProfile(base_url="http://127.0.0.1:4000", headers={}, kinds=(), route="litellm")
    cause = diagnosis.judge(exchange(500, "Internal Server Error"), nobody)
    assert cause.stage == "auth"
    assert "fails without a key" in render(cause.what)


PAGE = "<!doctype html><html><head><title>{}</title></head></html>"


@pytest.mark.parametrize(
    ("status", "title", "words"),
    [
        (200, "Sign in", "“Sign in”"),
        (404, "Not Found", "a web page"),
        (403, "Attention Required! | Cloudflare", "a firewall"),
        (503, "Just a moment...", "a firewall"),
        (502, "Bad Gateway", "in front can't reach the endpoint"),
    ],
)
def test_pages(status: int, title: str, words: str) -> None:
    got = exchange(status, PAGE.format(title), {"content-type": "text/html"})
    cause = diagnosis.judge(got, caller())
    assert cause.stage == "reach"
    assert words in render(cause.what)


def test_a_redirect_names_the_host_and_not_what_is_in_its_query() -> None:
    got = exchange(307, headers={"location": "https://login.example/?token=sk-test-0123456789ab"})
    cause = diagnosis.judge(got, caller())
    assert cause.stage == "reach"
    assert "https://login.example: the conversation" in render(cause.what)
    assert "sk-test" not in render(cause.what) + render(cause.hint or "")


def test_a_redirect_to_https_of_the_same_host_is_the_url_to_use() -> None:
    plain = caller(base="http://a.example")
    got = exchange(
        308,
        headers={"location": "https://a.example/v1/messages?beta=true"},
        url="http://a.example/v1/messages?beta=true",
    )
    assert diagnosis.judge(got, plain).hint == "haha-config init --base-url https://a.example"


def test_nothing_that_an_endpoint_names_runs_when_a_hint_is_pasted() -> None:
    got = exchange(
        307, headers={"location": "/$(touch x)/v1/messages"}, url="http://a.example/v1/messages"
    )
    hint = diagnosis.judge(got, caller(base="http://a.example")).hint
    assert hint == "haha-config init --base-url 'http://a.example/$(touch x)'"


@pytest.mark.parametrize(("status", "goes_on"), [(301, 0), (302, 0), (303, 0), (307, 1), (308, 1)])
def test_a_redirect_within_the_host_is_the_clients_business(status: int, goes_on: bool) -> None:
    """The client repeats its request after 307 and 308, and asks for nothing after the others."""
    got = exchange(
        status,
        headers={"location": "/moved/v1/messages?beta=true"},
        url="http://a.example/v1/messages?beta=true",
    )
    cause = diagnosis.judge(got, caller(base="http://a.example"))
    assert cause.client_goes_on == goes_on
    assert cause.hint == "haha-config init --base-url http://a.example/moved"
    assert "http://a.example/moved" in render(cause.what)


@pytest.mark.parametrize("where", ["https://a.example", "http://a.example:81", "http://b.example"])
def test_a_redirect_to_another_origin_is_not(where: str) -> None:
    got = exchange(307, headers={"location": f"{where}/v1/messages"}, url="http://a.example/x")
    assert not diagnosis.judge(got, caller(base="http://a.example")).client_goes_on


def test_the_key_that_the_client_would_show_to_another_host_is_named() -> None:
    """Measured: `Authorization` stays behind, `x-api-key` goes along."""
    got = exchange(307, headers={"location": "http://b.example/v1/messages"})
    for kind, words in (("bearer", "without the key"), ("x-api-key", "conversation and key")):
        found = diagnosis.judge(got, caller(kind=kind))
        assert words in render(found.what)


@pytest.mark.parametrize(
    ("failure", "who", "stage", "what", "hint"),
    [
        ("dns", caller(), "reach", "`a.example` has no address", ""),
        ("refused", caller(), "reach", "nothing listens at a.example", ""),
        ("refused", LITELLM, "reach", "nothing listens", "haha-config proxy up"),
        ("refused", caller(of=row("ollama")), "reach", "nothing listens", "ollama serve"),
        ("unreachable", caller(), "reach", "can't be reached", ""),
        ("tls", caller(), "reach", "TLS", ""),
        ("certificate", caller(), "reach", "is not trusted", "NODE_EXTRA_CA_CERTS"),
        ("proxy", caller(), "reach", "the proxy", "HTTPS_PROXY"),
        ("proxy", LITELLM, "reach", "the proxy", "NO_PROXY"),
        ("slow", LITELLM, "model", "within 7 s", "proxy logs"),
        ("stalled", caller(), "model", "for 7 s", ""),
        ("cut", caller(), "model", "hung up", ""),
    ],
)
def test_no_answer(failure: Failure, who: ClientProfile, stage: str, what: str, hint: str) -> None:
    cause = diagnosis.judge(exchange(None, failure=failure), who)
    assert cause.stage == stage
    assert what in render(cause.what)
    assert hint in render(cause.hint or "")


@pytest.mark.parametrize(
    ("headers", "wait"), [({}, None), ({"retry-after": "4"}, 4.0), ({"retry-after": "soon"}, None)]
)
def test_how_long_to_wait(headers: dict[str, str], wait: float | None) -> None:
    assert diagnosis.asked_wait(exchange(429, error("slow"), headers)) == wait


def test_litellm_says_itself_how_long_its_cooldown_is() -> None:
    body = error("No deployments available for selected model, Try again in 5 seconds.")
    assert diagnosis.asked_wait(exchange(429, body)) == 5.5


def test_less_patience_than_the_clients_decides_nothing() -> None:
    who = replace(caller(), patience=600)
    cause = diagnosis.judge(exchange(None, failure="slow"), who)
    assert cause.client_goes_on
    assert "the client waits 600 s" in render(cause.what)


def test_a_key_that_a_service_quotes_is_masked() -> None:
    cause = diagnosis.judge(exchange(418, error("bad key sk-test-0123456789abcdef")), caller())
    assert "0123456789abcdef" not in render(cause.what)
