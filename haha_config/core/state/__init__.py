"""Everything that was read, and what follows from it."""
