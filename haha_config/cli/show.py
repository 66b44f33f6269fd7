"""`show`: every client variable, the layer it comes from, and what it shadows."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from shutil import get_terminal_size
from typing import Any, Final

import typer

from haha_config.cli import options as o
from haha_config.core import urls
from haha_config.core import variables as v
from haha_config.core.change.excerpt import pointed
from haha_config.core.change.helper import is_own_helper
from haha_config.core.change.outgoing import Header, outgoing
from haha_config.core.errors import Usage
from haha_config.core.messages import Message, msg, nmsg
from haha_config.core.model import Place, plain_name
from haha_config.core.providers.decode import did_you_mean
from haha_config.core.state import owned
from haha_config.core.state.layers import Effective, LayerName
from haha_config.core.state.state import SKIP_DOTENV, State
from haha_config.io import report, table
from haha_config.io.i18n import _, columns, render, shortened, with_tilde
from haha_config.io.table import Column, Row
from haha_config.workflow import trust, versions
from haha_config.workflow.session import Session

app = typer.Typer(rich_markup_mode=None, add_completion=False)

LAYERS: Final[dict[LayerName, Message]] = {
    "managed": msg("managed settings"),
    "flag": msg("--settings"),
    "local": msg("local settings"),
    "project": msg("project settings"),
    "active-provider": msg("claude-haha's active provider"),
    "user": msg("user settings"),
    "shell": msg("your shell"),
    "dotenv": msg(".env"),
}

#: Columns that a folder's name is left with.
_FOLDER: Final = 12


@app.command()
@o.takes(*o.WHERE, *o.PRINTED)
def show(
    names: list[str] = typer.Argument(None, metavar="[NAME]...", help=_("Only these variables.")),
    short: bool = typer.Option(False, "--short", help=_("One line, for a shell prompt.")),
    long: bool = typer.Option(False, "--long", help=_("With line and column of each value.")),
    *,
    shared: o.SharedOptions,
) -> int:
    if short:
        report.be_quiet()  # a prompt has room for the line alone
    session = shared.session(reads=True)
    state = session.state()
    found = list(chosen(state, names) if names else variables(state))
    if short:
        report.result(short_line(state))
    elif shared.as_json:
        report.document(
            {
                "variables": [as_json(one) for one in found],
                "headers": [
                    {"name": h.name, "value": h.value, "source": h.source, **_place(h.place)}
                    for h in sent(session, state)
                ],
                "settings": list(settings_beside(state)),
            }
        )
    elif names:
        _print_some(state, found)
    else:
        _print(session, state, found, long=long)
    if not short:
        trust.name_unknown(session, state)
    settings = (file for _, file in state.settings_files)
    broken = [f for f in (*settings, state.dotenv) if f.error is not None]
    for file in broken:
        assert file.error is not None  # noqa: S101 - filtered above
        place = file.error.place or Place()
        report.failure(file.error, as_json=False, excerpt=pointed(file.text, place))
    return 1 if broken else 0


def variables(state: State) -> Iterator[Effective]:
    """Every variable that some layer holds: ours first, then what else we know or find in files."""
    files = [layer for layer in state.layers if layer.name != "shell"]
    named = dict.fromkeys((*v.CLIENT, *(n for layer in files for n in layer.values)))
    for name in named:
        effective = state.effective(name)
        if effective.value is not None:
            yield effective


def chosen(state: State, names: Sequence[str]) -> Iterator[Effective]:
    """The named variables, also those that are not set.

    Raises Usage for a name that is set nowhere and that no client knows, with the nearest.
    """
    for given in dict.fromkeys(names):
        name = given if _held(state, given) else given.upper()
        if not _held(state, name):
            _check_known(state, name)
        yield state.effective(name)


def _held(state: State, name: str) -> bool:
    """Whether the name is in any layer, or in the `.env` that this client does not read."""
    return name in state.dotenv.data or any(name in layer.values for layer in state.layers)


def _check_known(state: State, name: str) -> None:
    files = [layer for layer in state.layers if layer.name != "shell"]
    known = dict.fromkeys(
        (*v.CLIENT, *sorted(state.documented.variables), *(n for f in files for n in f.values))
    )
    if name not in known:
        raise Usage(
            msg("`{name}` is set nowhere, and no client is known to read it", name=name),
            hints=(*did_you_mean(name, known), msg("`haha-config show` lists what is set")),
        )


def as_json(one: Effective) -> dict[str, Any]:
    """A variable as design section 3 has it; secrets masked."""
    return {
        "name": one.name,
        "value": None if one.value is None else v.shown(one.name, one.value),
        "layer": one.layer,
        **_place(one.place),
        "shadows": [
            {"value": v.shown(one.name, s.value), "layer": s.layer, **_place(s.place)}
            for s in one.shadows
        ],
    }


def sent(session: Session, state: State) -> tuple[Header, ...]:
    """What goes out with each request; nothing where the client calls Anthropic."""
    if not state.value(v.BASE_URL):
        return ()
    from haha_config.io import machine

    kept = machine.client_state(session.environ, session.home)
    return outgoing(state, kept.primary_api_key)


def settings_beside(state: State) -> Iterator[dict[str, Any]]:
    """What stands beside `env` and decides on commands and on the model menu, layer by layer."""
    for layer, file in state.settings.items():
        for name, where, value in owned.settings(file.data):
            yield {
                "name": name,
                "value": value,
                "layer": layer,
                "ours": state.owned.has(file.path, where, value),
                **_place(file.place(*map(str, where))),
            }


def _beside(state: State) -> Iterator[tuple[str, LayerName, Place, Any]]:
    """The same for a person, after the program that gives the client its key: name, layer, place,
    value. The command of somebody else's program may hold a key."""
    for layer, file in state.settings_files:
        command = file.data.get(v.HELPER)
        if command is not None:
            shown = command if is_own_helper(command) else msg("a command of yours")
            yield v.HELPER, layer, file.place(v.HELPER), shown
    for held in settings_beside(state):
        place = Place(path=held["path"] or "", line=held["line"])
        yield held["name"], held["layer"], place, held["value"]


def _entry(name: str, value: Message | str, where: str) -> None:
    print()
    print(f"{report.paint(name, 'path', sys.stdout)}  {render(value)}")
    print(f"  {where}")


def _menu(picker: Any) -> tuple[str, ...]:
    """The names of a model menu."""
    options = picker.get("options") if isinstance(picker, Mapping) else None
    found = options if isinstance(options, Sequence) else ()
    return tuple(str(o.get("model")) for o in found if isinstance(o, Mapping))


def _place(place: Place | None) -> dict[str, Any]:
    return {"path": (place and place.path) or None, "line": place.line if place else None}


def short_line(state: State) -> str:
    """The model and where it is answered (`?`: the URL is none), or nothing."""
    base, model = state.value(v.BASE_URL), state.slots.get("main", "")
    if not base:
        return ""
    url = urls.parse(base)
    host = "?" if url is None else f"{url.host}:{url.port}" if url.loopback else url.host
    return f"{model} @ {host}".strip()


def _print(session: Session, state: State, found: list[Effective], *, long: bool) -> None:
    from haha_config.workflow.read_state import owners

    report.result(_calls(session, state), prose=True)
    for line in _requests(session, state):
        report.result(line, prose=True)
    if long:
        for one in found:
            print()
            _print_one(one, max(len(one.name) for one in found))
        for header in sent(session, state):
            value = header.value or msg("known only when it is sent")
            _entry(header.name, value, _at(header.source, header.place))
        for name, layer, place, held in _beside(state):
            text = msg("{names}", names=_menu(held)) if isinstance(held, Mapping) else held
            _entry(name, text, _from(layer, place))
    else:
        _brief(session, state, found)
    _unread(state)
    found_owners = owners(session)
    if found_owners:
        print()
        report.findings(found_owners, None, sys.stdout)


def _calls(session: Session, state: State) -> Message:
    """Who calls which endpoint, the folder as short as a line of the terminal wants it."""
    base = state.value(v.BASE_URL)

    def said(folder: str) -> Message:
        return msg(
            "{client} in {folder} calls {url}",
            client={"claude": "Claude Code", "haha": "claude-haha"}[state.client],
            folder=folder,
            url=v.shown_url(urls.called(base)) if base else "api.anthropic.com",
        )

    folder = report.short(str(session.project)) or str(session.project)
    if sys.stdout.isatty():
        room = get_terminal_size().columns - columns(render(said("")))
        folder = shortened(with_tilde(folder), max(room, _FOLDER))
    return said(folder)


# --- a line for each -------------------------------------------------------------------------


def _brief(session: Session, state: State, found: Sequence[Effective]) -> None:
    """What goes out; what differs between layers; the rest, below the place that all share."""
    out = sys.stdout
    heads = (Column(), Column(prose=True))
    top = [Row((f"  {render(head)}", render(text))) for head, text in _top(session, state)]
    for line in table.lines(heads, top, out):
        report.drawn(line, out)
    for number, line in enumerate(table.lines(heads, list(_lines(state, found)), out)):
        report.drawn(line if number else f"\n{line}", out)


def _lines(state: State, found: Sequence[Effective]) -> Iterator[Row]:
    """Differences, then files, and the shell last."""
    for one in found:
        if _hides(one):
            yield Row((f"! {one.name}", _differing(one)), "~")
    rest = [one for one in found if not _hides(one)]
    rows = [Row((f"  {one.name}", _value(one.name, one.value)), "", _heading(one)) for one in rest]
    rows += [Row((f"  {name}", text), "", heading) for name, heading, text in _settings(state)]
    first = {row.above: at for at, row in reversed([*enumerate(rows)])}
    shell = render(LAYERS["shell"])
    yield from sorted(rows, key=lambda row: (row.above.startswith(shell), first[row.above]))


def _top(session: Session, state: State) -> Iterator[tuple[Message, Message | str]]:
    """What the client asks for, and the headers that go along."""
    told, place = versions.asked_for(session, state)
    if place is None and told:
        others = state.fallbacks_of(told) if isinstance(told, str) else ()
        if others:
            told = msg("{model}; if it fails: {names}", model=told, names=others)
        yield msg("model"), told
    headers = tuple(
        msg(
            "{name}: {value} ({source})",
            name=one.name,
            value=one.value or msg("known only when it is sent"),
            source=one.source,
        )
        for one in sent(session, state)
    )
    if headers:
        yield msg("credential"), msg("{headers}", headers=headers)


def _hides(one: Effective) -> bool:
    return any(s.value != one.value for s in one.shadows)


def _differing(one: Effective) -> str:
    """`near (local settings), hides far (user settings, .env)`."""
    layers: dict[str, list[Message]] = {}
    for s in one.shadows:
        if s.value != one.value:
            layers.setdefault(_value(one.name, s.value), []).append(LAYERS[s.layer])
    hidden = [msg("{value} ({layer})", value=v, layer=tuple(names)) for v, names in layers.items()]
    layer = LAYERS[one.layer] if one.layer else ""
    near = msg("{value} ({layer})", value=_value(one.name, one.value), layer=layer)
    return render(msg("{near}, hides {hidden}", near=near, hidden=tuple(hidden)))


def _value(name: str, value: str | None) -> str:
    return v.shown(name, value) or '""'


def _heading(one: Effective) -> str:
    """`user settings, ~/.claude/settings.json (same in .env)`."""
    where = _file(one.layer, one.place)
    others = tuple(report.short(s.place.path) or LAYERS[s.layer] for s in one.shadows)
    if not others:
        return where
    return render(msg("{where} (same in {others})", where=where, others=others))


def _file(layer: LayerName | None, place: Place | None) -> str:
    path = report.short(place.path) if place is not None else ""
    name = LAYERS[layer] if layer else ""
    both = path and layer != "dotenv"
    return render(msg("{layer}, {file}", layer=name, file=path) if both else name)


def _settings(state: State) -> Iterator[tuple[str, str, str]]:
    """The settings beside `env` that decide: name, heading, text."""
    for name, layer, place, value in _beside(state):
        if isinstance(value, Mapping):
            value = nmsg("{n} model", "{n} models", n=len(_menu(value)))
        yield name, _file(layer, place), render(value)


def _requests(session: Session, state: State) -> Iterator[Message]:
    """What is asked for where ANTHROPIC_MODEL does not say it, and what other versions do."""
    told, place = versions.asked_for(session, state)
    if place is not None:
        yield msg("it sends nothing: {why}", why=told)
    elif told != plain_name(state.slots.get("main", "")):
        yield msg("it asks for {model}", model=versions.in_words(told))
    yield from versions.others(session, state)


def _print_some(state: State, found: Sequence[Effective]) -> None:
    """The variables that were asked for, and where one that is not set was looked for."""
    for number, one in enumerate(found):
        if number:
            print()
        if one.value is not None:
            _print_one(one, len(one.name))
        else:
            report.result(msg("{name} is not set", name=one.name))
            print(f"  {render(msg('looked in:'))}")
            for layer in state.layers:
                print(f"    {_from(layer.name, Place(path=layer.path))}")
        if state.client == "claude" and one.name in state.dotenv.data:
            value = v.shown(one.name, state.dotenv.data[one.name]) or '""'
            where = report.location(state.dotenv.place(one.name))
            line = render(_not_read(msg("{value} in {where}", value=value, where=where)))
            print(f"  {report.fitted(line, sys.stdout, indent=2)}")


def _print_one(one: Effective, width: int) -> None:
    out = sys.stdout
    value = v.shown(one.name, one.value) or render(msg('"" (cancelled)'))
    print(f"{report.paint(one.name.ljust(width), 'path', out)}  {render(value)}")
    print(f"  {_from(one.layer, one.place)}")
    for s in one.shadows:
        line = msg(
            "hides {value} from {layer}",
            value=v.shown(one.name, s.value) or '""',
            layer=_from(s.layer, s.place),
        )
        print(f"  {report.paint(render(line), 'dim', out)}")


def _from(layer: LayerName | None, place: Place | None) -> str:
    return _at(render(LAYERS[layer]) if layer else "", place)


def _at(name: str, place: Place | None) -> str:
    where = report.location(place)
    return f"{name} ({where})" if where else name


def _not_read(what: Message) -> Message:
    return msg("not read by this client: {what}; only claude-haha reads it", what=what)


def _unread(state: State) -> None:
    """What is on disk and does not count, because it is asked for so often."""
    held = [name for name in v.OWNED if name in state.dotenv.data]
    path = report.short(state.dotenv.path)
    if held and state.client == "claude":
        what = msg("{path} ({n} variables)", path=path, n=len(held))
        report.result(_not_read(what), prose=True)
    elif held and not state.reads_dotenv:
        report.result(
            msg("not read: {path}, since your shell exports {name}=1", path=path, name=SKIP_DOTENV),
            prose=True,
        )
    model = state.target.data.get("model")
    if isinstance(model, str) and state.slots.get("main"):
        place = state.target.place("model")
        report.result(
            msg(
                "`model` in {where} is {model}: ANTHROPIC_MODEL beats it",
                where=report.location(place),
                model=model,
            ),
            prose=True,
        )
