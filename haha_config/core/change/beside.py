"""Changes to settings.json beside `env`: who decides on a command, and the second header."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from haha_config.core import headers, urls
from haha_config.core import variables as v
from haha_config.core.change import picker
from haha_config.core.edit.text import at
from haha_config.core.model import Change, Data, Path, Permissions, Remove, Set
from haha_config.core.setup.answers import Answers
from haha_config.core.state import owned
from haha_config.core.state.file import File
from haha_config.core.state.layers import as_text, resolve
from haha_config.core.state.state import State

#: The word that turns auto mode off.
OFF: Final = "disable"


def elsewhere(base_url: str) -> bool:
    """Whether an endpoint is not Anthropic's own, whose server checks commands in auto mode."""
    url = urls.parse(base_url)
    return url is not None and not f".{url.host}".endswith(".anthropic.com")


def held_permissions(state: State) -> Permissions | None:
    """What the files say about commands; None where nobody has decided."""
    if state.value(v.AUTO_MODE_SERVER) == "0":
        return "auto"
    if any(at(f.data, owned.ASKS) == OFF for f in state.settings.values()):
        return "ask"
    return "keep" if state.owned.knows(state.target.path) else None


def default_permissions(state: State) -> Permissions:
    """What holds without a word from the person: a mode that they set themselves stays."""
    return held_permissions(state) or ("keep" if person_wants_auto(state) else "ask")


def person_wants_auto(state: State) -> bool:
    """Whether `permissions.defaultMode` is `auto` in any file that this client reads."""
    where = ("permissions", "defaultMode")
    return any(at(f.data, where) == "auto" for f in state.settings.values())


def undecided(state: State) -> bool:
    """Whether only the person can say: they set auto mode themselves, before we came."""
    return held_permissions(state) is None and person_wants_auto(state)


def permission_changes(mode: Permissions, file: File, record: owned.Owned) -> Iterator[Change]:
    """Sets what makes the client ask, or takes out what we wrote; a person's own stays."""
    held = at(file.data, owned.ASKS)
    table = file.data.get("permissions")
    if mode == "ask":
        if held is None and (table is None or isinstance(table, Mapping)):
            yield Set(owned.ASKS, OFF)
    elif record.has(file.path, owned.ASKS, held):
        yield Remove(owned.ASKS)
        if isinstance(table, Mapping) and len(table) == 1:
            yield Remove(("permissions",))


def search_changes(deny: bool, file: File, record: owned.Owned) -> Iterator[Change]:
    """Refuses the client's web search, or takes that rule of ours out; other rules stay."""
    rules = at(file.data, owned.DENY)
    table = file.data.get("permissions")
    if not deny:
        yield from _without_rule(rules, file, record)
        return
    lists = isinstance(table or {}, Mapping) and isinstance(rules or [], list)
    if lists and not owned.denies(rules):
        yield Set(owned.DENY, [*(rules or ()), owned.WEB_SEARCH])


def _without_rule(rules: Data, file: File, record: owned.Owned) -> Iterator[Change]:
    if record.has(file.path, owned.DENY, rules):
        left = [rule for rule in rules if rule != owned.WEB_SEARCH]
        yield Set(owned.DENY, left) if left else Remove(owned.DENY)


def denies_search(state: State) -> bool:
    """Whether the file that is written refuses the web search because we wrote that."""
    rules = at(state.target.data, owned.DENY)
    return state.owned.has(state.target.path, owned.DENY, rules)


def header_changes(token: str, state: State, file: File, root: tuple[str, ...]) -> Iterator[Change]:
    """Sets the header line with the credential, or takes ours out; other lines stay."""
    where = (*root, v.HEADERS)
    held = at(file.data, where)
    text = as_text(held) if held is not None else _inherited(state, file)
    if token:
        yield Set(where, headers.with_header(text, headers.KEY, token))
    else:
        yield from _without_header(file, where, state.owned)


def _without_header(file: File, where: Path, record: owned.Owned) -> Iterator[Change]:
    held = at(file.data, where)
    if record.has(file.path, where, held):
        left = headers.with_header(as_text(held), headers.KEY, "")
        yield Set(where, left) if left else Remove(where)


def removals(file: File, root: tuple[str, ...], record: owned.Owned) -> Iterator[Change]:
    """What takes out all that we wrote beside the client's variables."""
    for where in (owned.ASKS, owned.PICKER) if root else ():
        if record.has(file.path, where, at(file.data, where)):
            yield Remove(where)
    if root:
        yield from _without_rule(at(file.data, owned.DENY), file, record)
    yield from _without_header(file, (*root, v.HEADERS), record)


def _inherited(state: State, file: File) -> str:
    """What weaker places say of headers: a variable in this file hides theirs whole."""
    paths = [layer.path for layer in state.layers]
    weaker = state.layers[paths.index(file.path) + 1 :] if file.path in paths else ()
    return resolve(weaker, v.HEADERS).value or ""


def foreign_key_header(state: State) -> bool:
    """Whether a custom header of somebody else's would go out as `x-api-key`."""
    rewritten = (state.target.path, state.dotenv.path)
    for layer in state.layers:
        held, where = layer.values.get(v.HEADERS), (*layer.root, v.HEADERS)
        ours = layer.path in rewritten and state.owned.has(layer.path, where, held)
        if held is not None and not ours:
            return bool(headers.value(as_text(held), headers.KEY))
    return False


def session_headers(token: str, state: State) -> dict[str, str]:
    """The header variable of one session on another set-up, where it needs one or another has one.

    A line of ours in the files is about the key that is configured there.
    """
    held = state.value(v.HEADERS)
    if not token and not headers.value(held, headers.KEY):
        return {}
    return {v.HEADERS: headers.with_header(held, headers.KEY, token)}


def session_settings(made: Answers) -> dict[str, Data]:
    """What stands beside the variables in one session's settings."""
    there = elsewhere(made.base_url)
    table: dict[str, Data] = {"disableAutoMode": OFF} if there and made.permissions == "ask" else {}
    if made.deny_web_search:
        table["deny"] = [owned.WEB_SEARCH]
    shown = {"modelPicker": picker.setting(made.picker)} if there and made.picker else {}
    return {**({"permissions": table} if table else {}), **shown}
