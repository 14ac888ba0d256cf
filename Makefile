# The front door: `make` lists what there is.
# All of it needs Rust, a C compiler, make and the crates' registry; `test`, `bench`, `bench-peers` and `build` need
# Python 3 and PyPI too, `test`, `screenshots` and `bench-eval` Node.js and npm, and `test` and `screenshots` Chromium.

# What `run` and `bench` are told: `make run ARGS="--port 8080"`.
ARGS ?=
# How `run` builds: `quick` is soonest there, `release` answers several times as many requests.
PROFILE ?= quick
# The folder of the real prompts and labelled messages, from the root of the tree.
REAL_DATA ?= ../shared/data

.DEFAULT_GOAL := help
.PHONY: help run test lint deny bench bench-gate bench-experiments bench-metrics bench-console bench-eval real-data
.PHONY: bench-peers load faults screenshots browser tools build fuzz

help: ## List what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Serve the whole platform on this machine (ARGS="--help" lists its flags)
	@echo "Builds the platform (some minutes the first time), then serves it until Ctrl-C."
	@cargo run --locked --profile $(PROFILE) -p local -- $(ARGS)

test: tools ## Run every test but the journeys on real data
	cargo test --workspace --locked

lint: ## Check format and lints
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features --locked -- -D warnings

deny: ## Check licences, sources, bans and advisories of what comes from elsewhere
	@cargo deny --version >/dev/null 2>&1 || { echo "This needs cargo-deny: cargo install cargo-deny --locked."; exit 1; }
	cargo deny --locked check

bench: tools ## Measure resolve beside references, its program, and rollbacks under faults
	cargo run --locked --release -p benches --bin bench -- $(ARGS)

bench-gate: ## Simulate the evaluation gate beside the figures that it was designed by
	cargo run --locked --release -p simulations --bin bench_gate -- $(ARGS)

bench-experiments: ## Simulate experiments and canaries beside the figures that they were designed by
	cargo run --locked --release -p simulations --bin bench_experiments -- $(ARGS)

bench-metrics: ## Count a million events while everything fails, and measure pace and writes
	cargo run --locked --release -p benches --bin bench_metrics -- $(ARGS)

bench-console: ## Time the console's pages over 500 prompts with 30 days of metrics
	cargo run --locked --release -p benches --bin bench_console -- $(ARGS)

load: tools ## Resolve 500 prompts at fixed rates while versions move
	cargo run --locked --release -p benches --bin bench_load -- $(ARGS)

faults: tools ## Resolve through one fault after another, and count what is wrong, late or lost
	cargo run --locked --release -p benches --bin bench_faults -- $(ARGS)

bench-eval: .tools/promptfoo/ready ## Time evaluations beside promptfoo's
	cargo run --locked --release -p benches --bin bench_eval -- $(ARGS)

bench-peers: tools .tools/peers/ready ## Read the same prompts from Phoenix, MLflow and here
	cargo run --locked --release -p benches --bin bench_peers -- --data "$(REAL_DATA)" $(ARGS)

# Tests run in the folder of their package, so they are told the whole path.
real-data: ## Run the journeys on the data in REAL_DATA
	@test -d "$(REAL_DATA)" || { echo "There is no folder $(REAL_DATA): say make real-data REAL_DATA=<folder>."; exit 1; }
	REAL_DATA="$$(cd "$(REAL_DATA)" && pwd)" cargo test --workspace --locked --test real_data

FUZZED := templates tokens test_sets imports
# How long each target of `fuzz` runs.
SECONDS ?= 600

fuzz: ## Feed what reads other people's texts with inputs that nobody would write (SECONDS=600 each)
	@cargo fuzz --version >/dev/null 2>&1 || { echo "This needs cargo-fuzz and nightly: cargo install cargo-fuzz --locked."; exit 1; }
	@for target in $(FUZZED); do echo "== $$target for $(SECONDS) s"; \
		cargo +nightly fuzz run --sanitizer none $$target -- -max_total_time=$(SECONDS) -timeout=10 -rss_limit_mb=4096 \
			-max_len=65536 -print_final_stats=1 || exit 1; done

screenshots: browser ## Take every page of the console, in target/screenshots
	cargo test --workspace --locked --features e2e/screenshots --test browser screenshots

# Clients that others wrote and tests let in: each has its packages in a folder of its own.
CLIENTS := mcp openfeature openfeature-js

tools: .tools/tests/ready $(CLIENTS:%=.tools/%/ready) browser ## Set up the programs that tests run, in .tools/bin
	@mkdir -p .tools/bin
	@ln -sf $(addprefix $(CURDIR)/.tools/tests/bin/,redis-server moto_server cfn-lint sam st) .tools/bin

# The folder is the one that `CodeUri` names in template.yaml.
build: .tools/build/ready ## Build the functions for Lambda (arm64), for template.yaml to deploy
	@echo "Builds every function with all optimisations: the first time takes long."
	PATH="$(CURDIR)/.tools/build/bin:$$PATH" \
		cargo lambda build --locked --profile lambda --arm64 --lambda-dir target/lambda-arm64

# What `sam build` asks for, function by function, in a copy of the folder in which `build` left its program.
build-%:
	cp bootstrap "$(ARTIFACTS_DIR)"

# A Python environment of pinned packages, made again when their list changes.
.tools/%/ready: tools/%.txt
	@python3 -c 'import ensurepip, venv' 2>&- || \
		{ echo "This needs Python 3 with its module venv (on Debian: apt install python3-venv)."; exit 1; }
	@echo "Sets up the packages of $< in .tools/$*, from PyPI."
	@python3 -m venv --clear .tools/$*
	@.tools/$*/bin/pip install --quiet --disable-pip-version-check --no-input --requirement $<
	@touch $@

# The browser is the system's, for no registry of packages has another.
browser: .tools/axe/ready
	@chromium --version >/dev/null 2>&1 || \
		{ test "$$(id -u)" = 0 && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } || \
		{ echo "This needs Chromium as the program chromium (on Debian: apt install chromium)."; exit 1; }

# No package runs a script of its own here.
.tools/%/ready: tools/%.json
	@node --version >/dev/null 2>&1 && npm --version >/dev/null 2>&1 || \
		{ echo "This needs Node.js (20.20, 22.22 or newer) with npm, for $*."; exit 1; }
	@echo "Sets up the packages of $< in .tools/$*, from npm."
	@rm -rf .tools/$* && mkdir -p .tools/$* && cp $< .tools/$*/package.json
	@npm install --prefix .tools/$* --ignore-scripts --omit=peer --no-audit --no-fund --loglevel=error
	@touch $@
