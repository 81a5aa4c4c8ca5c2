# One environment for everything. Elsewhere or with another Python: make setup PYTHON=python3.12 VENV=../env
PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2
# One thread a worker: two workers with two threads each fight over two cores.
export OMP_NUM_THREADS ?= 1

BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TORCH := $(shell grep '^torch==' constraints.txt)
PIP := $(BIN)/python -m pip install --quiet -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help setup demo check test slow bench clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 14

setup: $(STAMP) ## the environment, made again only when pyproject.toml or constraints.txt changed

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/pip || $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is missing or older than 3.11, which cutaway needs; try: make setup PYTHON=python3.11"; exit 1; }
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@# torch first and by its exact version: left to the resolver, another one may bring gigabytes of CUDA libraries.
	$(PIP) $(TORCH)
	$(PIP) -e ".[hf,dev]"
	@touch $@

demo: setup ## a decision of the shipped code model, taken apart; two circuits beside each other; opens two pages
	$(BIN)/cutaway demo

check: setup ## style, types, order of the packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/ty check --python $(VENV)
	$(BIN)/lint-imports --no-cache

test: setup ## every test but the slow ones, on two cores (WORKERS=…)
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow"

slow: setup ## the slow tests, then the statistics over many networks (resumes where it stopped)
	$(BIN)/python -m pytest -m slow
	$(BIN)/python benchmarks/run.py statistics

bench: setup ## the figures of docs/results.md, with their budget first
	$(BIN)/python benchmarks/run.py

clean: ## removes what building and testing left here (not the environment, not your studies)
	rm -rf build dist src/*.egg-info .benchmarks .hypothesis .import_linter_cache .pytest_cache .ruff_cache
	find $(wildcard src tests benchmarks examples) -name __pycache__ -type d -prune -exec rm -rf {} +
