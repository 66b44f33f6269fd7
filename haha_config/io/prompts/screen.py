"""Questions drawn on a terminal: questionary's fields, and one frame round each of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TextIO, Unpack

from haha_config.core.messages import Message, msg
from haha_config.io.i18n import render
from haha_config.io.prompts.choice_list import ChoiceList, row
from haha_config.io.prompts.question import (
    BACK,
    About,
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
        default: str | None = None,
        search: bool = False,
        other: Message | None = None,
        **about: Unpack[About],
    ) -> str:
        rows = ChoiceList(
            [row(choice) for choice in choices],
            default=default,
            other=None if other is None else render(other),
        )
        return self._list(question, rows, about, search=search or other is not None)

    def keys(
        self,
        question: Message,
        keys: Mapping[str, Message],
        *,
        default: str,
        **about: Unpack[About],
    ) -> str:
        choices = [Choice(value=key, title=does, note=key) for key, does in keys.items()]
        rows = ChoiceList([row(choice) for choice in choices], default=default)
        return self._list(question, rows, about, letters=tuple(keys))

    def text(
        self,
        question: Message,
        *,
        default: str = "",
        check: Check | None = None,
        **about: Unpack[About],
    ) -> str:
        from haha_config.io.prompts.fields import line_field

        field = partial(line_field, default=default, check=check)
        frame, answer = self._asked(question, about, field)
        self._answered(frame, str(answer))
        return str(answer)

    def secret(
        self,
        question: Message,
        *,
        check: Check | None = None,
        clean: Clean | None = None,
        found: Message | None = None,
        **about: Unpack[About],
    ) -> str:
        from haha_config.io.prompts.fields import secret_field

        def judge(pasted: str) -> SecretAnswer:
            return secret_answer(pasted, check=check, clean=clean, found=found)

        field = partial(secret_field, judge=judge, hint=render(found or ""))
        frame, answer = self._asked(question, about, field)
        shown = masked(answer.value) if answer.value else found or msg("none")
        self._answered(frame, render(shown), said=answer.said[1:])
        return str(answer.value)

    def confirm(self, question: Message, *, default: bool, **about: Unpack[About]) -> bool:
        from haha_config.io.prompts.fields import yes_no_field

        try:
            frame, answer = self._asked(question, about, partial(yes_no_field, default=default))
        except WentBack:
            return False
        self._answered(frame, render(msg("Yes") if answer else msg("No")))
        return bool(answer)

    def _list(
        self,
        question: Message,
        rows: ChoiceList,
        about: About,
        *,
        search: bool = False,
        letters: tuple[str, ...] = (),
    ) -> str:
        from haha_config.io.prompts.fields import list_field

        field = partial(list_field, rows=rows, search=search, letters=letters)
        frame, answer = self._asked(question, about, field)
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

    def _asked(
        self, question: Message, about: About, field: Callable[[Frame], Application[Any]]
    ) -> tuple[Frame, Any]:
        """The one way any field is asked: framed, and leaving by the same keys."""
        from haha_config.io.prompts.frame import Frame

        frame = Frame(
            render(question),
            render(about["why"]),
            render(about.get("more") or ""),
            output=self._output,
            style=self._style,
        )
        with self._session():
            try:
                answer = frame.around(field(frame)).run()
            except (KeyboardInterrupt, EOFError):
                self._print(frame.closed("", hollow=True))
                raise cancelled() from None
        if answer is BACK:
            self._print(frame.closed(render(msg("back")), hollow=True))
            raise WentBack
        return frame, answer

    def _answered(self, frame: Frame, answer: str, said: Sequence[Message] = ()) -> None:
        self._print(frame.closed(answer))
        for line in said:
            self._print(frame.remark(render(line)))
