"""`--fix`: what the findings would set right, as one plan. Nothing is written here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from haha_config.core.edit.formats import edit
from haha_config.core.edit.text import BOM
from haha_config.core.errors import Refusal
from haha_config.core.messages import Message, msg
from haha_config.core.model import Change, Finding, Fix, Plan, Write
from haha_config.core.rules import run
from haha_config.core.state.file import File, parse
from haha_config.core.state.state import State

#: One mend can uncover the next problem (a `/v1`, then the provider's path): a few rounds do.
_ROUNDS: Final = 6


class Fixed(Struct, frozen=True, kw_only=True):
    """The plan, the state after it, and what no edit does.

    `private`: files that nobody else may read any more. `exclude`: files that git is to ignore.
    """

    plan: Plan
    private: tuple[str, ...]
    exclude: tuple[str, ...]
    state: State


def fixed(state: State, select: Collection[str] = (), ignore: Collection[str] = ()) -> Fixed:
    """Mend what these rules find, round by round, until they find nothing that can be mended."""
    current, notes = state, dict[str, Message]()
    private: dict[str, None] = {}
    exclude: dict[str, None] = {}
    changes: dict[str, list[Change]] = {}
    for _ in range(_ROUNDS):
        before = current
        found = run(current, select, ignore)
        for mend in merged(found):
            if mend.private:
                private[mend.path] = None
            if mend.exclude:
                exclude[mend.path] = None
            done = changes.setdefault(mend.path, [])
            try:
                current = _with(current, mend)
                done.extend(mend.changes)
            except Refusal as refusal:
                current, made = _one_by_one(current, found, mend.path)
                done.extend(made)
                why = (
                    msg("{path} is not mended whole: {why}", path=mend.path, why=refusal.what)
                    if made
                    else msg("{path} stays as it is: {why}", path=mend.path, why=refusal.what)
                )
                notes.setdefault(mend.path, why)
        if current is before:
            break
    writes = tuple(_writes(state, current, changes))
    return Fixed(
        plan=Plan(writes=writes, notes=tuple(notes.values())),
        private=tuple(private),
        exclude=tuple(exclude),
        state=current,
    )


def _one_by_one(
    state: State, findings: Iterable[Finding], path: str
) -> tuple[State, tuple[Change, ...]]:
    """What can be mended of a file where all at once can't: each finding's mend, or none of it."""
    made: dict[object, Change] = {}
    for mend in (m for f in findings for m in f.fixes if m.path == path):
        if any(change.path in made for change in mend.changes):
            continue
        try:
            state = _with(state, mend)
        except Refusal:
            continue
        made.update((change.path, change) for change in mend.changes)
    return state, tuple(made.values())


def merged(findings: Iterable[Finding]) -> Iterator[Fix]:
    """The findings' fixes, one a file. The first change of an entry stands."""
    changes: dict[str, dict[object, Change]] = {}
    bare: set[str] = set()
    private: set[str] = set()
    exclude: set[str] = set()
    for mend in (m for f in findings for m in f.fixes):
        mine = changes.setdefault(mend.path, {})
        for change in mend.changes:
            mine.setdefault(change.path, change)
        bare |= {mend.path} if mend.bare else set()
        private |= {mend.path} if mend.private else set()
        exclude |= {mend.path} if mend.exclude else set()
    for path, mine in changes.items():
        yield Fix(
            path=path,
            changes=tuple(mine.values()),
            bare=path in bare,
            private=path in private,
            exclude=path in exclude,
        )


def _with(state: State, mend: Fix) -> State:
    """The state with one file mended; the same object where that changes no byte."""
    file = next((f for f in files(state) if f.path == mend.path), None)
    if file is None or (file.document is None and mend.changes):
        return state
    text = edit(file.format, file.text, mend.changes) if mend.changes else file.text
    if mend.bare:
        text = text.removeprefix(BOM)
    before = file.snapshot
    after = replace(before, data=text.encode("utf-8"))
    if mend.private and before.mode is not None:
        after = replace(after, mode=before.mode & 0o700)
    if mend.exclude:
        after = replace(after, ignored=True)
    return state if after == before else _exchange(state, parse(after, file.format))


def files(state: State) -> tuple[File, ...]:
    """Every file that was read."""
    settings = (file for _, file in state.settings_files)
    return (*settings, state.dotenv, state.litellm, state.litellm_env, *state.included)


def _exchange(state: State, new: File) -> State:
    if new.path == state.dotenv.path:
        return replace(state, dotenv=new)
    if new.path == state.litellm.path:
        return replace(state, litellm=new)
    if new.path == state.litellm_env.path:
        return replace(state, litellm_env=new)
    if any(file.path == new.path for file in state.included):
        included = (new if file.path == new.path else file for file in state.included)
        return replace(state, included=tuple(included))
    settings = {k: new if f.path == new.path else f for k, f in state.settings.items()}
    return replace(state, settings=settings)


def _writes(before: State, after: State, changes: dict[str, list[Change]]) -> Iterator[Write]:
    for old, new in zip(files(before), files(after), strict=True):
        if old.snapshot.data != new.snapshot.data:
            yield Write(
                path=old.path,
                format=old.format,
                before=old.snapshot.data,
                after=new.snapshot.data,
                secret=old.format != "yaml",
                changes=tuple(changes.get(old.path, ())),
            )
