"""`models` from the command line: live, offline, filtered, as a table and as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from haha_config.cli import main
from tests.e2e.upstream import Upstream

KEY = "sk-test-0123456789abcdef"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, and a shell without any of the client's variables."""
    home = tmp_path / "home"
    (home / ".claude").mkdir(parents=True)
    work = tmp_path / "work"
    work.mkdir()
    import os

    for name in list(os.environ):
        if re.match(r"ANTHROPIC|CLAUDE|HAHA|XDG|OPENROUTER|DEEPSEEK|.*_PROXY|.*_proxy", name):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.chdir(work)
    return home


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream(models=["alpha", "beta-tools"]) as up:
        yield up


def configure(home: Path, url: str, **variables: str) -> None:
    env = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_AUTH_TOKEN": KEY, **variables}
    (home / ".claude" / "settings.json").write_text(json.dumps({"env": env}))


def test_a_name_that_no_screen_can_show_is_not_listed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["alpha", "a\x1b[31mb", "a\nhint: touch x", "\u202ea", "a\u2028b", "x" * 5000, " "]
    with Upstream(models=names) as up:
        configure(home, up.url)
        assert main.run(["models", "--format", "json"]) == 0
    assert [m["id"] for m in json.loads(capsys.readouterr().out)["models"]] == ["alpha"]


def test_a_custom_endpoint_lists_its_models(
    home: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(home, upstream.url)
    assert main.run(["models", "--format", "json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["version"] == 1
    assert [m["id"] for m in listed["models"]] == ["alpha", "beta-tools"]
    assert set(listed["models"][0]) == {
        *("id", "provider", "context", "output", "tools", "thinking", "price", "retired")
    }
    assert upstream.requests[0].credential == (KEY, None)


def test_search(home: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]) -> None:
    configure(home, upstream.url)
    assert main.run(["models", "--search", "BETA"]) == 0
    out = capsys.readouterr().out
    assert "beta-tools" in out
    assert "alpha" not in out


def test_nothing_is_configured(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["models"]) == 1
    assert "haha-config init" in capsys.readouterr().err


def test_a_row_without_its_key_is_listed_from_the_catalog(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main.run(["models", "--provider", "deepseek", "--tools", "--min-context", "900000"]) == 0
    out, err = capsys.readouterr()
    assert "deepseek-flash" in out
    assert "deepseek-chat" not in out
    assert "DEEPSEEK_API_KEY" in err


def test_an_unknown_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["models", "--provider", "depseek"]) == 2
    assert "did you mean `deepseek`?" in capsys.readouterr().err


def test_in_a_pipe_every_name_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["models", "--provider", "openrouter", "--offline"]) == 0
    table = capsys.readouterr().out.splitlines()[1:]
    assert main.run(["models", "--provider", "openrouter", "--offline", "--format", "json"]) == 0
    listed = [model["id"] for model in json.loads(capsys.readouterr().out)["models"]]
    assert len(listed) > 50
    assert [line.split()[0] for line in table] == listed


def test_a_gateway_that_is_down_offers_what_its_file_says(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(home, "http://127.0.0.1:9")
    (tmp_path / "work" / "litellm.env").write_text("PORT=9\n")
    (tmp_path / "work" / "litellm_config.yaml").write_text(
        "model_list:\n"
        "  - model_name: fast\n"
        "    litellm_params: {model: deepseek/deepseek-flash, api_key: os.environ/K}\n"
    )
    assert main.run(["models"]) == 0
    out, err = capsys.readouterr()
    assert re.search(r"fast +1M", out)
    assert "nothing listens at 127.0.0.1:9" in err
    assert "litellm_config.yaml" in err


def test_nothing_is_written(home: Path, upstream: Upstream) -> None:
    configure(home, upstream.url)
    before = sorted(home.parent.rglob("*"))
    main.run(["models"])
    assert sorted(home.parent.rglob("*")) == before
