"""Questions drawn on a terminal: questionary's fields, and one frame round each of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TextIO

from haha_config.core.messages import Message, msg
from haha_config.io.i18n import render
from haha_config.io.prompts.choice_list import ChoiceList, row
from haha_config.io.prompts.fields import line_field, list_field, secret_field, yes_no_field
from haha_config.io.prompts.frame import Fragments, Frame, style
from haha_config.io.prompts.question import (
    BACK,
    Check,
    Choice,
    Judge,
    Prompter,
    Question,
    SecretAnswer,
    WentBack,
    cancelled,
    masked,
)

if TYPE_CHECKING:
    from prompt_toolkit import Application
    from prompt_toolkit.input import Input
    from prompt_toolkit.output import Output
    from prompt_toolkit.styles import Style


class Screen(Prompter):
    """Draws one question at a time and leaves one line of it behind: `? Question  Answer`."""

    def __init__(self, stdin: TextIO, stream: TextIO, *, term: str, color: bool) -> None:
        self._stdin = stdin
        self._stream = stream
        self._term = term
        self._color = color

    def _select(
        self,
        asked: Question,
        choices: Sequence[Choice],
        default: str | None,
        search: bool,
        other: Message | None,
    ) -> str:
        rows = ChoiceList(
            [row(choice) for choice in choices],
            default=default,
            other=None if other is None else render(other),
        )
        return self._list(asked, rows, search=search)

    def _keys(self, asked: Question, keys: Mapping[str, Message], default: str) -> str:
        choices = [Choice(value=key, title=does, note=key) for key, does in keys.items()]
        rows = ChoiceList([row(choice) for choice in choices], default=default)
        return self._list(asked, rows, letters=tuple(keys))

    def _list(
        self,
        asked: Question,
        rows: ChoiceList,
        *,
        search: bool = False,
        letters: tuple[str, ...] = (),
    ) -> str:
        frame = self._frame(asked)
        answer = self._run(frame, lambda: list_field(frame, rows, search=search, letters=letters))
        self._answered(frame, str(answer) if rows.current is None else rows.current.title)
        return str(answer)

    def _text(self, asked: Question, default: str, check: Check | None) -> str:
        frame = self._frame(asked)
        answer = self._run(frame, lambda: line_field(frame, default=default, check=check))
        self._answered(frame, answer)
        return str(answer)

    def _secret(self, asked: Question, judge: Judge, found: Message | None) -> str:
        frame = self._frame(asked)
        hint = "" if found is None else render(found)
        answer: SecretAnswer = self._run(frame, lambda: secret_field(frame, judge=judge, hint=hint))
        shown = masked(answer.value) if answer.value else found or msg("none")
        self._answered(frame, render(shown), said=answer.said[1:])
        return answer.value

    def _confirm(self, asked: Question, *, default: bool) -> bool:
        frame = self._frame(asked)
        answer = self._run(frame, lambda: yes_no_field(frame, default=default))
        self._answered(frame, render(msg("Yes") if answer else msg("No")))
        return bool(answer)

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
        return style(color=self._color)

    def _print(self, fragments: Fragments) -> None:
        from prompt_toolkit import print_formatted_text
        from prompt_toolkit.formatted_text import FormattedText

        print_formatted_text(
            FormattedText(fragments),
            output=self._output,
            style=self._style,
            include_default_pygments_style=False,
        )

    def _frame(self, asked: Question) -> Frame:
        return Frame(
            render(asked.text),
            render(asked.why),
            "" if asked.more is None else render(asked.more),
            output=self._output,
            style=self._style,
        )

    def _run(self, frame: Frame, field: Callable[[], Application[Any]]) -> Any:
        """The one way any field is asked: framed, and leaving by the same keys."""
        from prompt_toolkit.application import create_app_session

        try:
            with create_app_session(input=self._input, output=self._output):
                answer = frame.around(field()).run()
        except (KeyboardInterrupt, EOFError):
            self._print(frame.closed("", hollow=True))
            raise cancelled() from None
        if answer is BACK:
            self._print(frame.closed(render(msg("back")), hollow=True))
            raise WentBack
        return answer

    def _answered(self, frame: Frame, answer: str, said: Sequence[Message] = ()) -> None:
        self._print(frame.closed(answer))
        for line in said:
            self._print(frame.remark(render(line)))
