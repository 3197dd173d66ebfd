# Everything here needs python3 (3.11 or newer, with venv) and make; the rest is set up in .venv.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
# Only modules that are used are compiled, then: most of what is installed never is.
LOCKED := $(PIP) install --no-deps --no-compile --require-hashes -r requirements.lock

.PHONY: help demo test test-real lint format lock bench chaos simulate fuzz venv
.DEFAULT_GOAL := help

# Kept where an image forbids it: else each test worker compiles every module, a quarter of a minute.
export PYTHONDONTWRITEBYTECODE :=

help:
	@echo "make demo       see it work: a local Slack workspace in your browser"
	@echo "make test       every test that needs nothing installed"
	@echo "make test-real  tests with real Airflow, dbt, GX, OpenLineage, Alertmanager and Helm (minutes)"
	@echo "make lint       style, types, import contracts"
	@echo "make format     put the style right"
	@echo "make bench      the promises of speed, measured"
	@echo "make chaos      kill it again and again; nothing may be lost"
	@echo "make simulate   live a thousand random nights on call on a virtual clock"
	@echo "make fuzz       attack everything that reads outside input (ARGS='--seconds 60 config')"
	@echo "make lock       resolve requirements.lock anew (UPGRADE=1: newest versions)"

demo: $(READY)
	@$(BIN)/watchbill demo

test: $(READY)
	@$(BIN)/python -m pytest -q -n auto --maxschedchunk 1 -m "not slow and not chaos" $(ARGS)

test-real: $(READY)
	@$(BIN)/python -m pytest -q -m slow --timeout 900 $(ARGS) || { status=$$?; \
	  [ $$status -eq 5 ] || exit $$status; echo "No test of a real tool was chosen." >&2; }

lint: $(READY)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "Run: make format" >&2; exit 1; }
	@$(BIN)/mypy --no-error-summary bot rules tests
	@$(BIN)/lint-imports --no-logo

format: $(READY)
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --fix --quiet .

bench: $(READY)
	@$(BIN)/python -m tests.bench $(ARGS)

chaos: $(READY)
	@$(BIN)/python -m tests.process.chaos $(ARGS)

simulate: $(READY)
	@$(BIN)/python -m tests.simulation $(or $(ARGS),--seeds 0-999)

fuzz: $(READY)
	@$(BIN)/python -m tests.fuzz $(ARGS)

lock: $(READY)
	@$(BIN)/python .ci/lock $(if $(UPGRADE),--upgrade)

# The lock is complete, so nothing is resolved; hatchling is in it, so nothing else is fetched.
# Its parts are fetched side by side: pip by itself waits half of the time. Where one has no wheel,
# pip does it by itself after all.
$(READY): requirements.lock
	@$(MAKE) --no-print-directory venv
	@echo "Setting up $(VENV) (about a minute, once) ..."
	@wheels=$$(mktemp -d) && trap 'rm -rf "$$wheels"' EXIT && { \
	  awk -v to="$$wheels" '/^[A-Za-z0-9]/ {n = (n + 1) % 4} {print > (to "/" n ".txt")}' requirements.lock && \
	  printf '%s\n' "$$wheels"/*.txt | xargs -P 4 -I{} $(PIP) download --no-deps --require-hashes --dest "$$wheels" -r {} && \
	  $(LOCKED) --no-index --find-links "$$wheels" || $(LOCKED); }
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $(READY)

venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Watchbill needs Python 3.11 or newer, and $(PYTHON) is not. Name another one: make PYTHON=python3.12" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV) || { \
	  echo "python3 cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }
