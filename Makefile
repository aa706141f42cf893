# Each target calls one command; the work is in Python. ENV names an environment file: make up ENV=aws-dev deploys
# environments/Pulumi.aws-dev.yaml on the twin, without a cloud account.
ENV ?= aws-dev
PYTHON ?= python3
RUN := $(PYTHON) bootstrap.py --development --run
# The packages of the documentation's site, in an environment for this command alone.
DOCS := $(PYTHON) bootstrap.py --run uv run --isolated --frozen --only-group docs
# Controllers of add-ons that run as processes on the twin: make up ENV=aws-dev CONTROLLERS=kueue,jobset
CONTROLLERS ?=
# Further options of `policy`: make policy ARGS="--sarif policy.sarif --junit policy.xml"
ARGS ?=
# End-to-end files at a time, each with a separate home. auto: by cores and memory (tests/workers.py). 0: one after
# another.
WORKERS ?= auto

.DEFAULT_GOAL := help
.PHONY: help demo test-unit-platform test-changed setup up preview drift refresh destroy stop policy estimate doctor test test-unit test-end-to-end test-nightly test-controllers test-official lint style types types-tests types-rest format generate docs docs-check bench bench-flat bench-growth

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 20

setup: ## install uv, Python packages and the toolchain
	@$(RUN) python -m cli doctor --build

up: ## deploy ENV on the twin
	@$(RUN) python -m cli up $(ENV) $(if $(CONTROLLERS),--controllers $(CONTROLLERS))

preview: ## show what `up` would change in ENV
	@$(RUN) python -m cli preview $(ENV)

drift: ## fail where ENV differs from its file or its state
	@$(RUN) python -m cli preview $(ENV) --refresh --expect-no-changes

refresh: ## read drift of ENV into its state
	@$(RUN) python -m cli refresh $(ENV)

destroy: ## delete ENV from the twin
	@$(RUN) python -m cli destroy $(ENV)

demo: ## run examples/recommender on this machine, and write its report (ARGS="--home FOLDER")
	@$(RUN) python -m examples.recommender.demo $(ARGS)

stop: ## stop ENV's twin; its state stays
	@$(RUN) python -m cli twin stop --name $(ENV)

policy: ## report violations of policies in ENV
	@$(RUN) python -m cli policy $(ENV) $(ARGS)

estimate: ## estimate what ENV costs a month
	@$(RUN) python -m cli estimate $(ENV) $(ARGS)

doctor: ## check this machine
	@$(RUN) python -m cli doctor

test: test-unit test-end-to-end ## run all tests

test-unit: ## run the fast tests, before every commit
	@$(RUN) python -m pytest @tests/unit.options

test-unit-platform: ## run the fast tests of the platform, without those of the twin
	@$(RUN) python -m pytest @tests/unit.options tests

test-changed: ## run the tests that the difference from main needs (ARGS=--list prints them)
	@$(RUN) sh -c 'python -m cli doctor --build && python -m tools.changed_tests $(ARGS)'

test-end-to-end: ## run the tests with the real engine on the twin
	@$(RUN) sh -c 'python -m cli doctor --build && python -m pytest --tb=short -m "end_to_end and not nightly" -n $(WORKERS) --dist loadfile tests'

test-nightly: ## run the tests with the real engine that repeat a proof on another environment
	@$(RUN) sh -c 'python -m cli doctor --build && python -m pytest -m nightly -n $(WORKERS) --dist loadfile tests'

test-controllers: ## run the tests with real controllers of add-ons on the twin, which are built first
	@$(RUN) sh -c 'python -m cli doctor --build && python -m tests.controllers.build && python -m pytest -m controllers tests/controllers'

test-official: ## run the tests with Pulumi's own CLI and host, which must be on PATH
	@$(RUN) python -m pytest -m official tests/end_to_end/test_official.py

lint: style types ## check the lock, style, words and types

style: ## check the lock, style and words, which takes seconds
	@$(RUN) sh -c 'uv lock --check && ruff check . && ruff format --check . && git ls-files -z | xargs -0 codespell && python -m tools.identifiers'

# The SDKs' types need more memory than Node's default: with less pyright discards and reads them repeatedly, as it does
# with all folders at once. It uses one core: the two parts are checked at a time.
types types-tests types-rest: export NODE_OPTIONS := --max-old-space-size=6144
types: ## check types, which takes minutes
	@$(MAKE) --no-print-directory -j2 types-tests types-rest

types-tests:
	@$(RUN) pyright tests

types-rest:
	@$(RUN) pyright components stacks policies twin cli tools

format: ## fix style
	@$(RUN) sh -c 'ruff check --fix . ; ruff format .'

generate: ## renew what is generated: schema, pages of docs, inventories
	@$(RUN) sh -c 'python -m tests.generating.inputs && python -m stacks.schema && python -m tests.generate'

docs: export NO_MKDOCS_2_WARNING := 1
docs: ## build the site of the documentation into site/, and check its links, anchors and lists
	@$(DOCS) sh -c 'python -m mkdocs build --strict && python -m tools.site.check'

docs-check: ## look at the built site in headless Chromium (ARGS="--pictures FOLDER")
	@$(DOCS) python -m tools.site.browser $(ARGS)

bench: ## measure the twin against the bare engine, and the policies
	@$(RUN) python -m tests.bench

bench-flat: ## compare ENV with a flat program: same resources, same waits
	@$(RUN) python -m tests.bench_flat $(ARGS)

bench-growth: ## measure time and memory at 1, 4 and 16 times an environment's size (long)
	@$(RUN) python -m tests.bench_growth $(ARGS)
