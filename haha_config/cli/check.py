"""The rules over what a write has just left behind."""

from __future__ import annotations

from haha_config.cli.session import Session
from haha_config.core.model import Finding
from haha_config.io import places


def findings(session: Session) -> list[Finding]:
    """Every finding but the machine's: a gateway that is not started is what `Next` is about."""
    return _run(session, ignore=("SYS",))


def owners(session: Session) -> list[Finding]:
    """What says that another tool writes settings.json too (OWN): asked where one was used."""
    if not places.other_tools(session.home, session.client_folder):
        return []
    return _run(session, select=("OWN",))


def _run(
    session: Session, select: tuple[str, ...] = (), ignore: tuple[str, ...] = ()
) -> list[Finding]:
    from haha_config.cli.look import look
    from haha_config.core.rules import run

    return run(look(session), select, ignore)
