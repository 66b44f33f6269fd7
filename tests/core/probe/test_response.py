"""Streams put together again, and the first thing that is wrong with one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from haha_config.core.exchange import Failure, HttpExchange, Request
from haha_config.core.probe import response
from haha_config.io.i18n import render

ASK = Request(key="a", method="POST", url="https://a.example", stream=True, timeout=9)


def event(kind: str, **data: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n"


START = event("message_start", message={"model": "m", "usage": {"input_tokens": 7}})
TEXT = event("content_block_start", index=0, content_block={"type": "text", "text": ""})
CALL = event(
    "content_block_start",
    index=0,
    content_block={"type": "tool_use", "id": "t", "name": "Read", "input": {}},
)
STOP_BLOCK = event("content_block_stop", index=0)
DELTA = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 3})
STOP = event("message_stop")


def words(text: str, index: int = 0) -> str:
    return event("content_block_delta", index=index, delta={"type": "text_delta", "text": text})


def arguments(text: str) -> str:
    delta = {"type": "input_json_delta", "partial_json": text}
    return event("content_block_delta", index=0, delta=delta)


def streamed(*parts: str, failure: Failure | None = None) -> HttpExchange:
    pieces = tuple((10 * n, part) for n, part in enumerate(parts, start=1))
    return HttpExchange(
        ask=ASK,
        status=200,
        headers={"content-type": "text/event-stream"},
        body="".join(parts),
        pieces=pieces,
        failure=failure,
        ms=10 * len(parts),
    )


def read(*parts: str, failure: Failure | None = None) -> response.Response:
    got = response.read(streamed(*parts, failure=failure))
    assert got is not None
    return got


def test_a_good_stream() -> None:
    got = read(START, event("ping"), TEXT, words("re"), words("ady"), STOP_BLOCK, DELTA, STOP)
    assert (got.text, got.model, got.stop_reason, got.flaw) == ("ready", "m", "end_turn", None)
    assert (got.input_tokens, got.output_tokens) == (7, 3)
    assert got.first_ms == 40


def test_events_cut_anywhere_and_with_crlf_are_read_alike() -> None:
    whole = (START + TEXT + words("héllo") + STOP_BLOCK + DELTA + STOP).replace("\n", "\r\n")
    for size in (1, 7, 50):
        parts = [whole[i : i + size] for i in range(0, len(whole), size)]
        got = read(*parts)
        assert (got.text, got.flaw) == ("héllo", None)


def test_a_call_is_joined_from_its_pieces() -> None:
    got = read(
        START, CALL, arguments('{"file_'), arguments('path": "/x"}'), STOP_BLOCK, DELTA, STOP
    )
    assert got.calls[0]["input"] == {"file_path": "/x"}
    assert got.bad_inputs == ()


def test_a_call_without_arguments_has_empty_ones() -> None:
    assert read(START, CALL, STOP_BLOCK, DELTA, STOP).calls[0]["input"] == {}


@pytest.mark.parametrize("text", ['{"file_path": "/x', "[1]", "nonsense"])
def test_arguments_that_are_no_json_object(text: str) -> None:
    assert read(START, CALL, arguments(text), STOP_BLOCK, DELTA, STOP).bad_inputs == ("Read",)


@pytest.mark.parametrize(
    ("parts", "words_"),
    [
        ((TEXT, START, words("x"), STOP_BLOCK, DELTA, STOP), "begin with `message_start`"),
        ((START, words("x"), TEXT, STOP_BLOCK, DELTA, STOP), "outside a block"),
        ((START, STOP_BLOCK, DELTA, STOP), "without a beginning"),
        ((START, TEXT, words("x"), DELTA, STOP), "ends inside a block"),
        ((START, TEXT, words("x"), DELTA), "without `message_stop`"),
        ((START, "event: message_delta\ndata: {broken\n\n", DELTA, STOP), "not JSON"),
        (('data: {"choices": []}\n\n', "data: [DONE]\n\n"), "OpenAI's protocol"),
        ((": just a comment\n\n",), "holds no answer"),
    ],
)
def test_flaws(parts: tuple[str, ...], words_: str) -> None:
    got = read(*parts)
    assert got.flaw is not None
    assert words_ in render(got.flaw)
    assert not got.usable


def test_the_client_goes_on_without_message_stop_once_the_blocks_are_closed() -> None:
    got = read(START, TEXT, words("x"), STOP_BLOCK)
    assert got.flaw is not None
    assert got.usable


@pytest.mark.parametrize(
    ("failure", "words_"), [("stalled", "stopped for 9 s"), ("cut", "connection was closed")]
)
def test_a_stream_that_the_transport_ended(failure: Failure, words_: str) -> None:
    flaw = read(START, TEXT, words("x"), failure=failure).flaw
    assert flaw is not None
    assert words_ in render(flaw)


def test_an_error_inside_a_stream() -> None:
    error = event("error", error={"type": "overloaded_error", "message": "Overloaded"})
    got = read(START, TEXT, error)
    assert got.error == "Overloaded"


def test_a_whole_answer_where_a_stream_was_asked_for() -> None:
    body = {"type": "message", "usage": {}, "content": [{"type": "text", "text": "x"}]}
    got = response.read(HttpExchange(ask=ASK, status=200, body=json.dumps(body)))
    assert got is not None
    assert got.flaw is not None
    assert "one piece" in render(got.flaw)


#: A hostile endpoint: the parser's own limit is an exception of another kind.
DEEP = "[" * 100_000


def test_a_piece_of_a_stream_that_is_nested_beyond_reason() -> None:
    assert read(START, f"event: content_block_delta\ndata: {DEEP}\n\n").flaw is not None
    call = read(START, CALL, arguments(DEEP), STOP_BLOCK, DELTA, STOP)
    assert call.bad_inputs == ("Read",)


@pytest.mark.parametrize("body", ["", "null", "<html>", '{"choices": []}', "[]", DEEP])
def test_no_answer_of_this_protocol(body: str) -> None:
    assert response.read(HttpExchange(ask=ASK, status=200, body=body)) is None


def test_thinking_alone_says_nothing() -> None:
    block = event("content_block_start", index=0, content_block={"type": "thinking"})
    thought = event(
        "content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "hm"}
    )
    got = read(START, block, thought, STOP_BLOCK, DELTA, STOP)
    assert got.thought
    assert got.empty


def test_an_event_goes_by_its_name() -> None:
    """Without one the client does not see it; a broken one that it does not know is nothing."""
    assert (
        read("data: {}\n\n", "event: heartbeat\ndata: {oops\n\n", START, DELTA, STOP).flaw is None
    )


def test_an_input_that_stands_only_where_the_call_begins_is_none() -> None:
    call = {"type": "tool_use", "id": "a", "name": "Read", "input": {"file_path": "x"}}
    start = event("content_block_start", index=0, content_block=call)
    (got,) = read(START, start, STOP_BLOCK, DELTA, STOP).calls
    assert got["input"] == {}


def test_an_answer_without_either_end() -> None:
    assert read(START, TEXT, words("x"), STOP_BLOCK).unended
    assert not read(START, TEXT, words("x"), STOP_BLOCK, DELTA).unended


@pytest.mark.parametrize(
    ("parts", "usable", "final"),
    [
        # What was said is on the screen: an error afterwards is the end.
        ((START, CALL, STOP_BLOCK, arguments("{"), DELTA, STOP), False, True),
        ((START, CALL, STOP_BLOCK, event("error", error={"message": "x"})), False, True),
        ((START, CALL, arguments("{"), event("error", error={"message": "x"})), False, False),
        ((START, CALL, STOP_BLOCK, event("message_delta", delta=None), STOP), False, True),
        # Nothing after the end counts.
        ((START, CALL, STOP_BLOCK, DELTA, STOP, event("error", error={})), True, True),
        (("\ufeff" + START, CALL, STOP_BLOCK, DELTA, STOP), True, True),
        # A piece of another kind than its block: the client asks again without a stream.
        ((START, CALL, words("a"), STOP_BLOCK, DELTA, STOP), False, False),
    ],
)
def test_whether_the_client_asks_once_more(
    parts: tuple[str, ...], usable: bool, final: bool
) -> None:
    got = read(*parts)
    assert (got.usable, got.final) == (usable, final)


def test_an_answer_without_a_last_chunk_is_none() -> None:
    whole = streamed(START, CALL, STOP_BLOCK, DELTA, STOP, failure="cut")
    in_chunks = replace(whole, headers={**whole.headers, "transfer-encoding": "chunked"})
    by_length, chunked = response.read(whole), response.read(in_chunks)
    assert by_length is not None
    assert chunked is not None
    assert (by_length.usable, [*by_length.lapses]) == (True, ["length-too-long"])
    assert not chunked.usable


def test_a_block_that_ends_twice_is_a_lapse_that_one_version_forgives() -> None:
    assert [*read(START, CALL, STOP_BLOCK, STOP_BLOCK, DELTA, STOP).lapses] == ["block-stop-twice"]
