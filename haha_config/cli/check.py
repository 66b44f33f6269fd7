"""The rules over the files as they are now, for `validate` and for the end of every write."""

from __future__ import annotations

from haha_config.cli.session import Session
from haha_config.core.model import Finding
from haha_config.core.rules import run


def findings(session: Session) -> list[Finding]:
    """Every finding of every rule that looks at files; the machine is not asked again."""
    return run(session.state())
