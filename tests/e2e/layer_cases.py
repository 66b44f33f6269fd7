"""Combinations of everything that can decide what the client sends, for `test_layers`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

MODEL, TOKEN, API_KEY = "ANTHROPIC_MODEL", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY"
BASE, HEADERS = "ANTHROPIC_BASE_URL", "ANTHROPIC_CUSTOM_HEADERS"
OPUS, SONNET = "ANTHROPIC_DEFAULT_OPUS_MODEL", "ANTHROPIC_DEFAULT_SONNET_MODEL"
FABLE = "ANTHROPIC_DEFAULT_FABLE_MODEL"
USER = "{home}/.claude/settings.json"
PROJECT = "{work}/.claude/settings.json"
LOCAL = "{work}/.claude/settings.local.json"
DEEP = "{work}/sub/.claude/"
MAIN, DROP_INS = "managed-settings.json", "managed-settings.d/"
KEY = "sk-test-0123456789abcdef"
OTHER_KEY = "sk-test-other-0123456789"


@dataclass(frozen=True)
class Case:
    """Files by path with holes (`{home}`, `{work}`, `{url}`), and what the client is started with.

    User settings hold the endpoint and a token, unless `bare`. `setup` is for a shell.
    """

    name: str
    files: Mapping[str, Any] = field(default_factory=dict)
    exported: Mapping[str, str] = field(default_factory=dict)
    start: str = "{work}"
    setup: str = ""
    managed: Mapping[str, Any] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)
    bare: bool = False


def env(model: str, **more: Any) -> dict[str, Any]:
    return {"env": {MODEL: model, **more}}


def user(keys: Mapping[str, Any] | None = None, /, **variables: Any) -> dict[str, Any]:
    return {USER: {**(keys or {}), "env": variables}}


_SHELL = {BASE: "{url}/shell", TOKEN: OTHER_KEY, MODEL: "shell"}
_GIT = "git init -q {work} && mkdir -p {work}/sub"
_LINKED = (
    f"{_GIT} && cd {{work}} && git commit -q --allow-empty -m a"
    " && git worktree add -q {root}/linked && mkdir {root}/linked/sub"
)
_LINKED_LOCAL = "{root}/linked/.claude/settings.local.json"


def _which_files() -> Iterator[Case]:
    yield Case("user settings", user(**{MODEL: "user"}))
    yield Case("the shell alone", exported=_SHELL, bare=True)
    yield Case("user over shell", user(**{MODEL: "user"}), _SHELL)
    yield Case("project over user", {**user(**{MODEL: "user"}), PROJECT: env("project")})
    yield Case("local over project", {PROJECT: env("project"), LOCAL: env("local")})
    yield Case("cancelled in local", {LOCAL: env("")}, {MODEL: "shell"})
    yield Case("project of the top level", {PROJECT: env("top")}, start="{work}/sub", setup=_GIT)
    yield Case(
        "project of the start folder",
        {PROJECT: env("top"), f"{DEEP}settings.json": env("start")},
        start="{work}/sub",
        setup=_GIT,
    )
    yield Case("local of the top level", {LOCAL: env("top")}, start="{work}/sub", setup=_GIT)
    yield Case("local above, without git", {LOCAL: env("above")}, start="{work}/sub")
    yield Case(
        "local of both",
        {LOCAL: env("top"), f"{DEEP}settings.local.json": env("start", **{HEADERS: "x-a: 1"})},
        start="{work}/sub",
        setup=_GIT,
    )
    yield Case(
        "local above and project here",
        {LOCAL: env("top"), f"{DEEP}settings.json": env("start")},
        start="{work}/sub",
        setup=_GIT,
    )
    yield Case(
        "broken local above",
        {LOCAL: "{,", f"{DEEP}settings.local.json": env("start")},
        start="{work}/sub",
        setup=_GIT,
    )
    yield Case(
        "local of an outer repository",
        {LOCAL: env("outer")},
        start="{work}/sub",
        setup=f"{_GIT} && git init -q {{work}}/sub",
    )
    yield Case("linked: main's local", {LOCAL: env("main")}, start="{root}/linked", setup=_LINKED)
    yield Case(
        "linked: main's local, from below",
        {LOCAL: env("main")},
        start="{root}/linked/sub",
        setup=_LINKED,
    )
    yield Case(
        "linked: both",
        {LOCAL: env("main"), _LINKED_LOCAL: env("linked")},
        start="{root}/linked",
        setup=_LINKED,
    )
    yield Case(
        "linked: its own, from below",
        {_LINKED_LOCAL: env("linked")},
        start="{root}/linked/sub",
        setup=_LINKED,
    )
    yield Case(
        "linked: main's project", {PROJECT: env("main")}, start="{root}/linked", setup=_LINKED
    )
    yield Case(
        "a .git that is a file of anything",
        {LOCAL: env("top")},
        start="{work}/sub",
        setup="mkdir {work}/sub && echo x > {work}/.git",
    )
    yield Case(
        "by a link",
        {LOCAL: env("top")},
        start="{root}/link",
        setup=f"{_GIT} && ln -s {{work}}/sub {{root}}/link",
    )
    yield Case("in the home folder", user(**{MODEL: "user"}), start="{home}")
    yield Case(
        "local in the home folder",
        {"{home}/.claude/settings.local.json": env("home")},
        start="{home}",
    )
    yield Case(
        "git in the home folder",
        {"{home}/.claude/settings.local.json": env("home")},
        start="{home}/below",
        setup="git init -q {home}",
    )


def _odd_files() -> Iterator[Case]:
    good = '{"env": {"ANTHROPIC_MODEL": "file"}}'
    for name, text in {
        "a trailing comma": '{"env": {"ANTHROPIC_MODEL": "file",}}',
        "a comment": f"// mine\n{good}",
        "a byte order mark": f"\ufeff{good}",
        "nothing": "",
        "null": "null",
        "a list": f"[{good}]",
        "more after the end": f"{good} x",
        "NaN": '{"env": {"ANTHROPIC_MODEL": "file"}, "x": NaN}',
        "a tab in a text": '{"env": {"ANTHROPIC_MODEL": "fi\tle"}}',
        "a name twice": '{"env": {"ANTHROPIC_MODEL": "a", "ANTHROPIC_MODEL": "b"}}',
        "half a character": '{"x": "\\ud83d", "env": {"ANTHROPIC_MODEL": "file"}}',
        "env twice": '{"env": {"ANTHROPIC_MODEL": "a"}, "env": {"ANTHROPIC_MODEL": "b"}}',
    }.items():
        yield Case(f"user settings with {name}", {USER: text}, _SHELL, bare=True)
    for name, made in {
        "a broken link": "ln -s /nowhere {home}/.claude/settings.json",
        "a link": f"echo '{good}' > {{root}}/s && ln -s {{root}}/s {{home}}/.claude/settings.json",
        "a folder": "mkdir {home}/.claude/settings.json",
        "a pipe": "mkfifo {home}/.claude/settings.json",
    }.items():
        yield Case(f"user settings are {name}", exported=_SHELL, bare=True, setup=made)
    wrong: dict[str, Any] = {"cleanupPeriodDays": "30"}
    yield Case("not taken: user", {USER: {**wrong, **env("user")}}, _SHELL, bare=True)
    yield Case("not taken: project", {**user(**{MODEL: "u"}), PROJECT: {**wrong, **env("p")}})
    yield Case("not taken: local", {**user(**{MODEL: "u"}), LOCAL: {"statusLine": "x", **env("l")}})
    yield Case("env that is a list", {PROJECT: {"env": [], "model": "key"}})
    flat: dict[str, Any] = {"hooks": {"Stop": [{"type": "command", "command": "true"}]}}
    yield Case("not taken by the oldest", {**user(**{MODEL: "u"}), LOCAL: {**flat, **env("l")}})
    one: dict[str, Any] = {"hooks": {"PreToolUse": "x"}}
    yield Case("not taken by the newest", {**user(**{MODEL: "u"}), LOCAL: {**one, **env("l")}})


def _managed() -> Iterator[Case]:
    own = user(**{MODEL: "user"})
    yield Case("managed over all", {LOCAL: env("local")}, managed={MAIN: env("main")})
    yield Case("managed over the shell", {}, {MODEL: "shell"}, managed={MAIN: env("main")})
    parts = {MAIN: env("main", **{HEADERS: "x-a: 1"}), f"{DROP_INS}10.json": env("ten")}
    yield Case("drop-ins", own, managed={**parts, f"{DROP_INS}20.json": env("twenty")})
    odd = {f"{DROP_INS}.h.json": env("hidden"), f"{DROP_INS}z.txt": env("t")}
    yield Case("drop-ins that are none", own, managed=odd)
    yield Case("managed that does not parse", own, managed={MAIN: "{,"})
    yield Case(
        "a drop-in that does not parse", own, managed={MAIN: env("m"), f"{DROP_INS}a.json": "{"}
    )
    yield Case("managed with a wrong type", own, managed={MAIN: {"model": 5, **env("main")}})
    yield Case("managed that is empty", own, managed={MAIN: ""})


def _folders() -> Iterator[Case]:
    there = {BASE: "{url}/moved", TOKEN: OTHER_KEY}
    folder = "CLAUDE_CONFIG_DIR"
    own = user(**{MODEL: "user"})
    yield Case("moved", {**own, "{root}/c/settings.json": env("c", **there)}, {folder: "{root}/c"})
    yield Case(
        "moved by a relative path", {"{work}/c/settings.json": env("c", **there)}, {folder: "c"}
    )
    yield Case("moved to ~", {"{work}/~/c/settings.json": env("c", **there)}, {folder: "~/c"})
    yield Case("moved to nothing", {"{work}/settings.json": env("here", **there)}, {folder: ""})
    yield Case("moved to no folder", own, {folder: "{root}/none", **_SHELL})
    yield Case(
        "moved by user settings",
        {**user(**{folder: "{root}/c", MODEL: "user"}), "{root}/c/settings.json": env("c")},
    )
    yield Case(
        "moved by project settings",
        {
            **own,
            PROJECT: env("p", **{folder: "{root}/c"}),
            "{root}/c/settings.json": env("c", **there),
        },
    )


def _models() -> Iterator[Case]:
    yield Case("no model")
    yield Case("a model key", user({"model": "key"}))
    yield Case("a model key, and the variable empty", user({"model": "key"}, **{MODEL: ""}))
    yield Case("a model key, and the shell", user({"model": "key"}), {MODEL: "shell"})
    yield Case("two model keys", {**user({"model": "key"}), PROJECT: {"model": "project"}})
    yield Case("a model key that is a slot", user({"model": "opus"}, **{OPUS: "slot"}))
    yield Case("the variable is a slot", user(**{MODEL: "sonnet", SONNET: "slot[1m]"}))
    yield Case("the variable is a slot of its own", user(**{MODEL: "haiku"}))
    yield Case("opusplan", user(**{MODEL: "opusplan", SONNET: "s", OPUS: "o"}))
    yield Case("default", user(**{MODEL: "default", OPUS: "o"}))
    yield Case("the best", user(**{MODEL: "best[1m]", OPUS: "o", FABLE: "f"}))
    yield Case("the best of one", user({"model": "Best"}, **{OPUS: "o"}))
    yield Case("only spaces", user({"model": "key"}, **{MODEL: "  ", OPUS: "o"}))
    yield Case("a mark that is no alias's", user(**{MODEL: "opus[2m]", OPUS: "o"}))
    yield Case("a slot that is a slot", user(**{MODEL: "opus", OPUS: "sonnet", SONNET: "s"}))
    for text in ("x [1m]", "x[2M]", "x[1m][1M]", "x[1m]y", "x[3m]", 1.0, 10**22, [None, "a"]):
        yield Case(f"a name like {text}", user(**{MODEL: text}))
    for text in (
        "claude-opus-4-1",
        "Claude-Opus-4-20250514[1m]",
        "claude-opus-4",
        "x/claude-opus-4-1",
    ):
        yield Case(f"an old name like {text}", user(**{MODEL: text, OPUS: "o"}))
    kept = {"CLAUDE_CODE_DISABLE_LEGACY_MODEL_REMAP": "1"}
    yield Case("an old name that is kept", user(**{MODEL: "claude-opus-4-1", OPUS: "o", **kept}))
    override = {"modelOverrides": {"claude-opus-5-5": "x", "other": "y"}}
    for text in ("claude-opus-5-5", "other", "opus"):
        of = {MODEL: text, OPUS: "claude-opus-5-5"}
        yield Case(f"an override of {text}", user(override, **of))
    for text in ('{"model": "b[1m]"}', '{"model": ', '{"metadata": {}}'):
        yield Case(f"the body has {text}", user(CLAUDE_CODE_EXTRA_BODY=text, **{MODEL: "x"}))
    yield Case("only the opus slot", user(**{OPUS: "slot"}))
    yield Case("one million", user(**{MODEL: "x[1M]"}))
    yield Case("spaces round it", user(**{MODEL: " x "}))
    yield Case("a number", user(**{MODEL: 5}))
    yield Case("null over the shell", user(**{MODEL: None}), {MODEL: "shell"})
    yield Case("a list", user(**{MODEL: ["a", "b"]}))
    default = "ANTHROPIC_DEFAULT_MODEL"
    yield Case("the newer default", user(**{default: "d"}))
    yield Case("the newer default and a slot", user(**{default: "d", OPUS: "slot"}))
    yield Case("the newer default and a key", user({"model": "key"}, **{default: "d"}))
    for allowed in (["other"], ["x"], [], ["X"], ["x-1"]):
        yield Case(f"available {allowed}", user({"availableModels": allowed}, **{MODEL: "x"}))
    yield Case("available, a slot", user({"availableModels": ["o"]}, **{MODEL: "x", OPUS: "slot"}))
    yield Case("available, begins so", user({"availableModels": ["gpt"]}, **{MODEL: "gpt-5"}))
    yield Case(
        "available, begins with letters", user({"availableModels": ["gp"]}, **{MODEL: "gpt-5"})
    )
    two = {**user({"availableModels": ["x"]}, **{MODEL: "x"}), PROJECT: {"availableModels": ["o"]}}
    yield Case("available in two layers", two)
    for allowed in (["opus", "sonnet"], ["haiku"], ["sonnet", "s"]):
        for text in ("sonnet", "opus", "o"):
            slots = {MODEL: text, OPUS: "o", SONNET: "s"}
            settings = user({"availableModels": allowed}, **slots)
            yield Case(f"available {allowed}, asked for {text}", settings)
    yield Case(
        "available, by the project", {**user(**{MODEL: "x"}), PROJECT: {"availableModels": ["o"]}}
    )


def _credentials() -> Iterator[Case]:
    own = {BASE: "{url}/own"}
    oauth = {"CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-test-0123456789"}
    helper = {"apiKeyHelper": "echo sk-test-helper-0123456789"}
    primary = {"primaryApiKey": "sk-test-primary-0123456789"}
    yield Case("no credential", exported=own, bare=True)
    yield Case("an API key", exported={**own, API_KEY: OTHER_KEY}, bare=True)
    yield Case("a key beside the token", user(), {API_KEY: OTHER_KEY})
    yield Case("a cancelled key", user(**{API_KEY: ""}), {API_KEY: OTHER_KEY})
    yield Case("a cancelled token", user(**{TOKEN: ""}), _SHELL)
    yield Case("a token of the project", {LOCAL: {"env": {TOKEN: OTHER_KEY}}})
    yield Case("OAuth", exported={**own, **oauth, MODEL: "m"}, bare=True)
    yield Case("OAuth beside the token", user(**{MODEL: "m"}), oauth)
    yield Case("OAuth beside a key", exported={**own, **oauth, API_KEY: OTHER_KEY}, bare=True)
    yield Case("a helper", {USER: {**helper, "env": own}}, bare=True)
    yield Case("a helper beside the token", user(helper))
    yield Case("a helper beside both", user(helper, **{API_KEY: OTHER_KEY}))
    yield Case(
        "a helper beside a key", {USER: {**helper, "env": {**own, API_KEY: OTHER_KEY}}}, bare=True
    )
    yield Case("a login's key", exported=own, kept=primary, bare=True)
    yield Case("a login's key beside the token", user(**{API_KEY: ""}), kept=primary)
    yield Case("a login's key beside both", user(**{API_KEY: OTHER_KEY}), kept=primary)
    yield Case(
        "a login's key and a helper", {USER: {**helper, "env": own}}, kept=primary, bare=True
    )
    line = {HEADERS: f"x-api-key: {OTHER_KEY}"}
    yield Case("a login's key and a line for it", user(**line), kept=primary)
    yield Case("a helper and a line for it", user(helper, **line))
    yield Case("a line alone", {USER: {"env": {**own, **line}}}, bare=True)


def _headers() -> Iterator[Case]:
    for text in (
        "x-a: 1\nX-B: 2",
        "x-a: 1\r\n\r\nno header\r\nx-b: 2",
        '{"x-team": "core"}',
        "x-a: 1,x-b: 2",
        '"x-a: 1"',
        "x-a: 1\\nx-b: 2",
        "x-a=1",
        " x-a :1 ",
        "x-a: ",
        "x a: 1",
        "x-a: 1\rx-b: 2",
        "x-a: 1\x0bx-b: 2",
        ": 1",
        "x-a: 1\nX-A: 2",
        "Authorization: Bearer sk-test-custom-0123456789",
    ):
        yield Case(f"headers {text!r}", user(**{HEADERS: text}))
    yield Case("headers of the shell", user(**{HEADERS: "x-a: 1"}), {HEADERS: "x-b: 2"})


CASES: tuple[Case, ...] = (
    *_which_files(),
    *_odd_files(),
    *_managed(),
    *_folders(),
    *_models(),
    *_credentials(),
    *_headers(),
)
