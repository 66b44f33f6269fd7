"""What a version of the client sends, out of the record of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from haha_config.core.exchange import HttpExchange, Request
from haha_config.core.probe import requests, strictness, wire
from haha_config.core.probe.client_profile import ClientProfile
from haha_config.core.state import facts
from haha_config.io import templates

RECORDS = {version: path.read_text() for version, path in templates.wire_records().items()}
OLDEST, NEWEST = sorted(RECORDS, key=facts.numbers)


def caller(version: str, **variables: str) -> ClientProfile:
    held = {wire.SEARCH: "false", **variables}
    known = wire.effective(RECORDS[version], "print", lambda name: held.get(name, ""))
    session = wire.parse(RECORDS[version], "interactive")
    return ClientProfile(
        base_url="http://127.0.0.1:1",
        headers=known.headers,
        kinds=(),
        wire=known,
        session=session,
    )


@pytest.mark.parametrize("version", RECORDS)
def test_the_first_request_is_as_large_as_the_clients(version: str) -> None:
    ask = requests.first(caller(version), "test-model", 9, small=False)
    recorded = json.loads(RECORDS[version])["modes"]["print"]
    size = len(json.dumps(ask.body, separators=(",", ":"), ensure_ascii=False).encode())
    assert abs(size - recorded["size"]) < recorded["size"] * 0.02
    assert list(ask.body)[:4] == ["model", "messages", "system", "tools"]
    assert [name for name in ask.body if name != "tools"] == list(recorded["body"])
    assert ask.headers["anthropic-beta"] == ",".join(recorded["betas"])


@pytest.mark.parametrize("version", RECORDS)
def test_a_small_request_has_the_same_shape(version: str) -> None:
    large = requests.first(caller(version), "m", 9, small=False).body
    small = requests.first(caller(version), "m", 9, small=True).body
    assert list(large) == list(small)
    assert len(json.dumps(small)) < 9000
    assert [m["role"] for m in large["messages"]] == [m["role"] for m in small["messages"]]


@pytest.mark.parametrize("version", RECORDS)
def test_a_record_holds_no_sentence_of_the_vendor(version: str) -> None:
    assert [text for text in _strings(json.loads(RECORDS[version])) if text.count(" ") > 3] == []


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)


@pytest.mark.parametrize(
    ("installed", "spoken"),
    [
        ("", NEWEST),
        ("2.1.400", NEWEST),
        ("2.1.332", "2.1.332"),
        ("2.1.331", "2.1.197"),
        ("2.1.197", "2.1.197"),
        ("1.0.3", "2.1.197"),
    ],
)
def test_which_version_is_spoken(installed: str, spoken: str) -> None:
    assert facts.closest(installed, (NEWEST, OLDEST)) == spoken


@pytest.mark.parametrize(
    ("version", "part", "switch"),
    [
        (OLDEST, "context_management", "CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS=1"),
        (NEWEST, "context_management", "CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS=1"),
        (OLDEST, "thinking", "CLAUDE_CODE_DISABLE_THINKING=1"),
        (OLDEST, "cache_control", "DISABLE_PROMPT_CACHING=1"),
        (OLDEST, "interleaved-thinking-2025-05-14", "DISABLE_INTERLEAVED_THINKING=1"),
        (OLDEST, "output_config", ""),
        (NEWEST, "output_config", "CLAUDE_CODE_EFFORT_LEVEL=auto"),
        (NEWEST, "metadata", ""),
    ],
)
def test_the_setting_that_leaves_a_part_out(version: str, part: str, switch: str) -> None:
    who = caller(version)
    assert who.wire.switch_without([part]) == switch
    if switch:
        name, _, value = switch.partition("=")
        sent = requests.first(caller(version, **{name: value}), "m", 9, small=True)
        assert f'"{part}"' not in json.dumps(sent.body)
        assert part not in sent.headers["anthropic-beta"].split(",")


def test_variables_change_what_is_sent() -> None:
    who = caller(
        NEWEST,
        CLAUDE_CODE_MAX_OUTPUT_TOKENS="8000",
        CLAUDE_CODE_EFFORT_LEVEL="low",
        ANTHROPIC_BETAS="mine-2026-01-01",
        CLAUDE_CODE_EXTRA_BODY='{"top_k": 4}',
    )
    sent = requests.first(who, "m[1m]", 9, small=True)
    assert (sent.body["model"], sent.body["max_tokens"], sent.body["top_k"]) == ("m", 8000, 4)
    assert sent.body["output_config"] == {"effort": "low"}
    assert "mine-2026-01-01" in sent.headers["anthropic-beta"]


def test_a_second_turn_brings_everything_back() -> None:
    said = [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "tool_use", "id": "a", "name": "Read", "input": {"file_path": "x"}},
        {"type": "tool_use", "id": "b", "name": "Read", "input": {"file_path": "y"}},
    ]
    body = requests.second(caller(NEWEST), "m", said, 9, failed=True).body
    assert [m["role"] for m in body["messages"]] == ["user", "system", "assistant", "user"]
    assert body["messages"][2]["content"] == said
    results = body["messages"][3]["content"]
    assert [(r["tool_use_id"], r.get("is_error")) for r in results] == [("a", None), ("b", True)]
    assert json.dumps(body["messages"]).count("cache_control") == 1


def refusal(words: str) -> HttpExchange:
    ask = Request(key="first", method="POST", url="http://127.0.0.1:1")
    return HttpExchange(ask=ask, status=400, body=json.dumps({"error": {"message": words}}))


@pytest.mark.parametrize(
    ("version", "part", "words", "goes_on"),
    [
        (NEWEST, "context_management", "context_management: Extra inputs are not permitted", True),
        (NEWEST, "context_management", "Unknown parameter: context_management", False),
        (OLDEST, "context_management", "context_management: Extra inputs are not permitted", False),
        (NEWEST, "effort-2025-11-24", "unknown anthropic-beta effort-2025-11-24", True),
        (NEWEST, "effort-2025-11-24", "invalid beta flag", False),
        (NEWEST, "thinking-token-count-2026-05-13", "bad request", True),
        (NEWEST, "thinking.display", "bad request", True),
        (NEWEST, "system role", "messages.1.role: Input should be 'user' or 'assistant'", True),
        (OLDEST, "system role", "messages.1.role: Input should be 'user' or 'assistant'", False),
        (OLDEST, "system role", "messages: Unexpected role 'system'.", True),
        (NEWEST, "system role", "bad request", False),
        (NEWEST, "system role", "Invalid role: system", False),
        (NEWEST, "metadata", "metadata: Extra inputs are not permitted", False),
    ],
)
def test_what_a_client_goes_on_without(version: str, part: str, words: str, goes_on: bool) -> None:
    """Each row is what the real client did."""
    known = caller(version).wire
    assert strictness.goes_on_without(known, {part: refusal(words)}) is goes_on


@pytest.mark.parametrize(
    ("version", "value", "searches"),
    [
        (NEWEST, "", True),
        (OLDEST, "", False),
        *((version, "true", True) for version in RECORDS),
        *((version, " YES ", True) for version in RECORDS),
        *((version, "auto", False) for version in RECORDS),
        *((version, "auto:30", False) for version in RECORDS),
        *((version, "auto:0", True) for version in RECORDS),
        *((version, "off", False) for version in RECORDS),
    ],
)
def test_whether_tools_are_searched_for(version: str, value: str, searches: bool) -> None:
    known = caller(version, ENABLE_TOOL_SEARCH=value).wire
    names = {tool["name"] for tool in known.tools}
    assert ("ToolSearch" in names, known.unsearched is not None) == (searches, searches)
    assert ("advanced-tool-use-2025-11-20" in known.betas) is searches
    assert "WebFetch" not in names if searches else "WebFetch" in names


@pytest.mark.parametrize("version", RECORDS)
@pytest.mark.parametrize("name", ["CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS", "CLAUDE_CODE_SIMPLE"])
def test_nothing_is_searched_for_where_it_is_switched_off(version: str, name: str) -> None:
    known = caller(version, ENABLE_TOOL_SEARCH="true", **{name: "1"}).wire
    assert known.unsearched is None


def test_a_search_that_is_refused_is_asked_about_by_itself() -> None:
    ask = caller(NEWEST, ENABLE_TOOL_SEARCH="true")
    parts = requests.separately(ask, "m", 9)
    assert "defer_loading" in json.dumps(parts["defer_loading"].body)
    assert "defer_loading" not in json.dumps(parts["tools"].body)
    assert ask.wire.switch_without(["defer_loading"]) == "ENABLE_TOOL_SEARCH=false"
    assert ask.wire.without(["defer_loading"]).tools == caller(NEWEST).wire.tools
    old = caller(OLDEST, ENABLE_TOOL_SEARCH="true").wire
    assert old.switch_without(["advanced-tool-use-2025-11-20"]) == "ENABLE_TOOL_SEARCH=false"


@pytest.mark.parametrize(
    ("version", "status", "headers", "tries"),
    [
        (NEWEST, 400, {}, 3),
        (OLDEST, 400, {}, 1),
        (NEWEST, 404, {}, 2),
        (NEWEST, 403, {}, 1),
        (NEWEST, 403, {"x-should-retry": "true"}, 9),
        (NEWEST, 500, {"x-should-retry": "false"}, 1),
        (NEWEST, 529, {"x-should-retry": "false"}, 1),
        (OLDEST, 529, {"x-should-retry": "false"}, 9),
        (OLDEST, 400, {"x-should-retry": "true"}, 9),
        (OLDEST, 401, {}, 9),
        (OLDEST, 522, {}, 9),
        (NEWEST, 200, {}, 2),
    ],
)
def test_how_often_the_client_asks(
    version: str, status: int, headers: dict[str, str], tries: int
) -> None:
    """9: for as long as it has tries left."""
    ask = Request(key="first", method="POST", url="http://127.0.0.1:1")
    failed = HttpExchange(ask=ask, status=status, headers=headers, body="<html>")
    again = [n for n in range(2, 10) if strictness.tries_again(failed, n, caller(version))]
    assert again == list(range(2, tries + 1))
