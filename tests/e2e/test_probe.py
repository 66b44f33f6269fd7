"""What `probe` says of an endpoint, against what the real client can do with it.

A: the real LiteLLM before an upstream that behaves or misbehaves. B: the same upstream directly.
Each row is judged twice: the grade and words of the probe, and the client's own attempt at it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import behaviours as act
from tests.e2e import parts
from tests.e2e.processes import QUIET, Gateway, environment, free_port
from tests.e2e.upstream import Upstream
from tests.e2e.wire import Behaviour, Request

MASTER = "sk-" + "0123456789abcdef" * 3
KEY = "sk-test-0123456789abcdef"
WRONG = "sk-test-wrong-0123456789"
#: What the client is asked to find out by a tool; only the upstream knows when it has done so.
READ = "Read the file notes.txt and answer with what it says."
#: Each probe is judged by what both of them make of the same endpoint.
CLIENTS = (parts.OLDEST, parts.NEWEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One set-up. `works`: whether the client can do its work with it."""

    name: str
    behaviour: Behaviour
    grade: str
    words: str
    works: bool
    #: The client never gives up by itself here, as it waits or goes round and round.
    endless: bool = False
    arguments: tuple[str, ...] = ()


def row(
    name: str, behaviour: Behaviour, grade: str, words: str, *, works: bool = False, **more: Any
) -> Row:
    return Row(name=name, behaviour=behaviour, grade=grade, words=words, works=works, **more)


def honest(request: Request, reply: Any) -> None:
    """A good model: reads when it is asked to read, answers in words otherwise."""
    asks = [name for name in request.tools if name == "Read"]
    if asks and "Read" in request.prompt and not request.has_tool_result:
        act.answer(calls=[("Read", {"file_path": "notes.txt"})] * _wanted(request))(request, reply)
    else:
        act.answer()(request, reply)


def _wanted(request: Request) -> int:
    return 2 if "call it twice" in request.prompt else 1


def answers_as_another(request: Request, reply: Any) -> None:
    """As good, and under a name that nobody asked for."""
    honest(replace(request, body={**request.body, "model": "gemma.gguf"}), reply)


GOOD = row("good", honest, "tools", "will work", works=True)

#: Before the real LiteLLM. The names are those of the models there.
THROUGH_LITELLM = (
    GOOD,
    row("s401", act.status(401), "auth", "refuses the gateway's key"),
    row("s429", act.status(429), "auth", "too many requests"),
    row("s500", act.status(500, "boom"), "auth", "boom"),
    row("s404", act.status(404, "no model here"), "auth", "404"),
    row("page", act.html(), "auth", "empty"),
    row("firewall", act.html(403, "Attention Required"), "auth", "with HTTP 403"),
    row("hang", act.hang_before_headers(), "reach", "no answer began", endless=True),
    row("stall", act.hang_mid_stream(), "auth", "the stream stopped", endless=True),
    row("text", act.tools_as_text(), "stream", "tools are answered as text"),
    row("broken", act.broken_tool_json(), "stream", "tool call", endless=True),
    row("empty", act.empty_answer(), "auth", "empty"),
    row("hangs-up", act.drops_connection(), "auth", "can't reach its upstream"),
    row(
        "cut-short",
        act.recites(r"marmalade-\d+", window=16_000),
        "stream",
        "did not",
        arguments=("--context",),
    ),
)

#: Without a gateway: what LiteLLM hides or translates.
DIRECTLY = (
    GOOD,
    row("401", act.status(401), "reach", "does not accept this key"),
    row("404 model", act.status(404, "model: test-model"), "auth", "has no model"),
    row("429", act.status(429), "auth", "too many requests"),
    row("500", act.status(500, "boom"), "reach", "HTTP 500: boom"),
    row("529", act.status(529, "Overloaded"), "reach", "overloaded"),
    row("page", act.html(), "none", "a web page answers"),
    row("firewall", act.html(403, "Attention Required"), "none", "a firewall"),
    row("hang", act.hang_before_headers(), "reach", "no answer began", endless=True),
    row("stall", act.hang_mid_stream(), "auth", "the stream stopped", endless=True),
    row("text", act.tools_as_text(), "stream", "tools are answered as text"),
    row("broken", act.broken_tool_json(), "stream", "is not JSON", endless=True),
    row("empty", act.empty_answer(), "auth", "answer is empty"),
    row("nothing", act.empty_body(), "auth", "empty answer"),
    row("hangs up", act.drops_connection(), "reach", "hung up"),
    row("other", answers_as_another, "tools", "another model answers: `gemma.gguf`", works=True),
)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Upstream]:
    with Upstream(models=["test-model"]) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, endpoint: Upstream) -> Iterator[Gateway]:
    """One LiteLLM with a model for each row, so that no failure cools another down."""
    folder = tmp_path_factory.mktemp("gateway")
    models = "".join(
        f"  - model_name: {r.name}\n"
        f"    litellm_params: {{model: openai/{r.name}, api_base: '{endpoint.url}/v1',"
        " api_key: os.environ/UP_KEY}\n"
        for r in THROUGH_LITELLM
    )
    (folder / "litellm_config.yaml").write_text(
        f"model_list:\n{models}"
        "litellm_settings:\n"
        "  drop_params: true\n"
        "  use_chat_completions_url_for_anthropic_messages: true\n"
        "general_settings:\n"
        "  master_key: os.environ/LITELLM_MASTER_KEY\n"
    )
    env = {"LITELLM_MASTER_KEY": MASTER, "UP_KEY": KEY, "LITELLM_MODE": "PRODUCTION"}
    running = Gateway(folder, folder, env)
    try:
        running.wait_until_up()
        yield running
    finally:
        running.stop()


class User:
    """A person with a home, our program and the client."""

    def __init__(self, base: Path) -> None:
        self.home, self.folder = base / "home", base / "work"
        (self.home / ".claude").mkdir(parents=True)
        self.folder.mkdir()
        (self.folder / "notes.txt").write_text("the notes say forty-two\n")

    def uses(self, url: str, model: str, key: str = KEY) -> None:
        env = {
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_AUTH_TOKEN": key,
            "ANTHROPIC_API_KEY": "",
            "ANTHROPIC_MODEL": model,
            "ENABLE_TOOL_SEARCH": "false",
        }
        (self.home / ".claude" / "settings.json").write_text(json.dumps({"env": env}))

    def sends_api_key(self) -> None:
        """The key goes out in the other header."""
        path = self.home / ".claude" / "settings.json"
        data = json.loads(path.read_text())
        data["env"] |= {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_AUTH_TOKEN": ""}
        path.write_text(json.dumps(data))

    def probe(
        self, *arguments: str, seconds: float = 30, version: str = parts.OLDEST
    ) -> dict[str, Any]:
        """The one card of a probe, with its exit code as `code`; this client is installed."""
        bin_ = self.home / "bin"
        bin_.mkdir(exist_ok=True)
        (bin_ / "claude").unlink(missing_ok=True)
        (bin_ / "claude").symlink_to(parts.client(version))
        env = environment(self.home)
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "haha_config",
                "probe",
                "--client",
                "claude",
                "--format",
                "json",
                *arguments,
                "--timeout",
                str(seconds),
            ],
            cwd=self.folder,
            env={**env, "PATH": f"{bin_}:{env['PATH']}"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.stdout, done.stderr
        (card,) = json.loads(done.stdout)["models"]
        return {**card, "code": done.returncode}

    def client_works(self, version: str, *, endless: bool = False) -> bool:
        """Whether a real client reads a file by a tool and says something in the end."""
        try:
            done = subprocess.run(
                [str(parts.client(version)), "-p", asks(version), "--output-format", "json"],
                cwd=self.folder,
                env={
                    **environment(self._home_of(version)),
                    **QUIET,
                    "CLAUDE_CODE_MAX_RETRIES": "1",
                    "API_TIMEOUT_MS": "15000",
                },
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=25 if endless else 120,
                check=False,
            )
        except subprocess.TimeoutExpired:
            assert endless
            return False
        said = json.loads(done.stdout)
        return bool(done.returncode == 0 and not said["is_error"] and said["result"].strip())

    def _home_of(self, version: str) -> Path:
        """A home for each client with the same settings: they run at once."""
        home = self.home.with_name(f"home-{version}")
        shutil.copytree(self.home / ".claude", home / ".claude", dirs_exist_ok=True)
        return home


def asks(version: str) -> str:
    """What a client says, so that its requests can be told from another's behind a gateway."""
    return f"{READ} ({version})"


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User(tmp_path)


def judged(card: dict[str, Any], wanted: Row) -> None:
    told = " ".join([card["verdict"], *(c["detail"] for c in card["checks"])])
    assert (card["grade"], wanted.words in told) == (wanted.grade, True), card
    assert (card["code"] == 0) is wanted.works
    assert card["verdict"].startswith("will work") is wanted.works


@pytest.mark.parametrize("wanted", THROUGH_LITELLM, ids=lambda r: r.name)
def test_through_litellm(user: User, gateway: Gateway, endpoint: Upstream, wanted: Row) -> None:
    by_name = {r.name: r.behaviour for r in THROUGH_LITELLM}
    endpoint.behave = lambda r: by_name.get(r.model)
    user.uses(gateway.url, wanted.name, MASTER)
    # LiteLLM tries three times by itself before it gives up.
    judged(user.probe(*wanted.arguments, seconds=8 if wanted.endless else 40), wanted)
    agrees(user, endpoint, wanted)


@pytest.mark.parametrize("wanted", DIRECTLY, ids=lambda r: r.name)
def test_directly(user: User, endpoint: Upstream, wanted: Row) -> None:
    endpoint.behave = lambda r: wanted.behaviour if r.dialect == "anthropic" else None
    user.uses(endpoint.url, "test-model")
    judged(user.probe(*wanted.arguments, seconds=3), wanted)
    agrees(user, endpoint, wanted)


def agrees(user: User, endpoint: Upstream, wanted: Row) -> None:
    """Both clients can use what was called working, and not what was called broken."""
    endpoint.clear()
    with ThreadPoolExecutor(len(CLIENTS)) as pool:
        ran = pool.map(lambda version: user.client_works(version, endless=wanted.endless), CLIENTS)
        worked = dict(zip(CLIENTS, ran, strict=True))
    for version in CLIENTS:
        mine = [r for r in endpoint.asked() if asks(version) in r.prompt]
        read = any(r.has_tool_result for r in mine)
        if wanted.grade == "stream":
            # It answers; what it can't do is work: no tool was ever called with success.
            assert not (worked[version] and read), version
        else:
            assert worked[version] is wanted.works, version


def test_wrong_key(user: User, gateway: Gateway, endpoint: Upstream) -> None:
    endpoint.behave = lambda _r: None
    user.uses(gateway.url, "good", WRONG)
    wanted = row("", honest, "reach", "not the gateway's master key")
    judged(user.probe(), wanted)
    agrees(user, endpoint, wanted)


def test_no_key(user: User, gateway: Gateway, endpoint: Upstream) -> None:
    user.uses(gateway.url, "good", "")
    wanted = row("", honest, "reach", "fails without a key")
    judged(user.probe(), wanted)
    agrees(user, endpoint, wanted)


def test_wrong_model(user: User, gateway: Gateway, endpoint: Upstream) -> None:
    user.uses(gateway.url, "no-such-model", MASTER)
    wanted = row("", honest, "auth", "offers no model `no-such-model`")
    card = user.probe()
    judged(card, row("", honest, "auth", "no model `no-such-model`"))
    agrees(user, endpoint, wanted)


def test_doubled_v1(user: User, endpoint: Upstream) -> None:
    endpoint.behave = lambda _r: None
    user.uses(f"{endpoint.url}/v1", "test-model")
    wanted = row("", honest, "none", "/v1/v1/messages")
    card = user.probe()
    judged(card, wanted)
    assert any(f"--base-url {endpoint.url}" in (c["hint"] or "") for c in card["checks"])
    agrees(user, endpoint, wanted)


def test_nobody_is_there(user: User, endpoint: Upstream) -> None:
    user.uses(f"http://127.0.0.1:{free_port()}", "test-model")
    wanted = row("", honest, "none", "nothing listens")
    judged(user.probe(), wanted)
    agrees(user, endpoint, wanted)


def test_redirect_to_another_host(user: User, endpoint: Upstream) -> None:
    """The client follows it without its key (measured); a host that wants one refuses."""
    user.uses(endpoint.url, "test-model")
    with Upstream(keys=[KEY]) as elsewhere:
        endpoint.behave = lambda _r: act.redirect(f"{elsewhere.url}/v1/messages")
        wanted = row("", honest, "none", "redirects to http://127.0.0.1")
        judged(user.probe(), wanted)
        assert elsewhere.requests == []
        agrees(user, endpoint, wanted)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirect_within_the_host(user: User, endpoint: Upstream, code: int) -> None:
    """After 307 and 308 the client repeats itself at the new place, after the others it does not.

    The probe goes nowhere with a key, so it can't tell how it would end there.
    """
    user.uses(endpoint.url, "test-model")

    def moved(request: Request) -> Behaviour | None:
        if request.path == "/v1/messages":
            return act.redirect("/moved/v1/messages?beta=true", code)
        return honest if request.path.startswith("/moved") and request.method == "POST" else None

    endpoint.behave = moved
    endpoint.clear()
    card = user.probe()
    assert not any(r.path.startswith("/moved") for r in endpoint.requests)
    goes_on = code in (307, 308)
    assert (card["grade"], card["code"]) == ("reach" if goes_on else "none", 1)
    assert card["verdict"].startswith("not known: " if goes_on else "will not work: ")
    hints = [c["hint"] for c in card["checks"]]
    assert f"haha-config init --base-url {endpoint.url}/moved" in hints
    assert all(user.client_works(version) is goes_on for version in CLIENTS)
    user.uses(f"{endpoint.url}/moved", "test-model")
    judged(user.probe(), GOOD)


@pytest.mark.parametrize("version", CLIENTS)
@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
def test_which_key_a_client_takes_to_another_host(
    user: User, endpoint: Upstream, version: str, header: str
) -> None:
    """What the probe says of it: the `Authorization` header stays behind, `x-api-key` does not."""
    with Upstream() as elsewhere:
        endpoint.behave = lambda _r: act.redirect(f"{elsewhere.url}/v1/messages")
        user.uses(endpoint.url, "test-model")
        if header == "x-api-key":
            user.sends_api_key()
        user.client_works(version)
        followed = elsewhere.asked("anthropic")
        assert followed
        assert all(asks(version) in r.prompt for r in followed)
        assert {header in r.headers for r in followed} == {header == "x-api-key"}
        told = user.probe()["verdict"]
        assert ("conversation and key" in told) is (header == "x-api-key")


def test_upstream_without_responses(
    user: User, endpoint: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """`openai/` without the flag: LiteLLM calls a path that most servers don't have."""
    folder = tmp_path_factory.mktemp("responses")
    (folder / "litellm_config.yaml").write_text(
        "model_list:\n"
        "  - model_name: m\n"
        f"    litellm_params: {{model: openai/m, api_base: '{endpoint.url}/v1', api_key: x}}\n"
        "litellm_settings: {drop_params: true}\n"
        "general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}\n"
    )
    endpoint.behave = lambda _r: None
    env = {"LITELLM_MASTER_KEY": MASTER, "LITELLM_MODE": "PRODUCTION"}
    gateway = Gateway(folder, folder, env)
    try:
        gateway.wait_until_up()
        user.uses(gateway.url, "m", MASTER)
        wanted = row("", honest, "auth", "lacks the path that LiteLLM calls")
        card = user.probe()
        judged(card, wanted)
        hints = " ".join(c["hint"] or "" for c in card["checks"])
        assert "use_chat_completions_url_for_anthropic_messages" in hints
        agrees(user, endpoint, wanted)
    finally:
        gateway.stop()


@pytest.mark.parametrize("version", CLIENTS)
def test_the_probes_shape_is_the_clients(user: User, endpoint: Upstream, version: str) -> None:
    """The body and headers of our first large request, beside those of the client's first."""
    endpoint.behave = lambda r: honest if r.dialect == "anthropic" else None
    user.uses(endpoint.url, "test-model")
    endpoint.clear()
    user.probe(version=version)
    ours = max(endpoint.asked("anthropic"), key=lambda r: len(r.raw))
    endpoint.clear()
    user.client_works(version)
    theirs = next(r for r in endpoint.asked("anthropic") if r.stream)
    assert list(ours.body) == list(theirs.body)
    for name in ("max_tokens", "thinking", "context_management", "output_config", "stream"):
        assert ours.body[name] == theirs.body[name], name
    own = {"host", "connection", "accept-encoding", "content-length", "authorization"}
    of_a_session = {"x-claude-code-session-id", "x-stainless-timeout"}
    assert {n: v for n, v in ours.headers.items() if n not in own | of_a_session} == {
        n: v for n, v in theirs.headers.items() if n not in own | of_a_session
    }
    assert all("x-claude-code-session-id" in sent.headers for sent in (ours, theirs))
    assert [m["role"] for m in ours.body["messages"]] == [
        m["role"] for m in theirs.body["messages"]
    ]
    assert ours.tools == theirs.tools
    assert abs(len(ours.raw) - len(theirs.raw)) < 0.02 * len(theirs.raw)
    assert (ours.path, ours.query) == (theirs.path, theirs.query)
