"""Which credentials go out: the real clients' headers, and the probe's for the same files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e import behaviours as act
from tests.e2e import truth
from tests.e2e.processes import QUIET, ask_client, environment
from tests.e2e.upstream import Upstream
from tests.e2e.wire import Behaviour, Request

TOKEN, KEY, HELPER, LOGIN, LINE = (
    "sk-token-0001",
    "sk-key-0002",
    "sk-helper-3",
    "sk-login-4",
    "sk-5",
)
#: What a letter stands for, as it is put into the files.
SETS = {"T": "ANTHROPIC_AUTH_TOKEN", "K": "ANTHROPIC_API_KEY", "L": "ANTHROPIC_CUSTOM_HEADERS"}

#: The credentials that are there, and what goes out as the Bearer and as `x-api-key`.
CASES: dict[str, tuple[str | None, str | None]] = {
    "T": (TOKEN, None),
    "TK": (TOKEN, KEY),
    "TH": (TOKEN, HELPER),
    "TP": (TOKEN, LOGIN),
    "THP": (TOKEN, HELPER),
    "TKHP": (TOKEN, KEY),
    "THL": (TOKEN, LINE),
    "TKPL": (TOKEN, LINE),
    "K": (None, KEY),
    "KH": (HELPER, KEY),
    "KHL": (HELPER, LINE),
    "H": (HELPER, HELPER),
    "HPL": (HELPER, LINE),
}


def configure(home: Path, url: str, held: str) -> None:
    values = {"T": TOKEN, "K": KEY, "L": f"X-Team: a\nX-API-Key: {LINE}"}
    env = {SETS[letter]: values[letter] for letter in held if letter in SETS}
    settings = {
        "env": {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_MODEL": "test-model", **env},
        **({"apiKeyHelper": f"echo {HELPER}"} if "H" in held else {}),
    }
    (home / ".claude").mkdir(parents=True)
    (home / ".claude" / "settings.json").write_text(json.dumps(settings))
    if "P" in held:
        (home / ".claude.json").write_text(json.dumps({"primaryApiKey": LOGIN}))


#: Each on one of the clients: all of them were measured on both and found alike.
@pytest.mark.parametrize(
    ("held", "version"), list(zip(CASES, truth.CLIENTS * len(CASES), strict=False))
)
def test_the_probe_sends_what_the_clients_send(tmp_path: Path, held: str, version: str) -> None:
    home, work = tmp_path / "home", tmp_path / "work"
    work.mkdir()
    bearer, key = CASES[held]
    with Upstream() as upstream:
        configure(home, upstream.url, held)
        early: list[tuple[str | None, str | None]] = []

        def too_early(request: Request) -> Behaviour | None:
            """Beside a token 2.1.197 does not wait for the helper: its next turn has it."""
            if HELPER not in (bearer, key) or not request.tools or HELPER in request.credential:
                return None
            early.append(request.credential)
            return act.uses_tools() if len(early) < 4 else None

        upstream.behave = too_early
        ask_client(version, home=home, cwd=work, env=QUIET)
        sent = {r.credential for r in upstream.asked("anthropic") if r.tools}
        assert sent - set(early) == {(bearer, key)}
        assert set(early) <= {(bearer, None)}
        upstream.clear()
        subprocess.run(
            [sys.executable, "-m", "haha_config", "probe", "--small"],
            cwd=work,
            env=environment(home),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        asked = upstream.asked("anthropic", "count")
        assert {r.credential[0] for r in asked} == {bearer}
        if key != LOGIN:
            assert {r.credential[1] for r in asked} == {key}
        else:
            # In its place goes a key that is none: nobody is given the client's login.
            assert not {r.credential[1] for r in asked} & {None, LOGIN}
