"""Set-ups of LiteLLM and what becomes of each: measured again on every run.

`ENTRIES` are one element of `model_list` each and share one start. `CONFIGS` are whole files.
Outcomes: `works`; `fails`, the client gets no answer; `dropped`, LiteLLM starts without the
entry; `refused`, LiteLLM does not start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Outcome = Literal["works", "fails", "dropped", "refused"]
KEY: Final = "sk-up-0123456789abcdef"
MASTER_KEY: Final = "sk-" + "0123456789abcdef" * 3
#: What the gateway's environment has beside its master key.
VARIABLES: Final = {
    "UP_KEY": KEY,
    "MISTRAL_API_KEY": KEY,
    "PUBLIC_NAME": "public-name",
    "REAL_MODEL": "hosted_vllm/qwen3",
    "EMPTY_KEY": "",
}
CHAT: Final = "/v1/chat/completions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """`yaml` is what follows `- `; `{base}` is an address of this entry's own server.

    `{root}` is one
    without a path. That server has `serves` and nothing else. `locked`: it wants KEY. `asks`: the
    model that the client asks for, where that is not the name.
    """

    yaml: str
    becomes: Outcome
    serves: str = CHAT
    locked: bool = False
    asks: str = ""


def params(text: str, becomes: Outcome, **more: str | bool) -> Entry:
    """An entry with these `litellm_params`."""
    yaml = "model_name: {name}\n    litellm_params: {{" + text + "}}"
    return Entry(yaml=yaml, becomes=becomes, **more)  # type: ignore[arg-type]


VLLM: Final = "model: hosted_vllm/qwen3, api_base: '{base}/v1'"
OPEN: Final = "api_base: '{base}/v1', api_key: " + KEY

ENTRIES: Final[dict[str, Entry]] = {
    # --- the provider
    "plain": params(VLLM, "works"),
    "no-prefix": params(f"model: my-model, {OPEN}", "dropped"),
    "maker-as-prefix": params(f"model: meta-llama/Llama-3.3-70B, {OPEN}", "dropped"),
    "maker-qwen": params(f"model: qwen/qwen3-coder, {OPEN}", "dropped"),
    "maker-zai": params(f"model: z-ai/glm-5.3, {OPEN}", "dropped"),
    "prefix-misspelt": params(f"model: opanai/gpt-4o, {OPEN}", "dropped"),
    "prefix-in-capitals": params(f"model: OpenAI/gpt-4o, {OPEN}", "dropped"),
    "prefix-with-colon": params(f"model: 'openai:gpt-4o', {OPEN}", "dropped"),
    "prefix-with-space": params(f"model: ' openai/gpt-4o', {OPEN}", "dropped"),
    "prefix-lmstudio": params(f"model: lmstudio/qwen3, {OPEN}", "dropped"),
    "prefix-vertex": params(f"model: vertex/gemini-2.5-pro, {OPEN}", "dropped"),
    "bare-known": params(f"model: gpt-4o, {OPEN}", "works"),
    "bare-unknown-openai": params(f"model: gpt-9-nova, {OPEN}", "dropped"),
    "bare-deepseek": params(f"model: deepseek-chat, {OPEN}", "dropped"),
    "bare-claude": params(
        "model: claude-opus-9, api_base: '{base}', api_key: " + KEY, "works", serves="/v1/messages"
    ),
    "provider-apart": params(f"model: my-model, custom_llm_provider: openai, {OPEN}", "works"),
    "provider-apart-misspelt": params(
        f"model: my-model, custom_llm_provider: opanai, {OPEN}", "dropped"
    ),
    "provider-apart-twice": params(
        f"model: org/my-model, custom_llm_provider: hosted_vllm, {OPEN}", "works"
    ),
    "vllm-as-a-package": params("model: vllm/qwen3, api_base: '{base}/v1'", "fails"),
    "no-chat-provider": params(f"model: voyage/voyage-3, {OPEN}", "fails"),
    "text-completion": params(f"model: text-completion-openai/x, {OPEN}", "fails"),
    # --- the key
    "keyless-local": params("model: lm_studio/qwen3, api_base: '{base}/v1'", "works"),
    "keyless-openai": params("model: openai/gpt-4o, api_base: '{base}/v1'", "fails"),
    "keyless-openai-empty": params("model: openai/x, api_base: '{base}/v1', api_key: ''", "fails"),
    "keyless-openai-null": params("model: openai/x, api_base: '{base}/v1', api_key:", "fails"),
    "keyless-deepseek": params(
        "model: deepseek/deepseek-chat, api_base: '{base}'",
        "fails",
        serves="/anthropic/v1/messages",
        locked=True,
    ),
    "keyless-minimax": params(
        "model: minimax/MiniMax-M3, api_base: '{base}'", "fails", serves="/v1/messages"
    ),
    "keyless-moonshot": params("model: moonshot/kimi-k3, api_base: '{base}/v1'", "fails"),
    "key-of-the-environment": params(
        "model: mistral/large, api_base: '{base}/v1'", "works", locked=True
    ),
    "key-by-reference": params(
        "model: openai/gpt-4o, api_base: '{base}/v1', api_key: os.environ/UP_KEY",
        "works",
        locked=True,
    ),
    "reference-with-space": params(
        "model: openai/gpt-4o, api_base: '{base}/v1', api_key: 'os.environ/ UP_KEY'",
        "fails",
        locked=True,
    ),
    "reference-nowhere": params(
        "model: openai/gpt-4o, api_base: '{base}/v1', api_key: os.environ/NOT_THERE", "fails"
    ),
    "reference-empty": params(
        "model: openai/gpt-4o, api_base: '{base}/v1', api_key: os.environ/EMPTY_KEY", "fails"
    ),
    "reference-to-nothing": params(
        "model: openai/gpt-4o, api_base: '{base}/v1', api_key: os.environ/", "fails", locked=True
    ),
    "reference-in-capitals": params(
        "model: openai/gpt-4o, api_base: '{base}/v1', api_key: OS.ENVIRON/UP_KEY",
        "fails",
        locked=True,
    ),
    "reference-with-dot": params(
        "model: openai/gpt-4o, api_base: '{base}/v1', api_key: os.environ.UP_KEY",
        "fails",
        locked=True,
    ),
    "reference-of-a-shell": params(
        "model: openai/gpt-4o, api_base: '{base}/v1', api_key: '${{UP_KEY}}'", "fails", locked=True
    ),
    "reference-of-a-shell-bare": params(
        "model: openai/gpt-4o, api_base: '{base}/v1', api_key: $UP_KEY", "fails", locked=True
    ),
    "reference-with-bearer": params(
        "model: openai/gpt-4o, api_base: '{base}/v1', api_key: Bearer os.environ/UP_KEY",
        "fails",
        locked=True,
    ),
    "reference-of-python": params(
        "model: openai/gpt-4o, api_base: '{base}/v1', api_key: 'os.environ.get(\"UP_KEY\")'",
        "fails",
        locked=True,
    ),
    "reference-of-node": params(
        "model: openai/gpt-4o, api_base: '{base}/v1', api_key: process.env.UP_KEY",
        "fails",
        locked=True,
    ),
    "reference-cut-short": params(
        "model: openai/gpt-4o, api_base: '{base}/v1', api_key: os.env/UP_KEY", "fails", locked=True
    ),
    "name-of-a-variable": params(
        "model: openai/gpt-4o, api_base: '{base}/v1', api_key: UP_KEY", "fails", locked=True
    ),
    "address-by-half-a-reference": params(
        "model: hosted_vllm/qwen3, api_base: 'http://os.environ/UP_KEY/v1'", "fails"
    ),
    "key-passed-on-by-the-file": params(
        "model: sambanova/llama, api_base: '{base}/v1'", "works", locked=True
    ),
    "placeholder": params(
        "model: openai/gpt-4o, api_base: '{base}/v1', api_key: YOUR_API_KEY", "fails", locked=True
    ),
    "placeholder-angle": params(
        "model: openai/gpt-4o, api_base: '{base}/v1', api_key: <your-key>", "fails", locked=True
    ),
    "placeholder-where-none-is-wanted": params(f"{VLLM}, api_key: sk-xxx", "works"),
    "key-is-a-number": params(f"{VLLM}, api_key: 12345", "dropped"),
    "key-is-a-list": params(f"{VLLM}, api_key: [{KEY}]", "dropped"),
    "key-in-a-credential": params(
        "model: openai/gpt-4o, api_base: '{base}/v1', litellm_credential_name: mine",
        "works",
        locked=True,
    ),
    "credential-nowhere": params(
        "model: openai/gpt-4o, api_base: '{base}/v1', litellm_credential_name: other", "fails"
    ),
    "key-set-by-the-file": params(
        "model: cerebras/llama, api_base: '{base}/v1'", "works", locked=True
    ),
    "reference-to-what-the-file-sets": params(
        "model: openai/gpt-4o, api_base: '{base}/v1', api_key: os.environ/SET_BY_THE_FILE",
        "fails",
        locked=True,
    ),
    # --- the address
    "address-with-slash": params("model: hosted_vllm/qwen3, api_base: '{base}/v1/'", "works"),
    "address-base-url": params("model: hosted_vllm/qwen3, base_url: '{base}/v1'", "works"),
    "address-of-a-call": params(
        "model: hosted_vllm/qwen3, api_base: '{base}/v1/chat/completions'", "works"
    ),
    "address-of-a-call-openai": params(
        "model: openai/gpt-4o, api_base: '{base}/v1/chat/completions', api_key: k", "fails"
    ),
    "address-without-v1": params("model: hosted_vllm/qwen3, api_base: '{root}'", "fails"),
    "address-without-v1-openai": params(
        "model: openai/gpt-4o, api_key: k, api_base: '{root}'", "fails"
    ),
    "address-without-scheme": params("model: hosted_vllm/qwen3, api_base: 127.0.0.1:9/v1", "fails"),
    "address-with-tls": params("model: hosted_vllm/qwen3, api_base: '{tls}/v1'", "fails"),
    "address-is-a-number": params("model: hosted_vllm/qwen3, api_base: 5", "dropped"),
    "address-name-misspelt": params(
        "model: hosted_vllm/qwen3, apibase: '{base}/v1', api_key: k", "fails"
    ),
    "address-api-url": params("model: openai/gpt-4o, api_url: '{base}/v1', api_key: k", "fails"),
    "address-beside": Entry(
        yaml="model_name: {name}\n    api_base: '{base}/v1'\n"
        "    litellm_params: {{model: openai/gpt-4o, api_key: k}}",
        becomes="fails",
    ),
    "key-beside": Entry(
        yaml="model_name: {name}\n    api_key: k\n"
        "    litellm_params: {{model: openai/gpt-4o, api_base: '{base}/v1'}}",
        becomes="fails",
    ),
    "anthropic-root": params(
        "model: anthropic/claude-x, api_base: '{base}', api_key: k", "works", serves="/v1/messages"
    ),
    "anthropic-v1": params(
        "model: anthropic/claude-x, api_base: '{base}/v1', api_key: k",
        "fails",
        serves="/v1/messages",
    ),
    "minimax-root": params(
        "model: minimax/MiniMax-M3, api_base: '{base}/anthropic', api_key: k",
        "works",
        serves="/anthropic/v1/messages",
    ),
    "minimax-v1": params(
        "model: minimax/MiniMax-M3, api_base: '{base}/v1', api_key: k",
        "fails",
        serves="/v1/messages",
    ),
    "deepseek-root": params(
        "model: deepseek/deepseek-chat, api_base: '{base}', api_key: k",
        "works",
        serves="/anthropic/v1/messages",
    ),
    "deepseek-v1": params(
        "model: deepseek/deepseek-chat, api_base: '{base}/v1', api_key: k",
        "works",
        serves="/anthropic/v1/messages",
    ),
    "deepseek-beta": params(
        "model: deepseek/deepseek-chat, api_base: '{base}/beta', api_key: k",
        "works",
        serves="/anthropic/v1/messages",
    ),
    "ollama-root": params(
        "model: ollama_chat/llama3, api_base: '{base}'", "works", serves="/api/chat"
    ),
    "ollama-v1": params(
        "model: ollama_chat/llama3, api_base: '{base}/v1'", "fails", serves="/api/chat"
    ),
    "anthropic-whole": params(
        "model: anthropic/whole, api_base: '{base}/v1/messages', api_key: k",
        "works",
        serves="/v1/messages",
    ),
    "anthropic-whole-and-slash": params(
        "model: anthropic/whole, api_base: '{base}/v1/messages/', api_key: k",
        "fails",
        serves="/v1/messages",
    ),
    "ollama-whole": params(
        "model: ollama_chat/whole, api_base: '{base}/api/chat'", "works", serves="/api/chat"
    ),
    "cometapi-whole": params(
        f"model: cometapi/whole, api_base: '{{base}}{CHAT}', api_key: k", "works"
    ),
    "openai-at-messages": params(
        "model: hosted_vllm/m, api_base: '{base}/v1/messages'", "fails", serves="/v1/messages"
    ),
    "with-a-query": params("model: hosted_vllm/m, api_base: '{base}/v1?team=a'", "fails"),
    "azure-openai-v1": params("model: azure/m, api_base: '{base}/openai/v1', api_key: k", "fails"),
    "azure-ai-models": params(
        "model: azure_ai/m, api_base: '{base}/models', api_key: k",
        "works",
        serves="/models/chat/completions",
    ),
    "azure-ai-version": params(
        "model: azure_ai/m, api_base: '{base}/models/chat/completions?api-version=1', api_key: k",
        "works",
        serves="/models/chat/completions",
    ),
    "azure-ai-claude": params(
        "model: azure_ai/claude-sonnet-4-5, api_base: '{base}/anthropic', api_key: k",
        "works",
        serves="/anthropic/v1/messages",
    ),
    "tags-a-text": params(f"{VLLM}, tags: free", "dropped"),
    "tags-a-list": params(f"{VLLM}, tags: [free]", "works"),
    "parallel-in-words": params(f"{VLLM}, max_parallel_requests: five", "fails"),
    "tier-unknown": Entry(
        yaml="model_name: {name}\n    litellm_params: {{" + VLLM + "}}\n"
        "    model_info: {{tier: gold}}",
        becomes="dropped",
    ),
    "base-model-a-number": Entry(
        yaml="model_name: {name}\n    litellm_params: {{" + VLLM + "}}\n"
        "    model_info: {{base_model: 5}}",
        becomes="dropped",
    ),
    "vision-in-words": Entry(
        yaml="model_name: {name}\n    litellm_params: {{model: hosted_vllm/own-vision, "
        "api_base: '{base}/v1'}}\n    model_info: {{supports_vision: sure}}",
        becomes="fails",
    ),
    "mode-a-number": Entry(
        yaml="model_name: {name}\n    litellm_params: {{model: hosted_vllm/own-mode, "
        "api_base: '{base}/v1'}}\n    model_info: {{mode: 5}}",
        becomes="fails",
    ),
    "switches-as-words": Entry(
        yaml="model_name: {name}\n    litellm_params: {{model: hosted_vllm/own-words, "
        "api_base: '{base}/v1'}}\n    model_info: {{supports_vision: 'yes', tier: paid}}",
        becomes="works",
    ),
    "base-url-wins": params(
        "model: hosted_vllm/m, api_base: '{base}', base_url: '{base}/v1'", "works"
    ),
    "base-url-wins-and-is-wrong": params(
        "model: ollama_chat/m, api_base: '{base}', base_url: '{base}/v1'",
        "fails",
        serves="/api/chat",
    ),
    "mistral-without-v1": params("model: mistral/m, api_base: '{base}', api_key: k", "works"),
    # --- the model
    "gpt-5-4-elsewhere": params(f"model: openai/gpt-5.4, {OPEN}", "fails"),
    "gpt-6-elsewhere": params(f"model: openai/gpt-6-luna, {OPEN}", "fails"),
    "gpt-5-elsewhere": params(f"model: openai/gpt-5, {OPEN}", "works"),
    "gpt-5-4-as-vllm": params(f"model: hosted_vllm/gpt-5.4, {OPEN}", "works"),
    "model-by-reference": params("model: os.environ/REAL_MODEL, api_base: '{base}/v1'", "works"),
    "name-by-reference": Entry(
        yaml="model_name: os.environ/PUBLIC_NAME\n    litellm_params: {{" + VLLM + "}}",
        becomes="works",
        asks="public-name",
    ),
    # The client takes its own mark off the name that it asks for.
    "name-with-window[1m]": params(VLLM, "fails", asks="name-with-window"),
    "asked-with-window": params(VLLM, "works", asks="asked-with-window[1m]"),
    "wildcard": Entry(
        yaml="model_name: wild/*\n    litellm_params: {{model: hosted_vllm/*, "
        "api_base: '{base}/v1'}}",
        becomes="works",
        asks="wild/qwen3",
    ),
    "aliased": params(VLLM, "works", asks="an-alias"),
    "aliased-in-settings": params(VLLM, "works", asks="an-older-alias"),
    # --- shapes and other parameters
    "rpm-in-words": params(f"{VLLM}, rpm: ten", "dropped"),
    "timeout-in-words": params(f"{VLLM}, timeout: 60s", "fails"),
    "timeout-in-quotes": params(f"{VLLM}, timeout: '60'", "works"),
    "rpm-in-quotes": params(f"{VLLM}, rpm: '60'", "works"),
    "retries-and-a-half": params(f"{VLLM}, max_retries: 2.5", "dropped"),
    "price-in-words": params(f"{VLLM}, input_cost_per_token: free", "dropped"),
    "version-a-date": params(f"model: openai/gpt-4o, {OPEN}, api_version: 2024-06-01", "dropped"),
    "version-in-quotes": params(
        f"model: openai/gpt-4o, {OPEN}, api_version: '2024-06-01'", "works"
    ),
    "header-a-date": params(
        f"{VLLM}, extra_headers: {{{{anthropic-version: 2023-06-01}}}}", "fails"
    ),
    "header-in-quotes": params(
        f"{VLLM}, extra_headers: {{{{anthropic-version: '2023-06-01'}}}}", "works"
    ),
    "header-nowhere": params(f"{VLLM}, extra_headers: {{{{x-a: os.environ/NOT_THERE}}}}", "fails"),
    "headers-a-text": params(f"{VLLM}, extra_headers: 'x-a: b'", "fails"),
    "window-in-words": Entry(
        yaml="model_name: {name}\n    litellm_params: {{model: hosted_vllm/own-window, "
        "api_base: '{base}/v1'}}\n    model_info: {{max_input_tokens: 128k}}",
        becomes="fails",
    ),
    "mode-embedding": Entry(
        yaml="model_name: {name}\n    litellm_params: {{" + VLLM + "}}\n"
        "    model_info: {{mode: embedding}}",
        becomes="works",
    ),
    "harmless-extra": params(f"{VLLM}, temperature: 0.5, max_tokens: 99", "works"),
    "mocked": params("model: openai/anything, mock_response: hi", "works"),
}

ONE: Final = """model_list:
  - model_name: m1
    litellm_params: {model: hosted_vllm/q, api_base: "http://127.0.0.1:9/v1"}
"""
SETTINGS: Final = "litellm_settings: {drop_params: true}\n"
GENERAL: Final = "general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}\n"


def config(
    *, models: str = ONE, settings: str = "", general: str = "", router: str = "", more: str = ""
) -> str:
    """A whole file that is right, but for what is given."""
    own = f", {settings}" if settings else ""
    text = models + SETTINGS.replace("}", own + "}")
    text += GENERAL.replace("}", f", {general}}}" if general else "}")
    return text + (f"router_settings: {{{router}}}\n" if router else "") + more


def entry(text: str) -> str:
    return config(models="model_list:\n  - " + text + "\n")


#: Files beside the configuration.
BESIDE: Final = {
    "models.yaml": "model_list:\n  - model_name: m1\n    litellm_params: "
    "{model: hosted_vllm/q, api_base: 'http://127.0.0.1:9/v1'}\n",
    "nested.yaml": "include: [models.yaml]\n",
    "sub/nested.yaml": "include: [models.yaml]\n",
    "empty.yaml": "# nothing\n",
    "text.yaml": "include: models.yaml\n",
    "lost.yaml": "include: [gone.yaml]\n",
    "broken.yaml": "a: [\n",
    "list.yaml": "- a\n",
    "my_hooks.py": "from litellm.integrations.custom_logger import CustomLogger\n"
    "handler = CustomLogger()\n",
}

CONFIGS: Final[dict[str, tuple[Outcome, str]]] = {
    "right": ("works", config()),
    "fallbacks-of-names": ("refused", config(settings="fallbacks: [m1]")),
    "fallbacks-a-name": ("refused", config(settings="fallbacks: m1")),
    "fallbacks-a-table": ("refused", config(settings="fallbacks: {m1: [m1]}")),
    "fallbacks-to-a-name": ("refused", config(settings="fallbacks: [{m1: m1}]")),
    "fallbacks-of-the-router": ("refused", config(router="fallbacks: [m1, m1]")),
    "fallbacks-right": ("works", config(settings="fallbacks: [{m1: [m1]}]")),
    "default-fallbacks-a-name": ("refused", config(settings="default_fallbacks: m1")),
    "context-fallbacks-of-names": ("works", config(settings="context_window_fallbacks: [m1]")),
    "strategy-unknown": ("refused", config(router="routing_strategy: round-robin")),
    "strategy-known": ("works", config(router="routing_strategy: least-busy")),
    "router-key-unknown": ("works", config(router="routing_stratgy: least-busy")),
    "router-health": ("refused", config(router="health_check_interval: 5")),
    "alias-list": ("refused", config(router="model_group_alias: [a]")),
    "router-a-list": ("works", config(more="router_settings: [a]\n")),
    "hook-not-there": ("refused", config(settings="callbacks: your_hooks.handler")),
    "hook-there": ("works", config(settings="callbacks: my_hooks.handler")),
    "hook-in-a-list-not-there": ("refused", config(settings="callbacks: [your_hooks.handler]")),
    "hook-on-success-not-there": (
        "refused",
        config(settings="success_callback: [your_hooks.handler]"),
    ),
    "callback-unknown": ("refused", config(settings="callbacks: [nonsense]")),
    "callback-lacks-package": ("refused", config(settings="callbacks: [prometheus]")),
    "success-lacks-package": ("refused", config(settings="success_callback: [langfuse]")),
    "callbacks-nothing": ("refused", config(settings="callbacks: ")),
    "success-nothing": ("refused", config(settings="success_callback: ")),
    "budget-nothing": ("refused", config(settings="max_budget: ")),
    "credential-whole": (
        "works",
        config(
            more="credential_list: [{credential_name: a, credential_values: {}, "
            "credential_info: {}}]\n"
        ),
    ),
    "credential-without-info": (
        "refused",
        config(more="credential_list: [{credential_name: a, credential_values: {}}]\n"),
    ),
    "auth-not-there": ("refused", config(general="custom_auth: my_auth.check")),
    "rule-not-there": ("refused", config(settings="post_call_rules: my_rules.rule")),
    "provider-not-there": (
        "refused",
        config(settings="custom_provider_map: [{provider: mine, custom_handler: my_h.h}]"),
    ),
    "guardrail-not-there": (
        "refused",
        config(
            more="guardrails: [{guardrail_name: a, litellm_params: "
            "{guardrail: my_guard.G, mode: pre_call}}]\n"
        ),
    ),
    "redis-nowhere": ("refused", config(settings="cache: true")),
    "coordination-redis-nowhere": (
        "refused",
        config(general="coordination_redis: {port: 6379}"),
    ),
    "coordination-redis-unset": (
        "refused",
        config(general="coordination_redis: {host: os.environ/NOT_SET}"),
    ),
    "coordination-redis-a-text": (
        "refused",
        config(general="coordination_redis: 'redis://127.0.0.1:6379'"),
    ),
    "cache-local": ("works", config(settings="cache: true, cache_params: {type: local}")),
    "cache-of-a-wrong-type": (
        "refused",
        config(settings="cache: true, cache_params: {type: memory}"),
    ),
    "cache-params-a-list": ("refused", config(settings="cache: true, cache_params: [type]")),
    "cache-off-of-a-wrong-type": (
        "works",
        config(settings="cache: false, cache_params: {type: memory}"),
    ),
    "policy-fallbacks-a-table": (
        "refused",
        config(settings="content_policy_fallbacks: {m1: [m1]}"),
    ),
    "teams-without-id": (
        "refused",
        config(settings="default_team_settings: [{success_callback: [langsmith]}]"),
    ),
    "teams-right": ("works", config(settings="default_team_settings: [{team_id: a}]")),
    "teams-nothing": ("refused", config(settings="default_team_settings: ")),
    "upper-bound-a-number": (
        "refused",
        config(settings="upperbound_key_generate_params: 100"),
    ),
    "providers-nothing": ("refused", config(settings="custom_provider_map: ")),
    "providers-a-table": (
        "refused",
        config(settings="custom_provider_map: {provider: a, custom_handler: b.c}"),
    ),
    "upper-bound-nothing": ("refused", config(settings="upperbound_key_generate_params: ")),
    "cache-as-text": (
        "refused",
        config(settings="cache: 'true', cache_params: {type: local}"),
    ),
    "cache-params-nothing": ("refused", config(settings="cache: true, cache_params: ")),
    "endpoint-without-path": (
        "refused",
        config(general="pass_through_endpoints: [{target: 'http://127.0.0.1:9'}]"),
    ),
    "endpoint-right": (
        "works",
        config(general="pass_through_endpoints: [{path: /x, target: 'http://127.0.0.1:9'}]"),
    ),
    "callback-as-text": ("refused", config(settings="callbacks: lago")),
    "callback-with-licence": ("refused", config(settings="callbacks: [hide_secrets]")),
    "tag-budget": (
        "refused",
        config(settings="tag_budget_config: {a: {max_budget: 1, budget_duration: 1d}}"),
    ),
    "include-not-there": ("refused", "include: [gone.yaml]\n" + config()),
    "include-a-text": ("refused", "include: models.yaml\n" + config()),
    "include-right": ("works", "include: [models.yaml]\n" + config(models="")),
    "include-nested": ("works", "include: [nested.yaml]\n" + config(models="")),
    "include-beside-the-first": ("works", "include: [sub/nested.yaml]\n" + config(models="")),
    "include-empty": ("works", "include: [empty.yaml]\n" + config()),
    "include-nothing": ("refused", "include:\n" + config()),
    "include-a-number": ("refused", "include: [5]\n" + config()),
    "include-nested-a-text": ("refused", "include: [text.yaml]\n" + config()),
    "include-nested-not-there": ("refused", "include: [lost.yaml]\n" + config()),
    "include-broken": ("refused", "include: [broken.yaml]\n" + config()),
    "include-no-table": ("refused", "include: [list.yaml]\n" + config()),
    "name-a-number": ("refused", config(models=ONE.replace("m1", "5.1"))),
    "name-nothing": ("refused", config(models=ONE.replace("m1", ""))),
    "name-a-switch": ("refused", config(models=ONE.replace("m1", "yes"))),
    "name-missing": ("refused", config(models=ONE.replace("model_name", "name"))),
    "params-missing": ("refused", entry("model_name: m1\n    model: openai/x")),
    "params-nothing": ("refused", entry("model_name: m1\n    litellm_params:")),
    "params-a-list": (
        "refused",
        entry("model_name: m1\n    litellm_params: [{model: openai/x}]"),
    ),
    "model-missing": (
        "refused",
        entry("model_name: m1\n    litellm_params: {api_base: 'http://x'}"),
    ),
    "model-by-reference-nowhere": (
        "refused",
        entry("model_name: m1\n    litellm_params: {model: os.environ/NO_MODEL}"),
    ),
    "model-nothing": ("refused", entry("model_name: m1\n    litellm_params: {model: }")),
    "model-a-number": ("refused", entry("model_name: m1\n    litellm_params: {model: 5}")),
    "models-a-table": ("refused", config(models="model_list: {m1: {model: openai/x}}\n")),
    "models-of-names": ("refused", config(models="model_list: [gpt-4o]\n")),
    "info-nothing": ("refused", config(models=ONE + "    model_info:\n")),
    "info-a-word": ("refused", config(models=ONE + "    model_info: chat\n")),
    "mcp-with-dash": (
        "refused",
        config(more="mcp_servers: {my-server: {url: 'http://127.0.0.1:1/mcp'}}\n"),
    ),
    "mcp-right": (
        "works",
        config(more="mcp_servers: {my_server: {url: 'http://127.0.0.1:1/mcp'}}\n"),
    ),
    "empty": ("refused", "# nothing yet\n"),
    "a-list": ("refused", "- a\n"),
    "settings-a-list": ("refused", ONE + "litellm_settings: [drop_params]\n" + GENERAL),
    "general-a-list": ("refused", ONE + SETTINGS + "general_settings: [a]\n"),
    "variables-a-list": ("refused", config(more="environment_variables: [A]\n")),
    "two-documents": ("refused", config() + "---\na: b\n"),
    "section-twice": ("works", config() + SETTINGS),
    "section-unknown": ("works", config(more="modle_list: []\n")),
    "with-anchors": (
        "works",
        "x: &a {drop_params: true}\n" + ONE + "litellm_settings: *a\n" + GENERAL,
    ),
    "master-weak": ("refused", config().replace("os.environ/LITELLM_MASTER_KEY", "sk-1234")),
    "master-empty": ("refused", config().replace("os.environ/LITELLM_MASTER_KEY", "''")),
    "master-nothing": ("refused", config().replace("os.environ/LITELLM_MASTER_KEY", "")),
    "drop-params-in-quotes": ("works", config().replace("true", "'true'")),
    "master-nowhere": (
        "refused",
        config().replace("os.environ/LITELLM_MASTER_KEY", "os.environ/X"),
    ),
    "master-a-number": ("refused", config().replace("os.environ/LITELLM_MASTER_KEY", "12345678")),
    "master-with-space": (
        "refused",
        config().replace("os.environ/LITELLM_MASTER_KEY", "'os.environ/ LITELLM_MASTER_KEY'"),
    ),
    "enterprise": ("refused", config(general="allowed_ips: [127.0.0.1]")),
    "budget-in-words": ("refused", config(settings="max_budget: lots")),
    "database": ("refused", config(general="database_url: postgresql://u:p@127.0.0.1:1/db")),
}

#: What fails here and may well work elsewhere: `validate` warns of it.
WARNED: Final = frozenset(
    {
        "gpt-5-4-elsewhere",
        "gpt-6-elsewhere",
        "address-with-tls",
        "address-without-v1",
        "address-without-v1-openai",
        "callback-lacks-package",
        "success-lacks-package",
        "database",
    }
)
