"""LiteLLM on this machine: which one is run, and how the tested one gets here."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from haha_config.core.errors import HahaError
from haha_config.core.messages import Message, msg
from haha_config.core.state.machine import Installed
from haha_config.core.state.state import State
from haha_config.io import disk, gateway_process, installer, programs, report, templates
from haha_config.workflow.gateway.progress import clock, progress
from haha_config.workflow.session import Session
from haha_config.workflow.trust import foreign_folders

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
    waiting = partial(report.talk, msg("waiting for another `proxy install` to finish"))
    try:
        # A lock of its own: an installation takes minutes, and other commands write meanwhile.
        with disk.exclusive(session.data_folder / "installing", waiting):
            state = looked(session)
            good = best(state)
            if good is None:
                say_bad(state)
                _install(session)
            return good
    except OSError as error:
        raise HahaError(msg("can't install LiteLLM: {why}", why=error.strerror or "")) from None


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
                programs.find("uv", session.environ.get("PATH", ""), foreign_folders(session)),
            )
    except installer.NotInstalled as failed:
        for line in failed.said:
            if not line.startswith("Ignoring "):
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
    """The state with every LiteLLM on this machine."""
    from haha_config.workflow.read_state import read_state

    return read_state(session, litellm=True)


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


#: LiteLLM's own start, with a collector of garbage that is in no hurry: while its hundred packages
#: are loaded it finds nothing and takes a third of the time (measured: 6.2 s against 4.4 s).
_STARTER: Final = (
    "import gc, sys; gc.set_threshold(100_000, 50, 50); "
    "from litellm import run_server; sys.exit(run_server())"
)


def starter_of(found: Installed) -> list[str]:
    """The command that starts this LiteLLM, without what it is told."""
    prefix = _prefix(found)
    if not (prefix / "pyvenv.cfg").is_file():
        return [str(_program(prefix, "litellm"))]
    return [str(_program(prefix, "python")), "-c", _STARTER]


#: What a start loads, the last first: the start itself compiles from the other end.
_LOADED: Final = ("litellm/proxy", "fastapi", "mcp", "redis", "litellm")


@contextmanager
def compiled_ahead(found: Installed, session: Session) -> Iterator[None]:
    """While it starts for the first time, compile on a second processor what it will load.

    Measured: 8 s instead of 11 s. Where nobody may write there, nothing is written.
    """
    packages = Path(found.path)
    if (packages / "litellm" / "proxy" / "__pycache__").exists():
        yield
        return
    folders = [str(packages / name) for name in _LOADED]
    command = [str(_program(_prefix(found), "python")), "-m", "compileall", "-q", *folders]
    environ = gateway_process.gateway_environ({}, session.environ)
    with gateway_process.meanwhile(command, environ, cwd=session.state_folder):
        yield


def _prefix(found: Installed) -> Path:
    return Path(found.path).parents[1 if os.name == "nt" else 2]


def _program(prefix: Path, name: str) -> Path:
    return prefix / "Scripts" / f"{name}.exe" if os.name == "nt" else prefix / "bin" / name
