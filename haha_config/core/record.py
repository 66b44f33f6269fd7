"""`dataclass` without its price: the same declarations, made without a compiler.

The standard decorator looks at every annotation and compiles up to six methods a class when the
class is made: a quarter of the time of a whole `validate`. Here every class shares a few closures
over its fields' names, and the library is asked only by who asks the library: `fields`, `asdict`
and its own `replace` work. The type checker sees the standard decorator. Every annotation is a
field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import replace as replace
else:

    def dataclass(*, frozen=False, slots=False, kw_only=False):  # noqa: ARG001
        """As the standard one; `slots` is for the type checker: defaults are in their way."""

        def made(cls):
            shape = _shape(cls, kw_only=kw_only)
            cls.__record__ = shape
            cls.__match_args__ = shape.by_place
            cls.__dataclass_fields__ = _Fields(cls, kw_only=kw_only)
            _give_methods(cls, shape, frozen=frozen)
            return cls

        return made

    def field(**how):
        """As the standard one: `default`, `default_factory`, `repr`."""
        return _Field(how)

    def replace(record, /, **changes):
        """As the standard one."""
        held = record.__dict__
        kept = {name: held[name] for name in record.__record__.names if name in held}
        return type(record)(**{**kept, **changes})


class _Field:
    def __init__(self, how: dict[str, Any]) -> None:
        self.how = how


class _Shape(NamedTuple):
    """`own`: this class's fields that were declared with `field`. `needed`: without a default."""

    names: tuple[str, ...]
    by_place: tuple[str, ...]
    needed: frozenset[str]
    factories: dict[str, Any]
    hidden: frozenset[str]
    own: dict[str, dict[str, Any]]


_NOTHING = _Shape((), (), frozenset(), {}, frozenset(), {})


def _shape(cls: Any, *, kw_only: bool) -> _Shape:
    base = getattr(cls, "__record__", _NOTHING)
    mine = tuple(cls.__annotations__)
    own = {n: value.how for n in mine if isinstance(value := cls.__dict__.get(n), _Field)}
    for name, how in own.items():
        # A default stays what it is: an attribute of the class.
        if "default" in how:
            setattr(cls, name, how["default"])
        else:
            delattr(cls, name)
    factories = {n: how["default_factory"] for n, how in own.items() if "default_factory" in how}
    needed = {n for n in mine if n not in factories and not hasattr(cls, n)}
    by_name = mine if kw_only else ()
    by_place = dict.fromkeys((*base.by_place, *mine))
    return _Shape(
        names=tuple(dict.fromkeys((*base.names, *mine))),
        by_place=tuple(name for name in by_place if name not in by_name),
        needed=(base.needed - set(mine)) | needed,
        factories={**base.factories, **factories},
        hidden=base.hidden | {n for n, how in own.items() if not how.get("repr", True)},
        own=own,
    )


class _Fields:
    """`__dataclass_fields__`, made by the library when it is asked for."""

    def __init__(self, cls: Any, *, kw_only: bool) -> None:
        self._cls = cls
        self._kw_only = kw_only

    def __get__(self, record: object, cls: Any = None) -> Any:
        import dataclasses

        made = self._cls
        for name, how in made.__record__.own.items():
            setattr(made, name, dataclasses.field(**how))
        del made.__dataclass_fields__
        # Without a docstring the library would have `inspect` write a signature.
        made.__doc__ = made.__doc__ or made.__name__
        dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=self._kw_only)(made)
        return made.__dataclass_fields__


def _give_methods(cls: Any, shape: _Shape, *, frozen: bool) -> None:
    cls.__init__ = _init(cls.__name__, shape)
    cls.__repr__, cls.__eq__ = _repr, _eq
    cls.__hash__ = _hash if frozen else None
    if frozen:
        cls.__setattr__, cls.__delattr__ = _refuse, _refuse


def _init(class_name: str, shape: _Shape) -> Any:
    by_place, needed, factories = shape.by_place, shape.needed, tuple(shape.factories.items())
    names = frozenset(shape.names)
    set_whole = object.__setattr__

    def __init__(self: Any, /, *args: Any, **given: Any) -> None:  # noqa: N807
        for name, value in zip(by_place[: len(args)], args, strict=True):
            if name in given:
                raise TypeError(f"{class_name}: {name} is given twice")
            given[name] = value
        for name, make in factories:
            if name not in given:
                given[name] = make()
        if not needed <= given.keys() <= names:
            wrong = sorted(needed - given.keys() | given.keys() - names)
            raise TypeError(f"{class_name}: missing or unknown: {', '.join(wrong)}")
        set_whole(self, "__dict__", given)

    return __init__


def _values(self: Any) -> tuple[Any, ...]:
    return tuple(getattr(self, name) for name in self.__record__.names)


def _repr(self: Any) -> str:
    shape = self.__record__
    shown = (f"{n}={getattr(self, n)!r}" for n in shape.names if n not in shape.hidden)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _eq(self: Any, other: object) -> Any:
    if type(self) is not type(other):
        return NotImplemented
    return self is other or _values(self) == _values(other)


def _hash(self: Any) -> int:
    return hash(_values(self))


def _refuse(self: Any, name: str, *_: Any) -> NoReturn:  # noqa: ARG001
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot change field {name!r}")
