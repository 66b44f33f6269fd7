"""The dialogue with one model, and the grading of what was said. Pure: it only thinks.

`examine` yields requests that may go out at once and is sent their exchanges.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from haha_config.core.exchange import HttpExchange, Request
from haha_config.core.messages import Message, msg
from haha_config.core.model import Data, Slot, plain_name
from haha_config.core.probe import diagnosis, requests, strictness
from haha_config.core.probe import response as answers
from haha_config.core.probe.client_profile import ClientProfile
from haha_config.core.probe.diagnosis import Diagnosis, Hint
from haha_config.core.probe.response import Response
from haha_config.core.probe.scorecard import Check, Scorecard, Status, order
from haha_config.core.probe.wire import DEFERRED, DISPLAY

Talk = Generator[Sequence[Request], Sequence[HttpExchange], Scorecard]
_Sent = Generator[Sequence[Request], Sequence[HttpExchange], list[HttpExchange]]

#: The client tries up to eleven times in three minutes. A person at a probe waits less.
TRIES: Final = 3
_LONGEST_WAIT: Final = 30.0
_ALL_WAITS: Final = 40.0


class Order(Struct, frozen=True, kw_only=True):
    """What to examine. `aliases`: other names under which the answer may come (a gateway's own).

    `small`: without a request as large as the client's first one. `timeout`: seconds to wait for
    an answer, at most as long as the client does.
    """

    model: str
    slots: tuple[Slot, ...] = ()
    aliases: frozenset[str] = frozenset()
    context: bool = False
    small: bool = False
    timeout: float = 60


class _Notes(Struct):
    """Checks and exchanges so far."""

    checks: list[Check] = field(default_factory=list)
    exchanges: list[HttpExchange] = field(default_factory=list)

    def add(
        self,
        name: str,
        status: Status,
        detail: Message,
        hint: Hint = None,
        ms: int | None = None,
        *,
        open: bool = False,  # noqa: A002
    ) -> None:
        """Write a check down. `open`: it is not known how it would end."""
        kept: Status = "skip" if open and status == "fail" else status
        self.checks.append(
            Check(name=name, status=kept, detail=detail, hint=hint, ms=ms, open=open)
        )

    def fail(self, name: str, cause: Diagnosis, exchange: HttpExchange) -> None:
        """A refusal, and how often it came."""
        what = cause.what
        if exchange.tries == TRIES and not _by_shape(exchange):
            what = msg(
                "{what} (failed {n} times; the client would try for 3 minutes)",
                what=what,
                n=exchange.tries,
            )
        open_ = cause.client_goes_on
        # Somebody is there in any case.
        status: Status = "warn" if open_ and name == "reach" else "fail"
        self.add(name, status, what, cause.hint, exchange.ms, open=open_)

    def card(self, wanted: Order, caller: ClientProfile) -> Scorecard:
        done = {check.name for check in self.checks}
        failed = any(check.status == "fail" for check in self.checks)
        why = msg("not tried: an earlier check failed") if failed else msg("not tried")
        for name in ("reach", "auth", "model", "stream", "tools"):
            if name not in done:
                self.add(name, "skip", why)
        if wanted.small:
            n = _thousands(caller, wanted)
            self.add("size", "skip", msg("a first request of {n}K tokens was not tried", n=n))
        self._tell_tries()
        return Scorecard(
            model=wanted.model,
            slots=wanted.slots,
            checks=tuple(order(self.checks)),
            exchanges=tuple(self.exchanges),
        )

    def _tell_tries(self) -> None:
        again = [e for e in self.exchanges if e.tries > 1 and _ok(e)]
        if again:
            n = max(e.tries for e in again)
            self.add("tries", "warn", msg("it worked only after {n} tries", n=n))


def _thousands(caller: ClientProfile, wanted: Order) -> int:
    ask = requests.first(caller, wanted.model, wanted.timeout, small=False)
    return max(1, round(requests.tokens([ask]) / 1000))


def planned(caller: ClientProfile, wanted: Order) -> list[Request]:
    """The requests that a model that works is sent, for counting them beforehand."""
    model, t = wanted.model, wanted.timeout
    call = {"type": "tool_use", "id": "x", "name": "Read", "input": {"file_path": "/probe/x"}}
    found = [
        requests.message(caller, model, t),
        requests.count(caller, model, t),
        requests.first(caller, model, t, small=wanted.small),
        requests.parallel(caller, model, t),
        requests.second(caller, model, [call], t),
        requests.second(caller, model, [call, call], t, failed=True),
    ]
    return [*found, requests.context(caller, model, t)] if wanted.context else found


# --- the dialogue ----------------------------------------------------------------------------


def reach(
    caller: ClientProfile, timeout: float
) -> Generator[Sequence[Request], Sequence[HttpExchange], Check]:
    """Whether anybody is there, before a credential is sent: DNS, TCP, TLS, each by its name."""
    (exchange,) = yield [requests.reach(caller, timeout)]
    if exchange.failure in ("slow", "cut"):
        # Somebody took the connection. A server that knows only its own paths may hang up.
        return Check(name="reach", status="pass", detail=msg("connected"), ms=exchange.ms)
    if exchange.status is None:
        cause = diagnosis.judge(exchange, caller)
        return Check(
            name="reach", status="fail", detail=cause.what, hint=cause.hint, ms=exchange.ms
        )
    return Check(name="reach", status="pass", detail=msg("connected"), ms=exchange.ms)


def examine(caller: ClientProfile, wanted: Order, reached: Check) -> Talk:
    """Ask one model everything that the client would, from the least to the whole."""
    notes = _Notes(checks=[reached])
    if reached.status == "fail":
        return notes.card(wanted, caller)
    model, t = wanted.model, wanted.timeout
    least, counted = yield from _send(
        notes, caller, [requests.message(caller, model, t), requests.count(caller, model, t)]
    )
    refused = None
    if not _ok(least) and _by_shape(least):
        (bare,) = yield from _send(notes, caller, [requests.bare(caller, model, t)])
        if _ok(bare):
            least, refused = bare, least
    if not _first_answer(notes, least, caller, wanted):
        return notes.card(wanted, caller)
    _counted(notes, counted)
    if wanted.context:
        (long,) = yield from _send(notes, caller, [requests.context(caller, model, max(t, 180))])
        _context(notes, long, caller)
    turn = yield from _first_turn(notes, caller, wanted)
    if turn is not None and refused is not None and turn.caller.wire == caller.wire:
        _fickle(notes, refused)
    elif turn is not None:
        yield from _tools(notes, turn, wanted)
    return notes.card(wanted, caller)


def _fickle(notes: _Notes, refused: HttpExchange) -> None:
    """Refused once and then taken, though nothing in it was the cause."""
    detail = msg(
        "a request is refused with HTTP {status} and taken later; the client would not ask again",
        status=refused.status,
    )
    notes.add("tries", "fail", detail, ms=refused.ms)


def _send(notes: _Notes, caller: ClientProfile, batch: Sequence[Request]) -> _Sent:
    """Send, and send again what the client would, after the waits that it would make."""
    done = list((yield batch))
    waited = 0.0
    for number in range(2, TRIES + 1):
        waits = {
            i: wait for i, e in enumerate(done) if (wait := _wait(e, number, caller)) is not None
        }
        longest = max(waits.values(), default=0.0)
        if not waits or waited + longest > _ALL_WAITS:
            break
        waited += longest
        asked = [replace(done[i].ask, after=wait) for i, wait in waits.items()]
        for index, exchange in zip(waits, (yield asked), strict=True):
            done[index] = replace(exchange, tries=number)
    notes.exchanges += done
    return done


def _wait(exchange: HttpExchange, number: int, caller: ClientProfile) -> float | None:
    """Seconds until the next try; None where the client makes none, or it would be too long."""
    if exchange.ask.key == "count_tokens" or not strictness.tries_again(exchange, number, caller):
        return None
    wait = diagnosis.asked_wait(exchange)
    if wait is None:
        return 0.5 if number == 2 else 1.0
    return wait if wait <= _LONGEST_WAIT else None


def _ok(exchange: HttpExchange) -> bool:
    return exchange.succeeded and (exchange.ask.stream or not exchange.failure)


def _by_shape(exchange: HttpExchange) -> bool:
    """Whether it may have been refused for how it looks."""
    return exchange.status in (400, 404, 422)


# --- the least that can be asked -------------------------------------------------------------


def _first_answer(
    notes: _Notes, exchange: HttpExchange, caller: ClientProfile, wanted: Order
) -> bool:
    """Grade `auth` and `model`; False where there is nothing more to ask."""
    answer = answers.read(exchange) if _ok(exchange) else None
    if answer is None:
        _first_refusal(notes, diagnosis.judge(exchange, caller), exchange)
        return False
    notes.add("auth", "pass", _credential(caller), ms=exchange.ms)
    if exchange.failure == "stalled" or (
        answer.usable and _says_nothing(answer) and not answer.thought
    ):
        what = answer.flaw or msg("the answer is empty")
        hint, early = _stream_hint(caller), _early(exchange, caller)
        notes.add("model", "fail", what, hint, exchange.ms, open=early)
        return False
    if not answer.usable:
        # Whether the client gets over it shows when the whole is asked for.
        notes.add("model", "pass", msg("something answers"), ms=exchange.ms)
        return True
    if _is_it(answer.model, wanted):
        notes.add("model", "pass", msg("`{name}` answers", name=answer.model), ms=exchange.ms)
    else:
        notes.add(
            "model",
            "warn",
            msg("another model answers: `{name}`", name=answer.model or "?"),
            "haha-config models",
            exchange.ms,
        )
    return True


def _early(exchange: HttpExchange, caller: ClientProfile) -> bool:
    """Whether we gave up on a silent stream sooner than the client would."""
    return exchange.failure == "stalled" and exchange.waited < caller.patience


def _says_nothing(answer: Response) -> bool:
    return answer.empty and answer.stop_reason != "max_tokens"


def _first_refusal(notes: _Notes, cause: Diagnosis, exchange: HttpExchange) -> None:
    if cause.stage == "reach":
        notes.checks = [c for c in notes.checks if c.name != "reach"]
        notes.fail("reach", cause, exchange)
        return
    if cause.stage == "auth":
        notes.fail("auth", cause, exchange)
        return
    if _judged_the_key(exchange):
        notes.add("auth", "pass", msg("the key was not refused"), ms=exchange.ms)
    else:
        notes.add("auth", "skip", msg("not known: it failed before it could judge the key"))
    notes.fail("model", cause, exchange)


def _judged_the_key(exchange: HttpExchange) -> bool:
    """A refusal of anything else comes after the key; LiteLLM's own failures do, too."""
    status = exchange.status
    return status is not None and (status < 500 or "litellm." in exchange.body)


def _credential(caller: ClientProfile) -> Message:
    if not caller.kinds:
        return msg("answered without a key")
    return msg("the key is accepted ({headers})", headers=caller.kinds)


def _is_it(name: str, wanted: Order) -> bool:
    """Whether the answer's model is the one asked for: a snapshot's date may follow the name."""
    asked = {plain_name(wanted.model), *wanted.aliases}
    return any(_same(name, one) for one in asked)


def _same(name: str, asked: str) -> bool:
    one, other = name.casefold(), asked.casefold()
    if one == other or one.rpartition("/")[2] == other.rpartition("/")[2]:
        return True
    tail = one.rpartition("/")[2].removeprefix(other.rpartition("/")[2])
    return bool(re.fullmatch(r"[-@:](\d{4}-?\d{2}-?\d{2}|latest|\d{4,8})", tail))


def _counted(notes: _Notes, exchange: HttpExchange) -> None:
    data = answers.data_of(exchange) if _ok(exchange) else None
    if isinstance(data, Mapping) and isinstance(data.get("input_tokens"), int):
        notes.add("count_tokens", "pass", msg("offered"), ms=exchange.ms)
    else:
        notes.add("count_tokens", "skip", msg("not offered; the client manages without"))


# --- the first message of a session ----------------------------------------------------------


class _Turn(Struct, frozen=True, kw_only=True):
    """A first message that was answered, by which client, and how."""

    caller: ClientProfile
    answer: Response
    exchange: HttpExchange


def _first_turn(
    notes: _Notes, caller: ClientProfile, wanted: Order
) -> Generator[Sequence[Request], Sequence[HttpExchange], _Turn | None]:
    """Grade `stream` and `size`; None where the client gets no answer that it can use."""
    model, t = wanted.model, wanted.timeout
    (exchange,) = yield from _send(
        notes, caller, [requests.first(caller, model, t, small=wanted.small)]
    )
    if _answered(exchange) is None and not wanted.small:
        (little,) = yield from _send(notes, caller, [requests.first(caller, model, t, small=True)])
        if _answered(little) is not None:
            _too_large(notes, exchange, caller, wanted)
            return None
    if _answered(exchange) is None and strictness.gives_up_search(caller.wire, exchange):
        exchange, caller = yield from _unsearched(notes, exchange, caller, wanted)
    if _answered(exchange) is None:
        changed = yield from _accepted(notes, exchange, caller, wanted)
        if changed is None:
            return None
        caller = changed
        (exchange,) = yield from _send(
            notes, caller, [requests.first(caller, model, t, small=wanted.small)]
        )
    answer = _answered(exchange)
    if answer is None:
        notes.fail("stream", diagnosis.judge(exchange, caller), exchange)
        return None
    if _unreadable(exchange):
        answer, caller = yield from _once_more(notes, answer, caller, wanted)
    turn = _Turn(caller=caller, answer=answer, exchange=exchange)
    return turn if _streamed(notes, turn) else None


def _unsearched(
    notes: _Notes, refused: HttpExchange, caller: ClientProfile, wanted: Order
) -> Generator[Sequence[Request], Sequence[HttpExchange], tuple[HttpExchange, ClientProfile]]:
    """The client's next try has all of its tools in it and none to search for."""
    caller = replace(caller, wire=caller.wire.without((DEFERRED,)))
    ask = requests.first(caller, wanted.model, wanted.timeout, small=wanted.small)
    (exchange,) = yield from _send(notes, caller, [ask])
    if _answered(exchange) is not None:
        what = msg(
            "the endpoint refuses a search for tools: client {version} then goes on without",
            version=caller.wire.version,
        )
        notes.add("params", "warn", what, diagnosis.NO_SEARCH, refused.ms)
    return exchange, caller


def _answered(exchange: HttpExchange) -> Response | None:
    return answers.read(exchange) if _ok(exchange) else None


def _once_more(
    notes: _Notes, answer: Response, caller: ClientProfile, wanted: Order
) -> Generator[Sequence[Request], Sequence[HttpExchange], tuple[Response, ClientProfile]]:
    """After a stream that it could not read the client asks again without one."""
    whole = replace(caller, streams=False)
    (again,) = yield from _send(
        notes, caller, [requests.first(whole, wanted.model, wanted.timeout, small=True)]
    )
    second = _answered(again)
    if second is None or not second.usable or second.empty:
        return answer, caller
    return replace(second, flaw=answer.flaw or _broken_off(answer)), whole


def _turns(notes: _Notes, caller: ClientProfile, batch: Sequence[Request]) -> _Sent:
    """Later turns, each asked again without a stream where its stream could not be read."""
    done = yield from _send(notes, caller, batch)
    again = {number: _unstreamed(e.ask) for number, e in enumerate(done) if _unreadable(e)}
    if again:
        wholes = yield from _send(notes, caller, list(again.values()))
        for number, whole in zip(again, wholes, strict=True):
            if _answered(whole) is not None:
                done[number] = whole
    return done


def _unreadable(exchange: HttpExchange) -> bool:
    """Whether the client asks for this answer once more, without a stream."""
    answer = _answered(exchange)
    return not (answer is None or answer.usable or answer.final or exchange.failure == "stalled")


def _unstreamed(ask: Request) -> Request:
    return replace(ask, stream=False, body={k: v for k, v in ask.body.items() if k != "stream"})


def _too_large(notes: _Notes, exchange: HttpExchange, caller: ClientProfile, wanted: Order) -> None:
    """The same request is accepted when it is small."""
    cause = diagnosis.judge(exchange, caller)
    what = msg(
        "the client's first request ({tools} tools, {n}K tokens) is refused: {why}",
        tools=len(caller.wire.tools),
        n=_thousands(caller, wanted),
        why=cause.what,
    )
    notes.add("stream", "pass", msg("a small request is answered"))
    notes.fail("size", replace(cause, what=what), exchange)


def _streamed(notes: _Notes, turn: _Turn) -> bool:
    """Grade `stream`; whether the client can use the answer."""
    answer, exchange = turn.answer, turn.exchange
    hint = _stream_hint(turn.caller)
    wrong = strictness.unforgiven(answer, turn.caller.wire)
    if not answer.usable or wrong is not None:
        what = wrong or answer.flaw or _broken_off(answer)
        early = _early(exchange, turn.caller)
        notes.add("stream", "fail", what, hint, exchange.ms, open=early)
        return False
    if _says_nothing(answer):
        notes.add("stream", "fail", _empty(answer), hint, exchange.ms)
        return False
    if answer.flaw is not None:
        notes.add("stream", "warn", answer.flaw, hint, exchange.ms)
    else:
        notes.add("stream", "pass", _pace(answer, exchange), ms=exchange.ms)
    return True


def _empty(answer: Response) -> Message:
    if answer.thought:
        return msg("the answer is only thinking, which the client does not show")
    return msg("the answer is empty")


def _broken_off(answer: Response) -> Message:
    return msg("the stream breaks off with: {said}", said=_short(answer.error))


def _stream_hint(caller: ClientProfile) -> Hint:
    return "haha-config proxy logs" if caller.route == "litellm" else None


def _pace(answer: Response, exchange: HttpExchange) -> Message:
    first = answer.first_ms if answer.first_ms is not None else exchange.ms
    seconds = (exchange.ms - first) / 1000
    # A handful of tokens says nothing about speed.
    if answer.output_tokens >= 20 and seconds > 0.2:
        speed = round(answer.output_tokens / seconds)
        return msg("first words after {ms} ms, {speed} tokens a second", ms=first, speed=speed)
    return msg("first words after {ms} ms", ms=first)


# --- what of the shape is refused --------------------------------------------------------------


def _accepted(
    notes: _Notes, refused: HttpExchange, caller: ClientProfile, wanted: Order
) -> Generator[Sequence[Request], Sequence[HttpExchange], ClientProfile | None]:
    """The client as it goes on by itself after this refusal; None where it does not.

    Finds which part of the shape it is that is refused, and the setting that leaves it out.
    """
    cause = diagnosis.judge(refused, caller)
    if refused.status is None or not 400 <= refused.status < 600:
        notes.fail("stream", cause, refused)
        return None
    parts = requests.separately(caller, wanted.model, wanted.timeout)
    done = yield from _send(notes, caller, list(parts.values()))
    refusals = {name: e for name, e in zip(parts, done, strict=True) if not _ok(e)}
    if "thinking" in refusals:
        refusals.pop(DISPLAY, None)
    bad = tuple(refusals)
    if not bad:
        notes.fail("stream", cause, refused)
        detail = msg("each part is accepted by itself; only the whole request is refused")
        notes.add("params", "warn", detail)
        return None
    if strictness.goes_on_without(caller.wire, refusals):
        detail = msg(
            "the endpoint refuses {bad}: client {version} then goes on without",
            bad=bad,
            version=caller.wire.version,
        )
        notes.add("params", "warn", detail)
        return replace(caller, wire=caller.wire.without(bad))
    # What mends it is found out now, and said once.
    notes.fail("stream", replace(cause, hint=None), refused)
    hint = yield from _mend(notes, bad, refused, caller, wanted)
    notes.add("params", "fail", msg("refused: {bad}", bad=bad), hint)
    return None


def _mend(
    notes: _Notes,
    bad: Sequence[str],
    refused: HttpExchange,
    caller: ClientProfile,
    wanted: Order,
) -> Generator[Sequence[Request], Sequence[HttpExchange], Hint]:
    """The setting with which the client is answered: it is tried before it is named."""
    if caller.route == "litellm":
        return diagnosis.judge(refused, caller).hint
    settings = diagnosis.settings_without(bad, refused, caller)
    if settings:
        wire = caller.wire
        for setting in settings:
            wire = wire.with_switch(setting)
        mended = replace(caller, wire=wire)
        (again,) = yield from _send(
            notes, caller, [requests.first(mended, wanted.model, wanted.timeout, small=True)]
        )
        if _answered(again) is not None:
            return diagnosis.setting_hint(settings)
    return msg(
        "no setting of client {version} leaves out {bad}", version=caller.wire.version, bad=bad
    )


# --- tools -----------------------------------------------------------------------------------


def _tools(
    notes: _Notes, turn: _Turn, wanted: Order
) -> Generator[Sequence[Request], Sequence[HttpExchange], None]:
    """The call that was asked for, its result, two calls at once and a result that is an error."""
    caller, first = turn.caller, turn.answer
    model, t, ms = wanted.model, wanted.timeout, turn.exchange.ms
    trouble = strictness.trouble(first, caller.wire)
    if trouble is not None:
        notes.add("tools", "fail", trouble, "haha-config models --tools", ms)
        return
    if not first.calls:
        yield from _uncalled(notes, turn, wanted)
        return
    back, both = yield from _turns(
        notes,
        caller,
        [
            requests.second(caller, model, first.content, t),
            requests.parallel(caller, model, t),
        ],
    )
    trusts = not ("signature" in caller.wire.survives and _mistrusts(back))
    if not trusts:
        content = _passed_back(first, trusts=False)
        (back,) = yield from _turns(notes, caller, [requests.second(caller, model, content, t)])
    if not _returned(notes, back, caller):
        return
    two = _answered(both)
    if two is None and _by_shape(both):
        cause = diagnosis.judge(both, caller)
        what = msg(
            "an interactive session offers other tools than `-p`, and one is refused: {why}",
            why=cause.what,
        )
        notes.fail("tools", replace(cause, what=what), both)
        return
    if two is not None and (alike := strictness.alike_ids(two)) is not None:
        # One at a time they can be told apart.
        notes.add("tools", "warn", alike, ms=both.ms)
        return
    if two is None or not two.calls or strictness.trouble(two, caller.session) is not None:
        _called(notes, turn, two)
        return
    content = _passed_back(two, trusts=trusts)
    (failed,) = yield from _turns(
        notes, caller, [requests.second(caller, model, content, t, failed=True)]
    )
    if _returned(notes, failed, caller):
        _called(notes, turn, two)


def _passed_back(answer: Response, *, trusts: bool) -> list[Data]:
    """An answer as it goes back; without its thinking where the endpoint does not trust that."""
    return [block for block in answer.content if trusts or block.get("type") != "thinking"]


def _mistrusts(exchange: HttpExchange) -> bool:
    """Whether the thinking that came back is refused, which a client can do without."""
    return exchange.status == 400 and "`signature` in `thinking`" in exchange.body


def _uncalled(
    notes: _Notes, turn: _Turn, wanted: Order
) -> Generator[Sequence[Request], Sequence[HttpExchange], None]:
    """The question was answered in words: is it the length of the request?"""
    hint: Hint = "haha-config models --tools"
    if not wanted.small:
        ask = requests.first(turn.caller, wanted.model, wanted.timeout, small=True)
        (little,) = yield from _send(notes, turn.caller, [ask])
        answer = _answered(little)
        if answer is not None and answer.calls:
            _lost(notes, turn, wanted)
            return
    detail = msg("the model did not call the tool that it was asked to call")
    notes.add("tools", "fail", detail, hint, turn.exchange.ms)


def _lost(notes: _Notes, turn: _Turn, wanted: Order) -> None:
    """A tool is called in a small request and not in one as long as the client's."""
    n, read = _thousands(turn.caller, wanted), turn.answer.input_tokens
    if 0 < read < n * 500:
        detail = msg(
            "the client's first request is cut: {read} tokens of {n}K were read", read=read, n=n
        )
    else:
        detail = msg(
            "in a request as long as the client's ({n}K tokens) the model calls no tool: the "
            "server cuts it, or the model is weak",
            n=n,
        )
    notes.add("size", "fail", detail, diagnosis.window_hint(turn.caller), turn.exchange.ms)


def _returned(notes: _Notes, back: HttpExchange, caller: ClientProfile) -> bool:
    """Whether the result of a tool is taken and answered."""
    answer = _answered(back)
    error = back.ask.key == "error result"
    if answer is None:
        cause = diagnosis.judge(back, caller)
        what = msg("the results of two tools, one an error, are refused: {why}", why=cause.what)
        if not error:
            what = msg("the result of a tool is refused: {why}", why=cause.what)
        notes.fail("tools", replace(cause, what=what), back)
        return False
    trouble = strictness.trouble(answer, caller.wire)
    if trouble is None and _says_nothing(answer):
        trouble = msg("the answer to a tool's result is empty")
    if trouble is not None:
        notes.add("tools", "fail", trouble, ms=back.ms)
        return False
    return True


def _called(notes: _Notes, turn: _Turn, two: Response | None) -> None:
    """Tools work; tell of two at once and of thinking."""
    if two is not None and len(two.calls) > 1:
        notes.add("tools", "pass", msg("tool calls work, two at once too"))
    else:
        notes.add("tools", "pass", msg("tool calls work, one at a time"))
    if any(check.name == "params" for check in notes.checks):
        return
    asked = "thinking" in turn.caller.wire.body
    if asked and not (turn.answer.thought or (two is not None and two.thought)):
        notes.add("params", "pass", msg("thinking was asked for; none came back"))
    else:
        notes.add("params", "pass", msg("every part of the client's request is accepted"))


# --- the window ------------------------------------------------------------------------------


def _context(notes: _Notes, exchange: HttpExchange, caller: ClientProfile) -> None:
    """Whether a word from the start of a long prompt is still known at its end."""
    answer = answers.read(exchange) if _ok(exchange) else None
    if answer is None:
        cause = diagnosis.judge(exchange, caller)
        notes.add("context", "fail", cause.what, cause.hint, exchange.ms)
    elif requests.HIDDEN_WORD.casefold() in answer.text.casefold():
        n = answer.input_tokens or requests.CONTEXT_TOKENS
        notes.add(
            "context", "pass", msg("a prompt of {n} tokens is read completely", n=n), ms=exchange.ms
        )
    elif 0 < answer.input_tokens < requests.CONTEXT_TOKENS // 2:
        n = answer.input_tokens
        detail = msg("long prompts are cut silently: {n} tokens were read", n=n)
        notes.add("context", "fail", detail, diagnosis.window_hint(caller), exchange.ms)
    else:
        detail = msg("the start of a long prompt is lost: the server cuts it, or the model is weak")
        notes.add("context", "fail", detail, diagnosis.window_hint(caller), exchange.ms)


def _short(text: str) -> str:
    return diagnosis.shortened(text, 100)
