"""`probe` from the command line, against an endpoint that behaves and that misbehaves."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from haha_config.cli import main
from tests.e2e import behaviours as act
from tests.e2e import faults
from tests.e2e.upstream import Upstream
from tests.e2e.wire import Behaviour

KEY = "sk-test-0123456789abcdef"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, and a shell without any of the client's variables."""
    home = tmp_path / "home"
    (home / ".claude").mkdir(parents=True)
    work = tmp_path / "work"
    work.mkdir()
    for name in list(os.environ):
        if re.match(r"ANTHROPIC|CLAUDE|HAHA|XDG|.*_PROXY|.*_proxy", name):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(work)
    return home


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream(models=["test-model"]) as up:
        yield up


def configure(home: Path, url: str, **variables: str) -> None:
    env = {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_AUTH_TOKEN": KEY,
        "ANTHROPIC_MODEL": "test-model",
        **variables,
    }
    (home / ".claude" / "settings.json").write_text(json.dumps({"env": env}))


def behave(upstream: Upstream, behaviour: Behaviour) -> None:
    """For answers only: counting tokens goes on as always."""
    upstream.behave = lambda r: behaviour if r.dialect == "anthropic" else None


def fault_named(name: str) -> Behaviour:
    return next(fault for fault in faults.FAULTS if fault.name == name).make()


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = main.run(["probe", "--format", "json", "--timeout", "1", *arguments])
    return code, json.loads(capsys.readouterr().out)


def check(data: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [c for c in data["models"][0]["checks"] if c["name"] == name]
    return dict(found)


def test_an_endpoint_that_does_all_of_it(
    home: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(home, upstream.url)
    behave(upstream, act.uses_tools(2))
    code, data = run(capsys)
    (model,) = data["models"]
    assert (code, data["version"]) == (0, 1)
    assert (model["model"], model["grade"], model["slots"]) == ("test-model", "tools", ["main"])
    assert model["verdict"].startswith("will work")
    assert {c["name"]: c["status"] for c in model["checks"]} == {
        "reach": "pass",
        "auth": "pass",
        "model": "pass",
        "stream": "pass",
        "tools": "pass",
        "params": "pass",
        "count_tokens": "pass",
    }


def test_the_requests_are_the_clients(
    home: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(home, upstream.url)
    behave(upstream, act.uses_tools(2))
    run(capsys)
    assert upstream.requests[0].method == "HEAD"
    assert upstream.requests[0].credential == (None, None)
    for request in upstream.asked("anthropic"):
        assert request.query == {"beta": "true"}
        assert request.stream
        assert request.credential == (KEY, None)
        assert request.headers["user-agent"].startswith("claude-cli/")
    whole = next(r for r in upstream.asked("anthropic") if "thinking" in r.body)
    assert whole.body["thinking"] == {"type": "adaptive", "display": "omitted"}
    assert whole.body["max_tokens"] == 32000
    assert "context-management-2025-06-27" in whole.headers["anthropic-beta"]


#: (what the endpoint does, grade, words of the verdict, words of a hint)
FAULTS: list[tuple[str, Behaviour, str, str, str]] = [
    ("401", act.status(401), "reach", "does not accept this key", "haha-config init"),
    ("404 model", act.status(404, "model: test-model"), "auth", "no model `test-model`", "models"),
    ("404 path", act.status(404, "x"), "none", "no Messages API at", "/v1/messages"),
    ("429", act.status(429), "auth", "too many requests", "wait"),
    ("500", act.status(500, "boom"), "reach", "HTTP 500: boom", ""),
    ("sign-in page", act.html(), "none", "a web page answers", "sign-in page"),
    ("firewall", act.html(403, "Attention Required! Cloudflare"), "none", "a firewall", "VPN"),
    (
        "tools as text",
        act.tools_as_text(),
        "stream",
        "tools are answered as text",
        "models --tools",
    ),
    ("broken tool input", act.broken_tool_json(), "stream", "is not JSON (`Agent`)", ""),
    (
        "redirect",
        act.redirect("https://x.example/v1/messages"),
        "none",
        "redirects to https://x",
        "",
    ),
    ("hangs up", act.drops_connection(), "reach", "hung up", ""),
    ("nothing", act.empty_body(), "auth", "empty answer", ""),
    ("empty answer", act.empty_answer(), "auth", "answer is empty", ""),
    (
        "strict",
        act.refuses_field("output_config"),
        "model",
        "refuses `output_config`",
        "CLAUDE_CODE_EFFORT_LEVEL=auto",
    ),
]


@pytest.mark.parametrize(
    ("behaviour", "grade", "verdict", "hint"),
    [fault[1:] for fault in FAULTS],
    ids=[fault[0] for fault in FAULTS],
)
def test_a_fault_is_graded_and_named(
    home: Path,
    upstream: Upstream,
    capsys: pytest.CaptureFixture[str],
    behaviour: Behaviour,
    grade: str,
    verdict: str,
    hint: str,
) -> None:
    configure(home, upstream.url)
    behave(upstream, behaviour)
    code, data = run(capsys)
    (model,) = data["models"]
    assert model["grade"] == grade
    assert model["verdict"].startswith("will not work")
    assert verdict in model["verdict"]
    assert any(hint in (c["hint"] or "") for c in model["checks"])
    assert code == 1


def test_a_part_that_is_refused_is_found(
    home: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(home, upstream.url)
    behave(upstream, act.refuses_field("metadata"))
    _, data = run(capsys)
    params = check(data, "params")
    assert params["status"] == "fail"
    assert params["detail"] == "refused: metadata"
    assert params["hint"] == "no setting of client 2.1.332 leaves out metadata"


@pytest.mark.parametrize(
    ("behaviour", "grade", "verdict"),
    [
        (act.hang_before_headers(), "reach", "no answer began within 1 s; the client waits 600 s"),
        (act.hang_mid_stream(4), "auth", "the stream stopped for 1 s"),
    ],
)
def test_what_takes_longer_than_we_wait_is_not_known(
    home: Path,
    upstream: Upstream,
    capsys: pytest.CaptureFixture[str],
    behaviour: Behaviour,
    grade: str,
    verdict: str,
) -> None:
    configure(home, upstream.url)
    behave(upstream, behaviour)
    code, data = run(capsys)
    (model,) = data["models"]
    assert (code, model["grade"], model["verdict"]) == (1, grade, f"not known: {verdict}")
    configure(home, upstream.url, API_TIMEOUT_MS="1000")
    assert run(capsys)[1]["models"][0]["verdict"].startswith("will not work: ")


def test_a_small_probe_says_what_it_left_out(
    home: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(home, upstream.url)
    behave(upstream, act.uses_tools(2))
    code, data = run(capsys, "--small")
    assert code == 0
    assert "a first request of 12K tokens was not tried" in data["models"][0]["verdict"]
    assert max(len(r.raw) for r in upstream.asked("anthropic")) < 15_000


def test_a_hiccup_is_tried_again(
    home: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(home, upstream.url)
    behave(upstream, faults.in_turn(act.status(529, "Overloaded"))())
    code, data = run(capsys)
    assert code == 0
    assert "worked only after 2 tries" in data["models"][0]["verdict"]


def test_what_lasts_is_tried_three_times(
    home: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(home, upstream.url)
    behave(upstream, act.status(529, "Overloaded"))
    _, data = run(capsys)
    assert "(3 times; the client would try for 3 minutes" in data["models"][0]["verdict"]
    assert len(upstream.asked("anthropic")) == 3


def test_the_switch_that_the_hint_names_mends_it(
    home: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(home, upstream.url, CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS="1")
    upstream.behave = lambda r: (
        act.refuses_field("context_management")
        if r.dialect == "anthropic" and "context_management" in r.body
        else act.uses_tools(2)
        if r.dialect == "anthropic"
        else None
    )
    assert run(capsys)[0] == 0


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("one-piece", "in one piece"),
        ("no-message-stop", "without `message_stop`"),
        ("start-after-text", "begin with `message_start`"),
        ("error-event", "breaks off with: Overloaded"),
    ],
)
def test_what_the_client_puts_up_with_is_a_warning(
    home: Path,
    upstream: Upstream,
    capsys: pytest.CaptureFixture[str],
    fault: str,
    words: str,
) -> None:
    configure(home, upstream.url)
    behave(upstream, fault_named(fault))
    code, data = run(capsys)
    stream = check(data, "stream")
    assert (stream["status"], code) == ("warn", 0)
    assert words in stream["detail"]


def test_a_broken_stream_without_a_whole_answer_behind_it(
    home: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(home, upstream.url)
    upstream.behave = lambda r: (
        act.error_mid_stream() if r.stream else act.status(529, "Overloaded")
    )
    code, data = run(capsys)
    assert (code, data["models"][0]["grade"]) == (1, "model")
    assert "breaks off with: Overloaded" in data["models"][0]["verdict"]


def test_another_model_answers(
    home: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(home, upstream.url)
    behave(upstream, fault_named("other-model"))
    _, data = run(capsys)
    assert check(data, "model")["status"] == "warn"
    assert "another model answers: `x`" in data["models"][0]["verdict"]


@pytest.mark.parametrize("asked", ["test-model[1m]", "vendor/test-model"])
def test_the_same_model_under_a_longer_name(
    home: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str], asked: str
) -> None:
    configure(home, upstream.url)
    behave(upstream, act.other_model("test-model-2026-01-31"))
    _, data = run(capsys, asked)
    assert check(data, "model")["status"] == "pass"
    assert "[1m]" not in {r.model for r in upstream.asked("anthropic")}


def test_a_window_that_is_cut(
    home: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(home, upstream.url)
    behave(upstream, act.recites(r"marmalade-\d+", window=16_000))
    code, data = run(capsys, "--context")
    assert check(data, "context")["status"] == "fail"
    assert "start of a long prompt is lost" in check(data, "context")["detail"]
    assert code == 1


def test_a_window_that_holds(
    home: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(home, upstream.url)
    behave(upstream, act.recites(r"marmalade-\d+"))
    _, data = run(capsys, "--context")
    assert check(data, "context")["status"] == "pass"


def test_nobody_is_there(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(home, "http://127.0.0.1:9")
    code, data = run(capsys)
    assert (code, data["models"][0]["grade"]) == (1, "none")
    assert "nothing listens at 127.0.0.1:9" in data["models"][0]["verdict"]


@pytest.mark.parametrize(("grade", "code"), [("stream", 0), ("tools", 1)])
def test_the_grade_that_is_required(
    home: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str], grade: str, code: int
) -> None:
    configure(home, upstream.url)
    behave(upstream, act.tools_as_text())
    assert run(capsys, "--require", grade)[0] == code


def test_an_unknown_grade(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["probe", "--require", "tool"]) == 2
    assert "did you mean `tools`?" in capsys.readouterr().err


def test_its_cost_is_said_before(
    home: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(home, upstream.url)
    behave(upstream, act.uses_tools(2))
    main.run(["probe"])
    out, err = capsys.readouterr()
    said = r"about 7 requests to http://127\.0\.0\.1:\d+ as client 2\.1\.332, 1\dK tokens"
    assert re.search(said, err)
    assert len(upstream.requests) == 7
    assert KEY not in out + err


def test_a_redirect_gets_no_credential(
    home: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(home, upstream.url)
    with Upstream() as elsewhere:
        upstream.behave = lambda _r: act.redirect(f"{elsewhere.url}/v1/messages")
        run(capsys)
        assert elsewhere.requests == []


def test_a_url_without_a_credential_is_not_called(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(home, "https://no-such-host.invalid", ANTHROPIC_AUTH_TOKEN="")
    assert main.run(["probe"]) == 1
    assert "no credential" in capsys.readouterr().err


def test_both_credentials_go_out_as_the_client_sends_them(
    home: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(home, upstream.url, ANTHROPIC_API_KEY="sk-test-fedcba9876543210")
    run(capsys)
    assert upstream.asked("anthropic")[0].credential == (KEY, "sk-test-fedcba9876543210")


def test_the_key_that_a_helper_prints(
    home: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    env = {"ANTHROPIC_BASE_URL": upstream.url, "ANTHROPIC_MODEL": "test-model"}
    settings = {"env": env, "apiKeyHelper": f"echo {KEY}"}
    (home / ".claude" / "settings.json").write_text(json.dumps(settings))
    run(capsys)
    assert upstream.asked("anthropic")[0].credential == (KEY, KEY)


def test_two_models_each_have_a_card(
    home: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(home, upstream.url, ANTHROPIC_DEFAULT_HAIKU_MODEL="small")
    upstream.behave = lambda r: (
        act.status(404, "model: small")
        if r.model == "small"
        else act.uses_tools(2)
        if r.dialect == "anthropic"
        else None
    )
    code, data = run(capsys)
    assert [(m["model"], m["grade"]) for m in data["models"]] == [
        ("test-model", "tools"),
        ("small", "auth"),
    ]
    assert code == 1


def test_nothing_is_written(
    home: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(home, upstream.url)
    before = sorted(home.parent.rglob("*"))
    run(capsys)
    assert sorted(home.parent.rglob("*")) == before


def test_a_report_to_paste_holds_no_key(
    home: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(home, upstream.url)
    behave(upstream, act.status(418, f"the key {KEY} and sk-other-0123456789abcdef are bad | x"))
    assert main.run(["probe", "--report"]) == 1
    out = capsys.readouterr().out
    assert KEY not in out
    assert "0123456789abcdef" not in out
    assert "| `ANTHROPIC_AUTH_TOKEN` | ****cdef | user ~/.claude/settings.json:1 |" in out
    assert "**test-model** (main): will not work: " in out
    assert "the probe speaks as 2.1.332" in out


def test_two_spellings_of_a_model_show_the_slots_of_each(
    home: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(home, upstream.url, ANTHROPIC_DEFAULT_OPUS_MODEL="test-model[1m]")
    behave(upstream, act.uses_tools(2))
    _, data = run(capsys)
    assert [(m["model"], m["slots"]) for m in data["models"]] == [
        ("test-model", ["main"]),
        ("test-model[1m]", ["opus"]),
    ]


def test_the_verdict_comes_first(
    home: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(home, upstream.url)
    behave(upstream, act.uses_tools(2))
    main.run(["probe"])
    title, verdict, *checks = capsys.readouterr().out.splitlines()
    assert (title, verdict) == ("test-model  (main)", "✓ will work")
    assert [line.split()[1] for line in checks][:3] == ["reach", "auth", "model"]
