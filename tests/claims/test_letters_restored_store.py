"""A database that was put back: no letter of a claim leaves twice, and a person can let each go again."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from tests.claims.letters import GIVES_UP, LEAVES, REMINDS, TO, by_letter, letters, states
from tests.end_to_end.flecha import Flecha
from tests.end_to_end.support import Start, Trial, at, day
from tracker.cli.main import app
from tracker.sandbox.mail import MailFault
from tracker.store.tables import Alert, Claim, ClaimFact, ClaimStep, Letter, OperatorAct, table

POSTED = at(day(2), 12)
HELD = ("waiting_approval", "restored")


@pytest.fixture
def trial(start: Start, flecha: Flecha, monkeypatch: pytest.MonkeyPatch) -> Trial:
    trial = by_letter(start(), flecha)
    # Commands run in this process, which is to find the carrier's package as an installation would.
    monkeypatch.syspath_prepend(trial.plugins[0])
    return trial


def standing(trial: Trial) -> tuple[str, str | None]:
    claim = trial.one(Claim)
    return claim["state"], claim["hold_reason"]


def said(trial: Trial, *words: str) -> str:
    """A command's words where it did its work; no look of the test's own keeps the database open meanwhile."""
    trial.close()
    trial._opened.clear()
    result = CliRunner().invoke(app, [*words, "-c", str(trial.config)], env=trial.environment)
    assert result.exit_code == 0, result.output
    return result.stdout


def copy(trial: Trial) -> Path:
    path = trial.folder / "a.copy"
    said(trial, "db", "backup", str(path))
    return path


def put_back(trial: Trial, path: Path, now: datetime) -> None:
    trial.clock_at(now)
    said(trial, "db", "restore", str(path))


def write(trial: Trial, model: type, **values: object) -> None:
    """Have every row of a table stand so, as a death at the right line would leave it."""
    with trial.database.begin_write() as connection:
        connection.execute(update(table(model)).values(**values))


def test_a_letter_that_was_queued_keeps_its_name_for_the_person_who_lets_it_go(trial: Trial) -> None:
    trial.world.mail.order_fault(MailFault.GREYLIST, 2, TO)
    trial.pass_through([POSTED, LEAVES])
    earlier = copy(trial)
    trial.pass_through([LEAVES + timedelta(hours=6), at(day(6), 12)])
    (first,) = letters(trial)
    put_back(trial, earlier, at(day(8), 9))
    trial.pass_through([at(day(8), 10), at(day(9), 12)])
    assert len(letters(trial)) == 1
    assert (standing(trial), states(trial)) == (HELD, [("letter", "suppressed")])
    assert "released: 1 claim" in said(trial, "release", "C1")
    trial.pass_through([at(day(9), 13), at(day(10), 12)])
    assert (standing(trial), states(trial)) == (("open", None), [("letter", "sent")])
    assert [letter["Message-ID"] for letter in letters(trial)] == [first["Message-ID"]] * 2


def test_a_letter_whose_day_fell_into_the_lost_time_waits(trial: Trial) -> None:
    trial.pass_through([POSTED, at(day(4), 12)])
    earlier = copy(trial)
    trial.pass_through([LEAVES, at(day(6), 12)])
    put_back(trial, earlier, at(day(8), 9))
    trial.pass_through([at(day(8), 10), at(day(9), 12)])
    assert (standing(trial), states(trial), len(letters(trial))) == (HELD, [], 1)
    assert "C1 is approved" in said(trial, "approve", "C1")
    trial.pass_through([at(day(9), 13), at(day(10), 12)])
    assert (standing(trial), len(letters(trial))) == (("open", None), 2)


def test_a_letter_whose_day_comes_after_the_restore_leaves(trial: Trial) -> None:
    trial.pass_through([POSTED, at(day(3), 12)])
    earlier = copy(trial)
    put_back(trial, earlier, at(day(4), 9))
    trial.pass_through([at(day(4), 10), LEAVES])
    assert (standing(trial), len(letters(trial))) == (("open", None), 1)


def test_one_that_was_leaving_is_unconfirmed_and_one_that_had_left_stays_filed(trial: Trial) -> None:
    trial.pass_through([POSTED, LEAVES])
    write(trial, Letter, state="sending", sent_at=None, next_step_at=LEAVES)
    write(trial, ClaimStep, state="calling", done_at=None, outcome=None)
    write(trial, Claim, state="submitting", opened_at=None, outcome=None, next_step_at=LEAVES)
    earlier = copy(trial)
    put_back(trial, earlier, at(day(8), 9))
    trial.pass_through([at(day(8), 10), at(day(9), 12)])
    assert (standing(trial), states(trial), len(letters(trial))) == (HELD, [("letter", "unconfirmed")], 1)
    # The same death, a moment later: the server had answered, and the claim had not heard of it yet.
    put_back(trial, earlier, at(day(10), 9))
    write(trial, Letter, state="sent", sent_at=LEAVES, next_step_at=None)
    write(trial, ClaimStep, state="calling", done_at=None, outcome=None)
    write(trial, Claim, state="submitting", hold_reason=None, next_step_at=LEAVES)
    write(trial, ClaimFact, taken_at=None)
    said(trial, "db", "restore", "--in-place")
    trial.pass_through([at(day(10), 10), at(day(11), 12)])
    assert (standing(trial), states(trial), len(letters(trial))) == (("open", None), [("letter", "sent")], 1)


@pytest.mark.parametrize("word", ["release", "approve", "reject"])
def test_a_reminder_from_the_lost_time_waits_for_a_word(trial: Trial, word: str) -> None:
    trial.pass_through([POSTED, LEAVES, at(day(6), 12)])
    earlier = copy(trial)
    trial.pass_at(REMINDS)
    assert len(letters(trial)) == 2
    put_back(trial, earlier, at(day(16), 9))
    trial.pass_through([at(day(16), 10), at(day(17), 12)])
    assert (standing(trial), len(letters(trial))) == (HELD, 2)
    told = {"release": "released: 1 claim", "approve": "reminds the carrier", "reject": "will not be reminded"}
    assert told[word] in said(trial, word, "C1")
    assert {row["act"] for row in trial.rows(OperatorAct)} == {word}
    trial.pass_through([at(day(17), 13), at(day(18), 12)])
    assert standing(trial) == ("open", None)
    assert len(letters(trial)) == (2 if word == "reject" else 3)
    if word == "reject":
        assert trial.one(Alert, kind="claim_unanswered")["resolved_at"] is None
    trial.pass_through([GIVES_UP, at(day(40), 12)])
    assert len(letters(trial)) == (2 if word == "reject" else 3)


def test_a_reminder_that_was_queued_waits_and_one_of_a_later_day_leaves(trial: Trial) -> None:
    trial.pass_through([POSTED, LEAVES, at(day(6), 12)])
    early = copy(trial)
    put_back(trial, early, at(day(8), 9))
    trial.world.mail.order_fault(MailFault.GREYLIST, 1, TO)
    trial.pass_through([at(day(8), 10), REMINDS])
    assert states(trial) == [("letter", "sent"), ("follow_up", "queued")]
    early.unlink()
    late = copy(trial)
    trial.pass_at(REMINDS + timedelta(hours=6))
    assert states(trial) == [("letter", "sent"), ("follow_up", "sent")]
    put_back(trial, late, at(day(16), 9))
    trial.pass_through([at(day(16), 10), at(day(17), 12)])
    assert (standing(trial), states(trial)[1], len(letters(trial))) == (HELD, ("follow_up", "suppressed"), 2)
    said(trial, "release", "--all")
    trial.pass_at(at(day(17), 13))
    assert len(letters(trial)) == 3 and len({letter["Message-ID"] for letter in letters(trial)}) == 2
    assert standing(trial) == ("open", None)
