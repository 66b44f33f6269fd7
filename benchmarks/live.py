"""Slow endpoints: N models are probed in about the time of one. `python -m benchmarks.live`."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Job, in_turn, median
from tests.e2e import behaviours as act
from tests.e2e.upstream import Upstream
from tests.e2e.wire import Behaviour, Reply, Request

#: Seconds that the endpoint takes for each answer.
SLOW = 0.5
COUNTS = (1, 4, 16)
RUNS = 2
KEY = "sk-test-0123456789abcdef"


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """Median seconds: `probe` by number of models, `models` by number of sources."""

    probe: dict[int, float]
    models: dict[int, float]


def slowly(behaviour: Behaviour) -> Behaviour:
    """The same answer, after SLOW seconds."""

    def behave(request: Request, reply: Reply) -> None:
        time.sleep(SLOW)
        behaviour(request, reply)

    return behave


def measure(python: Path) -> Live:
    """All of it, on this machine's loopback."""
    script = python.parent / "haha-config"
    return Live(
        probe={n: _probe(script, n) for n in COUNTS},
        models={n: _models(script, n) for n in (1, 3)},
    )


def _probe(script: Path, count: int) -> float:
    names = [f"model-{i}" for i in range(count)]
    with tempfile.TemporaryDirectory() as folder, Upstream(models=names) as upstream:
        answers = slowly(act.uses_tools())
        upstream.behave = lambda request: answers if request.dialect == "anthropic" else None
        env = {
            "ANTHROPIC_BASE_URL": upstream.url,
            "ANTHROPIC_AUTH_TOKEN": KEY,
            "ANTHROPIC_MODEL": names[0],
        }
        settings = Path(folder) / "home" / ".claude" / "settings.json"
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps({"env": env}))
        # A gateway's file: a model server of this machine is asked two things at a time only.
        entries = "".join(
            f"  - model_name: {name}\n    litellm_params: {{model: openai/{name}}}\n"
            for name in names
        )
        (Path(folder) / "litellm_config.yaml").write_text(f"model_list:\n{entries}")
        return _seconds(Path(folder), f"probe of {count}", script, "probe", *names)


def _models(script: Path, count: int) -> float:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        words: list[str | Path] = [
            script,
            "init",
            "--provider",
            "litellm",
            "--port",
            "4517",
            "--yes",
        ]
        for i in range(count):
            upstream = stack.enter_context(Upstream(models=[f"model-{i}"]))
            upstream.routes["GET", "/v1/models"] = slowly(act.lists([f"model-{i}"]))
            words += ["--upstream", f"model-{i}=custom-openai:model-{i}@{upstream.url}/v1"]
        _seconds(Path(folder), "set up", *words, runs=0)
        return _seconds(Path(folder), f"models of {count}", script, "models")


def _seconds(folder: Path, name: str, *words: str | Path, runs: int = RUNS) -> float:
    environ = {
        "HOME": str(folder / "home"),
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "CUSTOM_OPENAI_API_KEY": KEY,
    }
    job = Job(name=name, command=words, environ=environ, folder=folder)
    print(f"live: {name}", file=sys.stderr, flush=True)
    times = in_turn([job], runs)[name]
    return median(times.wall) / 1e3 if runs else 0.0


if __name__ == "__main__":
    from benchmarks import page

    print("\n".join(page.of_live(measure(Path(sys.executable)))))
