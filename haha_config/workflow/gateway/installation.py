"""LiteLLM on this machine: which one is run, and how the tested one gets here."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Final

from haha_config.core.errors import HahaError
from haha_config.core.messages import Message, msg
from haha_config.core.state.machine import Installed
from haha_config.core.state.state import State
from haha_config.io import disk, installer, report, templates
from haha_config.workflow.gateway.waiting import clock, progress
from haha_config.workflow.session import Session

LOCK: Final = "litellm-requirements.txt"
UV_LOCK: Final = "uv-requirements.txt"
#: A login in the URL of an index, as an installer may repeat it.
_URL_LOGIN: Final = re.compile(r"//[^/@\s]+@")


def locked_version() -> str:
    """The LiteLLM that our end-to-end tests ran, from the lock that ships with us."""
    found = re.search(r"^litellm==(\S+)", templates.text(LOCK), re.MULTILINE)
    assert found is not None  # noqa: S101 - a test reads the same file
    return found[1]


def install_locked(session: Session) -> Installed | None:
    """Install the tested LiteLLM; None once it is done, or the good one that is here already.

    One installation at a time: a second one waits, and finds what the first has made. Raises
    HahaError where it can't be installed, with the reason in words.
    """
    good = best(looked(session))
    # One of ours may still be in the making.
    if good is not None and not Path(good.path).is_relative_to(session.data_folder):
        return good
    try:
        # A lock of its own: an installation takes minutes, and other commands write meanwhile.
        with disk.exclusive(session.data_folder / "installing", _waiting):
            state = looked(session)
            good = best(state)
            if good is None:
                say_bad(state)
                _install(session)
            return good
    except OSError as error:
        raise HahaError(msg("can't install LiteLLM: {why}", why=error.strerror or "")) from None


def _waiting() -> None:
    report.talk(msg("waiting for another `proxy install` to finish"))


def _install(session: Session) -> None:
    version = locked_version()
    target = session.data_folder / f"litellm-{version}"
    began = time.monotonic()
    try:
        with progress(msg("installing LiteLLM {version}", version=version)) as tell:
            installer.install(
                target,
                installer.Locks(templates.FOLDER / LOCK, templates.FOLDER / UV_LOCK),
                session.environ,
                lambda reached: tell(_reached(reached)),
                avoid=_projects(session),
            )
    except installer.NotInstalled as failed:
        for line in failed.said:
            report.talk(_URL_LOGIN.sub("//****@", line))
        raise
    report.talk(
        msg(
            "Installed LiteLLM {version} in {clock}: {path}",
            version=version,
            clock=clock(time.monotonic() - began),
            path=report.short(str(target)),
        )
    )


def _projects(session: Session) -> list[Path]:
    """The folders whose programs are not run: what is at or above the home is no project."""
    folders = {session.folder, session.project, session.cwd}
    return [folder for folder in folders if not session.home.is_relative_to(folder)]


def _reached(reached: installer.Progress) -> Message:
    total = reached.total
    if total is None:
        return msg("looking for the installer")
    if reached.stage == "install":
        return msg("{n} of {total} packages unpacked", n=reached.done, total=total)
    if not reached.size:
        return msg("{n} of {total} packages", n=reached.done, total=total)
    size = round(reached.size / 1e6)
    return msg("{n} of {total} packages, {size} MB", n=reached.done, total=total, size=size)


def say_bad(state: State) -> None:
    """Name each LiteLLM that is here and is not run."""
    for bad in (f for f in _found(state) if not _fits(f, state)):
        report.talk(
            msg("not used: LiteLLM {version} in {path}", version=bad.version, path=bad.path)
        )


def _found(state: State) -> tuple[Installed, ...]:
    return state.machine.litellm if state.machine else ()


def looked(session: Session) -> State:
    """The state with every LiteLLM on this machine, whatever the client's route is."""
    from msgspec.structs import replace

    from haha_config.io import machine
    from haha_config.workflow.read_state import poisoned_versions, read_state, where_to_look

    state = read_state(session)
    if state.machine is None or state.machine.litellm:
        return state
    known = poisoned_versions()
    found = machine.litellm(where_to_look(session), known.markers, known.traces)
    return replace(state, machine=replace(state.machine, litellm=found))


def _fits(found: Installed, state: State) -> bool:
    machine = state.machine
    assert machine is not None  # noqa: S101 - looked() filled it
    if found.brought or found.version in machine.compromised or found.markers or not found.proxy:
        return False
    return _numbers(found.version) >= _numbers(machine.oldest)


def best(state: State) -> Installed | None:
    """The installation to run: ours, else the version that was tested, else the newest good one."""
    good = [f for f in _found(state) if _fits(f, state)]
    tested = locked_version()
    return max(good, key=lambda f: (f.ours, f.version == tested, _numbers(f.version)), default=None)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", version.split("rc")[0]))


def program_of(found: Installed) -> Path:
    """LiteLLM's own program beside the folder that it is installed in."""
    packages = Path(found.path)
    if os.name == "nt":
        return packages.parents[1] / "Scripts" / "litellm.exe"
    return packages.parents[2] / "bin" / "litellm"
