# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint gl clean

demo: $(VENV)/installed gl       ## 1,000 faces into data/demo
	$(BIN)/facegen doctor
	$(BIN)/facegen render --count 1k --out data/demo

test: $(VENV)/installed-test gl  ## the whole suite, against the installed package
	$(BIN)/pytest

lint: $(VENV)/installed-test     ## what CI asks of the code's form
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

gl:                              ## EGL and Mesa's software renderer, by apt where missing and allowed
	@sh tools/install_gl.sh $(BIN)/python

clean:
	rm -rf $(VENV) data dist

# The package is installed as users have it, so it is installed again when its files change.
SOURCES := pyproject.toml $(shell find facegen recipes morphable_models/generic.h5 -type f -not -name '*.pyc')

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(SOURCES) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --upgrade .
	touch $@

$(VENV)/installed-test: $(SOURCES) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --upgrade '.[test,lint]' -c constraints.txt
	touch $@ $(VENV)/installed
