# make all     a trained pipeline from a fresh machine: environment, encoder, corpora, training, scores, package, triples
# make test    the fast tests in the same environment
# make help    the rest
#
# Nothing but Python >= 3.10 (with venv) and make is needed. Where packages come from is up to your pip settings.
# Everything is relative to this folder, so that a path with spaces works.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PIP_INSTALL := $(PY) -m pip install --disable-pip-version-check -c constraints.txt
PACKAGE := setup.cfg pyproject.toml constraints.txt
SMOKE := build/smoke
ARGS ?=

export PYTHONUNBUFFERED := 1
export TOKENIZERS_PARALLELISM := false
# glibc gives the memory of large arrays back and asks for it again in each batch: a sixth of a training's time.
export MALLOC_MMAP_MAX_ := 0
export MALLOC_TRIM_THRESHOLD_ := 40000000000
export MALLOC_TOP_PAD_ := 500000000

.DELETE_ON_ERROR:
.PHONY: all wheel test lint fix types smoke real install docs doctest clean distclean help

all: $(VENV)/.installed
	$(PY) -m spacy project run all

# The default pipeline as a wheel, packages/en_relext_base-*/dist; it is trained first if it is not there.
wheel: $(VENV)/.installed
	$(PY) -m spacy project run rere

test: $(VENV)/.installed-dev
	$(PY) -m pytest -m "not slow and not real_data" -n 2 --dist loadgroup --durations=15 $(ARGS)

lint: $(VENV)/.installed-dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

fix: $(VENV)/.installed-dev
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

types: $(VENV)/.installed-dev
	$(PY) -m mypy

# The tests on data sets that lie beside the checkout; they are skipped, with a reason, where the data is absent.
real: $(VENV)/.installed-dev
	$(PY) -m pytest -m real_data --durations=15 $(ARGS) || [ $$? -eq 5 ]

# The whole project on tiny settings in a folder of its own, then once more to see that nothing is done twice.
smoke: $(VENV)/.installed-dev
	$(PY) -m spacy project run encoder
	rm -rf $(SMOKE) && mkdir -p $(SMOKE)
	cp -R project.yml scripts configs assets $(SMOKE)/
	$(PY) -m spacy project run all $(SMOKE) --vars.configs configs/smoke
	$(PY) -m spacy project run all $(SMOKE) --vars.configs configs/smoke > $(SMOKE)/second.log
	@if grep "^Running command" $(SMOKE)/second.log | grep -v show_triples; then \
		echo "make smoke: the second run did the above again" >&2; exit 1; fi
	@echo "make smoke: the second run found nothing to do"

# The documentation as a site, in build/site; a dead link or an unlisted page is an error.
docs: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict

# The code blocks of README and docs, as a reader would run them.
doctest: $(VENV)/.installed-dev
	$(PY) scripts/run_docs.py README.md docs

install: $(VENV)/.installed-dev

$(VENV)/bin/pip:
	@$(PYTHON) -c "import ensurepip, venv, sys; sys.exit(sys.version_info < (3, 10))" || \
		{ echo "make: $(PYTHON) must be Python 3.10 or newer with venv (or say make PYTHON=...)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(PACKAGE) | $(VENV)/bin/pip
	$(PIP_INSTALL) -e ".[project]"
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP_INSTALL) -e ".[dev]"
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(PIP_INSTALL) -e ".[docs]"
	@touch $@

# What the project has built; the environment and the encoder stay.
clean:
	rm -rf corpus training packages metrics build dist *.egg-info project.lock
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -path ./$(VENV) -prune -o -type d -name __pycache__ -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV) assets/encoder

help:
	@echo "make all        train, score and package the default pipelines, then show triples"
	@echo "make test       fast tests (ARGS=... is passed to pytest)"
	@echo "make wheel      the default pipeline as a wheel that pip can install"
	@echo "make lint       ruff, reporting only        make fix    ruff, mending what it can"
	@echo "make types      mypy                        make doctest   run the code blocks of README and docs"
	@echo "make docs       the documentation as a site, in build/site"
	@echo "make smoke      the whole project on tiny settings, twice"
	@echo "make real       tests on the data sets beside the checkout"
	@echo "make install    the environment with everything for development"
	@echo "make clean      remove what was built       make distclean   the environment and the encoder too"
