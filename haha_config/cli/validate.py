"""`validate`: what is wrong, where, why, and the line that mends it."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

import typer
from msgspec import Struct
from msgspec.structs import replace

from haha_config.cli import options as o
from haha_config.core import rules, urls
from haha_config.core import variables as v
from haha_config.core.errors import FINE, PROBLEM
from haha_config.core.messages import Message, msg
from haha_config.core.model import SLOTS, Finding, Plan, plain_name
from haha_config.core.rules.rule import chosen_cloud, configured, stays_home
from haha_config.core.state import configured as setups
from haha_config.core.state.state import State
from haha_config.io import disk, report, templates
from haha_config.io.i18n import _, english, render
from haha_config.workflow.session import Session, choice

if TYPE_CHECKING:
    from haha_config.core.rules.sources import Sources

app = typer.Typer(rich_markup_mode=None, add_completion=False)

TARGETS: Final = ("env", "settings", "litellm")


class Wanted(Struct, frozen=True, kw_only=True):
    """Which rules are asked, and of what."""

    only: frozenset[str]
    select: tuple[str, ...]
    ignore: tuple[str, ...]


@app.command()
@o.takes(*o.WHERE, "yes", "trusting", "follow", "dry_run", "while_running", *o.PRINTED)
def validate(
    fix: bool = typer.Option(False, "--fix", help=_("Repair what needs no choice.")),
    strict: bool = typer.Option(False, "--strict", help=_("Exit 1 for warnings too.")),
    select: str = typer.Option("", "--select", metavar="CODES", help=_("Check only these rules.")),
    ignore: str = typer.Option("", "--ignore", metavar="CODES", help=_("Leave out these rules.")),
    only: str = typer.Option(
        "",
        "--only",
        metavar="env,settings,litellm",
        help=_("Read only these files, for hooks and CI."),
    ),
    explain: str = typer.Option("", "--explain", metavar="CODE", help=_("Explain a rule.")),
    listed: bool = typer.Option(False, "--list", help=_("List the rules.")),
    live: bool = typer.Option(False, "--live", help=_("Then send real requests (probe).")),
    *,
    shared: o.SharedOptions,
) -> int:
    as_json = shared.as_json
    if explain:
        return _explain(explain, as_json=as_json)
    if listed:
        return _list(as_json=as_json)
    targets = frozenset(choice("--only", name, TARGETS) for name in _codes(only))
    wanted = Wanted(only=targets, select=_codes(select), ignore=_codes(ignore))
    if shared.client is None and "env" in wanted.only:
        # A hook does not know the client: whoever names `.env` wants it judged as one that is read.
        shared = replace(shared, client="haha")
    session = shared.session()
    if fix:
        manner = shared.writing("validate --fix", yes=shared.yes, agrees=False)
        return _fix(session, wanted, manner, strict=strict)
    code = _check(session, wanted, strict=strict, as_json=as_json)
    return _live(session, as_json=as_json) if live and code == FINE else code


# --- what was asked --------------------------------------------------------------------------


def _codes(text: str) -> tuple[str, ...]:
    return tuple(code for code in text.replace(",", " ").split() if code)


def _look(session: Session, wanted: Wanted) -> State:
    from haha_config.workflow.read_state import read_state

    return read_state(session, wanted.only)


# --- checking --------------------------------------------------------------------------------


def _check(session: Session, wanted: Wanted, *, strict: bool, as_json: bool) -> int:
    # With `--only` not even the lock is touched.
    with nullcontext() if wanted.only else disk.shared(session.state_folder):
        state = _look(session, wanted)
    found = rules.run(state, wanted.select, wanted.ignore)
    nothing = nothing_here(state)
    if nothing and not found:
        raise setups.nothing()
    if as_json:
        report.document(
            {"findings": report.findings_json(found), "summary": report.summary_json(found)}
        )
    else:
        _print(state, found, _others(session, state))
    code = exit_code(found, strict=strict)
    if nothing and code == FINE:
        if not as_json:
            report.failure(setups.nothing(), as_json=False)
        return PROBLEM
    return code


def nothing_here(state: State) -> bool:
    """Whether no target is there to be judged, whatever else a file holds.

    For a hook a file without our variables is a file in order.
    """
    from haha_config.core.rules.fix import files

    if state.only and any(f.exists for f in files(state)):
        return False
    broken = any(f.error is not None for f in files(state))
    journal = state.machine is not None and state.machine.journal
    ours = bool(state.value(v.BASE_URL)) or (configured(state) and not stays_home(state))
    ours = ours or chosen_cloud(state) is not None
    return not (ours or state.litellm.exists or broken or journal)


def exit_code(found: list[Finding], *, strict: bool) -> int:
    failing = {"error", "warning"} if strict else {"error"}
    return PROBLEM if any(f.severity in failing for f in found) else FINE


def _others(session: Session, state: State) -> tuple[Message, ...]:
    """What another version of the client does where it reads other local settings."""
    from haha_config.io import paths

    if state.only or paths.local_settings_of_git(session.project, session.home) is None:
        return ()
    from haha_config.workflow import versions

    return tuple(versions.others(session, state))


def _print(state: State, found: list[Finding], others: tuple[Message, ...]) -> None:
    from haha_config.core.change.excerpt import excerpt
    from haha_config.core.rules.fix import files

    if found:
        read = files(state)
        report.findings(found, lambda f: excerpt(f, read), sys.stdout)
        print()
    if _passed_over(state):
        what = msg(
            "{path} differs, and was not checked: only claude-haha reads it",
            path=report.short(state.dotenv.path),
        )
        report.result(what, prose=True)
        report.hint("haha-config validate --client haha", sys.stdout)
    for line in others:
        report.result(line, prose=True)
    good = all(f.severity != "error" and f.code != "SYS002" for f in found)
    report.ended(verdict(state, found), good=good)


def _passed_over(state: State) -> bool:
    """Whether a `.env` that this client does not read is broken, or not what was judged."""
    if state.client != "claude" or state.only:
        return False
    held = state.dotenv.data
    differs = any(str(held[name]) != state.value(name) for name in v.OWNED if name in held)
    return differs or state.dotenv.error is not None


def verdict(state: State, found: list[Finding]) -> Message:
    """One true sentence: how many problems, and what the client will do with these files."""
    counts = report.summary(found)
    base = state.value(v.BASE_URL)
    if any(f.severity == "error" and rules.find(f.code).fatal for f in found):
        return msg("{counts}: the client will not work like this", counts=counts)
    url = v.shown_url(urls.called(base)) if base else chosen_cloud(state)
    if state.only or not url:
        return counts
    calls = msg("{counts}: the client calls {url}", counts=counts, url=url)
    if not base:
        return calls
    if any(f.code == "SYS002" for f in found):
        return msg("{calls}, where nothing answers", calls=calls)
    model = _asked(state)
    return msg("{calls} and asks for `{model}`", calls=calls, model=model) if model else calls


def _asked(state: State) -> str:
    """The model of the next session as it is written; "" for one of Anthropic's."""
    from haha_config.core.state import asked

    held, model = state.value(SLOTS["main"]), asked.model(state)
    return held if plain_name(held) == model else model


def _live(session: Session, *, as_json: bool) -> int:
    """Go on to `probe`, on the same files; a gateway that is not up loads them first."""
    from haha_config.cli.app import invoke
    from haha_config.io import loopback

    shared = ["--dir", str(session.folder)]
    shared += ["--trust"] if session.trusting else []
    shared += ["--format", "json"] if as_json else []
    state = session.state()
    gateway = state.route == "litellm" and state.litellm.exists
    if gateway and not loopback.who(state.gateway.port):
        code = invoke(["proxy", "check", *shared])
        if code != FINE:
            return code
    where = ("--project", str(session.project), "--scope", session.scope)
    return invoke(["probe", *shared, *where, "--client", session.client])


# --- mending ---------------------------------------------------------------------------------


def _fix(session: Session, wanted: Wanted, manner: Any, *, strict: bool) -> int:
    from haha_config.core.rules.fix import Fixed, fixed
    from haha_config.io import machine
    from haha_config.workflow import apply
    from haha_config.workflow.gitignore import protected

    seen: list[Fixed] = []

    def build() -> Plan:
        seen.append(fixed(_look(session, wanted), wanted.select, wanted.ignore))
        return protected(seen[-1].plan, seen[-1].exclude)

    outcome = apply.write(session, build, manner, confirm=lambda: _confirm(session))
    private = seen[-1].private
    for path in private:
        if not manner.dry_run:
            if not (outcome.applied or manner.yes or not outcome.plan.effective):
                continue
            machine.make_private(path)
            outcome.applied = True
        report.talk(msg("{path}: mode 600, for you only", path=path))
    state = seen[-1].state if manner.dry_run else _look(session, wanted)
    outcome.findings = rules.run(state, wanted.select, wanted.ignore)
    apply.report_result(outcome, manner)
    return FINE if manner.dry_run else exit_code(outcome.findings, strict=strict)


def _confirm(session: Session) -> bool:
    """Ask once. Without a terminal nothing is asked: `--yes` says that it may be written."""
    from haha_config.core.errors import Usage
    from haha_config.workflow.session import is_terminal

    if not is_terminal():
        raise Usage(msg("--fix writes: add --yes"), hints=("haha-config validate --fix --yes",))
    prompter = session.prompter()
    return prompter.confirm(
        msg("Write these changes?"),
        default=True,
        why=msg("`haha-config undo` takes them back."),
        flag="--yes",
    )


# --- about the rules -------------------------------------------------------------------------


def _sources() -> Sources:
    from haha_config.core.rules import sources

    return sources.parse(templates.text("facts/sources.toml"))


def _explain(code: str, *, as_json: bool) -> int:
    rule = rules.find(code)
    if as_json:
        report.document({"rule": _as_json(rule, _sources())})
        return FINE
    print(f"{rules.code_of(rule)} {rule.name}: {render(rule.title)}")
    print()
    for text in (rule.why, rule.how):
        if text:
            report.result(text, prose=True)
    print()
    for source in _sources().of(rules.code_of(rule)):
        report.result(msg("Source: {source}", source=source.told), prose=True)
    fixable = msg(", repaired by `haha-config validate --fix`") if rule.fixable else ""
    print(f"\n{render(report.SEVERITY[rule.severity])}{render(fixable)}")
    return FINE


def _list(*, as_json: bool) -> int:
    if as_json:
        known = _sources()
        report.document({"rules": [_as_json(rule, known) for rule in rules.every()]})
        return FINE
    from haha_config.io.table import Column, Row, lines

    rows = []
    for family, about in rules.FAMILIES.items():
        for rule in rules.family(family):
            severity = render(report.SEVERITY[rule.severity])
            cells = (f"  {rules.code_of(rule)}", rule.name, severity, render(rule.title))
            rows.append(Row(cells, "", render(about)))
    for line in lines((Column(), Column(), Column(), Column(prose=True)), rows, sys.stdout):
        print(line)
    return FINE


def _as_json(rule: type[rules.Rule], known: Sources) -> dict[str, Any]:
    return {
        "code": rules.code_of(rule),
        "name": rule.name,
        "severity": rule.severity,
        "title": english(rule.title),
        "why": english(rule.why),
        "how": english(rule.how) if rule.how else "",
        "fixable": rule.fixable,
        "sources": [english(source.told) for source in known.of(rules.code_of(rule))],
    }
