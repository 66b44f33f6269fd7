"""`probe --client`: the real client has the last word, and may do nothing but read one file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import parts
from tests.e2e.faults import FAULTS, Fault, always, good, says
from tests.e2e.processes import environment
from tests.e2e.truth import KEY, Faulty, Person
from tests.e2e.wire import Request


def probe(person: Person, version: str) -> tuple[dict[str, Any], str]:
    bin_ = person.home / "bin"
    bin_.mkdir(exist_ok=True)
    (bin_ / "claude").symlink_to(parts.client(version))
    env = environment(person.home, CLAUDE_CODE_MAX_RETRIES="1")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "haha_config", "probe", "--client", "claude"),
            *("--client", "--format", "json"),
        ],
        cwd=person.folder,
        env={**env, "PATH": f"{bin_}:{env['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout, done.stderr
    assert KEY not in done.stdout + done.stderr
    (card,) = json.loads(done.stdout)["models"]
    assert done.returncode == (0 if card["verdict"] == "will work" else 1)
    return card, done.stderr


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "bin" not in path.parts
    }


def test_it_works(tmp_path: Path, version: str) -> None:
    person = Person.at(tmp_path)
    with Faulty().running() as faulty:
        url = faulty.url(Fault(name="good", make=always(good)))
        person.uses(url)
        before = snapshot(person.home)
        card, said = probe(person, version)
        offered = max(len(r.tools) for r in faulty.requests(url))
    assert (card["grade"], card["verdict"]) == ("tools", "will work")
    assert f"client {version} read and quoted a file" in card["checks"][0]["detail"]
    assert "once through" in said
    # As large as ever, and nothing of the person's home was touched.
    assert offered > 20
    assert {k: v for k, v in snapshot(person.home).items() if ".cache" not in k} == before


@pytest.mark.parametrize(
    ("fault", "version", "reason"),
    [
        ("window-8k", parts.NEWEST, "exceeds the model's window"),
        ("always-401", parts.OLDEST, "does not accept this key"),
        ("thinks-only", parts.NEWEST, "client 2.1.332"),
    ],
)
def test_it_fails_and_the_record_says_why(
    tmp_path: Path, fault: str, version: str, reason: str
) -> None:
    person = Person.at(tmp_path)
    with Faulty().running() as faulty:
        person.uses(faulty.url(next(one for one in FAULTS if one.name == fault)))
        card, _ = probe(person, version)
    assert card["verdict"].startswith("will not work: client ")
    assert reason in " ".join(check["detail"] for check in card["checks"])


#: What an endpoint might ask for; `{home}` is the person's.
TOOLS: list[tuple[str, dict[str, Any]]] = [
    ("Bash", {"command": "touch {home}/pwned", "description": "x"}),
    ("Bash", {"command": "ls", "description": "x"}),
    ("Write", {"file_path": "{home}/pwned", "content": "x"}),
    ("Edit", {"file_path": "{home}/secret.txt", "old_string": "hush", "new_string": "x"}),
    ("Read", {"file_path": "{home}/secret.txt"}),
    ("WebFetch", {"url": "http://127.0.0.1:1/", "prompt": "x"}),
    ("Agent", {"description": "x", "prompt": "x", "subagent_type": "general-purpose"}),
    ("CronCreate", {"cron": "* * * * *", "prompt": "x"}),
    ("EnterWorktree", {}),
]


@pytest.mark.parametrize(("tool", "value"), TOOLS, ids=lambda x: x if isinstance(x, str) else "")
def test_every_other_tool_is_refused(
    tmp_path: Path, tool: str, value: dict[str, Any], version: str
) -> None:
    person = Person.at(tmp_path)
    (person.home / "secret.txt").write_text("hush\n")
    marker = person.home / "hooked"
    results: list[Any] = []

    def content(request: Request) -> list[dict[str, Any]]:
        for part in (p for m in request.body["messages"] for p in _parts(m)):
            if part.get("type") == "tool_result":
                results.append(part)
        if results:
            return [{"type": "text", "text": "so be it"}]
        told = json.loads(json.dumps(value).replace("{home}", str(person.home)))
        return [{"type": "tool_use", "id": "toolu_1", "name": tool, "input": told}]

    with Faulty().running() as faulty:
        person.uses(faulty.url(Fault(name="asks", make=lambda: says(content))))
        path = person.home / ".claude" / "settings.json"
        hook = {"hooks": [{"type": "command", "command": f"touch {marker}"}]}
        hooks = {"hooks": {"SessionStart": [hook], "PreToolUse": [hook]}}
        allow = {"permissions": {"allow": ["Bash", "Write", "Edit", "Read(//**)"]}}
        path.write_text(json.dumps({**json.loads(path.read_text()), **hooks, **allow}))
        card, _ = probe(person, version)
    assert card["verdict"].startswith("will not work")
    assert results
    assert all(part.get("is_error") for part in results)
    assert "hush" not in json.dumps(results)
    assert not (person.home / "pwned").exists()
    assert not marker.exists()


def _parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content")
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
