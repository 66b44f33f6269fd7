"""The whole gateway as plain processes on loopback, to try it: python3 try.py [--port 4000]

Wants haproxy, redis-server and litellm on PATH; litellm_config.yaml, keys.py and keys.json in this
folder; and litellm.env with the providers' keys. Redis gets a password for this run only. What
ends by itself is started again after a second, as systemd does. Ctrl-C ends all.
"""

import argparse
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def litellm_env() -> dict[str, str]:
    lines = (HERE / "litellm.env").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("'\"") for name, value in pairs}


class Part:
    """A program that is kept running; what it says goes to NAME.log."""

    def __init__(self, name: str, command: list[str], env: dict[str, str], said: str = "") -> None:
        self.name, self.command, self.env, self.said = name, command, env, said
        self.start()

    def start(self) -> None:
        with (HERE / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=HERE, env=self.env, stdin=subprocess.PIPE, stdout=log, stderr=log
            )
        if self.process.stdin:
            self.process.stdin.write(self.said.encode())
            self.process.stdin.close()
        print(f"{self.name}: pid {self.process.pid}", flush=True)


def start(port: int, minimal: dict[str, str]) -> list[Part]:
    redis, a, b = free_port(), free_port(), free_port()
    password = secrets.token_hex(24)
    # By standard input: an argument would show the password to everybody on this machine.
    conf = (HERE / "redis.conf").read_text(encoding="utf-8")
    conf += f"\nport {redis}\nrequirepass {password}\ndir {HERE}\n"
    told = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis), "REDIS_PASSWORD": password}
    parts = [Part("redis", ["redis-server", "-"], minimal, conf)]
    for each in (a, b):
        env = {**minimal, "LITELLM_LOCAL_MODEL_COST_MAP": "True", **litellm_env(), **told}
        command = ["litellm", "--config", str(HERE / "litellm_config.yaml")]
        command += ["--host", "127.0.0.1", "--port", str(each)]
        parts.append(Part(f"litellm-{each}", command, env))
    ports = {"GATEWAY_PORT": str(port)}
    ports |= {"REPLICA_A": f"127.0.0.1:{a}", "REPLICA_B": f"127.0.0.1:{b}"}
    parts.append(
        Part("haproxy", ["haproxy", "-f", str(HERE / "haproxy.cfg")], {**minimal, **ports})
    )
    return parts


def keep_running(parts: list[Part], port: int, again_after: float) -> None:
    ready = False
    ended: dict[str, float] = {}
    while True:
        time.sleep(0.5)
        for part in parts:
            if part.process.poll() is None:
                continue
            if time.monotonic() - ended.setdefault(part.name, time.monotonic()) >= again_after:
                print(f"{part.name} ended ({part.process.returncode}); again:", flush=True)
                del ended[part.name]
                part.start()
        if not ready and answers(port):
            ready = True
            print(f"ready: http://127.0.0.1:{port}", flush=True)


def answers(port: int) -> bool:
    straight = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with straight.open(f"http://127.0.0.1:{port}/health/readiness", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=4000)
    parser.add_argument("--again-after", type=float, default=1, help="seconds until a new start")
    told = parser.parse_args()
    missing = [name for name in ("redis-server", "haproxy", "litellm") if not shutil.which(name)]
    if missing:
        raise SystemExit(f"not on PATH: {', '.join(missing)}")
    names = ("PATH", "LANG", "LD_LIBRARY_PATH", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
    minimal = {name: os.environ[name] for name in names if name in os.environ}
    parts = start(told.port, {**minimal, "HOME": str(HERE)})
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    try:
        keep_running(parts, told.port, told.again_after)
    except KeyboardInterrupt:
        for part in reversed(parts):
            part.process.terminate()
        for part in parts:
            try:
                part.process.wait(10)
            except subprocess.TimeoutExpired:
                part.process.kill()


if __name__ == "__main__":
    main()
