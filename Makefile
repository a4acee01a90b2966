# Everything a newcomer types: `make demo` to see it, `make test` to check it.
# the first Python that is new enough; name another with `make PYTHON=... setup`
RECENT := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11,$(shell $(p) -c '$(RECENT)' 2>/dev/null && echo $(p))))
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
TORCH := torch==2.13.0

.PHONY: setup demo test lint types weights weights-real clean

setup: $(STAMP)

$(STAMP): pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer was found; install one, or name it: make PYTHON=/path/to/python3.12 setup"; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing; on Debian and Ubuntu: sudo apt-get install python3-venv"; exit 2; }
	$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@.ci/qt-libraries $(BIN)/python
	@touch $(STAMP)

demo: setup
	$(BIN)/emod-rt demo

# a worker that dies is named and ends the run; with another in its place pytest-xdist 3.8 waits for ever
test: lint types
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -n 2 --dist loadfile --max-worker-restart 0

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: setup
	$(BIN)/mypy

weights: setup
	$(BIN)/python -m emod_model.training train
	$(BIN)/python -m emod_model.training centre

# EEGMAT's folder: make weights-real EEGMAT=../shared/data/eegmat
EEGMAT ?= ../shared/data/eegmat
weights-real: setup
	$(BIN)/python -m emod_model.training.real weights --pretrained --data $(EEGMAT)

clean:
	rm -rf $(VENV) build *.egg-info
