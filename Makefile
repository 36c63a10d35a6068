# GAN Lessons. `make` lists the commands; each sets up .venv by itself and does nothing twice.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help book pdf test run lab notebooks bench lint format set-repository clean

PYTHON ?= python3
PY := .venv/bin/python
PIP := $(PY) -m pip install --disable-pip-version-check -q -c constraints.txt
HTML := _build/html/index.html

# TORCH=cpu (or cu126, …) takes torch and torchvision from PyTorch's own index. Without it .venv keeps what it has.
ifeq ($(TORCH),)
TORCH_STAMP := $(firstword $(wildcard .venv/.torch-*) .venv/.torch-default)
else
TORCH_STAMP := .venv/.torch-$(TORCH)
endif

PAGES := $(wildcard book/*.ipynb book/*.md book/*.bib book/figures/*) README.md
DESIGN := _config.yml _toc.yml $(wildcard _ext/*.py _ext/templates/* _static/* _static/*/* data/weights/* data/weights/discriminators/* data/answers.json) \
	gan_lessons/live.py .venv/.book

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

book: _build/.built  ## build the book from its stored outputs (no PyTorch needed)
	@echo "The book is ready. Open $(HTML) in a browser:"
	@echo "  file://$(CURDIR)/$(HTML)"

pdf: _build/html/gan-lessons.pdf  ## print the book to one PDF, with an installed Chromium

# Byte code is kept where the environment forbids it: dozens of processes import the same files.
test: .venv/.core _build/.built  ## run all tests, and every chapter in the smoke profile (JOBS=8 on a larger machine)
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 MPLBACKEND=Agg $(PY) -m pytest tests -n $(or $(JOBS),2) --dist worksteal

run: .venv/.core  ## execute chapters: CHAPTER=05 PROFILE=quick (all without CHAPTER; also JOBS=2, SEED=1, IN_PLACE=1)
	$(PY) -m gan_lessons run $(if $(PROFILE),--profile $(PROFILE)) $(if $(JOBS),--jobs $(JOBS)) \
		$(if $(SEED),--seed $(SEED)) $(if $(IN_PLACE),--in-place) $(CHAPTER)

# Plain copies, because JupyterLab shows MyST as raw text; those that are there are kept with all that you did in them.
# It refuses to start for root, unless told to; in a container there is often nobody else.
LAB ?= lab
lab: .venv/.dev  ## open the chapters in JupyterLab: copies in lab/, yours to change (ARGS="--no-browser --port 9000")
	$(if $(filter lab,$(LAB)),$(PY) -m gan_lessons notebooks --keep --out lab)
	$(if $(filter 0,$(shell id -u)),@echo "You are root: JupyterLab is started with --allow-root.")
	$(PY) -m jupyterlab $(if $(filter 0,$(shell id -u)),--allow-root) $(ARGS) $(LAB)

notebooks: .venv/.book  ## write plain copies of the chapters, for Colab and JupyterLab, to _build/notebooks
	$(PY) -m gan_lessons notebooks $(if $(PUBLISHED),--published)

bench: .venv/.core  ## time our training loop against a plain one, and many seeds against one
	$(PY) -m tests.benchmarks

lint: .venv/.dev  ## check style, types and stamps
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -m gan_lessons check

format: .venv/.dev  ## mend the style of modules and notebooks
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

set-repository:  ## write the repository's address everywhere: URL=https://github.com/YOU/NAME
	@$(PYTHON) tools/set_repository.py "$(URL)"

clean:  ## remove what was built, but not .venv and the data
	rm -rf _build dist .pytest_cache .mypy_cache .ruff_cache
	find . -name .venv -prune -o -name __pycache__ -type d -exec rm -rf {} +

# The book. A new design (or a failed build) reads every page anew, or its warnings would be lost.
_build/.built: $(PAGES) $(DESIGN)
	@$(if $(filter $(DESIGN),$?),rm -rf _build/.doctrees _build/html)
	@echo "Building the book …"
	@.venv/bin/jupyter-book build . -q -W --keep-going -n >/dev/null || { rm -rf _build/.doctrees; exit 1; }
	@touch $@

_build/html/gan-lessons.pdf: _build/.built tools/whole_book.py | .venv/.test
	@echo "Printing the book …"
	@$(PY) tools/whole_book.py

# The environment, one step after another, so that two of them never install at once.
.venv/.ready:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "GAN Lessons needs Python 3.11 or newer; name it: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "This Python cannot make an environment (on Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --disable-pip-version-check -q 'pip>=25.1'
	@touch $@

.venv/.book: .venv/.ready pyproject.toml constraints.txt
	@echo "Installing what the book needs, about 280 MB …"
	@$(PIP) --group book
	@touch $@

.venv/.test: .venv/.book
	@echo "Installing what the tests need …"
	@$(PIP) --group test
	@touch $@

.venv/.torch-%: | .venv/.test
	@if test "$*" != default || ls .venv/.torch-* >/dev/null 2>&1; then \
		echo "Installing PyTorch ($*) …"; \
		$(PY) -m pip install --disable-pip-version-check -q --force-reinstall --no-deps \
			$(if $(filter-out default,$*),--index-url https://download.pytorch.org/whl/$*) torch torchvision; \
	fi
	@rm -f .venv/.torch-* && touch $@

.venv/.core: $(TORCH_STAMP) .venv/.test
	@echo "Installing the package and PyTorch (about 5 GB the first time, 1 GB with TORCH=cpu) …"
	@$(PIP) -e .
	@touch $@

.venv/.dev: .venv/.core
	@echo "Installing the tools for authors …"
	@$(PIP) --group dev
	@touch $@
