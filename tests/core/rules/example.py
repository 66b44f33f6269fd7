"""Examples on disk as States: real files, under the names that a person's machine gives them.

`python -m tests.core.rules.example --write CODE/NAME …` writes what the rule finds in an example
beside it, as `expected.txt`; without names, in every failing example.
"""

from __future__ import annotations

import argparse
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from haha_config.core import rules
from haha_config.core.model import Finding, Format, Place, Snapshot
from haha_config.core.providers import table
from haha_config.core.providers.model import Providers
from haha_config.core.state import facts as shipped
from haha_config.core.state.accepted import Accepted
from haha_config.core.state.facts import Compromised, Documented
from haha_config.core.state.file import File, parse, parse_settings
from haha_config.core.state.layers import LayerName
from haha_config.core.state.machine import Agent, Installed, Machine, Owner
from haha_config.core.state.state import State, with_litellm
from haha_config.io import templates
from haha_config.io.i18n import english

EXAMPLES = Path(__file__).parents[2] / "examples"
FOLDER = "/home/you/haha"
HOME = "/home/you"
PROJECT = "/home/you/project"
TODAY = "2026-11-22"

#: Where a file of an example is on the machine that it describes.
SETTINGS: dict[LayerName, tuple[str, str]] = {
    "managed": ("managed-settings.json", "/etc/claude-code/managed-settings.json"),
    "local": (
        "project/.claude/settings.local.json",
        f"{PROJECT}/.claude/settings.local.json",
    ),
    "project": ("project/.claude/settings.json", f"{PROJECT}/.claude/settings.json"),
    "active-provider": (
        "home/.claude/cc-haha/settings.json",
        f"{HOME}/.claude/cc-haha/settings.json",
    ),
    "user": ("home/.claude/settings.json", f"{HOME}/.claude/settings.json"),
}


@cache
def provider_table() -> Providers:
    return table.load(templates.provider_texts())


@cache
def taken() -> Accepted:
    return shipped.parse(templates.text("facts/settings.json"), Accepted)


@cache
def poisoned() -> Compromised:
    return msgspec.toml.decode(templates.text("litellm-compromised.toml"), type=Compromised)


def load(folder: Path) -> State:
    """The State of one example; `state.toml` says what its files do not."""
    facts = _facts(folder / "state.toml")
    version = facts.get("client_version", "")
    read = {
        name: _settings(_file(folder, rel, path, "json", facts), version, name)
        for name, (rel, path) in SETTINGS.items()
    }
    state = State(
        client=facts.get("client", "haha"),
        folder=FOLDER,
        scope=facts.get("scope", "user"),
        settings={n: f for n, f in read.items() if f.exists or n == facts.get("scope", "user")},
        dotenv=_file(folder, ".env", f"{FOLDER}/.env", "dotenv", facts),
        litellm=_file(
            folder, "litellm_config.yaml", f"{FOLDER}/litellm_config.yaml", "yaml", facts
        ),
        litellm_env=_file(folder, "litellm.env", f"{FOLDER}/litellm.env", "dotenv", facts),
        environ=facts.get("environ", {}),
        providers=provider_table(),
        machine=machine(facts.get("machine", {})),
        checkout=facts.get("checkout", False),
        client_version=version,
        answers_for=shipped.closest(version, taken().versions),
        known_versions=taken().versions,
        documented=shipped.parse(templates.text("facts/names.json"), Documented),
    )
    if state.litellm.document is None:
        return state

    def beside(path: str) -> Snapshot:
        file = folder / Path(path).relative_to(FOLDER)
        data = file.read_bytes() if file.is_file() else None
        return Snapshot(path=path, real=path, data=data)

    return with_litellm(state, beside, templates.text("facts/litellm.json"))


def _facts(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _settings(file: File, version: str, layer: LayerName) -> File:
    if layer == "managed":
        return file
    return parse_settings(file.snapshot, taken(), shipped.closest(version, taken().versions))


def _file(folder: Path, rel: str, path: str, kind: Format, facts: dict[str, Any]) -> File:
    real = folder / rel
    known = facts.get("files", {}).get(rel, {})
    data = real.read_bytes() if real.exists() else None
    snapshot = Snapshot(
        path=path,
        real=path,
        data=data,
        mode=int(known.get("mode", "600"), 8) if data is not None else None,
        tracked=known.get("tracked"),
        committed=known.get("committed"),
        ignored=known.get("ignored"),
    )
    return parse(snapshot, kind)


def machine(facts: dict[str, Any]) -> Machine:
    """A machine on which all is well, but for `facts`."""
    told = Machine(
        today=TODAY,
        onboarded=True,
        bun=True,
        packages=True,
        client_state=f"{HOME}/.claude.json",
        compromised=poisoned().versions,
        oldest=poisoned().oldest,
    )
    made: dict[str, Any] = dict(facts)
    if "listening" in facts:
        made["listening"] = {int(port): who for port, who in facts["listening"].items()}
    if "litellm" in facts:
        made["litellm"] = tuple(_installed(one) for one in facts["litellm"])
    if "owners" in facts:
        made["owners"] = tuple(_owner(one) for one in facts["owners"])
    if "agents" in facts:
        made["agents"] = tuple(
            Agent(model=one["model"], place=Place(**one["place"])) for one in facts["agents"]
        )
    if "primary_api_key" in facts:
        made["primary_api_key"] = Place(**facts["primary_api_key"])
    return replace(told, **made)


def _installed(facts: dict[str, Any]) -> Installed:
    lists = {k: tuple(v) for k, v in facts.items() if isinstance(v, list)}
    return Installed(**{**facts, **lists})


def _owner(facts: dict[str, Any]) -> Owner:
    return Owner(**{**facts, "place": Place(**facts["place"])})


def words(found: list[Finding]) -> str:
    """Findings as a person reads them, paths in full."""
    return "".join(_words(f) for f in found)


def _words(f: Finding) -> str:
    place = ":".join(str(part) for part in (f.place.path, f.place.line, f.place.column) if part)
    hint = f"  hint: {english(f.hint)}\n" if f.hint else ""
    return f"{place or '-'}: {f.severity}: {english(f.what)} [{f.code}]\n{hint}"


def failing() -> list[Path]:
    """Every example in which its rule finds something."""
    return sorted(folder for folder in EXAMPLES.glob("*/fail*") if folder.is_dir())


def write(folder: Path) -> str:
    """What the rule of this example finds now, kept as what it is expected to find."""
    found = words(rules.run(load(folder), select=[folder.parent.name]))
    (folder / "expected.txt").write_text(found, encoding="utf-8")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", nargs="*", metavar="CODE/NAME", required=True)
    for folder in [EXAMPLES / name for name in parser.parse_args().write] or failing():
        if not folder.is_dir():
            parser.error(f"{folder} is no folder")
        print(f"{folder.relative_to(EXAMPLES)}:\n{write(folder) or '(nothing found)'}")


if __name__ == "__main__":
    main()
