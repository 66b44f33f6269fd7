"""Big files: time, peak memory, and how they grow. `python -m benchmarks.scale`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Job, Times, exponent, in_turn, median, once

MODELS = (10, 100, 1000, 5000)
#: settings.json in kB.
SETTINGS = (5, 50, 500, 5000)
RUNS = 3
RATIO_RUNS = 7
COMMANDS = ("validate", "switch-model", "init")


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """One command over sizes: median seconds, peak MiB, both exponents over the two largest."""

    command: str
    sizes: Sequence[int]
    seconds: Sequence[float]
    memory: Sequence[float]

    @property
    def slope(self) -> float:
        """Of the time that is more than the smallest file's, which is the start-up."""
        more = [s - self.seconds[0] for s in self.seconds[2:]]
        return exponent(self.sizes[2:], more) if min(more) > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """`loader`: seconds of `yaml.load(text, Loader=yaml.CSafeLoader)` by number of models."""

    models: Sequence[Growth]
    settings: Sequence[Growth]
    loader: Sequence[float]
    ratios: Mapping[str, float]


def measure(python: Path) -> Scale:
    """All of it, in a throwaway home. `python` has haha-config installed beside it."""
    script = python.parent / "haha-config"
    with tempfile.TemporaryDirectory() as throwaway:
        folder = Path(throwaway)
        stands = {n: _stand(script, folder / f"models-{n}", models=n) for n in MODELS}
        models = [_growth(script, command, stands) for command in COMMANDS]
        stands_of_models = stands
        stands = {n: _stand(script, folder / f"settings-{n}", kilobytes=n) for n in SETTINGS}
        settings = [_growth(script, command, stands) for command in COMMANDS]
        loader, ratios = _beside_the_loader(script, python, stands_of_models)
    return Scale(models=models, settings=settings, loader=loader, ratios=ratios)


def _growth(script: Path, command: str, stands: dict[int, Path]) -> Growth:
    print(f"scale: {command}", file=sys.stderr, flush=True)
    jobs = [_job(script, command, str(n), folder) for n, folder in stands.items()]
    found: dict[str, Times] = in_turn(jobs, RUNS)
    return Growth(
        command=command,
        sizes=list(stands),
        seconds=[median(times.wall) / 1e3 for times in found.values()],
        memory=[median(times.memory) for times in found.values()],
    )


_LOAD = """
import sys, time, yaml
text = open("litellm_config.yaml").read()
started = time.perf_counter()
yaml.load(text, Loader=yaml.CSafeLoader)
print(time.perf_counter() - started)
"""


def _beside_the_loader(
    script: Path, python: Path, stands: dict[int, Path]
) -> tuple[list[float], dict[str, float]]:
    """Seconds of the loader by size, and how often it goes into a command at the largest.

    In turn with the commands: on a noisy machine nothing else can be divided.
    """
    largest = max(stands)
    commands = ("validate", "switch-model")
    loads: dict[int, list[float]] = {n: [] for n in stands}
    found = {command: Times() for command in commands}
    for number in range(RATIO_RUNS):
        for n, folder in stands.items():
            said = subprocess.run(
                [python, "-c", _LOAD], cwd=folder, capture_output=True, text=True, check=True
            )
            loads[n].append(float(said.stdout))
        for command in commands:
            once(_job(script, command, command, stands[largest]), number, found[command])
    loader = [median(taken) for taken in loads.values()]
    return loader, {c: median(t.wall) / 1e3 / loader[-1] for c, t in found.items()}


# --- files -----------------------------------------------------------------------------------


def _stand(script: Path, folder: Path, *, models: int = 2, kilobytes: int = 0) -> Path:
    """A folder with a home in it, a gateway set-up and one file grown."""
    (folder / "home").mkdir(parents=True)
    upstreams = ("--upstream", "first=ollama:llama3", "--upstream", "second=ollama:qwen3")
    words = (
        script,
        "init",
        "--provider",
        "litellm",
        *upstreams,
        "--write",
        "env,settings",
        "--port",
        "4517",
        "--yes",
    )
    in_turn([_plain("set up", folder, *words)], 0)
    entries = "".join(
        f"  - model_name: model-{i}\n    litellm_params:\n      model: ollama_chat/qwen3:{i}\n"
        f"      api_base: http://localhost:11434\n"
        for i in range(models - 2)
    )
    config = folder / "litellm_config.yaml"
    text = config.read_text()
    config.write_text(text.replace("model_list:\n", "model_list:\n" + entries, 1))
    settings = folder / "home" / ".claude" / "settings.json"
    data = json.loads(settings.read_text())
    rule = "Bash(git log --oneline --decorate {}:*)"
    count = max(0, kilobytes * 1000 - 1500) // (len(rule) + 12)
    data["permissions"] = {"allow": [rule.format(i) for i in range(count)]}
    settings.write_text(json.dumps(data, indent=2) + "\n")
    return folder


def _plain(name: str, folder: Path, *words: str | Path) -> Job:
    environ = {"HOME": str(folder / "home"), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    # 1: what validate finds, the gateway not being up, is no failure here.
    return Job(name=name, command=words, environ=environ, folder=folder, fine=frozenset({0, 1}))


def _job(script: Path, command: str, name: str, folder: Path) -> Job:
    plain = _plain(name, folder)

    def words(number: int) -> list[str | Path]:
        if command == "validate":
            return [script, "validate"]
        if command == "switch-model":
            return [script, "switch-model", ("first", "second")[number % 2], "--yes"]
        merged = ("--upstream", f"second=ollama:qwen{3 + number % 2}", "--model", "first")
        return [script, "init", "--provider", "litellm", *merged[:2], "--yes"]

    return Job(
        name=name,
        command=words,
        environ=plain.environ,
        folder=folder,
        fine=frozenset({0}) if command != "validate" else plain.fine,
    )


if __name__ == "__main__":
    from benchmarks import page

    print("\n".join(page.of_scale(measure(Path(sys.executable)))))
