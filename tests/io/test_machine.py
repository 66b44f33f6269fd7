"""What a machine shows, from folders laid out as the installers lay them out."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from haha_config.core.state.machine import UNFINISHED
from haha_config.io import machine
from haha_config.io.machine import Where

posix = pytest.mark.skipif(sys.platform == "win32", reason="laid out as on POSIX")


@pytest.fixture
def where(home: Path, tmp_path: Path) -> Callable[..., Where]:
    def make(**environ: str) -> Where:
        return Where(
            environ=environ,
            home=home,
            client=home / ".claude",
            settings=home / ".claude" / "settings.json",
            folder=tmp_path / "folder",
            data=home / ".local" / "share" / "haha-config",
        )

    return make


def install(prefix: Path, version: str, *packages: str) -> Path:
    folder = prefix / "lib" / "python3.12" / "site-packages"
    (folder / f"litellm-{version}.dist-info").mkdir(parents=True)
    for name in ("litellm", *packages):
        (folder / name).mkdir()
    (prefix / "bin").mkdir(exist_ok=True)
    program = prefix / "bin" / "litellm"
    program.write_text("#!/bin/sh\nexit 99\n", encoding="utf-8")
    program.chmod(0o755)
    return folder


@posix
def test_litellm_on_the_path_is_found_behind_its_link(
    where: Callable[..., Where], home: Path, tmp_path: Path
) -> None:
    folder = install(tmp_path / "tool", "1.106.2", "uvicorn", "websockets")
    programs = home / ".local" / "bin"
    programs.mkdir(parents=True)
    (programs / "litellm").symlink_to(tmp_path / "tool" / "bin" / "litellm")
    (found,) = machine.litellm(where(PATH=str(programs)))
    assert (found.version, found.path, found.proxy) == ("1.106.2", str(folder), True)


@posix
@pytest.mark.parametrize(
    "place", [".local/share/uv/tools/litellm", ".local/pipx/venvs/litellm"], ids=["uv", "pipx"]
)
def test_litellm_of_a_tool_installer(where: Callable[..., Where], home: Path, place: str) -> None:
    install(home / place, "1.72.0")
    (found,) = machine.litellm(where())
    assert (found.version, found.proxy) == ("1.72.0", False)


@posix
def test_markers_and_the_dotenv_above(where: Callable[..., Where], tmp_path: Path) -> None:
    folder = install(tmp_path / "folder" / ".venv", "1.106.2")
    (folder / "cook.pth").write_text("import os\n", encoding="utf-8")
    dotenv = tmp_path / "folder" / ".env"
    dotenv.write_text("# x\nexport ANTHROPIC_BASE_URL=http://x\nOTHER: 1\n", encoding="utf-8")
    (found,) = machine.litellm(where(), markers=["cook.pth", "absent.pth"])
    assert found.markers == ("cook.pth",)
    assert found.dotenv == str(dotenv)
    assert found.dotenv_names == ("ANTHROPIC_BASE_URL", "OTHER")


@posix
def test_an_installation_that_was_cut_off_is_none(where: Callable[..., Where], home: Path) -> None:
    data = where().data
    for name in ("whole", "cut-off"):
        install(data / name, "1.106.2")
        (data / name / "pyvenv.cfg").touch()
    (data / "cut-off" / UNFINISHED).mkdir()
    (found,) = machine.litellm(where())
    assert Path(found.path).is_relative_to(data / "whole")


def test_nothing_installed(where: Callable[..., Where]) -> None:
    assert machine.litellm(where(PATH="/nowhere")) == ()


def test_cc_switch_by_its_settings(where: Callable[..., Where], home: Path) -> None:
    folder = home / ".cc-switch"
    folder.mkdir()
    text = json.dumps({"currentProviderClaude": "my-row"})
    (folder / "settings.json").write_text(text, encoding="utf-8")
    (owner,) = machine.owners(where(), port=None, haha=False)
    assert (owner.tool, owner.entry) == ("cc-switch", "my-row")
    assert owner.place.path == str(folder / "settings.json")


def test_cc_switch_by_its_database(where: Callable[..., Where], home: Path) -> None:
    folder = home / ".cc-switch"
    folder.mkdir()
    database = sqlite3.connect(folder / "cc-switch.db")
    database.execute("CREATE TABLE providers (id, app_type, name, is_current)")
    database.execute("INSERT INTO providers VALUES ('1', 'claude', 'DeepSeek', 1)")
    database.commit()
    database.close()
    (owner,) = machine.owners(where(), port=None, haha=False)
    assert owner.entry == "DeepSeek"


@pytest.mark.parametrize("data", [b"", b"not a database", b"SQLite format 3\0"])
def test_a_database_that_cannot_be_read_says_nothing(
    where: Callable[..., Where], home: Path, data: bytes
) -> None:
    (home / ".cc-switch").mkdir()
    (home / ".cc-switch" / "cc-switch.db").write_bytes(data)
    assert machine.owners(where(), port=None, haha=False) == ()


@pytest.mark.parametrize(
    ("port", "tools"), [(3456, ["claude-code-router"]), (4000, []), (None, [])]
)
def test_claude_code_router(
    where: Callable[..., Where], home: Path, port: int | None, tools: list[str]
) -> None:
    (home / ".claude-code-router").mkdir()
    assert [o.tool for o in machine.owners(where(), port=port, haha=False)] == tools


def test_lite_and_an_active_provider(where: Callable[..., Where], home: Path) -> None:
    (home / ".litellm").mkdir()
    (home / ".litellm" / "claude_settings_backup.json").write_text("{}", encoding="utf-8")
    active = home / ".claude" / "cc-haha" / "providers.json"
    active.parent.mkdir(parents=True)
    text = json.dumps({"activeId": "p1", "providers": [{"id": "p1", "name": "Kimi"}]})
    active.write_text(text, encoding="utf-8")
    found = machine.owners(where(), port=None, haha=True)
    assert [(o.tool, o.entry) for o in found] == [("lite up", ""), ("claude-haha", "Kimi")]


def test_the_clients_state(where: Callable[..., Where], home: Path) -> None:
    assert not machine.client_state({}, home).onboarded
    text = '{\n  "hasCompletedOnboarding": true,\n  "primaryApiKey": "sk-test-0123456789"\n}\n'
    (home / ".claude.json").write_text(text, encoding="utf-8")
    found = machine.client_state({}, home)
    assert found.onboarded
    assert found.primary_api_key is not None
    assert found.primary_api_key.line == 3
    (home / ".claude.json").write_text('{"primaryApiKey": ""}', encoding="utf-8")
    assert machine.client_state({}, home).primary_api_key is None  # both clients send none


def test_the_clients_state_moves_with_its_folder(
    where: Callable[..., Where], tmp_path: Path
) -> None:
    found = machine.client_state({"CLAUDE_CONFIG_DIR": str(tmp_path)}, tmp_path)
    assert found.path == str(tmp_path / ".claude.json")


@posix
def test_make_private_follows_a_link(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.write_text("x", encoding="utf-8")
    real.chmod(0o644)
    (tmp_path / "link").symlink_to(real)
    machine.make_private(str(tmp_path / "link"))
    assert real.stat().st_mode & 0o777 == 0o600
