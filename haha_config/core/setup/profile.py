"""A named set-up without its secrets: answers, and where each key is to be found."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, cast, get_args

from msgspec import Struct, field

from haha_config.core.errors import Refusal, Usage
from haha_config.core.messages import msg
from haha_config.core.model import Data, Header, Place
from haha_config.core.providers.decode import Misshapen, decode

Kind = Literal["env", "file", "keyring"]

#: Words that `use` reads as something else.
RESERVED: Final = frozenset({"off", "-"})
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
#: A file of our own store, which no name leads out of.
_STORED: Final = re.compile(r"(?!\.+$)[^/\\:]+")
_WHOLE: Final = re.compile(r"/|~|[A-Za-z]:[/\\]")


class Reference(Struct, frozen=True):
    """Where a key is: `env:NAME`, `file:PATH`, `keyring:NAME`.

    A `file` without a folder is in our own store.
    """

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


class _Own(Struct, frozen=True, kw_only=True):
    """What stands beside the answers in a profile's file. A key is a reference, and no text."""

    header: Header = "bearer"
    either: bool = False
    context: int | None = None
    keys: Mapping[str, Data] = field(default_factory=dict)


class Profile(Struct, frozen=True, kw_only=True):
    """`answers` are flags of `init` by their long names; `keys` by the variable that holds each.

    `header` is written down because the key tells it, and the key is not here. `either`: a person
    said that the endpoint takes the key in both headers at once. `context`: the window in tokens,
    where no table knows the model.
    """

    name: str
    answers: Mapping[str, Data]
    header: Header = "bearer"
    either: bool = False
    context: int | None = None
    keys: Mapping[str, Reference] = field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        """As it stands in its file."""
        found: dict[str, Any] = {**self.answers, "header": self.header}
        if self.either:
            found["either"] = True
        if self.context:
            found["context"] = self.context
        if self.keys:
            found["keys"] = {variable: str(ref) for variable, ref in self.keys.items()}
        return found

    @property
    def helper(self) -> bool:
        """Whether the client's key comes from a keyring, so that no file needs to hold it."""
        return len(self.keys) == 1 and all(ref.kind == "keyring" for ref in self.keys.values())


def check_name(name: str) -> str:
    """`name`, if a file and a shell word can be called so. Raises Usage."""
    if name in RESERVED:
        raise Usage(
            msg("`{name}` can't name a profile: `use {name}` means something else", name=name)
        )
    if not is_name(name):
        raise Usage(
            msg("`{name}` can't name a profile: letters, digits, `.`, `_` and `-`", name=name)
        )
    return name


def is_name(name: str) -> bool:
    """Whether a profile can be called so."""
    return bool(_NAME.fullmatch(name)) and name not in RESERVED and not name.endswith(".toml")


def of_data(name: str, data: Mapping[str, Data], path: str) -> Profile:
    """The profile that a file's data amounts to; its answers are not checked here.

    Raises Refusal for a member of ours that is of the wrong kind.
    """
    own = {key: value for key, value in data.items() if key in _Own.__struct_fields__}
    try:
        held = decode(own, _Own)
    except Misshapen as wrong:
        raise Refusal(wrong.what, place=Place(path=path), hints=wrong.hints) from None
    return Profile(
        name=name,
        answers={key: value for key, value in data.items() if key not in own},
        header=held.header,
        either=held.either,
        context=held.context,
        keys={variable: reference(text, path) for variable, text in held.keys.items()},
    )


def reference(text: object, path: str = "") -> Reference:
    """`env:NAME`, `file:PATH` or `keyring:NAME`.

    Raises Refusal for anything else; what stands there is not repeated, since it may be a key.
    """
    kind, colon, name = text.partition(":") if isinstance(text, str) else ("", "", "")
    if not colon or not name or kind not in get_args(Kind):
        raise Refusal(
            msg("a key is not a reference: env:NAME, file:PATH or keyring:NAME"),
            place=Place(path=path),
        )
    if kind == "file" and not (_STORED.fullmatch(name) or _WHOLE.match(name)):
        raise Refusal(msg("a key's file needs its whole path, file:/PATH"), place=Place(path=path))
    return Reference(cast("Kind", kind), name)
