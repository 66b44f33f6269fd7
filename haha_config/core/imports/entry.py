"""What every reader of another tool's files gives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

from haha_config.core import urls
from haha_config.core.messages import Message, msg
from haha_config.core.model import Place, Slot

#: Of a database whose tables or columns have other names.
STRANGE: Final = msg("its tables have another shape: it may be newer than haha-config")


class Served(Struct, frozen=True, kw_only=True):
    """A model behind a gateway: the name that the client sees, and where it is answered.

    `url` is a base URL, or the full path of one request, as the tool had it. `key` is a real one,
    or "" . `variable`: the environment variable that holds it, where the tool only names one.
    `model` may begin with LiteLLM's prefix.
    """

    name: str
    model: str
    url: str
    key: str = ""
    variable: str = ""
    anthropic: bool = False


class ImportedGateway(Struct, frozen=True, kw_only=True):
    """A set-up that needs translation. `slots` name what is served."""

    served: tuple[Served, ...]
    slots: Mapping[Slot, str] = field(default_factory=dict)


class ImportedSetup(Struct, frozen=True, kw_only=True):
    """One set-up of another tool: client variables, or a gateway, or why it is neither.

    `env` holds real keys. `notes` say what is lost on the way.
    """

    source: str
    name: str
    place: Place
    env: Mapping[str, str] = field(default_factory=dict)
    gateway: ImportedGateway | None = None
    skipped: Message | None = None
    notes: tuple[Message, ...] = ()
    current: bool = False


def named(text: str) -> str:
    """A profile's name made of what another tool called it; "" where nothing is left."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._").lower()
    return plain[:64].removesuffix(".toml")


def credential(key: str, variable: str, url: str, name: str) -> tuple[str, str]:
    """The key and the variable of what is served at `url` by what its tool calls `name`.

    Where the tool has neither, a variable of its own: a shared one could hold the key of another
    provider, which would then be sent there. A server of this machine gets a token that is no key.
    """
    if key or variable or not url:
        return key, variable
    if urls.local_port(url) is not None:
        return "local", ""
    words = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").upper() or "UPSTREAM"
    return "", f"{'' if words[0].isalpha() else 'KEY_'}{words}_API_KEY"
