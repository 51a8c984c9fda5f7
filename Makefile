# Two commands do everything: `make demo` and `make test`. They need Python 3.11+, Node 20.19+ and make.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
ROUNDS ?= 20
TFCHECK ?= ../shared/tools/tfcheck

.PHONY: demo test lint check dashboard-lint dashboard-check dashboard-e2e lighthouse coverage emulators bench search soak terraform deploy lock clean

demo: $(VENV)/.local
	@$(MAKE) --no-print-directory dashboard/dist || echo "Going on without the dashboard."
	$(BIN)/withearth demo $(ARGS)

test: lint check

lint: $(VENV)/.dev dashboard-lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: $(VENV)/.dev dashboard-check dashboard-e2e
	$(BIN)/pytest --numprocesses 2 --dist worksteal

# By itself: watching every branch makes the tests a third slower, and nothing is decided by the figure.
coverage: $(VENV)/.dev
	$(BIN)/pytest --numprocesses 2 --dist worksteal --cov --cov-report=term:skip-covered

# The dashboard's own checks. What needs Chromium says so where there is none; with REQUIRE_BROWSER=1 that is a failure.
dashboard-lint: dashboard/node_modules
	cd dashboard && npm run --silent lint

dashboard-check: dashboard/dist
	cd dashboard && npm run --silent test

# The built page in Chromium over a whole local run, which takes its time from the test.
dashboard-e2e: $(VENV)/.dev dashboard/dist
	cd dashboard && npm run --silent e2e

# Lighthouse on the built page, throttled as a mid-range phone on a slow line, and the scroll trace. Needs Chromium.
lighthouse: dashboard/dist
	cd dashboard && npm run --silent bench

# Google's own emulators: the tests start them where they find them. This says whether they do.
emulators: $(VENV)/.dev
	$(BIN)/python -m tests.emulators

.PHONY: packages packages-check
# One zip for each function in dist/, the same bytes for the same commit, and each started once to see that it answers.
# ARGS=--changed takes the files as they lie here.
packages: $(VENV)/.local
	$(BIN)/python -m withearth.packaging build $(ARGS)
	$(BIN)/python -m withearth.packaging smoke

# Starts each zip with only its requirements, which pip resolves and installs from scratch: minutes, and a package index.
packages-check:
	$(MAKE) packages ARGS=
	$(BIN)/python -m withearth.packaging check $(ARGS)

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks

# The property tests on examples that nobody has seen yet, ROUNDS times; the other tests repeat theirs.
search: $(VENV)/.dev
	for round in $$(seq $(ROUNDS)); do $(BIN)/pytest -m hypothesis --hypothesis-profile search --numprocesses 2 || exit 1; done

# Three simulated days of the live market for 550 symbols, some ten minutes; DAYS=0.5 for fewer.
soak: $(VENV)/.bench
	$(BIN)/python -m benchmarks.soak $(DAYS)

# The whole Terraform configuration: format, plan, an apply and a second plan that changes nothing, its own tests, and what
# checkov thinks of it (pip install checkov). Nothing here reaches Google.
terraform: $(VENV)/.dev
	$(BIN)/python $(TFCHECK)/tfcheck.py check terraform --plan --apply --test
	@if command -v checkov >/dev/null; then checkov --directory terraform --framework terraform --skip-download --quiet --compact; \
	else echo "SKIPPED: there is no checkov on the path (pip install checkov)"; fi

# Deploys the checkout into a project, as docs/deploy.md says: make deploy PROJECT=your-project-id ARGS=--dry-run
deploy:
	@./deploy/deploy.sh $(PROJECT) $(ARGS)

# One command for who adds a dependency; needs uv. The files it writes are what everybody installs.
lock:
	./requirements/compile.sh

clean:
	rm -rf dashboard/node_modules dashboard/dist
	rm -rf $(VENV) .withearth .pytest_cache .mypy_cache .ruff_cache .coverage .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "withEarth needs Python 3.11 or newer, " + sys.version.split()[0] + " was found: set PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

dashboard/node_modules: dashboard/package-lock.json
	@command -v npm >/dev/null || { echo "The dashboard needs Node.js 20.19 or newer with npm, and there is none on the path."; exit 1; }
	cd dashboard && npm ci --silent
	@touch $@

DASHBOARD := $(shell find dashboard/src dashboard/public -type f) dashboard/index.html dashboard/vite.config.ts docs/reasons.md

dashboard/dist: dashboard/node_modules $(DASHBOARD)
	cd dashboard && npm run --silent build -- --logLevel warn
	@touch $@

# The requirements are complete and hashed, so nothing is left for pip to resolve.
$(VENV)/.%: requirements/%.txt pyproject.toml | $(BIN)/python
	@echo "Installing requirements/$*.txt (hashed) into $(VENV) ..."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/$*.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
