"""Who may use the gateway: writes keys.json, which keys.py reads. Only Python, nothing to install.

    python3 people.py add ann --models gpt-6-luna,deepseek-flash --rpm 60 --tpm 400000 --days 90
    python3 people.py rotate ann --overlap 24     a new key; the old ones end in 24 hours
    python3 people.py revoke ann                  every key of ann, at once
    python3 people.py list                        who has how many keys, and until when

A new key is printed once, on stdout. The file holds its SHA-256, so that nobody can read it there.
"""

import argparse
import hashlib
import json
import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

FILE = Path(os.environ.get("TEAM_KEYS") or Path(__file__).with_name("keys.json"))


def read() -> dict[str, dict[str, object]]:
    people: dict[str, dict[str, object]] = {}
    if FILE.exists():
        people = json.loads(FILE.read_text(encoding="utf-8"))
    return people


def write(people: dict[str, dict[str, object]]) -> None:
    """By a rename: a replica never reads half a file. Mode and owner stay as they are."""
    new = FILE.with_suffix(".new")
    new.write_text(json.dumps(people, indent=1) + "\n", encoding="utf-8")
    if FILE.exists():
        old = FILE.stat()
        new.chmod(old.st_mode & 0o777)
        if os.geteuid() == 0:
            os.chown(new, old.st_uid, old.st_gid)
    new.replace(FILE)


def within(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat(timespec="seconds")


def new_key(people: dict[str, dict[str, object]], entry: dict[str, object]) -> None:
    key = f"sk-{secrets.token_urlsafe(32)}"
    people[hashlib.sha256(key.encode()).hexdigest()] = entry
    write(people)
    print(key)


def add(people: dict[str, dict[str, object]], told: argparse.Namespace) -> None:
    if any(entry["person"] == told.person for entry in people.values()):
        raise SystemExit(f"{told.person} has a key: rotate or revoke")
    entry = {"person": told.person, "models": told.models.split(",")}
    limits = {"rpm": told.rpm, "tpm": told.tpm, "expires": told.days and within(told.days * 24)}
    new_key(people, entry | {name: value for name, value in limits.items() if value})


def rotate(people: dict[str, dict[str, object]], told: argparse.Namespace) -> None:
    old = [entry for entry in people.values() if entry["person"] == told.person]
    if not old:
        raise SystemExit(f"{told.person} has no key")
    entry = dict(old[-1])
    end = within(told.overlap)
    for each in old:
        each["expires"] = min(str(each.get("expires", end)), end)
    new_key(people, entry)


def revoke(people: dict[str, dict[str, object]], told: argparse.Namespace) -> None:
    write({key: entry for key, entry in people.items() if entry["person"] != told.person})


def show(people: dict[str, dict[str, object]], _told: argparse.Namespace) -> None:
    for entry in sorted(people.values(), key=lambda entry: str(entry["person"])):
        print(entry["person"], ",".join(map(str, entry["models"])), entry.get("expires", ""))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, act in {"add": add, "rotate": rotate, "revoke": revoke, "list": show}.items():
        command = commands.add_parser(name)
        command.set_defaults(act=act)
        if name != "list":
            command.add_argument("person")
    commands.choices["add"].add_argument("--models", required=True, help="names, with commas")
    for limit in ("--rpm", "--tpm", "--days"):
        commands.choices["add"].add_argument(limit, type=int)
    commands.choices["rotate"].add_argument("--overlap", type=float, default=24, help="hours")
    told = parser.parse_args()
    told.act(read(), told)


if __name__ == "__main__":
    main()
