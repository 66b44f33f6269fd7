"""What haha-config says that the client sends is what arrives, or that nothing does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from haha_config.io import http
from tests.e2e import parts
from tests.e2e.layer_cases import BASE, CASES, KEY, MODEL, TOKEN, Case
from tests.e2e.layer_place import Place
from tests.e2e.processes import QUIET, environment
from tests.e2e.upstream import Upstream
from tests.e2e.wire import Request
from tools.facts.start import first_request

VERSIONS = (parts.OLDEST, parts.NEWEST)
_Started = Mapping[tuple[str, str], "Future[tuple[Place, Request | None]]"]


@pytest.fixture(scope="module")
def started(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[_Started]:
    """Every case that is tested, a few at a time: the tests wait for their own."""
    specs = (getattr(item, "callspec", None) for item in request.session.items)
    wanted = [s.params for s in specs if s is not None and isinstance(s.params.get("case"), Case)]
    with Upstream() as upstream, ThreadPoolExecutor(3) as pool:

        def start(case: Case, version: str) -> tuple[Place, Request | None]:
            place = Place(case, tmp_path_factory.mktemp("case"), upstream)
            return place, place.request(version, upstream)

        yield {
            (one["case"].name, one["version"]): pool.submit(start, one["case"], one["version"])
            for one in wanted
        }


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 80
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_said_is_what_arrives(
    case: Case, version: str, started: _Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, asked = started[case.name, version].result()
    monkeypatch.chdir(place.cwd)
    said = place.answers(version)
    assert said["silent"] == (asked is None)
    if asked is None:
        return
    base = said["url"].removesuffix("/")
    assert (
        place.holes["url"].rpartition(place.root.name)[0] + asked.path[1:] == f"{base}/v1/messages"
    )
    assert asked.model == said["model"] or (not said["model"] and asked.model.startswith("claude-"))
    wanted = {"authorization", "x-api-key", *said["headers"]}
    arrived = {name: asked.headers[name] for name in wanted if name in asked.headers}
    expected = dict(said["headers"])
    if version == parts.OLDEST and "apiKeyHelper" in str(case.files) and "Bearer" in str(expected):
        # Its first request may be out before the helper has said its key.
        arrived.pop("x-api-key", None)
        expected.pop("x-api-key", None)
    assert arrived.keys() == expected.keys()
    for name, value in expected.items():
        assert not value or arrived[name].endswith(value[-4:].lstrip("*"))


_DEAD = "http://127.0.0.1:1"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("settings", "exported"),
    [
        ({"HTTP_PROXY": "live"}, {}),
        ({"HTTP_PROXY": _DEAD}, {"http_proxy": "live"}),
        ({"HTTP_PROXY": _DEAD, "https_proxy": "live"}, {}),
        ({"http_proxy": _DEAD, "HTTPS_PROXY": "live"}, {}),
        ({"HTTP_PROXY": "live"}, {"http_proxy": ""}),
    ],
    ids=str,
)
def test_the_proxy_that_is_used(
    settings: dict[str, str], exported: dict[str, str], version: str, upstream: Upstream, home: Path
) -> None:
    base = "http://endpoint.test"
    variables = {BASE: base, TOKEN: KEY, **_live(settings, upstream)}
    path = home / ".claude" / "settings.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"env": variables}), encoding="utf-8")
    own = environment(home)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        del own[name]
    shell = {**own, **QUIET, **_live(exported, upstream)}
    assert http.proxy_for(base, {**shell, **variables}) == upstream.url
    command = [str(parts.client(version)), "-p", "say hi"]
    assert first_request(command, home, shell, upstream, "/v1/messages") is not None


def _live(variables: Mapping[str, str], upstream: Upstream) -> dict[str, str]:
    return {n: upstream.url if value == "live" else value for n, value in variables.items()}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "exported",
    [
        {"NO_PROXY": "127.0.0.1"},
        {"NO_PROXY": "127.0.0.1:{port}"},
        {"NO_PROXY": "127.0.0.1:1"},
        {"NO_PROXY": "127.0.0.0/8"},
        {"NO_PROXY": "x.test 127.0.0.1"},
        {"NO_PROXY": "127.*"},
        {"NO_PROXY": "127.0.0.1", "no_proxy": "x.test"},
        {"NO_PROXY": "127.0.0.1", "HTTP_PROXY": "127.0.0.1:1"},
        {"NO_PROXY": "127.0.0.1", "HTTP_PROXY": "localhost:1"},
    ],
    ids=str,
)
def test_what_goes_round_the_proxy(
    exported: dict[str, str], version: str, upstream: Upstream, home: Path, tmp_path: Path
) -> None:
    variables = {BASE: upstream.url, TOKEN: KEY, MODEL: "x", "CLAUDE_CODE_MAX_RETRIES": "0"}
    path = home / ".claude" / "settings.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"env": variables}), encoding="utf-8")
    told = {n: value.replace("{port}", str(upstream.port)) for n, value in exported.items()}
    own = environment(home, **{"HTTPS_PROXY": "", "HTTP_PROXY": _DEAD, **told})
    client = parts.client(version)
    subprocess.run(
        [str(client), "-p", "say hi"],
        env={**own, **QUIET},
        cwd=home,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    bin_ = tmp_path / "programs"
    bin_.mkdir()
    (bin_ / "claude").symlink_to(client)
    program = [sys.executable, "-m", "haha_config", "validate", "--select", "URL006"]
    said = subprocess.run(
        [*program, "--format", "json"],
        env={**own, "PATH": f"{bin_}:{own['PATH']}"},
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    assert ("URL006" in said) == (not upstream.asked())
