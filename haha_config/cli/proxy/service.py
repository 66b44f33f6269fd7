"""The gateway as a service of systemd."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

from haha_config.core.errors import HahaError
from haha_config.core.messages import msg
from haha_config.core.model import Plan
from haha_config.io import templates
from haha_config.workflow.session import Session, whole

UNIT: Final = "haha-config-proxy.service"


def install(session: Session) -> Path:
    """Write the unit where systemd looks for a user's units; its path.

    Raises HahaError where there is no systemd.
    """
    if sys.platform != "linux":
        raise HahaError(msg("systemd is only on Linux: print the unit and adapt it"))
    base = session.environ.get("XDG_CONFIG_HOME") or session.home / ".config"
    target = Path(base) / "systemd" / "user" / UNIT
    session.commit(lambda: Plan(writes=(whole(target, unit(session)),)), "proxy service")
    return target


def unit(session: Session) -> str:
    """The unit that runs `proxy up --foreground` for this folder."""
    words = [*_ourselves(), "proxy", "up", "--foreground", "--dir", str(session.folder)]
    return templates.text("proxy.service").replace("@COMMAND@", " ".join(map(_quoted, words)))


def _ourselves() -> list[str]:
    """How this program is started again, without the shell's PATH."""
    program = Path(sys.argv[0]).absolute()
    if program.name.startswith("haha-config") and program.is_file():
        return [str(program)]
    return [sys.executable, "-P", "-m", "haha_config"]


def _quoted(word: str) -> str:
    """A word as systemd reads it: its own variables, specifiers and quotes taken away."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if re.search(r"[\s'\"\\;]", word) else escaped
