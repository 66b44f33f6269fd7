"""Every name of core, io and workflow is used by the program itself, not by tests alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import haha_config

PACKAGE = Path(haha_config.__file__).parent


def module(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module(p): ast.parse(p.read_text(encoding="utf-8")) for p in PACKAGE.rglob("*.py")}


def defined(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.Assign):
            yield from (t.id for t in node.targets if isinstance(t, ast.Name))


def used(name: str, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(module, name) for each name that this module takes from itself or from another one."""
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                yield node.module, alias.name
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield modules.get(node.value.id, ""), node.attr
    for statement in tree.body:
        own = getattr(statement, "name", None)
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id != own:
                yield name, node.id


def handed_on(name: str, tree: ast.Module) -> dict[tuple[str, str], tuple[str, str]]:
    """What a package's own module takes from its parts, to be taken from there."""
    is_package = any(other.startswith(f"{name}.") for other in SOURCES)
    return {
        (node.module, alias.name): (name, alias.name)
        for node in (tree.body if is_package else ())
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(name)
        for alias in node.names
        if node.module
    }


def test_no_name_is_there_for_nothing() -> None:
    uses: dict[tuple[str, str], set[str]] = {}
    for name, tree in SOURCES.items():
        for use in used(name, tree):
            uses.setdefault(use, set()).add(name)
    for name, tree in SOURCES.items():
        for inner, outer in handed_on(name, tree).items():
            # Taken by the package alone, it is used only where the package's name for it is.
            users = uses.get(inner, set()) - {name}
            uses[inner] = users | uses.get(outer, set()) - {name}
            inside = any(
                isinstance(node, ast.Name) and node.id == inner[1] for node in ast.walk(tree)
            )
            uses[inner] |= {name} if inside else set()
    unused = [
        f"{name}.{one}"
        for name, tree in SOURCES.items()
        if name.startswith(("haha_config.core", "haha_config.io", "haha_config.workflow"))
        for one in defined(tree)
        if not uses.get((name, one)) and not one.startswith("__") and not one[3:].isdigit()
    ]
    assert unused == []
