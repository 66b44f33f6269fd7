"""YAML, spliced where PyYAML's marks say."""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Final

from msgspec import Struct, field

from haha_config.core.edit import yaml_document as tree
from haha_config.core.edit.text import BOM, alike, by_hand, changed, matches, name_of, newline, same
from haha_config.core.edit.yaml_document import Node, read, yaml
from haha_config.core.edit.yaml_scalar import UnsafeError, scalar
from haha_config.core.errors import Refusal
from haha_config.core.messages import Message, msg
from haha_config.core.model import Change, Data, Item, Key, Path, Remove, Set

__all__ = ["edit", "read"]

_BREAKS: Final = "\n\r\x85\u2028\u2029"
_LINE_END: Final = re.compile(rf"\r\n|[{_BREAKS}]")
_NOTE: Final = re.compile(rf"(?:[ \t]*|[ \t]+#[^{_BREAKS}]*)(?=[{_BREAKS}]|\Z)")
_ALIAS_VALUE: Final = re.compile(r"\s*:\s+\*[^\s,\[\]{}]+")
_ALIAS_ITEM: Final = re.compile(r"\s*-\s+\*[^\s,\[\]{}]+")


class _Splice(Struct, frozen=True):
    start: int
    end: int
    text: str


def edit(text: str, changes: Sequence[Change]) -> str:
    """Make `changes` and touch nothing else; new entries look like the ones beside them.

    `Remove` of an `Item` takes out every element that it matches. A null on the way counts as
    missing. Refuses aliases, merge keys and duplicate keys on the way to an entry, and whatever
    would not read back as asked.
    """
    if not changes:
        return text
    document = read(text)
    result = _edited(document, changes)
    _verify(text, result, document, changes)
    return result


def _verify(text: str, result: str, document: tree.YamlDocument, changes: Sequence[Change]) -> None:
    try:
        after = document if result == text else read(result)
        fine = alike(after.data, changed(document.data, changes), changes)
    except (Refusal, RecursionError, TypeError, IndexError):
        fine = False
    if not fine:
        raise _unsafe(document, changes[-1])


def _unsafe(
    document: tree.YamlDocument,
    change: Change,
    what: Message | None = None,
    depth: int | None = None,
) -> Refusal:
    path, place = change.path[:depth], None
    while path and place is None:
        place = document.key_place(path)
        path = path[:-1]
    what = what or msg("`{name}` cannot be edited safely here", name=name_of(change.path))
    return Refusal(what, place=place or document.offset_place(0), hints=(by_hand(change),))


# --- editing ---------------------------------------------------------------------------------


class _Step(Struct, frozen=True, kw_only=True):
    """What one change does to one tree: the splices, and which entry of which collection it is."""

    splices: tuple[_Splice, ...]
    collection: int
    key: Key
    removes: bool = False


class _Pending(Struct, kw_only=True):
    """Steps that were computed on one tree and do not disturb each other.

    What is asked of them is looked up, so that a thousand steps take a thousand times one.
    """

    steps: list[_Step] = field(default_factory=list)
    paths: _Branch
    #: An element of a list is taken out: numbers no longer mean what they did.
    shifts: bool = False
    _keys: dict[int, set[Key]] = field(default_factory=dict)
    _removing: set[int] = field(default_factory=set)
    _spans: list[tuple[int, int]] = field(default_factory=list)
    _owners: dict[tuple[int, int], int] = field(default_factory=dict)

    def bears_on(self, path: Path) -> bool:
        """Can a change that waits change what this path finds?"""
        return self.shifts or self.paths.bears_on(path)

    def disturbs(self, step: _Step) -> bool:
        keys = self._keys.get(step.collection)
        if keys is not None and (
            step.removes or step.collection in self._removing or step.key in keys
        ):
            return True
        return any(self._touches(splice, step.collection) for splice in step.splices)

    def _touches(self, splice: _Splice, collection: int) -> bool:
        """Two insertions at one place stand one after the other, but only inside one collection."""
        span = (splice.start, splice.end)
        if splice.start == splice.end and span in self._owners:
            return self._owners[span] != collection
        at = bisect_left(self._spans, span)
        before = self._spans[at - 1][1] if at else -1
        after = self._spans[at][0] if at < len(self._spans) else splice.end + 1
        return splice.start <= before or after <= splice.end

    def add(self, step: _Step, path: Path) -> None:
        self.steps.append(step)
        self.paths.grow(path)
        self._keys.setdefault(step.collection, set()).add(step.key)
        if step.removes:
            self._removing.add(step.collection)
            self.shifts = self.shifts or not isinstance(path[-1], str)
        for splice in step.splices:
            span = (splice.start, splice.end)
            if span not in self._owners:
                insort(self._spans, span)
            self._owners[span] = step.collection

    def applied(self, text: str) -> str:
        parts: list[str] = []
        at = 0
        splices = [splice for step in self.steps for splice in step.splices]
        for splice in sorted(splices, key=lambda s: (s.start, s.end)):
            parts += (text[at : splice.start], splice.text)
            at = splice.end
        return "".join((*parts, text[at:]))


class _Branch:
    """Paths by their keys: names, numbers of elements, and members that tell elements apart."""

    def __init__(self) -> None:
        self.ends = False
        self.names: dict[str, _Branch] = {}
        self.elements: dict[object, dict[int | Item, _Branch]] = {}

    def grow(self, path: Path) -> None:
        branch = self
        for key in path:
            if isinstance(key, str):
                branch = branch.names.setdefault(key, _Branch())
            else:
                alike = branch.elements.setdefault(_way(key), {})
                branch = alike.setdefault(key, _Branch())
        branch.ends = True

    def bears_on(self, path: Path, at: int = 0) -> bool:
        """Whether one of these paths leads to `path` or through it, or may."""
        if self.ends or at == len(path):
            return True
        return any(branch.bears_on(path, at + 1) for branch in self._along(path[at]))

    def _along(self, key: Key) -> Iterator[_Branch]:
        alike = self.names if isinstance(key, str) else self.elements.get(_way(key), {})
        if key in alike:
            yield alike[key]  # type: ignore[index]
        # A number and a member can mean one element.
        for way, others in self.elements.items():
            if isinstance(key, str) or way != _way(key):
                yield from others.values()


def _way(key: int | Item) -> object:
    """How an element is told: by its number, or by this member."""
    return (key.key, key.also[:-1]) if isinstance(key, Item) else None


def _edited(document: tree.YamlDocument, changes: Sequence[Change]) -> str:
    text, pending = document.text, _Pending(paths=_Branch())
    editor = _Editor(document)
    queue = deque(changes)
    while queue:
        change = queue.popleft()
        step: _Step | None = None
        if not pending.bears_on(change.path):
            try:
                parts = editor.parts(change)
                if parts is not None:
                    queue.extendleft(reversed(parts))
                    continue
                step = editor.step(change)
            except UnsafeError as error:
                refusal = _unsafe(document, change, error.what, error.depth)
                if error.hint is not None:
                    refusal.hints = (error.hint,)
                raise refusal from None
            if step is None:
                continue
        if step is None or pending.disturbs(step):
            text, pending = _applied(text, pending), _Pending(paths=_Branch())
            try:
                editor = _Editor(tree.YamlDocument(text, only_places=True))
            except Refusal:
                raise _unsafe(document, change) from None
            queue.appendleft(change)
        else:
            pending.add(step, change.path)
    return _applied(text, pending)


def _applied(text: str, pending: _Pending) -> str:
    shift = len(BOM) if text.startswith(BOM) else 0
    return text[:shift] + pending.applied(text[shift:])


class _Editor:
    """Splices for one tree."""

    def __init__(self, document: tree.YamlDocument) -> None:
        self._document = document
        self._body = document.body
        self._newline = newline(document.body)

    # what a change comes down to

    def parts(self, change: Change) -> list[Change] | None:
        """Smaller changes that amount to this one; None: it is one step."""
        path = change.path
        parent = tree.find(self._document.root, path[:-1])
        found = tree.find(self._document.root, path)
        if parent is None or found is None or not path:
            return None
        if isinstance(change, Remove):
            if not isinstance(path[-1], Item) or not isinstance(parent[1], yaml.SequenceNode):
                return None
            indices = list(tree.indices(parent[1], path[-1]))
            return [Remove((*path[:-1], index)) for index in reversed(indices)]
        node, value = found[1], change.value
        if not isinstance(node, yaml.MappingNode) or not isinstance(value, dict):
            return None
        names = [key.value for key, _ in node.value if key.tag == tree.STR]
        if len(set(names)) != len(node.value) or not set(names) & value.keys():
            return None
        sets: list[Change] = [Set((*path, name), item) for name, item in value.items()]
        return [*sets, *(Remove((*path, name)) for name in names if name not in value)]

    def step(self, change: Change) -> _Step | None:
        _check_stays(change, len(change.path))
        node = self._document.root
        chain: list[tuple[Node, Node]] = []
        for depth, key in enumerate(change.path):
            if node is None or tree.is_null(node):
                return self._create(chain, node, change, depth)
            self._check(node, key, depth)
            found = tree.entry(node, key)
            if found is None:
                return self._missing(chain, node, change, depth)
            chain.append((node, found[0]))
            node = found[1]
        if node is None or not chain:
            raise UnsafeError
        if id(node) in self._document.shared:
            raise UnsafeError(msg("an alias stands for this value"))
        if isinstance(change, Remove):
            return self._removed(chain, change)
        if same(_plain(node), change.value):
            return None
        return self._replaced(chain, node, change, change.value)

    def _check(self, node: Node, key: Key, depth: int) -> None:
        if id(node) in self._document.shared:
            raise UnsafeError(msg("an alias stands for this part"), depth)
        if not isinstance(node, yaml.MappingNode) or not isinstance(key, str):
            return
        names = [name.value for name, _ in node.value if name.tag == tree.STR]
        if names.count(key) > 1:
            raise UnsafeError(
                msg("`{name}` is there twice", name=key), hint=msg("merge the two into one")
            )
        if key not in names and key in tree.merged(node):
            raise UnsafeError(msg("a merge key (`<<`) holds `{name}`", name=key), depth)

    def _missing(
        self, chain: list[tuple[Node, Node]], node: Node, change: Change, depth: int
    ) -> _Step | None:
        if isinstance(change, Remove):
            return None
        _check_stays(change, depth)
        key = change.path[depth]
        wanted = yaml.MappingNode if isinstance(key, str) else yaml.SequenceNode
        if isinstance(key, int):
            raise UnsafeError(msg("`{name}` is not there", name=name_of(change.path[: depth + 1])))
        if not isinstance(node, wanted):
            name = name_of(change.path[:depth])
            if isinstance(key, str):
                raise UnsafeError(msg("`{name}` must be a mapping, `name: value`", name=name))
            raise UnsafeError(msg("`{name}` must be a list", name=name))
        value = _nested(change.value, change.path, depth)
        if not node.value and not self._flow(chain) and self._bare(node):
            return self._replaced(chain, node, change, _wrapped(key, value))
        splice = self._added(chain, node, key, value)
        return _Step(splices=(splice,), collection=id(node), key=key)

    def _create(
        self, chain: list[tuple[Node, Node]], node: Node | None, change: Change, depth: int
    ) -> _Step | None:
        if isinstance(change, Remove):
            return None
        if isinstance(change.path[depth], int):
            raise UnsafeError(msg("`{name}` is not there", name=name_of(change.path)))
        _check_stays(change, depth)
        key = change.path[depth]
        value = _wrapped(key, _nested(change.value, change.path, depth))
        if node is not None:
            return self._replaced(chain, node, change, value)
        lines = self._block(value, 0)
        end = len(self._body)
        if not self._body or self._body[-1] in _BREAKS:
            lines += self._newline
        else:
            lines = self._newline + lines
        return _Step(splices=(_Splice(end, end, lines),), collection=0, key=key)

    # where things are

    def _flow(self, chain: list[tuple[Node, Node]]) -> bool:
        return any(tree.in_flow(parent) for parent, _ in chain)

    def _bare(self, node: Node) -> bool:
        inside = self._body[node.start_mark.index : node.end_mark.index]
        return not inside.strip("[]{} " + _BREAKS)

    def _line_start(self, at: int) -> int:
        while at > 0 and self._body[at - 1] not in _BREAKS:
            at -= 1
        return at

    def _column(self, at: int) -> int:
        return at - self._line_start(at)

    def _end(self, node: Node, after: int, alias: re.Pattern[str]) -> int:
        """Where the last character of `node` stands; `after` is where what precedes it ends."""
        if node.start_mark.index < after:
            match = alias.match(self._body, after)
            if not match:
                raise UnsafeError
            return match.end()
        if isinstance(node, yaml.ScalarNode) or tree.in_flow(node) or not node.value:
            return int(node.end_mark.index)
        if isinstance(node, yaml.MappingNode):
            key, value = node.value[-1]
            return self._end(value, self._key_end(node, key), _ALIAS_VALUE)
        return self._item_end(node, len(node.value) - 1)

    def _key_end(self, node: Node, key: Node) -> int:
        if key.start_mark.index < node.start_mark.index or id(key) in self._document.shared:
            raise UnsafeError
        return int(key.end_mark.index)

    def _item_end(self, node: Node, index: int) -> int:
        item = node.value[index]
        after = node.start_mark.index
        if index and id(item) in self._document.shared:
            after = self._item_end(node, index - 1)
        return self._end(item, after, _ALIAS_ITEM)

    def _text_end(self, node: Node, end: int) -> int:
        """Without the line ends (and blank lines) that the mark of a block scalar includes."""
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
            start = int(node.start_mark.index)
            return start + len(self._body[start:end].rstrip(" " + _BREAKS))
        return end

    def _line_rest(self, at: int) -> int:
        """The end of the line at `at`, where nothing but a comment may follow."""
        match = _NOTE.match(self._body, at)
        if not match:
            raise UnsafeError
        return match.end()

    def _colon(self, key: Node) -> int:
        match = re.compile(r"\s*:").match(self._body, key.end_mark.index)
        if not match:
            raise UnsafeError
        return match.end()

    def _dash(self, item: Node) -> int:
        at = len(self._body[: item.start_mark.index].rstrip(" \t" + _BREAKS))
        if at == 0 or self._body[at - 1] != "-":
            raise UnsafeError
        return at - 1

    # adding

    def _added(self, chain: list[tuple[Node, Node]], node: Node, key: Key, value: Data) -> _Splice:
        if tree.in_flow(node) or self._flow(chain):
            return self._added_in_flow(node, key, value)
        first = node.value[0][0] if isinstance(key, str) else node.value[0]
        if isinstance(key, str):
            column = self._column(first.start_mark.index)
            quote = _quote(first)
            lines = " " * column + self._block({key: value}, column, quote)
        else:
            lines = self._new_item(node, value)
        end = self._end(node, node.start_mark.index, _ALIAS_VALUE)
        if end and self._body[end - 1] in _BREAKS:
            return _Splice(end, end, lines + self._newline)
        end = self._line_rest(end)
        return _Splice(end, end, self._newline + lines)

    def _new_item(self, node: Node, value: Data) -> str:
        last = node.value[-1]
        if self._body[node.start_mark.index] == "-":
            dash = int(node.start_mark.index)
        else:
            dash = self._dash(node.value[0])
        column = self._column(dash)
        gap = 1
        first = node.value[0]
        between = self._body[dash + 1 : first.start_mark.index]
        if between and not between.strip(" "):
            gap = len(between)
        blank = ""
        if len(node.value) > 1:
            before = self._line_start(self._dash(last)) if last.start_mark.index > dash else 0
            if before and re.search(rf"[{_BREAKS}]\s*?[{_BREAKS}]\Z", self._body[:before][-4:]):
                blank = self._newline
        if tree.in_flow(last) and isinstance(value, dict | list):
            text = self._inline(value, _quote_in(last))
        else:
            text = self._block(value, column + 1 + gap, _quote_in(last))
        return f"{blank}{' ' * column}-{' ' * gap}{text}"

    def _added_in_flow(self, node: Node, key: Key, value: Data) -> _Splice:
        mapping = isinstance(node, yaml.MappingNode)
        if not node.value:
            at = int(node.start_mark.index)
            while self._body[at] not in "[{":
                at = self._body.index(" ", at) + 1
            text = self._flow_entry(key, value, "")
            return _Splice(at + 1, at + 1, text)
        first = node.value[-1][0] if mapping else node.value[-1]
        text = self._flow_entry(key, value, _quote(first) if mapping else _quote_in(first))
        if mapping:
            end = self._end(node.value[-1][1], self._key_end(node, first), _ALIAS_VALUE)
        else:
            end = self._item_end(node, len(node.value) - 1)
        start = self._line_start(first.start_mark.index)
        lead = self._body[start : first.start_mark.index]
        own_line = start > node.start_mark.index and not lead.strip(" ")
        return _Splice(end, end, f",{self._newline + lead if own_line else ' '}{text}")

    def _flow_entry(self, key: Key, value: Data, quote: str) -> str:
        text = self._inline(value, quote)
        return f"{scalar(key, quote)}: {text}" if isinstance(key, str) else text

    # replacing

    def _replaced(
        self, chain: list[tuple[Node, Node]], node: Node, change: Change, value: Data
    ) -> _Step:
        if id(node) in self._document.shared:
            raise UnsafeError(msg("an alias stands for this value"))
        parent, key = chain[-1] if chain else (node, node)
        splices = self._replacement(chain, parent, key, node, value)
        # Where nothing stood, the value belongs before whatever else is added at this place.
        added = all(splice.start == splice.end for splice in splices)
        within = node if added else parent
        return _Step(splices=splices, collection=id(within), key=change.path[len(chain) - 1])

    def _replacement(
        self, chain: list[tuple[Node, Node]], parent: Node, key: Node, node: Node, value: Data
    ) -> tuple[_Splice, ...]:
        start = int(node.start_mark.index)
        end = self._text_end(self._last(node), self._end(node, start, _ALIAS_VALUE))
        as_block = isinstance(value, dict | list) and bool(value) and not self._flow(chain)
        in_mapping = isinstance(parent, yaml.MappingNode) and bool(chain)
        was_block = isinstance(node, yaml.CollectionNode) and not tree.in_flow(node)
        if not as_block:
            text = self._inline(value, _quote(node))
            if start == end:
                if self._body[start - 1 : start] not in (":", "-"):
                    raise UnsafeError
                return (_Splice(start, start, f" {text}"),)
            if was_block and in_mapping:
                colon = self._colon(key)
                if not self._body[colon:start].strip(" " + _BREAKS):
                    return (_Splice(colon, end, f" {text}"),)
            return (_Splice(start, end, text),)
        if was_block or not in_mapping:
            lead = " " if start == end else ""
            text = self._block(value, self._column(start) + len(lead))
            return (_Splice(start, end, lead + text),)
        colon = self._colon(key)
        if self._body[colon:start].strip(" " + _BREAKS):
            raise UnsafeError
        outer = self._column(parent.value[0][0].start_mark.index)
        column = outer + (self._unit if isinstance(value, dict) else self._list_indent)
        lines = self._newline + " " * column + self._block(value, column)
        rest = self._line_rest(end)
        return (_Splice(colon, end, ""), _Splice(rest, rest, lines))

    # removing

    def _removed(self, chain: list[tuple[Node, Node]], change: Change) -> _Step:
        parent, key = chain[-1]
        if len(parent.value) == 1:
            splices = self._emptied(chain)
        elif tree.in_flow(parent):
            splices = (self._taken_from_flow(parent, key),)
        else:
            splices = (self._taken(parent, key),)
        return _Step(splices=splices, collection=id(parent), key=change.path[-1], removes=True)

    def _emptied(self, chain: list[tuple[Node, Node]]) -> tuple[_Splice, ...]:
        parent, key = chain[-1]
        if len(chain) == 1 and not tree.in_flow(parent):
            return (self._taken(parent, key),)
        empty: Data = {} if isinstance(parent, yaml.MappingNode) else []
        if len(chain) == 1:
            return (_Splice(parent.start_mark.index, parent.end_mark.index, "{}"),)
        if id(parent) in self._document.shared:
            raise UnsafeError
        return self._replacement(chain[:-1], *chain[-2], parent, empty)

    def _spans(self, parent: Node) -> list[tuple[Node, int]]:
        """Each entry's first node and where it ends."""
        if isinstance(parent, yaml.MappingNode):
            return [
                (key, self._end(value, self._key_end(parent, key), _ALIAS_VALUE))
                for key, value in parent.value
            ]
        return [(item, self._item_end(parent, i)) for i, item in enumerate(parent.value)]

    def _taken_from_flow(self, parent: Node, key: Node) -> _Splice:
        spans = self._spans(parent)
        at = next(i for i, (node, _) in enumerate(spans) if node is key)
        start, end = int(key.start_mark.index), spans[at][1]
        if at + 1 < len(spans):
            end = int(spans[at + 1][0].start_mark.index)
        else:
            start = spans[at - 1][1]
        if "#" in self._body[spans[at][1] : end] or end <= start:
            raise UnsafeError
        return _Splice(start, end, "")

    def _taken(self, parent: Node, key: Node) -> _Splice:
        """The lines of one entry of a block collection, or its part of a line it shares."""
        entries = list(parent.value)
        mapping = isinstance(parent, yaml.MappingNode)
        firsts = [entry[0] for entry in entries] if mapping else entries
        at = next(i for i, node in enumerate(firsts) if node is key)
        value = entries[at][1] if mapping else key
        if mapping:
            end = self._end(value, self._key_end(parent, key), _ALIAS_VALUE)
        else:
            end = self._item_end(parent, at)
        start = int(key.start_mark.index) if mapping else self._dash(key)
        last = self._last(value)
        end = self._line_rest(self._text_end(last, end))
        line = self._line_start(start)
        if not self._body[line:start].strip(" "):
            following_break = _LINE_END.match(self._body, end)
            if following_break is None and line:
                width = 2 if self._body[line - 2 : line] == "\r\n" else 1
                return _Splice(line - width, end, "")
            return _Splice(line, following_break.end() if following_break else end, "")
        if at + 1 < len(firsts):
            following = firsts[at + 1]
            next_start = following.start_mark.index if mapping else self._dash(following)
            if not self._body[end:next_start].strip(" " + _BREAKS):
                return _Splice(start, int(next_start), "")
        return _Splice(start, end, "")

    def _last(self, node: Node) -> Node:
        while isinstance(node, yaml.CollectionNode) and node.value and not tree.in_flow(node):
            node = node.value[-1][1] if isinstance(node, yaml.MappingNode) else node.value[-1]
        return node

    # writing

    @cached_property
    def _unit(self) -> int:
        return next(self._steps(yaml.MappingNode), 2)

    @cached_property
    def _list_indent(self) -> int:
        return next(self._steps(yaml.SequenceNode), self._unit)

    def _steps(self, kind: type[Node]) -> Iterator[int]:
        """How far the values of this kind stand right of the mapping that holds them."""
        root = self._document.root
        for node in tree.nodes(root, set(self._document.shared)) if root else ():
            if not isinstance(node, yaml.MappingNode) or tree.in_flow(node) or not node.value:
                continue
            column = node.value[0][0].start_mark.column
            for key, value in node.value:
                if isinstance(value, kind) and not tree.in_flow(value) and value.value:
                    first = value.value[0]
                    if isinstance(first, tuple):
                        first = first[0]
                    elif self._body[value.start_mark.index] == "-":
                        first = value
                    step = first.start_mark.column - column
                    if first.start_mark.line > key.end_mark.line and 0 <= step <= 10:
                        yield step

    def _block(self, value: Data, column: int, quote: str = "") -> str:
        """Block style; the first line without its indent, the others indented to `column`."""
        if isinstance(value, dict) and value:
            lines = [self._block_entry(key, item, column, quote) for key, item in value.items()]
        elif isinstance(value, list) and value:
            lines = [f"- {self._block(item, column + 2, quote)}" for item in value]
        else:
            return self._inline(value, quote)
        return (self._newline + " " * column).join(lines)

    def _block_entry(self, key: Data, value: Data, column: int, quote: str) -> str:
        if not isinstance(key, str):
            raise UnsafeError
        name = scalar(key, quote)
        if not isinstance(value, dict | list) or not value:
            return f"{name}: {self._inline(value, quote)}"
        inner = column + (self._unit if isinstance(value, dict) else self._list_indent)
        return f"{name}:{self._newline}{' ' * inner}{self._block(value, inner, quote)}"

    def _inline(self, value: Data, quote: str) -> str:
        if isinstance(value, dict):
            entries = [self._flow_entry(key, item, quote) for key, item in value.items()]
            return "{" + ", ".join(entries) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(self._inline(item, quote) for item in value) + "]"
        return scalar(value, quote)


def _check_stays(change: Change, there: int) -> None:
    """Raises UnsafeError where an `Item` on the way would not be found afterwards.

    Twice is the same as once. What stands at the first `there` keys of the path exists already.
    """
    if isinstance(change, Set) and not _stays(change, there):
        raise UnsafeError(msg("`{name}` must keep its name", name=name_of(change.path)))


def _stays(change: Set, there: int) -> bool:
    inner = _nested(change.value, change.path, 0)
    for at, key in enumerate(change.path[1:], 2):
        if isinstance(key, Item):
            inner = inner[0]
            covers = at > there or key.also[: len(change.path) - at] == change.path[at:]
            if not matches(inner, key if covers else Item(key.key, key.value)):
                return False
        else:
            inner = inner[key] if isinstance(key, str) else inner[0]
    return True


def _wrapped(key: Key, value: Data) -> Data:
    return {key: value} if isinstance(key, str) else [value]


def _nested(value: Data, path: Path, depth: int) -> Data:
    """What `path[depth]` must hold so that all of `path` holds `value`."""
    for at in range(len(path) - 1, depth, -1):
        value = _wrapped(path[at], value)
        before = path[at - 1]
        if isinstance(before, Item) and before.value is not None and isinstance(value, dict):
            value = {before.key: before.value, **value}
    return value


def _plain(node: Node) -> Data:
    """The data of one node; a copy is built, since merge keys change the nodes they are in."""
    if any(key.tag == tree.MERGE for key in tree.nodes(node, set())):
        return object()
    return yaml.constructor.SafeConstructor().construct_document(node)


def _quote(node: Node) -> str:
    return node.style if isinstance(node, yaml.ScalarNode) and node.style in ("'", '"') else ""


def _quote_in(node: Node) -> str:
    """The quotes of a mapping's first key, as JSON in YAML has them."""
    return _quote(node.value[0][0]) if isinstance(node, yaml.MappingNode) and node.value else ""
