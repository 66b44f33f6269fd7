"""Where an answer is typed or chosen. The line, the key and yes or no are questionary's fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from haha_config.core.messages import msg, nmsg
from haha_config.io.i18n import columns, pad, render, wrapped
from haha_config.io.prompts.choice_list import ChoiceList, Row
from haha_config.io.prompts.frame import Fragments, Frame, cut
from haha_config.io.prompts.question import BACK, Check, SecretAnswer

if TYPE_CHECKING:
    from prompt_toolkit import Application
    from prompt_toolkit.key_binding import KeyPressEvent
    from prompt_toolkit.layout.processors import Processor

#: A line end inside a pasted key, while it is in the one-line field.
_LINE_END: Final = "\ue00a"
_STARS: Final = 16
_NARROW: Final = 60
_TALL: Final = 20


def line_field(frame: Frame, *, default: str, check: Check | None) -> Application[Any]:
    """Enter alone takes `default`, which is shown dim until Tab or the first letter."""
    edited = False
    frame.ways = (msg("tab edit"), msg("enter accept")) if default else (msg("enter next"),)

    @frame.keys.add("tab", eager=True)
    def _edit(event: KeyPressEvent) -> None:
        nonlocal edited
        if not event.current_buffer.text and not edited:
            edited = True
            event.current_buffer.insert_text(default)

    def enter(event: KeyPressEvent) -> None:
        typed = event.current_buffer.text.strip()
        if _said_instead(frame, event, typed):
            return
        value = typed or ("" if edited else default)
        complaint = check(value) if check is not None else None
        if complaint is None:
            event.app.exit(result=value)
        else:
            frame.complaint = render(complaint)

    return _typed(
        frame,
        lambda pasted: " ".join(pasted.split()),
        enter,
        placeholder=lambda: [("class:dim", "" if edited else default)],
    )


def secret_field(
    frame: Frame, *, judge: Callable[[str], SecretAnswer], hint: str
) -> Application[Any]:
    """Stars and a length; `judge` is asked on Enter, and `hint` says what Enter alone takes."""
    frame.ways = (msg("paste the key"), msg("enter next"))

    def enter(event: KeyPressEvent) -> None:
        if _more_is_pasted(event):
            event.current_buffer.insert_text(_LINE_END)
            return
        typed = event.current_buffer.text.replace(_LINE_END, "\n")
        if _said_instead(frame, event, typed.strip()):
            return
        answer = judge(typed)
        if answer.complaint:
            frame.complaint = "\n".join(render(line) for line in answer.said)
        else:
            event.app.exit(result=answer)

    return _typed(
        frame,
        lambda pasted: pasted.replace("\n", _LINE_END),
        enter,
        placeholder=[("class:dim", hint)],
        input_processors=[_mask()],
    )


def _typed(
    frame: Frame,
    paste: Callable[[str], str],
    enter: Callable[[KeyPressEvent], None],
    **looks: Any,
) -> Application[Any]:
    """A line to type in. No key shows or searches a history: there is none."""
    from prompt_toolkit.keys import Keys
    from questionary import text

    @frame.keys.add(Keys.BracketedPaste, eager=True)
    def _pasted(event: KeyPressEvent) -> None:
        data = event.data.replace("\r\n", "\n").replace("\r", "\n")
        event.current_buffer.insert_text(paste(data.strip("\n")))

    for key in ("c-r", "c-s"):
        frame.keys.add(key, eager=True)(lambda _event: None)
    frame.keys.add("enter", eager=True)(enter)
    field = text(">", qmark="", **looks).application
    buffer = field.layout.current_buffer
    assert buffer is not None  # noqa: S101 - a line has one

    def changed(_: object) -> None:
        # A complaint is about what was typed.
        frame.complaint = ""

    buffer.on_text_changed.add_handler(changed)
    return field


def yes_no_field(frame: Frame, *, default: bool) -> Application[Any]:
    from questionary import confirm

    frame.ways = (msg("y yes"), msg("n no"), msg("enter yes") if default else msg("enter no"))
    frame.answer_keys(lambda: True)
    instruction = "Y/n " if default else "y/N "
    return confirm(">", default=default, qmark="", instruction=instruction).application


def list_field(
    frame: Frame, rows: ChoiceList, *, search: bool, letters: Sequence[str] = ()
) -> Application[Any]:
    """A list with a pointer. Not questionary's select: with a search it can't dim a note, and it
    asks the unfiltered list whether the row under the pointer can be chosen."""
    from prompt_toolkit import Application
    from prompt_toolkit.layout import FormattedTextControl, Layout, Window

    control = FormattedTextControl(
        lambda: [*_drawn(frame, rows, search=search)], focusable=True, show_cursor=search
    )
    move, take = msg("↑↓ move"), msg("enter choose")
    frame.ways = (move, msg("type to search"), take) if search else (move, take)
    frame.answer_keys(lambda: not rows.typed)
    _moving(frame, rows)
    if search:
        _searching(frame, rows)
    for letter in letters:
        _letter(frame, rows, letter)
    return Application(layout=Layout(Window(control)))


def _said_instead(frame: Frame, event: KeyPressEvent, typed: str) -> bool:
    """`<` or `?` as the whole answer."""
    if typed == "<":
        event.app.exit(result=BACK)
        return True
    if typed == "?" and frame.help():
        event.current_buffer.reset()
        return True
    return False


def _more_is_pasted(event: KeyPressEvent) -> bool:
    """Whether this line end came in one piece with text after it: a paste, where the terminal
    doesn't mark one. Half a key must not go off as the answer."""
    waiting = event.app.key_processor.input_queue
    return bool(waiting) and len(waiting[0].data) == 1 and waiting[0].data.isprintable()


def _mask() -> Processor:
    from prompt_toolkit.layout.processors import (
        Processor,
        Transformation,
        TransformationInput,
    )

    class Mask(Processor):
        """Stars, at most one short line of them, and the length, which tells a cut-off paste."""

        def apply_transformation(self, given: TransformationInput) -> Transformation:
            length = len(given.document.text)
            if not length:
                return Transformation([])
            stars = min(length, _STARS)
            count = render(nmsg("{n} character", "{n} characters", length))
            return Transformation(
                [("class:answer", "*" * stars), ("class:dim", f"  {count}")],
                source_to_display=lambda at: min(at, stars),
                display_to_source=lambda at: min(at, length),
            )

    return Mask()


def _bind(frame: Frame, key: str, do: Callable[[], object]) -> None:
    frame.keys.add(key, eager=True)(lambda _event: do())


def _moving(frame: Frame, rows: ChoiceList) -> None:
    for key, step in (("up", -1), ("c-p", -1), ("down", 1), ("c-n", 1), ("tab", 1), ("s-tab", -1)):
        _bind(frame, key, partial(rows.move, step))
    far = len(rows.all) + 1
    for key, step in (("pageup", -10), ("pagedown", 10), ("home", -far), ("end", far)):
        _bind(frame, key, partial(rows.leap, step))

    @frame.keys.add("enter", eager=True)
    def _take(event: KeyPressEvent) -> None:
        if rows.current is not None:
            event.app.exit(result=rows.current.value)


def _searching(frame: Frame, rows: ChoiceList) -> None:
    from prompt_toolkit.keys import Keys

    def clear() -> bool:
        was_typed = bool(rows.typed)
        rows.search("")
        return was_typed

    frame.escape = clear
    frame.escape_does = lambda: msg("esc clear") if rows.typed else msg("esc back")

    @frame.keys.add(Keys.Any)
    def _typed(event: KeyPressEvent) -> None:
        if event.data.isprintable():
            rows.search(rows.typed + event.data)

    @frame.keys.add(Keys.BracketedPaste, eager=True)
    def _pasted(event: KeyPressEvent) -> None:
        rows.search(rows.typed + " ".join(event.data.split()))

    _bind(frame, "backspace", lambda: rows.search(rows.typed[:-1]))
    _bind(frame, "c-u", clear)
    _bind(frame, "c-w", lambda: rows.search(rows.typed.rstrip().rpartition(" ")[0]))


def _letter(frame: Frame, rows: ChoiceList, letter: str) -> None:
    @frame.keys.add(letter, eager=True)
    def _choose(event: KeyPressEvent) -> None:
        rows.at = next(at for at, row in enumerate(rows.shown) if row.value == letter)
        event.app.exit(result=letter)


def _drawn(frame: Frame, rows: ChoiceList, *, search: bool) -> Fragments:
    width = frame.size.columns
    titles = max((columns(row.title) for row in rows.all), default=0)
    fits = all(titles + columns(row.note) + 6 <= width for row in rows.all)
    narrow = width < _NARROW and not fits
    if any(row.note for row in rows.all) and not (narrow or fits):
        titles = min(titles, (width - 5) * 3 // 5)
    room = min(_TALL, frame.body_rows() - search)
    below = [] if fits else _below(rows, width, room)
    top, visible = rows.visible(room - len(below))
    fragments = _search_line(rows, width) if search else []
    if not rows.count:
        none = render(msg("nothing matches `{typed}`", typed=rows.typed))
        fragments.append(("class:complaint", f"   {cut(none, width - 3)}\n"))
    for index, row in enumerate(visible, top):
        fragments += _row(row, width, titles, pointed=index == rows.at, notes=not narrow)
    fragments += [("class:dim", f"{line}\n") for line in below]
    *rest, (style, last) = fragments
    return [*rest, (style, last.removesuffix("\n"))]


def _below(rows: ChoiceList, width: int, room: int) -> list[str]:
    """The whole of the pointed row's title and note, where the list cuts notes: always as many
    lines, so that nothing below jumps when the pointer moves."""
    notes = [wrapped(row.note, width - 3) for row in rows.all if row.note]
    needed = max(map(len, notes), default=0)
    note = rows.current.note if rows.current is not None else ""
    lines = wrapped(note, width - 3) if note else []
    count = min(needed, max(1, room // 3))
    if len(lines) > count:
        lines = [*lines[: count - 1], cut(f"{lines[count - 1]} …", width - 4)]
    space = [""] if len(rows.all) + count < room else []
    return [f"   {line}" for line in (*space, *lines, *[""] * (count - len(lines)))]


def _search_line(rows: ChoiceList, width: int) -> Fragments:
    count = render(msg("{n} of {all}", n=rows.count, all=len(rows.all)))
    typed = rows.typed
    while columns(typed) > width - 3 - columns(count) - 3:
        typed = typed[1:]
    return [
        ("class:pointer", " / "),
        ("class:answer", typed),
        ("[SetCursorPosition]", ""),
        ("class:dim", f"  {count}\n"),
    ]


def _row(row: Row, width: int, titles: int, *, pointed: bool, notes: bool) -> Fragments:
    style = "class:dim" if row.disabled else "class:chosen" if pointed else ""
    pointer = ("class:pointer", " > ") if pointed else ("", "   ")
    room = width - 3
    if notes and row.note:
        title = pad(cut(row.title, min(titles, room)), min(titles, room))
        beside = f"  {cut(row.note, max(0, room - titles - 2))}"
    else:
        title = cut(row.title, room)
        tag = "" if notes or not row.tag else f"  {row.tag}"
        beside = tag if columns(row.title) + columns(tag) <= room else ""
    return [pointer, (style, title), ("class:dim", beside), ("", "\n")]
