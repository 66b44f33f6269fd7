"""Facts about the real parts, measured here and kept as data: `python -m tools.facts`."""
