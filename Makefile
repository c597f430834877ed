# The verbs of the project. Each one makes the virtual environment if it is missing and uses it as it is if not.
PYTHON ?= python3.11
BIN := .venv/bin
# Images set it to stay small. Tests start hundreds of processes, and each would compile the whole package again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-fast coverage check docs bench chaos soak format lock proto clean

demo: .venv/ready
	$(BIN)/satbridge demo

# First what needs no Ray, by four processes, which wait for about half of the time; then two clusters at once.
test: .venv/ready
	$(BIN)/python -m pytest -m "not ray" -n 4 --dist loadfile --durations 10
	$(BIN)/python -m pytest -m ray -n 2 --dist loadfile --durations 25

# All tests under coverage, Ray's workers included; slower than `make test`.
coverage: .venv/ready
	rm -f .coverage .coverage.*
	$(BIN)/python -m pytest -m "not ray" -n 4 --dist loadfile --cov --cov-report=
	$(BIN)/python -m pytest -m ray -n 2 --dist loadfile --cov --cov-append --cov-report=
	$(BIN)/coverage report --fail-under=90

# In about a minute: no Ray, no servers, no PostgreSQL.
test-fast: .venv/ready
	$(BIN)/python -m pytest tests/unit -m "not ray and not postgres" -q -n auto --maxprocesses 4 --dist worksteal \
	  --hypothesis-profile=fast

check: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --builder dummy docs .docs-check

# The documentation as a site, in site/.
docs: .venv/ready
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --builder html docs site

bench: .venv/ready
	$(BIN)/python -m bench

# Breaks a running gateway in every way there is and counts: SEED=7 repeats a run, ONLY=kill-router,net-hangs is a part,
# STORE=sqlite one store. Takes half an hour; root may do more (a small disk is mounted).
chaos: .venv/ready
	$(BIN)/python -m chaos $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY)) $(if $(STORE),--store $(STORE)) $(if $(RUNTIME),--runtime $(RUNTIME))

# Sends COUNT messages through one gateway while everything breaks at random, and watches what its processes use.
# COUNT=2000 takes minutes; STORE=postgres is the other store; WITHOUT=kill leaves faults out; root may fill a disk too.
soak: .venv/ready
	$(BIN)/python -m chaos.soak $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED)) $(if $(STORE),--store $(STORE)) \
	  $(if $(WITHOUT),--without $(WITHOUT))

format: .venv/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.venv/ready: requirements-dev.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv || python3 -m venv .venv
	$(BIN)/pip install --quiet --require-hashes --requirement requirements-dev.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# Pins every package with its hashes; needs uv on the PATH.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" pyproject.toml --output-file requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" --extra dev pyproject.toml --output-file requirements-dev.lock

proto: .venv/ready
	$(BIN)/python -m grpc_tools.protoc --proto_path=. --python_out=. --pyi_out=. messaging/satellite/codecs/message_data.proto

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .docs-check site
