"""LiteLLM's installation, from the hash locks that ship with haha-config.

Nothing is resolved by name and nothing is built: wheels only, each by its hash. uv does it in
seconds: the one on PATH, else one that is brought along for the time of the installation. Where
uv can't be had or fails, pip does it: the one of this Python, else the one that `venv` has.
"""

from __future__ import annotations

import ast
import contextlib
import os
import queue
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from haha_config.core.errors import HahaError
from haha_config.core.messages import Message, msg
from haha_config.core.state.machine import UNFINISHED
from haha_config.io.files import reason

if TYPE_CHECKING:
    import subprocess

#: Both locks are complete, so that no installer has anything to look up.
_BY_HASH: Final = ("--no-deps", "--require-hashes", "--only-binary", ":all:")
_PIP_QUIET: Final = ("--disable-pip-version-check", "--no-input", "--progress-bar", "off")


class Progress(NamedTuple):
    """How far an installer has come: packages done of all, and bytes fetched, where it says so."""

    stage: Literal["fetch", "install"]
    done: int = 0
    total: int | None = None
    size: int = 0


class Locks(NamedTuple):
    """The requirement files with hashes: LiteLLM with all it needs, and uv for every platform."""

    litellm: Path
    uv: Path


class NotInstalled(HahaError):
    """LiteLLM could not be installed; `said` is all that the installers said."""

    def __init__(
        self, what: Message, said: Sequence[str], hints: tuple[Message | str, ...] = ()
    ) -> None:
        super().__init__(what, hints=hints)
        self.said = tuple(said)


class _Failed(Exception):
    """An installer ended with an error."""


def install(
    folder: Path,
    locks: Locks,
    environ: Mapping[str, str],
    watch: Callable[[Progress], None],
    uv: str | None = None,
) -> None:
    """Make an environment with LiteLLM in `folder`, which is emptied first.

    `uv` is the one of this machine, if it has one. Whatever ends this early, a Ctrl-C too, nothing
    is left of the attempt. Raises NotInstalled.
    """
    attempt = _Attempt(folder, locks, environ, watch)
    whole = False
    try:
        shutil.rmtree(folder, ignore_errors=True)
        attempt.work.mkdir(parents=True)
        attempt.run([*_PYTHON, "-m", "venv", "--without-pip", str(folder)])
        attempt.fill(uv)
        whole = True
    except _Failed:
        _, what, hints = _cause(attempt.said)
        raise NotInstalled(what, attempt.said, hints) from None
    except OSError as error:
        why = msg("LiteLLM was not installed: {why}", why=reason(error))
        raise NotInstalled(why, attempt.said) from None
    finally:
        if not whole:
            shutil.rmtree(folder, ignore_errors=True)


class _Attempt:
    """One installation: what was said so far, and how far it is."""

    def __init__(
        self,
        folder: Path,
        locks: Locks,
        environ: Mapping[str, str],
        watch: Callable[[Progress], None],
    ) -> None:
        self.folder, self.locks, self.watch = folder, locks, watch
        self.work = folder / UNFINISHED
        self.python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        self.environ = _plain_environ(environ)
        self.said: list[str] = []
        self.progress = Progress("fetch")

    def fill(self, uv: str | None) -> None:
        """Install LiteLLM by uv, or by pip where uv can't."""
        if not (uv and self.run_quietly([uv, "--version"])):
            uv = self.bring_uv()
        if uv is None or not self.by_uv(uv):
            self.by_pip()
        program = self.python.with_name("litellm.exe" if os.name == "nt" else "litellm")
        if not program.exists():
            self.said.append(f"no {program}")
            raise _Failed
        shutil.rmtree(self.work)

    def bring_uv(self) -> str | None:
        """Fetch uv into the folder; None where this Python has no pip, or no index has uv."""
        target = self.work / "uv"
        try:
            self.run(
                [
                    *(*_PYTHON, "-m", "pip", "install", *_PIP_QUIET, *_BY_HASH, "--no-compile"),
                    *("--target", str(target), "-r", str(self.locks.uv)),
                ]
            )
        except _Failed:
            return None
        name = "uv.exe" if os.name == "nt" else "uv"
        return next((str(p) for p in target.glob(f"*/{name}") if p.is_file()), None)

    def by_uv(self, uv: str) -> bool:
        """Whether uv could do it. Wrong bytes and a full disk end the installation."""
        settings = self.run_quietly([*_PYTHON, "-m", "pip", "config", "list"])
        environ = uv_environ(pip_settings(settings), self.environ)
        if Path(uv).is_relative_to(self.work):
            environ["UV_CACHE_DIR"] = str(self.work / "cache")
        cache = self.run_quietly([uv, "cache", "dir"], environ).strip()
        wheels = _Wheels(Path(cache) if cache else self.work)

        def hear(line: str) -> None:
            if counted := _UV_TOTAL.match(line):
                self.tell(self.progress._replace(total=int(counted[1])))
            elif line.startswith("Prepared "):
                self.tell(self.progress._replace(stage="install", done=0))
            elif fetched := wheels.fetched(line):
                self.tell(self.progress._replace(size=self.progress.size + fetched))

        def tick() -> None:
            if self.progress.stage == "fetch":
                self.tell(self.progress._replace(done=wheels.unpacked()))
            else:
                self.count_unpacked()

        where = ("--python", str(self.python), "-r", str(self.locks.litellm))
        try:
            self.run([uv, "pip", "install", *_BY_HASH, *where], environ, hear, tick)
        except _Failed:
            if _cause(self.said)[0] in _FINAL:
                raise
            self.progress = Progress("fetch")
            return False
        return True

    def by_pip(self) -> None:
        total = len(re.findall(r"^\w", self.locks.litellm.read_text(encoding="utf-8"), re.M))
        self.tell(self.progress._replace(total=total))

        def hear(line: str) -> None:
            if line.startswith("Ignoring "):
                self.tell(self.progress._replace(total=(self.progress.total or 0) - 1))
            elif line.startswith(("Collecting ", "Processing ")):
                self.tell(self.progress._replace(done=self.progress.done + 1))
            elif line.startswith("Installing collected "):
                self.tell(self.progress._replace(stage="install", done=0))
            elif sized := _PIP_SIZE.search(line):
                self.tell(
                    self.progress._replace(size=self.progress.size + _bytes(sized[1], sized[2]))
                )

        def tick() -> None:
            if self.progress.stage == "install":
                self.count_unpacked()

        # Bytecode is made by the first start, of the tenth that it needs.
        self.run(
            [
                *(*self.pip(), "install", *_PIP_QUIET, *_BY_HASH, "--no-compile"),
                *("-r", str(self.locks.litellm)),
            ],
            None,
            hear,
            tick,
        )

    def pip(self) -> tuple[str, ...]:
        """The pip of this Python, told to install into the folder; else one made in the folder."""
        own = (*_PYTHON, "-m", "pip", "--python", str(self.python))
        if self.run_quietly([*own, "--version"]):
            return own
        self.run([str(self.python), "-P", "-m", "ensurepip"])
        return (str(self.python), "-P", "-m", "pip")

    def count_unpacked(self) -> None:
        found = len(list(_packages(self.folder).glob("*.dist-info")))
        self.tell(self.progress._replace(done=found))

    def tell(self, progress: Progress) -> None:
        if progress != self.progress:
            self.progress = progress
            self.watch(progress)

    def run(
        self,
        command: Sequence[str],
        environ: Mapping[str, str] | None = None,
        hear: Callable[[str], None] = lambda _line: None,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        """Run one step; `hear` gets its lines, `tick` is called a few times a second.

        Raises _Failed where it ends with an error.
        """

        import subprocess
        from threading import Thread

        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        with subprocess.Popen(
            list(command),
            env=dict(environ or self.environ),
            cwd=self.folder.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as running:
            reader = Thread(target=_read, args=(running, lines), daemon=True)
            reader.start()
            line: str | None = ""
            try:
                while line is not None:
                    with contextlib.suppress(queue.Empty):
                        line = lines.get(timeout=0.2)
                        if line is not None:
                            self.said.append(line)
                            hear(line)
                    tick()
            except BaseException:
                # Nothing of the installer goes on after us.
                running.terminate()
                # The pipe ends when the last process that writes to it has ended.
                reader.join(timeout=10)
                running.kill()
                raise
        if running.returncode != 0:
            raise _Failed

    def run_quietly(self, command: Sequence[str], environ: Mapping[str, str] | None = None) -> str:
        """What a step prints, which nobody needs to see; "" where it fails."""
        import subprocess

        try:
            done = subprocess.run(
                list(command),
                env=dict(environ or self.environ),
                cwd=self.folder.parent,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )
        except OSError:
            return ""
        return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


#: Its own folder of modules comes first, never the current folder: `pip.py` may lie there.
_PYTHON: Final = (sys.executable, "-P")


def _read(running: subprocess.Popen[str], lines: queue.SimpleQueue[str | None]) -> None:
    assert running.stdout is not None  # noqa: S101 - a pipe was asked for
    for line in running.stdout:
        lines.put(line.rstrip())
    lines.put(None)


# --- what the installers are told ------------------------------------------------------------

#: Would send packages elsewhere, or run modules that are not the installer's own.
_DROPPED: Final = frozenset(
    {
        *("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "CONDA_PREFIX"),
        *("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_DRY_RUN"),
        *("UV_TARGET", "UV_PREFIX", "UV_SYSTEM_PYTHON", "UV_PYTHON"),
    }
)


def _plain_environ(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if name not in _DROPPED}
    return {
        **kept,
        "PIP_USER": "0",
        "PIP_REQUIRE_VIRTUALENV": "0",
        "NO_COLOR": "1",
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
    }


def pip_settings(listed: str) -> dict[str, str]:
    """`pip config list` as names and values; what is said for one command or by a variable wins."""
    by_section: dict[str, dict[str, str]] = {}
    for line in listed.splitlines():
        name, equals, text = line.partition("=")
        section, _, key = name.rpartition(".")
        with contextlib.suppress(ValueError, SyntaxError):
            if equals:
                by_section.setdefault(section, {})[key] = str(ast.literal_eval(text))
    sections = ("global", "install", ":env:")
    return {k: v for section in sections for k, v in by_section.get(section, {}).items()}


#: What uv calls the settings of pip. In variables, since an index may have a password in its URL.
_FOR_UV: Final = (
    ("find-links", "UV_FIND_LINKS", ","),
    ("no-index", "UV_NO_INDEX", " "),
    ("trusted-host", "UV_INSECURE_HOST", " "),
    ("cert", "SSL_CERT_FILE", " "),
    ("client-cert", "SSL_CLIENT_CERT", " "),
    ("proxy", "HTTPS_PROXY", " "),
    ("timeout", "UV_HTTP_TIMEOUT", " "),
    ("default-timeout", "UV_HTTP_TIMEOUT", " "),
)

_UV_INDEXES: Final = frozenset(
    {"UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL"}
)
_PYPI: Final = "https://pypi.org/simple"


def uv_environ(settings: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with pip's settings for uv, which does not read them itself.

    A variable that is set already stays. With hashes it is safe to take a version from whichever
    index has it, as pip does.
    """
    handed = {
        variable: between.join(settings[name].split())
        for name, variable, between in _FOR_UV
        if settings.get(name)
    }
    if not environ.keys() & _UV_INDEXES:
        handed |= _indexes(settings)
    own = {
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        # Two names of one thing, by version: the certificates of this system count.
        "UV_SYSTEM_CERTS": "true",
        "UV_NATIVE_TLS": "true",
    }
    return {**own, **handed, **environ}


def _indexes(settings: Mapping[str, str]) -> dict[str, str]:
    """The indexes in pip's order. uv would ask the default one last.

    Of a version that two indexes have, uv sees the files of the first only: an extra index may
    lack the wheel for this platform.
    """
    extra = settings.get("extra-index-url", "").split()
    index = settings.get("index-url", "").strip()
    *first, last = (index or _PYPI, *extra)
    if not (index or extra):
        return {}
    return {"UV_INDEX_URL": last} | ({"UV_EXTRA_INDEX_URL": " ".join(first)} if first else {})


# --- what the installers say -----------------------------------------------------------------

_UV_TOTAL: Final = re.compile(r"Resolved (\d+) packages?")
_UV_FETCHES: Final = re.compile(r"\s*Downloading (\S+) \(([\d.]+) ?(\w+)\)")
_UV_FETCHED: Final = re.compile(r"\s*Downloaded (\S+)")
_PIP_SIZE: Final = re.compile(r"(?:Downloading|Using cached) .*\(([\d.]+) (\w+)\)")
_UNITS: Final = {"K": 10, "M": 20, "G": 30}


class _Wheels:
    """The wheels that uv fetches: it names only the large ones, its cache shows them all."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.sizes: dict[str, int] = {}
        self.before = self.count()

    def count(self) -> int:
        total = 0
        for folder in self.cache.glob("archive-v*"):
            with contextlib.suppress(OSError):
                total += len(os.listdir(folder))  # noqa: PTH208 - thousands of names, no Path each
        return total

    def unpacked(self) -> int:
        return max(0, self.count() - self.before)

    def fetched(self, line: str) -> int:
        """The bytes of a wheel, once a line says that it has arrived."""
        if begun := _UV_FETCHES.match(line):
            self.sizes[begun[1]] = _bytes(begun[2], begun[3])
        elif ended := _UV_FETCHED.match(line):
            return self.sizes.pop(ended[1], 0)
        return 0


def _bytes(number: str, unit: str) -> int:
    return round(float(number) * (1 << _UNITS.get(unit[:1].upper(), 0)))


def _packages(folder: Path) -> Path:
    if os.name == "nt":
        return folder / "Lib" / "site-packages"
    return next((folder / "lib").glob("python3*/site-packages"), folder)


#: What an installer's words mean: a name, the words, why it failed, what to type.
_CAUSES: Final[tuple[tuple[str, str, Message, tuple[Message | str, ...]], ...]] = (
    (
        "hash",
        r"hash mismatch|do not match the hashes",
        msg("a package has another hash than expected"),
        (msg("use another package index"),),
    ),
    (
        "space",
        r"no space left|os error 28|errno 28|disk quota",
        msg("the disk is full, and LiteLLM needs about 1 GB"),
        (),
    ),
    (
        "venv",
        r"ensurepip|no module named '?venv",
        msg("this Python has neither pip nor uv"),
        ("sudo apt install python3-venv",),
    ),
    (
        "certificate",
        r"certificate_verify_failed|invalid peer certificate|unknownissuer",
        msg("the package index has an untrusted certificate"),
        (msg("name your certificates: SSL_CERT_FILE=FILE haha-config proxy install"),),
    ),
    (
        "network",
        r"failed to establish a new connection|name resolution|dns error|error sending request"
        r"|failed to fetch|connection refused|timed out|network is unreachable",
        msg("can't reach the package index"),
        (msg("behind a proxy: HTTPS_PROXY=URL haha-config proxy install"),),
    ),
)
#: Nothing that another installer could do better.
_FINAL: Final = frozenset({"hash", "space"})


def _cause(said: Sequence[str]) -> tuple[str, Message, tuple[Message | str, ...]]:
    """The name of what went wrong, what to say of it and what to type."""
    text = "\n".join(said)
    for name, pattern, what, hints in _CAUSES:
        if re.search(pattern, text, re.IGNORECASE):
            return name, msg("LiteLLM was not installed: {why}", why=what), hints
    return "", msg("LiteLLM was not installed"), ()
