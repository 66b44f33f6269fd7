"""What clients of different versions do differently: makes `templates/facts/layers.json`.

All of what they do is in `tests/e2e/layer_cases.py`, which the tests compare with what haha-config
says; here are only the differences, one start each.
"""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, get_args

from haha_config.core.state.facts import Name
from tests.e2e import parts
from tests.e2e.layer_cases import BASE, CASES, KEY, TOKEN, Case
from tests.e2e.layer_place import Place
from tests.e2e.processes import QUIET, environment
from tests.e2e.upstream import Upstream
from tools.facts.start import first_request

TARGET: Final = parts.ROOT / "templates" / "facts" / "layers.json"
VERSIONS: Final = (parts.OLDEST, parts.NEWEST)


def does(name: Name, version: str, upstream: Upstream) -> bool:
    """Whether this version does so."""
    match name:
        case "top_local":
            return _model("local of the top level", version, upstream) == "top"
        case "default_model":
            return _model("the newer default", version, upstream) == "d"
        case "strict_managed":
            return _model("managed that does not parse", version, upstream) is None
        case "best_opus":
            return _model("the best", version, upstream) == "o"
        case "all_proxy":
            return _by_all_proxy(version, upstream)


def _model(name: str, version: str, upstream: Upstream) -> str | None:
    """The model that is asked for in a combination of layers; None where nothing is."""
    case: Case = next(case for case in CASES if case.name == name)
    with tempfile.TemporaryDirectory(prefix="facts-") as folder:
        asked = Place(case, Path(folder), upstream).request(version, upstream)
    return asked.model if asked is not None else None


def _by_all_proxy(version: str, upstream: Upstream) -> bool:
    with tempfile.TemporaryDirectory(prefix="facts-") as folder:
        env = {**environment(Path(folder)), **QUIET, TOKEN: KEY}
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
            del env[name]
        base = f"http://endpoint.test/{Path(folder).name}"
        env |= {BASE: base, "ALL_PROXY": upstream.url, "CLAUDE_CODE_MAX_RETRIES": "0"}
        command = [str(parts.client(version)), "-p", "say hi"]
        prefix = f"/{Path(folder).name}/"
        return first_request(command, Path(folder), env, upstream, prefix) is not None


def main() -> None:
    day = datetime.now(UTC).date().isoformat()
    with Upstream() as upstream:
        found = {n: [does(n, v, upstream) for v in VERSIONS] for n in get_args(Name)}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(by)}" for name, by in found.items())
    measured = json.dumps(dict.fromkeys(VERSIONS, day))
    TARGET.write_text(
        f'{{\n"measured": {measured},\n"does": {{\n{lines}\n}}\n}}\n', encoding="utf-8"
    )


if __name__ == "__main__":
    main()
