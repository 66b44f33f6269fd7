"""Make the generated pages and the pictures anew, and build the site into `site/`.

A warning of the generator is an error. `--check` writes nothing but the site: a stale page is
an error then.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAKERS = (
    "docs/_generate/providers.py",
    "docs/_generate/rules.py",
    "docs/_generate/cli.py",
    "tools/json_shapes.py",
    "tools/pictures.py",
    "tools/house.py",
)


def main(arguments: list[str]) -> int:
    for maker in MAKERS:
        if maker.startswith("tools/") and sys.platform == "win32":
            continue  # the pictures are taken in a pseudo-terminal
        _run(maker, *(["--check"] if "--check" in arguments else []))
    _run("-m", "mkdocs", "build", "--strict", "--quiet")
    print("site/index.html")
    return 0


def _run(*words: str) -> None:
    # The theme's makers advertise their next program on standard error.
    environ = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
    done = subprocess.run([sys.executable, *words], cwd=ROOT, env=environ, check=False)
    if done.returncode != 0:
        raise SystemExit(done.returncode)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
