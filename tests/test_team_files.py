"""examples/team: what needs no gateway to be seen. tests/e2e/test_team.py runs it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
TEAM = ROOT / "examples" / "team"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the gateway's host is a Unix")


def people(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(TEAM / "host" / "people.py"), *arguments],
        env={"TEAM_KEYS": str(folder / "keys.json")},
        capture_output=True,
        text=True,
        check=False,
    )


def entry(folder: Path, key: str) -> dict[str, Any]:
    held = (folder / "keys.json").read_text(encoding="utf-8")
    assert key not in held
    found: dict[str, Any] = json.loads(held)[hashlib.sha256(key.encode()).hexdigest()]
    return found


def test_a_key_is_shown_once_and_kept_as_its_hash(tmp_path: Path) -> None:
    key = people(tmp_path, "add", "ann", "--models", "a,b", "--rpm", "5").stdout.strip()
    assert len(key) > 40
    assert entry(tmp_path, key) == {"person": "ann", "models": ["a", "b"], "rpm": 5}
    again = people(tmp_path, "add", "ann", "--models", "a")
    assert (again.returncode, again.stdout) == (1, "")


def test_a_new_key_lets_the_old_one_live_for_a_while(tmp_path: Path) -> None:
    old = people(tmp_path, "add", "ann", "--models", "a", "--rpm", "5", "--days", "90")
    new = people(tmp_path, "rotate", "ann", "--overlap", "2").stdout.strip()
    ends = datetime.fromisoformat(entry(tmp_path, old.stdout.strip())["expires"])
    left = ends - datetime.now(UTC)
    assert timedelta(hours=1) < left <= timedelta(hours=2)
    # The new key has what the old one had, its end too.
    fresh = entry(tmp_path, new)
    assert fresh["rpm"] == 5
    assert datetime.fromisoformat(fresh["expires"]) > ends + timedelta(days=80)
    assert people(tmp_path, "rotate", "bob").returncode == 1


def test_revoking_takes_every_key_of_one_person(tmp_path: Path) -> None:
    for name in ("ann", "bob"):
        people(tmp_path, "add", name, "--models", "a")
    people(tmp_path, "rotate", "ann")
    (tmp_path / "keys.json").chmod(0o640)
    people(tmp_path, "revoke", "ann")
    assert people(tmp_path, "list").stdout == "bob a \n"
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o640


def test_every_way_to_run_it_has_the_same_configuration() -> None:
    host = yaml.safe_load((TEAM / "host" / "litellm_config.yaml").read_text(encoding="utf-8"))
    helm = yaml.safe_load((TEAM / "helm" / "values.yaml").read_text(encoding="utf-8"))
    # The chart gives the master key to its own variable.
    host["general_settings"]["master_key"] = "os.environ/PROXY_MASTER_KEY"
    assert helm["proxy_config"] == host


@pytest.mark.parametrize("name", ["litellm_config.yaml", "keys.py"])
def test_the_example_of_the_rules_is_the_file_that_ships(name: str) -> None:
    example = ROOT / "tests" / "examples" / "LLM018" / "pass-team" / name
    assert example.read_text(encoding="utf-8") == (TEAM / "host" / name).read_text(encoding="utf-8")
