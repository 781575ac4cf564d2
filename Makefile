# make demo    everything on one desk, no hardware          (DEMO_ARGS="--headless --out DIR")
# make test    all tests, on all cores   (TEST_ARGS="-k word"; "-n 0": in one process; "--shuffle 1": in another order)
# make fresh   what is committed, demo and tests, on a bare Debian, as somebody new has it   (root; ROOT=bookworm)
# make check   lint, format, types, rules of the house
# make bench   every figure, as a table and bench.json      (BENCH_ARGS)
# make fuzz    hostile tokens against the reader   (FUZZ_SECONDS=600, FUZZ_ARGS="--jobs 2 --distil")
# make powercut   the power fails at every write of the outbox   (POWERCUT_ARGS)
# make chaos   kill -9 everywhere while the service loses requests and answers   (CHAOS_ARGS)
# make faults   100,000 spoiled answers of the service against running uploaders   (FAULTS_ARGS="--answers 1000")
# make soak    10,000 visits in a bad world        (SOAK_ARGS="--visits 1000 --seed 2")
# make fleet   5,000 kiosks after one hour's outage: table and docs/fleet.svg   (FLEET_ARGS)
# make sbom    parts list, CycloneDX: build/sbom.cdx.json     (SBOM_ARGS="--root ROOT --python 3.13 --machine aarch64")
# make vulnerabilities   known ones in what is locked; "could not check" is a failure   (VULNERABILITIES_ARGS)
# make handbook   the handbook for staff: build/handbook/html, and print/ as one page
# make scan    every picture measured: sizes, gaps, contrast, nothing cut   (SCAN_ARGS="--language ja")
# make pictures   the contact sheets in docs/screens and the golden pictures; look at them before you keep them
# make catalogues   compile the words of the screens, kiosk/screens/words/locale
# make voices   render what the kiosk says, kiosk/screens/words/voices (needs Debian's contrib)
# make image   the SD image: dist/kiosk-VERSION.img.xz and what goes with it   (root; 4 minutes, then 1; IMAGE_KEYS)
# make image-test   start that image in an emulator, visit it, cut its power   (IMAGE_TEST_ARGS; 4 minutes)
# make image-test-full   every token, more faults, 320 crash states, updates cut off   (two hours; --only PART for one)
# make image-twice  build it once more from the same commit, compare every byte   (IMAGE_TWICE_ARGS=--all)
# make lock    write the locked requirements anew   (LOCK_ARGS=--upgrade: the newest versions)
# make clean   remove the environment and all that was made
#
# Each brings what it needs: Debian packages if missing (root or sudo), the environment in .venv. PYTHON=… chooses
# the Python, which must be 3.11 or newer.

FUZZ_SECONDS ?= 600
# Finished steps of the image; the emulated ones take longest to be made again.
IMAGE_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/maina-kiosk-image
BIN := .venv/bin
IMAGE = PYTHONPATH=image-build $(BIN)/python -m kiosk_image --cache $(IMAGE_CACHE) --pip $(BIN)/pip
ROOT ?= trixie
# Each core takes tests from the other when it has done its own. Few of them are worth a third and fourth process.
IN_PARALLEL := --numprocesses logical --maxprocesses 4 --dist worksteal
PIP := $(BIN)/pip --disable-pip-version-check --no-input --quiet
SH_FILES := requirements/find-python requirements/lock requirements/system-packages .ci/run

export PYTHON

.NOTPARALLEL:
.PHONY: scan pictures sbom vulnerabilities handbook help demo test fresh check bench fuzz powercut chaos faults soak fleet catalogues voices image \
	image-test image-test-full image-twice lock clean

help:
	@sed -n 's/^# \(make \)/\1/p' Makefile

demo: .venv/.stamp-demo
	@$(BIN)/kiosk demo $(DEMO_ARGS)

# File systems and loop devices are made by programs that only root has in its path.
test: .venv/.stamp-dev .venv/.stamp-system-test
	@PATH="$$PATH:/usr/sbin:/sbin" $(BIN)/pytest $(IN_PARALLEL) $(TEST_ARGS)

# Without an environment of its own: what it needs of Python is in Debian's.
fresh: .venv/.stamp-system-image
	@PYTHONPATH=image-build "$$(requirements/find-python)" -m tests.fresh --root $(ROOT) --cache $(IMAGE_CACHE) \
	    --out build/fresh-$(ROOT) $(FRESH_ARGS)

check: .venv/.stamp-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@for file in $(SH_FILES); do bash -n $$file || exit; done
	$(BIN)/pytest --quiet tests/house

bench: .venv/.stamp-dev .venv/.stamp-system-test
	@$(BIN)/python -m tests.benchmarks $(BENCH_ARGS)

fuzz: .venv/.stamp-fuzz
	@$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS) $(FUZZ_ARGS)

powercut: .venv/.stamp-dev
	@$(BIN)/python -m tests.uploader.outbox.powercut $(POWERCUT_ARGS)

chaos: .venv/.stamp-dev
	@$(BIN)/python -m tests.system.chaos $(CHAOS_ARGS)

faults: .venv/.stamp-dev
	@$(BIN)/python -m tests.faults $(FAULTS_ARGS)

soak: .venv/.stamp-dev
	@$(BIN)/python -m tests.soak $(SOAK_ARGS)

fleet: .venv/.stamp-dev
	@$(BIN)/python -m tests.uploader.delivery.fleet --out docs/fleet.svg $(FLEET_ARGS)

scan: .venv/.stamp-dev
	@$(BIN)/python -m tests.screens.proof.scan_table $(SCAN_ARGS)

pictures: .venv/.stamp-dev
	@$(BIN)/python -m tests.screens.proof.pictures $(PICTURES_ARGS)
	@fonts="$$($(IMAGE) --where debian 2>/dev/null)/root/usr/share/fonts"; \
	if [ -d "$$fonts" ]; then $(BIN)/python -m tests.screens.proof.pictures --fonts "$$fonts"; \
	else echo "not drawn: what the image's fonts make of them (no root of its Debian here: make image)"; fi

catalogues: .venv/.stamp-dev
	@$(BIN)/pybabel --quiet compile --directory kiosk/screens/words/locale --domain "kiosk staff"

sbom: .venv/.stamp-supply
	@mkdir -p build
	@.venv/supply/bin/python requirements/sbom --out build/sbom.cdx.json $(SBOM_ARGS)

vulnerabilities: .venv/.stamp-supply
	@.venv/supply/bin/python requirements/vulnerabilities $(VULNERABILITIES_ARGS)

handbook: .venv/.stamp-dev .venv/.stamp-handbook
	@PYTHONPATH=. $(BIN)/python docs/handbook/parts --out docs/handbook/made
	@.venv/handbook/bin/sphinx-build --quiet --fail-on-warning --keep-going -E -b html docs/handbook build/handbook/html
	@.venv/handbook/bin/sphinx-build --quiet --fail-on-warning --keep-going -E -b singlehtml docs/handbook build/handbook/html/print
	@echo "build/handbook/html/index.html"

voices: .venv/.stamp-dev
	@$(BIN)/python -m tests.screens.proof.render_voices

image: .venv/.stamp-dev .venv/.stamp-system-image
	@$(IMAGE) --out dist $(if $(IMAGE_KEYS),--keys $(IMAGE_KEYS))
	@$(MAKE) --no-print-directory sbom \
	    SBOM_ARGS="--root $$($(IMAGE) --where debian)/root --unpacked $$($(IMAGE) --where boot-packages)/control \
	    --python 3.13 --machine aarch64"
	@cp build/sbom.cdx.json dist/

image-test image-test-full: .venv/.stamp-dev .venv/.stamp-system-image
	@$(IMAGE) --step disk
	@PYTHONPATH=image-build $(BIN)/python -m tests.image --disk "$$($(IMAGE) --where disk)" --tools "$$($(IMAGE) --where tools)/root" \
	    --keys "$$($(IMAGE) --where keys)/keys" --debian "$$($(IMAGE) --where debian)/root" $(if $(findstring full,$@),--full) $(IMAGE_TEST_ARGS)
	@$(if $(IMAGE_TEST_ARGS),,touch "$(IMAGE_CACHE)/passed-$$(basename "$$($(IMAGE) --where system)")")

image-twice: .venv/.stamp-dev .venv/.stamp-system-image
	@$(IMAGE) --twice $(IMAGE_TWICE_ARGS)

lock:
	@requirements/lock $(LOCK_ARGS)

clean:
	rm -rf .venv build dist demo-out bench.json *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- the environment -------------------------------------------------------------------------------------
# A stamp stands for a finished step; a step that was interrupted leaves none and is done again.

.venv/.stamp-system-%: requirements/system-packages
	@requirements/system-packages $*
	@mkdir -p .venv && touch $@

.venv/.stamp-venv: requirements/build.txt | .venv/.stamp-system-run
	@echo "Making the Python environment in .venv"
	@"$$(requirements/find-python)" -m venv .venv
	@$(PIP) install --require-hashes -r requirements/build.txt
	@touch $@

# What has no wheel is built with the locked setuptools of the environment, not with one fetched for the purpose.
# Installing "demo" after "dev" would change nothing: the first is part of the second.
.venv/.stamp-demo: requirements/demo.txt pyproject.toml .venv/.stamp-venv
	@echo "Installing the Python packages of requirements/demo.txt"
	@$(PIP) install --require-hashes --no-build-isolation --use-pep517 -r requirements/demo.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/.stamp-dev: requirements/dev.txt pyproject.toml .venv/.stamp-venv
	@echo "Installing the Python packages of requirements/dev.txt"
	@$(PIP) install --require-hashes --no-build-isolation --use-pep517 -r requirements/dev.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ .venv/.stamp-demo

.venv/.stamp-fuzz: requirements/fuzz.txt .venv/.stamp-dev
	@echo "Installing the Python packages of requirements/fuzz.txt"
	@$(PIP) install --require-hashes -r requirements/fuzz.txt
	@touch $@

.venv/.stamp-supply: requirements/supply.txt .venv/.stamp-venv
	@echo "Installing the Python packages of requirements/supply.txt"
	@"$$(requirements/find-python)" -m venv .venv/supply
	@.venv/supply/bin/pip --disable-pip-version-check --no-input --quiet install --require-hashes -r requirements/supply.txt
	@touch $@

.venv/.stamp-handbook: requirements/handbook.txt .venv/.stamp-venv
	@echo "Installing the Python packages of requirements/handbook.txt"
	@"$$(requirements/find-python)" -m venv .venv/handbook
	@.venv/handbook/bin/pip --disable-pip-version-check --no-input --quiet install --require-hashes -r requirements/handbook.txt
	@touch $@
