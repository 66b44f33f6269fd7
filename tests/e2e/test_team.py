"""The drill of examples/team: what breaks in a team's gateway, while everybody works.

`python -m tests.e2e.test_team` runs it and writes the figures into docs/team.md.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e import behaviours as act
from tests.e2e import parts
from tests.e2e.processes import environment
from tests.e2e.team import (
    MASTER,
    PROVIDER_KEYS,
    Count,
    Gateway,
    Real,
    Simulated,
    first_request,
)
from tests.e2e.upstream import Upstream
from tests.e2e.wire import Behaviour, Request

SIMULATED, DRILL_SECONDS, LIMIT = 20, 120, 10
#: Of the people, those at work in the same minute, and what each then asks.
WORKING, TURNS_A_MINUTE = 0.3, 6
PAGE = parts.ROOT / "docs" / "team.md"


class Drill:
    """The gateway, its clients at work, and what was measured."""

    def __init__(self, folder: Path, upstream: Upstream) -> None:
        self.folder, self.upstream = folder, upstream
        self.gateway = Gateway(folder / "gateway", upstream.url)
        self.count, self.real_count = Count(), Count()
        self.seen: set[str] = set()
        self.figures: dict[str, Any] = {}
        self._old: tuple[str, ...] = ()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def watch(self, request: Request) -> Behaviour | None:
        """The upstream's side: which keys come, and no list that grows for ever."""
        self.seen |= {key for key in request.credential if key}
        if request.number > 200:
            self.upstream.clear()
        return act.answer(first_token_after=0.2) if request.dialect == "responses" else None

    def start_clients(self) -> None:
        self.captured = first_request(parts.NEWEST, self.folder / "captured")
        self.figures["request_kb"] = round(len(self.captured.raw) / 1000)
        for number in range(SIMULATED):
            name = f"simulated-{number}"
            key_file = self._key_file(name)
            client = Simulated(
                name, self.gateway.port, key_file, self.captured, self.count, pause=1.5
            )
            self._threads.append(threading.Thread(target=client.run, args=(self._stop,)))
        for number, version in enumerate((parts.OLDEST, parts.NEWEST) * 2):
            home = self.folder / f"real-{number}"
            key_file = self._key_file(home.name)
            real = Real(version, home, self.gateway.url, key_file, self.real_count)
            self._threads.append(threading.Thread(target=real.run, args=(self._stop,)))
        for thread in self._threads:
            thread.start()

    def _key_file(self, name: str) -> Path:
        path = self.folder / "keys" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(self.gateway.people("add", name, "--models", "gpt-6-luna,deepseek-flash"))
        return path

    def stop_clients(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(150)

    def more(self, turns: int = 40) -> None:
        """Wait until everybody together has had so many turns more, the real clients four."""
        until, real = self.count.turns + turns, self.real_count.turns + 4

        def enough() -> bool:
            return self.count.turns >= until and self.real_count.turns >= real

        self.gateway.wait(lambda: enough() or bool(self.failed()), 400)
        assert not self.failed()

    def failed(self) -> list[str]:
        return self.count.failed + self.real_count.failed

    def kill_a_replica(self) -> None:
        port = self.gateway.replicas[0]
        again = self.gateway.kill(f"litellm-{port}")
        self.more()
        self.gateway.wait(again, 30)
        started = time.monotonic()
        self.gateway.wait(lambda: self.gateway.ready(port), 400)
        self.figures["replica_ready_s"] = round(time.monotonic() - started, 1)

    def kill_redis(self) -> None:
        again = self.gateway.kill("redis")
        self.more()
        self.gateway.wait(again, 30)
        self.more(20)

    def rotate_all(self) -> None:
        """New keys for everybody; the old ones end while sessions still hold them."""
        self._old = tuple(self.gateway.keys.values())
        ends = time.monotonic() + 15
        for path in sorted((self.folder / "keys").iterdir()):
            left = max(ends - time.monotonic(), 1)
            new = self.gateway.people("rotate", path.name, "--overlap", str(left / 3600))
            path.write_text(new)
        self.gateway.wait(lambda: "401" in self.count.again, 120)
        self.more()

    def revoke_one(self) -> None:
        key = self.gateway.people("add", "leaver", "--models", "gpt-6-luna")
        ports = self.gateway.replicas
        assert {self.gateway.ask(key, port)[0] for port in ports} == {200}
        started = time.monotonic()
        self.gateway.people("revoke", "leaver")
        self.gateway.wait(lambda: {self.gateway.ask(key, p)[0] for p in ports} == {401}, 30)
        self.figures["revoked_everywhere_s"] = round(time.monotonic() - started, 1)

    def cut_off_the_keys(self) -> None:
        """Half a keys.json: everybody goes on, and each replica's log says why."""
        path = self.gateway.folder / "keys.json"
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        key = self.gateway.keys["simulated-0"]
        for port in self.gateway.replicas:
            assert self.gateway.ask(key, port)[0] == 200
            log = (self.gateway.folder / f"litellm-{port}.log").read_text(encoding="utf-8")
            assert "the last good one stays in force" in log
        path.write_bytes(whole)

    def reach_a_limit(self) -> None:
        key = self.gateway.people("add", "busy", "--models", "gpt-6-luna", "--rpm", str(LIMIT))
        ports = self.gateway.replicas * LIMIT
        # All at once: a limit is for a minute, and a busy machine may need longer for them in turn.
        with ThreadPoolExecutor(len(ports)) as pool:
            answers = [answer for answer, _ in pool.map(partial(self.gateway.ask, key), ports)]
        assert set(answers) == {200, 429}
        self.figures["limit"] = f"{answers.count(200)} of {LIMIT}"
        assert abs(answers.count(200) - LIMIT) <= 1

    def a_colleague(self) -> None:
        """haha-config on a machine without the gateway's files: its one line, then what is said."""
        self.upstream.behave = lambda request: self.watch(request) and act.uses_tools()
        home = self.folder / "colleague"
        (home / "work").mkdir(parents=True)
        key = self.gateway.people("add", "colleague", "--models", "gpt-6-luna", "--rpm", "1000")

        def tool(*arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, "-m", "haha_config", *arguments],
                cwd=home / "work",
                env=environment(home),
                input=said,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )

        line = ("init", "--provider", "litellm", "--base-url", self.gateway.url, "--yes")
        done = tool(*line, "--model", "gpt-6-luna", "--api-key-stdin", said=key)
        assert done.returncode == 0, done.stdout + done.stderr
        assert not list(home.rglob("litellm_config.yaml")) + list(home.rglob("litellm.env"))
        assert "proxy" not in done.stdout + done.stderr
        checked = tool("validate")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert "LLM0" not in checked.stdout
        assert "will work" in tool("probe").stdout
        for change, words in (
            ({"models": ["deepseek-flash"]}, "does not allow `gpt-6-luna`"),
            ({"models": ["gpt-6-luna"], "rpm": 0}, "limit is reached: 0 requests a minute"),
            ({"expires": "2020-01-01T00:00:00+00:00"}, "has expired"),
            (None, "unknown to the gateway, or revoked"),
        ):
            self.gateway.change("colleague", change)
            said = tool("probe").stdout
            assert words in said, said
        assert key not in done.stdout + done.stderr + checked.stdout

    def measure(self) -> None:
        """One replica with answers in three pieces, then in 500."""
        self.figures["one_replica"] = {
            "short answers": self._one_replica("answer from a model in short"),
            "answers of 500 words": self._one_replica("word\n" * 500),
        }
        sizes = [psutil.Process(self.gateway.pid(f"litellm-{p}")) for p in self.gateway.replicas]
        self.figures["mb_a_replica"] = round(max(p.memory_info().rss for p in sizes) / 2**20)
        self.figures["mb_haproxy"] = round(
            psutil.Process(self.gateway.pid("haproxy")).memory_info().rss / 2**20
        )

    def _one_replica(self, text: str) -> dict[str, float]:
        """What one replica answers to eight clients that do not pause, and its own seconds."""
        self.upstream.behave = lambda request: self.watch(request) and act.answer(text)
        port = self.gateway.replicas[0]
        process = psutil.Process(self.gateway.pid(f"litellm-{port}"))
        count, stop = Count(), threading.Event()
        key_file = sorted((self.folder / "keys").iterdir())[0]
        clients = [Simulated(f"c{n}", port, key_file, self.captured, count, 0) for n in range(8)]
        threads = [threading.Thread(target=client.run, args=(stop,)) for client in clients]
        for thread in threads:
            thread.start()
        self.gateway.wait(lambda: count.turns > 16, 60)
        turns, used, started = count.turns, sum(process.cpu_times()[:2]), time.monotonic()
        stop.wait(10)
        took = time.monotonic() - started
        turns = count.turns - turns
        used = sum(process.cpu_times()[:2]) - used
        stop.set()
        for thread in threads:
            thread.join()
        return {"turns_a_second": round(turns / took, 1), "cpu_ms": round(used / turns * 1000)}

    def leaks(self) -> list[str]:
        """Files, beside those that are there to hold them, and arguments with a key in them."""
        secret = [*PROVIDER_KEYS.values(), MASTER, *self.gateway.keys.values(), *self._old]
        holders = {self.gateway.folder / "litellm.env", *(self.folder / "keys").iterdir()}
        files = [p for p in self.folder.rglob("*") if p.is_file() and p not in holders]
        found = [
            str(path) for path in files if any(key.encode() in path.read_bytes() for key in secret)
        ]
        return found + [
            f"{process.name()}: argv"
            for process in psutil.Process().children(recursive=True)
            if any(key in " ".join(process.cmdline()) for key in secret)
        ]

    def run(self) -> None:
        started = time.monotonic()
        self.start_clients()
        self.more()
        self.reach_a_limit()
        self.cut_off_the_keys()
        self.kill_a_replica()
        self.rotate_all()
        self.revoke_one()
        self.kill_redis()
        self.gateway.wait(lambda: time.monotonic() - started > DRILL_SECONDS, DRILL_SECONDS)
        leaks = self.leaks()
        self.stop_clients()
        self.figures |= {
            "seconds": round(time.monotonic() - started),
            "turns": self.count.turns,
            "real_turns": self.real_count.turns,
            "failed": len(self.failed()),
            "sent_again_by_clients": dict(sorted(self.count.again.items())),
            "median_s": round(statistics.median(self.count.seconds), 2),
            "slowest_s": round(max(self.count.seconds), 1),
        }
        assert self.failed() == []
        assert leaks == []
        assert self.seen <= set(PROVIDER_KEYS.values())


def drill(folder: Path) -> Drill:
    with Upstream(models=("gpt-6-luna", "deepseek-flash"), responses=True) as upstream:
        done = Drill(folder, upstream)
        upstream.behave = done.watch
        with done.gateway:
            try:
                done.run()
            finally:
                done.stop_clients()
            done.a_colleague()
            done.measure()
        return done


@pytest.mark.skipif(sys.platform != "linux", reason="Debian's HAProxy and Redis")
def test_nobody_loses_a_turn(tmp_path: Path) -> None:
    done = drill(tmp_path)
    assert done.figures["failed"] == 0
    assert done.figures["revoked_everywhere_s"] <= 5


def table(figures: Mapping[str, Any]) -> str:
    """The figures as docs/team.md shows them, with what they mean for 50 and 500 people."""
    short, long = figures["one_replica"].values()
    rows = {
        "when, and where": f"{figures['date']}; {figures['machine']}",
        "people": f"{SIMULATED} simulated, 4 real clients (2.1.197 and 2.1.332), "
        f"{figures['seconds']} s; requests of {figures['request_kb']} KB",
        "turns": f"{figures['turns']} simulated, {figures['real_turns']} of the real clients",
        "**failed turns**": f"**{figures['failed']}**",
        "requests that a client had to send again": ", ".join(
            f"{count} × {why}" for why, count in figures["sent_again_by_clients"].items()
        )
        + " (401: the old key had ended, and its helper had the new one; IncompleteRead: an answer"
        " that was being written when its replica was killed)",
        "a revoked key is refused by both replicas after": f"{figures['revoked_everywhere_s']} s",
        f"let through at a limit of {LIMIT} a minute, {2 * LIMIT} at once over both replicas": str(
            figures["limit"]
        ),
        "a replica is ready again after": f"{figures['replica_ready_s']} s",
        "memory": f"{figures['mb_a_replica']} MB a replica, HAProxy {figures['mb_haproxy']} MB",
        "one replica alone, short answers": f"{short['turns_a_second']} turns a second,"
        f" {short['cpu_ms']} ms of a core a turn",
        "one replica alone, answers of 500 words, one at a time": (
            f"{long['turns_a_second']} turns a second, {long['cpu_ms']} ms of a core a turn"
        ),
    }
    lines = ["| | measured |", "|---|---|", *(f"| {what} | {how} |" for what, how in rows.items())]
    a_core = 1000 / long["cpu_ms"]
    lines += [
        "",
        f"A core carries 1000 / {long['cpu_ms']} = {a_core:.1f} turns of 500 words a second.",
        "",
    ]
    lines += [
        "| people | turns a second | cores for that | replicas | memory |",
        "|---|---|---|---|---|",
    ]
    for people in (50, 500):
        turns = people * WORKING * TURNS_A_MINUTE / 60
        cores = turns / a_core
        replicas = max(2, math.ceil(cores / 0.7) + 1)
        memory = replicas * figures["mb_a_replica"] / 1000
        lines.append(f"| {people} | {turns:.1f} | {cores:.1f} | {replicas} | {memory:.1f} GB |")
    return "\n".join(lines)


def main() -> None:
    """Run the drill and write its figures into the page."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        figures: dict[str, Any] = drill(Path(folder)).figures
    figures["date"] = datetime.now(UTC).date().isoformat()
    figures["machine"] = (
        f"{os.cpu_count()} cores shared with other work (load {load:.0f} before), "
        f"LiteLLM {parts.LITELLM}, Debian's HAProxy and Redis"
    )
    print(json.dumps(figures, indent=1))
    page = PAGE.read_text(encoding="utf-8")
    start, end = "<!-- figures: python -m tests.e2e.test_team -->\n", "\n<!-- end of figures -->"
    before, rest = page.split(start)
    PAGE.write_text(f"{before}{start}{table(figures)}{end}{rest.split(end)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
