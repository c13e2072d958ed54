# The words of this house: `make` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SPEED ?= 1
MINUTES ?=
UNREACHED ?= fail
SECONDS ?= 600
EXECUTIONS ?= 1000000
FINDINGS ?= 10000000
TARGETS ?= batches events monitors names sketches tables timestamps

.DEFAULT_GOAL := help
.PHONY: help install demo test test-long faults check format bench bench-pages bench-detection bench-sequential api fuzz audit sbom clean

help:  ## list the words
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

install: $(VENV)/.installed  ## make .venv with everything for work and demo

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "driftbell needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[fast,embedded]' --group dev
	@touch $@

demo: install  ## a real stream that goes wrong, watched in this terminal (SPEED=1 MINUTES=)
	$(BIN)/driftbell demo --speed $(SPEED) $(if $(MINUTES),--minutes $(MINUTES))

test: install  ## the whole suite, a process for each core (a file stays in one; its servers are its own)
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

test-long: install  ## the detectors' full calibration grid (many minutes)
	$(BIN)/python -m pytest -m long

faults: install  ## kills, zombies and outages at their full sizes (about an hour)
	DRIFTBELL_FAULTS_SIZE=acceptance $(BIN)/python -m pytest tests/faults -s
	$(BIN)/python -m tests.simulation --seeds 10000

check: install  ## format, lint, types and import contracts
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install  ## rewrite the code in the house's format
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: install  ## events a second, as ratios within one run
	$(BIN)/python -m tests.benchmarks.throughput
	$(BIN)/python -m tests.benchmarks.scoring
	$(BIN)/python -m tests.benchmarks.joining

bench-pages: install  ## how soon pages and API answer over a thousand models and ten million findings (FINDINGS=10000000)
	$(BIN)/python -m tests.benchmarks.pages --findings $(FINDINGS)
	$(BIN)/python -m tests.benchmarks.model_page

bench-detection: install  ## what is found, named and rung on nothing, beside plain rules (about six minutes; FULL=1: an hour)
	$(BIN)/python -m tests.benchmarks.detection $(if $(FULL),--full)

bench-sequential: install  ## sequential detectors of concept drift: false alarms and delays (FULL=1: half an hour)
	$(BIN)/python -m tests.benchmarks.sequential $(if $(FULL),--full)

api: install  ## write what follows from the OpenAPI document: methods of the client, the table of docs/api.md
	$(BIN)/python .ci/client.py
	$(BIN)/python .ci/api_table.py

fuzz: install  ## attack all that reads bytes, with coverage (SECONDS=600 EXECUTIONS=1000000 TARGETS=)
	$(BIN)/python -m pip install --quiet --group fuzz
	for target in $(TARGETS); do $(BIN)/python -m tests.fuzz.run $$target --seconds $(SECONDS) --executions $(EXECUTIONS) || exit; done

audit: install  ## ask for known vulnerabilities of what is installed (UNREACHED=warn: go on when nobody can be asked)
	$(BIN)/python .ci/audit.py --unreached=$(UNREACHED)

sbom: install  ## write dist/driftbell.cdx.json, the CycloneDX list of what is installed
	@mkdir -p dist
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file dist/driftbell.cdx.json $(BIN)/python

clean:  ## remove the environment and caches
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
