"""`validate` as a person, a script and a hook run it."""

from __future__ import annotations

import codecs
import re
import socket
import subprocess
from pathlib import Path

import pytest

from tests.cli.tool import Tool

KEY = "sk-or-v1-0123456789abcdef0123456789abcdef"
BROKEN = f"""\
ANTHROPIC_BASE_URL=https://openrouter.ai/api/v1
ANTHROPIC_AUTH_TOKEN={KEY}
ANTHROPIC_MODEL=z-ai/glm-5.3
API_TIMEOUT_MS=6000
"""
HAHA = ("validate", "--client", "haha")


@pytest.fixture
def broken(tool: Tool) -> Tool:
    tool.dotenv.write_text(BROKEN, encoding="utf-8")
    tool.dotenv.chmod(0o600)
    return tool


def everything(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() if p.is_file() else b"" for p in sorted(folder.rglob("*"))}


def test_nothing_configured(tool: Tool) -> None:
    done = tool(*HAHA)
    assert done.code == 1
    assert "hint: haha-config init" in done.err


def test_text_has_place_caret_code_and_hint(broken: Tool) -> None:
    done = broken(*HAHA)
    assert done.code == 1
    lines = done.out.splitlines()
    at = next(i for i, line in enumerate(lines) if "[URL002]" in line)
    assert lines[at].split()[0] == "1:20"
    assert lines[at + 1].index("https://") == lines[at + 2].index("^")
    assert "hint: haha-config validate --fix" in lines[at + 3]
    assert KEY not in done.out + done.err
    assert lines[-1].endswith("the client will not work like this")


def test_json(broken: Tool) -> None:
    done = broken(*HAHA, "--format", "json")
    assert done.code == 1
    found = {f["code"]: f for f in done.json["findings"]}
    assert found["URL002"]["path"] == str(broken.dotenv)
    assert (found["URL002"]["line"], found["URL002"]["column"]) == (1, 20)
    assert set(found["URL002"]) == {
        "code", "severity", "path", "line", "column", "message", "hint",
    }  # fmt: skip
    severities = [f["severity"] for f in done.json["findings"]]
    assert done.json["summary"] == {
        "errors": severities.count("error"),
        "warnings": severities.count("warning"),
        "notes": severities.count("note"),
    }


def test_writes_nothing(broken: Tool) -> None:
    before = everything(broken.home), everything(broken.cwd)
    for words in ((), ("--strict",), ("--list",), ("--explain", "ENV001"), ("--fix", "--dry-run")):
        broken(*HAHA, *words)
    assert (everything(broken.home), everything(broken.cwd)) == before


def test_a_dotenv_that_this_client_does_not_read_is_named_as_not_judged(broken: Tool) -> None:
    broken.settings.parent.mkdir()
    broken.settings.write_text('{"env": {"ANTHROPIC_BASE_URL": "https://openrouter.ai/api"}}')
    words = ".env differs, and was not checked: only claude-haha reads it"
    done = broken("validate", "--client", "claude")
    assert words in done.out
    assert "hint: haha-config validate --client haha" in done.out
    assert words not in broken(*HAHA).out
    assert words not in broken("validate", "--only", "env").out
    assert words not in broken("validate", "--client", "claude", "--only", "settings").out
    for same in ("PORT=1\n", "ANTHROPIC_BASE_URL=https://openrouter.ai/api\n"):
        broken.dotenv.write_text(same)
        assert words not in broken("validate", "--client", "claude").out


def test_fix(broken: Tool) -> None:
    broken.dotenv.chmod(0o644)
    done = broken(*HAHA, "--fix", "--yes")
    assert done.code == 0, done.err
    text = broken.dotenv.read_text(encoding="utf-8")
    assert "ANTHROPIC_BASE_URL=https://openrouter.ai/api\n" in text
    assert "API_TIMEOUT_MS=3000000\n" in text
    assert broken.dotenv.stat().st_mode & 0o777 == 0o600
    again = broken(*HAHA, "--fix", "--yes")
    assert (again.code, broken.dotenv.read_text(encoding="utf-8")) == (0, text)
    undone = broken("undo", "--yes")
    assert undone.code == 0, undone.err
    assert broken.dotenv.read_text(encoding="utf-8") == BROKEN


def test_fix_without_a_terminal_needs_yes(broken: Tool) -> None:
    done = broken(*HAHA, "--fix")
    assert done.code == 2
    assert "--yes" in done.err
    assert broken.dotenv.read_text(encoding="utf-8") == BROKEN


def test_fix_dry_run_shows_the_difference(broken: Tool) -> None:
    done = broken(*HAHA, "--fix", "--dry-run")
    assert done.code == 0
    assert (
        "ANTHROPIC_BASE_URL=https://openrouter.ai/api/v1 → https://openrouter.ai/api\n" in done.out
    )
    assert broken.dotenv.read_text(encoding="utf-8") == BROKEN


def test_select_and_ignore(broken: Tool) -> None:
    done = broken(*HAHA, "--select", "URL,ENV009", "--ignore", "url002", "--format", "json")
    assert [f["code"] for f in done.json["findings"]] == ["ENV009"]
    assert done.code == 0
    assert broken(*HAHA, "--select", "ENV009", "--strict").code == 1


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--select", "URL02"), "did you mean `URL00"),
        (("--explain", "LLM03"), "did you mean `LLM0"),
        (("--only", "setings"), "did you mean `settings`?"),
        (("--format", "yaml"), "json"),
    ],
)
def test_unknown_values(broken: Tool, words: tuple[str, ...], hint: str) -> None:
    done = broken(*HAHA, *words)
    assert done.code == 2
    assert hint in done.err


def test_explain_and_list(tool: Tool) -> None:
    done = tool("validate", "--explain", "llm003")
    assert done.code == 0
    assert "drop_params" in done.out
    listed = tool("validate", "--list", "--format", "json").json["rules"]
    assert len({rule["code"] for rule in listed}) == len(listed) > 60


def test_only_reads_the_named_targets(broken: Tool) -> None:
    broken.settings.parent.mkdir(parents=True)
    broken.settings.write_text("{ broken", encoding="utf-8")
    done = broken("validate", "--only", "env", "--dir", ".", "--format", "json",
                  ANTHROPIC_API_KEY="sk-test-0123456789abcdef")  # fmt: skip
    paths = {f["path"] for f in done.json["findings"]}
    assert paths == {str(broken.dotenv)}
    assert "KEY001" not in {f["code"] for f in done.json["findings"]}


def test_only_litellm_judges_a_config_without_a_client(tool: Tool) -> None:
    config = tool.cwd / "litellm_config.yaml"
    config.write_text(
        "model_list:\n  - model_name: a\n    litellm_params:\n      model: openai/gpt-6.1-sol\n",
        encoding="utf-8",
    )
    done = tool("validate", "--only", "env,settings,litellm", "--dir", ".", "--format", "json")
    assert done.code == 1
    # Whether the server has a master key in its environment can't be known.
    errors = {f["code"] for f in done.json["findings"] if f["severity"] == "error"}
    assert errors == {"LLM003"}


def test_a_file_that_does_not_parse_is_left_alone(tool: Tool) -> None:
    tool.settings.parent.mkdir(parents=True)
    text = '{\n  "env": {\n    "ANTHROPIC_MODEL": "x",\n  }\n}\n'
    tool.settings.write_text(text, encoding="utf-8")
    done = tool("validate")
    assert done.code == 1
    assert re.search(r"3:27\s+error .*\[SET001\]", done.out)
    tool("validate", "--fix", "--yes")
    assert tool.settings.read_text(encoding="utf-8") == text


def test_a_tracked_secret_and_one_that_is_not_ignored(broken: Tool) -> None:
    def git(*words: str) -> None:
        subprocess.run(("git", *words), cwd=broken.cwd, check=True, capture_output=True)

    git("init", "-q")
    found = broken(*HAHA, "--select", "KEY", "--format", "json").json["findings"]
    assert [f["code"] for f in found] == ["KEY009"]
    assert broken(*HAHA, "--select", "KEY", "--fix", "--yes").code == 0
    assert broken(*HAHA, "--select", "KEY", "--format", "json").json["findings"] == []
    git("add", "-f", ".env")
    found = broken(*HAHA, "--select", "KEY", "--format", "json").json["findings"]
    assert [(f["code"], f["severity"]) for f in found] == [("KEY008", "error")]


def test_nobody_listens_then_somebody_else(tool: Tool) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    tool.dotenv.write_text(
        f"ANTHROPIC_BASE_URL=http://127.0.0.1:{port}\nANTHROPIC_AUTH_TOKEN=local\n"
        "ANTHROPIC_MODEL=m\n",
        encoding="utf-8",
    )
    with server:
        assert tool(*HAHA, "--select", "SYS002", "--format", "json").json["findings"] == []
    (found,) = tool(*HAHA, "--select", "SYS002", "--format", "json").json["findings"]
    assert str(port) in found["message"]


def test_in_the_home_folder_one_file_is_one_layer(tool: Tool) -> None:
    tool.settings.parent.mkdir()
    tool.settings.write_text('{"env": {"ANTHROPIC_BASE_URL": "https://h.example/v1"}}')
    at_home = Tool(home=tool.home, cwd=tool.home)
    shown = at_home("show", "--format", "json").json["variables"][0]
    assert (shown["layer"], shown["shadows"]) == ("user", [])
    found = at_home("validate", "--format", "json").json["findings"]
    places = [(f["code"], f["path"], f["line"]) for f in found]
    assert len(places) == len(set(places))


def test_an_error_that_stops_nothing_does_not_end_in_a_client_that_will_not_work(
    tool: Tool,
) -> None:
    key = "sk-0123456789abcdef0123456789abcdef"
    words = ("--provider", "deepseek", "--write", "env,settings", "--client", "haha", "--yes")
    assert tool("init", *words, DEEPSEEK_API_KEY=key).code == 0
    for command in (("init", "-q"), ("add", "-f", ".env")):
        subprocess.run(["git", *command], cwd=tool.cwd, env=tool.variables(), check=True)
    done = tool("validate", "--client", "haha", "--ignore", "SYS")
    assert done.code == 1
    assert "[KEY008]" in done.out
    assert "1 error: the client calls" in done.out
    assert "the client calls https://api.deepseek.com/anthropic/v1/messages" in done.out


def test_a_number_that_becomes_text_is_seen_to_do_so(tool: Tool) -> None:
    tool.settings.parent.mkdir()
    tool.settings.write_text('{"env": {"API_TIMEOUT_MS": 600000}}', encoding="utf-8")
    said = tool("validate", "--fix", "--dry-run", "--select", "SET002").out
    assert '~ env.API_TIMEOUT_MS: 600000 → "600000"\n' in said


def test_an_agent_with_a_model_that_is_not_served(tool: Tool) -> None:
    words = ("--provider", "deepseek", "--client", "claude", "--yes")
    assert tool("init", *words, DEEPSEEK_API_KEY="sk-0123456789abcdef0123456789abcdef").code == 0
    folder = tool.cwd / ".claude" / "agents" / "team"
    folder.mkdir(parents=True)
    text = "---\nname: reviewer\nmodel: claude-haiku-4-5 # quick\n---\nmodel: gpt-4o\n"
    (folder / "reviewer.md").write_text(text, encoding="utf-8")
    (folder / "writer.md").write_text("---\nmodel: sonnet\n---\n", encoding="utf-8")
    (folder / "notes.md").write_text("model: claude-opus-4-5\n", encoding="utf-8")
    done = tool("validate", "--client", "claude", "--format", "json")
    found = [f for f in done.json["findings"] if f["path"] and f["path"].endswith(".md")]
    assert [(f["severity"], f["line"], f["column"]) for f in found] == [("warning", 3, 8)]
    assert "`claude-haiku-4-5`" in found[0]["message"]
    (folder / "reviewer.md").write_text(text.replace("claude-haiku-4-5", "inherit"), "utf-8")
    assert ".md" not in tool("validate", "--client", "claude").out


def test_settings_in_utf_16_are_read_and_written_only_once_they_are_utf_8(tool: Tool) -> None:
    """Both clients read such a file, as Windows writes it (measured)."""
    done = tool(
        "init",
        "--provider",
        "deepseek",
        "--yes",
        DEEPSEEK_API_KEY="sk-0123456789abcdef0123456789abcdef",
    )
    assert done.code == 0, done.err
    path = tool.home / ".claude" / "settings.json"
    text = path.read_text(encoding="utf-8")
    path.write_bytes(codecs.BOM_UTF16_LE + text.encode("utf-16-le"))
    wide = path.read_bytes()
    found = tool("validate", "--format", "json").json["findings"]
    assert [one["code"] for one in found if one["severity"] != "note"] == ["SET004"]
    assert tool("show").code == 0
    done = tool("switch-model", "deepseek-v4-pro")
    assert done.code == 1
    assert "haha-config validate --fix" in done.err
    assert path.read_bytes() == wide
    assert tool("validate", "--fix", "--yes").code == 0
    assert path.read_text(encoding="utf-8") == text
    assert tool("undo", "--yes").code == 0
    assert path.read_bytes() == wide
    # In the other byte order no client reads it.
    path.write_bytes(codecs.BOM_UTF16_BE + text.encode("utf-16-be"))
    assert "SET001" in tool("validate").out


@pytest.mark.parametrize("spoilt", ["Grüße".encode("latin-1"), "你好".encode("gbk"), rb"\ud83d"])
def test_settings_with_a_wrong_byte_are_read_as_the_clients_read_them(
    tool: Tool, spoilt: bytes
) -> None:
    done = tool(
        "init", "--provider", "deepseek", "--yes", DEEPSEEK_API_KEY="sk-" + "0123456789" * 4
    )
    assert done.code == 0, done.err
    path = tool.home / ".claude" / "settings.json"
    whole = path.read_bytes().replace(b"{", b'{"outputStyle": "' + spoilt + b'",', 1)
    path.write_bytes(whole)
    done = tool("validate", "--format", "json")
    found = [one for one in done.json["findings"] if one["severity"] != "note"]
    assert [(one["code"], one["severity"]) for one in found] == [("SET001", "warning")]
    assert done.code == 0
    assert "deepseek-v4" in tool("show").out or "deepseek-flash" in tool("show").out
    assert tool("validate", "--fix", "--yes").code == 0
    assert tool("switch-model", "deepseek-v4-pro").code == 1
    assert path.read_bytes() == whole


def test_another_version_that_reads_other_local_settings_is_told_of(tool: Tool) -> None:
    done = tool(
        "init", "--provider", "deepseek", "--yes", DEEPSEEK_API_KEY="sk-" + "0123456789" * 4
    )
    assert done.code == 0, done.err
    subprocess.run(["git", "init", "-q", str(tool.cwd)], check=True)
    below = tool.cwd / "below"
    below.mkdir()
    before = tool("validate", "--project", str(below))
    assert "Claude Code 2.1" not in before.out
    local = tool.cwd / ".claude" / "settings.local.json"
    local.parent.mkdir(exist_ok=True)
    local.write_text('{"env": {"ANTHROPIC_MODEL": "deepseek-v4-pro"}}', encoding="utf-8")
    told = " ".join(tool("validate", "--project", str(below)).out.split())
    assert "Claude Code 2.1.197 calls" in told
    assert "asks for deepseek-flash" in told
