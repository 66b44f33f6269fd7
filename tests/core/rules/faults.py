"""Set-ups with seeded faults in them, each of which the files themselves say how to mend."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import yaml

KEY = "sk-0123456789abcdef0123456789abcdef"
MASTER = "sk-" + "0123456789abcdef" * 3
SLOTS = (
    "ANTHROPIC_MODEL",
    "ANTHROPIC_DEFAULT_OPUS_MODEL",
    "ANTHROPIC_DEFAULT_SONNET_MODEL",
    "ANTHROPIC_DEFAULT_HAIKU_MODEL",
    "ANTHROPIC_DEFAULT_FABLE_MODEL",
    "CLAUDE_CODE_SUBAGENT_MODEL",
)


@dataclass
class SetUp:
    """A set-up as data, until it is written. `env` empty: there is no `.env`."""

    settings: dict[str, Any]
    env: dict[str, str] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    gateway: dict[str, str] = field(default_factory=dict)
    exported: dict[str, str] = field(default_factory=dict)
    bom: bool = False
    mode: int = 0o600
    faults: tuple[str, ...] = ()

    @property
    def variables(self) -> dict[str, Any]:
        found: dict[str, Any] = self.settings.get("env", {})
        return found

    @property
    def client(self) -> str:
        return "haha" if self.env else "claude"

    def write(self, home: Path, folder: Path) -> None:
        settings = json.dumps(self.settings, indent=2) + "\n"
        _write(home / ".claude" / "settings.json", ("\ufeff" if self.bom else "") + settings)
        (home / ".claude" / "settings.json").chmod(self.mode)
        if self.env:
            _write(folder / ".env", _dotenv(self.env))
        if self.config:
            _write(folder / "litellm_config.yaml", yaml.safe_dump(self.config, sort_keys=False))
            _write(folder / "litellm.env", _dotenv(self.gateway))


def _dotenv(values: dict[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in values.items())


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)


def variables(url: str, model: str, key: str) -> dict[str, Any]:
    return {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_AUTH_TOKEN": key,
        "ANTHROPIC_API_KEY": "",
        **dict.fromkeys(SLOTS, model),
        "API_TIMEOUT_MS": "3000000",
        "DISABLE_TELEMETRY": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "ENABLE_TOOL_SEARCH": "false",
    }


def direct(url: str, model: str = "deepseek-flash", *, haha: bool = False) -> SetUp:
    held = variables(url, model, KEY)
    return SetUp(settings={"env": held}, env=dict(held) if haha else {})


def through_gateway(port: int, upstream: str, *, haha: bool = False) -> SetUp:
    held = variables(f"http://127.0.0.1:{port}", "big", MASTER)
    entry = {
        "model": "openai/upstream-big",
        "api_base": upstream,
        "api_key": "os.environ/CUSTOM_OPENAI_API_KEY",
    }
    return SetUp(
        settings={"env": held},
        env=dict(held) if haha else {},
        config={
            "model_list": [{"model_name": "big", "litellm_params": entry}],
            "litellm_settings": {
                "drop_params": True,
                "use_chat_completions_url_for_anthropic_messages": True,
            },
            "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
        },
        gateway={
            "LITELLM_MASTER_KEY": MASTER,
            "LITELLM_MODE": "PRODUCTION",
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "CUSTOM_OPENAI_API_KEY": KEY,
        },
    )


# --- faults -----------------------------------------------------------------------------------

Fault = Callable[[SetUp, Random], None]


def _everywhere(name: str, change: Callable[[str], str]) -> Fault:
    def fault(made: SetUp, _random: Random) -> None:
        for held in (made.variables, made.env):
            if held.get(name):
                held[name] = change(str(held[name]))

    return fault


def _slot_gone(made: SetUp, random: Random) -> None:
    name = random.choice(SLOTS)
    for held in (made.variables, made.env):
        held.pop(name, None)


def _renamed(name: str, wrong: str) -> Fault:
    def fault(made: SetUp, _random: Random) -> None:
        for held in (made.variables, made.env):
            if name in held:
                held[wrong] = held.pop(name)

    return fault


def _beside_env(made: SetUp, _random: Random) -> None:
    made.settings = {**made.settings.pop("env", {}), **made.settings}


def _second_key(made: SetUp, _random: Random) -> None:
    for held in (made.variables, made.env):
        if held:
            held["ANTHROPIC_API_KEY"] = str(held.get("ANTHROPIC_AUTH_TOKEN", KEY))


def _exported(name: str, value: str) -> Fault:
    def fault(made: SetUp, _random: Random) -> None:
        made.exported[name] = value

    return fault


def _added(name: str, value: Any) -> Fault:
    def fault(made: SetUp, _random: Random) -> None:
        made.variables[name] = value

    return fault


def _bom(made: SetUp, _random: Random) -> None:
    made.bom = True


def _readable(made: SetUp, _random: Random) -> None:
    made.mode = 0o644


#: What every set-up can have, whatever it calls.
COMMON: dict[str, Fault] = {
    "/v1": _everywhere("ANTHROPIC_BASE_URL", lambda url: f"{url}/v1"),
    "/v1/messages": _everywhere("ANTHROPIC_BASE_URL", lambda url: f"{url}/v1/messages"),
    "doubled scheme": _everywhere("ANTHROPIC_BASE_URL", lambda url: f"https://{url}"),
    "a # behind it": _everywhere("ANTHROPIC_BASE_URL", lambda url: f"{url}#"),
    "Bearer": _everywhere("ANTHROPIC_AUTH_TOKEN", lambda key: f"Bearer {key}"),
    "a slot is gone": _slot_gone,
    "another name for the URL": _renamed("ANTHROPIC_BASE_URL", "ANTHROPIC_API_URL"),
    "another name for the key": _renamed("ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_TOKEN"),
    "another name for the model": _renamed("ANTHROPIC_MODEL", "CLAUDE_MODEL"),
    "beside env": _beside_env,
    "a second key": _second_key,
    "a key in the shell": _exported("ANTHROPIC_API_KEY", "sk-other-0123456789abcdef"),
    "a short timeout": _everywhere("API_TIMEOUT_MS", lambda _: "6000"),
    "a timeout that overflows": _everywhere("API_TIMEOUT_MS", lambda _: "99999999999"),
    "a cloud": _added("CLAUDE_CODE_USE_BEDROCK", "1"),
    "a cloud in the shell": _exported("CLAUDE_CODE_USE_VERTEX", "1"),
    "a number": _added("API_TIMEOUT_MS", 3000000),
    "an old name": _added("ANTHROPIC_SMALL_FAST_MODEL", "deepseek-flash"),
    "a byte order mark": _bom,
    "others can read it": _readable,
    "output without end": _added("CLAUDE_CODE_MAX_OUTPUT_TOKENS", "500k"),
}


def _entry(made: SetUp) -> dict[str, Any]:
    found: dict[str, Any] = made.config["model_list"][0]["litellm_params"]
    return found


def _full_address(made: SetUp, _random: Random) -> None:
    _entry(made)["api_base"] += "/chat/completions"


def _no_switch(name: str) -> Fault:
    def fault(made: SetUp, _random: Random) -> None:
        made.config["litellm_settings"].pop(name, None)

    return fault


def _misplaced(made: SetUp, _random: Random) -> None:
    made.config["general_settings"]["drop_params"] = made.config["litellm_settings"].pop(
        "drop_params", True
    )


def _another_token(made: SetUp, _random: Random) -> None:
    for held in (made.variables, made.env):
        if "ANTHROPIC_AUTH_TOKEN" in held:
            held["ANTHROPIC_AUTH_TOKEN"] = KEY


def _not_offered(made: SetUp, random: Random) -> None:
    name = random.choice(SLOTS)
    for held in (made.variables, made.env):
        if name in held:
            held[name] = "bigg"


def _open_to_all(made: SetUp, _random: Random) -> None:
    made.gateway.pop("HOST", None)


GATEWAY: dict[str, Fault] = {
    "a full address": _full_address,
    "no drop_params": _no_switch("drop_params"),
    "no flag": _no_switch("use_chat_completions_url_for_anthropic_messages"),
    "drop_params elsewhere": _misplaced,
    "another token": _another_token,
    "a model that is not there": _not_offered,
    "no HOST": _open_to_all,
}


def broken(whole: SetUp, seed: int) -> SetUp:
    """`whole` with one to four faults."""
    random = Random(seed)  # noqa: S311 - the same faults in every run
    faults = {**COMMON, **(GATEWAY if whole.config else {})}
    names = random.sample(sorted(faults), random.randint(1, 4))
    # What stands beside `env` is moved there last, so that other faults find their variables.
    names.sort(key="beside env".__eq__)
    made = deepcopy(whole)
    for name in names:
        faults[name](made, random)
    made.faults = tuple(names)
    return made
