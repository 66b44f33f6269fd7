"""`use off`: take out what is ours and leave every file as if we had never been there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from haha_config.core.change import uninstall
from haha_config.core.messages import msg
from haha_config.core.model import Plan, TargetName, Write
from haha_config.core.state.file import File, parse
from haha_config.core.state.state import State
from haha_config.io import disk
from haha_config.workflow.apply import WriteOptions, report_result, write
from haha_config.workflow.session import Session


def off(session: Session, manner: WriteOptions) -> int:
    """Plan and write it in one transaction; returns the exit code."""
    manner = replace(manner, agrees=False)
    outcome = write(
        session, lambda: Plan(writes=tuple(_writes(session))), manner, previewed=not manner.dry_run
    )
    if not outcome.applied:
        return report_result(outcome, manner)
    from haha_config.workflow.read_state import owners

    outcome.findings = owners(session)
    if any(Path(w.path).name == "litellm.env" for w in outcome.plan.effective):
        outcome.next.append(
            msg("if the gateway runs, stop it: {command}", command="haha-config proxy down")
        )
    headline = msg("Removed haha-config's variables from {paths}.", paths=outcome.written)
    return report_result(outcome, manner, headline)


def _writes(session: Session) -> Iterator[Write]:
    state = session.state()
    presences = _presences(session)
    for target, file in _targets(session, state):
        presence = presences.get(file.snapshot.real, uninstall.Footprint())
        start = session.starts.get(target, "")
        yield uninstall.removed_ours(file, presence, start, state.owned)


def _targets(session: Session, state: State) -> Iterator[tuple[TargetName, File]]:
    yield "settings", state.target
    if state.edits_dotenv:
        yield "env", state.dotenv
    yield "litellm", state.litellm
    yield "litellm_env", state.litellm_env
    from haha_config.io import git, paths

    inside = paths.git_top(session.folder) is not None
    fact = git.exclusion(str(session.env_path)) if inside else None
    if fact is not None:
        # The private ignore file of this work tree. Its name has no starting text: git made it.
        yield "exclude", parse(disk.snapshot(fact.exclude), "lines")  # type: ignore[misc]


def _presences(session: Session) -> dict[str, uninstall.Footprint]:
    """By real path: what the journal still knows of our writes, and how each file was before."""
    numbered: dict[str, list[tuple[int, Write]]] = {}
    for number, entry in disk.entries(session.state_folder):
        numbered.setdefault(entry.real, []).append((number, entry.write()))
    arrivals = disk.arrivals(session.state_folder)
    return {
        real: uninstall.presence(numbered.get(real, ()), arrivals.get(real))
        for real in {*numbered, *arrivals}
    }
