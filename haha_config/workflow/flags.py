"""Answers as flags, as a TOML file and as one command line: the same names in all three."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, replace

from haha_config.core.errors import Usage, unwritten
from haha_config.core.messages import msg
from haha_config.core.providers.decode import Misshapen, decode
from haha_config.core.providers.model import Providers, Upstream
from haha_config.core.setup.draft import Draft
from haha_config.io import profile_files


class InitFlags(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename=lambda name: name.replace("_", "-"),
):
    """The flags of `init` by their long names (`-` is `_`), as they were typed."""

    provider: str | None = None
    via: str | None = None
    region: str | None = None
    base_url: str | None = None
    model: str | None = None
    slot: tuple[str, ...] = ()
    upstream: tuple[str, ...] = ()
    upstream_key_env: tuple[str, ...] = ()
    fallback: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    port: int | None = None
    context: int | None = None
    traffic: str | None = None
    permissions: str | None = None
    deny_web_search: bool | None = None
    api_key_env: str | None = None
    write: str | None = None
    keys: str | None = None


def parse(data: Mapping[str, Any], path: Path) -> InitFlags:
    """Answers by their long names.

    Raises Usage for a name that is no flag's, and for a value of the wrong kind.
    """
    try:
        return decode(data, InitFlags)
    except Misshapen as wrong:
        said = msg("{path}: {what}", path=str(path), what=wrong.what)
        raise Usage(said, hints=wrong.hints) from None


def merged(flags: InitFlags, file: InitFlags) -> InitFlags:
    """A flag wins over the file."""
    given = {name: value for name, value in asdict(flags).items() if value not in (None, ())}
    return replace(file, **given)


def of(draft: Draft, providers: Providers) -> InitFlags:
    """What would have to be typed for this draft; never a key."""
    lone = draft.provider == "litellm" and draft.upstreams
    main = draft.slots.get("main")
    slots = tuple(f"{s}={m}" for s, m in draft.slots.items() if s != "main" and m != main)
    return InitFlags(
        provider=draft.provider or None,
        via=draft.via,
        region=draft.region or None,
        base_url=draft.base_url or None,
        model=main,
        slot=slots,
        upstream=tuple(spec(u) for u in draft.upstreams) if lone else (),
        upstream_key_env=unusual(draft.upstreams, providers) if lone else (),
        fallback=tuple(
            f"{model}{'=' if model else ''}{','.join(n)}" for model, n in draft.fallbacks.items()
        ),
        drop=draft.drop,
        port=draft.port,
        context=draft.context,
        traffic=draft.traffic,
        permissions=draft.permissions,
        deny_web_search=draft.deny_web_search or None,
        keys="env" if draft.keep_env else None,
    )


def unusual(upstreams: Sequence[Upstream], providers: Providers) -> tuple[str, ...]:
    """`NAME=VAR` where a model's key is not in the variable that its provider's row names alone."""
    return tuple(
        f"{u.name}={','.join(u.variables)}"
        for u in upstreams
        if u.variable and u.variables != (providers[u.provider].credential.variable,)
    )


def spec(upstream: Upstream) -> str:
    """`[NAME=]KEY:MODEL@URL`."""
    name = f"{upstream.name}=" if upstream.name != upstream.model else ""
    return f"{name}{upstream.provider}:{upstream.model}@{upstream.base_url}"


def save(path: Path, given: InitFlags) -> None:
    """Write the answers as TOML; there is no secret in them.

    Raises HahaError where the file can't be written.
    """
    try:
        path.write_text(profile_files.text(values(given)), encoding="utf-8")
    except OSError as error:
        raise unwritten(path, error) from None


def check_saving(path: Path) -> None:
    """Raises HahaError where `save` would; nothing is written."""
    import errno
    import os

    problem = None
    if path.is_dir():
        problem = errno.EISDIR
    elif path.is_symlink():
        # A clone's link would lead the answers into any file of yours.
        problem = errno.ELOOP
    elif path.exists() and not path.is_file():
        problem = errno.EINVAL
    elif not path.parent.is_dir():
        problem = errno.ENOENT
    elif not os.access(path if path.exists() else path.parent, os.W_OK):
        problem = errno.EACCES
    if problem is not None:
        raise unwritten(path, OSError(problem, os.strerror(problem)))


def values(given: InitFlags) -> dict[str, Any]:
    """Answers as TOML has them: long names, only what was given."""
    return {
        name.replace("_", "-"): list(value) if isinstance(value, tuple) else value
        for name, value in asdict(given).items()
        if value not in (None, ())
    }


def command(given: InitFlags, more: Sequence[str] = ()) -> str:
    """The same set-up again as one command line; keys come from their variables."""
    import shlex

    words = ["haha-config", "init"]
    for name, value in asdict(given).items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(flag if value else f"--no{flag[1:]}")
            continue
        for one in value if isinstance(value, tuple) else (value,):
            if one is not None:
                words += [flag, str(one)]
    return shlex.join([*words, *more, "--yes"])
