"""What the files of a folder name about where a key goes, and whose keys would go there.

A cloned repository can bring client settings, `.env` and LiteLLM's files. A *naming value* is a
value in one of them that decides where a key is sent, by which way, or into which program: only
these are compared with what the person has agreed to, so that any other edit asks nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from haha_config.core import urls
from haha_config.core import variables as v
from haha_config.core.messages import Message, msg
from haha_config.core.model import Data, Place, Set, Write, mapping, walk
from haha_config.core.providers.model import Provider
from haha_config.core.state.gateway import REFERENCE, Gateway, ModelEntry
from haha_config.core.state.layers import as_text
from haha_config.core.state.state import State

#: `entry`: an upstream of the gateway and the variables that go to it. `code`: what LiteLLM loads.
#: `setting`: any other text that LiteLLM is told. `link`: where a linked file really is.
#: `listener`: a program on the gateway's port that we did not start. `key`: one that we wrote.
Kind = Literal[
    "endpoint",
    "proxy",
    "ca",
    "helper",
    "program",
    "entry",
    "code",
    "setting",
    "link",
    "listener",
    "key",
]
#: The folder that brings a file, by the file's path; one that is not here is the person's own.
Folders = Mapping[str, str]
Steps = tuple[str | int, ...]


class NamingValue(Struct, frozen=True, kw_only=True, dict=True):
    """One value, and the folder that brings it. `value` can hold a secret: show `shown`.

    `path` leads to it in its file. `label`: what a person is told instead, as it is for now.
    """

    kind: Kind
    name: str
    value: str
    root: str
    place: Place = Place()
    path: Steps = ()
    #: The variables that go along.
    pulls: tuple[str, ...] = ()
    label: str = ""

    @cached_property
    def fingerprint(self) -> str:
        """What is kept of it: the value itself may be nobody else's business."""
        text = "\0".join((self.kind, self.name, self.value))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def shown(self) -> str:
        """The value as a person may see it."""
        if self.kind in ("endpoint", "proxy", "entry"):
            return v.shown_url(self.value.split("\n", 1)[0])
        if self.kind == "helper":
            # Its arguments can be a key; its program is what has to be judged.
            return f"{self.value.split(maxsplit=1)[0]} …" if self.value.strip() else ""
        if self.kind == "setting" and "://" in self.value:
            # Where it leads is what has to be judged; a path can be a secret of its own.
            scheme, _colon, rest = v.shown_url(self.value).partition("://")
            return f"{scheme}://{rest.partition('/')[0]}"
        if self.kind in ("setting", "key") and not _VARIABLE.fullmatch(self.value):
            return v.masked(self.value)
        return self.value.split("\n", 1)[0]


def told(value: NamingValue) -> Message:
    """What follows from a value, in words."""
    if value.kind == "entry":
        if value.pulls:
            return msg("LiteLLM sends {keys} to {where}", keys=value.pulls, where=value.shown)
        return msg("LiteLLM calls {where}", where=value.shown)
    if value.kind == "code":
        return msg("LiteLLM loads {what} ({name})", what=value.shown, name=value.name)
    if value.kind == "listener" and not value.label:
        return msg("{name} is taken by a program that the system does not show", name=value.name)
    if value.kind == "listener":
        return msg("{name} is taken by {who}", name=value.name, who=value.label)
    if value.kind == "program" and value.name == value.value:
        return msg("{name} is started", name=value.name)
    return msg("{name} is {value}", name=value.name, value=value.shown or '""')


# --- client variables ------------------------------------------------------------------------

#: Of variables that end like this the value is a way to somewhere.
_ENDINGS: Final[tuple[tuple[Kind, tuple[str, ...]], ...]] = (
    ("proxy", ("_PROXY",)),
    ("endpoint", ("_BASE_URL", "_API_BASE", "_API_URL", "_ENDPOINT")),
    ("ca", ("_CA_CERTS", "_CA_BUNDLE", "_CERT_FILE", "_CERT_DIR", "_CLIENT_CERT", "_CLIENT_KEY")),
    ("program", ("_OPTIONS", "_SHELL", "_SHELL_PREFIX", "_COMMAND")),
)
_NAMED: Final[Mapping[str, Kind]] = {
    "NODE_TLS_REJECT_UNAUTHORIZED": "ca",
    "SSL_VERIFY": "ca",
    # A host by its first name: RESOURCE.services.ai.azure.com.
    "ANTHROPIC_FOUNDRY_RESOURCE": "endpoint",
    **dict.fromkeys(("CLAUDE_CONFIG_DIR", "CLAUDE_ENV_FILE"), "program"),
    "CLAUDE_CODE_GIT_BASH_PATH": "program",
    **dict.fromkeys(("HOME", "PATH", "SHELL", "ENV", "BASH_ENV", "NODE_PATH"), "program"),
}
_PROGRAM_PREFIXES: Final = ("LD_", "DYLD_", "PYTHON", "GIT_", "XDG_")
#: Settings keys with a command that gives the client a credential.
_HELPER: Final = re.compile(r"(Helper|Refresh|Export)$")


def kind_of(variable: str) -> Kind | None:
    """What a variable in somebody's file decides about the way of a key; None: nothing."""
    name = variable.upper()
    if name == "NO_PROXY" or name.startswith("DISABLE_"):
        return None
    if name in _NAMED:
        return _NAMED[name]
    for kind, endings in _ENDINGS:
        if name.endswith(endings):
            return kind
    return "program" if name.startswith(_PROGRAM_PREFIXES) else None


def _variables(data: Mapping[str, Data], root: str, path: tuple[str, ...]) -> Iterator[NamingValue]:
    for name, value in data.items():
        kind = kind_of(str(name))
        text = as_text(value)
        if kind is not None and text:
            yield NamingValue(kind=kind, name=name, value=text, root=root, path=(*path, name))


def of_settings(data: Mapping[str, Data], root: str) -> Iterator[NamingValue]:
    """The naming values of a client's settings file."""
    yield from _variables(mapping(data.get("env")), root, ("env",))
    for name, value in data.items():
        if isinstance(value, str) and value and _HELPER.search(str(name)):
            yield NamingValue(kind="helper", name=name, value=value, root=root, path=(name,))


def client_values(state: State, folders: Folders, project: str) -> tuple[NamingValue, ...]:
    """The naming values that decide for this client now and that a folder brings.

    A relative path is looked for in `project`, so it is the folder's whoever names it.
    """
    return tuple(_client_values(state, folders, project))


def _client_values(state: State, folders: Folders, project: str) -> Iterator[NamingValue]:
    helpers: set[str] = set()
    for layer in state.layers:
        root = folders.get(layer.path)
        for value in _variables(layer.values, root or project, layer.root):
            if state.effective(value.name).place.path != layer.path:
                continue
            if root is not None or (value.kind == "ca" and _is_relative(value)):
                yield replace(value, place=layer.place(value.name))
        file = state.file_of(layer)
        for value in of_settings(file.data, root or "") if layer.root else ():
            if value.kind == "helper" and value.name not in helpers:
                helpers.add(value.name)
                if root is not None:
                    yield replace(value, place=file.place(value.name))


def _is_relative(value: NamingValue) -> bool:
    """Whether a certificate's file is looked for in the current folder."""
    if not value.name.upper().endswith(("CERTS", "BUNDLE", "_FILE", "_DIR", "_CERT", "_KEY")):
        return False
    paths = PurePosixPath(value.value), PureWindowsPath(value.value)
    return not any(path.is_absolute() for path in paths)


# --- whose key would go there ----------------------------------------------------------------


class Credential(Struct, frozen=True, kw_only=True):
    """A credential that goes out: the name of its variable or setting, and where it is.

    `fingerprint` tells a key that a write of ours has put there.
    """

    name: str
    place: Place
    fingerprint: str = ""


_CREDENTIALS: Final = (*v.CREDENTIALS, "ANTHROPIC_CUSTOM_HEADERS")


def credentials(state: State) -> tuple[Credential, ...]:
    """The credentials that this client would send along."""
    return tuple(_credentials(state))


def _credentials(state: State) -> Iterator[Credential]:
    tokens = {row.credential.token for row in state.providers.values()}
    for name in _CREDENTIALS:
        found = state.effective(name)
        if found.value and found.value not in tokens:
            print_ = _key(name, found.value, "").fingerprint
            yield Credential(name=name, place=found.place, fingerprint=print_)
    for _, file in state.settings_files:
        for value in of_settings(file.data, ""):
            if value.kind == "helper":
                yield Credential(name=value.name, place=file.place(value.name))


def _key(name: str, value: str, root: str) -> NamingValue:
    return NamingValue(kind="key", name=name, value=value, root=root)


def going_along(
    value: NamingValue,
    keys: Iterable[Credential],
    folders: Folders,
    agreed: Mapping[str, Collection[str]],
) -> tuple[Credential, ...]:
    """The keys of the person's that a value would lead astray.

    A folder may send its own key, one that stands in the same file as the value: a set-up made by
    hand. A key that stands elsewhere, or that a write of ours has put there, is the person's.
    """
    return tuple(
        key
        for key in keys
        if key.place.path != value.place.path
        or key.place.path not in folders
        or key.fingerprint in agreed.get(folders[key.place.path], ())
    )


# --- LiteLLM's files -------------------------------------------------------------------------

_KEY_NAME: Final = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)(_?\d+)?$", re.IGNORECASE)
_VARIABLE: Final = re.compile(rf"{re.escape(REFERENCE)}([A-Za-z_]\w*)")
#: Keys below which LiteLLM is told what to load: a module beside the file, or a service by name.
_CODE: Final = re.compile(r"callbacks?$|^custom_|^guardrail$|^include$|_rules$|_handler$")
#: Sections whose keys are LiteLLM's own words. In others a server or a variable has any name.
_OWN_WORDS: Final = frozenset({"litellm_settings", "router_settings", "general_settings"})
#: Text that only names models of this file, or people's words.
_HARMLESS: Final = re.compile(
    r"fallbacks|^model_group_alias$|^model_name$|^routing_strategy$|^model_info$"
    r"|^(guardrail|credential|litellm_credential|model|server)_name$|^description$|^mode$|^tags?$"
)
#: Switches that open the way: certificates unchecked, the client's own headers handed on.
_SWITCH: Final = re.compile(r"ssl|verify|forward")
_ENV_HARMLESS: Final = frozenset(
    {"HOST", "PORT", "LITELLM_MODE", "LITELLM_LOG", "NO_PROXY", "no_proxy", "TZ", "LANG"}
)


def gateway_values(state: State, root: str) -> tuple[NamingValue, ...]:
    """The naming values of `litellm_config.yaml` and `litellm.env` of `root`, each once."""
    readers = ((state.litellm, of_config), (state.litellm_env, of_gateway_env))
    values = (
        replace(value, place=file.place(*value.path), root=root)
        for file, read in readers
        for value in read(file.data)
    )
    return tuple({value.fingerprint: value for value in values}.values())


def of_config(data: Mapping[str, Data]) -> Iterator[NamingValue]:
    """The naming values of a LiteLLM configuration."""
    for name, value in data.items():
        if name == "model_list" and isinstance(value, list):
            for index, entry in enumerate(value):
                yield from _entry(entry, index)
        else:
            yield from _told(value, (name,))


def _entry(entry: Data, index: int) -> Iterator[NamingValue]:
    """Whom an entry calls, with what: everything in it but the model's own name and numbers."""
    params = mapping(entry).get("litellm_params")
    if not isinstance(params, Mapping):
        return
    texts = list(_texts(params, ()))
    base = next((text for path, text in texts if path in (("api_base",), ("base_url",))), "")
    model = params.get("model")
    prefix, _slash, name = model.partition("/") if isinstance(model, str) else ("", "", "")
    prefix = prefix if name else ""
    # A model that is an address is where some providers' requests go (huggingface).
    base = base or (name if "://" in name else "")
    rest = sorted(
        f"{'.'.join(map(str, path))}={text}"
        for path, text in texts
        # A key that stands here is the folder's own; which one it is decides nothing.
        if path != ("model",) and (REFERENCE in text or not _KEY_NAME.search(str(path[-1])))
    )
    yield NamingValue(
        kind="entry",
        name="model_list",
        value="\n".join((base or prefix or "openai", prefix, *rest)),
        root="",
        path=("model_list", index, "litellm_params"),
        pulls=tuple(dict.fromkeys(n for _, text in texts for n in _VARIABLE.findall(text))),
    )


def _told(value: Data, path: Steps) -> Iterator[NamingValue]:
    """The texts below a section of the configuration: what LiteLLM loads, and what it is told."""
    for where, text in _texts(value, path):
        keys = [key for key in where if isinstance(key, str)]
        if _is_harmless(keys, text):
            continue
        yield NamingValue(
            kind="code" if any(_CODE.search(key) for key in keys) else "setting",
            name=".".join(keys),
            value=text,
            root="",
            path=where,
            pulls=tuple(_VARIABLE.findall(text)),
        )


def _is_harmless(keys: list[str], text: str) -> bool:
    if keys[1:] == ["master_key"]:
        return True
    words = keys[1:] if _OWN_WORDS.intersection(keys[:1]) else keys[-1:]
    return REFERENCE not in text and any(_HARMLESS.search(key) for key in words)


def _texts(data: Data, path: Steps) -> Iterator[tuple[Steps, str]]:
    """Every text below `data` that says something, and where."""
    for where, leaf in ((path, data), *walk(data, path)):
        if isinstance(leaf, bool) and where and _SWITCH.search(str(where[-1])):
            leaf = as_text(leaf)
        if isinstance(leaf, str) and leaf:
            yield tuple(key for key in where if isinstance(key, str | int)), leaf


def of_gateway_env(data: Mapping[str, Data]) -> Iterator[NamingValue]:
    """What `litellm.env` tells the gateway beside its keys."""
    for name, value in data.items():
        if not isinstance(value, str) or not value or name in _ENV_HARMLESS:
            continue
        kind = kind_of(name)
        said = value.lower() in ("true", "false") or v.whole(value) is not None
        if kind is None and (_KEY_NAME.search(name) or said):
            continue
        yield NamingValue(kind=kind or "setting", name=name, value=value, root="", path=(name,))


# --- what the gateway gets of the shell ------------------------------------------------------

#: The gateway's own, wherever it is set.
_ITS_OWN: Final = (v.MASTER_KEY, "LITELLM_SALT_KEY")


def shell_variables(gateway: Gateway, rows: Iterable[Provider]) -> frozenset[str]:
    """The variables of the shell that a gateway of these files may have.

    A provider's own, where an entry names it for one of that provider's hosts: an entry that
    sends somebody else's secret anywhere gets nothing.
    """
    known = [row for row in rows if row.credential.variable]
    allowed = {
        row.credential.variable for entry in gateway.entries for row in known if _is_for(entry, row)
    }
    return frozenset((*_ITS_OWN, *allowed))


def may_be_gateways(variable: str, state: State) -> bool:
    """Whether a variable of the shell that `master_key` names can be this gateway's own key.

    A key that a provider, a cloud or a client is known by is somebody else's, and so is what is
    not even called a key: it does not become what clients send because a file says so.
    """
    rows = {row.credential.variable for row in state.providers.values()}
    known = {name for names in state.litellm_facts.key_variables.values() for name in names}
    return variable.upper().endswith("KEY") and variable not in {*rows, *known, *v.CREDENTIALS}


def belongs(variable: str, entry: ModelEntry, rows: Iterable[Provider]) -> bool:
    """Whether `variable` is that of a provider whose host this entry calls."""
    return any(row.credential.variable == variable and _is_for(entry, row) for row in rows)


def _is_for(entry: ModelEntry, row: Provider) -> bool:
    """Whether an entry calls this row's host and names the row's variable."""
    if row.upstream is None or f"{REFERENCE}{row.credential.variable}" not in (
        value for value in entry.params.values() if isinstance(value, str)
    ):
        return False
    bases = [*row.upstream.api_base.values(), *row.base_urls.values()]
    bases += [url for kind in row.credential.kinds for url in kind.base_urls.values()]
    called = entry.api_base
    if not called:
        return (entry.prefix or "openai/") == row.upstream.prefix
    if not any(bases):
        # A row without an address of its own is for whichever the person names.
        return entry.prefix == row.upstream.prefix
    return any(base and _same_host(base, called) for base in bases)


def _same_host(one: str, other: str) -> bool:
    a, b = urls.parse(one), urls.parse(other)
    return a is not None and b is not None and (a.scheme, a.host) == (b.scheme, b.host)


# --- what a write of ours brings -------------------------------------------------------------


def brought(
    write: Write,
    before: Mapping[str, Data],
    after: Mapping[str, Data],
    root: str,
    agreed: Collection[str] = (),
) -> tuple[NamingValue, ...]:
    """The naming values that a write sets, or that were not in the file before it.

    What stood there already has been confirmed by nobody, unless the write sets it again. An entry
    of the gateway is confirmed by nobody either where it calls what an unconfirmed one called:
    an edit of ours keeps the address of an entry that somebody else made.
    """
    if write.format not in _READERS:
        return ()
    gateway = PurePosixPath(write.path.replace("\\", "/")).name == "litellm.env"
    reader = of_gateway_env if gateway else _READERS[write.format]
    held = tuple(reader(before))
    old = {value.fingerprint for value in held}
    theirs = {
        mark
        for value in held
        if value.kind == "entry" and value.fingerprint not in agreed
        for mark in _marks(value)
    }
    touched = {change.path for change in write.changes if isinstance(change, Set)}
    found = (
        value
        for value in reader(after)
        if value.path in touched
        or (value.fingerprint not in old and not (value.kind == "entry" and theirs & _marks(value)))
    )
    keys = (
        _key(str(change.path[-1]), change.value, root)
        for change in write.changes
        if isinstance(change, Set) and change.path[-1] in _CREDENTIALS and change.value
    )
    return (*(replace(value, root=root) for value in found), *keys)


def _marks(value: NamingValue) -> set[object]:
    """What makes an entry the same one after an edit: its place in the list, whom it calls."""
    return {value.path, value.value.split("\n", 1)[0]}


_READERS: Final = {
    "json": lambda data: of_settings(data, ""),
    "dotenv": lambda data: _variables(data, "", ()),
    "yaml": of_config,
}


# --- what is agreed to -----------------------------------------------------------------------


def unknown(
    values: Iterable[NamingValue], agreed: Mapping[str, Collection[str]]
) -> tuple[NamingValue, ...]:
    """The values that the person has not agreed to; `agreed` are fingerprints by folder."""
    return tuple(one for one in values if one.fingerprint not in agreed.get(one.root, ()))
