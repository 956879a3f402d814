# Two commands for a newcomer: `make demo` and `make test`. Each installs what it needs into .venv.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 15868
# Of the tests, each with a Postgres of its own. More than the cores: the tests wait more than they compute.
WORKERS ?= 4
MINUTES ?= 10
READY := $(VENV)/.installed
SOURCES := lib simulator functions local bench mutants tests examples deploy stack template

# Without bytecode each of the hundreds of processes that tests start would compile what it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test explore test-real screenshots test-images mutate check format up down status bench requirements coldstart clean docs manifests

# CONSOLE=1 shows it in a browser too, and stays.
demo: $(READY)
	@CONSOLE=$(CONSOLE) $(BIN)/python -m local.demo

test: $(READY)
	$(BIN)/pytest -n $(WORKERS) --dist worksteal

# Random clouds and schedules that were never played, for so many minutes; what breaks a promise is kept as a folder.
explore: $(READY)
	@$(BIN)/python -m instance_ha_simulator.explorer --minutes $(MINUTES) $(ARGS)

# What needs root and packages: real Consul clusters, a real libvirt with a real guest. Installs them on Debian.
test-real: $(READY)
	tests/real/install.sh
	REAL_TIER=1 $(BIN)/pytest -n 3 --dist loadfile tests/real tests/gateways    # the files wait more than they compute

# Writes the pictures of docs/console.md with a real browser, which make test-real installs.
screenshots: $(READY)
	$(BIN)/python -m tests.real.screenshots

# What needs podman, buildah and runc: images of functions, built and run. Installs them on Debian, as root.
test-images: $(READY)
	tests/images/install.sh
	IMAGES_TIER=1 $(BIN)/pytest tests/images

# Breaks each safety rule, runs the tests that must notice it, and writes the table of docs/promises.md.
mutate: $(READY)
	$(BIN)/python -m mutants $(ARGS)

check: $(READY)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy lib simulator local bench mutants tests deploy stack template/python-functions-framework/root.py
	$(BIN)/lint-imports
	$(BIN)/python -m local.docs --check
	$(BIN)/python -m deploy.render --check
	$(BIN)/pytest -q tests/unit/test_words.py tests/unit/test_promises.py    # no database is started for them

format: $(READY)
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

up: $(READY)
	@$(BIN)/python -m local up --port $(PORT) $(ARGS)

down: $(READY)
	@$(BIN)/python -m local down

status: $(READY)
	@$(BIN)/python -m local status

bench: $(READY)
	@$(BIN)/python -m bench

docs: $(READY)
	$(BIN)/python -m local.docs

# What a cluster is told: deploy/knative and deploy/gateway, from stack.yml and deploy/settings.yml.
manifests: $(READY)
	$(BIN)/python -m deploy.render

# The pinned requirements, for development and for each function's image.
requirements: $(READY)
	PATH=$(BIN):$$PATH $(PYTHON) requirements/compile.py

$(READY): requirements/bootstrap.txt requirements/dev.txt requirements/monitors.txt lib/pyproject.toml simulator/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes --no-deps -r requirements/monitors.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e lib -e simulator
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
