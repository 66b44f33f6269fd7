"""`probe`: real requests, graded; the same run for `validate --live` and the end of `init`."""

from __future__ import annotations

from typing import Any, get_args

import typer
from typer.core import TyperCommand

from haha_config.cli import options as o
from haha_config.core.errors import FINE, PROBLEM, Usage
from haha_config.core.messages import msg
from haha_config.core.model import SLOTS, Client, Slot
from haha_config.core.probe.scorecard import Grade
from haha_config.core.state.state import State
from haha_config.io import report
from haha_config.io.i18n import _
from haha_config.workflow.probe import ProbeOptions, json_of, run_probe, show
from haha_config.workflow.session import Session, choice

app = typer.Typer(rich_markup_mode=None, add_completion=False)


class _ClientItself(TyperCommand):
    """`--client` without a name is the client itself; with one it says which client that is."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        following = [*args[1:], ""][: len(args)]
        named = get_args(Client)
        return super().parse_args(
            ctx,
            [
                "--the-client" if word == "--client" and after not in named else word
                for word, after in zip(args, following, strict=True)
            ],
        )


@app.command(cls=_ClientItself)
@o.takes(*o.WHERE, "yes", "trusting", *o.PRINTED)
def probe(
    names: list[str] = typer.Argument(None, metavar="[MODEL]...", help=_("Only these models.")),
    slot: list[str] = typer.Option(
        [],
        "--slot",
        metavar="SLOT",
        help=_("Only the model for main, opus, sonnet, haiku, fable or subagent."),
    ),
    everything: bool = typer.Option(False, "--all", help=_("Every model on offer.")),
    require: str = typer.Option(
        "tools",
        "--require",
        metavar="GRADE",
        show_default=False,
        help=_("Exit 1 below this grade; default: tools."),
    ),
    context: bool = typer.Option(False, "--context", help=_("Also send a long prompt.")),
    small: bool = typer.Option(False, "--small", help=_("Leave out the large first request.")),
    as_report: bool = typer.Option(
        False, "--report", help=_("Print Markdown for an issue, secrets masked.")
    ),
    the_client: bool = typer.Option(
        False,
        "--the-client",
        help=_("Let the real client ask once; `--client` without a name is the same."),
    ),
    timeout: float = typer.Option(
        None,
        "--timeout",
        metavar="SECONDS",
        min=0.1,
        help=_("Longest wait for an answer; default: the client's own."),
    ),
    *,
    shared: o.SharedOptions,
) -> int:
    wanted: Grade = choice("--require", require, get_args(Grade))
    session = shared.session(reads=True)
    state = session.state()
    if the_client:
        from haha_config.workflow.client_run import run_client

        found = run_client(session, state, timeout)
    else:
        models = _models(session, state, tuple(names or ()), tuple(slot), everything=everything)
        options = ProbeOptions(context=context, small=small, timeout=timeout, yes=shared.yes)
        found = run_probe(session, state, models, options)
    if shared.as_json:
        report.document(json_of(found))
    elif as_report:
        from haha_config.workflow.probe_report import markdown

        report.result(markdown(session, found))
    else:
        show(found)
    return FINE if found.reaches(wanted) else PROBLEM


# --- what to probe ---------------------------------------------------------------------------


def _models(
    session: Session,
    state: State,
    names: tuple[str, ...],
    slots: tuple[str, ...],
    *,
    everything: bool,
) -> tuple[str, ...]:
    found = list(names)
    for slot in slots:
        key: Slot = choice("--slot", slot, SLOTS)
        if key not in state.slots:
            raise Usage(msg("no model is set for {slot}", slot=slot))
        found.append(state.slots[key])
    if everything:
        from haha_config.workflow.listing import listed

        found += [entry.model.id for entry in listed(session).entries]
    return tuple(dict.fromkeys(found))
