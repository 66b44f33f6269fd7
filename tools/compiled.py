"""Read the TOML files of `templates/` beforehand: `python -m tasks tables`."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from haha_config.core.compiled import stamp
from haha_config.io.templates import COMPILED, FOLDER


def tables() -> dict[str, Any]:
    """Every TOML file there, by the stamp of its text."""
    texts = [file.read_text(encoding="utf-8") for file in sorted(Path(FOLDER).rglob("*.toml"))]
    return {stamp(text): tomllib.loads(text) for text in texts}


def main() -> None:
    lines = json.dumps(tables(), ensure_ascii=False, indent=0)
    (Path(FOLDER) / COMPILED).write_text(lines + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
