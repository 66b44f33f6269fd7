"""Everything that was read, parsed once: what the rules, `show` and `switch-model` look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from haha_config.core import urls
from haha_config.core import variables as v
from haha_config.core.edit import dotenv_text
from haha_config.core.model import SLOTS, Client, Data, Route, Slot, Snapshot, mapping, plain_name
from haha_config.core.providers import table
from haha_config.core.providers.model import Providers
from haha_config.core.state import layers
from haha_config.core.state.facts import Behaviour, Documented, Name
from haha_config.core.state.file import File, parse
from haha_config.core.state.layers import Effective, Layer, LayerName
from haha_config.core.state.litellm_facts import EMPTY as NO_FACTS
from haha_config.core.state.litellm_facts import LiteLLMFacts
from haha_config.core.state.machine import Machine
from haha_config.core.state.owned import Owned

if TYPE_CHECKING:
    from haha_config.core.providers.index import ProviderIndex
    from haha_config.core.state.gateway import Gateway


#: With `1` claude-haha's launcher passes over `.env`.
SKIP_DOTENV: Final = "CC_HAHA_SKIP_DOTENV"


class State(Struct, frozen=True, kw_only=True, dict=True):
    """One look at everything. Pure data: rules never open a file themselves.

    `settings` are the client's settings files by layer: managed, local, project, active-provider,
    user (the ones that exist or that are targets). `beside`: more files of a layer, stronger than
    the one in `settings`, the strongest first: drop-ins of managed settings, the git top level's
    local settings, the user settings of the folder to which user settings move the client.
    `scope` is the layer that we write. `environ` is the shell that we were started from. `only`:
    nothing outside the named targets was read. `client_version` is the installed client's, "" where
    it is not known; `answers_for` is the measured one whose behaviour this state is, of
    `known_versions`. `owned`: what we wrote into settings beside `env`. `included`: the files that
    litellm_config.yaml includes; `missing`: the ones that it names and that are not there.
    `wrote_dotenv`: something of ours is in `.env`. `documented`: names of the client's docs.
    """

    client: Client
    folder: str
    scope: LayerName
    settings: Mapping[LayerName, File]
    dotenv: File
    litellm: File
    litellm_env: File
    environ: Mapping[str, str]
    providers: Providers
    machine: Machine | None = None
    checkout: bool = False
    only: frozenset[str] = frozenset()
    beside: Mapping[LayerName, tuple[File, ...]] = {}
    client_version: str = ""
    answers_for: str = ""
    known_versions: tuple[str, ...] = ()
    behaviour: Behaviour | None = None
    owned: Owned = Owned()
    included: tuple[File, ...] = ()
    missing: frozenset[str] = frozenset()
    litellm_facts: LiteLLMFacts = NO_FACTS
    wrote_dotenv: bool = False
    documented: Documented = Documented()

    @property
    def target(self) -> File:
        """The settings.json that we write."""
        return self.settings[self.scope]

    @property
    def reads_dotenv(self) -> bool:
        """Whether the client reads `.env`: only claude-haha's launcher does, unless told not to."""
        return self.client == "haha" and self.environ.get(SKIP_DOTENV) != "1"

    @property
    def edits_dotenv(self) -> bool:
        """Whether a `.env` that is there is this client's: any other belongs to a program."""
        return self.client == "haha" or v.BASE_URL in self.dotenv.data or self.wrote_dotenv

    @property
    def written(self) -> tuple[File, ...]:
        """The files in which we set the client's variables."""
        return (self.target, self.dotenv) if self.edits_dotenv else (self.target,)

    def check_written(self) -> None:
        """Raises HahaError where one of these does not parse."""
        for file in self.written:
            if file.error is not None:
                raise file.error

    @cached_property
    def clouds(self) -> tuple[str, ...]:
        """The switches that are on and send this client to a cloud."""
        azure = "CLAUDE_CODE_USE_AZURE_OPENAI"
        names = (name for name in v.CLOUDS if name != azure or self.client == "haha")
        return tuple(name for name in names if v.is_on(self.value(name)))

    @cached_property
    def dotenv_values(self) -> Mapping[str, Data]:
        """The variables of `.env` as Bun hands them on, `$NAME` replaced."""
        if "$" not in self.dotenv.text or self.dotenv.document is None:
            return self.dotenv.data
        return dotenv_text.expanded(self.dotenv.text, self.environ)

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Every layer that this client reads, strongest first."""
        found = [
            Layer(
                name=name,
                path=file.path,
                values=dict(mapping(file.data.get("env"))),
                document=file.document,
                root=("env",),
            )
            for name, file in self.settings_files
        ]
        found.append(Layer(name="shell", path="", values=dict(self.environ)))
        if self.reads_dotenv:
            found.append(
                Layer(
                    name="dotenv",
                    path=self.dotenv.path,
                    values=dict(self.dotenv_values),
                    document=self.dotenv.document,
                )
            )
        return tuple(found)

    @cached_property
    def settings_files(self) -> tuple[tuple[LayerName, File], ...]:
        """Every settings file that this client reads, strongest first, and its layer."""
        return tuple(
            (name, file)
            for name in layers.ORDER
            for file in (*self.beside.get(name, ()), self.settings.get(name))
            if file is not None
        )

    def file_of(self, layer: Layer) -> File:
        """The file in which a layer's variables stand."""
        found = (file for _, file in self.settings_files if file.path == layer.path)
        return next(found, self.dotenv)

    def does(self, name: Name) -> bool:
        """Whether the client that this state is read for does so; the newest where it is open."""
        if self.behaviour is None:
            return True
        return self.behaviour.of(name, self.answers_for)

    @cached_property
    def from_scope(self) -> State:
        """The same without the settings files that beat the one we write: they are not its own."""
        order = layers.ORDER[layers.ORDER.index(self.scope) :]
        settings = {n: file for n, file in self.settings.items() if n in order}
        return replace(
            self, settings=settings, beside={n: f for n, f in self.beside.items() if n in order}
        )

    @property
    def weaker_layers(self) -> tuple[Layer, ...]:
        """The layers that the settings.json which we write beats."""
        names = [layer.name for layer in self.layers]
        return self.layers[names.index(self.scope) + 1 :] if self.scope in names else ()

    def effective(self, name: str) -> Effective:
        return layers.resolve(self.layers, name)

    def value(self, name: str) -> str:
        """The effective value; "" where it is unset or cancelled."""
        return self.effective(name).value or ""

    @cached_property
    def slots(self) -> Mapping[Slot, str]:
        """The slots that hold a model now."""
        values = {slot: self.value(name) for slot, name in SLOTS.items()}
        return {slot: model for slot, model in values.items() if model}

    @cached_property
    def route(self) -> Route:
        """Route on disk (design section 4)."""
        called = urls.local_port(self.value(v.BASE_URL))
        if self.gateway_port is not None:
            return "litellm" if called == self.gateway_port else "direct"
        ours = self.litellm.exists and called is not None and called not in self.local_ports
        return "litellm" if ours else "direct"

    def fallbacks_of(self, model: str) -> tuple[str, ...]:
        """The models that the gateway goes on with, in turn, where this one fails."""
        found = self.gateway.fallbacks.get(plain_name(model), ())
        return found if self.route == "litellm" else ()

    @cached_property
    def gateway_port(self) -> int | None:
        """PORT of `litellm.env`; None where it is no port."""
        value = self.litellm_env.data.get("PORT", "")
        port = v.whole(value) if isinstance(value, str) else None
        return port if port is not None and 1 <= port <= 65535 else None

    @cached_property
    def local_ports(self) -> frozenset[int]:
        """The default ports of the rows that run on this machine."""
        return table.local_ports(self.providers)

    @cached_property
    def models(self) -> tuple[str, ...]:
        """The `model_name`s of the gateway, in the order of the files, each once."""
        return tuple(self.gateway.by_name)

    @cached_property
    def gateway(self) -> Gateway:
        """The LiteLLM files, indexed once."""
        from haha_config.core.state.gateway import Gateway

        port = self.gateway_port
        if port is None and self.route == "litellm":
            port = urls.local_port(self.value(v.BASE_URL))
        return Gateway(
            self.litellm, self.litellm_env, self.environ, port=port, included=self.included
        )

    @cached_property
    def rows(self) -> ProviderIndex:
        """The provider table, indexed once by what a set-up shows of it."""
        from haha_config.core.providers.index import ProviderIndex

        return ProviderIndex(self.providers)


def owned_variables(state: State) -> dict[str, str]:
    """Every owned variable that is set or cancelled, with its effective value."""
    found = {name: state.effective(name).value for name in v.OWNED}
    return {name: value for name, value in found.items() if value is not None}


def with_litellm(state: State, read: Callable[[str], Snapshot], known: str) -> State:
    """The state with what its litellm_config.yaml includes and names, and LiteLLM's own names.

    `known` is the text of `templates/facts/litellm.json`.
    """
    from haha_config.core.state import facts, gateway

    included: dict[str, File] = {}
    waiting = [state.litellm]
    while waiting:
        file = waiting.pop(0)
        # LiteLLM looks beside the file that names another, then beside the first of all.
        places = zip(
            gateway.includes(file), gateway.includes(file, state.litellm.path), strict=True
        )
        for path, other in places:
            found = next((x for x in (path, other) if read(x).data is not None), path)
            if found not in included and found != state.litellm.path:
                included[found] = parse(read(found), "yaml")
                waiting.append(included[found])
    whole = replace(
        state,
        included=tuple(file for file in included.values() if file.exists),
        litellm_facts=facts.parse(known, LiteLLMFacts),
    )
    named = [gateway.module_file(whole.gateway, f) for _, f in gateway.functions(whole.gateway)]
    gone = {path for path, file in included.items() if not file.exists}
    gone |= {path for path in named if read(path).data is None}
    return replace(whole, missing=frozenset(gone))
