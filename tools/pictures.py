"""The pictures of the README and the tutorial, made from the real program in a real terminal.

`python tools/pictures.py` writes `docs/pictures/*.svg`; `--check` says which ones are stale
(exit 1). Each picture is a story in a throwaway home; nothing outside of it is read or written,
and nothing is asked over the network: the variables of a proxy lead nowhere.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from tests.terminal.screen import Terminal  # noqa: E402 - the checkout is on the path only now

PICTURES: Final = ROOT / "docs" / "pictures"
ROWS: Final = ROOT / "templates" / "providers"
KEY: Final = "sk-test-0123456789abcdef"
#: The hand-written set-up of the guide that this project began from.
DOTENV: Final = """\
ANTHROPIC_AUTH_TOKEN=sk-anything
ANTHROPIC_BASE_URL=http://localhost:4000/v1
ANTHROPIC_MODEL=gpt-4o
"""
CONFIG: Final = """\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
      api_key: os.environ/OPENAI_API_KEY
"""


class Stage:
    """A throwaway home with a folder `haha` in it, where the program is started."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "haha"
        self.folder.mkdir()
        # A picture doesn't depend on which servers run on this machine: each local row gets a
        # port on which nobody listens.
        rows = home / ".config" / "haha-config" / "providers"
        rows.mkdir(parents=True)
        for port, row in enumerate(sorted(ROWS.glob("*.toml")), 2):
            text = row.read_text(encoding="utf-8")
            moved = re.sub(r"(//(?:localhost|127\.0\.0\.1)):\d+", rf"\g<1>:{port}", text)
            if moved != text:
                (rows / row.name).write_text(moved, encoding="utf-8")

    def open(self, *words: str, rows: int = 40, columns: int = 88, **keys: str) -> Terminal:
        nowhere = "http://127.0.0.1:9"
        env = {
            "PATH": os.defpath,
            "HOME": str(self.home),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            "HTTPS_PROXY": nowhere,
            "NO_PROXY": "localhost,127.0.0.1",
            **keys,
        }
        argv = (sys.executable, "-P", "-m", "haha_config", *words)
        return Terminal(argv, env=env, cwd=self.folder, rows=rows, columns=columns)

    def quietly(self, *words: str) -> None:
        with self.open(*words, DEEPSEEK_API_KEY=KEY) as terminal:
            code = terminal.finish()
            if code != 0:
                raise SystemExit(f"{' '.join(words)} ended with {code}:\n{terminal.text()}")

    def picture(self, *words: str, code: int, rows: int = 40) -> str:
        """What a command that asks nothing leaves on the screen."""
        with self.open(*words, rows=rows, OPENAI_API_KEY=KEY) as terminal:
            ended = terminal.finish()
            if ended != code:
                raise SystemExit(f"{' '.join(words)} ended with {ended}:\n{terminal.text()}")
            return terminal.svg(title=f"$ haha-config {' '.join(words)}")


def init(stage: Stage) -> str:
    """The summary of the interview, with the preview above it."""
    with stage.open("init", rows=40, DEEPSEEK_API_KEY=KEY) as terminal:
        for question in ("Which provider", "API key", "Which model"):
            terminal.wait(f"? {question}")
            terminal.wait("esc back")
            terminal.press("enter")
            answered = re.compile(rf"\? {question}[^\n]*\?  \S")
            terminal.wait_for(
                lambda _, answered=answered: answered.search(terminal.history()), "its answer"
            )
        terminal.wait("? Write this?")
        terminal.wait("esc back")
        return terminal.svg(title="$ haha-config init")


def provider(stage: Stage) -> str:
    """The first question."""
    with stage.open("init", rows=24, DEEPSEEK_API_KEY=KEY) as terminal:
        terminal.wait("? Which provider")
        terminal.wait("esc back")
        return terminal.svg(title="$ haha-config init")


def validate(stage: Stage) -> str:
    """A set-up written by hand, and what is wrong with it."""
    (stage.folder / ".env").write_text(DOTENV, encoding="utf-8")
    (stage.folder / "litellm_config.yaml").write_text(CONFIG, encoding="utf-8")
    words = ("validate", "--client", "haha", "--ignore", "SYS,MOD,KEY")
    return stage.picture(*words, code=1, rows=44)


def switch(stage: Stage) -> str:
    stage.quietly("init", "--provider", "deepseek", "--yes", "--quiet")
    return stage.picture("switch-model", "deepseek-v4-pro", code=0)


def tour(stage: Stage) -> str:
    """The first minute, as an animation: four answers, a check, another model, and back."""
    frames = []
    command = "$ haha-config init"
    with stage.open("init", rows=24, DEEPSEEK_API_KEY=KEY) as terminal:
        for question in ("Which provider", "API key", "Which model", "Write this"):
            terminal.wait(f"? {question}")
            terminal.wait("esc back")
            frames.append((terminal.svg(title=command), 4.0 if question == "Write this" else 2.0))
            terminal.press("enter")
            answered = re.compile(rf"\? {question}[^\n]*\?  \S")
            terminal.wait_for(
                lambda _, answered=answered: answered.search(terminal.history()), "its answer"
            )
        terminal.wait("is set up")
    for words in (
        ("validate", "--ignore", "SYS"),
        ("switch-model", "deepseek-v4-pro"),
        ("undo", "--yes"),
    ):
        frames.append((stage.picture(*words, code=0, rows=24), 3.5))
    return animated(frames)


def animated(frames: Sequence[tuple[str, float]]) -> str:
    """Pictures one after the other, each for its seconds, without end."""
    whole = sum(seconds for _, seconds in frames)
    boxes = [re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg) for svg, _ in frames]
    width, height = (max(float(box[n]) for box in boxes if box) for n in (1, 2))
    rules, shown, began = [], [], 0.0
    for number, (svg, seconds) in enumerate(frames):
        begin, end = (f"{100 * at / whole:.2f}%" for at in (began, began + seconds))
        rules.append(
            f"@keyframes frame{number} {{ 0% {{ visibility: hidden }}"
            f" {begin} {{ visibility: visible }} {end} {{ visibility: hidden }} }}"
            # Where nothing moves, the summary of `init` is seen.
            f" .frame{number} {{ visibility: {'visible' if number == 3 else 'hidden'};"
            f" animation: frame{number} {whole:g}s step-end infinite }}"
        )
        box = boxes[number]
        size = f' width="{box[1]}" height="{box[2]}"' if box else ""
        shown.append(f'<g class="frame{number}">{svg.replace("<svg", f"<svg{size}", 1)}</g>')
        began += seconds
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}">'
        f"<style>{' '.join(rules)}</style>\n"
        f'<rect width="{width:g}" height="{height:g}" rx="8" fill="#181a1f"/>\n'
        + "\n".join(shown)
        + "\n</svg>\n"
    )


STORIES: Final[dict[str, Callable[[Stage], str]]] = {
    "provider": provider,
    "init": init,
    "validate": validate,
    "switch": switch,
    "tour": tour,
}


def main(arguments: list[str]) -> int:
    stale = []
    for name, story in STORIES.items():
        with tempfile.TemporaryDirectory(prefix="haha-pictures-") as folder:
            drawn = story(Stage(Path(folder))).replace(folder, "~")
        path = PICTURES / f"{name}.svg"
        if path.exists() and path.read_text(encoding="utf-8") == drawn:
            continue
        stale.append(path.name)
        if "--check" not in arguments:
            PICTURES.mkdir(exist_ok=True)
            path.write_text(drawn, encoding="utf-8")
    if "--check" in arguments and stale:
        print(f"stale: {', '.join(stale)}: run python tools/pictures.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
