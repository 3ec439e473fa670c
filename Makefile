# GNU make and a POSIX shell. Environments are made once and made again when what they rest on changes.
PYTHON ?= python3
UPGRADE ?=
DATA ?=
FLOAT32 ?=
SEED ?=
PART ?=
LONG ?=
TAG := .venv/bin
DEV := .venv-dev/bin

# torch's own build without CUDA (Linux x86-64, Python 3.11), for machines whose pip is set up to prefer it; every other
# hash in constraints.txt is the package index's.
TORCH_CPU := 2.13.0 sha256:6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b

export PYTHON

.PHONY: help demo test lint types integration train bundle accuracy stances behaviour speed profile torture fuzz audit corpora-there reference screenshots wheel constraints clean

help: ## print this
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' Makefile | awk -F '|' '{ printf "make %-12s %s\n", $$1, $$2 }'

demo: .venv/ready ## tag the seed article: a table here, everything in out/demo.jsonl, and a page to read
	@mkdir -p out
	$(TAG)/claimstance tag seeds/demo.txt --out out/demo.jsonl --show
	$(TAG)/claimstance tag seeds/demo.txt --out out/demo.html
	@echo 'Open this page in a browser:'
	@echo '$(CURDIR)/out/demo.html'

test: lint types ## ruff, mypy and pytest
	$(DEV)/python -m pytest --numprocesses logical --maxprocesses 4 --dist worksteal

lint: .venv-dev/ready ## ruff
	$(DEV)/ruff check

types: .venv-dev/ready ## mypy, strict
	$(DEV)/mypy

integration: .venv-dev/ready .venv-integration/ready ## a real Label Studio on this machine: suggest, correct, export, build
	$(DEV)/python tests/integration/label_studio.py .venv-integration/bin/label-studio

# The first two runs continue from the bundled weights, and the last one trains the stance head of base once more. A finished run
# is not repeated; an interrupted one is resumed. The teacher of small is the bundled base: to learn from a new one, put it into
# the package first (make bundle NAME=base) and build runs/small-data again.
train: corpora-there .venv-dev/ready ## train the bundled models, or go on with an interrupted run: DATA=FOLDER_OF_THE_CORPORA
	@test -d runs/small-data || $(DEV)/claimstance build configs/small.yaml --corpora "$(DATA)"
	@test -d runs/stance-data || $(DEV)/claimstance build configs/stances.yaml --corpora "$(DATA)"
	@train() { \
		output=$$1; shift; \
		test -f $$output/manifest.json && return; \
		resume=; test -d $$output/checkpoints && resume=--resume; \
		$(DEV)/claimstance train "$$@" output=$$output $$resume; \
	}; \
	train runs/base configs/base.yaml && \
	train runs/small configs/small.yaml && \
	train runs/base-stances configs/stances.yaml model.init_from=runs/base

NAME ?= small
MODEL ?= $(if $(filter base,$(NAME)),runs/base-stances,runs/$(NAME))

bundle: ## put a trained model into the package (NAME=base: runs/base-stances as base); then make accuracy, and see its card
	@test -f "$(MODEL)/manifest.json" || { echo "expected an exported model in $(MODEL), found no manifest.json" >&2; exit 1; }
	@mkdir -p model/bundled/$(NAME); rm -f model/bundled/$(NAME)/*.onnx
	@cp "$(MODEL)"/*.onnx model/bundled/$(NAME)/
	@for file in config.json config.yaml manifest.json tokenizer.json training.json; do \
		cp "$(MODEL)/$$file" model/bundled/$(NAME)/ || exit; \
	done

accuracy: corpora-there .venv-dev/ready ## how right a bundled model is: DATA=FOLDER_OF_THE_CORPORA NAME=base (FLOAT32=runs/base-stances: beside it)
	@test runs/figures-data -nt configs/small.yaml || $(DEV)/claimstance build configs/small.yaml --overwrite \
		--no-teachers --corpora "$(DATA)" --out runs/figures-data
	$(DEV)/python benchmarks/accuracy.py runs/figures-data --model $(NAME) --corpora "$(DATA)" $(if $(filter base,$(NAME)),--no-words) $(if $(FLOAT32),--float32 "$(FLOAT32)")
	$(DEV)/python benchmarks/calibration.py runs/figures-data --model $(NAME)

stances: corpora-there .venv-dev/ready ## does a bundled model find the stances of whole articles? DATA=FOLDER_OF_THE_CORPORA NAME=base (FLOAT32=runs/base-stances: beside it)
	$(DEV)/python benchmarks/stances.py "$(DATA)" --model $(NAME) $(if $(FLOAT32),--float32 "$(FLOAT32)")

behaviour: .venv-dev/ready ## does a bundled model answer plain sentences as a reader would? NAME=base (seconds)
	$(DEV)/python benchmarks/behaviour.py --model $(NAME)

speed: .venv-speed/ready ## how fast, beside the machine's limit and others: a quarter of an hour (DATA=FOLDER_OF_THE_CORPORA; LONG=1: twice that)
	.venv-speed/bin/python benchmarks/speed.py --write $(if $(DATA),--corpora "$(DATA)") $(if $(LONG),--long)

profile: .venv-speed/ready ## where the time of one run goes (DATA=FOLDER_OF_THE_CORPORA)
	.venv-speed/bin/python benchmarks/stages.py --operators $(if $(DATA),--corpora "$(DATA)")

torture: .venv-dev/ready ## kill, fill, damage and load: is anything lost? (SEED=7: the same again; PART=load: that alone)
	$(DEV)/python benchmarks/torture $(PART) --write $(if $(SEED),--seed $(SEED))

fuzz: ## a million damaged inputs
	@$(MAKE) torture PART=fuzz

audit: .venv-dev/ready .venv/ready ## known vulnerabilities, where the data can be reached, and a bill of materials: out/sbom.json
	@mkdir -p out
	$(DEV)/cyclonedx-py environment .venv/bin/python --pyproject pyproject.toml --output-reproducible --of JSON -o out/sbom.json
	$(DEV)/pip-audit --requirement constraints.txt --require-hashes --disable-pip --strict

corpora-there:
	@test -d "$(DATA)" || { \
		echo 'error: expected DATA=FOLDER, the folder of the public corpora (docs/corpora.md says where they are published),' \
			'found $(if $(DATA),no folder "$(DATA)",none)' >&2; exit 2; }

reference: .venv-dev/ready ## write docs/commands.md, docs/configuration.md and the error rates that reports quote
	$(DEV)/python tools/reference.py
	$(DEV)/python benchmarks/known_errors.py

screenshots: .venv-dev/ready ## take docs/images/ anew, with this machine's Chromium
	$(DEV)/python tools/screenshots.py

wheel: .venv-dev/ready ## build dist/claimstance-….whl
	@rm -rf build/lib build/bdist.* dist
	$(DEV)/python -m build --quiet --wheel --no-isolation
	@ls dist/*.whl

constraints: .venv-uv/ready ## pin anew what pyproject.toml asks for (UPGRADE=--upgrade: the newest of everything)
	@echo 'Resolving for CPython 3.10 and later, on Linux, macOS and Windows'
	@printf '%s\n' pip 'setuptools>=77' uv | UV_CUSTOM_COMPILE_COMMAND='make constraints' .venv-uv/bin/uv pip compile --quiet \
		--universal --python-version 3.10 --generate-hashes --no-annotate $(UPGRADE) \
		--extra dev --extra bench --output-file constraints.txt pyproject.toml -
	@set -- $(TORCH_CPU); grep -q $$2 constraints.txt || { \
		sed "s/^torch==$$1 .*/&|    --hash=$$2 \\\\/" constraints.txt | tr '|' '\n' > constraints.new; \
		mv constraints.new constraints.txt; }
	@.venv-uv/bin/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-annotate --no-header \
		$(UPGRADE) --output-file tests/integration/label-studio.txt tests/integration/label-studio.in

clean: ## remove the environments, builds and caches (what you made stays: out/, runs/)
	rm -rf .venv .venv-dev .venv-uv .venv-speed .venv-integration build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/ready: pyproject.toml constraints.txt tools/venv.sh
	@echo 'Setting up .venv: what tagging needs, every hash checked (the first time takes half a minute)'
	@tools/venv.sh .venv claimstance -e .
	@touch $@

# Type checkers follow an editable install only as a tree of links, which has to grow with the folders it mirrors.
PACKAGES := $(shell find model training inference -name '*.py' -exec dirname {} + | sort -u)

.venv-dev/ready: pyproject.toml constraints.txt tools/venv.sh $(PACKAGES)
	@echo 'Setting up .venv-dev: training and tests too, every hash checked (the first time takes minutes)'
	@tools/venv.sh .venv-dev 'claimstance[dev]' -e . -C editable_mode=strict
	@touch $@

.venv-speed/ready: pyproject.toml constraints.txt tools/venv.sh $(PACKAGES)
	@echo 'Setting up .venv-speed: what speed is measured beside, every hash checked (the first time takes minutes)'
	@tools/venv.sh .venv-speed 'claimstance[train,bench]' -e .
	@touch $@

# Label Studio's own pins: they need not agree with constraints.txt. Some of its requirements have no wheel and are built.
.venv-integration/ready: tests/integration/label-studio.txt tools/venv.sh
	@echo 'Setting up .venv-integration: Label Studio, every hash checked (1 GB; the first time takes minutes)'
	@tools/venv.sh .venv-integration setuptools
	@.venv-integration/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --no-build-isolation \
		--prefer-binary -r tests/integration/label-studio.txt
	@touch $@

# It cannot rest on constraints.txt, which is what it is there to mend.
.venv-uv/ready: tools/venv.sh
	@echo 'Setting up .venv-uv: what pins the others'
	@tools/venv.sh .venv-uv uv
	@touch $@
