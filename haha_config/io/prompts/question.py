"""What can be asked, whatever it is drawn with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, NoReturn, NotRequired, TypedDict, Unpack

from msgspec import Struct

from haha_config.core.errors import Cancelled, Usage
from haha_config.core.messages import Message, msg, nmsg


class WentBack(Cancelled):
    """A person wants the question before this one; where there is none, nothing was written."""

    def __init__(self) -> None:
        super().__init__(msg("nothing was written"))


#: What a field on the screen ends with then.
BACK: Final = object()

#: A pasted value in, the value to use and what was done to it (None: nothing) out.
Clean = Callable[[str], tuple[str, Message | None]]
Check = Callable[[str], Message | None]
#: What was typed or pasted as a key in, what became of it out.
Judge = Callable[[str], "SecretAnswer"]


class Choice(Struct, frozen=True, kw_only=True):
    """One row. `marked`: it is what is set now; `disabled`: why it can't be chosen; `tag`: the word
    of its note that a narrow list shows too; `words`: what it is found by besides, and with `*`
    among them it is shown where nothing is found."""

    value: str
    title: Message | str
    note: Message | str | None = None
    marked: bool = False
    disabled: Message | None = None
    tag: Message | None = None
    words: str = ""


class About(TypedDict):
    """What every question has: `why` is one line under it, `more` what F1 or `?` adds, `flag` the
    flag that answers it (named where nothing can be asked)."""

    why: Message
    flag: str
    more: NotRequired[Message]


class Question(Struct, frozen=True):
    """A question with what is said about it."""

    text: Message
    why: Message
    more: Message | None


class Prompter:
    """Asks one question at a time.

    Ctrl-C, Ctrl-D and the end of input raise `core.errors.Cancelled`, a step back `WentBack`.
    `remark`: said in the place of the next question's reason. A line above it would scroll away.
    """

    remark: Message | None = None

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
        """The value of a row. `other`: what is typed may be the answer as it is, and why so."""
        asked = self._question(question, about)
        return self._select(asked, choices, default, search or other is not None, other)

    def text(
        self,
        question: Message,
        *,
        default: str = "",
        check: Check | None = None,
        **about: Unpack[About],
    ) -> str:
        """One line, without spaces around it; Enter alone gives `default`."""
        return self._text(self._question(question, about), default, check)

    def secret(
        self,
        question: Message,
        *,
        check: Check | None = None,
        clean: Clean | None = None,
        found: Message | None = None,
        **about: Unpack[About],
    ) -> str:
        """A key, never shown. `found` says what Enter alone means, and then "" is an answer.

        Line ends after it are dropped; `clean` gets everything else as it was pasted, and `check`
        what `clean` made of it.
        """
        judge = partial(secret_answer, check=check, clean=clean, found=found)
        return self._secret(self._question(question, about), judge, found)

    def confirm(self, question: Message, *, default: bool, **about: Unpack[About]) -> bool:
        """Yes or no; a step back is a no."""
        try:
            return self._confirm(self._question(question, about), default=default)
        except WentBack:
            return False

    def keys(
        self,
        question: Message,
        keys: Mapping[str, Message],
        *,
        default: str,
        **about: Unpack[About],
    ) -> str:
        """One of `keys` (single letters, with what each does); Enter gives `default`."""
        return self._keys(self._question(question, about), keys, default)

    def _question(self, text: Message, about: About) -> Question:
        why, self.remark = self.remark or about["why"], None
        return Question(text, why, about.get("more"))

    def _select(
        self,
        asked: Question,
        choices: Sequence[Choice],
        default: str | None,
        search: bool,
        other: Message | None,
    ) -> str:
        raise NotImplementedError

    def _text(self, asked: Question, default: str, check: Check | None) -> str:
        raise NotImplementedError

    def _secret(self, asked: Question, judge: Judge, found: Message | None) -> str:
        raise NotImplementedError

    def _confirm(self, asked: Question, *, default: bool) -> bool:
        raise NotImplementedError

    def _keys(self, asked: Question, keys: Mapping[str, Message], default: str) -> str:
        raise NotImplementedError


class NeverAsk(Prompter):
    """Refuses every question, naming the flag that answers it."""

    def __init__(self, reason: Message | None = None) -> None:
        self._reason = reason or msg("there is no terminal")

    def _question(self, _text: Message, about: About) -> NoReturn:
        raise Usage(msg("{reason}: give `{flag}`", reason=self._reason, flag=about["flag"]))


class SecretAnswer(Struct, frozen=True, kw_only=True):
    """What became of a pasted key, and what to tell the person about it."""

    value: str
    said: tuple[Message, ...] = ()
    complaint: bool = False


def secret_answer(
    pasted: str, *, check: Check | None, clean: Clean | None, found: Message | None
) -> SecretAnswer:
    """The key in what was typed or pasted; `said` ends with the complaint, if there is one."""
    value = pasted.strip("\r\n")
    said: tuple[Message, ...] = ()
    if not value.strip():
        if found is not None:
            return SecretAnswer(value="")
        nothing = msg("nothing was typed")
        return SecretAnswer(value="", said=(nothing,), complaint=True)
    if clean is not None:
        value, done = clean(value)
        said = () if done is None else (done,)
    complaint = check(value) if check is not None else None
    if complaint is not None:
        return SecretAnswer(value=value, said=(*said, complaint), complaint=True)
    return SecretAnswer(value=value, said=(masked(value), *said))


def masked(secret: str) -> Message:
    """A key as it may be shown: how long it is, and from 12 characters on how it ends."""
    if len(secret) < 12:
        return nmsg("**** ({n} character)", "**** ({n} characters)", len(secret))
    return msg("****{end} ({n} characters)", end=secret[-4:], n=len(secret))


def cancelled() -> Cancelled:
    return Cancelled(msg("cancelled"))
