# Each target is one line that calls a command; the work is in Python. ENV names an environment file:
# make up ENV=aws-dev works with environments/Pulumi.aws-dev.yaml, on the twin, with no cloud account.
ENV ?= aws-dev
PYTHON ?= python3
RUN := $(PYTHON) bootstrap.py --development --run
# Further options of `policy`: make policy ARGS="--sarif policy.sarif --junit policy.xml"
ARGS ?=
# End-to-end files at a time, each with a home of its own: a world waits for itself half of its time. 0 is one
# after another.
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup up preview drift refresh destroy stop policy doctor test test-unit test-end-to-end test-official lint format generate bench bench-growth

help: ## what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 20

setup: ## uv, Python packages and the toolchain
	@$(RUN) python -m cli doctor --build

up: ## bring ENV up on the twin
	@$(RUN) python -m cli up $(ENV)

preview: ## what `up` would change in ENV
	@$(RUN) python -m cli preview $(ENV)

drift: ## fail where ENV is not what its file and state say
	@$(RUN) python -m cli preview $(ENV) --refresh --expect-no-changes

refresh: ## read ENV's drift into its state
	@$(RUN) python -m cli refresh $(ENV)

destroy: ## destroy ENV on the twin
	@$(RUN) python -m cli destroy $(ENV)

stop: ## stop ENV's twin; its state stays
	@$(RUN) python -m cli twin stop --name $(ENV)

policy: ## what the policies say of ENV
	@$(RUN) python -m cli policy $(ENV) $(ARGS)

doctor: ## what this machine has and lacks
	@$(RUN) python -m cli doctor

test: test-unit test-end-to-end ## all tests

test-unit: ## the fast tests: run them before every commit
	@$(RUN) python -m pytest @tests/unit.options

test-end-to-end: ## the real engine on the twin
	@$(RUN) sh -c 'python -m cli doctor --build && python -m pytest -m end_to_end -n $(WORKERS) --dist loadfile tests'

test-official: ## Pulumi's own CLI and host, which must be on PATH, on the twin
	@$(RUN) python -m pytest -m official tests/end_to_end/test_official.py

# The SDKs' types need more than Node gives a program by itself: with less pyright forgets them again and again.
lint: export NODE_OPTIONS := --max-old-space-size=6144
lint: ## the lock, ruff and pyright
	@$(RUN) sh -c 'uv lock --check && ruff check . && ruff format --check . && pyright'

format: ## let ruff mend what it can
	@$(RUN) sh -c 'ruff check --fix . ; ruff format .'

generate: ## renew what is generated: schema, pages of docs, inventories
	@$(RUN) sh -c 'python -m tests.generating.inputs && python -m stacks.schema && python -m tests.generate'

bench: ## ratios against the bare engine, and what the policies add
	@$(RUN) python -m tests.bench

bench-growth: ## seconds, CPU and memory of each process at 1, 4 and 16 times an environment's size (long)
	@$(RUN) python -m tests.bench_growth $(ARGS)
