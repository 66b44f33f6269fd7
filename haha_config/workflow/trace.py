"""A session through a relay of ours: a line for each request, at the end what failed and why."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any, Final, TextIO

from haha_config.core import variables as v
from haha_config.core.errors import HahaError, unwritten
from haha_config.core.exchange import HttpExchange, Request
from haha_config.core.messages import Message, msg, nmsg
from haha_config.core.model import SLOTS, from_json, mapping, plain_name
from haha_config.core.probe import diagnosis, response
from haha_config.core.probe.client_profile import ClientProfile, credentials, kinds
from haha_config.core.state import configured
from haha_config.io import report
from haha_config.io.relay import Passed, Target, relay
from haha_config.workflow.listing import transport
from haha_config.workflow.session import Session

#: Where lines go when no file is named.
SCREEN: Final = "-"
_HOLDS: Final = "This file holds your prompts, your code and the model's answers. Keys are masked."


@contextlib.contextmanager
def traced(
    session: Session, values: Mapping[str, str], arguments: list[str], target: str
) -> Iterator[dict[str, str]]:
    """The variables of a session whose requests go through a relay, until the client has ended.

    `target`: a file for the whole of each request, or `SCREEN`. Raises HahaError where the
    endpoint can't be replaced, or the file can't be made.
    """
    if session.state().effective(v.BASE_URL).layer == "managed":
        raise HahaError(msg("managed settings fix the endpoint of every session"))
    with _opened(target) as file:
        # Where the client draws on the terminal, our lines wait until it has ended.
        draws = sys.stdout.isatty() and not {"-p", "--print"} & set(arguments)
        tracer = Tracer(session, values, file, quiet=draws)
        with tracer.relayed() as changed:
            yield changed
        tracer.conclude()


@contextlib.contextmanager
def _opened(target: str) -> Iterator[TextIO | None]:
    if target == SCREEN:
        yield None
        return
    # O_NONBLOCK: a pipe would wait for its reader. Nothing but a file is given another mode.
    flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        number = os.open(target, flags, 0o600)
        if not stat.S_ISREG(os.fstat(number).st_mode):
            os.close(number)
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        os.ftruncate(number, 0)
        if sys.platform != "win32":
            os.fchmod(number, 0o600)
    except OSError as error:
        raise unwritten(target, error) from None
    with os.fdopen(number, "w", encoding="utf-8") as file:
        print(json.dumps({"note": _HOLDS}), file=file)
        yield file
    report.talk(
        msg("wrote {path}: it holds your code", path=report.short(os.path.realpath(target)))
    )


class Tracer:
    """Tells of each request as it ends, and of the failures at the end."""

    def __init__(
        self,
        session: Session,
        values: Mapping[str, str],
        file: TextIO | None = None,
        *,
        quiet: bool = True,
    ) -> None:
        state = session.state()

        def value(name: str) -> str:
            return values.get(name) or state.value(name)

        keys = credentials(value(v.AUTH_TOKEN), value(v.API_KEY))
        held = configured.read(state)
        self._caller = ClientProfile(
            base_url=values[v.BASE_URL],
            headers={},
            kinds=kinds(keys),
            route=held.route,
            row=state.providers.get(held.provider),
        )
        self._values = dict(values)
        self._secrets = frozenset(key.removeprefix("Bearer ") for key in keys.values())
        self._around = ",".join(filter(None, (value("NO_PROXY"), "127.0.0.1,localhost")))
        self._target = Target(base_url=values[v.BASE_URL], way=transport(value), keys=self._secrets)
        self._slots: dict[str, list[str]] = {}
        for slot, name in SLOTS.items():
            self._slots.setdefault(plain_name(values.get(name, "")), []).append(slot)
        self._file = file
        self._quiet = quiet
        self._lock = Lock()
        self._lines: list[Message] = []
        self._failed: dict[str, tuple[Message, diagnosis.Hint]] = {}

    @contextlib.contextmanager
    def relayed(self) -> Iterator[dict[str, str]]:
        """The session's variables with the relay in the endpoint's place."""
        with relay(self._target, self.see) as url:
            around = {"NO_PROXY": self._around, "no_proxy": self._around}
            yield {**self._values, v.BASE_URL: url, **around}

    @property
    def requests(self) -> int:
        return len(self._lines)

    @property
    def failures(self) -> list[tuple[Message, diagnosis.Hint]]:
        return list(self._failed.values())

    def see(self, passed: Passed) -> None:
        """One request, whichever thread it comes from."""
        with self._lock:
            if self._file is not None:
                print(self._masked(json.dumps(_record(passed))), file=self._file, flush=True)
            if passed.method != "POST":
                return
            exchange = _exchange(passed, self._caller)
            line = self._line(len(self._lines) + 1, exchange, len(passed.body))
            self._lines.append(line)
            if not self._quiet:
                report.talk(line)
            self._note(exchange)

    def _line(self, number: int, exchange: HttpExchange, size: int) -> Message:
        body = mapping(exchange.ask.body)
        answer = response.read(exchange) if exchange.status == 200 else None
        model = str(body.get("model") or "?")
        slots = self._slots.get(model, [])
        first = exchange.ms if answer is None or answer.first_ms is None else answer.first_ms
        return msg(
            "{number} {model} ({slots}) {size} KB, {tools} tools: {status}, first word after"
            " {first} ms, {read} tokens read, {said} written, {seconds} s",
            number=number,
            model=model,
            slots=msg("all") if len(slots) == len(SLOTS) else tuple(slots) or ("?",),
            size=max(1, round(size / 1000)),
            tools=len(body.get("tools") or ()),
            status=exchange.status or str(exchange.failure),
            first=first,
            read=answer.input_tokens if answer else 0,
            said=answer.output_tokens if answer else 0,
            seconds=f"{exchange.ms / 1000:.1f}",
        )

    def _note(self, exchange: HttpExchange) -> None:
        """Keep why it failed, each reason once."""
        answer = response.read(exchange) if exchange.status == 200 else None
        if answer is not None and answer.usable:
            return
        if answer is not None:
            what = answer.flaw or msg("the stream breaks off with: {said}", said=answer.error)
            self._failed.setdefault(what.text, (what, None))
            return
        cause = diagnosis.judge(exchange, self._caller)
        self._failed.setdefault(cause.what.text, (cause.what, cause.hint))

    def conclude(self) -> None:
        """What was asked and what failed."""
        if self._quiet:
            for line in self._lines:
                report.talk(line)
        n = len(self._lines)
        report.talk(nmsg("{n} request was traced", "{n} requests were traced", n=n))
        for what, hint in self._failed.values():
            report.talk(msg("failed: {what}", what=what))
            if hint is not None:
                report.hint(hint, sys.stderr)

    def _masked(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(json.dumps(secret)[1:-1], v.masked(secret))
        return text


def _exchange(passed: Passed, caller: ClientProfile) -> HttpExchange:
    body = from_json(passed.body)
    stream = isinstance(body, dict) and body.get("stream") is True
    pieces = tuple((ms, piece.decode(errors="replace")) for ms, piece in passed.pieces)
    ask = Request(
        key="traced", method=passed.method, url=caller.url, body=body, stream=stream, timeout=600
    )
    return HttpExchange(
        ask=ask,
        status=passed.status,
        headers={name.lower(): value for name, value in passed.answer_headers.items()},
        body="".join(text for _, text in pieces),
        pieces=pieces if stream else (),
        failure=passed.failure,
        reason=passed.reason,
        ms=passed.ms,
    )


#: Headers that the client makes itself. Any other may be one of the person's, with a key in it.
_PUBLIC: Final = re.compile(
    r"(accept|content|anthropic|x-stainless|x-claude)-.*|accept|user-agent|host|connection|x-app"
)


def _record(passed: Passed) -> dict[str, Any]:
    headers = {n: x if _PUBLIC.fullmatch(n) else v.masked(x) for n, x in passed.headers.items()}
    answer = b"".join(piece for _, piece in passed.pieces)
    return {
        "method": passed.method,
        "path": passed.path,
        "headers": headers,
        "body": from_json(passed.body),
        "status": passed.status,
        "answer": answer.decode(errors="replace"),
        "failure": passed.failure,
        "ms": passed.ms,
    }
