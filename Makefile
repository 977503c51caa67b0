# Everything runs from one virtual environment, built by python3 and pip alone from requirements.lock.
#   make PYTHON=python3.12 test    another interpreter          make VENV=/tmp/env test    another place

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ROOTS := engine service clients/python proto
PORT ?= 50051
UV_VERSION := 0.13.9
COSMIC_RAY_VERSION := 8.7.0
COVERAGE_VERSION := 7.17.5
MUTANTS := build/mutants/venv
PROCESSES ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
PYTEST = $(BIN)/python -m pytest -q -n $(PROCESSES) --dist worksteal

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo test test-all load soak bench mutants lint map format types gen stubs docs lock serve clean

help:  ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: $(STAMP)  ## Answer the founding question over gRPC; writes build/demo
	@$(BIN)/python -m tariffs.client.demo

# Tests run in PROCESSES, one more than there are cores: some wait for servers, or compute in a server. A process takes over
# the rest of a slower one.
test: $(STAMP)  ## The tests of a working day: every kind, small counts
	@$(PYTEST) -m "not slow and not kill and not wheel and not bench"

test-all: $(STAMP)  ## Everything but benchmarks: long properties, killed processes, the built wheel
	@TARIFFS_TEST_SCALE=$${TARIFFS_TEST_SCALE:-3} $(PYTEST) -m "not bench"

load: $(STAMP)  ## The service under load: one table of ratios in some six minutes; QUICK=1 in some four
	@$(BIN)/python -m tests.tools.load $(if $(QUICK),--quick)

soak: $(STAMP)  ## Servers that are restarted, killed and starved of disk and database for MINUTES (10), under load
	@$(BIN)/python -W ignore -m tests.tools.soak --minutes $(or $(MINUTES),10)

bench: $(STAMP)  ## The engine beside its rivals, as ratios; QUICK=1 in about a minute, CHECK=1 fails far below a target
	@$(BIN)/python -m tariffs.client.cli bench $(if $(QUICK),--quick) $(if $(CHECK),--strict)

# cosmic-ray has an environment of its own: it changes a copy of the code and runs the tests with that of the project.
mutants: $(STAMP)  ## Changes of the code that no test notices, from a sample of COUNT (200); takes some forty minutes
	@test -x $(MUTANTS)/bin/cosmic-ray || $(PYTHON) -m venv $(MUTANTS)
	@test -x $(MUTANTS)/bin/coverage || $(MUTANTS)/bin/python -m pip install --quiet cosmic-ray==$(COSMIC_RAY_VERSION) \
		coverage==$(COVERAGE_VERSION)
	@$(MUTANTS)/bin/python -m tests.tools.mutants --python $(abspath $(BIN)/python) --count $(or $(COUNT),200)

lint: $(STAMP)  ## Style, the floors of the house, dependencies, the wire contract, deploy files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.tools.house
	@$(BIN)/deptry $(ROOTS)
	@$(BIN)/python proto/gen.py --check
	@$(BIN)/buf lint
	@$(BIN)/yamllint --strict -c deploy/.yamllint.yaml deploy
	@$(BIN)/kubernetes-validate --quiet $$(find deploy/kubernetes -name '*.yaml' ! -name kustomization.yaml \
		! -name mounts.yaml ! -name one.yaml)
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec deploy/compose.yaml deploy/postgres.yaml deploy/dask.yaml
	@$(BIN)/hadolint deploy/Dockerfile
	@if command -v promtool >/dev/null; then promtool check rules deploy/prometheus/rules.yaml >/dev/null; fi

map: $(STAMP)  ## The rooms of engine and service and their import arrows; fails on a forbidden one
	@$(BIN)/python -m tests.tools.house.room_map
	@$(BIN)/lint-imports

format: $(STAMP)  ## Rewrite the code in the house style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(STAMP)  ## mypy --strict over the four roots and the tests
	@$(BIN)/mypy $(ROOTS) tests

gen: $(STAMP)  ## Generate the code of the wire contract and of run options; leaves git clean if nothing changed
	@$(BIN)/python proto/gen.py
	@$(BIN)/python -m tariffs.reference_pages.run_options docs/options.md

stubs: $(STAMP)  ## Packages of stubs for TypeScript and Go in build/stubs, where their plugins can be installed
	@$(BIN)/python proto/stubs.py

docs: $(STAMP)  ## Build the site of the documentation in build/site; fails on a broken link
	@$(BIN)/python -m tariffs.reference_pages.site

# uv is only the resolver: it writes one file that holds for every supported Python, with hashes, without hosts.
lock:  ## Resolve requirements.lock anew from pyproject.toml
	@$(PYTHON) -m venv build/lock
	@build/lock/bin/python -m pip install --quiet uv==$(UV_VERSION)
	@build/lock/bin/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --all-extras \
		--group dev --upgrade --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
		--output-file requirements.lock

serve: $(STAMP)  ## Start the server on PORT (50051)
	@$(BIN)/python -m tariffs.service --port $(PORT)

clean:  ## Remove what was built, the environment too
	rm -rf build dist .cache .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .numba_cache
	find $(ROOTS) tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null 2>&1 || \
		{ echo "Python 3.11 or newer is needed and '$(PYTHON)' was not found; name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed and '$(PYTHON)' is $$($(PYTHON) -V 2>&1); name another: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "'$(PYTHON)' has no venv module: install it (on Debian and Ubuntu the package python3-venv) and run make again" >&2; exit 1; }
	@echo "Setting up $(VENV) from requirements.lock (once; a few minutes where downloads are slow)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q $(ROOTS)
	@$(BIN)/python -m tariffs.service.server.warmup  # compiles the kernels and makes the snapshots (docs/service.md)
	@touch $(STAMP)
