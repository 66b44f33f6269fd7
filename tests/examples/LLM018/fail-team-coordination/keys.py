"""Who may ask: LiteLLM's `custom_auth` hook over keys.json, one JSON object:

    {"SHA-256 OF A KEY": {"person": "ann", "models": ["gpt-6-luna"],
                          "rpm": 60, "tpm": 400000, "expires": "2027-01-31T00:00:00+00:00"}}

`rpm`, `tpm`, `expires` may be left out. Limits are the person's: two keys share them. The file is
replaced by a rename (people.py does). A broken one is logged; the last good one stays in force.
"""

import hashlib
import hmac
import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path

from fastapi import HTTPException, Request
from litellm.proxy._types import UserAPIKeyAuth

FILE = Path(os.environ.get("TEAM_KEYS") or Path(__file__).with_name("keys.json"))
LOG = logging.getLogger("LiteLLM Proxy")
_seen, _people = None, {}


def _parse(text: str) -> dict[str, UserAPIKeyAuth]:
    people = {}
    for digest, entry in json.loads(text).items():
        if len(digest) != 64 or not entry["models"] or not entry["person"]:
            raise ValueError("an entry without SHA-256, person or models")
        expires = entry.get("expires")
        people[digest] = UserAPIKeyAuth(
            api_key=digest, user_id=entry["person"], key_alias=entry["person"],
            models=entry["models"],
            user_rpm_limit=entry.get("rpm"), user_tpm_limit=entry.get("tpm"),
            expires=datetime.fromisoformat(expires).astimezone(UTC) if expires else None,
        )  # fmt: skip
    return people


def _current() -> dict[str, UserAPIKeyAuth]:
    global _seen, _people
    try:
        now = FILE.stat()
        if (mark := (now.st_mtime_ns, now.st_ino, now.st_size)) != _seen:
            _seen = mark
            _people = _parse(FILE.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as wrong:
        LOG.error("%s is not taken, the last good one stays in force: %s", FILE, wrong)
    return _people


async def check(_request: Request, api_key: str) -> UserAPIKeyAuth:
    digest = hashlib.sha256(api_key.encode()).hexdigest()
    found = [who for known, who in _current().items() if hmac.compare_digest(known, digest)]
    if not found:
        raise HTTPException(401, "This key is unknown to the gateway, or was revoked.")
    if found[0].expires and found[0].expires < datetime.now(UTC):
        raise HTTPException(401, "This key has expired.")
    return found[0].model_copy()
