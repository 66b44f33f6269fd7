"""`demo`: the whole tour in a throwaway folder, against an endpoint of our own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import typer
from msgspec import Struct

from haha_config.cli import options as o
from haha_config.core import variables as v
from haha_config.core.errors import HahaError
from haha_config.core.messages import Message, msg
from haha_config.io import report
from haha_config.io.demo_endpoint import ask, endpoint
from haha_config.io.i18n import _, language, render

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_KEY: Final = "demo-key-0123456789abcdef"
#: What the commands of the tour get of your environment: nothing that could lead them home.
_PASSED: Final = ("PATH", "LANG", "LC_ALL", "TERM", "NO_COLOR", "SYSTEMROOT", "COLUMNS")


@app.command()
@o.takes("no_color")
def demo(
    keep: bool = typer.Option(False, "--keep", help=_("Keep the folder.")),
    *,
    shared: o.SharedOptions,  # noqa: ARG001 - `--no-color` and `--lang` have done their work
) -> int:
    folder = Path(tempfile.mkdtemp(prefix="haha-config-demo-"))
    try:
        with endpoint(_KEY) as url:
            _tour(Stage(folder=folder, environ=_environment(folder), lang=language()), url)
    finally:
        if keep:
            report.talk(msg("the folder stays: {folder}", folder=str(folder)))
        else:
            import shutil

            shutil.rmtree(folder, ignore_errors=True)
    print()
    report.result(msg("Your files were not touched. To begin: haha-config init"))
    return 0


class Stage(Struct, frozen=True, kw_only=True):
    """Where the tour happens: a folder that is home, project and everything else."""

    folder: Path
    environ: Mapping[str, str]
    lang: str

    @property
    def settings(self) -> Path:
        return self.folder / ".claude" / "settings.json"

    @property
    def project(self) -> Path:
        return self.folder / "project"


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _PASSED if name in os.environ}
    (folder / "project").mkdir()
    return {
        **kept,
        "HOME": str(folder),
        "USERPROFILE": str(folder),
        "APPDATA": str(folder / "appdata"),
        "LOCALAPPDATA": str(folder / "appdata"),
        "CUSTOM_ANTHROPIC_API_KEY": _KEY,
    }


def _tour(stage: Stage, url: str) -> None:
    report.result(msg("a throwaway home: {folder}", folder=str(stage.folder)))
    report.result(msg("a test endpoint: {url}", url=url))
    # As somebody has it, to show that the rest of it stays.
    stage.settings.parent.mkdir(mode=0o700)
    stage.settings.write_text(
        '{\n    "permissions": {"allow": ["Bash(git status)"]},\n    "env": {"MY_FLAG": "1"}\n}\n',
        encoding="utf-8",
    )
    _title(msg("1. init: the client's files"))
    shared = ("--provider", "custom-anthropic", "--base-url", url)
    _run(stage, "init", *shared, "--model", "demo-large", "--slot", "haiku=demo-small", "--yes")
    _title(msg("2. validate: nothing is wrong"))
    # Of the machine it has more to say, which nobody has to mend: this home is seconds old.
    _run(stage, "validate", "--only", "env,settings")
    _title(msg("3. a streamed request"))
    _request(stage)
    _title(msg("4. switch-model: another model"))
    _run(stage, "switch-model", "demo-small")
    _title(msg("5. the same request, to that model"))
    _request(stage)
    _title(msg("6. what each file holds now"))
    _files(stage)
    _title(msg("7. undo: the last write"))
    _run(stage, "undo", "--yes")


def _title(message: Message) -> None:
    print()
    print(report.paint(render(message), "path", sys.stdout), flush=True)


def _run(stage: Stage, *words: str) -> None:
    """A command of ours as a person would type it.

    Raises HahaError where it fails: then the tour is wrong, and says so.
    """
    print(report.paint(f"$ haha-config {' '.join(words)}", "dim", sys.stdout), flush=True)
    command = (sys.executable, "-m", "haha_config", "--lang", stage.lang, *words)
    done = subprocess.run(
        command, cwd=stage.project, env=dict(stage.environ), stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode != 0:
        said = msg(
            "the tour stopped: {command} ended with {code}", command=words[0], code=done.returncode
        )
        raise HahaError(said)


def _request(stage: Stage) -> None:
    """One request with the URL, key and model that the file really holds."""
    env = json.loads(stage.settings.read_text(encoding="utf-8"))["env"]
    model = env["ANTHROPIC_MODEL"]
    print(f"> POST {env[v.BASE_URL]}/v1/messages?beta=true  model={model}")
    for piece in ask(env[v.BASE_URL], env[v.AUTH_TOKEN], model, "hello from the tour"):
        print(piece, end="", flush=True)
    print()


def _files(stage: Stage) -> None:
    for path in (stage.settings, stage.project / ".env"):
        print(report.paint(str(path.relative_to(stage.folder)), "path", sys.stdout))
        text = path.read_text(encoding="utf-8").replace(_KEY, v.masked(_KEY))
        print("".join(f"  {line}\n" for line in text.splitlines()), end="")
