"""What the scenario tests share: homes to throw away, an upstream, a gateway, the readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e import parts
from tests.e2e.processes import Gateway, python_dotenv_reads
from tests.e2e.upstream import Upstream

StartGateway = Callable[..., Gateway]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips",
        action="store_true",
        help="a skipped end-to-end test fails the run: a missing part is not a pass",
    )


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not session.config.getoption("--no-skips"):
        return
    skipped = len(reporter.stats.get("skipped", []))
    if skipped and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.ensure_newline()
        reporter.write_line(f"{skipped} skipped under --no-skips: this run fails", red=True)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """An empty folder to work in, outside the home and outside any git work tree."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """A fresh upstream for this test."""
    with Upstream() as running:
        yield running


@pytest.fixture(params=[parts.OLDEST, parts.NEWEST])
def version(request: pytest.FixtureRequest) -> str:
    """Each pinned version of the client in turn."""
    return str(request.param)


@pytest.fixture(scope="session")
def gateways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartGateway]:
    """Starts gateways that live until the run ends. LiteLLM needs 12 to 36 s: share them."""
    started: list[Gateway] = []

    def start(
        folder: Path,
        env: Mapping[str, str] | None = None,
        *,
        wait: bool = True,
    ) -> Gateway:
        """From `folder`/litellm_config.yaml, with `env` or what `folder`/litellm.env says."""
        home = tmp_path_factory.mktemp("gateway-home")
        told = env if env is not None else python_dotenv_reads(folder / "litellm.env", home)
        gateway = Gateway(folder, home, told)
        started.append(gateway)
        if wait:
            gateway.wait_until_up()
        return gateway

    yield start
    for gateway in started:
        gateway.stop()


@pytest.fixture
def gateway(gateways: StartGateway) -> Iterator[StartGateway]:
    """As `gateways`, but each one ends with its test."""
    mine: list[Gateway] = []

    def start(folder: Path, env: Mapping[str, str] | None = None, *, wait: bool = True) -> Gateway:
        mine.append(gateways(folder, env, wait=wait))
        return mine[-1]

    yield start
    for running in mine:
        running.stop()
