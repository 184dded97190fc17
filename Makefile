# Two commands set everything up on a fresh machine (Python 3.11+, pip, gcc, git): `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test test-quick fuzz soak chaos contract cluster quarter systemd bench install-service lint format lock clean

demo: $(VENV)/.runtime
	$(BIN)/tracker demo

# Many of the tests wait for real processes: two for each core keep it busy. JOBS=0 runs them one after another.
JOBS ?= $(shell expr 2 \* $$(nproc))
PYTEST := $(BIN)/python -m pytest -n $(JOBS) --dist worksteal

test: $(VENV)/.dev
	$(PYTEST)

# Without the tests that kill the program and those that take long.
test-quick: $(VENV)/.dev
	$(PYTEST) -m "not chaos and not slow"

# The property tests at random and fifty times as long as in the suite, which takes the same examples each time; and each parser
# for so many minutes.
FUZZ_MINUTES ?= 3
fuzz: $(VENV)/.dev
	FUZZ_MINUTES=$(FUZZ_MINUTES) HYPOTHESIS_PROFILE=hunt $(PYTEST) -m "hypothesis or fuzz"

# What is large or long beyond what every change has to wait for: a mailbox of 50,000 mails, the stages once more on PostgreSQL.
soak: $(VENV)/.dev
	SOAK=1 $(PYTEST) -m soak

# The long form: a kill at every point passed, not only at the chosen ones.
chaos: $(VENV)/.dev
	SOAK=1 CHAOS_POINTS=1000 $(BIN)/python -m pytest -m chaos

# Requests of the adapters whose carriers publish a description, judged by Prism; needs Node.js 18.20 or newer and npm.
contract: $(VENV)/.dev
	CONTRACT=1 $(BIN)/python -m pytest tests/contract

# The long form: four workers on one PostgreSQL through weeks of kills, stops and cuts; CLUSTER_SEED=1, CLUSTER_DAYS=18 for so
# many days of them, CLUSTER_SLOWNESS=3 on a machine that does much else.
cluster: $(VENV)/.dev
	CLUSTER_LONG=1 $(BIN)/python -m pytest -m cluster

# The long form: ninety days, two thousand parcels of every fate, against the simulated world's truth; QUARTER_SEED=1,
# QUARTER_WORKERS=2 for so many processes at once on PostgreSQL.
quarter: $(VENV)/.dev
	QUARTER_LONG=1 $(BIN)/python -m pytest -m quarter -p no:cacheprovider tests/quarter

# The long form, as root: the unit under a real systemd with its own waiting times (watchdog 90 s), some minutes.
systemd: $(VENV)/.dev
	SYSTEMD_LONG=1 $(BIN)/python -m pytest -m systemd -p no:cacheprovider tests/systemd

# Figures as ratios to the same work done bare, a line of JSON each and a table; takes some minutes. docs/performance.md.
# BENCH="--database sqlite --database postgresql://..." for PostgreSQL too, and the figures that need it.
bench: $(VENV)/.dev
	$(BIN)/python -m bench $(BENCH)

# As root: the program into /opt/shipment-tracker, its user, folders and unit; docs/operators.md goes on from there.
install-service:
	$(PYTHON) -m venv /opt/shipment-tracker
	/opt/shipment-tracker/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	/opt/shipment-tracker/bin/pip install -q --disable-pip-version-check --no-deps .
	systemd/install

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Needs uv; both files hold for every platform and Python from 3.11 on, with hashes and without an index's address.
lock:
	uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate -o requirements.lock
	uv pip compile -q pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate -o requirements-dev.lock

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	touch $@
