"""The questions of `init`: provider, what was not found, model, summary. It writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from msgspec.structs import replace

from haha_config.cli.interview import endpoint, gateway, model, summary
from haha_config.cli.interview.flow import Step, Talk, Turn, Work, walk
from haha_config.cli.interview.offer import Offers
from haha_config.core.errors import Cancelled
from haha_config.core.messages import msg
from haha_config.core.setup.draft import Draft
from haha_config.io import machine
from haha_config.workflow.apply import WriteOptions
from haha_config.workflow.configure import Prepared
from haha_config.workflow.discover import Discovered
from haha_config.workflow.session import Session

__all__ = ["Work", "interview"]


def _ask_provider(talk: Talk, work: Work) -> Turn:
    """The provider again, although a flag named one."""
    given = replace(talk.given, provider="", upstreams=())
    return endpoint.provider(replace(talk, given=given), work)


STEPS: Final[Mapping[str, Step]] = {
    "provider": endpoint.provider,
    "ask_provider": _ask_provider,
    "route": endpoint.route,
    "choose_route": endpoint.choose_route,
    "region": endpoint.region,
    "key": endpoint.key,
    "url": endpoint.url,
    "model": model.model,
    "gateway": gateway.gateway,
    "entries": gateway.entries,
    "main": gateway.main,
    "upstream": gateway.upstream,
    "elsewhere": gateway.elsewhere,
    "upstream_region": gateway.upstream_region,
    "upstream_url": gateway.upstream_url,
    "upstream_key": gateway.upstream_key,
    "kept_key": gateway.kept_key,
    "upstream_model": gateway.upstream_model,
    "names": gateway.names_of,
    "upstream_name": gateway.upstream_name,
    "summary": summary.summary,
    "change": summary.change,
    "slot": summary.slot,
    "slot_model": summary.slot_model,
    "traffic": summary.traffic,
    "permissions": summary.permissions,
    "files": summary.files,
    "scope": summary.scope,
    "port": summary.port,
}


def interview(
    session: Session,
    given: Draft,
    found: Discovered,
    manner: WriteOptions,
    prepare: Callable[[Session, Draft, Discovered], Prepared],
) -> Work:
    """Ask for what `given` (the flags) leaves open, until the person says: write this.

    Raises Cancelled where the person leaves.
    """
    talk = Talk(
        ask=session.prompter(plain=manner.plain),
        given=given,
        manner=manner,
        offers=Offers(found.way.value, today=machine.today(), plain=manner.plain),
        prepare=prepare,
    )
    work = Work(session=session, found=found, draft=given)
    try:
        return walk(STEPS, talk, work, "provider")
    except Cancelled:
        raise Cancelled(msg("nothing was written")) from None
