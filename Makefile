# `make demo` and `make test` need only Python 3.11, make and a package index; both set up what is missing.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test bench soak planted equivalence load doubts sweep clean help

help: ## Say what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

$(READY): requirements.lock pyproject.toml
	@echo "Setting up .venv with the locked packages (once)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "syncer needs Python 3.11 or newer; set PYTHON=/path/to/it"; exit 1; }
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY) ## Plan and apply manifests/demo against the embedded sandbox, then prove the result
	@$(BIN)/python scripts/demo.py

test: $(READY) ## Every check: format, lint, types, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto --dist worksteal

PEERS := .venv-bench/.ready

$(PEERS): benchmarks/requirements.lock
	@echo "Setting up .venv-bench with what syncer is compared with (once)"
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement benchmarks/requirements.lock
	@touch $@

bench: $(READY) $(PEERS) ## Measure syncer beside its baselines; SIZES=100000,1000000 ONLY=P1,P9 ROUNDS=3
	$(BIN)/python -m benchmarks.run --only "$(ONLY)" --sizes "$(SIZES)" --rounds $(or $(ROUNDS),3)

doubts: $(READY) ## The doubt matrix, every cell: each request, cut at each place, with each effect
	$(BIN)/python -m tests.doubts

soak: $(READY) ## Play SEEDS=10000 simulated runs from FIRST=0 on, in two processes; summary in build/soak
	nice -n 15 $(BIN)/python -m tests.sim.soak --seeds $(or $(SEEDS),10000) --first $(or $(FIRST),0)

equivalence: $(READY) ## Play MANIFESTS=500 generated manifests by every path that may carry them
	SYNCER_EQUIVALENCE=$(or $(MANIFESTS),500) nice -n 15 $(BIN)/python -m pytest tests/equivalence -k admitted

planted: $(READY) ## Plant every bug of the table and print how soon it is caught
	nice -n 15 $(BIN)/python -m tests.sim.planted

load: $(READY) ## Write ROWS=100000 rows about 5,000 people over four paths at once, and count duplicates
	nice -n 15 $(BIN)/python -m tests.sim.load --rows $(or $(ROWS),100000)

sweep: $(READY) ## Long runs of real processes: killed, with failing disks and networks, doubled, stopped (Linux); SEED=1
	$(BIN)/python -m tests.sweep lint
	$(BIN)/python -m tests.sweep kill --seed $(or $(SEED),1)
	$(BIN)/python -m tests.sweep pairs --seed $(or $(SEED),1)
	$(BIN)/python -m tests.sweep errors --seed $(or $(SEED),1)
	$(BIN)/python -m tests.sweep races --seed $(or $(SEED),1)
	$(BIN)/python -m tests.sweep stops --seed $(or $(SEED),1)

clean: ## Remove the environment and every cache
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
