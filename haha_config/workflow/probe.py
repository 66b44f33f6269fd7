"""Real requests to what is configured, graded: for probe, validate --live and the end of init."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from threading import Timer
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from haha_config.core import headers, urls
from haha_config.core import variables as v
from haha_config.core.errors import Cancelled, HahaError, Usage
from haha_config.core.exchange import HttpExchange, Request
from haha_config.core.messages import Message, msg, nmsg
from haha_config.core.model import Data, Slot, plain_name
from haha_config.core.probe import examination, requests
from haha_config.core.probe.client_profile import ClientProfile, client_profile
from haha_config.core.probe.examination import Order
from haha_config.core.probe.scorecard import ProbeReport, Scorecard, Status, as_data
from haha_config.core.state import configured
from haha_config.core.state.facts import closest
from haha_config.core.state.state import State
from haha_config.io import clients, machine, programs, report, templates
from haha_config.io.i18n import columns, english, render
from haha_config.workflow import trust
from haha_config.workflow.gateway.progress import progress
from haha_config.workflow.gateway.site import ensure_ours
from haha_config.workflow.listing import check_base_url
from haha_config.workflow.session import Session, is_terminal

#: Above this a person is asked first.
_MANY_TOKENS: Final = 60_000


#: Requests in flight to a gateway or a service. A model is asked three things at once, so
#: twenty are probed in the time of one; the limits of services count by model or by minute.
_AT_ONCE: Final = 64


#: The longest wait for an answer where nobody watches, who could end it.
UNWATCHED: Final = 120.0
#: How long a stream may fall silent even where API_TIMEOUT_MS is short: the client waits longer
#: (measured: 300 s in 2.1.332, whatever that variable says).
_SILENCE: Final = 60.0
#: After so long a line says how long the client would wait.
_LONG: Final = 30.0


class ProbeOptions(Struct, frozen=True, kw_only=True):
    """How a probe is made. `timeout` None: as long as the client waits.

    `small`: without a request as large as the client's first one. `yes`: nobody is asked, however
    much it costs.
    """

    context: bool = False
    small: bool = False
    timeout: float | None = None
    yes: bool = True


def run_probe(
    session: Session,
    state: State,
    models: Sequence[str] = (),
    options: ProbeOptions = ProbeOptions(),  # noqa: B008 - it is frozen
) -> ProbeReport:
    """Probe `models`, by default those of the slots. Says first what it costs.

    Raises HahaError where there is nothing to probe.
    """
    who, orders, planned = _plan(session, state, models or slot_models(state), options)
    if options.timeout is None:
        who = replace(who, silence=_SILENCE)
    if not orders:
        raise HahaError(msg("no model is configured here"), hints=("haha-config init",))
    _announce(session, who, orders, planned, yes=options.yes)
    return _run(who, orders, state, len(planned) + 1)


def priced(session: Session, state: State, options: ProbeOptions) -> tuple[int, int]:
    """How many requests a probe of the slots' models sends, and about how many tokens."""
    _, _, planned = _plan(session, state, slot_models(state), options)
    return len(planned) + 1, requests.tokens(planned)


def _plan(
    session: Session, state: State, models: Sequence[str], options: ProbeOptions
) -> tuple[ClientProfile, list[Order], list[Request]]:
    """The client, what is to be found out about each model, and the requests that takes."""
    who = caller_of(session, state)
    orders = [_order(model, state, options, who) for model in models]
    return who, orders, [ask for wanted in orders for ask in examination.planned(who, wanted)]


def _run(who: ClientProfile, orders: Sequence[Order], state: State, total: int) -> ProbeReport:
    from haha_config.io import http

    # A model server of this machine works on one answer at a time: more at once would only wait
    # for each other, and the last of them would look slow.
    local = who.loopback if who.route == "direct" else has_local_upstream(state)
    at_once = 2 if local else _AT_ONCE
    way = http.Transport(proxies=who.proxies, ca_file=who.ca_file, at_once=at_once)
    timeout = min(orders[0].timeout, 15)
    with _progress(total, who, orders[0].timeout) as watch:
        (reached,) = http.run_dialogues([examination.reach(who, timeout)], way, watch=watch)
        talks = [examination.examine(who, wanted, reached) for wanted in orders]
        return ProbeReport(cards=tuple(http.run_dialogues(talks, way, watch=watch)))


def has_local_upstream(state: State) -> bool:
    """Whether a model behind the gateway runs on this machine."""
    entries = filter(None, map(state.gateway.entry_for, slot_models(state)))
    return any(
        urls.local_port(entry.api_base or "") is not None or entry.model.startswith("ollama")
        for entry in entries
    )


def slot_models(state: State) -> tuple[str, ...]:
    """The models that the slots hold, each once; the client's own aliases lead to slots."""
    aliases = {"inherit", "opus", "sonnet", "haiku", "fable", "opusplan", "default"}
    return tuple(m for m in dict.fromkeys(state.slots.values()) if m not in aliases)


def slots_of(model: str, state: State) -> tuple[Slot, ...]:
    """The slots that hold this model; `x` and `x[1m]` are asked for by one name."""
    plain = plain_name(model)
    held = [slot for slot, name in state.slots.items() if name == model]
    alike = [slot for slot, name in state.slots.items() if plain_name(name) == plain]
    return tuple(held or alike)


def _order(model: str, state: State, options: ProbeOptions, who: ClientProfile) -> Order:
    entry = state.gateway.entry_for(model) if state.route == "litellm" else None
    aliases = frozenset({entry.model, entry.name}) if entry is not None else frozenset()
    longest = who.patience if sys.stderr.isatty() else min(who.patience, UNWATCHED)
    return Order(
        model=model,
        slots=slots_of(model, state),
        aliases=aliases,
        context=options.context,
        small=options.small,
        timeout=min(options.timeout or longest, who.patience),
    )


def caller_of(session: Session, state: State) -> ClientProfile:
    """The client as it is configured.

    Raises HahaError where it would call nobody, or would send its own login.
    """
    held = configured.read(state)
    if not held.configured:
        state.check_written()
        raise configured.nothing()
    url = check_base_url(state, held)
    trust.ensure(session, state, trust.Use(command="probe"))
    if held.own_gateway:
        ensure_ours(session, state, "probe")
    login = machine.client_state(session.environ, session.home).primary_api_key is not None
    helper = _helper(session, state)
    # What the installed client sends, or one of the closest version that is known.
    known = templates.wire_records()
    version = closest(installed_client(session), tuple(known))
    record = known[version].read_text(encoding="utf-8")
    who = client_profile(state, held, record, helper, login=login)
    if not who.kinds and not who.loopback:
        raise HahaError(
            msg("no credential is configured for {host}", host=url.host),
            hints=("haha-config validate", "haha-config init"),
        )
    return who


def installed_client(session: Session) -> str:
    """The version of the client on the PATH; "" where there is none, or it does not say."""
    if session.client != "claude":
        return ""
    path = session.environ.get("PATH", "")
    program = programs.find("claude", path, trust.foreign_folders(session))
    return programs.version_of(program) if program is not None else ""


def _helper(session: Session, state: State) -> str:
    """The key that the client's `apiKeyHelper` gives; "" where none of it is sent.

    Raises HahaError where a folder brings that command and nobody has agreed to it.
    """
    key = state.value(v.API_KEY) or headers.value(state.value(v.HEADERS), headers.KEY)
    if state.value(v.AUTH_TOKEN) and key:
        return ""
    files = [file for _, file in state.settings_files if file.data.get(v.HELPER)]
    if not files:
        return ""
    command = str(files[0].data[v.HELPER])
    trust.ensure_helper(session, state, "probe")
    return clients.key_from_helper(command, trust.safe_environ(session))


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
        "about {n} request to {url} as client {version}, {tokens} tokens: {models}",
        "about {n} requests to {url} as client {version}, {tokens} tokens: {models}",
        n=len(planned) + 1,
        url=v.shown_url(who.base_url),
        version=who.wire.version,
        tokens=thousands(tokens),
        models=models,
    )
    report.talk(cost)
    if tokens <= _MANY_TOKENS or yes:
        return
    if not is_terminal():
        raise Usage(msg("this many tokens need your yes"), hints=("haha-config probe --yes",))
    asked = session.prompter(plain=False).confirm(
        msg("Send them?"),
        why=msg("this many tokens need your yes"),
        flag="haha-config probe --yes",
        default=True,
    )
    if not asked:
        raise Cancelled(msg("nothing was sent"))


def thousands(tokens: int) -> str:
    """A number of tokens, near enough for what they cost."""
    return f"{max(1, round(tokens / 1000))}K"


@contextmanager
def _progress(
    total: int, who: ClientProfile, timeout: float
) -> Iterator[Callable[[HttpExchange], None]]:
    """A line that moves while answers come in, where somebody watches; one that asks for patience.

    The second comes once, after a while in which no answer has come.
    """
    said = msg(
        "no answer yet. The probe waits {n} s, the client {patience} s (Ctrl-C ends it)",
        n=round(timeout),
        patience=round(who.patience),
    )
    long = Timer(_LONG, report.talk, (said,))
    long.daemon = True
    if timeout > _LONG:
        long.start()
    try:
        with _counted(total) as counted:

            def watch(exchange: HttpExchange) -> None:
                long.cancel()
                counted(exchange)

            yield watch
    finally:
        long.cancel()


@contextmanager
def _counted(total: int) -> Iterator[Callable[[HttpExchange], None]]:
    if not sys.stderr.isatty() or not report.colored(sys.stderr):
        yield lambda _exchange: None
        return
    number = count(1)

    def tell(exchange: HttpExchange) -> None:
        done = next(number)
        say(f"{done}/{max(total, done)} {exchange.ask.key}")

    with progress(msg("waiting for answers")) as say:
        yield tell


def json_of(found: ProbeReport) -> dict[str, Data]:
    """The result as design section 3 has it, its texts in English."""
    return {"models": [_plain(card) for card in as_data(found)]}


def _plain(data: Data) -> Data:
    if isinstance(data, Message):
        return english(data)
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    return [_plain(value) for value in data] if isinstance(data, list) else data


#: The last is for terminals that have no such characters, and for those who hear the screen.
_MARKS: Final = {
    "pass": ("✓", "ok", msg("ok")),
    "fail": ("✗", "error", msg("fail")),
    "warn": ("!", "warning", msg("warn")),
    "skip": ("-", "dim", msg("skip")),
}


def show(found: ProbeReport) -> None:
    """Scorecards for a person: what was tried, the verdict, what mends it."""
    for number, card in enumerate(found.cards):
        if number:
            report.result("")
        _show(card)


def _show(card: Scorecard) -> None:
    slots = f"  ({', '.join(card.slots)})" if card.slots else ""
    head = report.fitted(f"{card.model}{slots}", sys.stdout, indent=0)
    painted = report.paint(card.model, "path", sys.stdout)
    report.drawn(head.replace(card.model, painted, 1), sys.stdout)
    status: Status = "pass" if card.works else "fail" if card.failed else "warn"
    report.drawn(_marked(status, render(card.verdict), indent=0), sys.stdout)
    for hint in card.hints:
        report.hint(hint, sys.stdout)
    for check in card.checks:
        took = f"  {check.ms} ms" if check.ms is not None else ""
        text = f"{render(check.detail)}{took}"
        line = _marked(check.status, text, indent=2, name=f"{check.name:<13} ")
        report.drawn(line, sys.stdout)


def _marked(status: Status, text: str, *, indent: int, name: str = "") -> str:
    """A mark, a name and a text that is broken between words."""
    sign, style, word = _MARKS[status]
    mark = sign if report.shows_marks() else render(word)
    taken = indent + columns(mark) + 1 + len(name)
    fitted = report.fitted(text, sys.stdout, indent=taken)
    return f"{' ' * indent}{report.paint(mark, style, sys.stdout)} {name}{fitted}"
