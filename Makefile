# Every target does the set-up it needs by itself; a second call is quick.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test check bench calibrate sample logs-check reference vega lock clean
LOGS ?= $(wildcard ../shared/logs)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "benchbench needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV); .ci/system-packages venv && $(PYTHON) -m venv $(VENV); }

$(STAMP): requirements.lock pyproject.toml | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==0.13.9"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

demo: $(STAMP)
	@$(BIN)/benchbench demo

test: $(STAMP)
	@.ci/system-packages test
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

check: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/mypy --python-version 3.10 --no-error-summary benchbench/device_script # the oldest that mypy knows
	@$(BIN)/vermin --target=3.7- --violations --no-tips --quiet benchbench/device_script
	@$(BIN)/lint-imports

bench: $(STAMP)
	@.ci/system-packages test
	@$(BIN)/python -m tests.bench_overhead
	@$(BIN)/python -m tests.bench_history
	@$(BIN)/python -m tests.bench_report
	@$(BIN)/python -m tests.bench_folder

# Are the intervals and verdicts as often right as they say? Simulated, on all cores; some ten minutes. JSON=1: as JSON.
calibrate: $(STAMP)
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.calibrate $(if $(JSON),--json)

# reports/sample: a run on this machine, a board and a phone of the tests, and its page; some ten minutes.
sample: $(STAMP)
	@.ci/system-packages test
	@$(BIN)/python -m tests.sample

logs-check: $(STAMP)
	@$(BIN)/python -m tests.logs_check $(LOGS) $(wildcard ../shared/cases)

# The references of keys in benchbench/config/README.md and devices/README.md, from the models that read them, and the
# dictionary of columns in reports/README.md, from the table of quantities.
reference: $(STAMP)
	@$(BIN)/python -m tests.reference

# The scripts behind the charts of a page, which are kept in benchbench/report/vega.
vega: $(STAMP)
	@$(BIN)/python -m tests.report.vega

lock: $(STAMP)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --group dev --extra quantize --extra detection --extra equip --extra onnx pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
