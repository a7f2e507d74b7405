# Every target sets itself up: Python >= 3.11, make and a package index are enough. See scripts/setup.sh.
BIN := .venv/bin
SETUP := PYTHON="$(PYTHON)" scripts/setup.sh
BENCHMARKS := $(filter-out decisions field_missions protocol_cost,$(basename $(notdir $(wildcard benchmarks/*.py))))
KILLS := 500
MESSAGES := 5000
SEED := 1
LOCK := pyproject.toml uv.lock scripts/setup.sh

.PHONY: run setup test fire fire-discord fire-slack lint bench bench-decisions bench-missions bench-protocols

run: .venv/.ready-run ## start the bot; the page is at http://127.0.0.1:8321
	@exec $(BIN)/secret-agents run $(ARGS)

setup: ## make .venv with everything but a model
	@$(SETUP) dev

test: .venv/.ready-dev ## all tests; ARGS="-k weather" for some
	@$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

fire: .venv/.ready-dev ## kill the bot KILLS times while people write to it, and check that nothing is lost or repeated
	@$(BIN)/python -m tests.fire.campaign --kills $(KILLS) --seed $(SEED)

fire-discord: .venv/.ready-dev ## two hours of a busy Discord server in two minutes, with MESSAGES questions
	@$(BIN)/python -m tests.fire.discord_soak --messages $(MESSAGES) --seed $(SEED)

fire-slack: .venv/.ready-dev ## the same of a busy Slack workspace
	@$(BIN)/python -m tests.fire.slack_soak --messages $(MESSAGES) --seed $(SEED)

lint: .venv/.ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: .venv/.ready-dev ## side-by-side measurements
	@for name in $(BENCHMARKS); do echo "== $$name"; $(BIN)/python -m benchmarks.$$name || exit 1; done

bench-decisions: .venv/.ready-dev ## which gadget does the model choose? FILE=set.json for another set of questions
	@$(BIN)/python -m benchmarks.decisions $(FILE)

bench-missions: .venv/.ready-dev ## does the bundled model lead ten field missions to their end?
	@$(BIN)/python -m benchmarks.field_missions

bench-protocols: .venv/.ready-dev ## what does each tool protocol cost a turn of the bundled model?
	@$(BIN)/python -m benchmarks.protocol_cost

.venv/.ready-run: $(LOCK)
	@$(SETUP) run

.venv/.ready-dev: $(LOCK)
	@$(SETUP) dev
