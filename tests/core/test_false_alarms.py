"""Valid set-ups bring no false alarm. What they bring was judged by hand: docs/false-alarms.md.

`python -m tests.core.test_false_alarms` writes that page anew. A finding that nobody has judged
yet fails the test.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from haha_config.core import rules
from haha_config.core.change import plan
from haha_config.core.model import Client, Finding, Route, Slot, Snapshot, TargetName, Traffic
from haha_config.core.providers.model import Provider
from haha_config.core.setup import draft
from haha_config.core.setup.draft import Draft
from haha_config.core.state import facts
from haha_config.core.state.configured import read
from haha_config.core.state.facts import Documented
from haha_config.core.state.file import File, parse
from haha_config.core.state.state import State, with_litellm
from haha_config.io import templates
from haha_config.io.i18n import english
from tests.core.public_setups import MASTER, PUBLIC, Setup
from tests.core.rules.example import FOLDER, HOME, load, machine, provider_table

PAGE = Path(__file__).parents[2] / "docs" / "false-alarms.md"
JUDGED = json.loads((Path(__file__).parent / "judged.json").read_text(encoding="utf-8"))


class Case(NamedTuple):
    name: str
    state: State


# --- what `init` writes, for every row -------------------------------------------------------

STARTS: plan.Starts = {
    "env": templates.text("env.template"),
    "settings": templates.text("settings.template.json"),
    "litellm": templates.text("litellm_config.template.yaml"),
    "litellm_env": templates.text("litellm.env.template"),
}
#: What a person has in settings.json before `init`, in several hands' styles.
STYLES = {
    "new": None,
    "two": '{\n  "permissions": {"allow": ["Bash(ls:*)"]},\n  "model": "opus"\n}\n',
    "tabs": '{\r\n\t"hooks": {},\r\n\t"env": {\r\n\t\t"MY_FLAG": "1"\r\n\t}\r\n}',
    "one line": '{"env":{"HTTPS_PROXY":"http://proxy.example.com:3128","NO_PROXY":"localhost,127.0.0.1"}}',
}
KEYS = {"openrouter": "sk-or-v1-0123456789abcdef0123", "chutes": "cpk_0123456789abcdef0123"}
PLANS = {"kimi": "sk-kimi-0123456789abcdef0123", "qwen": "sk-sp-0123456789abcdef0123"}
TARGETS: dict[str, frozenset[TargetName]] = {
    "both": frozenset({"env", "settings"}),
    "settings": frozenset({"settings"}),
    "env": frozenset({"env"}),
}


def empty(client: Client, style: str) -> State:
    text = STYLES[style]
    settings = text.encode() if text is not None else None

    def file(path: str, kind: str, data: bytes | None = None) -> File:
        mode = None if data is None else 0o600
        return parse(Snapshot(path=path, real=path, data=data, mode=mode), kind)  # type: ignore[arg-type]

    return State(
        client=client,
        folder=FOLDER,
        scope="user",
        settings={"user": file(f"{HOME}/.claude/settings.json", "json", settings)},
        dotenv=file(f"{FOLDER}/.env", "dotenv"),
        litellm=file(f"{FOLDER}/litellm_config.yaml", "yaml"),
        litellm_env=file(f"{FOLDER}/litellm.env", "dotenv"),
        environ={},
        providers=provider_table(),
        machine=machine({}),
        documented=facts.parse(templates.text("facts/names.json"), Documented),
    )


def written(before: State, wanted: Draft) -> State:
    """The state after `init` with these choices."""
    providers = before.providers
    row = providers[wanted.provider]
    if draft.route(wanted, row) == "litellm" and not row.multi:
        wanted = draft.single_upstream(wanted, row)
    answers = draft.answers(wanted, providers, read(before), MASTER)
    after = {w.path: w.after for w in plan.build(answers, before, STARTS).writes}

    def changed(file: File) -> File:
        data = after.get(file.path, file.snapshot.data)
        mode = None if data is None else 0o600
        return parse(Snapshot(path=file.path, real=file.path, data=data, mode=mode), file.format)

    state = State(
        client=before.client,
        folder=before.folder,
        scope=before.scope,
        settings={name: changed(file) for name, file in before.settings.items()},
        dotenv=changed(before.dotenv),
        litellm=changed(before.litellm),
        litellm_env=changed(before.litellm_env),
        environ={},
        providers=providers,
        machine=before.machine,
        documented=before.documented,
    )
    if state.litellm.document is None:
        return state
    nothing = Snapshot(path="", real="")
    return with_litellm(state, lambda _path: nothing, templates.text("facts/litellm.json"))


def drafts(row: Provider, route: Route, region: str) -> Iterator[Draft]:
    slots: dict[Slot, str] = {} if row.slots else {"main": "vendor/my-model"}
    direct = route == "direct"
    base = "" if any(row.base_urls.values()) and direct else "https://llm.example.com"
    if route == "litellm":
        own = row.upstream is not None and any(row.upstream.api_base.values())
        base = "" if own else _upstream_base(row)
    key = "" if not row.credential.variable else KEYS.get(row.key, "sk-test-0123456789abcdef01")
    traffics: tuple[Traffic, ...] = ("quiet", "minimal", "default")
    for traffic in traffics[: 1 if region != row.region else 3]:
        yield Draft(
            provider=row.key,
            via=route,
            region=region,
            base_url=base,
            key=key,
            slots=slots,
            traffic=traffic,
        )
    if direct and row.key in PLANS:
        yield Draft(provider=row.key, via=route, region=region, key=PLANS[row.key])


def _upstream_base(row: Provider) -> str:
    """An address of one's own: with `/v1` where the protocol is OpenAI's."""
    openai = row.upstream is not None and row.upstream.chat_completions
    return "https://llm.example.com/v1" if openai else "https://llm.example.com"


def generated() -> Iterator[Case]:
    styles = list(STYLES)
    count = 0
    for row in provider_table().values():
        if row.multi:
            continue
        for route in row.routes:
            for region in row.regions:
                for wanted in drafts(row, route, region):
                    for client, targets in (
                        ("claude", "settings"),
                        ("haha", "both"),
                        ("haha", "env"),
                    ):
                        style = styles[count % len(styles)] if targets != "env" else "new"
                        count += 1
                        chosen = Draft(
                            **{
                                name: getattr(wanted, name)
                                for name in wanted.__struct_fields__
                                if name != "targets"
                            },
                            targets=TARGETS[targets],
                        )
                        state = written(empty(client, style), chosen)  # type: ignore[arg-type]
                        name = f"{row.key} {route} {region} {wanted.traffic} {client} {targets}"
                        yield Case(f"{name} {style}", state)


# --- what others publish ---------------------------------------------------------------------


def published(setup: Setup, folder: Path) -> Case:
    for rel, text in setup.files.items():
        path = folder / rel
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    facts = [f'client = "{setup.client}"', "[environ]"]
    facts += [f'{name} = "{value}"' for name, value in setup.environ.items()]
    (folder / "state.toml").write_text("\n".join(facts) + "\n", encoding="utf-8")
    return Case(setup.name, load(folder))


def everything() -> Iterator[tuple[Case, list[Finding]]]:
    for case in generated():
        yield case, rules.run(case.state)
    with tempfile.TemporaryDirectory() as temporary:
        for number, setup in enumerate(PUBLIC):
            case = published(setup, Path(temporary) / str(number))
            yield case, rules.run(case.state)


# --- tests -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found() -> list[tuple[Case, list[Finding]]]:
    return list(everything())


def kind(finding: Finding) -> str:
    """What is judged: a rule's sentence, whatever stands in its holes."""
    return f"{finding.code} {finding.severity}: {finding.what.text}"


def test_there_are_enough_set_ups(found: list[tuple[Case, list[Finding]]]) -> None:
    assert len({case.name for case, _ in found}) == len(found) >= 200


def test_what_init_writes_has_no_error_and_no_warning() -> None:
    loud = [
        (case.name, f.code, english(f.what))
        for case in generated()
        for f in rules.run(case.state)
        if f.severity != "note"
    ]
    assert loud == []


def test_at_most_one_finding_in_a_hundred_is_wrong(
    found: list[tuple[Case, list[Finding]]],
) -> None:
    kinds = Counter(kind(f) for _, findings in found for f in findings)
    assert set(kinds) - set(JUDGED) == set(), "not judged yet"
    wrong = sum(n for name, n in kinds.items() if JUDGED[name].startswith("wrong"))
    assert wrong * 100 <= sum(kinds.values())


def test_the_page_is_fresh(found: list[tuple[Case, list[Finding]]]) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(found)


def page(found: list[tuple[Case, list[Finding]]]) -> str:
    """The record of the judgement."""
    kinds = Counter(kind(f) for _, findings in found for f in findings)
    total = sum(kinds.values())
    wrong = sum(n for name, n in kinds.items() if JUDGED.get(name, "").startswith("wrong"))
    written_by_us = len(found) - len(PUBLIC)
    silent = sum(not findings for _, findings in found)
    lines = [
        "# False alarms",
        "",
        "<!-- Made by `python -m tests.core.test_false_alarms`; the judgements are in",
        "tests/core/judged.json. -->",
        "",
        f"{len(found)} valid set-ups were checked: {written_by_us} that `init` writes (every row of"
        " the provider table, its routes and regions, both clients, three choices of targets and of"
        f" traffic, four styles of an existing settings.json) and {len(PUBLIC)} that guides and"
        " providers publish, re-typed with made-up keys (`tests/core/public_setups.py`).",
        "",
        f"{silent} of them bring no finding at all. The others bring {total} findings, each kind of"
        f" which was judged by hand: {wrong} of {total} are wrong.",
        "",
        "| finding | how often | judgement |",
        "|---|---|---|",
    ]
    for name, count in sorted(kinds.items()):
        lines.append(f"| {name.replace('|', '/')} | {count} | {JUDGED.get(name, 'NOT JUDGED')} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(list(everything())), encoding="utf-8")
