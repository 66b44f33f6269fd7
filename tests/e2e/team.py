"""The gateway of examples/team as its try.py starts it, and clients that never stop asking."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import psutil

from tests.e2e import parts
from tests.e2e.processes import QUIET, environment, fetch, free_port
from tests.e2e.upstream import Upstream
from tests.e2e.wire import Request

HOST = parts.ROOT / "examples" / "team" / "host"
#: Each begins as a key does, so that LiteLLM treats it as one.
PROVIDER_KEYS = {
    "OPENAI_API_KEY": "sk-drill-openai-0f6c2b7719",
    "DEEPSEEK_API_KEY": "sk-drill-deepseek-4be1908d",
}
MASTER = "sk-drill-master-" + "6b92c43f" * 5
MODEL = "gpt-6-luna"


class Gateway:
    """Two LiteLLM, Redis and HAProxy, kept running by try.py in `folder` until the block ends."""

    def __init__(self, folder: Path, upstream: str) -> None:
        shutil.copytree(HOST, folder)
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        config = folder / "litellm_config.yaml"
        text = config.read_text(encoding="utf-8")
        text = text.replace("https://api.openai.com", upstream)
        text = text.replace("https://api.deepseek.com", upstream)
        assert "https:" not in text
        config.write_text(text, encoding="utf-8")
        env = {**PROVIDER_KEYS, "LITELLM_MASTER_KEY": MASTER, "LITELLM_MODE": "PRODUCTION"}
        lines = "".join(f"{name}={value}\n" for name, value in env.items())
        (folder / "litellm.env").write_text(lines, encoding="utf-8")
        self.keys: dict[str, str] = {}

    def __enter__(self) -> Gateway:
        tools = (parts.unpacked("haproxy"), parts.unpacked("redis-server"), parts.litellm())
        own = environment(self.folder)
        path = os.pathsep.join([*(str(tool.parent) for tool in tools), own["PATH"]])
        # Ten seconds without what was killed are long enough for every client to notice.
        command = [sys.executable, "try.py", "--port", str(self.port), "--again-after", "10"]
        with (self.folder / "try.log").open("wb") as log:
            self._try = subprocess.Popen(
                command, cwd=self.folder, env={**own, "PATH": path}, stdout=log, stderr=log
            )
        self.wait(lambda: "ready:" in self.said, 240)
        self.wait(lambda: all(self.ready(port) for port in self.replicas), 120)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._try.terminate()
        try:
            self._try.wait(40)
        except subprocess.TimeoutExpired:
            for left in psutil.Process(self._try.pid).children():
                left.kill()
            self._try.kill()
            self._try.wait()

    def wait(self, fits: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not fits():
            if self._try.poll() is not None or time.monotonic() > deadline:
                logs = sorted(self.folder.glob("*.log"))
                tails = (f"{log.name}:\n{log.read_text()[-1500:]}" for log in logs)
                raise TimeoutError("\n".join(tails))
            time.sleep(0.1)

    @property
    def said(self) -> str:
        return (self.folder / "try.log").read_text(encoding="utf-8")

    @property
    def replicas(self) -> list[int]:
        """Their ports."""
        return sorted({int(port) for port in re.findall(r"litellm-(\d+): pid", self.said)})

    def pid(self, name: str) -> int:
        """The one that runs now, or ran last."""
        return int(re.findall(rf"^{name}: pid (\d+)$", self.said, re.MULTILINE)[-1])

    def processes(self) -> list[psutil.Process]:
        return psutil.Process(self._try.pid).children(recursive=True)

    def kill(self, name: str) -> Callable[[], bool]:
        """As `kill -9` does. What comes back says whether another one has been started."""
        pid = self.pid(name)
        psutil.Process(pid).kill()
        return lambda: self.pid(name) != pid

    def ready(self, port: int) -> bool:
        return fetch(f"http://127.0.0.1:{port}/health/readiness", timeout=20)[0] == 200

    def people(self, *arguments: str) -> str:
        """people.py, as the operator runs it; a new key is kept in `keys` and handed back."""
        command = [sys.executable, str(self.folder / "people.py"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        if arguments[0] in ("add", "rotate"):
            self.keys[arguments[1]] = done.stdout.strip()
        return done.stdout.strip()

    def change(self, person: str, change: Mapping[str, object] | None) -> None:
        """Other words for a person in keys.json, or none: as an editor that renames would write."""
        path = self.folder / "keys.json"
        people = json.loads(path.read_text(encoding="utf-8"))
        (digest,) = (d for d, entry in people.items() if entry["person"] == person)
        entry = people.pop(digest)
        if change is not None:
            people[digest] = entry | change
        new = path.with_suffix(".edited")
        new.write_text(json.dumps(people), encoding="utf-8")
        new.replace(path)

    def ask(self, key: str, port: int | None = None, model: str = MODEL) -> tuple[int, str]:
        """One short question; `port` is a replica's own, None the front door."""
        body = {"model": model, "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}
        url = f"http://127.0.0.1:{port or self.port}/v1/messages"
        return fetch(url, headers={"authorization": f"Bearer {key}"}, body=body)


@dataclass(slots=True)
class Count:
    """What the clients saw so far."""

    turns: int = 0
    failed: list[str] = field(default_factory=list)
    again: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def turn(self, failure: str | None, seconds: float) -> None:
        with self.lock:
            self.turns += failure is None
            self.seconds.append(seconds)
            self.failed += [failure] if failure is not None else []

    def tried_again(self, why: str) -> None:
        with self.lock:
            self.again[why] = self.again.get(why, 0) + 1


@dataclass(slots=True)
class Simulated:
    """The first request of a real client, sent for ever, and sent again where a client does so.

    The client tries 401 (after its helper), 408, 409, 429, 5xx and broken answers up to ten times.
    """

    name: str
    port: int
    key_file: Path
    captured: Request
    count: Count
    pause: float
    key: str = ""

    def run(self, stop: threading.Event) -> None:
        self.key = self.key_file.read_text(encoding="utf-8").strip()
        while not stop.wait(self.pause):
            started = time.monotonic()
            failure = self._turn()
            self.count.turn(failure, time.monotonic() - started)

    def _turn(self) -> str | None:
        why = ""
        for attempt in range(11):
            why = self._ask()
            if not why:
                return None
            self.count.tried_again(why)
            if why == "401":
                self.key = self.key_file.read_text(encoding="utf-8").strip()
            elif why.isdigit() and int(why) < 500 and int(why) not in (408, 409, 429):
                break
            time.sleep(min(0.5 * 2**attempt, 8))
        return f"{self.name}: {why}"

    def _ask(self) -> str:
        """Nothing where a whole answer came, else why not."""
        own = {"authorization": f"Bearer {self.key}", "x-claude-code-session-id": self.name}
        kept = ("content-type", "anthropic-version", "anthropic-beta", "user-agent")
        headers = {name: self.captured.headers[name] for name in kept} | own
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        try:
            line.request("POST", "/v1/messages?beta=true", self.captured.raw, headers)
            answer = line.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as broken:
            return type(broken).__name__
        finally:
            line.close()
        if answer.status != 200:
            return str(answer.status)
        return "" if b"event: message_stop" in text else "broken stream"


def client_settings(gateway_url: str, key_file: Path) -> str:
    """A fleet's managed settings as they ship, with this gateway and this key."""
    text = (HOST.parent / "managed-settings.json").read_text(encoding="utf-8")
    text = text.replace("https://gateway.example.com", gateway_url)
    return text.replace("/usr/local/bin/gateway-key", f"cat {key_file}")


class Real:
    """A real client in one long session, asked again as soon as it has answered."""

    def __init__(self, version: str, home: Path, url: str, key_file: Path, count: Count) -> None:
        self.name, self.count = f"{home.name} ({version})", count
        (home / ".claude").mkdir(parents=True)
        (home / "work").mkdir()
        settings = client_settings(url, key_file)
        (home / ".claude" / "settings.json").write_text(settings, encoding="utf-8")
        stream = ("--input-format", "stream-json", "--output-format", "stream-json", "--verbose")
        self._errors = home / "stderr.log"
        with self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [str(parts.client(version)), "-p", *stream],
                cwd=home / "work",
                env={**environment(home), **QUIET},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def run(self, stop: threading.Event) -> None:
        # Leaving the block closes its input, which ends the client.
        with self.process:
            while not stop.wait(1):
                started = time.monotonic()
                failure = self._turn()
                self.count.turn(failure, time.monotonic() - started)
                if failure is not None:
                    break

    def _turn(self) -> str | None:
        assert self.process.stdin is not None
        said = {"type": "user", "message": {"role": "user", "content": "say hi"}}
        self.process.stdin.write(json.dumps(said) + "\n")
        self.process.stdin.flush()
        for event in self._events():
            if event.get("type") == "result":
                fine = event.get("subtype") == "success" and not event.get("is_error")
                return None if fine else f"{self.name}: {event.get('result')}"
        return f"{self.name} ended: {self._errors.read_text(encoding='utf-8')[-500:]}"

    def _events(self) -> Iterator[Mapping[str, object]]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                yield json.loads(line)


def first_request(version: str, home: Path) -> Request:
    """What a real client sends when it is asked something."""
    (home / ".claude").mkdir(parents=True)
    key_file = home / "key"
    key_file.write_text("sk-captured", encoding="utf-8")
    with Upstream(models=(MODEL,)) as upstream:
        settings = client_settings(upstream.url, key_file)
        (home / ".claude" / "settings.json").write_text(settings, encoding="utf-8")
        subprocess.run(
            [str(parts.client(version)), "-p", "say hi"],
            cwd=home,
            env={**environment(home), **QUIET},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            check=True,
        )
        return upstream.asked("anthropic")[-1]
