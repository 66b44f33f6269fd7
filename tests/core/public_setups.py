"""Set-ups that guides and providers publish, re-typed as facts; every key is a made-up one.

Each is valid: its source says that it works, or that it worked with the versions of its day.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from haha_config.core.model import Client

SETTINGS = "home/.claude/settings.json"
KEY = "sk-test-0123456789abcdef0123456789abcdef"
OPENROUTER = "sk-or-v1-0123456789abcdef0123456789"
OPENAI = "sk-proj-0123456789abcdef0123TEST"
MASTER = "sk-0123456789abcdef0123456789abcdef0123456789abcdef"


@dataclass(frozen=True, kw_only=True)
class Setup:
    """`files` by their place in an example folder; `environ` is the shell's."""

    name: str
    files: dict[str, str]
    client: Client = "claude"
    environ: dict[str, str] = field(default_factory=dict)


def dotenv(**values: str) -> str:
    return "".join(f"{name}={value}\n" for name, value in values.items())


def settings(extra: dict[str, object] | None = None, **env: object) -> str:
    return json.dumps({**(extra or {}), "env": env}, indent=2) + "\n"


def client(base: str, model: str | None = None, token: str = KEY, **more: str) -> dict[str, str]:
    """The variables that most guides print."""
    found = {"ANTHROPIC_BASE_URL": base, "ANTHROPIC_AUTH_TOKEN": token}
    if model is not None:
        found["ANTHROPIC_MODEL"] = model
        for tier in ("OPUS", "SONNET", "HAIKU"):
            found[f"ANTHROPIC_DEFAULT_{tier}_MODEL"] = model
    return {**found, **more}


def direct(name: str, base: str, model: str | None = None, token: str = KEY, **more: str) -> Setup:
    values = client(base, model, token, **more)
    return Setup(name=name, files={SETTINGS: settings(None, **values)})


def gateway(
    name: str, config: str, model: str, *, env: str = "", shell: dict[str, str] | None = None
) -> Setup:
    files = {
        ".env": dotenv(**client("http://localhost:4000", model, MASTER)),
        "litellm_config.yaml": config,
    }
    if env:
        files["litellm.env"] = env
    return Setup(name=name, files=files, client="haha", environ=shell or {})


LITELLM = {"LITELLM_MASTER_KEY": MASTER, "OPENAI_API_KEY": OPENAI}
TAIL = """
litellm_settings:
  drop_params: true

general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
"""


def models(*entries: tuple[str, str, str]) -> str:
    lines = ["model_list:"]
    for name, model, rest in entries:
        lines += [f"  - model_name: {name}", "    litellm_params:", f"      model: {model}"]
        lines += [f"      {line}" for line in rest.split("; ") if line]
    return "\n".join(lines) + "\n"


def guide(model: str, tail: str = TAIL, **more: str) -> Setup:
    """The guide that this project started from, with a master key as LiteLLM wants it today."""
    config = models((model, f"openai/{model}", "api_key: os.environ/OPENAI_API_KEY")) + tail
    return Setup(
        name=f"guide: {model} {' '.join(more)}",
        files={
            ".env": dotenv(
                **client("http://localhost:4000", model, MASTER),
                API_TIMEOUT_MS="3000000",
                DISABLE_TELEMETRY="1",
                CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1",
                **more,
            ),
            "litellm_config.yaml": config,
            "litellm.env": dotenv(HOST="127.0.0.1", **LITELLM),
        },
        client="haha",
    )


OLLAMA = "http://localhost:11434"
WILD = models(("claude-*", "openai/gpt-6.1-sol", "api_key: os.environ/OPENAI_API_KEY")) + TAIL
ENV = dotenv(HOST="127.0.0.1", **LITELLM)

PUBLIC: tuple[Setup, ...] = (
    guide("gpt-4o"),
    guide("gpt-6.1-sol"),
    guide("gpt-6-luna", ANTHROPIC_API_KEY=""),
    guide("gpt-5.6-terra", CLAUDE_CODE_SUBAGENT_MODEL="inherit"),
    guide("gpt-6.1-terra", ANTHROPIC_DEFAULT_FABLE_MODEL="gpt-6.1-terra"),
    # OpenRouter's own page, with and without models of its own.
    direct("openrouter: page", "https://openrouter.ai/api", None, OPENROUTER, ANTHROPIC_API_KEY=""),
    direct(
        "openrouter: models",
        "https://openrouter.ai/api",
        "z-ai/glm-5.3",
        OPENROUTER,
        ANTHROPIC_API_KEY="",
    ),
    direct(
        "openrouter: claude", "https://openrouter.ai/api", "anthropic/claude-opus-4.5", OPENROUTER
    ),
    # DeepSeek's page.
    Setup(
        name="deepseek: page",
        files={
            SETTINGS: settings(
                None,
                ANTHROPIC_BASE_URL="https://api.deepseek.com/anthropic",
                ANTHROPIC_AUTH_TOKEN=KEY,
                ANTHROPIC_MODEL="deepseek-flash[1m]",
                ANTHROPIC_DEFAULT_OPUS_MODEL="deepseek-flash[1m]",
                ANTHROPIC_DEFAULT_SONNET_MODEL="deepseek-flash[1m]",
                ANTHROPIC_DEFAULT_HAIKU_MODEL="deepseek-flash",
                CLAUDE_CODE_SUBAGENT_MODEL="deepseek-flash",
                CLAUDE_CODE_EFFORT_LEVEL="max",
                CLAUDE_CODE_AUTO_COMPACT_WINDOW="786432",
            )
        },
    ),
    direct("deepseek: pro", "https://api.deepseek.com/anthropic", "deepseek-v4-pro"),
    # MiniMax's page, both platforms.
    direct(
        "minimax: global",
        "https://api.minimax.io/anthropic",
        "MiniMax-M3",
        API_TIMEOUT_MS="3000000",
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1",
    ),
    direct("minimax: china", "https://api.minimaxi.com/anthropic", "MiniMax-M2.7-highspeed"),
    direct("minimax: preview", "https://api.minimax.io/anthropic", "MiniMax-M3.1-Flash-Preview"),
    # Kimi: the open platform and the membership.
    direct(
        "kimi: global", "https://api.moonshot.ai/anthropic", "kimi-k3", ENABLE_TOOL_SEARCH="false"
    ),
    direct("kimi: china", "https://api.moonshot.cn/anthropic", "kimi-k2.7-code"),
    Setup(
        name="kimi: membership",
        files={
            SETTINGS: settings(
                None,
                ANTHROPIC_BASE_URL="https://api.kimi.com/coding/",
                ANTHROPIC_API_KEY="sk-kimi-0123456789abcdef0123",
                ANTHROPIC_MODEL="kimi-for-coding",
                ANTHROPIC_DEFAULT_OPUS_MODEL="kimi-for-coding",
                ANTHROPIC_DEFAULT_SONNET_MODEL="kimi-for-coding",
                ANTHROPIC_DEFAULT_HAIKU_MODEL="kimi-for-coding",
            )
        },
    ),
    # GLM: the plan's page sets no model at all; the server answers to Anthropic's names.
    direct(
        "glm: page", "https://api.z.ai/api/anthropic", None, "0123456789abcdef.0123456789abcdef"
    ),
    direct("glm: models", "https://api.z.ai/api/anthropic", "glm-5.3", "0123456789abcdef.fedcba98"),
    direct("glm: china", "https://open.bigmodel.cn/api/anthropic", "glm-5.3-flash"),
    direct("qwen: global", "https://dashscope-intl.aliyuncs.com/apps/anthropic", "qwen3.8-max"),
    direct("qwen: china", "https://dashscope.aliyuncs.com/apps/anthropic", "qwen3.7-plus"),
    direct(
        "qwen: plan",
        "https://coding-intl.dashscope.aliyuncs.com/apps/anthropic",
        "qwen3.6-plus",
        "sk-sp-0123456789abcdef",
    ),
    direct(
        "qwen: workspace",
        "https://ws-0123.ap-southeast-1.maas.aliyuncs.com/apps/anthropic",
        "qwen3.8-max",
    ),
    direct("tencent: plan", "https://api.lkeap.cloud.tencent.com/coding/anthropic", "glm-5"),
    # Servers on this machine.
    direct("ollama: page", OLLAMA, "qwen3-coder", "ollama", ANTHROPIC_API_KEY=""),
    direct("ollama: any name", OLLAMA, "my-finetune:8b-q4", "ollama"),
    direct("ollama: 127", "http://127.0.0.1:11434/", "gpt-oss:20b", "ollama"),
    direct("ollama: cloud", "https://ollama.com", "qwen3-coder:480b-cloud", KEY),
    direct("lmstudio: page", "http://localhost:1234", "openai/gpt-oss-20b", "lmstudio"),
    direct("llama.cpp: page", "http://127.0.0.1:8080", "gemma", "none"),
    direct("vllm: page", "http://localhost:8000", "my-model", "dummy"),
    direct("vllm: in a network", "https://vllm.lab.example.org", "my-model", KEY),
    direct("docker model runner", "http://localhost:12434", "ai/qwen3-coder", "docker"),
    direct("sglang", "http://127.0.0.1:30000", "qwen3.5", "sglang"),
    # The guide's other proxies.
    Setup(
        name="a2o: page",
        files={
            SETTINGS: settings(
                None,
                ANTHROPIC_BASE_URL="http://127.0.0.1:11001",
                ANTHROPIC_API_KEY="a2o-0123456789abcdef",
                ANTHROPIC_MODEL="gpt-4o",
                ANTHROPIC_DEFAULT_OPUS_MODEL="gpt-4o",
                ANTHROPIC_DEFAULT_SONNET_MODEL="gpt-4o",
                ANTHROPIC_DEFAULT_HAIKU_MODEL="gpt-4o",
            )
        },
    ),
    Setup(
        name="empero: page",
        files={
            SETTINGS: settings(
                None,
                ANTHROPIC_BASE_URL="http://localhost:8082",
                ANTHROPIC_API_KEY="any-value",
                ANTHROPIC_MODEL="claude-opus-4-5",
            )
        },
    ),
    direct(
        "chutes: hosted", "https://claude.chutes.ai", "deepseek-ai/DeepSeek-V4", "cpk_0123456789ab"
    ),
    direct(
        "somebody's relay", "https://relay.example.com/api", "claude-sonnet-4-5", "cr_0123456789ab"
    ),
    direct("a company's gateway", "https://llm.corp.example.com", "team/gpt-6.1-sol", KEY),
    # LiteLLM's own pages and common variants.
    gateway("litellm: claude wildcard", WILD, "claude-sonnet-4-5", env=ENV),
    gateway(
        "litellm: two models",
        models(
            ("gpt-6.1-sol", "openai/gpt-6.1-sol", "api_key: os.environ/OPENAI_API_KEY"),
            ("fast", "openai/gpt-6-luna", "api_key: os.environ/OPENAI_API_KEY"),
        )
        + TAIL,
        "gpt-6.1-sol",
        env=ENV,
    ),
    gateway(
        "litellm: load balancing",
        models(
            ("big", "openai/gpt-6.1-sol", "api_key: os.environ/OPENAI_API_KEY"),
            ("big", "openai/gpt-6.1-terra", "api_key: os.environ/OPENAI_API_KEY"),
        )
        + TAIL,
        "big",
        env=ENV,
    ),
    gateway(
        "litellm: aliases and fallbacks",
        models(
            ("big", "openai/gpt-6.1-sol", "api_key: os.environ/OPENAI_API_KEY"),
            ("small", "openai/gpt-6-luna", "api_key: os.environ/OPENAI_API_KEY"),
        )
        + TAIL.replace("drop_params: true", 'drop_params: true\n  fallbacks: [{"big": ["small"]}]')
        + "\nrouter_settings:\n  num_retries: 2\n  model_group_alias:\n    sonnet-like: big\n",
        "sonnet-like",
        env=ENV,
    ),
    gateway(
        "litellm: ollama_chat",
        models(("local", "ollama_chat/qwen3.5", f"api_base: {OLLAMA}")) + TAIL,
        "local",
        env=ENV,
    ),
    gateway(
        "litellm: hosted_vllm",
        models(("mine", "hosted_vllm/my-model", "api_base: http://10.0.0.5:8000/v1")) + TAIL,
        "mine",
        env=ENV,
    ),
    gateway(
        "litellm: compatible server with the flag",
        models(
            (
                "mine",
                "openai/my-model",
                "api_base: https://llm.example.com/v1; api_key: os.environ/X",
            )
        )
        + TAIL.replace(
            "drop_params: true",
            "drop_params: true\n  use_chat_completions_url_for_anthropic_messages: true",
        ),
        "mine",
        env=ENV + "X=test-0123456789abcdef\n",
    ),
    gateway(
        "litellm: openrouter",
        models(
            ("or", "openrouter/z-ai/glm-5.3", "api_key: os.environ/OPENROUTER_API_KEY"),
        )
        + TAIL,
        "or",
        env=ENV + f"OPENROUTER_API_KEY={OPENROUTER}\n",
    ),
    gateway(
        "litellm: deepseek",
        models(("ds", "deepseek/deepseek-flash", "api_key: os.environ/DEEPSEEK_API_KEY")) + TAIL,
        "ds",
        env=ENV + f"DEEPSEEK_API_KEY={KEY}\n",
    ),
    gateway(
        "litellm: gemini, bedrock and azure",
        models(
            ("gem", "gemini/gemini-3-pro", "api_key: os.environ/GEMINI_API_KEY"),
            ("bed", "bedrock/anthropic.claude-opus-4-5", "aws_region_name: eu-central-1"),
            (
                "az",
                "azure/gpt-6",
                "api_base: https://x.openai.azure.com; api_key: os.environ/AZURE_API_KEY",
            ),
        )
        + TAIL,
        "gem",
        env=ENV + "GEMINI_API_KEY=AIzaTEST0123456789abcdef\nAZURE_API_KEY=0123456789abcdef\n",
    ),
    gateway(
        "litellm: with a database",
        models(("big", "openai/gpt-6.1-sol", "api_key: os.environ/OPENAI_API_KEY"))
        + TAIL
        + "  database_url: os.environ/DATABASE_URL\n",
        "big",
        env=ENV.replace(MASTER, "sk-another-0123456789abcdef")
        + "DATABASE_URL=postgresql://llm@127.0.0.1/llm\n",
    ),
    gateway(
        "litellm: master key by its variable",
        models(("big", "openai/gpt-6.1-sol", "api_key: os.environ/OPENAI_API_KEY"))
        + "litellm_settings: {drop_params: true}\n",
        "big",
        env=ENV,
    ),
    gateway(
        "litellm: comments, anchors and flow style",
        "# ours\nmodel_list: [ {model_name: big, litellm_params: {model: openai/gpt-6.1-sol,"
        ' api_key: "os.environ/OPENAI_API_KEY"}} ]  # one\n' + TAIL,
        "big",
        env=ENV,
    ),
    gateway(
        "litellm: keys exported, no litellm.env",
        models(("big", "openai/gpt-6.1-sol", "api_key: os.environ/OPENAI_API_KEY")) + TAIL,
        "big",
        shell=LITELLM,
    ),
    # Settings that hold much else, in several layers.
    Setup(
        name="settings: a full life",
        files={
            SETTINGS: settings(
                {
                    "$schema": "https://json.schemastore.org/claude-code-settings.json",
                    "permissions": {"allow": ["Bash(git:*)"], "deny": ["WebSearch"]},
                    "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "true"}]}]},
                    "statusLine": {"type": "command", "command": "date"},
                    "enabledPlugins": {"a@b": True},
                    "includeCoAuthoredBy": False,
                    "model": "opus[1m]",
                    "cleanupPeriodDays": 30,
                    "alwaysThinkingEnabled": True,
                },
                **client("https://api.deepseek.com/anthropic", "deepseek-flash"),
                HTTPS_PROXY="http://proxy.example.com:3128",
                NO_PROXY="localhost,127.0.0.1",
                MY_OWN_FLAG="x",
                BASH_DEFAULT_TIMEOUT_MS="600000",
            ),
            "project/.claude/settings.json": '{"permissions": {"allow": ["Read"]}}\n',
            "project/.claude/settings.local.json": '{"outputStyle": "Explanatory"}\n',
        },
    ),
    Setup(
        name="settings: a helper gives the key",
        files={
            SETTINGS: settings(
                {"apiKeyHelper": "/home/you/bin/key"},
                **{
                    k: x
                    for k, x in client("https://llm.corp.example.com", "gpt-6.1-sol").items()
                    if k != "ANTHROPIC_AUTH_TOKEN"
                },
            )
        },
    ),
    Setup(
        name="dotenv: export, quotes and comments",
        files={
            ".env": (
                "# provider\nexport ANTHROPIC_BASE_URL='https://api.deepseek.com/anthropic'\n"
                f'export ANTHROPIC_AUTH_TOKEN="{KEY}"  # mine\n\n'
                "ANTHROPIC_MODEL: deepseek-flash\n"
                "ANTHROPIC_DEFAULT_OPUS_MODEL=deepseek-flash\n"
                "ANTHROPIC_DEFAULT_SONNET_MODEL=deepseek-flash\n"
                "ANTHROPIC_DEFAULT_HAIKU_MODEL=deepseek-flash\nDATABASE_URL=postgres://x\n"
            )
        },
        client="haha",
    ),
    Setup(
        name="dotenv and settings agree",
        files={
            ".env": dotenv(**client("https://api.deepseek.com/anthropic", "deepseek-flash")),
            SETTINGS: settings(
                None, **client("https://api.deepseek.com/anthropic", "deepseek-flash")
            ),
        },
        client="haha",
    ),
    Setup(
        name="dotenv: behind a company's proxy, remote endpoint",
        files={".env": dotenv(**client("https://api.minimax.io/anthropic", "MiniMax-M3"))},
        client="haha",
        environ={"HTTPS_PROXY": "http://proxy.example.com:3128"},
    ),
)
