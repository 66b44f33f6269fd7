"""What haha-config says that the client will send, for tests that compare it with the client."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from haha_config.core import variables as v
from haha_config.core.change.outgoing import outgoing
from haha_config.core.state import asked
from haha_config.io import machine
from haha_config.workflow.session import Session


def answers(version: str, home: Path, cwd: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """The base URL, the model ("": its own), the headers by name; `silent`: nothing is sent."""
    session = Session(
        environ=environ,
        home=home,
        cwd=cwd,
        folder=cwd,
        project=cwd,
        scope="user",
        client="claude",
        checkout=False,
        version=version,
    )
    state = session.state()
    kept = machine.client_state(environ, home)
    logged_in = session.logged_in or kept.primary_api_key is not None
    return {
        "url": state.value(v.BASE_URL).strip(),
        "model": asked.model(state),
        "headers": {h.name.lower(): h.value for h in outgoing(state, kept.primary_api_key)},
        "silent": asked.silent(state, logged_in=logged_in) is not None,
    }


if __name__ == "__main__":
    given = json.load(sys.stdin)
    found = answers(given["version"], Path(given["home"]), Path(given["cwd"]), given["environ"])
    json.dump(found, sys.stdout)
