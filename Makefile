# Everything here is a few words around CMake, ctest, pytest and the scripts in .ci; `make help` lists it.
JOBS ?= $(shell nproc)
ARGS ?= fixtures/scenarios
SECONDS_EACH ?= 20

.PHONY: help run build test unit integration lint format tsan fuzz bench clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22

run: build ## build, then run every scenario of fixtures/scenarios (ARGS="FILE ..." for others)
	@build/release/bin/chaos run $(ARGS)

build: ## optimised programs in build/release/bin
	@.ci/deps.sh run
	@.ci/build.sh release $(JOBS)

test: ## all tests, against programs built with address and undefined-behaviour sanitizers
	@.ci/deps.sh test
	@.ci/build.sh dev $(JOBS)
	@.ci/test.sh dev all $(JOBS)

unit: ## only the unit, fuzz-replay and tidy tests
	@.ci/deps.sh test
	@.ci/build.sh dev $(JOBS)
	@.ci/test.sh dev unit $(JOBS)

integration: ## only the tests of the real programs (ARGS="-k word" picks some)
	@.ci/deps.sh test
	@.ci/build.sh dev $(JOBS)
	@.ci/test.sh dev integration $(JOBS) $(filter-out fixtures/scenarios,$(ARGS))

lint: ## formatting, static analysis, scripts
	@.ci/deps.sh lint
	@.ci/lint.sh $(JOBS)

format: ## format all C and Python files in place
	@.ci/deps.sh lint
	@git ls-files -z '*.c' '*.h' | xargs -0 clang-format -i
	@build/venv/bin/ruff format -q integration tests .ci

tsan: ## the unit and integration tests under the thread sanitizer
	@.ci/deps.sh test
	@.ci/build.sh tsan $(JOBS)
	@.ci/test.sh tsan all $(JOBS)

fuzz: ## every fuzz target for SECONDS_EACH (20) seconds, from its corpus
	@.ci/deps.sh fuzz
	@.ci/build.sh fuzz $(JOBS)
	@.ci/fuzz.sh $(SECONDS_EACH)

bench: ## signatures a second, latency and memory of fakevault (ARGS="--json" for machines)
	@.ci/deps.sh bench
	@.ci/build.sh release $(JOBS)
	@tests/bench/bench.py build/release/bin/fakevault $(filter-out fixtures/scenarios,$(ARGS))

clean: ## removes what was built and the results of runs
	@rm -rf build runs
