# Needs make and Python 3.11 or newer, nothing else: what is missing goes into $(VENV).
#   make serve ARGS="--bind 127.0.0.1:0"      make test ARGS="-k router"      make test PYTHON=python3.13 VENV=.venv-3.13

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=

UV     := $(shell command -v uv)
BIN    := $(VENV)/bin
PIP    := $(if $(UV),$(UV) pip install -q --python $(BIN)/python,$(BIN)/python -m pip install -qq --disable-pip-version-check)
NODE   := tests/integration/node
WEB    := bamboo_gateway/web
CLAW   := build/openclaw
WS     := $(if $(shell command -v npm),$(NODE)/node_modules/.package-lock.json)
PAGES  := $(if $(shell command -v npm),$(WEB)/node_modules/.package-lock.json)

.DEFAULT_GOAL := help
.PHONY: help serve test check audit soak format docs site recording screenshots vendor bench bench-openclaw performance clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

serve: $(VENV)/.serve ## start a gateway (ARGS="--help" lists its options)
	@$(BIN)/bamboo-gateway serve $(ARGS)

test: $(VENV)/.dev $(WS) ## run the tests (ARGS="-k name" picks some)
	@$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

check: $(VENV)/.dev $(WS) $(PAGES) ## all that a change must pass: style, types, layers, documents, tests, coverage
	@$(BIN)/ruff format --quiet --check
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python docs/generate.py --check
	@$(BIN)/python docs/site.py
	@$(if $(PAGES),npm --prefix $(WEB) run --silent check,echo "without npm the console's types, tests and libraries are not checked")
	@$(BIN)/python -m pytest -n auto --dist worksteal --cov $(ARGS)

audit: $(VENV)/.dev ## look for known holes in what is installed (asks the package index)
	@$(BIN)/pip-audit --local --skip-editable --progress-spinner off

soak: $(VENV)/.dev ## the tests that can be of any size, large: half an hour (ARGS="-k soak" picks the ten minutes of mixed load)
	@BAMBOO_SOAK=1 timeout 5400 $(BIN)/python -m pytest tests/integration -m soak -o faulthandler_timeout=1200 $(ARGS)

format: $(VENV)/.dev ## put the code in order, as far as a tool can
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

docs: $(VENV)/.dev $(PAGES) ## write the generated parts of docs/ and of the browser client anew
	@$(BIN)/python docs/generate.py
	@$(if $(PAGES),npm --prefix $(WEB) run --silent declare)

screenshots: $(VENV)/.dev ## photograph the console for the documents, with Chromium
	@$(BIN)/python -m pytest -q -n0 tests/browser/test_pictures.py
	@$(BIN)/python -m tests.browser.pictures docs/images

site: $(VENV)/.dev ## build the documentation site in build/site
	@$(BIN)/python docs/site.py && echo "build/site/index.html"

recording: $(VENV)/.dev ## record what the README shows (needs tmux, and port 18790 free)
	@$(BIN)/python -m docs.recording.record

vendor: $(PAGES) ## copy the console's libraries anew, in the versions of its lock file
	@npm --prefix $(WEB) run --silent vendor

bench: $(VENV)/.dev $(WS) ## measure the gateway beside its peers (ten minutes at most; ARGS="broadcast" picks some)
	@$(BIN)/python -m benchmarks --json build/benchmarks.json $(ARGS)

bench-openclaw: $(VENV)/.dev $(CLAW)/.installed ## measure it beside OpenClaw, which takes 768 MB and its own Node
	@$(BIN)/python -m benchmarks.openclaw $(CLAW) $(ARGS)

performance: $(VENV)/.dev ## write docs/performance.md and its figures from what `make bench` has measured
	@$(BIN)/python -m benchmarks.performance_page build/benchmarks.json

clean: ## remove everything that can be made again
	@rm -rf $(VENV) .venv-* $(NODE)/node_modules $(WEB)/node_modules build dist htmlcov .coverage* .hypothesis .*_cache
	@find . -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/it")'
	@echo "Setting up $(VENV) ..."
	@$(if $(UV),$(UV) venv -q --python $(PYTHON),$(PYTHON) -m venv) $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.serve: pyproject.toml | $(BIN)/python
	@$(PIP) --editable '.[openai]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	@$(PIP) --editable '.[dev]'
	@touch $(VENV)/.serve $@

# It takes only a newer Node than most systems have: npm has that, too.
$(CLAW)/.installed:
	@mkdir -p $(CLAW) && echo '{"private": true}' > $(CLAW)/package.json
	@cd $(CLAW) && npm install --silent --no-audit --no-fund node@24
	@cd $(CLAW) && PATH="$$PWD/node_modules/node/bin:$$PATH" npm install --silent --no-audit --no-fund openclaw@2026.9.6
	@touch $@

# Without it (no network, say) the tests that need it are skipped; .ci/run makes them fail instead.
$(NODE)/node_modules/.package-lock.json: $(NODE)/package-lock.json
	@cd $(NODE) && npm ci --silent || echo "npm could not install ws and axe-core: the tests with them will be skipped"

# Needed to change the console, not to serve it: what is served is committed.
$(WEB)/node_modules/.package-lock.json: $(WEB)/package-lock.json
	@cd $(WEB) && npm ci --silent
