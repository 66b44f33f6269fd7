"""Models that stand in for others, and several keys of one model, as a person types them."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import yaml

from tests.cli.tool import Done, Tool
from tests.e2e.processes import free_port

KEYS = {
    "OPENAI_API_KEY": "sk-proj-0123456789abcdefTEST",
    "SECOND_KEY": "sk-proj-abcdef0123456789TEST",
    "THIRD_KEY": "sk-proj-9876543210abcdefTEST",
}
UPS = ("--upstream", "big=openai:gpt-6.1-sol", "--upstream", "small=openai:gpt-6-luna")


@pytest.fixture
def gateway(tool: Tool) -> Tool:
    """`big` with two keys, and `small` where it fails."""
    more = ("--upstream-key-env", "big=OPENAI_API_KEY,SECOND_KEY", "--fallback", "small")
    succeeded(tool("init", *UPS, *more, "--port", str(free_port()), "--yes", **KEYS))
    return tool


def succeeded(done: Done) -> Done:
    assert done.code == 0, done.out + done.err
    return done


def config(tool: Tool) -> Any:
    return yaml.safe_load((tool.cwd / "litellm_config.yaml").read_text(encoding="utf-8"))


def keys(tool: Tool, name: str = "big") -> list[str]:
    found = [e["litellm_params"] for e in config(tool)["model_list"] if e["model_name"] == name]
    return [params["api_key"].removeprefix("os.environ/") for params in found]


def texts(tool: Tool) -> dict[str, bytes]:
    names = ("litellm_config.yaml", "litellm.env")
    return {name: (tool.cwd / name).read_bytes() for name in names}


def test_both_are_written_and_the_rules_are_content(gateway: Tool) -> None:
    assert keys(gateway) == ["OPENAI_API_KEY", "SECOND_KEY"]
    assert config(gateway)["router_settings"] == {"fallbacks": [{"big": ["small"]}]}
    held = (gateway.cwd / "litellm.env").read_text(encoding="utf-8")
    assert all(f"{name}={KEYS[name]}" in held for name in ("OPENAI_API_KEY", "SECOND_KEY"))
    done = succeeded(gateway("validate", "--format", "json"))
    assert {f["code"] for f in done.json["findings"]} <= {"SYS002", "SYS008"}


@pytest.mark.parametrize(
    "words",
    [
        (*UPS, "--upstream-key-env", "big=OPENAI_API_KEY,SECOND_KEY", "--fallback", "small"),
        ("--fallback", "big=small"),
        ("--provider", "litellm"),
        # Nobody said another key, so both stay.
        UPS,
    ],
)
def test_once_more_changes_nothing(gateway: Tool, words: tuple[str, ...]) -> None:
    before = texts(gateway)
    assert "Nothing to change." in succeeded(gateway("init", *words, "--yes", **KEYS)).err
    assert texts(gateway) == before


@pytest.mark.parametrize(
    ("named", "then"),
    [
        ("OPENAI_API_KEY", ["OPENAI_API_KEY"]),
        ("SECOND_KEY", ["SECOND_KEY"]),
        ("SECOND_KEY,THIRD_KEY", ["SECOND_KEY", "THIRD_KEY"]),
        ("THIRD_KEY", ["THIRD_KEY"]),
        ("SECOND_KEY,OPENAI_API_KEY", ["OPENAI_API_KEY", "SECOND_KEY"]),
    ],
)
def test_the_keys_that_are_named_are_those_there_are(
    gateway: Tool, named: str, then: list[str]
) -> None:
    more = (*UPS[:2], "--upstream-key-env", f"big={named}", "--yes")
    succeeded(gateway("init", *more, **KEYS))
    assert keys(gateway) == then
    assert keys(gateway, "small") == ["OPENAI_API_KEY"]


def test_what_somebody_added_to_an_entry_stays(gateway: Tool) -> None:
    path = gateway.cwd / "litellm_config.yaml"
    text = path.read_text(encoding="utf-8")
    # Whose limit is here is no longer ours to take out.
    limited = text.replace(
        "api_key: os.environ/SECOND_KEY\n", "api_key: os.environ/SECOND_KEY\n      rpm: 5 # mine\n"
    )
    path.write_text(limited, encoding="utf-8")
    more = (*UPS[:2], "--upstream-key-env", "big=OPENAI_API_KEY,THIRD_KEY", "--yes")
    succeeded(gateway("init", *more, **KEYS))
    assert keys(gateway) == ["OPENAI_API_KEY", "SECOND_KEY", "THIRD_KEY"]
    assert "rpm: 5 # mine" in path.read_text(encoding="utf-8")


def test_fallbacks_of_others_and_their_place_stay(gateway: Tool) -> None:
    path = gateway.cwd / "litellm_config.yaml"
    head, _, tail = path.read_text(encoding="utf-8").partition("router_settings:")
    own = "  fallbacks: # mine\n    - other: [small] # and why\n"
    rest = tail[tail.index("general_settings:") :]
    path.write_text(f"{head.rstrip()}\n{own}\n{rest}", encoding="utf-8")
    succeeded(gateway("init", "--fallback", "small", "--yes", **KEYS))
    text = path.read_text(encoding="utf-8")
    assert own in text
    assert config(gateway)["litellm_settings"]["fallbacks"] == [
        {"other": ["small"]},
        {"big": ["small"]},
    ]
    assert "router_settings" not in config(gateway)
    succeeded(gateway("init", "--fallback", "big=", "--yes", **KEYS))
    assert own in path.read_text(encoding="utf-8")


def test_a_model_that_goes_stands_in_for_nobody(gateway: Tool) -> None:
    succeeded(gateway("init", "--drop", "small", "--yes", **KEYS))
    assert "router_settings" not in config(gateway)
    assert (
        succeeded(gateway("validate", "--only", "litellm", "--format", "json")).json["findings"]
        == []
    )


@pytest.mark.parametrize("edited", [False, True])
@pytest.mark.parametrize("command", [("undo",), ("use", "off")])
def test_taken_back(gateway: Tool, command: tuple[str, ...], *, edited: bool) -> None:
    """What was there before is there again, also where somebody wrote since."""
    path = gateway.cwd / "litellm_config.yaml"
    params = "{model: openai/gpt-6-luna, api_key: os.environ/OPENAI_API_KEY}"
    own = f"model_list:\n  - model_name: mine # mine\n    litellm_params: {params}\n"
    succeeded(gateway("use", "off", "--yes"))
    path.write_text(own, encoding="utf-8")
    more = ("--upstream-key-env", "big=OPENAI_API_KEY,SECOND_KEY", "--fallback", "big=mine,small")
    succeeded(gateway("init", *UPS, *more, "--yes", **KEYS))
    assert config(gateway)["router_settings"]["fallbacks"] == [{"big": ["mine", "small"]}]
    note = "# a note of mine\n" if edited else ""
    path.write_text(path.read_text(encoding="utf-8") + note, encoding="utf-8")
    succeeded(gateway(*command, "--yes"))
    assert path.read_text(encoding="utf-8") == own + note


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--fallback", "nobody"), "there is no `nobody`"),
        (("--fallback", "nobody=small"), "there is no `nobody`"),
        (("--fallback", "big"), "`big` can't be its own fallback"),
        (("--fallback", "small=big,small"), "`small` can't be its own fallback"),
        (("--fallback", "="), "a model's name is empty"),
        ((*UPS[:2], "--upstream-key-env", "big=OPENAI_API_KEY,"), "needs NAME=VAR"),
        ((*UPS[:2], "--upstream-key-env", "big=NOT_THERE,SECOND_KEY"), "no key in NOT_THERE"),
        (("--provider", "deepseek", "--fallback", "small"), "goes with --provider litellm"),
    ],
)
def test_what_can_not_be_is_said(gateway: Tool, words: tuple[str, ...], says: str) -> None:
    before = texts(gateway)
    done = gateway(
        "init", *words, "--yes", DEEPSEEK_API_KEY="sk-0123456789abcdef0123456789abcdef", **KEYS
    )
    assert (done.code, says in done.err) == (2, True), done.err
    assert texts(gateway) == before


def test_a_profile_and_an_answers_file_hold_both(gateway: Tool) -> None:
    saved = gateway.cwd / "answers.toml"
    succeeded(
        gateway("init", "--provider", "litellm", "--save-answers", str(saved), "--yes", **KEYS)
    )
    data = tomllib.loads(saved.read_text(encoding="utf-8"))
    assert data["fallback"] == ["big=small"]
    assert data["upstream-key-env"] == ["big=OPENAI_API_KEY,SECOND_KEY"]
    before = config(gateway)
    succeeded(gateway("profile", "save", "two"))
    for back in (("use", "two"), ("init", "--answers", str(saved))):
        succeeded(gateway("use", "off", "--yes"))
        (gateway.cwd / "litellm_config.yaml").unlink(missing_ok=True)
        succeeded(gateway(*back, "--yes", **KEYS))
        assert config(gateway) == before


def test_every_command_tells_of_it(gateway: Tool) -> None:
    said = "big; if it fails: small"
    assert said in succeeded(gateway("show")).out
    assert said in succeeded(gateway("models", "--offline")).out
    listed = succeeded(gateway("models", "--offline", "--format", "json")).json["models"]
    assert {m["id"]: m.get("fallbacks") for m in listed} == {"big": ["small"], "small": None}
    assert (
        "small has no fallback: haha-config init --fallback NAME"
        in gateway("switch-model", "small").err
    )
    assert said in gateway("switch-model", "big").err


def test_a_smaller_limit_of_output_counts(tool: Tool) -> None:
    ups = ("--upstream", "big=openai:gpt-6.1-sol", "--upstream", "small=openai:gpt-4o")
    succeeded(tool("init", *ups, "--port", str(free_port()), "--yes", **KEYS))
    assert "CLAUDE_CODE_MAX_OUTPUT_TOKENS" not in tool.env
    succeeded(tool("init", *ups, "--fallback", "small", "--yes", **KEYS))
    assert tool.env["CLAUDE_CODE_MAX_OUTPUT_TOKENS"] == "16384"
    succeeded(tool("switch-model", "big"))
    assert tool.env["CLAUDE_CODE_MAX_OUTPUT_TOKENS"] == "16384"


# --- beside an included file --------------------------------------------------------------------


def including(tool: Tool, text: str) -> Done:
    """`big` and `small`, `small` where `big` fails, and a file of the person's beside them."""
    (tool.cwd / "shared.yaml").write_text(text, encoding="utf-8")
    (tool.cwd / "litellm_config.yaml").write_text("include: [shared.yaml]\n", encoding="utf-8")
    return tool("init", *UPS, "--fallback", "small", "--port", str(free_port()), "--yes", **KEYS)


def test_fallbacks_stand_where_an_included_file_does_not_void_them(tool: Tool) -> None:
    succeeded(including(tool, "router_settings: {num_retries: 1}\n"))
    assert config(tool)["litellm_settings"]["fallbacks"] == [{"big": ["small"]}]
    assert "router_settings" not in config(tool)


def test_an_included_file_with_fallbacks_of_its_own_is_named(tool: Tool) -> None:
    done = including(tool, "router_settings: {fallbacks: [{small: [big]}]}\n")
    assert done.code == 1
    assert "shared.yaml:1" in done.err
    assert not (tool.cwd / "litellm.env").exists()
