"""Files as people have them, under the real `init`: what is not ours stays, byte for byte.

The rows are those on which five other tools were measured; each is in its good state here.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from haha_config.cli import main
from haha_config.core import variables as v
from haha_config.core.model import SLOTS
from haha_config.io import paths
from tests.e2e.processes import free_port
from tests.io.disk.child import NOBODY, give_away, start

KEY = "sk-test-0123456789abcdef01234567"

#: Four blanks, unicode, an order of its own, a proxy, an old key, a stale slot.
FILE = """{
    "statusLine": {"type": "command", "command": "echo ★ 状态 é"},
    "hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "a"}]}]},
    "permissions": {"allow": ["Bash(ls:*)"],   "deny": []},
    "enabledPlugins": {"one@market": true, "two@market": false},
    "env": {
        "HTTPS_PROXY": "http://127.0.0.1:3128",
        "ANTHROPIC_API_KEY": "sk-test-fedcba9876543210fedcba98",
        "MY_FLAG": "\\u00e9/yes",
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": "stale-haiku",
        "ANTHROPIC_SMALL_FAST_MODEL": "stale-small"
    },
    "model": "opus"
}
"""

#: A `.env` of this client's: one without a base URL belongs to a program and is not written.
OURS = "A=1\nANTHROPIC_BASE_URL=https://api.minimax.io/anthropic\n"


@dataclass(frozen=True)
class Said:
    """What one command answered."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def settings(home: Path, work: Path) -> Path:
    (home / ".claude").mkdir()
    return home / ".claude" / "settings.json"


@pytest.fixture
def haha(work: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.setenv("MINIMAX_API_KEY", KEY)

    def command(*words: str) -> Said:
        code = main.run(words)
        return Said(code, *capfd.readouterr())

    return command


INIT = ("init", "--provider", "minimax", "--yes")
SETTINGS = (*INIT, "--write", "settings")


def env_of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8-sig"))["env"]
    return found


def configured(path: Path) -> None:
    env = env_of(path)
    assert env[v.AUTH_TOKEN] == KEY
    assert all(env[name] for name in SLOTS.values())


def foreign_lines(text: str) -> list[str]:
    return [line for line in text.splitlines(keepends=True) if "ANTHROPIC" not in line]


def stays(before: str, after: str, indent: str, end: str) -> None:
    """What is not ours stays; ours is in `env`, last in `permissions`, and at the very end."""
    held = before.replace('"deny": []', '"deny": [],   "disableAutoMode": "disable"')
    held, last, tail = held.partition('"model": "opus"')
    edited, found, picker = after.partition(last)
    assert found
    written = json.dumps(
        {"modelPicker": json.loads(after)["modelPicker"]}, indent=indent, ensure_ascii=False
    )
    assert picker == f",{written.removeprefix('{')}".replace("\n", end) + end
    assert tail == f"{end}}}{end}"
    kept = foreign_lines(held)
    lines = edited.splitlines(keepends=True)
    assert [line for line in lines if line in kept] == kept
    added = [line for line in lines if line not in held.splitlines(keepends=True)]
    assert all(line.startswith(indent * 2 + '"') for line in added)


def journaled() -> list[str]:
    state = paths.state_folder()
    return sorted(p.name for kind in ("open", "writes") for p in state.glob(f"{kind}/*"))


# --- the table -------------------------------------------------------------------------------


def test_everything_that_is_not_ours_keeps_its_bytes_order_and_indent(
    haha: Command, settings: Path
) -> None:
    settings.write_text(FILE, encoding="utf-8")
    done = haha(*SETTINGS)
    assert done.code == 0, done.err
    stays(FILE, settings.read_text(encoding="utf-8"), "    ", "\n")


def test_proxies_and_flags_stay_and_stale_slots_do_not(haha: Command, settings: Path) -> None:
    settings.write_text(FILE, encoding="utf-8")
    assert haha(*SETTINGS).code == 0
    env = env_of(settings)
    assert env["HTTPS_PROXY"] == "http://127.0.0.1:3128"
    assert env["MY_FLAG"] == "é/yes"
    assert "ANTHROPIC_SMALL_FAST_MODEL" not in env
    assert env["ANTHROPIC_DEFAULT_HAIKU_MODEL"] not in ("", "stale-haiku")
    assert json.loads(settings.read_text(encoding="utf-8"))["model"] == "opus"


def test_a_token_and_a_key_are_never_left_side_by_side(haha: Command, settings: Path) -> None:
    settings.write_text(FILE, encoding="utf-8")
    done = haha(*SETTINGS)
    assert env_of(settings)[v.AUTH_TOKEN] == KEY
    assert env_of(settings)[v.API_KEY] == ""
    assert KEY not in done.out + done.err
    assert "fedcba98765" not in done.out + done.err


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{\n  // mine\n  "env": {}\n}\n', ":2:3"),
        ('{\n  "env": {}, /* mine */\n  "a": 1\n}\n', ":2:14"),
        ('{"env": {},}\n', ":1:11"),
        ('{\n  "env": {"A": "1"\n', ""),
        ("[]\n", ":1:1"),
        ('{\n  "env": []\n}\n', ":2:10"),
        ('{"env": {"ANTHROPIC_MODEL": "a", "ANTHROPIC_MODEL": "b"}}\n', ":1:34"),
        ('{"env": {}, "env": {}}\n', ":1:13"),
        ('"text"\n', ":1:1"),
    ],
    ids=[
        *("line comment", "block comment", "trailing comma", "cut off", "list"),
        *("env a list", "key twice", "env twice", "text"),
    ],
)
def test_what_is_no_settings_file_is_refused_with_its_place_and_stays(
    haha: Command, settings: Path, text: str, place: str
) -> None:
    settings.write_text(text, encoding="utf-8")
    done = haha(*SETTINGS)
    assert done.code == 1, done.out
    assert f"settings.json{place}" in done.err
    assert settings.read_text(encoding="utf-8") == text
    assert journaled() == []


def test_bytes_that_are_not_utf_8_are_refused(haha: Command, settings: Path) -> None:
    settings.write_bytes(b'{"a": "\xff"}')
    done = haha(*SETTINGS)
    assert done.code == 1
    assert "settings.json:1:8" in done.err
    assert settings.read_bytes() == b'{"a": "\xff"}'


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["", "BOM"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("indent", ["    ", "\t"], ids=["blanks", "tab"])
def test_a_byte_order_mark_line_ends_and_tabs_stay(
    haha: Command, settings: Path, bom: bytes, end: str, indent: str
) -> None:
    text = FILE.replace("    ", indent).replace("\n", end)
    settings.write_bytes(bom + text.encode())
    done = haha(*SETTINGS)
    assert done.code == 0, done.err
    after = settings.read_bytes()
    assert after.startswith(bom + b"{")
    assert after.count(b"\n") == after.count(end.encode())
    configured(settings)
    stays(text, after.removeprefix(bom).decode(), indent, end)


@pytest.mark.parametrize("text", ["", "\n", " \t\r\n", "{}", "{}\n"])
def test_an_empty_file_counts_as_new(haha: Command, settings: Path, text: str) -> None:
    settings.write_text(text, encoding="utf-8", newline="")
    done = haha(*SETTINGS)
    assert done.code == 0, done.err
    configured(settings)


def test_a_second_identical_run_writes_nothing_and_keeps_no_record(
    haha: Command, settings: Path, work: Path
) -> None:
    settings.write_text(FILE, encoding="utf-8")
    assert haha(*INIT).code == 0
    files = [settings, work / ".env"]
    before = [(f.read_bytes(), f.stat().st_mtime_ns, f.stat().st_ino) for f in files]
    records = journaled()
    assert len(records) == 1
    done = haha(*INIT, "--format", "json")
    assert done.code == 0
    assert json.loads(done.out)["applied"] is False
    assert [(f.read_bytes(), f.stat().st_mtime_ns, f.stat().st_ino) for f in files] == before
    assert journaled() == records


@pytest.mark.parametrize("mode", [None, 0o600, 0o644, 0o664], ids=["new", "600", "644", "664"])
def test_a_file_with_a_key_ends_readable_for_its_owner_alone(
    haha: Command, settings: Path, work: Path, mode: int | None
) -> None:
    files = [settings, work / ".env"]
    if mode is not None:
        settings.write_text("{}\n", encoding="utf-8")
        (work / ".env").write_text(OURS, encoding="utf-8")
        for file in files:
            file.chmod(mode)
    assert haha(*INIT).code == 0
    assert all(KEY in file.read_text(encoding="utf-8") for file in files)
    assert [stat.S_IMODE(f.stat().st_mode) for f in files] == [0o600, 0o600]


def test_a_program_s_dotenv_gets_no_key_and_keeps_its_mode(
    haha: Command, settings: Path, work: Path
) -> None:
    dotenv = work / ".env"
    dotenv.write_text("A=1\n", encoding="utf-8")
    dotenv.chmod(0o664)
    done = haha(*INIT)
    assert done.code == 0, done.err
    configured(settings)
    assert dotenv.read_text(encoding="utf-8") == "A=1\n"
    assert stat.S_IMODE(dotenv.stat().st_mode) == 0o664
    assert "belongs to another program" in done.err


# --- links -----------------------------------------------------------------------------------


@pytest.mark.parametrize("hops", [1, 2])
def test_a_link_is_written_through_and_stays_a_link(
    haha: Command, settings: Path, tmp_path: Path, hops: int
) -> None:
    dotfiles = tmp_path / "dot files ü"
    dotfiles.mkdir()
    real = dotfiles / "settings.json"
    real.write_text(FILE, encoding="utf-8")
    real.chmod(0o600)
    target = real
    for hop in range(hops - 1):
        between = tmp_path / f"hop{hop}"
        between.symlink_to(os.path.relpath(target, tmp_path))
        target = between
    settings.symlink_to(target)
    done = haha(*SETTINGS)
    assert done.code == 0, done.err
    assert settings.is_symlink()
    assert os.readlink(settings) == str(target)  # noqa: PTH115 - the text, as it stands there
    configured(real)
    assert [p.name for p in dotfiles.iterdir()] == ["settings.json"]


def test_a_link_to_nothing_is_refused(haha: Command, settings: Path, tmp_path: Path) -> None:
    settings.symlink_to(tmp_path / "gone.json")
    done = haha(*SETTINGS)
    assert done.code == 1
    assert "leads to nothing" in done.err
    assert str(tmp_path / "gone.json") in done.err
    assert not (tmp_path / "gone.json").exists()


def test_links_in_a_circle_are_refused(haha: Command, settings: Path) -> None:
    settings.symlink_to(settings)
    done = haha(*SETTINGS)
    assert done.code == 1
    assert "circle" in done.err
    assert "delete it" in done.err


def test_a_key_folder_in_a_circle_is_refused(haha: Command) -> None:
    keys = paths.data_folder() / "keys"
    keys.parent.mkdir(parents=True)
    keys.symlink_to(keys)
    done = haha(*INIT)
    assert done.code == 1
    assert "keys` leads in a circle: delete it" in done.err


def test_a_hard_linked_file_is_refused(haha: Command, settings: Path, tmp_path: Path) -> None:
    settings.write_text(FILE, encoding="utf-8")
    os.link(settings, tmp_path / "other")
    done = haha(*INIT)
    assert done.code == 1
    assert "2 names (hard links)" in done.err
    assert settings.read_text(encoding="utf-8") == FILE
    assert not Path(".env").exists()


def test_a_folder_in_a_file_s_place_is_refused(haha: Command, settings: Path) -> None:
    settings.mkdir()
    done = haha(*INIT)
    assert done.code == 1
    assert "this is a folder" in done.err
    assert not Path(".env").exists()


def test_a_file_in_a_folder_s_place_is_refused(haha: Command, home: Path, work: Path) -> None:
    (home / ".claude").write_text("mine", encoding="utf-8")
    done = haha(*INIT)
    assert done.code == 1
    assert "is a file, not a folder" in done.err
    assert (home / ".claude").read_text(encoding="utf-8") == "mine"


def test_two_targets_that_are_one_file_are_refused(haha: Command, work: Path) -> None:
    (work / "one").write_text(OURS, encoding="utf-8")
    (work / ".env").symlink_to("one")
    (work / "litellm.env").symlink_to("one")
    port = str(free_port())
    done = haha("init", "--provider", "minimax", "--via", "litellm", "--port", port, "--yes")
    assert done.code == 1, done.out
    assert "same file" in done.err
    assert (work / "one").read_text(encoding="utf-8") == OURS


# --- size and names --------------------------------------------------------------------------


def test_five_megabytes_of_settings(haha: Command, settings: Path) -> None:
    history = [{"n": n, "text": "x" * 80 + "é"} for n in range(45_000)]
    data = {"history": history, "env": {"MINE": "1"}}
    text = json.dumps(data, ensure_ascii=False, indent=2)
    assert len(text.encode()) > 5_000_000
    settings.write_text(text, encoding="utf-8")
    done = haha(*SETTINGS)
    assert done.code == 0, done.err
    after = settings.read_text(encoding="utf-8")
    cut = text.index('"env"')
    assert after[:cut] == text[:cut]
    assert json.loads(after)["history"] == history
    configured(settings)
    assert haha("undo", "--yes").code == 0
    assert settings.read_text(encoding="utf-8") == text


def test_five_thousand_models_with_comments_between(
    haha: Command, settings: Path, work: Path
) -> None:
    entries = "".join(
        f"  # model {n}: 100 %\n  - model_name: m{n}\n    litellm_params:\n"
        f"      model: openai/m{n}   # as they call it\n\n"
        for n in range(5000)
    )
    text = f"# mine\nmodel_list:\n{entries}router_settings:\n  num_retries: 3\n"
    config = work / "litellm_config.yaml"
    config.write_text(text, encoding="utf-8")
    more = ("--upstream", "new=minimax:MiniMax-M3", "--port", str(free_port()), "--yes")
    done = haha("init", "--provider", "litellm", *more)
    assert done.code == 0, done.err
    after = config.read_text(encoding="utf-8")
    kept = after.splitlines(keepends=True)
    rest = iter(kept)
    assert all(line in rest for line in text.splitlines(keepends=True))
    assert "model_name: new" in after
    back = haha("undo", "--yes")
    # It had no master key before either, which the closing validate says.
    assert (back.code, "[LLM011]" in back.err) == (0, True)
    assert config.read_text(encoding="utf-8") == text


def test_keys_that_look_like_ours_elsewhere_are_not_ours(haha: Command, settings: Path) -> None:
    decoys = {
        "ANTHROPIC_MODEL": "top",
        "mcpServers": {"a": {"env": {"ANTHROPIC_AUTH_TOKEN": "mcp", "ANTHROPIC_MODEL": "mcp"}}},
        "list": [{"env": {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}}],
        "text": '"env": {"ANTHROPIC_MODEL": "x"}',
        "env": {"MY_ANTHROPIC_MODEL": "mine", "ANTHROPIC_MODEL_": "mine"},
    }
    settings.write_text(json.dumps(decoys, indent=2), encoding="utf-8")
    assert haha(*SETTINGS).code == 0
    after = json.loads(settings.read_text(encoding="utf-8"))
    assert {k: after[k] for k in decoys if k != "env"} == {
        k: decoys[k] for k in decoys if k != "env"
    }
    assert after["env"]["MY_ANTHROPIC_MODEL"] == after["env"]["ANTHROPIC_MODEL_"] == "mine"
    configured(settings)


def test_a_path_with_blanks_and_unicode(
    haha: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = tmp_path / "my client ☃ 配置"
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(moved))
    project = tmp_path / "a b'c\"d é"
    project.mkdir()
    done = haha(*INIT, "--dir", str(project))
    assert done.code == 0, done.err
    configured(moved / "settings.json")
    assert KEY in (project / ".env").read_text(encoding="utf-8")
    assert sorted(p.name for p in project.iterdir()) == [".env"]
    assert [p.name for p in moved.iterdir()] == ["settings.json"]


# --- what this account may not do ------------------------------------------------------------


@pytest.fixture
def warm(haha: Command, tmp_path: Path) -> None:
    """Every module loaded by a run that works and one that fails: nobody may not read ours."""
    import shlex  # noqa: F401

    with pytest.MonkeyPatch.context() as elsewhere:
        for name in ("warm", "warm/work", "warm/.claude"):
            (tmp_path / name).mkdir()
        elsewhere.setenv("HOME", str(tmp_path / "warm"))
        elsewhere.chdir(tmp_path / "warm" / "work")
        assert haha(*INIT).code == 0
        (tmp_path / "warm" / ".claude" / "settings.json").write_text("[", encoding="utf-8")
        assert haha(*INIT).code == 1


def as_nobody(tmp_path: Path, probe: Callable[[], object], *words: str) -> str:
    """Run `words` as an unprivileged user, after `probe` has really failed for that user.

    What it said on stderr; it must have ended with 1.
    """
    if os.getuid() == 0:
        # pytest's folder is closed to everybody else.
        for folder in (tmp_path, *tmp_path.parents[:3]):
            folder.chmod(0o755)
    heard = tmp_path / "heard"
    heard.touch()
    heard.chmod(0o666)

    def work() -> None:
        if os.getuid() == 0:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
        try:
            probe()
        except PermissionError:
            pass
        else:
            raise AssertionError("the plain operation did not fail")
        sys.stderr = heard.open("a", encoding="utf-8")
        code = main.run(words)
        sys.stderr.flush()
        os._exit(10 + code)

    code = os.waitstatus_to_exitcode(os.waitpid(start(work), 0)[1])
    assert code == 11, heard.read_text(encoding="utf-8")
    return heard.read_text(encoding="utf-8")


def test_a_file_without_read_permission(
    warm: None, settings: Path, home: Path, work: Path, tmp_path: Path
) -> None:
    settings.write_text(FILE, encoding="utf-8")
    give_away(home, home / ".claude", settings, work)
    settings.chmod(0o000)
    err = as_nobody(tmp_path, settings.read_bytes, *INIT)
    assert "settings.json: this can't be read: this account may not" in err
    settings.chmod(0o600)
    assert settings.read_text(encoding="utf-8") == FILE
    assert not (work / ".env").exists()


def test_a_read_only_file(
    warm: None, settings: Path, home: Path, work: Path, tmp_path: Path
) -> None:
    settings.write_text(FILE, encoding="utf-8")
    give_away(home, home / ".claude", settings, work)
    settings.chmod(0o444)
    err = as_nobody(tmp_path, lambda: settings.open("r+b"), *INIT)
    assert "settings.json: this file is read-only" in err
    assert "hint: chmod u+rw" in err
    assert settings.read_text(encoding="utf-8") == FILE
    assert not (work / ".env").exists()


def test_a_read_only_folder(
    warm: None, settings: Path, home: Path, work: Path, tmp_path: Path
) -> None:
    settings.write_text(FILE, encoding="utf-8")
    give_away(home, home / ".claude", settings, work)
    (home / ".claude").chmod(0o555)
    err = as_nobody(tmp_path, (home / ".claude" / "x").touch, *INIT)
    assert "can't write this: this account may not; every file is as it was" in err
    assert settings.read_text(encoding="utf-8") == FILE
    assert not (work / ".env").exists()
    assert sorted(p.name for p in (home / ".claude").iterdir()) == ["settings.json"]


def test_a_state_folder_that_may_not_be_made(
    warm: None, settings: Path, home: Path, work: Path, tmp_path: Path
) -> None:
    settings.write_text(FILE, encoding="utf-8")
    give_away(home / ".claude", settings, work)
    home.chmod(0o555)
    err = as_nobody(tmp_path, (home / "x").mkdir, *INIT)
    assert "can't write the journal" in err
    assert settings.read_text(encoding="utf-8") == FILE
    assert not (work / ".env").exists()
