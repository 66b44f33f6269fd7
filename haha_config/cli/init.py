"""`init`: ask (or take flags), preview, confirm, write, validate, say what to run next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Final

import typer
from msgspec import Struct
from msgspec.structs import replace

from haha_config.cli import options as o
from haha_config.cli.help import sectioned
from haha_config.core import urls
from haha_config.core.change import beside
from haha_config.core.change import plan as plans
from haha_config.core.errors import Usage
from haha_config.core.messages import Message, msg
from haha_config.core.model import Plan, plain_name
from haha_config.core.setup.answers import Answers
from haha_config.core.setup.draft import Draft
from haha_config.io import profile_files, report
from haha_config.io.i18n import _
from haha_config.workflow import flags, profiles, trust
from haha_config.workflow.apply import WriteOptions, report_result, write
from haha_config.workflow.configure import Prepared, draft_from_flags, prepared, resumed, with_key
from haha_config.workflow.discover import (
    Discovered,
    adopted,
    check_references,
    discover,
    say_ended,
    say_toolless,
    say_unlisted,
)
from haha_config.workflow.session import Session, is_terminal

app = typer.Typer(rich_markup_mode=None, add_completion=False)


#: What stands for the value of each answer, and its help.
ANSWERS: Final = {
    "provider": ("KEY", _("Who answers: a name from `haha-config providers`.")),
    "via": ("direct|litellm", _("direct: the client calls the provider. litellm: a gateway does.")),
    "region": ("global|china", _("Where your account was made.")),
    "base_url": ("URL", _("The base URL of the service.")),
    "model": ("ID", _("The model for everything.")),
    "slot": ("SLOT=ID", _("The model for opus, sonnet, haiku, fable or subagent.")),
    "upstream": ("[NAME=]KEY:MODEL[@URL]", _("A model behind LiteLLM.")),
    "upstream_key_env": (
        "NAME=VAR[,VAR]",
        _("The variable with that model's key; several keys share the load."),
    ),
    "fallback": (
        "[MODEL=]NAME",
        _("The model to use where MODEL (default: main) fails; MODEL= removes it."),
    ),
    "drop": ("NAME", _("Take a model out of litellm_config.yaml.")),
    "port": ("N", _("The gateway's port.")),
    "context": ("N", _("The models' window in tokens, where none is known.")),
    "traffic": ("quiet|minimal|default", _("What the client may send besides requests.")),
    "permissions": (
        "ask|auto|keep",
        _("Who approves commands: you (ask), the model (auto), as now (keep)."),
    ),
    "deny_web_search": (None, _("Turn off the client's web search, if the service has none.")),
    "api_key_env": ("NAME", _("The variable that holds the key.")),
    "keys": (
        "copy|env",
        _("copy the gateway's keys (default), or leave them in the environment (env)."),
    ),
    "write": ("env,settings", _("Which files may be created.")),
}


@app.command(
    cls=sectioned(
        {
            _("What the client will use"): (
                *("--provider", "--model", "--slot", "--region", "--base-url", "--via"),
                *("--upstream", "--upstream-key-env", "--fallback", "--drop"),
                *("--port", "--context"),
                *("--permissions", "--deny-web-search", "--traffic"),
            ),
            _("Keys"): ("--api-key-env", "--api-key-stdin", "--keys", "--insecure"),
            _("Files"): (
                *("--write", "--dir", "--scope", "--project", "--client"),
                *("--save-as", "--answers", "--save-answers"),
            ),
        },
        (
            "haha-config init",
            "haha-config init --provider deepseek --yes",
            "haha-config init --provider litellm --upstream openai:gpt-6-luna --yes",
        ),
        _("How it runs"),
    )
)
@o.takes(*o.WRITING, "follow", "insecure")
@o.answers(flags.InitFlags, ANSWERS)
def init(
    api_key_stdin: o.KeyStdin = False,
    answers: Path | None = typer.Option(None, "--answers", help=_("Answers from a TOML file.")),
    save_answers: Path | None = typer.Option(
        None, "--save-answers", help=_("Save the answers, without secrets.")
    ),
    save_as: str | None = typer.Option(
        None,
        "--save-as",
        metavar="NAME",
        help=_("The profile's name; default: the provider's key."),
    ),
    *,
    given: flags.InitFlags,
    shared: o.SharedOptions,
) -> int:
    session = shared.start()
    if answers is not None:
        given = flags.merged(given, flags.parse(profile_files.load(answers), answers))
    if save_answers is not None:
        flags.check_saving(save_answers)
    start = draft_from_flags(session, given, insecure=shared.insecure)
    if answers is not None:
        from haha_config.workflow.import_profiles import said_of_answers

        for note in said_of_answers(session, start, given.api_key_env):
            report.talk(note)
    found = profiles.helped(session, discover(session, start))
    if api_key_stdin or given.api_key_env:
        start = with_key(session, start, found, given, from_stdin=api_key_stdin)
    asks = is_terminal() and not (shared.yes or api_key_stdin)
    manner = shared.writing("init", yes=not asks)
    if not (asks or shared.yes or shared.dry_run):
        raise Usage(msg("there is no terminal"), hints=(msg("add --yes to write"),))
    if asks:
        from haha_config.cli.interview import interview

        work = interview(session, start, found, manner, partial(_prepared, save_as))
        session, start, found = work.session, work.draft, work.found
    else:
        start = resumed(start, found)
    typed = Typed(given=given, shared=shared, save_answers=save_answers, save_as=save_as)
    return _finish(session, start, found, manner, typed, previewed=asks)


class Typed(Struct, frozen=True, kw_only=True):
    """The flags that no draft holds."""

    given: flags.InitFlags
    shared: o.SharedOptions
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
            "--dir": self.shared.folder,
            "--project": self.shared.project,
            "--scope": session.scope if session.scope != "user" else None,
            "--client": self.shared.client,
            "--save-as": self.save_as,
        }
        words = [w for flag, value in placed.items() if value for w in (flag, str(value))]
        insecure = ["--insecure"] if draft.insecure else []
        return flags.command(self.answers(draft, session), [*words, *insecure])


# --- from a draft to the files ---------------------------------------------------------------


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
    made = replace(made, draft=profiles.with_kept_upstreams(session, made.draft, draft, found))
    if not previewed:
        _warn(made.answers, typed, found)
    # The interview's summary was the question.
    outcome = write(session, build, manner, previewed=previewed)
    row = session.providers[made.answers.provider]
    save = typed.save_answers
    if save is not None and not manner.dry_run:
        flags.save(save, typed.answers(made.draft, session))
        report.talk(msg("saved the answers in {path}", path=report.short(str(save))))
    say_ended(session, made.answers)
    if manner.dry_run:
        say_toolless(made.answers, row)
        return report_result(outcome, manner)
    trust.record_checkout(session)
    from haha_config.workflow.read_state import findings

    outcome.findings = findings(session)
    if outcome.applied:
        outcome.next += profiles.said_left(session, outcome.plan)
    if all(f.code != "MOD008" for f in outcome.findings):
        say_toolless(made.answers, row)
    # What was asked for, also where LiteLLM stands between.
    name = session.providers.get(draft.provider, row).name
    headline = msg("{name} is set up: wrote {paths}", name=name, paths=outcome.written)
    if not previewed:
        outcome.next += next_steps(session, made, typed)
        return report_result(outcome, manner, headline)
    code = report_result(outcome, manner, headline)
    if code == 0 and outcome.applied:
        from haha_config.workflow.verify import proof

        proof(session, made.answers, plain=manner.plain)
    for line in next_steps(session, made, typed):
        report.talk(line)
    return code


def _builder(
    session: Session, draft: Draft, found: Discovered, save_as: str | None
) -> tuple[Prepared, Callable[[], Plan]]:
    """The set-up, and what plans it from the files as they are when it is called."""
    if draft.upstreams or (draft.provider and session.providers[draft.provider].multi):
        found = adopted(found)
    made = prepared(session, draft, found)
    if made.answers.port is not None:
        check_references(session, made.draft, found)
    name = save_as or draft.provider or made.draft.provider
    shelved = profiles.from_answers(
        session, name, profiles.with_kept_upstreams(session, made.draft, draft, found), made.answers
    )
    shelved = profiles.keep_key_location(shelved, found, made.answers.credential)
    helper = profiles.helper(session, shelved.profile)

    def build() -> Plan:
        from haha_config.workflow.gitignore import protected

        plan = protected(plans.build(made.answers, session.state(), session.starts, helper))
        return replace(plan, writes=(*plan.writes, *profiles.writes(session, shelved)))

    return made, build


def _warn(answers: Answers, typed: Typed, found: Discovered) -> None:
    """What the questions would have brought up."""
    if answers.route == "direct":
        say_unlisted(answers)
    names = {name for others in answers.fallbacks.values() for name in others}
    behind = {u.provider for u in answers.upstreams if u.name in names}
    for row in (found.state.providers[key] for key in sorted(behind)):
        if row.thinking_back is not None:
            report.talk(
                msg(
                    "warning: {name} may refuse to go on where another model used tools",
                    name=row.name,
                )
            )
    if typed.given.permissions is None and beside.undecided(found.state):
        report.talk(
            msg(
                "warning: your `permissions.defaultMode` is auto, which stops at the"
                " first command here. Add --permissions ask or --permissions auto"
            )
        )


def _prepared(save_as: str | None, session: Session, draft: Draft, found: Discovered) -> Prepared:
    """What the interview shows before it asks to write."""
    made, build = _builder(session, draft, found, save_as)
    return replace(made, plan=build())


def next_steps(session: Session, made: Prepared, typed: Typed) -> Iterator[Message | str]:
    """What to type next, ready to be pasted."""
    yield ""
    yield msg("Next:")
    if made.answers.port is not None:
        from haha_config.io import loopback
        from haha_config.workflow.gateway.installation import best, looked
        from haha_config.workflow.gateway.site import site, status_of

        if loopback.who(made.answers.port) == "litellm":
            if status_of(site(session)).stale is not False:
                yield msg("  haha-config proxy restart   (the running gateway has the old files)")
        else:
            if best(looked(session)) is None:
                yield "  haha-config proxy install"
            yield msg("  haha-config proxy up        (start the gateway)")
    row = session.providers[made.answers.provider]
    if row.start and not row.multi and not _answers(made.answers.base_url):
        yield msg("  {command}   (if it is not running)", command=row.start)
    start = "bin/claude-haha" if session.client == "haha" else "claude"
    yield msg("  {command}", command=start)
    added = [u.name for u in made.answers.upstreams]
    main = plain_name(made.answers.slots["main"])
    if added and main not in added:
        line = f"haha-config switch-model {quote(added[0])}"
        yield msg(
            "  {command}   (the client goes on with {main} until then)", command=line, main=main
        )
    again = typed.again(made.draft, session)
    # A gateway of fifty models makes a line that nobody reads or pastes.
    if len(again) < 2000:
        yield msg("  {command}   (the same set-up again)", command=again)


def _answers(base_url: str) -> bool:
    """Whether the server on this machine runs already."""
    from haha_config.io import loopback

    port = urls.local_port(base_url)
    return port is not None and loopback.listens(port)
