"""From a machine with Python to the first streamed answer that used a tool, in seconds.

`python -m benchmarks.first_answer`. Twice: `cold` has an empty home and no uv, so that pip installs
haha-config and brings uv along; `warm` has uv on the PATH and its cache filled. The parts of the
end-to-end tests are real, the provider is an endpoint on loopback.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks import section
from tests.e2e import behaviours as act
from tests.e2e import parts
from tests.e2e.processes import NOWHERE, QUIET, environment, free_port
from tests.e2e.upstream import Upstream
from tests.e2e.wire import Behaviour, Reply, Request

KEY = "sk-test-0123456789abcdef"
ANSWER = "the note was read"
#: Seconds, on a quiet machine and on any.
LIMITS = (30, 60)


class Newcomer:
    """A person with an empty home and Python; the seconds of each thing they do."""

    def __init__(self, base: Path, wheel: Path, upstream: Upstream) -> None:
        self.home, self.work, self.env = base / "home", base / "work", base / "env"
        self.wheel, self.upstream = wheel, upstream
        self.program = self.env / "bin" / "haha-config"
        self.path = environment(self.home)["PATH"]
        self.seconds: dict[str, float] = {}
        for folder in (self.home, self.work):
            folder.mkdir(parents=True)

    def live(self, *, uv: Path | None) -> Mapping[str, float]:
        """Everything up to the answer; its seconds by part."""
        if uv is not None:
            self.path = f"{uv.parent}{os.pathsep}{self.path}"
        with self.timed("install haha-config"):
            if uv is not None:
                self.run(uv, "venv", "--quiet", "--python", sys.executable, self.env)
                python = ("--python", self.env / "bin" / "python")
                self.run(uv, "pip", "install", "--quiet", *python, self.wheel, outside=True)
            else:
                self.run(sys.executable, "-m", "venv", self.env)
                pip = (self.env / "bin" / "python", "-m", "pip", "install", "--quiet")
                self.run(*pip, self.wheel, outside=True)
        with self.timed("init"):
            upstream = f"custom-openai:test-model@{self.upstream.url}/v1"
            words = ("--provider", "litellm", "--upstream", upstream, "--port", str(free_port()))
            self.run(self.program, "init", *words, "--yes", environ={"CUSTOM_OPENAI_API_KEY": KEY})
        with self.timed("proxy install"):
            self.run(self.program, "proxy", "install", outside=True)
        try:
            with self.timed("proxy up"):
                self.run(self.program, "proxy", "up")
            with self.timed("the client's answer"):
                client = (parts.client(parts.NEWEST), "-p", "read it", "--allowedTools", "Read")
                said = self.run(*client, environ=QUIET)
        finally:
            self.run(self.program, "proxy", "down")
        if ANSWER not in said:
            raise RuntimeError(f"no answer that used a tool: {said}")
        return self.seconds

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[what] = time.perf_counter() - began

    def run(
        self,
        *command: str | Path,
        environ: Mapping[str, str] | None = None,
        outside: bool = False,
    ) -> str:
        """One command; with `outside` it may ask this machine's registries."""
        own = {**environment(self.home), "PATH": self.path}
        if outside:
            # The registries are what pip is told on this machine: uv asks pip only through us.
            own = {n: v for n, v in own.items() if v != NOWHERE} | parts.for_installers()
            own |= {"PATH": self.path, **parts.uv_settings()}
        done = subprocess.run(
            [str(word) for word in command],
            cwd=self.work,
            env={**own, **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]}: exit {done.returncode}\n{done.stdout}")
        return done.stdout


def reads_the_note(note: Path) -> Behaviour:
    """A model that reads a file with the client's tool, then says so."""
    reads, says = act.answer(calls=[("Read", {"file_path": str(note)})]), act.answer(ANSWER)

    def behave(request: Request, reply: Reply) -> None:
        first = "Read" in request.tools and not request.has_tool_result
        (reads if first else says)(request, reply)

    return behave


def main() -> None:
    """The seconds of each part, cold and warm, into docs/speed.md."""
    uv = parts.uv()
    parts.client(parts.NEWEST)
    with tempfile.TemporaryDirectory() as temporary, Upstream() as upstream:
        base = Path(temporary)
        pip = ("-m", "pip", "wheel", "--quiet", "--no-deps")
        subprocess.run([sys.executable, *pip, "-w", temporary, str(parts.ROOT)], check=True)
        wheel = next(base.glob("haha_config-*.whl"))
        note = base / "note.txt"
        note.write_text("a note\n", encoding="utf-8")
        upstream.behave = lambda _request: reads_the_note(note)
        cold = Newcomer(base / "cold", wheel, upstream).live(uv=None)
        # The home of the first of these two fills uv's cache for the second.
        os.environ["UV_CACHE_DIR"] = str(base / "uv-cache")
        Newcomer(base / "filling", wheel, upstream).live(uv=uv)
        warm = Newcomer(base / "warm", wheel, upstream).live(uv=uv)
    section.write("first-answer", table(cold, warm))


def table(*found: Mapping[str, float]) -> list[str]:
    """Seconds of each part, and its share of the whole."""
    totals = [sum(seconds.values()) for seconds in found]
    lines = ["| part | cold, s | share | warm, s | share |", "|---|---:|---:|---:|---:|"]
    for name in found[0]:
        each = zip((seconds[name] for seconds in found), totals, strict=True)
        lines.append(f"| {name} | " + " | ".join(f"{s:.1f} | {s / t:.0%}" for s, t in each) + " |")
    whole = " | ".join(f"{total:.1f} | 100%" for total in totals)
    limits = f"The limits are {LIMITS[0]} s on a quiet machine and {LIMITS[1]} s on any."
    return [*lines, f"| all | {whole} |", "", limits]


if __name__ == "__main__":
    main()
