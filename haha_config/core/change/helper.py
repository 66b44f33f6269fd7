"""The client's `apiKeyHelper`: ours prints the key of a profile, everybody else's stays."""

from __future__ import annotations

from collections.abc import Mapping

from haha_config.core import variables as v
from haha_config.core.model import Change, Data, Place, Remove, Set
from haha_config.core.setup.profile import is_name
from haha_config.core.state.state import State


def helper_changes(helper: str, held: Mapping[str, Data]) -> tuple[Change, ...]:
    """Set the client's `apiKeyHelper`, or take ours out; somebody else's is left alone."""
    if helper:
        return (Set((v.HELPER,), helper),)
    return (Remove((v.HELPER,)),) if is_own_helper(held.get(v.HELPER)) else ()


def is_own_helper(value: Data) -> bool:
    """Whether an `apiKeyHelper` is exactly what we write: any other text is somebody else's."""
    return bool(helper_profile(value))


def foreign_helper(state: State) -> Place | None:
    """Where somebody else's `apiKeyHelper` stands: its key goes out in both headers."""
    for _, file in state.settings_files:
        if file.data.get(v.HELPER) and not is_own_helper(file.data[v.HELPER]):
            return file.place(v.HELPER)
    return None


def helper_profile(value: Data) -> str:
    """The profile whose key our own `apiKeyHelper` prints; "" for anybody else's."""
    if not isinstance(value, str):
        return ""
    program, _, name = value.rpartition(" key ")
    return name if is_name(name) and _starts_us(program) else ""


def _starts_us(program: str) -> bool:
    """Whether this is how `use --keyring` lets a shell start us."""
    if program == "haha-config":
        return True
    python, module, rest = program.partition(" -m haha_config")
    if not module or rest:
        return False
    # `-P` came later: a folder that is worked in is no place for our modules.
    python = python.removesuffix(" -P")
    from shlex import quote, split

    try:
        words = split(python)
    except ValueError:
        return False
    absolute = len(words) == 1 and (words[0].startswith("/") or words[0][1:3] in (":\\", ":/"))
    return absolute and quote(words[0]) == python
