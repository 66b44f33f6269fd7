"""LiteLLM as a program on this machine: installed, started, watched."""
