"""A YAML file as `yaml.safe_load` reads it (LiteLLM's way): its data, and where each node stands.

Two loaders read alike but for small things, so the C one is used for its speed and the pure-Python
one, which is LiteLLM's, judges wherever they are known to differ: a tab, U+FEFF, and every error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Any, Final, TypeAlias

import yaml as yaml

from haha_config.core.edit.text import BOM, Document, Source
from haha_config.core.errors import Refusal
from haha_config.core.messages import Message, msg
from haha_config.core.model import Data, Item, Key, Oddity, Path, Place

Node: TypeAlias = yaml.Node
_FAST: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PURE: Final[Any] = yaml.SafeLoader

STR: Final = "tag:yaml.org,2002:str"
_SEQ: Final = "tag:yaml.org,2002:seq"
_MAP: Final = "tag:yaml.org,2002:map"
_NULL: Final = "tag:yaml.org,2002:null"
MERGE: Final = "tag:yaml.org,2002:merge"

_BRACKETS: Final = re.compile(r"[\[\]{}]")
_STAIRS: Final = re.compile(r"(?:[-?:][ \t]+){200}|^[ ]{1000}")
#: No stairs are shorter: other lines are not searched.
_SHORTEST_STAIRS: Final = 400
#: What the C loader is known to take and the pure one not, or the other way round.
_DOUBTFUL: Final = ("\t", "\ufeff", "\x85", "\u2028", "\u2029", "?", "\n%")
_DOUBTFUL_BLOCK: Final = re.compile("[|>][0-9+-]*#")
#: Deeper than this, libyaml's recursion is left to the pure loader, whose limit is an exception.
_DEEPEST: Final = 200
#: As many entries as aliases may unfold to before a file is not one that a person wrote.
_MOST: Final = 1_000_000


class YamlDocument(Document):
    def __init__(self, text: str, *, only_places: bool = False) -> None:
        super().__init__(text)
        self._shift = len(BOM) if text.startswith(BOM) else 0
        self.body = text[self._shift :]
        if self.body.startswith(BOM):  # a loader would take the second for the first
            raise Refusal(msg("the file begins with two BOMs"), place=self._source.place(1))
        self.root, self.data = _load(self.body, self._source, self._shift, only_places)

    def offset_place(self, offset: int) -> Place:
        return self._source.place(offset + self._shift)

    def _at(self, path: Path) -> tuple[int, int] | None:
        key, value = find(self.root, path) or (None, None)
        if key is None or value is None:
            return None
        return key.start_mark.index + self._shift, value.start_mark.index + self._shift

    @cached_property
    def shared(self) -> frozenset[int]:
        """The nodes that an alias stands for."""
        if "*" not in self.body or self.root is None:
            return frozenset()
        seen: set[int] = set()
        twice: set[int] = set()
        for node in nodes(self.root, twice):
            if id(node) in seen:
                twice.add(id(node))
            seen.add(id(node))
        return frozenset(twice)

    def _oddities(self) -> Iterator[Oddity]:
        if self._shift:
            yield Oddity(kind="bom", place=self._source.place(0))
        if self.root is None:
            return
        for node in nodes(self.root, set(self.shared)):
            if id(node) in self.shared:
                yield Oddity(kind="alias", place=self.offset_place(node.start_mark.index))
            if not isinstance(node, yaml.MappingNode):
                continue
            names = set()
            for key, _ in node.value:
                if key.tag == MERGE:
                    yield Oddity(kind="merge", place=self.offset_place(key.start_mark.index))
                elif isinstance(key, yaml.ScalarNode):
                    if (key.tag, key.value) in names:
                        place = self.offset_place(key.start_mark.index)
                        yield Oddity(kind="duplicate", place=place, name=key.value)
                    names.add((key.tag, key.value))


# A plan is made twice, and what it leaves is read for the proof, the preview and the rules.
@lru_cache(maxsize=4)
def read(text: str) -> YamlDocument:
    """The data and the places of a YAML file; an empty one reads as `{}`.

    Refuses what `yaml.safe_load` refuses (a second document, an unknown tag, a tab for indent),
    a top level that is not a mapping, nesting or aliases beyond reason. Oddities: `bom`,
    `duplicate` (each entry that makes an earlier one void), `alias` (where the anchor stands),
    `merge`.
    """
    return YamlDocument(text)


# --- loading ---------------------------------------------------------------------------------


def _load(
    body: str, source: Source, shift: int, only_places: bool
) -> tuple[Node | None, dict[str, Data]]:
    loader = _PURE if _doubtful(body) or _deep(body) else _FAST
    try:
        try:
            return _loaded(body, loader, only_places)
        except (yaml.YAMLError, *_UNREADABLE):
            if loader is _PURE:
                raise
            return _loaded(body, _PURE, only_places)
    except RecursionError:
        raise Refusal(msg("nested too deeply"), place=source.place(0)) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = source.place(mark.index + shift) if mark else Place()
        problem = _unquoted(error.problem or error.context or "")
        what = msg("not YAML: {problem}", problem=problem)
        if "character '\\t'" in problem:
            what = msg("a tab: YAML takes only spaces here")
        raise Refusal(what, place=place) from None
    except yaml.reader.ReaderError as error:
        raise Refusal(
            msg("YAML does not allow {code}", code=f"U+{error.character:04X}"),
            place=source.place(error.position + shift),
        ) from None
    except _UnreadableError as error:
        raise Refusal(error.what, place=source.place(error.offset + shift)) from None
    except _UNREADABLE:
        place = source.place(_unreadable(body) + shift)
        raise Refusal(msg("a value that YAML cannot read"), place=place) from None


#: What the constructors of PyYAML's tags raise beside its own errors.
_UNREADABLE: Final = (ValueError, OverflowError, TypeError, AttributeError, LookupError)


def _unreadable(body: str) -> int:
    """Where the first value stands that no constructor makes anything of."""
    loader = _PURE(body)
    try:
        root = loader.get_single_node()
        found = [node for node in nodes(root, set()) if _fails(node, loader)] if root else []
        return min((int(node.start_mark.index) for node in found), default=0)
    finally:
        loader.dispose()


def _fails(node: Node, loader: Any) -> bool:
    if not isinstance(node, yaml.ScalarNode):
        return False
    try:
        loader.construct_object(node)
    except _UNREADABLE:
        return True
    except yaml.YAMLError:
        return False
    return False


def _unquoted(problem: str) -> str:
    """A loader's words without the name of an alias, an anchor or a tag: it may be a key."""
    if re.search("alias|anchor|tag", problem):
        return re.split("['\"]", problem, maxsplit=1)[0].rstrip()
    return problem


class _UnreadableError(Exception):
    def __init__(self, what: Message, offset: int) -> None:
        super().__init__(what.text)
        self.what = what
        self.offset = offset


def _loaded(body: str, kind: Any, only_places: bool) -> tuple[Node | None, dict[str, Data]]:
    loader = kind(body)
    try:
        root = loader.get_single_node()
        if root is None or (isinstance(root, yaml.ScalarNode) and root.tag == _NULL):
            return None, {}
        if not isinstance(root, yaml.MappingNode):
            raise _UnreadableError(msg("the file must hold a mapping, `name: value`"), 0)
        if "*" in body:
            _check_size(root)
        if only_places:
            return root, {}
        data = loader.construct_document(root) if "*" in body else _value(root, loader)
        if "<<" in body:  # the constructor has dissolved merge keys in the nodes
            root = yaml.compose(body, Loader=kind)
        return root, data
    finally:
        loader.dispose()


def _value(node: Node, loader: Any) -> Any:
    """What the loader makes of a node, in a fraction of its time for text, mappings and lists.

    There are no aliases: one node is one value.
    """
    if node.tag == STR and isinstance(node, yaml.ScalarNode):
        return node.value
    if node.tag == _SEQ and isinstance(node, yaml.SequenceNode):
        return [_value(item, loader) for item in node.value]
    if (
        node.tag == _MAP
        and isinstance(node, yaml.MappingNode)
        and all(key.tag == STR for key, _ in node.value)
    ):
        return {_value(key, loader): _value(value, loader) for key, value in node.value}
    return loader.construct_object(node, deep=True)


def _doubtful(body: str) -> bool:
    return (
        body.startswith("%")
        or any(mark in body for mark in _DOUBTFUL)
        or (("|" in body or ">" in body) and bool(_DOUBTFUL_BLOCK.search(body)))
    )


def _deep(body: str) -> bool:
    depth = 0
    for match in _BRACKETS.finditer(body):
        depth += 1 if match[0] in "[{" else -1
        if depth > _DEEPEST:
            return True
    return any(len(line) >= _SHORTEST_STAIRS and _STAIRS.search(line) for line in body.split("\n"))


def _children(node: Node) -> Iterator[Node]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def nodes(root: Node, once: set[int]) -> Iterator[Node]:
    """Every node, in no order; the children of those in `once` are given one time only."""
    stack = [root]
    opened: set[int] = set()
    while stack:
        node = stack.pop()
        yield node
        if id(node) not in once or id(node) not in opened:
            opened.add(id(node))
            stack.extend(_children(node))


def _check_size(root: Node) -> None:
    sizes: dict[int, int] = {}

    def size(node: Node) -> int:
        known = sizes.get(id(node))
        if known == 0:
            raise _UnreadableError(msg("an alias inside its own anchor"), node.start_mark.index)
        if known is None:
            sizes[id(node)] = 0
            known = 1 + sum(map(size, _children(node)))
            sizes[id(node)] = known
        return known

    if size(root) > _MOST:
        raise _UnreadableError(msg("aliases that unfold endlessly"), 0)


# --- finding ---------------------------------------------------------------------------------


def entry(node: Node, key: Key) -> tuple[Node, Node] | None:
    """The key and value nodes of `key` in `node`; for a list, the element twice."""
    if isinstance(key, str):
        if isinstance(node, yaml.MappingNode):
            for name, value in reversed(node.value):
                if name.tag == STR and name.value == key:
                    return name, value
        return None
    if not isinstance(node, yaml.SequenceNode):
        return None
    index = next(indices(node, key), -1) if isinstance(key, Item) else key
    return (node.value[index], node.value[index]) if 0 <= index < len(node.value) else None


def indices(node: yaml.SequenceNode, key: Item) -> Iterator[int]:
    for index, element in enumerate(node.value):
        if _holds(element, (key.key,), key.value) and (
            not key.also or _holds(element, key.also[:-1], key.also[-1])
        ):
            yield index


def _holds(element: Node, path: Path, value: str | None) -> bool:
    found = find(element, path)
    if found is None or value is None:
        return found is not None
    return found[1].tag == STR and bool(found[1].value == value)


def find(root: Node | None, path: Path) -> tuple[Node, Node] | None:
    if root is None:
        return None
    found: tuple[Node, Node] | None = (root, root)
    for key in path:
        found = entry(found[1], key) if found else None
    return found


def in_flow(node: Node) -> bool:
    return isinstance(node, yaml.CollectionNode) and bool(node.flow_style)


def merged(node: yaml.MappingNode) -> Iterator[str]:
    """The names that the merge keys of a table bring."""
    for name, value in node.value:
        if name.tag != MERGE:
            continue
        for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            if isinstance(source, yaml.MappingNode):
                yield from (held.value for held, _ in source.value if held.tag == STR)
                yield from merged(source)


def is_null(node: Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == _NULL
