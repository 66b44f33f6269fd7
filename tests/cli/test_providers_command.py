"""`haha-config providers`: the list, its JSON, and a row of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from haha_config.cli.main import run
from haha_config.io import templates

ROW = """\
key = "mine"
name = "Mine"
about = "A service of mine."
routes = ["direct"]

[base_urls]
global = "https://models.example/anthropic"

[credential]
variable = "MINE_API_KEY"
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of the test's own: no own rows, no state."""
    home = tmp_path / "home"
    (home / "work").mkdir(parents=True)
    for name, value in {
        "HOME": home,
        "USERPROFILE": home,
        "XDG_CONFIG_HOME": home / "config",
        "XDG_STATE_HOME": home / "state",
    }.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv("HAHA_CONFIG_DIR", raising=False)
    monkeypatch.chdir(home / "work")
    return home


def test_text_is_one_line_a_row_within_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["providers"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(list(templates.provider_texts()))
    assert lines[1].split() == ["openrouter", "OPENROUTER_API_KEY", "OpenRouter"]
    assert lines[2].endswith("MiniMax · no web search")
    assert lines[4].endswith("DeepSeek · web search")
    assert max(map(len, lines)) <= 80


def test_json_has_the_documented_shape(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["providers", "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["version"] == 1
    assert data["providers"][2] == {
        "key": "minimax",
        "name": "MiniMax",
        "routes": ["direct", "litellm"],
        "regions": ["global", "china"],
        "variable": "MINIMAX_API_KEY",
        "web_search": {
            "source": "https://github.com/MiniMax-AI/MiniMax-M3/issues/23",
            "date": "2026-11-25",
            "result": "refused",
            "by": "MiniMax",
        },
    }
    searches = {row["key"]: row["web_search"] for row in data["providers"]}
    assert searches["openrouter"] is None
    # Its way is through LiteLLM, which leaves the search out.
    assert searches["openai"]["by"] == "LiteLLM"
    assert data["providers"][3]["variable"] is None


def test_an_unknown_format_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["providers", "--format", "jso"]) == 2
    assert "did you mean `json`?" in capsys.readouterr().err


def test_a_row_of_ones_own_is_added_and_listed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "mine.toml").write_text(ROW, encoding="utf-8")
    assert run(["providers", "add", str(home / "mine.toml")]) == 0
    assert "haha-config init --provider mine" in capsys.readouterr().err
    assert run(["providers"]) == 0
    assert "mine" in [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert run(["providers", "add", str(home / "mine.toml")]) == 0
    said = capsys.readouterr().err
    assert "Nothing to change." in said
    assert "warning" not in said


def test_a_row_that_would_send_the_key_of_another_provider_elsewhere_is_warned_of(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = (templates.FOLDER / "providers" / "deepseek.toml").read_text(encoding="utf-8")
    (home / "deepseek.toml").write_text(row, encoding="utf-8")
    assert run(["providers", "add", str(home / "deepseek.toml")]) == 0
    assert "warning" not in capsys.readouterr().err
    changed = row.replace("api.deepseek.com", "deepseek.example")
    (home / "deepseek.toml").write_text(changed, encoding="utf-8")
    assert run(["providers", "add", str(home / "deepseek.toml")]) == 0
    said = capsys.readouterr().err
    assert said.startswith("warning: this sends your key of DeepSeek to deepseek.example\n")


def test_a_bad_row_is_refused_with_its_place_and_nothing_is_written(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "mine.toml").write_text(ROW.replace("global", "base", 1) + "hedaer = 1\n", "utf-8")
    assert run(["providers", "add", str(home / "mine.toml")]) == 1
    said = capsys.readouterr().err
    assert "mine.toml:11" in said
    assert "did you mean `header`?" in said
    assert sorted(p.name for p in home.iterdir()) == ["mine.toml", "work"]


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [("mine.txt", b"", 2), ("mine.toml", b"\xff\xfe", 1), ("mine.toml", None, 1)],
)
def test_what_is_no_row_at_all_is_refused(
    home: Path, name: str, data: bytes | None, code: int
) -> None:
    if data is not None:
        (home / name).write_bytes(data)
    assert run(["providers", "add", str(home / name)]) == code


def test_a_broken_row_of_ones_own_is_named_by_its_path(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from haha_config.io import paths

    monkeypatch.setattr(paths, "config_folder", lambda: home / "config")
    own = home / "config" / "providers"
    own.mkdir(parents=True)
    (own / "mine.toml").write_text('key = "mine"\nname = \n', encoding="utf-8")
    assert run(["providers"]) == 1
    assert "mine.toml:2:" in capsys.readouterr().err
