"""Numbered lists and typed lines, for screen readers and terminals that only print."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TextIO, TypeVar

from msgspec.structs import replace

from haha_config.core.errors import Cancelled
from haha_config.core.messages import Message, msg, nmsg
from haha_config.io.i18n import columns, render, wrapped
from haha_config.io.prompts.choice_list import Row, instead, matching, row
from haha_config.io.prompts.question import (
    Check,
    Choice,
    Judge,
    Prompter,
    Question,
    WentBack,
    cancelled,
)

#: A longer list is searched, not read out.
_READ_OUT = 20
#: Below so many columns nothing is broken any finer.
_NARROW = 30

_Answer = TypeVar("_Answer")


class Plain(Prompter):
    """Prints lines and reads lines: nothing moves on the screen, and no escape code is sent."""

    def __init__(self, stdin: TextIO, stream: TextIO) -> None:
        self._stdin = stdin
        self._stream = stream

    def _select(
        self,
        asked: Question,
        choices: Sequence[Choice],
        default: str | None,
        search: bool,
        other: Message | None,
    ) -> str:
        every = [row(choice) for choice in choices]
        listed = every if not search or len(every) <= _READ_OUT else []
        ask = msg("number, or part of a name") if search else msg("number")
        if not listed:
            why = msg("{why} ({n} entries: type part of a name)", why=asked.why, n=len(every))
            asked = replace(asked, why=why)

        def read(line: str) -> str | None:
            nonlocal listed
            line = line or default or ""
            chosen = self._named(line, listed, every)
            if chosen is None and search and line and not (listed and line.isdecimal()):
                chosen, listed = self._searched(line, every, other)
            elif chosen is None:
                self._print(nmsg("type 1", "type a number from 1 to {n}", len(listed)))
            if chosen is None:
                return None
            if chosen.disabled:
                self._print(msg("{title}: {note}", title=chosen.title, note=chosen.note))
                return None
            self._print(chosen.title)
            return chosen.value

        name = next((one.title for one in every if one.value == default), default or "")
        return self._ask(asked, _with_default(ask, name), read, show=lambda: self._list(listed))

    def _text(self, asked: Question, default: str, check: Check | None) -> str:
        def read(line: str) -> str | None:
            value = line or default
            complaint = check(value) if check is not None else None
            if complaint is None:
                return value
            self._print(complaint)
            return None

        return self._ask(asked, _with_default(msg("answer"), default), read)

    def _secret(self, asked: Question, judge: Judge, found: Message | None) -> str:
        def read(pasted: str) -> str | None:
            answer = judge(pasted)
            for line in answer.said:
                self._print(line)
            return None if answer.complaint else answer.value

        ask = msg("key, not shown")
        if found is not None:
            ask = msg("{ask}; Enter: {found}", ask=ask, found=found)
        return self._ask(asked, ask, read, hidden=True)

    def _confirm(self, asked: Question, *, default: bool) -> bool:
        words = {"y": True, "yes": True, "n": False, "no": False, "": default}

        def read(line: str) -> bool | None:
            answer = words.get(line.casefold())
            if answer is None:
                self._print(msg("type y or n"))
            return answer

        return self._ask(asked, _with_default(msg("y or n"), "y" if default else "n"), read)

    def _keys(self, asked: Question, keys: Mapping[str, Message], default: str) -> str:
        def read(line: str) -> str | None:
            key = line.casefold() or default
            if key in keys:
                return key
            self._print(msg("type one of {keys}", keys=tuple(keys)))
            return None

        def show() -> None:
            for key, does in keys.items():
                self._print(msg("  {key}. {does}", key=key, does=does))

        return self._ask(asked, _with_default(msg("letter"), default), read, show=show)

    def _ask(
        self,
        asked: Question,
        ask: Message,
        read: Callable[[str], _Answer | None],
        *,
        show: Callable[[], None] = lambda: None,
        hidden: bool = False,
    ) -> _Answer:
        """Ask until `read` has an answer; None from it means: said what is wrong, ask again."""
        self._print(asked.text)
        self._print(msg("  {why}", why=asked.why))
        show()
        ways = msg("< goes back, ? says more") if asked.more else msg("< goes back")
        while True:
            prompt = render(msg("{ask} ({ways}): ", ask=ask, ways=ways))
            line = self._hidden(prompt) if hidden else self._line(prompt)
            if line.strip() == "<":
                raise WentBack
            if line.strip() == "?" and asked.more is not None:
                # Not the list again: it would push this off the screen.
                self._print(asked.more)
                continue
            answer = read(line if hidden else line.strip())
            if answer is not None:
                return answer

    def _line(self, prompt: str) -> str:
        try:
            # A person can answer with Ctrl-C as soon as the prompt is there to be seen.
            self._stream.write(prompt)
            self._stream.flush()
            # Not input(): with readline loaded it sends escape codes.
            line = self._stdin.readline()
        except KeyboardInterrupt:
            raise self._cancelled() from None
        if not line.endswith("\n"):
            raise self._cancelled()
        return line

    def _hidden(self, prompt: str) -> str:
        try:
            from getpass import getpass

            return getpass(prompt, self._stream)
        except (KeyboardInterrupt, EOFError):
            raise self._cancelled() from None

    def _cancelled(self) -> Cancelled:
        self._stream.write("\n")
        return cancelled()

    def _named(self, line: str, listed: Sequence[Row], every: Sequence[Row]) -> Row | None:
        if line.isdecimal() and 1 <= int(line) <= len(listed):
            return listed[int(line) - 1]
        return next((one for one in every if one.value == line), None)

    def _searched(
        self, line: str, every: Sequence[Row], other: Message | None
    ) -> tuple[Row | None, list[Row]]:
        found = matching(every, line)
        if len(found) > _READ_OUT:
            self._print(msg("{n} match: type more", n=len(found)))
            found = []
        elif not found:
            self._print(msg("nothing matches `{typed}`", typed=line))
            found = instead(every)
        elif len(found) == 1 and other is None:
            return found[0], found
        if other is not None:
            found.append(Row(value=line, title=line, note=render(other)))
        self._list(found)
        return None, found

    def _list(self, rows: Sequence[Row]) -> None:
        for number, one in enumerate(rows, 1):
            if one.note:
                line = msg("  {n}. {title}: {note}", n=number, title=one.title, note=one.note)
            else:
                line = msg("  {n}. {title}", n=number, title=one.title)
            self._print(line)

    def _print(self, line: Message | str) -> None:
        """A line, broken between words, the rest of a row two columns further in than its start."""
        from shutil import get_terminal_size

        text = render(line)
        margin = " " * (len(text) - len(text.lstrip()) + 2) if text.startswith(" ") else ""
        room = max(_NARROW, get_terminal_size().columns)
        first, *rest = wrapped(text, room - len(margin)) if columns(text) > room else [text]
        self._stream.write("\n".join([first, *(margin + part for part in rest)]) + "\n")
        self._stream.flush()


def _with_default(ask: Message, default: str) -> Message:
    return msg("{ask} [{default}]", ask=ask, default=default) if default else ask
