"""Where other tools' set-ups come from: their files, as entries. They are only read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from haha_config.core import variables as v
from haha_config.core.edit.formats import read
from haha_config.core.errors import HahaError, Refusal, Usage
from haha_config.core.imports import (
    STRANGE,
    ImportedSetup,
    cc_switch,
    ccs,
    litellm,
    named,
    router,
    shell,
)
from haha_config.core.messages import Message, msg
from haha_config.core.model import Place, mapping
from haha_config.core.providers.decode import did_you_mean
from haha_config.io import files, other_tools, report
from haha_config.workflow.session import Session

Sources = Iterator[ImportedSetup | HahaError]


def entries(session: Session, source: str) -> Sources:
    """What `all`, a tool or a file holds; an error stands for what can't be read.

    Raises Usage where `source` is none of them, HahaError where the file can't be read.
    """
    if source == "all" or source in TOOLS:
        for tool in TOOLS if source == "all" else (source,):
            yield from _careful(_READERS[tool](session))
    elif Path(source).expanduser().is_file():
        yield _behind(session, _from_file(Path(source).expanduser().absolute()))
    else:
        raise Usage(
            msg("no file or tool `{name}`: {known}", name=source, known=TOOLS),
            hints=did_you_mean(source, TOOLS),
        )


def _careful(found: Sources) -> Sources:
    """One that can't be read does not hide those after it."""
    try:
        yield from found
    except HahaError as error:
        yield error


def _warn(what: Message, path: Path | str) -> None:
    place = msg("{path}: {what}", path=report.short(str(path)), what=what)
    report.talk(msg("warning: {what}", what=place))


def _from_cc_switch(session: Session) -> Sources:
    found = other_tools.cc_switch(session.home)
    if found is None:
        return
    warning = cc_switch.newer(found.version, found.rows)
    if warning is not None:
        _warn(warning, found.path)
    yield from cc_switch.entries(found.rows or (), found.current, found.path)


def _from_ccs(session: Session) -> Sources:
    folder = other_tools.ccs_folder(session.environ, session.home)
    for name in ("config.yaml", "config.json"):
        path = folder / name
        if not path.is_file():
            continue
        data = _document(path, "yaml" if name.endswith("yaml") else "json")
        warning = ccs.newer(data)
        if warning is not None:
            _warn(warning, path)
        listed = ccs.listed(data)
        for profile, settings in listed.items():
            yield _ccs_entry(session, profile, settings, path)
        if listed:
            return


def _ccs_entry(session: Session, name: str, settings: str | Message, config: Path) -> ImportedSetup:
    """A profile of `config`; one whose file can't be read is skipped with the reason."""
    if isinstance(settings, Message):
        return ImportedSetup(
            source=ccs.SOURCE, name=name, place=Place(path=str(config)), skipped=settings
        )
    home = settings.replace("~", str(session.home), 1) if settings[:1] == "~" else settings
    path = config.parent / home
    own = path == session.client_folder / "settings.json"
    try:
        return ccs.entry(name, {} if own else _document(path, "json"), str(path), own=own)
    except HahaError as error:
        place = error.place or Place(path=str(path))
        return ImportedSetup(source=ccs.SOURCE, name=name, place=place, skipped=error.what)


def _from_router(session: Session) -> Sources:
    file = session.home / ".claude-code-router" / "config.json"
    files = (path for path in (file,) if path.is_file())
    yield from _careful(router.entry(_json5(path), str(path)) for path in files)
    database = other_tools.router_database(session.home)
    if database is None:
        return
    data, where = database
    if data is None:
        _warn(STRANGE, where)
    else:
        yield router.entry(data, where)


def _from_shells(session: Session) -> Sources:
    for path in (session.home / name for name in other_tools.START_FILES):
        if not path.is_file():
            continue
        try:
            entry = shell.entry(files.text(path), str(path), f"from-{named(path.name)}")
        except HahaError as error:
            yield error
            continue
        if entry is not None:
            yield entry


_READERS: Final[Mapping[str, Callable[[Session], Sources]]] = {
    "cc-switch": _from_cc_switch,
    "ccs": _from_ccs,
    "claude-code-router": _from_router,
    "shell": _from_shells,
}
TOOLS: Final = tuple(_READERS)


def _from_file(path: Path) -> ImportedSetup:
    """A file that a person names, by what is in it."""
    name, stem = path.name, named(path.stem) or "imported"
    if path.suffix == ".toml":
        return ImportedSetup(source="profile", name=stem, place=Place(path=str(path)))
    if path.suffix in (".yaml", ".yml"):
        return litellm.entry(_document(path, "yaml"), str(path), stem)
    if path.suffix in (".json", ".json5"):
        data = _json5(path)
        if "Providers" in data or "providers" in data:
            return router.entry(data, str(path))
        return ccs.of_env("settings", stem, data.get("env"), Place(path=str(path)))
    if name == ".env" or name.endswith(".env") or name.startswith(".env"):
        return ccs.of_env(".env", stem, _document(path, "dotenv"), Place(path=str(path)))
    found = shell.entry(files.text(path), str(path), stem)
    if found is None:
        raise HahaError(msg("no client set-up in this file"), place=Place(path=str(path)))
    return found


def _behind(session: Session, entry: ImportedSetup) -> ImportedSetup:
    """The provider behind cc-switch's own proxy, where a file holds only the proxy."""
    if not cc_switch.is_proxy(entry.env.get(v.BASE_URL, "")):
        return entry
    for one in _from_cc_switch(session):
        if isinstance(one, ImportedSetup) and one.current and one.skipped is None:
            return replace(one, place=entry.place)
    return replace(entry, skipped=cc_switch.PROXY)


def _document(path: Path, format: Any) -> Mapping[str, Any]:  # noqa: A002
    try:
        return read(format, files.text(path)).data
    except Refusal as refusal:
        place = (refusal.place or Place()).of(str(path))
        raise Refusal(refusal.what, place=place, hints=refusal.hints) from None


def _json5(path: Path) -> Mapping[str, Any]:
    try:
        data = json.loads(router.as_json(files.text(path)))
    except (ValueError, RecursionError):
        raise Refusal(msg("this is not JSON"), place=Place(path=str(path))) from None
    return mapping(data)
