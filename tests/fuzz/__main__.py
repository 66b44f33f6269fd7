"""`make fuzz`: random files and random changes against the laws, for as long as it takes.

python -m tests.fuzz [--inputs 200000] [--seed N] [dotenv] [json] [yaml]

An input that breaks a law is written to `tests/fuzz/corpus`, which the suite replays.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from pathlib import Path
from random import Random

from haha_config.core.model import Change
from tests.fuzz import soup
from tests.fuzz.laws import EDITORS, check, dumped

CORPUS = Path(__file__).with_name("corpus")


def run(name: str, inputs: int, seed: int) -> int:
    began, edited, failures = time.monotonic(), 0, 0
    for number in range(inputs):
        random = Random(f"{name}-{seed}-{number}")  # noqa: S311 - nothing here is a secret
        text, changes = soup.text(name, random), soup.changes(name, random)
        try:
            edited += check(name, text, changes)
        except Exception as error:
            failures += 1
            text, changes = _smaller(name, text, changes, error)
            print(
                f"{name} {number}: {type(error).__name__}: {error}\n  {_keep(name, text, changes)}"
            )
            if failures == 20:
                break
    took = time.monotonic() - began
    print(
        f"{name}: {number + 1} inputs, seed {seed}: {edited} edited, "
        f"{number + 1 - edited - failures} refused, {failures} failed, {took:.0f} s",
        flush=True,
    )
    return failures


def _smaller(
    name: str, text: str, changes: list[Change], error: Exception
) -> tuple[str, list[Change]]:
    """The same failure with as little as possible."""

    def fails(text: str, changes: list[Change]) -> bool:
        try:
            check(name, text, changes)
        except Exception as other:
            return type(other) is type(error) and str(other) == str(error)
        return False

    for change in list(changes):
        fewer = [c for c in changes if c is not change]
        if fewer and fails(text, fewer):
            changes = fewer
    size = max(1, len(text) // 2)
    while size:
        at = 0
        while at < len(text):
            shorter = text[:at] + text[at + size :]
            if fails(shorter, changes):
                text = shorter
            else:
                at += size
        size //= 2
    return text, changes


def _keep(name: str, text: str, changes: list[Change]) -> Path:
    source = dumped(text, changes)
    digest = hashlib.sha256(source.encode()).hexdigest()[:12]
    path = CORPUS / f"{name}-{digest}.json"
    path.write_text(source, encoding="utf-8")
    return path


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("editors", nargs="*", metavar="editor", help="dotenv, json, yaml; all")
    parser.add_argument("--inputs", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    names = given.editors or sorted(EDITORS)
    return 1 if sum([run(name, given.inputs, given.seed) for name in names]) else 0


if __name__ == "__main__":
    sys.exit(main())
