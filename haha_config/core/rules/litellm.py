"""LLM: `litellm_config.yaml` and `litellm.env`, as LiteLLM reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Final

from msgspec.structs import replace

from haha_config.core import trust, urls
from haha_config.core import variables as v
from haha_config.core.keys import clean
from haha_config.core.messages import Message, msg, nmsg
from haha_config.core.model import (
    Change,
    Data,
    Fix,
    Place,
    Problem,
    Remove,
    Set,
    Severity,
    elements,
    plain_name,
)
from haha_config.core.providers.decode import closest
from haha_config.core.providers.index import ALWAYS_RESPONSES
from haha_config.core.rules import litellm_entries as entries
from haha_config.core.rules import litellm_shapes as shapes
from haha_config.core.rules import litellm_team as team
from haha_config.core.rules.key import credentials
from haha_config.core.rules.literal_keys import literal_keys
from haha_config.core.rules.rule import (
    FIX,
    Need,
    Rule,
    broken,
    quoted,
    set_everywhere,
    version,
    with_fix,
)
from haha_config.core.state.file import File
from haha_config.core.state.gateway import (
    REFERENCE,
    WEAK,
    Gateway,
    ModelEntry,
    Secret,
    includes,
    is_strong,
    unexpanded,
)
from haha_config.core.state.state import State

GATEWAY: Final[frozenset[Need]] = frozenset({"litellm", "gateway"})
READ: Final = ("LLM001",)
LISTED: Final = ("LLM001", "LLM002")
CHAT_FLAG: Final = "use_chat_completions_url_for_anthropic_messages"
INIT_GATEWAY: Final = "haha-config init --provider litellm"


#: One that is a usual start.
_ADD_MODEL: Final = f"{INIT_GATEWAY} --upstream openai:gpt-6.1-sol"


def _in_config(
    state: State, what: Message, place: Place, *changes: Change, severity: Severity | None = None
) -> Problem:
    """What these changes mend, each in the file whose section counts."""
    fixes = tuple(_in_section(state, change) for change in changes)
    return Problem(what, place, FIX, severity=severity, fixes=fixes)


def _in_section(state: State, change: Change) -> Fix:
    return Fix(path=state.gateway.holder(str(change.path[0])).path, changes=(change,))


def _in_entry(entry: ModelEntry, name: str, value: Data, what: Message) -> Problem:
    """What another value of this parameter of an entry mends."""
    place = entry.place(name if name in entry.params else "model")
    return Problem(what, place, FIX, fixes=(entry.fix(Set(entry.path(name), value)),))


class EntryRule(Rule):
    """A rule that looks at the entries of `model_list`."""

    needs = GATEWAY
    requires = LISTED


_EDIT: Final = msg("correct that place: until then LiteLLM does not start")


class LLM001(Rule):
    name = "config-yaml"
    title = msg("litellm_config.yaml is YAML that LiteLLM reads")
    why = msg("LiteLLM does not start with a file that it can't parse.")
    severity = "error"
    needs = frozenset({"litellm"})

    def check(self, state: State) -> Iterable[Problem]:
        yield from _not_there(state)
        for file in (state.litellm, state.litellm_env, *state.included):
            yield from broken(file, _EDIT)
        if state.route == "litellm" and not state.litellm.exists:
            what = msg(
                "the client calls the gateway at port {port}, and its file is not there",
                port=state.gateway_port,
            )
            hint = f"{INIT_GATEWAY} --upstream {_upstream(state)}"
            yield Problem(what, Place(path=state.litellm.path), hint)


def _upstream(state: State) -> str:
    """The upstream that a lost file had, as far as the client and the keys still tell."""
    main = plain_name(state.slots.get("main", ""))
    held = state.litellm_env.data
    for row in state.providers.values():
        if row.credential.variable and held.get(row.credential.variable) and not row.multi:
            return quoted(f"{row.key}:{main or row.slots.get('main', 'MODEL')}")
    return "openai:gpt-6.1-sol"


def _not_there(state: State) -> Iterator[Problem]:
    """Each included file that LiteLLM looks for in vain; the first file without a table in it."""
    for file in state.gateway.files:
        for index, path in enumerate(includes(file)):
            if path in state.missing:
                what = msg("there is no {path}, and LiteLLM does not start without it", path=path)
                hint = msg("put the file there, or delete the line")
                yield Problem(what, file.place("include", index), hint)
    if state.litellm.exists and state.litellm.error is None and not state.litellm.data:
        what = msg("the file is empty, and LiteLLM does not start with it")
        yield Problem(what, Place(path=state.litellm.path), _ADD_MODEL)


class LLM002(Rule):
    name = "model-entry"
    title = msg("Every entry of `model_list` has a name and a model")
    why = msg("LiteLLM offers only what stands in `model_list`.")
    how = msg("Add models with `haha-config init --provider litellm --upstream KEY:MODEL`.")
    severity = "error"
    needs = GATEWAY
    requires = READ

    def check(self, state: State) -> Iterable[Problem]:
        if not any(_listed(file) for file in state.gateway.files):
            if not state.gateway.listed_elsewhere:
                what = msg("`model_list` has no entry, so the gateway offers no model")
                yield Problem(what, state.litellm.place("model_list"), _ADD_MODEL)
            return
        good = {(entry.file.path, entry.index) for entry in state.gateway.entries}
        for file in state.gateway.files:
            for index, entry in enumerate(_listed(file)):
                info = entry.get("model_info", {}) if isinstance(entry, Mapping) else {}
                if (file.path, index) not in good:
                    what, hint = _missing(entry, state.gateway)
                elif not isinstance(info, Mapping):
                    what, hint = msg("`model_info` is no table"), msg("write `model_info:` `mode:`")
                else:
                    continue
                yield Problem(what, file.place("model_list", index), hint)


def _listed(file: File) -> Sequence[Data]:
    return elements(file.data.get("model_list"))


_WHOLE: Final = msg(
    "write it as `- model_name: NAME`, below it `litellm_params:` with `model: PREFIX/MODEL`"
)


def _missing(entry: Data, gateway: Gateway) -> tuple[Message, Message]:
    """What an entry lacks, and how it is written."""
    if not isinstance(entry, Mapping):
        return msg("this entry is no table of `model_name` and `litellm_params`"), _WHOLE
    name, params = entry.get("model_name"), entry.get("litellm_params")
    if not isinstance(gateway.followed(name), str):
        return _nameless(name, "model_name")
    if not isinstance(params, Mapping):
        return msg("`{name}` has no `{part}`", name=name, part="litellm_params"), _WHOLE
    if params.get("model") is None:
        return msg("`{name}` has no `{part}`", name=name, part="litellm_params.model"), _WHOLE
    return _nameless(params["model"], "model")


def _nameless(value: Data, key: str) -> tuple[Message, Message]:
    """Why a name is none: it is missing, a variable that is nowhere, or no text for YAML."""
    if value is None:
        return msg("this entry has no `model_name`"), _WHOLE
    if isinstance(value, str):
        variable = value.removeprefix(REFERENCE)
        what = msg("`{key}` is taken from `{name}`, which is not set", key=key, name=variable)
        return what, msg("add a line {name}=MODEL to litellm.env", name=variable)
    shown = _yaml(value)
    what = msg("`{key}` is `{value}`, which YAML does not read as text", key=key, value=shown)
    return what, msg('write {key}: "{value}"', key=key, value=shown)


#: What LiteLLM takes for a switch that is on.
_ON: Final = frozenset({"true", "1", "yes", "on", "y", "t"})


class LLM003(Rule):
    name = "drop-params"
    title = msg("`litellm_settings.drop_params` is true")
    why = msg(
        "The client sends parameters that other providers refuse. With this switch LiteLLM"
        " leaves them out."
    )
    severity = "error"
    fatal = False
    needs = GATEWAY
    requires = READ
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        data, gateway = state.litellm.data, state.gateway
        right = Set(("litellm_settings", "drop_params"), True)
        stray = [("general_settings", "drop_params"), ("router_settings", "drop_params")]
        misplaced = [p for p in stray if p[1] in gateway.section(p[0])]
        if "drop_params" in data:
            misplaced.append(("drop_params",))  # type: ignore[arg-type]
        given = gateway.settings.get("drop_params", gateway.lookup("LITELLM_DROP_PARAMS")[0])
        good = str(gateway.followed(given)).strip().lower() in _ON
        # LiteLLM makes up for it for Claude Code's user agent alone (measured).
        severity: Severity = "warning" if state.client == "claude" else "error"
        for path in misplaced:
            what = msg("`drop_params` has no effect here: it belongs below `litellm_settings`")
            place, level = gateway.place(*path), "warning" if good else severity
            yield _in_config(state, what, place, right, Remove(path), severity=level)
        if good or misplaced:
            return
        what, place = self._lacking(state)
        held = gateway.holder("litellm_settings").data.get("litellm_settings")
        if isinstance(held, Mapping | None):
            yield _in_config(state, what, place, right, severity=severity)
        else:
            hint = msg("write `litellm_settings:` and below it `  drop_params: true`")
            yield Problem(what, place, hint, severity=severity)

    @staticmethod
    def _lacking(state: State) -> tuple[Message, Place]:
        what = msg("`litellm_settings` has no `drop_params: true`")
        if "drop_params" in state.gateway.settings:
            return what, state.gateway.place("litellm_settings", "drop_params")
        inside = next((e for e in state.gateway.entries if "drop_params" in e.params), None)
        if inside is None:
            return what, state.gateway.place("litellm_settings")
        only = msg("`drop_params` counts for this model only: it belongs below `litellm_settings`")
        return only, inside.place("drop_params")


class LLM004(EntryRule):
    name = "ollama-chat"
    title = msg("Ollama models have the prefix `ollama_chat/`")
    why = msg(
        "With `ollama/` LiteLLM calls `/api/generate`, pastes the tools into the prompt and"
        " forces every answer to be JSON."
    )
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        for entry in state.gateway.entries:
            if entry.prefix == "ollama/" and entry.chats:
                better = f"ollama_chat/{entry.model.removeprefix('ollama/')}"
                what = msg(
                    "`{model}` pastes the tools into the prompt: write `{better}`",
                    model=entry.model,
                    better=better,
                )
                yield _in_entry(entry, "model", better, what)


class LLM005(EntryRule):
    name = "chat-completions"
    title = msg("OpenAI-compatible servers are asked at `/chat/completions`")
    why = msg(
        "LiteLLM calls `/responses` for an `openai/` model, which few other servers have. With"
        " `use_chat_completions_api` answers may be empty."
    )
    how = msg(
        "Write `use_chat_completions_url_for_anthropic_messages: true` below `litellm_settings:`."
    )
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        elsewhere = [e for e in state.gateway.entries if _asked_as_openai(state, e)]
        for entry in elsewhere:
            name = entry.model.removeprefix("openai/")
            if ALWAYS_RESPONSES.match(name):
                what = msg(
                    "LiteLLM always sends `{model}` to `/responses`, which few servers have",
                    model=entry.model,
                )
                yield _in_entry(entry, "model", f"hosted_vllm/{name}", what)
        flag = Set(("litellm_settings", CHAT_FLAG), True)
        if elsewhere and not _flagged(state.gateway):
            first = elsewhere[0]
            what = nmsg(
                "LiteLLM will call `{base}/responses` for `{name}`, which few servers have",
                "LiteLLM will call `{base}/responses` for `{name}` and so on ({n} models), which"
                " few servers have",
                n=len(elsewhere),
                base=v.shown_url(entries.base_of(state, first).rstrip("/")),
                name=first.name,
            )
            yield _in_config(state, what, first.place(first.base_key), flag)
        for entry in state.gateway.entries:
            if entry.params.get("use_chat_completions_api") is True:
                what = msg("with `use_chat_completions_api` answers may be empty")
                without = entry.fix(Remove(entry.path("use_chat_completions_api")))
                fixes = (without, _in_section(state, flag))
                yield with_fix(what, entry.place("use_chat_completions_api"), fixes)


def _flagged(gateway: Gateway) -> bool:
    variable = gateway.lookup(f"LITELLM_{CHAT_FLAG.upper()}")[0]
    return bool(gateway.settings.get(CHAT_FLAG)) or (variable or "").lower() == "true"


def _asked_as_openai(state: State, entry: ModelEntry) -> bool:
    """Whether LiteLLM takes somebody else's server for OpenAI's."""
    url = urls.parse(entries.base_of(state, entry))
    if entry.prefix != "openai/" or url is None or url.host == "api.openai.com":
        return False
    if url.host.endswith(".openai.azure.com"):
        return False
    native = "/v1/messages" in (entry.info.get("supported_endpoints") or ())
    return not native and entries.chats(state, entry)


def _native(state: State, entry: ModelEntry) -> bool:
    """Whether LiteLLM adds `/v1/messages` to its `api_base`."""
    return entries.called(state, entry) == "/v1/messages"


class LLM006(EntryRule):
    name = "native-api-base"
    title = msg("An upstream that speaks Anthropic has no `/v1` in its `api_base`")
    why = msg("LiteLLM adds `/v1/messages`, so `/v1` would be there twice: 404.")
    severity = "error"
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        for entry in state.gateway.entries:
            bare = urls.without_endpoint(entry.api_base)
            if not _native(state, entry) or entries.takes_whole(state, entry):
                continue
            # Where the service has one address for the client, it is that one.
            own = {e.url for e in state.rows.host(entry.api_base) if not e.row.local}
            if len(own) == 1 and not any(urls.same(bare, url) for url in own):
                bare = own.pop()
            elif bare == entry.api_base.rstrip("/"):
                continue
            what = msg(
                "LiteLLM would call `{called}`: write `{bare}`",
                called=f"{v.shown_url(entry.api_base.rstrip('/'))}/v1/messages",
                bare=v.shown_url(bare),
            )
            yield _in_entry(entry, entry.base_key, bare, what)


class LLM007(EntryRule):
    name = "duplicate-model-name"
    title = msg("Every `model_name` stands for one model")
    why = msg("LiteLLM spreads requests over entries of the same name.")
    severity = "note"

    def check(self, state: State) -> Iterable[Problem]:
        for name, found in state.gateway.by_name.items():
            yield from self._twice_alike(state, found)
            if len({(e.model, e.api_base) for e in found}) > 1:
                what = msg("`{name}` is there {n} times, sharing the load", n=len(found), name=name)
                yield Problem(what, found[1].file.place("model_list", found[1].index, "model_name"))

    @staticmethod
    def _twice_alike(state: State, found: Sequence[ModelEntry]) -> Iterator[Problem]:
        """Two entries for one key share what it is allowed: its limit is the limit of both."""
        seen: set[tuple[str, str, str]] = set()
        for entry in found:
            written = entry.params.get("api_key")
            key = state.gateway.followed(written) or written
            same = (entry.model, entry.api_base, str(key))
            if key and same in seen:
                what = msg("`{name}` is there twice with the same key", name=entry.name)
                hint = msg("name the variable of another key, or delete this entry")
                yield Problem(what, entry.place("api_key"), hint, severity="warning")
            seen.add(same)


class LLM008(EntryRule):
    name = "wildcard-names"
    title = msg("Model names are written out")
    why = msg("With `*` a misspelled name is found only when the provider refuses it.")
    severity = "note"

    def check(self, state: State) -> Iterable[Problem]:
        for entry, _ in state.gateway.wildcards:
            what = msg("`{name}` accepts any name, so names can't be checked", name=entry.name)
            yield Problem(what, entry.file.place("model_list", entry.index, "model_name"))


class LLM009(EntryRule):
    name = "key-in-config"
    title = msg("litellm_config.yaml holds no key")
    why = msg("The file is often shared; keys belong in `litellm.env` (0600).")
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        # Moved only where a litellm.env is there: without one, nothing would load it.
        movable = state.litellm_env.document is not None
        for one in literal_keys(state):
            fixes = (
                Fix(path=state.litellm_env.path, changes=(Set((one.name,), one.key),)),
                Fix(path=one.file.path, changes=(Set(one.path, f"{REFERENCE}{one.name}"),)),
            )
            what = msg("a key stands here in plain text")
            hint = entries.key_line(state, one.name or "NAME")
            yield with_fix(
                what, one.file.place(*one.path), fixes if movable and one.name else (), hint
            )


class LLM010(Rule):
    name = "environ-reference"
    title = msg("The gateway has every variable that `os.environ/NAME` names")
    why = msg(
        "The gateway starts with the variables of `litellm.env`; without the name no key is sent."
    )
    severity = "error"
    needs = frozenset({"litellm", "gateway"})
    requires = READ

    def check(self, state: State) -> Iterable[Problem]:
        yield from entries.badly_keyed(state)
        if state.only and not state.litellm_env.exists:
            return
        seen: set[str] = set()
        for file, path, value in _references(state.gateway):
            # What LLM011 says about the master key says it better.
            if value not in seen and path != ("general_settings", "master_key"):
                seen.add(value)
                yield from self._judged(state, file, path, value)

    @staticmethod
    def _judged(state: State, file: File, path: shapes.Path, value: str) -> Iterator[Problem]:
        """One reference: how much it matters depends on who needs it."""
        name, place = value.removeprefix(REFERENCE), file.place(*path)
        there = (e for e in state.gateway.entries if e.file is file)
        entry = next((e for e in there if path[:3] == e.path()), None)
        known, written = state.gateway.lookup(name)
        own = entries.key_variables(state, entry) if entry and path[-1] == "api_key" else ()
        found, source = state.gateway.reference(value)
        # In a provider's own variable that the file sets LiteLLM looks by itself.
        if (name in own and written == "litellm_config.yaml") or source == "litellm.env":
            return
        severity = _of_reference(state, entry, path)
        hint = msg("add a line {name}=YOUR-KEY to {path}", name=name, path=state.litellm_env.path)
        if source == "shell" and name not in _passed_on(state):
            what = msg("the gateway does not get `{name}` from your shell", name=name)
            if path[0] == "model_list":
                hint = msg("name the variable of the provider that is called there")
            else:
                severity = "warning"
        elif found is None and not re.fullmatch(r"[\w.-]+", name):
            what = msg("`{text}` names no variable", text=value)
            plain = re.search(r"[A-Za-z_]\w*", name)
            better = plain[0] if plain else "NAME"
            hint = msg("write {reference}{name}", reference=REFERENCE, name=better)
        elif found is None and known is not None:
            what = msg("this file sets `{name}` only after LiteLLM has looked for it", name=name)
        elif found is None:
            env = state.litellm_env.path
            what = msg("`{name}` is set neither in {path} nor in your shell", name=name, path=env)
        elif state.litellm_env.exists:
            what = msg("`{name}` is only in your shell: another terminal lacks it", name=name)
            severity = "warning"
        else:
            return
        yield Problem(what, place, hint, severity=severity)


def _passed_on(state: State) -> frozenset[str]:
    """What the gateway gets of the shell."""
    known = state.machine.passed_on if state.machine is not None else None
    if known is not None:
        return known
    return trust.shell_variables(state.gateway, state.providers.values())


def _of_reference(state: State, entry: ModelEntry | None, path: tuple[str | int, ...]) -> Severity:
    """An error where a slot's model can't do without it."""
    if state.only or entry is None:
        return "warning"
    if path[-1] == "api_key":
        if not entries.wants_key(state, entry):
            return "warning"
        own = entries.key_variables(state, entry)
        if any(state.gateway.lookup(variable)[0] for variable in own):
            return "note"
    elif not {"api_base", "base_url", "extra_headers"} & set(path):
        return "warning"
    return entries.severity(state, entry)


def _references(gateway: Gateway) -> Iterator[tuple[File, tuple[str | int, ...], str]]:
    """Each value of the whole configuration that LiteLLM takes from a variable."""
    for file in gateway.files:
        for path, value in _texts(file.data, ()):
            if value.startswith(REFERENCE) and not str(path[-1]).endswith("_ref"):
                yield file, path, value


def _texts(value: Data, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The texts of tables; LiteLLM follows no reference that is an element of a list."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(inner, str):
                yield (*path, key), inner
            else:
                yield from _texts(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            if isinstance(inner, Mapping | list):
                yield from _texts(inner, (*path, index))


class LLM011(Rule):
    name = "master-key"
    title = msg("The gateway has a master key")
    why = msg("LiteLLM 1.104 and newer refuse to start without one.")
    severity = "error"
    needs = GATEWAY
    requires = READ

    def check(self, state: State) -> Iterable[Problem]:
        gateway = state.gateway
        key = gateway.master_key
        if key is not None and key.value:
            return
        unknown = key is None or bool(key.variable)
        if unknown and state.only and not state.litellm_env.exists:
            return
        severity: Severity = "note" if gateway.weak_permitted else _by_version(state)
        what = msg("no master key is set: LiteLLM 1.104 and newer do not start")
        if key is not None and key.variable:
            what = msg(
                "`{key}` is taken from `{name}`, which is not set",
                key="master_key",
                name=key.variable,
            )
        place = state.gateway.place("general_settings") if key is None else key.place
        yield Problem(what, place, INIT_GATEWAY, severity=severity)


def _by_version(state: State) -> Severity:
    """LiteLLM before 1.104 started without a good key."""
    found = state.machine.litellm if state.machine else ()
    old = bool(found) and all(version(i.version) < (1, 104) for i in found)
    return "warning" if old else "error"


class LLM012(Rule):
    name = "master-key-strong"
    title = msg("The master key can't be guessed")
    why = msg(
        "Whoever knows it can use all your providers' keys. LiteLLM refuses to start with"
        " `sk-1234`."
    )
    severity = "error"
    fatal = False
    needs = GATEWAY
    requires = ("LLM001", "LLM011")
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        key = state.gateway.master_key
        if key is None or not key.value or is_strong(key.value):
            return
        severity: Severity = "warning"
        if key.value in WEAK:
            what = msg("the master key is one that everybody tries first")
            severity = severity if state.gateway.weak_permitted else _by_version(state)
        elif key.literal and unexpanded(key.value):
            what = msg("LiteLLM does not expand `{text}`", text=key.value)
        else:
            what = msg("the master key is short: {n} characters", n=len(key.value))
        fixes = _the_strong_one(key, state)
        yield with_fix(what, _where_written(key, state), fixes, INIT_GATEWAY, severity)


def _the_strong_one(key: Secret, state: State) -> tuple[Fix, ...]:
    """The reference to a good key that `litellm.env` holds already; a new one is for `init`."""
    held = state.litellm_env.data.get(v.MASTER_KEY)
    if not key.literal or not isinstance(held, str) or not is_strong(held):
        return ()
    change = Set(("general_settings", "master_key"), f"{REFERENCE}{v.MASTER_KEY}")
    return (_in_section(state, change),)


def _where_written(key: Secret, state: State) -> Place:
    """The line that holds the value, not the one that refers to it."""
    if key.source == "litellm.env":
        return state.litellm_env.place(key.variable)
    return key.place if key.place.path else Place(path=state.litellm.path)


class LLM013(Rule):
    name = "master-key-client"
    title = msg("The client sends the gateway's master key")
    why = msg("LiteLLM without a database knows one key only, and answers 400 to any other.")
    severity = "error"
    needs = frozenset({"client", "litellm", "gateway"})
    requires = ("LLM011", "KEY002")
    gateway_only = True
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        gateway = state.gateway
        key = gateway.master_key
        if key is None or not key.value or gateway.has_database or gateway.own_auth:
            return
        found = credentials(state)
        if not found or any(f.value == key.value for f in found):
            return
        used = found[0]
        # A key that everybody guesses is to go (LLM012), not to be copied to the client.
        fixes = set_everywhere(state, {used.name: key.value}, held=used.name)
        fixes = fixes if is_strong(key.value) else ()
        what = msg("`{name}` is not the gateway's master key", name=used.name)
        place = used.place if used.place.path else _where_written(key, state)
        hint = f"unset {used.name}" if used.layer == "shell" else FIX if fixes else INIT_GATEWAY
        yield Problem(what, place, hint, fixes=fixes if clean(key.value) == key.value else ())


class LLM014(EntryRule):
    name = "calls-itself"
    title = msg("No model leads back to the gateway itself")
    why = msg("The gateway would call itself without end.")
    severity = "error"

    def check(self, state: State) -> Iterable[Problem]:
        shell = self._is_self(state.environ.get(v.BASE_URL, ""), state)
        for entry in state.gateway.entries:
            if entry.api_base and self._is_self(entries.base_of(state, entry), state):
                what = msg("`{name}` calls the gateway itself", name=entry.name)
                hint = msg("write the provider's own address as api_base")
                yield Problem(what, entry.place(entry.base_key), hint)
            elif entry.prefix == "anthropic/" and not entry.api_base and shell:
                what = msg(
                    "`{name}` has no `api_base`: LiteLLM takes `{variable}` of your shell, the"
                    " gateway itself",
                    name=entry.name,
                    variable=v.BASE_URL,
                )
                hint = msg("add api_base: https://api.anthropic.com")
                yield Problem(what, entry.place("model"), hint, severity="warning")

    @staticmethod
    def _is_self(base: str, state: State) -> bool:
        url = urls.parse(base)
        return url is not None and url.loopback and url.port == state.gateway.port


class LLM015(Rule):
    name = "dotenv-loaded"
    title = msg("LiteLLM does not load the client's `.env`")
    why = msg(
        "LiteLLM loads the first `.env` at or above its own folder. With the client's base"
        " URL from there it can call itself."
    )
    how = msg("`LITELLM_MODE=PRODUCTION` in `litellm.env` turns that off.")
    needs = frozenset({"litellm", "gateway", "machine"})
    requires = READ
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        if state.gateway.production or state.machine is None:
            return
        env, place = state.litellm_env, Place(path=state.litellm.path)
        fixes: tuple[Fix, ...] = ()
        if env.document is not None:
            place = Place(path=env.path)
            fixes = (Fix(path=env.path, changes=(Set(("LITELLM_MODE",), "PRODUCTION"),)),)
        for found in state.machine.litellm:
            if v.BASE_URL in found.dotenv_names:
                what = msg(
                    "the LiteLLM in {folder} would load {dotenv}, with the client's `{name}`",
                    folder=found.path,
                    dotenv=found.dotenv,
                    name=v.BASE_URL,
                )
                yield with_fix(what, place, fixes, "export LITELLM_MODE=PRODUCTION")


class LLM016(EntryRule):
    name = "upstream-params"
    title = msg("Each upstream has the parameters that it needs")
    why = msg(
        "Some providers refuse a field that the client always sends. LiteLLM leaves out what"
        " `additional_drop_params` names."
    )
    severity = "note"
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        for entry in state.gateway.entries:
            row = state.rows.listed(entry.model, entry.api_base)
            if row is None or row.upstream is None or "*" in entry.model:
                continue
            known = state.rows.known(row, entry.model)
            wanted = dict(row.upstream.params)
            if known is not None and known.thinking is False:
                wanted.update(row.upstream.params_without_thinking)
            for name, value in wanted.items():
                if name not in entry.params:
                    what = msg(
                        "`{model}` of {row} needs `{name}: {value}`",
                        model=entry.name,
                        row=row.name,
                        name=name,
                        value=_yaml(value),
                    )
                    yield _in_entry(entry, name, value, what)


def _yaml(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


class LLM017(Rule):
    name = "listen-address"
    title = msg("The gateway listens on this machine only")
    why = msg("Without `HOST=127.0.0.1` LiteLLM listens on every network that this machine is in.")
    needs = frozenset({"litellm", "gateway"})
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        env = state.litellm_env
        if not env.exists and state.route == "litellm":
            what = msg(
                "there is no {path}: LiteLLM listens on every network without `--host 127.0.0.1`",
                path=env.path,
            )
            yield Problem(what, Place(path=state.litellm.path), INIT_GATEWAY, severity="note")
        host = env.data.get("HOST")
        if env.document is None or host in {"127.0.0.1", "localhost", "::1"}:
            return
        place = env.place("HOST")
        if host:  # An address that someone wrote is a choice; none is an oversight.
            what = msg("`HOST` is `{host}`: other machines can reach the gateway", host=host)
            yield Problem(what, place, msg("write HOST=127.0.0.1, unless others are to use it"))
        else:
            what = msg("`HOST` is not set, so LiteLLM listens on every network of this machine")
            yield with_fix(
                what, place, (Fix(path=env.path, changes=(Set(("HOST",), "127.0.0.1"),)),)
            )


class LLM018(Rule):
    name = "unknown-section"
    title = msg("litellm_config.yaml has names and shapes that LiteLLM knows")
    why = msg(
        "LiteLLM ignores a name that it does not know. With a wrong shape or a missing file it"
        " may not start."
    )
    needs = GATEWAY
    requires = READ

    def check(self, state: State) -> Iterable[Problem]:
        yield from shapes.misshapen(state)
        yield from entries.misplaced(state)
        yield from entries.unreadable(state)
        yield from _unknown_names(state)
        yield from _twice(state)
        yield from team.unchecked(state)
        yield from team.counted_apart(state)


#: Top-level names that LiteLLM reads elsewhere than its server reads the others.
_ALSO_READ: Final = frozenset({"drop_params", "worker_registry"})


def _unknown_names(state: State) -> Iterator[Problem]:
    for section, known in state.litellm_facts.sections.items():
        # What an upstream or a plug-in may read of its own is left alone elsewhere.
        if section not in {"", "router_settings"}:
            continue
        table = state.gateway.section(section) if section else state.litellm.data
        for name in table:
            # YAML's keys may be numbers, dates or nothing at all.
            if not isinstance(name, str) or name in known or name in _ALSO_READ:
                continue
            if near := closest(name, sorted(known)):
                path = (section, name) if section else (name,)
                what = msg("LiteLLM knows no `{name}` here", name=name)
                hint = msg("did you mean `{name}`?", name=near[0])
                yield Problem(what, state.gateway.holder(path[0]).key_place(*path), hint)


def _twice(state: State) -> Iterator[Problem]:
    """Sections that are there twice: the last one counts alone."""
    for oddity in state.litellm.oddities:
        if oddity.kind == "duplicate" and oddity.name in state.litellm.data:
            what = msg("`{name}` is there twice: only the last one counts", name=oddity.name)
            yield Problem(what, oddity.place.of(state.litellm.path), msg("merge the two into one"))


class LLM019(EntryRule):
    name = "api-base"
    title = msg("Each `api_base` is a base, not a full address")
    why = msg("LiteLLM adds the path itself, so it would be there twice: 404.")
    severity = "error"
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        yield from entries.path_astray(state)
        yield from entries.without_address(state)
        for entry in state.gateway.entries:
            base = entry.api_base
            if not base or base.startswith(REFERENCE) or not entries.chats(state, entry):
                continue
            if urls.parse(base) is None or REFERENCE in base:
                what = msg("`{url}` is not a web address", url=v.shown_url(base))
                hint = msg("write http:// or https://, then the host")
                yield Problem(what, entry.place(entry.base_key), hint)
            elif (bare := _without_call(state, entry)) != base.rstrip("/"):
                what = msg("LiteLLM adds the rest: write `{bare}`", bare=v.shown_url(bare))
                yield _in_entry(entry, entry.base_key, bare, what)


#: What LiteLLM calls below an address.
_CALLS: Final = (
    "/chat/completions",
    "/completions",
    "/responses",
    "/models",
    "/api/chat",
    "/api/generate",
)


def _without_call(state: State, entry: ModelEntry) -> str:
    bare = entry.api_base.rstrip("/")
    if entries.takes_whole(state, entry) or _native(state, entry):  # LLM006 looks at the latter
        return bare
    if bare.endswith("/models") and entries.provider(state, entry) == "azure_ai":
        return bare
    ending = next((ending for ending in _CALLS if bare.endswith(ending)), "")
    return bare.removesuffix(ending)


#: Lists of `- MODEL: [OTHER-MODEL]`.
_FALLBACKS: Final = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")


class LLM020(EntryRule):
    name = "aliases-and-fallbacks"
    title = msg("Aliases and fallbacks name models that are there")
    why = msg("LiteLLM finds out only when it needs them, and the request fails then.")

    def check(self, state: State) -> Iterable[Problem]:
        gateway = state.gateway
        for alias, model in gateway.aliases.items():
            if not gateway.offers(model):
                yield self._nowhere(state, model, ("router_settings", "model_group_alias", alias))
        everything = gateway.followed(gateway.general.get("completion_model"))
        if isinstance(everything, str) and not gateway.offers(everything):
            path = ("general_settings", "completion_model")
            yield replace(self._nowhere(state, everything, path), severity="error")
        for section, kind in product(("litellm_settings", "router_settings"), _FALLBACKS):
            found = gateway.section(section).get(kind)
            for index, pair in enumerate(elements(found)):
                for name, others in pair.items() if isinstance(pair, Mapping) else ():
                    if isinstance(others, list):
                        yield from self._in_turn(state, name, others, (section, kind, index, name))

    def _in_turn(
        self, state: State, name: str, others: list[Data], path: tuple[str | int, ...]
    ) -> Iterator[Problem]:
        """What is wrong with the models that stand in for one. `*` is for all that have none."""
        # LiteLLM also takes `PROVIDER/NAME` for the name of an entry here.
        asked = () if name == "*" or "/" in str(name) else (name,)
        for model in (*asked, *others):
            if isinstance(model, str) and not state.gateway.offers(model):
                yield self._nowhere(state, model, path)
        if name in others:
            what = msg("`{model}` is its own fallback, so it is only asked again", model=name)
            yield Problem(what, state.gateway.place(*path), msg("name another model"))

    @staticmethod
    def _nowhere(state: State, model: str, path: tuple[str | int, ...]) -> Problem:
        what = msg("`{model}` is not in `model_list`", model=model)
        hint = msg("one of {names}", names=tuple(state.gateway.by_name)[:5])
        return Problem(what, state.gateway.place(*path), hint)


class LLM022(EntryRule):
    name = "litellm-provider"
    title = msg("Every model has a provider that LiteLLM knows")
    why = msg(
        "What stands before the first `/` is the provider. LiteLLM leaves out an entry whose"
        " provider it does not know."
    )
    how = msg("For your own server write `openai/` or `hosted_vllm/` before the name.")
    severity = "error"

    def check(self, state: State) -> Iterable[Problem]:
        yield from entries.without_provider(state)
