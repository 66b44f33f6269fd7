"""Make `templates/facts/litellm.json` from the pinned LiteLLM: `python -m tools.facts.litellm`.

LiteLLM is installed as for the end-to-end tests, asked for its own names, and started once on
loopback to see which path it calls for each provider. Nothing is sent anywhere else.
"""

from __future__ import annotations

import concurrent.futures
import datetime
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.e2e import parts  # noqa: E402 - the checkout's own, installed or not
from tests.e2e.processes import Gateway, environment, fetch  # noqa: E402
from tests.e2e.upstream import Upstream  # noqa: E402

TARGET: Final = ROOT / "templates" / "facts" / "litellm.json"
INSIDE: Final = Path(__file__).with_name("inside_litellm.py")
#: Providers of our rows, whose models are compared with the names in a configuration.
ROWS: Final = ("openai", "deepseek", "minimax", "moonshot", "zai", "dashscope")
MASTER_KEY: Final = "sk-" + "0123456789abcdef" * 3
CLIENT: Final = "claude-cli/2.1.332 (external, cli)"


def names(home: Path) -> dict[str, Any]:
    """What LiteLLM says of itself."""
    python = parts.litellm().with_name("python")
    done = subprocess.run(
        [str(python), "-I", str(INSIDE), *ROWS],
        env={
            **environment(home),
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            # Some callbacks call pip for what they lack.
            "PIP_NO_INDEX": "1",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def routes(providers: Iterable[str], home: Path) -> dict[str, Any]:
    """Where the client's request goes for each provider, below the `api_base` of the entry.

    `needs_key`: without a key LiteLLM refuses by itself, whatever the upstream would say.
    `no_chat`: it knows the provider for other things than chat. `lacks`: a package that it needs.
    `whole_address`: it may have the whole address of the call, which is not doubled then.
    """
    keyed, keyless = ({p: f"{p}--{kind}" for p in providers} for kind in ("key", "none"))
    with Upstream() as upstream:
        entries = [_entry(p, name, upstream.url, "sk-up-0123456789") for p, name in keyed.items()]
        entries += [_entry(p, name, upstream.url, None) for p, name in keyless.items()]
        said = _ask_all(entries, home)
        called = _called(upstream)
    sent = {provider: called[name] for provider, name in keyed.items() if name in called}
    with Upstream() as upstream:
        # Addresses that end as the call does: once more, now that the calls are known.
        _ask_all([_entry(p, p, upstream.url, "sk-up-0123456789", sent[p]) for p in sent], home)
        whole = _called(upstream)
    lacking = {p: re.search(r"No module named '(\w+)", said[name]) for p, name in keyed.items()}
    return {
        "routes": sent,
        "needs_key": sorted(p for p in sent if keyless[p] not in called),
        "no_chat": sorted(p for p, n in keyed.items() if "Unmapped LLM provider" in said[n]),
        "whole_address": sorted(p for p in sent if whole.get(p) == sent[p]),
        "lacks": {provider: found[1] for provider, found in lacking.items() if found},
    }


def _entry(provider: str, name: str, url: str, key: str | None, below: str = "") -> dict[str, Any]:
    params = {"model": f"{provider}/{name}", "api_base": f"{url}/base/{name}{below}"}
    if key is not None:
        params["api_key"] = key
    return {"model_name": name, "litellm_params": params}


def _ask_all(entries: list[dict[str, Any]], home: Path) -> dict[str, str]:
    """Model name -> what LiteLLM says to a request for it."""
    config = {
        "model_list": entries,
        "litellm_settings": {
            "drop_params": True,
            "use_chat_completions_url_for_anthropic_messages": True,
            "request_timeout": 10,
        },
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
    }
    (home / "litellm_config.yaml").write_text(json.dumps(config), encoding="utf-8")
    told = {"LITELLM_MASTER_KEY": MASTER_KEY, "LITELLM_MODE": "PRODUCTION"}
    gateway = Gateway(home, home, told)
    names = [entry["model_name"] for entry in entries]
    try:
        gateway.wait_until_up()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = pool.map(lambda name: ask(gateway, name)[1], names)
            return dict(zip(names, answers, strict=True))
    finally:
        gateway.stop()


def _called(upstream: Upstream) -> dict[str, str]:
    """Model name -> the path that was called for it, where one was."""
    called = {}
    for request in upstream.requests:
        found = re.fullmatch(r"/base/([^/]+)(/?.*)", request.path)
        if request.method == "POST" and found:
            called[found[1]] = found[2].rstrip("/").replace(found[1], "MODEL")
    return called


def ask(gateway: Gateway, model: str) -> tuple[int, str]:
    """One request as the client makes it."""
    return fetch(
        f"{gateway.url}/v1/messages?beta=true",
        headers={
            "anthropic-version": "2023-06-01",
            "authorization": f"Bearer {MASTER_KEY}",
            "user-agent": CLIENT,
        },
        body={
            "model": model,
            "max_tokens": 50,
            "messages": [{"role": "user", "content": "say hi"}],
        },
    )


def text(facts: Mapping[str, Any]) -> str:
    """One line a fact, so that a change of LiteLLM's is read in the diff."""
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in facts.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        facts = names(home)
        found = {
            "version": parts.LITELLM,
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            **facts,
            **routes(facts["providers"], home),
        }
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(text(found), encoding="utf-8")
    print(f"{TARGET}: LiteLLM {parts.LITELLM}, {len(facts['providers'])} providers")


if __name__ == "__main__":
    main()
