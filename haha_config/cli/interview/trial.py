"""One real request before anything is written: does the key work, and does the model answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from haha_config.cli.interview.flow import Work
from haha_config.core.exchange import HttpExchange, Request
from haha_config.core.messages import Message, msg
from haha_config.core.model import Header
from haha_config.core.probe import requests
from haha_config.core.probe.client_profile import ClientProfile, credential
from haha_config.core.providers import table as rows
from haha_config.core.providers.model import Provider, Upstream
from haha_config.core.setup.answers import Answers
from haha_config.io import report
from haha_config.workflow.listing import transport

#: Seconds for the first byte: a model on this machine may have to be loaded first.
PATIENCE: Final = 30.0


class Try(Struct, frozen=True, kw_only=True):
    """A request and how to read its answer. `name`: the model, as the person knows it."""

    name: str
    ask: Request
    caller: ClientProfile


def tried(work: Work, answers: Answers, *, plain: bool) -> Iterator[Message]:
    """What came of it, a sentence for each model that was asked."""
    tries = list(_tries(work, answers))
    if not tries:
        yield msg("Nothing to try: no model is new.")
        return
    from haha_config.io import http

    names = tuple(one.name for one in tries)
    with report.waiting(msg("waiting for an answer of {names} …", names=names), plain=plain):
        answered = http.send([one.ask for one in tries], transport(work.found.way.value))
    for one, exchange in zip(tries, answered, strict=True):
        yield _sentence(one, exchange)


def _tries(work: Work, answers: Answers) -> Iterator[Try]:
    if answers.port is None:
        caller = _caller(work.row, answers.base_url, answers.credential, answers.header)
        name = answers.slots["main"]
        yield Try(name=name, ask=requests.message(caller, name, PATIENCE), caller=caller)
        return
    for upstream in answers.upstreams:
        row = work.session.providers[upstream.provider]
        # With `--keys env` nothing is copied, and the shell has it.
        name = upstream.variable
        key = answers.keys.get(name) or work.session.environ.get(name, "")
        yield _upstream(row, upstream, key or row.credential.token)


def _upstream(row: Provider, upstream: Upstream, key: str) -> Try:
    """What LiteLLM would call: the row's own Anthropic endpoint, or its chat completions."""
    region = next((r for r, url in row.upstream_bases.items() if url == upstream.base_url), "")
    if region and "direct" in row.routes:
        base = rows.endpoint(row, region, key)
        caller = _caller(row, base, key, row.credential.header)
        return Try(
            name=upstream.name,
            ask=requests.message(caller, upstream.model, PATIENCE),
            caller=caller,
        )
    caller = _caller(row, upstream.base_url, key, "bearer")
    body = {
        "model": upstream.model,
        "messages": [{"role": "user", "content": "Answer with the one word: ready"}],
    }
    ask = Request(
        key="model",
        method="POST",
        url=f"{upstream.base_url.rstrip('/')}/chat/completions",
        headers=caller.headers,
        body=body,
        timeout=PATIENCE,
    )
    return Try(name=upstream.name, ask=ask, caller=caller)


def _caller(row: Provider, base: str, key: str, header: Header) -> ClientProfile:
    headers: Mapping[str, str] = {
        "accept": "application/json",
        "anthropic-version": "2023-06-01",
        "user-agent": "haha-config",
        **credential(key, header),
    }
    return ClientProfile(base_url=base, headers=headers, kinds=(header,), row=row)


def _sentence(one: Try, exchange: HttpExchange) -> Message:
    if exchange.status == 200 and not exchange.failure:
        return msg(
            "It works: {name} answered in {seconds} s.",
            name=one.name,
            seconds=f"{exchange.ms / 1000:.1f}",
        )
    from haha_config.core.probe import diagnosis

    cause = diagnosis.judge(exchange, one.caller)
    # A command to type is no help in the middle of the questions.
    if not isinstance(cause.hint, Message):
        return msg("{name}: {what}", name=one.name, what=cause.what)
    return msg("{name}: {what} ({hint})", name=one.name, what=cause.what, hint=cause.hint)
