"""What a real client makes of an endpoint: does it read a file by a tool and say what it holds?

`python -m tests.e2e.truth [NAME…]` runs the pinned clients on the faults and writes
`truth.json`, against which the probe is held.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from tests.e2e import behaviours as act
from tests.e2e import parts
from tests.e2e.faults import FAULTS as SINGLE
from tests.e2e.faults import Fault
from tests.e2e.hard_faults import HARD
from tests.e2e.processes import QUIET, environment
from tests.e2e.upstream import Upstream
from tests.e2e.wire import Behaviour, Reply, Request

KEY = "sk-test-0123456789abcdef"
CLIENTS = (parts.OLDEST, parts.NEWEST)
FILE = Path(__file__).with_name("truth.json")
FAULTS = (*SINGLE, *HARD)
#: Programs at once: on two cores more only wait for each other.
AT_ONCE = 3
SLOTS = (
    "ANTHROPIC_MODEL",
    "ANTHROPIC_DEFAULT_OPUS_MODEL",
    "ANTHROPIC_DEFAULT_SONNET_MODEL",
    "ANTHROPIC_DEFAULT_HAIKU_MODEL",
    "ANTHROPIC_DEFAULT_FABLE_MODEL",
    "CLAUDE_CODE_SUBAGENT_MODEL",
)


class Faulty:
    """One endpoint for many callers at once: each has a base path, and its fault to itself."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[Fault, Behaviour]] = {}
        self._upstream = Upstream()
        self._upstream.behave = self._choose

    @contextlib.contextmanager
    def running(self) -> Iterator[Faulty]:
        with self._upstream:
            yield self

    def url(self, fault: Fault) -> str:
        """A base URL with this fault, for one caller."""
        key = f"c{len(self._made)}"
        self._made[key] = (fault, fault.make())
        return f"{self._upstream.url}/{key}{fault.tail}"

    def requests(self, url: str) -> list[Request]:
        start = f"/{url.split('/')[3]}/"
        return [r for r in self._upstream.requests if r.path.startswith(start)]

    def _choose(self, request: Request) -> Behaviour:
        _, key, rest = f"{request.path}/".split("/", 2)
        fault, behaviour = self._made[key]
        path = f"/{rest}".rstrip("/") or "/"
        asked = replace(request, path=path)

        def answer(_request: Request, reply: Reply) -> None:
            match asked.dialect:
                case "hello" if fault.hello == 0:
                    reply.cut()
                case "hello":
                    reply.send(fault.hello, b"", "text/plain")
                case "models":
                    act.lists(["test-model"])(asked, reply)
                case "count" if fault.count == 200:
                    reply.json(200, {"input_tokens": len(asked.raw) // 4})
                case "count":
                    act.status(fault.count)(asked, reply)
                case _:
                    behaviour(asked, reply)

        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A home with a set-up as `init` writes it, and a folder with one file to read."""

    home: Path
    folder: Path

    @staticmethod
    def at(base: Path) -> Person:
        person = Person(home=base / "home", folder=base / "work")
        (person.home / ".claude").mkdir(parents=True)
        person.folder.mkdir()
        return person

    def uses(self, url: str, model: str = "test-model", key: str = KEY, **env: str) -> None:
        own = {
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_AUTH_TOKEN": key,
            "ANTHROPIC_API_KEY": "",
            **dict.fromkeys(SLOTS, model),
            "API_TIMEOUT_MS": "20000",
            "CLAUDE_CODE_MAX_CONTEXT_TOKENS": "200000",
            "ENABLE_TOOL_SEARCH": "false",
            **env,
        }
        (self.home / ".claude" / "settings.json").write_text(json.dumps({"env": own}))

    def client_works(self, version: str, seconds: float, files: int = 1, **env: str) -> bool:
        """One question to the real client that only the files can answer."""
        names = ("notes.txt", "more.txt")[:files]
        secrets = [f"marmot-{name}-{version}" for name in names]
        for name, secret in zip(names, secrets, strict=True):
            (self.folder / name).write_text(f"{secret}\n")
        question = f"Read the files {' and '.join(names)} and answer with what they say."
        try:
            done = subprocess.run(
                [str(parts.client(version)), "-p", question, "--output-format", "json"],
                cwd=self.folder,
                env={**environment(self.home), **QUIET, "CLAUDE_CODE_MAX_RETRIES": "2", **env},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
            )
            said = json.loads(done.stdout)
        except (subprocess.TimeoutExpired, ValueError):
            return False
        told = all(secret in str(said["result"]) for secret in secrets)
        return done.returncode == 0 and not said["is_error"] and told


def tried(faulty: Faulty, fault: Fault, version: str) -> bool:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as base:
        person = Person.at(Path(base))
        person.uses(faulty.url(fault))
        return person.client_works(version, fault.seconds, fault.files)


def measured(faults: Sequence[Fault]) -> dict[str, dict[str, bool]]:
    """By fault and version, whether the client works."""
    pairs = [(fault, version) for fault in faults for version in CLIENTS]
    with Faulty().running() as faulty, ThreadPoolExecutor(AT_ONCE) as pool:
        ran = list(pool.map(lambda pair: tried(faulty, *pair), pairs))
    found: dict[str, dict[str, bool]] = {}
    for (fault, version), works in zip(pairs, ran, strict=True):
        found.setdefault(fault.name, {})[version] = works
    return found


def known() -> Mapping[str, Mapping[str, bool]]:
    """What was measured last."""
    data: Mapping[str, Mapping[str, bool]] = json.loads(FILE.read_text(encoding="utf-8"))
    return data


def main() -> None:
    """Measure the faults that are named, or all."""
    wanted = [f for f in FAULTS if not sys.argv[1:] or f.name in sys.argv[1:]]
    found = {**(known() if FILE.exists() else {}), **measured(wanted)}
    kept = {fault.name: found[fault.name] for fault in FAULTS if fault.name in found}
    lines = (f"  {json.dumps(name)}: {json.dumps(works)}" for name, works in kept.items())
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
