"""Whom a profile's keys would be shown to: said of one that somebody else has made."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from haha_config.core import urls
from haha_config.core import variables as v
from haha_config.core.errors import HahaError, Usage
from haha_config.core.messages import Message, msg
from haha_config.core.providers import table as rows
from haha_config.core.providers.model import Provider, Providers
from haha_config.core.setup import draft as drafts
from haha_config.core.setup.draft import Draft
from haha_config.core.setup.profile import Profile, Reference
from haha_config.io import store
from haha_config.workflow.session import Session


class _Call(Struct, frozen=True):
    """A URL that is called, and the variable whose key goes there; "" for none."""

    url: str
    variable: str


def said(session: Session, profile: Profile, draft: Draft) -> Iterator[Message]:
    """Each address with the key that it gets, and a warning where that key is for another.

    Raises Usage where the profile can't be used at all.
    """
    for call in dict.fromkeys(_calls(session, draft)):
        url = v.shown_url(call.url)
        reference = _reference(profile, call.variable)
        if reference is None:
            yield msg("calls {url}", url=url)
            continue
        yield msg("calls {url} with the key of {where}", url=url, where=str(reference))
        warning = _warning(session, call.url, reference)
        if warning is not None:
            yield msg("warning: {what}", what=warning)
        try:
            drafts.check_url(call.url, insecure=False)
        except Usage as problem:
            yield msg("warning: {what}", what=problem.what)


def _calls(session: Session, draft: Draft) -> Iterator[_Call]:
    if not draft.provider and not draft.upstreams:
        raise Usage(msg("no provider is given"))
    row = rows.row(session.providers, draft.provider or "litellm")
    if drafts.route(draft, row) == "direct":
        base = draft.base_url or rows.endpoint(row, draft.region or row.region)
        yield _Call(base, row.credential.variable)
        return
    if not row.multi:
        draft = drafts.single_upstream(draft, row)
    for one in draft.upstreams:
        for variable in one.variables or ("",):
            yield _Call(one.base_url, variable)


def _reference(profile: Profile, variable: str) -> Reference | None:
    """Where the key is looked for; a variable that the profile does not name is the shell's."""
    usual = Reference("env", variable) if variable else None
    if "upstream" in profile.answers:
        return profile.keys.get(variable, usual)
    return next(iter(profile.keys.values()), usual)


def _warning(session: Session, url: str, reference: Reference) -> Message | None:
    host = _host(url)
    owners = _owners(session.providers, reference)
    if any(host in _hosts(one) for one in owners):
        return None
    if owners:
        owner = rows.named(owners[0])
        return msg("this sends your key of {owner} to {host}", owner=owner, host=host)
    if reference.kind == "env":
        return None
    if has(session, reference):
        where = str(reference)
        return msg("this sends your key {where} to {host}", where=where, host=host)
    return None


def has(session: Session, reference: Reference) -> bool:
    """Whether a key is there, as far as it can be read."""
    kind, name = reference.kind, reference.name
    try:
        return bool(store.read(kind, name, session.environ, session.data_folder))
    except HahaError:
        return False


def _owners(providers: Providers, reference: Reference) -> list[Provider]:
    """The rows whose key is kept under that name, as far as they have an address of their own."""
    name = reference.name if reference.kind == "env" else reference.name.rpartition(".")[2]
    return [row for row in providers.values() if row.credential.variable == name and _hosts(row)]


def _hosts(row: Provider) -> set[str]:
    bases = [*row.base_urls.values(), *row.upstream_bases.values()]
    bases += [url for kind in row.credential.kinds for url in kind.base_urls.values()]
    return {host for url in bases if (host := _host(url))}


def _host(url: str) -> str:
    found = urls.parse(url)
    return found.host if found is not None else ""
