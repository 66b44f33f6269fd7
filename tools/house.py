"""The picture of the house in `docs/architecture.md`, drawn from the code's own imports.

`python tools/house.py` writes `docs/pictures/house.svg`; `--check` says whether it is stale
(exit 1). A floor is a ring or a room of `core`, from the top down in the order that the import
contracts allow; a line is drawn where a module of one imports a module of the other.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import grimp

ROOT: Final = Path(__file__).resolve().parent.parent
PICTURE: Final = ROOT / "docs" / "pictures" / "house.svg"
#: Floor -> its rooms. What is in none of them is the ground of `core`.
FLOORS: Final = (
    ("cli",),
    ("workflow",),
    ("io", "core.rules"),
    ("core.change", "core.probe", "core.imports"),
    ("core.setup", "core.trust"),
    ("core.state",),
    ("core.providers", "core.edit"),
    ("core",),
)
WIDTH, FLOOR, BOX, TALL = 760, 84, 150, 40


def room(module: str) -> str:
    """The room that a module belongs to."""
    parts = module.split(".")[1:]
    inside = ".".join(parts[:2])
    known = {name for floor in FLOORS for name in floor}
    return inside if inside in known else parts[0] if parts else ""


def arrows() -> set[tuple[str, str]]:
    """The rooms that import another."""
    graph = grimp.build_graph("haha_config")
    found: set[tuple[str, str]] = set()
    for module in graph.modules:
        for other in graph.find_modules_directly_imported_by(module):
            pair = (room(module), room(other))
            if all(pair) and pair[0] != pair[1]:
                found.add(pair)
    return found


def svg() -> str:
    """The whole picture."""
    places = {
        name: (WIDTH * (at + 1) // (len(floor) + 1), 30 + FLOOR * level)
        for level, floor in enumerate(FLOORS)
        for at, name in enumerate(floor)
    }
    height = 30 + FLOOR * (len(FLOORS) - 1) + TALL + 20
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        ' font-family="monospace" font-size="14">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for one, other in sorted(arrows()):
        if one in places and other in places:
            (x1, y1), (x2, y2) = places[one], places[other]
            lines.append(
                f'<line x1="{x1}" y1="{y1 + TALL}" x2="{x2}" y2="{y2}" stroke="#8aa4c8"'
                f' stroke-width="1.5"><title>{one} imports {other}</title></line>'
            )
    for name, (x, y) in places.items():
        shown = "core: words, records" if name == "core" else name
        wide = BOX + 20 if name == "core" else BOX
        lines.append(
            f'<rect x="{x - wide // 2}" y="{y}" width="{wide}" height="{TALL}" rx="6"'
            f' fill="#eef3fa" stroke="#48618a"/><text x="{x}" y="{y + 25}"'
            f' text-anchor="middle" fill="#16243c">{shown}</text>'
        )
    return "\n".join([*lines, "</svg>", ""])


def main() -> int:
    """Write the picture, or with `--check` compare it."""
    made = svg()
    if "--check" in sys.argv:
        stale = not PICTURE.exists() or PICTURE.read_text(encoding="utf-8") != made
        if stale:
            print(f"{PICTURE.relative_to(ROOT)} is stale: python -m tasks docs", file=sys.stderr)
        return int(stale)
    PICTURE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
