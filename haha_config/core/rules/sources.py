"""Where the fact behind each rule comes from: `templates/facts/sources.toml`."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from haha_config.core.messages import Message, msg


class Source(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`measured`: with which programs, and by which `test`; `page`: where it was read."""

    date: datetime.date
    measured: str = ""
    test: str = ""
    page: str = ""

    @property
    def told(self) -> Message:
        if self.measured:
            return msg("measured with {programs}, {date}", programs=self.measured, date=self.day)
        return msg("{page}, {date}", page=self.page, date=self.day)

    @property
    def day(self) -> str:
        return self.date.isoformat()


class Sources(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sources by a name of their own, and those of each rule by its code."""

    source: Mapping[str, Source]
    rules: Mapping[str, tuple[str, ...]]

    def of(self, code: str) -> tuple[Source, ...]:
        return tuple(self.source[name] for name in self.rules[code])


def parse(text: str) -> Sources:
    """The sources that ship: a wrong shape is a bug."""
    return msgspec.toml.decode(text, type=Sources)
