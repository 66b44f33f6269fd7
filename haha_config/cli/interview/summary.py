"""What will be written, and the last question: Enter writes, `c` changes, `t` tries the key."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from haha_config.cli.interview import gateway, model, trial
from haha_config.cli.interview.endpoint import begun, default_url, known_key
from haha_config.cli.interview.flow import Talk, Turn, Work, remark, wrapped
from haha_config.core import variables as v
from haha_config.core.change import beside
from haha_config.core.change import plan as plans
from haha_config.core.errors import HahaError
from haha_config.core.messages import Message, msg, nmsg
from haha_config.core.model import SLOTS, Permissions, Scope, Slot, TargetName, Traffic, Write
from haha_config.core.providers import table as rows
from haha_config.core.setup import draft as drafts
from haha_config.io import loopback, report
from haha_config.io.i18n import columns, pad, render
from haha_config.io.prompts import Choice
from haha_config.workflow import discover as finds
from haha_config.workflow.configure import Prepared
from haha_config.workflow.menu import ASSUMED
from haha_config.workflow.preview import preview

TRAFFIC: Final[Mapping[Traffic, Message]] = {
    "quiet": msg(
        "no telemetry, updates, release notes, feature flags, /feedback or model discovery"
    ),
    "minimal": msg("no telemetry; the rest stays on"),
    "default": msg("everything"),
}
PERMISSIONS: Final[Mapping[Permissions, Message]] = {
    "ask": msg("the client asks you"),
    "auto": msg("the model for sonnet approves them"),
    "keep": msg("as your settings say; newer clients may stop"),
}
SCOPES: Final[Mapping[Scope, Message]] = {
    "user": msg("all your projects"),
    "project": msg("this project, for everybody; holds no key"),
    "local": msg("this project, for you only"),
}
FILES: Final[Mapping[str, tuple[frozenset[TargetName], Message, Message]]] = {
    "both": (frozenset({"env", "settings"}), msg("settings.json and .env"), msg("always works")),
    "settings": (frozenset({"settings"}), msg("only settings.json"), msg("every client reads it")),
    "env": (
        frozenset({"env"}),
        msg("only .env"),
        msg("only claude-haha reads it, started in that folder"),
    ),
}
_ORDER: Final = msg("settings.json wins over your shell, and your shell over .env")
#: Less is a slip: no model of today has so small a window.
_LEAST: Final = 1_000
#: Models of a gateway that the account names.
_SHOWN: Final = 6


# --- the last question -----------------------------------------------------------------------


def summary(talk: Talk, work: Work) -> Turn:
    """The preview, the account and the question; what can't be written yet goes to the changes."""
    if work.draft.permissions is None and beside.undecided(work.found.state):
        return Turn(work, "permissions", asked=False)
    work = _on_a_free_port(work)
    if work.via == "litellm" and finds.lacking(work.session, work.draft, work.found):
        return Turn(work, "kept_key", asked=False)
    work = replace(work.drafted(context=_window(talk, work)), editing=False)
    try:
        made = talk.prepare(work.session, work.draft, work.found)
        # The same models that were given the usual window before are not asked about again.
        held = v.whole(work.found.state.value(v.MAX_CONTEXT))
        again = held == ASSUMED and dict(work.slots) == dict(work.draft.slots)
        if made.answers.assumed and not again:
            work = work.drafted(context=_asked_window(talk, made))
            made = talk.prepare(work.session, work.draft, work.found)
    except HahaError as error:
        report.failure(error, as_json=False)
        return Turn(replace(work, editing=True), "change", asked=False)
    if not talk.manner.as_json:
        preview(made.plan, dry_run=talk.manner.dry_run, asks=True)
        if made.plan.notes:
            report.talk("")
    # Last, so that it stands right above the question on a small screen.
    _tell(account(work, made))
    for warning in doubts(talk, work):
        remark(msg("warning: {what}", what=warning))
        report.talk("")
    return _asked(talk, work, made)


def doubts(talk: Talk, work: Work) -> Iterator[Message]:
    """What speaks against a model that was chosen all the same."""
    for key, name in gateway.upstreams_of(work):
        row = work.session.providers.get(key)
        known = talk.offers.known(row, name, work.found.state.rows)
        if row is not None and talk.offers.lacks(key, name):
            yield msg("{row} does not list `{model}`", row=rows.named(row), model=name)
        if known is not None and known.tools is False:
            yield finds.toolless(name)
        if known is not None and known.retired and known.retired <= talk.offers.today:
            yield finds.ended(name, known.retired)


def _asked(talk: Talk, work: Work, made: Prepared) -> Turn:
    while True:
        answer = talk.ask.keys(
            _question(talk, made),
            _keys(talk, made),
            default="w",
            why=msg("Nothing is written before this answer."),
            more=msg(
                "`haha-config undo` takes the write back. Trying the key sends one short request."
            ),
            flag="--yes",
        )
        if answer == "c":
            return Turn(replace(work, editing=True), "change")
        if answer == "w":
            return Turn(work, "")
        if answer == "d":
            preview(made.plan, dry_run=talk.manner.dry_run, whole=True)
            continue
        for line in trial.tried(work, made.answers, plain=talk.manner.plain):
            remark(line)


def _question(talk: Talk, made: Prepared) -> Message:
    if not made.plan.effective:
        return msg("Nothing to change. Done?")
    if talk.manner.dry_run:
        return msg("Done? With --dry-run nothing is written.")
    return msg("Write this?")


def _keys(talk: Talk, made: Prepared) -> dict[str, Message]:
    writes = bool(made.plan.effective) and not talk.manner.dry_run
    return {
        "w": msg("write") if writes else msg("done"),
        "c": msg("change something"),
        **({"d": msg("whole diff")} if writes else {}),
        "t": msg("try the key first"),
    }


def _on_a_free_port(work: Work) -> Work:
    """Another program on the gateway's port is no reason to ask: the next free one is taken."""
    if work.draft.port is not None or work.via == "direct":
        return work
    port = work.found.setup.port or drafts.DEFAULT_PORT
    try:
        finds.check_port(port, work.found)
    except HahaError as taken:
        free = loopback.free_port(port + 1)
        report.talk(msg("{what}: the gateway gets port {free}", what=taken.what, free=free))
        return work.drafted(port=free)
    return work


def _window(talk: Talk, work: Work) -> int | None:
    """The window that a list told of, for models that the table does not know.

    With the models that were there before, the one that was written then is kept, unless it
    was assumed.
    """
    pairs = model.unknown(work, gateway.upstreams_of(work))
    held = work.found.state.value(v.MAX_CONTEXT)
    known = v.whole(held)
    told = known is not None and known != ASSUMED
    if pairs and dict(work.slots) == dict(work.draft.slots) and told:
        return known
    return model.context(talk, pairs)


def _asked_window(talk: Talk, made: Prepared) -> int | None:
    """A window that nobody could tell us; None where the usual one is taken, once and for all."""
    names = tuple(dict.fromkeys(plans.all_slots(made.answers.slots).values()))
    key = ("window", "")
    if talk.said.get(key) == str(ASSUMED):
        return None
    answer = talk.ask.text(
        msg("How many tokens can {names} read?", names=names),
        why=msg("Its window is not known. Enter: {n}.", n=f"{ASSUMED:,}"),
        default=talk.said.get(key, str(ASSUMED)),
        check=_window_complaint,
        flag="--context",
    )
    talk.said[key] = answer
    number = v.whole(answer.replace(",", ""))
    return None if number == ASSUMED else number


def _window_complaint(text: str) -> Message | None:
    number = v.whole(text.replace(",", ""))
    return None if number and number >= _LEAST else msg("a number of tokens, like 131072")


# --- the account -----------------------------------------------------------------------------


def account(work: Work, made: Prepared) -> Iterator[tuple[Message, Message | str]]:
    """The choices behind the files, a label and a text each."""
    answers = made.answers
    where = v.shown_url(answers.base_url)
    if answers.port is not None:
        yield msg("gateway"), msg("LiteLLM at {url}", url=where)
        yield from _offered(work, made)
    else:
        yield msg("provider"), msg("{name} at {url}", name=rows.named(work.row), url=where)
        yield msg("key"), _key(work, answers.credential)
    yield from _slots(answers.slots)
    yield msg("traffic"), TRAFFIC[answers.traffic]
    yield msg("commands"), PERMISSIONS[answers.permissions]
    if answers.key_header:
        yield (
            msg("headers"),
            msg("the key is sent as `x-api-key` too"),
        )
    scope = work.session.scope
    yield msg("scope"), msg("{scope}: {what}", scope=scope, what=SCOPES[scope])
    for line in _files(work, made):
        yield msg("files"), line


def _key(work: Work, credential: str) -> Message | str:
    if credential == work.row.credential.token:
        return msg("none is needed")
    if not work.draft.key and work.row.key in work.found.keys:
        name = work.row.credential.variable
        return msg("{key}, from {name}", key=v.masked(credential), name=name)
    if work.found.helper is not None and credential == work.found.setup.credential:
        return msg("{key}, from the keyring", key=v.masked(credential))
    return v.masked(credential)


def _slots(slots: Mapping[Slot, str]) -> Iterator[tuple[Message, Message | str]]:
    held: dict[str, list[Slot]] = {}
    for slot in SLOTS:
        held.setdefault(slots.get(slot) or slots["main"], []).append(slot)
    if len(held) == 1:
        yield msg("models"), msg("{model} for all", model=slots["main"])
        return
    for name, own in held.items():
        yield msg("models"), msg("{slots}: {model}", slots=tuple(own), model=name)


def _offered(work: Work, made: Prepared) -> Iterator[tuple[Message, Message | str]]:
    """What the gateway will offer, old and new."""
    known = {u.name: u for u in (*work.found.setup.upstreams, *made.answers.upstreams)}
    there = dict.fromkeys((*work.found.state.models, *(u.name for u in made.answers.upstreams)))
    names = [name for name in there if name not in made.answers.drop]
    for name in names[:_SHOWN]:
        behind = gateway.behind(work, known.get(name))
        yield msg("offers"), msg("{name} ({behind})", name=name, behind=behind) if behind else name
    if len(names) > _SHOWN:
        yield msg("offers"), nmsg("and {n} more", "and {n} more", n=len(names) - _SHOWN)


def _files(work: Work, made: Prepared) -> Iterator[Message]:
    """Every file that will change, and what each is for."""
    session = work.session
    abouts = {
        session.settings_path: msg("every client reads it"),
        session.env_path: msg("only claude-haha reads it, started in that folder"),
        session.litellm_path: msg("the gateway's models"),
        session.litellm_env_path: msg("the gateway's keys; only you can read it"),
    }
    writes = {Path(write.path): write for write in made.plan.effective}
    for path, about in abouts.items():
        if path in writes:
            yield msg("{path}: {about}", path=report.short(str(path)), about=about)
    yield from _beside([write for path, write in writes.items() if path not in abouts])
    if {session.settings_path, session.env_path} <= writes.keys():
        yield _ORDER
    if session.remembered and any(Path(w.path).parent == session.folder for w in made.plan.writes):
        yield msg(
            "in {folder}, where the last write was; --dir . is for this folder",
            folder=report.short(str(session.folder)),
        )


def _beside(writes: Sequence[Write]) -> Iterator[Message]:
    """The files that are no target: the profile with its keys, and what git leaves out."""
    saved = [w.path for w in writes if w.secret or w.path.endswith(".toml")]
    name = next((Path(path).stem for path in reversed(saved) if path.endswith(".toml")), "")
    if saved:
        yield msg(
            "{paths}: for `haha-config use {name}`",
            paths=tuple(report.short(path) for path in saved),
            name=name,
        )
    for write in writes:
        if write.path not in saved:
            about = msg("so that git leaves out the files with keys")
            yield msg("{path}: {about}", path=report.short(write.path), about=about)


def _tell(lines: Iterator[tuple[Message, Message | str]]) -> None:
    """The account as two columns, as wide as the terminal."""
    made = [(render(label), render(text)) for label, text in lines]
    width = max(columns(label) for label, _ in made)
    before = ""
    for label, text in made:
        for number, part in enumerate(wrapped(text, width + 5)):
            head = label if number == 0 and label != before else ""
            painted = report.paint(pad(head, width), "dim", sys.stderr)
            report.drawn(f"  {painted}  {part}", sys.stderr)
        before = label
    report.talk("")


# --- changing something ----------------------------------------------------------------------


def change(talk: Talk, work: Work) -> Turn:
    """What to change; each leads to its question and back to the summary."""
    answer = talk.ask.select(
        msg("What do you want to change?"),
        list(_changes(work)),
        why=msg("You come back to the summary afterwards."),
        flag="--slot",
    )
    if answer == "provider":
        fresh = replace(work, editing=False, adding=None)
        return Turn(begun(talk, fresh, work.draft.provider), "ask_provider")
    return Turn(work, "slot" if answer == "slots" else answer)


def _changes(work: Work) -> Iterator[Choice]:
    draft, row = work.draft, work.row
    own = work.own_gateway
    main = draft.slots.get("main", "")
    if own:
        held = msg("{names}", names=gateway.names(work))
        yield Choice(value="entries", title=msg("Models behind the gateway"), note=held)
    if own and draft.upstreams:
        new = msg("{names}", names=tuple(u.name for u in draft.upstreams))
        yield Choice(value="names", title=msg("Names of the new models"), note=new)
    yield Choice(value="main" if own else "model", title=msg("Main model"), note=main)
    others = msg("{names}", names=tuple(SLOTS)[1:])
    yield Choice(value="slots", title=msg("Models for opus, haiku and others"), note=others)
    yield Choice(value="provider", title=msg("Provider"), note=rows.named(row))
    if len(row.regions) > 1:
        yield Choice(value="region", title=msg("Region"), note=draft.region or row.region)
    if row.credential.variable or (row.multi and not own):
        yield Choice(value="key", title=msg("Key"), note=row.credential.variable or None)
    if not own:
        url = v.shown_url(draft.base_url or default_url(work))
        yield Choice(value="url", title=msg("URL"), note=url)
    if len(row.routes) > 1:
        yield Choice(value="choose_route", title=msg("Route"), note=work.via)
    if work.via == "litellm":
        port = draft.port or work.found.setup.port or drafts.DEFAULT_PORT
        yield Choice(value="port", title=msg("Gateway's port"), note=str(port))
    yield Choice(value="traffic", title=msg("Traffic"), note=draft.traffic or "quiet")
    mode = draft.permissions or beside.default_permissions(work.found.state)
    yield Choice(value="permissions", title=msg("Commands"), note=mode)
    written = draft.targets or frozenset()
    names = {"settings": "settings.json", "env": ".env"}
    created = msg("{names}", names=tuple(name for key, name in names.items() if key in written))
    yield Choice(value="files", title=msg("Files"), note=created)
    yield Choice(value="scope", title=msg("Scope"), note=work.session.scope)


def slot(talk: Talk, work: Work) -> Turn:
    """Which slot gets a model of its own."""
    held = _filled(work)
    answer = talk.ask.select(
        msg("For which kind of work?"),
        [Choice(value=name, title=name, note=held[name]) for name in SLOTS if name != "main"],
        why=msg("Small tasks go to haiku, /model opus to opus."),
        more=msg("The others use the main model."),
        flag="--slot",
    )
    return Turn(replace(work, slot=answer), "slot_model")


def slot_model(talk: Talk, work: Work) -> Turn:
    name: Slot = work.slot or "haiku"
    current = _filled(work)[name]
    question = msg("Which model for {slot}?", slot=name)
    if work.own_gateway:
        answer = talk.ask.select(
            question,
            [Choice(value=n, title=n, marked=n == current) for n in gateway.names(work)],
            default=current,
            why=msg("The gateway offers these."),
            flag="--slot",
        )
    else:
        offer = model.offered(talk, work)
        answer = model.ask(talk, question, offer, current, current=current)
    made = work.drafted(slots={**_filled(work), name: answer})
    return Turn(replace(made, chosen={**work.chosen, name: answer}), "summary")


def _filled(work: Work) -> dict[Slot, str]:
    """Every slot as it would be written, so that one can differ."""
    key = work.draft.key or work.found.keys.get(work.draft.provider, "")
    return drafts.slots(work.draft, work.row, key)


def traffic(talk: Talk, work: Work) -> Turn:
    answer = talk.ask.select(
        msg("What may the client send besides your requests?"),
        [Choice(value=name, title=name, note=about) for name, about in TRAFFIC.items()],
        default=work.draft.traffic or "quiet",
        why=msg("It goes to Anthropic, not to your provider."),
        more=msg(
            "quiet sets DISABLE_TELEMETRY and CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC, minimal"
            " only the first, default neither."
        ),
        flag="--traffic",
    )
    return Turn(work.drafted(traffic=answer), "summary")


def permissions(talk: Talk, work: Work) -> Turn:
    answer = talk.ask.select(
        msg("Who approves the client's commands?"),
        [Choice(value=name, title=name, note=about) for name, about in PERMISSIONS.items()],
        default=work.draft.permissions or beside.default_permissions(work.found.state),
        why=msg("Auto mode of new clients needs Anthropic's server."),
        more=msg(
            "ask sets `permissions.disableAutoMode`. auto sets CLAUDE_CODE_AUTO_MODE_SERVER=0: the"
            " endpoint that proposes a command also approves it, each time with about 36,000"
            " tokens to the model for sonnet. keep changes nothing."
        ),
        flag="--permissions",
    )
    return Turn(work.drafted(permissions=answer), "summary")


def files(talk: Talk, work: Work) -> Turn:
    held = work.draft.targets
    current = next((kind for kind, (names, _, _) in FILES.items() if names == held), "both")
    answer = talk.ask.select(
        msg("Which files should be written?"),
        [Choice(value=kind, title=title, note=note) for kind, (_, title, note) in FILES.items()],
        default=current,
        why=msg("A file that holds these variables is updated anyway."),
        more=_ORDER,
        flag="--write",
    )
    return Turn(work.drafted(targets=FILES[answer][0]), "summary")


def scope(talk: Talk, work: Work) -> Turn:
    session = work.session
    secret = work.via == "litellm" or bool(known_key(work))
    secret = secret and known_key(work) != work.row.credential.token
    answer = talk.ask.select(
        msg("For which projects?"),
        [
            Choice(
                value=name,
                title=report.short(str(session.settings_paths[name])),
                note=about,
                marked=name == session.scope,
                disabled=msg("a key would be shared") if name == "project" and secret else None,
            )
            for name, about in SCOPES.items()
        ],
        default=session.scope,
        why=msg("Which settings.json is written. Local wins over project, project over user."),
        more=msg("A project's settings.json is shared, so it holds no key."),
        flag="--scope",
    )
    there = replace(session, scope=answer)
    found = replace(work.found, state=there.state())
    return Turn(replace(work, session=there, found=found), "summary")


def port(talk: Talk, work: Work) -> Turn:
    current = work.draft.port or work.found.setup.port or drafts.DEFAULT_PORT
    answer = talk.ask.text(
        msg("Which port should the gateway listen on?"),
        default=str(current),
        why=msg("Only this machine can reach it."),
        more=msg("PORT in litellm.env, and in the client's URL."),
        check=lambda text: _port_complaint(work, text),
        flag="--port",
    )
    return Turn(work.drafted(port=int(answer)), "summary")


def _port_complaint(work: Work, text: str) -> Message | None:
    if not 1 <= (v.whole(text) or 0) <= 65535:
        return msg("a port is a number from 1 to 65535")
    try:
        finds.check_port(int(text), work.found)
    except HahaError as taken:
        free = loopback.free_port(int(text) + 1)
        return msg("{what}; {free} is free", what=taken.what, free=free)
    return None
