"""Profiles with the real client: a key that no file holds, and sessions that never bleed."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.tool import Tool
from tests.e2e import parts
from tests.e2e.conftest import StartGateway
from tests.e2e.processes import QUIET, ask_client, free_port
from tests.e2e.session import Session
from tests.e2e.upstream import Upstream

KEY = "sk-0123456789abcdef0123456789abcdef"
MASTER = "sk-" + "0123456789abcdef" * 3
NEW_KEY = "sk-fedcba9876543210fedcba9876543210"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Secret Service is Linux's")


@pytest.fixture
def bus(home: Path) -> Iterator[dict[str, str]]:
    """A session bus with an unlocked Secret Service of its own; what programs must know of it."""
    parts.apt("gnome-keyring-daemon")
    start = (
        "printf test-login | gnome-keyring-daemon --unlock --components=secrets >/dev/null;"
        ' echo "$DBUS_SESSION_BUS_ADDRESS"; exec cat >/dev/null'
    )
    runtime = home / "runtime"
    runtime.mkdir(mode=0o700)
    own = {"HOME": str(home), "PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(runtime)}
    running = subprocess.Popen(
        [str(parts.apt("dbus-run-session")), "--", "sh", "-c", start],
        env=own,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert running.stdout is not None
    address = running.stdout.readline().strip()
    assert address
    yield {"DBUS_SESSION_BUS_ADDRESS": address, "XDG_RUNTIME_DIR": str(runtime)}
    assert running.stdin is not None
    running.stdin.close()
    running.stdout.close()
    running.wait(30)


class TestKeyring:
    @pytest.fixture
    def tool(self, home: Path, work: Path, bus: dict[str, str], upstream: Upstream) -> Tool:
        """The profile `ring`: its provider takes both headers, its key is in the keyring only."""
        upstream.keys = {KEY}
        tool = Tool(home=home, cwd=work, environ={**bus, "PATH": "/usr/bin:/bin"})
        made = tool(
            "init", "--provider", "deepseek", "--base-url", upstream.url, "--save-as", "ring",
            "--yes", DEEPSEEK_API_KEY=KEY,
        )  # fmt: skip
        assert made.code == 0, made.err
        used = tool("use", "ring", "--keyring")
        assert used.code == 0, used.err
        return tool

    def test_no_file_holds_the_key_and_the_client_gets_an_answer(
        self, tool: Tool, bus: dict[str, str], upstream: Upstream, version: str
    ) -> None:
        assert "apiKeyHelper" in json.loads(tool.settings.read_text(encoding="utf-8"))
        for path in (tool.settings, tool.dotenv):
            assert KEY not in path.read_text(encoding="utf-8")
        keys = tool.home / ".local" / "share" / "haha-config" / "keys"
        assert not list(keys.glob("*"))
        # A key that some shell exports would outrank the helper, and go to a stranger.
        shell = {"ANTHROPIC_API_KEY": "sk-ant-test-of-another-account"}
        said = ask_client(version, home=tool.home, cwd=tool.cwd, env={**QUIET, **bus, **shell})
        assert said.code == 0, said.stdout + said.stderr
        asked = upstream.asked("anthropic")
        assert asked
        assert {request.credential for request in asked} == {(KEY, KEY)}

    def test_going_back_to_a_file_takes_the_helper_out(self, tool: Tool) -> None:
        made = tool("init", "--provider", "deepseek", "--yes", DEEPSEEK_API_KEY=NEW_KEY)
        assert made.code == 0, made.err
        assert "apiKeyHelper" not in json.loads(tool.settings.read_text(encoding="utf-8"))
        assert tool.env["ANTHROPIC_AUTH_TOKEN"] == NEW_KEY

    def test_a_changed_key_reaches_an_open_session_after_its_next_401(
        self, tool: Tool, bus: dict[str, str], upstream: Upstream
    ) -> None:
        with Session(parts.NEWEST, home=tool.home, cwd=tool.cwd, env={**QUIET, **bus}) as session:
            session.get_ready()
            session.say("the first question")
            upstream.wait_for(lambda r: r.dialect == "anthropic" and KEY in r.credential)
            session.wait_for("answer from")
            changed = tool("profile", "key", "ring", "--api-key-stdin", stdin=f"{NEW_KEY}\n")
            assert changed.code == 0, changed.err
            upstream.keys = {NEW_KEY}
            last = upstream.requests[-1].number
            session.say("the second question")
            upstream.wait_for(
                lambda r: r.dialect == "anthropic" and r.credential == (NEW_KEY, NEW_KEY),
                after=last,
            )

    def test_remove_takes_the_key_out_of_the_keyring(self, tool: Tool) -> None:
        assert tool("key", "ring").out == f"{KEY}\n"
        path = tool.home / ".config" / "haha-config" / "profiles" / "ring.toml"
        text = path.read_text(encoding="utf-8")
        assert tool("profile", "remove", "ring", "--yes").code == 0
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        assert tool("key", "ring").code == 1


class TestForeignGateway:
    """A LiteLLM that somebody else runs: its key comes from the keyring, in both headers."""

    def test_litellm_takes_one_key_in_both_headers(
        self,
        home: Path,
        work: Path,
        bus: dict[str, str],
        upstream: Upstream,
        gateway: StartGateway,
        tmp_path: Path,
    ) -> None:
        theirs = tmp_path / "theirs"
        theirs.mkdir()
        (theirs / "litellm_config.yaml").write_text(
            "model_list:\n"
            "  - model_name: good\n"
            f"    litellm_params: {{model: openai/test-model, api_base: '{upstream.url}/v1',"
            " api_key: x}\n"
            "litellm_settings:\n"
            "  drop_params: true\n"
            "  use_chat_completions_url_for_anthropic_messages: true\n"
            "general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}\n"
        )
        there = gateway(theirs, {"LITELLM_MASTER_KEY": MASTER, "LITELLM_MODE": "PRODUCTION"})
        tool = Tool(home=home, cwd=work, environ={**bus, "PATH": "/usr/bin:/bin"})
        made = tool(
            "init", "--provider", "litellm", "--base-url", there.url, "--model", "good",
            "--save-as", "team", "--api-key-stdin", "--yes", stdin=MASTER,
        )  # fmt: skip
        assert made.code == 0, made.err
        used = tool("use", "team", "--keyring")
        assert used.code == 0, used.err
        assert MASTER not in tool.settings.read_text(encoding="utf-8")
        for version in (parts.OLDEST, parts.NEWEST):
            upstream.clear()
            said = ask_client(version, home=home, cwd=work, env={**QUIET, **bus})
            assert said.code == 0, said.stdout + said.stderr
            assert upstream.asked("chat"), version


class TestGateways:
    def test_two_profiles_run_at_once_each_behind_a_gateway_of_its_own(
        self, home: Path, work: Path
    ) -> None:
        folder = home / "bin"
        folder.mkdir()
        (folder / "claude").symlink_to(parts.client(parts.NEWEST))
        path = f"{folder}:{parts.litellm().parent}:/usr/bin:/bin"
        tool = Tool(home=home, cwd=work, environ={**QUIET, "PATH": path, "NO_PROXY": "127.0.0.1"})
        with contextlib.ExitStack() as stack:
            ups = [stack.enter_context(Upstream(models=["same"])) for _ in range(2)]
            keys = ["sk-test-0123456789abcdef", "sk-test-fedcba9876543210"]
            port = free_port()
            for number, (up, key) in enumerate(zip(ups, keys, strict=True)):
                made = tool(
                    "init", "--provider", "litellm", "--port", str(port), "--yes",
                    "--upstream", f"custom-openai:same@{up.url}/v1",
                    "--save-as", f"g{number}", CUSTOM_OPENAI_API_KEY=key,
                )  # fmt: skip
                assert made.code == 0, made.err
            before = {p: p.read_bytes() for p in work.iterdir()}
            for number, (up, key) in enumerate(zip(ups, keys, strict=True)):
                stack.callback(self._down, tool, f"g{number}")
                said = tool("run", f"g{number}", "--", "-p", f"question {number}")
                assert said.code == 0, said.out + said.err
                asked = up.asked("chat")
                assert asked
                assert {(r.credential[0], r.model) for r in asked} == {(key, "same")}
                assert all(f"question {number}" in r.prompt for r in asked)
            # Without a name it is the gateway of the files, which nobody has started either.
            stack.callback(self._stop, tool, work)
            said = tool("run", "--", "-p", "question of nobody")
            assert said.code == 0, said.out + said.err
            assert any("question of nobody" in r.prompt for r in ups[1].asked("chat"))
            assert {p: p.read_bytes() for p in work.iterdir()} == before

    def _down(self, tool: Tool, name: str) -> None:
        self._stop(tool, tool.home / ".local" / "share" / "haha-config" / "gateways" / name)

    @staticmethod
    def _stop(tool: Tool, folder: Path) -> None:
        done = tool("proxy", "down", "--dir", str(folder))
        assert done.code == 0, done.err


# --- zero bleed ------------------------------------------------------------------------------


class _Profile:
    """A set-up whose URL, key and models no other one shares."""

    def __init__(self, number: int, upstream: Upstream) -> None:
        self.name = f"p{number}"
        self.upstream = upstream
        self.key = f"sk-test-{number}" + "0123456789abcdef"
        self.models = (f"main-{number}", f"small-{number}")

    def init(self, tool: Tool) -> None:
        done = tool(
            "init", "--provider", "custom-anthropic", "--base-url", self.upstream.url,
            "--model", self.models[0], "--slot", f"haiku={self.models[1]}",
            "--save-as", self.name, "--yes", CUSTOM_ANTHROPIC_API_KEY=self.key,
        )  # fmt: skip
        assert done.code == 0, done.err


class TestZeroBleed:
    WRITES = 200

    def test_eight_sessions_on_four_profiles_under_two_hundred_writes(
        self, home: Path, work: Path
    ) -> None:
        seed = int.from_bytes(os.urandom(3))
        print("seed", seed)
        chance = random.Random(seed)  # noqa: S311 - no secret
        folder = home / "bin"
        folder.mkdir()
        (folder / "claude").symlink_to(parts.client(parts.NEWEST))
        tool = Tool(home=home, cwd=work, environ={"PATH": f"{folder}:/usr/bin:/bin"})
        with contextlib.ExitStack() as stack:
            profiles = [_Profile(n, stack.enter_context(Upstream())) for n in range(4)]
            for profile in profiles:
                profile.init(tool)
            sessions = []
            for number in range(8):
                profile = profiles[number % 4]
                session = stack.enter_context(self._session(tool, profile))
                session.get_ready()
                sessions.append((f"who-{number}", session, profile))
            refused = 0
            for count in range(self.WRITES):
                refused += self._write(tool, profiles, chance)
                if count % 10 == 0:
                    mark, session, profile = sessions[count // 10 % 8]
                    self._ask(f"{mark}-{count}", session, profile)
            for mark, session, profile in sessions:
                self._ask(f"{mark}-last", session, profile)
            self._check(profiles)
        assert refused < self.WRITES // 4

    def _session(self, tool: Tool, profile: _Profile) -> Session:
        command = [sys.executable, "-m", "haha_config", "run", profile.name]
        env = {**QUIET, "PATH": tool.variables()["PATH"]}
        return Session(parts.NEWEST, home=tool.home, cwd=tool.cwd, env=env, command=command)

    def _ask(self, mark: str, session: Session, profile: _Profile) -> None:
        last = profile.upstream.requests[-1].number if profile.upstream.requests else 0
        session.say(mark)
        profile.upstream.wait_for(
            lambda r: r.dialect == "anthropic" and mark in r.prompt, timeout=120, after=last
        )
        session.settle()

    def _write(self, tool: Tool, profiles: list[_Profile], chance: random.Random) -> int:
        """One write; 1 where it was refused because somebody else wrote meanwhile."""
        one, other = chance.sample(profiles, 2)
        kind = chance.choice(("use", "init", "switch-model", "foreign"))
        if kind == "foreign":
            # A combination that no profile holds: it must reach nobody.
            data = json.loads(tool.settings.read_text(encoding="utf-8"))
            data["env"]["ANTHROPIC_BASE_URL"] = one.upstream.url
            data["env"]["ANTHROPIC_AUTH_TOKEN"] = other.key
            beside = tool.settings.with_name("settings.foreign")
            beside.write_text(json.dumps(data, indent=2), encoding="utf-8")
            beside.replace(tool.settings)
            return 0
        if kind == "init":
            one.init(tool)
            return 0
        words = ("use", one.name) if kind == "use" else ("switch-model", "x", "--unlisted")
        return int(tool(*words).code != 0)

    def _check(self, profiles: list[_Profile]) -> None:
        """Each endpoint heard its own key and models only, and only from its own sessions."""
        for number, profile in enumerate(profiles):
            asked = [r for r in profile.upstream.requests if r.model]
            assert len(asked) >= 2
            strange = [
                (r.credential, r.model)
                for r in asked
                if r.credential != (profile.key, None) or r.model not in profile.models
            ]
            assert strange == []
            mine = {f"who-{number}", f"who-{number + 4}"}
            others = {f"who-{n}" for n in range(8)} - mine
            assert not [r for r in asked if any(f"{mark}-" in r.prompt for mark in others)]
