"""A tiny program that asks what its arguments say, for the tests in a real terminal.

It prints what it got on stdout, as `got: ...`, and leaves as the door does.
"""

from __future__ import annotations

import os
import sys

from haha_config.core.errors import HahaError
from haha_config.core.messages import Message, msg
from haha_config.io.i18n import render
from haha_config.io.prompts import Choice, Prompter, WentBack, choose_prompter

MORE = msg("A longer account of it.")
WHY = msg("It decides where requests go.")
PROVIDERS = [
    Choice(value="openrouter", title="OpenRouter", note=msg("one key, many models")),
    Choice(value="deepseek", title="DeepSeek", note=msg("its own models"), marked=True),
    Choice(value="closed", title="Closed", disabled=msg("not running")),
    Choice(value="ollama", title="Ollama", note=msg("on this machine")),
]
CHINESE = [
    Choice(value="a", title="通义千问", note="阿里云"),
    Choice(value="b", title="Kimi 月之暗面", note="长上下文"),
    Choice(value="c", title="GLM", note="智谱"),
]
LONG = [
    Choice(
        value="a",
        title="First",
        note="A note that is far too long for one line of a narrow terminal, and ends with a word"
        " about the end of it, which is what matters in it.",
    ),
    Choice(value="b", title="Second", note="short"),
]
MODELS = [
    Choice(
        value=f"{maker}/model-{n:03}",
        title=f"{maker}/model-{n:03}",
        note=msg("{k}k · tools", k=n),
    )
    for maker in ("alpha", "beta", "gamma")
    for n in range(1, 131)
]


def no_spaces(text: str) -> Message | None:
    return msg("a name has no spaces") if " " in text or "\n" in text else None


def key_shape(text: str) -> Message | None:
    if "\n" in text:
        return msg("this is more than one line")
    return None if text.startswith("sk-") else msg("a key here begins with `sk-`")


def unquote(text: str) -> tuple[str, Message | None]:
    bare = text.strip().strip("\"'")
    return (bare, None) if bare == text else (bare, msg("took off what stood around it"))


def ask(prompter: Prompter, kind: str) -> str | bool:
    flag = "--provider"
    match kind:
        case "select" | "narrow":
            return prompter.select(
                msg("Which provider?"),
                PROVIDERS,
                why=WHY,
                more=MORE,
                default="deepseek",
                flag=flag,
            )
        case "chinese":
            return prompter.select(msg("选择提供商"), CHINESE, why=msg("请求发往哪里。"), flag=flag)
        case "long":
            return prompter.select(msg("Which provider?"), LONG, why=WHY, flag=flag)
        case "models":
            return prompter.select(
                msg("Which model?"),
                MODELS,
                why=WHY,
                more=MORE,
                default="beta/model-007",
                search=True,
                other=msg("use this name as it is"),
                flag=flag,
            )
        case "closed":
            return prompter.select(msg("Which model?"), MODELS, why=WHY, search=True, flag=flag)
        case "text":
            return prompter.text(
                msg("Which name?"), why=WHY, more=MORE, default="main", check=no_spaces, flag=flag
            )
        case "secret" | "found":
            return prompter.secret(
                msg("Which key?"),
                why=WHY,
                more=MORE,
                check=key_shape,
                clean=unquote,
                found=msg("the key in SOME_API_KEY") if kind == "found" else None,
                flag=flag,
            )
        case "confirm":
            return prompter.confirm(msg("Go on?"), why=WHY, more=MORE, default=False, flag=flag)
        case _:
            keys = {"w": msg("write"), "c": msg("change something"), "t": msg("try the key first")}
            return prompter.keys(
                msg("Write these files?"), keys, why=WHY, more=MORE, default="w", flag=flag
            )


def main(kinds: list[str]) -> int:
    plain = "--plain" in kinds
    prompter = choose_prompter(
        plain=plain,
        environ=os.environ,
        stdin=sys.stdin,
        stderr=sys.stderr,
        stdout=sys.stdout,
        color="--no-color" not in kinds,
    )
    try:
        for kind in kinds:
            if not kind.startswith("--"):
                answer = ask(prompter, kind)
                print(f"got: {answer!r}", flush=True)
    except WentBack:
        print("went back", flush=True)
    except HahaError as err:
        print(f"error: {render(err.what)}", file=sys.stderr)
        return err.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
