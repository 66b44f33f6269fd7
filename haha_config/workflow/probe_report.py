"""What to paste into an issue about a probe: Markdown, in English, every secret masked."""

from __future__ import annotations

import platform
from collections.abc import Iterator

from haha_config import __version__
from haha_config.core import rules
from haha_config.core import variables as v
from haha_config.core.model import SLOTS
from haha_config.core.probe.scorecard import ProbeReport, Scorecard
from haha_config.core.state import configured
from haha_config.core.state.facts import closest
from haha_config.core.state.state import State
from haha_config.io import templates
from haha_config.io.i18n import english, with_tilde
from haha_config.workflow.probe import installed_client
from haha_config.workflow.read_state import read_state
from haha_config.workflow.session import Session

#: What decides where a request goes and for which model.
_SHOWN = (v.BASE_URL, v.AUTH_TOKEN, v.API_KEY, *SLOTS.values())


def markdown(session: Session, found: ProbeReport) -> str:
    """The versions, the set-up with its layers, the findings, and each model's checks."""
    state = read_state(session)
    findings = rules.run(state)
    lines = [
        "### haha-config probe",
        "",
        *_versions(session, state),
        "",
        *_setup(state),
        "",
        f"Findings: {len(findings)}",
        *(f"- {one.severity} {one.code}: {english(one.what)}" for one in findings),
    ]
    for card in found.cards:
        lines += ["", *_card(card)]
    return _masked("\n".join(lines), state)


def _versions(session: Session, state: State) -> Iterator[str]:
    litellm = ", ".join(one.version for one in state.machine.litellm) if state.machine else ""
    yield f"- haha-config {__version__}, Python {platform.python_version()}, {platform.platform()}"
    version = installed_client(session) or "(version unknown)"
    spoken = closest(version, tuple(templates.wire_records()))
    yield f"- client: {session.client} {version}; the probe speaks as {spoken}"
    yield f"- LiteLLM: {litellm or 'none found'}"
    held = configured.read(state)
    yield f"- provider: {held.provider or 'unknown'}, route: {held.route}"


def _setup(state: State) -> Iterator[str]:
    yield "| variable | value | from |"
    yield "|---|---|---|"
    for name in _SHOWN:
        one = state.effective(name)
        if one.value is None:
            continue
        place = one.place
        where = with_tilde(f"{place.path}:{place.line}") if place and place.path else ""
        value = v.shown(name, one.value) or '""'
        yield f"| `{name}` | {_cell(value)} | {_cell(f'{one.layer} {where}'.strip())} |"


def _card(card: Scorecard) -> Iterator[str]:
    yield f"**{card.model}** ({', '.join(card.slots) or 'no slot'}): {english(card.verdict)}"
    yield ""
    yield "| check | | detail | ms |"
    yield "|---|---|---|---|"
    for check in card.checks:
        ms = "" if check.ms is None else check.ms
        yield f"| {check.name} | {check.status} | {_cell(english(check.detail))} | {ms} |"
    yield ""
    yield from (f"- mend: {english(hint)}" for hint in card.hints)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _masked(text: str, state: State) -> str:
    """Without any value of a secret variable, whoever quoted it."""
    for layer in state.layers:
        for name, value in layer.values.items():
            if value and len(value) > 5 and v.is_secret(name):
                text = text.replace(value, v.masked(value))
    return text
