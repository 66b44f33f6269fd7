"""Real requests to what is configured, graded: for probe, validate --live and the end of init."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from haha_config.core import urls
from haha_config.core import variables as v
from haha_config.core.errors import Cancelled, HahaError, Usage
from haha_config.core.exchange import HttpExchange, Request
from haha_config.core.messages import Message, msg, nmsg
from haha_config.core.model import Data
from haha_config.core.probe import examination, requests
from haha_config.core.probe.client_profile import ClientProfile, client_profile
from haha_config.core.probe.examination import Order
from haha_config.core.probe.scorecard import Check, ProbeReport, Scorecard, as_data
from haha_config.core.state import configured
from haha_config.core.state.configured import CurrentSetup
from haha_config.core.state.state import State
from haha_config.io import report
from haha_config.io.i18n import english, render
from haha_config.workflow import trust
from haha_config.workflow.gateway.site import ensure_ours
from haha_config.workflow.session import Session, is_terminal

#: Above this a person is asked first.
_MANY_TOKENS: Final = 60_000


#: Requests in flight to a gateway or a service. A model is asked three things at once, so
#: twenty are probed in the time of one; the limits of services count by model or by minute.
_AT_ONCE: Final = 64


TIMEOUT: Final = 60.0


def run_probe(
    session: Session,
    state: State,
    models: Sequence[str] = (),
    *,
    context: bool = False,
    timeout: float = TIMEOUT,
    yes: bool = True,
) -> ProbeReport:
    """Probe `models`, by default those of the slots. Says first what it costs.

    `yes`: nobody is asked, however much it is. Raises HahaError where there is nothing to probe.
    """
    held = configured.read(state)
    who = _caller(session, state, held)
    orders = [_order(m, state, context, timeout) for m in models or slot_models(state)]
    if not orders:
        raise HahaError(msg("no model is configured here"), hints=("haha-config init",))
    planned = [ask for wanted in orders for ask in examination.planned(who, wanted)]
    _announce(session, who, orders, planned, yes=yes)
    return _run(who, orders, timeout, len(planned) + 1)


def priced(session: Session, state: State) -> tuple[int, int]:
    """How many requests a probe of the slots' models sends, and about how many tokens."""
    who = _caller(session, state, configured.read(state))
    orders = [_order(model, state, False, TIMEOUT) for model in slot_models(state)]
    planned = [ask for wanted in orders for ask in examination.planned(who, wanted)]
    return len(planned) + 1, requests.tokens(planned)


def _run(who: ClientProfile, orders: Sequence[Order], timeout: float, total: int) -> ProbeReport:
    from haha_config.io import http

    # A model server of this machine works on one answer at a time: more at once would only wait
    # for each other, and the last of them would look slow.
    at_once = 2 if who.loopback and who.route == "direct" else _AT_ONCE
    way = http.Transport(proxies=who.proxies, ca_file=who.ca_file, at_once=at_once)
    with _progress(total) as watch:
        (reached,) = http.run_dialogues(
            [examination.reach(who, min(timeout, 15))], way, watch=watch
        )
        talks = [examination.examine(who, wanted, reached) for wanted in orders]
        return ProbeReport(cards=tuple(http.run_dialogues(talks, way, watch=watch)))


def slot_models(state: State) -> tuple[str, ...]:
    """The models that the slots hold, each once; the client's own aliases lead to slots."""
    aliases = {"inherit", "opus", "sonnet", "haiku", "fable", "opusplan", "default"}
    return tuple(m for m in dict.fromkeys(state.slots.values()) if m not in aliases)


def _order(model: str, state: State, context: bool, timeout: float) -> Order:
    plain = requests.plain(model)
    slots = tuple(slot for slot, name in state.slots.items() if requests.plain(name) == plain)
    entry = state.gateway.entry_for(model) if state.route == "litellm" else None
    aliases = frozenset({entry.model, entry.name}) if entry is not None else frozenset()
    return Order(model=model, slots=slots, aliases=aliases, context=context, timeout=timeout)


def _caller(session: Session, state: State, held: CurrentSetup) -> ClientProfile:
    """The client as it is configured.

    Raises HahaError where it would call nobody, or would send its own login.
    """
    if not held.configured:
        raise HahaError(msg("no endpoint is configured here"), hints=("haha-config init",))
    url = urls.parse(held.base_url)
    if url is None or url.userinfo:
        place = state.effective(v.BASE_URL).place
        raise HahaError(
            msg("`{name}` is not a base URL that can be called", name=v.BASE_URL),
            place=place,
            hints=("haha-config validate",),
        )
    trust.ensure(session, state, trust.Use(command="probe"))
    if held.own_gateway:
        ensure_ours(session, state, "probe")
    helper = "" if held.credential else _helper(session, state)
    who = client_profile(state, held, helper)
    if not who.kinds and not who.loopback:
        raise HahaError(
            msg("no credential is configured for {host}", host=url.host),
            hints=("haha-config validate", "haha-config init"),
        )
    return who


def _helper(session: Session, state: State) -> str:
    """The key that `apiKeyHelper` gives, from settings that a project can't bring along."""
    for layer in ("managed", "user"):
        file = state.settings.get(layer)
        command = file.data.get("apiKeyHelper") if file is not None else None
        if isinstance(command, str) and command:
            from haha_config.io import clients

            return clients.key_from_helper(command, trust.safe_environ(session))
    return ""


def _announce(
    session: Session,
    who: ClientProfile,
    orders: Sequence[Order],
    planned: Sequence[Request],
    *,
    yes: bool,
) -> None:
    tokens = requests.tokens(planned)
    models = tuple(dict.fromkeys(wanted.model for wanted in orders))
    cost = nmsg(
        "about {n} request to {url}, {tokens} tokens: {models}",
        "about {n} requests to {url}, {tokens} tokens: {models}",
        n=len(planned) + 1,
        url=v.shown_url(who.base_url),
        tokens=_round(tokens),
        models=models,
    )
    report.talk(cost)
    if tokens <= _MANY_TOKENS or yes:
        return
    if not is_terminal():
        raise Usage(msg("so many tokens need a yes"), hints=("haha-config probe --yes",))
    asked = session.prompter(plain=False).confirm(
        msg("Send them?"),
        why=msg("so many tokens need a yes"),
        flag="haha-config probe --yes",
        default=True,
    )
    if asked is not True:
        raise Cancelled(msg("nothing was sent"))


def _round(tokens: int) -> str:
    return f"{max(1, round(tokens / 1000))}K"


@contextmanager
def _progress(total: int) -> Iterator[Callable[[HttpExchange], None]]:
    """A line that moves while answers come in; nothing where nobody watches."""
    if not sys.stderr.isatty() or not report.colored(sys.stderr):
        yield lambda _exchange: None
        return
    from rich.console import Console

    done = 0
    with Console(stderr=True).status(render(msg("waiting for answers"))) as status:

        def watch(exchange: HttpExchange) -> None:
            nonlocal done
            done += 1
            status.update(f"{done}/{max(total, done)} {exchange.ask.key}")

        yield watch


def json_of(found: ProbeReport) -> dict[str, Data]:
    """The result as design section 3 has it, its texts in English."""
    return {"models": [_plain(card) for card in as_data(found)]}


def _plain(data: Data) -> Data:
    if isinstance(data, Message):
        return english(data)
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    return [_plain(value) for value in data] if isinstance(data, list) else data


_MARKS: Final = {"pass": ("✓", "ok"), "fail": ("✗", "error"), "warn": ("!", "warning")}


#: The same where the terminal has no such characters, and for those who hear the screen.
_WORDS: Final = {
    "pass": msg("ok"),
    "fail": msg("fail"),
    "warn": msg("warn"),
    "skip": msg("skip"),
}


def show(found: ProbeReport) -> None:
    """Scorecards for a person: what was tried, the verdict, what mends it."""
    for number, card in enumerate(found.cards):
        if number:
            report.result("")
        _show(card)


def _show(card: Scorecard) -> None:
    slots = f"  ({', '.join(card.slots)})" if card.slots else ""
    report.drawn(f"{report.paint(card.model, 'path', sys.stdout)}{slots}", sys.stdout)
    for check in card.checks:
        report.drawn(_line(check), sys.stdout)
    style = "ok" if card.works else "error" if card.failed else "warning"
    report.drawn(f"  {report.paint(render(card.verdict), style, sys.stdout)}", sys.stdout)
    for hint in card.hints:
        report.hint(hint, sys.stdout)


def _line(check: Check) -> str:
    sign, style = _MARKS.get(check.status, ("-", "dim"))
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    mark = sign if encoding == "utf8" else render(_WORDS[check.status])
    took = f"  {check.ms} ms" if check.ms is not None else ""
    detail = f"{render(check.detail)}{report.paint(took, 'dim', sys.stdout)}"
    return f"  {report.paint(mark, style, sys.stdout)} {check.name:<13} {detail}"
