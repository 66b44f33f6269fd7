"""`--fix`: what the findings would set right, as one plan. Nothing is written here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from haha_config.core.edit.formats import edit
from haha_config.core.edit.text import BOM
from haha_config.core.errors import Refusal
from haha_config.core.messages import Message, msg
from haha_config.core.model import Change, Finding, Fix, Path, Plan, Write
from haha_config.core.rules import run
from haha_config.core.state.file import File, parse
from haha_config.core.state.state import State

#: One mend can uncover the next problem (a `/v1`, then the provider's path): a few rounds do.
_ROUNDS: Final = 6
#: The fixes of one finding, in all the files that it is about.
Group: TypeAlias = tuple[Fix, ...]


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
    current, refused = state, dict[str, Message]()
    done: list[Group] = []
    for _ in range(_ROUNDS):
        before = current
        groups = compatible(run(current, select, ignore))
        current, made = _applied(current, groups, refused)
        done += made
        if current is before:
            break
    fixes = list(chain.from_iterable(done))
    changes: dict[str, list[Change]] = defaultdict(list)
    for fix in fixes:
        changes[fix.path] += fix.changes
    return Fixed(
        plan=Plan(
            writes=tuple(_writes(state, current, changes)),
            notes=tuple(_said(path, why, changes) for path, why in refused.items()),
        ),
        private=tuple(dict.fromkeys(fix.path for fix in fixes if fix.private)),
        exclude=tuple(dict.fromkeys(fix.path for fix in fixes if fix.exclude)),
        state=current,
    )


def _said(path: str, why: Message, changes: Mapping[str, Sequence[Change]]) -> Message:
    if changes.get(path):
        return msg("{path} is repaired only in part: {why}", path=path, why=why)
    return msg("{path} is unchanged: {why}", path=path, why=why)


def compatible(findings: Iterable[Finding]) -> list[Group]:
    """Each finding's fixes, but for one that wants another value where an earlier one has a say.

    A finding is mended as a whole or not at all: half of a move between two files loses a key.
    """
    wanted: dict[tuple[str, Path], Change] = {}
    groups: list[Group] = []
    for group in (finding.fixes for finding in findings if finding.fixes):
        mine = {(fix.path, change.path): change for fix in group for change in fix.changes}
        if all(wanted.get(where, change) == change for where, change in mine.items()):
            wanted.update(mine)
            groups.append(group)
    return groups


def _applied(
    state: State, groups: Sequence[Group], refused: dict[str, Message]
) -> tuple[State, list[Group]]:
    """The state with these fixes made, and those that could be: halved until each refusal is alone.

    So one finding that can't be mended costs a few edits of the file, not one for each finding.
    """
    try:
        return _with_all(state, groups, refused if len(groups) == 1 else {}), list(groups)
    except Refusal:
        if len(groups) == 1:
            return state, []
    half = len(groups) // 2
    state, first = _applied(state, groups[:half], refused)
    state, second = _applied(state, groups[half:], refused)
    return state, [*first, *second]


def _with_all(state: State, groups: Iterable[Group], refused: dict[str, Message]) -> State:
    """Raises Refusal where a file can't be edited; `refused` has then what was said of it."""
    for fix in merged(groups):
        try:
            state = _with(state, fix)
        except Refusal as refusal:
            refused.setdefault(fix.path, refusal.what)
            raise
    return state


def merged(groups: Iterable[Group]) -> Iterator[Fix]:
    """The fixes, one a file."""
    by_path: dict[str, list[Fix]] = defaultdict(list)
    for fix in chain.from_iterable(groups):
        by_path[fix.path].append(fix)
    for path, fixes in by_path.items():
        changes = {change.path: change for fix in fixes for change in fix.changes}
        yield Fix(
            path=path,
            changes=tuple(changes.values()),
            bare=any(fix.bare for fix in fixes),
            private=any(fix.private for fix in fixes),
            exclude=any(fix.exclude for fix in fixes),
        )


def _with(state: State, mend: Fix) -> State:
    """The state with one file mended; the same object where that changes no byte."""
    file = next((f for f in files(state) if f.path == mend.path), None)
    if file is None or (file.document is None and mend.changes):
        return state
    if file.strange is not None and not mend.bare:
        raise file.strange
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
    for name in ("dotenv", "litellm", "litellm_env"):
        if getattr(state, name).path == new.path:
            return replace(state, **{name: new})
    included = tuple(new if file.path == new.path else file for file in state.included)
    settings = {k: new if f.path == new.path else f for k, f in state.settings.items()}
    return replace(state, settings=settings, included=included)


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
