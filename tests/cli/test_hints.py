"""A hint that is a command of ours, run as it is printed: the finding is gone, nothing is broken.

The hints of failing examples; what has no command is followed in tests/core/rules/test_hints.py.
"""

from __future__ import annotations

import shlex
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from haha_config.core import rules
from haha_config.io.i18n import english
from tests.cli.tool import Tool
from tests.core.rules.example import failing, load, provider_table

KEY = "sk-0123456789abcdef0123456789abcdef"
#: Commands that a test can run: they ask nothing and start nothing.
RUNNABLE = ("switch-model", "init --provider", "init --permissions")


def printed() -> Iterator[tuple[Path, str]]:
    for folder in failing():
        found = rules.run(load(folder), select=[folder.parent.name])
        hints = dict.fromkeys(english(f.hint) for f in found if f.hint)
        for hint in hints:
            words = hint.removeprefix("haha-config ")
            if words != hint and words.startswith(RUNNABLE) and _whole(folder):
                yield folder, hint


def _whole(folder: Path) -> bool:
    """Whether all of it is files: no machine, no other scope, nothing that only git knows."""
    facts = _facts(folder)
    return not set(facts) & {"machine", "scope", "files", "owned", "client_version"}


def _facts(folder: Path) -> dict[str, object]:
    path = folder / "state.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


CASES = list(printed())
KEYS = {
    row.credential.variable: KEY for row in provider_table().values() if row.credential.variable
}


@pytest.mark.parametrize(
    ("folder", "hint"), CASES, ids=[f"{f.parent.name}-{f.name}-{h[12:40]}" for f, h in CASES]
)
def test_a_command_of_a_hint_mends(folder: Path, hint: str, tool: Tool) -> None:
    if (folder / "home").is_dir():
        shutil.copytree(folder / "home", tool.home, dirs_exist_ok=True)
    for path in folder.iterdir():
        if path.is_file() and path.name not in {"expected.txt", "state.toml"}:
            shutil.copy(path, tool.cwd / path.name)
    for path in (*tool.home.rglob("*"), *tool.cwd.iterdir()):
        path.chmod(0o700 if path.is_dir() else 0o600)
    facts = _facts(folder)
    environ = {str(n): str(x) for n, x in dict(facts.get("environ", {})).items()}  # type: ignore[call-overload]
    ours = ("--client", str(facts.get("client", "haha")), "--dir", str(tool.cwd))
    before = findings(tool, ours, environ)
    code = folder.parent.name
    told = [f for f in before if f["code"] == code and f["hint"] == hint]
    assert told, "the same finding as on the State"
    done = tool(*shlex.split(hint)[1:], "--yes", *ours, **{**KEYS, **environ})
    after = findings(tool, ours, environ)
    assert not [f for f in after if f["message"] in {t["message"] for t in told}], done.err
    known = {f["code"] for f in before if f["severity"] == "error"}
    assert {f["code"] for f in after if f["severity"] == "error"} <= known


def findings(
    tool: Tool, ours: tuple[str, ...], environ: dict[str, str]
) -> list[dict[str, str | None]]:
    done = tool("validate", "--ignore", "SYS,OWN", "--format", "json", *ours, **environ)
    found: list[dict[str, str | None]] = done.json["findings"]
    return found
