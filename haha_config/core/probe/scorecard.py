"""The result of a probe: checks, the last grade reached, and a verdict in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal

from msgspec import Struct

from haha_config.core.exchange import HttpExchange
from haha_config.core.messages import Message, msg
from haha_config.core.model import Data, Slot
from haha_config.core.probe.diagnosis import Hint

Grade = Literal["none", "reach", "auth", "model", "stream", "tools"]
Status = Literal["pass", "fail", "warn", "skip"]

#: In the order in which they are reached.
GRADES: Final[tuple[Grade, ...]] = ("none", "reach", "auth", "model", "stream", "tools")


class Check(Struct, frozen=True, kw_only=True):
    """One thing that was tried. `ms`: how long the slowest of its requests took.

    `open`: it could not be decided whether the client works, and this is why.
    """

    name: str
    status: Status
    detail: Message
    hint: Hint = None
    ms: int | None = None
    open: bool = False


class Scorecard(Struct, frozen=True, kw_only=True):
    """A model's checks. `exchanges`: the recorded requests; their headers hold the credential."""

    model: str
    slots: tuple[Slot, ...] = ()
    checks: tuple[Check, ...] = ()
    exchanges: tuple[HttpExchange, ...] = ()

    def __repr__(self) -> str:
        """Without the exchanges: a traceback or a failed test must not show a key."""
        return f"Scorecard({self.model!r}, {self.checks!r})"

    @property
    def grade(self) -> Grade:
        """The last grade before the first failure; what was skipped is not reached."""
        status = {check.name: check.status for check in self.checks}
        reached: Grade = "none"
        for grade in GRADES[1:]:
            if status.get(grade) not in ("pass", "warn"):
                break
            reached = grade
        return reached

    @property
    def failed(self) -> tuple[Check, ...]:
        return tuple(c for c in self.checks if c.status == "fail")

    @property
    def works(self) -> bool:
        """Whether the client can do its work with this model."""
        return self.grade == "tools" and not self.failed

    @property
    def verdict(self) -> Message:
        if self.failed:
            return msg("will not work: {why}", why=self.failed[0].detail)
        warned = tuple(c.detail for c in self.checks if c.status == "warn")
        untried = tuple(c.detail for c in self.checks if c.name == "size" and c.status == "skip")
        undecided = tuple(c.detail for c in self.checks if c.open)
        if undecided:
            return msg("not known: {why}", why=undecided[0])
        if self.grade != "tools":
            return msg("not known: tools were not tried")
        if warned or untried:
            return msg("will work, but {what}", what=(*warned, *untried))
        return msg("will work")

    @property
    def hints(self) -> tuple[Message | str, ...]:
        """Every mend once, those of failures first."""
        found: list[Message | str] = []
        for check in sorted(self.checks, key=lambda c: c.status != "fail"):
            if check.hint is not None and check.hint not in found:
                found.append(check.hint)
        return tuple(found)


class ProbeReport(Struct, frozen=True, kw_only=True):
    """Every model's scorecard, in the order in which they were asked for."""

    cards: tuple[Scorecard, ...]

    def reaches(self, wanted: Grade) -> bool:
        """Whether every model gets at least so far; `tools` means that it works."""
        if wanted == "tools":
            return self.works
        return all(GRADES.index(card.grade) >= GRADES.index(wanted) for card in self.cards)

    @property
    def works(self) -> bool:
        return all(card.works for card in self.cards)


def as_data(report: ProbeReport) -> list[dict[str, Data]]:
    """Design section 3's shape, with messages where text goes."""
    return [
        {
            "model": card.model,
            "slots": list(card.slots),
            "grade": card.grade,
            "verdict": card.verdict,
            "checks": [
                {"name": c.name, "status": c.status, "detail": c.detail, "hint": c.hint, "ms": c.ms}
                for c in card.checks
            ],
        }
        for card in report.cards
    ]


def order(checks: Iterable[Check]) -> Sequence[Check]:
    """Grades first, in their order, then what is only told."""
    told = ("size", "params", "tries", "count_tokens", "context")
    names: tuple[str, ...] = ("client", "requests", *GRADES[1:], *told)
    return sorted(checks, key=lambda c: names.index(c.name))
