"""How fast haha-config is, beside the others, with big files, and with slow endpoints."""
