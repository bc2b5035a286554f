# Every task of the project. `make` alone lists them.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

.PHONY: help build demo examples docs page test drill drill-short drill-upgrade fuzz lint chart bench fmt openapi reference

help: ## List these tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build the release program: target/release/entente
	@scripts/require-build-tools.sh
	cargo build --locked --release

demo: ## Show two firms working together, on a server of its own
	@scripts/require-build-tools.sh
	cargo run --locked --quiet -- demo

examples: ## Run the example clients in Python, Node and curl, and check what they print
	@scripts/examples.sh

docs: ## Run what docs/ shows, and follow its links
	@scripts/docs.sh

page: ## Look at the page of the check-up in a headless browser
	@scripts/checkup-page.sh

test: ## Run all tests, on SQLite and on PostgreSQL
	@scripts/require-build-tools.sh
	@scripts/require-postgres.sh
	cargo test --locked

drill: ## Let everything fail under load, again and again, and upgrade meanwhile
	@scripts/drill.sh failures 6
	@scripts/drill.sh upgrade

drill-short: ## Let everything fail under load, once
	@scripts/drill.sh failures 1

drill-upgrade: ## Upgrade replicas one after the other, to a build with a newer format
	@scripts/drill.sh upgrade

fuzz: ## Feed the fuzz targets for a minute each
	@scripts/require-build-tools.sh
	@scripts/fuzz.sh

lint: ## Check format, contract, dependencies, lints and documentation
	@scripts/lint.sh

chart: ## Check the chart, the alert rules, the dashboard and the Dockerfile
	@scripts/chart.sh

bench: ## Run the benchmarks
	@scripts/require-build-tools.sh
	@scripts/require-postgres.sh
	cargo bench --locked

openapi: ## Write docs/openapi.json anew from the contract
	@scripts/require-build-tools.sh
	cargo run --locked --quiet -- openapi > docs/openapi.json.new
	mv docs/openapi.json.new docs/openapi.json

reference: ## Write docs/reference anew from the contract
	@scripts/reference.sh

fmt: ## Format the code
	cargo fmt
