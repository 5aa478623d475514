PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check bench results mutants docs clean

# The embedded model is small: one thread is enough, and steady on a busy machine.
demo: $(READY)
	$(BIN)/bmip demo --threads 1

test: $(READY)
	$(BIN)/pytest -n 3 --dist loadfile tests

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/pytest -n 3 --dist loadfile tests

bench: $(READY)
	$(BIN)/python -m benchmarks

# Every number and picture of docs/results.md, docs/ablations.md and docs/fidelity.md from plans/, settings first.
# Given again, it goes on where it was stopped. `bmip study PLAN --dry-run` says how long each plan takes.
STUDY := $(BIN)/bmip study --workers 2 --threads 1
results: $(READY)
	$(STUDY) plans/embedded_search.toml
	$(BIN)/bmip results presets runs/studies/embedded_search --out src/bmip/experiments/embedded_presets.toml
	$(BIN)/python -m tools.facts
	set -e; for plan in ablations fidelity embedded; do $(STUDY) plans/$$plan.toml; done
	set -e; for plan in embedded_search ablations fidelity embedded; do \
	  rm -f docs/results/$$plan.jsonl; \
	  $(BIN)/bmip results merge runs/studies/$$plan --out docs/results/$$plan.jsonl; \
	done
	$(BIN)/python -m tools.results
	$(BIN)/python -m tools.screenshots
	$(BIN)/bmip demo --threads 1
	cp runs/demo/predictions.png docs/images/demo.png

# Which changes of the code the tests notice, for one part of it; docs/trust.md says which parts there are.
mutants: $(READY)
	$(BIN)/pip install -q -c constraints.txt -e '.[mutants]'
	$(BIN)/python -m tools.mutants $(PART)

# A site of the pages in docs/, made without network.
docs: $(READY)
	$(BIN)/sphinx-build -q -W --keep-going -b html -c docs -d build/doctrees . build/docs
	@echo open build/docs/index.html

# Modules are compiled when they are first imported: to compile all of them takes a minute or more.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"bmip needs Python 3.11 or newer; this is {v[0]}.{v[1]}: name another with `make PYTHON=python3.12 ...`")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --no-compile -c constraints.txt -e '.[dev]'
	touch $(READY)

clean:
	rm -rf $(VENV) runs
