# Everything one does with a checkout. `make` alone lists it.

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.traverse-installed
# The tool that resolves dependencies: pinned, and apart from what the project itself needs.
LOCK_TOOL := uv==0.13.9
LOCK_VENV := .traverse/lock-tool
# More words for the command at hand: make demo ARGS=--once, make test ARGS='-k lots -x'
ARGS ?=
# Of `make soak`: how many events, and the seed of what is sent and when what is killed.
EVENTS ?= 20000
SEED ?= 4

# What `make check` and CI run, in this order.
STAGES := preflight setup style types layers unit engines

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# With words of one's own, a half of the tests may have nothing to run (pytest's exit code 5).
NONE_IS_FINE := $(if $(ARGS),|| [ $$? = 5 ])
# Where the time goes is said at the end of each half.
SLOWEST := --durations=20 --durations-min=1

# A file at a time, in the order of tests/engines.py: xdist's own puts the files with the fewest
# tests last, the longest among them.
SPREAD := --dist loadfile --no-loadscope-reorder

# The files that have such tests: each worker imports all it is given before it begins.
ENGINE_TESTS = $(sort $(shell grep -rl --include='test_*.py' 'mark\.engines' tests))

# What Python compiles is kept, whatever the caller's environment says: `setup` compiles nothing, and
# the tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup preflight demo test unit engines style types layers stages \
	check format bench soak screenshots lock clean
# Engines and tests share this machine's ports and memory.
.NOTPARALLEL:

help: ## say what can be asked for (this list)
	@echo "Traverse. What can be asked for:"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile
	@echo "More words go through ARGS: make demo ARGS=--once"

setup: $(INSTALLED) ## install the project and all it needs into .venv (quick when nothing changed)

$(INSTALLED): requirements.lock pyproject.toml infra/preflight.sh
	@python=$$(sh infra/preflight.sh python) || exit 1; \
	if ! sh infra/preflight.sh venv $(VENV); then \
		echo "Making $(VENV) with $$python ..."; \
		"$$python" -m venv --clear $(VENV) || exit 1; \
	fi
	@echo "Installing the pinned dependencies (a minute the first time) ..."
	@# What is imported is compiled then: the most part never is.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-compile \
		--require-hashes --no-deps --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input \
		--no-build-isolation --no-deps --editable .
	@touch $@

preflight: ## check that Python, a JDK and Maven are there, and name what is missing
	@sh infra/preflight.sh

demo: preflight setup ## show the whole journey on real engines: publish, process, search
	@$(BIN)/traverse demo $(ARGS)

test: preflight unit engines ## run all tests: those without engines, then those on real ones

unit: setup ## run the tests that need no engines
	$(BIN)/python -m pytest -m "not engines" -n 2 $(SPREAD) $(SLOWEST) $(ARGS) $(NONE_IS_FINE)

# They wait more than they compute: more at a time than there are cores, each with engines of its
# own, as `tests/engines.py` says.
engines: preflight setup ## run the tests on real Kafka and Elasticsearch, installed on first use
	$(BIN)/python -m pytest -m engines -n auto $(SPREAD) -p tests.engine_logs \
		-o "testpaths=$(ENGINE_TESTS)" $(SLOWEST) $(ARGS) $(NONE_IS_FINE)

style: setup ## check the code's form and its usual mistakes (ruff)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup ## check the types (mypy --strict)
	$(BIN)/mypy

layers: setup ## check that the packages import in one direction (import-linter)
	$(BIN)/lint-imports

check: $(STAGES) ## run what CI runs: style, types, layers, then all tests; it changes nothing

stages:
	@echo $(STAGES)

format: setup ## put the code in form, and mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: preflight setup ## measure: events per second, time to searchable, time of a search
	@$(BIN)/traverse bench $(ARGS)

soak: preflight setup ## kill workers, Kafka and the gateway while 20,000 events flow (EVENTS=, SEED=)
	TRAVERSE_SOAK_EVENTS=$(EVENTS) TRAVERSE_SOAK_SEED=$(SEED) $(BIN)/python -m pytest -q -s \
		-m engines -p tests.engine_logs tests/journey/test_soak.py $(ARGS)

screenshots: preflight setup ## write docs/screenshots/ anew: every page, on a phone and on a desk
	$(BIN)/python -m pytest -q -m engines -p tests.engine_logs \
		tests/search_api/pages/browser/take_screenshots.py $(ARGS)

lock: infra/preflight.sh ## choose versions anew and pin them with their hashes in requirements.lock
	@python=$$(sh infra/preflight.sh python) || exit 1; \
	"$$python" -m venv $(LOCK_VENV) && \
	$(LOCK_VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(LOCK_TOOL)
	@{ echo "# Every dependency (all extras, development, build) for Python 3.11 to 3.13."; \
	   echo "# Made by \`make lock\` from pyproject.toml: do not edit."; \
	   printf 'hatchling>=1.27\neditables\n' | $(LOCK_VENV)/bin/uv pip compile pyproject.toml - \
		--all-extras --group dev --universal --python-version 3.11 --generate-hashes --upgrade \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet; \
	} > requirements.lock.new || { rm -f requirements.lock.new; exit 1; }
	@mv requirements.lock.new requirements.lock
	@echo "requirements.lock is renewed: look at the difference, then run make check."

clean: ## stop this checkout's engines, then delete .venv, .traverse (data included) and caches
	@if [ -x $(BIN)/traverse ]; then $(BIN)/traverse down; fi
	@rm -rf $(VENV) .traverse .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
