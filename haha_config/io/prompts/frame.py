"""What stands round every field: the question, why it is asked, what the keys do."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from haha_config.core.messages import Message, msg
from haha_config.io.i18n import columns, render, wrapped
from haha_config.io.prompts.question import BACK

if TYPE_CHECKING:
    from prompt_toolkit import Application
    from prompt_toolkit.data_structures import Size
    from prompt_toolkit.key_binding import KeyPressEvent
    from prompt_toolkit.output import Output
    from prompt_toolkit.styles import Style

_T = TypeVar("_T")
Fragments = list[tuple[str, str]]

#: The terminal's own colours, so that its theme decides how they look on light and on dark.
_LOOKS: Final = {
    "qmark": "bold ansigreen",
    "question": "bold",
    "answer": "ansicyan",
    "pointer": "bold ansicyan",
    "chosen": "bold ansicyan",
    "dim": "dim",
    "complaint": "bold ansired",
}

#: Seconds to wait for the rest of an escape sequence before it was the Esc key.
_ESCAPE: Final = 0.1


class Frame:
    """One question on the screen. A field sets `ways` and `complaint`, and adds to `keys`."""

    def __init__(self, question: str, why: str, more: str, *, output: Output, style: Style) -> None:
        from prompt_toolkit.key_binding import KeyBindings

        self.keys = KeyBindings()
        self.question = question
        self.style = style
        self.complaint = ""
        self.ways: tuple[Message, ...] = ()
        self.escape: Callable[[], bool] = lambda: False
        self.escape_does: Callable[[], Message] = lambda: msg("esc back")
        self._why = why
        self._more = more
        self._open = False
        self._output = output
        self._bind_leaving()

    @property
    def size(self) -> Size:
        """The terminal's size now, less the last column, where some terminals wrap."""
        size = self._output.get_size()
        return size._replace(columns=max(10, size.columns - 1))

    def around(self, field: Application[_T]) -> Application[_T]:
        """The field with the frame round it, leaving nothing on the screen when it ends."""
        from prompt_toolkit.filters import Always
        from prompt_toolkit.key_binding import KeyBindings, merge_key_bindings
        from prompt_toolkit.layout import HSplit, Layout, VerticalAlign

        window = field.layout.current_window
        window.dont_extend_height = Always()
        field.key_bindings = merge_key_bindings([field.key_bindings or KeyBindings(), self.keys])
        field.layout = Layout(
            HSplit(
                [_lines(self.header), field.layout.container, _lines(self.footer)],
                align=VerticalAlign.TOP,
            ),
            focused_element=window,
        )
        field.style = self.style
        field.erase_when_done = True
        field.ttimeoutlen = field.timeoutlen = _ESCAPE
        return field

    def header(self) -> Fragments:
        width = self.size.columns - 2
        lines = wrapped(self.question, width)
        fragments: Fragments = [("class:qmark", "? "), ("class:question", lines[0])]
        fragments += [("class:question", f"\n  {line}") for line in lines[1:]]
        fragments += [("class:dim", f"\n  {line}") for line in wrapped(self._why, width)]
        if self._open:
            room = max(2, self.size.rows - 12)
            fragments += [("", f"\n  {line}") for line in wrapped(self._more, width)[:room]]
        return fragments

    def footer(self) -> Fragments:
        width = self.size.columns - 2
        fragments: Fragments = []
        for line in wrapped(self.complaint, width) if self.complaint else ():
            fragments.append(("class:complaint", f"  {line}\n"))
        ways = [*self.ways, self.escape_does()]
        if self._more:
            ways.append(msg("F1 less") if self._open else msg("F1 more"))
        while columns(hint := " · ".join(map(render, ways))) > width and len(ways) > 1:
            ways.pop(0)
        fragments.append(("class:dim", f"  {cut(hint, width)}"))
        return fragments

    def body_rows(self) -> int:
        """How many lines are left for a field."""
        around = self.header() + self.footer()
        return self.size.rows - sum(text.count("\n") for _, text in around) - 2

    def answer_keys(self, idle: Callable[[], bool]) -> None:
        """`?` and `<` do what F1 and Esc do, while nothing else is being typed."""
        from prompt_toolkit.filters import Condition

        @self.keys.add("?", filter=Condition(idle), eager=True)
        def _help(_event: KeyPressEvent) -> None:
            self.help()

        @self.keys.add("<", filter=Condition(idle), eager=True)
        def _back(event: KeyPressEvent) -> None:
            event.app.exit(result=BACK)

    def help(self) -> bool:
        """Show or hide what `more` says; False where there is nothing more to say."""
        self._open = bool(self._more) and not self._open
        return bool(self._more)

    def closed(self, answer: str, *, hollow: bool = False) -> Fragments:
        """The line that stays when the question is over; `hollow` where it got no answer."""
        width = self.size.columns - 4
        answer = cut(answer, max(width // 2, width - columns(self.question)))
        question = cut(self.question, width - columns(answer))
        answer = f"  {answer}" if answer else ""
        if hollow:
            return [("class:dim", f"? {question}{answer}")]
        return [("class:qmark", "? "), ("class:question", question), ("class:answer", answer)]

    def remark(self, text: str) -> Fragments:
        lines = wrapped(text, self.size.columns - 2)
        return [("class:dim", "\n".join(f"  {line}" for line in lines))]

    def _bind_leaving(self) -> None:
        from prompt_toolkit.keys import Keys

        bindings = self.keys

        @bindings.add("c-c", eager=True)
        @bindings.add("<sigint>", eager=True)
        def _cancel(event: KeyPressEvent) -> None:
            event.app.exit(exception=KeyboardInterrupt)

        @bindings.add("c-d", eager=True)
        def _end(event: KeyPressEvent) -> None:
            event.app.exit(exception=EOFError)

        # Not eager: the bytes of Alt-B begin with Esc too, and must not throw the answer away.
        @bindings.add("escape")
        def _back(event: KeyPressEvent) -> None:
            if not self.escape():
                event.app.exit(result=BACK)

        @bindings.add("escape", Keys.Any)
        def _alt(_event: KeyPressEvent) -> None:
            """An Alt key that nobody bound is not Esc."""

        @bindings.add("f1", eager=True)
        def _help(_event: KeyPressEvent) -> None:
            self.help()

        if hasattr(signal, "SIGTSTP"):

            @bindings.add("c-z", eager=True)
            def _suspend(event: KeyPressEvent) -> None:
                event.app.suspend_to_background()


def style(*, color: bool) -> Style:
    from prompt_toolkit.styles import Style

    return Style.from_dict(
        {name: look if color else look.partition("ansi")[0] for name, look in _LOOKS.items()}
    )


def cut(text: str, room: int) -> str:
    """`text` in at most `room` columns, ending with … where something is missing."""
    from wcwidth import clip

    if columns(text) <= room:
        return text
    return clip(text, 0, max(0, room - 1)).rstrip() + "…"


def _lines(fragments: Callable[[], Fragments]) -> Any:
    from prompt_toolkit.layout import FormattedTextControl, Window

    return Window(FormattedTextControl(lambda: [*fragments()]), dont_extend_height=True)
