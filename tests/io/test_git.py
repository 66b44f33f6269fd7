"""How a file stands in git, asked of the real git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from haha_config.io import git
from haha_config.io.git import Standing


def run_git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=test", "-c", "user.email=test@example.com")
    subprocess.run(("git", *who, *words), cwd=folder, check=True, capture_output=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "sub").mkdir(parents=True)
    run_git(folder, "init", "-q")
    for name in ("committed", "changed", "added", "ignored", "loose", "dropped", "sub/deep"):
        (folder / name).write_text("x\n", encoding="utf-8")
    (folder / ".gitignore").write_text("/ignored\nsub/\n", encoding="utf-8")
    run_git(folder, "add", "committed", "changed", "dropped")
    run_git(folder, "commit", "-q", "-m", "first")
    run_git(folder, "add", "added")
    run_git(folder, "rm", "-q", "--cached", "dropped")
    (folder / "changed").write_text("y\n", encoding="utf-8")
    return folder


def test_standings(tree: Path) -> None:
    wanted = {
        "committed": Standing(tracked=True, committed=True, ignored=False),
        "changed": Standing(tracked=True, committed=True, ignored=False),
        "added": Standing(tracked=True, committed=False, ignored=False),
        "dropped": Standing(tracked=False, committed=True, ignored=False),
        "ignored": Standing(tracked=False, committed=False, ignored=True),
        "sub/deep": Standing(tracked=False, committed=False, ignored=True),
        "loose": Standing(tracked=False, committed=False, ignored=False),
    }
    found = git.standings(str(tree / name) for name in (*wanted, "absent"))
    assert found == {str(tree / name): standing for name, standing in wanted.items()}


def test_links_are_followed(tree: Path, tmp_path: Path) -> None:
    link = tmp_path / "settings.json"
    link.symlink_to(tree / "committed")
    assert git.standings([str(link)])[str(link)].committed


def test_outside_of_a_work_tree_nothing_is_known(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert git.standings([str(tmp_path / "file")]) == {}
    assert git.exclusion(str(tmp_path / "file")) is None


@pytest.fixture
def started(tmp_path: Path) -> Path:
    """What a program of the repository's would leave behind; `hook` beside it is that program."""
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path / 'started'}\n", encoding="utf-8")
    hook.chmod(0o755)
    return tmp_path / "started"


def ask_everything(tree: Path) -> None:
    names = ("committed", "changed", "added", "ignored", "loose", "dropped", "sub/deep")
    assert git.standings(str(tree / name) for name in names)
    for name in (*names, "absent"):
        assert git.exclusion(str(tree / name)) is not None


@pytest.mark.parametrize(
    "settings",
    [
        {"core.fsmonitor": "HOOK"},
        {"filter.x.clean": "HOOK", "filter.x.smudge": "HOOK"},
        {"filter.x.process": "HOOK", "filter.x.required": "true"},
        {"diff.x.textconv": "HOOK", "diff.external": "HOOK"},
        {"core.pager": "HOOK", "pager.ls-files": "HOOK", "core.editor": "HOOK"},
        {"core.hooksPath": "HOOKS"},
        {"alias.ls-files": "!HOOK", "alias.ls-tree": "!HOOK", "alias.check-ignore": "!HOOK"},
        {"core.askPass": "HOOK", "core.sshCommand": "HOOK", "core.gitProxy": "HOOK"},
    ],
)
@pytest.mark.parametrize("included", [False, True])
def test_a_repository_starts_no_program_of_its_own(
    tree: Path, started: Path, settings: dict[str, str], included: bool
) -> None:
    hook = started.parent / "hook"
    hooks = started.parent / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "reference-transaction", "post-checkout"):
        (hooks / name).symlink_to(hook)
    (tree / ".gitattributes").write_text("* filter=x diff=x\n", encoding="utf-8")
    where = () if not included else ("-f", str(tree / "more.config"))
    for name, value in settings.items():
        value = value.replace("HOOKS", str(hooks)).replace("HOOK", str(hook))
        run_git(tree, "config", *where, name, value)
    if included:
        run_git(tree, "config", "include.path", str(tree / "more.config"))
    index = (tree / ".git" / "index").read_bytes()
    ask_everything(tree)
    assert not started.exists()
    assert (tree / ".git" / "index").read_bytes() == index


def test_what_a_partial_clone_lacks_is_not_fetched(
    tree: Path, tmp_path: Path, started: Path
) -> None:
    run_git(tree, "config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    run_git(tmp_path, "clone", "-q", "--no-checkout", "--filter=tree:0", tree.as_uri(), str(clone))
    run_git(clone, "config", "remote.origin.uploadpack", str(started.parent / "hook"))
    (clone / "loose").write_text("x", encoding="utf-8")
    assert git.standings([str(clone / "loose")])
    assert not started.exists()


def test_a_git_that_the_repository_brings_is_not_run(
    tree: Path, started: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "bin").mkdir()
    (tree / "bin" / "git").symlink_to(started.parent / "hook")
    path = os.environ["PATH"]
    monkeypatch.setenv("PATH", os.pathsep.join((str(tree / "bin"), ".", "bin", "", path)))
    monkeypatch.chdir(tree)
    ask_everything(tree)
    assert not started.exists()


@pytest.mark.parametrize("name", [".env", "new/.env", "a [b]*.env", "ends in a blank "])
def test_the_line_excludes_the_file_and_no_other(tree: Path, name: str) -> None:
    path = tree / name
    path.parent.mkdir(exist_ok=True)
    found = git.exclusion(str(path))
    assert found is not None
    assert (found.tracked, found.ignored) == (False, False)
    with found.exclude.open("a", encoding="utf-8") as exclude:
        exclude.write(found.line + "\n")
    again = git.exclusion(str(path))
    assert again is not None
    assert again.ignored
    other = git.exclusion(str(tree / "other.env"))
    assert other is not None
    assert not other.ignored
