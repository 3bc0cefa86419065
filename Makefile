# make         triples and a graph of two texts, by the pipeline that the package carries
# make all     trained pipelines from scratch: environment, encoder, corpora, training, scores, packages, triples
# make test    the fast tests in the same environment
# make help    the rest
#
# It needs only Python >= 3.10 (with venv) and make. Packages come from wherever pip is configured to look.
# TORCH="..." sets what pip installs as torch; by default, without a GPU, that is a CPU build if the index has one.
# All paths are relative to this folder, so its own path may contain spaces.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PIP_INSTALL := $(PY) -m pip install --disable-pip-version-check -c constraints.txt
PACKAGE := setup.cfg pyproject.toml constraints.txt
SMOKE := build/smoke
DATA ?= ../shared/data
SENTENCE_TESTS := documents-test prose-test prose-hard more-test more-assertions more-wordings sixty
DOCUMENT_TESTS := redocred-test own-test
VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' spacy_relext/__init__.py)
ARGS ?=
INPUTS ?= 1000
MUTANTS ?= 150
SEED ?= 0
TORCH ?=
TORCH_PIN := $(shell grep '^torch==' constraints.txt)

export PYTHONUNBUFFERED := 1
export TOKENIZERS_PARALLELISM := false
# Otherwise glibc returns the memory of large arrays and requests it again in each batch: a sixth of the training time.
export MALLOC_MMAP_MAX_ := 0
export MALLOC_TRIM_THRESHOLD_ := 40000000000
export MALLOC_TOP_PAD_ := 500000000

.DELETE_ON_ERROR:
.PHONY: demo all plan wheel default test long fuzz mutants lint fix types smoke demo-loop real install docs doctest clean distclean help

demo: $(VENV)/.installed
	rm -rf demo && mkdir demo
	$(PY) -m spacy relext extract default assets/demo demo/triples.jsonl --input-format file
	$(PY) scripts/show_triples.py default --files assets/demo/*.txt
	$(PY) -m spacy relext graph build demo/triples.jsonl demo/graph --schema assets/schema.yaml
	$(PY) -m spacy relext graph view demo/graph --html demo/graph.html
	@echo "demo/triples.jsonl has the triples, demo/graph.html the graph. Next, with texts of your own:"
	@echo "  $(PY) -m spacy relext extract default YOUR.txt triples.csv"

all: plan $(VENV)/.installed
	$(PY) -m spacy project run all

plan:
	@echo "make all does the following, and skips what is up to date:"
	@echo "  install     packages into $(VENV)                            1.6 GB, with a CPU build of torch"
	@echo "  prepare     the encoder and the corpora                    0.1 GB"
	@echo "  train       a pipeline for each of the five methods        2.1 GB, with tuning and scores"
	@echo "  package     each pipeline, to be installed with pip        1.2 GB"
	@echo "  show        the triples that each finds in a few sentences"
	@echo "It needs 5 GB of disk and, after installation, 30 to 40 minutes on two cores without a GPU."

# The default pipeline as a wheel, packages/en_relext_base-*/dist; it is trained first if it does not exist yet.
wheel: $(VENV)/.installed
	$(PY) -m spacy project run rere

# The pipeline that the package carries: trained on sentences, and from there twice on whole documents with sentences; the
# weights of the two are averaged. Data sets that are not beside the checkout are fetched.
default: $(VENV)/.installed
	$(PY) benchmarks/get_data.py redocred_dev gap docred_unlabelled --target $(DATA)
	$(PY) -m spacy project run encoder
	$(PY) scripts/build_default.py $(DATA)/redocred_dev assets corpus/default
	$(PY) scripts/build_documents.py assets corpus/documents --sentences corpus/default \
		--redocred $(DATA)/redocred_dev --gap $(DATA)/gap --unlabelled $(DATA)/docred_unlabelled
	$(PY) -m spacy train configs/default.cfg --output training/default \
		--paths.train corpus/default/train.spacy --paths.dev corpus/default/dev.spacy
	$(PY) -m spacy train configs/documents.cfg --output training/documents --paths.pipeline training/default/model-best \
		--paths.train corpus/documents/all-train.spacy --paths.dev corpus/documents/all-dev.spacy
	$(PY) -m spacy train configs/documents.cfg --output training/both --paths.pipeline training/default/model-best \
		--paths.train corpus/documents/both-train.spacy --paths.dev corpus/documents/all-dev.spacy \
		--training.max_steps 4400 --training.eval_frequency 2200
	$(PY) scripts/average.py training/both/model-last training/documents/model-last training/documents/averaged \
		--second coref,documents
	rm -rf training/documents/small training/documents/packed
	$(PY) -m spacy relext pack training/documents/averaged training/documents/small
	$(PY) -m spacy relext tune training/documents/small corpus/default/dev.spacy training/documents/sentences \
		--no-gold-sents --beta 0.85 --components rere_detector,rere_extractor
	$(PY) -m spacy relext tune training/documents/sentences corpus/documents/documents-dev.spacy \
		training/documents/tuned --no-gold-sents --beta 0.7 --components coref,documents
	$(PY) -m spacy relext pack training/documents/tuned training/documents/packed
	for part in $(SENTENCE_TESTS); do $(PY) -m spacy relext evaluate training/documents/packed \
		corpus/default/$$part.spacy --output metrics/default-$$part.json --no-gold-sents || exit 1; done
	for part in $(DOCUMENT_TESTS); do $(PY) -m spacy relext evaluate training/documents/packed \
		corpus/documents/$$part.spacy --output metrics/default-$$part.json --no-gold-sents || exit 1; done
	$(PY) scripts/model_card.py training/documents/packed spacy_relext/default --shipped --version $(VERSION) \
		$(foreach part,$(SENTENCE_TESTS),--scores "$(subst -, ,$(part))=metrics/default-$(part).json") \
		$(foreach part,$(DOCUMENT_TESTS),--facts "$(subst -, ,$(part))=metrics/default-$(part).json")

test: $(VENV)/.installed-dev
	$(PY) -m pytest -m "not slow and not long and not real_data" -n 2 --dist loadgroup --durations=15 $(ARGS)

# The tests that take a third of the time of all: tutorials that train, and processes that are killed.
long: $(VENV)/.installed-dev
	$(PY) -m pytest -m long -n 2 --dist loadgroup --durations=15 $(ARGS)

# Damaged inputs for every reader, more than in the fast tests; another SEED gives other inputs.
fuzz: $(VENV)/.installed-dev
	RELEXT_FUZZ=$(INPUTS) RELEXT_FUZZ_SEED=$(SEED) $(PY) -m pytest tests/fuzz -n 2 --timeout 3600 -rP $(ARGS)

# Mutation testing: changes the code at each of some sampled lines, one at a time, and checks whether a test fails.
# Another SEED samples other lines.
mutants: $(VENV)/.installed-dev
	$(PY) scripts/mutants.py build/mutants --count $(MUTANTS) --seed $(SEED) $(ARGS)

lint: $(VENV)/.installed-dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

fix: $(VENV)/.installed-dev
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

types: $(VENV)/.installed-dev
	$(PY) -m mypy

# The tests on data sets beside the checkout; where the data is absent, they are skipped with a reason.
real: $(VENV)/.installed-dev
	$(PY) -m pytest -m real_data --durations=15 $(ARGS) || [ $$? -eq 5 ]

# The whole project with tiny settings in a folder of its own, then once more to check that nothing is done twice. The
# tiny pipeline may find no triples at all, so the probabilities of its graph are not fitted (--vars.calibrate=).
smoke: $(VENV)/.installed-dev
	$(PY) -m spacy project run encoder
	rm -rf $(SMOKE) && mkdir -p $(SMOKE)
	cp -R project.yml LICENSE scripts configs assets $(SMOKE)/
	$(PY) -m spacy project run all $(SMOKE) --vars.configs configs/smoke --vars.small configs/smoke --vars.kd_docs 1000 --vars.calibrate=
	$(PY) -m spacy project run all $(SMOKE) --vars.configs configs/smoke --vars.small configs/smoke --vars.kd_docs 1000 --vars.calibrate= > $(SMOKE)/second.log
	@if grep "^Running command" $(SMOKE)/second.log | grep -v show_triples; then \
		echo "make smoke: the second run did the above again" >&2; exit 1; fi
	@echo "make smoke: the second run found nothing to do"

# Reruns the commands behind a table of benchmarks/tables/, such as table-rere-nyt24; with -small, only the first command,
# on few sentences.
table-%-small: $(VENV)/.installed-dev
	$(PY) -m benchmarks table $* --small

table-%: $(VENV)/.installed-dev
	$(PY) -m benchmarks table $*

# Draw thirty sentences, correct the suggestions in a headless browser, retrain and compare: a few minutes, with a small pipeline.
demo-loop: $(VENV)/.installed-dev
	$(PY) scripts/demo_loop.py build/demo-loop $(ARGS)

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

# Plain torch may bring several gigabytes of CUDA libraries. "+cpu" is requested as a version, so any index will do.
$(VENV)/.installed: $(PACKAGE) | $(VENV)/bin/pip
ifneq ($(TORCH),)
	$(PIP_INSTALL) $(TORCH)
else
	@nvidia-smi -L 2>/dev/null | grep -q GPU || $(PY) -c "import torch" 2>/dev/null || { \
		echo "No GPU: looking for $(TORCH_PIN)+cpu"; \
		$(PIP_INSTALL) --quiet --only-binary :all: "$(TORCH_PIN)+cpu" 2>/dev/null || true; }
endif
	$(PIP_INSTALL) -e ".[project]"
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP_INSTALL) -e ".[dev]"
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(PIP_INSTALL) -e ".[docs]"
	@touch $@

# Removes what the project has built; the environment and the encoder stay.
clean:
	rm -rf corpus training packages metrics graph build dist *.egg-info project.lock
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -path ./$(VENV) -prune -o -type d -name __pycache__ -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV) assets/encoder

help:
	@echo "make demo       the shipped pipeline on the texts in assets/demo; make alone does this"
	@echo "make all        train, score and package the default pipelines, then show triples"
	@echo "make plan       what make all does, how long it takes and the disk that it needs"
	@echo "make wheel      the default pipeline as a wheel that pip can install"
	@echo "make default    the pipeline that the package carries: corpora, training, scores (DATA=... has the data sets)"
	@echo "make test       fast tests (ARGS=... is passed to pytest)"
	@echo "make long       tutorials that train, and processes that are killed"
	@echo "make fuzz       damaged inputs for every reader (INPUTS=... of each, SEED=... for others)"
	@echo "make mutants    changes of the code that no test notices (MUTANTS=... lines, SEED=... for others)"
	@echo "make lint       ruff, reporting only"
	@echo "make fix        ruff, mending what it can"
	@echo "make types      mypy"
	@echo "make docs       the documentation as a site, in build/site"
	@echo "make doctest    run the code blocks of README and docs"
	@echo "make smoke      the whole project on tiny settings, twice"
	@echo "make demo-loop  sample, correct in a browser, retrain: the loop of annotation in minutes"
	@echo "make table-NAME  a table of benchmarks/tables/ again, such as table-rere-nyt24"
	@echo "make table-NAME-small  the first command of that table, on few sentences"
	@echo "make real       tests on the data sets beside the checkout"
	@echo "make install    the environment with everything for development"
	@echo "make clean      remove what was built"
	@echo "make distclean  remove the environment and the encoder too"
	@echo "make help       this list"
	@echo "PYTHON=... chooses the interpreter of the environment, TORCH=... what pip installs as torch."
