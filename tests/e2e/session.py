"""An interactive client in a real terminal, for tests of sessions that stay open."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import pexpect
import pyte

from tests.e2e import parts
from tests.e2e.processes import QUIET, environment

_DOWN, _ENTER = "\x1b[B", "\r"

#: Screens of a fresh home, and the key that goes on. The first that fits the screen is taken.
_FIRST_RUN: tuple[tuple[str, str], ...] = (
    (r"Choose the text style|Let's get started", _ENTER),
    (r"Press Enter to continue", _ENTER),
    # 2.1.330 stands on "No, exit" where 2.1.197 stood on yes.
    (r"❯ (\d\. )?No, exit", _DOWN),
    (r"❯ (\d\. )?Yes", _ENTER),
)
#: The line under the place where one types.
_READY = re.compile(r"\? for shortcuts|shift\+tab to cycle")


class _Screen(pyte.Screen):
    """A screen that answers: a client asks its terminal where the cursor is and what it can do."""

    child: pexpect.spawn[bytes]

    def write_process_input(self, data: str) -> None:
        self.child.send(data)


def _heed_signals() -> None:
    """Ctrl-C counts, also where the tests were started in the background of a script."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Session:
    """The client at work in `columns` by `rows`; leave the `with` block to end it."""

    def __init__(
        self,
        version: str,
        *,
        home: Path,
        cwd: Path,
        env: Mapping[str, str] = QUIET,
        args: Sequence[str] = (),
        command: Sequence[str] | None = None,
        columns: int = 110,
        rows: int = 40,
    ) -> None:
        """`command` replaces the client's own start, for one that is started by `run`."""
        program, *rest = command or [str(parts.client(version)), *args]
        self._screen = _Screen(columns, rows)
        self._feed = pyte.ByteStream(self._screen)
        self.child: pexpect.spawn[bytes] = pexpect.spawn(
            program,
            rest,
            cwd=str(cwd),
            env={**environment(home), "TERM": "xterm-256color", **env},
            dimensions=(rows, columns),
            timeout=None,
            preexec_fn=_heed_signals,
        )
        self._screen.child = self.child

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        try:
            self.child.close(force=True)
        except pexpect.ExceptionPexpect:
            # It gives a child a tenth of a second to die, which a busy machine does not keep.
            self.child.kill(signal.SIGKILL)
            self.child.wait()

    @property
    def screen(self) -> str:
        """What a person would see now, without trailing blanks."""
        return "\n".join(line.rstrip() for line in self._screen.display).strip("\n")

    def wait_for(self, pattern: str, timeout: float = 60) -> str:
        """The screen, once `pattern` is on it."""
        deadline = time.monotonic() + timeout
        while not re.search(pattern, self.screen, re.DOTALL):
            if time.monotonic() > deadline or not self._read():
                raise TimeoutError(f"no {pattern!r} on the screen:\n{self.screen}")
        return self.screen

    def settle(self, quiet: float = 0.6, timeout: float = 30) -> str:
        """The screen, once nothing has been drawn for `quiet` seconds."""
        deadline = time.monotonic() + timeout
        last = time.monotonic()
        while time.monotonic() - last < quiet and time.monotonic() < deadline:
            if self._read() == "drawn":
                last = time.monotonic()
        return self.screen

    def get_ready(self, timeout: float = 90) -> list[str]:
        """Through theme, safety notes and folder trust, to the line where one types.

        The screens on the way, the last one with that line.
        """
        deadline = time.monotonic() + timeout
        screens: list[str] = []
        while time.monotonic() < deadline:
            screen = self.settle()
            key = next((k for p, k in _FIRST_RUN if re.search(p, screen, re.DOTALL)), None)
            if key is not None:
                screens.append(screen)
                self.child.send(key)
            elif _READY.search(screen):
                return [*screens, screen]
            elif not self.child.isalive():
                break
        raise TimeoutError(f"the client is not ready:\n{self.screen}")

    def choose(self, row: str, timeout: float = 30) -> None:
        """Enter on the row of a dialog whose text begins with the pattern `row`."""
        deadline = time.monotonic() + timeout
        while not re.search(rf"❯ (\d+\. )?{row}", self.settle(quiet=0.3)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"no row {row!r} to choose:\n{self.screen}")
            self.child.send(_DOWN)
        self.child.send(_ENTER)

    def leave(self) -> int:
        """`/exit`, and the code that the client ends with."""
        self.say("/exit")
        while self._read():
            pass
        self.child.wait()
        return int(self.child.exitstatus or 0)

    def say(self, message: str) -> None:
        """Types a message and sends it; await its arrival with `Upstream.wait_for`."""
        self.child.send(message)
        self.wait_for(re.escape(message))
        # Enter in the same read as the text would be taken for a pasted line break.
        self.settle(quiet=0.3)
        self.child.send("\r")

    def _read(self) -> str:
        """`drawn`, `silent`, or empty at the end of the program."""
        try:
            self._feed.feed(self.child.read_nonblocking(65536, timeout=0.1))
        except pexpect.TIMEOUT:
            return "silent"
        except pexpect.EOF:
            return ""
        return "drawn"
