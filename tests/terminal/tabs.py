"""A real Tab in a real shell, with the completion that `--install-completion` wrote."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.terminal.screen import Terminal, ctrl

BIN = Path(sys.executable).parent
PROMPT = "ready> "
#: How each shell starts with nothing but the person's own file, which sets the prompt.
SHELLS = {
    "bash": (("bash", "--noprofile"), ".bashrc", f"PS1='{PROMPT}'\nbind 'set bell-style none'\n"),
    "zsh": (("zsh", "-d"), ".zshrc", f"PS1='{PROMPT}'\nunsetopt prompt_sp\n"),
    "fish": (
        ("fish",),
        ".config/fish/config.fish",
        f"function fish_prompt; echo -n '{PROMPT}'; end\nset -g fish_greeting\n",
    ),
}
#: Typed before the Tab, and the line after it, in every shell.
TABS = (
    ("switch-m", "switch-model "),
    ("switch-model qwen3", "switch-model qwen3-coder:30b "),
    ("switch-model qwen3-coder:", "switch-model qwen3-coder:30b "),
    ("switch-model qwen3-coder:3", "switch-model qwen3-coder:30b "),
    ("switch-model qwen-is", "switch-model qwen-is"),  # a file, and no model
    ("switch-model --slot opus=gpt", "switch-model --slot opus=gpt-oss:20b "),
    ("init --provider deeps", "init --provider deepseek "),
    (
        "init --provider deepseek --model deepseek-f",
        "init --provider deepseek --model deepseek-flash ",
    ),
    ("init --upstream deeps", "init --upstream deepseek:"),
    ("init --permissions au", "init --permissions auto "),
    ("validate --explain drop-p", "validate --explain drop-params "),
    ("validate --select LLM00", "validate --select LLM00"),
    ("validate --select LLM001,drop-p", "validate --select LLM001,drop-params "),
    ("show --scope pro", "show --scope project "),
    ("show --scope=pro", "show --scope=project "),
    ("show ANTHROPIC_MO", "show ANTHROPIC_MODEL "),
    ("use wo", "use work "),
    ("use of", "use off "),
    ("profile remo", "profile remove "),
    ("profile remove wo", "profile remove work "),
    ("profile import cc", "profile import cc"),
    ("env --shell fi", "env --shell fish "),
    ("models --lang z", "models --lang zh "),
    ("undo 1", "undo 1 "),
    ("validate --dir qwen-is", "validate --dir qwen-is-a-file-too "),
)


def furnish(home: Path) -> None:
    """A set-up with two models of Ollama, a profile, and a file named like a model."""
    env = {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "ANTHROPIC_AUTH_TOKEN": "ollama"}
    env |= {"ANTHROPIC_MODEL": "qwen3-coder:30b", "ANTHROPIC_DEFAULT_HAIKU_MODEL": "gpt-oss:20b"}
    (home / ".claude").mkdir()
    (home / ".claude" / "settings.json").write_text(json.dumps({"env": env}))
    (home / "qwen-is-a-file-too").touch()


@contextmanager
def shell(name: str, home: Path, columns: int = 100) -> Iterator[Terminal]:
    """The shell at its prompt, completion installed and a profile `work` saved by one write."""
    argv, own, text = SHELLS[name]
    (home / own).parent.mkdir(parents=True, exist_ok=True)
    (home / own).write_text(text)
    env = {"HOME": str(home), "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin", "TERM": "xterm"}
    env |= {"LANG": "C.UTF-8", "SHELL": name}
    for command in ("haha-config --install-completion", "haha-config profile save work"):
        with Terminal(argv, env=env, cwd=home, columns=columns) as first:
            first.wait(PROMPT.strip())
            first.send(f"{command}; exit\r")
            assert first.finish() == 0, first.text()
    with Terminal(argv, env=env, cwd=home, columns=columns, timeout=15) as terminal:
        terminal.wait(PROMPT.strip())
        yield terminal


def tab(terminal: Terminal, typed: str, becomes: str) -> None:
    """Type a line and a Tab; what is typed behind it stands behind `becomes`."""
    terminal.send(f"haha-config {typed}\t@")
    try:
        terminal.wait(f"{PROMPT}haha-config {becomes}@")
    finally:
        terminal.send(ctrl("u"))
    terminal.wait(f"{becomes}@", gone=True)
