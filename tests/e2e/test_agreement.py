"""What `probe` says of a faulty endpoint, against what the real clients can do with it.

Each fault is met by both clients and by a probe that speaks as each of them does. Behind the real
LiteLLM the faults are those of an upstream that speaks OpenAI's protocol.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import behaviours as act
from tests.e2e import parts, truth
from tests.e2e.faults import Fault, always, calls, good, in_turn, says, second, unless
from tests.e2e.hard_faults import HARD
from tests.e2e.processes import Gateway, environment
from tests.e2e.truth import CLIENTS, FAULTS, Faulty, Person

MASTER = "sk-" + "0123456789abcdef" * 3
#: Of a hundred verdicts at least so many are what the client shows, and at most so many are open.
RIGHT, OPEN = 97, 5

Verdict = bool | None
Pair = tuple[Fault, str]


def card(person: Person, version: str, *words: str) -> dict[str, Any]:
    """What the probe says where this client is installed."""
    bin_ = person.home / "bin"
    bin_.mkdir(exist_ok=True)
    (bin_ / "claude").unlink(missing_ok=True)
    (bin_ / "claude").symlink_to(parts.client(version))
    env = environment(person.home)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "haha_config", "probe", "--client", "claude"),
            *("--format", "json", *words),
        ],
        cwd=person.folder,
        env={**env, "PATH": f"{bin_}:{env['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.stdout, done.stderr
    found: dict[str, Any]
    assert "models" in done.stdout, done.stdout
    (found,) = json.loads(done.stdout)["models"]
    assert done.returncode == (0 if found["verdict"].startswith("will work") else 1), found
    return found


def verdict(found: dict[str, Any]) -> Verdict:
    """Whether the probe says that this client will work; None where it does not know."""
    said = str(found["verdict"])
    return None if said.startswith("not known: ") else said.startswith("will work")


def probed(person: Person, version: str) -> Verdict:
    return verdict(card(person, version))


def held_against(
    truths: Sequence[bool], verdicts: Sequence[Verdict], pairs: Sequence[Pair]
) -> None:
    """Fails, naming each, where the probe is wrong or at a loss too often."""
    wrong = [
        f"{fault.name} with {version}: works {true}, probe says {said}"
        for (fault, version), true, said in zip(pairs, truths, verdicts, strict=True)
        if said is not true
    ]
    unsure = sum(said is None for said in verdicts)
    assert len(wrong) * 100 <= (100 - RIGHT) * len(pairs), "\n".join(wrong)
    assert unsure * 100 <= OPEN * len(pairs), "\n".join(wrong)


def chosen() -> list[Fault]:
    """All with ALL_FAULTS=1; else those that the versions take differently, and some."""
    if os.environ.get("ALL_FAULTS"):
        return list(FAULTS)
    known = truth.known()
    differing = {name for name, works in known.items() if len(set(works.values())) > 1}
    singles = FAULTS[: -len(HARD)]
    some = {fault.name for fault in (*singles[::6], *HARD[::24])}
    return [fault for fault in FAULTS if fault.name in differing | some]


def test_directly(tmp_path: Path) -> None:
    pairs = [(fault, version) for fault in chosen() for version in CLIENTS]

    def both(faulty: Faulty, number: int) -> tuple[bool, Verdict]:
        fault, version = pairs[number]
        person = Person.at(tmp_path / str(number))
        person.uses(faulty.url(fault))
        works = person.client_works(version, fault.seconds, fault.files)
        person.uses(faulty.url(fault))
        return works, probed(person, version)

    with Faulty().running() as faulty, ThreadPoolExecutor(truth.AT_ONCE) as pool:
        found = list(pool.map(lambda number: both(faulty, number), range(len(pairs))))
    held_against([t for t, _ in found], [v for _, v in found], pairs)
    measured = {
        (fault.name, version): t for (fault, version), (t, _) in zip(pairs, found, strict=True)
    }
    changed = [
        name
        for name, works in truth.known().items()
        for version, expected in works.items()
        if measured.get((name, version), expected) is not expected
    ]
    assert changed == [], "python -m tests.e2e.truth NAME … measures them again"


# --- behind LiteLLM ---------------------------------------------------------------------------

#: In OpenAI's protocol: what LiteLLM hands on, hides or mends.
UPSTREAM: tuple[Fault, ...] = (
    Fault(name="good", make=always(good)),
    Fault(name="u401", make=always(act.status(401, "Incorrect API key provided"))),
    Fault(name="u404", make=always(act.status(404, "The model `x` does not exist"))),
    Fault(name="u400", make=always(act.status(400, "bad request"))),
    Fault(name="empty", make=lambda: says(lambda _r: [{"type": "text", "text": ""}])),
    Fault(name="never-calls", make=calls(lambda _c: [{"type": "text", "text": "I can't."}])),
    Fault(name="broken", make=calls(lambda c: [{**c, "input": {"path": "x"}}])),
    Fault(name="result-400", make=second(act.status(400, "unexpected role 'tool'"))),
    Fault(name="once-500", make=in_turn(act.status(500, "boom"))),
    Fault(
        name="ten-tools",
        make=unless(lambda r: "at most 10 tools" if len(r.tools) > 10 else None),
    ),
    Fault(
        name="window",
        make=unless(lambda r: "maximum context length is 8192" if len(r.raw) > 32_000 else None),
    ),
    Fault(name="page", make=always(act.html())),
)


#: An upstream that speaks nothing but chat completions.
CHAT_ONLY = Fault(
    name="chat-only",
    make=lambda: (
        lambda request, reply: (
            good if request.dialect == "chat" else act.status(404, "Not Found")
        )(request, reply)
    ),
)


@pytest.fixture(scope="module")
def litellm(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Gateway, Callable[..., str]]]:
    """One LiteLLM with a model for each fault and each caller of it, so that none cools another."""
    folder = tmp_path_factory.mktemp("agreement")
    names: dict[tuple[str, str, str], str] = {}
    with Faulty().running() as faulty:
        entries = []
        for fault in UPSTREAM:
            for version in CLIENTS:
                for who in ("client", "probe"):
                    name = f"{fault.name}-{version}-{who}"
                    names[fault.name, version, who] = name
                    entries.append(
                        f"  - model_name: {name}\n    litellm_params: {{model: openai/m,"
                        f" api_base: '{faulty.url(fault)}/v1', api_key: x, max_retries: 0}}\n"
                    )
        for version in CLIENTS:
            # Called at /responses, which this upstream does not have; and the same, mended.
            for prefix in ("openai", "hosted_vllm"):
                entries.append(
                    f"  - model_name: {prefix}-{version}\n    litellm_params: {{api_key: x, model:"
                    f" {prefix}/gpt-5.4, api_base: '{faulty.url(CHAT_ONLY)}/v1'}}\n"
                )
        (folder / "litellm_config.yaml").write_text(
            f"model_list:\n{''.join(entries)}"
            "litellm_settings:\n"
            "  drop_params: true\n"
            "  use_chat_completions_url_for_anthropic_messages: true\n"
            "general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}\n"
        )
        env = {"LITELLM_MASTER_KEY": MASTER, "LITELLM_MODE": "PRODUCTION"}
        gateway = Gateway(folder, folder, env)
        try:
            gateway.wait_until_up()
            yield gateway, lambda *key: names[key]
        finally:
            gateway.stop()


def test_through_litellm(tmp_path: Path, litellm: tuple[Gateway, Callable[..., str]]) -> None:
    gateway, named = litellm
    pairs = [(fault, version) for fault in UPSTREAM for version in CLIENTS]

    def both(number: int) -> tuple[bool, Verdict]:
        fault, version = pairs[number]
        person = Person.at(tmp_path / str(number))
        person.uses(gateway.url, named(fault.name, version, "client"), MASTER)
        works = person.client_works(version, 90)
        person.uses(gateway.url, named(fault.name, version, "probe"), MASTER)
        return works, probed(person, version)

    with ThreadPoolExecutor(truth.AT_ONCE) as pool:
        found = list(pool.map(both, range(len(pairs))))
    held_against([t for t, _ in found], [v for _, v in found], pairs)


@pytest.mark.parametrize("version", CLIENTS)
def test_responses_in_spite_of_the_flag(
    tmp_path: Path, litellm: tuple[Gateway, Callable[..., str]], version: str
) -> None:
    """`openai/` with the flag is called at /responses; the hint's prefix is not, and answers."""
    gateway, _ = litellm
    person = Person.at(tmp_path)
    shutil.copy(gateway.folder / "litellm_config.yaml", person.folder)
    (person.folder / "litellm.env").write_text(
        f"LITELLM_MASTER_KEY={MASTER}\nPORT={gateway.port}\n"
    )
    person.uses(gateway.url, f"openai-{version}", MASTER)
    found = card(person, version, "--trust")
    assert verdict(found) is False
    assert "hosted_vllm/NAME" in " ".join(check["hint"] or "" for check in found["checks"])
    assert not person.client_works(version, 90)
    person.uses(gateway.url, f"hosted_vllm-{version}", MASTER)
    assert person.client_works(version, 90)
    assert verdict(card(person, version, "--trust"))


# --- what a hint mends ------------------------------------------------------------------------


def variables(hints: Sequence[str]) -> dict[str, str]:
    """The settings that the hints of a probe name."""
    words = " ".join(hints).replace(",", " ").split()
    return dict(word.split("=", 1) for word in words if "=" in word and word[0].isupper())


#: (fault, version): the settings with which the client is answered. None: none is named.
MENDS: dict[tuple[str, str], str | None] = {
    ("field-context_management", parts.OLDEST): "CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS",
    ("field-output_config", parts.NEWEST): "CLAUDE_CODE_EFFORT_LEVEL",
    ("field-output_config", parts.OLDEST): None,
    ("field-metadata", parts.NEWEST): None,
    ("field-thinking", parts.OLDEST): "CLAUDE_CODE_DISABLE_THINKING",
    ("no-adaptive", parts.NEWEST): "CLAUDE_CODE_DISABLE_THINKING",
    ("no-caching", parts.NEWEST): "DISABLE_PROMPT_CACHING",
    ("no-caching-no-output-config", parts.NEWEST): "DISABLE_PROMPT_CACHING",
    ("output-8k", parts.OLDEST): "CLAUDE_CODE_MAX_OUTPUT_TOKENS",
    ("output-8k", parts.NEWEST): "CLAUDE_CODE_MAX_OUTPUT_TOKENS",
    ("beta-interleaved-thinking-2025-05-14", parts.OLDEST): "DISABLE_INTERLEAVED_THINKING",
    ("beta-context-management-2025-06-27", parts.OLDEST): "CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS",
    (
        "beta-prompt-caching-scope-2026-01-05",
        parts.OLDEST,
    ): "CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS",
    ("beta-effort-2025-11-24", parts.OLDEST): None,
    ("wants-thinking-never-thinks", parts.NEWEST): "CLAUDE_CODE_DISABLE_THINKING",
}


@pytest.mark.parametrize(("name", "version"), MENDS, ids=lambda value: str(value))
def test_what_a_hint_names_mends_it(tmp_path: Path, name: str, version: str) -> None:
    """The fault, what the probe says to set, and the real client with that: it is answered."""
    fault = next(one for one in FAULTS if one.name == name)
    with Faulty().running() as faulty:
        person = Person.at(tmp_path)
        person.uses(faulty.url(fault))
        found = card(person, version)
        assert verdict(found) is False
        settings = variables([check["hint"] or "" for check in found["checks"]])
        expected = MENDS[name, version]
        if expected is None:
            assert settings == {}, found
            return
        assert expected in settings, found
        person.uses(faulty.url(fault), **settings)
        assert person.client_works(version, fault.seconds)
        assert probed(person, version)
