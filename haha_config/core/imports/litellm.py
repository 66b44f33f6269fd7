"""Any litellm_config.yaml: its entries as LiteLLM calls them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from haha_config.core.imports.entry import ImportedGateway, ImportedSetup, Served, credential
from haha_config.core.messages import Message, msg
from haha_config.core.model import Data, Place, objects, string
from haha_config.core.state.gateway import REFERENCE

SOURCE: Final = "litellm"
#: Prefixes of clouds that are asked in a way of their own, with more than an address and a key.
_CLOUDS: Final = ("azure", "azure_ai", "bedrock", "gemini", "sagemaker", "vertex_ai", "watsonx")


def entry(data: Mapping[str, Data], path: str, name: str) -> ImportedSetup:
    """The file as one set-up; its first model is the main one."""
    notes: list[Message] = []
    served = tuple(_served(data, notes))
    place = Place(path=path)
    if not served:
        why = msg("it has no model with a name")
        return ImportedSetup(source=SOURCE, name=name, place=place, skipped=why, notes=tuple(notes))
    gateway = ImportedGateway(served=served, slots={"main": served[0].name})
    return ImportedSetup(source=SOURCE, name=name, place=place, gateway=gateway, notes=tuple(notes))


def _served(data: Mapping[str, Data], notes: list[Message]) -> Iterator[Served]:
    seen: set[str] = set()
    for one in objects(data.get("model_list")):
        params, name = one.get("litellm_params"), one.get("model_name")
        if not isinstance(params, Mapping) or not isinstance(name, str):
            continue
        model = params.get("model")
        if not isinstance(model, str) or "*" in name:
            notes.append(msg("`{name}` is left out: it is no plain model", name=name))
            continue
        if name in seen:
            notes.append(
                msg("the second `{name}` is left out: LiteLLM would use both in turn", name=name)
            )
            continue
        seen.add(name)
        found = _one(name, model, params)
        if found is None:
            notes.append(msg("left out `{name}`: no known provider", name=name))
        else:
            yield found


def _one(name: str, model: str, params: Mapping[str, Data]) -> Served | None:
    """An entry; None where no row could: a cloud, or Anthropic itself."""
    url, held = string(params.get("api_base")), string(params.get("api_key"))
    prefix, _, rest = model.partition("/")
    if prefix in _CLOUDS or (prefix == "anthropic" and not url):
        return None
    named = held.startswith(REFERENCE)
    variable = held.removeprefix(REFERENCE) if named else ""
    key, variable = credential("" if named else held, variable, url, name)
    return Served(
        name=name,
        # With `ollama/` LiteLLM pastes the tools into the prompt.
        model=f"ollama_chat/{rest}" if prefix == "ollama" else model,
        url=url,
        key=key,
        variable=variable,
        anthropic=prefix == "anthropic",
    )
