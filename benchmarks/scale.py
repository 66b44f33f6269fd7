"""Big files: time, peak memory, and how they grow. `python -m benchmarks.scale`."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Job, Times, exponent, in_turn, median

MODELS = (10, 100, 1000, 5000)
#: settings.json in kB.
SETTINGS = (5, 50, 500, 5000)
RUNS = 3
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


def measure(python: Path) -> Scale:
    """All of it, in a throwaway home. `python` has haha-config installed beside it."""
    script = python.parent / "haha-config"
    with tempfile.TemporaryDirectory() as throwaway:
        folder = Path(throwaway)
        stands = {n: _stand(script, folder / f"models-{n}", models=n) for n in MODELS}
        models = [_growth(script, command, stands) for command in COMMANDS]
        config = {n: folder / "litellm_config.yaml" for n, folder in stands.items()}
        stands = {n: _stand(script, folder / f"settings-{n}", kilobytes=n) for n in SETTINGS}
        settings = [_growth(script, command, stands) for command in COMMANDS]
        # Last: a child's peak begins at what its parent holds, and these texts are big.
        loader = [_load(config[n]) for n in MODELS]
    return Scale(models=models, settings=settings, loader=loader)


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


def _load(file: Path) -> float:
    import yaml

    text = file.read_text()
    taken = []
    for _ in range(RUNS):
        started = time.perf_counter()
        yaml.load(text, Loader=yaml.CSafeLoader)
        taken.append(time.perf_counter() - started)
    return median(taken)


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
