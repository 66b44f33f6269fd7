"""`profile`: named set-ups: save, list, show, remove, export, import, and a new key for one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import typer
from msgspec.structs import replace

from haha_config.cli import options as o
from haha_config.core.errors import Cancelled, HahaError, Usage, unwritten
from haha_config.core.messages import Message, msg
from haha_config.core.model import Plan
from haha_config.core.setup import draft as drafts
from haha_config.core.setup.draft import Draft
from haha_config.core.setup.profile import Kind, Profile, Reference, check_name
from haha_config.io import disk, profile_files, report, store, table
from haha_config.io.i18n import _, render
from haha_config.io.table import Column, Row
from haha_config.workflow import profiles, trust
from haha_config.workflow.apply import WriteOptions, report_result, write
from haha_config.workflow.discover import discover, given_key
from haha_config.workflow.session import Session, choice

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

_NAME = typer.Argument(..., metavar="NAME", help=_("A profile."))
_KEYS = typer.Option("copy", "--keys", metavar="copy|env|keyring", help=_("Where its key is kept."))


def kept(text: str) -> Kind:
    """`--keys` as a kind of reference. Raises Usage."""
    chosen = choice("--keys", text, ("copy", "env", "keyring"))
    return "file" if chosen == "copy" else cast("Kind", chosen)


# --- save ------------------------------------------------------------------------------------


@app.command(help=_("Save what is configured now under a name."))
@o.takes(*o.WHERE, "trusting", "dry_run", "format", "quiet")
def save(
    name: str = typer.Argument(..., metavar="NAME", help=_("What to call it.")),
    keys: str | None = typer.Option(
        None,
        "--keys",
        metavar="copy|env|keyring",
        help=_("Where its key is kept; default: a copy, or its keyring."),
    ),
    *,
    shared: o.SharedOptions,
) -> int:
    check_name(name)
    session = shared.start()
    state = session.state()
    for file in (state.target, state.dotenv):
        if file.error is not None:
            raise file.error
    # What is kept would be used elsewhere, without a question.
    trust.ensure(session, state, trust.Use(command=f"profile save {name}"))
    draft, made = profiles.current_draft(
        session, state, discover(session, Draft(provider="litellm"), in_force=True)
    )
    # A key that was put into a keyring is in no file, and saving it again is no reason for one.
    kind = kept(keys) if keys else "keyring" if profiles.helped_by(state) else "file"
    shelved = profiles.stored(
        profiles.from_answers(session, name, draft, made, kind), dry_run=shared.dry_run
    )
    manner = shared.writing(f"profile save {name}", yes=True)
    done = msg("saved `{name}`: haha-config use {name}", name=name)
    return _write(session, lambda: profiles.moved(session, shelved), manner, done)


def _write(
    session: Session, build: Any, manner: WriteOptions, done: Message, *, forget: bool = False
) -> int:
    """`forget`: a key in the keyring that nothing refers to any more goes, too."""
    outcome = write(
        session, lambda: Plan(writes=tuple(build())), manner, previewed=not manner.dry_run
    )
    if outcome.applied and forget:
        for name in profiles.left_in_keyring(session, outcome.plan.effective):
            store.drop_from_keyring(name)
    elif outcome.applied:
        outcome.next += profiles.said_left(session, outcome.plan)
    return report_result(outcome, manner, done)


# --- list and show ---------------------------------------------------------------------------


@app.command("list", help=_("List the profiles."))
@o.takes(*o.WHERE, "format", "quiet")
def list_(*, shared: o.SharedOptions) -> int:
    session = shared.session(reads=True)
    known = profile_files.names(session.config_folder)
    current = profiles.current(session, session.state()) if known else None
    broken: list[HahaError] = []
    rows = []
    for name in known:
        try:
            rows.append(described(session, profiles.load(session, name), current))
        except HahaError as error:
            broken.append(error)
    if shared.as_json:
        report.document({"profiles": rows})
    else:
        _print(rows)
        for one in broken:
            report.failure(one, as_json=False)
        if not known:
            report.talk(msg("there is no profile yet"))
            report.talk("  haha-config profile save NAME")
    return 1 if broken else 0


def described(session: Session, profile: Profile, current: str | None) -> dict[str, Any]:
    """A profile as JSON has it. A keyring is not opened for a list: `found` is null."""
    answers = profile.answers
    return {
        "name": profile.name,
        "provider": answers.get("provider"),
        "route": answers.get("via") or ("litellm" if answers.get("upstream") else "direct"),
        "base_url": answers.get("base-url"),
        "model": answers.get("model"),
        "keys": [_key(session, var, ref) for var, ref in profile.keys.items()],
        "current": profile.name == current,
    }


def _key(session: Session, variable: str, reference: Reference) -> dict[str, Any]:
    found: bool | None = None
    if reference.kind == "env":
        found = bool(session.environ.get(reference.name))
    elif reference.kind == "file":
        found = disk.snapshot(store.path(session.data_folder, reference.name)).data is not None
    return {"variable": variable, "reference": str(reference), "found": found}


def _print(rows: Sequence[dict[str, Any]]) -> None:
    heads = (Column(), Column(), Column(prose=True))
    lines = []
    for row in rows:
        text = str(row["model"])
        lacking = tuple(key["variable"] for key in row["keys"] if key["found"] is False)
        if lacking:
            text = f"{text}  ({render(msg('no key: {names}', names=lacking))})"
        mark = "*" if row["current"] else " "
        lines.append(Row((f"{mark} {row['name']}", row["provider"] or "", text)))
    for line in table.lines(heads, lines, sys.stdout):
        report.drawn(line, sys.stdout)


@app.command(help=_("Print a profile, without its keys."))
@o.takes("format")
def show(name: str = _NAME, *, shared: o.SharedOptions) -> int:
    report.be_quiet()
    session = shared.session(reads=True)
    profile = profiles.load(session, name)
    if shared.as_json:
        row = described(session, profile, profiles.current(session, session.state()))
        report.document({"profile": {**row, "answers": dict(profile.answers)}})
        return 0
    report.result(profile_files.text(profile.data()).rstrip("\n"))
    return 0


# --- remove ----------------------------------------------------------------------------------


@app.command(help=_("Remove a profile and its key. The client's files stay."))
@o.takes("yes", "dry_run", "format")
def remove(name: str = _NAME, *, shared: o.SharedOptions) -> int:
    if shared.as_json:
        report.be_quiet()
    session = shared.session()
    try:
        profile = profiles.load(session, name)
    except HahaError:
        if name not in profiles.names():
            raise
        profile = Profile(name=name, answers={})
        report.talk(msg("the profile's file is broken, so its keys stay"))
    if not (shared.yes or shared.dry_run or _sure(session, profile)):
        raise Cancelled(msg("nothing was written"))
    manner = shared.writing(f"profile remove {name}", yes=True)
    done = msg("removed `{name}`", name=name)
    return _write(session, lambda: profiles.removals(session, profile), manner, done, forget=True)


def _sure(session: Session, profile: Profile) -> bool:
    why = msg("The client's files stay. `haha-config undo` takes this back.")
    if any(reference.kind == "keyring" for reference in profile.keys.values()):
        why = msg("`haha-config undo` does not bring back the key in the keyring.")
    return session.prompter().confirm(
        msg("Remove the profile `{name}` and its key?", name=profile.name),
        default=False,
        why=why,
        flag="--yes",
    )


# --- a new key -------------------------------------------------------------------------------


@app.command(help=_("Give a profile a key."))
@o.takes()
def key(
    name: str = _NAME,
    variable: str | None = typer.Option(
        None, "--variable", metavar="NAME", help=_("Which key, if it has several.")
    ),
    api_key_env: o.KeyEnv = None,
    api_key_stdin: o.KeyStdin = False,
    keys: str = _KEYS,
    *,
    shared: o.SharedOptions,
) -> int:
    session = shared.session()
    profile = profiles.load(session, name)
    wanted = _variable(profile, variable)
    clean = given_key(session, api_key_env, from_stdin=api_key_stdin)
    if not (clean or api_key_env or api_key_stdin):
        clean = session.prompter().secret(
            msg("API key?"),
            why=msg("Not shown, and not written into the profile."),
            flag="--api-key-stdin",
            clean=drafts.clean_key,
        )
    if not clean:
        raise Usage(msg("the key is empty"))
    held = profile.keys[wanted]
    kind: Kind = "keyring" if held.kind == "keyring" else kept(keys)
    if kind == "env":
        raise Usage(msg("--keys env keeps no key: export the variable instead"))
    named = Reference(kind, store.own_name(name, wanted))
    made = profiles.SavedProfile(
        profile=replace(profile, keys={**profile.keys, wanted: named}), keys={wanted: clean}
    )
    made = profiles.stored(made, dry_run=False)
    manner = shared.writing(f"profile key {name}", yes=True)
    return _write(
        session,
        lambda: profiles.moved(session, made),
        manner,
        msg("the key is kept; {command} writes it", command=f"haha-config use {name}"),
    )


def _variable(profile: Profile, given: str | None) -> str:
    known = tuple(profile.keys)
    if given is not None:
        return choice("--variable", given, known)
    if len(known) == 1:
        return known[0]
    raise Usage(
        msg("profile `{name}` has {n} keys: {known}", name=profile.name, n=len(known), known=known),
        hints=("--variable NAME",),
    )


# --- out and in ------------------------------------------------------------------------------


@app.command(help=_("Export a profile, without its keys."))
@o.takes()
def export(
    name: str = _NAME,
    output: Path | None = typer.Option(None, "--output", help=_("A file instead of stdout.")),
    *,
    shared: o.SharedOptions,
) -> int:
    report.be_quiet()
    session = shared.session(reads=True)
    profile = profiles.load(session, name)
    # This machine's files and keyring are on no other.
    keys = {
        variable: ref if ref.kind == "env" else Reference("env", variable)
        for variable, ref in profile.keys.items()
    }
    text = profile_files.text(replace(profile, keys=keys).data())
    if output is None:
        report.result(text.rstrip("\n"))
        return 0
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise unwritten(output, error) from None
    return 0


@app.command("import", help=_("Import set-ups of other tools."))
@o.takes("yes", "dry_run", "format", "quiet")
def import_(
    source: str = typer.Argument(
        "all",
        metavar="[all|cc-switch|ccs|claude-code-router|PATH]",
        help=_("A tool's name, or a file to import."),
    ),
    name: str | None = typer.Option(None, "--name", help=_("A name, if it is only one.")),
    keys: str = _KEYS,
    *,
    shared: o.SharedOptions,
) -> int:
    from haha_config.workflow.import_profiles import take

    planned = replace(shared, dry_run=shared.dry_run or not shared.yes)
    manner = planned.writing(f"profile import {source}", yes=shared.yes)
    return take(shared.session(), source, manner, name=name, kind=kept(keys))
