"""The exact bytes of a write, shown and taken back."""
