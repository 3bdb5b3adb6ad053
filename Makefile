# The whole interface of a fresh machine. OPENHUIZHOU_PORT (default 5000) and OPENHUIZHOU_DATA (default var/) tell
# stacks apart. Needs Python 3.11 or newer with venv, and the library libmagic (Debian: python3-venv libmagic1).

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
STACK := $(BIN)/openhuizhou

export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PYTHONUNBUFFERED = 1

.DEFAULT_GOAL := help
.PHONY: help install up down status logs reset test check bench translations echarts lock

help: ## show this list
	@grep -hE '^[a-z%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(INSTALLED) ## make .venv from requirements.lock

$(INSTALLED): requirements.lock pyproject.toml setup.py
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version) if sys.version_info < (3, 11) else None'
	@echo "installing from requirements.lock into $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@awk '/^[^ #]/ {keep = /^(setuptools|uv)==/} keep' requirements.lock > $(VENV)/bootstrap.lock
	@$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r $(VENV)/bootstrap.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

up: $(INSTALLED) ## start everything, harvest the departments, show what is published
	@$(STACK) up

down: $(INSTALLED) ## stop everything
	@$(STACK) down

status: $(INSTALLED) ## show each part with its process, address, health and memory
	@$(STACK) status

logs: $(INSTALLED) ## show the ends of the logs
	@$(STACK) logs

reset: $(INSTALLED) ## stop everything and throw the data away
	@$(STACK) reset

test: $(INSTALLED) ## run all tests on stacks of their own
	@$(BIN)/python -m ckanext.openhuizhou.stack.testing $(SUITES)

check: $(INSTALLED) ## format, lint, types, import contracts, translations complete, docs true
	@$(BIN)/ruff format --no-cache --check .
	@$(BIN)/ruff check --no-cache .
	@$(BIN)/pyright
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python tests/checks/translations.py
	@$(BIN)/python tests/checks/docs.py --check
	@$(BIN)/towncrier build --draft --version 0 > /dev/null
	@$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker/compose.yaml
	@$(BIN)/pytest -q -p no:ckan -p no:ckan_fixtures tests/unit/test_house.py tests/unit/test_docs.py

bench: $(INSTALLED) ## run every benchmark against its baseline
	@$(BIN)/python -m benchmarks

bench-%: $(INSTALLED) ## run one benchmark
	@$(BIN)/python -m benchmarks $*

translations: $(INSTALLED) ## collect the texts to translate
	@$(BIN)/python tests/checks/extract.py

echarts: ## make public/openhuizhou/vendor/echarts-*.js anew from vendor/echarts, with npm
	@cd vendor/echarts && npm ci --no-audit --no-fund && npm run build

lock: $(INSTALLED) ## make requirements.lock anew from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes --no-header \
		pyproject.toml --output-file requirements.lock
