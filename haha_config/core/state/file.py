"""A file as it was read: its document, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from haha_config.core.edit import decode
from haha_config.core.edit.formats import read
from haha_config.core.edit.json_text import without_halves
from haha_config.core.edit.text import Document, decode_wide
from haha_config.core.errors import Refusal
from haha_config.core.messages import Message, msg
from haha_config.core.model import Data, Format, Oddity, Place, Snapshot
from haha_config.core.state.accepted import Accepted, Rejected, mend, told
from haha_config.core.state.machine import Installed as Installed
from haha_config.core.state.machine import Machine as Machine
from haha_config.core.state.machine import Owner as Owner

#: What to do about a settings file that is no JSON.
IGNORED: Final = msg("correct that place: until then the client ignores the whole file")


class File(Struct, frozen=True, kw_only=True):
    """A file as read: its document, or why there is none. Absent: `document` and `error` None.

    A file that is there and can't be read has an `error` too: what it says is not known. So has a
    settings file that the client does not take, and that has a document: for the client it is not
    there. `rejected`: for each known version that drops the file, the values that it drops it for.
    `strange`: it is not UTF-8, and is read all the same, as Bun does with a wrong byte in `.env`
    and a client with one in its settings; nothing is written there.
    """

    snapshot: Snapshot
    format: Format
    text: str = ""
    document: Document | None = None
    error: Refusal | None = None
    strange: Refusal | None = None
    rejected: Mapping[str, tuple[Rejected, ...]] = {}

    @property
    def path(self) -> str:
        return self.snapshot.path

    @property
    def exists(self) -> bool:
        return self.snapshot.data is not None or self.snapshot.unreadable is not None

    @property
    def wide(self) -> bool:
        """Whether it is UTF-16, which `validate --fix` makes UTF-8."""
        return self.strange is not None and decode_wide(self.snapshot.data or b"") is not None

    @property
    def data(self) -> Mapping[str, Data]:
        """The parsed data; empty where the file is absent, does not parse or is not taken."""
        return self.document.data if self.document is not None and self.error is None else {}

    @property
    def oddities(self) -> Sequence[Oddity]:
        return self.document.oddities if self.document is not None else ()

    def place(self, *path: str | int) -> Place:
        """Where the value at `path` stands, or the file itself where it is not there."""
        found = self.document.place(path) if self.document is not None else None
        return (found or Place()).of(self.path)

    def key_place(self, *path: str | int) -> Place:
        """Where its key stands, or the file itself."""
        found = self.document.key_place(path) if self.document is not None else None
        return (found or Place()).of(self.path)


def parse(snapshot: Snapshot, format: Format) -> File:  # noqa: A002 - the field's name
    """A File from its bytes. A file that does not parse is a result, never an exception."""
    if snapshot.unreadable is not None:
        error = Refusal(snapshot.unreadable, place=Place(path=snapshot.path))
        return File(snapshot=snapshot, format=format, error=error)
    if snapshot.data is None:
        return File(snapshot=snapshot, format=format)
    try:
        text = decode(snapshot.data)
        return File(snapshot=snapshot, format=format, text=text, document=read(format, text))
    except Refusal as refusal:
        text = snapshot.data.decode("utf-8", "replace")
        return File(snapshot=snapshot, format=format, text=text, error=refusal.of(snapshot.path))


def parse_dotenv(snapshot: Snapshot) -> File:
    """A `.env` as Bun reads it: what is not UTF-8 spoils its own line and no other."""
    file = parse(snapshot, "dotenv")
    if file.error is None or snapshot.data is None or snapshot.unreadable is not None:
        return file
    text = snapshot.data.decode("utf-8", "replace")
    return replace(file, text=text, document=read("dotenv", text), error=None, strange=file.error)


def _parse_wide(snapshot: Snapshot) -> File | None:
    """A UTF-16 settings file; None for any other. `validate --fix` makes it UTF-8."""
    text = decode_wide(snapshot.data or b"") if snapshot.unreadable is None else None
    if text is None:
        return None
    strange = Refusal(
        msg("the file is UTF-16; haha-config writes UTF-8"),
        place=Place(path=snapshot.path),
        hints=("haha-config validate --fix",),
    )
    file = parse(replace(snapshot, data=text.encode("utf-8")), "json")
    return replace(file, snapshot=snapshot, strange=strange)


def _parse_spoilt(file: File) -> File:
    """The same file as the clients read it: a wrong byte or half a character hides nothing."""
    if file.error is None or file.snapshot.data is None or file.snapshot.unreadable is not None:
        return file
    text = without_halves(file.snapshot.data.decode("utf-8", "replace"))
    try:
        document = read("json", text)
    except Refusal:
        return replace(file, error=_hinted(file.error, IGNORED))
    gap = msg("delete it, so that haha-config can write to the file")
    return replace(file, text=text, document=document, error=None, strange=_hinted(file.error, gap))


def _hinted(refusal: Refusal, hint: Message) -> Refusal:
    """The same, with this hint where it has none of its own."""
    return Refusal(refusal.what, place=refusal.place, hints=refusal.hints or (hint,))


def parse_settings(snapshot: Snapshot, accepted: Accepted, version: str) -> File:
    """A client's settings file, and whether the clients that are known take it.

    `version`: the client that it is read for, one of the measured ones.
    """
    file = _parse_wide(snapshot) or _parse_spoilt(parse(snapshot, "json"))
    found = {known: accepted.rejected(file.data, known) for known in accepted.versions}
    rejected = {known: values for known, values in found.items() if values}
    if version not in rejected:
        return replace(file, rejected=rejected) if rejected else file
    first = rejected[version][0]
    error = Refusal(
        msg("Claude Code ignores the whole file: {why}", why=told(first)),
        place=rejected_place(file, first),
        hints=(mend(first),),
    )
    return replace(file, rejected=rejected, error=error)


def rejected_place(file: File, one: Rejected) -> Place:
    """Where the value stands for which a client drops this file."""
    return file.place(*one.path)
