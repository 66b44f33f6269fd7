"""How an `init` by questions ends: the gateway started, and real requests that prove it."""

from __future__ import annotations

from typing import Final

from haha_config.core.errors import INTERRUPTED, HahaError
from haha_config.core.messages import Message, msg, nmsg
from haha_config.core.setup.answers import Answers
from haha_config.io import loopback, report
from haha_config.io.prompts import Prompter
from haha_config.workflow.session import Session

#: Seconds for each answer of the closing proof.
_PATIENCE: Final = 60.0


def proof(session: Session, answers: Answers, *, plain: bool) -> None:
    """Offer to start the gateway, and to send the requests that the client will send."""
    prompter = session.prompter(plain=plain)
    try:
        _proof(session, answers, prompter)
    except HahaError as error:
        # Everything is written by now: what can't be proved yet is said, and is no failure.
        if error.exit_code == INTERRUPTED:
            raise
        report.failure(error, as_json=False)


def _proof(session: Session, answers: Answers, prompter: Prompter) -> None:
    if answers.port is not None and not _gateway(session, prompter, answers.port):
        return
    from haha_config.workflow import probe

    state = session.state()
    # The client's whole first request can take a model on this machine minutes.
    local = session.providers[answers.provider].local
    small = local or (answers.port is not None and probe.has_local_upstream(state))
    options = probe.ProbeOptions(small=small, timeout=_PATIENCE)
    requests, tokens = probe.priced(session, state, options)
    cost = nmsg(
        "{n} request, about {tokens} tokens",
        "{n} requests, about {tokens} tokens",
        n=requests,
        tokens=probe.thousands(tokens),
    )
    if not local or answers.port is not None:
        cost = msg("{cost}; your provider may bill them", cost=cost)
    if _yes(prompter, msg("Try it now, with real requests?"), cost, "haha-config probe"):
        probe.show(probe.run_probe(session, state, options=options))
    if not probe.installed_client(session):
        return
    why = msg("The client reads one file in a temporary folder.")
    if _yes(prompter, msg("Let the client itself ask once?"), why, "haha-config probe --client"):
        from haha_config.workflow.client_run import run_client

        probe.show(run_client(session, session.state(), None))


def _gateway(session: Session, prompter: Prompter, port: int) -> bool:
    """Whether the gateway runs with the files of now, because it does or because it may."""
    from haha_config.workflow.gateway.installation import best, install_locked, looked
    from haha_config.workflow.gateway.life import start_gateway, stop_gateway
    from haha_config.workflow.gateway.site import site, status_of

    running = loopback.who(port) == "litellm"
    if running and not status_of(site(session)).stale:
        return True
    missing = not running and best(looked(session)) is None
    question, verb = msg("Start the gateway?"), "up"
    why = msg("Your client needs the gateway.")
    if running:
        question, verb = msg("Restart the gateway?"), "restart"
        why = msg("The gateway runs with the old files.")
    elif missing:
        question, verb = msg("Install LiteLLM and start the gateway?"), "install"
        why = msg("Your client needs LiteLLM: about 600 MB.")
    if not _yes(prompter, question, why, f"haha-config proxy {verb}"):
        return False
    if running:
        stop_gateway(site(session))
    if missing:
        install_locked(session)
    start_gateway(session)
    return True


def _yes(prompter: Prompter, question: Message, why: Message, flag: str) -> bool:
    """The default is yes; going back is a no, since everything is written by now."""
    report.talk("")
    return prompter.confirm(question, why=why, flag=flag, default=True)
