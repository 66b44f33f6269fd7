"""Whom a profile's keys would be shown to: said of one that somebody else has made."""

from __future__ import annotations

from collections.abc import Iterator

from haha_config.core import urls
from haha_config.core import variables as v
from haha_config.core.errors import HahaError, Usage
from haha_config.core.messages import Message, msg
from haha_config.core.providers import table as rows
from haha_config.core.providers.model import Provider
from haha_config.core.setup import draft as drafts
from haha_config.core.setup.draft import Draft
from haha_config.core.setup.profile import Profile, Reference
from haha_config.io import store
from haha_config.workflow.session import Session


def said(session: Session, profile: Profile, draft: Draft) -> Iterator[Message]:
    """Each address with the key that it gets, and a warning where that key is for another.

    Raises Usage where the profile can't be used at all.
    """
    for called, variable in dict.fromkeys(_calls(session, draft)):
        url = v.shown_url(called)
        # A variable that the profile does not name is the shell's.
        usual = Reference("env", variable) if variable else None
        reference = next(iter(profile.keys.values()), usual)
        if "upstream" in profile.answers:
            reference = profile.keys.get(variable, usual)
        if reference is None:
            yield msg("calls {url}", url=url)
            continue
        yield msg("calls {url} with the key of {where}", url=url, where=str(reference))
        warning = _warning(session, called, reference)
        if warning is not None:
            yield msg("warning: {what}", what=warning)
        try:
            drafts.check_url(called, insecure=False)
        except Usage as problem:
            yield msg("warning: {what}", what=problem.what)


def _calls(session: Session, draft: Draft) -> Iterator[tuple[str, str]]:
    """The URLs that are called, each with the variable whose key goes there; "" for none."""
    if not draft.provider and not draft.upstreams:
        raise Usage(msg("no provider is given"))
    row = rows.row(session.providers, draft.provider or "litellm")
    if drafts.route(draft, row) == "direct":
        base = draft.base_url or rows.endpoint(row, draft.region or row.region)
        yield base, row.credential.variable
        return
    if not row.multi:
        draft = drafts.single_upstream(draft, row)
    for one in draft.upstreams:
        for variable in one.variables or ("",):
            yield one.base_url, variable


def _warning(session: Session, url: str, reference: Reference) -> Message | None:
    host = _host(url)
    name = reference.name if reference.kind == "env" else reference.name.rpartition(".")[2]
    # The rows whose key is kept under that name, as far as they have an address of their own.
    owners = [
        row for row in session.providers.values() if row.credential.variable == name and _hosts(row)
    ]
    if any(host in _hosts(one) for one in owners):
        return None
    if owners:
        owner = rows.named(owners[0])
        return msg("this sends your key of {owner} to {host}", owner=owner, host=host)
    if reference.kind == "env" or not has(session, reference):
        return None
    return msg("this sends your key {where} to {host}", where=str(reference), host=host)


def has(session: Session, reference: Reference) -> bool:
    """Whether a key is there, as far as it can be read."""
    kind, name = reference.kind, reference.name
    try:
        return bool(store.read(kind, name, session.environ, session.data_folder))
    except HahaError:
        return False


def _hosts(row: Provider) -> set[str]:
    bases = [*row.base_urls.values(), *row.upstream_bases.values()]
    bases += [url for kind in row.credential.kinds for url in kind.base_urls.values()]
    return {host for url in bases if (host := _host(url))}


def _host(url: str) -> str:
    found = urls.parse(url)
    return found.host if found is not None else ""
