"""Answers as flags, as a TOML file and as one command line: the same names in all three."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from haha_config.core import providers as rows
from haha_config.core.draft import Draft
from haha_config.core.errors import HahaError, Usage
from haha_config.core.messages import msg
from haha_config.core.model import Upstream
from haha_config.core.record import dataclass, replace
from haha_config.io import profiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The flags of `init` by their long names (`-` is `_`), as they were typed."""

    provider: str | None = None
    via: str | None = None
    region: str | None = None
    base_url: str | None = None
    model: str | None = None
    slot: tuple[str, ...] = ()
    upstream: tuple[str, ...] = ()
    upstream_key_env: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    port: int | None = None
    traffic: str | None = None
    api_key_env: str | None = None
    write: str | None = None
    keys: str | None = None


def load(path: Path) -> Given:
    """The answers of a file. Raises what `profiles.load` and `parse` raise."""
    return parse(profiles.load(path), path)


def parse(data: Mapping[str, Any], path: Path) -> Given:
    """Answers by their long names.

    Raises Usage for a name that is no flag's, and for a value of the wrong kind.
    """
    known = {field.name.replace("_", "-"): field.name for field in fields(Given)}
    found: dict[str, Any] = {}
    for name, value in data.items():
        if name not in known:
            raise Usage(
                msg("{path}: there is no answer `{name}`", path=str(path), name=name),
                hints=rows.did_you_mean(name, known),
            )
        found[known[name]] = _typed(name, value, path)
    return Given(**found)


def _typed(name: str, value: object, path: Path) -> object:
    many = name in {"slot", "upstream", "upstream-key-env", "drop"}
    if many and isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    if name == "port" and isinstance(value, int) and not isinstance(value, bool):
        return value
    if not many and name != "port" and isinstance(value, str):
        return value
    raise Usage(msg("{path}: `{name}` has a value of the wrong kind", path=str(path), name=name))


def merged(flags: Given, file: Given) -> Given:
    """A flag wins over the file."""
    given = {name: value for name, value in asdict(flags).items() if value not in (None, ())}
    if flags.keys == "copy" and file.keys:
        given.pop("keys", None)
    return replace(file, **given)


def of(draft: Draft) -> Given:
    """What would have to be typed for this draft; never a key."""
    lone = draft.provider == "litellm" and draft.upstreams
    main = draft.slots.get("main")
    slots = tuple(f"{s}={m}" for s, m in draft.slots.items() if s != "main" and m != main)
    return Given(
        provider=draft.provider or None,
        via=draft.via,
        region=draft.region or None,
        base_url=draft.base_url or None,
        model=main,
        slot=slots,
        upstream=tuple(spec(u) for u in draft.upstreams) if lone else (),
        upstream_key_env=(),
        drop=draft.drop,
        port=draft.port,
        traffic=draft.traffic,
        keys="env" if draft.keep_env else None,
    )


def spec(upstream: Upstream) -> str:
    """`[NAME=]KEY:MODEL@URL`."""
    name = f"{upstream.name}=" if upstream.name != upstream.model else ""
    return f"{name}{upstream.provider}:{upstream.model}@{upstream.base_url}"


def save(path: Path, draft: Draft) -> None:
    """Write the answers as TOML; there is no secret in them.

    Raises HahaError where the file can't be written.
    """
    try:
        path.write_text(profiles.text(values(of(draft))), encoding="utf-8")
    except OSError as error:
        raise HahaError(
            msg("can't write {path}: {why}", path=str(path), why=error.strerror or "")
        ) from None


def values(given: Given) -> dict[str, Any]:
    """Answers as TOML has them: long names, only what was given."""
    return {
        name.replace("_", "-"): list(value) if isinstance(value, tuple) else value
        for name, value in asdict(given).items()
        if value not in (None, ())
    }


def command(draft: Draft) -> str:
    """The same set-up again as one command line; keys come from their variables."""
    import shlex

    words = ["haha-config", "init"]
    for name, value in asdict(of(draft)).items():
        flag = f"--{name.replace('_', '-')}"
        for one in value if isinstance(value, tuple) else (value,):
            if one is not None:
                words += [flag, str(one)]
    return shlex.join([*words, "--yes"])
