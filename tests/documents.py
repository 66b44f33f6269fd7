"""The pages as a person would follow them: their commands and files, block by block.

A page is read from the top in a throwaway home with a folder `haha` in it. A comment before a
block says what it is, where the block alone doesn't:

- `session: NAME …`: a new home; these variables hold a key
- `run: COMMAND`: run this too, unseen
- `exit: N`: the code that the next block's last command ends with (else 0)
- `write: PATH`: the next block is a file that the reader has
- `file: PATH`: the next block is what that file holds now
- `not run: WHY`: the next block is only read
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import tasks
from haha_config.io import loopback
from tests.cli.tool import Tool

#: A key of each shape that a row looks at; the others have any shape.
KEYS: Final[Mapping[str, str]] = {
    "OPENROUTER_API_KEY": "sk-or-v1-0123456789abcdef",
    "CHUTES_API_KEY": "cpk_0123456789abcdef.0123456789abcdef",
}
KEY: Final = "sk-test-0123456789abcdef"
#: Nobody listens there: a request to a provider fails at once.
NOWHERE: Final = "http://127.0.0.1:9"
#: What a page may tell the reader to type that is not ours and is not tried here.
FOREIGN: Final = (
    "pipx install .",
    "uv tool install .",
    "pip install .",
    "OLLAMA_CONTEXT_LENGTH=65536 ollama serve",
    "claude",
)
#: The port in the pages.
GATEWAY: Final = 4000
#: Blocks that no shell reads.
_PROSE: Final = ("text", "json", "yaml", "toml", "ini", "python")
_PART: Final = re.compile(
    r"^(?:<!-- (?P<verb>session|run|exit|write|file|not run):(?P<rest>.*?) ?-->"
    r"|(?P<indent> *)```(?P<language>\w*)\n(?P<body>.*?)^(?P=indent)```)$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Part:
    """A comment (`verb`, `text`) or a block (`language`, `text`), and its line."""

    line: int
    verb: str
    language: str
    text: str


def parts(text: str) -> Iterator[Part]:
    for found in _PART.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        if found["verb"]:
            yield Part(line, found["verb"], "", found["rest"].strip())
        else:
            body = re.sub(rf"^{found['indent']}", "", found["body"], flags=re.MULTILINE)
            yield Part(line, "", found["language"], body)


@dataclass
class Reader:
    """Somebody who does what a page says. `where` is the page's name, for the complaints."""

    where: str
    folder: Path
    expected: int = 0
    file: str = ""
    write: str = ""
    skip: bool = False
    homes: int = 0
    port: int = GATEWAY
    tool: Tool = field(init=False)

    def __post_init__(self) -> None:
        self._session("")

    def follow(self, text: str) -> None:
        for part in parts(text):
            try:
                self._comment(part) if part.verb else self._block(part)
            except AssertionError as failed:
                raise AssertionError(f"{self.where}:{part.line}: {failed}") from failed

    def _session(self, names: str) -> None:
        self.homes += 1
        home = self.folder / f"home{self.homes}"
        work = home / "haha"
        work.mkdir(parents=True)
        keys = {name: KEYS.get(name, KEY) for name in names.split()}
        proxy = {"HTTPS_PROXY": NOWHERE, "NO_PROXY": "localhost,127.0.0.1"}
        self.tool = Tool(home=home, cwd=work, environ={**proxy, **keys})

    def _comment(self, part: Part) -> None:
        match part.verb:
            case "session":
                self._session(part.text)
            case "run":
                self._run(part.text)
            case "exit":
                self.expected = int(part.text)
            case "write":
                self.write = part.text
            case "file":
                self.file = part.text
            case _:
                self.skip = True

    def _block(self, part: Part) -> None:
        expected, file, write, skip = self.expected, self.file, self.write, self.skip
        self.expected, self.file, self.write, self.skip = 0, "", "", False
        if skip:
            return
        if write:
            path = self._path(write)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(part.text, encoding="utf-8")
        elif file:
            held = self._path(file).read_text(encoding="utf-8")
            held = held.replace(f"PORT={self.port}", f"PORT={GATEWAY}")
            assert _any_key(held) == _any_key(part.text), f"{file} holds:\n{held}"
        elif part.language in ("sh", "console"):
            commands = list(_commands(part))
            for number, (command, output) in enumerate(commands, 1):
                self._run(command, output, expected if number == len(commands) else 0)
        else:
            assert part.language in _PROSE, f"a block of `{part.language}` that nothing checks"

    def _path(self, name: str) -> Path:
        if name.startswith("~/"):
            return self.tool.home / name[2:]
        return self.tool.cwd / name

    def _run(self, command: str, output: list[str] | None = None, expected: int = 0) -> None:
        words = shlex.split(command, comments=True)
        if words[0] != "haha-config":
            _foreign(words)
            return
        done = self.tool(*words[1:], COLUMNS="100")
        if done.code == 1 and f"port {GATEWAY} is taken" in done.err:
            # A gateway of the developer's own.
            self.port = loopback.free_port(GATEWAY + 1)
            done = self.tool(*words[1:], "--port", str(self.port), COLUMNS="100")
        printed = done.out + done.err
        assert done.code == expected, f"{command}: exit {done.code}:\n{printed}"
        if output:
            shown = printed.replace(str(self.tool.home), "/home/you")
            pattern = r"\n".join(r"(?:.*\n)*?.*" if o == "…" else re.escape(o) for o in output)
            assert re.fullmatch(pattern, shown.rstrip("\n")), f"{command} prints:\n{shown}"


def _commands(part: Part) -> Iterator[tuple[str, list[str]]]:
    """Each command of a block with the output that the page shows for it."""
    text = part.text.replace("\\\n", "")
    if part.language == "sh":
        for line in text.splitlines():
            if line.strip() and not line.startswith("#"):
                yield line, []
        return
    head, *rest = re.split(r"^\$ ", text, flags=re.MULTILINE)
    assert not head.strip(), f"output before the first command: {head}"
    for each in rest:
        command, *output = each.rstrip("\n").split("\n")
        yield command, output


def _foreign(words: list[str]) -> None:
    """A command of somebody else's: one that is known to the tests."""
    line = " ".join(words)
    task = words[1] if words[0] == "make" else words[-1]
    ours = words[0] == "make" or line.startswith("python3 -m tasks ")
    assert line in FOREIGN or (ours and task in tasks.TASKS), f"unknown command: {line}"


def _any_key(text: str) -> str:
    """The master key is made at random."""
    return re.sub(r"sk-(?:[0-9a-f]{48}|<48 hex digits>)", "sk-RANDOM", text)
