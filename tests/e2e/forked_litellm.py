"""Many starts of one LiteLLM, run by the Python that has it: jobs as JSON on stdin, one a line.

LiteLLM is imported once and each job is a fork of that, so that a start takes a quarter of a
second and not six. The fork goes through LiteLLM's own command line to where it would hand its
application to uvicorn. There the application is started and asked without a socket.
A job is `{name, folder, environment, key, models}`; the answer `{name, started, offered, status,
said}`, with the status of one request for each model.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import litellm.proxy.proxy_cli
import litellm.proxy.proxy_server
import uvicorn

AT_ONCE = 2
SECONDS = 180
#: What decides where LiteLLM sends a request: effort and tools, as the client has them.
AS_THE_CLIENT = {
    "max_tokens": 32000,
    "messages": [{"role": "user", "content": "say hi"}],
    "thinking": {"type": "adaptive"},
    "output_config": {"effort": "high"},
    "tools": [
        {
            "name": "Bash",
            "description": "Run a command.",
            "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}},
        }
    ],
}


def child(job: dict[str, Any], answer: int) -> None:
    """One start, in a process of its own."""
    folder = Path(job["folder"])
    os.environ.update(job["environment"])
    os.chdir(folder)
    log = os.open(folder / "litellm.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)

    def serve(*_arguments: Any, **_options: Any) -> None:
        found = asyncio.run(serving(job))
        os.write(answer, json.dumps(found).encode())

    uvicorn.run = serve
    config = str(folder / "litellm_config.yaml")
    command = ["--config", config, "--host", "127.0.0.1", "--port", job["environment"]["PORT"]]
    try:
        litellm.proxy.proxy_cli.run_server.main(command, standalone_mode=False)
    except BaseException as error:
        print(f"\nended with {type(error).__name__}: {error}", flush=True)


async def serving(job: dict[str, Any]) -> dict[str, Any]:
    """What the started application offers and answers."""
    app = litellm.proxy.proxy_server.app
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        headers = {
            "authorization": f"Bearer {job['key']}",
            "anthropic-version": "2023-06-01",
            "user-agent": job.get("client", "claude-cli/2.1.332 (external, cli)"),
        }
        async with httpx.AsyncClient(
            transport=transport, base_url="http://gateway", headers=headers, timeout=SECONDS
        ) as client:
            listed = await client.get("/v1/models", headers={"user-agent": "curl"})
            rows = listed.json().get("data", []) if listed.status_code == 200 else []
            answers = await asyncio.gather(*(ask(client, model) for model in job["models"]))
            return {
                "name": job["name"],
                "started": True,
                "offered": [row["id"] for row in rows],
                "status": dict(answers),
            }


async def ask(client: httpx.AsyncClient, model: str) -> tuple[str, list[Any]]:
    body = {"model": model, **AS_THE_CLIENT}
    try:
        answer = await client.post("/v1/messages?beta=true", json=body)
    except httpx.HTTPError as error:
        return model, [0, str(error)]
    return model, [answer.status_code, answer.text[:300]]


def result(job: dict[str, Any], read: int) -> dict[str, Any]:
    """The child's answer; where it gave none, the end of its log."""
    text = b""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and select.select([read], [], [], SECONDS)[0]:
        part = os.read(read, 65536)
        if not part:
            break
        text += part
    os.close(read)
    if text:
        found: dict[str, Any] = json.loads(text)
        return found
    log = (Path(job["folder"]) / "litellm.log").read_text(encoding="utf-8", errors="replace")
    return {"name": job["name"], "started": False, "said": log[-4000:]}


def main() -> None:
    jobs = [json.loads(line) for line in sys.stdin if line.strip()]
    running: list[tuple[dict[str, Any], int, int]] = []

    def collect() -> None:
        job, pid, read = running.pop(0)
        found = result(job, read)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 9)
        os.waitpid(pid, 0)
        print(json.dumps(found), file=sys.__stdout__, flush=True)

    for job in jobs:
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            child(job, write)
            os._exit(0)
        os.close(write)
        running.append((job, pid, read))
        if len(running) >= AT_ONCE:
            collect()
    while running:
        collect()


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr), tempfile.TemporaryDirectory():
        main()
