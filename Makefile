# The front door: `make` lists what there is.
# Rust, a C compiler, make and the crates' registry are all that any of it needs.

# What `run` and `bench` are told: `make run ARGS="--port 8080"`.
ARGS ?=
# The folder of the real prompts and labelled messages, from the root of the tree.
REAL_DATA ?= ../shared/data

.DEFAULT_GOAL := help
.PHONY: help run test lint bench real-data

help: ## List what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Serve the whole platform on this machine (ARGS="--help" lists its flags)
	@echo "Builds the platform (some minutes the first time), then serves it until Ctrl-C."
	@cargo run --locked --release -p local -- $(ARGS)

test: ## Run every test but the journeys on real data
	cargo test --workspace --locked

lint: ## Check format and lints
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features --locked -- -D warnings

bench: ## Measure resolve beside the reference server
	cargo run --locked --release -p e2e --bin bench -- $(ARGS)

# Tests run in the folder of their package, so they are told the whole path.
real-data: ## Run the journeys on the data in REAL_DATA
	@test -d "$(REAL_DATA)" || { echo "There is no folder $(REAL_DATA): say make real-data REAL_DATA=<folder>."; exit 1; }
	REAL_DATA="$$(cd "$(REAL_DATA)" && pwd)" cargo test --locked -p e2e --features real-data --test real_data
