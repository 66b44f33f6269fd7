"""Every command in the pages is run, every file in them compared, every link followed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from haha_config.core.providers.table import load
from haha_config.io import templates
from tasks import TASKS
from tests.documents import KEY, KEYS, Part, Reader, parts

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")
#: Made from the code and checked for freshness elsewhere; their commands have placeholders.
GENERATED = ("providers", "providers.md", "rules.md", "cli.md")
#: Pages that a reader could follow.
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*READMES, *DOCS.rglob("*.md"))
    if path.relative_to(DOCS if DOCS in path.parents else ROOT).parts[0] not in GENERATED
)
TEXTS = sorted((*READMES, ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")))


@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_says_is_what_happens(name: str, tmp_path: Path) -> None:
    Reader(name, tmp_path).follow((ROOT / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(p.name for p in (DOCS / "providers").glob("*.md")))
def test_the_command_of_a_provider_page_works(name: str, tmp_path: Path) -> None:
    page = (DOCS / "providers" / name).read_text(encoding="utf-8")
    command = next(part.text for part in parts(page) if part.language == "sh").strip()
    filled = command.replace(" URL", " http://127.0.0.1:9/v1").replace(" MODEL", " some-model")
    if "custom-openai" not in command:
        filled = filled.replace(":9/v1", ":9")
    variables = " ".join(set(re.findall(r"\b[A-Z0-9]+(?:_[A-Z0-9]+)*_(?:KEY|TOKEN)\b", page)))
    if name == "litellm.md":
        variables = "DEEPSEEK_API_KEY"
    Reader(name, tmp_path).follow(f"<!-- session: {variables} -->\n```sh\n{filled} --yes\n```\n")


def test_a_wrong_page_is_noticed(tmp_path: Path) -> None:
    wrong = (
        "```sh\nhaha-config frobnicate\n```\n",
        "```sh\nfrobnicate\n```\n",
        "```sh\nmake frobnicate\n```\n",
        "```console\n$ haha-config --version\nhaha-config 0.0.0\n```\n",
        "<!-- exit: 1 -->\n```sh\nhaha-config --version\n```\n",
        "<!-- write: a -->\n```text\none\n```\n<!-- file: a -->\n```text\ntwo\n```\n",
        "```what\n```\n",
    )
    for number, text in enumerate(wrong):
        with pytest.raises(AssertionError, match=r"^page:\d"):
            Reader("page", tmp_path / str(number)).follow(text)


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("README.md", "README.zh-CN.md"),
        ("docs/guide.md", "docs/zh/guide.md"),
        ("docs/tutorial.md", "docs/zh/tutorial.md"),
    ],
)
def test_a_chinese_page_has_the_same_commands_files_and_proofs(english: str, chinese: str) -> None:
    def code(name: str) -> list[tuple[str, str, str]]:
        text = (ROOT / name).read_text(encoding="utf-8")
        return [(p.verb, p.language, p.text) for p in parts(text) if not _prose(p)]

    def links(name: str) -> set[str]:
        """The tests and pages that are named as a proof."""
        text = (ROOT / name).read_text(encoding="utf-8")
        return set(re.findall(r"\]\((tests/[^)]+)\)", text))

    assert code(chinese) == code(english)
    assert links(chinese) == links(english)


def _prose(part: Part) -> bool:
    """A picture in letters may be translated, and so may a reason."""
    return part.language == "text" or part.verb == "not run"


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\((?!https?:|mailto:)([^)#\s]+)", text)
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_page_of_profiles_names_who_takes_a_key_from_a_keyring() -> None:
    rows = load(templates.provider_texts()).values()
    page = (DOCS / "profiles.md").read_text(encoding="utf-8")
    (said,) = re.findall(r"is known to take both: (.*?)\.", page, re.DOTALL)
    names = [name.removeprefix("somebody's ") for name in " ".join(said.split()).split(", ")]
    assert names == [row.name for row in rows if row.credential.either]


def test_make_knows_every_task_and_pages_name_no_other() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (known,) = re.findall(r"^TASKS = (.*)$", makefile, re.MULTILINE)
    assert known.split() == list(TASKS)
    for path in TEXTS:
        named = re.findall(
            r"`make ([a-z0-9-]+)`|-m tasks ([a-z][a-z0-9-]*)", path.read_text("utf-8")
        )
        assert [one for pair in named if (one := "".join(pair)) not in TASKS] == [], path.name


def test_no_page_holds_a_key_that_could_be_real() -> None:
    found = set()
    for path in TEXTS:
        text = path.read_text(encoding="utf-8")
        found |= set(re.findall(r"\b(?:sk|cpk)[-_][\w.-]*\d[\w.-]{14,}", text))
    assert found <= {KEY, *KEYS.values()}


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is needed")
def test_the_pictures_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "pictures.py"), "--check"],
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": os.environ["HOME"]},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
