"""A trial of the whole program with a person at the keyboard beside it."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner, Result

from tests.end_to_end.support import Trial
from tracker.cli.main import app
from tracker.store.tables import Decision, Delivery, Notice, OperatorAct


def hand(trial: Trial, *words: str, who: str = "fulana", exit_code: int = 0) -> str:
    """The command as it is typed beside the program; returns what it says, on whichever stream."""
    result = run(trial, *words, who=who)
    assert result.exit_code == exit_code, (result.output, result.exception)
    assert '"event":' not in result.stderr, "the log is the daemon's: a person is told in one sentence"
    return result.stdout if exit_code == 0 else result.stderr


def run(trial: Trial, *words: str, who: str = "fulana") -> Result:
    environment = {**trial.environment, "SUDO_USER": who, "TRACKER_CONFIG": "", "STATE_DIRECTORY": ""}
    return CliRunner().invoke(app, [*words, "-c", str(trial.config)], env=environment)


def shown(trial: Trial, *words: str) -> Any:
    """What a command answers as data."""
    return json.loads(hand(trial, *words, "--json"))


def one_line(text: str) -> str:
    return " ".join(text.split())


def message(trial: Trial, trigger: str) -> dict[str, Any]:
    """The one delivery of this trigger."""
    return trial.one(Delivery, notice_id=trial.one(Notice, trigger=trigger)["id"])


def standing(trial: Trial, trigger: str) -> tuple[str, str | None]:
    row = message(trial, trigger)
    return row["state"], row["hold_reason"]


def acts(trial: Trial) -> list[tuple[str, str, str, str | None]]:
    """Who did what to what kind of thing, and why, oldest first."""
    return [(row["who"], row["act"], row["subject_kind"], row["reason"]) for row in trial.rows(OperatorAct)]


def rules(trial: Trial, kind: str, row_id: int) -> list[tuple[str, str]]:
    """(rule, outcome) of every decision about this."""
    return [(row["rule"], row["outcome"]) for row in trial.rows(Decision, subject_kind=kind, subject_id=row_id)]
