# Two commands: `make run` and `make test`. Both prepare what they need in .venv.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test lint fmt types imports migrations messages deploy-check pytest faults fuzz fuzz-api load security clean-var

# The quickest Python 3.11 here; another one: make run PYTHON=/opt/python/bin/python3.11
PYTHON ?= $(shell sh deploy/python.sh)
# Extra arguments for pytest: make pytest ARGS="tests/catalog -x"
ARGS ?=
BIN := .venv/bin
# A changed list of requirements has another stamp, so that it is installed before anything runs.
RUN_STAMP := .venv/run-$(shell cksum < requirements.txt | tr ' ' '-').stamp
DEV_STAMP := .venv/dev-$(shell cat requirements.txt requirements-dev.txt | cksum | tr ' ' '-').stamp
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Tools that only import the settings: nothing is connected to, nothing of .env is read.
NOWHERE := MARQUEE_ENV_FILE= DATABASE_URL=postgres://nobody@localhost/none REDIS_URL=redis://localhost

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s "$$(printf '\t')" 2>/dev/null \
		|| grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST)

run: $(RUN_STAMP) ## Start everything and print the address (PORT=8001 for another port)
	@exec $(BIN)/python manage.py up

test: $(DEV_STAMP) ## Check everything, cheap checks first
	@$(MAKE) --no-print-directory lint imports migrations deploy-check types pytest

lint: $(DEV_STAMP) ## Formatting and lint rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

fmt: $(DEV_STAMP) ## Format the code and apply safe fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

imports: $(DEV_STAMP) ## Who may import whom
	$(BIN)/python -c "from importlinter.cli import lint_imports_command; lint_imports_command()"

migrations: $(DEV_STAMP) ## No model change without its migration
	MARQUEE_ENV_FILE= MARQUEE_VAR=var/test $(BIN)/python manage.py makemigrations --check --dry-run

messages: $(DEV_STAMP) ## Gather new texts into locale/*.po and list what is to be translated
	@$(NOWHERE) $(BIN)/python manage.py messages

deploy-check: $(DEV_STAMP) ## Production settings raise no warning
	@$(NOWHERE) $(BIN)/python manage.py messages --compile
	@echo "manage.py check --deploy with production settings"
	@$(NOWHERE) DJANGO_SETTINGS_MODULE=config.settings.production ALLOWED_HOSTS=marquee.example \
		SECRET_KEY="$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))')" \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

types: $(DEV_STAMP) ## Static types
	$(NOWHERE) $(BIN)/python -m mypy .

# Two test processes on two cores: libraries that start a thread per core would only fight.
pytest: $(DEV_STAMP) ## The tests, on a real Postgres, Redis, Celery worker and Chromium
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 $(ARGS)

# What people would feel: a whole site is started and broken, some minutes.
faults: $(DEV_STAMP) ## Break everything on purpose; writes the table of docs/reliability.md
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MARQUEE_FAULTS=1 $(BIN)/python -m pytest -n 0 tests/faults tests/concurrency $(ARGS)

# Whatever bytes come: hypothesis makes ten thousand files of each kind, schemathesis requests to every operation.
fuzz: $(DEV_STAMP) fuzz-api ## fuzz-api, then 10,000 broken files of each kind for the importers
	OPENBLAS_NUM_THREADS=1 MARQUEE_FUZZ_EXAMPLES=10000 $(BIN)/python -m pytest -n 0 -v --durations=0 tests/feedback/imports/test_fuzz.py

fuzz-api: $(DEV_STAMP) ## The API by its own document, as four people (ARGS="--examples 20 --people staff"); writes its table
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.fuzz $(ARGS)

# The world is made once, 10 minutes and 5 GB under var/; the run itself takes 15 minutes.
load: $(DEV_STAMP) ## People on a running site in a large world; writes its table too (ARGS="--people 8 --seconds 60")
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.load $(ARGS)

security: $(DEV_STAMP) ## What docs/security.md promises; secrets in the history; known holes of what is installed
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.security $(ARGS)

clean-var: ## Remove the local database, models and caches (asks first)
	@if [ -e var/run/up.json ]; then echo "Marquee is running from this folder: stop it first."; exit 1; fi
	@read -r -p "Remove var/ with the local database, its accounts and ratings? [y/N] " answer; \
		if [ "$$answer" = y ]; then rm -rf var && echo "Removed."; else echo "Nothing was removed."; fi

.venv/bin/python:
	@python="$(PYTHON)"; \
	if ! "$$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then \
		echo "Marquee needs Python 3.11, and \"$$python\" is not that: install it (Debian: apt install python3.11-venv; pyenv: pyenv install 3.11)," >&2; \
		echo "or name one: make run PYTHON=/path/to/python3.11" >&2; exit 1; fi; \
	echo "Creating .venv with $$python"; \
	"$$python" -m venv .venv || { rm -rf .venv; \
		echo "Python cannot make virtual environments here (Debian: apt install python3.11-venv)." >&2; exit 1; }

$(RUN_STAMP): | .venv/bin/python
	@echo "Installing requirements.txt (some minutes the first time)"
	@$(PIP) -r requirements.txt
	@rm -f .venv/run-*.stamp && touch $@

$(DEV_STAMP): | .venv/bin/python
	@echo "Installing requirements-dev.txt (some minutes the first time)"
	@$(PIP) -r requirements-dev.txt
	@rm -f .venv/dev-*.stamp && touch $@
