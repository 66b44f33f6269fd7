"""Three files as a person has them, and plans over them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from haha_config.core.model import Format, Plan, Set, Write
from haha_config.io import disk

OLD = {
    ".env": b"# mine\nANTHROPIC_MODEL=old\n",
    "settings.json": b'{\r\n\t"env": {"ANTHROPIC_MODEL": "old"}, "theme": "dark"\r\n}',
    "litellm_config.yaml": "# héllo\nmodel_list: []\n".encode(),
}
NEW = {name: data.replace(b"old", b"new") + b"\n" for name, data in OLD.items()}
FORMATS: dict[str, Format] = {
    ".env": "dotenv",
    "settings.json": "json",
    "litellm_config.yaml": "yaml",
}


@dataclass(frozen=True)
class Bed:
    """A folder with the files, and a state folder that does not exist yet."""

    folder: Path
    state: Path

    def path(self, name: str) -> Path:
        return self.folder / name

    def plan(self, old: dict[str, bytes] = OLD, new: dict[str, bytes] = NEW) -> Plan:
        return Plan(
            writes=tuple(
                Write(
                    path=str(self.path(name)),
                    format=FORMATS[name],
                    before=old.get(name),
                    after=new.get(name),
                    secret=True,
                    changes=(Set(("ANTHROPIC_MODEL",), "new"),),
                )
                for name in FORMATS
                if name in old or name in new
            )
        )

    def fresh_plan(self, new: dict[str, bytes]) -> Plan:
        """From the bytes that are there now, as a command builds it."""
        return self.plan(dict(self.found()), new)

    def found(self) -> Iterator[tuple[str, bytes]]:
        for name in FORMATS:
            if self.path(name).exists():
                yield name, self.path(name).read_bytes()

    def contents(self) -> dict[str, bytes]:
        return dict(self.found())

    def stray(self) -> list[str]:
        """Whatever stands beside the files and in the state folder, and is no record."""
        beside = [p.name for p in self.folder.iterdir() if p.name not in FORMATS]
        kept = {"lock", "open", "writes", "originals", "arrivals"}
        inside = [p.name for p in self.state.iterdir() if p.name not in kept]
        return beside + inside + [str(p) for p in disk.pending(self.state)]


def make(folder: Path) -> Bed:
    """The old files in `folder`/work."""
    bed = Bed(folder / "work", folder / "state")
    bed.folder.mkdir()
    for name, data in OLD.items():
        bed.path(name).write_bytes(data)
    return bed


def write_plan(
    plan: Plan,
    *,
    state: Path,
    command: str,
    fault: Callable[[str], None] = lambda _step: None,
    clock: Callable[[], float] = time.time,
) -> disk.Applied:
    """Write a plan that is the same however often it is made."""
    return disk.transact(lambda: plan, state=state, command=command, fault=fault, clock=clock)[1]
