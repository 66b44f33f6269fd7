"""What `validate` says of a LiteLLM configuration against what the real LiteLLM does with it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from haha_config.core import rules
from haha_config.core.model import SLOTS, Finding
from tests.core.rules.example import load
from tests.e2e import behaviours as act
from tests.e2e import litellm_setups as setups
from tests.e2e import parts
from tests.e2e.litellm_setups import CONFIGS, ENTRIES, KEY, MASTER_KEY, Entry
from tests.e2e.processes import environment
from tests.e2e.upstream import Upstream
from tests.e2e.wire import Behaviour, Request

INSIDE = Path(__file__).with_name("forked_litellm.py")
#: Names under which entries are asked for beside their own.
ALIASES = """
router_settings:
  num_retries: 0
  disable_cooldowns: true
  model_group_alias: {an-alias: aliased}
credential_list:
  - credential_name: mine
    credential_values: {api_key: os.environ/UP_KEY}
    credential_info: {}
"""
SET_BY_THE_FILE = f"""
environment_variables:
  CEREBRAS_API_KEY: {KEY}
  SET_BY_THE_FILE: {KEY}
  SAMBANOVA_API_KEY: os.environ/UP_KEY
"""
HEAD = """litellm_settings:
  drop_params: true
  use_chat_completions_url_for_anthropic_messages: true
  request_timeout: 10
  model_alias_map: {an-older-alias: aliased-in-settings}
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
"""


def behave(request: Request) -> Behaviour | None:
    """Each entry has a server of its own below `/NAME`."""
    _, name, rest = [*request.path.split("/", 2), "", ""][:3]
    entry = ENTRIES.get(name)
    if entry is None or f"/{rest}" != entry.serves:
        return act.status(404, "Not Found")
    if entry.locked and KEY not in request.credential:
        return act.status(401)
    inner = replace(request, path=setups.CHAT if rest.endswith(setups.CHAT[3:]) else f"/{rest}")
    if rest == "api/chat":
        answer = {"message": {"role": "assistant", "content": "hi"}, "done": True}
        return lambda _request, reply: reply.json(200, answer)
    return lambda _request, reply: act.answer()(inner, reply)


def asks(name: str) -> str:
    return ENTRIES[name].asks or name


def yaml(name: str, entry: Entry, url: str) -> str:
    tls = url.replace("http:", "https:")
    places = {"base": f"{url}/{name}", "tls": f"{tls}/{name}", "root": url}
    return "  - " + entry.yaml.format(name=name, **places) + "\n"


def config_of(names: Iterator[str] | list[str], url: str) -> str:
    entries = "".join(yaml(name, ENTRIES[name], url) for name in names)
    return f"{HEAD}{ALIASES}{SET_BY_THE_FILE}model_list:\n{entries}"


def write_beside(folder: Path) -> None:
    (folder / "sub").mkdir()
    for file, content in setups.BESIDE.items():
        (folder / file).write_text(content, encoding="utf-8")


def job(folder: Path, name: str, text: str, number: int, models: list[str]) -> dict[str, Any]:
    """One start, from a folder of its own."""
    folder.mkdir()
    write_beside(folder)
    (folder / "litellm_config.yaml").write_text(text, encoding="utf-8")
    told = {**setups.VARIABLES, "LITELLM_MASTER_KEY": MASTER_KEY, "PORT": str(20_000 + number)}
    return {
        "name": name,
        "folder": str(folder),
        "environment": told,
        "key": MASTER_KEY,
        "models": models,
    }


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as running:
        running.behave = behave
        yield running


@pytest.fixture(scope="module")
def measured(
    upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Mapping[str, Any]]:
    """Every start: LiteLLM is imported once, and each set-up is a fork of that."""
    home = tmp_path_factory.mktemp("starts")
    entries = config_of(list(ENTRIES), upstream.url)
    jobs = [job(home / "entries", "entries", entries, 0, [asks(name) for name in ENTRIES])]
    for number, (name, (_, text)) in enumerate(CONFIGS.items(), start=1):
        jobs.append(job(home / f"config-{name}", name, text, number, []))
    done = subprocess.run(
        [str(parts.litellm().with_name("python")), "-I", str(INSIDE)],
        input="\n".join(json.dumps(each) for each in jobs),
        env={
            **environment(home),
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_MODE": "PRODUCTION",
        },
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return {answer["name"]: answer for answer in answers}


def became(name: str, entries: Mapping[str, Any]) -> str:
    """What became of one entry of the common start."""
    status, _ = entries["status"][asks(name)]
    if status == 200:
        return "works"
    offered = {name, asks(name)} & set(entries["offered"])
    return "fails" if offered else "dropped"


@pytest.mark.parametrize("name", ENTRIES)
def test_what_becomes_of_an_entry(name: str, measured: Mapping[str, Any]) -> None:
    assert measured["entries"]["started"], measured["entries"]["said"][-2000:]
    assert became(name, measured["entries"]) == ENTRIES[name].becomes, measured["entries"][
        "status"
    ][asks(name)]


@pytest.mark.parametrize("name", CONFIGS)
def test_what_becomes_of_a_file(name: str, measured: Mapping[str, Any]) -> None:
    answer = measured[name]
    found = "works" if answer["started"] and answer["offered"] else "refused"
    assert found == CONFIGS[name][0], answer


# --- and what validate says of it -------------------------------------------------------------


def judged(folder: Path, text: str, model: str) -> list[Finding]:
    """What the rules find in this file, with every slot at `model`."""
    home = folder / "home" / ".claude"
    home.mkdir(parents=True)
    client = {
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:4000",
        "ANTHROPIC_AUTH_TOKEN": MASTER_KEY,
        "ANTHROPIC_API_KEY": "",
        **dict.fromkeys(SLOTS.values(), model),
    }
    (home / "settings.json").write_text(json.dumps({"env": client}), encoding="utf-8")
    write_beside(folder)
    told = {**setups.VARIABLES, "LITELLM_MASTER_KEY": MASTER_KEY, "PORT": "4000"}
    lines = "".join(f"{name}={value}\n" for name, value in told.items())
    (folder / "litellm.env").write_text(lines, encoding="utf-8")
    (folder / "litellm_config.yaml").write_text(text, encoding="utf-8")
    return rules.run(load(folder), ignore=["SYS", "OWN"])


def agrees(found: list[Finding], name: str, outcome: str) -> bool:
    """Errors where it fails, and none where it works; a warning where that depends."""
    severities = {finding.severity for finding in found}
    if name in setups.WARNED:
        return "error" not in severities and bool(severities)
    return ("error" in severities) == (outcome != "works")


@pytest.mark.parametrize("name", ENTRIES)
def test_validate_agrees_about_an_entry(name: str, tmp_path: Path, upstream: Upstream) -> None:
    more = [n for n in ("aliased", "aliased-in-settings") if n != name]
    text = config_of([name, *more], upstream.url)
    found = judged(tmp_path, text, asks(name))
    assert agrees(found, name, ENTRIES[name].becomes), found


@pytest.mark.parametrize("name", CONFIGS)
def test_validate_agrees_about_a_file(name: str, tmp_path: Path) -> None:
    outcome, text = CONFIGS[name]
    found = judged(tmp_path, text, "m1")
    assert agrees(found, name, outcome), found
