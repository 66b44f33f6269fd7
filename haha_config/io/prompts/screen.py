"""Questions drawn on a terminal: questionary's fields, and one frame round each of them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Any, TextIO

from haha_config.core.messages import Message, msg
from haha_config.io.i18n import render
from haha_config.io.prompts.choice_list import ChoiceList, row
from haha_config.io.prompts.question import (
    BACK,
    Check,
    Choice,
    Clean,
    SecretAnswer,
    WentBack,
    cancelled,
    masked,
    secret_answer,
)

if TYPE_CHECKING:
    from prompt_toolkit import Application
    from prompt_toolkit.input import Input
    from prompt_toolkit.output import Output
    from prompt_toolkit.styles import Style

    from haha_config.io.prompts.frame import Fragments, Frame


class Screen:
    """Draws one question at a time and leaves one line of it behind: `? Question  Answer`."""

    def __init__(self, stdin: TextIO, stream: TextIO, *, term: str, color: bool) -> None:
        self._stdin = stdin
        self._stream = stream
        self._term = term
        self._color = color

    def select(
        self,
        question: Message,
        choices: Sequence[Choice],
        *,
        why: Message,
        flag: str,  # noqa: ARG002 - for NeverAsk
        default: str | None = None,
        more: Message | None = None,
        search: bool = False,
        other: Message | None = None,
    ) -> str:
        rows = ChoiceList(
            [row(choice) for choice in choices],
            default=default,
            other=None if other is None else render(other),
        )
        return self._list(question, rows, why, more, search=search or other is not None)

    def keys(
        self,
        question: Message,
        keys: Mapping[str, Message],
        *,
        why: Message,
        flag: str,  # noqa: ARG002 - for NeverAsk
        default: str,
        more: Message | None = None,
    ) -> str:
        choices = [Choice(value=key, title=does, note=key) for key, does in keys.items()]
        rows = ChoiceList([row(choice) for choice in choices], default=default)
        return self._list(question, rows, why, more, letters=tuple(keys))

    def text(
        self,
        question: Message,
        *,
        why: Message,
        flag: str,  # noqa: ARG002 - for NeverAsk
        default: str = "",
        more: Message | None = None,
        check: Check | None = None,
    ) -> str:
        from haha_config.io.prompts.fields import line_field

        frame = self._frame(question, why, more)
        with self._session():
            answer = self._run(frame, line_field(frame, default=default, check=check))
        if answer is BACK:
            raise self._left(frame)
        self._answered(frame, str(answer))
        return str(answer)

    def secret(
        self,
        question: Message,
        *,
        why: Message,
        flag: str,  # noqa: ARG002 - for NeverAsk
        more: Message | None = None,
        check: Check | None = None,
        clean: Clean | None = None,
        found: Message | None = None,
    ) -> str:
        from haha_config.io.prompts.fields import secret_field

        def judge(pasted: str) -> SecretAnswer:
            return secret_answer(pasted, check=check, clean=clean, found=found)

        frame = self._frame(question, why, more)
        with self._session():
            hint = "" if found is None else render(found)
            answer = self._run(frame, secret_field(frame, judge, hint=hint))
        if not isinstance(answer, SecretAnswer):
            raise self._left(frame)
        shown = masked(answer.value) if answer.value else found or msg("none")
        self._answered(frame, render(shown), said=answer.said[1:])
        return answer.value

    def confirm(
        self,
        question: Message,
        *,
        why: Message,
        flag: str,  # noqa: ARG002 - for NeverAsk
        default: bool,
        more: Message | None = None,
    ) -> bool:
        from haha_config.io.prompts.fields import yes_no_field

        frame = self._frame(question, why, more)
        with self._session():
            answer = self._run(frame, yes_no_field(frame, default=default))
        if answer is BACK:
            self._close(frame)
            return False
        self._answered(frame, render(msg("Yes") if answer else msg("No")))
        return bool(answer)

    def _list(
        self,
        question: Message,
        rows: ChoiceList,
        why: Message,
        more: Message | None,
        *,
        search: bool = False,
        letters: tuple[str, ...] = (),
    ) -> str:
        from haha_config.io.prompts.fields import list_field

        frame = self._frame(question, why, more)
        with self._session():
            answer = self._run(frame, list_field(frame, rows, search=search, letters=letters))
        if answer is BACK:
            raise self._left(frame)
        chosen = rows.current
        self._answered(frame, str(answer) if chosen is None else chosen.title)
        return str(answer)

    @cached_property
    def _input(self) -> Input:
        from prompt_toolkit.input import create_input

        return create_input(self._stdin)

    @cached_property
    def _output(self) -> Output:
        from prompt_toolkit.output import ColorDepth, create_output

        if sys.platform == "win32":
            return create_output(stdout=self._stream)
        from prompt_toolkit.output.vt100 import Vt100_Output

        output = Vt100_Output.from_pty(
            self._stream, term=self._term, default_color_depth=ColorDepth.DEPTH_4_BIT
        )
        # The question where the cursor is goes unanswered on some terminals, which costs a
        # warning, and its late answer is read as keys; nothing here needs it.
        output.enable_cpr = False
        return output

    @cached_property
    def _style(self) -> Style:
        from haha_config.io.prompts.frame import style

        return style(color=self._color)

    def _session(self) -> AbstractContextManager[object]:
        from prompt_toolkit.application import create_app_session

        return create_app_session(input=self._input, output=self._output)

    def _print(self, fragments: Fragments) -> None:
        from prompt_toolkit import print_formatted_text
        from prompt_toolkit.formatted_text import FormattedText

        print_formatted_text(
            FormattedText(fragments),
            output=self._output,
            style=self._style,
            include_default_pygments_style=False,
        )

    def _frame(self, question: Message, why: Message, more: Message | None) -> Frame:
        from haha_config.io.prompts.frame import Frame

        return Frame(
            render(question),
            render(why),
            "" if more is None else render(more),
            output=self._output,
            style=self._style,
        )

    def _run(self, frame: Frame, field: Application[Any]) -> object:
        """The one way any field is asked: framed, and leaving by the same keys."""
        try:
            return frame.around(field).run()
        except (KeyboardInterrupt, EOFError):
            self._print(frame.closed("", hollow=True))
            raise cancelled() from None

    def _close(self, frame: Frame) -> None:
        self._print(frame.closed(render(msg("back")), hollow=True))

    def _left(self, frame: Frame) -> WentBack:
        self._close(frame)
        return WentBack()

    def _answered(self, frame: Frame, answer: str, said: Sequence[Message] = ()) -> None:
        self._print(frame.closed(answer))
        for line in said:
            self._print(frame.remark(render(line)))
