"""The interview in Chinese, without colours, at every width, resized in the middle of questions."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import wcwidth

from tests.terminal.screen import ctrl
from tests.terminal.stories import Person, Screen, ollama, person

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal of POSIX")

WIDTHS = [40, 60, 80, 200]
GUIDE = """\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
      api_key: os.environ/SOME_API_KEY
"""
KEY = "sk-proj-test0123456789abcdef"
PROVIDER, ANOTHER, CALLS = (
    "由哪个服务商来回答？",
    "网关背后还要加一个模型吗？",
    "网关调用哪个服务商？",
)
MODEL, START, WRITE = "用 Ollama 的哪个模型？", "客户端启动时用哪一个？", "写入吗？"
SECRET, CHANGE = "SOME_API_KEY 的 API 密钥？", "要修改什么？"
COLOUR = re.compile(rb"\x1b\[(?:\d+;)*(?:3|9)[0-7]m")
#: A sentence has three words in a row that begin with no capital and are no name.
ENGLISH = re.compile(r"(?<![\w/.:@=-])[a-z]{2,} [a-z]{2,} [a-z]{2,}(?![\w/.:@=-])")


@pytest.fixture
def who(tmp_path: Path) -> Iterator[Person]:
    made = person(tmp_path)
    (made.work / "litellm_config.yaml").write_text(GUIDE)
    with ollama(made, "llama3:8b", "qwen3-coder:30b"):
        yield made


def start(who: Person, columns: int) -> Screen:
    return who.init("--lang", "zh", columns=columns, rows=30, NO_COLOR="1", OPENAI_API_KEY=KEY)


def check(screen: Screen, columns: int) -> None:
    """No line of the question is wider than the screen or torn, and none is English.

    What stands above it was cut by the terminal when that became narrower.
    """
    for line in _last(screen.text()):
        assert wcwidth.wcswidth(line) <= columns, line
        assert not ENGLISH.search(line), line
        assert "\ufffd" not in line


def asked(screen: Screen, question: str, columns: int) -> None:
    """The question, checked as it is and after the terminal was made narrower and wide again."""
    screen.question(question)
    check(screen, columns)
    for width in (columns // 2 + 10, columns):
        screen.resize(width, 30)
        screen.wait_for(lambda _: question in _joined(screen), "the question at another width")
        screen.wait_for(partial(_fits, width), "lines of the new width")
    screen.question(question)
    check(screen, columns)


def _joined(screen: Screen) -> str:
    return "".join(line.strip() for line in screen.text().splitlines())


def _fits(width: int, shown: str) -> bool:
    return all(wcwidth.wcswidth(line) <= width for line in _last(shown))


def _last(shown: str) -> list[str]:
    return f"\n{shown}".rpartition("\n? ")[2].splitlines()


@pytest.mark.parametrize("columns", WIDTHS)
def test_the_way_through_litellm(who: Person, columns: int) -> None:
    with start(who, columns) as screen:
        asked(screen, PROVIDER, columns)
        screen.send("LiteLLM")
        screen.wait("/ LiteLLM")
        screen.press("enter")
        asked(screen, ANOTHER, columns)
        screen.press("down", "enter")
        asked(screen, CALLS, columns)
        screen.send("ollama")
        screen.wait("/ ollama")
        screen.press("enter")
        asked(screen, MODEL, columns)
        screen.send("llama3")
        screen.wait("/ llama3")
        screen.press("enter")
        screen.question(ANOTHER)
        screen.press("enter")
        asked(screen, START, columns)
        screen.press("down", "enter")
        asked(screen, SECRET, columns)
        screen.send("sk-ant-test0123456789\r")
        screen.wait("这是 Anthropic 的密钥")
        check(screen, columns)
        screen.send(f"{ctrl('u')}{KEY}\r")
        screen.question(WRITE)
        assert "警告：`llama3:8b` 不能调用工具" in screen.history().replace("\n", "")
        asked(screen, WRITE, columns)
        screen.press("enter")
        assert screen.finish() == 0
        check(screen, columns)
        assert not COLOUR.search(screen.raw)
    assert who.variables()["ANTHROPIC_MODEL"] == "llama3:8b"


@pytest.mark.parametrize("columns", [40, 80])
def test_each_change_from_the_summary(who: Person, columns: int) -> None:
    with start(who, columns) as screen:
        screen.question(PROVIDER)
        screen.send("LiteLLM")
        screen.wait("/ LiteLLM")
        screen.press("enter")
        screen.question(ANOTHER)
        screen.press("enter")
        screen.question(SECRET)
        screen.send(f"{KEY}\r")
        for row in ("其他槽位", "流量", "文件", "范围", "网关的端口"):
            screen.question(WRITE)
            screen.send("c")
            asked(screen, CHANGE, columns)
            while f" > {row}" not in screen.text():
                before = screen.text()
                screen.press("down")
                screen.wait_for(lambda shown, before=before: shown != before, "the next row")
            screen.press("enter")
            screen.wait_for(lambda shown: CHANGE not in shown.rpartition("\n? ")[2], "the next")
            screen.wait_for(lambda shown: shown.rpartition("\n")[2].count("esc ") == 1, "its keys")
            question = _last(screen.text())[0][:8]
            asked(screen, question, columns)
            screen.press("f1")
            screen.wait("F1 收起")
            check(screen, columns)
            screen.press("esc")
            screen.question(CHANGE)
            screen.press("esc")
        screen.question(WRITE)
        screen.send(ctrl("c"))
        assert screen.finish() == 130
        assert "没有写入任何内容" in screen.text()
