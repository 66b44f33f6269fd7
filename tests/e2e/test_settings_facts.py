"""A seeded hundred of the values that were measured, asked again of both clients."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from haha_config.core.state import accepted, facts
from haha_config.io import templates
from tests.e2e import parts
from tests.e2e.upstream import Upstream
from tools.facts import places
from tools.facts.settings import Documented, Probe
from tools.facts.start import outcome

FACTS = facts.parse(templates.text("facts/settings.json"), accepted.Accepted)
DOCUMENTED = Documented()
VERSIONS = (parts.OLDEST, parts.NEWEST)
SEED, HUNDRED = 20261125, 100


def is_dropped(probe: Probe, version: str) -> bool:
    """What haha-config says."""
    return bool(FACTS.rejected(file_with(probe), version))


def file_with(*probes: Probe) -> dict[str, Any]:
    file = places.File(DOCUMENTED.examples)
    for number, probe in enumerate(probes):
        file.put(probe.path, probe.value, f"@{number}")
    return file.data


def sample(version: str) -> list[Probe]:
    """A hundred values; as root a client stops for a reason of its own at one of them."""
    every = [p for path in DOCUMENTED.places for p in DOCUMENTED.probes(path)]
    every = [p for p in every if p.value != "bypassPermissions"]
    return random.Random(f"{SEED} {version}").sample(every, HUNDRED)  # noqa: S311 - no secret


def together(probes: list[Probe]) -> Iterator[list[Probe]]:
    """Values that are taken can share a start, where each has a place of its own."""
    while probes:
        group: list[Probe] = []
        for probe in list(probes):
            try:
                file_with(*group, probe)
            except places.Taken:
                continue
            group.append(probe)
            probes.remove(probe)
        yield group


def test_the_pinned_clients_were_measured() -> None:
    assert FACTS.versions == VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_a_hundred_values_are_taken_and_dropped_as_measured(
    version: str, upstream: Upstream
) -> None:
    probes = sample(version)
    dropped = [[p] for p in probes if is_dropped(p, version)]
    groups = [*dropped, *together([p for p in probes if not is_dropped(p, version)])]
    with ThreadPoolExecutor(3) as pool:
        seen = list(pool.map(lambda g: outcome(version, file_with(*g), upstream), groups))
    wrong = [
        (found, [p.key for p in group])
        for group, found in zip(groups, seen, strict=True)
        if found != ("dropped" if group in dropped else "taken")
    ]
    assert not wrong
