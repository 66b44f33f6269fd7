"""Run programs in turn and say how long they took: medians, quartiles, peak memory."""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One command line to be measured. `before` runs, unmeasured, ahead of each time."""

    name: str
    command: Sequence[str | Path] | Callable[[int], Sequence[str | Path]]
    environ: Mapping[str, str]
    folder: Path
    fine: frozenset[int] = frozenset({0})


@dataclass(slots=True)
class Times:
    """Milliseconds of wall clock and of processor time, and peak memory in MiB, of each run."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    def quartiles(self) -> tuple[float, float, float]:
        """Of the wall clock."""
        first, middle, third = statistics.quantiles(self.wall, n=4, method="inclusive")
        return first, middle, third


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def once(job: Job, number: int, times: Times) -> None:
    """Run a job; raises RuntimeError with what it said where it ends otherwise than it should."""
    command = job.command(number) if callable(job.command) else job.command
    started = time.perf_counter()
    # A pipe that nobody reads would block a program that says much.
    with (job.folder / "said.txt").open("w+b") as said:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=job.folder,
            env=dict(job.environ),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        took = time.perf_counter() - started
        if process.returncode not in job.fine:
            said.seek(0)
            text = said.read().decode(errors="replace")
            raise RuntimeError(f"{job.name}: exit {process.returncode}: {command}\n{text}")
    times.wall.append(took * 1e3)
    times.cpu.append((used.ru_utime + used.ru_stime) * 1e3)
    times.memory.append(used.ru_maxrss / 1024)


def in_turn(jobs: Sequence[Job], runs: int) -> dict[str, Times]:
    """Every job once to warm up, then `runs` rounds of every job once: all meet the same noise."""
    found = {job.name: Times() for job in jobs}
    for job in jobs:
        once(job, 0, Times())
    for number in range(1, runs + 1):
        for job in jobs:
            once(job, number, found[job.name])
    return found


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The slope of log(value) over log(size): 1 is linear, 2 is quadratic."""
    return statistics.linear_regression(
        [math.log(size) for size in sizes], [math.log(value) for value in values]
    ).slope


def machine() -> str:
    """What the numbers were measured on, in words."""
    import platform

    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [x.partition(":")[2].strip() for x in info.read_text().splitlines() if "name" in x]
        model = names[0] if names else model
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    return (
        f"{model}, {os.cpu_count()} processors, {platform.system()}, "
        f"Python {platform.python_version()}, load {load}"
    )
