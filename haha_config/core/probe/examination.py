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
from haha_config.core.model import Data, Slot
from haha_config.core.probe import diagnosis, requests
from haha_config.core.probe import response as answers
from haha_config.core.probe.client_profile import ClientProfile
from haha_config.core.probe.diagnosis import Diagnosis, Hint
from haha_config.core.probe.response import Response
from haha_config.core.probe.scorecard import Check, Scorecard, Status, order

Talk = Generator[Sequence[Request], Sequence[HttpExchange], Scorecard]
_Sent = Generator[Sequence[Request], Sequence[HttpExchange], list[HttpExchange]]


class Order(Struct, frozen=True, kw_only=True):
    """What to examine. `aliases`: other names under which the answer may come (a gateway's own)."""

    model: str
    slots: tuple[Slot, ...] = ()
    aliases: frozenset[str] = frozenset()
    context: bool = False
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
    ) -> None:
        self.checks.append(Check(name=name, status=status, detail=detail, hint=hint, ms=ms))

    def card(self, wanted: Order) -> Scorecard:
        done = {check.name for check in self.checks}
        failed = any(check.status == "fail" for check in self.checks)
        why = msg("not tried: an earlier check failed") if failed else msg("not tried")
        for name in ("reach", "auth", "model", "stream", "tools"):
            if name not in done:
                self.add(name, "skip", why)
        return Scorecard(
            model=wanted.model,
            slots=wanted.slots,
            checks=tuple(order(self.checks)),
            exchanges=tuple(self.exchanges),
        )


def planned(caller: ClientProfile, wanted: Order) -> list[Request]:
    """The requests that a model that works is sent, for counting them beforehand."""
    model, t = wanted.model, wanted.timeout
    call = {"type": "tool_use", "id": "x", "name": "Read", "input": {"file_path": "/probe/x"}}
    found = [
        requests.message(caller, model, t),
        requests.count(caller, model, t),
        requests.stream(caller, model, t),
        requests.forced(caller, model, t),
        requests.free(caller, model, t),
        requests.parallel(caller, model, t),
        requests.round_trip(caller, model, [call], t),
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
        return notes.card(wanted)
    model, t = wanted.model, wanted.timeout
    first, counted = yield from _send(
        notes, [requests.message(caller, model, t), requests.count(caller, model, t)]
    )
    if not _first_answer(notes, first, caller, wanted):
        return notes.card(wanted)
    _counted(notes, counted)
    batch = [requests.stream(caller, model, t)]
    if wanted.context:
        batch.append(requests.context(caller, model, max(t, 180)))
    streamed, *rest = yield from _send(notes, batch)
    if rest:
        _context(notes, rest[0], caller)
    answer = answers.read(streamed) if _ok(streamed) else None
    if answer is None:
        yield from _refused(notes, streamed, caller, wanted)
        return notes.card(wanted)
    if not answer.usable and streamed.failure != "stalled":
        caller = replace(caller, streams=False)
        (again,) = yield from _send(notes, [requests.stream(caller, model, t)])
        whole = answers.read(again) if _ok(again) else None
        if whole is not None and whole.usable and not whole.empty:
            answer = replace(whole, flaw=answer.flaw or _broken_off(answer))
    if _streamed(notes, answer, streamed, caller):
        yield from _tools(notes, caller, wanted, answer)
    return notes.card(wanted)


def _send(notes: _Notes, batch: Sequence[Request]) -> _Sent:
    """Send, and send those once more that were told to wait a little: the client would too."""
    done = list((yield batch))
    again = {i: wait for i, e in enumerate(done) if (wait := _wait(e)) is not None}
    if again:
        asked = [replace(done[i].ask, after=wait) for i, wait in again.items()]
        for index, exchange in zip(again, (yield asked), strict=True):
            done[index] = exchange
    notes.exchanges += done
    return done


def _wait(exchange: HttpExchange) -> float | None:
    if exchange.status not in (429, 503, 529):
        return None
    # Whose key it is plays no part in how long to wait.
    nobody = ClientProfile(base_url=exchange.ask.url, headers={}, kinds=())
    return diagnosis.judge(exchange, nobody).retry


# --- the least that can be asked -------------------------------------------------------------

_STAGES: Final = ("reach", "auth", "model")


def _first_answer(
    notes: _Notes, exchange: HttpExchange, caller: ClientProfile, wanted: Order
) -> bool:
    """Grade `auth` and `model`; False where there is nothing more to ask."""
    answer = answers.read(exchange) if _ok(exchange) else None
    if answer is None:
        _first_refusal(notes, diagnosis.judge(exchange, caller), exchange)
        return False
    notes.add("auth", "pass", _credential(caller), ms=exchange.ms)
    if exchange.failure == "stalled" or (answer.usable and _says_nothing(answer)):
        what = answer.flaw or msg("the answer is empty")
        notes.add("model", "fail", what, _stream_hint(caller), exchange.ms)
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


def _says_nothing(answer: Response) -> bool:
    return answer.empty and answer.stop_reason != "max_tokens"


def _first_refusal(notes: _Notes, cause: Diagnosis, exchange: HttpExchange) -> None:
    if cause.stage == "reach":
        notes.checks = [c for c in notes.checks if c.name != "reach"]
        status: Status = "warn" if cause.client_goes_on else "fail"
        notes.add("reach", status, cause.what, cause.hint, exchange.ms)
        return
    if cause.stage == "auth":
        notes.add("auth", "fail", cause.what, cause.hint, exchange.ms)
        return
    if _judged_the_key(exchange):
        notes.add("auth", "pass", msg("the key was not refused"), ms=exchange.ms)
    else:
        notes.add("auth", "skip", msg("not known: it failed before it could judge the key"))
    notes.add("model", "fail", cause.what, cause.hint, exchange.ms)


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
    asked = {requests.plain(wanted.model), *wanted.aliases}
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
        notes.add("count_tokens", "skip", msg("not offered; the client does without"))


def _ok(exchange: HttpExchange) -> bool:
    return exchange.status == 200 and (exchange.ask.stream or not exchange.failure)


# --- the client's own shape ------------------------------------------------------------------


def _refused(
    notes: _Notes, exchange: HttpExchange, caller: ClientProfile, wanted: Order
) -> Generator[Sequence[Request], Sequence[HttpExchange], None]:
    """The client's shape got no answer, though the least that can be asked did."""
    cause = diagnosis.judge(exchange, caller)
    notes.add("stream", "fail", cause.what, cause.hint, exchange.ms)
    yield from _which_part(notes, exchange, caller, wanted)


def _streamed(
    notes: _Notes, answer: Response, exchange: HttpExchange, caller: ClientProfile
) -> bool:
    """Grade `stream`; whether the client can use the answer."""
    hint = _stream_hint(caller)
    if not answer.usable:
        notes.add("stream", "fail", answer.flaw or _broken_off(answer), hint, exchange.ms)
        return False
    if _says_nothing(answer):
        notes.add("stream", "fail", msg("the streamed answer is empty"), hint, exchange.ms)
        return False
    if answer.flaw is not None:
        notes.add("stream", "warn", answer.flaw, hint, exchange.ms)
    else:
        notes.add("stream", "pass", _pace(answer, exchange), ms=exchange.ms)
    return True


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


#: What the client leaves out for which switch.
_SWITCHES: Final[Mapping[str, Message]] = {
    "context_management": msg("set CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS=1"),
    "thinking": msg("set CLAUDE_CODE_DISABLE_THINKING=1"),
    "cache_control": msg("set DISABLE_PROMPT_CACHING=1"),
}


def _which_part(
    notes: _Notes, refused: HttpExchange, caller: ClientProfile, wanted: Order
) -> Generator[Sequence[Request], Sequence[HttpExchange], None]:
    """The client's shape was refused though the model answers: which part of it is it?"""
    if refused.status is None or not 400 <= refused.status < 600:
        return
    parts = requests.separately(caller, wanted.model, wanted.timeout)
    done = yield from _send(notes, list(parts.values()))
    bad = {
        name: diagnosis.judge(e, caller) for name, e in zip(parts, done, strict=True) if not _ok(e)
    }
    good = tuple(name for name in parts if name not in bad)
    if not bad:
        notes.add("params", "warn", msg("each part alone is accepted: {parts}", parts=good))
        return
    cause = next(iter(bad.values()))
    hint = next((_SWITCHES[n] for n in bad if n in _SWITCHES and caller.route == "direct"), None)
    detail = msg("refused: {bad}; accepted: {good}", bad=tuple(bad), good=good or ("-",))
    notes.add("params", "fail", detail, hint or cause.hint)


# --- tools -----------------------------------------------------------------------------------


def _tools(
    notes: _Notes, caller: ClientProfile, wanted: Order, heard: Response
) -> Generator[Sequence[Request], Sequence[HttpExchange], None]:
    model, t = wanted.model, wanted.timeout
    done = yield from _send(
        notes,
        [
            requests.forced(caller, model, t),
            requests.free(caller, model, t),
            requests.parallel(caller, model, t),
        ],
    )
    forced, free, parallel = (answers.read(e) if _ok(e) else None for e in done)
    slowest = max(e.ms for e in done)
    thought = heard.thought or any(a is not None and a.thought for a in (free, parallel))
    _params(notes, caller, thought=thought)
    if free is None:
        cause = diagnosis.judge(done[1], caller)
        notes.add("tools", "fail", cause.what, cause.hint, slowest)
        return
    trouble = _trouble(free) or (forced is not None and _trouble(forced)) or None
    if trouble is not None:
        notes.add("tools", "fail", trouble, "haha-config models --tools", slowest)
        return
    if not free.calls:
        _uncalled(notes, forced, slowest)
        return
    (back,) = yield from _send(notes, [requests.round_trip(caller, model, free.content, t)])
    _returned(notes, back, caller, forced, parallel, max(slowest, back.ms))


def _trouble(answer: Response) -> Message | None:
    """What breaks a client's tools, in an answer that should hold a call."""
    if answer.error:
        return msg("the stream of a tool call breaks off with: {said}", said=_short(answer.error))
    if not answer.usable:
        return answer.flaw
    if answer.bad_inputs:
        return msg("the input of a tool call is not JSON (`{name}`)", name=answer.bad_inputs[0])
    if not answer.calls and _looks_like_a_call(answer.text):
        return msg("tools are answered as text")
    wrong = next((c for c in answer.calls if not _fits(c)), None)
    if wrong is not None:
        return msg("a tool call does not follow its schema (`{name}`)", name=wrong.get("name", ""))
    return None


_CALL: Final = re.compile(
    r"[\"'](name|function|tool|tool_name)[\"']\s*:\s*[\"'](Read|TodoWrite)|<(tool_call|function_call|"
    r"function=|invoke)|\[TOOL_CALLS\]|(Read|TodoWrite)\s*\(\s*[{\"'f]|[\"'](file_path|todos)[\"']\s*:",
    re.IGNORECASE,
)


def _looks_like_a_call(text: str) -> bool:
    return _CALL.search(text) is not None


def _fits(call: Mapping[str, Data]) -> bool:
    """Whether a call of one of our two tools has what its schema requires."""
    value = call.get("input")
    if not isinstance(value, Mapping) or not call.get("id"):
        return False
    if call.get("name") == "Read":
        return isinstance(value.get("file_path"), str)
    if call.get("name") == "TodoWrite":
        todos = value.get("todos")
        return isinstance(todos, list) and all(
            isinstance(t, Mapping) and "content" in t and "status" in t for t in todos
        )
    return False


def _uncalled(notes: _Notes, forced: Response | None, ms: int) -> None:
    """The free call was answered in words."""
    if forced is not None and forced.calls:
        detail = msg("the model calls tools only when it is forced to")
        notes.add("tools", "warn", detail, "haha-config models --tools", ms)
    else:
        detail = msg("the model was offered a tool and asked to call it, and did not")
        notes.add("tools", "fail", detail, "haha-config models --tools", ms)


def _returned(
    notes: _Notes,
    back: HttpExchange,
    caller: ClientProfile,
    forced: Response | None,
    parallel: Response | None,
    ms: int,
) -> None:
    """Grade the round trip, and tell what the other two calls showed."""
    answer = answers.read(back) if _ok(back) else None
    if answer is None:
        cause = diagnosis.judge(back, caller)
        detail = msg("the result of a tool is refused: {why}", why=cause.what)
        notes.add("tools", "fail", detail, cause.hint, ms)
        return
    trouble = _trouble(answer) or (
        msg("the answer to a tool's result is empty") if answer.empty else None
    )
    if trouble is not None:
        notes.add("tools", "fail", trouble, ms=ms)
        return
    odd = tuple(_odd(forced, parallel))
    if odd:
        notes.add("tools", "warn", msg("{odd}", odd=odd), ms=ms)
    else:
        notes.add("tools", "pass", msg("called, answered and gone on; two at once too"), ms=ms)


def _odd(forced: Response | None, parallel: Response | None) -> Generator[Message]:
    """What a coding client can live with."""
    if forced is None:
        yield msg("a forced tool call is refused")
    elif not forced.calls:
        yield msg("a forced tool call is answered as text")
    if parallel is None or len(parallel.calls) < 2:
        yield msg("it calls one tool at a time")


def _params(notes: _Notes, caller: ClientProfile, *, thought: bool) -> None:
    """What can be seen of the parts of the client's shape in answers that came."""
    parts = tuple(requests.separately(caller, "", 1))
    if caller.thinking and not thought:
        detail = msg("no thinking came back (asked for, and not refused)")
        notes.add("params", "warn", detail)
        return
    notes.add("params", "pass", msg("accepted: {parts}", parts=parts))


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
            "context", "pass", msg("a prompt of {n} tokens is read whole", n=n), ms=exchange.ms
        )
    elif 0 < answer.input_tokens < requests.CONTEXT_TOKENS // 2:
        n = answer.input_tokens
        detail = msg("long prompts are cut without a word: {n} tokens were read", n=n)
        notes.add("context", "fail", detail, diagnosis.window_hint(caller), exchange.ms)
    else:
        detail = msg("the start of a long prompt is lost: the server cuts it, or the model is weak")
        notes.add("context", "fail", detail, diagnosis.window_hint(caller), exchange.ms)


def _short(text: str) -> str:
    return diagnosis.shortened(text, 100)
