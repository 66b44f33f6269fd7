"""`dataclass` without its price: the same declarations, made without a compiler.

The standard decorator compiles up to six methods a class when the class is made: a third of a
millisecond each, a quarter of the time of a whole `validate`. Here every class shares four
closures over its fields' names. The type checker sees the standard decorator; `replace`, `fields`
and `asdict` work. A class of which thousands are made stays with the standard one.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, FrozenInstanceError, fields
from dataclasses import field as field
from dataclasses import replace as replace
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(*, frozen=False, slots=False, kw_only=False):  # noqa: ARG001
        """As the standard one; `slots` is for the type checker: defaults are in their way."""

        def made(cls):
            # Without a docstring the library would have `inspect` write a signature.
            cls.__doc__ = cls.__doc__ or cls.__name__
            dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=kw_only)(cls)
            _give_methods(cls, frozen=frozen)
            return cls

        return made


def _give_methods(cls: Any, *, frozen: bool) -> None:
    cls.__init__ = _init(cls)
    cls.__repr__, cls.__eq__ = _repr, _eq
    cls.__hash__ = _hash if frozen else None
    if frozen:
        cls.__setattr__, cls.__delattr__ = _refuse, _refuse


def _init(cls: Any) -> Any:
    by_place = cls.__match_args__
    names = frozenset(f.name for f in fields(cls))
    factories = tuple(
        (f.name, f.default_factory) for f in fields(cls) if f.default_factory is not MISSING
    )
    # A default stays what it is: an attribute of the class.
    needed = names - {f.name for f in fields(cls) if f.default is not MISSING}
    set_whole = object.__setattr__

    def __init__(self: Any, /, *args: Any, **given: Any) -> None:  # noqa: N807
        for name, value in zip(by_place[: len(args)], args, strict=True):
            if name in given:
                raise TypeError(f"{cls.__name__}: {name} is given twice")
            given[name] = value
        for name, make in factories:
            if name not in given:
                given[name] = make()
        if not needed <= given.keys() <= names:
            wrong = sorted(needed - given.keys() | given.keys() - names)
            raise TypeError(f"{cls.__name__}: missing or unknown: {', '.join(wrong)}")
        set_whole(self, "__dict__", given)

    return __init__


def _values(self: Any) -> tuple[Any, ...]:
    return tuple(getattr(self, f.name) for f in fields(self))


def _repr(self: Any) -> str:
    shown = (f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _eq(self: Any, other: object) -> Any:
    if type(self) is not type(other):
        return NotImplemented
    return self is other or _values(self) == _values(other)


def _hash(self: Any) -> int:
    return hash(_values(self))


def _refuse(self: Any, name: str, *_: Any) -> NoReturn:  # noqa: ARG001
    raise FrozenInstanceError(f"cannot change field {name!r}")
