# make run: see a first result.
# make studio: paint in the browser.
# make test: run the whole suite.
# make lint: check style, format and types.
# make figures: execute the notebooks of examples/.
# make bench: measure speed and memory, on a machine with nothing else to do; TORCH=/path/to/python of an environment
#   with torch adds PyTorch to the table.
# make docs: bring the flag table up to date.
# make install: only set up $(VENV), as each of these does if it is missing; PYTHON=/path/to/python chooses the Python.
#   GPU=1 adds MXNet's CUDA build, for NVIDIA GPUs from the GTX 900 to the RTX 40 (3.5 GB).
# make clean: remove what was installed and built.
VENV = .venv
EXTRAS = test,lint
PYTHON = python3.11 python3.10 python3.12 python3.13 python3.9 python3.8 python3.14 python3 python
SUITABLE = import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 8))
# MXNet asks for a NumPy that does not exist for Python 3.13, and runs without it.
NEWER = import sys; sys.exit(sys.version_info < (3, 13))

.PHONY: run studio test lint figures bench docs install clean

run: install
	@$(VENV)/bin/python examples/first_run.py quick
	@test -f model/vgg19.params || PYTHON=$(VENV)/bin/python sh download.sh
	@$(VENV)/bin/python examples/first_run.py

studio: install
	@test -f model/vgg19.params || PYTHON=$(VENV)/bin/python sh download.sh
	@$(VENV)/bin/python -m neural_style.studio

test: install
	@$(VENV)/bin/python -m pytest -q -n logical --maxprocesses 4 --dist worksteal tests

lint: install
	@$(VENV)/bin/ruff check --quiet
	@$(VENV)/bin/ruff format --quiet --check
	@$(VENV)/bin/mypy --no-error-summary

figures: install
	@test -f model/vgg19.params || PYTHON=$(VENV)/bin/python sh download.sh
	@$(VENV)/bin/python examples/build.py

bench: install
	@test -f model/vgg19.params || PYTHON=$(VENV)/bin/python sh download.sh
	@$(VENV)/bin/python benchmarks/speed.py $(if $(TORCH),--torch $(TORCH))
	@$(VENV)/bin/python benchmarks/descent.py $(if $(TORCH),--torch $(TORCH))

install: $(VENV)/installed $(if $(GPU),$(VENV)/installed-cuda)

$(VENV)/installed-cuda: $(VENV)/installed neural_style/cuda.py
	@$(VENV)/bin/python -m neural_style.cuda
	@touch $@

$(VENV)/installed: setup.py
	@for python in $(PYTHON); do $$python -c "$(SUITABLE)" 2>/dev/null && break; python=; done; \
	if [ -z "$$python" ]; then \
	  echo "No suitable Python among: $(PYTHON). MXNet 1.9.1 needs Python 3.8 or later with venv" \
	       "(on Debian and Ubuntu: apt install python3-venv); name yours with: make PYTHON=/path/to/python" >&2; \
	  exit 1; \
	fi; \
	echo "Setting up $(VENV) with $$($$python --version)"; \
	$(VENV)/bin/python -c "" 2>/dev/null || $$python -m venv --clear $(VENV); \
	$(VENV)/bin/python -m pip install --quiet --editable ".$(if $(EXTRAS),[$(EXTRAS)])" && \
	if $(VENV)/bin/python -c "$(NEWER)"; then $(VENV)/bin/python -m pip install --quiet --no-deps mxnet==1.9.1; fi
	@touch $@

docs: install
	@$(VENV)/bin/python -m neural_style.options docs/flags.md

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache
