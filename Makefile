# authsvc: `make help` lists the commands.
SHELL := /bin/sh
PORT ?= 8000
PYTHON := .venv/bin/python
export PORT

.DEFAULT_GOAL := help
.PHONY: help demo serve web worker beat migrate test bench lint lock docs openapi screenshots setup clean

help: ## list the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

demo: base ## the whole product on http://localhost:8000 with nothing else installed (PORT=9000 moves it)
	@exec $(PYTHON) manage.py demo

serve: base ## the production processes in the foreground, with the environment's settings
	@exec $(PYTHON) manage.py serve

web worker beat: base ## one process of production
	@exec $(PYTHON) manage.py serve --only $@

migrate: base ## bring the database up to date
	@exec $(PYTHON) manage.py migrate

test: dev ## every test, on PostgreSQL with Redis and on SQLite without (ARGS="-k login" chooses)
	@exec $(PYTHON) scripts/run_tests.py $(ARGS)

bench: dev ## the benchmarks: one table, JSON beside it
	@exec $(PYTHON) -m bench

lint: dev ## ruff, mypy, import rules, words, migrations, system checks
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	AUTHSVC_MODE=test .venv/bin/mypy
	AUTHSVC_MODE=test .venv/bin/lint-imports
	$(PYTHON) scripts/check_words.py
	AUTHSVC_MODE=test DATABASE_URL=sqlite:///:memory: $(PYTHON) manage.py makemigrations --check --dry-run
	AUTHSVC_MODE=test DATABASE_URL=sqlite:///:memory: $(PYTHON) manage.py check

lock: dev ## resolve the requirements again, pinned with hashes
	.venv/bin/pip-compile $(LOCK) -o requirements/base.txt requirements/base.in
	.venv/bin/pip-compile $(LOCK) -o requirements/telemetry.txt requirements/telemetry.in
	.venv/bin/pip-compile $(LOCK) -o requirements/dev.txt requirements/dev.in
	.venv/bin/pip-compile $(LOCK) -o requirements/node.txt requirements/node.in
	.venv/bin/pip-compile $(LOCK) -o requirements/docs.txt requirements/docs.in

LOCK := --quiet --upgrade --generate-hashes --strip-extras --allow-unsafe --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host

docs: .venv-docs/.installed ## the documentation site in var/site; a dead link or anchor fails
	$(PYTHON_DOCS) scripts/docs_site.py
	NO_MKDOCS_2_WARNING=1 $(PYTHON_DOCS) -m mkdocs build --strict
	@echo "var/site/index.html"

screenshots: dev ## take the pictures of the documentation again, after a page has changed
	@WRITE_SCREENSHOTS=1 exec $(PYTHON) scripts/run_tests.py tests/browser/test_production_walk.py

openapi: dev ## write docs/openapi.yaml again after a change of the API
	$(PYTHON) scripts/write_openapi.py

# An environment of its own, so that nothing here can change what tests and production run.
PYTHON_DOCS := .venv-docs/bin/python
.venv-docs/.installed: requirements/docs.txt | base
	$(PYTHON) -m venv --clear .venv-docs
	$(PYTHON_DOCS) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/docs.txt
	@touch $@

setup: dev ## the virtual environment with everything for development

.PHONY: base dev
base:
	@scripts/bootstrap base
dev:
	@scripts/bootstrap dev

clean: ## remove what was made (not var/, where your data is)
	rm -rf .venv .venv-docs staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage* bench/results
