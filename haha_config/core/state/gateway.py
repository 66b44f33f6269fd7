"""The LiteLLM files as LiteLLM sees them, indexed once: names, wildcards, keys, addresses."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import PurePath
from typing import Final, Literal

from msgspec import Struct

from haha_config.core import variables as v
from haha_config.core.keys import placeholder
from haha_config.core.model import (
    Change,
    Data,
    Fix,
    Place,
    elements,
    mapping,
    objects,
    plain_name,
    string,
)
from haha_config.core.state.file import File

REFERENCE: Final = "os.environ/"
#: LiteLLM's own default.
DEFAULT_PORT: Final = 4000

DATABASE_URL: Final = "DATABASE_URL"
#: What LiteLLM reads of one element of `model_list`.
_ENTRY: Final = frozenset({"model_name", "litellm_params", "model_info"})
#: Keys that LiteLLM itself refuses, and ones that everybody tries first.
WEAK: Final = frozenset({"sk-1234", "sk-12345", "sk-123456", "sk-0000", "sk-test", "sk-anything"})
_SHORT: Final = 16

#: A variable as other programs write it; a name that is set in capitals alone is none.
_ELSEWHERE: Final = re.compile(
    r"\W*(?i:(?:bearer\s+)?\W*(?:(?:os|process)\.)?(?:get)?(?:env|environ|enviorn|environment)"
    r"(?:\.get)?)[/.:\[(\\]\W*(?P<a>[A-Za-z_]\w*)(?P<rest>.*)"
    r"|\$(?P<b>[A-Z][A-Z0-9_]*)|\$\{+\s*(?:\w+\.)?(?P<c>\w+)(?P<more>.*)|%(?P<d>\w+)%"
    r"|\{\{\s*(?P<e>\w+)\s*\}\}"
)


def meant(text: str) -> str:
    """The variable that a text names in a way that LiteLLM does not follow; "" for none."""
    found = None if text.startswith(REFERENCE) else _ELSEWHERE.fullmatch(text.strip())
    return next(filter(None, (found[g] for g in "abcde")), "") if found else ""


def unexpanded(key: str) -> bool:
    """Whether a master key is a variable's name, which LiteLLM takes for the key itself."""
    return bool(meant(key)) or re.fullmatch(r"[A-Z][A-Z0-9_]*_KEY", key) is not None


Source = Literal["litellm_config.yaml", "litellm.env", "shell", ""]
#: Where a value of `environment_variables:` comes from.
LITELLM: Final = "litellm_config.yaml"


def is_strong(key: str) -> bool:
    """Whether LiteLLM takes it for a master key, and nobody guesses it."""
    known = key in WEAK or placeholder(key) or unexpanded(key)
    return not known and len(key) >= _SHORT


class ModelEntry(Struct, frozen=True, kw_only=True):
    """One element of `model_list` that has a name and a model, references in them followed.

    `file`: the one that it stands in, which may be included. `beside`: keys next to
    `litellm_params` that LiteLLM has no use for there.
    """

    file: File
    index: int
    name: str
    model: str
    params: Mapping[str, Data]
    info: Mapping[str, Data]
    beside: Mapping[str, Data] = {}

    @property
    def prefix(self) -> str:
        """`openai/` of `openai/gpt-4o`; "" where there is none."""
        head, slash, _ = self.model.partition("/")
        return head + slash if slash else ""

    @property
    def api_base(self) -> str:
        return string(self.params.get(self.base_key))

    @property
    def base_key(self) -> str:
        """Where LiteLLM finds it: `base_url` wins where both are there (measured)."""
        return "api_base" if self.params.get("base_url") is None else "base_url"

    @property
    def custom(self) -> str:
        """`custom_llm_provider`, which stands in for a prefix."""
        return string(self.params.get("custom_llm_provider"))

    @property
    def chats(self) -> bool:
        """Whether it is asked for words: what makes vectors or pictures is no business of ours."""
        mode = self.info.get("mode")
        if isinstance(mode, str):
            return mode in {"chat", "completion", "responses"}
        return re.search(r"embed|\bbge\b|minilm|rerank", self.model.lower()) is None

    def path(self, *keys: str) -> tuple[str | int, ...]:
        return ("model_list", self.index, "litellm_params", *keys)

    def place(self, *keys: str) -> Place:
        return self.file.place(*self.path(*keys))

    def fix(self, *changes: Change) -> Fix:
        return Fix(path=self.file.path, changes=changes)


class Secret(Struct, frozen=True, kw_only=True):
    """A value of the configuration: as written, and what it is once references are followed.

    `value` None: the variable that it refers to is nowhere.
    """

    written: Data
    value: str | None
    source: Source
    place: Place
    variable: str = ""

    @property
    def literal(self) -> bool:
        return isinstance(self.written, str) and not self.variable


class Gateway:
    """A view of `litellm_config.yaml` and `litellm.env`; every property is computed once."""

    def __init__(
        self,
        file: File,
        env: File,
        environ: Mapping[str, str],
        *,
        port: int | None,
        included: Iterable[File] = (),
    ) -> None:
        """`port`: where it is known to listen; None: LiteLLM's own default."""
        self.file = file
        self.files = (file, *included)
        self.env = env
        self.environ = environ
        self.port = port if port is not None else DEFAULT_PORT

    @cached_property
    def entries(self) -> tuple[ModelEntry, ...]:
        made = (
            self._entry(file, index, mapping(entry))
            for file in self.files
            for index, entry in enumerate(elements(file.data.get("model_list")))
        )
        return tuple(entry for entry in made if entry is not None)

    def _entry(self, file: File, index: int, entry: Mapping[str, Data]) -> ModelEntry | None:
        params = entry.get("litellm_params")
        if not isinstance(params, Mapping):
            return None
        name, model = self.followed(entry.get("model_name")), self.followed(params.get("model"))
        if not isinstance(name, str) or not isinstance(model, str):
            return None
        return ModelEntry(
            file=file,
            index=index,
            name=name,
            model=model,
            params=params,
            info=mapping(entry.get("model_info")),
            beside={k: x for k, x in entry.items() if k not in _ENTRY},
        )

    @cached_property
    def by_name(self) -> Mapping[str, tuple[ModelEntry, ...]]:
        found: dict[str, list[ModelEntry]] = {}
        for entry in self.entries:
            found.setdefault(entry.name, []).append(entry)
        return {name: tuple(entries) for name, entries in found.items()}

    def section(self, name: str) -> Mapping[str, Data]:
        """A top-level table; empty where it is missing or no table."""
        return mapping(self.holder(name).data.get(name))

    def holder(self, name: str | int) -> File:
        """The file whose section of this name counts: the one that is included last."""
        return next((file for file in reversed(self.files) if name in file.data), self.file)

    def place(self, *path: str | int) -> Place:
        """Where a value of a section stands that counts; the file itself without a path."""
        file = self.holder(path[0]) if path else self.file
        return file.place(*path)

    @cached_property
    def settings(self) -> Mapping[str, Data]:
        return self.section("litellm_settings")

    @cached_property
    def general(self) -> Mapping[str, Data]:
        return self.section("general_settings")

    @cached_property
    def aliases(self) -> Mapping[str, str]:
        """A name that clients may ask for -> a `model_name`, from either place for them."""
        aliases: dict[str, str] = {}
        for found in (
            self.settings.get("model_alias_map"),
            self.section("router_settings").get("model_group_alias"),
        ):
            for name, value in mapping(found).items():
                target = self.followed(value.get("model") if isinstance(value, Mapping) else value)
                if isinstance(name, str) and isinstance(target, str):
                    aliases[name] = target
        return aliases

    @cached_property
    def fallbacks(self) -> Mapping[str, tuple[str, ...]]:
        """The models that LiteLLM asks next where one fails."""
        found = self.section(self.fallback_section).get("fallbacks")
        return {
            name: tuple(others)
            for pair in objects(found)
            for name, others in pair.items()
            if isinstance(others, list) and all(isinstance(model, str) for model in others)
        }

    def fallbacks_without(self, gone: Container[str]) -> dict[str, tuple[str, ...]]:
        """The fallbacks once these models are taken out; () for one that keeps none."""
        return {
            name: () if name in gone else tuple(model for model in others if model not in gone)
            for name, others in self.fallbacks.items()
        }

    @property
    def fallback_section(self) -> str:
        """Where they stand: LiteLLM looks into the second only where the first has none.

        Where there are none yet, it is a section that no included file has.
        """
        sections = ("router_settings", "litellm_settings")
        held = [s for s in sections if self.section(s).get("fallbacks")]
        free = [s for s in sections if self.holder(s) is self.file]
        return next(iter((*held, *free)), sections[0])

    @cached_property
    def wildcards(self) -> tuple[tuple[ModelEntry, re.Pattern[str]], ...]:
        named = (entry for entry in self.entries if "*" in entry.name)
        return tuple((e, re.compile(re.escape(e.name).replace(r"\*", ".*"))) for e in named)

    @property
    def listed_elsewhere(self) -> bool:
        """Whether LiteLLM takes models from its database, or from a file that was not read."""
        variable = (self.lookup("STORE_MODEL_IN_DB")[0] or "").lower()
        if self.general.get("store_model_in_db") is True or variable == "true":
            return True
        return bool(self.file.data.get("include")) and len(self.files) == 1

    def offers(self, name: str) -> bool:
        """Whether LiteLLM would take this name from a client."""
        return self.entry_for(plain_name(name)) is not None or name.startswith("claude-router-")

    def entry_for(self, name: str) -> ModelEntry | None:
        """The entry that answers to `name`: by name, without `[1m]`, alias, id, wildcard."""
        for candidate in (name, plain_name(name)):
            named = self.aliases.get(candidate, candidate)
            if named in self.by_name:
                return self.by_name[named][0]
        bare = plain_name(name)
        called = [entry for entry in self.entries if entry.info.get("id") in (name, bare)]
        wild = (entry for entry, pattern in self.wildcards if pattern.fullmatch(bare))
        return next(iter((*called, *wild)), None)

    # --- its own address ---------------------------------------------------------------------

    @cached_property
    def production(self) -> bool:
        """LiteLLM loads no `.env` by itself."""
        return self.lookup("LITELLM_MODE")[0] == "PRODUCTION"

    # --- keys --------------------------------------------------------------------------------

    def lookup(self, name: str) -> tuple[str | None, Source]:
        """A variable of the gateway's environment; litellm.env first, as `proxy up` has it.

        What stands below `environment_variables:` of the configuration itself LiteLLM sets as it
        starts, whatever was there before.
        """
        own = self.followed(self.section("environment_variables").get(name))
        if own not in (None, ""):
            return str(own), "litellm_config.yaml"
        return self._outside(name)

    def _outside(self, name: str) -> tuple[str | None, Source]:
        value = self.env.data.get(name)
        if isinstance(value, str) and value:
            return value, "litellm.env"
        value = self.environ.get(name)
        return (value, "shell") if value else (None, "")

    def reference(self, written: str) -> tuple[str | None, Source]:
        """What `os.environ/NAME` comes to.

        LiteLLM follows references before it sets what stands below `environment_variables:`.
        """
        return self._outside(written.removeprefix(REFERENCE))

    def followed(self, written: Data) -> Data:
        """A value as it is once a reference is followed; None where that is set nowhere."""
        if isinstance(written, str) and written.startswith(REFERENCE):
            return self.reference(written)[0]
        return written

    def secret(self, written: Data, place: Place = Place()) -> Secret:  # noqa: B008
        """A value that may be a reference, followed."""
        if isinstance(written, str) and written.startswith(REFERENCE):
            name = written.removeprefix(REFERENCE)
            value, source = self.reference(written)
            return Secret(written=written, value=value, source=source, place=place, variable=name)
        text = written if isinstance(written, str) else None
        return Secret(written=written, value=text, source="", place=place)

    def credential(self, entry: ModelEntry) -> Mapping[str, Data]:
        """The values of `credential_list` that an entry takes by a name."""
        each = (e for f in self.files for e in objects(f.data.get("credential_list")))
        name = entry.params.get("litellm_credential_name", "")
        found = next((e for e in each if e.get("credential_name") == name), {})
        return mapping(found.get("credential_values"))

    @cached_property
    def master_key(self) -> Secret | None:
        """`general_settings.master_key`, else LITELLM_MASTER_KEY, as LiteLLM looks for it."""
        written = self.general.get("master_key")
        # LiteLLM does not look further where the key is there and empty.
        if "master_key" in self.general:
            return self.secret(written, self.place("general_settings", "master_key"))
        # It looks before it sets what stands below `environment_variables:`.
        value, source = self._outside(v.MASTER_KEY)
        if value is None:
            return None
        place = self.env.place(v.MASTER_KEY) if source == "litellm.env" else Place()
        return Secret(written=value, value=value, source=source, place=place, variable=v.MASTER_KEY)

    @property
    def weak_permitted(self) -> bool:
        """Whether the configuration lets LiteLLM start without a strong key."""
        name = "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY"
        permitted = self.general.get("dangerously_permit_weak_or_unset_master_key")
        return permitted is True or (self.lookup(name)[0] or "").lower() == "true"

    @property
    def own_auth(self) -> bool:
        """Whether a function says who may ask, as for a team: not the master key."""
        return bool(string(self.general.get("custom_auth")))

    @property
    def has_database(self) -> bool:
        """With a database LiteLLM knows keys that no file shows."""
        url = self.general.get("database_url")
        return bool(url) or self.lookup(DATABASE_URL)[0] is not None


def includes(file: File, beside: str = "") -> tuple[str, ...]:
    """The paths of the files that `include` names, where it is a list as LiteLLM wants it.

    They are beside the file itself, or beside another one.
    """
    folder = PurePath(beside or file.path).parent
    names = filter(None, map(string, elements(file.data.get("include"))))
    return tuple(os.path.normpath(folder / name) for name in names)


#: `litellm_settings` that name callbacks, and settings that name one function each.
CALLBACKS: Final = ("callbacks", "success_callback", "failure_callback", "audit_log_callbacks")
_FUNCTIONS: Final = (
    ("litellm_settings", "post_call_rules"),
    ("general_settings", "custom_auth"),
    ("general_settings", "custom_key_generate"),
    ("general_settings", "custom_key_update"),
    ("general_settings", "custom_sso"),
    ("general_settings", "custom_ui_sso_sign_in_handler"),
)


def functions(gateway: Gateway) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Each `module.function` that LiteLLM imports as it starts, and where it is named."""
    for path in _FUNCTIONS:
        if name := string(gateway.section(path[0]).get(path[1])):
            yield path, name
    for key in CALLBACKS:
        found = gateway.settings.get(key)
        for one in found if isinstance(found, list) else (found,):
            if "." in string(one):
                yield ("litellm_settings", key), string(one)
    for each in objects(gateway.settings.get("custom_provider_map")):
        if name := string(each.get("custom_handler")):
            yield ("litellm_settings", "custom_provider_map"), name
    for index, each in enumerate(
        e for f in gateway.files for e in elements(f.data.get("guardrails"))
    ):
        name = string(mapping(mapping(each).get("litellm_params")).get("guardrail"))
        if "." in name:
            yield ("guardrails", index, "litellm_params", "guardrail"), name


def module_file(gateway: Gateway, function: str) -> str:
    """The file beside the configuration that `module.function` is in."""
    *module, _ = function.split(".")
    return str(PurePath(gateway.file.path).parent.joinpath(*module)) + ".py"
