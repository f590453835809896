# Everything a developer types. `make` alone prints this list.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes
BUNDLE := shared/web/static/generated/vega.js

# The first of these that is Python 3.11 or newer; `make PYTHON=/path/to/python run` chooses another.
PYTHON := $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then command -v $$python; break; fi; done)

# Suites that need a server, a browser or the real data, and those that kill what they stand on.
NOT_FAST := postgres or kafka or browser or faults or data

.PHONY: help run test test-fast check bench services up down lock clean

help: ## Print what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' \
		| while IFS="$$(printf '\t')" read -r name what; do printf '  make %-10s %s\n' "$$name" "$$what"; done

run: $(VENV)/.runtime ## Set up if needed and run everything in one process on http://127.0.0.1:8000
	@exec $(BIN)/python -m services run

test: $(VENV)/.dev ## All tests, in two halves side by side; what cannot run here says what is missing
	@exec $(BIN)/python -m tests.side_by_side

test-fast: $(VENV)/.dev ## The tests of a minute: no servers, no browser, nothing killed
	@exec $(BIN)/python -m pytest -m 'not ($(NOT_FAST))'

check: $(VENV)/.dev ## Linters, types, import contracts, event schemas: what CI runs after the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m shared.events.golden --check

bench: $(VENV)/.dev ## Benchmarks against a bare FastAPI with one INSERT
	@exec $(BIN)/python -m benchmarks

services: $(VENV)/.dev ## PostgreSQL and Kafka for development on this machine
	@exec $(BIN)/python -m deploy.local services

up: $(VENV)/.dev ## The four services as processes on PostgreSQL and Kafka, ports 8001 to 8004
	@exec $(BIN)/python -m deploy.local up

down: $(VENV)/.dev ## Stop what `up` and `services` started; the data stay
	@exec $(BIN)/python -m deploy.local down

lock: $(VENV)/.dev ## Write the requirements anew from pyproject.toml (UPGRADE=--upgrade for newer ones)
	$(COMPILE) --output-file requirements.txt pyproject.toml
	$(COMPILE) --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml

clean: ## Remove what was built; data in var/ stay
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache shared/web/static/generated
	find services shared deploy tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

# Hashes of every platform's files and no address, whatever this machine's pip is set to.
COMPILE = PIP_FIND_LINKS= $(BIN)/pip-compile --quiet --no-config --generate-hashes --no-header \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --strip-extras --allow-unsafe \
	--annotation-style=line $(UPGRADE)

$(VENV)/bin/python:
	@test -n '$(PYTHON)' || { echo 'Redress needs Python 3.11 or newer: none is on the path.' >&2; exit 1; }
	@echo 'Setting up $(VENV) with $(PYTHON) …'
	@$(PYTHON) -m venv $(VENV)

# The stamps come last in each recipe, so that an interrupted set-up is taken up again.
$(VENV)/.runtime: requirements.txt | $(VENV)/bin/python
	@echo 'Installing what Redress runs on …'
	@$(PIP) -r requirements.txt
	@$(BIN)/python -m deploy.local assets
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	@echo 'Installing what developers need …'
	@$(PIP) -r requirements-dev.txt
	@touch $@

# Remade when it was deleted while the stamp stayed.
run test test-fast up: | $(BUNDLE)
$(BUNDLE): | $(VENV)/.runtime
	@$(BIN)/python -m deploy.local assets
