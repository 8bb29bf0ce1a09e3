# Each target does its own set-up: a virtual environment in .venv, and the extras that it needs.
# PYTHON=/path/to/python3.12 picks an interpreter; otherwise the first one of 3.11 or newer that works is taken.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
VENV := .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?=

.PHONY: demo test check bench docs coverage-report clean
.DELETE_ON_ERROR:

demo: $(VENV)/.demo
	@$(BIN)/thalweg demo

test: $(VENV)/.dev
	@$(BIN)/pytest -q -n 2 --dist worksteal $(PYTEST_ARGS)

check: $(VENV)/.dev
	@$(BIN)/ruff format --check --quiet . || { echo "ruff format would change files: run $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/pytest -q tests/test_layers.py

bench: $(VENV)/.bench
	@$(BIN)/python -m benchmarks

docs: $(VENV)/.dev
	@$(BIN)/pytest -q tests/test_examples_in_docs.py
	@$(BIN)/python docs/build.py

coverage-report: $(VENV)/.dev
	@$(BIN)/python tests/oracle/coverage_report.py

clean:
	rm -rf $(VENV) docs/_site .mypy_cache .pytest_cache .ruff_cache .hypothesis

# One stamp per extra; a stamp is older than pyproject.toml when what must be installed may have changed.
$(VENV)/.%: pyproject.toml | $(BIN)/python
	@echo "installing thalweg[$*] into $(VENV) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[$*]'
	@touch $@

$(BIN)/python:
	@for p in $(PYTHON) python3 python3.13 python3.12 python3.11 \
	          "$$HOME"/.pyenv/versions/3.1[1-9].*/bin/python3 /opt/python/3.1[1-9]*/bin/python3; do \
	  if "$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "creating $(VENV) with $$("$$p" --version)"; exec "$$p" -m venv $(VENV); \
	  fi; \
	done; \
	echo "No Python of 3.11 or newer with venv was found: install one, or make PYTHON=/path/to/python $(MAKECMDGOALS)"; exit 1
