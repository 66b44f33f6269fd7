"""`show`: every client variable, the layer it comes from, and what it shadows."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final

import typer

from haha_config.cli import options as o
from haha_config.cli.session import Session, choice, open_session
from haha_config.core import urls
from haha_config.core import variables as v
from haha_config.core.excerpt import pointed
from haha_config.core.layers import Effective, LayerName
from haha_config.core.messages import Message, msg
from haha_config.core.model import Place
from haha_config.core.state import File, State
from haha_config.io import report
from haha_config.io.words import say, t

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


@app.command(help=t("Every client variable, its value, and the layer it comes from."))
def show(
    folder: o.Dir = None,
    project: o.Project = None,
    scope: o.ScopeOption = "user",
    client: o.ClientOption = None,
    format: o.FormatOption = "text",  # noqa: A002 - the flag's name
    short: bool = typer.Option(False, "--short", help=t("One line, for a shell prompt.")),
    no_color: o.NoColor = False,
    quiet: o.Quiet = False,
    _lang: o.Lang = None,
) -> int:
    choice("--format", format, ("text", "json"))
    session = open_session(
        folder=folder,
        project=project,
        scope=scope,
        client=client,
        quiet=quiet,
        no_color=no_color,
        reads=True,
    )
    state = session.state()
    found = list(variables(state))
    if short:
        report.result(short_line(state))
    elif format == "json":
        report.document({"variables": [as_json(one) for one in found]})
    else:
        _print(session, state, found)
    broken = [f for f in (*state.settings.values(), state.dotenv) if f.error is not None]
    for file in broken:
        assert file.error is not None  # noqa: S101 - filtered above
        report.failure(file.error, as_json=False, excerpt=pointed(file.text, _at(file)))
    return 1 if broken else 0


def _at(file: File) -> Place:
    return (file.error.place if file.error else None) or Place()


def variables(state: State) -> Iterator[Effective]:
    """Every variable that some layer holds: ours first, then what else we know or find in files."""
    files = [layer for layer in state.layers if layer.name != "shell"]
    named = dict.fromkeys((*v.CLIENT, *(n for layer in files for n in layer.values)))
    for name in named:
        effective = state.effective(name)
        if effective.value is not None:
            yield effective


def as_json(one: Effective) -> dict[str, Any]:
    """A variable as design section 3 has it; secrets masked."""
    return {
        "name": one.name,
        "value": v.shown(one.name, one.value),
        "layer": one.layer,
        **_place(one.place),
        "shadows": [
            {"value": v.shown(one.name, s.value), "layer": s.layer, **_place(s.place)}
            for s in one.shadows
        ],
    }


def _place(place: Place | None) -> dict[str, Any]:
    return {"path": (place and place.path) or None, "line": place.line if place else None}


def short_line(state: State) -> str:
    """The model and where it is answered, or nothing."""
    base, model = state.value(v.BASE_URL), state.slots.get("main", "")
    url = urls.parse(base)
    if url is None:
        return ""
    host = f"{url.host}:{url.port}" if url.loopback else url.host
    return f"{model} @ {host}".strip()


def _print(session: Session, state: State, found: list[Effective]) -> None:
    out = sys.stdout
    client = {"claude": "Claude Code", "haha": "claude-haha"}[state.client]
    report.result(
        msg(
            "{client} in {folder} calls {url}",
            client=client,
            folder=report.short(str(session.project)) or str(session.project),
            url=v.shown_url(urls.called(state.value(v.BASE_URL)))
            if state.value(v.BASE_URL)
            else "api.anthropic.com",
        )
    )
    width = max((len(one.name) for one in found), default=0)
    for one in found:
        value = v.shown(one.name, one.value) or say(msg('"" (cancelled)'))
        print(f"\n{report.paint(one.name.ljust(width), 'path', out)}  {value}")
        where = report.location(one.place).removesuffix(": ")
        print(f"  {_from(one.layer, where)}")
        for s in one.shadows:
            where = report.location(s.place).removesuffix(": ")
            line = msg(
                "hides {value} from {layer}",
                value=v.shown(one.name, s.value) or '""',
                layer=_from(s.layer, where),
            )
            print(f"  {report.paint(say(line), 'dim', out)}")
    _unread(state)


def _from(layer: LayerName | None, where: str) -> str:
    name = say(LAYERS[layer]) if layer else ""
    return f"{name} ({where})" if where else name


def _unread(state: State) -> None:
    """What is on disk and does not count, because it is asked for so often."""
    held = [name for name in v.OWNED if name in state.dotenv.data]
    if state.client == "claude" and held:
        report.result("")
        report.result(
            msg(
                "not read by this client: {path} ({n} variables); only claude-haha reads it",
                path=report.short(state.dotenv.path),
                n=len(held),
            )
        )
    model = state.target.data.get("model")
    if isinstance(model, str) and state.slots.get("main"):
        place = state.target.place("model")
        report.result("")
        report.result(
            msg(
                "`model` in {where} is {model}: ANTHROPIC_MODEL beats it",
                where=report.location(place).removesuffix(": "),
                model=model,
            )
        )
