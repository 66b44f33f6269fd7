"""What a Tab offers: values from the files and tables, read without asking anybody.

bash takes `:` for the end of a word, so `qwen3-coder:30b` comes as three words: they are joined
again, and what stands before the last colon is taken off what is offered.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import Final

from haha_config.core.model import SLOTS

VARIABLE: Final = "_HAHA_CONFIG_COMPLETE"


def one_of(*values: str) -> Callable[[str], list[str]]:
    """Always these."""
    return lambda incomplete: _starting(values, incomplete)


def models(incomplete: str) -> list[str]:
    """The models that this set-up can switch to."""
    from haha_config.core.state import configured
    from haha_config.workflow.session import open_session
    from haha_config.workflow.switch import known_models

    with contextlib.suppress(Exception):  # a broken file: nothing is offered, and nothing said
        state = open_session(reads=True).state()
        return _starting(known_models(state, configured.read(state)), incomplete)
    return []


def providers(incomplete: str) -> list[str]:
    """The keys of the provider table."""
    from haha_config.workflow.session import open_session

    return _starting(open_session(reads=True).providers, incomplete)


def upstreams(incomplete: str) -> list[str]:
    """`KEY:` of each provider that LiteLLM can call, then `KEY:MODEL` of its models."""
    from haha_config.workflow.session import open_session

    rows = [row for row in open_session(reads=True).providers.values() if row.upstream]
    key, colon, _model = incomplete.partition(":")
    if not colon:
        return _starting((f"{row.key}:" for row in rows), incomplete)
    ids = (f"{key}:{model.id}" for row in rows if row.key == key for model in row.models)
    return _starting(ids, incomplete)


def slots(incomplete: str) -> list[str]:
    """`SLOT=`, then `SLOT=MODEL`."""
    slot, equals, model = incomplete.partition("=")
    if not equals:
        return _starting((f"{name}=" for name in SLOTS), incomplete)
    return [f"{slot}={name}" for name in models(model)]


def rules(incomplete: str) -> list[str]:
    """Codes, names and families; behind a comma the next one."""
    from haha_config.core import rules as known

    before, comma, last = incomplete.rpartition(",")
    names = (*known.FAMILIES, *known.codes(), *(rule.name for rule in known.every()))
    found = [n for n in names if n.lower().startswith(last.lower())]
    return [f"{before}{comma}{name}" for name in found]


def writes(incomplete: str) -> list[str]:
    """The writes that `undo` can take back."""
    from haha_config.io import disk
    from haha_config.workflow.session import open_session

    kept = disk.records(open_session(reads=True).state_folder)
    return _starting((record.id for record in reversed(kept)), incomplete)


def _starting(values: Iterable[str], incomplete: str) -> list[str]:
    return [value for value in values if value.startswith(incomplete)]


# --- bash ------------------------------------------------------------------------------------


def rejoined(environ: MutableMapping[str, str]) -> str:
    """Join in `environ` what bash cut at colons; what it has of the word before the last colon."""
    words = environ.get("COMP_WORDS", "").split("\n")
    at = int(environ.get("COMP_CWORD", "0"))
    joined: list[str] = []
    gone = 0
    for number, word in enumerate(words):
        if joined and len(joined) > 1 and (word == ":" or joined[-1].endswith(":")):
            joined[-1] += word
            gone += number <= at
        else:
            joined.append(word)
    environ["COMP_WORDS"] = "\n".join(joined)
    environ["COMP_CWORD"] = str(at - gone)
    current = joined[at - gone] if 0 <= at - gone < len(joined) else ""
    return current[: current.rfind(":") + 1]


@contextlib.contextmanager
def trimmed(prefix: str) -> Iterator[None]:
    """Print what is offered without `prefix`, which bash has already."""
    offered = io.StringIO()
    try:
        with contextlib.redirect_stdout(offered):
            yield
    finally:  # the framework ends the process once it has printed
        for line in offered.getvalue().splitlines():
            print(line.removeprefix(prefix))
