# Everything a person does with this repository. `make run` and `make test` need Python 3.11 or 3.12, make and git.
SUPPORTED = import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))
PYTHON ?= $(shell for name in python3 python3.12 python3.11; do \
	$$name -c '$(SUPPORTED)' 2>/dev/null && echo $$name && break; done)
BIN = .venv/bin
READY = .venv/ready
EXTRAS = validate preprocess train-backbone train-hybrid evaluate push-model serve resolve pipeline desk
GPU_STAGES = train-backbone train-hybrid evaluate

.PHONY: help setup run demo data images test lint infra-check cluster cluster-test generate bench proof requirements clean

help: ## show the verbs
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

setup: $(READY) ## the environment, .venv

run: $(READY) ## the main job: FER2013 to a registered model (the demo where FER2013 is absent)
	$(BIN)/ferflow run

demo: $(READY) ## the same graph on drawn faces, a few minutes
	$(BIN)/ferflow demo

data: $(READY) ## bring FER2013: make data FROM=PATH/fer2013.csv, or from the DVC remote
	$(BIN)/ferflow data $(FROM)

images: $(READY) ## build the stages' container images; PUSH=REGISTRY pushes them, ACCELERATOR=cuda is for GPUs
	$(BIN)/ferflow images $(if $(PUSH),--push $(PUSH)) $(if $(ACCELERATOR),--accelerator $(ACCELERATOR)) \
		$(if $(BASE),--base $(BASE))

test: $(READY) ## all tests, two at once; those on the genuine FER2013 where data/fer2013.csv or $$FER2013 is it
	$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder

lint: $(READY) ## style, types, generated files up to date, compiled graphs fit for a cluster
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/ferflow compile --check
	$(BIN)/ferflow claims --check
	$(BIN)/ferflow lint
	$(BIN)/hadolint components/*/Dockerfile

infra-check: $(READY) .venv-infra/ready ## Terraform, Kubernetes manifests, Dockerfiles, workflows and scripts, offline
	$(BIN)/python -m infra.check

cluster: ## Kubernetes and Kubeflow Pipelines on this machine, by kind; CONTEXT=NAME takes a cluster of your own
	infra/local/cluster.sh $(CONTEXT)

cluster-test: $(READY) ## is a run admitted, bounded and placed there as it should be; CONTEXT=NAME as above
	FERFLOW_KUBECTL="kubectl --context $(or $(CONTEXT),kind-ferflow)" $(BIN)/pytest $(CLUSTER_TESTS)
CLUSTER_TESTS = tests/infra/test_admission.py tests/infra/test_scheduling.py

generate: $(READY) ## write pipeline.yaml, dvc.yaml and the recipes' tables of claims again
	$(BIN)/ferflow compile
	$(BIN)/ferflow claims

bench: $(READY) ## time and memory against their limits and the published way; on an idle machine, with FER2013
	$(BIN)/python -m tests.bench.cli
	$(BIN)/python -m tests.bench.submit
	$(BIN)/python -m tests.bench.data
	$(BIN)/python -m tests.bench.training
	$(BIN)/python -m tests.bench.predict
	$(BIN)/python -m tests.bench.server
	if docker info >/dev/null 2>&1; then $(BIN)/python -m tests.bench.docker; else echo "no Docker engine: not measured in containers"; fi

proof: $(READY) ## how often the gate errs; kill promotions at every call, a training of FER2013 thrice (an hour); S2's frozen step
	$(BIN)/python -m tests.proof.power
	$(BIN)/python -m tests.proof.drift
	$(BIN)/python -m tests.proof.promotion
	$(BIN)/python -m tests.proof.kill
	if [ -n "$(WEIGHTS)" ]; then $(BIN)/python -m tests.proof.frozen $(WEIGHTS); else echo "WEIGHTS names no folder: S2's frozen step is not measured"; fi

requirements: $(READY) ## write the hashed requirement files again (asks the package index)
	$(BIN)/uv pip compile -q pyproject.toml --extra dev $(PIN) -o infra/requirements/dev.txt
	for extra in $(EXTRAS); do \
		$(BIN)/uv pip compile -q pyproject.toml --extra $$extra -c infra/requirements/dev.txt $(PIN) \
			-o infra/requirements/$$extra.txt || exit; done
	for extra in $(GPU_STAGES); do \
		$(BIN)/uv pip compile -q pyproject.toml --extra $$extra --extra cuda -c infra/requirements/dev.txt $(PIN) \
			--no-emit-package tensorflow-cpu -o infra/requirements/$$extra-cuda.txt || exit; done
	$(BIN)/uv pip compile -q pyproject.toml --extra tfx-check $(PIN_TFX) -o infra/requirements/tfx-check.txt
	$(BIN)/uv pip compile -q infra/check/tools.in $(PIN) -o infra/check/tools.txt
PIN = --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
# Its image alone has them: Debian 13's Python, and a glibc for which TFX's wheels are; tensorflow-cpu as in the others.
PIN_TFX = --python-version 3.13 --python-platform x86_64-manylinux_2_40 --generate-hashes --no-header --no-annotate \
	--no-emit-package tensorflow

clean: ## remove what runs and tools have made; models/ and mlflow.db, the registry, stay
	rm -rf .venv .venv-infra artifacts recipes/*/artifacts recipes/*/data .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(READY): infra/requirements/dev.txt pyproject.toml
	@[ -n "$(PYTHON)" ] || { echo "Python: expected 3.11 or 3.12, found neither. Install one, or: make PYTHON=PATH" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r infra/requirements/uv.txt
	$(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode infra/requirements/dev.txt
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# checkov holds what it needs to older versions than the rest has, and kfp loads kubernetes-validate, slowly, where it finds it.
.venv-infra/ready: infra/check/tools.txt $(READY)
	$(PYTHON) -m venv --without-pip .venv-infra
	$(BIN)/uv pip sync --quiet --python .venv-infra --require-hashes infra/check/tools.txt
	@touch $@
