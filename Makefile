# The work is done in tasks.py, which also runs without make: python3 -m tasks NAME
# make test ARGS=tests/core/test_urls.py: only these tests
PYTHON ?= python3
TASKS = venv demo lint test test-versions e2e fuzz docs bench catalogs facts lock-litellm

.PHONY: help $(TASKS)

help:
	@$(PYTHON) -m tasks

$(TASKS):
	@$(PYTHON) -m tasks $@ $(ARGS)
