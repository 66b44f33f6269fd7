"""The installer with real pip, from a folder of small wheels made here: nothing is fetched."""

from __future__ import annotations

import hashlib
import os
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path

import pytest

from haha_config.core.state.machine import UNFINISHED
from haha_config.io import installer
from haha_config.io.i18n import english
from haha_config.io.installer import Locks, NotInstalled, Progress

WRONG = "0" * 64


def make_wheel(folder: Path, name: str, script: str = "") -> str:
    """A wheel of one module, with a program if `script` names one; its sha256."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": "def main():\n    print('it runs')\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if script:
        files[f"{info}/entry_points.txt"] = f"[console_scripts]\n{script} = {name}:main\n"
    listed = [f"{path},{_digest(text)},{len(text)}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*listed, f"{info}/RECORD,,"]) + "\n"
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        for path, text in files.items():
            packed.writestr(path, text)
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def _digest(text: str) -> str:
    found = hashlib.sha256(text.encode()).digest()
    return "sha256=" + urlsafe_b64encode(found).rstrip(b"=").decode()


class Bench:
    """A folder of wheels as the only index, the locks over them, and a folder to fill."""

    def __init__(self, base: Path) -> None:
        self.wheels = base / "wheels"
        self.wheels.mkdir()
        self.folder = base / "data" / "litellm-1.0"
        self.hashes = {
            "litellm": make_wheel(self.wheels, "litellm", script="litellm"),
            "other": make_wheel(self.wheels, "other"),
        }
        self.locks = Locks(litellm=base / "litellm.txt", uv=base / "uv.txt")
        self.lock()
        # No wheel of that name is there: this is how a machine looks for which there is no uv.
        self.locks.uv.write_text(f"uv==0.0.1 --hash=sha256:{WRONG}\n")
        self.seen: list[Progress] = []

    @property
    def environ(self) -> Mapping[str, str]:
        return {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels)}

    def lock(self, **hashes: str) -> None:
        lines = [f"{n}==1.0 --hash=sha256:{h}" for n, h in {**self.hashes, **hashes}.items()]
        never = f"never==1.0 ; python_version < '3.0' --hash=sha256:{WRONG}"
        self.locks.litellm.write_text("\n".join([*lines, never]) + "\n")

    def install(self) -> None:
        installer.install(self.folder, self.locks, self.environ, self.seen.append)

    def program(self) -> Path:
        inside = "Scripts/litellm.exe" if os.name == "nt" else "bin/litellm"
        return self.folder / inside


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_without_uv_pip_installs_from_the_lock(bench: Bench) -> None:
    bench.install()

    assert bench.program().exists()
    assert not (bench.folder / UNFINISHED).exists()
    assert bench.seen[-1].total == 2, "the package for another Python is not counted"
    assert max(p.done for p in bench.seen if p.stage == "fetch") == 2


def test_a_package_with_another_hash_is_refused_in_the_installers_own_words(bench: Bench) -> None:
    bench.lock(other=WRONG)

    with pytest.raises(NotInstalled) as caught:
        bench.install()

    said = "\n".join(caught.value.said)
    assert WRONG in said
    assert bench.hashes["other"] in said
    assert "another hash" in english(caught.value.what)
    assert not bench.folder.exists()


def test_a_package_that_no_index_has_is_named(bench: Bench) -> None:
    (bench.wheels / "other-1.0-py3-none-any.whl").unlink()

    with pytest.raises(NotInstalled) as caught:
        bench.install()

    assert any("other==1.0" in line for line in caught.value.said)
    assert not bench.folder.exists()


@pytest.mark.parametrize("stage", ["fetch", "install"])
def test_ctrl_c_leaves_nothing(bench: Bench, stage: str) -> None:
    def interrupted(progress: Progress) -> None:
        if progress.stage == stage and progress.total == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        installer.install(bench.folder, bench.locks, bench.environ, interrupted)

    assert not bench.folder.exists()
    assert list(bench.folder.parent.iterdir()) == []


def test_what_was_there_before_is_replaced(bench: Bench) -> None:
    old = bench.folder / "lib" / "old.py"
    old.parent.mkdir(parents=True)
    old.touch()

    bench.install()

    assert not old.exists()


def test_modules_of_the_current_folder_are_not_run(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    canary = tmp_path / "ran"
    for name in ("pip.py", "venv.py", "ensurepip.py"):
        (project / name).write_text(f"open({str(canary)!r}, 'w')\n")
    monkeypatch.chdir(project)
    environ = {**bench.environ, "PYTHONPATH": str(project)}

    installer.install(bench.folder, bench.locks, environ, bench.seen.append)

    assert bench.program().exists()
    assert not canary.exists()


PIP_LIST = r"""
:env:.cert='/etc/ca.pem'
global.cert='/other.pem'
global.extra-index-url='\nhttps://one.example/simple\nhttps://two.example/simple'
global.index-url='https://user:secret@index.example/simple'
install.index-url='https://install.example/simple'
download.index-url='https://download.example/simple'
not a setting
broken='
"""


def test_pip_settings_are_read_as_pip_weighs_them() -> None:
    settings = installer.pip_settings(PIP_LIST)

    assert settings["cert"] == "/etc/ca.pem"
    assert settings["index-url"] == "https://install.example/simple"
    assert settings["extra-index-url"].split() == [
        "https://one.example/simple",
        "https://two.example/simple",
    ]


@pytest.mark.parametrize(
    ("settings", "environ", "expected"),
    [
        ({"index-url": "https://a/simple"}, {}, {"UV_INDEX_URL": "https://a/simple"}),
        (
            {"index-url": "https://a/simple"},
            {"UV_INDEX_URL": "https://mine/simple"},
            {"UV_INDEX_URL": "https://mine/simple"},
        ),
        (
            {"index-url": "https://a/simple"},
            {"UV_DEFAULT_INDEX": "https://mine/simple"},
            {"UV_DEFAULT_INDEX": "https://mine/simple"},
        ),
        (
            {"extra-index-url": "\nhttps://b/simple\nhttps://c/simple"},
            {},
            {
                "UV_EXTRA_INDEX_URL": "https://pypi.org/simple https://b/simple",
                "UV_INDEX_URL": "https://c/simple",
            },
        ),
        (
            {"index-url": "https://a/simple", "extra-index-url": "https://b/simple"},
            {},
            {"UV_EXTRA_INDEX_URL": "https://a/simple", "UV_INDEX_URL": "https://b/simple"},
        ),
        ({"find-links": "/one\n/two"}, {}, {"UV_FIND_LINKS": "/one,/two"}),
        ({"cert": "/ca.pem"}, {"SSL_CERT_FILE": "/own"}, {"SSL_CERT_FILE": "/own"}),
        ({"cert": "/ca.pem"}, {}, {"SSL_CERT_FILE": "/ca.pem"}),
        ({"constraint": "/c.txt", "index-url": ""}, {}, {}),
    ],
)
def test_uv_is_told_what_pip_knows(
    settings: dict[str, str], environ: dict[str, str], expected: dict[str, str]
) -> None:
    told = installer.uv_environ(settings, environ)

    always = {"UV_INDEX_STRATEGY", "UV_SYSTEM_CERTS", "UV_NATIVE_TLS"}
    assert {n: v for n, v in told.items() if n not in always} == expected
    assert always <= told.keys()
