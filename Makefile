# Every target installs what it needs; a machine with rustup, make, git and Node is enough.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# Tools are kept outside of the checkout, by version, so that a fresh clone finds them again.
TOOLS ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/airflow-pod-identity
BINDGEN_VERSION := $(shell awk '/^name = "wasm-bindgen"$$/ { getline; gsub(/"/, "", $$3); print $$3 }' Cargo.lock)
BINDGEN := $(TOOLS)/wasm-bindgen-$(BINDGEN_VERSION)
DENY_VERSION := 0.20.2
DENY := $(TOOLS)/cargo-deny-$(DENY_VERSION)
AUDIT_VERSION := 0.22.2
AUDIT := $(TOOLS)/cargo-audit-$(AUDIT_VERSION)
FUZZ_VERSION := 0.13.1
FUZZ := $(TOOLS)/cargo-fuzz-$(FUZZ_VERSION)
MUTANTS_VERSION := 27.1.0
MUTANTS := $(TOOLS)/cargo-mutants-$(MUTANTS_VERSION)

# A tool, its version, its place. Registries that mirror others may lack what the tool's lock file names.
install = cargo install --locked --quiet $(1) --version $(2) --root $(3) || cargo install --quiet $(1) --version $(2) --root $(3)

TARGET := $(or $(CARGO_TARGET_DIR),target)
export AIRFLOW_POD_IDENTITY_MODULE ?= $(CURDIR)/policy.wasm
REVIEW = $(TARGET)/debug/review

.PHONY: help
help: ## Lists the targets
	@awk -F ':.*## ' '/^[a-zA-Z0-9_.-]+:.*## / { printf "  %-22s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: targets
targets:
	@rustup target list --installed 2>/dev/null | grep -qx wasm32-wasip1 || rustup target add wasm32-wasip1
	@rustup target list --installed 2>/dev/null | grep -qx wasm32-unknown-unknown || rustup target add wasm32-unknown-unknown

# LLVM's thresholds for inlining and unrolling, usually 225, 325 and 150: with these the module is a seventh smaller, and a
# call takes 8 % more instructions. (Level s saves less and costs more.)
SMALL := -inline-threshold=60 -inlinehint-threshold=325 -unroll-threshold=10

# binaryen's optimizer takes another tenth off the size, and 2 % off the instructions.
BINARYEN_VERSION := 132.0.0
WASM_OPT := $(TOOLS)/binaryen-$(BINARYEN_VERSION)/node_modules/.bin/wasm-opt
WASM_OPT_FLAGS := -O3 --strip-debug --enable-bulk-memory --enable-sign-ext --enable-mutable-globals \
  --enable-nontrapping-float-to-int --enable-multivalue --enable-reference-types

# The same commit gives the same bytes, wherever it is built: panics name files of the registry.
REMAP := --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=/cargo

# Optimizing takes seconds, so what was optimized once is kept by the name of its digest.
optimize = built=$(TARGET)/wasm32-wasip1/release/$(1).wasm; \
	kept=$(TARGET)/optimized/$$(sha256sum <$$built | cut -c1-64).wasm; mkdir -p $(TARGET)/optimized; \
	if [ ! -f $$kept ]; then $(WASM_OPT) $(WASM_OPT_FLAGS) $$built -o $$kept.new; mv $$kept.new $$kept; fi; \
	cmp -s $$kept $@ || cp $$kept $@

policy.wasm nothing.wasm $(TARGET)/named.wasm: export CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS := $(REMAP)

# Linked as what it is alone: built together with the library for the tests, every public function would be kept whole.
policy.wasm: FORCE targets $(WASM_OPT) ## Builds the module
	cargo rustc --locked --release --target wasm32-wasip1 --lib --crate-type cdylib -- '-Cllvm-args=$(SMALL)'
	@$(call optimize,airflow_pod_identity)

nothing.wasm: FORCE targets $(WASM_OPT) ## Builds a module that does nothing, to compare with
	cargo rustc --locked --release --target wasm32-wasip1 --package nothing --lib -- '-Cllvm-args=$(SMALL)'
	@$(call optimize,nothing)

# The module with the names of its functions: the same instructions.
$(TARGET)/named.wasm: FORCE targets $(WASM_OPT)
	cargo rustc --locked --quiet --profile named --target wasm32-wasip1 --lib --crate-type cdylib -- '-Cllvm-args=$(SMALL)'
	@$(WASM_OPT) $(filter-out --strip-debug,$(WASM_OPT_FLAGS)) -g $(TARGET)/wasm32-wasip1/named/airflow_pod_identity.wasm -o $@

$(WASM_OPT):
	npm install --silent --no-fund --no-audit --prefix $(TOOLS)/binaryen-$(BINARYEN_VERSION) binaryen@$(BINARYEN_VERSION)

.PHONY: reproducible
reproducible: ## Builds the module in two folders and compares the bytes
	@folders=$$(mktemp -d); trap 'rm -rf "$$folders"' EXIT; \
	for name in one another/one; do \
	  git clone --quiet . $$folders/$$name; \
	  CARGO_TARGET_DIR=$$folders/$$name/target $(MAKE) --no-print-directory --silent -C $$folders/$$name policy.wasm; \
	done; \
	cmp $$folders/one/policy.wasm $$folders/another/one/policy.wasm && sha256sum $$folders/one/policy.wasm | cut -c1-64

annotated-policy.wasm: policy.wasm metadata.yml README.md ## Builds the module with its metadata (needs kwctl)
	@if command -v kwctl >/dev/null; then \
	  kwctl annotate -m metadata.yml -u README.md -o $@ policy.wasm; \
	else echo "skipped: annotated-policy.wasm needs kwctl on the PATH"; fi

# What kwctl calls the version of what it pushes.
VERSION = $(shell awk '/io\.kubewarden\.policy\.version:/ { print $$2 }' metadata.yml)

.PHONY: push
push: annotated-policy.wasm ## Pushes the module and prints its digest: make push REGISTRY=registry.example.com/policies
	@if [ -z "$(REGISTRY)" ]; then echo "where to? make push REGISTRY=registry.example.com/policies" >&2; exit 1; fi
	kwctl push $(PUSH_FLAGS) annotated-policy.wasm registry://$(REGISTRY)/airflow-pod-identity:v$(VERSION)

.PHONY: review
review: policy.wasm ## Builds the review command: target/debug/review
	cargo build --locked --package airflow-pod-identity-e2e --bin review

.PHONY: demo
demo: review ## Judges the example pods and prints verdicts and diffs
	@echo; echo "== Task pods, created by the scheduler of release airflow"
	@$(REVIEW) --explain --settings examples/settings/demo.yaml --user system:serviceaccount:airflow:airflow-scheduler examples/pods/task-*.yaml || [ $$? -eq 1 ]
	@echo; echo "== Scheduler pods and another application's, created by the ReplicaSet controller"
	@$(REVIEW) --explain --settings examples/settings/demo.yaml --user system:serviceaccount:kube-system:replicaset-controller examples/pods/scheduler-*.yaml examples/pods/app-*.yaml || [ $$? -eq 1 ]

.PHONY: test
test: test-native test-node e2e-tests fuzz-replay ## Runs every test

.PHONY: test-native
test-native: ## Runs the policy's own tests
	cargo test --locked --package airflow-pod-identity

.PHONY: test-node
test-node: targets $(BINDGEN)/bin/wasm-bindgen-test-runner ## Runs the same tests on wasm32-unknown-unknown, in Node
	CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=$(BINDGEN)/bin/wasm-bindgen-test-runner \
	  cargo test --locked --package airflow-pod-identity --target wasm32-unknown-unknown --tests

$(BINDGEN)/bin/wasm-bindgen-test-runner:
	$(call install,wasm-bindgen-cli,$(BINDGEN_VERSION),$(BINDGEN))

.PHONY: e2e-tests
e2e-tests: policy.wasm nothing.wasm ## Runs the built module in the embedded host, and in kwctl where it is installed
	cargo test --locked --package airflow-pod-identity-e2e
	@$(MAKE) --no-print-directory kwctl-tests

.PHONY: kwctl-tests
kwctl-tests: ## Runs the built module in kwctl (needs kwctl, bats and jq)
	@missing=; for tool in kwctl bats jq; do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	if [ -n "$$missing" ]; then echo "skipped: the kwctl tests need$$missing on the PATH"; \
	else $(MAKE) --no-print-directory annotated-policy.wasm && bats e2e-tests; fi

.PHONY: generate
generate: ## Makes the schema, the reference page, the form and the package file anew
	GENERATE=1 cargo test --quiet --package airflow-pod-identity-e2e --test generated no_generated_file_is_stale

.PHONY: test-airflow
test-airflow: ## Runs the example DAGs in a real Airflow (installs it at first: some minutes, 2.5 GB)
	TOOLS=$(TOOLS) tests/airflow/run.sh

# How `bench` is run: for the tests it is built anyway.
BENCH = cargo run --locked --quiet --package airflow-pod-identity-e2e --bin bench -- policy.wasm --nothing nothing.wasm \
  $(if $(AIRFLOW_POD_IDENTITY_CORPORA),--corpora $(AIRFLOW_POD_IDENTITY_CORPORA)) --times $(TARGET)/criterion

.PHONY: times
times: policy.wasm nothing.wasm
	cargo bench --locked --package airflow-pod-identity-e2e --bench calls >$(TARGET)/times.log

.PHONY: bench
bench: times ## Prints what calls cost: limits, size, instructions, memory and wall times, and how they grow
	@$(BENCH)

.PHONY: bench-figures
bench-figures: times ## The same, and writes the wall times into docs/performance.md
	@$(BENCH) --write

.PHONY: profile
profile: $(TARGET)/named.wasm ## Prints where the bytes go and the instructions, by function
	@cargo run --locked --quiet --package airflow-pod-identity-e2e --bin profile -- $(TARGET)/named.wasm

# Targets for libFuzzer, in a workspace of their own. The policy is safe Rust: no sanitizer, and so no nightly compiler.
# It has a target folder of its own too: a library that is also a cdylib has one file name in all workspaces.
FUZZ_TARGETS := request pod settings annotations
FUZZ_SECONDS ?= 1200
fuzz_flags = --fuzz-dir fuzz --sanitizer none --features libfuzzer --target-dir $(abspath $(TARGET))/fuzz

.PHONY: fuzz
fuzz: $(FUZZ_TARGETS:%=fuzz-%) ## Looks for inputs that break a law: FUZZ_SECONDS for each target

.PHONY: $(FUZZ_TARGETS:%=fuzz-%)
$(FUZZ_TARGETS:%=fuzz-%): fuzz-%: $(FUZZ)/bin/cargo-fuzz
	@mkdir -p fuzz/corpus/$*
	$(FUZZ)/bin/cargo-fuzz run $(fuzz_flags) $* fuzz/corpus/$* fuzz/seeds/$* -- \
	  -max_total_time=$(FUZZ_SECONDS) -max_len=16384 -timeout=10 -print_final_stats=1 $(FUZZ_ARGS)

.PHONY: fuzz-smoke
fuzz-smoke: ## The same for 20 seconds each
	@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=20 FUZZ_ARGS=-seed=1

.PHONY: fuzz-replay
fuzz-replay: ## Runs the fuzz targets' seeds and past finds as tests
	cargo test --locked --manifest-path fuzz/Cargo.toml --target-dir $(TARGET)/fuzz

.PHONY: fuzz-seeds
fuzz-seeds: $(FUZZ)/bin/cargo-fuzz ## Makes the fuzz targets' seeds anew of the cases and examples
	cargo run --locked --quiet --manifest-path fuzz/Cargo.toml --target-dir $(TARGET)/fuzz --example seeds -- $(TARGET)/fuzz-seeds
	for target in $(FUZZ_TARGETS); do \
	  rm -rf fuzz/seeds/$$target && mkdir -p fuzz/seeds/$$target && \
	  $(FUZZ)/bin/cargo-fuzz run $(fuzz_flags) $$target fuzz/seeds/$$target $(TARGET)/fuzz-seeds/$$target -- \
	    -merge=1 -use_counters=0 -max_len=65536 || exit 1; \
	done

$(FUZZ)/bin/cargo-fuzz:
	$(call install,cargo-fuzz,$(FUZZ_VERSION),$(FUZZ))

# What holds against the module one thing at a time; all of it is part of `test`.
.PHONY: differential faults leaks
differential: policy.wasm ## Compares the module with an independent implementation of the verdict
	cargo test --locked --package airflow-pod-identity-e2e --test differential -- --nocapture

faults: policy.wasm ## Tries wrong answers of the host, huge requests and settings, hostile JSON
	cargo test --locked --package airflow-pod-identity-e2e --test faults --test hostile

leaks: policy.wasm ## Plants canaries in every place of a pod and looks for them in all that is said
	cargo test --locked --package airflow-pod-identity-e2e --test leaks -- --nocapture

# Mutants of the rules, plan, credentials and settings (.cargo/mutants.toml), in copies of the tree. What quick tests miss is
# tried on slower ones. Those that nothing catches are in docs/reliability.md.
MUTANTS_JOBS ?= $(shell nproc 2>/dev/null || echo 2)
MUTATED := 'src/rules/*.rs' src/plan.rs src/requirement.rs 'src/credentials/*.rs' 'src/settings/*.rs'
MUTATE = env -u CARGO_TARGET_DIR -u AIRFLOW_POD_IDENTITY_CORPORA $(MUTANTS)/bin/cargo-mutants mutants \
  --no-shuffle --jobs $(MUTANTS_JOBS) --output $(TARGET) $(addprefix --file=,$(MUTATED)) $(MUTANTS_ARGS)

.PHONY: mutants
mutants: $(MUTANTS)/bin/cargo-mutants ## Changes the code in 1,100 ways and tells what the tests miss (an hour and a half)
	@mkdir -p $(TARGET); rm -rf $(TARGET)/mutants.out*
	$(MUTATE) || [[ $$? = [23] ]]
	@cp $(TARGET)/mutants.out/unviable.txt $(TARGET)/unviable.txt
	$(MUTATE) --iterate --config .cargo/mutants-missed.toml || [[ $$? = [23] ]]
	@cd $(TARGET)/mutants.out; count() { cat "$$@" | wc -l; }; \
	missed=$$(count missed.txt); all=$$(count missed.txt caught.txt timeout.txt previously_caught.txt); \
	valid=$$((all - $$(count ../unviable.txt))); cat missed.txt; \
	awk -v missed=$$missed -v valid=$$valid 'BEGIN { score = 100 * (valid - missed) / valid; \
	  printf "%d of %d mutants that compile are caught: %.1f %%\n", valid - missed, valid, score; exit score < 95 }'

$(MUTANTS)/bin/cargo-mutants:
	$(call install,cargo-mutants,$(MUTANTS_VERSION),$(MUTANTS))

.PHONY: fmt
fmt: ## Formats the code
	cargo fmt --all
	cargo fmt --manifest-path fuzz/Cargo.toml

.PHONY: lint
lint: targets deny ## Checks format, clippy and dependencies
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo clippy --locked --manifest-path fuzz/Cargo.toml --target-dir $(TARGET)/fuzz --all-targets -- -D warnings
	cargo clippy --locked --package airflow-pod-identity --package nothing --lib --target wasm32-wasip1 -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --package airflow-pod-identity

.PHONY: deny
deny: $(DENY)/bin/cargo-deny ## Checks licences and sources of the dependencies
	@cargo fetch --locked --quiet
	$(DENY)/bin/cargo-deny --locked --offline check bans licenses sources

.PHONY: audit
audit: $(AUDIT)/bin/cargo-audit ## Looks for known vulnerabilities in the dependencies (needs the advisory database, from GitHub)
	$(AUDIT)/bin/cargo-audit audit --file Cargo.lock --deny warnings
	$(AUDIT)/bin/cargo-audit audit --file fuzz/Cargo.lock --deny warnings

$(AUDIT)/bin/cargo-audit:
	$(call install,cargo-audit,$(AUDIT_VERSION),$(AUDIT))

$(DENY)/bin/cargo-deny:
	$(call install,cargo-deny,$(DENY_VERSION),$(DENY))

.PHONY: clean
clean: ## Removes what was built
	cargo clean
	rm -f policy.wasm nothing.wasm annotated-policy.wasm

.PHONY: FORCE
FORCE:
