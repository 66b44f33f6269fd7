"""Point an Anthropic-protocol coding client at another model."""

__version__ = "0.2.0"
