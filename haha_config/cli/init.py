"""`init`: ask (or take flags), preview, confirm, write, validate, say what to run next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import typer

from haha_config.cli import options as o
from haha_config.core import urls
from haha_config.core.change import plan as plans
from haha_config.core.errors import Usage
from haha_config.core.messages import Message, msg
from haha_config.core.model import Plan, Route, TargetName, Traffic
from haha_config.core.providers import table as rows
from haha_config.core.record import dataclass, replace
from haha_config.core.setup import draft as drafts
from haha_config.core.setup.answers import Answers
from haha_config.core.setup.draft import Draft
from haha_config.core.state import configured
from haha_config.io import report
from haha_config.io.i18n import _
from haha_config.workflow import flags, profiles
from haha_config.workflow.apply import WriteOptions, WriteResult, report_result, write
from haha_config.workflow.discover import (
    Discovered,
    adopted,
    check_port,
    check_references,
    discover,
    key_for,
    lacking,
    piped_key,
    say_ended,
    say_toolless,
    say_unlisted,
    upstream_keys,
)
from haha_config.workflow.session import Session, choice, is_terminal, open_session

if TYPE_CHECKING:
    from haha_config.cli.interview import Prepared

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(help=_("Ask a few questions and write the client's files."))
def init(
    provider: str | None = typer.Option(None, "--provider", metavar="KEY", help=_("A provider.")),
    via: str | None = typer.Option(None, "--via", metavar="direct|litellm", help=_("The route.")),
    region: str | None = typer.Option(None, "--region", metavar="global|china", help=_("Region.")),
    base_url: str | None = typer.Option(None, "--base-url", metavar="URL", help=_("The endpoint.")),
    model: str | None = typer.Option(None, "--model", metavar="ID", help=_("The `main` slot.")),
    slot: list[str] = typer.Option([], "--slot", metavar="SLOT=ID", help=_("Another slot.")),
    upstream: list[str] = typer.Option(
        [], "--upstream", metavar="[NAME=]KEY:MODEL[@URL]", help=_("A model behind LiteLLM.")
    ),
    upstream_key_env: list[str] = typer.Option(
        [], "--upstream-key-env", metavar="NAME=VAR", help=_("Where that model's key is found.")
    ),
    drop: list[str] = typer.Option(
        [], "--drop", metavar="NAME", help=_("Take a model out of litellm_config.yaml.")
    ),
    port: int | None = typer.Option(None, "--port", metavar="N", help=_("The gateway's port.")),
    context: int | None = typer.Option(
        None, "--context", metavar="N", help=_("The models' window in tokens, where none is known.")
    ),
    traffic: str | None = typer.Option(
        None, "--traffic", metavar="quiet|minimal|default", help=_("What else the client sends.")
    ),
    api_key_env: str | None = typer.Option(
        None, "--api-key-env", metavar="NAME", help=_("The variable that holds the key.")
    ),
    api_key_stdin: bool = typer.Option(
        False, "--api-key-stdin", help=_("Read the key from standard input.")
    ),
    keys: str = typer.Option(
        "copy", "--keys", metavar="copy|env", help=_("env: leave upstream keys where they are.")
    ),
    write_: str | None = typer.Option(
        None, "--write", metavar="env,settings", help=_("Which files may be created.")
    ),
    answers: Path | None = typer.Option(None, "--answers", help=_("Answers from a TOML file.")),
    save_answers: Path | None = typer.Option(
        None, "--save-answers", help=_("Save the answers, without secrets.")
    ),
    save_as: str | None = typer.Option(
        None, "--save-as", metavar="NAME", help=_("The profile's name; else the provider's key.")
    ),
    folder: o.Dir = None,
    project: o.Project = None,
    scope: o.ScopeOption = "user",
    client: o.ClientOption = None,
    yes: o.Yes = False,
    dry_run: o.DryRun = False,
    format: o.FormatOption = "text",  # noqa: A002
    plain: o.Plain = False,
    insecure: o.Insecure = False,
    no_color: o.NoColor = False,
    quiet: o.Quiet = False,
    while_running: o.WhileRunning = False,
    _lang: o.Lang = None,
) -> int:
    as_json = choice("--format", format, ("text", "json")) == "json"
    session = open_session(
        folder=folder, project=project, scope=scope, client=client, quiet=quiet, no_color=no_color
    )
    session.settle(dry_run=dry_run)
    given = flags.InitFlags(
        provider=provider,
        via=via,
        region=region,
        base_url=base_url,
        model=model,
        slot=tuple(slot),
        upstream=tuple(upstream),
        upstream_key_env=tuple(upstream_key_env),
        drop=tuple(drop),
        port=port,
        context=context,
        traffic=traffic,
        api_key_env=api_key_env,
        write=write_,
        keys=keys,
    )
    if answers is not None:
        given = flags.merged(given, flags.load(answers))
    if save_answers is not None:
        flags.check_saving(save_answers)
    start = draft_from_flags(session, given, insecure=insecure)
    found = profiles.helped(session, discover(session, start))
    if api_key_stdin or given.api_key_env:
        start = _with_key(session, start, found, given, from_stdin=api_key_stdin)
    asks = is_terminal() and not (yes or api_key_stdin)
    manner = WriteOptions(
        command="init",
        yes=yes or not asks,
        dry_run=dry_run,
        as_json=as_json,
        while_running=while_running,
        plain=plain,
    )
    if not asks and not yes and not dry_run:
        raise Usage(msg("there is no terminal to ask on"), hints=(msg("add --yes to write"),))
    if asks:
        from haha_config.cli.interview import interview

        work = interview(session, start, found, manner, partial(_prepared, save_as))
        session, start, found = work.session, work.draft, work.found
    else:
        start = _resumed(start, found)
    typed = Typed(
        given=given,
        folder=folder,
        project=project,
        client=client,
        save_answers=save_answers,
        save_as=save_as,
    )
    return _finish(session, start, found, manner, typed, previewed=asks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """The flags that no draft holds."""

    given: flags.InitFlags
    folder: Path | None
    project: Path | None
    client: str | None
    save_answers: Path | None
    save_as: str | None

    def answers(self, draft: Draft, session: Session) -> flags.InitFlags:
        """The draft's answers and these."""
        made = flags.of(draft, session.providers)
        return replace(
            made,
            api_key_env=self.given.api_key_env,
            upstream_key_env=made.upstream_key_env or self.given.upstream_key_env,
            write=self.given.write,
        )

    def again(self, draft: Draft, session: Session) -> str:
        """The same set-up again as one command line."""
        placed = {
            "--dir": self.folder,
            "--project": self.project,
            "--scope": session.scope if session.scope != "user" else None,
            "--client": self.client,
            "--save-as": self.save_as,
        }
        words = [w for flag, value in placed.items() if value for w in (flag, str(value))]
        insecure = ["--insecure"] if draft.insecure else []
        return flags.command(self.answers(draft, session), [*words, *insecure])


# --- from flags to a draft -------------------------------------------------------------------


def draft_from_flags(session: Session, given: flags.InitFlags, *, insecure: bool) -> Draft:
    """What the flags say. Raises Usage for a value that there is not."""
    providers = session.providers
    region = given.region or ""
    slots = dict(drafts.parse_slot(one) for one in given.slot)
    if given.model is not None:
        slots["main"] = drafts.model_name(given.model)
    made = Draft(
        provider=rows.row(providers, given.provider).key if given.provider else "",
        via=_route(given.via),
        region=region,
        slots=slots,
        upstreams=tuple(drafts.parse_upstream(u, providers, region) for u in given.upstream),
        drop=given.drop,
        port=_port(given.port),
        context=_context(given.context),
        traffic=_traffic(given.traffic),
        targets=_targets(session, given.write),
        keep_env=choice("--keys", given.keys or "copy", ("copy", "env")) == "env",
        insecure=insecure,
    )
    if region and made.provider:
        choice("--region", region, providers[made.provider].regions)
    made = _with_variables(made, given.upstream_key_env)
    return _with_url(session, made, given.base_url)


def _with_url(session: Session, draft: Draft, url: str | None) -> Draft:
    if not url:
        return draft
    row = session.providers.get(draft.provider)
    # Behind the gateway it is LiteLLM that calls this URL, and there `/v1` belongs to it.
    upstream = row is not None and not row.multi and drafts.route(draft, row) == "litellm"
    base, said = (url.strip(), None) if upstream else drafts.clean_url(url)
    if said is not None:
        report.talk(said)
    drafts.check_url(base, insecure=draft.insecure)
    return replace(draft, base_url=base)


def _with_variables(draft: Draft, pairs: tuple[str, ...]) -> Draft:
    """`--upstream-key-env NAME=VAR`."""
    variables = {}
    for pair in pairs:
        name, equals, variable = pair.partition("=")
        if not equals or not variable.isidentifier():
            raise Usage(msg("--upstream-key-env wants NAME=VAR"))
        choice("--upstream-key-env", name, [u.name for u in draft.upstreams])
        variables[name] = variable
    changed = tuple(replace(u, variable=variables.get(u.name, u.variable)) for u in draft.upstreams)
    return replace(draft, upstreams=changed)


def _route(text: str | None) -> Route | None:
    return choice("--via", text, get_args(Route)) if text else None  # type: ignore[return-value]


def _traffic(text: str | None) -> Traffic | None:
    return choice("--traffic", text, get_args(Traffic)) if text else None  # type: ignore[return-value]


def _port(number: int | None) -> int | None:
    if number is not None and not 1 <= number <= 65535:
        raise Usage(msg("--port wants a number from 1 to 65535"))
    return number


def _context(number: int | None) -> int | None:
    if number is not None and number < 1:
        raise Usage(msg("--context wants a number of tokens"))
    return number


def _targets(session: Session, text: str | None) -> frozenset[TargetName]:
    """What may be created; the reason is said where it is less than both."""
    if text is not None:
        names = [word.strip() for word in text.split(",") if word.strip()]
        return frozenset(
            choice("--write", name, ("env", "settings"))  # type: ignore[misc]
            for name in names
        )
    from haha_config.io import paths

    if not session.checkout and paths.git_top(session.folder) is not None:
        report.talk(
            msg("no .env is made: every tool in this git work tree that reads one would follow it")
        )
        return frozenset({"settings"})
    if session.folder == session.home:
        report.talk(msg("no .env is made in your home folder: every Bun tool there would read it"))
        return frozenset({"settings"})
    return frozenset({"env", "settings"})


def _resumed(draft: Draft, found: Discovered) -> Draft:
    return drafts.resumed(draft, found.setup, drafts.traffic_of(configured.switches(found.state)))


def _with_key(
    session: Session, draft: Draft, found: Discovered, given: flags.InitFlags, *, from_stdin: bool
) -> Draft:
    """The key from standard input or a named variable, for the one credential there is.

    Raises Usage where there are several, or where that place holds none.
    """
    wanted = {u.variable for u in draft.upstreams if u.variable}
    row = session.providers.get(draft.provider)
    if row is not None and row.multi and not (draft.upstreams or draft.base_url):
        wanted = set(lacking(session, draft, found))
    if len(wanted) > 1:
        raise Usage(
            msg(
                "more than one key is needed ({names}): put each in its variable",
                names=tuple(wanted),
            )
        )
    if from_stdin:
        key = piped_key()
    else:
        name = given.api_key_env or ""
        key = session.environ.get(name, "")
        if not key:
            raise Usage(msg("`{name}` is not set", name=name))
    key, said = drafts.clean_key(key)
    if said is not None:
        report.talk(said)
    if wanted:
        return replace(draft, keys={**draft.keys, wanted.pop(): key})
    return replace(draft, key=key)


# --- from a draft to the files ---------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A draft that lacks nothing, and what it amounts to."""

    draft: Draft
    answers: Answers


def ready(session: Session, draft: Draft, found: Discovered) -> Ready:
    """Fill in what can be found, and check it all.

    Raises Usage or HahaError with what is missing or wrong.
    """
    providers = session.providers
    if not draft.provider:
        draft = replace(draft, provider="litellm" if draft.upstreams else "")
    if not draft.provider:
        raise Usage(
            msg("no provider is given"),
            hints=("haha-config init --provider KEY", "haha-config providers"),
        )
    row = providers[draft.provider]
    if not row.multi and draft.upstreams:
        raise Usage(msg("--upstream goes with --provider litellm"))
    if drafts.route(draft, row) == "litellm":
        if not row.multi:
            draft = key_for(session, draft, found, row)
            draft = drafts.single_upstream(draft, row)
        draft = upstream_keys(session, draft, found)
    else:
        draft = key_for(session, draft, found, row)
    answers = drafts.answers(draft, providers, found.setup, found.master_key)
    if answers.port is not None:
        check_port(answers.port, found)
    if session.scope == "project" and answers.credential != row.credential.token:
        raise Usage(
            msg("--scope project is shared with everybody: no credential is written there"),
            hints=("--scope user", "--scope local"),
        )
    return Ready(draft=draft, answers=answers)


def _finish(
    session: Session,
    draft: Draft,
    found: Discovered,
    manner: WriteOptions,
    typed: Typed,
    *,
    previewed: bool,
) -> int:
    made, build = _builder(session, draft, found, typed.save_as)
    # What is said from here on is about the whole gateway, also what was in it before.
    made = replace(made, draft=profiles.with_kept_upstreams(made.draft, draft, found))
    if not previewed and made.answers.route == "direct":
        say_unlisted(made.answers)
    # The interview's summary was the question.
    outcome = write(session, build, manner, lambda: True, previewed=previewed)
    row = session.providers[made.answers.provider]
    save = typed.save_answers
    if save is not None and not manner.dry_run:
        flags.save(save, typed.answers(made.draft, session))
        report.talk(msg("saved the answers in {path}", path=report.short(str(save))))
    say_ended(session, made.answers)
    if manner.dry_run:
        say_toolless(made.answers, row)
        if manner.as_json:
            report.document(outcome.document())
        return 0
    from haha_config.workflow.read_state import findings

    outcome.findings = [f for f in findings(session) if f.severity != "note"]
    if outcome.applied:
        outcome.next += profiles.said_left(session, outcome.plan)
    if all(f.code != "MOD008" for f in outcome.findings):
        say_toolless(made.answers, row)
    if not previewed:
        outcome.next += next_steps(session, made, typed)
        return report_result(outcome, manner, _headline(outcome))
    code = report_result(outcome, manner, _headline(outcome))
    if code == 0 and outcome.applied:
        from haha_config.workflow.verify import proof

        proof(session, made.answers, plain=manner.plain)
    for line in next_steps(session, made, typed):
        report.talk(line)
    return code


def _builder(
    session: Session, draft: Draft, found: Discovered, save_as: str | None
) -> tuple[Ready, Callable[[], Plan]]:
    """The set-up, and what plans it from the files as they are when it is called."""
    if draft.upstreams or (draft.provider and session.providers[draft.provider].multi):
        found = adopted(found)
    made = ready(session, draft, found)
    if made.answers.port is not None:
        check_references(session, made.draft, found)
    name = save_as or draft.provider or made.draft.provider
    shelved = profiles.from_answers(
        session, name, profiles.with_kept_upstreams(made.draft, draft, found), made.answers
    )
    shelved = profiles.keep_key_location(shelved, found, made.answers.credential)
    helper = profiles.helper(session, shelved.profile)

    def build() -> Plan:
        from haha_config.workflow.gitignore import protected

        plan = protected(plans.build(made.answers, session.state(), session.starts, helper))
        return replace(plan, writes=(*plan.writes, *profiles.writes(session, shelved)))

    return made, build


def _prepared(save_as: str | None, session: Session, draft: Draft, found: Discovered) -> Prepared:
    """What the interview shows before it asks to write."""
    from haha_config.cli.interview import Prepared

    made, build = _builder(session, draft, found, save_as)
    return Prepared(draft=made.draft, answers=made.answers, plan=build())


def _headline(outcome: WriteResult) -> Message | None:
    if not outcome.applied:
        return None
    written = tuple(report.short(w.path) for w in outcome.plan.effective)
    return msg("wrote {paths}", paths=written)


def next_steps(session: Session, made: Ready, typed: Typed) -> Iterator[Message | str]:
    """What to type next, ready to be pasted."""
    yield ""
    yield msg("Next:")
    if made.answers.port is not None:
        from haha_config.cli import proxy
        from haha_config.io import loopback

        if loopback.who(made.answers.port) == "litellm":
            if proxy.status_of(proxy.site(session)).stale is not False:
                yield msg("  haha-config proxy restart   (the gateway that runs has the old files)")
        else:
            if proxy.best(proxy.looked(session)) is None:
                yield "  haha-config proxy install"
            yield msg("  haha-config proxy up        (start the gateway)")
    row = session.providers[made.answers.provider]
    if row.start and not row.multi and not _answers(made.answers.base_url):
        yield msg("  {command}   (if it is not running)", command=row.start)
    start = "bin/claude-haha" if session.client == "haha" else "claude"
    yield msg("  {command}", command=start)
    added = [u.name for u in made.answers.upstreams]
    main = made.answers.slots["main"].removesuffix("[1m]")
    if added and main not in added:
        line = f"haha-config switch-model {added[0]}"
        yield msg(
            "  {command}   (the client goes on with {main} until then)", command=line, main=main
        )
    again = typed.again(made.draft, session)
    yield msg("  {command}   (the same set-up again)", command=again)


def _answers(base_url: str) -> bool:
    """Whether the server on this machine runs already."""
    from haha_config.io import loopback

    url = urls.parse(base_url)
    return url is not None and url.loopback and loopback.listens(url.port)
