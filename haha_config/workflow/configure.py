"""Flags or answers to a checked set-up: what is missing is found, what is wrong is said."""

from __future__ import annotations

from typing import Any, Final, get_args

from msgspec import Struct
from msgspec.structs import replace

from haha_config.core import urls
from haha_config.core import variables as v
from haha_config.core.change import beside
from haha_config.core.change import plan as plans
from haha_config.core.change.helper import foreign_helper
from haha_config.core.errors import Usage
from haha_config.core.messages import msg
from haha_config.core.model import Header, Permissions, Plan, Route, TargetName, Traffic, plain_name
from haha_config.core.providers import table as rows
from haha_config.core.setup import draft as drafts
from haha_config.core.setup.answers import Answers
from haha_config.core.setup.draft import Draft
from haha_config.core.state import configured
from haha_config.core.state.layers import as_text
from haha_config.io import machine, report
from haha_config.io.loopback import Servers
from haha_config.workflow import flags
from haha_config.workflow.discover import (
    Discovered,
    check_port,
    given_key,
    key_for,
    lacking,
    upstream_keys,
)
from haha_config.workflow.menu import with_picker, with_window
from haha_config.workflow.session import Session, choice

#: The files that may be created.
BOTH: Final[tuple[TargetName, ...]] = ("env", "settings")


def draft_from_flags(session: Session, given: flags.InitFlags, *, insecure: bool) -> Draft:
    """What the flags say. Raises Usage for a value that there is not."""
    providers = session.providers
    region = given.region or ""
    if given.port is not None and not 1 <= given.port <= 65535:
        raise Usage(msg("--port needs a number from 1 to 65535"))
    if given.context is not None and given.context < 1:
        raise Usage(msg("--context needs a number of tokens"))
    slots = dict(drafts.parse_slot(one) for one in given.slot)
    if given.model is not None:
        slots["main"] = drafts.model_name(given.model)
    made = Draft(
        provider=rows.row(providers, given.provider).key if given.provider else "",
        via=_one_of(Route, "--via", given.via),
        region=region,
        slots=slots,
        upstreams=tuple(drafts.parse_upstream(u, providers, region) for u in given.upstream),
        fallbacks=drafts.parse_fallbacks(given.fallback),
        drop=given.drop,
        port=given.port,
        context=given.context,
        traffic=_one_of(Traffic, "--traffic", given.traffic),
        permissions=_one_of(Permissions, "--permissions", given.permissions),
        deny_web_search=given.deny_web_search,
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
    if row is not None and upstream:
        base = drafts.upstream_base(row, url.strip())
    else:
        base = report.telling(drafts.clean_url(url))
    drafts.check_url(base, insecure=draft.insecure)
    return replace(draft, base_url=base)


def _with_variables(draft: Draft, pairs: tuple[str, ...]) -> Draft:
    """`--upstream-key-env NAME=VAR[,VAR…]`."""
    upstreams = {u.name: u for u in draft.upstreams}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        variables = tuple(dict.fromkeys(text.split(",")))
        if not equals or not all(one.isidentifier() for one in variables):
            raise Usage(msg("--upstream-key-env needs NAME=VAR[,VAR]"))
        choice("--upstream-key-env", name, list(upstreams))
        upstreams[name] = replace(upstreams[name], variable=variables[0], spare=variables[1:])
    # Two of one name are refused later, in words of their own.
    return replace(draft, upstreams=tuple(upstreams[u.name] for u in draft.upstreams))


def _with_kept_keys(draft: Draft, found: Discovered) -> Draft:
    """The draft with the several keys that an upstream has, where nobody named others."""
    several = {(u.name, u.provider): u for u in found.setup.upstreams if u.spare}
    kept = tuple(
        replace(u, variable=held.variable, spare=held.spare)
        if u.spare is None and (held := several.get((u.name, u.provider)))
        else u
        for u in draft.upstreams
    )
    return replace(draft, upstreams=kept)


def _check_fallbacks(draft: Draft, answers: Answers, found: Discovered) -> Draft:
    """The draft with its fallbacks by name.

    Raises Usage where one is no model of the gateway, or the one that it stands in for.
    """
    if draft.fallbacks and answers.port is None:
        raise Usage(msg("{flag} goes with --provider litellm", flag="--fallback"))
    there = dict.fromkeys((*(u.name for u in answers.upstreams), *found.state.gateway.by_name))
    names = [name for name in there if name not in answers.drop]
    # A file that can't be read is refused as such, not for what it does not hold.
    readable = found.state.litellm.error is None
    for model, others in answers.fallbacks.items():
        for name in (model, *others) if readable else ():
            choice("--fallback", name, names)
        if model in others:
            raise Usage(msg("`{model}` can't be its own fallback", model=model))
    return replace(draft, fallbacks=answers.fallbacks)


def _one_of(words: Any, flag: str, text: str | None) -> Any:
    return choice(flag, text, get_args(words)) if text else None


def _targets(session: Session, text: str | None) -> frozenset[TargetName]:
    """What may be created; the reason is said where it is less than both."""
    if text is not None:
        names = [word.strip() for word in text.split(",") if word.strip()]
        return frozenset(choice("--write", name, BOTH) for name in names)
    from haha_config.io import paths

    if session.env_path.exists():
        return frozenset(BOTH)  # whose it is decides
    shared = not session.checkout and paths.git_top(session.folder) is not None
    if not shared and session.folder != session.home:
        return frozenset(BOTH)
    report.talk(msg("No .env here: other tools would read it too."))
    return frozenset({"settings"})


def resumed(draft: Draft, found: Discovered) -> Draft:
    """The draft with what is configured now, but for models that have ended since."""
    traffic = drafts.traffic_of(configured.switches(found.state))
    made = drafts.resumed(draft, found.setup, traffic)
    row = found.state.providers.get(made.provider)
    if row is None or row.multi or not dict(row.slots).get("main"):
        return made
    dates = {m.id: m.retired for m in row.models if m.retired and m.retired <= machine.today()}
    kept = {slot: m for slot, m in made.slots.items() if draft.slots.get(slot) != m}
    ended = {slot: m for slot, m in kept.items() if plain_name(m) in dates}
    for model in dict.fromkeys(ended.values()):
        date = dates[plain_name(model)]
        report.talk(
            msg(
                "`{model}` ended on {date}: `{other}` takes its place",
                model=model,
                date=date,
                other=dict(row.slots)["main"],
            )
        )
    return replace(made, slots={s: m for s, m in made.slots.items() if s not in ended})


def with_key(
    session: Session, draft: Draft, found: Discovered, given: flags.InitFlags, *, from_stdin: bool
) -> Draft:
    """The key from standard input or a named variable, for the one credential there is.

    Raises Usage where there are several, or where that place holds none.
    """
    wanted = {name for u in draft.upstreams for name in u.variables}
    row = session.providers.get(draft.provider)
    if row is not None and row.multi and not (draft.upstreams or draft.base_url):
        wanted = set(lacking(session, draft, found))
    if len(wanted) > 1:
        raise Usage(msg("several keys are needed: export {names}", names=tuple(wanted)))
    key = given_key(session, given.api_key_env, from_stdin=from_stdin)
    if wanted:
        return replace(draft, keys={**draft.keys, wanted.pop(): key})
    return replace(draft, key=key)


def _with_kept_limits(answers: Answers, draft: Draft, found: Discovered) -> Answers:
    """With the limits that stand beside the same models now, where the table knows no lower one."""
    held, setup = plans.held_variables(found.state), found.setup
    names = set(plans.all_slots(answers.slots).values())
    if not urls.same(answers.base_url, setup.base_url) or names != set(setup.slots.values()):
        return answers
    now = {n: number for n in v.LIMITS if n in held and (number := v.whole(as_text(held[n])))}
    window = now.pop(v.MAX_CONTEXT, None)
    if draft.context is None and window is not None:
        answers = replace(answers, context=min(window, answers.context or window))
    wanted = plans.client_variables(answers, found.state.providers)
    least = {name: min(n, v.whole(wanted.get(name)) or n) for name, n in now.items()}
    kept = {name: str(number) for name, number in least.items()}
    return replace(answers, variables={**answers.variables, **kept})


class Prepared(Struct, frozen=True, kw_only=True):
    """A draft that lacks nothing, what it amounts to, and, once it is planned, what that writes."""

    draft: Draft
    answers: Answers
    plan: Plan = Plan()


def prepared(
    session: Session, draft: Draft, found: Discovered, *, header: Header | None = None
) -> Prepared:
    """Fill in what can be found, and check it all. `header`: how the key is known to be sent.

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
        raise Usage(msg("{flag} goes with --provider litellm", flag="--upstream"))
    if drafts.route(draft, row) == "litellm":
        if not row.multi:
            draft = key_for(session, draft, found, row)
            draft = drafts.single_upstream(draft, row)
        draft = upstream_keys(session, _with_kept_keys(draft, found), found)
    else:
        draft = key_for(session, draft, found, row)
    if draft.permissions is None:
        draft = replace(draft, permissions=beside.default_permissions(found.state))
    if draft.deny_web_search is None and beside.denies_search(found.state):
        # Of the same set-up; another one is asked about again.
        same = draft.provider in ("", found.setup.provider)
        draft = replace(draft, deny_web_search=same)
    answers = drafts.answers(draft, providers, found.setup, found.master_key)
    draft = _check_fallbacks(draft, answers, found)
    answers = _with_kept_limits(answers, draft, found)
    answers = with_key_header(session, replace(answers, header=header or answers.header), found)
    servers = Servers()
    answers = with_window(answers, found.setup, providers, servers)
    answers = with_picker(answers, found.state, found.setup, servers)
    if answers.port is not None:
        check_port(answers.port, found)
    if session.scope == "project" and answers.credential != row.credential.token:
        raise Usage(
            msg("--scope project is shared: no key is written there"),
            hints=("--scope user", "--scope local"),
        )
    return Prepared(draft=draft, answers=answers)


def with_key_header(session: Session, answers: Answers, found: Discovered) -> Answers:
    """The credential in both headers, where one of them would else be asked about or be another's.

    A client asks about `ANTHROPIC_API_KEY` at its first start, with No preselected; and a second
    credential of the person's goes out as `x-api-key` beside the Bearer.
    """
    row = session.providers[answers.provider]
    if answers.header == "x-api-key" and rows.takes_both(row, answers.credential):
        return replace(answers, header="bearer", key_header=True)
    second = foreign_helper(found.state) is not None or bool(
        machine.client_state(session.environ, session.home).primary_api_key
    )
    return replace(answers, key_header=second or beside.foreign_key_header(found.state))
