"""What one LiteLLM says of itself, as JSON on stdout: run by the Python that has it installed.

Names are taken from LiteLLM's own objects where there are any (enums, models, signatures). Where
it reads a key of a table by name, the name is taken from its syntax tree.
"""

from __future__ import annotations

import ast
import contextlib
import json
import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import litellm
from litellm import Router
from litellm.litellm_core_utils import fallback_generalizations, litellm_logging
from litellm.litellm_core_utils.get_llm_provider_logic import get_llm_provider
from litellm.llms.openai_like.json_loader import JSONProviderRegistry
from litellm.proxy._types import ConfigGeneralSettings
from litellm.types.router import LiteLLM_Params
from litellm.types.utils import all_litellm_params

PACKAGE = Path(litellm.__file__).parent
#: Parameters of this kind are prices; there are hundreds, and no rule asks for one.
PRICE = "_cost"
CHAT = ("chat", "responses", "completion", None)


def trees(*patterns: str) -> Iterator[ast.Module]:
    for pattern in patterns:
        for path in sorted(PACKAGE.glob(pattern)):
            yield ast.parse(path.read_text(encoding="utf-8"))


def keys_read(tree: ast.AST, *tables: str) -> Iterator[str]:
    """The constant keys that are read of a variable with one of these names."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr="get" | "pop"),
                args=[ast.Constant(value=str(key)), *_],
            ) if name in tables:
                yield key
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(key))) if (
                name in tables
            ):
                yield key
            case ast.Compare(
                left=ast.Constant(value=str(key)),
                ops=[ast.In()],
                comparators=[ast.Name(id=name)],
            ) if name in tables:
                yield key


def compared(tree: ast.AST, variable: str) -> Iterator[str]:
    """The constants that a variable of this name is compared with."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(
                left=ast.Name(id=name),
                ops=[ast.Eq()],
                comparators=[ast.Constant(value=str(key))],
            ) if name == variable:
                yield key


def inside(tree: ast.Module, name: str) -> Iterator[ast.AST]:
    """The classes and functions of this name."""
    for node in ast.walk(tree):
        named = isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if named and node.name == name:
            yield node


def providers() -> list[str]:
    listed = {str(getattr(each, "value", each)) for each in litellm.provider_list}
    return sorted(listed | set(JSONProviderRegistry.list_providers()))


def resolved(model: str) -> str | None:
    with contextlib.redirect_stdout(sys.stderr):
        try:
            return str(get_llm_provider(model)[1])
        except Exception:
            return None


def bare_names() -> dict[str, list[str]]:
    """Provider -> the names without a prefix that LiteLLM takes for that provider's."""
    names: dict[str, list[str]] = {}
    for name, info in litellm.model_cost.items():
        if "/" in name or not isinstance(info, dict) or info.get("mode") not in CHAT:
            continue
        if provider := resolved(name):
            names.setdefault(provider, []).append(name)
    return {provider: sorted(names[provider]) for provider in sorted(names)}


def bare_patterns() -> dict[str, str]:
    """Patterns for names that are in no list -> the provider."""
    rules = fallback_generalizations._registry.routing_rules
    return {rule.pattern.pattern: rule.provider for rule in rules}


def other_modes() -> dict[str, list[str]]:
    """Mode -> the models of LiteLLM's map that no client can talk to."""
    modes: dict[str, list[str]] = {}
    for name, info in litellm.model_cost.items():
        mode = info.get("mode") if isinstance(info, dict) else None
        # `1024-x-1024/dall-e` is a price and no name that an entry has.
        if mode not in CHAT and name != "sample_spec" and "-x-" not in name:
            modes.setdefault(mode, []).append(name)
    return {mode: sorted(modes[mode]) for mode in sorted(modes)}


def chat_models(wanted: Iterable[str]) -> dict[str, list[str]]:
    """Provider -> its models that are in LiteLLM's map, without the prefix."""
    models: dict[str, set[str]] = {provider: set() for provider in wanted}
    for name, info in litellm.model_cost.items():
        provider = info.get("litellm_provider") if isinstance(info, dict) else None
        if provider in models and info.get("mode") in CHAT:
            models[provider].add(name.removeprefix(f"{provider}/"))
    return {provider: sorted(names) for provider, names in models.items()}


def parameters() -> list[str]:
    names = set(LiteLLM_Params.model_fields) | set(all_litellm_params)
    names |= set(litellm.constants.DEFAULT_CHAT_COMPLETION_PARAM_VALUES)
    for tree in trees("main.py", "router.py", "llms/**/*.py", "litellm_core_utils/**/*.py"):
        names |= set(keys_read(tree, "optional_params", "litellm_params", "kwargs"))
        names |= set(keys_read(tree, "non_default_params", "optional_param", "_litellm_params"))
    return sorted(n for n in names if n.isidentifier() and PRICE not in n and n[0] != "_")


def sections() -> dict[str, list[str]]:
    server = next(trees("proxy/proxy_server.py"))
    config = {key for part in inside(server, "ProxyConfig") for key in keys_read(part, "config")}
    loop = {key for part in inside(server, "load_config") for key in compared(part, "key")}
    general, settings = set(ConfigGeneralSettings.model_fields), set(loop)
    for tree in trees("proxy/**/*.py", "utils.py", "_redis.py"):
        general |= set(keys_read(tree, "general_settings", "_general_settings"))
        settings |= set(keys_read(tree, "litellm_settings", "_litellm_settings"))
    settings |= {
        name
        for name, value in vars(litellm).items()
        if name.islower() and name[0] != "_" and not callable(value) and _is_setting(name, value)
    }
    return {
        "": sorted(config | {"include", "environment_variables"}),
        "general_settings": sorted(general),
        "litellm_settings": sorted(settings),
        "router_settings": sorted(Router.get_valid_args()),
    }


def _is_setting(name: str, value: object) -> bool:
    module = type(value).__name__ == "module"
    return not module and not name.endswith(("_models", "_config", "_regions", "_key_url"))


def strategies() -> list[str]:
    """The strategies that the router names when it is given another."""
    try:
        Router(model_list=[], routing_strategy="none of these")
    except ValueError as error:
        named = re.search(r"Valid options: (\[.*?\])", str(error))
        if named:
            return sorted(ast.literal_eval(named[1]))
    raise SystemExit("LiteLLM names no routing strategies")


def callbacks() -> dict[str, str]:
    """Name -> the package that it lacks in an environment of LiteLLM's own; "" for none."""
    names = set(litellm._known_custom_logger_compatible_callbacks)
    tree = next(trees("litellm_core_utils/litellm_logging.py"))
    for part in inside(tree, "set_callbacks"):
        names |= set(compared(part, "callback"))
    sys.meta_path.append(_Missing)  # type: ignore[arg-type]
    return {name: lacking(name) for name in sorted(names)}


def proxy_callbacks() -> list[str]:
    """The names that `litellm_settings.callbacks` takes; it imports any other as a function."""
    names = set(litellm._known_custom_logger_compatible_callbacks)
    for part in inside(next(trees("proxy/common_utils/callback_utils.py")), _ON_PROXY):
        names |= set(compared(part, "callback"))
    return sorted(names)


_ON_PROXY = "initialize_callbacks_on_proxy"


def lacking(name: str) -> str:
    """The first package that is looked for in vain when this callback is made ready."""
    ways: tuple[Callable[[], Any], ...] = (
        lambda: litellm_logging.set_callbacks([name]),
        lambda: litellm_logging._init_custom_logger_compatible_class(
            logging_integration=name, internal_usage_cache=None, llm_router=None
        ),
    )
    for way in ways:
        _Missing.names.clear()
        try:
            way()
        except BaseException as error:  # many look for a server or a key: no matter here
            _Missing.names.extend(_named(error))
        if _Missing.names:
            return _Missing.names[0]
    return ""


def _named(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        if isinstance(error, ModuleNotFoundError) and error.name:
            yield error.name
        error = error.__cause__ or error.__context__


class _Missing:
    """The last finder that an import comes to: it finds nothing, and keeps the names."""

    names: ClassVar[list[str]] = []
    #: What a library of LiteLLM's would like to have is no matter here.
    WHERE: ClassVar = (str(PACKAGE / "integrations"), str(PACKAGE / "litellm_core_utils"))

    @classmethod
    def find_spec(cls, name: str, _path: object = None, _target: object = None) -> None:
        frame = sys._getframe(1)
        while frame.f_back and "importlib" in frame.f_code.co_filename:
            frame = frame.f_back
        litellms = name.partition(".")[0] == "litellm"
        if not litellms and frame.f_code.co_filename.startswith(cls.WHERE):
            cls.names.append(name)


def key_variables(names: Iterable[str]) -> dict[str, list[str]]:
    """Provider -> the variables that LiteLLM itself looks for where an entry has no key."""
    found: dict[str, list[str]] = {}
    for name in names:
        with contextlib.suppress(Exception):
            missing = litellm.validate_environment(f"{name}/model")["missing_keys"]
            if missing:
                found[name] = sorted(missing)
    return found


def main() -> None:
    logging.disable(logging.CRITICAL)
    names = providers()
    facts = {
        "providers": names,
        "endpoints": sorted(litellm.openai_compatible_endpoints),
        "bare": bare_names(),
        "bare_patterns": bare_patterns(),
        "parameters": parameters(),
        "sections": sections(),
        "strategies": strategies(),
        "callbacks": callbacks(),
        "proxy_callbacks": proxy_callbacks(),
        "other_modes": other_modes(),
        "models": chat_models(sys.argv[1:]),
        "key_variables": key_variables(names),
    }
    json.dump(facts, sys.__stdout__)


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        main()
