"""The interview in a real terminal: the stories of people who type `haha-config init`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event

import pytest

from tests.e2e.upstream import Upstream
from tests.e2e.wire import Reply, Request
from tests.terminal.screen import ctrl
from tests.terminal.stories import KEY, NOWHERE, Person, Screen, ollama, person

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal of POSIX")

PROVIDER = "Which provider should answer?"
UPSTREAM = "Which provider does the gateway call?"
KEY_OF = "API key for"
MODEL = "Which model?"
RENAME = "Which name should the client know"
ANOTHER = "Another model behind the gateway?"
START = "Which one should the client start with?"
WRITE = "Write this?"
#: Where no server and no table knows it.
WINDOW = "How many tokens can"
CHANGE = "What do you want to change?"
NOTHING = "Nothing to change"
CUSTOM_KEY = "custom-key-0123456789abcdef"


@pytest.fixture
def who(tmp_path: Path) -> Person:
    return person(tmp_path)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream(models=["alpha", "beta"], keys=[KEY, CUSTOM_KEY]) as up:
        yield up


def enter(screen: Screen, *questions: str) -> None:
    """Each question in turn, answered by Enter alone."""
    for question in questions:
        screen.question(question)
        screen.press("enter")


def pointers(lines: Iterable[str]) -> Iterator[str]:
    return (line[3:] for line in lines if line.startswith(" > "))


def moved_from(row: str, shown: str) -> bool:
    """Whether a whole pointer stands on another row; a screen can be seen half drawn."""
    return any(p != row for p in pointers(shown.splitlines()))


def pick(screen: Screen, question: str, row: str) -> None:
    """Move the pointer to a row that is in sight, and take it."""
    shown = screen.question(question).rpartition("\n? ")[2].splitlines()
    rows = [line[3:] for line in shown if line.startswith((" > ", "   "))]
    pointed = next(pointers(shown))
    wanted = next(line for line in rows if line.startswith(row))
    way = "down" if rows.index(wanted) > rows.index(pointed) else "up"
    while pointed != wanted:
        screen.press(way)
        shown = screen.wait_for(partial(moved_from, pointed), f"a row other than {pointed!r}")
        pointed = next(pointers(shown.splitlines()))
    screen.press("enter")


def change(screen: Screen, row: str) -> None:
    screen.question(WRITE)
    screen.send("c")
    pick(screen, CHANGE, row)


# --- the first time --------------------------------------------------------------------------


def test_with_nothing_there_a_provider_a_key_and_a_model_are_all(who: Person) -> None:
    with who.init() as screen:
        shown = screen.question(PROVIDER)
        assert " > LiteLLM" in shown
        pick(screen, PROVIDER, "OpenRouter")
        shown = screen.question("API key for OpenRouter?")
        assert "Get one at https://openrouter.ai/settings/keys" in shown
        screen.send(f"{KEY}\r")
        shown = screen.question(MODEL)
        assert "No live list" in shown
        assert "Built-in list of 20" in " ".join(shown.split())
        screen.press("enter")
        screen.question(WRITE)
        screen.press("enter")
        assert screen.finish() == 0
        assert "haha-config init --provider openrouter" in screen.history().replace("\n", "")
        assert KEY.encode() not in screen.raw
    variables = who.variables()
    assert variables["ANTHROPIC_BASE_URL"] == "https://openrouter.ai/api"
    assert variables["ANTHROPIC_AUTH_TOKEN"] == KEY
    assert variables["ANTHROPIC_MODEL"] == "deepseek/deepseek-v4-pro"
    assert variables["ANTHROPIC_DEFAULT_HAIKU_MODEL"] == "deepseek/deepseek-v4-flash"
    assert f"ANTHROPIC_AUTH_TOKEN={KEY}" in who.env.read_text()


@pytest.mark.parametrize(
    ("provider", "variable", "key"),
    [
        ("deepseek", "DEEPSEEK_API_KEY", "sk-0123456789abcdef0123456789abcdef"),
        ("openrouter", "OPENROUTER_API_KEY", KEY),
    ],
)
def test_enter_all_the_way_and_the_flags_alone_amount_to_the_same(
    who: Person, tmp_path: Path, provider: str, variable: str, key: str
) -> None:
    with who.init("--provider", provider, **{variable: key}) as screen:
        enter(screen, KEY_OF, MODEL, WRITE)
        assert screen.finish() == 0
    other = person(tmp_path / "flags")
    with other.init("--provider", provider, "--yes", **{variable: key}) as screen:
        assert screen.finish() == 0
    assert who.variables() == other.variables()


def test_with_ollama_running_three_enters_are_enough(who: Person) -> None:
    with ollama(who, "llama3:8b", "qwen3-coder:30b") as server, who.init() as screen:
        shown = screen.question(PROVIDER)
        assert f"running on :{server.port}" in shown
        screen.press("enter")
        shown = screen.question(MODEL)
        assert "NO TOOLS" in shown
        assert " > qwen3-coder:30b" in shown
        screen.press("enter")
        enter(screen, WRITE)
        assert screen.finish() == 0
        assert screen.enters == 3
        assert all(request.credential == (None, None) for request in server.requests)
    variables = who.variables()
    assert variables["ANTHROPIC_MODEL"] == "qwen3-coder:30b"
    assert variables["ANTHROPIC_AUTH_TOKEN"] == "ollama"
    assert variables["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == "262144"


@pytest.mark.parametrize("key", ["openrouter", "minimax", "openai", "glm"])
def test_with_a_key_in_the_environment_four_enters_are_enough(who: Person, key: str) -> None:
    held = {
        "openrouter": ("OPENROUTER_API_KEY", KEY),
        "minimax": ("MINIMAX_API_KEY", "sk-api-test0123456789abcdef"),
        "openai": ("OPENAI_API_KEY", "sk-proj-test0123456789abcdef"),
        "glm": ("ZAI_API_KEY", "test0123456789abcdef.test0123456789"),
    }
    name, value = held[key]
    asked = ("In which region" if key in ("minimax", "glm") else KEY_OF, MODEL)
    with who.init(**{name: value}) as screen:
        assert f"key found in {name}" in screen.question(PROVIDER)
        screen.press("enter")
        for question in asked:
            screen.question(question)
            screen.press("enter")
        enter(screen, WRITE)
        assert screen.finish() == 0
        assert screen.enters <= 4
        assert value.encode() not in screen.raw
    assert value in "".join(
        path.read_text() for path in (who.settings, who.work / "litellm.env") if path.exists()
    )


def test_a_model_that_cannot_call_tools_is_warned_of_before_and_after(who: Person) -> None:
    with ollama(who, "llama3:8b", "mine:7b", "qwen3-coder:30b"), who.init() as screen:
        enter(screen, PROVIDER)
        screen.question(MODEL)
        screen.send("llama3")
        screen.wait("2 of 3")
        screen.press("enter")
        assert "warning: `llama3:8b` can't call tools" in screen.question(WRITE)
        change(screen, "Models for opus, haiku and others")
        enter(screen, "For which kind of work?")
        pick(screen, "Which model for opus?", "mine:7b")
        shown = screen.question(WRITE)
        assert "warning: `llama3:8b` can't call tools" in shown
        assert "warning: `mine:7b`" not in shown
        screen.press("enter")
        assert screen.finish() == 0
        after = screen.history().rpartition("wrote ")[2]
        assert "`llama3:8b` of Ollama can't call tools" in " ".join(after.split())
        assert "ollama serve" not in after
    with ollama(who, "qwen3-coder:30b"), who.init("--provider", "ollama") as screen:
        screen.question(MODEL)
        screen.send("qwen3-coder")
        screen.wait("use this name as it is")
        screen.press("down", "enter")
        enter(screen, WINDOW)
        assert "warning: Ollama does not list `qwen3-coder`" in screen.question(WRITE)
        screen.send(ctrl("c"))
        assert screen.finish() == 130


def test_behind_the_gateway_too_a_model_that_cannot_call_tools_is_marked(who: Person) -> None:
    (who.work / "litellm_config.yaml").write_text(
        "model_list:\n"
        "  - {model_name: old, litellm_params: {model: ollama_chat/llama3:8b}}\n"
        "  - {model_name: new, litellm_params: {model: ollama_chat/qwen3-coder}}\n"
    )
    with who.init("--provider", "litellm") as screen:
        enter(screen, ANOTHER)
        shown = screen.question(START)
        assert "   old  Ollama, llama3:8b, NO TOOLS" in shown
        assert " > new  Ollama, qwen3-coder" in shown
        screen.press("up", "enter")
        enter(screen, WINDOW)
        assert "warning: `llama3:8b` can't call tools" in screen.question(WRITE)
        screen.send(ctrl("c"))
        assert screen.finish() == 130


def test_a_model_that_has_ended_is_last_in_the_list_and_warned_of(who: Person) -> None:
    held = 'retired = "2026-12-11"\ninstead = "gpt-6.1-sol"'
    who.row("openai", (held, held.replace("2026-12-11", "2026-01-02")))
    with who.init("--provider", "openai", OPENAI_API_KEY="sk-proj-test0123456789abcdef") as screen:
        enter(screen, KEY_OF)
        screen.question(MODEL)
        screen.send("2026-01-02")
        screen.wait_match(r"^ > gpt-5 +ENDED 2026-01-02, 272K, tools")
        screen.press("esc")
        screen.wait("esc back")
        screen.press("end")
        screen.wait_match(r"^ > [^\n]+ENDED 20\d\d-")
        screen.press("home")
        screen.wait_match(r"^ > gpt-6.1-sol ")
        screen.send("2026-01-02")
        screen.wait_match(r"^ > gpt-5 ")
        screen.press("enter")
        assert "warning: `gpt-5` ended on 2026-01-02" in screen.question(WRITE)
        screen.press("enter")
        assert screen.finish() == 0
        assert "OpenAI ended `gpt-5` on 2026-01-02" in " ".join(screen.history().split())


def test_what_a_list_is_awaited_from_is_on_the_screen_only_meanwhile(who: Person) -> None:
    answer = Event()

    def late(_request: Request, reply: Reply) -> None:
        answer.wait(30)
        reply.json(200, {"data": [{"id": "alpha"}]})

    with Upstream() as upstream:
        upstream.routes[("GET", "/v1/models")] = late
        words = ("--provider", "custom-anthropic", "--base-url", upstream.url)
        with who.init(*words, NO_PROXY="127.0.0.1") as screen:
            screen.question(KEY_OF)
            screen.send(f"{CUSTOM_KEY}\r")
            screen.wait_for(
                lambda _: b"asking 127.0.0.1 for its models" in screen.raw, "what is awaited"
            )
            answer.set()
            assert "asking 127.0.0.1" not in screen.question(MODEL)
            screen.send(ctrl("c"))
            assert screen.finish() == 130


@pytest.mark.parametrize(
    ("row", "path"),
    [
        ("custom-anthropic", ""),
        ("custom-openai", "/v1"),
        ("custom-openai", "/v1/chat/completions"),
    ],
)
def test_the_url_is_asked_before_its_key(
    who: Person, upstream: Upstream, row: str, path: str
) -> None:
    base = f"{upstream.url}{path}"
    with who.init("--provider", row, NO_PROXY="127.0.0.1") as screen:
        screen.question("Base URL of the service?")
        screen.send(f"{base}\r")
        screen.question("API key for 127.0.0.1?")
        screen.press("esc")
        assert base in screen.question("Base URL of the service?")
        screen.press("enter")
        screen.question("API key for 127.0.0.1?")
        screen.send(f"{CUSTOM_KEY}\r")
        assert "alpha" in screen.question(MODEL)
        enter(screen, MODEL, WINDOW, WRITE)
        assert screen.finish() == 0
    assert who.variables()["ANTHROPIC_MODEL"] == "alpha"
    assert who.variables()["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == "200000"


def test_d_shows_the_whole_difference(who: Person) -> None:
    with who.init("--provider", "openrouter", OPENROUTER_API_KEY=KEY) as screen:
        enter(screen, KEY_OF, MODEL)
        screen.question(WRITE)
        assert "+ models main, opus" in screen.history()
        assert "+ env.ANTHROPIC_DEFAULT_FABLE_MODEL" not in screen.history()
        screen.send("d")
        screen.wait_for(
            lambda _: "+ ANTHROPIC_DEFAULT_FABLE_MODEL=" in screen.history(), "the whole diff"
        )
        assert "+ env.ANTHROPIC_DEFAULT_FABLE_MODEL" in screen.history()
        enter(screen, WRITE)
        assert screen.finish() == 0


def test_an_old_ollama_goes_through_litellm_and_says_why(who: Person) -> None:
    with ollama(who, "qwen3-coder:30b", version="0.13.5"), who.init() as screen:
        enter(screen, PROVIDER)
        shown = screen.question(MODEL)
        assert "Ollama 0.13.5 is older than 0.14.0" in shown
        screen.press("enter")
        enter(screen, WRITE)
        assert screen.finish() == 0
    assert "ollama_chat/qwen3-coder:30b" in (who.work / "litellm_config.yaml").read_text()


def test_the_list_of_the_endpoint_is_asked_with_its_own_key_only(
    who: Person, upstream: Upstream
) -> None:
    who.row("chutes", ("https://claude.chutes.ai", upstream.url))
    with who.init("--provider", "chutes", OPENROUTER_API_KEY=KEY, NO_PROXY="*") as screen:
        screen.question(KEY_OF)
        screen.send("cpk_test0123456789abcdef\r")
        screen.question(MODEL)
        screen.send(ctrl("c"))
        assert screen.finish() == 130
    assert {r.credential for r in upstream.requests} == {("cpk_test0123456789abcdef", None)}


# --- LiteLLM ---------------------------------------------------------------------------------


def three_upstreams(screen: Screen, url: str) -> None:
    pick(screen, PROVIDER, "LiteLLM")
    assert " > OpenAI" in screen.question(UPSTREAM)
    screen.press("enter")
    enter(screen, "Which model of OpenAI?")
    pick(screen, ANOTHER, "Add a model")
    pick(screen, UPSTREAM, "Any OpenAI-compatible URL")
    screen.question("Base URL of the service?")
    screen.send(f"{url}/v1\r")
    screen.question(KEY_OF)
    screen.send(f"{CUSTOM_KEY}\r")
    screen.question("Which model of Any OpenAI-compatible URL?")
    screen.press("esc")
    assert "Enter keeps the one you pasted" in screen.question(KEY_OF)
    screen.press("enter")
    screen.question("Which model of Any OpenAI-compatible URL?")
    screen.send("beta")
    screen.wait(" / beta")
    screen.press("enter")
    pick(screen, ANOTHER, "Add a model")
    pick(screen, UPSTREAM, "Ollama")
    enter(screen, "Which model of Ollama?", ANOTHER)


def test_three_upstreams_behind_litellm(who: Person, upstream: Upstream) -> None:
    openai = "sk-proj-test0123456789abcdef"
    with (
        ollama(who, "qwen3-coder:30b"),
        who.init(OPENAI_API_KEY=openai, NO_PROXY="127.0.0.1,localhost") as screen,
    ):
        three_upstreams(screen, upstream.url)
        pick(screen, START, "beta")
        enter(screen, WINDOW)
        assert "beta (Any OpenAI-compatible URL)" in screen.question(WRITE)
        screen.send("c")
        pick(screen, CHANGE, "Names of the new models")
        pick(screen, "Which model should have another name?", "beta")
        screen.question(RENAME)
        screen.send("qwen3-coder:30b\r")
        screen.wait("two models can't share the name")
        screen.send(ctrl("u"))
        screen.send("mine\r")
        shown = " ".join(screen.question(WRITE).split())
        assert "mine (Any OpenAI-compatible URL, beta)" in shown
        assert "mine for all" in shown
        assert "litellm_config.yaml: the gateway's models" in shown
        assert "litellm.env: the gateway's keys; only you can read it" in shown
        assert "profiles/litellm.toml: for `haha-config use litellm`" in shown
        screen.press("enter")
        assert screen.finish() == 0
        assert CUSTOM_KEY.encode() not in screen.raw
    text = (who.work / "litellm_config.yaml").read_text()
    order = [text.index(f"model_name: {n}") for n in ("gpt-", "mine", "qwen3-coder:30b")]
    assert order == sorted(order)
    assert CUSTOM_KEY not in text
    held = (who.work / "litellm.env").read_text()
    assert f"OPENAI_API_KEY={openai}\n" in held
    assert f"CUSTOM_OPENAI_API_KEY={CUSTOM_KEY}\n" in held
    assert who.variables()["ANTHROPIC_MODEL"] == "mine"
    before = who.written()
    with who.init() as screen:
        enter(screen, PROVIDER, ANOTHER, START)
        enter(screen, NOTHING)
        assert screen.finish() == 0
    assert who.written() == before
    with who.init() as screen:
        enter(screen, PROVIDER)
        pick(screen, ANOTHER, "Take out mine")
        screen.wait("gateway?  Take out mine")
        enter(screen, ANOTHER)
        pick(screen, START, "qwen3-coder:30b")
        enter(screen, WRITE)
        assert screen.finish() == 0
    text = (who.work / "litellm_config.yaml").read_text()
    assert "mine" not in text
    assert "qwen3-coder:30b" in text
    assert set(who.variables().values()) & {"mine"} == set()


GUIDE = """\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
      api_key: os.environ/OPENAI_API_KEY
"""


@pytest.mark.parametrize("row", ["litellm", "openai"])
def test_a_key_that_the_gateways_file_names_and_nobody_has_is_asked_for(
    who: Person, row: str
) -> None:
    if row == "openai":
        who.row("openai", ("OPENAI_API_KEY", "OTHER_API_KEY"))
    (who.work / "litellm_config.yaml").write_text(GUIDE)
    key = "sk-proj-test0123456789abcdef"
    with who.init("--provider", row, OTHER_API_KEY=key) as screen:
        enter(screen, *((ANOTHER,) if row == "litellm" else (KEY_OF, MODEL)))
        shown = screen.question("API key for OPENAI_API_KEY?")
        assert "litellm_config.yaml needs it for gpt-4o" in shown
        screen.send("sk-ant-test0123456789abcdef\r")
        screen.wait("this is a key of")
        screen.send(ctrl("u"))
        screen.send(f"{key}\r")
        enter(screen, WRITE)
        assert screen.finish() == 0
    assert f"OPENAI_API_KEY={key}\n" in (who.work / "litellm.env").read_text()


def test_two_services_of_one_row_have_a_key_each(who: Person) -> None:
    with (
        Upstream(models=["alpha"]) as upstream,
        Upstream(models=["gamma"]) as other,
        who.init(NO_PROXY="127.0.0.1,localhost") as screen,
    ):
        pick(screen, PROVIDER, "LiteLLM")
        for number, url in enumerate((upstream.url, other.url)):
            if number:
                pick(screen, ANOTHER, "Add a model")
            pick(screen, UPSTREAM, "Any OpenAI-compatible URL")
            screen.question("Base URL of the service?")
            screen.send(f"{url}/v1\r")
            screen.question(KEY_OF)
            screen.send(f"{CUSTOM_KEY}{number}\r")
            enter(screen, "Which model of")
        enter(screen, ANOTHER, START, WINDOW, WRITE)
        assert screen.finish() == 0
    held = (who.work / "litellm.env").read_text()
    assert f"CUSTOM_OPENAI_API_KEY={CUSTOM_KEY}0\n" in held
    assert f"CUSTOM_OPENAI_API_KEY_2={CUSTOM_KEY}1\n" in held


def test_somebody_elses_gateway(who: Person) -> None:
    with Upstream(models=["team-model"]) as gateway, who.init(NO_PROXY="127.0.0.1") as screen:
        pick(screen, PROVIDER, "LiteLLM")
        pick(screen, UPSTREAM, "A LiteLLM elsewhere")
        screen.question("Base URL of that LiteLLM?")
        screen.send(f"{gateway.url}/v1/messages\r")
        screen.question(KEY_OF)
        screen.send("sk-team-0123456789abcdef\r")
        assert "team-model" in screen.question(MODEL)
        enter(screen, MODEL, WINDOW, WRITE)
        assert screen.finish() == 0
    assert who.variables()["ANTHROPIC_BASE_URL"] == gateway.url
    assert who.variables()["ANTHROPIC_MODEL"] == "team-model"
    assert not (who.work / "litellm_config.yaml").exists()


# --- again -----------------------------------------------------------------------------------


def configured(who: Person) -> None:
    with who.init("--provider", "openrouter", OPENROUTER_API_KEY=KEY) as screen:
        enter(screen, KEY_OF, MODEL, WRITE)
        assert screen.finish() == 0


def test_enter_all_the_way_again_changes_nothing(who: Person) -> None:
    configured(who)
    before = who.written()
    with who.init() as screen:
        assert "current" in screen.question(PROVIDER)
        screen.press("enter")
        assert "Enter keeps the one set up now" in screen.question(KEY_OF)
        screen.press("enter")
        assert "current" in screen.question(MODEL)
        screen.press("enter")
        enter(screen, NOTHING)
        assert screen.finish() == 0
        assert "Nothing to change" in screen.history()
        assert "Try it now" not in screen.history()
    assert who.written() == before


def test_the_files_of_another_folder_are_said_with_the_reason(who: Person) -> None:
    configured(who)
    here = replace(who, work=who.work.parent / "elsewhere")
    here.work.mkdir()
    with here.init() as screen:
        screen.question(PROVIDER)
        shown = " ".join(screen.history().split())
        assert "/work, where the last write was; --dir . is for this folder" in shown
        enter(screen, PROVIDER, KEY_OF, MODEL)
        shown = " ".join(screen.question(NOTHING).split())
        assert "where the last write was; --dir . is for this folder" in shown
        screen.press("enter")
        assert screen.finish() == 0
    with here.init("--dir", ".") as screen:
        screen.question(PROVIDER)
        assert "where the last write was" not in screen.history()
        screen.send(ctrl("c"))
        assert screen.finish() == 130


def test_one_thing_is_changed_and_the_rest_stays(who: Person) -> None:
    configured(who)
    before = who.variables()
    with who.init() as screen:
        enter(screen, PROVIDER, KEY_OF, MODEL)
        screen.question(NOTHING)
        screen.send("c")
        pick(screen, CHANGE, "Traffic")
        pick(screen, "What may the client send", "minimal")
        shown = screen.question(WRITE)
        assert "- env.CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC" in screen.history()
        assert "no telemetry; the rest stays on" in shown
        screen.press("enter")
        assert screen.finish() == 0
    del before["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"]
    assert who.variables() == before


def test_a_slot_of_its_own_and_the_scope(who: Person) -> None:
    with who.init("--provider", "openrouter", OPENROUTER_API_KEY=KEY) as screen:
        enter(screen, KEY_OF, MODEL)
        change(screen, "Models for opus, haiku and others")
        pick(screen, "For which kind of work?", "sonnet")
        screen.question("Which model for sonnet?")
        screen.send("my/own-model")
        screen.wait("use this name as it is")
        screen.press("enter")
        change(screen, "Scope")
        pick(screen, "For which projects?", ".claude/settings.local.json")
        change(screen, "Files")
        pick(screen, "Which files should be written?", "only settings.json")
        enter(screen, WRITE)
        assert screen.finish() == 0
    local = json.loads((who.work / ".claude" / "settings.local.json").read_text())["env"]
    assert local["ANTHROPIC_DEFAULT_SONNET_MODEL"] == "my/own-model"
    assert local["ANTHROPIC_DEFAULT_HAIKU_MODEL"] == "deepseek/deepseek-v4-flash"
    assert not who.settings.exists()
    assert not who.env.exists()


def test_a_key_never_goes_into_the_shared_scope(who: Person) -> None:
    with who.init("--provider", "openrouter", OPENROUTER_API_KEY=KEY) as screen:
        enter(screen, KEY_OF, MODEL)
        change(screen, "Scope")
        assert "a key would be shared" in screen.question("For which projects?")
        screen.press("down")
        screen.wait(" > .claude/settings.local.json")
        screen.press("up")
        screen.wait(" > ~/.claude/settings.json")
        screen.press("enter")
        enter(screen, WRITE)
        assert screen.finish() == 0
    assert not (who.work / ".claude").exists()
    assert who.settings.exists()


def test_another_provider_takes_nothing_along(who: Person) -> None:
    configured(who)
    with ollama(who, "qwen3-coder:30b"), who.init() as screen:
        pick(screen, PROVIDER, "Ollama")
        enter(screen, MODEL, WRITE)
        assert screen.finish() == 0
    assert who.variables()["ANTHROPIC_AUTH_TOKEN"] == "ollama"
    assert "deepseek" not in json.dumps(who.variables())


# --- back, out, wrong ------------------------------------------------------------------------


def test_back_and_forth(who: Person) -> None:
    with who.init() as screen:
        screen.question(PROVIDER)
        screen.press("esc")
        # In the question itself: at 24 rows a line above it has scrolled away.
        screen.wait_match("(?s)^  this is the first question.*F1 more")
        pick(screen, PROVIDER, "MiniMax")
        pick(screen, "In which region", "China")
        screen.question(KEY_OF)
        screen.send("sk-api-test0123456789abcdef\r")
        screen.question(MODEL)
        screen.press("esc")
        assert "Enter keeps the one you pasted" in screen.question(KEY_OF)
        screen.send("<\r")
        assert " > China" in screen.question("In which region")
        screen.press("esc")
        assert " > MiniMax" in screen.question(PROVIDER)
        enter(screen, PROVIDER, "In which region", KEY_OF)
        pick(screen, MODEL, "MiniMax-M2.7 ")
        screen.question(WRITE)
        screen.press("esc")
        assert " > MiniMax-M2.7 " in screen.question(MODEL)
        enter(screen, MODEL, WRITE)
        assert screen.finish() == 0
    assert who.variables()["ANTHROPIC_BASE_URL"] == "https://api.minimaxi.com/anthropic"
    assert who.variables()["ANTHROPIC_MODEL"] == "MiniMax-M2.7"


@pytest.mark.parametrize(("mode", "key"), [("drawn", "c"), ("plain", "d")])
def test_leaving_at_any_question_writes_nothing(who: Person, key: str, mode: str) -> None:
    answers = [
        (PROVIDER, "minimax\r" if mode == "plain" else "\x1b[B\x1b[B\r"),
        ("In which region", "\r"),
        (KEY_OF, "sk-api-test0123456789abcdef\r"),
        (MODEL, "\r"),
        (WRITE, "c" if mode == "drawn" else "c\r"),
        (CHANGE, ""),
    ]
    flags = ["--plain"] if mode == "plain" else []
    before = who.written()
    for last in range(len(answers)):
        with who.init(*flags) as screen:
            for question, answer in answers[:last]:
                _wait(screen, question, mode)
                screen.send(answer)
            _wait(screen, answers[last][0], mode)
            screen.send(ctrl(key))
            assert screen.finish() == 130, answers[last][0]
            assert "nothing was written" in screen.text()
        assert who.written() == before


def _wait(screen: Screen, question: str, mode: str) -> None:
    if mode == "drawn":
        screen.question(question)
    else:
        screen.wait_for(
            lambda shown: question in screen.history() and shown.endswith("):"),
            question,
        )


def test_a_wrong_key_is_told_at_once(who: Person) -> None:
    with who.init("--provider", "minimax") as screen:
        enter(screen, "In which region")
        screen.question(KEY_OF)
        screen.send(f"{KEY}\r")
        screen.wait("this is a key of OpenRouter, not of MiniMax")
        screen.send(ctrl("u"))
        screen.send("short\r")
        screen.wait("the key is too short for MiniMax")
        screen.send(ctrl("u"))
        screen.send("two words\r")
        screen.wait("has a space or line break inside")
        screen.send(ctrl("u"))
        screen.send('"sk-api-test0123456789abcdef"\r')
        assert "took the quotes off the key" in screen.question(MODEL)
        screen.send(ctrl("c"))
        assert screen.finish() == 130


def test_a_key_that_was_found_and_cannot_be_one_is_asked_for(who: Person) -> None:
    with who.init("--provider", "openrouter", OPENROUTER_API_KEY="sk-ant-test0123456789") as screen:
        assert "Enter uses" not in screen.question(KEY_OF)
        screen.press("enter")
        screen.wait("paste the key")
        screen.send(ctrl("c"))
        assert screen.finish() == 130


def test_the_key_is_tried_before_anything_is_written(who: Person, upstream: Upstream) -> None:
    arguments = ("--provider", "custom-anthropic", "--base-url", upstream.url, "--model", "alpha")
    with who.init(*arguments, NO_PROXY="127.0.0.1") as screen:
        screen.question(KEY_OF)
        screen.send("wrong-key-0123456789\r")
        enter(screen, WINDOW)
        screen.question(WRITE)
        screen.send("t")
        screen.wait("does not accept this key")
        assert not who.settings.exists()
        change(screen, "Key")
        screen.question(KEY_OF)
        screen.send(f"{CUSTOM_KEY}\r")
        screen.question(WRITE)
        screen.send("t")
        screen.wait("It works: alpha answered")
        enter(screen, WRITE)
        assert screen.finish() == 0
    assert who.variables()["ANTHROPIC_AUTH_TOKEN"] == CUSTOM_KEY


# --- without a drawing -----------------------------------------------------------------------


def test_plain_lines_ask_the_same(who: Person) -> None:
    with ollama(who, "qwen3-coder:30b"), who.init("--plain") as screen:
        screen.wait("[Ollama]")
        screen.send("\r")
        screen.wait("[qwen3-coder:30b]")
        screen.send("\r")
        screen.wait(WRITE)
        screen.wait("[w]")
        screen.send("\r")
        screen.wait("Try it now, with real requests?")
        assert screen.enters == 3
        screen.send("n\r")
        assert screen.finish() == 0
    assert who.variables()["ANTHROPIC_MODEL"] == "qwen3-coder:30b"


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_nothing_is_cut_or_torn_at_any_width(who: Person, columns: int) -> None:
    with ollama(who, "qwen3-coder:30b"), who.init(columns=columns) as screen:
        if columns == 40:
            assert " > Ollama  running" in screen.question(PROVIDER)
        for question in (PROVIDER, MODEL, WRITE):
            shown = screen.question(question)
            assert max(len(line) for line in shown.splitlines()) <= columns
            screen.press("enter")
        assert screen.finish() == 0


def test_a_dry_run_asks_and_writes_nothing(who: Person) -> None:
    before = who.written()
    with who.init("--dry-run", "--provider", "deepseek", HTTPS_PROXY=NOWHERE) as screen:
        screen.question(KEY_OF)
        screen.send("sk-test0123456789abcdef\r")
        enter(screen, MODEL)
        enter(screen, "Done? With --dry-run nothing is written.")
        assert screen.finish() == 0
    assert who.written() == before


def test_the_summary_is_drawn_in_colours_and_not_in_their_codes(who: Person) -> None:
    with who.init("--provider", "openrouter", OPENROUTER_API_KEY=KEY) as screen:
        enter(screen, KEY_OF, MODEL)
        shown = screen.question(WRITE)
        assert "\\x1b" not in screen.history()
        assert "scope user: all your projects" in " ".join(shown.split())
        screen.send(ctrl("c"))
        assert screen.finish() == 130
