"""Two languages: every sentence is in the catalog, keeps its holes, and is spoken."""

from __future__ import annotations

import ast
import gettext
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from string import Formatter

import pytest
from wcwidth import wcswidth

from haha_config.core.errors import Usage
from haha_config.core.messages import msg, nmsg
from haha_config.core.providers.table import load, msg_of
from haha_config.io import i18n, templates
from tests.cli.tool import Tool
from tests.terminal import stories
from tests.terminal.screen import ctrl
from tools import catalogs

PACKAGE = catalogs.PACKAGE
SOURCES = sorted(PACKAGE.rglob("*.py"))
LANGUAGES = [name for name in i18n.LANGUAGES if name != "en"]
CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.fixture
def tool(home: Path, tmp_path: Path) -> Tool:
    folder = tmp_path / "project"
    folder.mkdir()
    return Tool(home=home, cwd=folder)


@pytest.fixture
def spoken() -> Iterator[None]:
    """English again afterwards, whatever a test has spoken."""
    yield
    i18n.add_texts(dict)
    i18n.choose_language("en", {})


def pairs(language: str) -> Iterator[tuple[str, str]]:
    """Every sentence and its translation; where it counts, each form beside the English plural."""
    for message in catalogs.read(language):
        if isinstance(message.id, tuple):
            yield from ((message.id[1], said) for said in message.string)
        elif message.id:
            yield message.id, message.string


def holes(text: str) -> set[tuple[str, str, str]]:
    found = (
        (name, spec or "", how or "") for _, name, spec, how in Formatter().parse(text) if name
    )
    return set(found)


# --- the catalogs ----------------------------------------------------------------------------


def test_each_language_has_its_catalog() -> None:
    assert tuple(LANGUAGES) == catalogs.LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_missing_or_fuzzy(language: str) -> None:
    catalog = catalogs.updated(language, catalogs.extracted())
    assert [m.id for m in catalogs.unfinished(catalog)] == [], "python -m tasks catalogs"


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogs_are_fresh(language: str) -> None:
    catalog = catalogs.updated(language, catalogs.extracted())
    assert {m.id for m in catalogs.read(language)} == {m.id for m in catalog}
    with catalogs.mo_path(language).open("rb") as file:
        shipped = gettext.GNUTranslations(file)
    compiled = gettext.GNUTranslations(BytesIO(catalogs.as_mo(catalogs.read(language))))
    texts = [one for one, _ in pairs(language)]
    assert [shipped.gettext(t) for t in texts] == [compiled.gettext(t) for t in texts]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_keeps_the_holes(language: str) -> None:
    assert [(a, b) for a, b in pairs(language) if holes(a) != holes(b)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_keeps_names_in_backticks(language: str) -> None:
    def names(text: str) -> set[str]:
        return set(re.findall(r"`[^`]*`", text))

    assert [(a, b) for a, b in pairs(language) if names(a) != names(b)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_keeps_options_variables_and_addresses(language: str) -> None:
    """What is typed or looked up is the same in every language, backticks or none."""
    typed = re.compile(
        r"--[a-z][a-z-]+|\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b|https?://[\w/-]+(?:\.[\w/-]+)*|/v1/messages"
    )

    def kept(text: str) -> set[str]:
        return set(typed.findall(text))

    assert [(a, b) for a, b in pairs(language) if not kept(a) <= kept(b)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_keeps_its_indent(language: str) -> None:
    def ends(text: str) -> tuple[int, bool]:
        return len(text) - len(text.lstrip(" ")), text.endswith(" ")

    spaced = [(a, b) for a, b in pairs(language) if a.strip() != "," and ends(a) != ends(b)]
    assert spaced == []


def test_chinese_is_chinese() -> None:
    """A sentence of three words and more is not left in English: but for commands to be typed."""
    prose = re.compile(r"(?:\b[a-z]+ ){3}")
    left = [a for a, b in pairs("zh") if prose.search(re.sub("`[^`]*`", "", a)) and a == b]
    assert left == []


# --- the source ------------------------------------------------------------------------------


def test_the_extractor_refuses_what_it_can_not_translate() -> None:
    assert list(catalogs.sentences('nmsg("{n} a", "{n} b", n=n)')) == [(1, ("{n} a", "{n} b"))]
    assert list(catalogs.sentences("f\"{say(msg('hint:'))} x\"")) == [(1, ("hint:",))]
    for bad in ('msg(f"{x}")', 'msg("a" + b)', "_(text)", 'nmsg("one", many, n=1)', "msg(*texts)"):
        with pytest.raises(ValueError, match="wants a literal"):
            list(catalogs.sentences(bad))


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_every_sentence_is_a_literal(source: Path) -> None:
    found = catalogs.sentences(source.read_text(encoding="utf-8"))
    assert all(text.strip() for _, texts in found for text in texts)


#: What prints, or ends up printed.
_SAYS = {"print", "echo", "secho", "talk", "result", "hint", "write", "Problem", "HahaError"}
_SAYS |= {"Usage", "Refusal", "Changed", "Cancelled"}
_PROSE = re.compile(r"[A-Za-z]{2,} [a-z]{2,}")
#: Commands to be typed are the same in every language.
_COMMANDS = ("haha-config ", "git ", "npm ", "systemctl ", "ccr ", "-", "&& ")


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_no_english_goes_past_the_catalog(source: Path) -> None:
    tree = ast.parse(source.read_text(encoding="utf-8"))
    said = [
        (node.lineno, text)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for text in _literals(node)
        if _PROSE.search(text) and not text.lstrip().startswith(_COMMANDS)
    ]
    assert said == []


def _literals(call: ast.Call) -> Iterator[str]:
    """The literals that a call prints itself: not those of calls inside it."""
    name = getattr(call.func, "id", None) or getattr(call.func, "attr", "")
    helps = [k.value for k in call.keywords if k.arg in {"help", "epilog", "short_help"}]
    todo: list[ast.AST] = (
        [*call.args, *(k.value for k in call.keywords)] if name in _SAYS else helps
    )
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif not isinstance(node, ast.Call):
            todo += ast.iter_child_nodes(node)


# --- choosing --------------------------------------------------------------------------------


@pytest.mark.usefixtures("spoken")
@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_ALL": "zh_CN.UTF-8", "LANG": "C"}, "zh"),
        ({"LC_ALL": "", "LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LC_MESSAGES": "zh_CN.UTF-8", "LANG": "C"}, "zh"),
        ({"LC_ALL": "C", "LC_MESSAGES": "zh_CN.UTF-8"}, "en"),
    ],
)
def test_the_first_variable_that_is_set_decides(environ: dict[str, str], language: str) -> None:
    assert i18n.choose_language(None, environ) == language
    assert (i18n.render(msg("error:")) == "错误:") is (language == "zh")


@pytest.mark.usefixtures("spoken")
def test_an_option_beats_the_environment() -> None:
    assert i18n.choose_language("en", {"LC_ALL": "zh_CN.UTF-8"}) == "en"
    assert i18n.choose_language("zh", {"LC_ALL": "C"}, ("ascii",)) == "zh"


@pytest.mark.usefixtures("spoken")
def test_nobody_gets_characters_that_the_terminal_lacks_unasked() -> None:
    environ = {"LANG": "zh_CN.UTF-8"}
    assert i18n.choose_language(None, environ, ("utf-8", "latin-1")) == "en"
    assert i18n.choose_language(None, environ, ("gbk", "gbk")) == "zh"


def test_a_language_that_there_is_not() -> None:
    with pytest.raises(Usage):
        i18n.choose_language("xx", {})


@pytest.mark.usefixtures("spoken")
def test_counts_lists_and_messages_inside_messages() -> None:
    i18n.choose_language("zh", {})
    assert i18n.render(nmsg("{n} error", "{n} errors", n=1)) == "1 个错误"
    inner = nmsg("{n} warning", "{n} warnings", n=2)
    outer = msg("{parts}", parts=(inner, msg("files"), "x{y}"))
    assert i18n.render(outer) == "2 个警告、文件、x{y}"
    assert i18n.english(outer) == "2 warnings, files, x{y}"


@pytest.mark.usefixtures("spoken")
def test_a_row_speaks_for_itself_and_is_read_only_when_it_does() -> None:
    asked: list[int] = []

    def texts() -> dict[str, str]:
        asked.append(1)
        rows = load(templates.provider_texts())
        return {msg_of(a).text: msg_of(b).text for p in rows.values() for a, b in p.zh.items()}

    i18n.choose_language("zh", {})
    i18n.add_texts(texts)
    assert i18n.render(msg("error:")) == "错误:"
    assert asked == []
    rows = load(templates.provider_texts())
    for row in rows.values():
        for text in (row.about, *row.notes):
            assert i18n.render(msg_of(text)) == row.zh[text]
            assert i18n.english(msg_of(text)) == text
    assert asked == [1]


# --- columns ---------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["abc", "", "命令", "a 命令 b", "（x）", "e\u0301", "↑↓"])
def test_columns_are_those_of_a_terminal(text: str) -> None:
    assert i18n.columns(text) == wcswidth(text)
    assert wcswidth(i18n.pad(text, 12)) == 12


@pytest.mark.parametrize("room", range(12, 60, 7))
def test_wrapped_loses_nothing_and_fits(room: int) -> None:
    text = (
        "每个区域有自己的主机，一个区域的密钥在另一个区域会被拒绝（HTTP 401）。用 `--region` 回答。"
    )
    lines = i18n.wrapped(text, room)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(i18n.columns(line.rstrip("，。：；、）")) <= room for line in lines)
    assert not any(line.startswith(tuple("，。：；、）")) for line in lines)


def test_wrapped_breaks_no_word_that_fits() -> None:
    text = "run `haha-config switch-model`, then go on"
    assert i18n.wrapped(text, 16) == ["run `haha-config", "switch-model`,", "then go on"]


def test_wrapped_cuts_only_a_word_that_is_longer_than_a_line() -> None:
    assert i18n.wrapped("see https://host/path there", 10) == [
        "see https:",
        "//host/pat",
        "h there",
    ]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("~/keys/litellm.KE, it", ["~/keys/litellm.K", "E, it"]),
        ("~/abcdefghijklmüß, x", ["~/abcdefghijklmü", "ß, x"]),
        ("~/a/share/config/keys/my.KEY, x", ["~/a/share/config/", "keys/my.KEY, x"]),
        ("~/a/share/abcdefghij, x", ["~/a/share/", "abcdefghij, x"]),
    ],
)
def test_no_line_begins_with_the_comma_behind_a_path(text: str, lines: list[str]) -> None:
    assert i18n.wrapped(text, 17) == lines


# --- a real process --------------------------------------------------------------------------


SETTINGS = {"env": {"ANTHROPIC_BASE_URL": "https://api.deepseek.com/anthropic/v1"}}


@pytest.fixture
def broken(tool: Tool) -> Tool:
    tool.settings.parent.mkdir(parents=True)
    tool.settings.write_text(json.dumps(SETTINGS), encoding="utf-8")
    return tool


def test_validate_speaks_chinese(broken: Tool) -> None:
    done = broken("validate", LANG="zh_CN.UTF-8")
    assert done.code == 1
    assert "客户端会调用" in done.out
    assert "[URL002]" in done.out
    assert "提示: haha-config validate --fix" in done.out
    assert "the client" not in done.out


def test_show_speaks_chinese(broken: Tool) -> None:
    done = broken("show", LANG="zh_CN.UTF-8")
    assert done.code == 0
    assert "user 设置" in done.out
    assert "ANTHROPIC_BASE_URL" in done.out


def test_json_stays_english(broken: Tool) -> None:
    english = broken("validate", "--format", "json")
    chinese = broken("validate", "--format", "json", LANG="zh_CN.UTF-8")
    assert english.json["findings"]
    assert chinese.json == english.json
    assert not CHINESE.search(chinese.out)


def test_a_refusal_in_json_stays_english(tool: Tool) -> None:
    words_ = ("init", "--provider", "nosuch", "--yes", "--format", "json")
    english, chinese = tool(*words_), tool(*words_, LANG="zh_CN.UTF-8")
    assert english.code == chinese.code == 2
    assert chinese.json == english.json


def test_root_help_is_chinese_and_aligned(tool: Tool) -> None:
    done = tool("--help", LC_ALL="zh_CN.UTF-8", LANG="C")
    assert done.code == 0
    assert done.out.startswith("用法: ")
    assert len(done.out.splitlines()) <= 24
    assert [line for line in done.out.splitlines() if not CHINESE.search(line)] == [""]
    rows = [line for line in done.out.splitlines() if re.match(r"  [a-z][a-z-]* {2,}\S", line)]
    assert len(rows) >= 14
    assert len({_column(line) for line in rows}) == 1
    assert all(CHINESE.search(line) for line in rows)


@pytest.mark.parametrize("command", ["init", "validate", "models", "proxy", "profile"])
def test_help_of_a_command_is_chinese(tool: Tool, command: str) -> None:
    done = tool(command, "--help", "--lang", "zh", COLUMNS="80")
    assert done.code == 0
    assert not re.search(r"\b(Usage|Options|Commands|Arguments|default|required):", done.out)
    assert "显示此帮助并退出。" in done.out
    assert all(wcswidth(line) <= 80 for line in done.out.splitlines())
    prose = [line for line in done.out.splitlines() if re.search(r"[a-z]+ [a-z]+ [a-z]+", line)]
    assert [line for line in prose if not CHINESE.search(line)] == []


def test_help_of_a_command_in_a_group_is_chinese(tool: Tool) -> None:
    done = tool("providers", "add", "--help", "--lang", "zh")
    assert "用法:" in done.out
    assert "FILE.toml" in done.out


def _column(line: str) -> int:
    """Where the second column of a table begins, in columns of a terminal."""
    found = re.match(r"  \S+ {2,}", line)
    assert found is not None
    return wcswidth(found[0])


def test_lists_align(tool: Tool) -> None:
    done = tool("validate", "--list", "--lang", "zh")
    rows = [line for line in done.out.splitlines() if re.match(r"  [A-Z]{3}\d", line)]
    starts = {wcswidth(re.match(r"  \w+ +\S+ +", line)[0]) for line in rows}  # type: ignore[index]
    assert len(rows) > 50
    assert len(starts) == 1


def test_every_rule_explains_itself_in_chinese(tool: Tool) -> None:
    done = tool("validate", "--list", "--lang", "zh")
    assert all(CHINESE.search(line) for line in done.out.splitlines())
    done = tool("validate", "--explain", "KEY001", "--lang", "zh")
    assert all(CHINESE.search(line) for line in done.out.splitlines() if line)


@pytest.mark.parametrize(
    ("argv", "said", "chinese"),
    [
        (("validate", "--fxi"), "there is no option `--fxi`", "没有选项 `--fxi`"),
        (("providers", "add"), "the argument `FILE.toml` is missing", "缺少参数 `FILE.toml`"),
        (("env", "x", "y"), "too much: `x y`", "多余的内容：`x y`"),
        (("show", "--dir"), "`--dir` needs a value", "`--dir` 需要一个值"),
        (
            ("models", "--min-context", "x"),
            "`--min-context` needs a whole number, not `x`",
            "`--min-context` 需要整数，而不是 `x`",
        ),
        (
            ("models", "--min-context", "-1"),
            "`--min-context` can't be -1: x>=0",
            "`--min-context` 不能是 -1：x>=0",
        ),
        (("proxy", "nosuch"), "there is no command `nosuch`", "没有命令 `nosuch`"),
        (("nosuch",), "there is no command `nosuch`", "没有命令 `nosuch`"),
    ],
)
def test_the_parser_complains_in_our_words(
    tool: Tool, argv: tuple[str, ...], said: str, chinese: str
) -> None:
    english = tool(*argv)
    assert (english.code, english.err.splitlines()[0]) == (2, f"error: {said}")
    done = tool(*argv, LANG="zh_CN.UTF-8")
    assert (done.code, done.err.splitlines()[0]) == (2, f"错误: {chinese}")


def test_a_wrong_option_names_the_nearest(tool: Tool) -> None:
    assert "hint: did you mean `--fix`?" in tool("validate", "--fxi").err


def test_what_a_row_says_is_said_in_chinese(tool: Tool) -> None:
    key = {"OPENAI_API_KEY": "sk-admin-test-0123456789abcdef"}
    argv = ("init", "--provider", "openai", "--yes")
    assert "can't call models" in tool(*argv, **key).err
    assert "管理密钥只用于管理组织，不能调用模型" in tool(*argv, "--lang", "zh", **key).err


def test_the_tour_speaks_one_language(tool: Tool) -> None:
    done = tool("demo", "--lang", "zh")
    assert done.code == 0
    assert "接下来:" in done.out + done.err
    assert not re.search(r"^(Next|error|\s*hint):", done.out + done.err, re.MULTILINE)


@pytest.mark.parametrize("argv", [("--lang", "xx", "--help"), ("show", "--lang=xx")])
def test_a_language_that_there_is_not_is_a_usage_error(tool: Tool, argv: tuple[str, ...]) -> None:
    done = tool(*argv)
    assert done.code == 2
    assert done.err.startswith("error: there is no language `xx`: en, zh")
    assert done.out == ""


def test_lang_without_a_value_is_a_usage_error(tool: Tool) -> None:
    done = tool("show", "--lang")
    assert (done.code, done.err.splitlines()[0]) == (2, "error: `--lang` needs a value")


def test_lang_beats_the_environment_on_either_side_of_the_command(broken: Tool) -> None:
    for argv in (("--lang", "zh", "show"), ("show", "--lang", "zh"), ("show", "--lang=zh")):
        assert "设置" in broken(*argv).out
    assert not CHINESE.search(broken("show", "--lang", "en", LANG="zh_CN.UTF-8").out)


@pytest.mark.parametrize("columns", [80, 100, 200])
def test_the_menu_of_providers_aligns(tmp_path: Path, columns: int) -> None:
    who = stories.person(tmp_path)
    with who.init(columns=columns, rows=40, LANG="zh_CN.UTF-8") as screen:
        shown = screen.wait("enter 选择")
        screen.send(ctrl("c"))
        assert screen.finish() == 130
    assert "? 由哪个服务商来回答？" in shown
    rows = [line for line in shown.splitlines() if re.match(r" [ >] \S.*  \S", line)]
    notes = {wcswidth(re.match(r" [ >] \S.*?  +", line)[0]) for line in rows}  # type: ignore[index]
    assert 18 <= len(rows) <= len(list(templates.provider_texts()))  # a longer menu scrolls
    assert len(notes) == 1
    assert all(wcswidth(line) <= columns for line in shown.splitlines())
    assert "一个密钥，使用多家厂商的模型" in shown


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gbk"])
def test_a_terminal_that_is_not_utf8_ends_no_command(broken: Tool, encoding: str) -> None:
    chosen = _raw(broken, encoding, "validate", "--lang", "zh")
    assert chosen.returncode == 1
    assert b"[URL002]" in chosen.stdout
    assert b"Traceback" not in chosen.stderr
    unasked = _raw(broken, encoding, "validate", LANG="zh_CN.UTF-8").stdout.decode(encoding)
    assert bool(CHINESE.search(unasked)) is (encoding == "gbk")


def _raw(
    tool: Tool, encoding: str, *argv: str, **environ: str
) -> subprocess.CompletedProcess[bytes]:
    """A run whose output is not decoded: it need not be UTF-8."""
    return subprocess.run(
        [sys.executable, "-m", "haha_config", *argv],
        cwd=tool.cwd,
        env=tool.variables({"PYTHONIOENCODING": encoding, **environ}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )


def test_english_loads_no_catalog(tool: Tool) -> None:
    code = (
        "import sys; from haha_config.cli.main import run; run(['validate', '--list']);"
        "print([m for m in ('wcwidth', 'haha_config.cli.help') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tool.cwd,
        env=tool.variables(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
