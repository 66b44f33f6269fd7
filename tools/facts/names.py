"""Names of settings, with an example of each: `python -m tools.facts.names SCHEMA`.

Only names, words and bounds are taken from it, as places to measure: what a client does with a
value there is what `settings.py` finds out.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

TARGET: Final = Path(__file__).with_name("documented.json")
#: Documented elsewhere (https://code.claude.com/docs/en/settings-reference, November 2026).
_MORE: Final = Path(__file__).with_name("documented_more.json")
_DEPTH: Final = 9
#: The newest client minds the first more than the others: all parts of both are measured, and of
#: other events as much as tells whether they are like the second.
FULL_EVENTS: Final = ("PreToolUse", "PostToolUse")
OF_EACH_EVENT: Final = re.compile(
    r"hooks\.\w+(\[\](\.matcher|\.hooks\[\]\{type=command\}(\.command)?)?)?"
)
_URL: Final = "https://example.com/a"
_EXAMPLES: Final = {"\\.git$": "https://example.com/a.git", "^custom:.+": "custom:a"}


class Schema:
    """A schema that is walked, one place after the other."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data

    def places(self) -> dict[str, dict[str, Any]]:
        """Each path with `example`, and `words` and `numbers` where the schema names some."""
        found = {path: place for path, place in self._walk(self._data, "", 0) if _wanted(path)}
        for path, place in found.items():
            if path.endswith(".url") and place["example"] == "text":
                place["example"] = _URL
        return found

    def _walk(
        self, node: Mapping[str, Any], path: str, depth: int
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        node = self._resolve(node)
        if path:
            yield path, self._place(node)
        if depth > _DEPTH or path == "env":
            return
        for name, one in node.get("properties", {}).items():
            yield from self._walk(one, f"{path}.{name}" if path else name, depth + 1)
        for inside, key in (("items", "[]"), ("additionalProperties", ".*")):
            if isinstance(node.get(inside), Mapping):
                yield from self._walk(node[inside], path + key, depth + 1)
        for one in self._variants(node):
            yield from self._walk(one, path + self._variant(one), depth + 1)

    def _resolve(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in node:
            node = self._data["$defs"][node["$ref"].rsplit("/", 1)[-1]]
        return node

    def _variants(self, node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        return [self._resolve(one) for one in node.get("anyOf") or node.get("oneOf") or ()]

    def _variant(self, node: Mapping[str, Any]) -> str:
        """`{type=command}` or `{url}` for an object; nothing for a value of another kind."""
        if node.get("type") != "object":
            return ""
        for name, one in node.get("properties", {}).items():
            if "const" in one or len(one.get("enum", ())) == 1:
                return f"{{{name}={one.get('const') or one['enum'][0]}}}"
        return f"{{{node['required'][0]}}}"

    def _place(self, node: Mapping[str, Any]) -> dict[str, Any]:
        all_of_it = [node, *self._variants(node)]
        words = [w for one in all_of_it for w in one.get("enum", [one.get("const")]) if w]
        bounds = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
        numbers = [one[b] for one in all_of_it for b in bounds if b in one]
        place: dict[str, Any] = {"example": self._example(node)}
        if words and isinstance(words[0], str):
            place["words"] = words
        return {**place, "numbers": numbers} if numbers else place

    def _example(self, node: Mapping[str, Any]) -> Any:
        node = self._resolve(node)
        variants = self._variants(node)
        if variants:
            return self._example(variants[0])
        if "const" in node or "enum" in node:
            return node.get("const", node.get("enum", [None])[0])
        kind = node.get("type")
        match kind[0] if isinstance(kind, list) else kind:
            case "boolean":
                return True
            case "integer" | "number":
                return max(node.get("minimum", 1), node.get("exclusiveMinimum", 0) + 1)
            case "array":
                return [self._example(node["items"])] if "items" in node else []
            case "object":
                inside = node.get("properties", {})
                required = {name: self._example(inside[name]) for name in node.get("required", ())}
                return {n: _URL if n == "url" and e == "text" else e for n, e in required.items()}
        if node.get("format") == "uri":
            return _URL
        return _EXAMPLES.get(node.get("pattern", ""), "Bash" if "Bash" in str(node) else "text")


def _wanted(path: str) -> bool:
    if path.startswith("hooks.") and re.split(r"[.\[]", path)[1] not in FULL_EVENTS:
        return OF_EACH_EVENT.fullmatch(path) is not None
    # Its name must be the key under which it stands, so it can't be measured like the others.
    if "{source=settings}" in path:
        return False
    # The places of a marketplace are the same in three keys.
    return not re.match(r"(strictKnown|blocked)Marketplaces\[\]\{", path)


def write(schema: Path) -> None:
    """Write `documented.json` from a schema and from what is documented elsewhere."""
    data = json.loads(schema.read_text(encoding="utf-8"))
    places = {**Schema(data).places(), **json.loads(_MORE.read_text(encoding="utf-8"))}
    lines = (f"  {json.dumps(path)}: {json.dumps(place)}" for path, place in sorted(places.items()))
    text = ",\n".join(lines)
    TARGET.write_text(f"{{\n{text}\n}}\n", encoding="utf-8")
    print(f"{len(places)} places from {data.get('$id', schema)}")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
