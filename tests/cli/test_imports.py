"""Other tools' set-ups, read from what those tools wrote and left as they were.

`rivals/ccs` was written by ccs 7.79.1 (`ccs api create`), `rivals/claude-code-router` was served
by version 2.0.0; cc-switch's table has the columns that its issue names.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_profiles import profile, stored
from tests.cli.tool import Tool

RIVALS = Path(__file__).with_name("rivals")
KEY = "sk-0123456789abcdef0123456789abcdef0123456789abcdef"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the folders of this system differ")


def items(tool: Tool, *words: str, **environ: str) -> dict[str, dict[str, Any]]:
    done = tool("profile", "import", *words, "--format", "json", **environ)
    assert done.code == 0, done.err + done.out
    return {item["name"]: item for item in done.json["items"]}


def cc_switch(home: Path, rows: list[tuple[Any, ...]]) -> sqlite3.Connection:
    """Its database as it is while it runs: the last rows are only in the journal beside it."""
    folder = home / ".cc-switch"
    folder.mkdir()
    base = sqlite3.connect(folder / "cc-switch.db", isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute(
        "CREATE TABLE providers (id TEXT, app_type TEXT, name TEXT, settings_config TEXT,"
        " category TEXT, meta TEXT, is_current INTEGER)"
    )
    base.executemany("INSERT INTO providers VALUES (?,?,?,?,?,?,?)", rows)
    return base


def settings(url: str, **more: str) -> str:
    env = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_AUTH_TOKEN": KEY, **more}
    return json.dumps({"env": env})


class TestCcSwitch:
    ROWS = (
        ("1", "claude", "Claude Official", '{"env": {}}', "official", "{}", 0),
        (
            "2", "claude", "Kimi K2",
            settings("https://api.moonshot.cn/anthropic", ANTHROPIC_MODEL="kimi-k2"),
            "cn_official", "{}", 1,
        ),
        (
            "3", "claude", "Translated",
            settings("https://llm.example.com/v1", ANTHROPIC_MODEL="gpt-x"),
            "custom", '{"apiFormat": "openai_chat"}', 0,
        ),
        ("4", "claude", "Own proxy", settings("http://127.0.0.1:15721"), "custom", "{}", 0),
        ("5", "codex", "Not a client of ours", "{}", "custom", "{}", 0),
    )  # fmt: skip

    def test_each_row_ends_somewhere_and_its_files_stay(self, tool: Tool) -> None:
        base = cc_switch(tool.home, list(self.ROWS))
        before = {p: p.read_bytes() for p in (tool.home / ".cc-switch").glob("*.db")}
        found = items(tool, "cc-switch", "--yes")
        assert {name: item["status"] for name, item in found.items()} == {
            "Claude Official": "skipped",
            "Kimi K2": "imported",
            "Translated": "imported",
            "Own proxy": "skipped",
        }
        assert found["Kimi K2"]["current"] is True
        assert "Anthropic's own login" in found["Claude Official"]["reason"]
        assert "proxy" in found["Own proxy"]["reason"]
        assert {p: p.read_bytes() for p in before} == before
        base.close()
        data = tomllib.loads(profile(tool, "kimi-k2").read_text(encoding="utf-8"))
        assert (data["provider"], data["region"]) == ("kimi", "china")
        translated = tomllib.loads(profile(tool, "translated").read_text(encoding="utf-8"))
        assert translated["upstream"] == ["custom-openai:gpt-x@https://llm.example.com/v1"]
        assert stored(tool, "kimi-k2.MOONSHOT_API_KEY").read_text(encoding="utf-8").strip() == KEY

    def test_its_own_settings_say_which_one_is_current(self, tool: Tool) -> None:
        cc_switch(tool.home, list(self.ROWS)).close()
        (tool.home / ".cc-switch" / "settings.json").write_text('{"currentProviderClaude": "3"}')
        found = items(tool, "cc-switch")
        assert [n for n, item in found.items() if item["current"]] == ["Translated"]

    def test_a_settings_file_with_its_proxy_gives_the_provider_behind_it(self, tool: Tool) -> None:
        path = tool.cwd / "settings.json"
        path.write_text(settings("http://127.0.0.1:15721", ANTHROPIC_MODEL="x"))
        assert items(tool, str(path))["settings"]["status"] == "skipped"
        cc_switch(tool.home, list(self.ROWS)).close()
        assert items(tool, str(path))["Kimi K2"]["status"] == "imported"

    def test_tables_of_a_newer_one_are_a_warning(self, tool: Tool) -> None:
        folder = tool.home / ".cc-switch"
        folder.mkdir()
        with sqlite3.connect(folder / "cc-switch.db") as base:
            base.execute("CREATE TABLE accounts (id TEXT)")
        base.close()
        done = tool("profile", "import", "cc-switch")
        assert done.code == 0
        assert "warning: ~/.cc-switch/cc-switch.db: its tables have another shape" in done.err

    def test_a_newer_version_with_other_columns_is_a_warning_and_its_rows_are_read(
        self, tool: Tool
    ) -> None:
        base = cc_switch(tool.home, list(self.ROWS))
        base.execute("PRAGMA user_version = 99")
        assert "version 99" in tool("profile", "import", "cc-switch").err
        base.execute("ALTER TABLE providers DROP COLUMN meta")
        base.execute("ALTER TABLE providers ADD COLUMN colour TEXT")
        done = tool("profile", "import", "cc-switch", "--yes")
        base.close()
        assert done.code == 0
        assert "may be newer" in done.err
        assert profile(tool, "kimi-k2").exists()

    @pytest.mark.parametrize("content", [b"SQLite format 3\0" + b"x" * 4096, b"random" * 999])
    def test_a_damaged_one_is_not_called_newer(self, tool: Tool, content: bytes) -> None:
        folder = tool.home / ".cc-switch"
        folder.mkdir()
        (folder / "cc-switch.db").write_bytes(content)
        done = tool("profile", "import", "cc-switch")
        assert done.code == 1
        assert "this is no readable database" in done.err
        assert "newer" not in done.err

    def test_equal_names_and_those_of_other_scripts_have_numbers(self, tool: Tool) -> None:
        """The second one could not be imported at all."""
        names = ("智谱", "DeepSeek", "通义", "off", "DeepSeek")
        rows = [
            (
                str(number), "claude", name,
                settings(f"https://{number}.example.com", ANTHROPIC_MODEL="m"),
                "custom", "{}", 0,
            )
            for number, name in enumerate(names)
        ]  # fmt: skip
        cc_switch(tool.home, rows).close()
        done = tool("profile", "import", "cc-switch", "--yes")
        assert done.code == 0, done.err
        made = {path.stem: path.read_bytes() for path in profile(tool, "x").parent.iterdir()}
        assert sorted(made) == ["cc-switch", "cc-switch-2", "cc-switch-3", "deepseek", "deepseek-2"]
        assert b"https://4.example.com" in made["deepseek-2"]
        assert stored(tool, "deepseek-2.CUSTOM_ANTHROPIC_API_KEY").exists()
        again = tool("profile", "import", "cc-switch", "--yes")
        assert again.out.count("skipped because there is a profile") == len(names)
        assert {p.stem: p.read_bytes() for p in profile(tool, "x").parent.iterdir()} == made
        command = "haha-config profile import cc-switch:deepseek-2 --name "
        assert f"already: {command}NAME" in again.out
        done = tool(*f"{command}other --yes".split()[1:])
        assert (done.code, "imported as `other`" in done.out) == (0, True)
        assert b"https://4.example.com" in profile(tool, "other").read_bytes()
        assert tool("profile", "import", "cc-switch:nope").code == 2

    def test_one_name_is_for_the_one_that_is_no_login(self, tool: Tool) -> None:
        cc_switch(tool.home, list(self.ROWS[:2])).close()
        found = items(tool, "cc-switch", "--name", "mine", "--yes")
        assert found["Kimi K2"]["profile"] == "mine"

    def test_a_key_that_was_not_copied_whole_is_none(self, tool: Tool) -> None:
        text = settings("https://llm.example.com", ANTHROPIC_MODEL="m").replace(KEY, "sk-x\\nX=1")
        cc_switch(tool.home, [("1", "claude", "mine", text, "custom", "{}", 0)]).close()
        found = items(tool, "cc-switch", "--yes")["mine"]
        assert (found["status"], found["missing"]) == ("needs a key", ["CUSTOM_ANTHROPIC_API_KEY"])
        assert any("copy it again" in note for note in found["notes"])
        where = stored(tool, "mine.CUSTOM_ANTHROPIC_API_KEY")
        assert not where.exists()
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text("sk-x\nX=1\n", encoding="utf-8")
        where.chmod(0o600)
        used = tool("use", "mine")
        assert used.code == 2
        assert "hint: haha-config profile key mine" in used.err


class TestCcs:
    @pytest.fixture
    def ccs(self, tool: Tool) -> Tool:
        shutil.copytree(RIVALS / "ccs", tool.home / ".ccs")
        return tool

    def test_its_profiles_become_ours(self, ccs: Tool) -> None:
        found = items(ccs, "ccs", "--yes")
        assert {n: i["status"] for n, i in found.items()} == {"glm": "imported", "mine": "imported"}
        assert ccs("use", "mine").code == 0
        assert ccs.env["ANTHROPIC_BASE_URL"] == "https://llm.example.com/anthropic"
        assert ccs.env["ANTHROPIC_AUTH_TOKEN"] == "sk-test-fedcba9876543210"

    def test_a_placeholder_is_no_key(self, ccs: Tool) -> None:
        path = ccs.home / ".ccs" / "glm.settings.json"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("sk-test-0123456789abcdef", "YOUR_GLM_API_KEY_HERE"))
        found = items(ccs, "ccs", "--yes")["glm"]
        assert (found["status"], found["missing"]) == ("needs a key", ["ZAI_API_KEY"])
        assert not stored(ccs, "glm.ZAI_API_KEY").exists()
        assert ccs("use", "glm").code == 1
        given = ccs("profile", "key", "glm", "--api-key-stdin", stdin="abcdef0123456789.abcdefgh\n")
        assert given.code == 0, given.err
        assert ccs("use", "glm").code == 0

    def test_the_clients_own_file_is_skipped_and_an_older_config_is_read(self, tool: Tool) -> None:
        folder = tool.home / "elsewhere"
        folder.mkdir()
        shutil.copy(RIVALS / "ccs" / "mine.settings.json", folder)
        listed = {
            "default": "~/.claude/settings.json",
            "mine": str(folder / "mine.settings.json"),
        }
        (folder / "config.json").write_text(json.dumps({"profiles": listed}))
        found = items(tool, "ccs", CCS_DIR=str(folder))
        assert {n: i["status"] for n, i in found.items()} == {
            "default": "skipped",
            "mine": "imported",
        }

    def test_a_newer_config_is_a_warning(self, ccs: Tool) -> None:
        path = ccs.home / ".ccs" / "config.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace("version: 13", "version: 99"))
        done = ccs("profile", "import", "ccs")
        assert done.code == 0
        assert "version 99" in done.err

    def test_each_of_its_profiles_ends_somewhere(self, tool: Tool) -> None:
        folder = tool.home / "elsewhere"
        folder.mkdir()
        shutil.copy(RIVALS / "ccs" / "mine.settings.json", folder)
        (folder / "broken.json").write_text("{")
        os.mkfifo(folder / "pipe.json")
        with (folder / "big.json").open("wb") as file:
            file.truncate(1 << 30)
        (folder / "config.yaml").write_text(
            "version: 13\n"
            "profiles:\n"
            "  gone: {type: api, settings: gone.json}\n"
            "  broken: {type: api, settings: broken.json}\n"
            "  pipe: {type: api, settings: pipe.json}\n"
            "  big: {type: api, settings: big.json}\n"
            "  acct: {type: account}\n"
            "  none: {type: api}\n"
            "  mine: {type: api, settings: mine.settings.json}\n"
        )
        found = items(tool, "ccs", CCS_DIR=str(folder))
        assert found.pop("mine")["status"] == "imported"
        assert {item["status"] for item in found.values()} == {"skipped"}
        reasons = {name: item["reason"] for name, item in found.items()}
        assert reasons["gone"] == "this can't be read: No such file or directory"
        assert "pipe" in reasons["pipe"]
        assert "too big" in reasons["big"]
        assert "`account`" in reasons["acct"]
        assert "no settings file" in reasons["none"]
        assert found["gone"]["path"] == str(folder / "gone.json")


class TestRouter:
    @pytest.fixture
    def ccr(self, tool: Tool) -> Tool:
        shutil.copytree(RIVALS / "claude-code-router", tool.home / ".claude-code-router")
        return tool

    def test_its_json5_its_variables_and_its_rules(self, ccr: Tool) -> None:
        found = items(ccr, "claude-code-router", "--yes")["ccr"]
        assert (found["status"], found["missing"]) == ("needs a key", ["OPENROUTER_API_KEY"])
        assert [note for note in found["notes"] if "longContext" in note]
        data = tomllib.loads(profile(ccr, "ccr").read_text(encoding="utf-8"))
        assert data["model"] == "deepseek-chat"
        assert "haiku=big-model" in data["slot"]
        assert data["keys"]["OPENROUTER_API_KEY"] == "env:OPENROUTER_API_KEY"
        # Another program may have LiteLLM's usual port: which one it gets is said when it is used.
        assert "port" not in data
        done = ccr("use", "ccr", OPENROUTER_API_KEY="sk-or-v1-" + "0123456789abcdef" * 4)
        assert done.code == 0, done.err
        held = ccr.cwd / "litellm.env"
        assert "sk-test-fedcba9876543210" in held.read_text(encoding="utf-8")

    def test_a_clone_s_file_says_whom_it_would_show_which_of_your_keys(self, tool: Tool) -> None:
        listed = [
            {
                "name": name,
                "api_base_url": f"https://{name}.example/v1/chat/completions",
                "api_key": f"${name.upper()}",
                "models": [name],
            }
            for name in ("openai_api_key", "aws_secret")
        ]
        folder = tool.cwd / ".claude-code-router"
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps({"Providers": listed}))
        found = items(tool, str(folder / "config.json"), "--yes", OPENAI_API_KEY=KEY)["ccr"]
        assert [note.partition(" with ")[0] for note in found["notes"]] == [
            "calls https://openai_api_key.example/v1",
            "warning: this sends your key of OpenAI to openai_api_key.example",
            "calls https://aws_secret.example/v1",
        ]

    def test_the_key_of_one_provider_is_never_for_another(self, tool: Tool) -> None:
        """It was: both entries named one variable, and the first one's key went to the second."""
        folder = tool.home / ".claude-code-router"
        folder.mkdir()
        hosts = {"one.example": KEY, "two.example": ""}
        listed = [
            {
                "name": host,
                "api_base_url": f"https://{host}/v1/chat/completions",
                "api_key": key,
                "models": [f"model-of-{host}"],
            }
            for host, key in hosts.items()
        ]
        (folder / "config.json").write_text(json.dumps({"Providers": listed}))
        found = items(tool, "claude-code-router", "--yes")["ccr"]
        assert (found["status"], found["missing"]) == ("needs a key", ["TWO_EXAMPLE_API_KEY"])
        assert tool("use", "ccr", TWO_EXAMPLE_API_KEY="sk-test-" + "5" * 16).code == 0
        config = (tool.cwd / "litellm_config.yaml").read_text(encoding="utf-8")
        variables = [line.split("/")[-1] for line in config.splitlines() if "api_key:" in line]
        held = (tool.cwd / "litellm.env").read_text(encoding="utf-8")
        assert len(set(variables)) == 2
        assert f"{variables[0]}={KEY}" in held
        assert f"{variables[1]}=sk-test-" in held

    def test_a_server_of_this_machine_is_called_as_litellm_calls_it(self, tool: Tool) -> None:
        """With `/v1` LiteLLM asked Ollama for /v1/api/chat, which there is not."""
        folder = tool.home / ".claude-code-router"
        folder.mkdir()
        listed = [
            {
                "name": name,
                "api_base_url": f"http://localhost:{port}/v1/chat/completions",
                "api_key": "x",
                "models": [name],
            }
            for name, port in (("ollama", 11434), ("studio", 1234))
        ]
        (folder / "config.json").write_text(json.dumps({"Providers": listed}))
        assert items(tool, "claude-code-router", "--yes")["ccr"]["status"] == "imported"
        data = tomllib.loads(profile(tool, "ccr").read_text(encoding="utf-8"))
        urls = [one.rpartition("@")[2] for one in data["upstream"]]
        assert urls == ["http://localhost:11434", "http://localhost:1234/v1"]

    def test_a_broken_config_does_not_hide_the_database(self, tool: Tool) -> None:
        folder = tool.home / ".claude-code-router"
        folder.mkdir()
        (folder / "config.json").write_text("{{")
        with sqlite3.connect(folder / "config.sqlite") as base:
            base.execute("CREATE TABLE other (key TEXT)")
        base.close()
        done = tool("profile", "import", "claude-code-router")
        assert done.code == 1
        assert "this is not JSON" in done.err
        assert "warning: ~/.claude-code-router/config.sqlite: its tables" in done.err

    def test_version_three_keeps_it_in_a_database(self, tool: Tool) -> None:
        folder = tool.home / ".claude-code-router"
        folder.mkdir()
        value = {
            "Providers": [
                {
                    "name": "inhouse",
                    "api_base_url": "https://llm.example.com/v1/chat/completions",
                    "api_key": KEY,
                    "models": ["big-model"],
                }
            ],
            "Router": {"default": "inhouse,big-model"},
        }
        with sqlite3.connect(folder / "config.sqlite") as base:
            base.execute("CREATE TABLE app_config (key TEXT, value_json TEXT)")
            base.execute("INSERT INTO app_config VALUES ('default', ?)", (json.dumps(value),))
        base.close()
        assert items(tool, "claude-code-router")["ccr"]["status"] == "imported"


class TestFiles:
    def test_literal_exports_are_reported_by_line_and_never_run(self, tool: Tool) -> None:
        path = tool.home / ".bashrc"
        text = (
            "alias ll='ls -l'\n"
            'export ANTHROPIC_BASE_URL="https://api.z.ai/api/anthropic"\n'
            f"export ANTHROPIC_AUTH_TOKEN=$(touch {tool.home}/ran)\n"
            "export ANTHROPIC_MODEL=glm-5 # the big one\n"
        )
        path.write_text(text, encoding="utf-8")
        found = items(tool, "shell")["from-bashrc"]
        assert (found["status"], found["line"]) == ("needs a key", 2)
        assert any("line 3" in n and "no plain value" in n for n in found["notes"])
        assert not (tool.home / "ran").exists()
        assert path.read_text(encoding="utf-8") == text

    def test_a_start_file_that_is_no_text_hides_no_other(self, tool: Tool) -> None:
        (tool.home / ".zshrc").write_bytes(b"\xff\xfe")
        fish = tool.home / ".config" / "fish" / "config.fish"
        fish.parent.mkdir(parents=True)
        fish.write_text(
            "set -gx ANTHROPIC_BASE_URL https://llm.example.com\nset -gx ANTHROPIC_MODEL m\n"
        )
        done = tool("profile", "import", "shell")
        assert done.code == 1
        assert ".zshrc: this is not UTF-8" in done.err
        assert "shell `from-config.fish`" in done.out

    def test_any_litellm_config(self, tool: Tool) -> None:
        path = tool.cwd / "gateway.yaml"
        path.write_text(
            "model_list:\n"
            "  - model_name: fast\n"
            "    litellm_params: {model: openai/gpt-6.1-sol, api_key: os.environ/MY_OPENAI}\n"
            "  - model_name: local\n"
            "    litellm_params: {model: ollama_chat/qwen3-coder, "
            "api_base: 'http://127.0.0.1:11434'}\n"
            "  - model_name: '*'\n"
            "    litellm_params: {model: '*'}\n"
        )
        found = items(tool, str(path), "--yes", MY_OPENAI="sk-proj-" + "a1" * 20)["gateway"]
        assert found["status"] == "imported"
        assert any("`*` is left out" in note for note in found["notes"])
        data = tomllib.loads(profile(tool, "gateway").read_text(encoding="utf-8"))
        assert data["model"] == "fast"
        assert data["keys"] == {"MY_OPENAI": "env:MY_OPENAI"}

    def test_hand_written_settings_and_a_dotenv(self, tool: Tool) -> None:
        env = {"ANTHROPIC_BASE_URL": "https://llm.example.com", "ANTHROPIC_API_KEY": KEY}
        settings_file = tool.cwd / "settings.work.json"
        settings_file.write_text(json.dumps({"env": {**env, "ANTHROPIC_MODEL": "big"}}))
        dotenv = tool.cwd / "old.env"
        dotenv.write_text("".join(f"{n}={v}\n" for n, v in env.items()) + "ANTHROPIC_MODEL=b\n")
        for path, name in ((settings_file, "settings.work"), (dotenv, "old")):
            assert items(tool, str(path), "--yes")[name]["status"] == "imported"
            data = tomllib.loads(profile(tool, name).read_text(encoding="utf-8"))
            assert data["header"] == "x-api-key"
            assert KEY not in profile(tool, name).read_text(encoding="utf-8")
        assert tool("use", "old").code == 0
        assert tool.env["ANTHROPIC_API_KEY"] == KEY
        assert tool.env["ANTHROPIC_AUTH_TOKEN"] == ""

    def test_a_name_that_is_taken_is_skipped_and_the_profile_stays(self, tool: Tool) -> None:
        path = tool.cwd / "one.env"
        path.write_text(f"ANTHROPIC_BASE_URL=https://a.example\nANTHROPIC_AUTH_TOKEN={KEY}\n")
        assert items(tool, str(path))["one"]["status"] == "skipped"
        path.write_text(path.read_text() + "ANTHROPIC_MODEL=m\n")
        assert items(tool, str(path), "--yes")["one"]["status"] == "imported"
        before = profile(tool, "one").read_bytes()
        assert items(tool, str(path), "--yes")["one"]["status"] == "skipped"
        assert profile(tool, "one").read_bytes() == before

    def test_a_pipe_among_the_profiles_is_none_and_nobody_waits_for_it(self, tool: Tool) -> None:
        folder = profile(tool, "x").parent
        folder.mkdir(parents=True)
        os.mkfifo(folder / "pipe.toml")
        assert "pipe" not in tool("profile", "list").out
        assert tool("use", "pipe").code == 2
        printed = tool("key", "pipe")
        assert printed.code == 1
        assert "a device or a pipe" in printed.err

    def test_what_is_nested_beyond_reason_is_no_crash(self, tool: Tool) -> None:
        deep = "[" * 100_000
        path = tool.cwd / "deep.json"
        path.write_text('{"Providers": ' + deep)
        assert tool("profile", "import", str(path)).code == 1
        cc_switch(tool.home, list(TestCcSwitch.ROWS)).close()
        (tool.home / ".cc-switch" / "settings.json").write_text(deep)
        assert items(tool, "cc-switch")["Kimi K2"]["current"] is True
        folder = tool.home / ".claude-code-router"
        folder.mkdir()
        with sqlite3.connect(folder / "config.sqlite") as base:
            base.execute("CREATE TABLE app_config (key TEXT, value_json TEXT)")
            base.execute("INSERT INTO app_config VALUES ('default', ?)", (deep,))
        base.close()
        assert items(tool, "claude-code-router")["ccr"]["status"] == "skipped"


class TestSomebodysProfile:
    """A file from elsewhere says what it would call, and with which key of yours."""

    @staticmethod
    def notes(tool: Tool, text: str, **environ: str) -> list[str]:
        path = tool.cwd / "theirs.toml"
        path.write_text(text, encoding="utf-8")
        found: list[str] = items(tool, str(path), "--yes", **environ)["theirs"]["notes"]
        return found

    def test_a_key_for_another_than_its_provider_is_a_warning(self, tool: Tool) -> None:
        notes = self.notes(
            tool,
            'provider = "deepseek"\nbase-url = "https://evil.example/anthropic"\nmodel = "x"\n'
            '[keys]\nDEEPSEEK_API_KEY = "env:DEEPSEEK_API_KEY"\n',
            DEEPSEEK_API_KEY=KEY,
        )
        where = "https://evil.example/anthropic"
        assert notes == [
            f"calls {where} with the key of env:DEEPSEEK_API_KEY",
            "warning: this sends your key of DeepSeek to evil.example",
        ]

    def test_the_providers_own_address_is_only_named(self, tool: Tool) -> None:
        (note,) = self.notes(tool, 'provider = "deepseek"\nmodel = "x"\n', DEEPSEEK_API_KEY=KEY)
        assert note.startswith("calls https://api.deepseek.com/")
        assert note.endswith(" with the key of env:DEEPSEEK_API_KEY")

    @pytest.mark.parametrize("kept", ["file:deepseek.DEEPSEEK_API_KEY", "file:{home}/secret"])
    def test_a_key_or_a_file_that_is_here_is_a_warning(self, tool: Tool, kept: str) -> None:
        (tool.home / "secret").write_text("anything\n", encoding="utf-8")
        (tool.home / "secret").chmod(0o600)
        notes = self.notes(
            tool,
            'provider = "custom-anthropic"\nbase-url = "http://evil.example"\nmodel = "x"\n'
            f'[keys]\nA = "{kept.format(home=tool.home)}"\n',
        )
        assert any(n.startswith("warning: this sends") and "evil.example" in n for n in notes)
        assert any("unencrypted" in note for note in notes)
        assert not any("anything" in note for note in notes)

    def test_each_model_of_a_gateway_is_one(self, tool: Tool) -> None:
        notes = self.notes(
            tool,
            'provider = "litellm"\n'
            'upstream = ["a=deepseek:a@https://evil.example/v1", "b=openai:b", "c=ollama:c"]\n',
        )
        assert notes == [
            "calls https://evil.example/v1 with the key of env:DEEPSEEK_API_KEY",
            "warning: this sends your key of DeepSeek to evil.example",
            "calls https://api.openai.com/v1 with the key of env:OPENAI_API_KEY",
            "calls http://localhost:11434",
        ]

    @pytest.mark.parametrize("bus", ["", "unix:path=/nonexistent/bus"])
    def test_a_keyring_that_nobody_serves_is_one_without_the_key(
        self, tool: Tool, bus: str
    ) -> None:
        """It was an exit 3, of `use` and `key` too: the bus has exceptions of its own."""
        path = tool.cwd / "theirs.toml"
        path.write_text(
            'provider = "deepseek"\nmodel = "x"\n[keys]\nDEEPSEEK_API_KEY = "keyring:a.B"\n'
        )
        environ = {"DBUS_SESSION_BUS_ADDRESS": bus}
        found = items(tool, str(path), "--yes", **environ)["theirs"]
        assert (found["status"], found["missing"]) == ("needs a key", ["DEEPSEEK_API_KEY"])
        assert tool("key", "theirs", **environ).code == 1
        assert tool("use", "theirs", **environ).code == 1

    def test_one_without_a_provider_is_skipped(self, tool: Tool) -> None:
        path = tool.cwd / "theirs.toml"
        path.write_text('model = "m"\n', encoding="utf-8")
        assert items(tool, str(path))["theirs"]["reason"] == "no provider is given"

    def test_what_is_wrong_in_it_is_said_of_the_file_that_was_named(self, tool: Tool) -> None:
        path = tool.cwd / "theirs.toml"
        path.write_text('provider = "deepseek"\nx = 1\n', encoding="utf-8")
        found = items(tool, str(path))["theirs"]
        assert (found["status"], found["reason"]) == (
            "skipped",
            f"{path}: there is no `x` here",
        )
