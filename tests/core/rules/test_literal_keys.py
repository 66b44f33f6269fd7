"""Two literal keys never become one variable, and no variable gets a second value."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from haha_config.core.model import Snapshot
from haha_config.core.rules.fix import fixed
from haha_config.core.state.file import File, parse
from haha_config.core.state.gateway import Gateway
from haha_config.core.state.state import State
from tests.core.rules.example import EXAMPLES, load

ONE, TWO = "sk-one-AAAAAAAAAAAAAAAAAAAAAAAA", "sk-two-BBBBBBBBBBBBBBBBBBBBBBBB"
MASTER = "LITELLM_MASTER_KEY=sk-0123456789abcdef0123456789abcdef\n"


def entry(name: str, key: str = "", base: str = "", model: str = "openai/m") -> str:
    lines = [f"  - model_name: {name}", "    litellm_params:", f"      model: {model}"]
    lines += [f"      api_base: {base}"] if base else []
    lines += [f"      api_key: {key}"] if key else []
    return "\n".join(lines) + "\n"


def made(config: str, env: str = MASTER, environ: dict[str, str] | None = None) -> Gateway:
    """The gateway after `--fix` of LLM009, read again."""
    state = load(EXAMPLES / "LLM009" / "pass")
    state = replace(
        state,
        litellm=file(state.litellm, config),
        litellm_env=file(state.litellm_env, env),
        environ=environ or {},
    )
    after: State = fixed(state, ["LLM009"]).state
    return Gateway(after.litellm, after.litellm_env, after.environ, port=None)


def file(like: File, text: str) -> File:
    path = like.path
    return parse(Snapshot(path=path, real=path, data=text.encode(), mode=0o600), like.format)


def keys(gateway: Gateway) -> dict[str, str | None]:
    """What each entry's server is sent."""
    return {e.name: gateway.secret(e.params.get("api_key")).value for e in gateway.entries}


CONFIGS = {
    "two servers": (
        entry("one", ONE, "https://one.example.com/v1")
        + entry("two", TWO, "https://two.example.com/v1"),
        MASTER,
        {},
    ),
    "one of them in litellm.env": (
        entry("one", ONE, "https://one.example.com/v1"),
        f"{MASTER}OPENAI_API_KEY={TWO}\n",
        {},
    ),
    "the name is read from the shell": (
        entry("one", ONE) + entry("two", "os.environ/OPENAI_API_KEY"),
        MASTER,
        {"OPENAI_API_KEY": TWO},
    ),
    "the name is read without being named": (
        entry("one", ONE, "https://one.example.com/v1") + entry("two"),
        MASTER,
        {},
    ),
    "the model's own name is taken": (
        entry("a.b", ONE, "https://one.example.com/v1")
        + entry("a-b", TWO, "https://two.example.com/v1"),
        f"{MASTER}A_B_API_KEY=sk-three-CCCCCCCCCCCCCCCC\n",
        {},
    ),
    "names that are no names": (
        entry("4o", ONE, "https://one.example.com/v1")
        + entry("+++", TWO, "https://two.example.com/v1"),
        MASTER,
        {},
    ),
    "one key twice": (
        entry("one", ONE, "https://one.example.com/v1")
        + entry("two", ONE, "https://one.example.com/v1"),
        MASTER,
        {},
    ),
    "the section of variables has the name": (
        entry("one", ONE) + f"environment_variables:\n  OPENAI_API_KEY: {TWO}\n",
        MASTER,
        {},
    ),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_every_server_keeps_its_own_key(name: str) -> None:
    entries, env, environ = CONFIGS[name]
    config = f"model_list:\n{entries}"
    like = load(EXAMPLES / "LLM009" / "pass")
    before = Gateway(file(like.litellm, config), file(like.litellm_env, env), environ, port=None)
    after = made(config, env, environ)
    assert keys(after) == keys(before)
    assert after.lookup("OPENAI_API_KEY")[0] in {before.lookup("OPENAI_API_KEY")[0], ONE, TWO}
    assert not re.search("sk-(one|two)", after.file.text)
    for variable, value in before.env.data.items():
        assert after.env.data[variable] == value


def test_the_key_of_an_entry_that_names_none_is_not_changed() -> None:
    after = made(f"model_list:\n{CONFIGS['the name is read without being named'][0]}")
    assert after.lookup("OPENAI_API_KEY")[0] is None


def test_a_move_that_is_half_possible_is_not_made() -> None:
    """The place in litellm_config.yaml can't be edited, so litellm.env gets nothing either."""
    config = f"x: &k {ONE}\nmodel_list:\n" + entry("one", "*k", "https://one.example.com/v1")
    after = made(config)
    assert after.file.text == config
    assert ONE not in after.env.text


@pytest.mark.parametrize(
    "written",
    [
        "os.env/OPENAI_API_KEY",
        "process.env.OPENAI_API_KEY",
        "'os.getenv(\"OPENAI_API_KEY\")'",
        "Bearer os.environ/OPENAI_API_KEY",
        "' os.environ/OPENAI_API_KEY'",
        "'{{ env.OPENAI_API_KEY }}'",
    ],
)
def test_what_names_a_variable_is_no_key_to_move(written: str) -> None:
    gateway = made("model_list:\n" + entry("one", written, "https://one.example.com/v1"))
    assert gateway.entries[0].params["api_key"] == written.strip("'")
    assert gateway.env.data.keys() == {"LITELLM_MASTER_KEY"}


@pytest.mark.parametrize("key", ["env-0123456789abcdef", "environmental-key/AAAABBBB", ONE])
def test_what_only_looks_like_a_variable_is_a_key(key: str) -> None:
    gateway = made("model_list:\n" + entry("one", key, "https://one.example.com/v1"))
    assert str(gateway.entries[0].params["api_key"]).startswith("os.environ/")
