"""Questions in a row that a person can walk back through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from haha_config.cli.interview.offer import Offers
from haha_config.core.messages import Message, msg
from haha_config.core.model import Route, Slot
from haha_config.core.providers.model import Provider
from haha_config.core.setup import draft as drafts
from haha_config.core.setup.draft import Draft
from haha_config.io import i18n, report
from haha_config.io.i18n import render
from haha_config.io.prompts import Prompter, WentBack
from haha_config.workflow.apply import WriteOptions
from haha_config.workflow.configure import Prepared
from haha_config.workflow.discover import Discovered
from haha_config.workflow.session import Session


class Adding(Struct, frozen=True, kw_only=True):
    """A model that is being put behind the gateway. `variable` "": it needs no key."""

    provider: str
    region: str = ""
    url: str = ""
    variable: str = ""
    model: str = ""


class Work(Struct, frozen=True, kw_only=True):
    """All that is decided so far.

    `slots` are the ones that were in the files when the provider was chosen, `chosen` the ones
    that were asked for by name; `slot` is being asked for, and the model `renaming` for another
    name. `editing`: one thing is changed, then the summary comes again.
    """

    session: Session
    found: Discovered
    draft: Draft
    slots: Mapping[Slot, str] = field(default_factory=dict)
    chosen: Mapping[Slot, str] = field(default_factory=dict)
    slot: Slot | None = None
    adding: Adding | None = None
    renaming: str = ""
    editing: bool = False

    @property
    def row(self) -> Provider:
        return self.session.providers[self.draft.provider]

    @property
    def via(self) -> Route:
        return drafts.route(self.draft, self.row)

    @property
    def own_gateway(self) -> bool:
        """Whether the models behind the gateway are chosen here."""
        return self.row.multi and not drafts.foreign_gateway(self.draft, self.row)

    def drafted(self, **changes: Any) -> Work:
        """The same with other answers in its draft."""
        return replace(self, draft=replace(self.draft, **changes))


class Talk(Struct, frozen=True, kw_only=True):
    """What stays the same: who asks, what the flags said, and how a draft is made ready."""

    ask: Prompter
    given: Draft
    manner: WriteOptions
    offers: Offers
    prepare: Callable[[Session, Draft, Discovered], Prepared]
    #: What was answered last, by question and row: the default when it is asked again.
    said: dict[tuple[str, str], str] = field(default_factory=dict)


class Turn(NamedTuple):
    """What came of one step, and the name of the next; "" ends. `asked` False: nobody was."""

    work: Work
    then: str
    asked: bool = True


Step: TypeAlias = Callable[[Talk, Work], Turn]


def wrapped(text: str, margin: int) -> list[str]:
    """The lines of a text beside a margin of so many columns."""
    import shutil

    return i18n.wrapped(text, max(20, shutil.get_terminal_size().columns - margin))


def remark(message: Message) -> None:
    """What belongs to the answer above it, as wide as the terminal."""
    for line in wrapped(render(message), 3):
        report.talk(f"  {line}")


def onward(work: Work, then: str, *, asked: bool = True) -> Turn:
    """The next question, or the summary where only one thing is being changed."""
    return Turn(work, "summary" if work.editing else then, asked)


def walk(steps: Mapping[str, Step], talk: Talk, work: Work, first: str) -> Work:
    """Ask from `first` on; each step back is to a question that was really asked."""
    trail: list[tuple[str, Work]] = []
    name = first
    while name:
        try:
            turn = steps[name](talk, work)
        except WentBack:
            if trail:
                name, work = trail.pop()
            else:
                talk.ask.remark = msg("this is the first question; Ctrl-C leaves without writing")
            continue
        if turn.asked:
            trail.append((name, work))
        work, name = turn.work, turn.then
    return work
