# Every target sets up what it needs; `make` alone lists them.
PY ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(BIN)/.ready ## make .venv with Postroad and its tools

$(BIN)/.ready: pyproject.toml requirements.lock
	test -x $(BIN)/python || $(PY) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check uv hatchling editables
	$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

lock: ## resolve the dependencies anew into requirements.lock
	$(BIN)/uv lock -q && $(BIN)/uv export -q --all-extras --no-emit-project --no-header -o requirements.lock

run: setup ## serve a demo: sample lists, people, an archive, and an outbox in place of a relay
	$(BIN)/postroad demo --home var/demo

test: setup ## run every test, on SQLite and on PostgreSQL (a throw-away one, where it is installed)
	tools/test.sh

check: setup ## format, lint, types, layout and the tests of the foundation; under a minute
	$(BIN)/ruff format --check -q src tests bench
	$(BIN)/ruff check -q src tests bench
	$(BIN)/mypy
	$(BIN)/pytest tests/architecture tests/foundation

reference: setup ## write the generated pages of docs/reference
	$(BIN)/python tools/reference.py

fix: setup ## format and mend what can be mended by itself
	$(BIN)/ruff format -q src tests bench
	$(BIN)/ruff check -q --fix src tests bench

next: setup ## run the tests on SQLite with the newest libraries (PY=python3.13: Django 6)
	test -x .tools/next/bin/python || $(BIN)/uv venv -q --python $(PY) .tools/next
	echo 'django>=5.2' >.tools/next/newest
	$(BIN)/uv pip install -q --upgrade --python .tools/next/bin/python --overrides .tools/next/newest \
	    -r pyproject.toml --all-extras --group dev hatchling editables
	$(BIN)/uv pip install -q --python .tools/next/bin/python --no-deps --no-build-isolation -e .
	.tools/next/bin/pytest -p no:cacheprovider $(TESTS)

crash: setup ## kill every process at 300 random moments under load, on SQLite
	POSTROAD_CRASH_KILLS=300 $(BIN)/pytest -s tests/stories/test_crash.py

fuzz: setup ## let the fuzzers look for new input that breaks a reader, a minute each
	for what in headers mime archive bounces commands decoration intake; do \
	    $(BIN)/python bench/fuzz_mail.py $$what 60 || exit 1; done
	for what in pickles mailboxes; do $(BIN)/python bench/fuzz_old_files.py $$what 60 || exit 1; done
	POSTROAD_FUZZ=1 $(BIN)/pytest -m hypothesis

bench: setup ## measure the hot paths
	for file in bench/bench_*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

.PHONY: help setup run test check reference fix fuzz bench crash next lock
