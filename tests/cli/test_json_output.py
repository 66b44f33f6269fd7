"""Each command's JSON has the shape that docs/json.md gives it; `Tool` checks every one."""

from __future__ import annotations

import pytest

from tests.cli.tool import Tool
from tools.json_shapes import SHAPES, checked

KEY = {"MINIMAX_API_KEY": "sk-test-0123456789abcdef01234567"}


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Tool:
    """A set-up that was written, with a profile."""
    root = tmp_path_factory.mktemp("json")
    for name in ("home", "work"):
        (root / name).mkdir()
    tool = Tool(home=root / "home", cwd=root / "work", environ=KEY)
    for words in (("init", "--provider", "minimax", "--yes"), ("profile", "save", "mine")):
        done = tool(*words)
        assert done.code == 0, done.err
    return tool


RUNS = {
    "init": ("init", "--provider", "minimax", "--yes", "--dry-run"),
    "validate": ("validate",),
    "validate --list": ("validate", "--list"),
    "validate --explain": ("validate", "--explain", "URL002"),
    "validate --fix": ("validate", "--fix", "--yes"),
    "switch-model": ("switch-model", "other", "--unlisted", "--dry-run"),
    "show": ("show",),
    "models": ("models",),
    "probe": ("probe", "--yes"),
    "use": ("use", "mine", "--yes", "--dry-run"),
    "profile save": ("profile", "save", "another"),
    "profile list": ("profile", "list"),
    "profile show": ("profile", "show", "mine"),
    "profile import": ("profile", "import", "ccs"),
    "profile remove": ("profile", "remove", "mine", "--yes", "--dry-run"),
    "proxy check": ("proxy", "check"),
    "proxy status": ("proxy", "status"),
    "undo": ("undo", "--yes", "--dry-run"),
    "undo --list": ("undo", "--list"),
    "providers": ("providers",),
    "trust": ("trust", "--yes"),
    "trust --list": ("trust", "--list"),
    "trust --forget": ("trust", "--forget", "/nowhere"),
}


REFUSED = {"proxy check"}


@pytest.mark.parametrize("name", RUNS)
def test_a_result_or_a_refusal_has_its_shape(tool: Tool, name: str) -> None:
    done = tool(*RUNS[name], "--format", "json", HTTPS_PROXY="http://127.0.0.1:1")
    assert done.json["version"] == 1, done.err
    assert ("error" in done.json) == (name in REFUSED), done.json


def test_every_command_is_run() -> None:
    assert set(SHAPES) <= set(RUNS)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"version": 1, "writes": [{"id": 1}]}, r"\$\.writes\[0\]"),
        ({"version": 2, "writes": []}, r"\$\.version"),
        ({"version": 1, "writes": [], "more": 1}, "more"),
        ({"version": 1, "error": {"message": "no"}}, r"\$\.error"),
    ],
)
def test_another_shape_is_named_with_its_path(data: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        checked(("undo", "--list"), data)
