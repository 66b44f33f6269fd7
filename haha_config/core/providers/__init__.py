"""The provider table: its records, how it is read, and who is behind a URL."""
