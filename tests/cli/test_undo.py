"""`undo` as a person types it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from haha_config.cli import main
from haha_config.io import paths

KEY = "sk-test-0123456789abcdef01234567"
INIT = ("init", "--provider", "minimax", "--client", "haha", "--write", "env,settings", "--yes")


@dataclass(frozen=True)
class Said:
    """What one command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Said]


@pytest.fixture
def haha(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Command:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("MINIMAX_API_KEY", KEY)

    def command(*words: str) -> Said:
        code = main.run(words)
        return Said(code, *capfd.readouterr())

    return command


@pytest.fixture
def settings(home: Path) -> Path:
    path = home / ".claude" / "settings.json"
    path.parent.mkdir()
    path.write_bytes(b'{\r\n\t"theme": "dark"\r\n}')
    return path


def test_there_and_back_and_there_again(haha: Command, settings: Path) -> None:
    old = settings.read_bytes()
    assert haha(*INIT).code == 0
    new, dotenv = settings.read_bytes(), Path(".env").read_bytes()
    done = haha("undo", "--yes")
    assert done.code == 0, done.err
    assert settings.read_bytes() == old
    assert not Path(".env").exists()
    assert KEY not in done.out + done.err
    again = haha("undo", "--yes")
    assert again.code == 0, again.err
    assert (settings.read_bytes(), Path(".env").read_bytes()) == (new, dotenv)
    assert stat.S_IMODE(Path(".env").stat().st_mode) == 0o600


def test_the_client_s_own_changes_since_stay(haha: Command, settings: Path) -> None:
    assert haha(*INIT).code == 0
    data = json.loads(settings.read_bytes())
    data["model"] = "opus"
    data["env"]["THEIRS"] = "1"
    settings.write_text(json.dumps(data), encoding="utf-8")
    assert haha("undo", "--yes").code == 0
    assert json.loads(settings.read_bytes()) == {
        "theme": "dark",
        "env": {"THEIRS": "1"},
        "model": "opus",
    }


def test_an_entry_of_ours_that_was_changed_is_refused_and_nothing_is_touched(
    haha: Command, settings: Path
) -> None:
    assert haha(*INIT).code == 0
    text = settings.read_text(encoding="utf-8").replace(KEY, "sk-test-another-0123456789")
    settings.write_text(text, encoding="utf-8")
    dotenv = Path(".env").read_bytes()
    done = haha("undo", "--yes")
    assert done.code == 1
    assert "ANTHROPIC_AUTH_TOKEN" in done.err
    assert "another" not in done.err
    assert "settings.json:" in done.err
    assert settings.read_text(encoding="utf-8") == text
    assert Path(".env").read_bytes() == dotenv


def test_an_older_write_by_its_number(haha: Command, settings: Path) -> None:
    assert haha(*INIT).code == 0
    assert haha("switch-model", "other", "--unlisted", "--client", "haha").code == 0
    listed = haha("undo", "--list", "--format", "json").json
    assert listed["version"] == 1
    assert [w["command"] for w in listed["writes"]] == ["switch-model", "init"]
    assert set(listed["writes"][0]) == {"id", "time", "command", "paths"}
    assert str(settings) in listed["writes"][0]["paths"]
    first = listed["writes"][-1]["id"]
    # Its models have been changed since, by ourselves.
    assert haha("undo", first, "--yes").code == 1
    assert haha("undo", "--yes").code == 0
    assert haha("undo", first, "--yes").code == 0
    assert settings.read_bytes() == b'{\r\n\t"theme": "dark"\r\n}'


def test_the_preview_is_in_the_order_of_the_file_and_says_it_once(haha: Command) -> None:
    assert haha(*INIT).code == 0
    said = haha("undo", "--dry-run").out
    url, token = said.index("ANTHROPIC_BASE_URL"), said.index("ANTHROPIC_AUTH_TOKEN")
    assert url < token < said.index("API_TIMEOUT_MS")
    assert said.count("ANTHROPIC_BASE_URL") == 1
    assert "the same variables as in" in said


def test_folders_that_we_made_go_with_their_file(haha: Command, home: Path) -> None:
    assert haha(*INIT).code == 0
    assert (home / ".claude").is_dir()
    assert haha("undo", "--yes").code == 0
    assert not (home / ".claude").exists()
    assert haha("undo", "--yes").code == 0
    (home / ".claude" / "theirs").touch()
    assert haha("undo", "--yes").code == 0
    assert [p.name for p in (home / ".claude").iterdir()] == ["theirs"]


def test_the_line_in_info_exclude_goes_too(haha: Command, settings: Path) -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    exclude = Path(".git/info/exclude")
    exclude.parent.mkdir(exist_ok=True)
    exclude.write_text("# theirs\n", encoding="utf-8")
    assert haha(*INIT).code == 0
    assert exclude.read_text(encoding="utf-8") == "# theirs\n/.env\n"
    exclude.write_text("# theirs\n/.env\n*.log\n", encoding="utf-8")
    shown = haha("undo", "--dry-run")
    assert "- /.env" in shown.out
    assert haha("undo", "--yes").code == 0
    assert exclude.read_text(encoding="utf-8") == "# theirs\n*.log\n"


def test_a_dry_run_writes_nothing(haha: Command, settings: Path, home: Path) -> None:
    assert haha(*INIT).code == 0
    before = {p: p.read_bytes() for p in home.rglob("*") if p.is_file()}
    done = haha("undo", "--dry-run", "--format", "json")
    assert done.code == 0
    assert done.json["applied"] is False
    assert {c["action"] for c in done.json["changes"]} == {"update", "delete"}
    assert KEY not in done.out
    assert {p: p.read_bytes() for p in home.rglob("*") if p.is_file()} == before


def test_json(haha: Command, settings: Path) -> None:
    assert haha(*INIT).code == 0
    done = haha("undo", "--yes", "--format", "json").json
    assert done["applied"] is True
    assert set(done) == {"version", "applied", "changes", "next", "findings"}
    assert str(settings) in {change["path"] for change in done["changes"]}


def test_purge_forgets_every_old_key(haha: Command, settings: Path) -> None:
    assert haha(*INIT).code == 0
    listed = haha("undo", "--list")
    assert "old keys" in listed.out + listed.err
    kept = [p for p in paths.state_folder().rglob("*") if p.is_file()]
    assert any(KEY.encode() in p.read_bytes() for p in kept)
    assert {stat.S_IMODE(p.stat().st_mode) for p in kept} == {0o600}
    assert haha("undo", "--purge", "--yes").code == 0
    left = [p for p in paths.state_folder().rglob("*") if p.is_file() and p.stat().st_size]
    # What is ours and what a person has agreed to holds no key, and is no history.
    assert sorted(p.name for p in left) == sorted([paths.owned_record().name, "trust.toml"])
    assert not any(KEY in p.read_text(encoding="utf-8") for p in left)
    assert haha("undo", "--yes").code == 1


def test_a_list_of_nothing_but_a_damaged_write_says_so(haha: Command, settings: Path) -> None:
    assert haha(*INIT).code == 0
    for record in paths.state_folder().glob("writes/*/record.json"):
        record.write_text("[]")
    done = haha("undo", "--list")
    assert "is damaged" in done.out + done.err
    assert "nothing was written" not in done.out + done.err
    assert "--purge" in done.out + done.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--yes"], 1),
        (["7", "--yes"], 1),
        (["7", "--list"], 2),
        (["--list", "--purge"], 2),
        (["--recover"], 0),
        (["--list"], 0),
    ],
)
def test_where_nothing_was_written(haha: Command, words: list[str], code: int) -> None:
    assert haha("undo", *words).code == code


def test_an_unknown_number_and_nobody_to_ask(
    haha: Command, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert haha(*INIT).code == 0
    assert haha("undo", "99", "--yes").code == 2
    with Path(os.devnull).open(encoding="utf-8") as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        done = haha("undo")
    assert done.code == 2
    assert "--yes" in done.err
    assert Path(".env").exists()


def test_what_is_back_is_validated(haha: Command, settings: Path) -> None:
    """An old set-up can be a broken one: it is back all the same, and that is said."""
    broken = b'{"env": {"ANTHROPIC_BASE_URL": "https://api.minimax.io/anthropic/v1"}}'
    settings.write_bytes(broken)
    assert haha(*INIT).code == 0
    done = haha("undo", "--yes", "--format", "json")
    assert settings.read_bytes() == broken
    assert done.code == 0
    assert done.json["applied"]
    assert "URL002" in {f["code"] for f in done.json["findings"]}
    assert haha("undo", "--yes").code == 0
    said = haha("undo", "--yes")
    assert (said.code, "[URL002]" in said.err) == (0, True)


def test_what_no_client_reads_is_not_validated(haha: Command, settings: Path) -> None:
    assert haha(*INIT).code == 0
    assert haha("profile", "remove", "minimax", "--yes").code == 0
    settings.write_bytes(b'{"env": {"ANTHROPIC_BASE_URL": "https://api.minimax.io/anthropic/v1"}}')
    done = haha("undo", "--yes", "--format", "json")
    assert (done.code, done.json["findings"]) == (0, [])
