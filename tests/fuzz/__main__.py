"""`make fuzz`: Hypothesis looks for a file and changes that break a law, for as long as it takes.

python -m tests.fuzz [--inputs 200000] [--seed N] [dotenv] [json] [yaml]

An input that breaks a law is shrunk by Hypothesis and written to `tests/fuzz/corpus`, which the
suite replays.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from haha_config.core.model import Change
from tests.fuzz import random_documents
from tests.fuzz.laws import EDITORS, check, dumped

CORPUS = Path(__file__).with_name("corpus")

#: Hypothesis remembers all that it tried in a run, so a long one is made of parts.
_PART = 10_000


@dataclass
class Tally:
    """What became of the inputs of one editor; `seen` holds a digest of each different one."""

    inputs: int = 0
    edited: int = 0
    failures: int = 0
    seen: set[bytes] = field(default_factory=set)
    last: tuple[str, list[Change]] = ("", [])


def run(name: str, inputs: int, start: int) -> int:
    began, tally = time.monotonic(), Tally()
    for part in range(-(-inputs // _PART)):
        try:
            _search(name, min(_PART, inputs - part * _PART), f"{name}-{start}-{part}", tally)
        except Exception as error:
            tally.failures += 1
            # Hypothesis ends with the smallest input that fails.
            print(f"{name}: {type(error).__name__}: {error}\n  {_keep(name, *tally.last)}")
    print(
        f"{name}: {tally.inputs} inputs, {len(tally.seen)} different, seed {start}: "
        f"{tally.edited} edited, {tally.inputs - tally.edited} not, {tally.failures} failures, "
        f"{time.monotonic() - began:.0f} s",
        flush=True,
    )
    return tally.failures


def _search(name: str, inputs: int, start: str, tally: Tally) -> None:
    """One Hypothesis run; raises what the smallest failing input raises."""

    @seed(start)
    @settings(
        max_examples=inputs,
        phases=(Phase.generate, Phase.shrink),
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=False))
    def holds(random: Random) -> None:
        text, changes = random_documents.text(name, random), random_documents.changes(name, random)
        tally.last = text, changes
        tally.inputs += 1
        tally.seen.add(_digest(dumped(text, changes)))
        tally.edited += check(name, text, changes)

    holds()


def _digest(source: str) -> bytes:
    return hashlib.sha256(source.encode()).digest()[:12]


def _keep(name: str, text: str, changes: list[Change]) -> Path:
    source = dumped(text, changes)
    path = CORPUS / f"{name}-{_digest(source).hex()[:12]}.json"
    path.write_text(source, encoding="utf-8")
    return path


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("editors", nargs="*", metavar="editor", help="dotenv, json, yaml; all")
    parser.add_argument("--inputs", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    names = asked.editors or sorted(EDITORS)
    return 1 if sum([run(name, asked.inputs, asked.seed) for name in names]) else 0


if __name__ == "__main__":
    sys.exit(main())
