"""What each version of the client that was measured asks for with the same files."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from haha_config.core import variables as v
from haha_config.core.messages import Message, msg
from haha_config.core.model import Place
from haha_config.core.state import asked
from haha_config.core.state.state import State
from haha_config.workflow.session import Session


def others(session: Session, state: State) -> Iterator[Message]:
    """What other versions call and ask for, where it is not the same."""
    told, _ = asked_for(session, state)
    for version in state.known_versions if state.client == "claude" else ():
        other = replace(session, version=version).state()
        differs, _ = asked_for(session, other)
        if (other.value(v.BASE_URL), differs) != (state.value(v.BASE_URL), told):
            yield msg(
                "Claude Code {version} calls {url} and asks for {model}",
                version=version,
                url=v.shown_url(other.value(v.BASE_URL)) or "api.anthropic.com",
                model=in_words(differs),
            )


def asked_for(session: Session, state: State) -> tuple[Message | str, Place | None]:
    """The model that goes out; or why nothing does, and where that is."""
    if not state.value(v.BASE_URL):
        return asked.model(state), None
    from haha_config.io import machine

    kept = machine.client_state(session.environ, session.home)
    logged_in = kept.primary_api_key is not None or session.logged_in
    return asked.silent(state, logged_in=logged_in) or (asked.model(state), None)


def in_words(told: Message | str) -> Message | str:
    if isinstance(told, Message):
        return msg("nothing: {why}", why=told)
    return told or msg("its own default model")
