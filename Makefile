# Everything people and CI run. `make` alone lists it.
# Only `setup`, `setup-dev` and `lock` touch the network, and only the package index.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONTRACTS := $(BIN)/llm-contracts
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
FRAMEWORKS := $(VENV)/frameworks
DISTRIBUTIONS := src/llm_adapter src/llm_contracts

# What a user gives: make replay PROVIDER=openai SCENARIO=plain-stream ARGS="--json -"
# None of it is expanded or run: a value reaches its program as one word, and ARGS as words without any sign by which
# a shell does more than split them.
GIVEN := PYTHON PROVIDER SCENARIO SOURCE FROM NAME TARGET STREAMS ANSWERS ARGS COVERAGE
unexport $(GIVEN)
define line_end


endef
$(foreach name,$(GIVEN),$(if $(findstring $(line_end),$(value $(name))),$(error $(name) may not hold a line end)))
quoted = '$(subst ','\'',$(value $(1)))'
SHELL_SIGNS := ; & | < > ` ( ) \ $$
$(foreach sign,$(SHELL_SIGNS),$(if $(findstring $(sign),$(value ARGS)),$(error ARGS may not hold $(sign))))
arguments := $(value ARGS)
provider := $(if $(value PROVIDER),--provider $(call quoted,PROVIDER))
options := $(provider) $(if $(value SCENARIO),--scenario $(call quoted,SCENARIO)) $(arguments)
source := $(if $(value SOURCE),$(call quoted,SOURCE),live)

.DEFAULT_GOAL := help
unusable:
.PHONY: unusable help setup setup-dev pictures replay record capture verdict test frameworks lint hooks format snapshots docs real-streams gateways import doctor serve bench soak fuzz mutation report review sweep cost site matrix upgrades verify drift retire-legacy lock clean

help: ## list every target
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## build .venv from requirements.lock: what replaying and recording need

setup-dev: $(READY_DEV) ## add what tests, checks, and the site need (the targets that need it do it themselves)

# LiteLLM's server is a fifth of all code that is installed, and a replay does not start it.
# An environment knows its folder: of one that was copied or moved, programs would run the code of the old checkout.
usable := $(shell [ -x $(BIN)/python ] && grep -qsF -- $(call quoted,CURDIR)/$(VENV) $(BIN)/activate && echo yes)
$(READY): requirements.lock $(DISTRIBUTIONS:%=%/pyproject.toml) $(if $(usable),,unusable)
	@echo "Setting up $(VENV) from $< …"
	@rm -rf $(VENV)
	@$(call quoted,PYTHON) tools/set_up.py $< $(DISTRIBUTIONS:%=--project %) --not-compiled /litellm/proxy/
	@touch $@

$(READY_DEV): requirements-dev.lock $(READY)
	@echo "Adding what is in $< …"
	@$(BIN)/python tools/set_up.py $<
	@touch $@

$(FRAMEWORKS)/.ready: requirements-frameworks.lock $(READY_DEV)
	@echo "Adding what is in $< …"
	@rm -rf $(FRAMEWORKS)
	@$(BIN)/python tools/set_up.py $< --venv $(FRAMEWORKS)
	@touch $@

replay: setup ## replay every cassette to both clients, compare, say GO or NO-GO (PROVIDER=, SCENARIO=)
	@$(CONTRACTS) check $(options)

record: setup ## record from the real providers whose keys are set (SOURCE=simulator needs none)
	@$(CONTRACTS) record --source $(source) $(options)

capture: setup ## run a program and make recordings of its calls (ARGS="-- python app.py")
	@$(CONTRACTS) capture $(arguments)

# Exit code 1 only says that something is left to decide.
review: setup ## go through what differs: accept with a reason and a date, or mark it (ARGS=--plain)
	@$(CONTRACTS) review $(arguments) || [ $$? -eq 1 ]

cost: setup ## what calls cost with either client, side by side (ARGS="--cost-at-most cpu_per_chunk=2.0")
	@$(CONTRACTS) check --cost $(options)

sweep: setup ## every recording recut, cut short and spoilt in every way; takes minutes
	@$(CONTRACTS) check --sweep $(options)

report: setup ## the last replay as one HTML file: report/index.html
	@$(CONTRACTS) report $(arguments)

verify: setup ## has a provider changed since it was recorded? asks again, writes nothing (SOURCE=simulator)
	@$(CONTRACTS) record --verify --source $(source) $(options)

# Exit code 1 only says that something has changed.
drift: setup ## what recordings change against a revision (ARGS="--against main --markdown drift.md")
	@$(CONTRACTS) drift $(provider) $(arguments) || [ $$? -eq 1 ]

verdict: setup ## the answer per provider, from the last replay; fails unless every one is ready
	@$(CONTRACTS) verdict $(provider)

doctor: setup ## environment, keys, recordings, waivers, secrets (ARGS="--area secrets" for one area)
	@$(CONTRACTS) doctor $(arguments)

import: setup ## bring in streams that others recorded (FROM=folder, cassette, HAR file)
	@$(CONTRACTS) import $(call quoted,FROM) $(arguments)

retire-legacy: setup ## list what still refers to the old clients; deletes nothing, fails until it is empty
	@$(CONTRACTS) leftovers $(arguments)

serve: setup ## serve the recordings to an application in any language (PROVIDER=, SCENARIO=)
	@$(CONTRACTS) serve $(options)

bench: setup-dev ## what it costs, side by side, as ratios with their spread (NAME=, ARGS=--full)
	@$(BIN)/python -m benchmarks $(if $(value NAME),$(call quoted,NAME)) $(arguments)

soak: setup-dev ## ten thousand streams through record and replay: is anything left behind?
	@$(BIN)/python -m benchmarks --full soak $(arguments)

fuzz: setup-dev ## atheris against the readers and the scrubber (TARGET=, ARGS="--seconds 3600"; pip install atheris)
	@$(BIN)/python -m fuzz $(if $(value TARGET),$(call quoted,TARGET)) $(arguments)

mutation: setup-dev ## change the judge in many ways: do its tests notice? (ARGS="--mutants 100"; pip install cosmic-ray)
	@$(BIN)/python -m tools.mutation $(arguments)

# A file's tests run in one process, which shares what their fixtures make. Coverage starts before pytest, because
# pytest imports our plugin before it starts anything. Tests start hundreds of processes: none of them compiles our code
# anew, nor does each worker rewrite all tests (6 s), as both would where PYTHONDONTWRITEBYTECODE is set.
test: setup-dev ## the whole test suite, without network (COVERAGE=1: with branch coverage)
	@$(BIN)/python -m compileall -q -j 0 src tests
	@PYTHONDONTWRITEBYTECODE= $(BIN)/$(if $(value COVERAGE),coverage run,python) -m pytest -q -n auto --dist loadfile --no-loadscope-reorder $(arguments)
	@$(if $(value COVERAGE),$(BIN)/coverage combine -q && $(BIN)/coverage report)

# Beside the locked packages and not among them: some change what HTTP libraries ask for when they are installed.
frameworks: $(FRAMEWORKS)/.ready ## the frameworks of docs/clients.md against the same recordings
	@PYTHONPATH=$$(echo $(call quoted,CURDIR)/$(FRAMEWORKS)/lib/python*/site-packages) $(BIN)/python -m pytest -q \
	  tests/harness/clients/test_frameworks.py tests/examples/test_migrations.py -k "framework or langchain" $(arguments)

lint: setup-dev ## ruff, strict mypy, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

hooks: setup-dev ## every pre-commit hook on every file; needs a git checkout
	@$(BIN)/pre-commit run --all-files

format: setup-dev ## let ruff format and fix what it can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

snapshots: setup-dev ## accept the present lanes as snapshots; read the diff before you commit it
	@$(BIN)/python -m pytest -q tests/contracts --snapshot-update

docs: setup-dev ## regenerate the pages that are made from code: .env.example, configuration, ledger, tutorial
	@$(BIN)/python -m llm_adapter.variables
	@$(BIN)/python -m tests.contracts.defects.page docs/ledger.md
	@$(BIN)/python -m tests.tutorial docs/tutorial.md
	@$(BIN)/python -m tests.harness.reporting.ci.sample docs/samples

pictures: setup-dev ## draw the pictures of README.md anew, from a real run (needs Chromium)
	@$(BIN)/python -m tools.pictures docs/pictures

site: setup-dev ## the pages as a site, with a reference of commands and of Python: dist/site/index.html
	@$(BIN)/python -m sphinx -q -n -W --keep-going -d dist/.doctrees docs dist/site
	@echo "dist/site/index.html"

matrix: setup ## the same recordings under other releases (ARGS="--litellm 1.95.0 --openai 2.54.0"), beside other Langfuses, frameworks and pytests
	@failed=0; $(CONTRACTS) matrix $(options) || failed=$$?; \
	  PATH=$(BIN):$$PATH $(BIN)/python -m tools.beside_langfuse || failed=$$?; \
	  PATH=$(BIN):$$PATH $(BIN)/python -m tools.beside_releases || failed=$$?; exit $$failed

real-streams: setup-dev ## regenerate docs/real-streams.md (STREAMS, ANSWERS: folders with index.jsonl)
	@$(BIN)/python -m tools.real_streams_page $(if $(value STREAMS),$(call quoted,STREAMS),../shared/real-streams) \
	  $(if $(value ANSWERS),$(call quoted,ANSWERS),../shared/real-apis) docs/real-streams.md

gateways: setup-dev ## regenerate the tables of docs/gateways.md (STREAMS, ANSWERS: folders with index.jsonl)
	@$(BIN)/python -m tools.gateways_page $(if $(value STREAMS),$(call quoted,STREAMS),../shared/real-streams) \
	  $(if $(value ANSWERS),$(call quoted,ANSWERS),../shared/real-apis) docs/gateways.md

upgrades: setup-dev ## regenerate docs/upgrades.md: our clients and the bare clients under other releases (takes long)
	@$(CONTRACTS) matrix --provider openai --provider deepseek --provider qwen --provider gemini \
	  --report report/matrix/own --json report/matrix-own.json || [ $$? = 1 ]
	@$(CONTRACTS) matrix --reference openai --candidate litellm --provider openai --provider deepseek --provider qwen --cost \
	  --report report/matrix/bare --json report/matrix-bare.json || [ $$? = 1 ]
	@$(CONTRACTS) matrix --reference openai --candidate litellm --scenario deepseek/finish-no-resources \
	  --litellm 1.80.11,1.84.8 --bisect finish_reason --json report/matrix-bisect.json
	@$(BIN)/python -m tools.upgrades_page docs/upgrades.md report/matrix-own.json report/matrix-bare.json \
	  report/matrix-bisect.json

COMPILE = UV_SYSTEM_CERTS=true $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" requirements.in \
  $(DISTRIBUTIONS:%=%/pyproject.toml) --extra legacy --extra langfuse --extra openai --extra litellm --extra vcr --extra matrix

lock: setup ## pin every dependency again, with hashes (ARGS=--upgrade: at its newest release)
	@$(COMPILE) $(arguments) -o requirements.lock
	@$(COMPILE) $(arguments) -o requirements-dev.lock --constraints requirements.lock \
	  --extra cluster --extra anthropic --extra google-genai --extra httpx --group dev
	@$(COMPILE) $(arguments) -o requirements-frameworks.lock --constraints requirements-dev.lock --group frameworks \
	  $$(sed -n 's/^\([a-z0-9._-]*\).*==.*/--no-emit-package \1/p' requirements-dev.lock)
	@sed -i '/^$$/,$$d' requirements-frameworks.lock  # what was left out, again

clean: ## remove what was built
	@rm -rf $(VENV) report dist .coverage htmlcov .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
