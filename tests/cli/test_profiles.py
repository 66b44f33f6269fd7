"""Set-ups by name, as a person runs them: the files before and after, and no key where none is."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import socket
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.tool import Tool
from tests.e2e.processes import free_port

DEEPSEEK = "sk-0123456789abcdef0123456789abcdef"
OTHER = "sk-fedcba9876543210fedcba9876543210"
CUSTOM = "sk-test-0123456789abcdef"

#: Nobody formats like this; every byte of it is to come back.
SETTINGS = '{\n    "theme":   "dark",\n\t"permissions": {"allow": ["Bash"]}\n}'


@pytest.fixture
def two(tool: Tool) -> Tool:
    """Two profiles: `deepseek`, saved by init under its key, and `mine`, in use."""
    tool.settings.parent.mkdir()
    tool.settings.write_text(SETTINGS, encoding="utf-8")
    first = tool("init", "--provider", "deepseek", "--yes", DEEPSEEK_API_KEY=DEEPSEEK)
    assert first.code == 0, first.err
    second = tool(
        "init", "--provider", "custom-anthropic", "--base-url", "https://llm.example.com/api",
        "--model", "big", "--slot", "haiku=small", "--save-as", "mine", "--yes",
        CUSTOM_ANTHROPIC_API_KEY=CUSTOM,
    )  # fmt: skip
    assert second.code == 0, second.err
    return tool


def profile(tool: Tool, name: str) -> Path:
    return tool.home / ".config" / "haha-config" / "profiles" / f"{name}.toml"


def stored(tool: Tool, name: str) -> Path:
    return tool.home / ".local" / "share" / "haha-config" / "keys" / name


linux = pytest.mark.skipif(sys.platform != "linux", reason="the folders of this system differ")


@linux
class TestSaved:
    def test_init_saves_one_under_the_providers_key_without_the_key(self, two: Tool) -> None:
        text = profile(two, "deepseek").read_text(encoding="utf-8")
        data = tomllib.loads(text)
        assert data["provider"] == "deepseek"
        assert data["keys"] == {"DEEPSEEK_API_KEY": "file:deepseek.DEEPSEEK_API_KEY"}
        assert DEEPSEEK not in text

    def test_a_model_of_another_profile_names_it(self, two: Tool) -> None:
        assert two("use", "deepseek", "--yes").code == 0
        done = two("switch-model", "big")
        assert done.code == 2
        assert "hint: haha-config use mine\n" in done.err
        done = two("switch-model", "small")
        assert "hint: haha-config use mine && haha-config switch-model small\n" in done.err
        profile(two, "mine").write_text("not [ TOML")
        assert "use mine" not in two("switch-model", "big").err

    def test_the_key_is_in_a_private_file_of_a_private_folder(self, two: Tool) -> None:
        path = stored(two, "deepseek.DEEPSEEK_API_KEY")
        assert path.read_text(encoding="utf-8").strip() == DEEPSEEK
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    def test_save_takes_what_is_configured_and_use_gives_the_same_files_again(
        self, two: Tool
    ) -> None:
        assert two("profile", "save", "copy").code == 0
        before = two.settings.read_bytes(), two.dotenv.read_bytes()
        assert two("use", "deepseek").code == 0
        assert two.settings.read_bytes() != before[0]
        assert two("use", "copy").code == 0
        assert two.env["ANTHROPIC_DEFAULT_HAIKU_MODEL"] == "small"
        assert (json.loads(two.settings.read_bytes()), two.dotenv.read_bytes()) == (
            json.loads(before[0]),
            before[1],
        )

    def test_undo_takes_the_profile_of_that_init_back_too(self, two: Tool) -> None:
        done = two("undo", "--yes")
        assert done.code == 0, done.err
        assert not profile(two, "mine").exists()
        assert not stored(two, "mine.CUSTOM_ANTHROPIC_API_KEY").exists()
        assert profile(two, "deepseek").exists()

    def test_keys_env_keeps_no_key(self, two: Tool) -> None:
        two("use", "deepseek")
        assert two("profile", "save", "bare", "--keys", "env").code == 0
        assert not stored(two, "bare.DEEPSEEK_API_KEY").exists()
        refused = two("use", "bare")
        assert refused.code == 1
        assert "env:DEEPSEEK_API_KEY" in refused.err
        assert "export DEEPSEEK_API_KEY" in refused.err
        assert two("use", "bare", DEEPSEEK_API_KEY=OTHER).code == 0
        assert two.env["ANTHROPIC_AUTH_TOKEN"] == OTHER

    @pytest.mark.parametrize("name", ["off", "-", "../up", "a b", "x.toml"])
    def test_a_name_that_is_no_file_or_a_word_of_ours_is_usage(self, two: Tool, name: str) -> None:
        assert two("profile", "save", "--", name).code == 2

    def test_dry_run_writes_nothing(self, two: Tool) -> None:
        before = sorted(p for p in two.home.rglob("*") if p.is_file())
        for words in (
            ("profile", "save", "third", "--dry-run"),
            ("profile", "remove", "mine", "--dry-run"),
            ("use", "deepseek", "--dry-run"),
            ("use", "off", "--dry-run"),
        ):
            done = two(*words)
            assert done.code == 0, done.err
            assert DEEPSEEK not in done.out + done.err
        assert sorted(p for p in two.home.rglob("*") if p.is_file()) == before
        assert two.env["ANTHROPIC_MODEL"] == "big"


@linux
class TestShown:
    def test_list_marks_the_one_in_use(self, two: Tool) -> None:
        rows = two("profile", "list", "--format", "json").json
        assert rows["version"] == 1
        assert {r["name"]: r["current"] for r in rows["profiles"]} == {
            "deepseek": False,
            "mine": True,
        }
        two("use", "deepseek")
        assert "* deepseek" in two("profile", "list").out

    def test_nothing_shows_a_key(self, two: Tool) -> None:
        for words in (
            ("profile", "list"),
            ("profile", "list", "--format", "json"),
            ("profile", "show", "mine"),
            ("profile", "show", "mine", "--format", "json"),
            ("profile", "export", "mine"),
            ("use", "deepseek", "--format", "json"),
            ("use", "mine"),
        ):
            done = two(*words)
            assert done.code == 0, done.err
            assert DEEPSEEK not in done.out + done.err
            assert CUSTOM not in done.out + done.err

    def test_a_broken_file_is_named_and_the_others_are_listed(self, two: Tool) -> None:
        profile(two, "mine").write_text("provider = \n", encoding="utf-8")
        done = two("profile", "list")
        assert done.code == 1
        assert "deepseek" in done.out
        assert "mine.toml" in done.err
        assert two("use", "mine").code == 1

    def test_a_key_pasted_into_a_profile_is_refused_and_not_repeated(self, two: Tool) -> None:
        path = profile(two, "deepseek")
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("file:deepseek.DEEPSEEK_API_KEY", OTHER), encoding="utf-8")
        done = two("use", "deepseek")
        assert done.code == 1
        assert OTHER not in done.out + done.err


@linux
class TestUse:
    def test_it_writes_every_target_and_minus_goes_back(self, two: Tool) -> None:
        done = two("use", "deepseek", "--format", "json")
        assert {c["path"] for c in done.json["changes"]} == {str(two.settings), str(two.dotenv)}
        assert two.env["ANTHROPIC_BASE_URL"] == "https://api.deepseek.com/anthropic"
        assert DEEPSEEK in two.dotenv.read_text(encoding="utf-8")
        assert two("use", "-").code == 0
        assert two.env["ANTHROPIC_MODEL"] == "big"
        assert two("use", "-").code == 0
        assert two.env["ANTHROPIC_AUTH_TOKEN"] == DEEPSEEK

    def test_without_a_name_and_a_terminal_it_lists_them(self, two: Tool) -> None:
        done = two("use")
        assert done.code == 2
        assert "deepseek, mine" in done.err

    def test_a_key_file_of_ones_own_that_others_can_read_is_named(
        self, two: Tool, tmp_path: Path
    ) -> None:
        file = tmp_path / "my key"
        file.write_text(f"{OTHER}\n")
        file.chmod(0o644)
        path = profile(two, "deepseek")
        text = path.read_text(encoding="utf-8")
        own = "file:deepseek.DEEPSEEK_API_KEY"
        path.write_text(text.replace(own, f"file:{file}"), encoding="utf-8")
        done = two("use", "deepseek")
        assert done.code == 0, done.err
        (said,) = [line for line in done.err.splitlines() if "chmod 600" in line]
        assert two.env["ANTHROPIC_AUTH_TOKEN"] == OTHER
        subprocess.run(shlex.split(said.partition("key: ")[2]), check=True)
        assert "chmod" not in two("use", "deepseek").err

    def test_an_unknown_name_is_usage_with_the_nearest(self, two: Tool) -> None:
        done = two("use", "deepsek")
        assert done.code == 2
        assert "deepseek" in done.err

    def test_project_scope_never_gets_a_key(self, two: Tool) -> None:
        done = two("use", "deepseek", "--scope", "project")
        assert done.code == 2
        assert "--scope local" in done.err
        assert not (two.cwd / ".claude" / "settings.json").exists()

    def test_a_tracked_local_file_never_gets_a_key(self, two: Tool) -> None:
        local = two.cwd / ".claude" / "settings.local.json"
        local.parent.mkdir()
        local.write_text("{}\n", encoding="utf-8")
        two.dotenv.unlink()
        for words in (["init", "-q"], ["add", "-f", ".claude/settings.local.json"]):
            subprocess.run(["git", *words], cwd=two.cwd, check=True)
        done = two("use", "deepseek", "--scope", "local")
        assert done.code == 1
        assert "git rm --cached" in done.err
        assert local.read_text(encoding="utf-8") == "{}\n"

    @pytest.mark.parametrize(
        ("typed", "wanted"), [("use d", {"deepseek"}), ("profile show ", {"deepseek", "mine"})]
    )
    def test_names_are_completed_by_the_shell(
        self, two: Tool, typed: str, wanted: set[str]
    ) -> None:
        words = f"haha-config {typed}"
        done = two(
            _HAHA_CONFIG_COMPLETE="complete_bash",
            COMP_WORDS=words,
            COMP_CWORD=str(len(words.split(" ")) - 1),
        )
        assert set(done.out.split()) == wanted


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program has."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@linux
class TestPort:
    @pytest.fixture
    def openai(self, tool: Tool) -> Tool:
        """A profile behind a gateway of its own, and no file in the folder."""
        done = tool(
            "init", "--provider", "openai", "--port", str(free_port()), "--yes",
            OPENAI_API_KEY="sk-proj-" + "a1" * 20,
        )  # fmt: skip
        assert done.code == 0, done.err
        assert tool("use", "off").code == 0
        return tool

    def set_port(self, tool: Tool, line: str) -> None:
        path = profile(tool, "openai")
        lines = path.read_text(encoding="utf-8").splitlines()
        kept = [line if one.startswith("port = ") else one for one in lines]
        path.write_text("\n".join(kept), encoding="utf-8")

    def test_a_port_that_it_names_and_another_has(self, openai: Tool, taken: int) -> None:
        self.set_port(openai, f"port = {taken}")
        done = openai("use", "openai")
        assert done.code == 1
        assert f"port {taken} is taken by" in done.err
        (hint,) = [line for line in done.err.splitlines() if "hint:" in line]
        assert "profiles/openai.toml" in hint
        self.set_port(openai, hint.split("`")[1])
        assert openai("use", "openai").code == 0

    def test_without_one_it_gets_one_that_is_free(self, openai: Tool) -> None:
        self.set_port(openai, "")
        with contextlib.ExitStack() as stack:
            # Whoever has LiteLLM's usual port now: this test, or another program.
            with contextlib.suppress(OSError):
                stack.enter_context(socket.create_server(("127.0.0.1", 4000)))
            done = openai("use", "openai")
        assert done.code == 0, done.err
        assert "port 4000 is taken by" in done.err
        assert openai.env["ANTHROPIC_BASE_URL"] != "http://127.0.0.1:4000"
        assert openai("validate").code == 0


@linux
class TestOff:
    def test_files_that_nobody_else_touched_are_as_before_us(self, two: Tool) -> None:
        two("use", "deepseek")
        two("switch-model", "deepseek-flash")
        done = two("use", "off")
        assert done.code == 0, done.err
        assert two.settings.read_text(encoding="utf-8") == SETTINGS
        assert not two.dotenv.exists()

    def test_a_gateways_files_go_as_well(self, tool: Tool) -> None:
        port = ("--port", str(free_port()))
        key = "sk-proj-" + "a1" * 20
        done = tool("init", "--provider", "openai", *port, "--yes", OPENAI_API_KEY=key)
        assert done.code == 0, done.err
        assert {p.name for p in tool.cwd.iterdir()} == {
            ".env",
            "litellm.env",
            "litellm_config.yaml",
        }
        assert tool("use", "off").code == 0
        assert list(tool.cwd.iterdir()) == []
        assert not tool.settings.exists()
        assert tool("use", "openai").code == 0
        assert tool.env["ANTHROPIC_MODEL"].startswith("gpt-")

    def test_what_others_wrote_meanwhile_stays(self, two: Tool) -> None:
        data = json.loads(two.settings.read_text(encoding="utf-8"))
        data["env"]["MY_OWN"] = "stays"
        data["model"] = "opus"
        two.settings.write_text(json.dumps(data, indent=2), encoding="utf-8")
        two.dotenv.write_text(two.dotenv.read_text(encoding="utf-8") + "MINE=1\n", encoding="utf-8")
        assert two("use", "off").code == 0
        left = json.loads(two.settings.read_text(encoding="utf-8"))
        assert left == {
            "theme": "dark",
            "permissions": {"allow": ["Bash"]},
            "env": {"MY_OWN": "stays"},
            "model": "opus",
        }
        assert "MINE=1" in two.dotenv.read_text(encoding="utf-8")
        assert "ANTHROPIC" not in two.dotenv.read_text(encoding="utf-8")

    def test_after_more_writes_than_the_journal_keeps(self, two: Tool) -> None:
        for _ in range(11):
            two("use", "deepseek")
            two("use", "mine")
        assert two("use", "off").code == 0
        left = json.loads(two.settings.read_text(encoding="utf-8"))
        assert left == {"theme": "dark", "permissions": {"allow": ["Bash"]}}
        assert not two.dotenv.exists()

    def test_off_twice_and_back(self, two: Tool) -> None:
        two("use", "off")
        again = two("use", "off", "--format", "json")
        assert again.code == 0
        assert again.json["applied"] is False
        assert two("use", "-").code == 0
        assert two.env["ANTHROPIC_MODEL"] == "big"


@linux
class TestKey:
    def test_it_prints_the_key_and_nothing_else(self, two: Tool) -> None:
        done = two("key", "deepseek")
        assert (done.code, done.out, done.err) == (0, f"{DEEPSEEK}\n", "")

    @pytest.mark.parametrize(
        ("keys", "said"),
        [
            ("", "there is no key in ~/.config/haha-config/profiles/bare.toml"),
            ('[keys]\nDEEPSEEK_API_KEY = "file:bare.%s"\n' % ("x" * 300), "this can't be read"),
        ],
    )
    def test_a_profile_whose_key_is_not_to_be_had(self, two: Tool, keys: str, said: str) -> None:
        path = two.home / ".config/haha-config/profiles/bare.toml"
        path.write_text(f'provider = "deepseek"\n{keys}', encoding="utf-8")
        done = two("key", "bare")
        assert (done.code, done.out) == (1, "")
        assert said in done.err
        listed = two("profile", "list")
        assert listed.code == 0, listed.err
        assert ("no key: DEEPSEEK_API_KEY" in listed.out) == bool(keys)

    def test_a_new_key_comes_by_standard_input(self, two: Tool) -> None:
        done = two("profile", "key", "deepseek", "--api-key-stdin", stdin=f"{OTHER}\n")
        assert done.code == 0, done.err
        assert OTHER not in done.out + done.err
        assert two("key", "deepseek").out == f"{OTHER}\n"

    def test_remove_takes_the_key_along(self, two: Tool) -> None:
        assert two("profile", "remove", "deepseek").code == 2
        assert two("profile", "remove", "deepseek", "--yes").code == 0
        assert not profile(two, "deepseek").exists()
        assert not stored(two, "deepseek.DEEPSEEK_API_KEY").exists()
        assert two.env["ANTHROPIC_MODEL"] == "big"

    def test_without_a_keyring_it_falls_back_to_the_file_and_says_so(self, two: Tool) -> None:
        done = two(
            "use", "deepseek", "--keyring",
            PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring",
        )  # fmt: skip
        assert done.code == 0, done.err
        assert "no keyring" in done.err
        assert two.env["ANTHROPIC_AUTH_TOKEN"] == DEEPSEEK

    def test_a_provider_that_wants_one_header_gets_no_helper(self, two: Tool) -> None:
        done = two("use", "mine", "--keyring")
        assert done.code == 1
        assert "two headers" in done.err


#: A keyring that is a file: as much of one as a test without a desktop can have. The real ones are
#: in tests/e2e.
RING = """
import json, os, pathlib
from keyring.backend import KeyringBackend

class Keyring(KeyringBackend):
    priority = 5
    path = pathlib.Path(os.environ["RING"])

    def _all(self):
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def get_password(self, service, username):
        return self._all().get(f"{service} {username}")

    def set_password(self, service, username, password):
        self.path.write_text(json.dumps({**self._all(), f"{service} {username}": password}))

    def delete_password(self, service, username):
        left = self._all()
        del left[f"{service} {username}"]
        self.path.write_text(json.dumps(left))
"""


@linux
class TestKeyring:
    @pytest.fixture
    def ring(self, tmp_path: Path) -> Path:
        return tmp_path / "ring.json"

    @pytest.fixture
    def tool(self, tool: Tool, tmp_path: Path, ring: Path) -> Tool:
        """The profile `deepseek`, whose key is in the keyring."""
        (tmp_path / "modules").mkdir()
        (tmp_path / "modules" / "ring.py").write_text(RING)
        environ = {
            "PYTHONPATH": str(tmp_path / "modules"),
            "PYTHON_KEYRING_BACKEND": "ring.Keyring",
            "RING": str(ring),
        }
        made = Tool(home=tool.home, cwd=tool.cwd, environ=environ)
        assert made("init", "--provider", "deepseek", "--yes", DEEPSEEK_API_KEY=DEEPSEEK).code == 0
        done = made("use", "deepseek", "--keyring")
        assert done.code == 0, done.err
        assert self.kept(ring) == {"deepseek.DEEPSEEK_API_KEY": DEEPSEEK}
        return made

    def kept(self, ring: Path) -> dict[str, str]:
        found = json.loads(ring.read_text(encoding="utf-8"))
        return {name.removeprefix("haha-config "): key for name, key in found.items()}

    def test_init_over_it_keeps_the_key_for_undo_and_says_how_to_forget_it(
        self, tool: Tool, ring: Path
    ) -> None:
        over = tool("init", "--provider", "deepseek", "--api-key-stdin", "--yes", stdin=OTHER)
        assert over.code == 0, over.err
        assert "the keyring keeps deepseek.DEEPSEEK_API_KEY" in over.err
        assert tool("undo", "--yes").code == 0
        assert tool("key", "deepseek").out == f"{DEEPSEEK}\n"
        assert tool("undo", "--yes").code == 0
        assert tool("key", "deepseek").out == f"{OTHER}\n"
        asked = tool("undo", "--purge", "--dry-run")
        assert "keys in the keyring that no profile uses: deepseek" in asked.err
        assert self.kept(ring) == {"deepseek.DEEPSEEK_API_KEY": DEEPSEEK}
        assert tool("undo", "--purge", "--yes").code == 0
        assert self.kept(ring) == {}

    @pytest.mark.parametrize("words", [(), ("--provider", "deepseek")], ids=["bare", "provider"])
    def test_init_again_goes_on_with_the_key_in_the_keyring(
        self, tool: Tool, ring: Path, words: tuple[str, ...]
    ) -> None:
        before = tool.settings.read_bytes()
        again = tool("init", *words, "--yes", DEEPSEEK_API_KEY=OTHER)
        assert again.code == 0, again.err
        assert "Nothing to change" in again.err
        assert tool.settings.read_bytes() == before
        moved = tool("init", *words, "--model", "deepseek-v4-pro", "--yes")
        assert moved.code == 0, moved.err
        assert tool.env["ANTHROPIC_MODEL"] == "deepseek-v4-pro"
        assert "apiKeyHelper" in tool.settings.read_text(encoding="utf-8")
        files = (p for p in tool.home.rglob("*") if p.is_file() and ".local/state" not in str(p))
        assert not [p for p in files if DEEPSEEK in p.read_text(encoding="utf-8")]
        assert self.kept(ring) == {"deepseek.DEEPSEEK_API_KEY": DEEPSEEK}

    def test_purge_leaves_a_key_that_a_profile_refers_to(self, tool: Tool, ring: Path) -> None:
        done = tool("undo", "--purge", "--yes")
        assert (done.code, "no profile uses" in done.err) == (0, False)
        assert self.kept(ring) == {"deepseek.DEEPSEEK_API_KEY": DEEPSEEK}

    def test_remove_takes_the_key_unless_another_profile_has_it(
        self, tool: Tool, ring: Path
    ) -> None:
        twin = profile(tool, "twin")
        twin.write_bytes(profile(tool, "deepseek").read_bytes())
        assert tool("profile", "remove", "deepseek", "--yes").code == 0
        assert tool("key", "twin").out == f"{DEEPSEEK}\n"
        twin.rename(profile(tool, "deepseek"))
        assert tool("profile", "remove", "deepseek", "--yes").code == 0
        assert self.kept(ring) == {}

    def test_what_is_saved_of_it_stays_in_the_keyring(self, tool: Tool, ring: Path) -> None:
        saved = tool("profile", "save", "second")
        assert saved.code == 0, saved.err
        assert self.kept(ring)["second.DEEPSEEK_API_KEY"] == DEEPSEEK
        assert not stored(tool, "second.DEEPSEEK_API_KEY").exists()
        assert tool("key", "second").out == f"{DEEPSEEK}\n"

    def test_save_over_it_says_so_too(self, tool: Tool) -> None:
        saved = tool("profile", "save", "deepseek", "--keys", "copy")
        assert saved.code == 0, saved.err
        assert "the keyring keeps deepseek.DEEPSEEK_API_KEY" in saved.err

    def test_an_endpoint_of_ones_own_takes_it_where_its_person_says_so(self, tool: Tool) -> None:
        made = tool(
            "init", "--provider", "custom-anthropic", "--base-url", "https://llm.example.com/api",
            "--model", "big", "--save-as", "mine", "--yes", CUSTOM_ANTHROPIC_API_KEY=CUSTOM,
        )  # fmt: skip
        assert made.code == 0, made.err
        refused = tool("use", "mine", "--keyring")
        assert refused.code == 1
        assert "`either = true`" in refused.err
        path = profile(tool, "mine")
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("[keys]", "either = true\n\n[keys]"), encoding="utf-8")
        done = tool("use", "mine", "--keyring")
        assert done.code == 0, done.err
        assert json.loads(tool.settings.read_text(encoding="utf-8"))["apiKeyHelper"]
        assert CUSTOM not in tool.settings.read_text(encoding="utf-8")
        assert tomllib.loads(path.read_text(encoding="utf-8"))["either"] is True

    def test_a_credential_of_a_stronger_layer_goes_and_comes_back(self, tool: Tool) -> None:
        local = tool.cwd / ".claude" / "settings.local.json"
        local.parent.mkdir()
        text = '{"env": {"ANTHROPIC_AUTH_TOKEN": "sk-test-0123456789abcdef", "MINE": "1"}}'
        local.write_text(text, encoding="utf-8")
        local.chmod(0o600)
        told = tool("validate")
        assert "[KEY010]" in told.out
        assert "haha-config use deepseek" in told.out
        done = tool("use", "deepseek")
        assert done.code == 0, done.err
        assert json.loads(local.read_text(encoding="utf-8")) == {"env": {"MINE": "1"}}
        assert "[KEY010]" not in tool("validate").out
        assert tool("undo", "--yes").code == 0
        assert local.read_text(encoding="utf-8") == text

    def test_one_beside_a_url_of_its_own_stays(self, tool: Tool) -> None:
        local = tool.cwd / ".claude" / "settings.local.json"
        local.parent.mkdir()
        env = {"ANTHROPIC_BASE_URL": "https://x.example", "ANTHROPIC_AUTH_TOKEN": CUSTOM}
        local.write_text(json.dumps({"env": env}), encoding="utf-8")
        tool("use", "deepseek")
        assert json.loads(local.read_text(encoding="utf-8")) == {"env": env}

    @pytest.mark.parametrize("provider", ["deepseek", "chutes", "litellm"])
    def test_rows_that_take_both_headers(self, tool: Tool, provider: str) -> None:
        words = ["--provider", provider, "--base-url", "https://llm.example.com", "--model", "m"]
        made = tool("init", *words, "--save-as", "p", "--api-key-stdin", "--yes", stdin=OTHER)
        assert made.code == 0, made.err
        done = tool("use", "p", "--keyring")
        assert done.code == 0, done.err
        assert OTHER not in tool.settings.read_text(encoding="utf-8")
        assert tool("key", "p").out == f"{OTHER}\n"

    @pytest.mark.parametrize("provider", ["openrouter", "minimax", "glm"])
    def test_rows_of_which_nobody_knows(self, tool: Tool, provider: str) -> None:
        words = ["--provider", provider, "--model", "m", "--save-as", "p", "--api-key-stdin"]
        key = "sk-or-v1-" + "0123456789abcdef" * 4 if provider == "openrouter" else CUSTOM
        made = tool("init", *words, "--yes", stdin=key)
        assert made.code == 0, made.err
        done = tool("use", "p", "--keyring")
        assert (done.code, "two headers" in done.err, "either = true" in done.err) == (
            1,
            True,
            False,
        )


@linux
class TestRun:
    @pytest.fixture
    def client(self, two: Tool) -> Tool:
        """Something called `claude` that tells what it was given."""
        folder = two.home / "bin"
        folder.mkdir()
        program = folder / "claude"
        python = shlex.quote(sys.executable)
        program.write_text(
            f"#!/bin/sh\nexec {python} -c 'import json,os,sys; a=sys.argv;"
            ' print(json.dumps({"env": dict(os.environ), "args": a[3:],'
            ' "settings": json.load(open(a[2]))}))\' "$@"\n',
            encoding="utf-8",
        )
        program.chmod(0o755)
        return Tool(
            home=two.home,
            cwd=two.cwd,
            environ={"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
        )

    def test_a_session_on_a_profile_writes_no_target(self, client: Tool) -> None:
        before = client.settings.read_bytes(), client.dotenv.read_bytes()
        done = client("run", "deepseek", "--", "-p", "deepseek")
        given = json.loads(done.out)
        assert given["args"] == ["-p", "deepseek"]
        assert given["settings"]["env"]["ANTHROPIC_AUTH_TOKEN"] == DEEPSEEK
        assert given["env"]["ANTHROPIC_BASE_URL"] == "https://api.deepseek.com/anthropic"
        assert (client.settings.read_bytes(), client.dotenv.read_bytes()) == before

    def test_what_follows_the_dashes_is_never_a_profile(self, client: Tool) -> None:
        given = json.loads(client("run", "--", "deepseek").out)
        assert given["args"] == ["deepseek"]
        assert given["settings"]["env"]["ANTHROPIC_MODEL"] == "big"

    def test_a_model_for_this_session(self, client: Tool) -> None:
        given = json.loads(client("run", "mine", "--model", "huge").out)
        env = given["settings"]["env"]
        assert (env["ANTHROPIC_MODEL"], env["ANTHROPIC_DEFAULT_OPUS_MODEL"]) == ("huge", "huge")
        assert env["ANTHROPIC_DEFAULT_HAIKU_MODEL"] == "small"

    def test_an_unknown_profile_is_usage(self, client: Tool) -> None:
        assert client("run", "nope").code == 2


@linux
class TestExport:
    def test_another_machine_takes_it_and_says_which_key_it_needs(
        self, two: Tool, tmp_path: Path
    ) -> None:
        file = tmp_path / "shared.toml"
        assert two("profile", "export", "deepseek", "--output", str(file)).code == 0
        there = Tool(home=tmp_path / "there", cwd=two.cwd)
        there.home.mkdir()
        dry = there("profile", "import", str(file), "--format", "json")
        assert dry.json["items"][0]["status"] == "needs a key"
        assert dry.json["applied"] is False
        assert not profile(there, "shared").exists()
        assert there("profile", "import", str(file), "--yes").code == 0
        assert there("use", "shared", DEEPSEEK_API_KEY=OTHER).code == 0
        assert there.env["ANTHROPIC_AUTH_TOKEN"] == OTHER
