"""haha-config beside the other switchers: the same jobs, in turn, on this machine.

`python -m benchmarks.compare [--runs N] [--keep FOLDER]`. The others are installed from their
registries into environments and homes of their own, in a folder that is thrown away (`--keep`
keeps it for the next time). Nothing goes out while they are measured: the proxy that their
environment names is a closed port.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Job, Times, in_turn, median

ROOT = Path(__file__).resolve().parent.parent
KEY = "sk-0123456789abcdef0123456789abcdef"
#: Nobody listens there: a request fails at once.
CLOSED = "http://127.0.0.1:9"
PYPI = {"ccpkit": "ccpkit", "agentkeyswitch": "agswitch", "ai-switch-cli": "ai-switch"}
TYPER = {"ccm-cli": "ccm"}
NPM = {"@kaitranntt/ccs": "ccs", "@musistudio/claude-code-router": "ccr"}
BARE_TYPER = """\
import typer

app = typer.Typer()


@app.command()
def main(name: str = "world") -> None:
    print(name)


app()
"""
#: What nothing that is made of the same parts can be faster than.
NOTHING = """\
import typer

app = typer.Typer(rich_markup_mode=None)


@app.command()
def main() -> None:
    {}


app()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Where everything of one comparison is."""

    folder: Path

    def python(self, name: str) -> Path:
        return self.folder / "env" / name / "bin" / "python"

    def script(self, name: str, script: str) -> Path:
        return self.folder / "env" / name / "bin" / script

    def node(self, script: str) -> Path:
        return self.folder / "npm" / "node_modules" / ".bin" / script

    def home(self, name: str) -> Path:
        home = self.folder / "home" / name.replace("/", "_")
        (home / "work").mkdir(parents=True, exist_ok=True)
        return home

    def environ(self, name: str) -> dict[str, str]:
        return {
            "HOME": str(self.home(name)),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "COLUMNS": "80",
            "HTTP_PROXY": CLOSED,
            "HTTPS_PROXY": CLOSED,
            "NO_PROXY": "127.0.0.1,localhost",
            "DEEPSEEK_API_KEY": KEY,
            "OPENAI_API_KEY": "sk-proj-0123456789abcdef0123",
        }


# --- setting up ------------------------------------------------------------------------------


def install(stand: Stand) -> None:
    """Everything from its registry, ourselves from this checkout as a wheel is installed."""
    for name, wanted in {
        "haha-config": str(ROOT),
        "typer": f"typer=={_version(Path(sys.executable), 'typer')}",
        **{name: name for name in (*PYPI, *TYPER)},
    }.items():
        python = stand.python(name)
        if python.exists() and name != "haha-config":
            continue
        if not python.exists():
            venv.create(python.parent.parent, with_pip=True)
        again = ("--force-reinstall", "--no-deps") if name == "haha-config" else ()
        quiet = ("--quiet", "--disable-pip-version-check")
        _quietly(python, "-m", "pip", "install", *quiet, wanted)
        if again:
            _quietly(python, "-m", "pip", "install", *quiet, *again, wanted)
    (stand.folder / "bare_typer.py").write_text(BARE_TYPER)
    (stand.folder / "nothing.py").write_text(NOTHING.format("pass"))
    (stand.folder / "nothing_yaml.py").write_text(NOTHING.format("import yaml"))
    if shutil.which("npm") is None:
        print("npm is not here: the Node programs are left out", file=sys.stderr)
    elif not stand.node("ccs").exists():
        there = stand.folder / "npm"
        there.mkdir(exist_ok=True)
        _quietly("npm", "install", "--no-audit", "--no-fund", "--silent", *NPM, folder=there)


def _quietly(*command: str | Path, folder: Path = ROOT) -> str:
    done = subprocess.run([str(c) for c in command], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command}\n{done.stdout}{done.stderr}")
    return done.stdout


def _version(python: Path, package: str) -> str:
    code = f"from importlib.metadata import version; print(version({package!r}))"
    return _quietly(python, "-c", code).strip()


def versions(stand: Stand) -> dict[str, str]:
    """What was measured."""
    found = {n: _version(stand.python(n), n) for n in ("haha-config", "typer", *PYPI, *TYPER)}
    for package in NPM:
        about = stand.folder / "npm" / "node_modules" / package / "package.json"
        if about.exists():
            found[package] = json.loads(about.read_text())["version"]
    return found


def configure(stand: Stand) -> None:
    """Two set-ups for each that can switch, both for a closed port of this machine."""
    ours = stand.script("haha-config", "haha-config")
    _tell(stand, "direct", ours, "init", "--provider", "deepseek", "--yes")
    upstreams = ("--upstream", "openai:gpt-6.1-sol", "--upstream", "ollama:qwen3-coder")
    # Not the usual port: a gateway of one's own may be up.
    port = ("--port", "4517")
    _tell(stand, "gateway", ours, "init", "--provider", "litellm", *upstreams, *port, "--yes")
    for name in ("one", "two"):
        model = f"model-{name}"
        given = ("--claude-base", CLOSED, "--claude-key", KEY, "--claude-model", model)
        _tell(stand, "ccpkit", stand.script("ccpkit", "ccpkit"), "add", name, "-y", *given)
        given = ("--claude-base-url", CLOSED, "--claude-token", KEY, "--claude-model", model)
        more = ("--agent", "claude", "--overwrite", *given)
        _tell(
            stand, "agentkeyswitch", stand.script("agentkeyswitch", "agswitch"), "add", name, *more
        )
        given = ("--url", CLOSED, "--key", KEY, "--model", model)
        _tell(stand, "ccm-cli", stand.script("ccm-cli", "ccm"), "add", name, *given, fails=True)
        settings = stand.home("ai-switch-cli") / ".claude" / "settings.json"
        settings.parent.mkdir(exist_ok=True)
        env = {"ANTHROPIC_BASE_URL": CLOSED, "ANTHROPIC_AUTH_TOKEN": KEY, "ANTHROPIC_MODEL": model}
        settings.write_text(json.dumps({"env": env}))
        switch = stand.script("ai-switch-cli", "ai-switch")
        _tell(stand, "ai-switch-cli", switch, "init", name, "--no-import", fails=True)
        if stand.node("ccs").exists():
            given = ("--base-url", CLOSED, "--api-key", KEY, "--model", model, "--yes", "--force")
            _tell(stand, "ccs", stand.node("ccs"), "api", "create", name, *given)


def _tell(stand: Stand, name: str, *command: str | Path, fails: bool = False) -> None:
    done = subprocess.run(
        [str(c) for c in command],
        cwd=stand.home(name) / "work",
        env=stand.environ(name),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode and not fails:
        raise SystemExit(f"{command}\n{done.stdout}{done.stderr}")


# --- measuring -------------------------------------------------------------------------------


def tables(stand: Stand) -> Mapping[str, list[Job]]:
    """The jobs of each table; bare Python is in all of them."""
    ours = stand.script("haha-config", "haha-config")
    others = {n: stand.script(n, s) for n, s in (PYPI | TYPER).items()}
    if stand.node("ccs").exists():
        others |= {"ccs": stand.node("ccs"), "claude-code-router": stand.node("ccr")}

    def job(name: str, home: str, *words: str | Path, fine: tuple[int, ...] = (0,)) -> Job:
        where = stand.home(home)
        return Job(
            name=name,
            command=words,
            environ=stand.environ(home),
            folder=where / "work",
            fine=frozenset(fine),
        )

    def turns(name: str, home: str, *words: str | Path, both: tuple[str, str]) -> Job:
        """A job that switches to and fro, so that every run writes."""
        plain = job(name, home, *words)

        def command(number: int) -> list[str | Path]:
            return [both[number % 2] if word == "NAME" else word for word in words]

        return Job(
            name=name, command=command, environ=plain.environ, folder=plain.folder, fine=plain.fine
        )

    bare = job("bare Python", "bare", stand.python("haha-config"), "-c", "pass")
    typer = job(
        "bare typer app", "bare", stand.python("typer"), stand.folder / "bare_typer.py", "--help"
    )
    python = stand.python("haha-config")
    nothing = [
        job("typer that does nothing", "bare", python, stand.folder / "nothing.py"),
        job("typer that imports yaml", "bare", python, stand.folder / "nothing_yaml.py"),
    ]
    said = {"agentkeyswitch": "--help", "ccm-cli": "--help", "claude-code-router": "version"}
    both = ("one", "two")
    models = ("deepseek-v4-pro", "deepseek-v4-flash")
    upstreams = ("gpt-6.1-sol", "qwen3-coder")
    switch = [
        turns("haha-config, direct", "direct", ours, "switch-model", "NAME", "--yes", both=models),
        turns(
            "haha-config, LiteLLM", "gateway", ours, "switch-model", "NAME", "--yes", both=upstreams
        ),
        turns("ccpkit use", "ccpkit", others["ccpkit"], "use", "NAME", both=both),
        turns(
            "agswitch use",
            "agentkeyswitch",
            others["agentkeyswitch"],
            "use",
            "claude",
            "NAME",
            both=both,
        ),
        turns(
            "ai-switch use",
            "ai-switch-cli",
            others["ai-switch-cli"],
            "use",
            "NAME",
            "-y",
            "--no-check",
            both=both,
        ),
        turns("ccm use", "ccm-cli", others["ccm-cli"], "use", "NAME", both=both),
    ]
    check = [
        job("haha-config, direct", "direct", ours, "validate"),
        job("haha-config, LiteLLM", "gateway", ours, "validate"),
        job("ccpkit doctor", "ccpkit", others["ccpkit"], "doctor", fine=(0, 1)),
        job("ai-switch doctor", "ai-switch-cli", others["ai-switch-cli"], "doctor", fine=(0, 1)),
    ]
    if "ccs" in others:
        switch.append(
            turns("ccs persist", "ccs", others["ccs"], "persist", "NAME", "--yes", both=both)
        )
        check.append(job("ccs doctor", "ccs", others["ccs"], "doctor", fine=(0, 1)))
    return {
        "--version": [
            bare,
            job("haha-config", "direct", ours, "--version"),
            *(
                job(f"{n} {said.get(n, '--version')}", n, p, said.get(n, "--version"))
                for n, p in others.items()
            ),
        ],
        "--help": [
            bare,
            typer,
            job("haha-config", "direct", ours, "--help"),
            *(job(n, n, p, "--help", fine=(0, 1)) for n, p in others.items()),
        ],
        "switch": [bare, *nothing, *switch],
        "validate": [bare, *nothing, *check],
    }


def table(found: Mapping[str, Times]) -> list[str]:
    """Markdown; ratios of the medians to bare Python's, of the wall clock and of the processor."""
    bare = found["bare Python"]
    lines = [
        "| | wall, ms | quartiles | × bare | processor, ms | × bare | MiB |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, times in found.items():
        first, middle, third = times.quartiles()
        cpu = median(times.cpu)
        lines.append(
            f"| {name} | {middle:.0f} | {first:.0f} to {third:.0f} |"
            f" {middle / median(bare.wall):.1f} | {cpu:.0f} |"
            f" {cpu / median(bare.cpu):.1f} | {median(times.memory):.0f} |"
        )
    return lines


def compare(folder: Path, runs: int) -> tuple[dict[str, str], dict[str, dict[str, Times]]]:
    """Install, set up, measure."""
    stand = Stand(folder=folder)
    install(stand)
    shutil.rmtree(folder / "home", ignore_errors=True)
    configure(stand)
    found = {}
    for name, jobs in tables(stand).items():
        print(f"{name}: {len(jobs)} programs, {runs} times", file=sys.stderr, flush=True)
        found[name] = in_turn(jobs, runs)
        print("\n".join(table(found[name])), flush=True)
    return versions(stand), found


def main() -> None:
    """All of it: this comparison, the scale, the live work, and the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--page", action="store_true", help="also scale, live and docs/speed.md")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as throwaway:
        folder = (asked.keep or Path(throwaway)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        measured, found = compare(folder, asked.runs)
        if asked.page:
            from benchmarks import live, page, scale

            ours = Stand(folder=folder).python("haha-config")
            page.write(measured, found, scale.measure(ours), live.measure(ours), asked.runs)


if __name__ == "__main__":
    main()
