"""The rules over what a write has just left behind."""

from __future__ import annotations

from haha_config.cli.look import look
from haha_config.cli.session import Session
from haha_config.core.model import Finding
from haha_config.core.rules import run


def findings(session: Session) -> list[Finding]:
    """Every finding but the machine's: a gateway that is not started is what `Next` is about."""
    return run(look(session), ignore=("SYS",))
