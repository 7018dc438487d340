# Everything people and CI run. `make` alone lists it.
# Only `setup` and `lock` touch the network, and only the package index.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONTRACTS := $(BIN)/llm-contracts
READY := $(VENV)/.ready
UV := $(shell command -v uv 2>/dev/null)

# Options handed on to the command line: make replay PROVIDER=openai SCENARIO=plain-stream
SOURCE ?= live
options = $(if $(PROVIDER),--provider $(PROVIDER)) $(if $(SCENARIO),--scenario $(SCENARIO)) $(ARGS)

.DEFAULT_GOAL := help
.PHONY: help setup replay record verdict test lint hooks format snapshots docs real-streams import doctor serve bench soak fuzz report review sweep cost site matrix upgrades verify drift retire-legacy lock clean

help: ## list every target
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## build .venv from the lock file (uv if it is there, else venv and pip)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Name another: make setup PYTHON=python3.12" >&2; exit 2; }
	@echo "Setting up $(VENV) from requirements.lock with $(if $(UV),uv,venv and pip) …"
	@rm -rf $(VENV)
ifneq ($(UV),)
	@$(UV) venv --quiet --python $(PYTHON) $(VENV)
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
else
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
endif
	@touch $@

replay: setup ## replay every cassette to both paths, compare, say GO or NO-GO (PROVIDER=, SCENARIO=)
	@$(CONTRACTS) check $(options)

record: setup ## record from the real providers whose keys are set (SOURCE=simulator needs none)
	@$(CONTRACTS) record --source $(SOURCE) $(options)

# Exit code 1 only says that something is left to decide.
review: setup ## go through what differs: accept with a reason and a date, or mark it (ARGS=--plain)
	@$(CONTRACTS) review $(ARGS) || [ $$? -eq 1 ]

cost: setup ## what calls cost over either path, side by side (ARGS="--cost-at-most cpu_per_chunk=2.0")
	@$(CONTRACTS) check --cost $(options)

sweep: setup ## every recording recut, cut short and spoilt in every way; takes minutes
	@$(CONTRACTS) check --sweep $(options)

report: setup ## the last replay as one HTML file: report/index.html
	@$(CONTRACTS) report $(ARGS)

verify: setup ## has a provider changed since it was recorded? asks again, writes nothing (SOURCE=simulator)
	@$(CONTRACTS) record --verify --source $(SOURCE) $(options)

# Exit code 1 only says that something has changed.
drift: setup ## what recordings change against a revision (ARGS="--against main --markdown drift.md")
	@$(CONTRACTS) drift $(if $(PROVIDER),--provider $(PROVIDER)) $(ARGS) || [ $$? -eq 1 ]

verdict: setup ## the answer per provider, from the last replay; fails unless every one is ready
	@$(CONTRACTS) verdict $(PROVIDER)

doctor: setup ## environment, keys, recordings, waivers, secrets (ARGS="--area secrets" for one area)
	@$(CONTRACTS) doctor $(ARGS)

import: setup ## bring in streams that others recorded (FROM=folder, cassette, HAR file)
	@$(CONTRACTS) import $(FROM) $(ARGS)

retire-legacy: setup ## list what still refers to the old clients; deletes nothing, fails until it is empty
	@$(CONTRACTS) leftovers $(ARGS)

serve: setup ## serve the recordings to an application in any language (PROVIDER=, SCENARIO=)
	@$(CONTRACTS) serve $(options)

bench: setup ## what it costs, side by side, as ratios with their spread (NAME=, ARGS=--full)
	@$(BIN)/python -m benchmarks $(NAME) $(ARGS)

soak: setup ## ten thousand streams through record and replay: is anything left behind?
	@$(BIN)/python -m benchmarks.soak $(ARGS)

fuzz: setup ## atheris against the readers and the scrubber (TARGET=, ARGS="--seconds 3600"; pip install atheris)
	@$(BIN)/python -m fuzz $(TARGET) $(ARGS)

# Coverage starts before pytest, because pytest imports our plugin before it starts anything.
test: setup ## the whole test suite, without network (COVERAGE=1: with branch coverage)
	@$(BIN)/$(if $(COVERAGE),coverage run,python) -m pytest -q -n logical --maxprocesses 8 --dist worksteal $(ARGS)
	@$(if $(COVERAGE),$(BIN)/coverage combine -q && $(BIN)/coverage report)

lint: setup ## ruff, strict mypy, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

hooks: setup ## every pre-commit hook on every file; needs a git checkout
	@$(BIN)/pre-commit run --all-files

format: setup ## let ruff format and fix what it can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

snapshots: setup ## accept the present lanes as snapshots; read the diff before you commit it
	@$(BIN)/python -m pytest -q tests/contracts --snapshot-update

docs: setup ## regenerate the pages that are made from code: .env.example, configuration, ledger, tutorial
	@$(BIN)/python -m llm_adapter.variables
	@$(BIN)/python -m tests.contracts.defects.page docs/ledger.md
	@$(BIN)/python -m tests.tutorial docs/tutorial.md
	@$(BIN)/python -m tests.harness.reporting.ci.sample docs/samples

site: setup ## the pages as a site, with a reference of commands and of Python: dist/site/index.html
	@$(BIN)/python -m sphinx -q -n -W --keep-going -d dist/.doctrees docs dist/site
	@echo "dist/site/index.html"

matrix: setup ## the same recordings under other releases (ARGS="--litellm 1.95.0 --openai 2.54.0")
	@$(CONTRACTS) matrix $(options)

real-streams: setup ## regenerate docs/real-streams.md (STREAMS=folder with index.jsonl)
	@$(BIN)/python -m tools.real_streams_page $(or $(STREAMS),../shared/real-streams) docs/real-streams.md

upgrades: setup ## regenerate docs/upgrades.md: our paths and the bare clients under other releases (takes long)
	@$(CONTRACTS) matrix --provider openai --provider deepseek --provider qwen --provider gemini \
	  --report report/matrix/own --json report/matrix-own.json || [ $$? = 1 ]
	@$(CONTRACTS) matrix --reference openai --candidate litellm --provider openai --provider deepseek --provider qwen --cost \
	  --report report/matrix/bare --json report/matrix-bare.json || [ $$? = 1 ]
	@$(CONTRACTS) matrix --reference openai --candidate litellm --scenario deepseek/finish-no-resources \
	  --litellm 1.80.11,1.84.8 --bisect finish_reason --json report/matrix-bisect.json
	@$(BIN)/python -m tools.upgrades_page docs/upgrades.md report/matrix-own.json report/matrix-bare.json \
	  report/matrix-bisect.json

lock: ## pin every dependency again, with hashes (needs uv)
	@uv pip compile pyproject.toml requirements.in --extra contracts --extra cluster --extra matrix --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --quiet --custom-compile-command "make lock" -o requirements.lock

clean: ## remove what was built
	@rm -rf $(VENV) report dist .coverage htmlcov .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
