"""Set-ups of other tools, read and never written: their data in, entries out."""

from haha_config.core.imports.entry import STRANGE, ImportedGateway, ImportedSetup, Served, named

__all__ = ["STRANGE", "ImportedGateway", "ImportedSetup", "Served", "named"]
