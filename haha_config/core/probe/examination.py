"""The dialogue with one model, and the grading of what was said. Pure: it only thinks.

`examine` yields requests that may go out at once and is sent their exchanges.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from haha_config.core.exchange import Dialogue, HttpExchange, Request
from haha_config.core.messages import Message, msg
from haha_config.core.model import Data, Slot, from_json, mapping, plain_name
from haha_config.core.probe import diagnosis, requests, strictness
from haha_config.core.probe import response as answers
from haha_config.core.probe.client_profile import ClientProfile
from haha_config.core.probe.diagnosis import Diagnosis, Hint
from haha_config.core.probe.response import Response
from haha_config.core.probe.scorecard import Check, Scorecard, Status, order
from haha_config.core.probe.wire import DEFERRED, DISPLAY

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


def reach(caller: ClientProfile, timeout: float) -> Dialogue[Check]:
    """Whether anybody is there, before a credential is sent: DNS, TCP, TLS, each by its name."""
    (exchange,) = yield [requests.reach(caller, timeout)]
    # After "slow" and "cut" somebody took the connection: a server that knows only its own paths
    # may hang up.
    if exchange.status is None and exchange.failure not in ("slow", "cut"):
        cause = diagnosis.judge(exchange, caller)
        return Check(
            name="reach", status="fail", detail=cause.what, hint=cause.hint, ms=exchange.ms
        )
    return Check(name="reach", status="pass", detail=msg("connected"), ms=exchange.ms)


def examine(caller: ClientProfile, wanted: Order, reached: Check) -> Dialogue[Scorecard]:
    """Ask one model everything that the client would, from the least to the whole."""
    exam = _Examination(caller=caller, wanted=wanted, checks=[reached])
    if wanted.small:
        n = exam.thousands
        exam.add("size", "skip", msg("a first request of {n}K tokens was not tried", n=n))
    if reached.status != "fail":
        yield from exam.run()
    return exam.card()


class _Examination(Struct, kw_only=True):
    """What one model is asked, and what is known so far.

    `caller` changes as the client does: it may go on without a part that was refused.
    """

    caller: ClientProfile
    wanted: Order
    checks: list[Check] = field(default_factory=list)
    exchanges: list[HttpExchange] = field(default_factory=list)

    # --- notes ---

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

    def fail(self, name: str, exchange: HttpExchange, cause: Diagnosis | None = None) -> None:
        """A refusal, and how often it came. `cause`: where it is told in other words."""
        cause = cause or self.judge(exchange)
        what = cause.what
        if exchange.tries == TRIES and not _by_shape(exchange):
            what = msg(
                "{what} ({n} times; the client would try for 3 minutes)",
                what=what,
                n=exchange.tries,
            )
        open_ = cause.client_goes_on
        # Somebody is there in any case.
        status: Status = "warn" if open_ and name == "reach" else "fail"
        self.add(name, status, what, cause.hint, exchange.ms, open=open_)

    def judge(self, exchange: HttpExchange) -> Diagnosis:
        return diagnosis.judge(exchange, self.caller)

    def card(self) -> Scorecard:
        done = {check.name for check in self.checks}
        failed = any(check.status == "fail" for check in self.checks)
        why = msg("not tried: an earlier check failed") if failed else msg("not tried")
        for name in ("reach", "auth", "model", "stream", "tools"):
            if name not in done:
                self.add(name, "skip", why)
        n = max((e.tries for e in self.exchanges if _ok(e)), default=1)
        if n > 1:
            self.add("tries", "warn", msg("worked only after {n} tries", n=n))
        return Scorecard(
            model=self.wanted.model,
            slots=self.wanted.slots,
            checks=tuple(order(self.checks)),
            exchanges=tuple(self.exchanges),
        )

    @property
    def thousands(self) -> int:
        """The size of the client's first request, in 1,000 tokens."""
        ask = requests.first(self.caller, self.wanted.model, self.wanted.timeout, small=False)
        return max(1, round(requests.tokens([ask]) / 1000))

    # --- asking ---

    def send(self, batch: Sequence[Request]) -> Dialogue[list[HttpExchange]]:
        """Send, and send again what the client would, after the waits that it would make."""
        done = list((yield batch))
        waited = 0.0
        for number in range(2, TRIES + 1):
            waits = {
                i: wait
                for i, e in enumerate(done)
                if (wait := _wait(e, number, self.caller)) is not None
            }
            longest = max(waits.values(), default=0.0)
            if not waits or waited + longest > _ALL_WAITS:
                break
            waited += longest
            asked = [replace(done[i].ask, after=wait) for i, wait in waits.items()]
            for index, exchange in zip(waits, (yield asked), strict=True):
                done[index] = replace(exchange, tries=number)
        self.exchanges += done
        return done

    def first(self, *, small: bool, caller: ClientProfile | None = None) -> Dialogue[HttpExchange]:
        """The first message of a session."""
        model, t = self.wanted.model, self.wanted.timeout
        (exchange,) = yield from self.send(
            [requests.first(caller or self.caller, model, t, small=small)]
        )
        return exchange

    def turns(self, batch: Sequence[Request]) -> Dialogue[list[HttpExchange]]:
        """Later turns, each asked again without a stream where its stream could not be read."""
        done = yield from self.send(batch)
        again = {
            number: replace(
                e.ask, stream=False, body={k: v for k, v in e.ask.body.items() if k != "stream"}
            )
            for number, e in enumerate(done)
            if _unreadable(e)
        }
        if again:
            wholes = yield from self.send(list(again.values()))
            for number, whole in zip(again, wholes, strict=True):
                if _answered(whole) is not None:
                    done[number] = whole
        return done

    def run(self) -> Dialogue[None]:
        """Everything, until there is nothing more to ask."""
        caller, model, t = self.caller, self.wanted.model, self.wanted.timeout
        least, counted = yield from self.send(
            [requests.message(caller, model, t), requests.count(caller, model, t)]
        )
        refused = None
        if not _ok(least) and _by_shape(least):
            (bare,) = yield from self.send([requests.bare(caller, model, t)])
            if _ok(bare):
                least, refused = bare, least
        if not self.first_answer(least):
            return
        self.counted(counted)
        if self.wanted.context:
            (long,) = yield from self.send([requests.context(caller, model, max(t, 180))])
            self.context(long)
        turn = yield from self.first_turn()
        if turn is not None and refused is not None and self.caller.wire == caller.wire:
            # Refused once and then taken, though nothing in it was the cause.
            detail = msg(
                "a request is refused (HTTP {status}), then taken; the client would not ask again",
                status=refused.status,
            )
            self.add("tries", "fail", detail, ms=refused.ms)
        elif turn is not None:
            yield from self.tools(*turn)

    # --- the least that can be asked ---

    def first_answer(self, exchange: HttpExchange) -> bool:
        """Grade `auth` and `model`; False where there is nothing more to ask."""
        answer, ms = _answered(exchange), exchange.ms
        if answer is None:
            self.first_refusal(exchange)
            return False
        kinds = self.caller.kinds
        accepted = msg("the key is accepted ({headers})", headers=kinds)
        self.add("auth", "pass", accepted if kinds else msg("answered without a key"), ms=ms)
        if exchange.failure == "stalled" or (
            answer.usable and _says_nothing(answer) and not answer.thought
        ):
            what = answer.flaw or msg("the answer is empty")
            hint, early = diagnosis.logs_hint(self.caller), self.early(exchange)
            self.add("model", "fail", what, hint, ms, open=early)
            return False
        if not answer.usable:
            # Whether the client gets over it shows when the whole is asked for.
            self.add("model", "pass", msg("something answers"), ms=ms)
        elif _is_it(answer.model, self.wanted):
            self.add("model", "pass", msg("`{name}` answers", name=answer.model), ms=ms)
        else:
            what = msg("another model answers: `{name}`", name=answer.model or "?")
            self.add("model", "warn", what, "haha-config models", ms)
        return True

    def first_refusal(self, exchange: HttpExchange) -> None:
        cause = self.judge(exchange)
        if cause.stage in ("reach", "auth"):
            self.checks = [c for c in self.checks if c.name != cause.stage]
            self.fail(cause.stage, exchange, cause)
            return
        status = exchange.status
        # A refusal of anything else comes after the key; LiteLLM's own failures do, too.
        if status is not None and (status < 500 or "litellm." in exchange.body):
            self.add("auth", "pass", msg("the key was not refused"), ms=exchange.ms)
        else:
            self.add("auth", "skip", msg("not known: it failed before judging the key"))
        self.fail("model", exchange, cause)

    def early(self, exchange: HttpExchange) -> bool:
        """Whether we gave up on a silent stream sooner than the client would."""
        return exchange.failure == "stalled" and exchange.waited < self.caller.patience

    def counted(self, exchange: HttpExchange) -> None:
        data = from_json(exchange.body) if _ok(exchange) else None
        if isinstance(mapping(data).get("input_tokens"), int):
            self.add("count_tokens", "pass", msg("offered"), ms=exchange.ms)
        else:
            self.add("count_tokens", "skip", msg("not offered; not needed"))

    # --- the first message of a session ---

    def first_turn(self) -> Dialogue[tuple[Response, int] | None]:
        """Grade `stream` and `size`; the answer and its ms, None where the client can't use it."""
        small = self.wanted.small
        exchange = yield from self.first(small=small)
        if _answered(exchange) is None and not small:
            little = yield from self.first(small=True)
            if _answered(little) is not None:
                self.too_large(exchange)
                return None
        if _answered(exchange) is None and strictness.gives_up_search(self.caller.wire, exchange):
            exchange = yield from self.unsearched(exchange)
        if _answered(exchange) is None:
            if not (yield from self.goes_on(exchange)):
                return None
            exchange = yield from self.first(small=small)
        answer = _answered(exchange)
        if answer is None:
            self.fail("stream", exchange)
            return None
        if _unreadable(exchange):
            answer = yield from self.once_more(answer)
        return (answer, exchange.ms) if self.streamed(answer, exchange) else None

    def unsearched(self, refused: HttpExchange) -> Dialogue[HttpExchange]:
        """The client's next try has all of its tools in it and none to search for."""
        wire = self.caller.wire.without((DEFERRED,))
        self.caller = replace(self.caller, wire=wire)
        exchange = yield from self.first(small=self.wanted.small)
        if _answered(exchange) is not None:
            what = msg(
                "the endpoint refuses tool search; client {version} goes on without",
                version=wire.version,
            )
            self.add("params", "warn", what, diagnosis.NO_SEARCH, refused.ms)
        return exchange

    def once_more(self, answer: Response) -> Dialogue[Response]:
        """After a stream that it could not read the client asks again without one."""
        whole = replace(self.caller, streams=False)
        second = _answered((yield from self.first(small=True, caller=whole)))
        if second is None or not second.usable or second.empty:
            return answer
        self.caller = whole
        return replace(second, flaw=answer.flaw or _broken_off(answer))

    def too_large(self, exchange: HttpExchange) -> None:
        """The same request is accepted when it is small."""
        cause = self.judge(exchange)
        what = msg(
            "the client's first request ({tools} tools, {n}K tokens) is refused: {why}",
            tools=len(self.caller.wire.tools),
            n=self.thousands,
            why=cause.what,
        )
        self.add("stream", "pass", msg("a small request is answered"))
        self.fail("size", exchange, replace(cause, what=what))

    def streamed(self, answer: Response, exchange: HttpExchange) -> bool:
        """Grade `stream`; whether the client can use the answer."""
        wrong = strictness.unforgiven(answer, self.caller.wire)
        status: Status = "fail"
        if not answer.usable or wrong is not None:
            what = wrong or answer.flaw or _broken_off(answer)
        elif _says_nothing(answer):
            what = msg("the answer is empty")
            if answer.thought:
                what = msg("the answer is only thinking")
        elif answer.flaw is not None:
            status, what = "warn", answer.flaw
        else:
            status, what = "pass", _pace(answer, exchange)
        hint = None if status == "pass" else diagnosis.logs_hint(self.caller)
        unusable = not answer.usable or wrong is not None
        self.add("stream", status, what, hint, exchange.ms, open=unusable and self.early(exchange))
        return status != "fail"

    # --- what of the shape is refused ---

    def goes_on(self, refused: HttpExchange) -> Dialogue[bool]:
        """Whether the client goes on by itself after this refusal, as `caller` from then on.

        Finds which part of the shape it is that is refused, and the setting that leaves it out.
        """
        if refused.status is None or not 400 <= refused.status < 600:
            self.fail("stream", refused)
            return False
        parts = requests.separately(self.caller, self.wanted.model, self.wanted.timeout)
        done = yield from self.send(list(parts.values()))
        refusals = {name: e for name, e in zip(parts, done, strict=True) if not _ok(e)}
        if "thinking" in refusals:
            refusals.pop(DISPLAY, None)
        bad, wire = tuple(refusals), self.caller.wire
        if not bad:
            self.fail("stream", refused)
            detail = msg("each part is accepted; only the whole request is refused")
            self.add("params", "warn", detail)
            return False
        if strictness.goes_on_without(wire, refusals):
            detail = msg(
                "the endpoint refuses {bad}; client {version} goes on without",
                bad=bad,
                version=wire.version,
            )
            self.add("params", "warn", detail)
            self.caller = replace(self.caller, wire=wire.without(bad))
            return True
        # What mends it is found out now, and said once.
        self.fail("stream", refused, replace(self.judge(refused), hint=None))
        hint = yield from self.mend(bad, refused)
        self.add("params", "fail", msg("refused: {bad}", bad=bad), hint)
        return False

    def mend(self, bad: Sequence[str], refused: HttpExchange) -> Dialogue[Hint]:
        """The setting with which the client is answered: it is tried before it is named."""
        if self.caller.route == "litellm":
            return self.judge(refused).hint
        settings = diagnosis.settings_without(bad, refused, self.caller)
        wire = self.caller.wire
        if settings:
            for setting in settings:
                wire = wire.with_switch(setting)
            mended = replace(self.caller, wire=wire)
            if _answered((yield from self.first(small=True, caller=mended))) is not None:
                return diagnosis.setting_hint(settings)
        return msg("no setting of client {version} leaves out {bad}", version=wire.version, bad=bad)

    # --- tools ---

    def tools(self, first: Response, ms: int) -> Dialogue[None]:
        """The call that was asked for, its result, two calls at once and an error for a result."""
        caller, model, t = self.caller, self.wanted.model, self.wanted.timeout
        trouble = strictness.trouble(first, caller.wire)
        if trouble is not None:
            self.add("tools", "fail", trouble, "haha-config models --tools", ms)
            return
        if not first.calls:
            yield from self.uncalled(first, ms)
            return
        back, both = yield from self.turns(
            [requests.second(caller, model, first.content, t), requests.parallel(caller, model, t)]
        )
        # Whether the thinking that came back is refused, which a client can do without.
        mistrusts = back.status == 400 and "`signature` in `thinking`" in back.body
        trusts = not ("signature" in caller.wire.survives and mistrusts)
        if not trusts:
            content = _passed_back(first, trusts=False)
            (back,) = yield from self.turns([requests.second(caller, model, content, t)])
        if not self.returned(back):
            return
        two = _answered(both)
        if two is None and _by_shape(both):
            cause = self.judge(both)
            what = msg("a tool of an interactive session is refused: {why}", why=cause.what)
            self.fail("tools", both, replace(cause, what=what))
            return
        if two is not None and (alike := strictness.alike_ids(two)) is not None:
            # One at a time they can be told apart.
            self.add("tools", "warn", alike, ms=both.ms)
            return
        if two is not None and two.calls and strictness.trouble(two, caller.session) is None:
            content = _passed_back(two, trusts=trusts)
            ask = requests.second(caller, model, content, t, failed=True)
            (failed,) = yield from self.turns([ask])
            if not self.returned(failed):
                return
        self.called(first, two)

    def uncalled(self, first: Response, ms: int) -> Dialogue[None]:
        """The question was answered in words: is it the length of the request?"""
        if not self.wanted.small:
            little = _answered((yield from self.first(small=True)))
            if little is not None and little.calls:
                self.lost(first.input_tokens, ms)
                return
        detail = msg("the model did not call the tool it was asked to")
        self.add("tools", "fail", detail, "haha-config models --tools", ms)

    def lost(self, read: int, ms: int) -> None:
        """A tool is called in a small request and not in one as long as the client's."""
        n = self.thousands
        if 0 < read < n * 500:
            detail = msg(
                "the first request is cut: {read} of {n}K tokens were read", read=read, n=n
            )
        else:
            detail = msg(
                "in a request of {n}K tokens the model calls no tool: cut by the server,"
                " or a weak model",
                n=n,
            )
        self.add("size", "fail", detail, diagnosis.window_hint(self.caller), ms)

    def returned(self, back: HttpExchange) -> bool:
        """Whether the result of a tool is taken and answered."""
        answer = _answered(back)
        if answer is None:
            cause = self.judge(back)
            what = msg("a tool's result is refused: {why}", why=cause.what)
            if back.ask.key == "error result":
                what = msg("a tool's error is refused: {why}", why=cause.what)
            self.fail("tools", back, replace(cause, what=what))
            return False
        trouble = strictness.trouble(answer, self.caller.wire)
        if trouble is None and _says_nothing(answer):
            trouble = msg("the answer to a tool's result is empty")
        if trouble is not None:
            self.add("tools", "fail", trouble, ms=back.ms)
        return trouble is None

    def called(self, first: Response, two: Response | None) -> None:
        """Tools work; tell of two at once and of thinking."""
        if two is not None and len(two.calls) > 1:
            self.add("tools", "pass", msg("tool calls work, two at once"))
        else:
            self.add("tools", "pass", msg("tool calls work, one at a time"))
        if any(check.name == "params" for check in self.checks):
            return
        thought = first.thought or (two is not None and two.thought)
        if "thinking" in self.caller.wire.body and not thought:
            self.add("params", "pass", msg("thinking was asked for; none came back"))
        else:
            self.add("params", "pass", msg("every part of the request is accepted"))

    def context(self, exchange: HttpExchange) -> None:
        """Whether a word from the start of a long prompt is still known at its end."""
        answer, ms = _answered(exchange), exchange.ms
        if answer is None:
            cause = self.judge(exchange)
            self.add("context", "fail", cause.what, cause.hint, ms)
            return
        n = answer.input_tokens
        if requests.HIDDEN_WORD.casefold() in answer.text.casefold():
            n = n or requests.CONTEXT_TOKENS
            self.add("context", "pass", msg("{n} tokens are read completely", n=n), ms=ms)
            return
        if 0 < n < requests.CONTEXT_TOKENS // 2:
            detail = msg("long prompts are cut silently: {n} tokens were read", n=n)
        else:
            detail = msg("the start of a long prompt is lost: cut by the server, or a weak model")
        self.add("context", "fail", detail, diagnosis.window_hint(self.caller), ms)


# --- what an exchange or an answer is --------------------------------------------------------


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


def _answered(exchange: HttpExchange) -> Response | None:
    return answers.read(exchange) if _ok(exchange) else None


def _unreadable(exchange: HttpExchange) -> bool:
    """Whether the client asks for this answer once more, without a stream."""
    answer = _answered(exchange)
    return not (answer is None or answer.usable or answer.final or exchange.failure == "stalled")


def _says_nothing(answer: Response) -> bool:
    return answer.empty and answer.stop_reason != "max_tokens"


def _broken_off(answer: Response) -> Message:
    said = diagnosis.shortened(answer.error, 100)
    return msg("the stream breaks off with: {said}", said=said)


def _is_it(name: str, wanted: Order) -> bool:
    """Whether the answer's model is the one asked for: a snapshot's date may follow the name."""
    return any(_same(name, one) for one in {plain_name(wanted.model), *wanted.aliases})


def _same(name: str, asked: str) -> bool:
    one, other = (text.casefold().rpartition("/")[2] for text in (name, asked))
    date = r"[-@:](\d{4}-?\d{2}-?\d{2}|latest|\d{4,8})"
    return one == other or bool(re.fullmatch(date, one.removeprefix(other)))


def _pace(answer: Response, exchange: HttpExchange) -> Message:
    first = answer.first_ms if answer.first_ms is not None else exchange.ms
    seconds = (exchange.ms - first) / 1000
    # A handful of tokens says nothing about speed.
    if answer.output_tokens >= 20 and seconds > 0.2:
        speed = round(answer.output_tokens / seconds)
        return msg("first words after {ms} ms, {speed} tokens a second", ms=first, speed=speed)
    return msg("first words after {ms} ms", ms=first)


def _passed_back(answer: Response, *, trusts: bool) -> list[Data]:
    """An answer as it goes back; without its thinking where the endpoint does not trust that."""
    return [block for block in answer.content if trusts or block.get("type") != "thinking"]
