"""Set-ups of other tools, read and never written: their data in, entries out."""

from haha_config.core.imports.entry import STRANGE, Entry, Gateway, Served, named

__all__ = ["STRANGE", "Entry", "Gateway", "Served", "named"]
