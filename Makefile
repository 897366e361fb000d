# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test kills fuzz poster estimator docs lint gl clean

demo: $(VENV)/installed          ## 1,000 faces into data/demo, on a GPU through EGL if there is one
	-@sh tools/install_gl.sh $(BIN)/python
	$(BIN)/facegen doctor
	$(BIN)/facegen render --count 1k --out data/demo

test: $(VENV)/installed-test gl  ## the whole suite, against the installed package, a file a process
	$(BIN)/pytest -n auto --maxprocesses 8 --dist loadfile

kills: $(VENV)/installed-test    ## the long form of the kill test: thirty kills
	FACEGEN_KILLS=30 $(BIN)/pytest tests/generation/test_kill.py

fuzz: $(VENV)/installed-test     ## the long form of the fuzzing
	FACEGEN_FUZZ=20000 $(BIN)/pytest tests/fuzz

poster: $(VENV)/installed-test   ## the poster's table at small scale: an hour and a half on two cores
	$(BIN)/python -m pip install --quiet '.[benchmarks]' -c constraints.txt
	$(BIN)/python benchmarks/real_domain.py --train 1500 --test 200 --size 64 --out data/real
	$(BIN)/python benchmarks/poster_table.py data/real --out data/poster \
	  --plot data/poster/table.png --faces data/poster/faces.jpg

estimator: $(VENV)/installed-test ## the network of `facegen estimate`, anew: two hours on two cores; it goes on
	$(BIN)/python morphable_models/build_estimator.py --work data/estimator

docs: $(VENV)/installed-test     ## the pages, into site/; a warning is an error
	$(BIN)/python -m pip install --quiet '.[docs]' -c constraints.txt
	$(BIN)/mkdocs build --strict

lint: $(VENV)/installed-test     ## what CI asks of the code's form
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

gl:                              ## EGL and Mesa's software renderer, by apt where missing and allowed
	@sh tools/install_gl.sh $(BIN)/python

clean:
	rm -rf $(VENV) data dist site

# The package is installed as users have it, so it is installed again when its files change.
SOURCES := pyproject.toml $(shell find facegen recipes morphable_models/generic.h5 morphable_models/assets -type f -not -name '*.pyc')

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(SOURCES) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --upgrade .
	touch $@

$(VENV)/installed-test: $(SOURCES) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --upgrade '.[test,lint]' -c constraints.txt
	touch $@ $(VENV)/installed
