"""Thought: pure functions over data. No files, network, terminal, clock or environment."""
