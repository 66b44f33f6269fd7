"""Which values of settings.json each pinned client takes: makes `templates/facts/settings.json`.

For every documented place, values of each kind, at and beyond the documented bounds, known and
unknown words. What is measured becomes one short description for a place and a version; it is
written only if it says of every measured value what was measured.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from haha_config.core.state import accepted
from tests.e2e import parts
from tests.e2e.upstream import Upstream
from tools.facts import names, places, words
from tools.facts.start import Outcome, complaints, outcome
from tools.facts.words import STRANGE

TARGET: Final = parts.ROOT / "templates" / "facts" / "settings.json"
DOCUMENTED: Final = Path(__file__).with_name("documented.json")
_LISTED: Final = 250
_GROUP: Final = 60
#: The client says that it goes on without this value, and with the rest of the file.
_PASSED_OVER: Final = re.compile(r"ignored|skipped|removed|only honored")
_KINDS: Final = frozenset({"string", "boolean", "number", "array", "object", "null"})


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A value at a place of settings.json."""

    path: str
    value: Any

    @property
    def key(self) -> str:
        return f"{self.path} = {json.dumps(self.value)}"


class Documented:
    """The places to measure."""

    def __init__(self) -> None:
        self.places: dict[str, dict[str, Any]] = json.loads(DOCUMENTED.read_text(encoding="utf-8"))
        self.examples = {path: place["example"] for path, place in self.places.items()}

    def probes(self, path: str) -> list[Probe]:
        """One value of each kind; more of the kind that is documented."""
        place = self.places[path]
        values: list[Any] = [place["example"], None, True, 5, STRANGE, [], {}]
        values += place.get("words", [])
        for number in place.get("numbers", []):
            values += [number, number - 1, number + 1, number - 0.5, number + 0.5]
        match place["example"]:
            case bool():
                values += [False, "true", 0]
            case int() | float():
                values += ["5", 0, -1, 1, 0.5, 1.5, 5.5, 1e9]
            case str():
                values += [""]
            case list():
                values += [[None], [STRANGE], [5], [[]], [{}]]
            case dict() as example:
                values += [{**example, STRANGE: 5}, *_without_one(example)]
        return [Probe(path, v) for v in {json.dumps(v): v for v in values}.values()]


def _without_one(example: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for left in example:
        yield {name: value for name, value in example.items() if name != left}


class Measuring:
    """What one client takes, asked in as few starts as possible; kept, so that a run can go on."""

    def __init__(self, version: str, documented: Documented, kept: Path) -> None:
        self.version = version
        self._documented = documented
        self._kept = kept
        self.outcomes: dict[str, Outcome] = {}
        self.said: dict[str, str] = {}
        if kept.is_file():
            data = json.loads(kept.read_text(encoding="utf-8"))
            self.outcomes, self.said = data["outcomes"], data["said"]

    def listed(self, probes: Sequence[Probe]) -> None:
        """From what the client lists in a terminal, many values in one file."""
        left = [p for p in probes if p.key not in self.outcomes]
        while left:
            file, placed, left = self._packed(left, _LISTED)
            self._learn(placed, complaints(self.version, file))
            if len(probes) > 1:
                print(self.version, len(self.outcomes), "of", len(probes), flush=True)
                self._keep()

    def _packed(
        self, probes: Sequence[Probe], most: int
    ) -> tuple[dict[str, Any], dict[places.Concrete, Probe], list[Probe]]:
        """A file with as many of the probes as fit, where each stands, and the others."""
        file, left = places.File(self._documented.examples), []
        placed: dict[places.Concrete, Probe] = {}
        for number, probe in enumerate(probes):
            try:
                if len(placed) == most:
                    raise places.Taken
                placed[file.put(probe.path, probe.value, f"@{number}")] = probe
            except places.Taken:
                left.append(probe)
        return file.data, placed, left

    def _learn(self, placed: Mapping[places.Concrete, Probe], lines: list[tuple[str, str]]) -> None:
        """A probe that is listed drops the file, unless the client says that it passes over it."""
        unsure: set[Probe] = set()
        for where, message in lines:
            names = tuple(re.sub(r"\[(\d+)\]", r".\1", where).replace('"', "").split("."))
            about = _about(placed, names)
            for probe in about:
                self.said.setdefault(probe.key, message)
            if _PASSED_OVER.search(message):
                continue
            if len(about) == 1 or names[-1] in _KINDS:
                self.outcomes.update({probe.key: "dropped" for probe in about})
            else:
                unsure.update(about)
        left = [probe for probe in placed.values() if probe.key not in self.outcomes]
        if len(placed) == 1:
            # Nothing else is in the file.
            passed = all(_PASSED_OVER.search(message) for _, message in lines)
            self.outcomes.update({p.key: "taken" if passed else "dropped" for p in left})
            return
        for probe in left:
            if probe in unsure:
                self.listed([probe])
            else:
                self.outcomes[probe.key] = "taken"

    def checked(self, probes: Sequence[Probe], upstream: Upstream, sample: int) -> list[str]:
        """Starts that send a request: every value taken, in groups, and a sample of the others.

        Corrects what was listed, and returns what it corrected.
        """
        wrong: list[str] = []
        left = [p for p in probes if self.outcomes[p.key] == "taken"]
        while left:
            _, placed, left = self._packed(left, _GROUP)
            wrong += self._bisect(list(placed.values()), upstream)
        dropped = [p for p in probes if self.outcomes[p.key] == "dropped"]
        for probe in random.Random(2).sample(dropped, min(sample, len(dropped))):  # noqa: S311
            wrong += self._alone(probe, upstream)
        self._keep()
        return wrong

    def _bisect(self, probes: list[Probe], upstream: Upstream) -> list[str]:
        file, _, left = self._packed(probes, len(probes))
        if not left and outcome(self.version, file, upstream) == "taken":
            return []
        if len(probes) == 1:
            return self._alone(probes[0], upstream)
        half = len(probes) // 2
        return self._bisect(probes[:half], upstream) + self._bisect(probes[half:], upstream)

    def _alone(self, probe: Probe, upstream: Upstream) -> list[str]:
        file, _, _ = self._packed([probe], 1)
        seen = outcome(self.version, file, upstream)
        was, self.outcomes[probe.key] = self.outcomes[probe.key], seen
        if seen != was:
            print(f"  {self.version}: {probe.key} was {was}, is {seen}", flush=True)
        return [probe.key] if seen != was else []

    def _keep(self) -> None:
        data = {"outcomes": self.outcomes, "said": self.said}
        self._kept.write_text(json.dumps(data, indent=0), encoding="utf-8")


def _about(placed: Mapping[places.Concrete, Probe], names: tuple[str, ...]) -> list[Probe]:
    """The probes that a message can be about.

    The one at its place, or the element or name that is there for one probe alone. Of elements of
    a wrong kind the client names the kind and not the place.
    """
    if names[-1] in _KINDS:
        there = {p: probe for p, probe in placed.items() if _texts(p)[:-1] == names[:-1]}
        if about := [probe for probe in there.values() if _kind(probe.value) == names[-1]]:
            return about
    own = [
        (len(place), probe)
        for place, probe in placed.items()
        if names[: _own(place)] == _texts(place)[: _own(place)]
    ]
    if own:
        return [max(own, key=lambda one: one[0])[1]]
    return [probe for place, probe in placed.items() if _texts(place)[: len(names)] == names]


def _texts(place: places.Concrete) -> tuple[str, ...]:
    return tuple(str(part) for part in place)


def _own(place: places.Concrete) -> int:
    """How many parts of the place lead to what is in the file for this probe alone."""
    for number, part in enumerate(place, 1):
        if isinstance(part, int) or part.startswith("@"):
            return number
    return len(place)


def _kind(value: object) -> str:
    kinds = {str: "string", bool: "boolean", int: "number", float: "number", list: "array"}
    return "null" if value is None else kinds.get(type(value), "object")


_All = Mapping[str, Measuring]


def measure(kept: Path) -> dict[str, Measuring]:
    """Both pinned clients, the oldest first."""
    documented = Documented()
    probes = [p for path in documented.places for p in documented.probes(path)]
    random.Random(1).shuffle(probes)  # noqa: S311 - an order, so that keys are spread over files
    found = {}
    with Upstream() as upstream:
        for version in (parts.OLDEST, parts.NEWEST):
            one = Measuring(version, documented, kept.with_suffix(f".{version}.json"))
            one.listed(probes)
            corrected = one.checked(probes, upstream, 60)
            print(version, "corrected by a start:", corrected)
            found[version] = one
    return found


def described(measured: _All) -> accepted.Accepted:
    """The facts as they ship. Raises ValueError where they say other than what was measured."""
    documented = Documented()
    takes: dict[str, list[str]] = {}
    for path in documented.places:
        for version in measured:
            takes.setdefault(path, []).append(_words(path, version, measured, documented))
        for name, versions in _of_variants(path, measured, documented).items():
            takes[name] = versions
    like = _alike(takes)
    return accepted.Accepted(
        measured={version: datetime.now(UTC).date().isoformat() for version in measured},
        names="keys and words: https://json.schemastore.org/claude-code-settings.json,"
        " https://code.claude.com/docs/en/settings-reference",
        like=like,
        takes={
            path: found[0] if len(set(found)) == 1 else found
            for path, found in takes.items()
            if any(found) and not _said_elsewhere(path, like)
        },
    )


def _said_elsewhere(path: str, like: Mapping[str, str]) -> bool:
    """Whether another event's hooks stand for it, or it is the key that tells variants apart."""
    event = re.match(r"hooks\.(\w+)", path)
    told_apart = re.search(r"\{(\w+)=[^}]*\}\.\1$", path)
    return told_apart is not None or (event is not None and event[1] in like)


def _variants(path: str, documented: Documented) -> dict[str, str]:
    """`{type=command}` and the like at this place -> the key that tells them apart."""
    found = {}
    for other in documented.places:
        rest = other.removeprefix(path)
        if other != path and rest[0] == "{" and rest.endswith("}") and rest.count("{") == 1:
            found[rest] = rest[1:-1].partition("=")[0]
    return found


def _words(path: str, version: str, measured: _All, documented: Documented) -> str:
    one = measured[version]
    outcomes = [(p.value, one.outcomes[p.key] != "dropped") for p in documented.probes(path)]
    told_apart = {name for part, name in _variants(path, documented).items() if "=" in part}
    place = {**documented.places[path], "names": f"{path}.*" in documented.places}
    found = words.words(outcomes, place, told_apart)
    if "=" not in found:
        return found
    dropped = {value for value, taken in outcomes if not taken and isinstance(value, str)}
    return _with(found, sorted(_own_words(path, measured) - dropped))


def _with(found: str, more: Sequence[str]) -> str:
    return " ".join(dict.fromkeys([*found.split(), *(f"={word}" for word in more)]))


def _own_words(path: str, measured: _All) -> set[str]:
    """The words that a client itself says go there. Where it lists none there are none."""
    strange = Probe(path, words.STRANGE).key
    said = " ".join(one.said.get(strange, "") for one in measured.values())
    return {
        word
        for listed in re.findall(r"xpected (?:one of:? )?(['\"].*)", said)
        for word in re.findall(r"['\"]([\w-]+)['\"]", listed)
    }


def _of_variants(path: str, measured: _All, documented: Documented) -> dict[str, list[str]]:
    """Which words the key that tells variants apart can have, at the place of all of them."""
    variants = {p: n for p, n in _variants(path, documented).items() if "=" in p}
    found = {}
    for name in set(variants.values()):
        parts_of_name = [part for part, other in variants.items() if other == name]
        own = set().union(*(_own_words(f"{path}{p}.{name}", measured) for p in parts_of_name))
        first = f"{path}{parts_of_name[0]}.{name}"
        all_words = sorted({part.partition("=")[2][:-1] for part in parts_of_name} | own)
        found[f"{path}.{name}"] = [
            _with(one, all_words) if "=" in one else one
            for one in (_words(first, version, measured, documented) for version in measured)
        ]
    return found


def _alike(takes: Mapping[str, list[str]]) -> dict[str, str]:
    """Events whose hooks are taken as those of one that was measured in full."""
    events = {re.split(r"[.\[]", path)[1] for path in takes if path.startswith("hooks.")} - {"*"}
    found = {}
    for event in sorted(events - set(names.FULL_EVENTS)):
        inside = {p: w for p, w in takes.items() if re.match(rf"hooks\.{event}\b", p)}
        for other in names.FULL_EVENTS:
            others = {p: p.replace(f".{event}", f".{other}", 1) for p in inside}
            if all(takes.get(others[p]) == found_words for p, found_words in inside.items()):
                found[event] = other
                break
    return found


def mistakes(facts: accepted.Accepted, measured: _All) -> Iterator[str]:
    """Measured values of which the facts say something else."""
    documented = Documented()
    for version, one in measured.items():
        for path in documented.places:
            for probe in documented.probes(path):
                file = places.File(documented.examples)
                file.put(path, probe.value, "@1")
                dropped = bool(facts.rejected(file.data, version))
                if dropped != (one.outcomes[probe.key] == "dropped"):
                    yield f"{version}: {probe.key} is {one.outcomes[probe.key]}"


def text_of(facts: accepted.Accepted) -> str:
    """The facts as a file, one place a line."""
    data: dict[str, Any] = msgspec.to_builtins(facts)
    takes = data.pop("takes")
    lines = (f"{json.dumps(path)}: {json.dumps(found)}" for path, found in sorted(takes.items()))
    head = ",\n".join(f"{json.dumps(name)}: {json.dumps(one)}" for name, one in data.items())
    return "{\n" + head + ',\n"takes": {\n' + ",\n".join(lines) + "\n}\n}\n"


def main() -> None:
    measured = measure(Path("/tmp/facts-settings"))  # noqa: S108 - may go on where it was cut off
    facts = described(measured)
    wrong = list(mistakes(facts, measured))
    print(*wrong, sep="\n")
    TARGET.write_text(text_of(facts), encoding="utf-8")
    print(f"{len(facts.takes)} places, {len(wrong)} values that the words do not tell")


if __name__ == "__main__":
    main()
