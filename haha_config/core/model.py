"""The data that every part shares. Frozen, without behaviour beyond small look-ups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, Protocol, TypeAlias

from haha_config.core.messages import Message
from haha_config.core.record import dataclass, field

Client = Literal["claude", "haha"]
Route = Literal["direct", "litellm"]
Scope = Literal["user", "project", "local"]
Header = Literal["bearer", "x-api-key"]
Traffic = Literal["quiet", "minimal", "default"]
Severity = Literal["error", "warning", "note"]
Format = Literal["dotenv", "json", "yaml", "lines"]
TargetName = Literal["env", "settings", "litellm", "litellm_env"]
Slot = Literal["main", "opus", "sonnet", "haiku", "fable", "subagent"]

#: Every slot and the client variable that holds it, in the order in which they are written.
SLOTS: Final[Mapping[Slot, str]] = {
    "main": "ANTHROPIC_MODEL",
    "opus": "ANTHROPIC_DEFAULT_OPUS_MODEL",
    "sonnet": "ANTHROPIC_DEFAULT_SONNET_MODEL",
    "haiku": "ANTHROPIC_DEFAULT_HAIKU_MODEL",
    "fable": "ANTHROPIC_DEFAULT_FABLE_MODEL",
    "subagent": "CLAUDE_CODE_SUBAGENT_MODEL",
}


# --- places and edits ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a file. `line` and `column` are 1-based, in code points; None: the whole file."""

    path: str = ""
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """The first element of a list whose member `key` equals `value`."""

    key: str
    value: str


Key: TypeAlias = str | int | Item
Path: TypeAlias = tuple[Key, ...]
#: Plain data: None, bool, int, float, str, list, dict with str keys.
Data: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Set:
    """Make `path` hold `value`.

    Missing parents are created. A last key that is an `Item` without a match appends `value` to
    the list, so that the same change twice is the change once.
    """

    path: Path
    value: Data


@dataclass(frozen=True, slots=True)
class Remove:
    """Take `path` out; nothing happens where it is not there."""

    path: Path


Change: TypeAlias = Set | Remove


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """Something that a reader noticed and that is not an error to it: a duplicate key, a BOM.

    `kind` is one of: `bom`, `duplicate`, `comment`, `non-string`, `bad-line`, `dialect`, `alias`,
    `merge`, `tab`, `documents`.
    """

    kind: str
    place: Place
    name: str = ""


class Document(Protocol):
    """A parsed file: its data, and where each entry stands."""

    @property
    def data(self) -> Mapping[str, Data]: ...

    @property
    def oddities(self) -> Sequence[Oddity]: ...

    def place(self, path: Path) -> Place | None:
        """Where the *value* at `path` starts; None where there is no such entry."""

    def key_place(self, path: Path) -> Place | None:
        """Where the *key* at `path` starts; None where there is no such entry."""


# --- plans -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One file's exact change. `before` None: it must not exist; `after` None: it is deleted.

    `path` is the name the person knows; links are resolved when it is applied. `secret`: a new
    file is created 0600, and an existing one that others can read is said to be so.
    `changes` are what `after` does to `before`; `undo` takes them back one by one. `leaves`:
    nothing of ours is in the file any more, so the next write begins anew.
    """

    path: str
    format: Format
    before: bytes | None
    after: bytes | None
    secret: bool = False
    changes: tuple[Change, ...] = ()
    leaves: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A file as it was before us: before the first write since nothing of ours was in it.

    `number` is that write's in the journal.
    """

    before: bytes | None
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Every write of one command, in the order in which they are renamed into place."""

    writes: tuple[Write, ...] = ()
    notes: tuple[Message, ...] = ()

    @property
    def effective(self) -> tuple[Write, ...]:
        return tuple(w for w in self.writes if w.before != w.after)


# --- providers -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model of a row. `context` and `output` in tokens; None: unknown.

    `retired` is the ISO date from which the provider no longer answers to this id.
    `env` are client variables that this model asks for (window, output).
    """

    id: str
    context: int | None = None
    output: int | None = None
    tools: bool | None = None
    thinking: bool | None = None
    retired: str | None = None
    instead: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyKind:
    """A kind of key that a provider hands out, told by how it starts.

    `region` is where it is good for ("": everywhere). `base_urls` by region, `header` and `slots`
    replace the row's own where this kind needs others (a coding plan). `fits` False: a key of this
    kind never works for this row, and `about` says why.
    """

    prefix: str
    name: str
    region: str = ""
    base_urls: Mapping[str, str] = field(default_factory=dict)
    header: Header | None = None
    slots: Mapping[Slot, str] = field(default_factory=dict)
    fits: bool = True
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """Where a row's key is found and how the client must send it.

    `variable` "" : no key is needed and `token` is sent instead. `optional`: `token` is sent
    where there is no key. `either`: both headers are accepted, also at once, so that a client may
    fetch the key from a keyring (`apiKeyHelper`).
    """

    variable: str
    header: Header = "bearer"
    optional: bool = False
    token: str = ""
    url: str = ""
    either: bool = False
    kinds: tuple[KeyKind, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """Where the live model list is. `kind`: openai, openrouter, ollama, anthropic, litellm.

    `url` holds `{base}` (the endpoint without a final slash) or `{origin}` (its scheme, host and
    port), so that a key never goes to a host that the person did not choose. `public`: it is asked
    without a credential. `version_url` answers `{"version": …}`; below `minimum` the server does
    not speak the Anthropic protocol.
    """

    url: str
    kind: str
    public: bool = False
    version_url: str = ""
    minimum: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstreamed:
    """How LiteLLM reaches this row: the model prefix, its api_base by region, extra params.

    `params` are added to `litellm_params`; `params_without_thinking` too, unless the model is
    known to think. `chat_completions`: LiteLLM would call `{api_base}/responses`, which this row
    does not have, so the file needs `use_chat_completions_url_for_anthropic_messages`.
    `key` False: no `api_key` is written. `other_prefixes`: what people write for the same service.
    """

    prefix: str
    other_prefixes: tuple[str, ...] = ()
    api_base: Mapping[str, str]
    params: Mapping[str, Data] = field(default_factory=dict)
    params_without_thinking: Mapping[str, Data] = field(default_factory=dict)
    chat_completions: bool = False
    key: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One row of the provider table: where requests end up.

    `routes`: the first is the default. `base_urls`: what the client calls on the direct route, by
    region, the first is the default; "" where the person must give it; empty where there is no
    direct route. `variables`: extra client variables on the direct route.
    `slots`: model ids by slot, `main` first; a missing slot takes `main`'s. `local`: runs on this
    machine, so its default URL is loopback, and `start` is the command that starts it. `multi`:
    the `litellm` row, which takes upstreams. `own_models`: it serves the models of one maker only,
    so those of another such row are not there. `order`: place in the menu.
    `verified`: the ISO date on which the row was checked against the provider's documentation.
    `zh`: the row's English texts (about, notes, kinds) and their Chinese.
    """

    key: str
    name: str
    about: str
    docs: str
    verified: str
    routes: tuple[Route, ...]
    base_urls: Mapping[str, str]
    credential: Credential
    variables: Mapping[str, str] = field(default_factory=dict)
    slots: Mapping[Slot, str] = field(default_factory=dict)
    models: tuple[Model, ...] = ()
    discovery: Discovery | None = None
    upstream: Upstreamed | None = None
    local: bool = False
    multi: bool = False
    own_models: bool = False
    start: str = ""
    order: int = 100
    notes: tuple[str, ...] = ()
    zh: Mapping[str, str] = field(default_factory=dict)

    @property
    def regions(self) -> tuple[str, ...]:
        """The first is the default; a row without a direct route has its upstream's."""
        return tuple(self.base_urls or (self.upstream.api_base if self.upstream else ()))

    @property
    def region(self) -> str:
        return next(iter(self.regions), "global")

    def model(self, name: str) -> Model | None:
        plain = name.removesuffix("[1m]")
        return next((m for m in self.models if plain == m.id.removesuffix("[1m]")), None)


Providers: TypeAlias = Mapping[str, Provider]


# --- answers ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """One entry of `model_list`: the name the client sees and what LiteLLM calls.

    `variable` "" : this upstream needs no key.
    """

    name: str
    provider: str
    model: str
    base_url: str
    variable: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a person chose: everything that `plan.build` needs and no file can tell.

    `keys` are real values by variable name, for `litellm.env` (0600). `credential` is what the
    client sends: the provider's key, a token, or the gateway's master key. `reference` is the
    variable that would hold it with `--keys env`. `targets`: what may be created.
    """

    provider: str
    route: Route
    base_url: str
    credential: str
    header: Header
    slots: Mapping[Slot, str]
    traffic: Traffic = "quiet"
    variables: Mapping[str, str] = field(default_factory=dict)
    context: int | None = None
    upstreams: tuple[Upstream, ...] = ()
    drop: tuple[str, ...] = ()
    port: int | None = None
    master_key: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    targets: frozenset[TargetName] = frozenset({"env", "settings"})


# --- findings --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """What would set a problem right without asking: changes to one file that was read.

    `bare`: take its byte order mark off. `private`: nobody else may read it. `exclude`: git is to
    ignore it, in this clone.
    """

    path: str
    changes: tuple[Change, ...] = ()
    bare: bool = False
    private: bool = False
    exclude: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What a rule saw. `severity` None: the rule's own. No mends: it takes a choice or a person."""

    what: Message
    place: Place
    hint: Message | str | None = None
    severity: Severity | None = None
    mends: tuple[Mend, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A problem with its rule's code, ready to be reported."""

    code: str
    severity: Severity
    place: Place
    what: Message
    hint: Message | str | None = None
    mends: tuple[Mend, ...] = ()

    @property
    def fixable(self) -> bool:
        return bool(self.mends)


# --- requests and answers --------------------------------------------------------------------

#: Why there was no answer. `cut`: the connection ended inside one; `slow`: nothing came in time;
#: `stalled`: the stream fell silent; `proxy`: the way through it failed.
Failure = Literal[
    "dns", "refused", "unreachable", "tls", "certificate", "slow", "stalled", "cut", "proxy"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request to be sent, once and to nowhere else: redirects are answers, not orders.

    `timeout` in seconds: for the first byte of the answer, and again for each next piece.
    """

    key: str
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Data = None
    timeout: float = 60
    stream: bool = False
    #: Seconds to wait before it is sent: a second try after "too many requests".
    after: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and what came of it. `status` None: no answer, and `failure` says why.

    A failure beside a status: the answer began and did not end. `reason` is the system's own
    word for it. `pieces` are (ms since the request was sent, text) of a streamed body. `cut_off`:
    the body was longer than we keep.
    """

    ask: Ask
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    pieces: tuple[tuple[int, str], ...] = ()
    failure: Failure | None = None
    reason: str = ""
    ms: int = 0
    cut_off: bool = False


# --- what was read ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A file as it was when we looked. `data` None: it does not exist.

    `real` is the path with every link resolved. `mode` are the permission bits. `unreadable`
    says in words why it could not be read. `tracked`: git has it in its index; `committed`: it is
    in HEAD; `ignored`: git would ignore it; None: no git work tree, or not looked at.
    """

    path: str
    real: str
    data: bytes | None = None
    mode: int | None = None
    unreadable: Message | None = None
    tracked: bool | None = None
    committed: bool | None = None
    ignored: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Another tool that writes one of our targets by itself.

    `tool`: `cc-switch`, `claude-code-router`, `lite up`, `lite configure` or `claude-haha`.
    `path` is what it writes, `place` where it is seen to do so; `entry` its own name of the set-up.
    """

    tool: str
    path: str
    place: Place
    entry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A LiteLLM found on this machine, from its metadata. `markers`: files a poisoned one left.

    `proxy`: what `litellm[proxy]` adds is there. `path` is the folder it is installed in.
    """

    version: str
    path: str
    proxy: bool = True
    markers: tuple[str, ...] = ()
    #: The first `.env` at or above its installation, which it would load, and the names in it.
    dotenv: str = ""
    dotenv_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What this machine showed when we looked, without a request that costs anything.

    `listening` maps a loopback port that we care about to who answers on it: `litellm`, `ollama`,
    `other`, or "" for nobody.
    """

    today: str
    listening: Mapping[int, str] = field(default_factory=dict)
    litellm: tuple[Installed, ...] = ()
    owners: tuple[Owner, ...] = ()
    bun: bool | None = None
    packages: bool | None = None
    onboarded: bool | None = None
    primary_api_key: Place | None = None
    journal: bool = False
    windows_home: str = ""
    #: Where the client keeps `hasCompletedOnboarding`.
    client_state: str = ""
    #: From the data list: a version -> what is known of it; and the oldest that is safe.
    compromised: Mapping[str, str] = field(default_factory=dict)
    oldest: str = ""


def walk(data: Data, path: Path = ()) -> Iterator[tuple[Path, Data]]:
    """Every entry below `data`, parents before children."""
    pairs: Iterator[tuple[Any, Data]]
    if isinstance(data, Mapping):
        pairs = iter(data.items())
    elif isinstance(data, list):
        pairs = iter(enumerate(data))
    else:
        return
    for key, value in pairs:
        yield (*path, key), value
        yield from walk(value, (*path, key))
