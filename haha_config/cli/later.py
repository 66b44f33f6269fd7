"""Modules of the standard library that others import and a short command never uses.

typer, `inspect` and `shutil` import them for what a command may do one day. Here they stand in
`sys.modules` and are loaded when something asks them for a name. `importlib.util.LazyLoader` does
not do for it: with it the second `import` of a module loads it.
"""

from __future__ import annotations

import sys
from threading import RLock
from types import ModuleType
from typing import Any, Final

NAMES: Final = ("bz2", "ipaddress", "locale", "lzma", "subprocess", "textwrap", "tokenize")

_lock = RLock()
_underway: set[str] = set()


class _Later(ModuleType):
    """A module that is loaded at its first use; a thread that comes second waits for the first."""

    def __getattr__(self, name: str) -> Any:
        # Only what is not in the module yet comes here.
        with _lock:
            own = self.__name__
            if type(self) is _Later and own not in _underway:
                _underway.add(own)
                try:
                    assert self.__spec__ is not None  # noqa: S101 - prepare() gives it
                    assert self.__spec__.loader is not None  # noqa: S101
                    self.__spec__.loader.exec_module(self)
                    self.__class__ = ModuleType  # type: ignore[assignment]
                finally:
                    _underway.discard(own)
        return ModuleType.__getattribute__(self, name)


def prepare() -> None:
    """Let the modules of NAMES that are not loaded yet wait until they are used."""
    from importlib.util import find_spec, module_from_spec

    for name in NAMES:
        spec = find_spec(name) if name not in sys.modules else None
        if spec is not None:
            module = module_from_spec(spec)
            module.__class__ = _Later
            sys.modules[name] = module
