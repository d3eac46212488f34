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
