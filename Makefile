# SPDX-License-Identifier: Apache-2.0
# Each target that needs installed things sets them up first; where nothing has changed that takes no time.

PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help demo demo-multiarch demo-cloud test test-fuzz test-vm test-cgroup2 test-image test-chaos test-postgresql test-clients test-differential test-load test-gerrit test-library test-cloud test-zuul-jobs gerrit lint bench lock wheel clean setup-demo setup-test

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup-demo ## Start everything and play the tour (ARGS=--once: play it, verify it, stop)
	@exec $(BIN)/gatebot demo $(ARGS)

demo-multiarch: setup-demo ## One real job on x86_64 and on emulated arm64, both shown on the change
	@command -v qemu-aarch64-static >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get install -y -q --no-install-recommends \
		qemu-user-static; } || { echo "It needs qemu-user-static. Debian: apt-get install qemu-user-static"; exit 1; }
	@$(BIN)/gatebot image build --arch arm64
	@exec $(BIN)/gatebot demo --multiarch $(ARGS)

demo-cloud: setup-demo ## A good and a bad change to nova, each gated by a whole OpenStack (minutes; ARGS=--once)
	@$(BIN)/gatebot image build cloud --site jobs/cloud/image
	@exec $(BIN)/gatebot demo --cloud $(ARGS)

test: setup-test ## Every check and every ring of tests (RINGS="core laws": only these)
	@exec $(BIN)/python tools/rings.py $(RINGS)

test-postgresql: setup-test ## Every story of a room on PostgreSQL too, of which `make test` tells one in three
	@GATEBOT_ENGINES=all $(BIN)/python -m pytest -q tests/shells -n 4 --dist worksteal -k postgresql

test-clients: setup-test ## Other people's clients of Gerrit and Zuul, unmodified, against a site (needs a package index)
	@$(BIN)/python tools/peers.py && GATEBOT_CLIENTS=1 exec $(BIN)/python tools/rings.py clients

test-differential: setup-test ## A real Gerrit beside gatebot: what differs is listed; and it moves here (needs Java 21, mvn)
	@$(BIN)/python tools/gerrit.py fetch && GATEBOT_GERRIT=1 $(BIN)/python -m pytest -q tests/clients/differential tests/clients/importing

test-load: setup-test ## 200 pushes at once, 120 MB, 30,000 change refs, a long history: nothing is lost (minutes)
	@$(BIN)/python -m bench.load

test-chaos: setup-test ## A hundred rounds of each trouble of executors, more kills of the server (ROUNDS=100)
	@GATEBOT_ROUNDS=$(or $(ROUNDS),100) GATEBOT_KILLS=$(or $(ROUNDS),100) $(BIN)/python -m pytest tests/chaos -v -s

test-fuzz: setup-test ## Hostile texts and packets for everything that reads them first (INPUTS=100000 for each)
	@$(BIN)/python tools/peers.py atheris || echo "Without a package index no fuzzer guides the inputs; all else is thrown"
	@GATEBOT_INPUTS=$(or $(INPUTS),100000) $(BIN)/python -m pytest -v --timeout 0 tests/laws/test_hostile_texts.py \
		tests/laws/test_guided.py tests/laws/test_hostile_irc.py

test-vm: setup-test ## The contract of nodes on a real virtual machine (MACHINE=arm64, ppc64le, s390x, riscv64; minutes)
	@case $(or $(MACHINE),x86_64) in x86_64) set x86 x86_64;; arm64) set arm aarch64;; ppc64le) set ppc ppc64;; \
		*) set misc $(MACHINE);; esac; \
	{ command -v qemu-img && command -v qemu-system-$$2; } >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get install -y -q \
		--no-install-recommends qemu-system-$$1 qemu-utils; } || { echo "It needs qemu-system-$$1 qemu-utils"; exit 1; }
	@$(BIN)/gatebot image build --vm --arch $(or $(MACHINE),x86_64)
	@GATEBOT_MACHINE=$(or $(MACHINE),x86_64) $(BIN)/python -m pytest -q tests/shells/test_machines.py

test-cgroup2: setup-test ## Nodes on control groups of version 2 alone: a Debian with systemd, emulated (most of an hour)
	@command -v qemu-img mmdebstrap >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get install -y -q --no-install-recommends \
		qemu-system-x86 qemu-utils mmdebstrap; } || { echo "It needs qemu-system-x86 qemu-utils mmdebstrap"; exit 1; }
	@$(BIN)/python tools/cgroup2.py $(ARGS)

test-image: setup-test ## A server makes the image of a label while a build waits for it (needs a mirror of Debian; minutes)
	@GATEBOT_IMAGES=1 $(BIN)/python -m pytest -q tests/stories/test_images_of_labels.py

test-gerrit: setup-test ## Gate a real Gerrit, which Maven brings (needs Java 21 and mvn)
	@$(BIN)/python tools/gerrit.py fetch && GATEBOT_GERRIT=1 $(BIN)/python -m pytest -q tests/gerrit

test-library: setup-test ## Each job of the job library, for real (needs a package index)
	@command -v buildah podman >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get install -y -q --no-install-recommends buildah \
		podman runc uidmap qemu-user-static; } || echo "Without these, images are left out: apt-get install buildah podman runc"
	@GATEBOT_LIBRARY=1 $(BIN)/python -m pytest -q tests/stories/test_job_library*.py

test-cloud: setup-test ## A whole OpenStack in the gate (makes its image first; minutes)
	@$(BIN)/gatebot image build cloud --site jobs/cloud/image
	@GATEBOT_CLOUD=1 $(BIN)/python -m pytest -q tests/stories/test_cloud_jobs.py

test-zuul-jobs: setup-test ## Roles of Zuul's job library, unmodified: ZUUL_JOBS=CHECKOUT of zuul-jobs (needs a package index)
	@GATEBOT_ZUUL_JOBS=$(abspath $(ZUUL_JOBS)) $(BIN)/python -m pytest -q tests/clients/test_zuul_jobs.py \
		tests/shells/test_zuul_roles.py

gerrit: setup-test ## Run a real Gerrit on this machine, to try gating one
	@exec $(BIN)/python tools/gerrit.py run

zuul-graphs: setup-test ## Compare the graphs of OpenStack's configuration with those of Zuul: ZUUL=PYTHON that has it
	@$(BIN)/python -m tests.clients.graphs $(ZUUL) $(ARGS)

lint: setup-test ## Only format, lint, types and the house rules
	@exec $(BIN)/python tools/rings.py format lint types house

bench: setup-demo ## Measure; each figure is one line of JSON
	@for script in bench/[a-z]*.py; do $(BIN)/python -m bench.$$(basename $$script .py) || exit 1; done

lock: ## Write the locked versions anew, with hashes (needs uv on PATH)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header -q \
		-o requirements.lock $(ARGS)
	uv pip compile pyproject.toml --group dev -c requirements.lock --universal --python-version 3.11 \
		--generate-hashes --no-header -q -o requirements-dev.lock $(ARGS)

wheel: setup-test ## Build the wheel into dist/
	$(BIN)/python -m build --wheel --no-isolation

clean: ## Remove what set-up and builds have made here
	@$(PYTHON) tools/places.py clean
	rm -rf build dist .pytest_cache .ruff_cache .hypothesis
	find gatebot tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

setup-demo:
	@$(PYTHON) tools/setup.py demo

setup-test:
	@$(PYTHON) tools/setup.py test
