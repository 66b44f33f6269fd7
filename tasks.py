"""What a person or CI does with this checkout: `python -m tasks NAME`, or `make NAME`.

Only the standard library, since it runs before anything is installed: it needs Python 3.11 or
newer with `venv`, and git. Every task makes `.venv` in this folder if it needs it.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import venv as virtual_environments
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if sys.platform == "win32" else "bin")
PYTHON = BIN / ("python.exe" if sys.platform == "win32" else "python")
PARTS = ROOT / "tests" / "e2e" / "parts.toml"
LOCK = ROOT / "templates" / "litellm-requirements.txt"
UV_LOCK = ROOT / "templates" / "uv-requirements.txt"


class TaskFailed(Exception):
    """A step ended with this exit code; it has already said why."""

    def __init__(self, code: int, why: str = "") -> None:
        super().__init__(why)
        self.code = code


def run(*command: str | Path) -> None:
    """One step, in the checkout, its output as it comes."""
    print("$", " ".join(_shown(part) for part in command), flush=True)
    done = subprocess.run([str(part) for part in command], cwd=ROOT, check=False)
    if done.returncode != 0:
        raise TaskFailed(done.returncode)


def _shown(part: str | Path) -> str:
    return str(part.relative_to(ROOT)) if isinstance(part, Path) else part


def venv(extra: str = "dev") -> None:
    """Make `.venv` with haha-config and the development tools."""
    stamp = VENV / "haha-config-installed"
    fingerprint = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    have = stamp.read_text(encoding="utf-8").split() if stamp.exists() else []
    if PYTHON.exists() and have[:1] == [fingerprint] and have[1:] in (["dev"], [extra]):
        return
    if not PYTHON.exists():
        print(f"making {_shown(VENV)} with Python {sys.version.split()[0]}", flush=True)
        virtual_environments.create(VENV, with_pip=True)
    wanted = f"{ROOT}[{extra}]" if extra == "dev" else str(ROOT)
    quiet = ("--quiet", "--disable-pip-version-check")
    run(PYTHON, "-m", "pip", "install", *quiet, "--editable", wanted)
    stamp.write_text(f"{fingerprint} {extra}\n", encoding="utf-8")


def demo() -> None:
    """The whole tour in a throwaway folder."""
    venv("run")
    run(PYTHON, "-m", "haha_config", "demo")


def lint() -> None:
    """ruff, mypy --strict for three systems, and the layers of the house."""
    venv()
    run(PYTHON, "-m", "ruff", "check", ".")
    run(PYTHON, "-m", "ruff", "format", "--check", ".")
    run(PYTHON, "-m", "mypy", "-p", "haha_config", "-p", "tests.e2e", "-m", "tasks")
    # What only another system runs is unreachable there, and a cache serves one system.
    for system in sorted({"linux", "darwin", "win32"} - {sys.platform}):
        elsewhere = ("--platform", system, "--no-warn-unreachable")
        cache = ("--cache-dir", f".mypy_cache/{system}")
        run(PYTHON, "-m", "mypy", *elsewhere, *cache, "-p", "haha_config")
    run(BIN / "lint-imports")


def at_once() -> tuple[str, ...]:
    """Options that spread the test files over this machine's processors, four at most.

    A file stays together: its tests share gateways and clients, which are slow to start.
    """
    return ("--numprocesses", str(min(os.cpu_count() or 1, 4)), "--dist", "loadfile")


def test() -> None:
    """lint, and every test that needs no real part; with ARGS only pytest, with these."""
    if sys.argv[2:]:
        venv()
        run(PYTHON, "-m", "pytest", "-q", *sys.argv[2:])
        return
    lint()
    run(PYTHON, "-m", "pytest", "tests", "--ignore=tests/e2e", "-q", *at_once())


def test_versions() -> None:
    """The tests without lint on every other Python that is found, each in `.venv-VERSION`."""
    found = {minor: program for minor in range(11, 15) if (program := _python(minor))}
    if not found:
        raise TaskFailed(1, "no python3.11 to python3.14 runs here")
    for minor, program in found.items():
        folder = ROOT / f".venv-3.{minor}"
        python = folder / PYTHON.relative_to(VENV)
        if not python.exists():
            run(program, "-m", "venv", folder)
        quiet = ("--quiet", "--disable-pip-version-check")
        run(python, "-m", "pip", "install", *quiet, "--editable", f"{ROOT}[dev]")
        run(python, "-m", "pytest", "tests", "--ignore=tests/e2e", "-q", *sys.argv[2:])


def _python(minor: int) -> str:
    """A Python 3.`minor` that starts: on PATH, or made by pyenv, whose shims may not."""
    made = sorted(Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python"))
    for program in (f"python3.{minor}", *map(str, made)):
        if _quietly(program, "-c", "import venv; print(1)", fails=True):
            return program
    return ""


def e2e() -> None:
    """The real client, LiteLLM, Bun and Node; a skipped test is a failed one."""
    venv()
    run(PYTHON, "-m", "tests.e2e.parts")
    run(PYTHON, "-m", "pytest", "tests/e2e", "-q", "--no-skips", "--durations=10", *at_once())


def fuzz() -> None:
    """The long run over the editors."""
    venv()
    run(PYTHON, "-m", "tests.fuzz")


def docs() -> None:
    """Make the generated pages anew and build the site; a warning is an error."""
    venv()
    quiet = ("--quiet", "--disable-pip-version-check")
    run(PYTHON, "-m", "pip", "install", *quiet, "--editable", f"{ROOT}[docs]")
    run(PYTHON, "docs/build.py")


def bench() -> None:
    """Time to the first answer; compare with the others, and write docs/speed.md."""
    venv()
    run(PYTHON, "-m", "benchmarks.first_answer")
    run(PYTHON, "-m", "benchmarks.tabs")
    run(PYTHON, "-m", "benchmarks.compare", "--page", *sys.argv[2:])


def catalogs() -> None:
    """The sentences of each language: extract, update, compile; names what is left to translate."""
    venv()
    run(PYTHON, "tools/catalogs.py")


def facts() -> None:
    """Ask the real parts again what they take, and write templates/facts (minutes)."""
    venv()
    run(PYTHON, "-m", "tools.facts.litellm")
    run(PYTHON, "-m", "tools.facts.settings")
    run(PYTHON, "-m", "tools.facts.layers")
    run(PYTHON, "-m", "tools.facts.wire")
    run(PYTHON, "-m", "tests.e2e.truth")


def lock_litellm() -> None:
    """Write the hash locks of LiteLLM and of uv; with `--newest` for LiteLLM's newest version."""
    table = tomllib.loads(PARTS.read_text(encoding="utf-8"))
    version, uv = table["litellm"]["version"], table["uv"]["version"]
    poisoned = ",".join(f"!={bad}" for bad in table["litellm"]["poisoned"])
    wanted = poisoned if "--newest" in sys.argv else f"=={version}"
    locked = _compile(f"litellm[proxy]{wanted}\n", uv, LOCK)
    found = re.search(r"^litellm==(\S+)", locked, re.MULTILINE)
    if found is None:
        raise TaskFailed(1, "uv locked no litellm")
    _write_lock(LOCK, f"LiteLLM {found[1]} with all it needs", locked)
    _write_lock(
        UV_LOCK,
        f"uv {uv} for every platform that it is built for",
        _compile(f"uv=={uv}\n", uv, UV_LOCK),
    )
    text = PARTS.read_text(encoding="utf-8")
    parts = text.replace(f'version = "{version}"', f'version = "{found[1]}"', 1)
    PARTS.write_text(parts, encoding="utf-8")
    print(f"{_shown(LOCK)}: litellm {found[1]}, {len(re.findall('^[a-z]', locked, re.M))} packages")


def _write_lock(lock: Path, what: str, locked: str) -> None:
    # --no-deps: before 23.3 pip does not see that `pydantic==…` meets a need for `pydantic[email]`.
    head = (
        f"# {what}, each by hash. Wheels only:\n"
        f"# pip install --no-deps --require-hashes --only-binary :all: -r {lock.name}\n"
        "# Made by `python -m tasks lock-litellm`; do not edit.\n"
    )
    lock.write_text(head + locked, encoding="utf-8")


def _compile(requirements: str, uv_version: str, before: Path) -> str:
    """`requirements` resolved for every platform and Python from 3.11 on, by uv.

    What the lock `before` has stays as it is where it still fits.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        virtual_environments.create(folder / "env", with_pip=True)
        python = folder / "env" / PYTHON.relative_to(VENV)
        asked, answered = folder / "asked.txt", folder / "answered.txt"
        asked.write_text(requirements, encoding="utf-8")
        if before.exists() and "--newest" not in sys.argv:
            answered.write_text(before.read_text(encoding="utf-8"), encoding="utf-8")
        _quietly(python, "-m", "pip", "install", "--quiet", f"uv=={uv_version}")
        # uv reads no pip configuration, and a mirror is usually set there.
        index = _quietly(python, "-m", "pip", "config", "get", "global.index-url", fails=True)
        _quietly(
            *(python, "-m", "uv", "pip", "compile", "--quiet", "--universal"),
            *("--python-version", "3.11", "--only-binary", ":all:", "--generate-hashes"),
            *("--no-annotate", "--no-header", "--system-certs"),
            *(("--default-index", index) if index else ()),
            *(asked, "--output-file", answered),
        )
        return answered.read_text(encoding="utf-8")


def _quietly(*command: str | Path, fails: bool = False) -> str:
    try:
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        if fails:
            return ""
        raise
    if done.returncode != 0 and not fails:
        raise TaskFailed(done.returncode, done.stderr)
    return done.stdout.strip() if done.returncode == 0 else ""


TASKS: dict[str, Callable[[], None]] = {
    "venv": venv,
    "demo": demo,
    "lint": lint,
    "test": test,
    "test-versions": test_versions,
    "e2e": e2e,
    "fuzz": fuzz,
    "docs": docs,
    "bench": bench,
    "catalogs": catalogs,
    "facts": facts,
    "lock-litellm": lock_litellm,
}


def main() -> int:
    """Run the task that was named; without one, list them."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file runs before pip could refuse
        print("haha-config needs Python 3.11 or newer", file=sys.stderr)
        return 2
    task = TASKS.get(sys.argv[1]) if len(sys.argv) > 1 else None
    if task is None:
        for name, each in TASKS.items():
            print(f"{name:13} {each.__doc__}")
        return 2 if len(sys.argv) > 1 else 0
    try:
        task()
    except TaskFailed as failed:
        print(failed, file=sys.stderr)
        return failed.code
    return 0


if __name__ == "__main__":
    sys.exit(main())
