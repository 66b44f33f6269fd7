"""Who uses the gateway: one that a session of a client started ends with the last session."""

from __future__ import annotations

import os
from typing import Final

from haha_config.core.messages import msg
from haha_config.io import disk, gateway_process, report
from haha_config.workflow.session import Session

#: The folder, in the state folder, of notes about who uses which gateway.
_SESSIONS: Final = "sessions"


def join_gateway(session: Session, port: int) -> None:
    """Note that this process's client uses the gateway on `port`: it is not ended meanwhile."""
    folder = session.state_folder / _SESSIONS
    with disk.exclusive(folder):
        gateway_process.join(folder, port)


def end_session(session: Session) -> None:
    """After the client: end the gateway that a session started, if no other one uses it."""
    folder = session.state_folder / _SESSIONS
    if not any(folder.glob(f"*-{os.getpid()}")):
        return
    with disk.exclusive(folder):
        for port in gateway_process.leave(folder):
            path = gateway_process.record_path(session.state_folder, port)
            record = gateway_process.read_record(path)
            if record is None or record.kept or gateway_process.joined(folder, port):
                continue
            gateway_process.stop(record)
            gateway_process.release(path)
            report.talk(msg("Stopped the gateway."))
